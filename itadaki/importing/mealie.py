"""Mealie: a backup's database.json, and single recipes as its exports and its API write them."""

import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from itadaki.importing.found import PLAIN, Found, Photos, Unusable, amount, details, texts_in
from itadaki.importing.markdown_lines import plain_lines
from itadaki.importing.words import is_step

_SUFFIXES = ("webp", "jpg", "jpeg", "png", "gif", "avif", "heic")


def is_ours(data: Any) -> bool:
    """Whether a JSON document is Mealie's."""
    if not isinstance(data, dict) or "@type" in data:
        return False
    return _is_backup(data) or ("slug" in data and isinstance(_list(data, "ingredient"), list))


def _is_backup(data: dict[str, Any]) -> bool:
    return {"recipes", "recipes_ingredients", "recipe_instructions"} <= data.keys()


def read(
    data: dict[str, Any], path: Path, origin: str, photos: Photos
) -> Iterator[Found | Unusable]:
    """Read a backup or a recipe."""
    if _is_backup(data):
        yield from _backup(data, path, origin, photos)
        return
    items, steps = _list(data, "ingredient"), _list(data, "instructions") or []
    hides = _hides_amounts(data.get("settings") or {})
    ingredients, lines = texts_in(items, "note"), texts_in(steps, "text")
    ours = data.get("encodingFormat") == PLAIN
    literal = ours and None not in (ingredients, lines)
    if not literal:  # Mealie's texts are Markdown
        ingredients = [line for item in items for line in _ingredient(item, hides)]
        lines = [line for step in steps for line in _step(step)]
    yield Found(
        str(data.get("name") or ""),
        ingredients or [],
        "\n".join(lines or []),
        origin,
        photos.there(
            [*_paths(path.parent / "images", ours), *_paths(path.parent, ours, _slug(data["slug"]))]
        ),
        literal=literal,
        **_details(data, [data.get("tags"), _value(data, "recipe_category")]),
    )


def _backup(data: dict[str, Any], path: Path, origin: str, photos: Photos) -> Iterator[Found]:
    rows = {
        kind: {row["id"]: row for row in data.get(table, [])}
        for kind, table in (("food", "ingredient_foods"), ("unit", "ingredient_units"))
    }
    hiding = {
        row.get("recipe_id") for row in data.get("recipe_settings", []) if _hides_amounts(row)
    }
    ingredients: dict[Any, list[str]] = defaultdict(list)
    steps: dict[Any, list[str]] = defaultdict(list)
    for row in sorted(data["recipes_ingredients"], key=_position):
        of_row = {kind: rows[kind].get(row.get(f"{kind}_id")) for kind in rows}
        recipe_id = row.get("recipe_id")
        ingredients[recipe_id] += _ingredient({**row, **of_row}, recipe_id in hiding)
    for row in sorted(data["recipe_instructions"], key=_position):
        steps[row.get("recipe_id")] += _step(row)
    keywords: dict[Any, list[object]] = defaultdict(list)
    for kind, table in (("tag", "tags"), ("category", "categories")):
        named = {row.get("id"): row.get("name") for row in data.get(table) or []}
        for row in data.get(f"recipes_to_{table}") or []:
            keywords[row.get("recipe_id")].append(named.get(row.get(f"{kind}_id")))
    for recipe in data["recipes"]:
        name = str(recipe.get("name") or "")
        folder = path.parent / "data" / "recipes" / _uuid(recipe.get("id")) / "images"
        yield Found(
            name,
            ingredients[recipe.get("id")],
            "\n".join(steps[recipe.get("id")]),
            f"{origin}, {name or 'a recipe without a name'}",
            photos.there(_paths(folder, False)),
            **_details(recipe, keywords[recipe.get("id")]),
        )


def _details(data: Mapping[str, Any], keywords: object) -> dict[str, Any]:
    return details(
        keywords=keywords,
        servings=_value(data, "recipe_yield") or amount(_value(data, "recipe_servings")),
        prep_minutes=_value(data, "prep_time"),
        cook_minutes=_value(data, "perform_time") or _value(data, "cook_time"),
        total_minutes=_value(data, "total_time"),
        source=data.get("org_url") or data.get("orgURL"),
    )


def _list(data: Mapping[str, Any], name: str) -> Any:
    """A list by the key that exports give it, or the API's."""
    return data.get(f"recipe_{name}", data.get(f"recipe{name.capitalize()}"))


def _ingredient(item: Any, hides_amount: bool) -> list[str]:
    """An ingredient's line, after the name of the section that begins with it."""
    if isinstance(item, str):
        return [item]
    section = str(item.get("title") or "").strip()
    line = str(item.get("display") or "") or _line(item, hides_amount or _hides_amounts(item))
    return [text for text in (section, *plain_lines(line)) if text]


def _line(item: Mapping[str, Any], hides_amount: bool) -> str:
    quantity, note = item.get("quantity"), item.get("note")
    several = isinstance(quantity, int | float) and quantity > 1
    unit = _name(item.get("unit"), several)
    food = _name(item.get("food"), several and not unit) or _name(_value(item, "referenced_recipe"))
    if food:
        return amount(quantity, unit, food, note)
    if not note:
        return str(_value(item, "original_text") or "")
    # An ingredient that was never taken apart has its text in the note, and a quantity of 1.
    if hides_amount or (not unit and quantity == 1):
        return str(note)
    return amount(quantity, unit, note)


def _hides_amounts(data: Mapping[str, Any]) -> bool:
    return _value(data, "disable_amount") is True


def _value(data: Mapping[str, Any], name: str) -> Any:
    """A value by the key that exports give it, or the API's."""
    first, *others = name.split("_")
    return data.get(name, data.get(first + "".join(map(str.capitalize, others))))


def _name(value: Any, several: bool = False) -> str | None:
    if not isinstance(value, dict):
        return None if value is None else str(value)
    plural = _value(value, "plural_name") if several else None
    return plural or value.get("name")


def _step(item: Any) -> list[str]:
    if isinstance(item, str):
        return plain_lines(item)
    texts = [str(item[key]) for key in ("title", "summary", "text") if item.get(key)]
    return [line for text in texts if not is_step(text) for line in plain_lines(text)]


def _position(row: Mapping[str, Any]) -> int:
    return row.get("position") or 0


def _uuid(value: Any) -> str:
    """SQLite backups write ids without dashes, folders have them."""
    try:
        return str(uuid.UUID(str(value)))
    except ValueError:
        return "none"


def _slug(value: Any) -> list[str]:
    return [value] if isinstance(value, str) and value else []


def _paths(folder: Path, ours: bool, names: Iterable[str] = ()) -> list[Path]:
    """Where a photo may be: Mealie makes a WebP of each and may forget another file, while
    ``export`` puts the WebP that Mealie shows beside the file that was there."""
    ends = reversed(_SUFFIXES) if ours else _SUFFIXES
    return [folder / f"{stem}.{end}" for stem in ("original", *names) for end in ends]
