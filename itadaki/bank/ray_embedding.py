"""Embedding photos over Ray Data: many workers, on one machine or on a cluster.

Every machine must reach the model and the photos by the same paths, as on a shared disk.
"""

import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from itadaki.bank.bank import Embedded, embed_batch
from itadaki.errors import ImageError, missing_extra
from itadaki.models.embedder import Embedder

# Ray gives up after 30 seconds, which a busy machine needs.
os.environ.setdefault("RAY_raylet_start_wait_time_s", "180")

with missing_extra("ray"):
    import ray
    from ray.data import ActorPoolStrategy, DataContext

_OBJECT_STORE = 256 * 2**20


class _Worker:
    """Loads the model once and embeds batch after batch."""

    def __init__(self, model: Path, sha256: str) -> None:
        self._embedder = Embedder(model, sha256)

    def __call__(self, batch: dict[str, np.ndarray]) -> dict[str, Any]:
        paths = [Path(path) for path in batch["path"]]
        decoded, rows, failures = embed_batch(paths, self._embedder)
        embeddings = np.zeros((len(paths), self._embedder.dimension), np.float32)
        embeddings[decoded] = rows
        errors = [str(failures.get(place, "")) for place in range(len(paths))]
        return {"index": batch["index"], "embedding": embeddings, "error": np.array(errors)}


def embed_photos_on_ray(
    paths: Sequence[Path], embedder: Embedder, batch_size: int, workers: int
) -> Iterator[Embedded]:
    """Embed photos as ``itadaki.bank.bank.embed_photos`` does, with the same function per batch.

    Ray starts a worker that dies again and gives its batches to another. Ray itself is started
    here unless the environment's RAY_ADDRESS names a cluster.

    Args:
        paths: the photos.
        embedder: its model is loaded by each worker.
        batch_size: photos per call of the model.
        workers: processes, each of which takes one core.
    """
    if not paths:
        return
    with started(workers):
        yield from _embedded(paths, embedder, batch_size, workers)


@contextmanager
def started(workers: int) -> Iterator[None]:
    """Ray, joined or started unless it runs in this process already; left again at the end."""
    if ray.is_initialized():
        yield
        return
    # Ray would set aside a third of the memory for objects; paths and embeddings are small.
    here = {"num_cpus": workers, "object_store_memory": _OBJECT_STORE, "include_dashboard": False}
    ray.init(
        logging_level=logging.ERROR,
        log_to_driver=False,
        **({} if os.environ.get("RAY_ADDRESS") else here),
    )
    try:
        yield
    finally:
        ray.shutdown()


def _embedded(
    paths: Sequence[Path], embedder: Embedder, batch_size: int, workers: int
) -> Iterator[Embedded]:
    context = DataContext.get_current()
    context.execution_options.preserve_order = True
    context.enable_progress_bars = False
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    rows = ray.data.from_items(
        [{"index": index, "path": str(path)} for index, path in enumerate(paths)],
        override_num_blocks=-(-len(paths) // batch_size),
    ).map_batches(
        _Worker,
        fn_constructor_args=(embedder.path, embedder.sha256),
        batch_size=batch_size,
        compute=ActorPoolStrategy(size=workers),
        num_cpus=1,
    )
    for batch in rows.iter_batches(batch_size=batch_size, batch_format="numpy"):
        failed = batch["error"] != ""
        failures = {
            int(index): ImageError(error)
            for index, error in zip(batch["index"][failed], batch["error"][failed], strict=True)
        }
        yield batch["index"][~failed].tolist(), batch["embedding"][~failed], failures
