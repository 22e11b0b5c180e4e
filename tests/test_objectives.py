import numpy as np
import pytest
from placed import JOINT, TRIPLETS, train_placed, trainer_of

from itadaki.errors import ItadakiError
from itadaki.training import objectives
from itadaki.training.config import CONFIGS, TrainingConfig
from itadaki.training.miners import Miner
from itadaki.training.objectives import JointObjective, TripletObjective, objective_of

# One step on all six, after which the weights are as they were.
STILL = {"BATCH_SIZE": 6, "LEARNING_RATE": 1e-12, "WEIGHT_DECAY": 0.0, "GROWING_MARGIN": False}
MARGIN = {"TRIPLET_MARGIN": 0.5}


@pytest.fixture
def mined(monkeypatch) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Anchors, positives and negatives of each step."""
    found = []
    mine = Miner.mine

    def spy(self, batch, rng):
        found.append((batch, *mine(self, batch, rng)))
        return found[-1][1:]

    monkeypatch.setattr(Miner, "mine", spy)
    return found


def triplet_metrics(rows, mined) -> dict[str, float]:
    anchors, positives, negatives = (places[mined[2] >= 0] for places in mined)
    near = (rows[anchors] * rows[positives]).sum(axis=1)
    far = (rows[anchors] * rows[negatives]).sum(axis=1)
    return {
        "triplet_loss": np.maximum(0.5 - near + far, 0).mean(),
        "triplet_accuracy": (near > far).mean(),
        "triplet_margin_accuracy": (near - far > 0.5).mean(),
        "positive_similarity": near.mean(),
        "negative_similarity": far.mean(),
    }


def cross_entropy(similarities, targets, temperature=0.1) -> float:
    logits = similarities / temperature
    logits -= np.log(np.exp(logits).sum(axis=1, keepdims=True))
    return -(targets * logits).sum(axis=1).mean()


def test_the_triplet_loss_is_that_of_the_mined_triplets(tmp_path, mined):
    config = TRIPLETS | STILL | MARGIN | {"EPOCHS": 1, "SAMPLING": "semi_hard"}
    trainer, history = train_placed(config, tmp_path)
    expected = triplet_metrics(trainer.embed(np.arange(6)), mined[0])
    expected["loss"] = expected.pop("triplet_loss")
    assert expected["loss"] > 0.01
    assert history.iloc[1][list(expected)].to_dict() == pytest.approx(expected, abs=1e-5)


def test_the_joint_loss_is_the_weighted_sum_of_its_parts(tmp_path, mined):
    config = JOINT | STILL | MARGIN | {"PHASE_1_EPOCHS": 1}
    weights = {"TEXT": 2.0, "PHOTO": 3.0, "TRIPLET": 5.0}
    config |= {f"{name}_WEIGHT": weight for name, weight in weights.items()}
    trainer, history = train_placed(config, tmp_path)
    rows, data = trainer.embed(np.arange(6)), trainer.data
    texts = data.texts.dense @ trainer._objective.text_tower.numpy()
    texts /= np.linalg.norm(texts, axis=1, keepdims=True)
    graded = data.neighbours.targets(np.arange(6), 0.2)
    expected = triplet_metrics(rows, mined[0]) | {
        "text_loss": cross_entropy(rows @ texts.T, graded),
        "photo_loss": cross_entropy(rows @ rows.T, graded),
        "feature_distance": 0.0,
    }
    expected["loss"] = (
        2 * expected["text_loss"] + 3 * expected["photo_loss"] + 5 * expected["triplet_loss"]
    )
    assert expected["triplet_loss"] > 0.01
    assert history.iloc[1][list(expected)].to_dict() == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("config", [JOINT, TRIPLETS | {"SAMPLING": "hard_negative"}])
def test_hard_negatives_are_mined_from_a_bank_that_is_embedded_anew(tmp_path, monkeypatch, config):
    banks = []
    begin = Miner.begin_epoch

    def spy(self, embed):
        begin(self, embed)
        banks.append((self._bank, trainer.embed(np.arange(6))))

    monkeypatch.setattr(Miner, "begin_epoch", spy)
    trainer = trainer_of(config | {"LEARNING_RATE": 0.05, "DROPOUT": 0.5}, tmp_path)
    trainer.train()
    for bank, now in banks:
        np.testing.assert_array_equal(bank, now)
    (first, _), (second, _) = banks
    assert np.abs(first - second).max() > 0.01


def test_no_forbidden_negative_is_taken_where_none_is_allowed(tmp_path):
    found = {}
    for weight in (0.0, 1.0):  # all of one class: no triplet may say anything
        config = JOINT | {"TRIPLET_WEIGHT": weight}
        trainer, history = train_placed(config, tmp_path / str(weight), ["soup"] * 6)
        found[weight] = trainer.embed(np.arange(6))
        trained = history.iloc[1:]
        assert np.isfinite(trained["loss"]).all()
        of_triplets = trained[["triplet_loss", "triplet_accuracy", "negative_similarity"]]
        assert not of_triplets.to_numpy().any()
    np.testing.assert_array_equal(found[0.0], found[1.0])


def test_batches_without_a_triplet_cost_nothing_and_teach_nothing(tmp_path):
    config = TRIPLETS | {"WEIGHT_DECAY": 0.1}
    trainer, history = train_placed(config, tmp_path / "trained", ["soup"] * 6)
    assert (history["loss"].iloc[1:] == 0).all()
    assert np.isfinite(history.drop(columns="phase").iloc[1:].to_numpy(float)).all()
    untrained, _ = train_placed(config | {"EPOCHS": 0}, tmp_path / "not", ["soup"] * 6)
    np.testing.assert_array_equal(trainer.embed(np.arange(6)), untrained.embed(np.arange(6)))


def test_a_recipe_whose_positives_are_not_among_the_texts_costs_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(objectives, "_TEXTS", 1)
    config = JOINT | {"SELF_SHARE": 0.0, "BATCH_SIZE": 2, "TEXT_WEIGHT": 1.0, "PHOTO_WEIGHT": 0.0}
    _, history = train_placed(config, tmp_path, ["soup"] * 6)
    assert np.isfinite(history["loss"].iloc[1:]).all()


def test_an_epochs_metrics_count_each_triplet_alike():
    steps = [
        {"loss": 1.0, "triplet_accuracy": 1.0, "triplets": 3.0},
        {"loss": 3.0, "triplet_accuracy": 0.0, "triplets": 1.0},
    ]
    assert objectives.epoch_metrics(steps) == {"loss": 2.0, "triplet_accuracy": 0.75}
    none = [step | {"triplets": 0.0, "triplet_accuracy": 0.0} for step in steps]
    assert objectives.epoch_metrics(none) == {"loss": 2.0, "triplet_accuracy": 0.0}


@pytest.mark.parametrize(
    ("variant", "knobs", "named"),
    [
        ("tl", {"TRIPLET_WEIGHT": 0.5}, "TRIPLET_WEIGHT"),
        ("tl", {"TEMPERATURE": 0.2}, "TEMPERATURE"),
        ("tl", {"SELF_SHARE": 0.5}, "SELF_SHARE"),
        ("tl", {"HARDEST": 5}, "HARDEST"),
        ("tl", {"DISTILLATION_WEIGHT": 1.0}, "DISTILLATION_WEIGHT"),
        ("tl", {"PHASE_1_EPOCHS": 2}, "EPOCHS and PHASE_1_EPOCHS"),
        ("tl_hard", {"SAMPLING": "semi_hard"}, "HARDEST"),
        ("tl_hard", {"TRIPLET_WEIGHT": 0.5}, "TRIPLET_WEIGHT"),
        ("ft", {"TEXT_WEIGHT": 0, "PHOTO_WEIGHT": 0, "SELF_SHARE": 0.2}, "TEMPERATURE"),
    ],
)
def test_a_knob_that_nothing_would_read_is_refused(variant, knobs, named):
    with pytest.raises(ItadakiError, match=f"{named}.*because|{named} both"):
        objective_of(TrainingConfig.of(CONFIGS[variant] | knobs))


@pytest.mark.parametrize("variant", CONFIGS)
def test_a_knob_at_its_default_is_not_refused(variant):
    config = TrainingConfig.of(CONFIGS[variant])
    spelled_out = TrainingConfig.of(config.model_dump(by_alias=True))
    assert objective_of(spelled_out) is objective_of(config)
    assert objective_of(config) is (JointObjective if variant == "ft" else TripletObjective)
