import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from conftest import dish_photo, encode

from itadaki.cli import main
from itadaki.storage.workspace import workspace

KILLED = """
import os, sys
import itadaki.collection
from itadaki.cli import main
itadaki.collection._write_photo = lambda *_: os.kill(os.getpid(), int(sys.argv[1]))
main(["import", sys.argv[2], "--name", "mine"])
"""


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("kind", [signal.SIGKILL, signal.SIGTERM])
def test_what_a_killed_import_unpacked_is_removed_by_the_next(tmp_path, monkeypatch, kind):
    source, home = tmp_path / "cookbook.zip", tmp_path / "home" / "data" / "collections"
    with zipfile.ZipFile(source, "w") as file:
        file.writestr("soup.md", "# Soup")
        file.writestr("soup.jpg", encode(dish_photo(1)))
    monkeypatch.setenv("ITADAKI_HOME", str(tmp_path / "home"))
    for ours in (".git/HEAD", ".mine/notes", ".work/keep/notes", ".work/run-by-hand/notes"):
        (home / ours).parent.mkdir(parents=True)
        (home / ours).write_text("mine")

    killed = subprocess.run([sys.executable, "-c", KILLED, str(int(kind)), str(source)])
    assert killed.returncode == -kind
    assert list(home.glob(".work/run-*/unpacked/soup.jpg")) and not (home / "mine").exists()

    assert main(["import", str(source), "--name", "mine"]) == 0
    assert (home / "mine" / "data.csv").exists()
    assert names(home / ".work") == [".lock", "keep", "run-by-hand"]
    assert names(home) == [".git", ".lock", ".mine", ".work", "mine"]
    for ours in (".git/HEAD", ".mine/notes", ".work/keep/notes", ".work/run-by-hand/notes"):
        assert (home / ours).read_text() == "mine"


def test_the_folder_of_one_at_work_is_left_to_it(tmp_path):
    code = f"""if True:
        import pathlib, sys
        from itadaki.storage.workspace import workspace
        with workspace(pathlib.Path({str(tmp_path)!r})) as ours:
            print(ours, flush=True)
            sys.stdin.read()
            print(ours.is_dir())
    """
    other = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    theirs = Path(other.stdout.readline().strip())
    with workspace(tmp_path) as ours:
        assert ours.is_dir() and theirs.is_dir() and ours != theirs
        with workspace(tmp_path) as second:
            assert ours.is_dir() and second.is_dir()
    assert not ours.exists() and theirs.is_dir()
    said, _ = other.communicate("")
    assert said.strip() == "True" and not theirs.exists()
    assert names(tmp_path / ".work") == [".lock"]
