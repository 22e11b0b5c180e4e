"""Several files of one folder are changed together or not at all, by one process at a time.

What shall be there is written beside; then a journal names what goes where, and from that moment
the change is made: whoever opens the folder next finishes what a killed process left.
"""

import json
import logging
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from itadaki.errors import ArtifactError, BusyFolderError, StorageError, is_about_storage
from itadaki.storage.files import replacing, writing

_LOCK, _BESIDE, _JOURNAL, _UNUSABLE = ".lock", ".change", "journal.json", ".change.unusable"
_MAX_JOURNAL = 64_000_000
"""Bytes; one for a change of 100,000 recipes takes a quarter of that."""
_WAIT = 60.0
"""Seconds that one waits for another; a change itself takes about one."""
_MAX_DEPTH = 8
"""Folders in one another that a journal may name; ours are two."""
_log = logging.getLogger(__name__)


class Transaction:
    """Gathers the files that shall be replaced or removed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._moves: list[tuple[str, str | None]] = []

    def write(self, target: Path) -> Path:
        """Return a path to write to; the file there will take the place of ``target``."""
        beside = self.room(f"{len(self._moves)}-{target.name}")
        self.move(beside, target)
        return beside

    def room(self, name: str) -> Path:
        """Return a path to write to; the file there is gone after the change, unless it is
        moved."""
        beside = self._folder / _BESIDE / name
        beside.parent.mkdir(exist_ok=True)
        return beside

    def move(self, source: Path, target: Path) -> None:
        """Let a file of the folder, written by now or later, take the place of ``target``."""
        self._moves.append((self._relative(source), self._relative(target)))

    def remove(self, target: Path) -> None:
        """Remove a file of the folder, if it is there."""
        self._moves.append((self._relative(target), None))

    def commit(self) -> None:
        """Make the change."""
        for source, target in self._moves:
            if target is not None:
                with (self._folder / source).open("rb+") as written:
                    os.fsync(written.fileno())
        journal = json.dumps(self._moves).encode()
        try:
            _moves(self._folder, journal)
        except ArtifactError as error:
            raise ArtifactError(f"{self._folder} cannot be changed: {error}.") from None
        with replacing(self._folder / _BESIDE / _JOURNAL) as beside:
            beside.write_bytes(journal)
        try:
            _finish(self._folder)
        except OSError as error:  # no reason to say that nothing was changed
            _log.warning("%s is changed by whoever opens it next: %s", self._folder, error)

    def _relative(self, path: Path) -> str:
        return path.relative_to(self._folder).as_posix()


@contextmanager
def changing(folder: Path) -> Iterator[Transaction]:
    """Yield a transaction on the folder, and make the change if the block succeeds.

    Raises:
        BusyFolderError: another process has been changing the folder for a minute.
        StorageError: the disk is full, or nobody may write there; nothing has changed.
    """
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    with locked(folder), writing(folder):
        beside = folder / _BESIDE
        _remove(beside)
        try:
            transaction = Transaction(folder)
            yield transaction
            transaction.commit()
        except BaseException:
            if not (beside / _JOURNAL).exists():
                _remove(beside)  # or a disk that is full would stay so
            raise


@contextmanager
def reading(folder: Path) -> Iterator[None]:
    """Keep changes out of the folder while its files are opened.

    Raises:
        BusyFolderError: another process has been changing the folder for a minute.
    """
    if not folder.is_dir():
        yield
        return
    with ExitStack() as stack:
        try:
            stack.enter_context(locked(folder))
        except StorageError as error:
            if not is_about_storage(error.__cause__):
                raise  # where nobody may write, nobody changes anything
        yield


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep everybody else out of the folder, which must be there.

    Raises:
        BusyFolderError: another process has been changing the folder for a minute.
    """
    # One instance a path, so that a thread that holds the lock may take it again.
    lock = FileLock(folder / _LOCK, is_singleton=True)
    try:
        with writing(folder / _LOCK):
            lock.acquire(timeout=_WAIT)
    except Timeout:
        raise BusyFolderError(f"{folder} is being changed by another process; try again.") from None
    try:
        with writing(folder):
            _finish(folder)
        yield
    finally:
        lock.release()


def _finish(folder: Path) -> None:
    """Carry out what the journal says, again if a killed process has begun it already.

    The folder may be somebody else's: a journal that no change of ours can have written is set
    aside, and nothing outside the folder is ever touched.
    """
    beside = folder / _BESIDE
    journal = beside / _JOURNAL
    if not os.path.lexists(journal):
        return
    try:
        for source, target in _moves(folder, _read(journal)):
            if target is None:
                (folder / source).unlink(missing_ok=True)
            elif (folder / source).exists():
                (folder / target).parent.mkdir(parents=True, exist_ok=True)
                (folder / source).replace(folder / target)
    except ArtifactError as error:
        unusable = folder / _UNUSABLE
        _remove(unusable)
        beside.rename(unusable)
        _log.warning(
            "%s cannot be carried out: %s. It is set aside in %s, which you may delete; the "
            "folder is taken as it is.",
            journal,
            error,
            unusable,
        )
        return
    journal.unlink()
    _remove(beside)


def _read(journal: Path) -> bytes:
    if journal.parent.is_symlink() or journal.is_symlink() or not journal.is_file():
        raise ArtifactError("it is no file of the folder")
    with journal.open("rb") as file:
        return file.read(_MAX_JOURNAL + 1)


def _moves(folder: Path, journal: bytes) -> list[tuple[str, str | None]]:
    """What a journal says; raises ArtifactError unless it names files of the folder, each once."""
    if len(journal) > _MAX_JOURNAL:
        raise ArtifactError(f"it has more than {_MAX_JOURNAL:,} bytes")
    try:
        moves = [(source, target) for source, target in _list(json.loads(journal))]
        names = [Path(name) for move in moves for name in move if name is not None]
        if any(source is None for source, _ in moves):
            raise ValueError
        if any("\0" in str(name) or len(name.parts) > _MAX_DEPTH for name in names):
            raise ValueError
        parents = {parent: _is_within(folder, folder / parent) for parent in _parents(names)}
        for name in names:
            os.fsencode(name)
            if name.is_absolute() or ".." in name.parts or not parents[name.parent]:
                raise ArtifactError(f"{str(name)!r} is not inside the folder")
            path = folder / name
            if name in (Path(_LOCK), Path(_BESIDE, _JOURNAL)) or (
                path.is_dir() and not path.is_symlink()
            ):
                raise ArtifactError(f"{str(name)!r} is no file that changes")
    except (OSError, ValueError, TypeError, LookupError, RecursionError):
        raise ArtifactError("it is no list of pairs of files") from None
    # A link that is put in the place of a folder would lead the moves after it outside.
    if len(set(names)) < len(names) or set(names) & parents.keys():
        raise ArtifactError("it names a file twice, or one in another")
    return moves


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise TypeError
    return value


def _parents(names: Iterable[Path]) -> set[Path]:
    return {parent for name in names for parent in name.parents}


def _is_within(folder: Path, path: Path) -> bool:
    """Whether a folder lies in another, or would, links followed; no file may be in its place."""
    there = next(one for one in (path, *path.parents) if os.path.lexists(one))
    return there.is_dir() and path.resolve().is_relative_to(folder.resolve())


def _remove(folder: Path) -> None:
    """Remove a folder, or a link or a file in its place."""
    if folder.is_symlink() or folder.is_file():
        folder.unlink()
    else:
        shutil.rmtree(folder, ignore_errors=True)
