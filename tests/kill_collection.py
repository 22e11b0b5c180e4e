"""Kills changes of a collection at each step of theirs, and tells what is found afterwards.

Run by test_collection.py as a program of its own, because it forks: python kill_collection.py HOME
"""

import os
import shutil
import signal
import sys
from pathlib import Path

import cv2
import numpy as np
from conftest import dish_photo, encode

import itadaki.storage.transaction
from itadaki.bank.bank import build_bank, load_bank
from itadaki.collection import change_collection, create_collection
from itadaki.models.text_encoder import TextEncoder
from itadaki.recipes.dataset import load_dataset
from itadaki.recipes.recipe import Edit, NewRecipe
from itadaki.retrieval import RetrievalSystem
from itadaki.settings import Settings
from itadaki.variants import VARIANTS

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
    FT.model_path(settings).parent.mkdir(parents=True, exist_ok=True)
    FT.model_path(settings).touch()
    encoder = TextEncoder.fit(["soup cake", "cake stew", "soup stew"], [["onions"]] * 3, 48)
    encoder.matrix[:] = np.linspace(-1, 1, encoder.matrix.size).reshape(encoder.matrix.shape)
    encoder.save(FT.text_encoder_path(settings))
    encoder = TextEncoder.load(FT.text_encoder_path(settings))
    dataset, embedder = load_dataset(settings, progress=False), PixelEmbedder()
    bank = build_bank(FT, settings, dataset, embedder, progress=False)
    return RetrievalSystem(embedder, bank, dataset, encoder)


def recipe(seed: int) -> NewRecipe:
    return NewRecipe(f"Soup {seed}", [f"{seed} onions"], "Cook.", encode(dish_photo(seed)))


def kill_at(step: int) -> None:
    """Let the process kill itself at the given call that changes a file."""
    taken = 0

    def counted(call):
        def counting(*arguments, **options):
            nonlocal taken
            taken += 1
            if taken == step:
                os.kill(os.getpid(), signal.SIGKILL)
            return call(*arguments, **options)

        return counting

    calls = [(Path, name) for name in ("replace", "unlink", "mkdir", "write_bytes", "write_text")]
    for owner, name in [*calls, (os, "fsync"), (itadaki.storage.transaction.shutil, "rmtree")]:
        setattr(owner, name, counted(getattr(owner, name)))


def main() -> None:
    home = Path(sys.argv[1])
    whole = Settings(_env_file=None, home=home / "whole", dataset="mine")
    create_collection(whole, "mine", [recipe(i) for i in range(4)])
    pixel_system(whole)
    old, new = ["Soup 0", "Soup 1", "Soup 2", "Soup 3"], ["Stew", "Soup 1", "Soup 3", "Soup 9"]
    for step in range(1, 200, 2):
        settings = whole.model_copy(update={"home": home / str(step)})
        shutil.copytree(whole.home, settings.home)
        system = pixel_system(settings)
        child = os.fork()
        if child == 0:
            kill_at(step)
            edits = {1: Edit(title="Stew", photo=encode(dish_photo(8)))}
            change_collection(settings, [system], [recipe(9)], edits, remove=[3])
            os._exit(0)
        _, status = os.waitpid(child, 0)
        dataset = load_dataset(settings, progress=False)
        bank = load_bank(FT, settings, dataset, PixelEmbedder.sha256)
        titles = dataset.recipes["Title"].tolist()
        assert titles in (old, new)
        assert [recipe.title for recipe in bank.recipes[:4]] == titles
        photos = [system.embed(path) for path in dataset.recipes["image_path"]]
        np.testing.assert_array_equal(bank.photo_embeddings, photos)
        print("done" if status == 0 else "old" if titles == old else "new")
        _, (new_id,) = change_collection(settings, [system], [recipe(10)])
        assert new_id == (5 if titles == old else 6)
        assert not (settings.collection_folder / ".change").exists()
        if status == 0:
            return
    raise AssertionError("the change never came to its end")


if __name__ == "__main__":
    main()
