"""What searching costs as recipes grow from 10,000 to 1,000,000, by each index.

The rows are made of the configured dataset's: between a real row and one of its 20 nearest, with
a little noise of the real rows' covariance. Queries are the photos of the test split, which no row
is made of. All is measured in one run, side by side:
python benchmarks/index.py [--folder FOLDER] [--rows 10000 100000 1000000]

It needs the bank of ft and the extras ann and dev, and 6 GB of disk. With FOLDER rows and graphs
are kept, and a second run takes minutes. Where faiss-cpu is installed, it is measured too.
Writes reports/measurements/index.json and reports/index.png.
"""

import argparse
import json
import logging
import tempfile
import time
from pathlib import Path

import numpy as np

from itadaki.ann_index import build_graph
from itadaki.bank import Bank, load_bank
from itadaki.dataset import load_dataset
from itadaki.files import replacing, sha256_of, write_json
from itadaki.settings import Settings
from itadaki.variants import VARIANTS

NEIGHBOURS, OWN_SHARE, CHUNK = 20, 0.95, 50_000


def real_rows(bank: Bank) -> tuple[np.ndarray, np.ndarray]:
    """The rows that others are made of, and the photos of the test split as queries."""
    groups = bank.column("photo_group")
    first = groups == np.arange(len(groups))
    test = bank.column("split") == "test"
    return bank.embeddings[first & ~test], bank.photo_embeddings[first & test]


def grown(base: np.ndarray, count: int, path: Path) -> np.ndarray:
    """Make ``count`` rows of length 1 like the base's; the same ones every time."""
    if not path.exists():
        rng = np.random.default_rng(0)
        similarities = base @ base.T
        np.fill_diagonal(similarities, -1)
        nearest = np.argpartition(-similarities, NEIGHBOURS, axis=1)[:, :NEIGHBOURS]
        values, vectors = np.linalg.eigh(np.cov(base, rowvar=False))
        noise = (vectors * np.sqrt(np.maximum(values, 0))).T.astype(np.float32)
        noise *= np.sqrt((1 / OWN_SHARE**2 - 1) / values.sum())
        with replacing(path) as beside:
            shape = (count, base.shape[1])
            rows = np.lib.format.open_memmap(beside, mode="w+", dtype=np.float32, shape=shape)
            for start in range(0, count, CHUNK):
                own = np.arange(start, min(start + CHUNK, count)) % len(base)
                other = nearest[own, rng.integers(NEIGHBOURS, size=len(own))]
                part = base[own] + base[other] * rng.random((len(own), 1), dtype=np.float32)
                part /= np.linalg.norm(part, axis=1, keepdims=True)
                part += rng.standard_normal(part.shape, dtype=np.float32) @ noise
                rows[start : start + len(own)] = part / np.linalg.norm(part, axis=1, keepdims=True)
            rows.flush()
    return np.load(path, mmap_mode="r")


def grown_bank(bank: Bank, count: int, folder: Path) -> tuple[Bank, Settings]:
    """A bank of ``count`` rows in a home of its own; its recipes are the real ones in turn."""
    settings = Settings(home=folder / str(count), index="ann")
    base, _ = real_rows(bank)
    rows = grown(base, count, bank.variant.bank_path(settings))
    recipes = {row: bank.recipes[row % len(bank.recipes)] for row in range(count)}
    hashes = {"bank": sha256_of(bank.variant.bank_path(settings)), "metadata": ""}
    return Bank(bank.variant, rows, rows, recipes, bank.manifest | {"sha256": hashes}), settings


def built(bank: Bank, settings: Settings) -> dict:
    """Build the graph of a bank, or say what it took when it was built."""
    note = settings.home / "build.json"
    if not note.exists():
        started, cpu = time.perf_counter(), time.process_time()
        facts = build_graph(bank, settings)
        write_json(
            note,
            {
                "seconds": time.perf_counter() - started,
                "cpu_seconds": time.process_time() - cpu,
                **{name: facts[name] for name in ("recall@10", "width")},
            },
        )
    return json.loads(note.read_text())


def main() -> None:
    """Measure everything and keep it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    options = parser.parse_args()
    logging.basicConfig(format="%(message)s")
    logging.getLogger("itadaki").setLevel(logging.INFO)
    settings = Settings()
    bank = load_bank(VARIANTS["ft"], settings, load_dataset(settings))
    for count in options.rows:
        print(count, built(*grown_bank(bank, count, options.folder)), flush=True)


if __name__ == "__main__":
    main()
