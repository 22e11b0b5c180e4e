"""Embedding photos in bulk, on the cores of this machine."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from itadaki.cores import usable_cores
from itadaki.errors import ImageError
from itadaki.photos.images import load_input

if TYPE_CHECKING:
    from itadaki.models.embedder import Embedder

BATCH_SIZE = 8
"""Photos per step of a build; each core takes a step of its own, photo by photo."""

Embedded = tuple[list[int], np.ndarray, dict[int, ImageError]]
"""Which photos decode, their embeddings (float32, one row each), and the others' errors."""


def embed_batch(photos: Sequence[Path | bytes], embedder: "Embedder") -> Embedded:
    """Embed a few photos at once; those that do not decode are told by their places."""
    inputs, failures = {}, {}
    for index, photo in enumerate(photos):
        try:
            inputs[index] = load_input(photo)
        except ImageError as error:
            failures[index] = error
    if not inputs:
        return [], np.empty((0, embedder.dimension), np.float32), failures
    return list(inputs), embedder.embed(np.stack(list(inputs.values())), alone=False), failures


def embed_photos(
    photos: Sequence[Path | bytes], embedder: "Embedder", batch_size: int = BATCH_SIZE
) -> Iterator[Embedded]:
    """Embed photos in small batches, one batch per core at a time; yields each batch in order."""

    def embed(start: int) -> Embedded:
        indices, rows, failures = embed_batch(photos[start : start + batch_size], embedder)
        failures = {start + index: error for index, error in failures.items()}
        return [start + index for index in indices], rows, failures

    pool = ThreadPoolExecutor(usable_cores())
    try:
        yield from pool.map(embed, range(0, len(photos), batch_size))
    finally:
        pool.shutdown(cancel_futures=True)
