import itertools
import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import keras
import numpy as np
import pytest
from conftest import dish_photo, encode
from sklearn.decomposition import PCA

from itadaki.errors import ArtifactError, ItadakiError
from itadaki.models.embedder import load_embedder
from itadaki.models.keras_model import build_backbone, load_model
from itadaki.models.litert_model import converted_path
from itadaki.models.text_encoder import TextEncoder
from itadaki.photos.images import load_input
from itadaki.recipes.dataset import load_beside, load_dataset
from itadaki.settings import Settings
from itadaki.storage.files import sha256_of
from itadaki.training import activations, phases
from itadaki.training import run as training_run
from itadaki.training.activations import ActivationCache, cut_above
from itadaki.training.config import (
    CONFIG_FT,
    CONFIG_PHASES,
    CONFIG_TL,
    CONFIG_TL_HARD,
    TrainingConfig,
)
from itadaki.training.data import TrainingData
from itadaki.training.heads import Head
from itadaki.training.loop import Loop
from itadaki.training.run import TrainingRun
from itadaki.training.trainer import Trainer
from itadaki.training.validation import Validation
from itadaki.variants import VARIANTS, Artifacts

TINY = {"BATCH_SIZE": 8, "EMBEDDING_DIM": 16, "HIDDEN_DIM": 32, "VIEWS": 2}
TINY_TL = CONFIG_TL | TINY | {"EPOCHS": 2}
TINY_FT = CONFIG_FT | TINY | {"PHASE_1_EPOCHS": 1, "PHASE_2_EPOCHS": 1}


@pytest.fixture(scope="module")
def home(settings, tmp_path_factory) -> Settings:
    """Settings with a home for trained models; the cached views are shared by the tests."""
    return settings.model_copy(update={"home": tmp_path_factory.mktemp("trained")})


@pytest.fixture(scope="module")
def dataset(home):
    return load_dataset(home, False)


@pytest.fixture(scope="module")
def built(home):
    """The backbone, built once, with its weights as they were."""
    backbone, origin = build_backbone(home)
    return backbone, origin, backbone.get_weights()


@pytest.fixture(autouse=True)
def shared_backbone(built, monkeypatch):
    backbone, origin, weights = built

    def as_it_was(settings):
        backbone.set_weights(weights)
        return backbone, origin

    monkeypatch.setattr(training_run, "build_backbone", as_it_was)


@pytest.fixture
def trained(home, dataset):
    """Trains a variant, by default without an export; returns the run and its history."""

    def train(name: str, config: dict, home=home, seed=0, export=False):
        one = TrainingRun(VARIANTS[name], config, home, dataset, seed, progress=False)
        history = one.train()
        if export:
            one.export()
        return one, history

    return train


def test_a_head_is_trained_and_its_export_equals_the_model(home, trained):
    run, history = trained("tl", TINY_TL, export=True)
    assert history["epoch"].tolist() == [0, 1, 2]
    epochs = history.iloc[1:]
    for name in ("triplet_accuracy", "triplet_margin_accuracy"):
        assert epochs[name].between(0, 1).all()
    assert epochs["positive_similarity"].between(-1, 1).all()
    model = load_model(Artifacts(VARIANTS["tl"], home).model)
    recipes = run.data.dataset.recipes
    photos = np.stack([load_input(path) for path in recipes["image_path"][:3]])
    rows = model(photos).numpy()
    # The cache's float16 costs some digits, as do the two runtimes.
    np.testing.assert_allclose((rows * run.trainer.embed(np.arange(3))).sum(axis=1), 1, atol=1e-4)
    assert rows.shape == (3, 16)
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)
    record = json.loads(Artifacts(VARIANTS["tl"], home).record.read_text())
    assert record["sha256"]["model"] == sha256_of(Artifacts(VARIANTS["tl"], home).model)
    assert record["config"]["TRIPLET_MARGIN"] == 0.3


def test_fine_tuning_changes_the_last_blocks_only_and_learns_texts(home, system, trained):
    # On made-up photos no epoch need be better than none; here every epoch is.
    count = itertools.count()
    scores = Validation.scores
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            Validation, "scores", lambda self, embed: scores(self, embed) | {"score": next(count)}
        )
        _, history = trained("ft", TINY_FT, export=True)
    assert history["phase"].tolist() == ["head", "head", "fine_tuning", "fine_tuning"]
    tuned = load_model(Artifacts(VARIANTS["ft"], home).model).get_layer("efficientnetb0")
    frozen = system.embedder.model.get_layer("efficientnetb0")
    changed = {
        layer.name
        for layer, before in zip(tuned.layers, frozen.layers, strict=True)
        for a, b in zip(layer.get_weights(), before.get_weights(), strict=True)
        if not np.array_equal(a, b)
    }
    assert changed
    assert all(name.startswith(("block6c", "block6d", "block7a", "top")) for name in changed)
    for name in ("top_bn", "block7a_bn"):  # BatchNorm's statistics stay ImageNet's
        after, before = tuned.get_layer(name), frozen.get_layer(name)
        np.testing.assert_array_equal(after.moving_mean, before.moving_mean)
        np.testing.assert_array_equal(after.moving_variance, before.moving_variance)
    encoder = TextEncoder.load(Artifacts(VARIANTS["ft"], home).text_encoder)
    (row,) = encoder.encode(["Tomato Soup"], [["1 onion"]])
    assert np.linalg.norm(row) == pytest.approx(1, abs=1e-3)
    # A model and a text encoder of two runs are no pair.
    variant = VARIANTS["ft"]
    load_embedder(Artifacts(variant, home))
    path = Artifacts(variant, home).text_encoder
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(ArtifactError, match="itadaki train ft"):
        load_embedder(Artifacts(variant, home))
    path.unlink()
    with pytest.raises(ArtifactError, match="itadaki train ft"):
        load_embedder(Artifacts(variant, home))


def data_of(config: dict, home: Settings, dataset, built) -> TrainingData:
    return TrainingData(dataset, TrainingConfig.of(config), home, built[0], progress=False)


def test_without_the_cache_phase_2_sees_new_views_each_time(home, dataset, built):
    inputs = {}
    for cache in (True, False):
        config = TrainingConfig.of(TINY_FT | {"CACHE": cache, "DISTILLATION_WEIGHT": 0.0})
        data = TrainingData(dataset, config, home, built[0], progress=False)
        head = Head(config, data.features(0)[data.train])
        inputs[cache] = phases.fine_tuning_phase(config, data, head).inputs
    rows = data.train[:3]
    views = np.stack([data.activations(view)[rows] for view in range(2)])
    for seed in range(3):
        cached, features = inputs[True](rows, np.random.default_rng(seed))
        both = np.stack([views, views[:, :, :, ::-1]])  # as they are, or mirrored
        same = (cached == both).all(axis=(3, 4, 5))
        assert same.any(axis=(0, 1)).all()
        drawn = same.any(axis=0).argmax(axis=0)
        frozen = [data.features(v)[row] for v, row in zip(drawn, rows, strict=True)]
        np.testing.assert_array_equal(features, frozen)  # of the very views that were drawn
        fresh, _ = inputs[False](rows, np.random.default_rng(seed))
        again, _ = inputs[False](rows, np.random.default_rng(seed))
        np.testing.assert_array_equal(fresh, again)
        assert (np.abs(fresh - views).max(axis=(2, 3, 4)) > 0.1).all()


def test_other_datasets_are_trained_on_but_for_copies_of_what_is_held_out(home, dataset, built):
    alone = data_of(TINY_FT, home, dataset, built)
    beside = load_beside(home, home.dataset, False)  # the very same photos
    config = TrainingConfig.of(TINY_FT)
    data = TrainingData(dataset, config, home, built[0], False, also=[beside])
    count = len(dataset.recipes)
    np.testing.assert_array_equal(data.validation, alone.validation)
    np.testing.assert_array_equal(data.train[data.train < count], alone.train)
    added = data.train[data.train >= count]
    # Of what is trained on anyway those may be missing that look like held-out ones.
    assert len(added) > 10 and set(added - count) <= set(alone.train)
    for view in range(2):
        both, one = data.activations(view), alone.activations(view)
        mixed = np.concatenate([added[:2], data.train[:2]])
        np.testing.assert_array_equal(both[mixed], one[mixed % count])
        np.testing.assert_array_equal(
            data.features(view)[added], alone.features(view)[added % count]
        )
    fresh = data.fresh_activations(mixed, np.random.default_rng(0))
    assert fresh.shape == (4, *data.tail.input.shape[1:])


def test_validation_photos_search_all_that_training_may_see_of_the_dataset(home, dataset, built):
    beside = load_beside(home, home.dataset, False)
    config = TrainingConfig.of(TINY_FT)
    data = TrainingData(dataset, config, home, built[0], False, also=[beside])
    asked = []

    def embed(rows):
        asked.append(rows)
        return data.features(0)[rows]

    found = Validation(data).scores(embed)
    own = data.train[data.train < len(dataset.recipes)]
    (gallery,) = asked
    assert set(gallery) == {*own, *data.validation}
    similarities = data.features(0)[data.validation] @ data.features(0)[gallery].T
    similarities[data.validation[:, None] == gallery] = -1
    classes = dataset.recipes["dish_class"].to_numpy()
    first = classes[gallery[similarities.argmax(axis=1)]]
    known = np.array([name is not None for name in classes[data.validation]])
    expected = (first == classes[data.validation])[known].mean()
    assert found["validation P@1 dish class"] == pytest.approx(expected)


def test_keywords_teach_which_recipes_are_alike(home, dataset, built):
    data = data_of(TINY_FT, home, dataset, built)
    one, other = data.train[[0, -1]]
    recipes = dataset.recipes.copy()
    before = data.neighbours.ingredients[[0, -1]].toarray()
    for row in data.train[[0, 1, 2, -1]]:
        recipes.at[row, "Keywords"] = ["shakshuka"]
    taught = data_of(TINY_FT, home, replace(dataset, read=lambda: recipes), built)
    after = taught.neighbours.ingredients[[0, -1]].toarray()
    assert after[0] @ after[1] > before[0] @ before[1]
    assert taught.titles_and_ingredients([one, other]) == data.titles_and_ingredients([one, other])


@pytest.mark.parametrize(
    ("layers", "cut", "above"),
    [(1, "block7a_project_bn", 3), (31, "block6c_add", 31), (40, "block6b_add", 46)],
)
def test_whole_blocks_are_unfrozen_that_come_nearest(built, layers, cut, above):
    backbone = built[0]
    assert cut_above(backbone, layers) == cut
    names = [layer.name for layer in backbone.layers]
    assert len(names) - 1 - names.index(cut) == above


def test_as_many_layers_are_unfrozen_as_the_configuration_says(home, dataset, built, monkeypatch):
    features = np.random.default_rng(0).normal(size=(len(dataset.recipes), 1280))
    monkeypatch.setattr(TrainingData, "features", lambda self, view: features)
    monkeypatch.setattr(TrainingData, "activations", lambda self, view: features)
    config = TINY_FT | {"LAYERS_TO_UNFREEZE": 31}
    data, checked = data_of(config, home, dataset, built), TrainingConfig.of(config)
    phase = phases.fine_tuning_phase(checked, data, Head(checked, features))
    blocks = {variable.path.split("/")[0].split("_")[0] for variable in phase.backbone}
    assert blocks == {"block6d", "block7a", "top"}
    frozen = keras.Model(built[0].input, built[0].get_layer("block6c_add").output)
    photo = load_input(dataset.recipes["image_path"][0])[None]
    np.testing.assert_allclose(data.tail(frozen(photo)), built[0](photo), atol=1e-5)


def test_left_out_classes_are_scored_with_what_is_joined(dataset, trained, caplog):
    classes = dataset.recipes.groupby("split")["dish_class"].agg(set)
    left_out = sorted((classes["train"] - classes["validation"]) - {None})[:1]
    knobs = {"PHASE_1_EPOCHS": 0, "PHASE_2_EPOCHS": 0, "LEFT_OUT_CLASSES": left_out}
    with caplog.at_level("INFO", logger="itadaki"):
        trained("ft", TINY_FT | knobs)
    told = next(text for text in caplog.messages if "joined" in text)
    assert "left out nDCG@10 title" in told


def test_whitened_features_are_joined_and_the_rest_stays_as_learned(trained, monkeypatch):
    before = []
    join = Trainer._join_features

    def spy(self):
        before.append(self.embed(self.data.train))
        join(self)

    monkeypatch.setattr(Trainer, "_join_features", spy)
    run, _ = trained("ft", TINY_FT | {"PHASE_2_EPOCHS": 0, "FEATURE_SHARE": 0.5})
    after = run.trainer.embed(run.data.train)
    texts = run.trainer.text_encoder.encode(*run.data.titles_and_ingredients(run.data.train))
    np.testing.assert_allclose(np.linalg.norm(after, axis=1), 1, atol=1e-5)
    learned, own = after[:, :6], after[:, 6:]
    axes = np.linalg.svd(before[0], full_matrices=False)[2][:6]
    assert cosines(learned) == pytest.approx(cosines(before[0] @ axes.T), abs=1e-3)
    raw = run.data.features(0)[run.data.train]
    count = min(10, len(raw) // 4)
    whitened = PCA(count, whiten=True).fit_transform(raw)
    assert cosines(own) == pytest.approx(cosines(whitened), abs=1e-3)
    assert not own[:, count:].any()  # fewer photos do not show which directions vary
    assert np.square(own).sum(axis=1).mean() == pytest.approx(0.5**2 / (1 + 0.5**2), abs=0.05)
    assert not texts[:, 6:].any()  # texts say nothing about a photo's own looks


def test_a_head_can_start_at_the_features_components_and_learns_from_there(trained):
    similar = {}
    for start in ("components", "random"):
        run, _ = trained("tl", TINY_TL | {"START": start, "EPOCHS": 0})
        similar[start] = cosines(run.trainer.embed(run.data.train))
    raw = run.data.features(0)[run.data.train]
    whitened = PCA(min(16, len(raw) // 4), whiten=True).fit_transform(raw)
    assert similar["components"] == pytest.approx(cosines(whitened), abs=1e-3)
    assert similar["random"] != pytest.approx(cosines(whitened), abs=0.1)
    knobs = TINY_TL | {"LEARNING_RATE": 3e-3, "GROWING_MARGIN": False, "EPOCHS": 12}
    knobs |= {"PATIENCE": 12}
    loss = trained("tl", knobs)[1]["loss"]
    assert loss.iloc[-3:].mean() < loss.iloc[1:4].mean()


def cosines(rows: np.ndarray) -> np.ndarray:
    rows = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return rows @ rows.T


@pytest.mark.parametrize("config", [CONFIG_FT, CONFIG_TL])
def test_components_do_not_fit_into_every_head(config):
    with pytest.raises(ItadakiError, match="head whose HIDDEN_DIM"):
        TrainingConfig.of(config | {"HIDDEN_DIM": 8})


def test_a_run_goes_on_with_the_training_code_that_began_it_only(
    home, trained, monkeypatch, caplog
):
    config, epochs = TINY_TL | {"EPOCHS": 1}, []

    def epoch(self, phase, number, margin, learner):
        epochs.append(number)
        row = {"phase": "head", "epoch": number, "next_margin": margin, "loss": 0.0}
        return row | {"score": 1.0, "mean_distance": 1.0, "seconds": 1.0}

    def saved(model, path):
        path.parent.mkdir(exist_ok=True)
        for written in (path, converted_path(path)):
            written.write_bytes(b"a model")

    monkeypatch.setattr(Loop, "_epoch", epoch)
    monkeypatch.setattr(training_run, "save_model", saved)
    monkeypatch.setattr(training_run, "load_converted", lambda *rest: None)

    def go(commit: str) -> tuple[int, dict]:
        monkeypatch.setattr(training_run, "_commit", lambda: commit)
        caplog.clear()
        epochs.clear()
        trained("tl", config, seed=5, export=True)
        return len(epochs), json.loads(Artifacts(VARIANTS["tl"], home).record.read_text())

    count, record = go("first")
    assert count == 1 and record["trained_by_commits"] == ["first"]
    count, record = go("documents changed")
    assert not count and record["trained_by_commits"] == ["first", "documents changed"]
    assert "other training code" not in caplog.text
    for changed in ("training_code", "class_rules"):
        monkeypatch.setattr(training_run, changed, lambda: "other")
        count, record = go("code changed")
        assert count == 1 and record["trained_by_commits"] == ["code changed"]
        assert record[changed] == "other"
        assert "begun by other training code" in caplog.text


def test_all_of_training_counts_as_training_code():
    package = Path(training_run.__file__).parent
    counted = {Path(module.__file__).name for module in training_run.TRAINING_CODE}
    assert {path.name for path in package.glob("*.py")} - counted == {
        "__init__.py",
        "config.py",  # the record holds the knobs
        "run.py",
    }


def test_a_photo_of_the_same_name_and_size_gets_its_own_activations(tmp_path):
    path, folder = tmp_path / "photo.jpg", tmp_path / "activations"
    backbone = SimpleNamespace(get_weights=list)

    def cache(content: bytes, cut: str = "block6b_add") -> ActivationCache:
        path.write_bytes(content)
        return ActivationCache(folder, backbone, cut, [path], [sha256_of(path)])

    assert cache(b"a").folder == cache(b"a").folder != cache(b"b").folder
    assert cache(b"a").folder != cache(b"a", "block6c_add").folder


def test_processes_make_the_same_views_as_threads(tmp_path, monkeypatch):
    paths = [tmp_path / f"{seed}.jpg" for seed in range(3)]
    for seed, path in enumerate(paths):
        path.write_bytes(encode(dish_photo(seed)))
    maps = SimpleNamespace(output=np.empty((1, 224, 224, 3)))
    backbone = SimpleNamespace(get_weights=list, get_layer=lambda name: maps)

    def view(number: int, of_threads: bool) -> np.ndarray:
        monkeypatch.setattr(activations, "on_tensorflow", lambda: of_threads)
        folder = tmp_path / f"of_threads_{of_threads}"
        cache = ActivationCache(folder, backbone, "block6b_add", paths, ["0" * 64] * 3)
        vars(cache)["_forward"] = lambda photos: photos
        return cache.view(number, np.array([0, 2]), progress=False)

    plain = view(0, of_threads=False)
    np.testing.assert_array_equal(plain[[0, 2]], [load_input(paths[0]), load_input(paths[2])])
    assert not plain[1].any(), "nobody asked for it"
    augmented = view(1, of_threads=False)
    np.testing.assert_array_equal(augmented, view(1, of_threads=True))
    assert (augmented[0] != plain[0]).mean() > 0.5


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"MARGIN": 1}, "MARGIN"),
        ({"SAMPLING": "best"}, "SAMPLING"),
        ({"IMG_SIZE": 128}, "IMG_SIZE"),
        ({"POSITIVES": "view"}, "POSITIVES"),
        ({"LAYERS_TO_UNFREEZE": 0}, "LAYERS_TO_UNFREEZE"),
    ],
)
def test_a_wrong_configuration_is_named(wrong, named):
    with pytest.raises(ItadakiError, match=named):
        TrainingConfig.of(CONFIG_TL | wrong)


def test_the_configurations_hold_the_seeds_values():
    assert {"IMG_SIZE": 224, "BATCH_SIZE": 32, "EMBEDDING_DIM": 512}.items() <= CONFIG_TL.items()
    assert (CONFIG_TL["TRIPLET_MARGIN"], CONFIG_TL["SAMPLING"]) == (0.3, "random")
    assert (CONFIG_TL_HARD["TRIPLET_MARGIN"], CONFIG_TL_HARD["SAMPLING"]) == (0.8, "hard_negative")
    assert CONFIG_TL_HARD["EPOCHS"] == 15
    changed = {key for key, value in CONFIG_TL_HARD.items() if CONFIG_TL.get(key) != value}
    assert changed == {"SAMPLING", "HARDEST", "TRIPLET_MARGIN", "GROWING_MARGIN"}
    assert (CONFIG_PHASES["PHASE_1_EPOCHS"], CONFIG_PHASES["PHASE_2_EPOCHS"]) == (6, 20)
    assert (CONFIG_FT["PHASE_1_EPOCHS"], CONFIG_FT["PHASE_2_EPOCHS"]) == (6, 28)
    for config in (CONFIG_PHASES, CONFIG_FT):
        assert (config["TRIPLET_MARGIN"], config["LAYERS_TO_UNFREEZE"]) == (0.8, 40)


def test_too_few_photos_are_said(trained):
    with pytest.raises(ItadakiError, match="too few"):
        trained("tl", TINY_TL | {"BATCH_SIZE": 64})


def test_an_unused_knob_is_refused_before_the_photos_are_run(home, trained, monkeypatch):
    monkeypatch.setattr(training_run, "build_backbone", lambda settings: pytest.fail("too late"))
    with pytest.raises(ItadakiError, match="TRIPLET_WEIGHT is not used"):
        trained("tl", TINY_TL | {"TRIPLET_WEIGHT": 0.5})
