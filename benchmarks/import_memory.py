"""The memory that an import takes at most, by how many pages it reads.

python benchmarks/import_memory.py [PAGES ...] makes so many saved pages, each with a photo of its
own, imports them, and prints the most resident memory of the command and of the process beside it
that reads (Linux).
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np

_FILLING = "<p>Some words of a page that are no recipe.</p>\n" * 200


def write_pages(folder: Path, count: int) -> None:
    """Saved pages with a recipe each, about 14 kB, and their photos."""
    photo = cv2.imencode(".jpg", np.random.default_rng(0).integers(0, 255, (169, 274, 3), np.uint8))
    for number in range(count):
        recipe = {
            "@context": "https://schema.org",
            "@type": "Recipe",
            "name": f"Dish number {number}",
            "image": f"{number}.jpg",
            "recipeIngredient": [f"{n} g of what dish {number} needs" for n in range(12)],
            "recipeInstructions": [
                {"@type": "HowToStep", "text": f"What is done in step {n} of dish {number}. " * 6}
                for n in range(8)
            ],
            "url": f"https://kitchen.example/{number}",
        }
        script = f'<script type="application/ld+json">{json.dumps(recipe)}</script>'
        (folder / f"{number}.html").write_text(f"<html>{script}<body>{_FILLING}</body></html>")
        (folder / f"{number}.jpg").write_bytes(photo[1].tobytes() + number.to_bytes(4, "big"))


def peaks(source: Path, home: Path) -> dict[str, float]:
    """Import a source; the most megabytes of the command and of its child."""
    command = [sys.executable, "-m", "itadaki", "import", str(source), "--name", "pages"]
    process = subprocess.Popen(command, env=os.environ | {"ITADAKI_HOME": str(home)})
    most: dict[str, float] = {}
    while process.poll() is None:
        time.sleep(0.2)
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        try:
            pids = {"command": str(process.pid)} | dict.fromkeys(["reader"], children.read_text())
            for name, pid in pids.items():
                for one in pid.split():
                    status = Path(f"/proc/{one}/status").read_text()
                    found = re.search(r"VmHWM:\s+(\d+) kB", status)
                    if found:
                        most[name] = max(most.get(name, 0.0), int(found[1]) / 1000)
        except OSError:  # one has just ended
            continue
    if process.returncode:
        raise SystemExit(f"The import ended with {process.returncode}.")
    return most


def main() -> None:
    """Measure each number of pages."""
    for count in [int(text) for text in sys.argv[1:]] or [1000, 10_000]:
        with tempfile.TemporaryDirectory() as folder:
            source = Path(folder, "pages")
            source.mkdir()
            write_pages(source, count)
            most = peaks(source, Path(folder, "home"))
        print(f"{count:,} pages:", ", ".join(f"{k} {v:.0f} MB" for k, v in most.items()))


if __name__ == "__main__":
    main()
