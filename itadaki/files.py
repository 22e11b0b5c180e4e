"""Writing, hashing and reading artifact files safely."""

import hashlib
import io
import json
import os
import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from itadaki.errors import ArtifactError, reason
from itadaki.interrupt import temporary

if TYPE_CHECKING:
    import pandas as pd


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a path beside ``path`` to write to; rename it over ``path`` when the block succeeds.

    A crash or an exception leaves the old file as it was.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # The suffix is kept at the end because Keras and NumPy choose their format by it.
    beside = path.with_name(f".{os.getpid()}.{path.name}")
    with temporary(beside):
        yield beside
        with beside.open("rb+") as written:
            os.fsync(written.fileno())
        beside.replace(path)


def write_json(path: Path, value: Any) -> None:
    """Write ``value`` as indented JSON, atomically."""
    with replacing(path) as beside:
        beside.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file's bytes as 64 hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def note_derived(path: Path, source: str, **facts: Any) -> dict[str, Any]:
    """Note beside a file which source it was made from, by the source's hash, and more."""
    noted = {"source": source, "sha256": sha256_of(path), **facts}
    write_json(_note(path), noted)
    return noted


def derived_facts(path: Path) -> dict[str, Any] | None:
    """What was noted of a derived file; None if nothing was, or if the file has changed since."""
    try:
        facts = json.loads(_note(path).read_text(encoding="utf-8"))
        return facts if facts["sha256"] == sha256_of(path) else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _note(path: Path) -> Path:
    return path.with_name(path.name + ".json")


class _RestrictedUnpickler(pickle.Unpickler):
    """Refuses every global that is not allowed, so that unpickling cannot run code; builtin
    containers need none."""

    def __init__(self, content: bytes, allowed: frozenset[tuple[str, str]]) -> None:
        super().__init__(io.BytesIO(content))
        self._allowed = allowed

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in self._allowed:
            raise pickle.UnpicklingError(f"it refers to {module}.{name}")
        return super().find_class(module, name)


# What pandas 2.2 to 3 and NumPy 1.26 to 2, with PyArrow or without, write of a table of numbers,
# strings and lists.
_OF_A_DATAFRAME = frozenset(
    {
        ("builtins", "bytearray"),
        ("builtins", "slice"),
        ("numpy", "dtype"),
        ("numpy", "ndarray"),
        ("pandas", "DataFrame"),
        ("pandas", "Index"),
        ("pandas", "RangeIndex"),
        ("pandas", "StringDtype"),
        ("pandas._libs.arrays", "__pyx_unpickle_NDArrayBacked"),
        ("pandas._libs.internals", "_unpickle_block"),
        ("pandas.arrays", "ArrowStringArray"),
        ("pandas.arrays", "StringArray"),
        ("pandas.core.frame", "DataFrame"),
        ("pandas.core.indexes.base", "Index"),
        ("pandas.core.indexes.base", "_new_Index"),
        ("pandas.core.indexes.range", "RangeIndex"),
        ("pandas.core.internals.managers", "BlockManager"),
        ("pyarrow.lib", "_restore_array"),
        ("pyarrow.lib", "chunked_array"),
        ("pyarrow.lib", "py_buffer"),
        ("pyarrow.lib", "type_for_alias"),
        *(
            (f"numpy.{core}.{module}", name)
            for core in ("core", "_core")
            for module, name in (("multiarray", "_reconstruct"), ("numeric", "_frombuffer"))
        ),
    }
)


def load_builtin_pickle(path: Path) -> Any:
    """Read a pickle of plain builtin types (dict, list, str, int, float, bool, None).

    Raises:
        ArtifactError: the file is damaged, or refers to any class or function.
    """
    return _load_pickle(_read(path), path, frozenset())


def load_dataframe_pickle(path: Path, sha256: str) -> "pd.DataFrame":
    """Read a pickle of a pandas table, if it is the one that is meant.

    Raises:
        ArtifactError: the file has another hash, or refers to what no plain table needs.
    """
    content = _read(path)
    if hashlib.sha256(content).hexdigest() != sha256:
        raise ArtifactError(f"{path} was changed.")
    return _load_pickle(content, path, _OF_A_DATAFRAME)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ArtifactError(f"{path} cannot be read: {reason(error)}.") from None


def _load_pickle(content: bytes, path: Path, allowed: frozenset[tuple[str, str]]) -> Any:
    try:
        return _RestrictedUnpickler(content, allowed).load()
    except Exception as error:  # hostile bytes make the unpickler raise almost anything
        raise ArtifactError(f"{path} is not a file that Itadaki wrote: {reason(error)}.") from None


def dump_builtin_pickle(path: Path, value: Any) -> None:
    """Write plain builtin types as a pickle, atomically."""
    with replacing(path) as beside:
        beside.write_bytes(pickle.dumps(value, protocol=4))
