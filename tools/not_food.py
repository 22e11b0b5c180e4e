"""Pictures that show no food: drawn here, and out of Debian packages.

python -m tools.not_food FOLDER    # downloads 1 GB of packages and keeps their pictures there
"""

import random
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import matplotlib
import numpy as np

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from matplotlib import font_manager
from PIL import Image, ImageDraw, ImageFont

PACKAGES = {
    "desktop-base": 20,
    "extremetuxracer-data": 30,
    "gnome-backgrounds": 14,
    "gnome-user-docs": 50,
    "hugin-data": 40,
    "khangman": 20,
    "libreoffice-common": 20,
    "lxqt-themes": 24,
    "marble-data": 60,
    "mate-backgrounds": 30,
    "opencv-doc": 250,
    "openclipart-png": 250,
    "plasma-workspace-data": 40,
    "plasma-workspace-wallpapers": 72,
    "python-skimage-doc": 70,
    "python3-skimage": 28,
    "stellarium-data": 150,
    "supertux-data": 40,
    "tuxpaint-stamps-default": 330,
    "ukui-wallpapers": 12,
    "wesnoth-1.16-data": 140,
}
"""Debian packages with pictures, and how many are taken of each at most."""

_EATEN = re.compile(
    r"food|fruit|veget|cake|apple|banana|pizza|bread|soup|kitchen|dessert|meal|cook|drink|coffee|"
    r"berry|tomato|lemon|orange|candy|cheese|egg|salad|sandwich|burger|pepper|carrot|potato|onion|"
    r"mushroom|cherry|grape|melon|nut|pear|corn|bean|rice|sushi|ice_?cream|cookie|pie|fish|shrimp|"
    r"chocolate|pumpkin|pudding",
    re.IGNORECASE,
)
_KINDS = {".jpg", ".jpeg", ".png", ".webp"}
_ICON = 12_000  # bytes; smaller files are icons
_WORDS = ["the", "of", "and", "to", "in", "it", "is", "was", "for", "with", "as", "his", "they"]


def collect(folder: Path) -> None:
    """Keep the pictures of the packages, each package's in a folder of its own."""
    for package, most in PACKAGES.items():
        if (folder / package).exists():
            continue
        with tempfile.TemporaryDirectory() as room:
            subprocess.run(["apt-get", "download", package], cwd=room, check=True)
            for archive in Path(room).glob("*.deb"):
                subprocess.run(["dpkg-deb", "-x", archive, "."], cwd=room, check=True)
            _keep(Path(room), folder / package, most)


def _keep(room: Path, folder: Path, most: int) -> None:
    found = [
        path
        for path in sorted(room.rglob("*"))
        if path.suffix.lower() in _KINDS
        and path.is_file()
        and not path.is_symlink()
        and path.stat().st_size > _ICON
        and not _EATEN.search(str(path.relative_to(room)))
    ]
    random.Random(0).shuffle(found)
    # Photos before drawings.
    found.sort(key=lambda path: path.suffix.lower() not in (".jpg", ".jpeg"))
    folder.mkdir(parents=True)
    for number, path in enumerate(found[:most]):
        shutil.copyfile(path, folder / f"{number:03d}-{path.name}")


def drawn(each: int) -> Iterator[tuple[str, np.ndarray]]:
    """Kind and picture, uint8 (height, width, 3), of ``each`` pictures of every kind."""
    for kind, draw in _DRAWN.items():
        for number in range(each):
            yield f"drawn {kind}", draw(np.random.default_rng([number, len(kind)]))


def _colour(rng: np.random.Generator, low: int = 0, high: int = 256) -> tuple[int, int, int]:
    red, green, blue = rng.integers(low, high, 3).tolist()
    return red, green, blue


def _flat(rng: np.random.Generator) -> np.ndarray:
    return np.full((300, 400, 3), _colour(rng), np.uint8)


def _gradient(rng: np.random.Generator) -> np.ndarray:
    size = int(rng.integers(2, 6))
    corners = rng.integers(0, 256, (size, size, 3)).astype(np.uint8)
    return cv2.resize(corners, (400, 300), interpolation=cv2.INTER_CUBIC)


def _noise(rng: np.random.Generator) -> np.ndarray:
    side = int(rng.choice([16, 64, 300]))
    return cv2.resize(rng.integers(0, 256, (side, side, 3)).astype(np.uint8), (400, 300))


def _font(rng: np.random.Generator, size: int) -> ImageFont.FreeTypeFont:
    fonts = sorted(font.fname for font in font_manager.fontManager.ttflist if "Sans" in font.name)
    return ImageFont.truetype(str(rng.choice(fonts)), size)


def _text(rng: np.random.Generator) -> np.ndarray:
    """A page, a screen or a sign of words."""
    dark = rng.random() < 0.35
    paper, ink = ((20, 22, 28), _colour(rng, 150)) if dark else (_colour(rng, 225), (30, 30, 30))
    image = Image.new("RGB", (480, int(rng.integers(320, 640))), paper)
    pen, size = ImageDraw.Draw(image), int(rng.integers(9, 34))
    font, y = _font(rng, size), 16
    while y < image.height - size:
        line = " ".join(rng.choice(_WORDS, rng.integers(2, 90 // size * 2)).tolist())
        if rng.random() < 0.85:
            pen.text((20, y), line, ink, font)
        y += int(size * 1.4)
    return np.asarray(image)


def _table(rng: np.random.Generator) -> np.ndarray:
    image = Image.new("RGB", (480, 360), "white")
    pen, font = ImageDraw.Draw(image), _font(rng, int(rng.integers(9, 15)))
    across, down = int(rng.integers(40, 140)), int(rng.integers(16, 40))
    for y in range(10, 350, down):
        if rng.random() < 0.3:
            pen.rectangle((10, y, 470, y + down), _colour(rng, 190))
        pen.line((10, y, 470, y), (120, 120, 120))
        for x in range(14, 460, across):
            pen.text((x, y + 2), f"{rng.integers(0, 9999) / 10:.1f}", (30, 30, 30), font)
    return np.asarray(image)


def _screen(rng: np.random.Generator) -> np.ndarray:
    """Windows, fields and buttons."""
    image = Image.new("RGB", (500, 360), _colour(rng))
    pen, font = ImageDraw.Draw(image), _font(rng, 12)
    for _ in range(int(rng.integers(1, 5))):
        x, y = rng.integers(0, 250, 2).tolist()
        wide, high = rng.integers(120, 300, 2).tolist()
        pen.rectangle((x, y, x + wide, y + high), _colour(rng, 200), (90, 90, 90))
        pen.rectangle((x, y, x + wide, y + 18), _colour(rng, 40, 160))
        for row in range(y + 26, y + high - 18, 24):
            pen.rounded_rectangle(
                (x + 8, row, x + 8 + int(rng.integers(40, 110)), row + 16), 4, _colour(rng)
            )
            pen.text((x + 12, row), " ".join(rng.choice(_WORDS, 3)), (20, 20, 20), font)
    return np.asarray(image)


def _chart(rng: np.random.Generator) -> np.ndarray:
    with plt.style.context(str(rng.choice(["default", "ggplot", "dark_background", "bmh"]))):
        figure, axes = plt.subplots(figsize=(4.4, 3.3), dpi=100)
        count, colours = int(rng.integers(3, 9)), rng.random((9, 3))
        match int(rng.integers(7)):
            case 0:
                axes.plot(rng.normal(size=(60, count)).cumsum(axis=0))
            case 1:
                axes.bar(range(count), rng.random(count), color=colours[:count])
            case 2:
                axes.pie(rng.random(count) + 0.1, colors=colours[:count])
            case 3:
                axes.scatter(*rng.normal(size=(2, 120)), c=rng.random(120), s=60 * rng.random(120))
            case 4:
                axes.imshow(rng.random((count, count)))
            case 5:
                axes.hist(rng.normal(size=(300, 3)), bins=12)
            case _:
                axes.contourf(cv2.GaussianBlur(rng.random((40, 40)), (0, 0), 5))
        axes.set_title(" ".join(rng.choice(_WORDS, 3)))
        figure.canvas.draw()
        rgb = np.asarray(figure.canvas.buffer_rgba())[..., :3].copy()
        plt.close(figure)
    return rgb


def _map(rng: np.random.Generator) -> np.ndarray:
    land = cv2.GaussianBlur(rng.random((300, 400)).astype(np.float32), (0, 0), 30)
    rgb = np.where(land[..., None] > np.median(land), _colour(rng, 170), _colour(rng, 120))
    rgb = np.ascontiguousarray(rgb, np.uint8)
    for _ in range(int(rng.integers(8, 30))):
        points = rng.integers(0, 400, (int(rng.integers(2, 6)), 2)).astype(np.int32)
        cv2.polylines(rgb, [points], False, _colour(rng), int(rng.integers(1, 5)), cv2.LINE_AA)
    return rgb


def _shapes(rng: np.random.Generator) -> np.ndarray:
    """Signs, patterns and line drawings."""
    rgb = np.full((300, 400, 3), _colour(rng, 120), np.uint8)
    for _ in range(int(rng.integers(2, 40))):
        start, end = rng.integers(0, 400, (2, 2)).tolist()
        thick = int(rng.choice([-1, 1, 3, 8]))
        match int(rng.integers(3)):
            case 0:
                cv2.rectangle(rgb, start, end, _colour(rng), thick)
            case 1:
                cv2.line(rgb, start, end, _colour(rng), max(1, thick), cv2.LINE_AA)
            case _:
                points = rng.integers(0, 400, (3, 2)).astype(np.int32)
                cv2.polylines(rgb, [points], True, _colour(rng), max(1, thick), cv2.LINE_AA)
    return rgb


_DRAWN: dict[str, Callable[[np.random.Generator], np.ndarray]] = {
    "flat": _flat,
    "gradient": _gradient,
    "noise": _noise,
    "text": _text,
    "table": _table,
    "screen": _screen,
    "chart": _chart,
    "map": _map,
    "shapes": _shapes,
}


if __name__ == "__main__":
    collect(Path(sys.argv[1]))
