"""How large and how quick the backbones are that the first chapter compares.

Sizes and speeds do not depend on the weights, so these are random: each network turns one photo at
a time into features, in turns, and what is kept is the median of the processor time that it takes.

python -m benchmarks.backbones [--rounds 30]
"""

import argparse
import time

import keras
import numpy as np

from itadaki.models.keras_model import converted
from itadaki.models.litert_model import LiteRtModel
from itadaki.photos.images import IMAGE_SIZE
from itadaki.settings import PROJECT_ROOT
from itadaki.storage.files import write_json

BACKBONES = {
    "EfficientNetB0": keras.applications.EfficientNetB0,
    "ResNet50": keras.applications.ResNet50,
    "MobileNetV2": keras.applications.MobileNetV2,
}


def main() -> None:
    """Measure and store."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=30)
    rounds = parser.parse_args().rounds
    photo = np.random.default_rng(0).uniform(0, 255, (1, IMAGE_SIZE, IMAGE_SIZE, 3))
    photo = photo.astype(np.float32)
    found, networks, times = {}, {}, {}
    for name, build in BACKBONES.items():
        shape = (IMAGE_SIZE, IMAGE_SIZE, 3)
        model = build(include_top=False, weights=None, input_shape=shape, pooling="avg")
        content = converted(model)
        found[name] = {
            "parameters": model.count_params(),
            "features": model.output_shape[-1],
            "megabytes": len(content) / 1e6,
        }
        networks[name], times[name] = LiteRtModel(content), []
    for _ in range(rounds):
        for name, network in networks.items():
            started = time.process_time()
            network(photo)
            times[name].append(time.process_time() - started)
    for name, taken in times.items():
        found[name]["milliseconds"] = 1000 * float(np.median(taken))
    write_json(PROJECT_ROOT / "reports" / "measurements" / "backbones.json", found)


if __name__ == "__main__":
    main()
