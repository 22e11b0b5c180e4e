"""How long it takes to change one recipe of a collection, against building its bank anew.

Makes a collection of the configured dataset in a folder of its own and builds the bank of the
served variant there. Then it adds, edits and removes one recipe, as the service does with its model
in memory, and adds one as the command line does, which first loads the model:
python benchmarks/collection_change.py [--recipes 13000] [--rounds 5] [--work FOLDER]

Times are taken by the clock and by the processor (of all cores together), because the clock also
counts what else the machine does. They are kept in reports/measurements/collection_change.json.
"""

import argparse
import io
import logging
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image

from itadaki.collection import change_collection, create_collection
from itadaki.cores import usable_cores
from itadaki.models.embedder import load_embedder
from itadaki.recipes.dataset import load_dataset
from itadaki.recipes.recipe import Edit, NewRecipe
from itadaki.retrieval import RetrievalSystem
from itadaki.settings import Settings
from itadaki.storage.files import write_json
from itadaki.variants import Artifacts, Variant, served_variant

NAME = "benchmark"


class Stopwatch:
    """Collects times by the clock and by the processor, in seconds."""

    def __init__(self) -> None:
        self.clock: dict[str, list[float]] = defaultdict(list)
        self.processor: dict[str, list[float]] = defaultdict(list)

    @contextmanager
    def timed(self, what: str) -> Iterator[None]:
        """Time a block."""
        clock, processor = time.perf_counter(), _processor()
        yield
        self.clock[what].append(time.perf_counter() - clock)
        self.processor[what].append(_processor() - processor)

    def median(self, what: str) -> dict[str, float]:
        """The medians of both, and the clock's best."""
        return {
            "clock_s": round(float(np.median(self.clock[what])), 3),
            "clock_best_s": round(min(self.clock[what]), 3),
            "processor_s": round(float(np.median(self.processor[what])), 3),
        }


def _processor() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def prepared(settings: Settings, variant: Variant, home: Path, recipes: int) -> Settings:
    """Settings of a home with a collection of the dataset's recipes and the variant's model."""
    ours = settings.model_copy(update={"home": home, "dataset": NAME})
    ignored = shutil.ignore_patterns("recipe_embeddings_*")
    shutil.copytree(
        Artifacts(variant, settings).model.parent, home / variant.folder, ignore=ignored
    )
    rows = load_dataset(settings).recipes.head(recipes)
    made = (
        NewRecipe(row.Title, row.Ingredients, row.Instructions, Path(row.image_path))
        for row in rows.itertuples()
    )
    create_collection(ours, NAME, made)
    return ours


def photo(seed: int) -> bytes:
    """A photo of 1200 x 900 pixels that nothing in the collection resembles."""
    rng = np.random.default_rng(seed)
    picture = Image.fromarray(rng.integers(0, 255, (9, 12, 3), np.uint8)).resize((1200, 900))
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


def change(ours: Settings, system: RetrievalSystem, rounds: int, watch: Stopwatch) -> None:
    """Add, edit and remove one recipe again and again."""
    for round_ in range(rounds):
        new = NewRecipe("Benchmark Soup", ["1 onion", "1 l stock"], "Cook.", photo(round_))
        edit = Edit(title="Benchmark Stew", photo=photo(1000 + round_))
        with watch.timed("add"):
            (system,), (recipe_id,) = change_collection(ours, [system], add=[new])
        with watch.timed("edit"):
            (system,), _ = change_collection(ours, [system], edits={recipe_id: edit})
        with watch.timed("remove"):
            (system,), _ = change_collection(ours, [system], remove=[recipe_id])


def main() -> None:
    """Measure, print and keep."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--recipes", type=int, default=13_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--work", type=Path, help="where to make the collection")
    options = parser.parse_args()
    logging.basicConfig(format="%(message)s")
    settings = Settings()
    variant = served_variant(settings)
    watch = Stopwatch()
    load_embedder(Artifacts(variant, settings))  # converts the model, if need be

    with tempfile.TemporaryDirectory(dir=options.work) as folder:
        home = Path(folder).resolve()
        ours = prepared(settings, variant, home, options.recipes)
        with watch.timed("check every photo"):
            load_dataset(ours)
        with watch.timed("full build"):
            system = RetrievalSystem.load(variant.name, ours, build=True)
        change(ours, system, options.rounds, watch)

        path = home / "photo.jpg"
        path.write_bytes(photo(2000))
        command = [sys.executable, "-m", "itadaki", "add", "--title", "Soup", "--photo", str(path)]
        environment = {**os.environ, "ITADAKI_HOME": str(home), "ITADAKI_DATASET": NAME}
        with watch.timed("itadaki add, a process of its own"):
            subprocess.run(command, env=environment, check=True, capture_output=True)
        rows, dimension = system.bank.embeddings.shape

    found = {what: watch.median(what) for what in watch.clock}
    build = found["full build"]
    print(f"{rows:,} recipes x {dimension}, variant {variant.name}")
    for what, times in found.items():
        clock, processor = (build[of] / times[of] for of in ("clock_s", "processor_s"))
        print(
            f"{what}: {times['clock_s']:.2f} s by the clock (best {times['clock_best_s']:.2f}), "
            f"{times['processor_s']:.2f} s of processor; a full build takes {clock:.0f} times as "
            f"long, and {processor:.0f} times the processor"
        )
    kept = settings.home / "reports" / "measurements" / "collection_change.json"
    facts = {"rows": rows, "dimension": dimension, "variant": variant.name, "cores": usable_cores()}
    write_json(kept, {**facts, "times": found})


if __name__ == "__main__":
    main()
