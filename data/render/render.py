"""Render the pictures of one family of the embedded cookbook.

python data/render/render.py FAMILY [--only NAME] [--size 320] [--spp 64]
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
SAMPLE = HERE.parent / "sample"


def arguments() -> argparse.Namespace:
    """The command line."""
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("family", help="a module of families/, or 'all'")
    p.add_argument("--only", help="render only image names that contain this")
    p.add_argument("--size", type=int, default=320, help="short side of the picture")
    p.add_argument("--spp", type=int, default=8, help="light paths per pixel")
    p.add_argument("--over", type=float, default=1.1, help="render this much larger, then shrink")
    p.add_argument("--jobs", type=int, default=2, help="threads")
    p.add_argument("--variant", default="llvm_ad_rgb", help="mitsuba variant")
    p.add_argument("--csv", type=Path, default=SAMPLE / "recipes.csv")
    p.add_argument("--out", type=Path, default=SAMPLE / "Food Images" / "Food Images")
    p.add_argument("--force", action="store_true", help="render again what exists")
    p.add_argument("--raw", action="store_true", help="do not denoise")
    return p.parse_args()


def main() -> int:
    """Render what is missing and say what each picture cost."""
    args = arguments()
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
    from kit.recipe import read_recipes
    from kit.stage import Scene

    recipes = read_recipes(args.csv, None if args.family == "all" else args.family)
    recipes = [r for r in recipes if not args.only or args.only in r.image_name]
    args.out.mkdir(parents=True, exist_ok=True)
    failed = 0
    for k, recipe in enumerate(recipes, 1):
        target = args.out / f"{recipe.image_name}.jpg"
        if target.exists() and not args.force:
            continue
        start = time.time()
        rng = recipe.rng()
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
            f"[{k}/{len(recipes)}] {recipe.image_name}: build {built - start:.1f} s, "
            f"total {took:.1f} s, {target.stat().st_size // 1024} KB",
            flush=True,
        )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
