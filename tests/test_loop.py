import numpy as np
import pytest
from placed import JOINT, TRIPLETS, train_placed, trainer_of

from itadaki.training.learner import Learner
from itadaki.training.loop import CollapseError, Loop, grown_margin
from itadaki.training.validation import Validation

UNMOVED = {"loss": 0.0, "triplet_margin_accuracy": 0.0, "triplets": 0.0}


class Stopped(Exception):
    pass


@pytest.mark.parametrize("config", [TRIPLETS | {"EPOCHS": 3}, JOINT | {"PHASE_1_EPOCHS": 3}])
def test_an_interrupted_run_gives_the_same_model(tmp_path, config):
    config = config | {"DROPOUT": 0.3, "LEARNING_RATE": 0.01}
    whole, _ = train_placed(config, tmp_path / "whole")
    epoch = Loop._epoch

    def stops(self, phase, number, *rest):
        if number == 2:
            raise Stopped
        return epoch(self, phase, number, *rest)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Loop, "_epoch", stops)
        with pytest.raises(Stopped):
            train_placed(config, tmp_path / "parts")
    gone_on, history = train_placed(config, tmp_path / "parts")
    assert history["epoch"].tolist() == [0, 1, 2, 3]
    expected = [row["loss"] for row in whole.history[1:]]
    assert history["loss"].tolist()[1:] == pytest.approx(expected)
    rows = np.arange(6)
    np.testing.assert_allclose(gone_on.embed(rows), whole.embed(rows), atol=1e-6)
    if whole.text_encoder:
        towers = (one._objective.text_tower.numpy() for one in (gone_on, whole))
        np.testing.assert_allclose(*towers, atol=1e-6)


def scripted(monkeypatch, scores: list[float], distance: float = 1.0) -> None:
    """Let the epochs, from 0 on, score like this."""
    found = iter(scores)
    monkeypatch.setattr(
        Validation,
        "scores",
        lambda self, embed: {"score": next(found), "mean_distance": distance},
    )


def test_a_phase_ends_when_it_gets_no_better_and_the_best_epoch_is_kept(tmp_path, monkeypatch):
    rows, after = np.arange(6), []
    epoch = Loop._epoch

    def spy(self, *rest):
        row = epoch(self, *rest)
        after.append(trainer.embed(rows))
        return row

    monkeypatch.setattr(Loop, "_epoch", spy)
    scripted(monkeypatch, [0.1, 0.2, 0.5, 0.5, 0.4, 0.9])
    knobs = {"EPOCHS": 9, "PATIENCE": 2, "LEARNING_RATE": 0.01}
    trainer = trainer_of(TRIPLETS | knobs, tmp_path)
    history = trainer.train()
    # Epoch 2 is the first best; 3 is as good and is kept, and does not make the phase longer.
    assert history["epoch"].tolist() == [0, 1, 2, 3, 4]
    np.testing.assert_array_equal(trainer.embed(rows), after[2])
    for other in (1, 3):
        assert np.abs(after[2] - after[other]).max() > 1e-4


@pytest.mark.parametrize("distance", [0.051, 1.0, 0.049, 0.0, float("nan")])
def test_collapse_is_noticed(tmp_path, monkeypatch, distance):
    monkeypatch.setattr(Learner, "learn", lambda *rest: UNMOVED)
    scripted(monkeypatch, [0.1] * 3, distance)
    if distance > 0.05:
        assert len(train_placed(TRIPLETS, tmp_path)[1]) == 3
    else:
        for _ in range(2):  # going on from where it collapsed, too
            with pytest.raises(CollapseError, match=r"epoch 1 of head.*LEARNING_RATE"):
                train_placed(TRIPLETS, tmp_path)


def test_embeddings_that_fall_into_one_point_collapse(tmp_path, monkeypatch):
    def falls(self, *rest):
        for variable in self.trainable_variables:
            variable.assign(np.full(variable.shape, float("bias" in variable.path)))
        return UNMOVED

    monkeypatch.setattr(Learner, "learn", falls)
    with pytest.raises(CollapseError, match=r"distance is -?0\.000"):
        train_placed(TRIPLETS, tmp_path)


def test_a_damaged_checkpoint_is_no_checkpoint(tmp_path):
    whole, history = train_placed(TRIPLETS, tmp_path)
    for name in ("head.npz", "head.best.npz"):
        path = tmp_path / name
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    again, repeated = train_placed(TRIPLETS, tmp_path)
    assert repeated["loss"].tolist()[1:] == pytest.approx(history["loss"].tolist()[1:])
    np.testing.assert_allclose(again.embed(np.arange(6)), whole.embed(np.arange(6)), atol=1e-6)


def test_margin_grows_as_triplets_get_easy_and_never_beyond():
    assert grown_margin(0.2, 0.8, 0.5) == 0.2
    assert grown_margin(0.2, 0.8, 0.7) == pytest.approx(0.25)
    assert grown_margin(0.7, 0.8, 0.9) == 0.8


def test_what_is_scored_and_kept_is_the_weights_average_over_the_steps(tmp_path, monkeypatch):
    score = iter(range(9))
    seen = []
    monkeypatch.setattr(
        Validation,
        "scores",
        lambda self, embed: (
            seen.append(head().copy()) or {"score": next(score), "mean_distance": 1.0}
        ),
    )
    steps = []
    learn = Learner.learn

    def noted(self, *rest):
        found = learn(self, *rest)
        steps.append(head().copy())
        return found

    monkeypatch.setattr(Learner, "learn", noted)
    trainer = trainer_of(TRIPLETS | {"AVERAGING": 0.75, "LEARNING_RATE": 0.05}, tmp_path)

    def head() -> np.ndarray:
        return trainer._head.variables[0].numpy()

    trainer.train()
    average = steps[0]
    for now in steps[1:]:
        average = 0.75 * average + 0.25 * now
    assert np.abs(steps[-1] - average).max() > 1e-3
    np.testing.assert_allclose(head(), average, atol=1e-6)
    np.testing.assert_allclose(seen[-1], average, atol=1e-6)
