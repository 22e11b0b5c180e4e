"""Photos a second over Ray Data beside the bank's own way, on this machine.

Both embed the same photos of the configured dataset, in alternating rounds of one run:
python -m benchmarks.ray_embedding [--photos 96] [--rounds 3] [--workers 2]
Writes reports/measurements/ray.json. It needs the extra ray.
"""

import argparse
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from itadaki.bank.embedding import BATCH_SIZE, Embedded, embed_photos
from itadaki.models.embedder import load_embedder
from itadaki.recipes.dataset import load_dataset
from itadaki.settings import PROJECT_ROOT, Settings
from itadaki.storage.files import write_json
from itadaki.variants import Artifacts, served_variant
from tools.ray_build import embed_photos_on_ray, started


def steadily(batches: Iterator[Embedded]) -> tuple[float, float]:
    """Photos a second after the first batch, and the seconds until then."""
    begun = time.perf_counter()
    next(batches)
    first = time.perf_counter()
    photos = sum(len(indices) for indices, _, _ in batches)
    return photos / (time.perf_counter() - first), first - begun


def main() -> None:
    """Measure, print and keep the rates of both ways."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=int, default=96)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    settings = Settings()
    dataset = load_dataset(settings)
    embedder = load_embedder(Artifacts(served_variant(settings), settings))
    sample = dataset.recipes["image_path"].sample(
        min(options.photos, len(dataset.recipes)), random_state=0
    )
    paths = [Path(path) for path in sample]
    here, ray, start = [], [], []
    with started(options.workers):
        for _ in range(options.rounds):
            here.append(steadily(embed_photos(paths, embedder))[0])
            over_ray = embed_photos_on_ray(paths, embedder, BATCH_SIZE, options.workers)
            rate, seconds = steadily(over_ray)
            ray.append(rate)
            start.append(seconds)
            print(f"here: {here[-1]:.1f}/s, over Ray: {rate:.1f}/s after {seconds:.0f} s")
    write_json(
        PROJECT_ROOT / "reports" / "measurements" / "ray.json",
        {
            "photos": len(paths),
            "workers": options.workers,
            "here": float(np.median(here)),
            "ray": float(np.median(ray)),
            "start": float(np.median(start)),
        },
    )


if __name__ == "__main__":
    main()
