"""The head: two linear layers that map the backbone's pooled features to embeddings."""

import os

import numpy as np

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # must stand before TensorFlow is imported

import keras
from sklearn.decomposition import PCA

from itadaki.photos.images import IMAGE_SIZE
from itadaki.training.config import TrainingConfig

_PHOTOS_A_COMPONENT = 4  # at least, for its variance to be worth dividing by


class Head:
    """Two linear layers between two normalizations; together they are one map.

    Attributes:
        layers: from pooled features (n, width) to embeddings (n, dimension).
    """

    def __init__(self, config: TrainingConfig, features: np.ndarray) -> None:
        """Build the head as ``config.start`` says.

        Args:
            config: the head's widths, dropout and start.
            features: float32 array of shape (n, width) of the plain training photos.
        """
        self._dimension = config.embedding_dim
        centre = features.mean(axis=0)
        spread = max(float((features - centre).std()), 1e-6)  # were all photos one
        self.layers = head_layers(config, centre, spread)
        self._dense = [layer for layer in self.layers if isinstance(layer, keras.layers.Dense)]
        _through(self.layers, keras.Input((features.shape[1],)))  # gives the layers their weights
        if config.start == "components":
            self._set(*_whitened((features - centre) / spread, self._dimension))

    @property
    def variables(self) -> list[keras.Variable]:
        """What is learned."""
        return [variable for layer in self.layers for variable in layer.trainable_variables]

    def after(self, inputs: keras.KerasTensor, pooled: keras.KerasTensor) -> keras.Model:
        """Inputs to embeddings, where ``pooled`` is what becomes of the inputs before the head."""
        return keras.Model(inputs, _through(self.layers, pooled))

    def centred(self, inputs: keras.KerasTensor, pooled: keras.KerasTensor) -> keras.Model:
        """Inputs to the features that the two linear layers see."""
        return keras.Model(inputs, _through(self.layers[:2], pooled))

    def join_features(self, features: np.ndarray, share: float) -> np.ndarray:
        """Give five eighths of the embedding to the features' whitened principal components.

        A head that learns these recipes' texts drops what they do not need, and with it what tells
        apart dishes that it has never seen, or the very photo; the features below it still hold
        that. What texts have taught needs fewer dimensions than it had. Since the head is linear,
        both fit into one map again.

        Args:
            features: float32 array of shape (n, width), what ``centred`` gives.
            share: weight of the components beside what was learned.

        Returns:
            float32 array of shape (dimension, kept), from the embedding as it was to the first
            ``kept`` dimensions of the new one.
        """
        (kernel_1, bias_1), (kernel_2, bias_2) = (layer.get_weights() for layer in self._dense)
        kernel, bias = kernel_1 @ kernel_2, bias_1 @ kernel_2 + bias_2
        kept = self._dimension * 3 // 8
        learned = features @ kernel + bias
        length = np.linalg.norm(learned, axis=1, keepdims=True)
        unit_rows = learned / length
        axes: np.ndarray = np.linalg.eigh(unit_rows.T @ unit_rows)[1][:, : -kept - 1 : -1]
        own_kernel, own_bias = _whitened(features, self._dimension - kept)
        self._set(
            np.hstack([kernel @ axes / length.mean(), share * own_kernel]),
            np.hstack([bias @ axes / length.mean(), share * own_bias]),
        )
        return axes

    def _set(self, kernel: np.ndarray, bias: np.ndarray) -> None:
        """Let the two linear layers be one map, of as many dimensions as the head or fewer.

        Hidden units beyond the embedding's dimension are left as they are and out of the map.
        """
        (kernel_1, bias_1), (kernel_2, bias_2) = (layer.get_weights() for layer in self._dense)
        kernel_1[:, : self._dimension] = 0
        kernel_1[:, : len(bias)] = kernel
        bias_1[:] = 0
        bias_1[: len(bias)] = bias
        self._dense[0].set_weights([kernel_1, bias_1])
        self._dense[1].set_weights([np.eye(*kernel_2.shape), np.zeros_like(bias_2)])


def head_layers(
    config: TrainingConfig, centre: np.ndarray, spread: float
) -> list[keras.layers.Layer]:
    """The head with random weights: pooled features (n, 1280) to embeddings (n, dimension).

    Args:
        config: the head's widths.
        centre: float array of shape (1280,), the mean of the features, which is taken off.
        spread: of the features, by which they are divided.
    """
    return [
        keras.layers.UnitNormalization(name="features"),
        keras.layers.Rescaling(1 / spread, (-centre / spread).tolist(), name="centring"),
        keras.layers.Dense(config.hidden_dim, name="head_1"),
        keras.layers.Dropout(config.dropout, name="dropout"),
        keras.layers.Dense(config.embedding_dim, name="head_2"),
        keras.layers.UnitNormalization(name="embedding"),
    ]


def model_with_head(
    backbone: keras.Model, head: list[keras.layers.Layer], name: str
) -> keras.Model:
    """Backbone, global average pooling and head: (n, 224, 224, 3) to (n, dimension)."""
    photos = keras.Input((IMAGE_SIZE, IMAGE_SIZE, 3), name="photo")
    pooled = keras.layers.GlobalAveragePooling2D(name="pooling")(backbone(photos))
    name = f"recipe_image_retrieval_{name}"
    return keras.Model(photos, _through(head, pooled), name=name)


def _through(layers: list[keras.layers.Layer], outputs: keras.KerasTensor) -> keras.KerasTensor:
    for layer in layers:
        outputs = layer(outputs)
    return outputs


def _whitened(features: np.ndarray, dimension: int) -> tuple[np.ndarray, np.ndarray]:
    """Kernel and bias that map features to their whitened components, 1 long in the mean.

    Whitened (Jegou and Chum 2012), what very many photos share does not outweigh what sets one
    apart.
    """
    # Of as many directions as photos the last hardly vary, and whitening would blow them up.
    count = min(dimension, max(1, len(features) // _PHOTOS_A_COMPONENT))
    components = PCA(count, whiten=True, random_state=0).fit(features)
    mean = np.linalg.norm(components.transform(features), axis=1).mean()
    kernel = components.components_.T / np.sqrt(components.explained_variance_) / mean
    return kernel, -components.mean_ @ kernel
