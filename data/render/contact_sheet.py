"""A labelled sheet of the pictures of one family, or of all, to judge them at a glance."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from PIL import Image, ImageDraw

HERE = Path(__file__).resolve().parent
SAMPLE = HERE.parent / "sample"


def main() -> None:
    """Read the recipes, paste what is rendered."""
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("family", help="family, or 'all'")
    p.add_argument("target", type=Path, help="picture to write")
    p.add_argument("--only", help="only image names that contain this")
    p.add_argument("--columns", type=int, default=4)
    p.add_argument("--size", type=int, default=320)
    p.add_argument("--csv", type=Path, default=SAMPLE / "recipes.csv")
    p.add_argument("--images", type=Path, default=SAMPLE / "Food Images" / "Food Images")
    args = p.parse_args()
    sys.path.insert(0, str(HERE))
    from kit.recipe import read_recipes

    recipes = read_recipes(args.csv, None if args.family == "all" else args.family)
    recipes = [r for r in recipes if (args.images / f"{r.image_name}.jpg").exists()]
    recipes = [r for r in recipes if not args.only or args.only in r.image_name]
    rows = -(-len(recipes) // args.columns)
    cell = args.size
    sheet = Image.new("RGB", (args.columns * cell, max(rows, 1) * (cell + 16)), "white")
    draw = ImageDraw.Draw(sheet)
    for k, recipe in enumerate(recipes):
        x, y = k % args.columns * cell, k // args.columns * (cell + 16)
        with Image.open(args.images / f"{recipe.image_name}.jpg") as image:
            image.thumbnail((cell, cell))
            sheet.paste(image, (x, y))
        draw.text((x + 3, y + cell + 2), recipe.title[: cell // 6], fill="black")
    sheet.save(args.target)


if __name__ == "__main__":
    main()
