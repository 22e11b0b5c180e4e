import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

from itadaki.models.litert_model import converted_path
from itadaki.settings import PROJECT_ROOT, Settings
from itadaki.variants import VARIANTS, Artifacts

ONLY_FOR_TRAINING = ("tensorflow", "keras", "matplotlib", "IPython", "notebook")
LOOK = f"""
import sys
from pathlib import Path
for name in {ONLY_FOR_TRAINING}:
    sys.modules[name] = None  # as if it were not installed
from itadaki.cli import main
import itadaki.evaluation.scores, itadaki.importing, itadaki.retrieval, api.main
for line in sys.argv[1:]:
    what, _, rest = line.partition(" ")
    if what == "lose":
        Path(rest).unlink()
    else:
        print(main([what, *rest.split()]), line, file=sys.stderr)
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


def test_without_the_extra_train_everything_but_training_works(recipes_root, tmp_path):
    """In one process, where nothing of the extra is installed, with the shipped model."""
    shutil.copytree(PROJECT_ROOT / "ft", tmp_path / "ft")
    measured = Path("reports") / "measurements"
    shutil.copytree(PROJECT_ROOT / measured, tmp_path / measured)
    conversion = converted_path(
        Artifacts(VARIANTS["ft"], Settings(_env_file=None, home=tmp_path)).model
    )
    works = ["setup", "search test_recipes/1.jpg", "evaluate ft --json"]
    needs_the_extra = ["train tl", "evaluate --compare", "build raw"]
    ran = subprocess.run(
        [sys.executable, "-c", LOOK, *works, *needs_the_extra, f"lose {conversion}", "build ft"],
        env={**os.environ, "ITADAKI_HOME": str(tmp_path), "ITADAKI_DATASET": str(recipes_root)},
        cwd=PROJECT_ROOT,
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stderr
    said = ran.stderr.splitlines()
    for line in works:
        assert f"0 {line}" in said, ran.stderr
    for line in needs_the_extra:
        last = said[said.index(f"1 {line}") - 1]
        assert last.endswith('python -m pip install -e ".[train]"')
    assert "tflite is missing or damaged" in said[said.index("1 build ft") - 1]
