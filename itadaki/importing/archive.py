"""Unpacks archives from strangers: nothing outside the folder, no links, no bombs."""

import bz2
import gzip
import lzma
import shutil
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO

from itadaki.errors import CollectionError, reason

_MAX_FILES = 100_000
_MAX_BYTES = 10_000_000_000
_MAX_RATIO = 100
"""Photos hardly shrink at all and texts ten times, bombs a thousand times."""
_ALWAYS_ALLOWED = 50_000_000
_CHUNK = 1 << 20
_OPENERS = {b"\x1f\x8b": gzip.open, b"BZh": bz2.open, b"\xfd7zXZ\x00": lzma.open}
_DAMAGED = (
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    OSError,
    NotImplementedError,
    RuntimeError,  # zipfile's word for a file that asks for a password
)


def is_archive(path: Path) -> bool:
    """Whether a file is a zip or tar archive, by its name and content."""
    name = path.name.lower()
    if name.endswith((".tar", ".tgz", ".tbz", ".tbz2", ".txz", ".tar.gz", ".tar.bz2", ".tar.xz")):
        return True
    return name.endswith((".zip", ".paprikarecipes")) or (
        not path.suffix and zipfile.is_zipfile(path)
    )


def unpack(archive: Path, folder: Path) -> Path:
    """Unpack an archive into a new folder, and the zips in it too, as Tandoor nests them.

    Returns:
        The folder.

    Raises:
        CollectionError: the archive is damaged, asks for a password, would write outside the
            folder, holds a link or a device, or is out of all proportion.
    """
    budget = _Budget(archive)
    try:
        _unpack(archive, folder, budget)
        for inner in sorted(folder.rglob("*.zip")):
            if zipfile.is_zipfile(inner):
                beside = inner.with_name(f"{inner.name}.unpacked")
                _unpack(inner, beside, budget)
                inner.unlink()
                beside.rename(inner)
    except _DAMAGED as error:
        raise CollectionError(f"{archive.name} cannot be unpacked: {reason(error)}.") from None
    return folder


def _unpack(archive: Path, folder: Path, budget: "_Budget") -> None:
    members = _zip_members if zipfile.is_zipfile(archive) else _tar_members
    folder.mkdir(parents=True)
    for name, content in members(archive, budget):
        path = PurePosixPath(name.replace("\\", "/"))
        if path.is_absolute() or ".." in path.parts or ":" in name.split("/")[0] or not path.name:
            raise budget.refused(f"{name!r} leads out of it")
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        budget.count_file()
        with target.open("xb") as file:
            while chunk := content.read(_CHUNK):
                budget.count(len(chunk))
                file.write(chunk)


def _zip_members(archive: Path, budget: "_Budget") -> Iterator[tuple[str, IO[bytes]]]:
    with zipfile.ZipFile(archive) as file:
        for info in file.infolist():
            if info.is_dir():
                continue
            kind = stat.S_IFMT(info.external_attr >> 16)
            if kind not in (0, stat.S_IFREG):
                raise budget.refused(f"{info.filename!r} is a link or a device")
            with file.open(info) as content:
                yield info.filename, content


def _tar_members(archive: Path, budget: "_Budget") -> Iterator[tuple[str, IO[bytes]]]:
    with archive.open("rb") as raw:
        head = raw.read(6)
    opener = next((o for magic, o in _OPENERS.items() if head.startswith(magic)), None)
    with (
        opener(archive) if opener else archive.open("rb") as stream,
        tarfile.open(fileobj=_Bounded(stream, budget), mode="r|") as file,
    ):
        for info in file:
            if info.isdir():
                continue
            content = file.extractfile(info) if info.isreg() else None
            if content is None:
                raise budget.refused(f"{info.name!r} is a link or a device")
            yield info.name, content


class _Budget:
    """What an archive may still unpack to."""

    def __init__(self, archive: Path) -> None:
        self._archive = archive
        self.bytes = min(_MAX_BYTES, _ALWAYS_ALLOWED + _MAX_RATIO * archive.stat().st_size)
        self.bytes = min(self.bytes, shutil.disk_usage(archive.parent).free)
        self._files = _MAX_FILES

    def count(self, size: int) -> None:
        self.bytes -= size
        if self.bytes < 0:
            raise self.refused("it unpacks to far more than it should")

    def count_file(self) -> None:
        self._files -= 1
        if self._files < 0:
            raise self.refused(f"it holds more than {_MAX_FILES:,} files")

    def refused(self, reason: str) -> CollectionError:
        return CollectionError(f"{self._archive.name} is not unpacked: {reason}.")


class _Bounded:
    """A decompressed stream of which no more is read than an archive may hold.

    tarfile reads some headers whole, whatever length they claim to have.
    """

    def __init__(self, stream: IO[bytes], budget: _Budget) -> None:
        self._stream, self._budget, self._left = stream, budget, budget.bytes + _ALWAYS_ALLOWED

    def read(self, size: int) -> bytes:
        if size > self._left:
            raise self._budget.refused("it unpacks to far more than it should")
        chunk = self._stream.read(size)
        self._left -= len(chunk)
        return chunk
