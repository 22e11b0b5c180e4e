"""Reads recipes with photos from what other programs export, from saved pages and from folders."""

import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tqdm.auto import tqdm

from itadaki.collection import Recipe
from itadaki.errors import CollectionError, ImageError, reason
from itadaki.images import decode
from itadaki.importing.archive import is_archive, unpack
from itadaki.importing.fetch import FetchError, fetch_photo
from itadaki.importing.found import Found, Photos, Unusable

_FETCHES = 4  # at the same time


def read_recipes(
    source: Path, workspace: Path, fetch_photos: bool = False, progress: bool = True
) -> tuple[list[Recipe], list[Unusable]]:
    """Read all recipes of a source that have a title and a photo which decodes.

    Args:
        source: a folder, an archive, or one file of a kind that recipes are read from.
        workspace: an empty folder for what is unpacked and fetched; the recipes' photos may lie
            there.
        fetch_photos: fetch photos that are only at a remote address.
        progress: show bars.

    Returns:
        The recipes, and what else there was with the reason why it is none of them.

    Raises:
        CollectionError: the source is not there, or is an archive that must not be unpacked.
    """
    source = source.expanduser()
    if not source.exists():
        raise CollectionError(f"There is no file or folder {source}.")
    found: list[Found] = []
    unusable: list[Unusable] = []
    for item in _read(source, workspace):
        (found if isinstance(item, Found) else unusable).append(item)

    with ThreadPoolExecutor(_FETCHES if fetch_photos else os.cpu_count()) as pool:
        folder = workspace / "fetched"
        looked_at = pool.map(lambda one: _recipe(one, folder if fetch_photos else None), found)
        bar = tqdm(
            looked_at,
            total=len(found),
            desc="Fetching photos" if fetch_photos else "Checking photos",
            unit="photo",
            disable=not progress,
        )
        looked_at = list(bar)
    recipes = [one for one in looked_at if isinstance(one, Recipe)]
    unusable += [one for one in looked_at if isinstance(one, Unusable)]
    return recipes, unusable


def _read(source: Path, workspace: Path) -> Iterator[Found | Unusable]:
    if source.is_dir():
        files = _files(source)
        archives = [path for path in files if is_archive(path)]
        texts = [path for path in files if path not in archives]
        yield from _read_files(texts, source, workspace)
        for number, archive in enumerate(archives):
            try:
                root = unpack(archive, workspace / f"inside-{number}")
            except CollectionError as error:
                yield Unusable(archive.relative_to(source).as_posix(), str(error))
                continue
            for item in _read_files(_files(root), root, workspace):
                item.origin = f"{archive.relative_to(source).as_posix()}/{item.origin}"
                yield item
    elif is_archive(source):
        root = unpack(source, workspace / "unpacked")
        yield from _read_files(_files(root), root, workspace)
    else:
        yield from _read_files([source], source.parent, workspace)


def _files(folder: Path) -> list[Path]:
    def is_hidden(path: Path) -> bool:
        return any(part.startswith((".", "__MACOSX")) for part in path.relative_to(folder).parts)

    return [path for path in sorted(folder.rglob("*")) if path.is_file() and not is_hidden(path)]


def _read_files(files: Iterable[Path], root: Path, workspace: Path) -> Iterator[Found | Unusable]:
    from itadaki.importing import json_file, markdown, paprika, schema_org, table

    readers = {
        ".html": schema_org.read_page,
        ".htm": schema_org.read_page,
        ".xhtml": schema_org.read_page,
        ".json": json_file.read,
        ".jsonld": json_file.read,
        ".paprikarecipe": paprika.read,
        ".md": markdown.read,
        ".markdown": markdown.read,
        ".csv": table.read,
    }
    photos = Photos(root, workspace)
    for path in files:
        origin = path.relative_to(root).as_posix()
        suffix = path.suffix.lower()
        if reader := readers.get(suffix):
            try:
                yield from reader(path, origin, photos)
            except Exception as error:  # a file may hold anything in the place of anything
                yield Unusable(origin, f"it cannot be read: {reason(error)}")
        elif is_archive(path):
            yield Unusable(origin, "an archive in an archive; import it by itself")
        elif not (photos.is_photo(path) or suffix in _COMPANIONS):
            yield Unusable(origin, "not a kind of file that recipes are read from")


_COMPANIONS = {".css", ".js", ".svg", ".ico", ".woff", ".woff2", ".ttf", ".txt", ".log", ".db"}
"""Of files that come with saved pages and backups nobody expects a recipe."""


def _recipe(found: Found, fetched: Path | None) -> Recipe | Unusable:
    if not found.title.strip():
        return Unusable(found.origin, "it has no title")
    if not found.photos:
        return Unusable(found.origin, "it has no photo")
    reasons = []
    for photo in found.photos:
        try:
            if isinstance(photo, str):
                if fetched is None:
                    reasons.append(f"its photo is at {photo} (--fetch-photos fetches it)")
                    continue
                photo = fetch_photo(photo, fetched)
            decode(photo)
        except FetchError as error:
            reasons.append(f"its photo {photo} was not fetched: {error}")
        except ImageError as error:
            reasons.append(f"its photo {photo.name} cannot be used: {error}")
        else:
            ingredients = [str(ingredient) for ingredient in found.ingredients]
            return Recipe(found.title, ingredients, str(found.instructions), photo)
    return Unusable(found.origin, reasons[0])
