import json
import socket
import subprocess
import sys

import numpy as np
import pytest
from conftest import dish_photo, encode

from api.core.address import check_address
from itadaki.cli import main


@pytest.fixture
def configured(environment, monkeypatch):
    for name, value in environment.items():
        if name.startswith("ITADAKI_"):
            monkeypatch.setenv(name, value)


@pytest.fixture
def photo(recipes_root):
    return next((recipes_root / "Food Images" / "Food Images").glob("lemon-cake-1004.jpg"))


def test_help_needs_no_tensorflow():
    code = (
        "import sys; from itadaki.cli import main\n"
        "sys.exit(main(['--help']) or 'tensorflow' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0
    for word in (
        "setup",
        "build",
        "search",
        "train",
        "evaluate",
        "embed",
        "serve",
        "ITADAKI_DATASET",
    ):
        assert word in done.stdout


@pytest.mark.parametrize(
    "arguments",
    [[], ["bake"], ["train", "raw"], ["build"], ["remove"], ["search", "--variant", "best"]],
)
def test_a_wrong_command_line_says_how_it_is_used(arguments, capsys):
    assert main(arguments) == 2
    said = capsys.readouterr()
    assert not said.out and said.err.startswith("Usage: itadaki")


def test_whoever_reads_the_output_may_have_enough():
    command = [sys.executable, "-m", "itadaki", "--help"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait(60) == 141


def test_setup_and_build_leave_what_is_ready(configured, capsys):
    assert main(["setup"]) == 0
    assert main(["build", "raw"]) == 0
    said = capsys.readouterr().err
    assert "40 recipes" in said and "raw bank of 40 recipes x 1280" in said


def test_training_does_not_replace_a_model_of_other_recipes(
    configured, monkeypatch, tmp_path, capsys
):
    monkeypatch.setenv("ITADAKI_HOME", str(tmp_path))
    record = tmp_path / "ft" / "best_embedding_recipe_image_retrieval_model_ft.json"
    record.parent.mkdir()
    record.write_text('{"dataset": "0123", "dataset_source": "folder kaggle"}')
    assert main(["train", "ft"]) == 1
    said = capsys.readouterr().err
    assert "trained on other recipes (folder kaggle)" in said and "--replace" in said


def test_search_prints_a_table(configured, photo, capsys):
    assert main(["search", str(photo), "--top-k", "2"]) == 0
    out = capsys.readouterr().out
    assert "Lemon Cake" in out and "cake" in out and "1.000" in out


def test_search_prints_json(configured, photo, capsys):
    assert main(["search", str(photo), "--top-k", "4", "--json"]) == 0
    results = json.loads(capsys.readouterr().out)
    assert [result["rank"] for result in results] == [1, 2, 3, 4]
    assert results[0]["title"] == "Lemon Cake"
    assert results[0]["ingredients"] == ["2 lemons", "4 eggs", "200 g flour"]
    assert results[0]["photo"] == str(photo)


def test_evaluate_prints_the_table(configured, capsys):
    assert main(["evaluate", "raw", "--split", "validation", "--json"]) == 0
    scores = json.loads(capsys.readouterr().out)
    assert scores["photos"]["recall@10 re-crop"]["queries"] > 0


def test_only_scores_of_the_test_split_are_kept(configured, capsys):
    assert main(["evaluate", "raw", "--split", "sealed", "--save"]) == 1
    assert "test split" in capsys.readouterr().err


def test_embed_writes_names_and_rows(configured, tmp_path, capsys):
    folder, out = tmp_path / "photos", tmp_path / "out.npz"
    folder.mkdir()
    for seed in range(11):
        kind = ("JPEG", "PNG")[seed % 2]
        (folder / f"dish.{seed:02}.{kind.lower()}").write_bytes(encode(dish_photo(seed), kind))
    (folder / "notes.txt").write_text("no photo")
    (folder / "cut.jpg").write_bytes(encode(dish_photo(1))[:2000])
    assert main(["embed", "--variant", "raw", str(folder), "--out", str(out)]) == 0
    with np.load(out, allow_pickle=False) as written:
        assert written["names"].tolist() == [f"dish.{seed:02}" for seed in range(11)]
        assert written["embeddings"].shape == (11, 1280)
        assert written["embeddings"].dtype == np.float32
        assert np.linalg.norm(written["embeddings"], axis=1) == pytest.approx(1, abs=1e-5)
    said = capsys.readouterr().err
    assert "notes.txt: This is not a photo" in said and "cut.jpg: The photo is truncated" in said


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["build", "tl"], "variant tl has no model yet"),
        (["evaluate", "tl_hard"], "variant tl_hard has no model yet"),
        (["search", "x.jpg", "--variant", "ft"], "variant ft has no model yet"),
        (["search", "no-such.jpg"], "There is no file no-such.jpg"),
        (["embed", "--variant", "raw", "no-such-folder", "--out", "x.npz"], "There is no folder"),
    ],
)
def test_errors_are_one_line(configured, arguments, says, capsys):
    assert main(arguments) == 1
    said = capsys.readouterr().err.strip()
    assert said.startswith("itadaki: ") and says in said and "\n" not in said


def test_folder_without_photos_is_named(configured, tmp_path, capsys):
    (tmp_path / "a.txt").write_text("no photo")
    assert main(["embed", "--variant", "raw", str(tmp_path), "--out", "x.npz"]) == 1
    assert "No file in" in capsys.readouterr().err


def test_search_before_build_says_what_to_run(configured, photo, monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("ITADAKI_HOME", str(tmp_path))
    assert main(["search", str(photo)]) == 1
    assert "python -m itadaki build raw" in capsys.readouterr().err


def test_wrong_setting_is_named(configured, monkeypatch, photo, capsys):
    monkeypatch.setenv("ITADAKI_VARIANT", "best")
    assert main(["search", str(photo)]) == 1
    said = capsys.readouterr().err
    assert "ITADAKI_VARIANT" in said and "'raw'" in said and "Traceback" not in said


@pytest.mark.parametrize("top_k", ["0", "-3", "many"])
def test_wrong_top_k_is_refused(top_k, photo):
    assert main(["search", str(photo), "--top-k", top_k]) == 2


@pytest.mark.parametrize("port", ["99999", "-1", "http"])
def test_wrong_port_is_refused(port, capsys):
    assert main(["serve", "--port", port]) == 2
    assert f"'{port}' is not a whole number from 0 to 65535" in capsys.readouterr().err


def test_where_nobody_can_listen_is_said_before_anything_is_prepared(
    configured, monkeypatch, tmp_path, capsys
):
    monkeypatch.setenv("ITADAKI_HOME", str(tmp_path / "empty"))
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        assert main(["serve", "--port", port]) == 1
    assert f"Port {port} is in use by another program" in capsys.readouterr().err
    for host, says in (("nowhere.invalid", "no host"), ("192.0.2.1", "not an address of this")):
        assert main(["serve", "--host", host, "--port", "0"]) == 1
        said = capsys.readouterr().err.strip()
        assert says in said and "--host" in said and "\n" not in said
    assert not (tmp_path / "empty").exists()


def test_a_file_that_cannot_be_written_is_one_line(configured, recipes_root, tmp_path, capsys):
    photos, out = recipes_root / "Food Images/Food Images", tmp_path / "file" / "out.npz"
    out.parent.write_text("no folder")
    assert main(["embed", "--variant", "raw", str(photos), "--out", str(out)]) == 1
    said = capsys.readouterr().err.strip().splitlines()[-1]
    assert said.startswith(f"itadaki: {out.parent} cannot be written")
    assert "Errno" not in said


def test_localhost_needs_no_ipv6(monkeypatch):
    monkeypatch.setattr(
        socket,
        "getaddrinfo",
        lambda *_, **__: [
            (socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("2001:db8::1", 0, 0, 0)),
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 0)),
        ],
    )
    check_address("localhost", 0)
