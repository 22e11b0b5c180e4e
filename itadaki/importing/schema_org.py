"""schema.org's recipes, whatever shape their properties have."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from itadaki.importing.found import PLAIN, Found, Photos, Place, Unusable, details, texts_in
from itadaki.importing.schema_text import (
    embedded,
    ingredient_lines,
    is_label,
    letters,
    one_line,
    text_lines,
    without_labels,
)

_NONE = "it holds no schema.org recipe"
_BESIDE = ("full.jpg", "full.png", "full.jpeg", "full.webp")
"""The photo's names beside a recipe.json of Nextcloud Cookbook."""

_INGREDIENTS = ("recipeingredient", "recipeingredients", "ingredients", "ingredient")
_STEPS = (
    *("recipeinstructions", "recipeinstruction", "instructions", "recipedirections", "directions"),
    *("step", "steps", "method"),
)
_PARTS = (
    *("itemlistelement", "itemlistelements", "item", "items", "step", "steps", "haspart"),
    *("recipeinstructions", "recipeingredient", "ingredients", "@list", "@set", "@graph"),
)
_TEXTS = ("text", "@value", "description", "instruction", "directions", "articlebody", "value")
_NAMES = ("name", "headline", "title")
_ADDRESSES = ("contenturl", "url", "thumbnailurl", "thumbnail", "src", "@value", "@list", "image")
_ALIKE = 0.8  # of the words of the shorter list of ingredients, in two accounts of one recipe
_WORD = re.compile("[a-z]+")
_BRACKETS = re.compile(r"\[([^\[\]]+)\]")
_WHOLE = {"all"}  # what sites call the one section of a recipe that has none


@dataclass
class Described:
    """A recipe that schema.org's properties describe.

    Attributes:
        name: on one line; may be empty.
        ingredients, steps: lines; may be empty.
        images: addresses or paths of its pictures, the first named first.
        properties: all that is said of it, by names in lower case without a prefix.
    """

    name: str
    ingredients: list[str]
    steps: list[str]
    images: list[str]
    properties: dict[str, Any] = field(repr=False)

    def is_same(self, other: "Described", elsewhere: bool = False) -> bool:
        """Whether both tell of one recipe.

        Args:
            other: the other account.
            elsewhere: it is in another form, such as microdata, so that its name may differ.
        """
        identity = self.properties.get("@id")
        if identity and identity == other.properties.get("@id"):
            return True
        mine, yours = (set(" ".join(one.ingredients).lower().split()) for one in (self, other))
        alike = len(mine & yours) >= _ALIKE * min(len(mine), len(yours))
        if not (self.name and other.name) or letters(self.name) == letters(other.name):
            return alike or elsewhere
        return elsewhere and alike and bool(mine and yours)

    def take(self, other: "Described") -> None:
        """Take from another account of the same recipe what this one lacks."""
        self.name = self.name or other.name
        self.ingredients = self.ingredients or other.ingredients
        self.steps = self.steps or other.steps
        self.images += other.images
        self.properties = other.properties | {
            name: value for name, value in self.properties.items() if value
        }


def described(data: Any) -> list[Described]:
    """The recipes in a document, in its order."""
    graph = _Graph(data)
    return [
        Described(
            graph.name(node),
            graph.ingredients(_first(node, _INGREDIENTS)),
            without_labels(graph.steps(_first(node, _STEPS))),
            graph.images([node.get(name) for name in ("image", "images", "photo", "thumbnailurl")]),
            {**node, "author": graph.known(node.get("author"))},
        )
        for node in graph.recipes
    ]


def once(recipes: Iterable[Described], elsewhere: Iterable[Described] = ()) -> list[Described]:
    """The recipes of a page, each once.

    Args:
        recipes: all accounts in one form.
        elsewhere: all in another form.

    Returns:
        Without those that only name a recipe whose text is on another page, where there are any
        with a text.
    """
    found: list[Described] = []
    by_name: dict[str, list[Described]] = defaultdict(list)
    by_id: dict[str, list[Described]] = defaultdict(list)
    for other, some in ((False, recipes), (True, elsewhere)):
        for recipe in some:
            name, identity = letters(recipe.name), str(recipe.properties.get("@id") or "")
            # In one form only what shares one of these can be the same: a page may hold thousands.
            candidates = found
            if name and not other:
                candidates = [*by_id.get(identity, []), *by_name[name], *by_name[""]]
            known = next((one for one in candidates if one.is_same(recipe, other)), None)
            if known:
                known.take(recipe)
            else:
                found.append(recipe)
                by_name[name].append(recipe)
                if identity:
                    by_id[identity].append(recipe)
    return [one for one in found if one.ingredients or one.steps] or found


def read_json(data: Any, path: Path, origin: str, photos: Photos) -> Iterator[Found | Unusable]:
    """Read all recipes in a JSON document, Nextcloud Cookbook's among them."""
    recipes = described(data)
    if not recipes:
        yield Unusable(origin, _NONE)
    for number, recipe in enumerate(recipes, 1):
        plain = _plain(recipe)
        recipe = plain or _without_brackets(recipe)
        places: list[Place] = []
        if len(recipes) == 1:
            places += photos.there(path.with_name(name) for name in _BESIDE)
        for image in recipe.images:
            places += photos.find(image, path)
        name = origin if len(recipes) == 1 else f"{origin}, recipe {number}"
        yield replace(found(recipe, name, places), literal=plain is not None)


def _without_brackets(recipe: Described) -> Described:
    """The recipe with headings as others write them: RecipeSage puts them in brackets."""
    ingredients, steps = (
        [heading[1] if (heading := _BRACKETS.fullmatch(line)) else line for line in lines]
        for lines in (recipe.ingredients, recipe.steps)
    )
    return replace(recipe, ingredients=ingredients, steps=steps)


def _plain(recipe: Described) -> Described | None:
    """The recipe with its texts as they are, if it is one that ``export`` wrote."""
    said = recipe.properties
    if said.get("encodingformat") != PLAIN:
        return None
    name, ingredients = said.get("name"), said.get("recipeingredient", [])
    steps = texts_in(said.get("recipeinstructions", []), "text")
    if not isinstance(name, str) or steps is None or texts_in(ingredients) is None:
        return None
    return replace(recipe, name=name, ingredients=ingredients, steps=steps)


def found(recipe: Described, origin: str, places: list[Place]) -> Found:
    """The recipe as readers give it; of its pictures those that lie here are tried first."""
    said = recipe.properties
    return Found(
        recipe.name,
        recipe.ingredients,
        "\n".join(recipe.steps),
        origin,
        sorted(dict.fromkeys(places), key=lambda place: not isinstance(place, Path)),
        **details(
            keywords=[
                said.get("keywords"),
                said.get("recipecategory"),
                said.get("recipecuisine"),
            ],
            servings=said.get("recipeyield") or said.get("yield"),
            prep_minutes=said.get("preptime"),
            cook_minutes=said.get("cooktime"),
            total_minutes=said.get("totaltime"),
            author=said.get("author") or said.get("credittext"),
            source=[said.get(name) for name in ("url", "mainentityofpage", "@id", "isbasedon")],
        ),
    )


class _Graph:
    """All objects of a document, with those that others name by their ``@id``."""

    def __init__(self, data: Any) -> None:
        self.recipes: list[dict[str, Any]] = []
        self._by_id: dict[str, dict[str, Any]] = {}
        self._walk(data)

    def _walk(self, value: Any) -> None:
        if isinstance(value, list):
            for item in value:
                self._walk(item)
        elif isinstance(value, dict):
            node = _node(value)
            name = node.get("@id")
            if isinstance(name, str) and not _is_reference(node):
                self._by_id.setdefault(name, node)
            if _is_recipe(node) and not _is_reference(node):
                self.recipes.append(node)
            for item in value.values():
                if isinstance(item, dict | list):
                    self._walk(item)

    def known(self, value: Any) -> Any:
        """A value whose parts are only named in it, as they are described."""
        if isinstance(value, list):
            return [self.known(item) for item in value]
        return self._resolved(value, set()) if isinstance(value, dict) else value

    def name(self, node: dict[str, Any]) -> str:
        return self._words(_first(node, _NAMES))

    def ingredients(self, value: Any) -> list[str]:
        if isinstance(value, str) and embedded(value) is None:
            return ingredient_lines(value)
        return self._lines(value, True, True, set())

    def steps(self, value: Any) -> list[str]:
        lines = self._lines(value, False, True, set())
        only = value[0] if isinstance(value, list) and len(value) == 1 else value
        if isinstance(only, dict) and len(lines) > 1:
            name = self.name(_node(only))
            # A recipe that is all one section needs no name for it.
            if lines[0] == name and (only is value or name.lower() in _WHOLE):
                return lines[1:]
        return lines

    def images(self, value: Any) -> list[str]:
        """All addresses in a value: a text, an ImageObject, a reference, or a list of these."""
        return list(dict.fromkeys(self._addresses(value, set())))

    def _addresses(self, value: Any, seen: set[str]) -> Iterator[str]:
        if isinstance(value, str):
            if value.strip():
                yield value.strip()
        elif isinstance(value, list):
            for item in value:
                yield from self._addresses(item, seen)
        elif isinstance(value, dict):
            node = self._resolved(value, seen)
            if _is_numbered(node):
                yield from self._addresses(list(node.values()), seen)
                return
            named = [node[name] for name in _ADDRESSES if node.get(name)]
            # An identity is an address only where there is no other.
            yield from self._addresses(named or _identity(node), seen)

    def _resolved(self, value: dict[str, Any], seen: set[str]) -> dict[str, Any]:
        """The object, or that which it names, once: else a few could name each other forever."""
        node = _node(value)
        name = node.get("@id")
        if isinstance(name, str) and _is_reference(node) and name not in seen:
            seen.add(name)
            return self._by_id.get(name, node)
        return node

    def _words(self, value: Any) -> str:
        """A text on one line; of several the first."""
        if isinstance(value, dict):
            value = _first(_node(value), (*_TEXTS, *_NAMES))
        if isinstance(value, list):
            return next(filter(None, map(self._words, value)), "")
        return one_line(_text(value))

    def _lines(self, value: Any, ingredients: bool, alone: bool, seen: set[str]) -> list[str]:
        """The lines in a value of any shape; ``alone`` is as for ``text_lines``."""
        if isinstance(value, dict):
            return self._lines_of_node(self._resolved(value, seen), ingredients, alone, seen)
        if isinstance(value, list):
            alone = alone and len(value) == 1
            return [line for item in value for line in self._lines(item, ingredients, alone, seen)]
        text = _text(value)
        if isinstance(value, str) and (data := embedded(text)) is not None:
            return self._lines(data, ingredients, alone, seen)
        return text_lines(text, alone)

    def _lines_of_node(
        self, node: dict[str, Any], ingredients: bool, alone: bool, seen: set[str]
    ) -> list[str]:
        if _is_numbered(node):
            return self._lines(list(node.values()), ingredients, alone, seen)
        name = self.name(node)
        if ingredients and (amount := _amount(node, name)):
            return [amount]
        parts = [
            line
            for key in _PARTS
            if node.get(key) and not _is_address(node[key])
            for line in self._lines(node[key], ingredients, alone, seen)
        ]
        grouped = bool(parts)
        texts = self._lines(_first(node, _TEXTS), ingredients, alone, seen)
        if letters(parts) in letters(texts) or letters(texts) in letters(parts):
            parts, texts = max(parts, texts, key=lambda lines: len(letters(lines))), []
        lines = texts + parts
        if not name or (lines and (is_label(name) or (ingredients and not grouped))):
            return lines
        beginning = name.rstrip(".… ")
        # Some sites give each step its own beginning as a name.
        return lines if lines and lines[0].startswith(beginning) else [name, *lines]


def _node(value: dict[str, Any]) -> dict[str, Any]:
    """An object by names that are compared: in lower case, without a vocabulary in front."""
    given = value.get("properties")
    if isinstance(given, dict):  # microdata
        value = {**given, "@type": value.get("type"), "@id": value.get("id")}
    node: dict[str, Any] = {}
    for name, content in value.items():
        name = name if name.startswith("@") else name.rsplit("/", 1)[-1].rsplit(":", 1)[-1].lower()
        if not node.get(name):
            node[name] = content
    if "@type" not in node and "type" in node:
        node["@type"] = node["type"]
    return node


def _is_recipe(node: dict[str, Any]) -> bool:
    kinds = node.get("@type")
    kinds = kinds if isinstance(kinds, list) else [kinds]
    words = {
        word for kind in kinds if isinstance(kind, str) for word in _WORD.findall(kind.lower())
    }
    if not node.keys() & {"name", "headline"}:
        return "recipe" in words
    untyped = not words and "recipeinstructions" in node
    return "recipe" in words or "recipeingredient" in node or untyped


def _identity(node: dict[str, Any]) -> str:
    """An object's identity if it may be an address, and not a place in the page."""
    identity = node.get("@id")
    return identity if isinstance(identity, str) and "#" not in identity else ""


def _is_reference(value: dict[str, Any]) -> bool:
    """Whether an object only names one that is described elsewhere."""
    return "@id" in value and not value.keys() - {"@id", "@type"}


def _is_numbered(node: dict[str, Any]) -> bool:
    """Whether an object is a list of which PHP has lost a row."""
    return bool(node) and all(name.isdecimal() for name in node)


def _first(node: dict[str, Any], names: Iterable[str]) -> Any:
    """What is under the first of the names under which there is something."""
    return next((node[name] for name in names if node.get(name)), None)


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        return ""
    return f"{value:g}" if isinstance(value, float) else str(value)


def _is_address(value: Any) -> bool:
    return isinstance(value, str) and value.lower().startswith(("https://", "http://"))


def _amount(node: dict[str, Any], name: str) -> str:
    """An ingredient that is taken apart into a quantity, a unit and a name; empty if it is not."""
    quantity = _first(node, ("value", "amount", "quantity", "requiredquantity"))
    unit = _first(node, ("unittext", "unit", "unitcode"))
    if isinstance(quantity, dict):
        inner = _node(quantity)
        quantity = _first(inner, ("value", "name"))
        unit = unit or _first(inner, ("unittext", "unitcode"))
    name = name or one_line(_text(_first(node, ("ingredient", "food", "item"))))
    words = [one_line(_text(part)) for part in (quantity, unit)]
    return " ".join(filter(None, (*words, name))) if name and any(words) else ""
