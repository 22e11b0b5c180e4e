import os
import re
import shutil
import signal
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager

import httpx
import numpy as np
import pytest
from conftest import dish_photo, encode

PATIENCE = 120  # seconds, on a machine that is busy; what is waited for would take longer by far

FIRST_AT_ONCE = """
import sys, threading
from pathlib import Path
import numpy as np
from itadaki.models.embedder import Embedder
embedder = Embedder(Path(sys.argv[1]))
photo = np.zeros((1, 224, 224, 3), np.float32)
barrier = threading.Barrier(8)
def embed():
    barrier.wait()
    embedder.embed(photo, alone=False)
sys.setswitchinterval(1e-6)
threads = [threading.Thread(target=embed) for _ in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
"""

HELD_ON = """
import hashlib, sys, time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from itadaki import interrupt
from itadaki.storage.files import replacing
interrupt.watch()
target = Path(sys.argv[1]) / "rows.npy"
with replacing(target) as beside, interrupt.temporary_folder("half-", target.parent) as folder:
    beside.write_text("half")
    (folder / "more").write_text("half")
    with ThreadPoolExecutor(4) as pool:
        waiting = pool.map(time.sleep, [3000] * 8)
        print("now", flush=True)
        if sys.argv[2] == "pool":
            list(waiting)
        elif sys.argv[2] == "swallowed":
            while True:
                try: time.sleep(3000)
                except BaseException: pass
        else:  # C code that hears of no signal
            hashlib.pbkdf2_hmac("sha256", b"", b"", 2**31 - 1)
"""


@contextmanager
def busy_loops(count):
    with ExitStack() as stack:
        for _ in range(count):
            process = subprocess.Popen([sys.executable, "-c", "while True: pass"])
            stack.callback(process.wait)
            stack.callback(process.kill)
        yield


def test_the_first_embeddings_of_a_process_may_be_asked_for_at_once(tiny_model, soak):
    """Several fresh processes at a time, each with eight threads at a barrier."""
    rounds, loops = (10, 4) if soak else (2, 0)
    with busy_loops(loops):
        for _ in range(rounds):
            command = [sys.executable, "-c", FIRST_AT_ONCE, str(tiny_model)]
            processes = [subprocess.Popen(command) for _ in range(3)]
            try:
                assert [process.wait(PATIENCE) for process in processes] == [0] * 3
            finally:
                for process in processes:
                    process.kill()
                    process.wait()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("held", ["pool", "swallowed", "C"])
def test_a_signal_ends_what_would_go_on(held, number, tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-c", HELD_ON, str(tmp_path), held],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout.readline() == "now\n"
        process.send_signal(number)
        _, said = process.communicate(timeout=PATIENCE)
    finally:
        process.kill()
    assert process.returncode == 128 + number
    assert said.strip().startswith("itadaki: interrupted") and said.strip().count("\n") == 0
    assert not list(tmp_path.iterdir())


FORKED = """
import os, signal, time
from itadaki import interrupt
interrupt.watch()
for _ in range(20):
    child = os.fork()
    if not child:
        time.sleep(3000)
    os.kill(child, signal.SIGTERM)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGTERM
time.sleep(0.2)
print("alive")
"""


def test_a_signal_to_a_forked_child_ends_the_child_alone():
    """As libraries fork and end helpers."""
    done = subprocess.run(
        [sys.executable, "-c", FORKED], capture_output=True, text=True, timeout=PATIENCE
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "alive\n", "")


@pytest.fixture
def home(settings, tmp_path):
    home = tmp_path / "home"
    (home / "raw").mkdir(parents=True)
    for path in (settings.home / "raw").glob("*model*"):
        if "tflite" not in path.name:
            shutil.copy(path, home / "raw")
    return home


def interrupted(arguments, environment, moment, number=signal.SIGINT, program=("-m", "itadaki")):
    """Run a command, send it one signal once it has said something, and see it end."""
    process = subprocess.Popen(
        [sys.executable, *program, *arguments], env=environment, stderr=subprocess.PIPE
    )
    said = b""
    try:
        while moment.encode() not in said:
            more = os.read(process.stderr.fileno(), 4096)
            assert more, said.decode()
            said += more
        time.sleep(0.05)
        process.send_signal(number)
        said += process.communicate(timeout=PATIENCE)[1]
    finally:
        process.kill()
    said = said.decode()
    assert process.returncode == 128 + number, said
    assert "Traceback" not in said and said.count("interrupted") == 1


def left_behind(folder):
    """Files and folders that only a half-done change has."""
    return [
        path
        for path in (*folder.rglob(".*"), *folder.rglob("run-*"))
        if not path.name.endswith(".lock") and path.name not in (".gitkeep", ".work")
    ]


def test_a_build_that_is_interrupted_again_and_again_gets_done(environment, settings, home):
    ours = {**environment, "ITADAKI_HOME": str(home)}
    for moment in ("40 recipes", "Converting", "Embedding photos"):
        interrupted(["build", "raw"], ours, moment)
        assert not left_behind(home)
    command = [sys.executable, "-m", "itadaki", "build", "raw"]
    done = subprocess.run(command, env=ours, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    bank = "recipe_embeddings_database_raw.npy"
    np.testing.assert_allclose(
        np.load(home / "raw" / bank), np.load(settings.home / "raw" / bank), atol=1e-6
    )


def test_embed_is_interrupted_without_a_trace(environment, recipes_root, tmp_path):
    photos = recipes_root / "Food Images" / "Food Images"
    out = tmp_path / "out.npz"
    arguments = ["embed", "--variant", "raw", str(photos), "--out", str(out)]
    for number in (signal.SIGINT, signal.SIGTERM):
        interrupted(arguments, environment, "Embedding photos", number)
        assert not list(tmp_path.iterdir())


def test_an_import_is_interrupted_without_a_trace(environment, tmp_path):
    source, workspaces, home = (tmp_path / name for name in ("source", "tmp", "home"))
    for folder in (source, workspaces, home):
        folder.mkdir()
    lines = ["title,photo"]
    photo = encode(dish_photo(1))
    for number in range(300):
        (source / f"{number}.jpg").write_bytes(photo)
        lines.append(f"Cake {number},{number}.jpg")
    (source / "recipes.csv").write_text("\n".join(lines))
    ours = {**environment, "ITADAKI_HOME": str(home), "TMPDIR": str(workspaces)}
    arguments = ["import", str(source), "--name", "mine"]
    interrupted(arguments, ours, "Checking photos")
    assert not list(workspaces.iterdir()) and not left_behind(home)
    command = [sys.executable, "-m", "itadaki", *arguments]
    assert subprocess.run(command, env=ours, capture_output=True).returncode == 0


def test_serve_is_interrupted_while_it_sets_up(environment, settings, home):
    for path in (settings.home / "raw").glob("*model*.tflite*"):
        shutil.copy(path, home / "raw")
    interrupted(["serve"], {**environment, "ITADAKI_HOME": str(home)}, "Embedding photos")
    assert not left_behind(home)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_serve_is_interrupted_while_it_loads(environment, number):
    """Loading that never ends stands in for what takes seconds."""
    code = (
        "import sys, time; from itadaki.cli import serve\n"
        "from itadaki.retrieval import RetrievalSystem\n"
        "serve.is_ready = lambda variant, settings: True\n"
        "def load(*arguments, **more):\n"
        "    print('loading', file=sys.stderr, flush=True)\n"
        "    while True: time.sleep(1)\n"
        "RetrievalSystem.load = load\n"
        "from itadaki.__main__ import main\n"
        "sys.argv[1:] = ['serve', '--port', '0']; sys.exit(main())"
    )
    interrupted([], environment, "loading", number, ["-c", code])


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 0), (signal.SIGTERM, -15)])
def test_serve_is_stopped_without_a_traceback(environment, number, status):
    process = subprocess.Popen(
        [sys.executable, "-m", "itadaki", "serve", "--port", "0"],
        env=environment,
        stderr=subprocess.PIPE,
    )
    said = b""
    try:
        while b"running on" not in said:
            more = os.read(process.stderr.fileno(), 4096)
            assert more, said.decode()
            said += more
        address = re.search(rb"http://127[^ ]+", said)[0].decode()
        assert httpx.get(f"{address}/ready").status_code == 200
        process.send_signal(number)
        said += process.communicate(timeout=PATIENCE)[1]
    finally:
        process.kill()
    assert process.returncode == status, said.decode()
    assert b"Traceback" not in said and b"Finished server process" in said
