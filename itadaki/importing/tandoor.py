"""Tandoor: the recipe.json of its own export format, with the photo beside."""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from itadaki.importing.found import Found, Photos, Unusable, amount, details
from itadaki.importing.markdown_lines import plain_lines

_REFERENCE = re.compile(r"\{\{\s*ingredients\[(\d{1,4})\](?:\.(\w{1,20}))?\s*\}\}")
_SCALED = re.compile(
    r"\{%\s*scalable_number\s+([\d.,/]{1,20})[^{}%]*%\}|\{\{\s*scale\(([\d.]{1,20})\)\s*\}\}"
)


def is_ours(data: Any) -> bool:
    """Whether a JSON document is Tandoor's."""
    steps = data.get("steps") if isinstance(data, dict) else None
    return isinstance(steps, list) and all(
        isinstance(step, dict) and {"instruction", "ingredients"} <= step.keys() for step in steps
    )


def read(
    data: dict[str, Any], path: Path, origin: str, photos: Photos
) -> Iterator[Found | Unusable]:
    """Read a recipe; its ingredients are those of its steps, one after the other."""
    ingredients, texts = [], []
    for step in sorted(data["steps"], key=_order):
        items = sorted(step["ingredients"], key=_order)
        ingredients += [line for item in items if (line := _line(item))]
        texts += [str(step["name"])] if step.get("name") else []
        texts += plain_lines(_filled(str(step["instruction"] or ""), items))
    yield Found(
        str(data.get("name") or ""),
        ingredients,
        "\n".join(texts),
        origin,
        photos.beside(path, "image"),
        **details(
            keywords=data.get("keywords"),
            servings=data.get("servings_text") or data.get("servings"),
            prep_minutes=data.get("working_time"),
            cook_minutes=data.get("waiting_time"),
            source=data.get("source_url"),
        ),
    )


def _line(item: Mapping[str, Any]) -> str:
    if item.get("is_header"):
        return str(item.get("note") or "").strip()
    return amount(_quantity(item), _name(item, "unit"), _name(item, "food"), item.get("note"))


def _filled(text: str, items: Sequence[Mapping[str, Any]]) -> str:
    """A step's text with the ingredients that it refers to by their numbers."""
    foods = [item for item in items if not item.get("is_header")]

    def filled(found: "re.Match[str]") -> str:
        number = int(found[1])
        counted = items if number < len(items) and not items[number].get("is_header") else foods
        if number >= len(counted):
            return ""
        item = counted[number]
        values = {
            "amount": amount(_quantity(item)),
            "unit": _name(item, "unit"),
            "food": _name(item, "food"),
            "note": str(item.get("note") or ""),
        }
        return values.get(found[2] or "", amount(_quantity(item), values["unit"], values["food"]))

    return _SCALED.sub(lambda found: found[1] or found[2], _REFERENCE.sub(filled, text))


def _quantity(item: Mapping[str, Any]) -> Any:
    return None if item.get("no_amount") else item.get("amount")


def _name(item: Mapping[str, Any], what: str) -> str:
    return str((item.get(what) or {}).get("name") or "")


def _order(item: Mapping[str, Any]) -> int:
    return item.get("order") or 0
