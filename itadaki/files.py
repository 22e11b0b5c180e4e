"""Writing, hashing and reading artifact files safely."""

import hashlib
import io
import json
import os
import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from itadaki.errors import ArtifactError


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a path beside ``path`` to write to; rename it over ``path`` when the block succeeds.

    A crash or an exception leaves the old file as it was.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # The suffix is kept at the end because Keras and NumPy choose their format by it.
    beside = path.with_name(f".{os.getpid()}.{path.name}")
    try:
        yield beside
        with beside.open("rb+") as written:
            os.fsync(written.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


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


class _BuiltinsUnpickler(pickle.Unpickler):
    """Refuses every global, so that unpickling cannot run code; builtin containers need none."""

    def find_class(self, module: str, name: str) -> Any:
        raise pickle.UnpicklingError(f"it refers to {module}.{name}")


def load_builtin_pickle(path: Path) -> Any:
    """Read a pickle of plain builtin types (dict, list, str, int, float, bool, None).

    Raises:
        ArtifactError: the file is damaged, or refers to any class or function.
    """
    try:
        return _BuiltinsUnpickler(io.BytesIO(path.read_bytes())).load()
    except FileNotFoundError:
        raise ArtifactError(f"{path} is missing.") from None
    except Exception as error:  # hostile bytes make the unpickler raise almost anything
        raise ArtifactError(f"{path} is not a metadata file of Itadaki: {error}.") from None


def dump_builtin_pickle(path: Path, value: Any) -> None:
    """Write plain builtin types as a pickle, atomically."""
    with replacing(path) as beside:
        beside.write_bytes(pickle.dumps(value, protocol=4))
