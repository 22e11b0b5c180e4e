"""Several files of one folder are changed together or not at all, by one process at a time.

What shall be there is written beside; then a journal names what goes where, and from that moment
the change is made: whoever opens the folder next finishes what a killed process left.
"""

import errno
import json
import logging
import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from itadaki.errors import BusyFolderError
from itadaki.files import write_json

_LOCK, _BESIDE, _JOURNAL = ".lock", ".change", "journal.json"
_WAIT = 60.0
"""Seconds that one waits for another; a change itself takes about one."""
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
        write_json(self._folder / _BESIDE / _JOURNAL, self._moves)
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
    """
    folder.mkdir(parents=True, exist_ok=True)
    with locked(folder):
        shutil.rmtree(folder / _BESIDE, ignore_errors=True)
        transaction = Transaction(folder)
        yield transaction
        transaction.commit()


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
        except OSError as error:
            if error.errno not in (errno.EACCES, errno.EPERM, errno.EROFS):
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
        lock.acquire(timeout=_WAIT)
    except Timeout:
        raise BusyFolderError(f"{folder} is being changed by another process; try again.") from None
    try:
        _finish(folder)
        yield
    finally:
        lock.release()


def _finish(folder: Path) -> None:
    """Carry out what the journal says, again if a killed process has begun it already."""
    journal = folder / _BESIDE / _JOURNAL
    try:
        moves = json.loads(journal.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return
    for source, target in moves:
        if target is None:
            (folder / source).unlink(missing_ok=True)
        elif (folder / source).exists():
            (folder / target).parent.mkdir(parents=True, exist_ok=True)
            (folder / source).replace(folder / target)
    journal.unlink()
    shutil.rmtree(folder / _BESIDE, ignore_errors=True)
