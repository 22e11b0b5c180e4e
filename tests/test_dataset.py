import hashlib
import json
import os
import pickle
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import dish_photo, encode, write_dataset

from itadaki.errors import DatasetError
from itadaki.photos.images import decode
from itadaki.recipes import cache as kept
from itadaki.recipes import dataset as datasets
from itadaki.recipes import frame, looks, source
from itadaki.recipes.dataset import describe, load_dataset
from itadaki.recipes.splits import SPLIT_SHARES, assign_splits
from itadaki.recipes.table import title_from_slug
from itadaki.settings import Settings


def settings_for(root, home) -> Settings:
    return Settings(_env_file=None, dataset=str(root), home=home)


@pytest.fixture
def defective(tmp_path) -> Path:
    """One row for each defect of the Kaggle dataset, and for each that must be tolerated."""
    photo = encode(dish_photo(1))
    rows = [
        {"Title": "Fine Soup", "Ingredients": "['water', 'salt']", "Image_Name": "fine-soup-1234"},
        {"Title": "", "Ingredients": "", "Image_Name": "-bloody-mary-toast-56389813"},
        {"Title": "Png", "Ingredients": "['a']", "Image_Name": "really-png"},
        {"Title": "Gif", "Ingredients": "not a list\nbut lines", "Image_Name": "really-gif"},
        {"Title": "Excel was here", "Ingredients": "['a']", "Image_Name": "#NAME?"},
        {"Title": "Lost", "Ingredients": "['a']", "Image_Name": "no-such-photo"},
        {"Title": "Nameless", "Ingredients": "['a']", "Image_Name": ""},
        {"Title": "Escape", "Ingredients": "['a']", "Image_Name": "../../secret"},
        {"Title": "Text", "Ingredients": "['a']", "Image_Name": "really-text"},
        {"Title": "Cut", "Ingredients": "['a']", "Image_Name": "truncated"},
    ]
    photos = {
        "fine-soup-1234": photo,
        "-bloody-mary-toast-56389813": encode(dish_photo(2)),
        "really-png": encode(dish_photo(3), "PNG"),
        "really-gif": encode(dish_photo(4), "GIF"),
        "really-text": b"this is no photo",
        "truncated": photo[: len(photo) // 2],
    }
    root = write_dataset(tmp_path / "defective", rows, photos)
    (root / "secret.jpg").write_bytes(photo)
    return root


def test_defects_are_dropped_and_counted_by_reason(defective, tmp_path):
    dataset = load_dataset(settings_for(defective, tmp_path), progress=False)
    assert dataset.dropped == {"#NAME?": 1, "no file": 3, "not decodable": 2}
    assert dataset.recipes["Title"].tolist() == ["Fine Soup", "Bloody Mary Toast", "Png", "Gif"]
    assert dataset.recipes["Ingredients"].tolist() == [
        ["water", "salt"],
        [],
        ["a"],
        ["not a list", "but lines"],
    ]
    assert (dataset.recipes["Instructions"] == "").all()
    assert all(Path(path).is_file() for path in dataset.recipes["image_path"])
    assert "4 recipes" in describe(dataset) and "3 no file" in describe(dataset)


def test_cache_is_used_and_rebuilt_when_the_source_changes(defective, tmp_path, monkeypatch):
    settings = settings_for(defective, tmp_path)
    first = load_dataset(settings, progress=False)
    assert (tmp_path / "data" / "data.csv").read_bytes() == next(
        defective.glob("*.csv")
    ).read_bytes()
    cached = pd.read_pickle(tmp_path / "data" / "recipes_with_images_dataframe.pkl")
    pd.testing.assert_frame_equal(cached, first.recipes)

    with monkeypatch.context() as patch:
        patch.setattr(datasets, "look_at_all", None)
        again = load_dataset(settings, progress=False)
    pd.testing.assert_frame_equal(again.recipes, first.recipes)
    assert (again.sha256, again.dropped) == (first.sha256, first.dropped)

    photos = defective / "Food Images" / "Food Images"
    (photos / "no-such-photo.jpg").write_bytes(encode(dish_photo(9)))
    changed = load_dataset(settings, progress=False)
    assert "Lost" in changed.recipes["Title"].tolist()
    assert changed.sha256 != first.sha256


def test_recipes_are_read_anew_by_other_code_but_photos_not_checked(
    defective, tmp_path, monkeypatch
):
    settings = settings_for(defective, tmp_path)
    first = load_dataset(settings, progress=False)
    looked = []
    look = looks._look_at

    with monkeypatch.context() as patch:
        patch.setattr(frame, "class_rules", lambda: "others")
        patch.setattr(frame, "dish_class", lambda title: "everything")
        patch.setattr(looks, "decode", lambda photo: looked.append(1) or decode(photo))
        classes = load_dataset(settings, progress=False)
    assert set(classes.recipes["dish_class"]) == {"everything"}
    assert classes.sha256 == first.sha256, "a bank of these photos and texts stays"
    assert (classes.dropped, len(looked)) == (first.dropped, 2), "of those that do not decode"

    with monkeypatch.context() as patch:
        patch.setattr(frame, "ingredient_list", lambda text: ["parsed otherwise"])
        parsed = load_dataset(settings, progress=False)
    assert parsed.recipes["Ingredients"].tolist() == [["parsed otherwise"]] * len(parsed.recipes)
    assert parsed.sha256 != first.sha256

    with monkeypatch.context() as patch:
        patch.setattr(looks, "_look_at", lambda *what: looked.append(what) or look(*what))
        load_dataset(settings, progress=False)
    assert len(looked) > len(first.recipes), "other code for photos looks at all of them"


@pytest.mark.parametrize(
    "part",
    [
        *("read_table", "ids_of", "title_from_slug", "ingredient_list", "assign_splits"),
        *("frame_of_table", "frame_of_recipes", "with_groups", "details_of"),
    ],
)
def test_all_code_that_shapes_recipes_is_noted(part, monkeypatch):
    before = frame.reading_rules()
    monkeypatch.setattr(frame, part, lambda *_: "otherwise")
    assert frame.reading_rules() != before


def test_the_splits_seed_and_shares_are_noted(monkeypatch):
    before = frame.reading_rules()
    monkeypatch.setattr(frame, "SPLIT_SEED", 1)
    other = frame.reading_rules()
    monkeypatch.setattr(frame, "SPLIT_SHARES", {"train": 1.0})
    assert len({before, other, frame.reading_rules()}) == 3


def test_damaged_cache_is_rebuilt(defective, tmp_path):
    settings = settings_for(defective, tmp_path)
    first = load_dataset(settings, progress=False)
    (tmp_path / "data" / "recipes_with_images_dataframe.pkl").write_bytes(b"garbage")
    pd.testing.assert_frame_equal(load_dataset(settings, progress=False).recipes, first.recipes)


class Malicious:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


class Pointer:
    """Unpickled, an array of objects at an address of the writer's choice."""

    def __reduce__(self):
        return np.ndarray, ((1,), np.dtype(object), b"\x40" * 8)


def test_a_crafted_cache_does_no_harm(defective, tmp_path):
    settings = settings_for(defective, tmp_path)
    titles = load_dataset(settings, progress=False).recipes["Title"].tolist()
    cache, harm = tmp_path / "data" / "recipes_with_images_dataframe.pkl", tmp_path / "harm"
    read = (
        "import sys, json; from itadaki.recipes.dataset import load_dataset; "
        "from itadaki.settings import Settings; "
        "settings = Settings(_env_file=None, dataset=sys.argv[1], home=sys.argv[2]); "
        "print(json.dumps(load_dataset(settings, progress=False).recipes['Title'].tolist()))"
    )
    trust = "import pickle, sys; print(pickle.load(open(sys.argv[3], 'rb')))"

    def run(program):
        command = [sys.executable, "-c", program, str(defective), str(tmp_path), str(cache)]
        return subprocess.run(command, capture_output=True, text=True)

    for crafted in (Malicious(harm), Pointer()):
        content = pickle.dumps([pd.DataFrame({"Title": ["x"]}), crafted])
        facts = json.loads(cache.with_suffix(".json").read_text())
        facts["pickle_sha256"] = hashlib.sha256(content).hexdigest()
        facts["sha256"] = kept._hash({k: v for k, v in facts.items() if k != "sha256"})
        cache.write_bytes(content)
        cache.with_suffix(".json").write_text(json.dumps(facts))
        done = run(read)
        assert done.returncode == 0 and json.loads(done.stdout) == titles, done.stderr
        assert not harm.exists()
    assert run(trust).returncode < 0, "the pickle must be one that crashes who trusts it"


def test_a_cache_reads_as_the_source_does(recipes_root, tmp_path):
    settings = settings_for(recipes_root, tmp_path)
    anew = load_dataset(settings, progress=False)
    cached = load_dataset(settings, progress=False)
    pd.testing.assert_frame_equal(cached.recipes, anew.recipes)
    assert cached.sha256 == anew.sha256


@pytest.mark.parametrize(
    ("field", "value"), [("name", "0" * 32), ("sha256", "0" * 64), ("group", 3), ("thumbnail", 1)]
)
def test_a_cache_of_photos_that_was_changed_is_not_believed(
    field, value, recipes_root, tmp_path, monkeypatch
):
    settings = settings_for(recipes_root, tmp_path)
    first = load_dataset(settings, progress=False)
    path = tmp_path / "data" / "recipes_with_images_thumbnails.npy"
    kept = np.load(path, allow_pickle=False)
    kept[field][2] = value
    np.save(path, kept)
    again = load_dataset(settings, progress=False)
    pd.testing.assert_frame_equal(again.recipes, first.recipes)
    assert (np.load(path) != kept).any()


def test_identity_does_not_depend_on_the_place(recipes_root, tmp_path):
    moved = tmp_path / "moved"
    shutil.copytree(recipes_root, moved)
    here = load_dataset(settings_for(recipes_root, tmp_path / "a"), progress=False)
    there = load_dataset(settings_for(moved, tmp_path / "b"), progress=False)
    assert here.sha256 == there.sha256
    assert here.recipes["split"].tolist() == there.recipes["split"].tolist()


def test_copies_never_straddle_the_split():
    names = [f"dish-{i}" for i in range(3000)]
    groups = np.arange(3000) // 3
    splits = pd.Series(assign_splits(names, groups))
    assert (splits.groupby(groups).nunique() == 1).all()
    for split, share in SPLIT_SHARES.items():
        assert (splits == split).mean() == pytest.approx(share, abs=0.03)


def test_split_survives_other_order_and_more_recipes():
    names = [f"dish-{i}" for i in range(500)]
    before = dict(zip(names, assign_splits(names, np.arange(500)), strict=True))
    more = [*names[::-1], *(f"new-{i}" for i in range(100))]
    after = dict(zip(more, assign_splits(more, np.arange(600)), strict=True))
    assert all(after[name] == split for name, split in before.items())


def test_title_from_slug():
    assert title_from_slug("-bloody-mary-tomato-toast-56389813") == "Bloody Mary Tomato Toast"
    assert title_from_slug("ba-s-best_bread") == "Ba S Best Bread"


def no_kaggle(monkeypatch, sample: Path, home: Path) -> Settings:
    monkeypatch.setenv("KAGGLEHUB_CACHE", str(home / "kagglehub"))
    monkeypatch.setattr(source, "why_unreachable", lambda url: "no route to host")
    monkeypatch.setattr(source, "SAMPLE_ROOT", sample)
    return Settings(_env_file=None, home=home)


def test_sample_stands_in_for_kaggle_and_says_so(recipes_root, tmp_path, monkeypatch, caplog):
    settings = no_kaggle(monkeypatch, recipes_root, tmp_path)
    dataset = load_dataset(settings, progress=False)
    assert dataset.source == "sample" and len(dataset.recipes) == 40
    assert "Kaggle cannot be reached (no route to host)" in dataset.notice
    assert dataset.notice in caplog.text


def test_without_kaggle_and_sample_the_error_says_what_to_set(tmp_path, monkeypatch):
    settings = no_kaggle(monkeypatch, tmp_path / "empty", tmp_path)
    with pytest.raises(DatasetError, match=r"Kaggle cannot be reached.*set ITADAKI_DATASET"):
        load_dataset(settings, progress=False)


def test_kaggle_downloaded_before_is_found_offline(recipes_root, tmp_path, monkeypatch):
    settings = no_kaggle(monkeypatch, tmp_path / "empty", tmp_path)
    folder = tmp_path / "kagglehub" / "datasets" / source.KAGGLE_HANDLE
    shutil.copytree(recipes_root, folder / "versions" / "1")
    (folder / "1.complete").touch()
    dataset = load_dataset(settings, progress=False)
    assert (dataset.source, dataset.notice) == ("kaggle", None)


def test_kaggle_is_downloaded_when_it_can_be_reached(recipes_root, tmp_path, monkeypatch):
    import kagglehub

    settings = no_kaggle(monkeypatch, tmp_path / "empty", tmp_path)
    monkeypatch.setattr(source, "why_unreachable", lambda url: None)
    asked = []
    monkeypatch.setattr(
        kagglehub, "dataset_download", lambda handle: asked.append(handle) or str(recipes_root)
    )
    assert load_dataset(settings, progress=False).source == "kaggle"
    assert asked == ["pes12017000148/food-ingredients-and-recipe-dataset-with-images"]


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda root: shutil.rmtree(root / "Food Images"), "Food Images"),
        (lambda root: [photo.unlink() for photo in root.rglob("*.jpg")], "has a usable photo"),
        (lambda root: next(root.glob("*.csv")).unlink(), "one CSV"),
        (lambda root: next(root.glob("*.csv")).write_text("a,b\n1,2\n"), "lacks the columns"),
        (lambda root: next(root.glob("*.csv")).write_bytes(b"\xff\xfe\x00"), "is not in UTF-8"),
    ],
)
def test_unusable_folder_is_named(spoil, says, recipes_root, tmp_path):
    root = tmp_path / "root"
    shutil.copytree(recipes_root, root)
    spoil(root)
    with pytest.raises(DatasetError, match=says):
        load_dataset(settings_for(root, tmp_path), progress=False)


def test_missing_folder_is_named(tmp_path):
    with pytest.raises(DatasetError, match="set ITADAKI_DATASET"):
        load_dataset(settings_for(tmp_path / "nowhere", tmp_path), progress=False)
