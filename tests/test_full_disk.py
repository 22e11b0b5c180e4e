import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("full_disk.py")
OF_OUR_OWN = ["unshare", "--mount", "--propagation", "private"]


def may_mount() -> bool:
    try:
        return subprocess.run([*OF_OUR_OWN, "true"], capture_output=True).returncode == 0
    except OSError:
        return False


@pytest.mark.skipif(not may_mount(), reason="only root may mount a small disk")
def test_on_a_full_or_read_only_disk_all_is_said_and_nothing_is_left(tmp_path):
    done = subprocess.run(
        [*OF_OUR_OWN, sys.executable, str(SCRIPT), str(tmp_path)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(SCRIPT.parents[1])},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    told = dict(line.split(": ", 1) for line in done.stdout.splitlines())
    assert len(told) == 4 * 8
    for what, said in told.items():
        assert said.endswith("all as before")
        if not what.endswith("float16"):  # which each process can make for itself
            reason = "Read-only file system" if "read-only" in what else "No space left on device"
            assert reason in said, f"{what}: {said}"
