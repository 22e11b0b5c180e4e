"""The figures of the chapters' ideas show what they were given."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.patches import Rectangle

from itadaki import plots


def test_a_circle_tells_the_loss_of_its_points():
    def placed(*degrees):
        return np.stack([np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))], axis=1)

    figure = plots.triplet_on_a_circle(
        {"before": placed(0, 60, 90), "after": placed(0, 0, 90)}, margin=0.75
    )
    before, after = (axis.get_title(loc="left") for axis in figure.axes)
    assert before.startswith("before") and before.endswith("max(0, 0.75 - 0.50 + 0.00) = 0.25")
    assert after.endswith("= 0.00")
    plots.close(figure)


def test_the_chosen_cells_of_a_matrix_are_framed():
    allowed = np.array([[False, True, True], [True, False, False]])
    similarities = np.array([[1.0, 0.2, 0.4], [0.3, 1.0, 0.5]])
    figure = plots.mined_negatives(similarities, allowed, np.array([2, -1]), ["a", "b", "c"])
    (axis,) = figure.axes
    frames = [patch.get_xy() for patch in axis.patches if isinstance(patch, Rectangle)]
    assert frames == [(2, 0)]
    assert len({text.get_position() for text in axis.texts}) == 6, "a number in every cell"
    plots.close(figure)


@pytest.mark.parametrize("trained", [False, True])
def test_layers_are_counted_by_state(trained):
    states = ["frozen", "frozen", "trainable", "BatchNorm, kept frozen"]
    layers = pd.DataFrame({"block": ["stem", "block1a", "block1a", "top"], "state": states})
    figure = plots.trainable_layers(layers.assign(moved=0.0) if trained else layers)
    legend = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    assert legend == ["frozen: 2", "trainable: 1", "BatchNorm, kept frozen: 1"]
    assert len(figure.axes) == 1 + trained
    plots.close(figure)


def test_curves_of_several_seeds_start_at_nought():
    epochs = [
        {"phase": phase, "epoch": epoch, "seed": seed, "score": 0.5 + epoch / 100, "loss": loss}
        for seed in (0, 1)
        for phase, epoch, loss in (("head", 0, None), ("head", 1, 0.3), ("fine_tuning", 0, None))
    ]
    names = ["positive_similarity", "negative_similarity", "margin"]
    history = pd.DataFrame(epochs).assign(**dict.fromkeys(names, 0.2))
    history[["triplet_accuracy", "triplet_margin_accuracy"]] = 0.7
    figure = plots.training_curves(history)
    assert all(axis.get_ylim()[0] <= 0 for axis in figure.axes)
    dotted = [line for line in figure.axes[1].lines if line.get_linestyle() == ":"]
    assert [line.get_xdata()[0] for line in dotted] == [1.5]
    plots.close(figure)


def test_seeds_that_end_a_phase_early_are_averaged_epoch_by_epoch():
    phases = {0: [("head", 0), ("head", 1), ("tune", 0)], 1: [("head", 0), ("tune", 0)]}
    epochs = [
        {"phase": phase, "epoch": epoch, "seed": seed, "score": 0.2 if phase == "head" else 0.8}
        for seed, run in phases.items()
        for phase, epoch in run
    ]
    told = {"margin": 0.2, "positive_similarity": 0.1, "triplet_accuracy": 0.5}
    figure = plots.training_curves(pd.DataFrame(epochs).assign(loss=1.0, **told))
    assert figure.axes[2].get_title(loc="left").endswith("(margin: 0.2)")
    (line,) = (line for line in figure.axes[1].lines if len(line.get_xdata()) == 3)
    assert line.get_ydata().tolist() == pytest.approx([0.2, 0.2, 0.8])
    plots.close(figure)


def test_a_figure_says_what_it_is_of(capsys):
    counts = pd.Series({"soup": 3, "": 2})
    figure = plots.class_counts(counts)
    labels = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert labels == ["soup", "(no class)"]
    plots.show(figure, of="the sample cookbook")
    assert "the sample cookbook" in [text.get_text() for text in figure.texts]
