import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from itadaki.models.litert_model import converted_path
from itadaki.settings import PROJECT_ROOT, Settings
from itadaki.variants import VARIANTS

ONLY_FOR_TRAINING = ("tensorflow", "keras", "matplotlib", "IPython", "notebook")
LOOK = f"""
import sys
for name in {ONLY_FOR_TRAINING}:
    sys.modules[name] = None  # as if it were not installed
from itadaki.cli import main
import itadaki.evaluation.scores, itadaki.importing, itadaki.retrieval, api.main
sys.exit(main(sys.argv[1:]))
"""


def requirements():
    lines = (PROJECT_ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    return {line for line in lines if line and not line.startswith("#")}


def project():
    return tomllib.loads((PROJECT_ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def test_the_notebooks_requirements_are_those_of_serving_and_training():
    found = project()
    train = found["optional-dependencies"]["train"]
    assert requirements() == {*found["dependencies"], *train}
    assert not {*found["dependencies"]} & {*train}


@pytest.fixture
def run(recipes_root, tmp_path):
    """Runs a command where nothing of the extra is installed, with the shipped model."""
    shutil.copytree(PROJECT_ROOT / "ft", tmp_path / "ft")
    ours = {"ITADAKI_HOME": str(tmp_path), "ITADAKI_DATASET": str(recipes_root)}

    def run(*arguments):
        return subprocess.run(
            [sys.executable, "-c", LOOK, *arguments],
            env=os.environ | ours,
            cwd=PROJECT_ROOT,
            capture_output=True,
            text=True,
        )

    return run


def test_without_the_extra_train_everything_but_training_works(run, tmp_path):
    for arguments in (["setup"], ["search", "test_recipes/1.jpg"], ["evaluate", "ft", "--json"]):
        ran = run(*arguments)
        assert ran.returncode == 0, ran.stderr
    measured = Path("reports") / "measurements"
    shutil.copytree(PROJECT_ROOT / measured, tmp_path / measured)
    for arguments in (["train", "tl"], ["evaluate", "--compare"], ["build", "raw"]):
        ran = run(*arguments)
        assert ran.returncode == 1
        assert ran.stderr.splitlines()[-1].endswith('python -m pip install -e ".[train]"')
    converted_path(VARIANTS["ft"].model_path(Settings(_env_file=None, home=tmp_path))).unlink()
    ran = run("build", "ft")
    assert ran.returncode == 1
    assert "tflite is missing or damaged" in ran.stderr.splitlines()[-1]
