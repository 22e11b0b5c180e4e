"""Reads what strangers wrote, in a process of its own that is ended when a file costs too much.

Parsers of HTML, YAML and Markdown take minutes, gigabytes or the whole stack for small texts that
are made for it, and nothing inside one process ends such a call. So a child reads the files, one
after the other. The system ends it, whatever it is at, when it has used too much processor time
(not on Windows) or memory (on Linux), and a timer of its own when it has taken too long. The file
that it was at is then listed, and another child reads the next one.
"""

import faulthandler
import math
import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import IO, Any

from itadaki.errors import CollectionError, ItadakiError, reason
from itadaki.importing import (
    archive,
    cooklang,
    json_file,
    krecipes,
    markdown,
    meal_master,
    mela,
    page,
    paprika,
    table,
    text,
)
from itadaki.importing.budget import Budget, RefusedError
from itadaki.importing.found import Found, Photos, Unusable
from itadaki.interrupt import ends_with_us

MAX_MEMORY = 2_000_000_000
"""Bytes of address space that the child may take; only Linux holds it to that."""
SECONDS, SECONDS_PER_MB = 10, 10
"""Processor time that a file may take, and how much more for each megabyte of it."""
_PATIENCE = 6  # times as long may it take where others use the processor, too, or on Windows

_OUT_OF_TIME, _OUT_OF_MEMORY = 1, 3  # the former is faulthandler's

_Read = Callable[[Path, str, Photos], Iterator[Found | Unusable]]
_READERS: dict[str, tuple[_Read, int]] = {
    ".html": (page.read_page, 30),
    ".htm": (page.read_page, 30),
    ".xhtml": (page.read_page, 30),
    ".json": (json_file.read, 50),
    ".jsonld": (json_file.read, 50),
    ".paprikarecipe": (paprika.read, 50),
    ".md": (markdown.read, 1),
    ".markdown": (markdown.read, 1),
    ".cook": (cooklang.read, 1),
    ".kreml": (krecipes.read, 50),
    ".melarecipe": (mela.read, 50),
    ".mmf": (meal_master.read, 10),
    ".mm": (meal_master.read, 10),
    ".txt": (meal_master.read, 10),
    ".csv": (table.read, 200),
    ".tsv": (table.read, 200),
}
"""What reads a file, and how many megabytes it may have."""


def reads(path: Path) -> bool:
    """Whether a file's name says that recipes may be read from it."""
    return path.suffix.lower() in _READERS


class Reader:
    """Unpacks archives and reads files in a child process, within a budget.

    Use it as a context manager.
    """

    def __init__(self, workspace: Path, budget: Budget) -> None:
        self._workspace, self._budget = workspace, budget
        self._child: subprocess.Popen[bytes] | None = None
        self._until_end = ExitStack()

    def __enter__(self) -> "Reader":
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def read(self, path: Path, root: Path) -> Iterator[Found | Unusable]:
        """The recipes of a file, and what there is in their place."""
        origin = path.relative_to(root).as_posix()
        try:
            size = path.stat().st_size
            _, limit = _READERS[path.suffix.lower()]
            if size > limit * 1_000_000:
                yield Unusable(origin, f"it is larger than {limit} MB")
                return
            yield from self._ask(_read, size, path, origin, root, self._workspace)
        except (_ChildEndedError, OSError) as error:
            yield Unusable(origin, reason(error))

    def unpack(self, path: Path, folder: Path) -> Iterator[Unusable | None]:
        """Unpack an archive as ``archive.unpack`` does; raises CollectionError as that does."""
        try:
            yield from self._ask(archive.unpack, path.stat().st_size, path, folder)
        except (_ChildEndedError, OSError) as error:
            raise CollectionError(f"{path.name} cannot be unpacked: {reason(error)}.") from None

    def _ask(self, function: Callable[..., Any], size: int, *arguments: Any) -> Iterator[Any]:
        child = self._child
        if child is None:
            child = self._child = _start()
            self._until_end.enter_context(ends_with_us(child))
        assert child.stdin and child.stdout
        seconds = SECONDS + SECONDS_PER_MB * size // 1_000_000
        try:
            _send(child.stdin, (function, seconds, self._budget, *arguments))
            while True:
                answer = pickle.load(child.stdout)
                if isinstance(answer, Budget):
                    self._budget = answer
                    return
                if isinstance(answer, Exception):
                    raise answer
                yield answer
        except (EOFError, BrokenPipeError, pickle.UnpicklingError):
            code = child.wait()
            self._end()
            if code == -getattr(signal, "SIGXCPU", 0):
                why = f"it takes more than {seconds} seconds of processor time"
            elif code == _OUT_OF_TIME:
                why = f"it takes more than {_PATIENCE * seconds} seconds"
            elif code == _OUT_OF_MEMORY:
                why = f"it takes more than {MAX_MEMORY / 1e9:.0f} GB of memory"
            else:
                why = "it breaks the program that reads it"
            raise _ChildEndedError(why) from None

    def _end(self) -> None:
        self._child = None
        self._until_end.close()


class _ChildEndedError(Exception):
    """The child has ended at a file; the message is a clause that says why."""


def _start() -> subprocess.Popen[bytes]:
    """A child that is ready."""
    child = subprocess.Popen(
        # Without -P modules would also be looked for in the working directory.
        [sys.executable, "-P", "-c", f"from {__name__} import serve; serve({MAX_MEMORY})"],
        env=os.environ
        | {
            "PYTHONPATH": os.pathsep.join(path or str(Path.cwd()) for path in sys.path),
            # Each of its threads would reserve memory that is never used.
            "OPENBLAS_NUM_THREADS": "1",
        },
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert child.stdout
    try:
        pickle.load(child.stdout)
    except (EOFError, pickle.UnpicklingError):
        said = child.communicate()[1].decode(errors="replace").strip() or "it says nothing"
        raise ItadakiError(
            f"The process that reads recipes does not start: {said.splitlines()[-1]}"
        ) from None
    return child


def serve(memory: int) -> None:
    """What the child does: answer what comes in on its standard input until that ends.

    Args:
        memory: bytes of address space that it may take.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # its parent hears that, too, and ends it
    answers = os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 1)
    _limit("AS", memory)
    _limit("CORE", 0)
    sys.addaudithook(_refuse_network)
    _send(answers, "ready")
    os.dup2(nothing, 2)
    while True:
        try:
            function, seconds, budget, *arguments = pickle.load(sys.stdin.buffer)
        except EOFError:
            return
        faulthandler.dump_traceback_later(_PATIENCE * seconds, exit=True, file=nothing)
        _limit("CPU", math.ceil(time.process_time()) + seconds)
        try:
            for item in function(*arguments, budget):
                _send(answers, item)
        except CollectionError as error:
            _send(answers, error)
        except MemoryError:
            os._exit(_OUT_OF_MEMORY)
        else:
            _send(answers, budget)
        faulthandler.cancel_dump_traceback_later()


def _refuse_network(event: str, _: tuple[Any, ...]) -> None:
    """Let no parser fetch what a file names; to refuse it here refuses it to all of them."""
    if event.startswith(("socket.", "subprocess.", "os.exec", "os.system", "os.posix_spawn")):
        raise PermissionError("What reads a file neither fetches nor starts anything.")


def _send(stream: IO[bytes], message: Any) -> None:
    pickle.dump(message, stream)
    stream.flush()


def _limit(what: str, most: int) -> None:
    """Set one of the system's limits of this process, if there is such."""
    try:
        import resource

        kind = getattr(resource, f"RLIMIT_{what}")
        _, hard = resource.getrlimit(kind)
        resource.setrlimit(
            kind, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard)
        )
    except (ImportError, ValueError, OSError):
        return  # on Windows


def _read(
    path: Path, origin: str, root: Path, workspace: Path, budget: Budget
) -> Iterator[Found | Unusable]:
    reader, _ = _READERS[path.suffix.lower()]
    photos = _photos(root, workspace)
    photos.budget = budget
    try:
        for item in reader(path, origin, photos):
            yield _repaired(item) if isinstance(item, Found) and not item.literal else item
    except RefusedError as error:
        yield Unusable(origin, str(error))
    except RecursionError:
        yield Unusable(origin, "it is nested too deeply")
    except MemoryError:
        raise
    except Exception as error:  # a file may hold anything in the place of anything
        yield Unusable(origin, f"it cannot be read: {reason(error)}")


def _repaired(found: Found) -> Found:
    return replace(
        found,
        title=text.repaired(found.title),
        ingredients=[text.repaired(line) for line in found.ingredients],
        instructions=text.repaired(found.instructions),
        keywords=[text.repaired(keyword) for keyword in found.keywords],
        servings=text.repaired(found.servings),
        author=text.repaired(found.author),
    )


@cache
def _photos(root: Path, workspace: Path) -> Photos:
    return Photos(root, workspace)
