"""Whatever lies in the place of a file that Itadaki wrote, it is noticed, or made anew."""

import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from conftest import dish_photo, encode
from kill_collection import PixelEmbedder, pixel_system

from itadaki.bank.bank import load_bank
from itadaki.bank.build import build_bank
from itadaki.collection import change_collection, create_collection
from itadaki.errors import ItadakiError
from itadaki.index.filters import Filters
from itadaki.index.index import build_index, open_index
from itadaki.models.record import check_record, read_record
from itadaki.models.text_encoder import TextEncoder
from itadaki.recipes.dataset import load_dataset
from itadaki.recipes.recipe import NewRecipe
from itadaki.settings import Settings
from itadaki.variants import VARIANTS, Artifacts

FT = VARIANTS["ft"]
BANK = "recipe_embeddings_database"
CACHE = (
    "recipes_with_images_dataframe.pkl",
    "recipes_with_images_dataframe.json",
    "recipes_with_images_thumbnails.npy",
)
DERIVED = (
    f"ft/{BANK}_ft.float16.npy",
    f"ft/{BANK}_ft.float16.npy.json",
    f"ft/{BANK}_ft.int8.npy",
    f"ft/{BANK}_ft.int8.npy.json",
    f"ft/{BANK}_ft.usearch",
    f"ft/{BANK}_ft.usearch.json",
)
PARTS = (
    f"ft/{BANK}_ft.npy",
    f"ft/{BANK}_ft_photos.npy",
    f"ft/{BANK}_metadata_ft.pkl",
    f"ft/{BANK}_ft.manifest.json",
)


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) * 2 // 3] ^= 4
    path.write_bytes(content)


def be_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


DAMAGES = {
    "one bit": flip,
    "cut": lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
    "empty": lambda path: path.write_bytes(b""),
    "[]": lambda path: path.write_text("[]"),
    "{}": lambda path: path.write_text("{}"),
    "null": lambda path: path.write_text("null"),
    "x": lambda path: path.write_text('"x"'),
    "deep": lambda path: path.write_text("[" * 100_000),
    "garbage": lambda path: path.write_bytes(np.random.default_rng(0).bytes(10_000_000)),
    "a folder": be_folder,
    "a lost link": lambda path: (path.unlink(), path.symlink_to("nowhere")),
}


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Settings:
    """A collection with all that is ever written of one."""
    home = tmp_path_factory.mktemp("made")
    settings = Settings(_env_file=None, home=home, dataset="mine")
    recipes = [
        NewRecipe(f"Soup {seed}", [f"{seed} onions"], "Cook.", encode(dish_photo(seed)))
        for seed in range(6)
    ]
    create_collection(settings, "mine", recipes)
    bank = pixel_system(settings).bank
    for changed in ({"bank_precision": "float16"}, {"index": "ann"}):
        build_index(bank, settings.model_copy(update=changed), progress=False)
    return settings


@pytest.fixture(scope="module")
def right(made) -> list[np.ndarray]:
    return found(made)


@pytest.fixture
def mine(made, tmp_path) -> Settings:
    shutil.copytree(made.home, tmp_path / "home")
    return made.model_copy(update={"home": tmp_path / "home"})


def found(settings: Settings) -> list[np.ndarray]:
    """What a service would find, by each kind of index, with dataset and bank as they lie there."""
    dataset = load_dataset(settings, progress=False)
    dataset.recipes  # noqa: B018, read now
    bank = load_bank(Artifacts(FT, settings), dataset, PixelEmbedder.sha256)
    answers = [np.array([recipe.title for recipe in bank.recipes[:6]])]
    for changed in ({}, {"bank_precision": "float16"}, {"index": "ann"}):
        index = open_index(bank, settings.model_copy(update=changed))
        for row in bank.photo_embeddings:
            answers += index.search(np.array(row), 6, Filters())
    return answers


def rebuild(settings: Settings) -> None:
    """What the messages advise."""
    dataset = load_dataset(settings, progress=False)
    bank = build_bank(Artifacts(FT, settings), dataset, PixelEmbedder(), progress=False)
    for changed in ({"bank_precision": "float16"}, {"index": "ann"}):
        build_index(bank, settings.model_copy(update=changed), progress=False)


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("name", [*CACHE, *PARTS, *DERIVED])
def test_damage_is_noticed_or_mended(right, mine, name, damage):
    path = mine.collection_folder / name
    assert path.exists(), "the fixture must make it"
    DAMAGES[damage](path)
    try:
        answers = found(mine)
    except ItadakiError as error:
        assert name in PARTS or name in DERIVED, "a cache is made anew"
        assert "run: python -m itadaki build ft" in str(error)
        if path.is_dir():
            path.rmdir()  # nobody's folder is removed for them
        rebuild(mine)
        answers = found(mine)
    for one, other in zip(right, answers, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("name", CACHE)
def test_a_change_does_not_take_a_damaged_cache(mine, name, damage):
    system = pixel_system(mine)
    DAMAGES[damage](mine.collection_folder / name)
    new = NewRecipe("New", [], "", encode(dish_photo(30)))
    try:
        change_collection(mine, [system], add=[new], remove=[2])
    except ItadakiError as error:
        assert damage == "a folder", error
        return
    dataset = load_dataset(mine, progress=False)
    assert dataset.recipes["Title"].tolist()[-1] == "New"
    anew = mine.model_copy(update={"home": mine.home.with_name("anew")})
    shutil.copytree(mine.home, anew.home)
    for cached in CACHE:
        (anew.collection_folder / cached).unlink()
    pd.testing.assert_frame_equal(
        load_dataset(anew, progress=False).recipes.drop(columns="image_path"),
        dataset.recipes.drop(columns="image_path"),
    )


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_text_encoder_is_said(mine, damage):
    path = Artifacts(FT, mine).text_encoder
    DAMAGES[damage](path)
    with pytest.raises(ItadakiError, match=r"text.encoder"):
        load_bank(Artifacts(FT, mine), load_dataset(mine, progress=False), PixelEmbedder.sha256)
    if damage != "one bit":
        with pytest.raises(ItadakiError, match="is not a usable text encoder"):
            TextEncoder.load(path)


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_build_does_not_go_on_with_damaged_rows(mine, damage, monkeypatch):
    import itadaki.bank.build

    dataset, embedder = load_dataset(mine, progress=False), PixelEmbedder()
    path = Artifacts(FT, mine).bank
    part = path.with_name(path.name + ".part")
    right = path.read_bytes()
    written = itadaki.bank.build.write_json

    def stop_after_four(target, value):
        written(target, value)
        if target.name.endswith(".part.json") and value["rows_done"] >= 4:
            raise InterruptedError

    for name in (part.name, part.name + ".json"):
        with monkeypatch.context() as patch:
            patch.setattr(itadaki.bank.build, "write_json", stop_after_four)
            with pytest.raises(InterruptedError):
                build_bank(
                    Artifacts(FT, mine), dataset, embedder, True, batch_size=2, progress=False
                )
        spoilt = path.with_name(name)
        DAMAGES[damage](spoilt)
        for old in PARTS:
            (mine.collection_folder / old).unlink(missing_ok=True)
        if spoilt.is_dir():
            with pytest.raises(ItadakiError, match="cannot be written"):
                build_bank(Artifacts(FT, mine), dataset, embedder, batch_size=2, progress=False)
            spoilt.rmdir()
        build_bank(Artifacts(FT, mine), dataset, embedder, batch_size=2, progress=False)
        assert path.read_bytes() == right


@pytest.mark.parametrize(
    "content", ["[]", "{}", "null", '"x"', "7", '{"sha256": 7}', "[" * 100_000]
)
def test_a_damaged_record_is_no_record_or_is_said(mine, content):
    Artifacts(FT, mine).record.write_text(content)
    assert isinstance(read_record(Artifacts(FT, mine)), dict)
    try:
        check_record(Artifacts(FT, mine), "0" * 64)
    except ItadakiError as error:
        assert "itadaki train ft" in str(error)


@pytest.mark.parametrize("name", ["view-0.npy", "view-0.done.npy", "view-0.npy.json"])
@pytest.mark.parametrize("damage", [name for name in DAMAGES if name[:2] != "a "])
def test_damaged_activations_are_computed_anew(mine, damage, name):
    from itadaki.training.activations import ActivationCache

    maps = SimpleNamespace(output=np.empty((1, 7, 7, 192)))
    backbone = SimpleNamespace(get_weights=list, get_layer=lambda name: maps)

    def computed() -> np.ndarray:
        cache = ActivationCache(
            mine.home / "activations", backbone, "block6b_add", photos, ["0" * 64] * 6
        )
        vars(cache)["_forward"] = lambda batch: np.stack(
            [np.full((7, 7, 192), photo.mean()) for photo in batch]
        )
        view = np.array(cache.view(0, np.arange(6), progress=False))
        path = cache.folder / name
        assert path.exists(), "the cache must make it"
        paths.append(path)
        return view

    paths = []
    photos = [Path(path) for path in load_dataset(mine, progress=False).recipes["image_path"]]
    right = computed()
    DAMAGES[damage](paths[0])
    np.testing.assert_array_equal(computed(), right)


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_measurement_is_said(tmp_path, damage):
    from itadaki.evaluation.comparison import Comparison

    path = tmp_path / "raw-seed0.npz"
    np.savez_compressed(path, about=np.array("{}"), scores=np.arange(1000.0))
    DAMAGES[damage](path)
    with pytest.raises(ItadakiError, match=r"is damaged; delete it.*evaluate raw --save"):
        Comparison(tmp_path)
