"""Kills changes of a collection at each step of theirs, and tells what is found afterwards.

Run by test_collection.py as a program of its own, because it forks:
python kill_collection.py HOME [--all]

By default each line that changes a file is hit the first and the last time that it is reached;
with --all, every time.
"""

import json
import os
import shutil
import signal
import sys
from pathlib import Path

import cv2
import numpy as np
from conftest import dish_photo, encode

import itadaki.storage.transaction
from itadaki.bank.bank import load_bank
from itadaki.bank.build import build_bank
from itadaki.collection import change_collection, create_collection
from itadaki.models.text_encoder import TextEncoder
from itadaki.recipes.dataset import load_dataset
from itadaki.recipes.recipe import Edit, NewRecipe
from itadaki.retrieval import RetrievalSystem
from itadaki.settings import Settings
from itadaki.variants import VARIANTS, Artifacts

FT = VARIANTS["ft"]


class PixelEmbedder:
    """Stands in for a model where only the files matter: a row is the photo, made tiny."""

    sha256, dimension = "0" * 64, 48

    def __init__(self) -> None:
        self.count = 0

    def embed(self, photos: np.ndarray, alone: bool = True) -> np.ndarray:
        self.count += len(photos)
        rows = np.stack([cv2.resize(photo, (4, 4)).ravel() for photo in photos]) - 127
        return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def pixel_system(settings: Settings) -> RetrievalSystem:
    """A system of the settings' dataset with fused rows."""
    Artifacts(FT, settings).model.parent.mkdir(parents=True, exist_ok=True)
    Artifacts(FT, settings).model.touch()
    titles, targets = ["soup cake", "cake stew", "soup stew"], np.zeros((3, 48), np.float32)
    encoder = TextEncoder.fit(titles, [["onions"]] * 3, targets)
    encoder.matrix[:] = np.linspace(-1, 1, encoder.matrix.size).reshape(encoder.matrix.shape)
    encoder.save(Artifacts(FT, settings).text_encoder)
    encoder = TextEncoder.load(Artifacts(FT, settings).text_encoder)
    dataset, embedder = load_dataset(settings, progress=False), PixelEmbedder()
    bank = build_bank(Artifacts(FT, settings), dataset, embedder, progress=False)
    return RetrievalSystem(embedder, bank, dataset, encoder)


def recipe(seed: int) -> NewRecipe:
    return NewRecipe(f"Soup {seed}", [f"{seed} onions"], "Cook.", encode(dish_photo(seed)))


def kill_at(step: int) -> list[tuple[str, str, int]]:
    """Let the process kill itself at the given call that changes a file; notes where each is."""
    places = []

    def counted(call):
        def counting(*arguments, **options):
            caller = sys._getframe(1)
            places.append((call.__name__, caller.f_code.co_filename, caller.f_lineno))
            if len(places) == step:
                os.kill(os.getpid(), signal.SIGKILL)
            return call(*arguments, **options)

        return counting

    calls = [(Path, name) for name in ("replace", "unlink", "mkdir", "write_bytes", "write_text")]
    for owner, name in [*calls, (os, "fsync"), (itadaki.storage.transaction.shutil, "rmtree")]:
        setattr(owner, name, counted(getattr(owner, name)))
    return places


def change(settings: Settings, system: RetrievalSystem, step: int, noted: Path) -> int:
    """Change the collection in a child that is killed at the step, if it comes so far; returns
    the child's status, and writes down where its steps were if it ended by itself."""
    child = os.fork()
    if child == 0:
        places = kill_at(step)
        edits = {1: Edit(title="Stew", photo=encode(dish_photo(8)))}
        change_collection(settings, [system], [recipe(9)], edits, remove=[3])
        noted.write_text(json.dumps(places))
        os._exit(0)
    return os.waitpid(child, 0)[1]


def copied(whole: Settings, name: str) -> tuple[Settings, RetrievalSystem]:
    settings = whole.model_copy(update={"home": whole.home.with_name(name)})
    shutil.copytree(whole.home, settings.home)
    return settings, pixel_system(settings)


def main() -> None:
    home = Path(sys.argv[1])
    whole = Settings(_env_file=None, home=home / "whole", dataset="mine")
    create_collection(whole, "mine", [recipe(i) for i in range(4)])
    pixel_system(whole)
    old, new = ["Soup 0", "Soup 1", "Soup 2", "Soup 3"], ["Stew", "Soup 1", "Soup 3", "Soup 9"]
    noted = home / "steps.json"
    assert change(*copied(whole, "unharmed"), 0, noted) == 0
    places = list(map(tuple, json.loads(noted.read_text())))[:-1]  # the last writes it down
    first = {place: step for step, place in reversed(list(enumerate(places, 1)))}
    last = {place: step for step, place in enumerate(places, 1)}
    every = range(1, len(places) + 1)
    chosen = every if "--all" in sys.argv else sorted({*first.values(), *last.values()})
    for step in (*chosen, 0):
        settings, system = copied(whole, str(step))
        status = change(settings, system, step, noted)
        dataset = load_dataset(settings, progress=False)
        bank = load_bank(Artifacts(FT, settings), dataset, PixelEmbedder.sha256)
        titles = dataset.recipes["Title"].tolist()
        assert titles in (old, new)
        assert [recipe.title for recipe in bank.recipes[:4]] == titles
        photos = [system.embed(path) for path in dataset.recipes["image_path"]]
        np.testing.assert_array_equal(bank.photo_embeddings, photos)
        print("done" if status == 0 else "old" if titles == old else "new")
        _, (new_id,) = change_collection(settings, [system], [recipe(10)])
        assert new_id == (5 if titles == old else 6)
        assert not (settings.collection_folder / ".change").exists()
        assert (status == 0) == (step == 0)


if __name__ == "__main__":
    main()
