"""Cooklang: steps in whose text the ingredients are marked.

The parsers on PyPI do not serve: cooklang-py takes the square of a line's length and asks for one
release of PyYAML, cooklang-bindings has no wheel for Windows.
"""

import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from itadaki.importing import front_matter, plain, text
from itadaki.importing.found import Found, Photos, Unusable, details
from itadaki.importing.markdown import beside
from itadaki.importing.markdown_lines import without

_FACT = re.compile(r">>\s*([^:\n]{1,60}):(.*)")
_SECTION = re.compile(r"=+\s*([^=\n]*?)\s*=*\s*")
_MARKED = re.compile(
    r"(?<!\w)([@#~])([&?+@-]{0,3})"
    r"(?:([^@#~{}\n]*)\{([^{}\n]*)\}(?:\(([^()\n]*)\))?|([^\W_][\w'’-]*))"
)


def read(path: Path, origin: str, photos: Photos) -> Iterator[Found | Unusable]:
    """Read a recipe."""
    facts, body = front_matter.split(text.decode(path.read_bytes()).replace("\r\n", "\n"))
    told = _Told()
    paragraph: list[str] = []
    for line in [*without(body, "[-", "-]").split("\n"), ""]:
        line = line.split("-- ")[0].removesuffix("--").strip()
        fact = _FACT.fullmatch(line)
        heading = _SECTION.fullmatch(line) if line.startswith("=") else None
        if line and not (fact or heading):
            paragraph.append(line.removeprefix("> "))
            continue
        if paragraph:
            told.step(*_step(" ".join(paragraph)))
            paragraph = []
        if fact:
            facts[fact[1].strip()] = fact[2].strip()
        elif heading:
            told.sections = [heading[1], heading[1]]
    yield _found(facts, told, path, origin, photos)


class _Told:
    """What was read.

    Attributes:
        sections: the name of the section, for the ingredients and for the steps, until it is
            written there.
    """

    def __init__(self) -> None:
        self.ingredients: list[str] = []
        self.steps: list[str] = []
        self.sections = ["", ""]

    def step(self, text: str, ingredients: list[str]) -> None:
        """Note a step with the ingredients that it names."""
        for number, (lines, new) in enumerate(
            ((self.ingredients, ingredients), (self.steps, [text]))
        ):
            if new:
                lines += [*filter(None, [self.sections[number]]), *new]
                self.sections[number] = ""


def _found(facts: dict[str, Any], told: "_Told", path: Path, origin: str, photos: Photos) -> Found:
    given = plain.recipe_of({name.removeprefix("recipe."): fact for name, fact in facts.items()})
    places = [place for name in given["photo"] for place in photos.find(name, path)]
    return Found(
        str(given.get("title") or unicodedata.normalize("NFC", path.stem)),
        told.ingredients,
        "\n".join(told.steps),
        origin,
        [*places, *beside(path, photos)],
        **details(**given),
    )


def _step(written: str) -> tuple[str, list[str]]:
    """A step's text without marks, and the lines of the ingredients that it names."""
    ingredients: list[str] = []

    def plainly(found: "re.Match[str]") -> str:
        kind, modifiers, long_name, braces, note, word = found.groups()
        name = (long_name if word is None else word).strip()
        quantity, _, unit = (part.strip(" =") for part in (braces or "").partition("%"))
        measure = " ".join(filter(None, (quantity, unit)))
        if kind == "~":
            return " ".join(filter(None, (name, measure)))
        full, _, alias = name.rpartition("|")
        full = (full or name).replace("\\", "/").rsplit("/", 1)[-1]
        if kind == "@" and "&" not in modifiers and full:
            ingredients.append(" ".join([*([measure] if measure else []), full]))
            ingredients[-1] += f" ({note.strip()})" if note else ""
        return alias.rsplit("/", 1)[-1] if alias else full

    return _MARKED.sub(plainly, written), ingredients
