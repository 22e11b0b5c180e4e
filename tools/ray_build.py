"""Building a bank over Ray Data: many workers embed, on one machine or on a cluster.

python -m tools.ray_build VARIANT --workers N [--force]

It does what ``python -m itadaki build`` does, and needs the extra ray. Every machine must reach the
model and the photos by the same paths, as on a shared disk.
"""

import argparse
import logging
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from itadaki.bank.build import build_bank
from itadaki.bank.embedding import Embedded, embed_batch
from itadaki.errors import ImageError, ItadakiError, missing_extra
from itadaki.index.index import build_index
from itadaki.models.embedder import Embedder, load_embedder
from itadaki.recipes.dataset import load_dataset
from itadaki.settings import Settings
from itadaki.variants import VARIANTS, Artifacts

# Ray gives up after 15 or 30 seconds, by its version, which a busy machine needs.
os.environ.setdefault("RAY_raylet_start_wait_time_s", "180")
os.environ.setdefault("RAY_agent_register_timeout_ms", "180000")

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
    """Embed photos as ``bank.embedding.embed_photos`` does, with the same function per batch.

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


def build(variant: str, settings: Settings, workers: int, force: bool = False) -> None:
    """Make a variant's bank and index ready; the photos are embedded over Ray."""
    artifacts = Artifacts(VARIANTS[variant], settings)
    dataset, embedder = load_dataset(settings), load_embedder(artifacts)
    embed = partial(embed_photos_on_ray, workers=workers)
    build_index(build_bank(artifacts, dataset, embedder, force, embed=embed), settings)


def main() -> int:
    """Read the command line, and build."""
    parser = argparse.ArgumentParser(description="Build a bank over Ray Data.")
    parser.add_argument("variant", choices=VARIANTS)
    parser.add_argument("--workers", type=int, required=True, help="each takes one core")
    parser.add_argument("--force", action="store_true", help="embed every photo anew")
    options = parser.parse_args()
    logging.basicConfig(format="%(message)s")
    logging.getLogger("itadaki").setLevel(logging.INFO)
    try:
        build(options.variant, Settings(), options.workers, options.force)
    except ItadakiError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
