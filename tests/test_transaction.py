import errno
import json
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

import itadaki.storage.transaction
from itadaki.errors import ArtifactError, BusyFolderError, StorageError
from itadaki.storage.transaction import changing, reading

CHANGE = """
import os, signal, sys
from pathlib import Path
import itadaki.storage.transaction as transaction
steps = kill_at = 0
calls = (Path, "replace"), (Path, "unlink"), (os, "fsync"), (transaction.shutil, "rmtree")
for owner, name in calls:
    def counted(*arguments, call=getattr(owner, name), **options):
        global steps
        steps += 1
        if steps == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)
        return call(*arguments, **options)
    setattr(owner, name, counted)
for folder in map(Path, sys.argv[1:]):
    kill_at += 1
    if child := os.fork():
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
        continue
    with transaction.changing(folder) as change:
        change.write(folder / "a.txt").write_text("new")
        change.write(folder / "deep" / "b.txt").write_text("new")
        change.remove(folder / "c.txt")
    os._exit(0)
"""


def state(folder) -> tuple[str | None, ...]:
    paths = (folder / "a.txt", folder / "deep" / "b.txt", folder / "c.txt")
    return tuple(path.read_text() if path.exists() else None for path in paths)


def test_killed_at_any_step_all_is_old_or_all_is_new(tmp_path):
    folders = [tmp_path / str(kill_at) for kill_at in range(1, 40)]
    for folder in folders:
        (folder / "deep").mkdir(parents=True)
        for path in (folder / "a.txt", folder / "deep" / "b.txt", folder / "c.txt"):
            path.write_text("old")
    command = [sys.executable, "-c", CHANGE, *map(str, folders)]
    ended = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.split()
    assert len(ended) == len(folders)
    killed = ended.index("0")  # so many were; the others came to their end before
    assert killed > 6 and ended == [str(-signal.SIGKILL)] * killed + ["0"] * (len(folders) - killed)
    seen = set()
    for folder in folders:
        with reading(folder):
            seen.add(state(folder))
        with changing(folder) as change:
            change.write(folder / "a.txt").write_text("newer")
        assert state(folder)[0] == "newer"
        assert not (folder / ".change").exists()
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
    monkeypatch.setattr(itadaki.storage.transaction, "_WAIT", 0.1)
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

    monkeypatch.setattr(itadaki.storage.transaction.FileLock, "acquire", refused)
    with reading(tmp_path):
        pass
    with pytest.raises(StorageError, match="not yours"), changing(tmp_path):
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


def foreign(folder, journal: object, **files: str):
    """A collection folder as a stranger may have made it, with a journal."""
    for name, text in {"data.csv": "theirs", ".change/new": "new", **files}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    content = journal if isinstance(journal, bytes) else json.dumps(journal).encode()
    (folder / ".change" / "journal.json").write_bytes(content)
    return folder


OUTSIDE = [
    [[".change/new", "../victim"]],
    [["../victim", None]],
    [["{victim}", None]],
    [[".change/new", "{victim}"]],
    [["../victim", "data.csv"]],
    [["link/victim", None]],
    [[".change/new", "link/victim"]],
    [[".change/new", "link/deeper/victim"]],
    [[".change/new", "raw/../../victim"]],
    [[".change/link", "a"], [".change/new", "a/victim"]],
    [["link", "a/b"], [".change/new", "a/b/victim"]],
    [[".change/new", "data.csv"], ["link/victim", None]],  # the first part alone would be right
]
UNUSABLE = [
    b"",
    b"{",
    b"\xff\xfe\x00",
    b"[" * 100_000,
    b" " * 64_000_001,
    [],
    {},
    None,
    7,
    "x",
    [7],
    [[]],
    [["data.csv"]],
    [[None, "data.csv"]],
    [[".change/new", 7]],
    [["", None]],
    [["data.csv\0", None]],
    [["\ud800", None]],
    [["x" * 300, None]],
    [["x/" * 3000, None]],
    [[".", None]],
    [["folder", None]],
    [[".change/new", "folder"]],
    [[".change/new", "data.csv/below"]],
    [[".lock", None]],
    [[".change/journal.json", "data.csv"]],
    [[".change/new", "a"], [".change/new", "b"]],
    [[".change/new", "a"], [".change/other", "./a"]],
]


@pytest.mark.parametrize("journal", [*OUTSIDE, *UNUSABLE], ids=lambda journal: repr(journal)[:40])
def test_a_journal_of_a_stranger_reaches_nothing_outside(tmp_path, journal, caplog):
    victim = tmp_path / "victim"
    victim.write_text("precious")
    if not isinstance(journal, bytes):
        text = json.dumps(journal).replace("{victim}", str(victim))
        journal = text.encode()
    folder = foreign(tmp_path / "mine", journal, **{"folder/x": "x", "raw/x": "x"})
    (folder / "link").symlink_to(tmp_path)
    (folder / ".change" / "link").symlink_to(tmp_path)
    for _ in range(2):
        with reading(folder):
            assert (folder / "data.csv").read_text() == "theirs"
            assert victim.read_text() == "precious"
    if journal != b"[]":
        assert caplog.text.count("It is set aside") == 1
        assert (folder / ".change.unusable" / "journal.json").exists()
    with changing(folder) as change:
        change.write(folder / "data.csv").write_text("ours")
    assert (folder / "data.csv").read_text() == "ours"
    assert not (folder / ".change").exists()


@pytest.mark.parametrize("name", [".change", ".change/journal.json", ".lock", ".change.unusable"])
@pytest.mark.parametrize("kind", ["link", "folder", "dangling"])
def test_what_takes_the_place_of_our_own_files_is_not_followed(tmp_path, name, kind):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "journal.json").write_text(json.dumps([["data.csv", None]]))
    (elsewhere / "new").write_text("new")
    before = sorted(elsewhere.iterdir())
    folder = foreign(tmp_path / "mine", {})
    path = folder / name
    if path.is_dir():
        shutil.rmtree(path)
    path.unlink(missing_ok=True)
    if kind == "folder":
        path.mkdir()
    elif kind == "link":
        path.symlink_to(elsewhere / "journal.json" if path.suffix else elsewhere)
    else:
        path.symlink_to(tmp_path / "nowhere")

    def change_it():
        with reading(folder):
            assert (folder / "data.csv").read_text() == "theirs"
        with changing(folder) as change:
            change.write(folder / "data.csv").write_text("ours")

    if name == ".lock":
        with pytest.raises(StorageError, match=r"\.lock cannot be written"):
            change_it()
    else:
        change_it()
        assert (folder / "data.csv").read_text() == "ours"
    assert sorted(elsewhere.iterdir()) == before and (elsewhere / "new").read_text() == "new"
    assert not (tmp_path / "nowhere").exists()


def test_a_change_through_a_link_out_of_the_folder_is_refused(tmp_path):
    folder, elsewhere = tmp_path / "mine", tmp_path / "elsewhere"
    folder.mkdir()
    elsewhere.mkdir()
    (folder / "photos").symlink_to(elsewhere)
    refused = pytest.raises(ArtifactError, match=r"cannot be changed.*not inside")
    with refused, changing(folder) as change:
        change.write(folder / "photos" / "x.jpg").write_text("x")
    assert not list(elsewhere.iterdir()) and not (folder / ".change").exists()


def test_a_change_that_fails_gives_its_room_back(tmp_path):
    with pytest.raises(ValueError, match="no"), changing(tmp_path) as change:
        change.write(tmp_path / "a.txt").write_text("new")
        raise ValueError("no")
    assert not (tmp_path / ".change").exists()
