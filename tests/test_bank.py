import dataclasses
import json
import os
import pickle
import shutil
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from itadaki.bank.bank import load_bank
from itadaki.bank.build import build_bank
from itadaki.bank.embedding import BATCH_SIZE
from itadaki.errors import ArtifactError
from itadaki.models.embedder import load_embedder
from itadaki.recipes.dataset import load_dataset
from itadaki.retrieval import RetrievalSystem
from itadaki.storage.files import load_builtin_pickle
from itadaki.variants import VARIANTS, Artifacts

RAW = VARIANTS["raw"]
PARTS = ("recipe_embeddings_database_raw.npy", "recipe_embeddings_database_metadata_raw.pkl")


def never(photos, embedder, batch_size):
    """In the place of what embeds, where no photo may be left to embed."""
    assert not photos
    return iter(())


def test_round_trip(settings, system):
    dataset = load_dataset(settings)
    bank = load_bank(Artifacts(RAW, settings), dataset)
    assert bank.embeddings.shape == (40, 1280) and bank.embeddings.dtype == np.float32
    assert isinstance(bank.embeddings, np.memmap)
    assert np.linalg.norm(bank.embeddings, axis=1) == pytest.approx(1, abs=1e-5)
    for i, row in dataset.recipes.iterrows():
        recipe = bank.recipes[i]
        assert recipe.title == row.Title
        assert recipe.ingredients == row.Ingredients
        assert str(dataset.root / recipe.photo) == row.image_path
        assert bank.embeddings[i] @ system.embed(row.image_path) == pytest.approx(1, abs=1e-4)


def test_seed_file_names(settings):
    names = {path.name for path in (settings.home / "raw").iterdir()}
    assert {*PARTS, "recipe_image_retrieval_model_raw.keras"} <= names


def test_kept_while_it_matches_and_built_anew_when_forced(copy, caplog):
    dataset, embedder = load_dataset(copy), load_embedder(Artifacts(RAW, copy))
    path = Artifacts(RAW, copy).bank
    before = path.stat().st_mtime_ns
    build_bank(Artifacts(RAW, copy), dataset, embedder)
    assert path.stat().st_mtime_ns == before
    content = path.read_bytes()
    build_bank(Artifacts(RAW, copy), dataset, embedder, force=True)
    assert path.stat().st_mtime_ns != before
    assert path.read_bytes() == content


@pytest.mark.parametrize("part", [*PARTS, "recipe_image_retrieval_model_raw.keras"])
def test_changed_part_is_refused(part, copy):
    path = copy.home / "raw" / part
    content = bytearray(path.read_bytes())
    content[-9] ^= 1
    path.write_bytes(content)
    with pytest.raises(ArtifactError, match=r"changed or replaced.*python -m itadaki build raw"):
        load_bank(Artifacts(RAW, copy), load_dataset(copy))


@pytest.mark.parametrize("part", [*PARTS, "recipe_embeddings_database_raw.manifest.json"])
def test_missing_part_is_named(part, copy):
    (copy.home / "raw" / part).unlink()
    with pytest.raises(ArtifactError, match="python -m itadaki build raw"):
        load_bank(Artifacts(RAW, copy), load_dataset(copy))


def test_bank_of_other_weights_is_refused(copy, tmp_path, no_conversion):
    import keras

    other = tmp_path / "other.weights.h5"
    keras.utils.set_random_seed(8)
    keras.applications.EfficientNetB0(include_top=False, weights=None).save_weights(other)
    changed = copy.model_copy(update={"backbone_weights": other})
    with pytest.raises(ArtifactError, match="python -m itadaki build raw"):
        RetrievalSystem.load("raw", changed)


def test_other_recipes_are_refused(settings):
    other = dataclasses.replace(load_dataset(settings), sha256="0" * 64)
    with pytest.raises(ArtifactError, match="other recipes"):
        load_bank(Artifacts(RAW, settings), other)


@pytest.mark.parametrize("key", ["format", "preprocessing"])
def test_other_version_is_refused(key, copy):
    path = Artifacts(RAW, copy).manifest
    manifest = json.loads(path.read_text())
    path.write_text(json.dumps({**manifest, key: "another"}))
    with pytest.raises(ArtifactError, match="another version"):
        load_bank(Artifacts(RAW, copy), load_dataset(copy))


def test_dish_classes_of_other_rules_are_refreshed_without_embedding(copy, monkeypatch):
    dataset, embedder = load_dataset(copy), load_embedder(Artifacts(RAW, copy))
    rows = Artifacts(RAW, copy).bank.read_bytes()
    changed = dataset.recipes.assign(dish_class="everything")
    with monkeypatch.context() as patch:
        patch.setattr("itadaki.bank.bank.class_rules", lambda: "others")
        with pytest.raises(ArtifactError, match=r"dish classes.*itadaki build raw \(no photo"):
            load_bank(Artifacts(RAW, copy), dataset)
        other = dataclasses.replace(dataset, read=lambda: changed)
        build_bank(Artifacts(RAW, copy), other, embedder, embed=never)
        assert load_bank(Artifacts(RAW, copy), dataset).recipes[0].dish_class == "everything"
    bank = build_bank(Artifacts(RAW, copy), dataset, embedder, embed=never)
    assert bank.recipes[0].dish_class == dataset.recipes["dish_class"][0]
    assert Artifacts(RAW, copy).bank.read_bytes() == rows


def test_a_bank_from_before_its_code_was_noted_is_kept_but_for_its_metadata(copy):
    path, dataset = Artifacts(RAW, copy).manifest, load_dataset(copy)
    manifest = json.loads(path.read_text())
    old = {key: value for key, value in manifest.items() if not key.endswith("_by")}
    path.write_text(json.dumps(old))
    with pytest.raises(ArtifactError, match=r"itadaki build raw \(no photo is embedded again"):
        load_bank(Artifacts(RAW, copy), dataset)
    build_bank(Artifacts(RAW, copy), dataset, load_embedder(Artifacts(RAW, copy)), embed=never)
    assert json.loads(path.read_text()) == manifest


def test_damaged_manifest_is_refused(copy):
    Artifacts(RAW, copy).manifest.write_text("{")
    with pytest.raises(ArtifactError, match="damaged"):
        load_bank(Artifacts(RAW, copy), load_dataset(copy))


class Malicious:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


def test_malicious_pickle_does_not_run(tmp_path):
    path, harm = tmp_path / "metadata.pkl", tmp_path / "harm"
    path.write_bytes(pickle.dumps({"recipes": {0: Malicious(harm)}}))
    with pytest.raises(ArtifactError, match=r"refers to (posix|nt|os)\.mkdir"):
        load_builtin_pickle(path)
    assert not harm.exists()
    pickle.loads(path.read_bytes())
    assert harm.exists(), "the pickle must be one that does harm when it is trusted"


def test_metadata_is_plain_builtins(settings):
    def plain(value):
        if type(value) is dict:
            return all(plain(k) and plain(v) for k, v in value.items())
        if type(value) is list:
            return all(plain(item) for item in value)
        return type(value) in (str, int, float, bool, type(None))

    assert plain(load_builtin_pickle(Artifacts(RAW, settings).metadata))


def test_vanished_photo_stops_the_build(copy, recipes_root, tmp_path):
    root = tmp_path / "recipes"
    shutil.copytree(recipes_root, root)
    copy = copy.model_copy(update={"dataset": str(root)})
    dataset = load_dataset(copy)
    next((root / "Food Images" / "Food Images").iterdir()).unlink()
    with pytest.raises(ArtifactError, match="itadaki setup"):
        build_bank(Artifacts(RAW, copy), dataset, load_embedder(Artifacts(RAW, copy)), force=True)


def test_two_builds_of_one_bank_share_the_work(copy, caplog):
    dataset, embedder = load_dataset(copy), load_embedder(Artifacts(RAW, copy))
    expected = Artifacts(RAW, copy).bank.read_bytes()
    for part in (*PARTS, "recipe_embeddings_database_raw.manifest.json"):
        (copy.home / "raw" / part).unlink()
    caplog.set_level("INFO")
    with ThreadPoolExecutor() as pool:
        builds = [
            pool.submit(build_bank, Artifacts(RAW, copy), dataset, embedder) for _ in range(2)
        ]
        banks = [build.result() for build in builds]
    assert "waiting for it" in caplog.text
    assert caplog.text.count("Embedded 40 photos") == 1
    np.testing.assert_array_equal(banks[0].embeddings, banks[1].embeddings)
    assert Artifacts(RAW, copy).bank.read_bytes() == expected


KILLED = """
import os, signal, sys
from pathlib import Path
from itadaki.cli import main
replace = Path.replace
def then_die(path, target):
    replace(path, target)
    if str(target) == sys.argv[1]:
        os.kill(os.getpid(), signal.SIGKILL)
Path.replace = then_die
main(["build", "raw"])
"""


def test_killed_build_goes_on_and_ends_byte_for_byte_the_same(copy, environment, settings):
    for part in (*PARTS, "recipe_embeddings_database_raw.manifest.json"):
        (copy.home / "raw" / part).unlink()
    journal = Artifacts(RAW, copy).bank.with_name(PARTS[0] + ".part.json")
    env = {**environment, "ITADAKI_HOME": str(copy.home)}
    killed = subprocess.run([sys.executable, "-c", KILLED, str(journal)], env=env)
    assert killed.returncode == -signal.SIGKILL
    done = json.loads(journal.read_text())["rows_done"]
    assert BATCH_SIZE <= done < 40
    assert not Artifacts(RAW, copy).bank.exists()

    build = [sys.executable, "-m", "itadaki", "build", "raw"]
    second = subprocess.run(build, env=env, capture_output=True, text=True, check=True)
    assert f"Going on after {done} of 40" in second.stderr
    assert f"Embedded {40 - done} photos" in second.stderr
    for path in (settings.home / "raw").iterdir():
        assert (copy.home / "raw" / path.name).read_bytes() == path.read_bytes(), path.name
    assert not journal.exists()
