"""How much faster the bank is built than by calling model.predict photo by photo.

Both ways embed the same photos of the configured dataset, in alternating rounds of one run:
python benchmarks/bank_build.py [--photos 96] [--rounds 5]
"""

import argparse
import logging
import time
from pathlib import Path

import numpy as np

from itadaki.bank import embed_photos
from itadaki.dataset import load_dataset
from itadaki.embedder import Embedder, load_embedder
from itadaki.images import load_input
from itadaki.settings import Settings
from itadaki.variants import VARIANTS


def one_by_one(paths: list[Path], embedder: Embedder) -> np.ndarray:
    """The obvious way: decode a photo, call model.predict, repeat."""
    return np.concatenate(
        [embedder.model.predict(load_input(path)[None], verbose=0) for path in paths]
    )


def as_the_bank(paths: list[Path], embedder: Embedder) -> np.ndarray:
    """The way of ``itadaki build``."""
    return np.concatenate([rows for _, rows, _ in embed_photos(paths, embedder)])


def main() -> None:
    """Measure and print both ways and their ratio, round by round."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=int, default=96)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    logging.basicConfig(format="%(message)s")

    settings = Settings()
    dataset = load_dataset(settings)
    embedder = load_embedder(VARIANTS["raw"], settings)
    sample = dataset.recipes["image_path"].sample(
        min(options.photos, len(dataset.recipes)), random_state=0
    )
    paths = [Path(path) for path in sample]
    ways = {"model.predict, one by one": one_by_one, "itadaki build": as_the_bank}

    embeddings = [way(paths[:16], embedder) for way in ways.values()]
    print(f"least cosine between the two ways: {(embeddings[0] * embeddings[1]).sum(1).min():.7f}")
    ratios = []
    for _ in range(options.rounds):
        rates = []
        for way in ways.values():
            started = time.perf_counter()
            way(paths, embedder)
            rates.append(len(paths) / (time.perf_counter() - started))
        ratios.append(rates[1] / rates[0])
        print(
            ", ".join(f"{name}: {rate:.1f}/s" for name, rate in zip(ways, rates, strict=True))
            + f", ratio {ratios[-1]:.2f}"
        )
    print(
        f"photos per second, {len(paths)} photos of {dataset.source}: median ratio "
        f"{np.median(ratios):.2f} (from {min(ratios):.2f} to {max(ratios):.2f})"
    )


if __name__ == "__main__":
    main()
