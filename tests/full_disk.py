"""Fills a small disk and does on it all that writes; tells what was said each time.

Run by test_full_disk.py in a mount namespace of its own: python full_disk.py FOLDER
"""

import ctypes
import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from conftest import dish_photo, encode
from kill_collection import FT, PixelEmbedder, pixel_system

from itadaki.bank.build import build_bank
from itadaki.collection import change_collection, create_collection
from itadaki.errors import StorageError
from itadaki.index.index import build_index
from itadaki.recipes.dataset import load_dataset
from itadaki.recipes.recipe import Edit, NewRecipe
from itadaki.settings import Settings
from itadaki.storage.files import mapped_for_writing, replacing
from itadaki.variants import Artifacts

_OPTIONS = b"size=8m"
_ROOMS = (0, 4, 16)  # kilobytes that are left
_MS_RDONLY, _MS_REMOUNT, _MS_BIND = 1, 32, 4096


def mount(folder: Path, flags: int = 0) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    path = str(folder).encode()
    what = (path, path, None, flags, None) if flags else (b"tmpfs", path, b"tmpfs", 0, _OPTIONS)
    if libc.mount(*what):
        raise OSError(ctypes.get_errno(), "mount")


def fill(disk: Path, room: int) -> None:
    path = disk / "fill"
    with path.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            file.truncate(max(0, file.tell() - room * 1024))


def files(home: Path) -> dict[Path, bytes]:
    """All but locks, and what of a build is kept to go on with."""
    return {
        path: path.read_bytes()
        for path in home.rglob("*")
        if path.is_file() and ".lock" not in path.name and ".npy.part" not in path.name
    }


def recipes(first: int, count: int) -> list[NewRecipe]:
    return [NewRecipe(f"New {i}", ["a"], "b", encode(dish_photo(i))) for i in range(first, count)]


def save(path: Path) -> None:
    with replacing(path) as beside:
        np.save(beside, np.ones((1000, 1000)))


def jobs(home: Path, settings: Settings) -> dict[str, Callable[[], object]]:
    """What writes more than any room that is left; some may do without a file."""
    system = pixel_system(settings)
    dataset, bank = system.dataset, system.bank
    rows = np.random.default_rng(0).normal(size=(3000, 48)).astype(np.float32)
    bigger = replace(bank, embeddings=rows, photo_embeddings=rows)
    new, edits = recipes(20, 40), {1: Edit(photo=encode(dish_photo(50, (900, 900)), quality=95))}
    return {
        "map": lambda: mapped_for_writing(home / "x.npy", np.float32, (1000, 1000)).fill(1),
        "save": lambda: save(home / "x.npy"),
        "float16": lambda: build_index(
            bigger, settings.model_copy(update={"bank_precision": "float16"}), progress=False
        ),
        "ann": lambda: build_index(
            bigger, settings.model_copy(update={"index": "ann"}), progress=False
        ),
        "build": lambda: build_bank(
            Artifacts(FT, settings), dataset, PixelEmbedder(), force=True, progress=False
        ),
        "create": lambda: create_collection(settings, "other", recipes(0, 30)),
        "add": lambda: change_collection(settings, [system], add=new),
        "edit": lambda: change_collection(settings, [system], edits=edits, remove=[2]),
    }


def main() -> None:
    disk = Path(sys.argv[1])
    mount(disk)
    home = disk / "home"
    settings = Settings(_env_file=None, home=home, dataset="mine")
    create_collection(settings, "mine", recipes(0, 6))
    work = jobs(home, settings)
    before = files(home)
    for state in (*_ROOMS, "read-only"):
        if state == "read-only":
            mount(disk, _MS_BIND)  # the disk itself stays writable while a map of it is open
            mount(disk, _MS_REMOUNT | _MS_BIND | _MS_RDONLY)
        else:
            fill(disk, state)
        free = shutil.disk_usage(disk).free
        for name, job in work.items():
            print(f"{state} {name}", end=": ", flush=True)
            try:
                job()
                print("done", end="; ")
            except StorageError as error:
                print(error, end="; ")
            assert files(home) == before, set(files(home)) ^ set(before)
            parts = sum(path.stat().st_size for path in home.rglob("*.npy.part*"))
            lost = free - shutil.disk_usage(disk).free
            assert lost <= parts + 8 * 4096, f"it kept {lost} bytes"
            assert len(load_dataset(settings, progress=False).recipes) == 6
            print("all as before", flush=True)  # _exit drops what is in a buffer
    os._exit(0)


if __name__ == "__main__":
    main()
