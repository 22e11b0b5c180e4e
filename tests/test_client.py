"""A client that is generated from the OpenAPI document makes a search."""

import json
import subprocess
import sys

import httpx
import pytest
from browsing import photo

pytest.importorskip("openapi_python_client")

CALL = """
import io, sys
from generated import Client
from generated.api.search import search_api_v1_search_search_post as search
from generated.models import PhotoQuery
from generated.types import File

with open(sys.argv[2], "rb") as file:
    dish = File(io.BytesIO(file.read()), "dish.jpg", "image/jpeg")
form = PhotoQuery(image=dish, top_k=4, crop="0,0,0.9,1")
answer = search.sync(client=Client(base_url=sys.argv[1].rstrip("/")), body=form)
assert answer.success, answer.error_message
for recipe in answer.recipes:
    print(recipe.id, recipe.rank, recipe.title)
"""


def test_a_generated_client_searches_with_a_photo(url, tmp_path):
    document = tmp_path / "openapi.json"
    document.write_text(json.dumps(httpx.get(f"{url}openapi.json").json()))
    config = tmp_path / "config.yaml"
    # What the generator would call afterwards only makes the code beautiful.
    config.write_text("package_name_override: generated\npost_hooks: []\n")
    generate = ("generate", "--path", document, "--meta", "none", "--output-path", "generated")
    run = {"cwd": tmp_path, "capture_output": True, "text": True}
    command = [sys.executable, "-m", "openapi_python_client", *generate, "--config", config]
    done = subprocess.run(command, **run)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "warning" not in (done.stdout + done.stderr).lower(), done.stdout

    (tmp_path / "dish.jpg").write_bytes(photo())
    done = subprocess.run([sys.executable, "-c", CALL, url, "dish.jpg"], **run)
    assert done.returncode == 0, done.stderr
    upload = {"image": ("dish.jpg", photo(), "image/jpeg")}
    asked = {"top_k": 4, "crop": "0,0,0.9,1"}
    answer = httpx.post(f"{url}api/v1/search/search", files=upload, data=asked).json()
    expected = [f"{each['id']} {each['rank']} {each['title']}" for each in answer["recipes"]]
    assert done.stdout.splitlines() == expected and len(expected) == 4
