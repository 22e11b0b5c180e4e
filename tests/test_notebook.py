import ast
import base64
import io
import re
from pathlib import Path

import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient
from PIL import Image

from itadaki import plots
from itadaki.evaluation.measurements import Measurements
from itadaki.training.config import (
    CONFIG_PHASES,
    CONFIG_TL,
    CONFIG_TL_HARD,
    CONFIGS,
    SEED_CONFIGS,
)
from tools.notebooks import clean, refresh
from tools.report import chapter_tables

ROOT = Path(__file__).resolve().parents[1]
MEASURED = Measurements().comparison
AGAIN = "run: make notebooks (or, for the scores alone, make report)"


# What each chapter is cut down to, so that it runs in a test: the cell after the configuration.
_TINY = '.update({"BATCH_SIZE": 8, "VIEWS": 2'
_TL = f'{_TINY}, "EPOCHS": 1}})'
_FT = f'{_TINY}, "PHASE_1_EPOCHS": 1, "PHASE_2_EPOCHS": 1}})'
BUDGETS = {
    "recipe_image_retrieval_ft_hard": f"CONFIG_FT{_FT}; OURS{_FT}",
    "recipe_image_retrieval_raw": "",
    "recipe_image_retrieval_tl": f"CONFIG_TL{_TL}; OURS{_TL}",
    "recipe_image_retrieval_tl_hard": f"CONFIG_TL_HARD{_TL}; OURS{_TL}",
}
SHIPPED = f"SHIPPED{_FT}"  # the same after the cell that takes the shipped configuration
WHOLE = "recipe_image_retrieval_tl_hard"  # of the others runs what it does not run, too
DIFFER = {"history", "scores", "measured"}  # in each chapter, so what shows them runs in each


def read(name: str):
    return nbformat.read(ROOT / f"{name}.ipynb", as_version=4)


def variant_of(name: str) -> str:
    return name.removeprefix("recipe_image_retrieval_").replace("ft_hard", "ft")


def names_in(source: str) -> tuple[set[str], set[str]]:
    """The names that a cell sets, and those that it takes from cells before it, or may."""
    sets, takes = set(), set()
    for node in ast.walk(ast.parse(re.sub(r"(?m)^%.*", "", source))):
        if isinstance(node, ast.alias):
            sets.add((node.asname or node.name).split(".")[0])
        elif isinstance(node, ast.Name):
            (takes if isinstance(node.ctx, ast.Load) else sets).add(node.id)
        elif isinstance(node, ast.AugAssign):
            takes |= {name.id for name in ast.walk(node.target) if isinstance(name, ast.Name)}
    return sets, takes


def own_cells(name: str) -> list:
    """The code of a chapter without what the whole one runs, too, but for what its own needs."""
    here = f'"{variant_of(name)}"'
    shared = {
        cell.source.replace(f'"{variant_of(WHOLE)}"', here)
        for cell in read(WHOLE).cells
        if name != WHOLE
    }
    kept, needed = [], set()
    for cell in reversed([cell for cell in read(name).cells if cell.cell_type == "code"]):
        sets, takes = names_in(cell.source)
        if cell.source not in shared or takes & DIFFER or sets & needed:
            kept.insert(0, cell)
            needed = needed - sets | takes
    return kept


@pytest.fixture(scope="module")
def run(environment, tmp_path_factory):
    """Runs chapters in one kernel, which imports TensorFlow once, each without the others' names.

    They share a home, as on a user's machine, and leave the session's alone.
    """
    client = NotebookClient(nbformat.v4.new_notebook(), timeout=3600, kernel_name="python3")
    home = str(tmp_path_factory.mktemp("notebooks"))

    def run(cells: list) -> None:
        reset = nbformat.v4.new_code_cell("%reset -f")
        client.nb = nbformat.v4.new_notebook(cells=[reset, *cells])
        for index, cell in enumerate(client.nb.cells):
            client.execute_cell(cell, index)

    with client.setup_kernel(cwd=str(ROOT), env=environment | {"ITADAKI_HOME": home}):
        yield run


def configuration(cells: list, name: str = "CONFIG_") -> int:
    """The index of the cell that holds the configuration."""
    return next(i for i, cell in enumerate(cells) if cell.source.startswith(name))


@pytest.mark.parametrize("name", BUDGETS)
def test_notebook_runs_from_a_clean_kernel(name, run):
    cells = own_cells(name)
    cells.insert(configuration(cells) + 1, nbformat.v4.new_code_cell(BUDGETS[name]))
    if variant_of(name) == "ft":
        cells.insert(configuration(cells, "SHIPPED") + 1, nbformat.v4.new_code_cell(SHIPPED))
    run(cells)
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    assert not [output for output in outputs if output.output_type == "error"]
    for cell in cells:
        if re.search(r"(?m)^plots\.show|^ *retrieval_system\.(display|show|visual)", cell.source):
            assert any("image/png" in output.get("data", {}) for output in cell.outputs)
    pictures = [output for output in outputs if "image/png" in output.get("data", {})]
    assert len(pictures) >= (13 if name == WHOLE else 3)
    assert any("nDCG@10 title" in str(output.get("data", "")) for output in outputs)


@pytest.mark.parametrize("variant", ["tl", "tl_hard", "ft"])
def test_the_notebook_and_the_command_line_train_alike(variant):
    name = {"ft": "ft_hard"}.get(variant, variant)
    cells = read(f"recipe_image_retrieval_{name}").cells
    scope: dict = {"CHAPTER_2": CONFIG_TL, "CHAPTER_3": CONFIG_TL_HARD}
    exec(cells[configuration(cells)].source, scope)
    assert scope[f"CONFIG_{variant.upper()}"] == SEED_CONFIGS[variant]
    assert scope["OURS"] == (CONFIG_PHASES if variant == "ft" else CONFIGS[variant])


@pytest.mark.parametrize("name", BUDGETS)
def test_the_committed_outputs_are_whole_and_of_the_sample_cookbook(name):
    """No photo and no text of another dataset may be in them."""
    path = ROOT / f"{name}.ipynb"
    cells = [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1)), AGAIN
    outputs = [output for cell in cells for output in cell.outputs]
    assert not [o for o in outputs if o.output_type == "error" or o.get("name") == "stderr"]
    printed = "".join(o.text for o in outputs if o.output_type == "stream")
    assert "242 recipes from sample" in printed
    assert "stands in" not in printed, "chapter 1 is raw with ImageNet weights"
    text = path.read_text(encoding="utf-8")
    assert len(text) < 1_500_000
    assert not re.findall(r"(?<![\w.])/(?:home|root|tmp|Users|work)/\w+", text)


@pytest.mark.parametrize("name", BUDGETS)
def test_the_committed_scores_are_those_that_are_stored(name):
    notebook = read(name)
    shown = [
        output.data["text/markdown"]
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if "text/markdown" in output.get("data", {})
    ]
    assert shown == list(chapter_tables(Measurements(), variant_of(name)).values()), AGAIN


def test_the_chapters_have_the_same_sections():
    sections = []
    for name in BUDGETS:
        notebook = read(name)
        text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
        sections.append(re.findall(r"^## .*", text, re.MULTILINE))
    assert [len(one) for one in sections] == [12, 11, 11, 11]
    assert all(one[:11] == sections[1] for one in sections)


def png_of(rgb) -> str:
    file = io.BytesIO()
    Image.fromarray(np.asarray(rgb, np.uint8)).save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


def test_outputs_are_cleaned_of_what_changes_and_of_weight():
    rng = np.random.default_rng(0)
    photo = png_of(rng.integers(0, 255, (300, 300, 3)))
    drawing = png_of(np.eye(300)[..., None] * [200, 20, 20])
    output = nbformat.v4.new_output
    outputs = [
        output("stream", name="stderr", text="a warning"),
        output("stream", name="stdout", text="kept"),
        output("display_data", {"application/vnd.jupyter.widget-view+json": {}}),
        output("display_data", {"text/html": "<p id='T_ab12f'></p><p id='T_ab12f'></p>"}),
        output("display_data", {"image/png": photo}),
        output("display_data", {"image/png": drawing}),
    ]
    cell = nbformat.v4.new_code_cell("1", outputs=outputs, metadata={"execution": {"at": "noon"}})
    notebook = nbformat.v4.new_notebook(cells=[cell], metadata={"widgets": {}})
    clean(notebook)
    assert "execution" not in cell.metadata and "widgets" not in notebook.metadata
    stream, html, pictured, drawn = notebook.cells[0].outputs
    assert stream.text == "kept"
    assert html.data["text/html"] == "<p id='T_00000'></p><p id='T_00000'></p>"
    assert set(pictured.data) == {"image/jpeg"} and set(drawn.data) == {"image/png"}
    assert len(pictured.data["image/jpeg"]) < len(photo) / 2


def test_measured_scores_are_put_into_a_chapter_without_running_it(tmp_path):
    output = nbformat.v4.new_output
    shown = [
        output("stream", name="stdout", text="first"),
        output("display_data", {"text/markdown": "old", "text/plain": "<Markdown>"}),
        output("display_data", {"image/jpeg": "old", "text/plain": "<Figure>"}),
    ]
    other = nbformat.v4.new_code_cell("2", outputs=[output("stream", name="stdout", text="2")])
    cell = nbformat.v4.new_code_cell('display(Markdown(chapter(measured, "tl")))', outputs=shown)
    path = tmp_path / "chapter.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=[other, cell]), path)
    refresh(path, {'chapter(measured, "tl")': "| new |"}, plots.ladder(MEASURED))
    kept, changed = nbformat.read(path, as_version=4).cells
    assert kept.outputs == other.outputs
    told, *others = changed.outputs
    assert told.text == "first"
    table, picture = (one.data for one in others)
    assert table["text/markdown"] == "| new |"
    assert set(picture) == {"image/png", "text/plain"}, "a drawing of lines stays a PNG"
    assert base64.b64decode(picture["image/png"]).startswith(b"\x89PNG")
