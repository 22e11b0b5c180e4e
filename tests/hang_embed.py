"""Embed photos of the sample cookbook again and again in fresh processes, beside four busy loops.

    python tests/hang_embed.py [--runs 200] [--photos 242] [--at-once 1]

A run that takes longer than five minutes counts as hung, and is killed.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from itadaki.settings import PROJECT_ROOT

_SECONDS = 300
_PHOTOS = PROJECT_ROOT / "data" / "sample" / "Food Images" / "Food Images"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--photos", type=int, default=242, help="of the cookbook, so many a run")
    parser.add_argument("--at-once", type=int, default=1, help="runs beside one another")
    options = parser.parse_args()
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(4)]
    try:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name) / "photos"
            folder.mkdir()
            for photo in sorted(_PHOTOS.iterdir())[: options.photos]:
                (folder / photo.name).symlink_to(photo)

            def run(number: int) -> str:
                out = f"{name}/{number}.npz"
                command = ["embed", "--variant", "ft", str(folder), "--out", out]
                try:
                    done = subprocess.run(
                        [sys.executable, "-m", "itadaki", *command],
                        capture_output=True,
                        timeout=_SECONDS,
                    )
                except subprocess.TimeoutExpired:
                    return "hung"
                return "ended" if done.returncode == 0 else "failed"

            started = time.monotonic()
            counts = {"ended": 0, "failed": 0, "hung": 0}
            run(-1)  # converts the model, if nobody has
            with ThreadPoolExecutor(options.at_once) as pool:
                for outcome in pool.map(run, range(options.runs)):
                    counts[outcome] += 1
                    print(f"\r{counts}, {time.monotonic() - started:.0f} s", end="", flush=True)
            print()
    finally:
        for process in busy:
            process.kill()
    return counts["ended"] < options.runs


if __name__ == "__main__":
    sys.exit(main())
