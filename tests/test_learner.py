import keras
import numpy as np
import pytest

from itadaki.training.learner import AdamW

RATE, CLIP = 0.1, 5.0
START = [[1.0, -2.0], [0.5, 3.0]]


def moved(optimizer, variables, gradients) -> list[np.ndarray]:
    optimizer.build(variables)
    for step in gradients:
        optimizer.apply(step, variables)
    return [variable.numpy() for variable in variables]


def variables() -> list[keras.Variable]:
    return [keras.Variable(np.array(row, np.float32)) for row in START]


@pytest.mark.parametrize(("factor", "decay"), [(0.25, 0.0), (0.25, 0.2), (1.0, 0.1)])
def test_head_and_backbone_go_at_their_own_rates_as_two_optimizers_of_keras_would(factor, decay):
    gradients = [[np.array(g, np.float32) for g in START], [np.ones(2, np.float32)] * 2]
    both = variables()
    ours = moved(
        AdamW(RATE, (1.0, 0.02), (factor, decay), both[1:], global_clipnorm=CLIP), both, gradients
    )
    clipped = [[g / max(1, np.linalg.norm(step) / CLIP) for g in step] for step in gradients]
    for place, (rate, own_decay) in enumerate([(RATE, 0.02), (RATE * factor, decay)]):
        alone = variables()[place : place + 1]
        theirs = keras.optimizers.AdamW(rate, weight_decay=own_decay)
        [expected] = moved(theirs, alone, [[step[place]] for step in clipped])
        np.testing.assert_allclose(ours[place], expected, rtol=1e-5)
        assert np.abs(expected - START[place]).min() > 0.01
