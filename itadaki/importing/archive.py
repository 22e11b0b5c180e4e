"""Unpacks archives from strangers: nothing outside the folder, no links, no bombs."""

import bz2
import errno
import gzip
import lzma
import re
import shutil
import stat
import sys
import tarfile
import unicodedata
import zipfile
from collections.abc import Callable, Iterator
from io import BufferedIOBase
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import IO, cast

from itadaki.errors import CollectionError, reason
from itadaki.importing.budget import Budget, OverBudgetError, RefusedError
from itadaki.importing.found import Unusable
from itadaki.importing.text import name_encoding

_MAX_DEPTH = 100
_MAX_NAME = 1000  # characters; to compose more is slow
_SAYS_UTF8 = 0x800
_CHUNK = 1 << 20
_PER_FILE = 2048  # bytes of a tar for a file's header, its long name and what fills blocks up
_OPENERS: dict[bytes, Callable[[Path], BufferedIOBase]] = {
    b"\x1f\x8b": gzip.open,
    b"BZh": bz2.open,
    b"\xfd7zXZ\x00": lzma.open,
}
_OF_THE_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.EACCES)


def is_archive(path: Path) -> bool:
    """Whether a file is a zip or tar archive, by its name and content."""
    name = path.name.lower()
    if name.endswith((".tar", ".tgz", ".tbz", ".tbz2", ".txz", ".tar.gz", ".tar.bz2", ".tar.xz")):
        return True
    return name.endswith((".zip", ".paprikarecipes", ".melarecipes")) or (
        not path.suffix and zipfile.is_zipfile(path)
    )


def unpack(archive: Path, folder: Path, budget: Budget) -> Iterator[Unusable | None]:
    """Unpack an archive into a new folder, and the zips in it too, as Tandoor nests them.

    Yields:
        What of it cannot be unpacked while the rest can, and None for each file that is.

    Raises:
        CollectionError: the archive is damaged, asks for a password, would write outside the
            folder, holds a link or a device, or is out of all proportion.
    """
    try:
        yield from _unpack(archive, folder, budget)
        for inner in sorted(folder.rglob("*.zip")):
            if zipfile.is_zipfile(inner):
                beside = inner.with_name(f"{inner.name}.unpacked")
                try:
                    yield from _unpack(inner, beside, budget)
                except (OverBudgetError, MemoryError):
                    raise
                except Exception as error:
                    shutil.rmtree(beside, ignore_errors=True)
                    yield Unusable(
                        inner.relative_to(folder).as_posix(), f"not unpacked: {reason(error)}"
                    )
                inner.unlink()
                if beside.exists():
                    beside.rename(inner)
    except RefusedError as error:
        raise CollectionError(f"{archive.name} is not unpacked: {error}.") from None
    except MemoryError:
        raise
    except Exception as error:  # damaged bytes make the readers of archives raise almost anything
        raise CollectionError(f"{archive.name} cannot be unpacked: {reason(error)}.") from None


def _unpack(archive: Path, folder: Path, budget: Budget) -> Iterator[Unusable | None]:
    members = _zip_members if zipfile.is_zipfile(archive) else _tar_members
    folder.mkdir(parents=True)
    for name, content in members(archive, budget):
        # macOS writes é as two characters, and what names a file writes it as one.
        name = unicodedata.normalize("NFC", name[:_MAX_NAME]) + name[_MAX_NAME:]
        path = PurePosixPath(name.replace("\\", "/"))
        if path.is_absolute() or ".." in path.parts or re.match("[A-Za-z]:[/\\\\]", name):
            raise RefusedError(f"{name[:300]!r} leads out of it")
        budget.count_file()
        if why := _why_no_name(path):
            yield Unusable(name, why)
            continue
        try:
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            file = target.open("xb")
        except OSError as error:
            if error.errno in _OF_THE_DISK:
                raise
            yield Unusable(name, f"it cannot be unpacked: {reason(error)}")
            continue
        with file:
            while chunk := content.read(_CHUNK):
                budget.count(len(chunk))
                file.write(chunk)
        yield None


def _why_no_name(path: PurePosixPath) -> str | None:
    if not path.name:
        return "it has no name"
    if "\0" in str(path):
        return "no file can have its name"
    if len(path.parts) > _MAX_DEPTH:
        return f"it lies more than {_MAX_DEPTH} folders deep"
    if sys.platform == "win32" and (":" in str(path) or PureWindowsPath(path).is_reserved()):
        return "Windows has no such names"
    return None


def _zip_members(archive: Path, budget: Budget) -> Iterator[tuple[str, IO[bytes]]]:
    with zipfile.ZipFile(archive) as file:
        infos = file.infolist()
        # Few programs that do not say UTF-8 mean the code page for which zipfile takes that.
        unsaid = [info for info in infos if not info.flag_bits & _SAYS_UTF8]
        names = [info.filename.encode("cp437", "replace") for info in unsaid]
        encoding = name_encoding(b"\n".join(names))
        readable = {
            info.header_offset: name.decode(encoding, "replace")
            for info, name in zip(unsaid, names, strict=True)
        }
        for info in infos:
            # ZipInfo.is_dir() of Python 3.11 fails if there is no name.
            if info.filename.endswith("/"):
                continue
            kind = stat.S_IFMT(info.external_attr >> 16)
            if kind not in (0, stat.S_IFREG):
                raise RefusedError(f"{info.filename[:300]!r} is a link or a device")
            with file.open(info) as content:
                yield readable.get(info.header_offset, info.filename), content


def _tar_members(archive: Path, budget: Budget) -> Iterator[tuple[str, IO[bytes]]]:
    with archive.open("rb") as raw:
        head = raw.read(6)
    opener = next((o for magic, o in _OPENERS.items() if head.startswith(magic)), None)
    with (
        opener(archive) if opener else archive.open("rb") as stream,
        # Of a stream nothing is asked but to be read.
        tarfile.open(fileobj=cast(IO[bytes], _Bounded(stream, budget)), mode="r|") as file,
    ):
        for info in file:
            if info.isdir():
                continue
            content = file.extractfile(info) if info.isreg() else None
            if content is None:
                raise RefusedError(f"{info.name[:300]!r} is a link or a device")
            yield info.name, content


class _Bounded:
    """A decompressed stream of which no more is read than an archive may hold.

    tarfile reads some headers whole, whatever length they claim to have.
    """

    def __init__(self, stream: BufferedIOBase, budget: Budget) -> None:
        self._stream, self._left = stream, budget.size + _PER_FILE * budget.files

    def read(self, size: int) -> bytes:
        if size > self._left:
            raise RefusedError("it unpacks to far more than it should")
        chunk = self._stream.read(size)
        self._left -= len(chunk)
        return chunk
