"""Render the pictures of one family of the embedded cookbook, or the ten test pictures.

python data/render/render.py FAMILY [--only NAME] [--size 320] [--spp 8] [--view N]
python data/render/render.py tests
"""

from __future__ import annotations

import argparse
import csv
import importlib
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kit.recipe import Recipe

HERE = Path(__file__).resolve().parent
SAMPLE = HERE.parent / "sample"
TESTS = HERE.parents[1] / "test_recipes"


def arguments() -> argparse.Namespace:
    """The command line."""
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("family", help="a module of families/, 'all', or 'tests': test_recipes/")
    p.add_argument("--only", help="render only image names that contain this")
    p.add_argument("--view", type=int, default=0, help="N > 0: another picture of each recipe")
    p.add_argument("--size", type=int, default=320, help="short side of the picture")
    p.add_argument("--spp", type=int, default=8, help="light paths per pixel")
    p.add_argument("--over", type=float, default=1.1, help="render this much larger, then shrink")
    p.add_argument("--jobs", type=int, default=2, help="threads")
    p.add_argument("--variant", default="llvm_ad_rgb", help="mitsuba variant")
    p.add_argument("--csv", type=Path, default=SAMPLE / "recipes.csv")
    p.add_argument("--out", type=Path, help="folder; by default the sample's, or test_recipes")
    p.add_argument("--force", action="store_true", help="render again what exists")
    p.add_argument("--raw", action="store_true", help="do not denoise")
    return p.parse_args()


def wanted(args: argparse.Namespace) -> list[tuple[Recipe, int, Path]]:
    """Each picture to have: its recipe, which view of it, and its file."""
    from kit.recipe import read_recipes

    if args.family == "tests":
        known = {(r.family, r.title): r for r in read_recipes(args.csv)}
        with open(TESTS / "answers.csv", newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        folder = args.out or TESTS
        plan = [
            (known[row["family"], row["title"]], int(row["view"]), folder / row["file"])
            for row in rows
        ]
    else:
        folder = args.out or SAMPLE / "Food Images" / "Food Images"
        recipes = read_recipes(args.csv, None if args.family == "all" else args.family)
        plan = [(r, args.view, folder / f"{r.image_name}.jpg") for r in recipes]
    folder.mkdir(parents=True, exist_ok=True)
    return [job for job in plan if not args.only or args.only in job[0].image_name]


def main() -> int:
    """Render what is missing and say what each picture cost."""
    args = arguments()
    if args.view and not args.out:
        raise SystemExit("--view needs --out: the cookbook itself holds view 0")
    sys.path.insert(0, str(HERE))
    if not os.environ.get("DRJIT_LIBLLVM_PATH"):
        found = sorted(Path("/usr/lib").glob("*/libLLVM.so.*"))
        if found:
            os.environ["DRJIT_LIBLLVM_PATH"] = str(found[-1])
    import mitsuba as mi

    mi.set_variant(args.variant)
    if args.variant.startswith("llvm"):
        import drjit as dr

        dr.set_thread_count(args.jobs)
    from kit.photo import develop
    from kit.stage import Scene

    jobs = wanted(args)
    failed = 0
    for k, (recipe, view, target) in enumerate(jobs, 1):
        if target.exists() and not args.force:
            continue
        start = time.time()
        rng = recipe.rng(view)
        scene = Scene(rng)
        try:
            importlib.import_module(f"families.{recipe.family}").build(scene, recipe, rng)
            built = time.time()
            side = round(args.size * args.over)
            light = scene.render(side, side, args.spp, clean=not args.raw)
        except Exception as error:
            failed += 1
            print(f"{recipe.image_name}: {error!r}", file=sys.stderr)
            if args.only:
                raise
            continue
        picture = develop(light, rng, args.size, scene.key)
        part = target.with_suffix(".part")
        picture.save(part, "JPEG", quality=86, optimize=True)
        os.replace(part, target)
        took = time.time() - start
        print(
            f"[{k}/{len(jobs)}] {recipe.image_name}: build {built - start:.1f} s, "
            f"total {took:.1f} s, {target.stat().st_size // 1024} KB",
            flush=True,
        )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
