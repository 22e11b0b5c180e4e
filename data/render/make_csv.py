"""Gather recipes/<family>.txt into sample/recipes.csv, in the columns of Kaggle's data set.

In a text file a recipe is: a line "# Title", lines "- ingredient", then one line per step.
"""

from __future__ import annotations

import csv
import re
import unicodedata
from pathlib import Path

HERE = Path(__file__).resolve().parent


def slug(title: str) -> str:
    """The image name of a title."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")


def parse(text: str) -> list[tuple[str, list[str], list[str]]]:
    """(title, ingredients, steps) of every recipe in a text."""
    found = []
    for part in re.split(r"^# ", text, flags=re.M)[1:]:
        title, *lines = [line.strip() for line in part.splitlines() if line.strip()]
        items = [line[2:] for line in lines if line.startswith("- ")]
        found.append((title, items, [line for line in lines if not line.startswith("- ")]))
    return found


def main() -> None:
    """Write the CSV; fail on titles that collide."""
    rows = []
    for path in sorted((HERE / "recipes").glob("*.txt")):
        for title, items, steps in parse(path.read_text(encoding="utf-8")):
            name = slug(title)
            rows.append([title, str(items), "\n".join(steps), name, str(items), path.stem])
    names = [row[3] for row in rows]
    twice = {n for n in names if names.count(n) > 1}
    if twice:
        raise SystemExit(f"image names used twice: {sorted(twice)}")
    target = HERE.parent / "sample" / "recipes.csv"
    target.parent.mkdir(parents=True, exist_ok=True)
    head = ["", "Title", "Ingredients", "Instructions", "Image_Name", "Cleaned_Ingredients"]
    with open(target, "w", newline="", encoding="utf-8") as file:
        out = csv.writer(file)
        out.writerow([*head, "Family"])
        out.writerows([k, *row] for k, row in enumerate(rows))
    print(f"{len(rows)} recipes, {len({row[-1] for row in rows})} families")


if __name__ == "__main__":
    main()
