"""Folders for what is needed for a while only, which no killed process leaves for ever."""

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from itadaki.errors import ItadakiError
from itadaki.interrupt import temporary
from itadaki.storage.transaction import locked

_FOLDER, _RUN = ".work", "run-"


def clean_up(home: Path) -> None:
    """Remove what killed processes have left in ``home``, if any has."""
    shared = home / _FOLDER
    if any(shared.glob(f"{_RUN}*.lock")):
        with suppress(ItadakiError), locked(shared):
            _clean(shared)


def _clean(shared: Path) -> None:
    for left_behind in shared.glob(f"{_RUN}*.lock"):
        with suppress(Timeout), FileLock(left_behind, timeout=0):
            shutil.rmtree(left_behind.with_suffix(""), ignore_errors=True)
            with suppress(OSError):  # Windows removes no open file; then it is the next one's
                left_behind.unlink()


@contextmanager
def workspace(home: Path) -> Iterator[Path]:
    """Yield a new folder in ``home``, on its disk, which is gone after the block.

    A process holds a lock beside each folder of its own, which the system lets go however the
    process ends. Folders whose lock nobody holds any more are removed here, and nothing else is.

    Raises:
        BusyFolderError: another process has been making a folder for a minute.
    """
    shared = home / _FOLDER
    shared.mkdir(parents=True, exist_ok=True)
    with locked(shared):  # or a lock might be taken for left behind before it is held
        _clean(shared)
        ours = shared / f"{_RUN}{os.getpid()}-{secrets.token_hex(4)}"
        lock = FileLock(f"{ours}.lock")
        lock.acquire()
        ours.mkdir()
    try:
        with temporary(ours):
            yield ours
    finally:
        lock.release()
        Path(f"{ours}.lock").unlink(missing_ok=True)
