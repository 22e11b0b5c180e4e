"""What is kept of a dataset that was read, so that the next start need not read it again."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from itadaki.errors import ArtifactError
from itadaki.recipes.frame import reading_rules
from itadaki.recipes.looks import LOOK, looking_rules
from itadaki.storage.files import open_array, read_json_object, replacing, sha256_of, write_json
from itadaki.storage.fingerprint import fingerprint

if TYPE_CHECKING:  # a service does not look at the table, and starts faster without pandas
    import pandas as pd

PhotoStats = Mapping[str, tuple[int, int]]
_FORMAT = 6


def photo_stats(photo_folder: Path) -> PhotoStats:
    """Size in bytes and time of change in nanoseconds of each file in a folder, by name."""
    with os.scandir(photo_folder) as entries:
        stats = [(entry.name, entry.stat()) for entry in entries if entry.is_file()]
    return {name: (stat.st_size, stat.st_mtime_ns) for name, stat in stats}


class DatasetCache:
    """What was read of a dataset, kept in a folder: looks at its photos, the DataFrame for users,
    and facts of both."""

    def __init__(self, folder: Path) -> None:
        self._recipes = folder / "recipes_with_images_dataframe.pkl"
        self._facts = self._recipes.with_suffix(".json")
        self._looks = folder / "recipes_with_images_thumbnails.npy"

    @staticmethod
    def fingerprint(csv_sha256: str, photo_folder: Path, stats: PhotoStats) -> str:
        """Two hashes with a dash: of the photos and the code that looks at them, and of the rest.

        The first changes when the photo folder or any photo's size or time of change does, the
        second when the CSV does; both with the code.
        """
        photos = fingerprint(
            format=_FORMAT,
            folder=str(photo_folder),
            photos=sorted(stats.items()),
            by=looking_rules(),
        )
        return f"{photos}-{fingerprint(csv=csv_sha256, by=reading_rules())}"

    def facts(self, fingerprint: str) -> dict[str, Any] | None:
        """The hashes and the counts of dropped rows that ``write`` noted, if what was read is
        still what lies on disk."""
        try:
            facts = read_json_object(self._facts)
            fits = (
                facts.pop("sha256", None) == _hash(facts)
                and facts.get("fingerprint") == fingerprint
                and isinstance(facts.get("dropped"), dict)
                and isinstance(facts.get("dataset_sha256"), str)
                and isinstance(facts.get("details_sha256"), str)
                and facts.get("pickle_sha256") == sha256_of(self._recipes)
                and facts.get("looks_sha256") == sha256_of(self._looks)
            )
            return facts if fits else None
        except (OSError, ArtifactError):
            return None

    def looks(self, facts: Mapping[str, Any]) -> np.ndarray:
        """Read what was seen of the photos: array of ``LOOK``, one of each recipe.

        Raises:
            ArtifactError: it is not what the facts name.
        """
        if not self._looks.is_file() or sha256_of(self._looks) != facts.get("looks_sha256"):
            raise ArtifactError(f"{self._looks} was changed.")
        looks = open_array(self._looks, mapped=False)
        if looks.ndim != 1 or looks.dtype != LOOK:
            raise ArtifactError(f"{self._looks} is not what was seen of photos.")
        return looks

    def known_looks(self, fingerprint: str) -> dict[bytes, np.void]:
        """What was seen of each photo, by its name's hash, if the photos are still those on
        disk."""
        try:
            facts = read_json_object(self._facts)
            if str(facts.get("fingerprint")).partition("-")[0] != fingerprint.partition("-")[0]:
                return {}
            looks = self.looks(facts)
        except ArtifactError:
            return {}
        return dict(zip(looks["name"].tolist(), looks, strict=True))

    def write(
        self,
        frame: "pd.DataFrame",
        looks: np.ndarray,
        fingerprint: str,
        facts: Mapping[str, Any],
        place: Callable[[Path], Path] = lambda path: path,
    ) -> None:
        """Keep what was read.

        Args:
            frame: the dataset's DataFrame.
            looks: what was seen of its photos, as ``looks_of`` gives it.
            fingerprint: of what was read.
            facts: of the dataset, as ``Dataset.facts`` gives them.
            place: where a file that shall lie at a path is to be written.

        Raises:
            StorageError: it cannot be written.
        """
        pickled, seen = place(self._recipes), place(self._looks)
        with replacing(pickled) as beside:
            frame.to_pickle(beside)
        with replacing(seen) as beside:
            np.save(beside, looks)
        hashes = {"pickle_sha256": sha256_of(pickled), "looks_sha256": sha256_of(seen)}
        noted = {"fingerprint": fingerprint, **hashes, **facts}
        write_json(place(self._facts), noted | {"sha256": _hash(noted)})


def _hash(facts: Mapping[str, Any]) -> str:
    return fingerprint(**{f"fact {name}": value for name, value in facts.items()})
