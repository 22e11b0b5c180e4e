"""The service is what its OpenAPI document says, whatever schemathesis sends it."""

import subprocess
import sys
from pathlib import Path

import pytest
from conftest import running_service

CONFIG = Path(__file__).with_name("schemathesis.toml")


@pytest.mark.parametrize(("key", "operations"), [("", 9), ("secret-of-the-test", 13)])
def test_schemathesis_finds_no_failure(environment, key, operations, soak, tmp_path):
    with running_service({**environment, "ITADAKI_API_KEY": key}) as service:
        command = [
            *(sys.executable, "-m", "schemathesis.cli", f"--config-file={CONFIG}", "run"),
            *(f"{service.client.base_url}/openapi.json", "--checks=all", "--no-color"),
            *(f"--max-examples={500 if soak else 15}", "--seed=1"),
            *(["-H", f"X-API-Key: {key}"] if key else []),
        ]
        # Its cache lands in the working directory.
        done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    assert f"{operations} selected / {operations} total" in said
