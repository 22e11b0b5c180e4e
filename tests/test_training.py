import itertools
import json
import shutil
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from sklearn.decomposition import PCA

from itadaki.errors import ArtifactError, ItadakiError
from itadaki.models.embedder import load_embedder
from itadaki.models.keras_model import load_model
from itadaki.models.text_encoder import TextEncoder
from itadaki.photos.images import load_input
from itadaki.recipes.dataset import load_dataset
from itadaki.settings import Settings
from itadaki.storage.files import sha256_of
from itadaki.training.activations import ActivationCache
from itadaki.training.config import CONFIG_FT, CONFIG_TL, CONFIG_TL_HARD, TrainingConfig
from itadaki.training.run import TrainingRun
from itadaki.training.text_neighbours import TextNeighbours
from itadaki.training.trainer import CollapseError, Trainer, grown_margin
from itadaki.variants import VARIANTS

TINY = {"BATCH_SIZE": 8, "EMBEDDING_DIM": 16, "HIDDEN_DIM": 32, "VIEWS": 2}
TINY_TL = CONFIG_TL | TINY | {"EPOCHS": 2}
TINY_FT = CONFIG_FT | TINY | {"PHASE_1_EPOCHS": 1, "PHASE_2_EPOCHS": 1}


@pytest.fixture(scope="module")
def home(settings, tmp_path_factory):
    """Settings with a home for trained models; the cached views are shared by the tests."""
    return settings.model_copy(update={"home": tmp_path_factory.mktemp("trained")})


def train(name: str, config: dict, home: Settings, seed: int = 0):
    run = TrainingRun(VARIANTS[name], config, home, load_dataset(home, False), seed, False)
    history = run.train()
    run.export()
    return history


def test_a_head_is_trained_and_its_export_equals_the_model(home):
    run = TrainingRun(VARIANTS["tl"], TINY_TL, home, load_dataset(home, False), progress=False)
    history = run.train()
    run.export()
    assert history["epoch"].tolist() == [0, 1, 2]
    trained = history.iloc[1:]
    for name in ("triplet_accuracy", "triplet_margin_accuracy"):
        assert trained[name].between(0, 1).all()
    assert trained["positive_similarity"].between(-1, 1).all()
    model = load_model(VARIANTS["tl"].model_path(home))
    recipes = run.data.dataset.recipes
    photos = np.stack([load_input(path) for path in recipes["image_path"][:3]])
    rows = model(photos).numpy()
    # The cache's float16 costs some digits, as do the two runtimes.
    np.testing.assert_allclose((rows * run.trainer.embed(np.arange(3))).sum(axis=1), 1, atol=1e-4)
    assert rows.shape == (3, 16)
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)
    record = json.loads(VARIANTS["tl"].record_path(home).read_text())
    assert record["sha256"]["model"] == sha256_of(VARIANTS["tl"].model_path(home))
    assert record["config"]["TRIPLET_MARGIN"] == 0.3


@pytest.mark.parametrize("sampling", ["batch_hard", "semi_hard", "distance_weighted"])
def test_every_sampling_trains(home, sampling):
    history = train("tl", TINY_TL | {"SAMPLING": sampling, "EPOCHS": 1}, home)
    assert np.isfinite(history["loss"].iloc[1:]).all()


@pytest.mark.parametrize("positives", ["batch_text", "dish_class", "view"])
def test_all_kinds_of_positives_train(home, positives):
    history = train("tl", TINY_TL | {"POSITIVES": positives, "EPOCHS": 1}, home)
    assert np.isfinite(history["loss"].iloc[1:]).all()


def test_fine_tuning_changes_the_last_blocks_only_and_learns_texts(home, system, monkeypatch):
    # On made-up photos no epoch need be better than none; here every epoch is.
    count = itertools.count()
    validate = Trainer._validate
    monkeypatch.setattr(
        Trainer, "_validate", lambda self, phase: validate(self, phase) | {"score": next(count)}
    )
    history = train("ft", TINY_FT, home)
    assert history["phase"].tolist() == ["head", "head", "fine_tuning", "fine_tuning"]
    tuned = load_model(VARIANTS["ft"].model_path(home)).get_layer("efficientnetb0")
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
    encoder = TextEncoder.load(VARIANTS["ft"].text_encoder_path(home))
    rows = encoder.encode(["Tomato Soup", "qqqq"], [["1 onion"], []])
    assert np.linalg.norm(rows[0]) == pytest.approx(1, abs=1e-3)
    assert not rows[1].any()


def test_the_frozen_backbones_neighbours_can_be_part_of_the_target(home):
    config = TINY_FT | {"RAW_SHARE": 0.5, "PHASE_2_EPOCHS": 0, "PHASE_1_EPOCHS": 1}
    run = TrainingRun(VARIANTS["ft"], config, home, load_dataset(home, False), progress=False)
    assert np.isfinite(run.train()["loss"].iloc[1:]).all()
    raw = run.data.features(0)[run.data.train]
    similarities = raw @ raw.T
    similarities[run.data.neighbours.copies.toarray()] = -1
    shares = run.data.look_alikes.toarray()
    np.testing.assert_allclose(shares.sum(axis=1), 1, atol=1e-5)
    assert (shares.argmax(axis=1) == similarities.argmax(axis=1)).all()
    assert not shares.diagonal().any()


def test_alignment_turns_photos_towards_their_own_texts(home):
    others = {"TEXT_WEIGHT": 0.0, "PHOTO_WEIGHT": 0.0, "TRIPLET_WEIGHT": 0.0, "PATIENCE": 9}
    config = TINY_FT | others | {"PHASE_1_EPOCHS": 4, "PHASE_2_EPOCHS": 0}
    run = TrainingRun(VARIANTS["ft"], config, home, load_dataset(home, False), progress=False)
    alignment = run.train()["alignment"].dropna()
    assert alignment.iloc[-1] > alignment.iloc[0] + 0.1


def test_left_out_classes_are_scored_with_what_is_joined(home, caplog):
    dataset = load_dataset(home, False)
    classes = dataset.recipes.groupby("split")["dish_class"].agg(set)
    trained = sorted((classes["train"] - classes["validation"]) - {None})
    knobs = TINY_FT | {"PHASE_2_EPOCHS": 0, "LEFT_OUT_CLASSES": trained[:1]}
    with caplog.at_level("INFO", logger="itadaki"):
        TrainingRun(VARIANTS["ft"], knobs, home, dataset, progress=False).train()
    told = next(text for text in caplog.messages if "joined" in text)
    assert "left out nDCG@10 title" in told


def test_whitened_features_are_joined_and_the_rest_stays_as_learned(home):
    dataset = load_dataset(home, False)
    config = TINY_FT | {"PHASE_2_EPOCHS": 0}
    found = {}
    for share in (0.0, 0.5):
        knobs = config | {"FEATURE_SHARE": share}
        run = TrainingRun(VARIANTS["ft"], knobs, home, dataset, progress=False)
        run.train()
        rows = run.trainer.embed(run.data.train)
        texts = TextEncoder(run.data.encoder.vectorizers, run.trainer.text_matrix.numpy())
        found[share] = rows, texts.encode(*run.data.texts(run.data.train))
    (before, _), (after, texts) = found[0.0], found[0.5]
    np.testing.assert_allclose(np.linalg.norm(after, axis=1), 1, atol=1e-5)
    learned, own = after[:, :6], after[:, 6:]
    axes = np.linalg.svd(before, full_matrices=False)[2][:6]
    assert cosines(learned) == pytest.approx(cosines(before @ axes.T), abs=1e-3)
    raw = run.data.features(0)[run.data.train]
    count = min(10, len(raw) // 4)
    whitened = PCA(count, whiten=True).fit_transform(raw)
    assert cosines(own) == pytest.approx(cosines(whitened), abs=1e-3)
    assert not own[:, count:].any()  # fewer photos do not show which directions vary
    assert np.square(own).sum(axis=1).mean() == pytest.approx(0.5**2 / (1 + 0.5**2), abs=0.05)
    assert not texts[:, 6:].any()  # texts say nothing about a photo's own looks


def test_a_head_can_start_at_the_features_components_and_learns_from_there(home):
    dataset = load_dataset(home, False)
    similar = {}
    for start in ("components", "random"):
        knobs = TINY_TL | {"START": start, "EPOCHS": 0, "PHASE_1_EPOCHS": 0}
        run = TrainingRun(VARIANTS["tl"], knobs, home, dataset, progress=False)
        run.train()
        similar[start] = cosines(run.trainer.embed(run.data.train))
    raw = run.data.features(0)[run.data.train]
    whitened = PCA(min(16, len(raw) // 4), whiten=True).fit_transform(raw)
    assert similar["components"] == pytest.approx(cosines(whitened), abs=1e-3)
    assert similar["random"] != pytest.approx(cosines(whitened), abs=0.1)
    knobs = TINY_TL | {"LEARNING_RATE": 1e-3, "GROWING_MARGIN": False, "EPOCHS": 6}
    loss = train("tl", knobs, home)["loss"]
    assert loss.iloc[-1] < loss.iloc[1]


def cosines(rows: np.ndarray) -> np.ndarray:
    rows = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return rows @ rows.T


@pytest.mark.parametrize("knobs", [{"ACTIVATION": "relu"}, {"HIDDEN_DIM": 8}])
@pytest.mark.parametrize("config", [CONFIG_FT, CONFIG_TL])
def test_components_do_not_fit_into_every_head(config, knobs):
    with pytest.raises(ItadakiError, match="linear head"):
        TrainingConfig.of(config | knobs)


def test_model_and_text_encoder_must_be_of_one_run(home):
    train("ft", TINY_FT | {"PHASE_2_EPOCHS": 0}, home)
    variant = VARIANTS["ft"]
    load_embedder(variant, home)
    whole = variant.text_encoder_path(home).read_bytes()
    variant.text_encoder_path(home).write_bytes(whole[:-1] + b"x")
    with pytest.raises(ArtifactError, match="itadaki train ft"):
        load_embedder(variant, home)
    variant.text_encoder_path(home).unlink()
    with pytest.raises(ArtifactError, match="itadaki train ft"):
        load_embedder(variant, home)


def test_fine_tuning_without_the_cache_makes_new_views(home):
    history = train("ft", TINY_FT | {"CACHE": False, "PHASE_1_EPOCHS": 0}, home)
    assert np.isfinite(history["loss"].dropna()).all()


def test_an_interrupted_run_gives_the_same_model(home, tmp_path):
    config = TINY_TL | {"EPOCHS": 3}
    train("tl", config, home)
    whole = load_model(VARIANTS["tl"].model_path(home)).get_weights()

    class Stopped(Exception):
        pass

    other = home.model_copy(update={"home": tmp_path})
    shutil.copytree(home.home / "data" / "activations", tmp_path / "data" / "activations")
    with pytest.MonkeyPatch.context() as patch:
        real = Trainer._epoch

        def stops(self, phase, epoch, *rest):
            if epoch == 2:
                raise Stopped
            return real(self, phase, epoch, *rest)

        patch.setattr(Trainer, "_epoch", stops)
        with pytest.raises(Stopped):
            train("tl", config, other)
    history = train("tl", config, other)
    assert history["epoch"].tolist() == [0, 1, 2, 3]
    for a, b in zip(whole, load_model(VARIANTS["tl"].model_path(other)).get_weights(), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)


def test_a_run_goes_on_with_the_training_code_that_began_it_only(home, monkeypatch, caplog):
    config, dataset = TINY_TL | {"EPOCHS": 1}, load_dataset(home, False)

    def run(commit: str) -> tuple[list[int], dict]:
        monkeypatch.setattr("itadaki.training.run._commit", lambda: commit)
        caplog.clear()
        trained = TrainingRun(VARIANTS["tl"], config, home, dataset, 5, progress=False)
        epochs = []
        with monkeypatch.context() as patch:
            patch.setattr(Trainer, "_epoch", lambda *a: epochs.append(1) or real(*a))
            trained.train()
        trained.export()
        return epochs, json.loads(VARIANTS["tl"].record_path(home).read_text())

    real = Trainer._epoch
    epochs, record = run("first")
    assert len(epochs) == 1 and record["trained_by_commits"] == ["first"]
    epochs, record = run("documents changed")
    assert not epochs and record["trained_by_commits"] == ["first", "documents changed"]
    assert "other training code" not in caplog.text
    for changed in ("training_code", "class_rules"):
        monkeypatch.setattr(f"itadaki.training.run.{changed}", lambda: "other")
        epochs, record = run("code changed")
        assert len(epochs) == 1 and record["trained_by_commits"] == ["code changed"]
        assert record[changed] == "other"
        assert "begun by other training code" in caplog.text


def test_a_photo_of_the_same_name_and_size_gets_its_own_activations(tmp_path):
    path, folder = tmp_path / "photo.jpg", tmp_path / "activations"
    backbone = SimpleNamespace(get_weights=list)

    def cache(content: bytes) -> ActivationCache:
        path.write_bytes(content)
        return ActivationCache(folder, backbone, [path], [sha256_of(path)])

    assert cache(b"a").folder == cache(b"a").folder != cache(b"b").folder


def test_collapse_is_noticed(home, monkeypatch):
    from itadaki.training import trainer as training

    monkeypatch.setattr(training, "_COLLAPSED", 2.1)
    with pytest.raises(CollapseError, match="LEARNING_RATE"):
        train("tl", TINY_TL | {"LEARNING_RATE": 2e-3}, home)


class PlacedData:
    """Points placed by hand instead of features of photos, each with a text of its own."""

    def __init__(self, config: TrainingConfig, titles: list[str], classes: list[str]) -> None:
        angles = np.linspace(0, np.pi, len(titles))
        points = np.stack([np.cos(angles), np.sin(angles), np.ones(len(titles))], axis=1)
        self.points = (points / np.linalg.norm(points, axis=1, keepdims=True)).astype(np.float32)
        ingredients = [[] for _ in titles]
        recipes = {"Title": titles, "Ingredients": ingredients, "dish_class": classes}
        self.dataset = SimpleNamespace(recipes=pd.DataFrame(recipes))
        self.train = self.validation = np.arange(len(titles))
        self.watched = np.arange(0)
        self.encoder = TextEncoder.fit(titles, ingredients, config.embedding_dim)
        self.neighbours = TextNeighbours.of(
            self.encoder, titles, ingredients, classes, np.eye(len(titles), dtype=np.float32)
        )

    def features(self, view: int) -> np.ndarray:
        return self.points

    def texts(self, rows: np.ndarray) -> tuple[list[str], list[list[str]]]:
        chosen = self.dataset.recipes.iloc[rows]
        return chosen["Title"].tolist(), chosen["Ingredients"].tolist()


TITLES = ["tomato soup", "tomato bisque", "lentil soup", "lentil broth", "onion soup", "leek soup"]
PLACED = {"BATCH_SIZE": 3, "EMBEDDING_DIM": 4, "HIDDEN_DIM": 4, "VIEWS": 1, "DROPOUT": 0.0}
JOINT = CONFIG_FT | PLACED | {"PHASE_1_EPOCHS": 2, "PHASE_2_EPOCHS": 0, "RAW_SHARE": 0.0}
JOINT |= {"FEATURE_SHARE": 0.0}


def train_placed(config: dict, folder, classes: list[str]) -> tuple[Trainer, pd.DataFrame]:
    checked = TrainingConfig.of(config)
    trainer = Trainer(checked, PlacedData(checked, TITLES, classes), None, folder, progress=False)
    return trainer, trainer.train()


@pytest.mark.parametrize("sampling", ["random", "hard_negative"])
def test_no_forbidden_negative_is_taken_where_none_is_allowed(tmp_path, sampling):
    found = {}
    for weight in (0.0, 1.0):  # all of one class: no triplet may say anything
        config = JOINT | {"SAMPLING": sampling, "TRIPLET_WEIGHT": weight}
        trainer, history = train_placed(config, tmp_path / str(weight), ["soup"] * 6)
        found[weight] = trainer.embed(np.arange(6))
        trained = history.iloc[1:]
        assert np.isfinite(trained["loss"]).all()
        of_triplets = trained[["triplet_loss", "triplet_accuracy", "negative_similarity"]]
        assert not of_triplets.to_numpy().any()
    np.testing.assert_array_equal(found[0.0], found[1.0])


def test_allowed_negatives_count_in_the_joint_loss(tmp_path):
    classes = ["a", "b", "c", "d", "e", "f"]
    config = JOINT | {"SAMPLING": "random"}
    _, history = train_placed(config, tmp_path, classes)
    assert (history["triplet_loss"].iloc[1:] > 0).all()
    assert (history["negative_similarity"].iloc[1:] != 0).all()


def test_batches_without_a_triplet_cost_nothing_and_teach_nothing(tmp_path):
    config = CONFIG_TL | PLACED | {"EPOCHS": 2, "SAMPLING": "random", "WEIGHT_DECAY": 0.1}
    trainer, history = train_placed(config, tmp_path / "trained", ["soup"] * 6)
    assert (history["loss"].iloc[1:] == 0).all()
    assert np.isfinite(history.drop(columns="phase").iloc[1:].to_numpy(float)).all()
    untrained, _ = train_placed(config | {"EPOCHS": 0}, tmp_path / "not", ["soup"] * 6)
    np.testing.assert_array_equal(trainer.embed(np.arange(6)), untrained.embed(np.arange(6)))


def test_a_recipe_whose_positives_are_not_among_the_texts_costs_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr("itadaki.training.trainer._CANDIDATES", 1)
    _, history = train_placed(JOINT | {"SELF_SHARE": 0.0, "BATCH_SIZE": 2}, tmp_path, ["soup"] * 6)
    assert np.isfinite(history["loss"].iloc[1:]).all()


def test_margin_grows_as_triplets_get_easy_and_never_beyond():
    assert grown_margin(0.2, 0.8, 0.5) == 0.2
    assert grown_margin(0.2, 0.8, 0.7) == pytest.approx(0.25)
    assert grown_margin(0.7, 0.8, 0.9) == 0.8


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"MARGIN": 1}, "MARGIN"),
        ({"SAMPLING": "best"}, "SAMPLING"),
        ({"IMG_SIZE": 128}, "IMG_SIZE"),
    ],
)
def test_a_wrong_configuration_is_named(wrong, named):
    with pytest.raises(ItadakiError, match=named):
        TrainingConfig.of(CONFIG_TL | wrong)


def test_the_configurations_hold_the_seeds_values():
    assert {"IMG_SIZE": 224, "BATCH_SIZE": 32, "EMBEDDING_DIM": 512}.items() <= CONFIG_TL.items()
    assert (CONFIG_TL["TRIPLET_MARGIN"], CONFIG_TL["EPOCHS"]) == (0.3, 10)
    assert (CONFIG_TL_HARD["TRIPLET_MARGIN"], CONFIG_TL_HARD["EPOCHS"]) == (0.8, 15)
    # Fewer epochs than the seed's 6 and 20: on cached views the score stops rising before.
    assert {"PHASE_1_EPOCHS", "PHASE_2_EPOCHS"} <= CONFIG_FT.keys()
    assert (CONFIG_FT["TRIPLET_MARGIN"], CONFIG_FT["LAYERS_TO_UNFREEZE"]) == (0.8, 40)


def test_too_few_photos_are_said(home):
    with pytest.raises(ItadakiError, match="too few"):
        train("tl", TINY_TL | {"BATCH_SIZE": 64}, home)
