"""Ctrl-C, and SIGTERM, end a command at once, whatever it is in the middle of.

An exception in the main thread would not do: it waits for C code to return and for pools to end
their work, and libraries swallow it. A thread of its own ends the process, which is safe because
every file is written beside and renamed: what is done is kept, and what is half done is removed.
"""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

_SAID = (
    "\nitadaki: interrupted; run the same command again: builds, training and setup go on from "
    "what is done, everything else begins anew.\n"
)
_DEFAULTS: dict[int, Callable[[int, FrameType | None], object] | signal.Handlers] = {
    signal.SIGINT: signal.default_int_handler,
    signal.SIGTERM: signal.SIG_DFL,
}
_temporary: set[Path] = set()
_children: set["subprocess.Popen[bytes]"] = set()
_waker: socket.socket | None = None
_retired: list[socket.socket] = []  # open, because an event loop puts back what it replaced


@contextmanager
def temporary(path: Path) -> Iterator[Path]:
    """Remove a file or a folder when the block ends, or when a signal ends the process in it."""
    _temporary.add(path)
    try:
        yield path
    finally:
        _remove(path)
        _temporary.discard(path)


@contextmanager
def temporary_folder(prefix: str, beside: Path | None = None) -> Iterator[Path]:
    """A new folder, in ``beside`` or where the system keeps such; see ``temporary``."""
    with temporary(Path(tempfile.mkdtemp(prefix=prefix, dir=beside))) as folder:
        yield folder


@contextmanager
def ends_with_us(child: "subprocess.Popen[bytes]") -> Iterator[None]:
    """Kill a child when the block ends, or when a signal ends this process in it: before what is
    temporary is removed, or it would write on."""
    _children.add(child)
    try:
        yield
    finally:
        _children.discard(child)
        child.kill()
        child.communicate()


def watch() -> None:
    """Let signals end this process from now on; to be called by its main thread."""
    global _waker
    woken, _waker = socket.socketpair()
    _waker.setblocking(False)
    for number in _DEFAULTS:
        if signal.getsignal(number) != signal.SIG_IGN:  # as a shell sets it for what runs behind
            signal.signal(number, end_process)
    # Python's own handlers run between two steps of the main thread; this writes at once.
    signal.set_wakeup_fd(_waker.fileno(), warn_on_full_buffer=False)
    threading.Thread(target=_wait, args=(woken,), daemon=True).start()


def default_handlers() -> None:
    """Let a server put its own handlers in; until ``unwatch`` a signal still ends the process."""
    for number, handler in _DEFAULTS.items():
        if signal.getsignal(number) is end_process:
            signal.signal(number, handler)


def unwatch() -> None:
    """Let signals do again what they do by default, or what others have set them to."""
    global _waker
    if _waker is None:
        return
    default_handlers()
    other = signal.set_wakeup_fd(-1)
    if other != _waker.fileno():
        signal.set_wakeup_fd(other)  # an event loop's
    _retired.append(_waker)
    _waker = None


def end_process(number: int, frame: FrameType | None = None) -> None:
    """As a signal's handler: end the process, and keep the main thread from going on meanwhile."""
    if _waker is not None:  # an event loop may have taken the place of ours
        _waker.send(bytes([number]))
    while True:
        time.sleep(1)


def _hold() -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, _DEFAULTS)


def _release() -> None:
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _DEFAULTS)


def _forget() -> None:
    """In a forked child, whose signals must neither end the parent nor wait for its thread."""
    unwatch()
    _temporary.clear()
    _children.clear()
    _release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_hold, after_in_parent=_release, after_in_child=_forget)


def _wait(woken: socket.socket) -> None:
    while number := woken.recv(1):
        if number[0] in _DEFAULTS and _waker is not None:
            _end(number[0])


def _end(number: int) -> None:
    try:
        os.write(2, _SAID.encode())
        for child in list(_children):
            child.kill()
            child.wait()
        for path in list(_temporary):
            _remove(path)
    finally:
        os._exit(128 + number)


def _remove(path: Path) -> None:
    for _ in range(3):  # a thread may still be writing into a folder
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            with suppress(OSError):  # where nothing may be written, there is nothing either
                path.unlink()
        if not path.exists():
            return
