"""Sources of an import, written by tests, and what reading one of them gives."""

import io
import zipfile
from pathlib import Path

import pytest

from itadaki.importing import read_recipes, reader


@pytest.fixture
def in_process(monkeypatch):
    """Lets an import read files in this process, for what is not about the process beside."""

    def ask(self, function, _, *arguments):
        yield from function(*arguments, self._budget)

    monkeypatch.setattr(reader.Reader, "_ask", ask)


def write(folder: Path, files: dict[str, bytes | str]) -> Path:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


def zipped(files: dict[str, bytes | str]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in files.items():
            file.writestr(name, content)
    return buffer.getvalue()


def recipes_and_reasons(source: Path, workspace: Path) -> tuple[dict, dict[str, str]]:
    """Reads as an import does; recipes by title, and the reasons for the rest by origin."""
    recipes, unusable = read_recipes(source, workspace, progress=False)
    by_title = {recipe.title: recipe for recipe in recipes}
    assert len(by_title) == len(recipes)
    return by_title, {one.origin: one.reason for one in unusable}
