"""Tandoor: the recipe.json of its own export format, with the photo beside."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from itadaki.importing.found import Found, Photos, Unusable, amount, details


def is_ours(data: Any) -> bool:
    """Whether a JSON document is Tandoor's."""
    steps = data.get("steps") if isinstance(data, dict) else None
    return isinstance(steps, list) and all(
        isinstance(step, dict) and {"instruction", "ingredients"} <= step.keys() for step in steps
    )


def read(
    data: dict[str, Any], path: Path, origin: str, photos: Photos
) -> Iterator[Found | Unusable]:
    """Read a recipe."""
    ingredients, texts = [], []
    for step in sorted(data["steps"], key=lambda step: step.get("order") or 0):
        texts += [step.get("name"), step["instruction"]]
        for item in sorted(step["ingredients"], key=lambda item: item.get("order") or 0):
            food = (item.get("food") or {}).get("name")
            if food and not item.get("is_header"):
                unit = (item.get("unit") or {}).get("name")
                quantity = None if item.get("no_amount") else item.get("amount")
                ingredients.append(amount(quantity, unit, food, item.get("note")))
    yield Found(
        str(data.get("name") or ""),
        ingredients,
        "\n".join(str(text) for text in texts if text),
        origin,
        [p for p in photos.beside(path) if p.stem == "image" and photos.is_photo(p)],
        **details(
            keywords=data.get("keywords"),
            servings=data.get("servings_text") or data.get("servings"),
            prep_minutes=data.get("working_time"),
            cook_minutes=data.get("waiting_time"),
            source=data.get("source_url"),
        ),
    )
