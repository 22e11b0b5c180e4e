"""Pages that programs export, whose recipes are told by their own names of classes: Recipe Keeper,
Copy Me That, and the microformat hRecipe, which Paprika 2 writes."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from itadaki.importing.found import Found, Photos, details
from itadaki.importing.words import is_step

_BLOCKS = {"p", "div", "li", "ul", "ol", "tr", "h1", "h2", "h3", "h4", "h5", "h6", "br", "section"}


def _has(name: str, value: str, tag: str = "*") -> str:
    """An XPath: what below an element has a word in an attribute."""
    return f".//{tag}[contains(concat(' ', normalize-space(@{name}), ' '), ' {value} ')]"


def _class(*values: str) -> str:
    return " | ".join(_has("class", value) for value in values)


def _prop(value: str) -> str:
    return _has("itemprop", value)


@dataclass(frozen=True)
class _Layout:
    """Where a program's page has what: XPaths, of which all but the first begin at a recipe."""

    recipe: str
    title: str
    ingredients: str
    steps: str
    photos: str
    keywords: str
    servings: str
    prep: str
    cook: str
    author: str
    source: str


_RECIPE_KEEPER = _Layout(
    recipe=_has("class", "recipe-details"),
    title=_prop("name"),
    ingredients=_prop("recipeIngredients"),
    steps=_prop("recipeDirections"),
    photos=f"{_has('class', 'recipe-photo', 'img')}/@src | .//img/@src | "
    ".//meta[starts-with(@itemprop, 'photo')]/@content",
    keywords=f"{_prop('recipeCourse')} | {_prop('recipeCategory')} | {_prop('recipeCollection')}",
    servings=_prop("recipeYield"),
    prep=_prop("prepTime"),
    cook=_prop("cookTime"),
    author="",
    source=_prop("recipeSource"),
)
_COPY_ME_THAT = _Layout(
    recipe=".//div[contains(concat(' ', normalize-space(@class), ' '), ' recipe ')]"
    "[.//*[@id='name']]",
    title=".//*[@id='name']",
    ingredients=".//*[@id='recipeIngredients']/li",
    steps=".//*[@id='recipeInstructions']/li",
    photos=f"{_has('class', 'recipeImage', 'img')}/@src",
    keywords=_class("recipeCategory"),
    servings=".//*[@id='recipeYield']",
    prep="",
    cook="",
    author="",
    source=".//*[@id='original_link']/@href | .//*[@id='original_link']",
)
_HRECIPE = _Layout(
    recipe="descendant-or-self::*[contains(concat(' ', normalize-space(@class), ' '), ' hrecipe ')"
    " or contains(concat(' ', normalize-space(@class), ' '), ' h-recipe ')]",
    title=_class("fn", "p-name"),
    ingredients=_class("ingredient", "p-ingredient"),
    steps=_class("instructions", "e-instructions"),
    photos=f"{_has('class', 'photo', 'img')}/@src | {_has('class', 'u-photo', 'img')}/@src",
    keywords=_class("tag", "p-category", "category", "categories"),
    servings=_class("yield", "p-yield", "servings"),
    prep=_class("preptime", "prepTime"),
    cook=_class("cooktime", "cookTime"),
    author=_class("author", "p-author"),
    source=f"({_class('source', 'u-url')})/descendant-or-self::a/@href",
)
PROGRAMS = (_RECIPE_KEEPER, _COPY_ME_THAT)
MICROFORMATS = (_HRECIPE,)


def read(
    tree: Any, path: Path, origin: str, photos: Photos, layouts: tuple[_Layout, ...]
) -> Iterator[Found]:
    """The recipes of a page that has one of some layouts; none if it has not.

    Args:
        tree: its elements, of lxml.
        path: its file.
        origin: for people.
        photos: of its source.
        layouts: ``PROGRAMS``, or ``MICROFORMATS``, which a page may have beside schema.org's.
    """
    for layout in layouts:
        recipes = list(_outermost(tree.xpath(layout.recipe)))
        for number, recipe in enumerate(recipes, 1):
            name = origin if len(recipes) == 1 else f"{origin}, recipe {number}"
            yield _found(layout, recipe, path, name, photos)
        if recipes:
            return


def _found(layout: _Layout, recipe: Any, path: Path, origin: str, photos: Photos) -> Found:
    def texts(where: str) -> list[str]:
        found = recipe.xpath(where) if where else []
        return [line for one in _outermost(found) for line in _lines(one)]

    pictures = dict.fromkeys(str(name) for name in recipe.xpath(layout.photos))
    ingredients, steps = texts(layout.ingredients), texts(layout.steps)
    if layout is _HRECIPE:  # whose properties many confuse
        ingredients = ingredients or texts(_class("ingredients"))
        steps = steps or texts(_class("instruction", "p-instructions"))
    return Found(
        next(iter(texts(layout.title)), ""),
        ingredients,
        "\n".join(line for line in steps if not is_step(line)),
        origin,
        [place for name in pictures for place in photos.find(name, path)],
        **details(
            keywords=[text for text in texts(layout.keywords) if not text.endswith(":")],
            servings=texts(layout.servings),
            prep_minutes=next(iter(texts(layout.prep)), None),
            cook_minutes=next(iter(texts(layout.cook)), None),
            author=texts(layout.author),
            source=texts(layout.source),
        ),
    )


def _outermost(found: Iterable[Any]) -> Iterator[Any]:
    """Of elements in the page's order, and attributes, those that lie in none before them."""
    inside: set[Any] = set()
    for one in found:
        if isinstance(one, str):
            yield one
        elif one not in inside:
            yield one
            inside.update(one.iterdescendants())


def _lines(element: Any) -> list[str]:
    """The lines of an element as a browser would show them."""
    if isinstance(element, str):
        return [element.strip()]
    if element.tag == "meta":
        return [element.get("content", "").strip()]
    parts: list[str] = []
    for event, node in _walk(element):
        block = node.tag in _BLOCKS
        if event == "start":
            parts += ["\n"] if block else []
            parts.append(" ".join(f"x{node.text or ''}x".split())[1:-1])
        else:
            parts += ["\n"] if block else []
            if node is not element:
                parts.append(" ".join(f"x{node.tail or ''}x".split())[1:-1])
    return [line for line in (line.strip() for line in "".join(parts).split("\n")) if line]


def _walk(element: Any) -> Iterator[tuple[str, Any]]:
    from lxml.etree import iterwalk

    for event, node in iterwalk(element, events=("start", "end")):
        if isinstance(node.tag, str):
            yield event, node
