"""Runs a notebook on the sample cookbook and keeps its outputs, small and the same every time."""

import base64
import io
import os
import re
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

import nbformat
from matplotlib.figure import Figure
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from PIL import Image

from itadaki.errors import ItadakiError
from itadaki.interrupt import temporary_folder
from itadaki.settings import PROJECT_ROOT, Settings
from itadaki.storage.files import replacing
from itadaki.variants import VARIANTS, Artifacts

_SECONDS = 3600  # that a cell may take
_JPEG = 72
_COLOURS = 128  # of a picture without photos
_WIDGET = "application/vnd.jupyter.widget-view+json"
_STAND_IN = "backbone of the fine-tuned model stands in"
"""As the library says where there are no ImageNet weights."""
_STYLE_ID = re.compile(r"T_[0-9a-f]{5}")


def run_notebook(path: Path) -> None:
    """Run a notebook from a clean kernel, with a home of its own, and write it back.

    The shipped model is copied into that home, so that nothing in the repository changes but the
    notebook. What a run prints about its progress is left out.

    Raises:
        ItadakiError: a cell failed, its output names a folder of this machine, or there are no
            ImageNet weights.
    """
    notebook = nbformat.read(path, as_version=4)
    with temporary_folder("itadaki-") as folder:
        home = str(folder)
        _ship_model(folder)
        environment = os.environ | {
            "ITADAKI_DATASET": "sample",
            "ITADAKI_HOME": home,
            "ITADAKI_BACKBONE_WEIGHTS": str(Settings().backbone_weights or ""),
            "ITADAKI_VARIANT": "",
        }
        client = NotebookClient(
            notebook,
            timeout=_SECONDS,
            kernel_name="python3",
            resources={"metadata": {"path": str(PROJECT_ROOT)}},
        )
        try:
            client.execute(env=environment)
        except CellExecutionError as error:
            raise ItadakiError(f"{path.name} failed: {error}") from None
        clean(notebook)
        told = _told(notebook)
        if _STAND_IN in told:
            raise ItadakiError(f"{path.name} needs ImageNet weights: set ITADAKI_BACKBONE_WEIGHTS.")
        for private in (home, str(PROJECT_ROOT), str(Path.home()), tempfile.gettempdir()):
            if private in told:
                raise ItadakiError(f"An output of {path.name} names {private}.")
    _write(notebook, path)


def refresh(path: Path, tables: Mapping[str, str], figure: Figure) -> None:
    """Put the measured scores into a chapter that has been run: its tables and its picture.

    Args:
        path: the notebook.
        tables: what the cells' sources hold, and the table that each shows.
        figure: what stands beside a table, where something does.
    """
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        outputs = [output.get("data", {}) for output in cell.get("outputs", [])]
        table = next((text for part, text in tables.items() if part in cell.source), None)
        if table is None or not outputs:
            continue
        for data in outputs:
            if "text/markdown" in data:
                data["text/markdown"] = table
                continue
            if not {"image/png", "image/jpeg"} & data.keys():
                continue
            buffer = io.BytesIO()
            figure.savefig(buffer, dpi=100, bbox_inches="tight", metadata={"Software": None})
            for kind in ("image/png", "image/jpeg"):
                data.pop(kind, None)
            data["image/png"] = base64.b64encode(buffer.getvalue()).decode()
            _shrink(data)
    _write(notebook, path)


def clean(notebook: nbformat.NotebookNode) -> None:
    """Leave out what changes from run to run, and make pictures of photos small."""
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    styles: dict[str, str] = {}
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        if cell.cell_type != "code":
            continue
        cell.outputs = [
            output
            for output in cell.outputs
            if output.get("name") != "stderr" and _WIDGET not in output.get("data", {})
        ]
        for output in cell.outputs:
            data = output.get("data", {})
            if "text/html" in data:
                data["text/html"] = _STYLE_ID.sub(
                    lambda match: styles.setdefault(match[0], f"T_{len(styles):05x}"),
                    data["text/html"],
                )
            if "image/png" in data:
                _shrink(data)


def _told(notebook: nbformat.NotebookNode) -> str:
    """All text in the outputs."""
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    texts = [output.get("text", "") for output in outputs]
    for output in outputs:
        data = output.get("data", {})
        texts += [value for kind, value in data.items() if kind.startswith("text/")]
    return "\n".join(texts)


def _write(notebook: nbformat.NotebookNode, path: Path) -> None:
    with replacing(path) as beside:
        beside.write_text(nbformat.writes(notebook) + "\n", encoding="utf-8")


def _shrink(data: dict[str, str]) -> None:
    """Turn a picture of photos into a JPEG, and any other into a PNG of few colours."""
    with Image.open(io.BytesIO(base64.b64decode(data.pop("image/png")))) as image:
        opaque = image.convert("RGB")
    photo, drawing = io.BytesIO(), io.BytesIO()
    opaque.save(photo, "JPEG", quality=_JPEG, optimize=True)
    opaque.quantize(_COLOURS, dither=Image.Dither.NONE).save(drawing, "PNG", optimize=True)
    kind, buffer = min(
        (("image/jpeg", photo), ("image/png", drawing)), key=lambda kept: len(kept[1].getvalue())
    )
    data[kind] = base64.b64encode(buffer.getvalue()).decode()


def _ship_model(home: Path) -> None:
    variant = VARIANTS["ft"]
    repository = Artifacts(variant, Settings(_env_file=None, home=PROJECT_ROOT))
    own = Artifacts(variant, Settings(_env_file=None, home=home))
    own.model.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(repository.model, own.model)
    shutil.copy(repository.text_encoder, own.text_encoder)
    shutil.copy(repository.record, own.record)
