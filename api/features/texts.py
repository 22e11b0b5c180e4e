"""What a cook reads, in the cook's language: one file a language in ``api/texts``."""

import json
import re
from functools import cache
from pathlib import Path

from fastapi import Request

FOLDER = Path(__file__).resolve().parents[1] / "texts"
COOKIE = "itadaki-language"
DEFAULT = "en"
VARY = "Accept-Language, Cookie"
"""What an answer in the cook's language depends on."""


class Texts:
    """The texts of one language.

    Attributes:
        language: its tag, such as ``en``.
        all: every text by its key; ``{name}`` stands for what is put in.
    """

    def __init__(self, language: str) -> None:
        self.language = language
        file = FOLDER / f"{language}.json"
        self.all: dict[str, str] = json.loads(file.read_text(encoding="utf-8"))

    def __call__(self, key: str, **values: object) -> str:
        """One text, with the values put in."""
        return self.all[key].format(**values)

    def __contains__(self, key: str) -> bool:
        return key in self.all


@cache
def languages() -> dict[str, Texts]:
    """All languages that there is a file for."""
    return {path.stem: Texts(path.stem) for path in sorted(FOLDER.glob("*.json"))}


def texts_for(request: Request) -> Texts:
    """In the language that was chosen, or else the first known one that the browser prefers."""
    known = languages()
    for chosen in (request.query_params.get("language"), request.cookies.get(COOKIE)):
        if chosen in known:
            return known[chosen]
    preferred = _preferred(request.headers.get("accept-language", ""))
    return known[next((tag for tag in preferred if tag in known), DEFAULT)]


def _preferred(header: str) -> list[str]:
    """The languages of an Accept-Language header, without their regions, the dearest first."""
    found = []
    for item in header[:1000].split(","):
        tag, _, weight = item.partition(";")
        quality = re.fullmatch(r"\s*q=([01](?:\.\d{0,3})?)\s*", weight)
        if not weight or quality:
            found.append((-float(quality[1]) if quality else -1.0, tag))
    return [
        tag.strip().split("-")[0].lower()
        for weight, tag in sorted(found, key=lambda f: f[0])
        if weight
    ]
