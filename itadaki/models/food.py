"""Whether a photo shows food at all: a linear rule on the frozen blocks' features.

``tools/food.py`` fits the rule, to food photos of the training split and to pictures of other
things, and writes it to ``food.json`` beside this file.
"""

import hashlib
import json
import os

import numpy as np

from itadaki.models.record import FOOD_RULE

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # must stand before TensorFlow is imported

import keras

CUT = "block6b_add"
"""The last block that fine-tuning leaves as it is."""


def trunk(backbone: keras.Model) -> keras.Model:
    """The backbone up to the cut, pooled, and made length 1: (n, 224, 224, 3) to (n, 192)."""
    return keras.Model(backbone.input, _pooled(backbone.get_layer(CUT).output))


def trunk_sha256(backbone: keras.Model) -> str:
    """Identify the weights up to the cut."""
    digest = hashlib.sha256()
    for layer in backbone.layers:
        for weights in layer.get_weights():
            digest.update(np.ascontiguousarray(weights).tobytes())
        if layer.name == CUT:
            break
    return digest.hexdigest()


def joined(model: keras.Model, backbone_name: str) -> keras.Model | None:
    """An embedder with what the rule says as its second output, (n, 1).

    Returns:
        None where the model does not stand on the blocks that the rule was fitted to.
    """
    names = [layer.name for layer in model.layers]
    if backbone_name not in names or not FOOD_RULE.exists():
        return None
    at = names.index(backbone_name)
    backbone, rule = model.layers[at], json.loads(FOOD_RULE.read_text(encoding="utf-8"))
    if trunk_sha256(backbone) != rule["trunk_sha256"]:
        return None
    kernel = np.array(rule["weights"], np.float32)[:, None]
    dense = keras.layers.Dense(1, name="food")
    dense.build((None, len(kernel)))
    dense.set_weights([kernel, np.array([rule["bias"]], np.float32)])
    both = keras.Model(backbone.input, [backbone.get_layer(CUT).output, backbone.output])
    photos = keras.Input(model.input_shape[1:])
    features, outputs = both(photos)
    food = dense(_pooled(features))
    for layer in model.layers[at + 1 :]:
        outputs = layer(outputs)
    return keras.Model(photos, [outputs, food])


def _pooled(features: keras.KerasTensor) -> keras.KerasTensor:
    return keras.layers.UnitNormalization()(keras.layers.GlobalAveragePooling2D()(features))
