"""Recipes as text in the formats of Meal-Master, which many programs of the 1990s wrote and
Krecipes writes; photos lie beside, as the formats have none."""

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from itadaki.importing import text
from itadaki.importing.found import Found, Photos, Unusable, details
from itadaki.importing.markdown import beside

_BEGINS = re.compile(r"(?i)(?:M{5}|-{5}).*meal-?master")
_ENDS = re.compile(r"(?:M{5}|-{5})-*\s*")
_GROUP = re.compile(r"(?:M{5}|-{5})-*\s*([^-\s].*?)\s*-*\s*")
_FACT = re.compile(r"(?i)\s*(title|categories|yield|servings):\s*(.*)")
_AMOUNT = re.compile(r"[ \d./,½¼¾⅓⅔-]{0,7}")
_GOES_ON = re.compile(r" {9,12}-(\S.*)")
_COLUMNS = (40, 41, 39)
"""Where the second ingredient of a line may begin."""
_NONE = (
    "not a kind of file that recipes are read from; save it as Markdown (.md) with the headings "
    "Ingredients and Method, or export it from its program in another form"
)


def read(path: Path, origin: str, photos: Photos) -> Iterator[Found | Unusable]:
    """Read all recipes of a file; a text that begins otherwise is listed."""
    lines = text.decode(path.read_bytes()).splitlines()
    starts = [at for at, line in enumerate(lines) if _BEGINS.match(line)]
    if not starts:
        yield Unusable(origin, _NONE)
    for number, (start, end) in enumerate(pairwise([*starts, len(lines)]), 1):
        alone = len(starts) == 1
        name = origin if alone else f"{origin}, recipe {number}"
        yield _recipe(lines[start + 1 : end], path, name, photos, alone)


def _recipe(lines: list[str], path: Path, origin: str, photos: Photos, alone: bool) -> Found:
    facts: dict[str, str] = {}
    left: list[str] = []
    right: list[str] = []
    steps: list[str] = []
    for line in lines:
        fact = _FACT.fullmatch(line) if not (left or steps) else None
        if fact:
            facts.setdefault(fact[1].lower(), fact[2].strip())
        elif _ENDS.fullmatch(line):
            break
        elif group := _GROUP.fullmatch(line):
            left, right = [*left, *right], []  # the left column comes first
            (steps or left).append(group[1])
        elif not steps and _is_ingredient(line):
            cut = next((at for at in _COLUMNS if _is_second(line[at:])), len(line))
            _take(left, line[:cut])
            if line[cut:]:
                _take(right, line[cut:])
        elif line.strip():
            steps.append(line.strip())
        elif steps and steps[-1]:
            steps.append("")
    title = facts.get("title", "")
    pictures = photos.beside(path, title) + (beside(path, photos) if alone else [])
    return Found(
        title,
        [*left, *right],
        "\n".join(_paragraphs(steps)),
        origin,
        list(dict.fromkeys(pictures)),
        **details(
            keywords=facts.get("categories"),
            servings=facts.get("yield") or facts.get("servings"),
        ),
    )


def _is_ingredient(line: str, with_amount: bool = False) -> bool:
    """Whether it has an amount in the first seven places, two letters of a unit in the ninth and
    tenth, and blanks between; or goes on with the one before."""
    amount, unit = line[:7], line[8:10]
    if not _AMOUNT.fullmatch(amount) or line[7:8] != " " or line[10:11] not in (" ", "-"):
        return False
    counted = any(c.isdigit() for c in amount)
    return bool(line[10:].strip()) and (counted or not (with_amount or unit.strip()))


def _is_second(rest: str) -> bool:
    """Whether the rest of a line is an ingredient of the second column, or goes on with one."""
    return _is_ingredient(rest, with_amount=True) or _GOES_ON.match(rest) is not None


def _take(lines: list[str], line: str) -> None:
    goes_on = _GOES_ON.match(line)
    if goes_on and lines:
        lines[-1] += f" {goes_on[1].strip()}"
    else:
        lines.append(" ".join(line.split()))


def _paragraphs(lines: list[str]) -> list[str]:
    """The directions: lines were wrapped, and a blank one ends a paragraph."""
    paragraphs = [""]
    for line in lines:
        if line:
            paragraphs[-1] = f"{paragraphs[-1]} {line}".strip()
        else:
            paragraphs.append("")
    return [paragraph for paragraph in paragraphs if paragraph]
