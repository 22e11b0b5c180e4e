"""What the readers of sources give, and where they look for photos."""

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from itadaki.importing.budget import Budget
from itadaki.importing.folders import Folders, is_file_in, is_picture, name_key
from itadaki.importing.picture_names import (
    data_uri,
    numbered_twins,
    picture_key,
    width_in_name,
)
from itadaki.recipes.recipe import (
    MAX_DETAIL,
    MAX_KEYWORD,
    MAX_KEYWORDS,
    MAX_SOURCE,
    TIMES,
    NewRecipe,
    Recipe,
)
from itadaki.recipes.texts import keyword_list, minutes, one_line, web_address

PLAIN = "text/plain"
"""The encodingFormat that ``export`` says of each recipe, whose texts are then no markup."""
_MAX_PATH = 4096
_MAX_SHOWN = 300


@dataclass(frozen=True, slots=True)
class Found(Recipe):
    """A recipe as a source tells it; its title may still be empty.

    Attributes:
        origin: what of the source it comes from, for people.
        photos: where its photo may be, the likeliest first.
        literal: whether its texts are exactly what was meant, so that nothing in them is mended.
        left_out: what of its source is kept nowhere, for people.
    """

    origin: str
    photos: "Sequence[Place]"
    literal: bool = False
    left_out: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "title", str(self.title))
        object.__setattr__(self, "ingredients", [str(line) for line in self.ingredients])
        object.__setattr__(self, "instructions", str(self.instructions))


@dataclass(frozen=True, slots=True)
class Guess:
    """A picture that lies beside a page and has the name with which an address ends, so that it
    may be another page's, whose address ends so, too."""

    path: Path
    address: str


@dataclass(frozen=True, slots=True)
class Absent:
    """A picture that a file names by a path at which there is none."""

    path: str


Place = Path | Guess | str | Absent
"""Where a photo may be; a text is a remote address."""


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


def texts_in(items: Any, key: str = "") -> list[str] | None:
    """The items of a list, or what they have under a key; None if any of it is no text."""
    if not isinstance(items, list):
        return None
    found = [item.get(key) if key and isinstance(item, dict) else item for item in items]
    texts = [text for text in found if isinstance(text, str)]
    return texts if len(texts) == len(found) else None


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


@dataclass
class Aside(Unusable):
    """A file in which nobody expects a recipe.

    Attributes:
        picture: the file, if it is one.
        used: whether it is a recipe's photo.
    """

    picture: Path | None = None
    used: bool = False


@dataclass
class Taken:
    """A recipe that can be kept.

    Attributes:
        origin: what of the source it comes from, as that of ``Unusable``.
        recipe: itself.
        duplicate: why it is the same as one before, as a clause; empty if it is not.
        left_out: what of its source is kept nowhere.
    """

    origin: str
    recipe: NewRecipe
    left_out: str = ""
    duplicate: str = ""

    def __post_init__(self) -> None:
        self.origin, self.left_out = _shown(self.origin), _shown(self.left_out)


def _shown(text: str) -> str:
    shown = "".join(c if c.isprintable() else "\ufffd" for c in text[:_MAX_SHOWN])
    return shown if len(text) <= _MAX_SHOWN else f"{shown}…"


class Photos:
    """The pictures that lie in a source, or that readers find inside its files.

    Attributes:
        budget: what may still be unpacked of the source.
    """

    def __init__(self, root: Path, workspace: Path) -> None:
        self._root, self._workspace = root, workspace
        self.budget = Budget()
        self._folders = Folders(root)

    @staticmethod
    def is_photo(path: Path) -> bool:
        """Whether a file's name says that it is a picture."""
        return is_picture(path)

    def beside(self, path: Path, stem: str) -> list[Path]:
        """The pictures in a file's folder that have a name, in large or small letters, whatever
        their suffix is."""
        found = self._folders.of(path.parent).named.get(name_key(stem), [])
        return [picture for picture in found if name_key(picture.stem) == name_key(stem)]

    def alone_with(self, path: Path) -> list[Path]:
        """The pictures in a file's folder, if it is the only other file in it."""
        folder = self._folders.of(path.parent)
        return folder.pictures if folder.others == 1 else []

    def there(self, paths: Iterable[Path]) -> list[Path]:
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

    def find(self, reference: object, beside: Path, saved: Iterable[Path] = ()) -> list[Place]:
        """Where the picture may be that a file names.

        Args:
            reference: a path, a bare name with or without its suffix, an address, or a data URI.
            beside: the file that names it.
            saved: folders that were saved with the file, beside those that its name says.

        Returns:
            Of a path, the file, or that there is none. Of an address, the file that was saved of
            it, if any, and itself. Empty if this names no picture at all.
        """
        if not isinstance(reference, str) or not reference.strip():
            return []
        reference = reference.strip()
        if reference[:5].lower() == "data:":
            content = data_uri(reference)
            return [self.keep(content)] if content else []
        if len(reference) > _MAX_PATH:
            return []
        if re.match(r"(?i)https?://|//", reference):
            remote = f"https:{reference}" if reference.startswith("//") else reference
            return [*self._saved(remote, beside, set(saved)), remote]
        path = unquote(reference.split("?")[0]).replace("\\", "/")
        local = self._local(path, beside)
        return [local or Absent(reference)]

    def _local(self, path: str, beside: Path) -> Path | None:
        direct = beside.parent / path.lstrip("/")
        if is_file_in(self._root, direct):
            return direct.resolve()
        *folders, name = path.split("/")
        folder = folders[-1] if folders else ""
        if folder in ("", ".", "..") or re.match("[A-Za-z]:|file:", path):
            folder = ""  # what a disk had for a folder, none knows
        candidates = self._folders.of_same_owner(beside, name, folder)
        near = [found for found in candidates if found.is_relative_to(beside.parent)]
        return next((some[0] for some in (near, candidates) if len(some) == 1), None)

    def _saved(self, address: str, page: Path, named: set[Path]) -> list[Place]:
        """A picture that a browser saved with a page, in a folder of its name or beside it."""
        name = unquote(urlsplit(address).path).rsplit("/", 1)[-1]
        here = self._folders.of(page.parent)
        saved = [*self._folders.saved_with(page), *map(self._folders.of, sorted(named))]
        inside = [one for folder in saved for one in folder.all()]
        for kind, key in (("named", name_key(name)), ("alike", name and picture_key(name))):
            own = sorted({one for folder in inside for one in getattr(folder, kind).get(key, [])})
            if own:
                # Of two pictures of one name, the second got another.
                twins = map(name_key, numbered_twins(own[0]))
                if not self._folders.of(own[0].parent).named.keys().isdisjoint(twins):
                    return []
                return [max(own, key=width_in_name)]
            beside = getattr(here, kind).get(key)
            if beside:
                return [Guess(max(beside, key=width_in_name), address)]
        return []


def lines(text: object) -> list[str]:
    """Ingredients in one text: a list as Python or JSON writes it, else a line each, else
    separated by semicolons or bars."""
    from itadaki.recipes.table import ingredient_list  # which is slower to import than all here

    written = str(text or "").strip()
    items = ingredient_list(written)
    if items == [written]:
        items = [item.strip() for item in re.split("[;|]", items[0])]
    return [item for item in items if item]


def amount(quantity: Any, *words: object) -> str:
    """An ingredient's quantity, unit, name and note in one line; quantities of 0 are left out.

    >>> amount(1.5, "cups", None, "flour"), amount(1.3333, "cups")
    ('1.5 cups flour', '1⅓ cups')
    """
    try:
        number = _number(float(quantity)) if quantity and float(quantity) else ""
    except (TypeError, ValueError, OverflowError):
        number = str(quantity)
    return " ".join(str(word).strip() for word in (number, *words) if word)


def _number(quantity: float) -> str:
    whole = int(quantity)
    for sign, part in (("⅓", 1 / 3), ("⅔", 2 / 3), ("⅙", 1 / 6), ("⅚", 5 / 6)):
        if abs(quantity - whole - part) < 0.001:
            return f"{whole or ''}{sign}"
    return f"{quantity:.6g}"
