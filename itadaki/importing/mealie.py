"""Mealie: a backup's database.json, and single recipes as its exports and its API write them."""

import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from itadaki.importing.found import Found, Photos, Unusable, amount, details

_SUFFIXES = ("webp", "jpg", "jpeg", "png")


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
    steps = _list(data, "instructions") or []
    yield Found(
        str(data.get("name") or ""),
        [line for item in _list(data, "ingredient") if (line := _ingredient(item))],
        "\n".join(filter(None, map(_step, steps))),
        origin,
        photos.there([*_paths(path.parent / "images"), *_paths(path.parent, _slug(data["slug"]))]),
        **_details(data, [data.get("tags"), _either(data, "recipe_category", "recipeCategory")]),
    )


def _backup(data: dict[str, Any], path: Path, origin: str, photos: Photos) -> Iterator[Found]:
    names = {
        kind: {row["id"]: row.get("name") for row in data.get(table, [])}
        for kind, table in (("food", "ingredient_foods"), ("unit", "ingredient_units"))
    }
    ingredients, steps = defaultdict(list), defaultdict(list)
    for row in sorted(data["recipes_ingredients"], key=_position):
        of_row = {kind: names[kind].get(row.get(f"{kind}_id")) for kind in names}
        if line := _ingredient({**row, **of_row}):
            ingredients[row.get("recipe_id")].append(line)
    for row in sorted(data["recipe_instructions"], key=_position):
        if text := _step(row):
            steps[row.get("recipe_id")].append(text)
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
            photos.there(_paths(folder)),
            **_details(recipe, keywords[recipe.get("id")]),
        )


def _details(data: Mapping[str, Any], keywords: object) -> dict[str, Any]:
    return details(
        keywords=keywords,
        servings=_either(data, "recipe_yield", "recipeYield")
        or amount(_either(data, "recipe_servings", "recipeServings")),
        prep_minutes=_either(data, "prep_time", "prepTime"),
        cook_minutes=_either(data, "perform_time", "performTime", "cook_time", "cookTime"),
        total_minutes=_either(data, "total_time", "totalTime"),
        source=_either(data, "org_url", "orgURL"),
    )


def _either(data: Mapping[str, Any], *names: str) -> Any:
    """What is under the name that exports have, or the API's."""
    return next((data[name] for name in names if data.get(name)), None)


def _list(data: Mapping[str, Any], name: str) -> Any:
    """A list by the key that exports give it, or the API's."""
    return data.get(f"recipe_{name}", data.get(f"recipe{name.capitalize()}"))


def _ingredient(item: Any) -> str:
    if isinstance(item, str):
        return item
    food, unit = _name(item.get("food")), _name(item.get("unit"))
    note = item.get("note")
    if food:
        return amount(item.get("quantity"), unit, food, note)
    # An ingredient that was never taken apart has its text in the note, and a quantity of 1.
    return str(note or item.get("original_text") or item.get("originalText") or "")


def _name(value: Any) -> str | None:
    return value.get("name") if isinstance(value, dict) else value


def _step(item: Any) -> str:
    if isinstance(item, str):
        return item
    return "\n".join(str(item[key]) for key in ("title", "text") if item.get(key))


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


def _paths(folder: Path, names: Iterable[str] = ()) -> list[Path]:
    return [folder / f"{stem}.{end}" for stem in ("original", *names) for end in _SUFFIXES]
