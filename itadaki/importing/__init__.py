"""Reads recipes with photos from what other programs export, from saved pages and from folders."""

import shutil
from collections import defaultdict, deque
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import unquote

from itadaki.cores import usable_cores
from itadaki.errors import CollectionError, ImageError, RecipeError
from itadaki.importing.archive import is_archive
from itadaki.importing.budget import Budget
from itadaki.importing.duplicates import Duplicates
from itadaki.importing.fetch import FetchError, fetch_photo
from itadaki.importing.folders import walk
from itadaki.importing.found import Absent, Aside, Found, Guess, Photos, Taken, Unusable
from itadaki.importing.reader import Reader, reads
from itadaki.importing.spool import Spool
from itadaki.recipes.recipe import NewRecipe, has_title

if TYPE_CHECKING:
    from tqdm import tqdm

_T = TypeVar("_T")
_S = TypeVar("_S")
_AHEAD = 64  # recipes whose photos are looked at before their turn
_FETCHES = 4  # at the same time
_MAX_FETCHES = 5  # for one recipe
_MAX_PHOTO = 100_000_000  # bytes
_MIN_SIDE = 8  # pixels; what is smaller counts visitors, or holds a place


def read_recipes(
    source: Path, workspace: Path, fetch_photos: bool = False, progress: bool = True
) -> tuple[list[NewRecipe], list[Unusable]]:
    """Read all recipes of a source that have a title and a photo which decodes.

    Args:
        source: see ``recipes_in``, like all else.
        workspace: likewise.
        fetch_photos: likewise.
        progress: likewise.

    Returns:
        The recipes, and what else there was with the reason why it is none of them.
    """
    recipes: list[NewRecipe] = []
    unusable: list[Unusable] = []
    for one in recipes_in(source, workspace, fetch_photos, progress):
        if isinstance(one, Taken):
            recipes.append(one.recipe)
        elif not isinstance(one, Aside):
            unusable.append(one)
    return recipes, unusable


def recipes_in(
    source: Path,
    workspace: Path,
    fetch_photos: bool = False,
    progress: bool = True,
    known: Duplicates | None = None,
) -> Iterator[Taken | Unusable]:
    """Read a source, and tell what becomes of each of its files.

    Args:
        source: a folder, an archive, or one file of a kind that recipes are read from.
        workspace: an empty folder for what is unpacked and fetched; the recipes' photos may lie
            there.
        fetch_photos: fetch photos that are only at a remote address.
        progress: show bars.
        known: recipes that are there already.

    Yields:
        Recipes that have a title and a photo which decodes; what is none, with the reason; and at
        last the files in which nobody expects a recipe.

    Raises:
        CollectionError: the source is not there, or is an archive that must not be unpacked.
    """
    from tqdm.auto import tqdm

    source, workspace = source.expanduser(), workspace.resolve()
    if not (source.is_file() or source.is_dir()):
        raise CollectionError(f"There is no file or folder {source}.")
    source = source.resolve()
    workspace.mkdir(parents=True, exist_ok=True)
    items, found = Spool(workspace / "read.spool"), 0
    with tqdm(total=0, desc="Reading", unit="file", disable=not progress) as bar:
        bar.refresh()
        sizes = {True: 0, False: 0}
        for path in walk(source)[0] if source.is_dir() else [source]:
            compressed = is_archive(path) or path.suffix.lower() == ".paprikarecipe"
            if compressed or reads(path):
                sizes[compressed] += path.stat().st_size
        budget = Budget.of(sizes[True], sizes[False], shutil.disk_usage(workspace).free)
        with Reader(workspace, budget) as reader:
            for item in _read(source, reader, workspace, bar):
                items.append(item)
                found += isinstance(item, Found)

    known, used = known or Duplicates(), set[Path]()
    folder = workspace / "fetched" if fetch_photos else None
    problem_of = cache(_problem)  # a small table may name one big photo 100,000 times
    contested = _contested(item for item in items if isinstance(item, Found))

    def looked_at(item: Found | Unusable) -> Taken | Unusable:
        if isinstance(item, Unusable):
            return item
        recipe = _recipe(problem_of, folder, contested, item)
        if isinstance(recipe, NewRecipe):
            return Taken(item.origin, recipe, item.left_out)
        return recipe

    with (
        ThreadPoolExecutor(_FETCHES if fetch_photos else usable_cores()) as pool,
        tqdm(
            total=found,
            desc="Fetching photos" if fetch_photos else "Checking photos",
            unit="photo",
            disable=not progress,
        ) as bar,
    ):
        for item, done in _in_order(pool, looked_at, items):
            bar.update(isinstance(item, Found))
            if isinstance(done, Taken):
                if isinstance(done.recipe.photo, Path):
                    used.add(done.recipe.photo.resolve())
                done.duplicate = known.check(done.recipe, done.origin, _file_of(done.origin)) or ""
            if not isinstance(done, Aside):
                yield done
    for item in items:
        if isinstance(item, Aside):
            if item.picture and item.picture.resolve() in used:
                item = replace(item, reason="a recipe's photo", used=True)
            yield item


def _in_order(
    pool: ThreadPoolExecutor, function: Callable[[_T], _S], items: Iterable[_T]
) -> Iterator[tuple[_T, _S]]:
    """As the pool's map, with few items at hand at a time."""
    ahead: deque[tuple[_T, Future[_S]]] = deque()
    for item in items:
        ahead.append((item, pool.submit(function, item)))
        if len(ahead) > _AHEAD:
            first, result = ahead.popleft()
            yield first, result.result()
    for item, result in ahead:
        yield item, result.result()


def _file_of(origin: str) -> str:
    """The file that a recipe was read from; readers put after a comma which of its recipes."""
    return origin.split(", ")[0]


def _read(
    source: Path, reader: Reader, workspace: Path, bar: "tqdm[Any]"
) -> Iterator[Found | Unusable]:
    if source.is_dir():
        files, others = walk(source)
        files = [path for path in files if not path.is_relative_to(workspace)]
        archives = [path for path in files if is_archive(path)]
        texts = sorted(set(files) - set(archives))
        for path in others:
            yield Unusable(path.relative_to(source).as_posix(), _NO_FILE)
        yield from _read_files(texts, source, reader, bar)
        for number, archive in enumerate(archives):
            name = archive.relative_to(source).as_posix()
            folder = workspace / f"inside-{number}"
            try:
                for item in _read_archive(archive, folder, reader, bar):
                    yield replace(item, origin=f"{name}/{item.origin}")
            except CollectionError as error:
                yield Unusable(name, str(error))
    elif is_archive(source):
        yield from _read_archive(source, workspace / "unpacked", reader, bar)
    else:
        yield from _read_files([source], source.parent, reader, bar)


def _read_archive(
    archive: Path, folder: Path, reader: Reader, bar: "tqdm[Any]"
) -> Iterator[Found | Unusable]:
    try:
        for number, item in enumerate(reader.unpack(archive, folder), 1):
            if item:
                yield item
            bar.set_postfix_str(f"{number:,} unpacked of {archive.name}", refresh=False)
            bar.update(0)
    except CollectionError:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    yield from _read_files(walk(folder)[0], folder, reader, bar)


def _read_files(
    files: Sequence[Path], root: Path, reader: Reader, bar: "tqdm[Any]"
) -> Iterator[Found | Unusable]:
    bar.total = (bar.total or 0) + len(files)
    for path in files:
        origin = path.relative_to(root).as_posix()
        if reads(path):
            nothing = True
            for item in reader.read(path, root):
                nothing = False
                yield item
            if nothing:
                yield Unusable(origin, "it holds no recipe")
        elif is_archive(path):
            yield Unusable(origin, "an archive in an archive; import it by itself")
        elif Photos.is_photo(path):
            yield Aside(origin, "a picture that no recipe was given", path)
        elif path.suffix.lower() in _COMPANIONS:
            yield Aside(origin, "a file that comes with others")
        else:
            advice = _ADVICE.get(path.suffix.lower(), "")
            yield Unusable(origin, f"not a kind of file that recipes are read from{advice}")
        bar.update()


_NO_FILE = "it is no file of this folder: a pipe, a device, or a link that leads elsewhere"
_COMPANIONS = {".css", ".js", ".svg", ".ico", ".woff", ".woff2", ".ttf", ".db"}
"""Of files that come with saved pages and backups nobody expects a recipe."""
_ADVICE = {
    **dict.fromkeys((".xlsx", ".xls", ".ods", ".numbers"), "; save it as CSV"),
    **dict.fromkeys((".docx", ".doc", ".odt", ".rtf", ".pages"), "; save it as Markdown"),
    **dict.fromkeys((".mhtml", ".mht", ".webarchive"), "; save it as a complete web page"),
}
"""In what other form what a file holds is read."""


def _contested(found: Iterable[Found]) -> set[Path]:
    """The pictures that several recipes may have meant by different addresses or paths."""
    named: dict[Path, set[str]] = defaultdict(set)
    for one in found:
        sure = {place for place in one.photos if isinstance(place, Path)}
        for place in one.photos:
            if isinstance(place, Guess) and place.path not in sure:
                named[place.path].add(place.address)
        for place in sure:
            named[place].add("")
    return {path for path, names in named.items() if len(names) > 1}


def _recipe(
    problem_of: Callable[[Path], str | None],
    fetched: Path | None,
    contested: Container[Path],
    found: Found,
) -> NewRecipe | Unusable:
    """The recipe, with the first of its photos that can be used.

    Args:
        problem_of: why a photo cannot be used, or None.
        fetched: the folder for photos that are fetched; None fetches none.
        contested: pictures whose name alone gives them to no recipe.
        found: the recipe.
    """
    if not has_title(found.title):
        return Unusable(found.origin, "it has no title")
    if not found.photos:
        return Unusable(found.origin, "it has no photo")
    reasons, fetches = [], 0
    for photo in found.photos:
        try:
            if isinstance(photo, Absent):
                reasons.append(f"its picture {photo.path} is not there")
                continue
            if isinstance(photo, Guess):
                photo = photo.path
                if photo in contested:
                    reasons.append(f"the picture {photo.name} beside it may be another recipe's")
                    continue
            if isinstance(photo, str):
                if fetched is None:
                    reasons.append(
                        f"its picture{_name(photo)} was not saved with it; it is at {photo} "
                        "(--fetch-photos fetches it)"
                    )
                    continue
                fetches += 1
                if fetches > _MAX_FETCHES:
                    break
                photo = fetch_photo(photo, fetched)
            if problem := problem_of(photo):
                reasons.append(f"its photo {photo.name} cannot be used: {problem}")
                continue
            texts = found.title, found.ingredients, found.instructions
            return NewRecipe(*texts, photo, **found.details())
        except FetchError as error:
            reasons.append(f"its photo {photo} was not fetched: {error}")
        except RecipeError as error:
            return Unusable(found.origin, f"it cannot be kept: {error}")
    return Unusable(found.origin, reasons[0])


def _name(address: str) -> str:
    """How a picture's file would be called, with a blank before it; empty if that is not known."""
    name = unquote(address.split("?")[0].split("#")[0]).rstrip("/").rsplit("/", 1)[-1]
    return f" {name}" if name else ""


def _problem(photo: Path) -> str | None:
    """Why a photo cannot be used; None if it decodes."""
    from itadaki.photos.images import decode

    try:
        if photo.stat().st_size > _MAX_PHOTO:
            return f"It has more than {_MAX_PHOTO // 10**6} MB."
        if min(decode(photo).shape[:2]) < _MIN_SIDE:
            return "It is no photo: it has hardly any pixels."
    except (ImageError, OSError) as error:
        return str(error)
    return None
