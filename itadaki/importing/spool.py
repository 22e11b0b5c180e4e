"""A list on disk, for sources with more recipes than memory should hold."""

import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any


class Spool:
    """Keeps what is appended in a file of our own, and gives it back in order; once it is read,
    nothing can be appended any more."""

    def __init__(self, path: Path) -> None:
        self._path, self._count = path, 0
        self._file = path.open("wb")

    def append(self, item: Any) -> None:
        """Keep an item."""
        pickle.dump(item, self._file)
        self._count += 1

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Any]:
        self._file.close()  # Windows removes no open file
        with self._path.open("rb") as file:
            for _ in range(self._count):
                yield pickle.load(file)
