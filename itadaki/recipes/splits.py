"""Which recipes are trained on, which are validated and which are tested with."""

import bisect
import hashlib
from collections.abc import Iterable

import numpy as np

SPLIT_SEED = 2025
SPLIT_SHARES = {"train": 0.80, "validation": 0.08, "test": 0.06, "sealed": 0.06}
"""Choices are made on validation, and each kept model is scored on test. The sealed split is for
one reading, when nothing is left to be chosen: how far have the test scores been worn out?"""


def assign_splits(image_names: Iterable[str], groups: np.ndarray) -> list[str]:
    """Assign each photo to a split of ``SPLIT_SHARES``; copies of one photo go together.

    The choice is a hash of the group's alphabetically first photo name and a fixed seed. So it
    does not depend on the order or number of the rows, and a recipe keeps its split when others
    are added or its photo is compressed again.

    Args:
        image_names: the photos' names.
        groups: int array, one number per photo, shared by copies.
    """
    names, numbers = list(image_names), np.asarray(groups).tolist()
    first_name: dict[int, str] = {}
    for group, name in zip(numbers, names, strict=True):
        first_name[group] = min(name, first_name.get(group, name))
    edges = np.cumsum(list(SPLIT_SHARES.values())).tolist()
    splits = list(SPLIT_SHARES)

    def split_of(name: str) -> str:
        digest = hashlib.sha256(f"{SPLIT_SEED}:{name}".encode()).digest()
        share = int.from_bytes(digest[:8], "big") / 2**64
        return splits[min(bisect.bisect_right(edges, share), len(splits) - 1)]

    split_of_group = {group: split_of(name) for group, name in first_name.items()}
    return [split_of_group[group] for group in numbers]
