"""What the readers of sources give, and where they look for photos."""

import hashlib
import os
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from itadaki.importing.budget import Budget
from itadaki.recipes.recipe import (
    MAX_DETAIL,
    MAX_KEYWORD,
    MAX_KEYWORDS,
    MAX_SOURCE,
    TIMES,
    Recipe,
)
from itadaki.recipes.texts import keyword_list, minutes, one_line, web_address

_MAX_NAME, _MAX_PATH = 255, 4096
_MAX_SHOWN = 300
_PHOTO_SUFFIXES = {".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".gif", ".heic", ".avif"}


@dataclass(frozen=True, slots=True)
class Found(Recipe):
    """A recipe as a source tells it; its title may still be empty.

    Attributes:
        origin: what of the source it comes from, for people.
        photos: files and remote addresses where its photo may be, the likeliest first.
    """

    origin: str
    photos: list[Path | str]

    def __post_init__(self) -> None:
        object.__setattr__(self, "title", str(self.title))
        object.__setattr__(self, "ingredients", [str(line) for line in self.ingredients])
        object.__setattr__(self, "instructions", str(self.instructions))


def details(**given: Any) -> dict[str, Any]:
    """``DETAILS`` of what a source gives under their names: anything, in the forms that
    schema.org and the exports of programs have.

    What is no detail, or longer than a recipe may have it, is left out.
    """
    words = {name: words_of(given.get(name)) for name in ("servings", "author", "source")}
    keywords = [k for k in keyword_list(words_of(given.get("keywords"))) if len(k) <= MAX_KEYWORD]
    addresses = filter(None, map(web_address, words["source"]))
    return {
        "keywords": keywords[:MAX_KEYWORDS],
        "servings": _fitting(words["servings"][:1]),
        "author": _fitting(words["author"]),
        "source": next((one for one in addresses if len(one) <= MAX_SOURCE), ""),
        **{name: minutes(given.get(name)) for name in TIMES},
    }


def words_of(value: Any) -> list[str]:
    """The texts in a value of schema.org: a text, a number, an object with a name or a value, or
    a list of these."""
    if isinstance(value, list | tuple):
        return [words for item in value for words in words_of(item)]
    if isinstance(value, dict):
        keys = ("name", "value", "@value", "url", "@id")
        return words_of(next((value[key] for key in keys if value.get(key)), None))
    text = "" if value is None or isinstance(value, bool) else one_line(str(value))
    return [text] if text else []


def _fitting(texts: list[str]) -> str:
    text = ", ".join(dict.fromkeys(texts))
    return text if len(text) <= MAX_DETAIL else ""


@dataclass
class Unusable:
    """What of a source is no recipe, and why: a clause that follows the origin and a colon.

    Both are fit to be printed, whatever a file's name or content may do to a terminal.
    """

    origin: str
    reason: str

    def __post_init__(self) -> None:
        self.origin, self.reason = _shown(self.origin), _shown(self.reason)


def _shown(text: str) -> str:
    shown = "".join(c if c.isprintable() else "\ufffd" for c in text[:_MAX_SHOWN])
    return shown if len(text) <= _MAX_SHOWN else f"{shown}…"


def walk(root: Path) -> tuple[list[Path], list[Path]]:
    """What a folder holds at any depth, without what is hidden.

    Returns:
        Its files, and what cannot be read as one: pipes and devices, links that lead out of the
        folder or nowhere, linked folders, and folders that may not be opened.
    """
    files: list[Path] = []
    others: list[Path] = []
    folders = [root]
    while folders:
        folder = folders.pop()
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    if entry.name.startswith((".", "__MACOSX")):
                        continue
                    path = Path(entry.path)
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(path)
                    else:
                        (files if is_file_in(root, path) else others).append(path)
        except OSError:
            others.append(folder)
    return sorted(files), sorted(others)


def is_file_in(root: Path, path: Path) -> bool:
    """Whether this is a regular file, which no link leads out of the folder to."""
    try:
        return path.is_file() and path.resolve().is_relative_to(root.resolve())
    except (OSError, ValueError, RuntimeError):  # a name that none can have, links in a circle
        return False


class Photos:
    """The pictures that lie in a source, or that readers find inside its files.

    Attributes:
        budget: what may still be unpacked of the source.
    """

    def __init__(self, root: Path, workspace: Path) -> None:
        self._root, self._workspace = root, workspace
        self.budget = Budget()
        self._by_name: dict[str, list[Path]] = defaultdict(list)
        self._beside: dict[Path, list[Path]] = defaultdict(list)
        for path in walk(root)[0]:
            self._beside[path.parent].append(path)
            if self.is_photo(path):
                self._by_name[_key(path.name)].append(path)
                self._by_name[_key(path.stem)].append(path)

    @staticmethod
    def is_photo(path: Path) -> bool:
        """Whether a file's name says that it is a picture."""
        return path.suffix.lower() in _PHOTO_SUFFIXES

    def beside(self, path: Path) -> list[Path]:
        """The files in a file's folder."""
        return self._beside.get(path.parent, [])

    def there(self, paths: Iterable[Path]) -> list[Path | str]:
        """Those of the paths at which the source has a file."""
        return [path for path in paths if is_file_in(self._root, path)]

    def keep(self, content: bytes) -> Path:
        """Put a picture that was inside a file where it can be read.

        Raises:
            RefusedError: too much was unpacked.
        """
        self.budget.count(len(content))
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
        if len(reference) > _MAX_PATH:
            return []
        address = urlsplit(reference) if re.match(r"(?i)https?://|//", reference) else None
        path = unquote(address.path if address else reference.split("?")[0]).replace("\\", "/")
        local = self._of_page(path, beside) if address else self._local(path, beside)
        remote = [f"https:{reference}" if reference.startswith("//") else reference]
        return ([local] if local else []) + (remote if address else [])

    def _local(self, path: str, beside: Path) -> Path | None:
        direct = beside.parent / path.lstrip("/")
        if is_file_in(self._root, direct):
            return direct.resolve()
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
        return self._by_name.get(_key(path.rsplit("/", 1)[-1]), [])


def _key(name: str) -> str:
    """What names are compared by: some systems write é as one character, others as two."""
    return unicodedata.normalize("NFC", name[: _MAX_NAME + 1]).lower()


def lines(text: object) -> list[str]:
    """Ingredients in one text: a list as Python or JSON writes it, else a line each, else
    separated by semicolons or bars."""
    from itadaki.recipes.table import ingredient_list  # which is slower to import than all here

    items = ingredient_list(str(text or ""))
    if len(items) == 1:
        items = [item.strip() for item in re.split("[;|]", items[0])]
    return [item for item in items if item]


def amount(quantity: Any, *words: object) -> str:
    """An ingredient's quantity, unit, name and note in one line; quantities of 0 are left out.

    >>> amount(1.5, "cups", None, "flour")
    '1.5 cups flour'
    """
    try:
        number = f"{float(quantity):.6g}" if quantity and float(quantity) else ""
    except (TypeError, ValueError, OverflowError):
        number = str(quantity)
    return " ".join(str(word).strip() for word in (number, *words) if word)
