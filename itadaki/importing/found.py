"""What the readers of sources give, and where they look for photos."""

import os
import re
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

from itadaki.dataset import ingredient_list

_PHOTO_SUFFIXES = {".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".gif", ".heic", ".avif"}


@dataclass
class Found:
    """A recipe as a source tells it.

    Attributes:
        origin: what of the source it comes from, for people.
        title: may still be empty.
        ingredients: one line each.
        instructions: may be empty.
        photos: files and remote addresses where its photo may be, the likeliest first.
    """

    origin: str
    title: str
    ingredients: list[str] = field(default_factory=list)
    instructions: str = ""
    photos: list[Path | str] = field(default_factory=list)


@dataclass
class Unusable:
    """What of a source is no recipe, and why: a clause that follows the origin and a colon."""

    origin: str
    reason: str


class Photos:
    """The pictures that lie in a source."""

    def __init__(self, root: Path) -> None:
        self._root = root.resolve()
        self._by_name: dict[str, list[Path]] = defaultdict(list)
        for folder, _, names in os.walk(root):
            for name in names:
                path = Path(folder, name)
                if self.is_photo(path):
                    self._by_name[name.lower()].append(path)
                    self._by_name[path.stem.lower()].append(path)

    @staticmethod
    def is_photo(path: Path) -> bool:
        """Whether a file's name says that it is a picture."""
        return path.suffix.lower() in _PHOTO_SUFFIXES

    def find(self, reference: object, beside: Path) -> list[Path | str]:
        """Where the picture may be that a file names.

        Args:
            reference: a path, a bare name with or without its suffix, or an address.
            beside: the file that names it.

        Returns:
            A file of the source, or the remote address, or both; empty if there is neither.
        """
        if not isinstance(reference, str) or not reference.strip():
            return []
        reference = reference.strip()
        address = urlsplit(reference) if re.match(r"(?i)https?://|//", reference) else None
        path = unquote(address.path if address else reference.split("?")[0]).replace("\\", "/")
        local = self._local(path, beside)
        remote = [f"https:{reference}" if reference.startswith("//") else reference]
        return ([local] if local else []) + (remote if address else [])

    def _local(self, path: str, beside: Path) -> Path | None:
        try:
            direct = (beside.parent / path.lstrip("/")).resolve()
            if direct.is_relative_to(self._root) and direct.is_file():
                return direct
        except (OSError, ValueError):
            return None
        name = path.rsplit("/", 1)[-1].lower()
        candidates = self._by_name.get(name, [])
        # A saved page has its pictures in a folder of its name; else the nearest one is meant.
        own = [p for p in candidates if p.parent.name.startswith(beside.stem)]
        near = [p for p in candidates if p.is_relative_to(beside.parent)]
        for choice in (own, near, candidates):
            if len(choice) == 1:
                return choice[0]
        return None


def lines(text: object) -> list[str]:
    """Ingredients in one text: a list as Python or JSON writes it, else a line each, else
    separated by semicolons or bars."""
    items = ingredient_list(str(text or ""))
    if len(items) == 1:
        items = re.split(r"\s*[;|]\s*", items[0])
    return [item for item in items if item]


def amount(quantity: object, *words: object) -> str:
    """An ingredient's quantity, unit, name and note in one line; quantities of 0 are left out.

    >>> amount(1.5, "cups", None, "flour")
    '1.5 cups flour'
    """
    try:
        number = f"{float(quantity):.6g}" if quantity and float(quantity) else ""
    except (TypeError, ValueError):
        number = str(quantity)
    return " ".join(str(word).strip() for word in (number, *words) if word)
