"""Which of the pictures that a saved page shows is its recipe's."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from itadaki.errors import ImageError
from itadaki.importing.found import Photos, Place
from itadaki.importing.picture_names import data_uri, is_saved_folder, picture_paths
from itadaki.importing.schema_text import letters

_MAX_PICTURES = 5000  # of a page
_MAX_LOOKED_AT = 100  # of those inside a page, without any other sign
_MIN_SIDE = 100  # pixels of a picture inside a page, without any other sign
_MAX_ADDRESS = 4096
_ROOM_ABOVE = 4  # elements around a picture whose classes say what it is
_STYLED = re.compile(r"(--sf-img-\d+)\s*:\s*url\(\s*[\"']?(data:[^\"')\s]+)")
_USE = re.compile(r"var\(\s*(--sf-img-\d+)")
_MAIN = re.compile(r"(?i)hero|featured|(?:main|lead)-?image|recipe-?(?:image|photo|picture)|wprm")
_SIDE = re.compile(
    r"(?i)related|sidebar|logo|avatar|author|comment|footer|recommend|more-|similar|popular|promo|"
    r"advert|social|share|thumb|icon|gallery|step|instruction"
)
_SIDE_TAGS = {"nav", "footer", "aside"}


@dataclass(frozen=True)
class _Shown:
    """A picture that a page shows.

    Attributes:
        here: paths and data URIs of its copies.
        far: addresses of its copies, without size and format.
        words: letters of what the page calls it.
        main, side: whether the page's classes say that it stands for the page, or beside it.
    """

    here: list[str]
    far: set[str]
    words: set[str]
    main: bool
    side: bool


class Pictures:
    """The pictures of a page.

    Args:
        tree: the page's elements, of lxml.
        path: its file.
        photos: where pictures are looked for.
    """

    def __init__(self, tree: Any, path: Path, photos: Photos) -> None:
        self._path, self._photos = path, photos
        styles = " ".join(style.text or "" for style in tree.iter("style"))
        styled = dict(_STYLED.findall(styles)) if "--sf-img" in styles else {}
        self._shown = []
        for number, image in enumerate(tree.iter("img", "amp-img")):
            if number == _MAX_PICTURES:
                break
            self._shown.append(_shown(image, styled))
        self._folders = {
            (path.parent / unquote(one.split("?")[0])).parent
            for shown in self._shown
            for one in shown.here
            if is_saved_folder(unquote(one).removeprefix("./").partition("/")[0])
        }

    def of(self, name: str, named: list[str], alone: bool) -> list[Place]:
        """Where the photo of a recipe may be.

        Args:
            name: the recipe's.
            named: the addresses and paths of its pictures.
            alone: it is the page's only recipe.
        """
        places: list[Place] = []
        for reference in named:
            places += self._same(reference)
            places += self._photos.find(reference, self._path, self._folders)
        if not any(not isinstance(place, str) for place in places):
            places += self._by_signs(name, alone)
        return places

    def _same(self, address: str) -> list[Place]:
        """The copy of an address's picture that the page shows."""
        if address[:5].lower() == "data:" or len(address) > _MAX_ADDRESS:
            return []
        paths = {path for path in picture_paths(address) if path.strip("/")}
        return [
            place
            for shown in self._shown
            if any(_ends_so(one, path) for one in shown.far for path in paths)
            for place in self._kept(shown)
        ]

    def _by_signs(self, name: str, alone: bool) -> list[Place]:
        """The one picture that must be the recipe's, as its own name for it or its place says."""
        called = [one for one in self._shown if letters(name) in one.words and not one.side]
        if called:
            return self._kept(called[0])
        free = {tuple(one.here): one for one in self._shown if not one.side}
        inside = [one for one in list(free.values())[:_MAX_LOOKED_AT] if _is_large_inside(one)]
        main = [one for one in inside if one.main]
        for some in (main, inside):
            if alone and len(some) == 1:
                return self._kept(some[0])
        return []

    def _kept(self, shown: _Shown) -> list[Place]:
        """Its copies that are files, without what only holds its place."""
        places: list[Place] = []
        for one in shown.here:
            found = self._photos.find(one, self._path)
            places += [place for place in found if isinstance(place, Path)]
        return places


def _ends_so(longer: str, path: str) -> bool:
    """Whether an address's path is another's, or that with a server for sizes in front."""
    return longer == path or (path.count("/") > 2 and longer.endswith(path))


def _shown(image: Any, styled: dict[str, str]) -> _Shown:
    frame = image.getparent()
    elements = [image]
    if frame is not None and frame.tag == "picture":
        elements += frame.findall("source")
        frame = frame.getparent()
    if frame is not None and frame.tag == "a":
        elements.append(frame)
    values = [value for element in elements for value in element.attrib.values()]
    addresses = {
        one.strip(",")
        for value in values
        if "/" in value or "." in value
        for one in (value.split() if not value.startswith("data:") else [value])
    }
    sources = [one.get("src", "").strip() for one in elements]
    sources += [styled.get(used, "") for used in _USE.findall(image.get("style", ""))]
    above = [image, *list(image.iterancestors())[:_ROOM_ABOVE]]
    classes = " ".join(f"{one.get('class', '')} {one.get('id', '')}" for one in above)
    far = [
        one
        for one in addresses
        if len(one) <= _MAX_ADDRESS and one.startswith(("http://", "https://", "//", "/"))
    ]
    return _Shown(
        [one for one in dict.fromkeys(sources) if one and not _is_remote(one)],
        {path for one in far for path in picture_paths(one)},
        {letters(image.get(name, "")) for name in ("alt", "title")} - {""},
        _MAIN.search(classes) is not None,
        _SIDE.search(classes) is not None
        or any(one.tag in _SIDE_TAGS for one in image.iterancestors()),
    )


def _is_remote(address: str) -> bool:
    return address.startswith(("http://", "https://", "//", "/")) or not address


def _is_large_inside(shown: _Shown) -> bool:
    """Whether it lies inside the page, and is no mark or place holder."""
    from itadaki.photos.photo_file import format_of, photo_file

    for one in shown.here:
        content = data_uri(one) if one.startswith("data:") else None
        kind = format_of(content[:16]) if content else None
        if content and kind:
            try:
                return min(photo_file(content, kind).size) >= _MIN_SIDE
            except ImageError:
                continue
    return False
