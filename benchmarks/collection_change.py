"""How long it takes to change one recipe of a collection, against building its bank anew.

Makes a collection of the configured dataset in a folder of its own, builds the bank of the served
variant there, and then adds, edits and removes one recipe, as the service does with its model in
memory, and as the command line does, which first loads it:
python benchmarks/collection_change.py [--recipes 13000] [--rounds 5] [--home FOLDER]

With --home the collection and its bank are kept and used again; the build then is timed only if
it was made in this run.
"""

import argparse
import io
import logging
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

from itadaki.collection import Edit, Recipe, change_collection, create_collection
from itadaki.dataset import load_dataset
from itadaki.retrieval import RetrievalSystem
from itadaki.settings import Settings
from itadaki.variants import Variant, served_variant

NAME = "benchmark"


def prepared(settings: Settings, variant: Variant, home: Path, recipes: int) -> Settings:
    """Settings of a home with a collection of the dataset's recipes and the variant's model."""
    ours = settings.model_copy(update={"home": home, "dataset": NAME})
    if ours.collection_folder:
        return ours
    source = variant.model_path(settings).parent
    shutil.copytree(
        source, home / variant.folder, ignore=shutil.ignore_patterns("recipe_embeddings_*")
    )
    rows = load_dataset(settings).recipes.head(recipes)
    create_collection(
        ours,
        NAME,
        (
            Recipe(row.Title, row.Ingredients, row.Instructions, Path(row.image_path))
            for row in rows.itertuples()
        ),
    )
    return ours


def photo(seed: int) -> bytes:
    """A photo of 1200 x 900 pixels that nothing in the collection resembles."""
    rng = np.random.default_rng(seed)
    picture = Image.fromarray(rng.integers(0, 255, (9, 12, 3), np.uint8)).resize((1200, 900))
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


def command_line(home: Path, *arguments: str) -> float:
    """Seconds that one command takes, with its start."""
    environment = {**os.environ, "ITADAKI_HOME": str(home), "ITADAKI_DATASET": NAME}
    started = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "itadaki", *arguments],
        env=environment,
        check=True,
        capture_output=True,
    )
    return time.perf_counter() - started


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--recipes", type=int, default=13_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--home", type=Path)
    options = parser.parse_args()
    logging.basicConfig(format="%(message)s")
    settings = Settings()
    variant = served_variant(settings)

    with tempfile.TemporaryDirectory() as folder:
        home = (options.home or Path(folder)).resolve()
        ours = prepared(settings, variant, home, options.recipes)
        load_dataset(ours)
        kept = variant.manifest_path(ours).exists()
        started = time.perf_counter()
        system = RetrievalSystem.load(variant.name, ours, build=True)
        build = time.perf_counter() - started

        seconds: dict[str, list[float]] = {"add": [], "edit": [], "remove": []}
        for round_ in range(options.rounds):
            new = Recipe("Benchmark Soup", ["1 onion", "1 l stock"], "Cook.", photo(round_))
            started = time.perf_counter()
            (system,), (recipe_id,) = change_collection(ours, [system], add=[new])
            seconds["add"].append(time.perf_counter() - started)
            started = time.perf_counter()
            edit = Edit(title="Benchmark Stew", photo=photo(1000 + round_))
            (system,), _ = change_collection(ours, [system], edits={recipe_id: edit})
            seconds["edit"].append(time.perf_counter() - started)
            started = time.perf_counter()
            (system,), _ = change_collection(ours, [system], remove=[recipe_id])
            seconds["remove"].append(time.perf_counter() - started)

        rows = len(system.bank.recipes)
        print(f"{rows:,} recipes x {system.bank.embeddings.shape[1]}, variant {variant.name}")
        for name, times in seconds.items():
            median = statistics.median(times)
            spread = f"from {min(times):.2f} to {max(times):.2f}"
            ratio = "" if kept else f", a full build takes {build / median:.0f} times as long"
            print(f"{name} one recipe: median {median:.2f} s ({spread}){ratio}")
        if not kept:
            print(f"full build: {build:.0f} s")
        path = home / "photo.jpg"
        path.write_bytes(photo(2000))
        arguments = ["--title", "Benchmark Soup", "--photo", str(path)]
        print(f"itadaki add, a process of its own: {command_line(home, 'add', *arguments):.2f} s")


if __name__ == "__main__":
    main()
