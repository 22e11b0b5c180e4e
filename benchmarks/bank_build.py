"""How much faster the bank is built than by calling model.predict photo by photo.

Both ways embed the same photos of the configured dataset, in alternating rounds of one run:
python benchmarks/bank_build.py [--photos 96] [--rounds 5]
"""

import argparse
import logging
import time
from pathlib import Path

import numpy as np
from tqdm import tqdm

from itadaki.bank.embedding import embed_photos
from itadaki.models.embedder import Embedder, load_embedder
from itadaki.photos.images import load_input
from itadaki.recipes.dataset import load_dataset
from itadaki.settings import Settings
from itadaki.variants import Artifacts, served_variant


def one_by_one(paths: list[Path], embedder: Embedder) -> np.ndarray:
    """The obvious way: decode a photo, call model.predict, repeat."""
    return np.concatenate(
        [embedder.model.predict(load_input(path)[None], verbose=0) for path in paths]
    )


def as_the_bank(paths: list[Path], embedder: Embedder) -> np.ndarray:
    """The way of ``itadaki build``."""
    return np.concatenate([rows for _, rows, _ in embed_photos(paths, embedder)])


def measure(embedder: Embedder, paths: list[Path], rounds: int) -> dict:
    """Photos per second of both ways, round by round, and how far their embeddings differ."""
    ways = {"one_by_one": one_by_one, "bank": as_the_bank}
    embeddings = [way(paths[:16], embedder) for way in ways.values()]
    rates: dict[str, list[float]] = {name: [] for name in ways}
    for _ in tqdm(range(rounds), desc="Bank"):
        for name, way in ways.items():
            started = time.perf_counter()
            way(paths, embedder)
            rates[name].append(len(paths) / (time.perf_counter() - started))
    return {
        "photos": len(paths),
        "cosine_min": float((embeddings[0] * embeddings[1]).sum(1).min()),
        "one_by_one_per_s": rates["one_by_one"],
        "bank_per_s": rates["bank"],
        "ratio": float(np.median(np.divide(rates["bank"], rates["one_by_one"]))),
    }


def main() -> None:
    """Measure and print both ways and their ratio, round by round."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=int, default=96)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    logging.basicConfig(format="%(message)s")

    settings = Settings()
    dataset = load_dataset(settings)
    sample = dataset.recipes["image_path"].sample(
        min(options.photos, len(dataset.recipes)), random_state=0
    )
    embedder = load_embedder(Artifacts(served_variant(settings), settings))
    found = measure(embedder, [Path(path) for path in sample], options.rounds)
    print(f"least cosine between the two ways: {found['cosine_min']:.7f}")
    for slow, fast in zip(found["one_by_one_per_s"], found["bank_per_s"], strict=True):
        print(
            f"model.predict, one by one: {slow:.1f}/s, itadaki build: {fast:.1f}/s, "
            f"ratio {fast / slow:.2f}"
        )
    print(f"{found['photos']} photos of {dataset.source}: median ratio {found['ratio']:.2f}")


if __name__ == "__main__":
    main()
