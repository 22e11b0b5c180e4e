"""How much faster an epoch of phase 2 is with cached activations than without.

Three ways to take training steps on the same photos of the configured dataset, in alternating
rounds of one run: cached activations at the cut; photos through the whole backbone, of which only
the blocks above the cut learn; photos through the whole backbone, all of which learns.

python benchmarks/fine_tuning.py [--photos 64] [--rounds 3]
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from itadaki.models.keras_model import build_backbone
from itadaki.photos.augmentation import augmented_view
from itadaki.photos.images import load_rgb, preprocess
from itadaki.recipes.dataset import load_dataset
from itadaki.settings import Settings
from itadaki.training.activations import cut_above
from itadaki.training.config import CONFIG_FT

_BATCH = 32


def training_step(model: keras.Model, variables: list) -> Callable[[np.ndarray], tf.Tensor]:
    """One step of AdamW; the loss only has to reach every weight, its own cost is nothing."""
    optimizer = keras.optimizers.AdamW(1e-6)
    optimizer.build(variables)

    @tf.function
    def step(batch: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(model(tf.cast(batch, tf.float32), training=False)))
        optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
        return loss

    return step


def main() -> None:
    """Measure and print all ways and their ratios, round by round."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()

    settings = Settings()
    dataset = load_dataset(settings, progress=False)
    sample = dataset.recipes["image_path"].sample(options.photos, replace=True, random_state=0)
    paths = [Path(path) for path in sample]
    rng = np.random.default_rng(0)
    backbone, _ = build_backbone(settings)
    cut = backbone.get_layer(cut_above(backbone, CONFIG_FT["LAYERS_TO_UNFREEZE"])).output
    frozen, tail = keras.Model(backbone.input, cut), keras.Model(cut, backbone.output)

    def photos(start: int) -> np.ndarray:
        chosen = paths[start : start + _BATCH]
        return np.stack([preprocess(augmented_view(load_rgb(path), rng)) for path in chosen])

    cached = np.zeros((len(paths), *cut.shape[1:]), np.float16)
    for start in range(0, len(paths), _BATCH):
        cached[start : start + _BATCH] = frozen(photos(start), training=False)
    for layer in tail.layers:
        layer.trainable = True
    above = tail.trainable_variables
    ways = {
        "cached activations": (training_step(tail, above), lambda i: cached[i : i + _BATCH]),
        "whole pass": (training_step(backbone, above), photos),
    }
    backbone.trainable = True
    everything = backbone.trainable_variables
    ways["whole pass, all layers learn"] = (training_step(backbone, everything), photos)
    for step, batch in ways.values():
        step(batch(0))

    times = []
    for _ in range(options.rounds):
        times.append([])
        for step, batch in ways.values():
            started = time.perf_counter()
            for start in range(0, len(paths), _BATCH):
                step(batch(start))
            times[-1].append(1000 * (time.perf_counter() - started) / len(paths))
        shown = zip(ways, times[-1], strict=True)
        print(", ".join(f"{name}: {milliseconds:.1f} ms" for name, milliseconds in shown))
    ratios = np.array(times)[:, 1:] / np.array(times)[:, :1]
    for name, ratio in zip(list(ways)[1:], ratios.T, strict=True):
        print(
            f"{name} over cached activations, per photo: median ratio {np.median(ratio):.2f} "
            f"(from {ratio.min():.2f} to {ratio.max():.2f})"
        )


if __name__ == "__main__":
    main()
