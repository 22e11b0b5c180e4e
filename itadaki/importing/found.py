"""What the readers of sources give, and where they look for photos."""

import hashlib
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
    """The pictures that lie in a source, or that readers find inside its files."""

    def __init__(self, root: Path, workspace: Path) -> None:
        self._root, self._workspace = root.resolve(), workspace
        self._by_name: dict[str, list[Path]] = defaultdict(list)
        self._names: dict[Path, list[str]] = {}
        for folder, _, names in os.walk(root):
            self._names[Path(folder)] = names
            for name in names:
                path = Path(folder, name)
                if self.is_photo(path):
                    self._by_name[name.lower()].append(path)
                    self._by_name[path.stem.lower()].append(path)

    @staticmethod
    def is_photo(path: Path) -> bool:
        """Whether a file's name says that it is a picture."""
        return path.suffix.lower() in _PHOTO_SUFFIXES

    def beside(self, path: Path) -> list[Path]:
        """The files in a file's folder."""
        return [path.with_name(name) for name in self._names.get(path.parent, [])]

    def keep(self, content: bytes) -> Path:
        """Put a picture that was inside a file where it can be read."""
        path = self._workspace / "inside" / hashlib.sha256(content).hexdigest()
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

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
        local = self._of_page(path, beside) if address else self._local(path, beside)
        remote = [f"https:{reference}" if reference.startswith("//") else reference]
        return ([local] if local else []) + (remote if address else [])

    def _local(self, path: str, beside: Path) -> Path | None:
        try:
            direct = (beside.parent / path.lstrip("/")).resolve()
            if direct.is_relative_to(self._root) and direct.is_file():
                return direct
        except (OSError, ValueError):
            return None
        candidates = self._named(path)
        near = [found for found in candidates if found.is_relative_to(beside.parent)]
        return next((some[0] for some in (near, candidates) if len(some) == 1), None)

    def _of_page(self, path: str, page: Path) -> Path | None:
        """A picture that a browser saved with a page, beside it or in a folder of its name."""
        found = [
            picture
            for picture in self._named(path)
            if picture.parent == page.parent or picture.parent.name.startswith(page.stem)
        ]
        return found[0] if len(found) == 1 else None

    def _named(self, path: str) -> list[Path]:
        return self._by_name.get(path.rsplit("/", 1)[-1].lower(), [])


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
