"""Writing, hashing and reading artifact files safely."""

import hashlib
import io
import json
import os
import pickle
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from itadaki.errors import ArtifactError, ItadakiError, StorageError, reason, storage_error
from itadaki.interrupt import temporary

_LITTLE, _LARGE = 1 << 16, 1 << 24


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a path beside ``path`` to write to; rename it over ``path`` when the block succeeds.

    A crash or an exception leaves the old file as it was.

    Raises:
        StorageError: the disk is full, or nobody may write there.
    """
    # The suffix is kept at the end because Keras and NumPy choose their format by it.
    beside = path.with_name(f".{os.getpid()}.{path.name}")
    with temporary(beside), writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        yield beside
        with beside.open("rb+") as written:
            os.fsync(written.fileno())
        beside.replace(path)


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Around what writes a file, or files of a folder: a refusal of the system becomes a sentence.

    Raises:
        StorageError: the disk is full, or nobody may write there.
    """
    try:
        yield
    except ItadakiError:
        raise
    except Exception as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise storage_error(error, None if error.filename else path) from error
        # NumPy, USearch and HDF5 keep the reason to themselves.
        refusal = _refusal(path if path.is_dir() else path.parent)
        if refusal is None:
            raise
        raise storage_error(refusal, path) from refusal


def _refusal(folder: Path) -> OSError | None:
    """Why a little file cannot be written into a folder; None if it can."""
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(bytes(_LITTLE))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        return error
    return None


def mapped_for_writing(
    path: Path, dtype: DTypeLike | None = None, shape: tuple[int, ...] | None = None
) -> np.memmap:
    """Map an array in a file for writing, once the disk has given it all its room.

    Writing to a map that the disk has no room for ends the process (SIGBUS).

    Args:
        path: the file; without a shape it must hold an array.
        dtype: of a new array.
        shape: of a new array, which takes the file's place.

    Raises:
        StorageError: there is no room; a new file is removed.
    """
    mode = "r+" if shape is None else "w+"
    try:
        with writing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            array = np.lib.format.open_memmap(path, mode=mode, dtype=dtype, shape=shape)
            size = path.stat().st_size
            with path.open("rb+") as file:
                if hasattr(os, "posix_fallocate"):
                    os.posix_fallocate(file.fileno(), 0, size)
                elif shape is not None:
                    file.seek(size - array.nbytes)
                    for start in range(0, array.nbytes, _LARGE):
                        file.write(bytes(min(_LARGE, array.nbytes - start)))
    except StorageError:
        if shape is not None:
            with suppress(OSError):
                path.unlink()
        raise
    return array


def open_array(path: Path, mapped: bool = True) -> np.ndarray:
    """Open an array in a ``.npy`` file, as a memory map or in memory.

    Raises:
        ArtifactError: the file is missing or damaged.
    """
    try:
        array: np.ndarray = np.load(path, mmap_mode="r" if mapped else None, allow_pickle=False)
    except Exception as error:  # NumPy takes what is no array for an archive or for a pickle
        raise ArtifactError(f"{path} holds no array: {error}.") from None
    return array


def write_json(path: Path, value: Any) -> None:
    """Write ``value`` as indented JSON, atomically."""
    with replacing(path) as beside:
        beside.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def read_json_object(path: Path) -> dict[str, Any]:
    """Read a JSON file that holds an object.

    Raises:
        ArtifactError: it is missing or damaged, or holds something else.
    """
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no JSON"
        raise ArtifactError(f"{path} cannot be read: {reason}.") from None
    if not isinstance(value, dict):
        raise ArtifactError(f"{path} cannot be read: it holds no JSON object.")
    return value


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file's bytes as 64 hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def note_derived(path: Path, source: str, **facts: Any) -> dict[str, Any]:
    """Note beside a file which source it was made from, by the source's hash, and more."""
    noted = {"source": source, "sha256": sha256_of(path), **facts}
    try:
        write_json(_note(path), noted)
    except StorageError:
        path.unlink()  # without its note it would only take the room that there is too little of
        raise
    return noted


def derived_facts(path: Path) -> dict[str, Any] | None:
    """What was noted of a derived file; None if nothing was, or if the file has changed since."""
    try:
        facts = read_json_object(_note(path))
        return facts if facts.get("sha256") == sha256_of(path) else None
    except (OSError, ArtifactError):
        return None


def _note(path: Path) -> Path:
    return path.with_name(path.name + ".json")


class _RestrictedUnpickler(pickle.Unpickler):
    """Refuses every class and function, so that unpickling cannot run code; builtin containers,
    strings and numbers need none."""

    def find_class(self, module: str, name: str) -> Any:
        raise pickle.UnpicklingError(f"it refers to {module}.{name}")


def load_builtin_pickle(path: Path) -> Any:
    """Read a pickle of plain builtin types (dict, list, str, int, float, bool, None).

    Raises:
        ArtifactError: the file is damaged, or refers to any class or function.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ArtifactError(f"{path} cannot be read: {reason(error)}.") from None
    try:
        return _RestrictedUnpickler(io.BytesIO(content)).load()
    except Exception as error:  # hostile bytes make the unpickler raise almost anything
        raise ArtifactError(f"{path} is not a file that Itadaki wrote: {reason(error)}.") from None


def dump_builtin_pickle(path: Path, value: Any) -> None:
    """Write plain builtin types as a pickle, atomically."""
    with replacing(path) as beside:
        beside.write_bytes(pickle.dumps(value, protocol=4))
