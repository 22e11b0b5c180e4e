"""What a source's folders hold, by what readers look for in them."""

import os
import unicodedata
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from itadaki.importing.picture_names import page_stems, picture_key

_MAX_NAME = 255
_PHOTO_SUFFIXES = {".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".gif", ".heic", ".avif"}
_TEXT_SUFFIXES = {
    *(".html", ".htm", ".xhtml", ".json", ".jsonld", ".md", ".markdown", ".csv", ".tsv"),
    *(".paprikarecipe", ".cook", ".txt"),
}
"""What recipes are read from, or a person may have written one in."""


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


def is_picture(path: Path) -> bool:
    """Whether a file's name says that it is a picture."""
    return path.suffix.lower() in _PHOTO_SUFFIXES


def name_key(name: str) -> str:
    """What names are compared by: some systems write é as one character, others as two."""
    return unicodedata.normalize("NFC", name[: _MAX_NAME + 1]).lower()


@dataclass
class Folder:
    """What lies in a folder itself.

    Attributes:
        named: its pictures, by the keys of their names and of their names without suffix.
        alike: its pictures, by what the names of one picture share.
        pictures: all of them.
        others: how many other files there are.
        folders: the folders in it that hold files at any depth.
    """

    named: dict[str, list[Path]] = field(default_factory=lambda: defaultdict(list))
    alike: dict[str, list[Path]] = field(default_factory=lambda: defaultdict(list))
    pictures: list[Path] = field(default_factory=list)
    others: int = 0
    folders: list["Folder"] = field(default_factory=list)

    def all(self) -> Iterator["Folder"]:
        """The folder, and those in it at any depth."""
        folders = [self]
        while folders:
            folder = folders.pop()
            folders += folder.folders
            yield folder


class Folders:
    """The folders of a source, in which each look-up costs as little in a large one."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._folders = {root: Folder()}
        self._saved: dict[tuple[Path, str], list[Folder]] = defaultdict(list)
        with_texts: set[Path] = set()
        pictures: list[Path] = []
        for path in walk(root)[0]:
            folder = self._added(path.parent)
            if is_picture(path):
                pictures.append(path)
                folder.pictures.append(path)
                folder.alike[picture_key(path.name)].append(path)
                for name in {name_key(path.name), name_key(path.stem)}:
                    folder.named[name].append(path)
            else:
                folder.others += 1
                if path.suffix.lower() in _TEXT_SUFFIXES:
                    with_texts.add(path.parent)
        self._owned: dict[tuple[Path, str, str], list[Path]] = defaultdict(list)
        for path in pictures:
            owner = next((one for one in path.parents if one in with_texts or one == root), root)
            for name in {name_key(path.name), name_key(path.stem)}:
                for folder_name in (name_key(path.parent.name), ""):
                    self._owned[owner, folder_name, name].append(path)

    def of(self, path: Path) -> Folder:
        """A folder; an empty one if the source has none there."""
        return self._folders.get(path) or Folder()

    def saved_with(self, page: Path) -> list[Folder]:
        """The folders that have the name which a browser gives them beside a page."""
        return self._saved.get((page.parent, unicodedata.normalize("NFC", page.stem)), [])

    def of_same_owner(self, text: Path, name: str, folder: str) -> list[Path]:
        """The pictures of a name, with or without suffix, that may be a text's: not those in a
        folder of other texts, or in one below such a folder.

        Args:
            text: the file.
            name: the picture's.
            folder: the name of the folder in which it lies; empty if that may be any.
        """
        found: list[Path] = []
        for one in text.parents:
            found += self._owned.get((one, name_key(folder), name_key(name)), [])
            if one == self._root:
                break
        return sorted(found)

    def _added(self, path: Path) -> Folder:
        new: list[Path] = []
        while path not in self._folders:
            self._folders[path] = Folder()
            new.append(path)
            path = path.parent
        for one in new:
            self._folders[one.parent].folders.append(self._folders[one])
            for stem in page_stems(one.name):
                self._saved[one.parent, stem].append(self._folders[one])
        return self._folders[new[0] if new else path]
