"""Recipes told by names and values: front matter, lists in JSON, tables."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from itadaki.importing import words
from itadaki.importing.found import Found, Photos, amount, details, lines
from itadaki.importing.markdown_lines import picture_of

_MAX_DEPTH = 20
_SCHEMA_ORG = {"@type", "@graph", "recipeIngredient", "recipeInstructions"}
_NAMES = ("name", "ingredient", "food", "item", "product", "what", "title", "text", "display")
_AMOUNTS = ("quantity", "amount", "qty", "measure", "value")
_NOTES = ("note", "notes", "comment", "preparation", "prep", "state")
_TEXTS = ("text", "instruction", "step", "description", "direction", "content", "body", "name")
_HEADINGS = ("title", "name", "group", "section", "heading", "header", "for", "component", "part")
_GROUPS = ("ingredients", "items", "list", "steps", "instructions", "directions", "children")
_PICTURES = ("url", "src", "path", "file", "filename", "image", "teaser", "feature", "thumb")


def recipe_of(given: Mapping[Any, Any]) -> dict[str, Any]:
    """What of a mapping tells a recipe, by our names; ``photo`` is a list of references.

    What lies under "recipe" is part of it.
    """
    inside = [value for key, value in given.items() if str(key).lower() == "recipe"]
    if inside and isinstance(inside[0], dict):
        given = {**{k: v for k, v in given.items() if v is not inside[0]}, **inside[0]}
    found = {name: given[key] for name, key in words.fields(given).items()}
    found["photo"] = [
        reference for key in words.all_of("photo", given) for reference in references(given[key])
    ]
    for name in ("keywords", "source"):
        found[name] = [given[key] for key in words.all_of(name, given)]
    if isinstance(found.get("title"), dict | list):
        del found["title"]
    found["ingredients"] = ingredients(found.get("ingredients"))
    found["instructions"] = steps(found.get("instructions"))
    return found


def found_of(given: Mapping[Any, Any], path: Path, origin: str, photos: Photos) -> Found:
    """The recipe that a mapping tells."""
    recipe = recipe_of(given)
    return Found(
        str(recipe.get("title") or ""),
        recipe["ingredients"],
        "\n".join(recipe["instructions"]),
        origin,
        [place for reference in recipe["photo"] for place in photos.find(reference, path)],
        **details(**recipe),
    )


def tells_a_recipe(given: object) -> bool:
    """Whether a mapping has a title, and what a recipe is made of or how, by other names than
    those of schema.org."""
    if not isinstance(given, dict) or not _SCHEMA_ORG.isdisjoint(given):
        return False
    named = words.fields(given)
    return "title" in named and not {"ingredients", "instructions"}.isdisjoint(named)


def references(value: object, depth: int = 0) -> Iterator[str]:
    """The pictures that a value names: a text, an object with an address, or a list of these."""
    if depth > _MAX_DEPTH:
        return
    if isinstance(value, str) and value.strip():
        yield picture_of(value)
    elif isinstance(value, list):
        for item in value:
            yield from references(item, depth + 1)
    elif isinstance(value, dict):
        for key in _PICTURES:
            yield from references(value.get(key), depth + 1)


def ingredients(value: object, depth: int = 0) -> list[str]:
    """The lines of a list of ingredients, in all the forms that people give it.

    >>> ingredients([{"name": "peas", "quantity": "300 g"}, {"onion": 1}, "salt"])
    ['300 g peas', '1 onion', 'salt']
    >>> ingredients({"For the dough": ["flour", "eggs"]})
    ['For the dough', 'flour', 'eggs']
    """
    if depth > _MAX_DEPTH:
        return []
    if isinstance(value, list):
        return [line for item in value for line in _ingredient(item, depth)]
    if isinstance(value, dict):
        return _group(value, depth) or [
            line for name, given in value.items() for line in _named(str(name), given, depth)
        ]
    return [_unmarked(line) for line in lines(value)]


def _ingredient(item: object, depth: int) -> list[str]:
    if isinstance(item, dict):
        by_name = {str(key).lower(): value for key, value in item.items()}
        if group := _group(by_name, depth):
            return group
        name = _text(by_name, _NAMES)
        if name or len(item) != 1:
            quantity, unit = _text(by_name, _AMOUNTS), _text(by_name, ("unit", "units"))
            return [amount(quantity, unit, name, _text(by_name, _NOTES))]
        return [line for key, given in item.items() for line in _named(str(key), given, depth)]
    if isinstance(item, list):
        return ingredients(item, depth + 1)
    return [_unmarked(str(item))] if item is not None else []


def _named(name: str, given: object, depth: int) -> list[str]:
    """An ingredient with its amount, or a group of them with its name."""
    if isinstance(given, list) or (isinstance(given, dict) and _is_group(given)):
        return [name, *ingredients(given, depth + 1)]
    if isinstance(given, dict):
        return _ingredient({"name": name, **given}, depth + 1)
    return [amount(given if isinstance(given, str | int | float) else "", name)]


def _is_group(given: Mapping[Any, Any]) -> bool:
    return not any(str(key).lower() in (*_AMOUNTS, "unit", *_NOTES) for key in given)


def _group(value: Mapping[Any, Any], depth: int) -> list[str]:
    inside = next((value[key] for key in _GROUPS if isinstance(value.get(key), list | dict)), None)
    if inside is None:
        return []
    heading = _text(value, _HEADINGS)
    return [*([heading] if heading else []), *ingredients(inside, depth + 1)]


def steps(value: object, depth: int = 0) -> list[str]:
    """The lines of instructions, in all the forms that people give them."""
    if depth > _MAX_DEPTH or value is None:
        return []
    if isinstance(value, list):
        return [line for item in value for line in steps(item, depth + 1)]
    if isinstance(value, dict):
        by_name = {str(key).lower(): item for key, item in value.items()}
        inside = next((by_name[key] for key in _GROUPS if by_name.get(key)), None)
        if inside is not None:
            heading = _text(by_name, _HEADINGS)
            return [*([heading] if heading else []), *steps(inside, depth + 1)]
        if text := _text(by_name, _TEXTS):
            title = _text(by_name, ("title",))
            return [title, text] if title and not words.is_step(title) else [text]
        return [line for key, item in value.items() for line in (str(key), *steps(item, depth + 1))]
    return [line.strip() for line in str(value).splitlines() if line.strip()]


def _text(value: Mapping[Any, Any], names: tuple[str, ...]) -> str:
    for name in names:
        given = value.get(name)
        if isinstance(given, dict):
            given = given.get("name")
        if given is not None and not isinstance(given, list | dict | bool) and str(given).strip():
            return str(given).strip()
    return ""


def _unmarked(line: str) -> str:
    """A line without the mark of a list and Obsidian's brackets."""
    return re.sub(r"\[\[(?:[^\[\]|]*\|)?([^\[\]|]*)\]\]", r"\1", re.sub(r"^\s*[-*•]\s+", "", line))
