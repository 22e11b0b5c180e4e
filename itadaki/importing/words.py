"""What the parts of a recipe are called, in the languages of ``words.yaml``."""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

_MAX_LABEL = 60
"""Characters: a longer line is no heading."""
_Labels = dict[str, str]


def part_of(heading: str) -> str | None:
    """The part of a recipe that a heading names: ingredients, instructions or rest.

    A heading may say more than a label does: "Ingredients for 4", "Für den Teig: Zutaten".
    """
    return _part(heading[: 4 * _MAX_LABEL], _holds)


def part_named(line: str) -> str | None:
    """The part that a line names which is no heading, but a bold one, or one before a colon.

    It must begin with the label: "Ingredients (serves 4)".
    """
    return _part(line, _begins) if len(line) <= _MAX_LABEL else None


def is_label(line: str) -> bool:
    """Whether a line is a part's name and nothing else."""
    return len(line) <= _MAX_LABEL and plain(line).strip(" 0123456789") in _labels("headings")


def column_of(header: str) -> str | None:
    """Whether a column of a table of ingredients has the amounts or the units."""
    return _labels("columns").get(plain(header))


def fields(given: Iterable[Any]) -> dict[str, Any]:
    """Which of the given names says what of a recipe.

    Args:
        given: keys of a document, or a table's header.

    Returns:
        A given name for each field that is named: of those that name the same, the one that
        stands first in ``words.yaml``.
    """
    by_plain: dict[str, Any] = {}
    for name in given:
        by_plain.setdefault(_joined(str(name)[: 2 * _MAX_LABEL]), name)
    named: dict[str, Any] = {}
    for label, field in _keys().items():
        if label in by_plain:
            named.setdefault(field, by_plain[label])
    return named


def all_of(field: str, given: Iterable[Any]) -> list[Any]:
    """The given names that all say the same of a recipe, in the order of ``words.yaml``."""
    by_plain = {_joined(str(name)[: 2 * _MAX_LABEL]): name for name in given}
    return [by_plain[label] for label, one in _keys().items() if one == field and label in by_plain]


def is_step(line: str) -> bool:
    """Whether a line only numbers a step: "Step 1", "步骤一"."""
    if len(line) > _MAX_LABEL:
        return False
    words = plain(line)
    label = next((label for label in _steps() if words.startswith(label)), None)
    rest = words.removeprefix(label or "").strip(" 一二三四五六七八九十步")
    return label is not None and (not rest or rest.isdigit())


def plain(text: str) -> str:
    """A text in small letters, without accents, and of what is no letter or digit only blanks."""
    apart = unicodedata.normalize("NFKD", text.casefold().replace("’", "").replace("'", ""))
    letters = (c if c.isalnum() else " " for c in apart if not unicodedata.combining(c))
    return " ".join("".join(letters).split())


def _part(heading: str, fits: Any) -> str | None:
    words = plain(heading)
    found = [label for label in _labels("headings") if fits(words, label)]
    # The longest label counts, and of equally long ones the one that comes first.
    found.sort(key=lambda label: (-len(label), words.find(label)))
    return _labels("headings")[found[0]] if found else None


def _holds(words: str, label: str) -> bool:
    return label in words if _without_blanks(label) else f" {label} " in f" {words} "


def _begins(words: str, label: str) -> bool:
    return (
        words.startswith(label) if _without_blanks(label) else f"{words} ".startswith(f"{label} ")
    )


def _without_blanks(label: str) -> bool:
    """Whether a label is of a language that writes words together."""
    return re.match("[\u3040-\u30ff\u3400-\u9fff]", label) is not None


def _joined(name: str) -> str:
    return plain(name).replace(" ", "")


@cache
def _data() -> Mapping[str, Any]:
    import yaml

    data: Mapping[str, Any] = yaml.safe_load(
        Path(__file__).with_name("words.yaml").read_text(encoding="utf-8")
    )
    return data


@cache
def _labels(section: str) -> _Labels:
    labels: _Labels = {}
    for part, languages in _data()[section].items():
        for phrases in languages.values():
            for phrase in phrases:
                labels.setdefault(plain(phrase), part)
    return labels


@cache
def _steps() -> list[str]:
    return [plain(word) for word in _data()["step"]]


@cache
def _keys() -> _Labels:
    return {
        _joined(name): field
        for field, languages in _data()["keys"].items()
        for names in languages.values()
        for name in names
    }
