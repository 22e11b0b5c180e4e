"""Which families of the cookbook look alike to the raw features, and what the tests find.

python -m itadaki embed "data/sample/Food Images/Food Images" --variant raw --out cookbook.npz
python -m itadaki embed test_recipes --variant raw --out tests.npz
python data/render/look_alikes.py cookbook.npz [tests.npz]
"""

from __future__ import annotations

import argparse
import csv
from collections import Counter
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
SAMPLE = HERE.parent / "sample"
TESTS = HERE.parents[1] / "test_recipes"


def load(path: Path) -> tuple[list[str], np.ndarray]:
    """Names and unit embeddings of a file that `itadaki embed` wrote."""
    with np.load(path) as file:
        rows = file["embeddings"].astype(np.float64)
        return [str(name) for name in file["names"]], rows / np.linalg.norm(
            rows, axis=1, keepdims=True
        )


def read(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV."""
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def main() -> None:
    """Print P@1 by family, the confusions, and the first three families of each test picture."""
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("cookbook", type=Path)
    p.add_argument("tests", type=Path, nargs="?")
    args = p.parse_args()
    family_of = {row["Image_Name"]: row["Family"] for row in read(SAMPLE / "recipes.csv")}
    names, rows = load(args.cookbook)
    family = np.array([family_of[name] for name in names])
    like = rows @ rows.T
    np.fill_diagonal(like, -1)
    nearest = like.argmax(1)
    right = family[nearest] == family
    print(f"{len(names)} pictures, P@1 by family {right.mean():.3f}")
    for name in sorted(set(family)):
        mine = family == name
        wrong = Counter(family[nearest[mine & ~right]].tolist())
        print(f"{name:14} {right[mine].sum():3} of {mine.sum():3}  {dict(wrong) or ''}")
    for k in np.flatnonzero(~right):
        print(f"  {names[k]} -> {names[nearest[k]]}")
    if args.tests is None:
        return
    found, queries = load(args.tests)
    for answer in read(TESTS / "answers.csv"):
        stem = Path(answer["file"]).stem
        if stem not in found:
            print(f"{answer['file']}: not there")
            continue
        best = (queries[found.index(stem)] @ rows.T).argsort()[::-1][:3]
        verdict = "found" if answer["family"] in family[best] else "MISSED"
        print(f"{answer['file']}: {answer['family']}: {verdict} in {family[best].tolist()}")


if __name__ == "__main__":
    main()
