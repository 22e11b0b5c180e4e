import errno
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

import itadaki.transaction
from itadaki.errors import BusyFolderError
from itadaki.transaction import changing, reading

CHANGE = """
import os, signal, sys
from pathlib import Path
import itadaki.transaction as transaction
folder, kill_at = Path(sys.argv[1]), int(sys.argv[2])
steps = 0
calls = (Path, "replace"), (Path, "unlink"), (os, "fsync"), (transaction.shutil, "rmtree")
for owner, name in calls:
    def counted(*arguments, call=getattr(owner, name), **options):
        global steps
        steps += 1
        if steps == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)
        return call(*arguments, **options)
    setattr(owner, name, counted)
with transaction.changing(folder) as change:
    change.write(folder / "a.txt").write_text("new")
    change.write(folder / "deep" / "b.txt").write_text("new")
    change.remove(folder / "c.txt")
"""


def state(folder) -> tuple[str | None, ...]:
    paths = (folder / "a.txt", folder / "deep" / "b.txt", folder / "c.txt")
    return tuple(path.read_text() if path.exists() else None for path in paths)


def test_killed_at_any_step_all_is_old_or_all_is_new(tmp_path):
    seen = set()
    for kill_at in range(1, 40):
        folder = tmp_path / str(kill_at)
        (folder / "deep").mkdir(parents=True)
        for path in (folder / "a.txt", folder / "deep" / "b.txt", folder / "c.txt"):
            path.write_text("old")
        done = subprocess.run([sys.executable, "-c", CHANGE, str(folder), str(kill_at)])
        with reading(folder):
            seen.add(state(folder))
        with changing(folder) as change:
            change.write(folder / "a.txt").write_text("newer")
        assert state(folder)[0] == "newer"
        assert not (folder / ".change").exists()
        if done.returncode == 0:
            break
    assert done.returncode == 0 and kill_at > 6
    assert seen == {("old", "old", "old"), ("new", "new", None)}


def test_nothing_changes_when_the_block_fails(tmp_path):
    (tmp_path / "a.txt").write_text("old")
    with pytest.raises(ValueError, match="no"), changing(tmp_path) as change:
        change.write(tmp_path / "a.txt").write_text("new")
        raise ValueError("no")
    with reading(tmp_path):
        assert (tmp_path / "a.txt").read_text() == "old"


def test_changes_wait_for_each_other(tmp_path):
    (tmp_path / "n").write_text("0")

    def add_one():
        with changing(tmp_path) as change, reading(tmp_path):
            number = int((tmp_path / "n").read_text())
            time.sleep(0.005)
            change.write(tmp_path / "n").write_text(str(number + 1))

    threads = [threading.Thread(target=add_one) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (tmp_path / "n").read_text() == "8"


def test_a_folder_that_stays_busy_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr(itadaki.transaction, "_WAIT", 0.1)
    said = []

    def ask():
        try:
            with reading(tmp_path):
                pass
        except BusyFolderError as error:
            said.append(str(error))

    with changing(tmp_path):
        asking = threading.Thread(target=ask)
        asking.start()
        asking.join()
    assert "try again" in said[0]


def test_a_folder_that_cannot_be_written_can_be_read(tmp_path, monkeypatch):
    def refused(self, **options):
        raise PermissionError(errno.EACCES, "not yours")

    monkeypatch.setattr(itadaki.transaction.FileLock, "acquire", refused)
    with reading(tmp_path):
        pass
    with pytest.raises(PermissionError), changing(tmp_path):
        pass


def test_a_change_that_cannot_be_carried_out_yet_is_made_all_the_same(
    tmp_path, monkeypatch, caplog
):
    (tmp_path / "a.txt").write_text("old")
    replace = Path.replace

    def failing(path, target):
        if path.parent.name == ".change" and Path(target).name == "b.txt":
            raise OSError(errno.EIO, "Input/output error")
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", failing)
    with changing(tmp_path) as change:
        change.write(tmp_path / "a.txt").write_text("new")
        change.write(tmp_path / "deep" / "b.txt").write_text("new")
    assert "Input/output error" in caplog.text
    monkeypatch.undo()
    with reading(tmp_path):
        assert state(tmp_path) == ("new", "new", None)
