"""Training of the head on frozen features, and fine-tuning of the backbone's last blocks."""

import json
import logging
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # must stand before TensorFlow is imported

import keras
import pandas as pd
import tensorflow as tf
from sklearn.decomposition import PCA
from tqdm.auto import tqdm

from itadaki.errors import ItadakiError
from itadaki.evaluation.scores import Labels, retrieval_scores
from itadaki.photos.images import IMAGE_SIZE
from itadaki.storage.files import replacing, write_json
from itadaki.training import losses, triplets
from itadaki.training.activations import CUT, SHAPE
from itadaki.training.config import TrainingConfig
from itadaki.training.data import TrainingData

_COLLAPSED = 0.05
_WARM_UP = 0.05
_CLIP = 5.0
_TEXT_DROPOUT = 0.3
_PHOTOS_A_COMPONENT = 4  # at least, for its variance to be worth dividing by
_OF_TRIPLETS = (
    "triplet_accuracy",
    "triplet_margin_accuracy",
    "positive_similarity",
    "negative_similarity",
)
_CANDIDATES = 1024  # texts and negatives a step is compared with, beside the batch's own
_log = logging.getLogger(__name__)


class CollapseError(ItadakiError):
    """All embeddings have moved to one point, so that nothing can be told apart."""


@dataclass
class Phase:
    """One stretch of training with one set of trainable weights.

    Attributes:
        name: head, or fine_tuning.
        epochs: at most so many.
        model: inputs of a view to embeddings.
        inputs: dataset rows and a random generator to a batch of the model's inputs.
        plain: dataset rows to inputs of the plain view.
        backbone: trainable variables of the backbone, which learn more slowly.
    """

    name: str
    epochs: int
    model: keras.Model
    inputs: Callable[[np.ndarray, np.random.Generator], np.ndarray]
    plain: Callable[[np.ndarray], np.ndarray]
    backbone: list[tf.Variable] = field(default_factory=list)


class Trainer:
    """Trains one variant and keeps a checkpoint after every epoch.

    Attributes:
        backbone: EfficientNetB0; its last blocks change in the fine-tuning phase.
        data: what is trained on.
        text_matrix: the text encoder's map, float32 (words, dimension), trained with the head.
        history: one dict an epoch.
    """

    def __init__(
        self,
        config: TrainingConfig,
        data: TrainingData,
        backbone: keras.Model,
        folder: Path,
        seed: int = 0,
        progress: bool = True,
    ) -> None:
        """Build the head as ``config.start`` says.

        Args:
            config: the knobs.
            data: training and validation rows.
            backbone: EfficientNetB0 without its top.
            folder: where checkpoints are kept; an interrupted run goes on from there.
            seed: of weights, views, positives and negatives.
            progress: show bars.
        """
        self.config, self.data, self.backbone = config, data, backbone
        self.history: list[dict[str, float | str]] = []
        self._folder, self._seed, self._progress = folder, seed, progress
        keras.utils.set_random_seed(seed)
        plain = data.features(0)[data.train]
        centre = plain.mean(axis=0)
        spread = max(float((plain - centre).std()), 1e-6)  # were all photos one
        self._head = head_layers(config, centre, spread)
        self._dense = [layer for layer in self._head if isinstance(layer, keras.layers.Dense)]
        self._head_model = self._with_head(keras.Input((plain.shape[1],), name="pooled"))
        if config.start == "components":
            self._set_head(*_whitened((plain - centre) / spread, config.embedding_dim))
        self.text_matrix = tf.Variable(data.encoder.matrix, name="text_matrix")
        self._words = data.encoder.vectors(*data.texts(data.train))
        self._expected_texts = self._words @ data.encoder.matrix
        chosen = data.dataset.recipes.iloc[data.validation]
        self._labels = _labels(chosen)
        self._watched_labels = _labels(data.dataset.recipes.iloc[data.watched])
        self._memory = tf.Variable(tf.zeros((len(data.train), config.embedding_dim)))
        self._joint = bool(config.text_weight or config.photo_weight or config.alignment_weight)

    def train(self) -> pd.DataFrame:
        """Run all phases; returns the history, one row an epoch.

        Raises:
            CollapseError: the embeddings have collapsed to one point.
        """
        head_epochs = self.config.epochs or self.config.phase_1_epochs
        self._fit(self._head_phase(head_epochs))
        if self.config.phase_2_epochs:
            self._fit(self._fine_tuning_phase())
        if self.config.feature_share:
            self._join_features(self._phase)
            found = self._validate(self._phase)
            told = ", ".join(f"{name} {value:.4f}" for name, value in found.items())
            _log.info("With the features' components joined: %s.", told)
        return pd.DataFrame(self.history)

    def embed(self, rows: np.ndarray) -> np.ndarray:
        """Embeddings of rows of the dataset from their cached plain views, after ``train``.

        What the exported model gives for the same photos, but for the cache's float16.
        """
        return self._embed(self._phase, np.asarray(rows))

    def embedder_model(self, name: str) -> keras.Model:
        """The whole way from photo to embedding: (n, 224, 224, 3) to (n, dimension)."""
        return model_with_head(self.backbone, self._head, name)

    def _with_head(self, inputs: keras.KerasTensor, outputs: object = None) -> keras.Model:
        for layer in self._head:
            outputs = layer(inputs if outputs is None else outputs)
        return keras.Model(inputs, outputs)

    def _head_phase(self, epochs: int) -> Phase:
        views = [self.data.features(view) for view in range(self.config.views)]
        stacked = np.stack(views)

        def inputs(rows: np.ndarray, rng: np.random.Generator) -> np.ndarray:
            return stacked[rng.integers(len(views), size=len(rows)), rows]

        return Phase("head", epochs, self._head_model, inputs, lambda rows: views[0][rows])

    def _fine_tuning_phase(self) -> Phase:
        config, data = self.config, self.data
        tail = keras.Model(self.backbone.get_layer(CUT).output, self.backbone.output)
        # Layer by layer: a new model counts as trainable, so setting it there does nothing.
        # A frozen BatchNorm runs in inference mode whatever the call says, with ImageNet's
        # statistics; training=False alone would be overruled by the outer model's training=True.
        for layer in tail.layers:
            layer.trainable = not isinstance(layer, keras.layers.BatchNormalization)
        maps = keras.Input(SHAPE, name="activations")
        pooled = keras.layers.GlobalAveragePooling2D(name="pooling")(tail(maps))
        model = self._with_head(maps, pooled)
        plain = data.activations(0)
        if config.cache:
            views = [plain, *(data.activations(view) for view in range(1, config.views))]

            def inputs(rows: np.ndarray, rng: np.random.Generator) -> np.ndarray:
                drawn = rng.integers(len(views), size=len(rows))
                return np.stack([views[v][row] for v, row in zip(drawn, rows, strict=True)])
        else:
            inputs = data.fresh_activations

        return Phase(
            "fine_tuning",
            config.phase_2_epochs,
            model,
            inputs,
            lambda rows: plain[rows],
            tail.trainable_variables,
        )

    def _join_features(self, phase: Phase) -> None:
        """Give five eighths of the embedding to the features' whitened principal components.

        A head that learns these recipes' texts drops what they do not need, and with it what tells
        apart dishes that it has never seen, or the very photo; the features below it still hold
        that. What texts have taught needs fewer dimensions than it had. Since the head is linear,
        both fit into one map again.
        """
        inputs = phase.model.input
        pooled = phase.model.get_layer("pooling").output if phase.backbone else inputs
        unit, centring = self._head[:2]
        model = keras.Model(inputs, centring(unit(pooled)))
        features = self._embed(replace(phase, model=model), self.data.train)
        (kernel_1, bias_1), (kernel_2, bias_2) = (layer.get_weights() for layer in self._dense)
        kernel, bias = kernel_1 @ kernel_2, bias_1 @ kernel_2 + bias_2
        dimension = self.config.embedding_dim
        kept = dimension * 3 // 8
        learned = features @ kernel + bias
        length = np.linalg.norm(learned, axis=1, keepdims=True)
        unit_rows = learned / length
        axes = np.linalg.eigh(unit_rows.T @ unit_rows)[1][:, : -kept - 1 : -1]
        own_kernel, own_bias = _whitened(features, dimension - kept)
        share = self.config.feature_share
        self._set_head(
            np.hstack([kernel @ axes / length.mean(), share * own_kernel]),
            np.hstack([bias @ axes / length.mean(), share * own_bias]),
        )
        texts = np.pad(self.text_matrix.numpy() @ axes, ((0, 0), (0, dimension - kept)))
        self.text_matrix.assign(texts)

    def _set_head(self, kernel: np.ndarray, bias: np.ndarray) -> None:
        """Let the head's two linear layers be one map, of as many dimensions or fewer.

        Hidden units beyond the embedding's dimension are left as they are and out of the map.
        """
        (kernel_1, bias_1), (kernel_2, bias_2) = (layer.get_weights() for layer in self._dense)
        kernel_1[:, : self.config.embedding_dim] = 0
        kernel_1[:, : len(bias)] = kernel
        bias_1[:] = 0
        bias_1[: len(bias)] = bias
        self._dense[0].set_weights([kernel_1, bias_1])
        self._dense[1].set_weights([np.eye(*kernel_2.shape), np.zeros_like(bias_2)])

    def _fit(self, phase: Phase) -> None:
        """Run one phase from its last checkpoint, and leave the best epoch's weights in place."""
        config, data = self.config, self.data
        self._phase = phase
        steps = len(data.train) // config.batch_size
        head_variables = [v for layer in self._head for v in layer.trainable_variables]
        if config.text_weight:
            head_variables.append(self.text_matrix)
        rate = config.fine_tuning_learning_rate if phase.backbone else config.learning_rate
        groups = [(rate, head_variables, config.weight_decay)]
        if phase.backbone:
            groups.append((config.backbone_learning_rate, phase.backbone, 0.0))
        optimizers = [
            (_optimizer(rate, decay, steps * phase.epochs), variables)
            for rate, variables, decay in groups
        ]
        for optimizer, variables in optimizers:
            optimizer.build(variables)
        kept = [*head_variables, *phase.backbone]
        moments = [v for optimizer, _ in optimizers for v in optimizer.variables]
        dice = [v for v in phase.model.non_trainable_variables if "seed" in v.path]
        state = [*kept, *moments, *dice, self._memory]
        last = self._folder / f"{phase.name}.npz"
        best = self._folder / f"{phase.name}.best.npz"
        margin = config.triplet_margin * (0.25 if config.growing_margin else 1.0)
        done = [row for row in self._load(last, state) if row["phase"] == phase.name]
        if done:
            margin = float(done[-1]["next_margin"])
            _log.info("Going on with %s after epoch %d.", phase.name, len(done))
        else:
            self._memory.assign(self._embed(phase, data.train))
            row = self._validate(phase)
            self.history.append(
                {"phase": phase.name, "epoch": 0, "next_margin": margin, **row},
            )
            self._save(best, kept)
            self._save(last, state)
        step_of = self._joint_step if self._joint else self._triplet_step
        train_step = step_of(phase, optimizers)
        ours = [row for row in self.history if row["phase"] == phase.name]
        for epoch in range(len(ours), phase.epochs + 1):
            scores = [row["score"] for row in ours]
            if len(ours) - 1 - int(np.argmax(scores)) >= config.patience:
                _log.info("%s: no better score for %d epochs.", phase.name, config.patience)
                break
            rng = np.random.default_rng((self._seed, phase.name == "head", epoch))
            tf.random.set_seed(int(rng.integers(1 << 31)))
            started = time.monotonic()
            sums = self._epoch(phase, epoch, steps, margin, rng, train_step)
            used = margin
            if config.growing_margin:
                margin = grown_margin(
                    margin, config.triplet_margin, sums["triplet_margin_accuracy"]
                )
            row = {
                "phase": phase.name,
                "epoch": epoch,
                "margin": used,
                "next_margin": margin,
                **sums,
                **self._validate(phase),
                "seconds": round(time.monotonic() - started, 1),
            }
            _log.info(
                "%s epoch %d: loss %.3f, validation score %.4f, mean distance %.2f",
                phase.name,
                epoch,
                row["loss"],
                row["score"],
                row["mean_distance"],
            )
            self.history.append(row)
            ours.append(row)
            if row["score"] >= max(scores):
                self._save(best, kept)
            self._save(last, state)
            if not row["mean_distance"] >= _COLLAPSED:  # of what is no number any more, too
                raise CollapseError(
                    f"The embeddings collapsed in epoch {epoch} of {phase.name}: their mean "
                    f"distance is {row['mean_distance']:.3f}. Lower LEARNING_RATE or use an "
                    "easier SAMPLING (semi_hard, random)."
                )
        self._load(best, kept)

    def _epoch(
        self,
        phase: Phase,
        epoch: int,
        steps: int,
        margin: float,
        rng: np.random.Generator,
        train_step: Callable[[np.ndarray, float, np.random.Generator], dict[str, tf.Tensor]],
    ) -> dict[str, float]:
        order = rng.permutation(len(self.data.train))
        sums: dict[str, float] = {}
        weights: dict[str, float] = {}
        # The bank that hard negatives are mined from is refreshed once an epoch.
        if self._joint:
            self._bank = self._memory.numpy()
        elif self.config.sampling == "hard_negative":
            self._bank = self._embed(phase, self.data.train)
        with tqdm(
            range(steps),
            desc=f"{phase.name} {epoch}/{phase.epochs}",
            unit="step",
            disable=not self._progress,
        ) as bar:
            for step in bar:
                batch = order[step * self.config.batch_size : (step + 1) * self.config.batch_size]
                found = {name: float(v) for name, v in train_step(batch, margin, rng).items()}
                triplets_found = found.pop("triplets")
                for name, value in found.items():
                    # A batch with few triplets says as much less about them.
                    weight = triplets_found if name in _OF_TRIPLETS else 1.0
                    sums[name] = sums.get(name, 0.0) + value * weight
                    weights[name] = weights.get(name, 0.0) + weight
        return {name: total / max(weights[name], 1.0) for name, total in sums.items()}

    def _triplet_step(self, phase: Phase, optimizers: list) -> Callable:
        """A step of the triplet loss alone; the gradient flows through all three photos."""
        data = self.data

        @tf.function
        def step(photos: tf.Tensor, margin: tf.Tensor) -> dict[str, tf.Tensor]:
            with tf.GradientTape() as tape:
                anchor, positive, negative = tf.split(phase.model(photos, training=True), 3)
                near = tf.reduce_sum(anchor * positive, axis=1)
                far = tf.reduce_sum(anchor * negative, axis=1)
                loss = losses.triplet_loss(near, far, margin)
            _apply(tape, loss, optimizers)
            return {"loss": loss, **_triplet_metrics(near, far, margin)}

        def run(batch: np.ndarray, margin: float, rng: np.random.Generator) -> dict:
            anchors, positives, negatives = self._choose(phase, batch, rng)
            if not len(anchors):  # nothing to learn from; weights stay as they are
                return {"loss": 0.0, **dict.fromkeys(_OF_TRIPLETS, 0.0), "triplets": 0.0}
            rows = data.train[np.concatenate([anchors, positives, negatives])]
            return step(phase.inputs(rows, rng), tf.constant(margin, tf.float32))

        return run

    def _choose(
        self, phase: Phase, batch: np.ndarray, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Positives and negatives of a batch of anchors; anchors without any are left out."""
        config, neighbours = self.config, self.data.neighbours
        if config.positives == "text":
            positives = neighbours.positive_of(batch, rng)
        elif config.positives == "dish_class":
            positives = neighbours.of_same_class(batch, rng)
        elif config.positives == "view":
            positives = batch
        else:
            alike = neighbours.similarity[batch][:, batch].toarray()
            positives = batch[alike.argmax(axis=1)]
        if config.sampling == "hard_negative":
            pool = np.arange(len(self.data.train))
        elif config.sampling == "random":
            pool = rng.choice(len(self.data.train), size=len(batch), replace=False)
        else:
            pool = positives
        if config.positives == "batch_text":
            pool = batch
            allowed = pool[None] != batch[:, None]
            allowed &= pool[None] != positives[:, None]
        else:
            allowed = neighbours.may_be_negative(batch, pool)
        chosen = self._negatives(phase, batch, positives, pool, allowed, rng)
        kept = chosen >= 0
        return batch[kept], positives[kept], pool[chosen[kept]]

    def _negatives(
        self,
        phase: Phase,
        batch: np.ndarray,
        positives: np.ndarray,
        pool: np.ndarray,
        allowed: np.ndarray,
        rng: np.random.Generator,
    ) -> np.ndarray:
        sampling = self.config.sampling
        if sampling == "random":
            return triplets.random_negatives(allowed, rng)
        if sampling == "hard_negative":
            similarities = self._bank[batch] @ self._bank[pool].T
            return triplets.among_hardest_negatives(similarities, allowed, self.config.hardest, rng)
        rows = self.data.train
        anchors = self._embed(phase, rows[batch])
        candidates = self._embed(phase, rows[pool])
        similarities = anchors @ candidates.T
        if sampling == "batch_hard":
            return triplets.hardest_negatives(similarities, allowed)
        if sampling == "semi_hard":
            positive = (anchors * self._embed(phase, rows[positives])).sum(axis=1)
            return triplets.semi_hard_negatives(similarities, positive, allowed)
        return triplets.distance_weighted_negatives(
            similarities, allowed, self.config.embedding_dim, rng
        )

    def _joint_step(self, phase: Phase, optimizers: list) -> Callable:
        """A step of photos against texts, against a memory of all photos, and of triplets in it.

        The memory holds each training photo's latest embedding (Wu et al. 2018); at the learning
        rates of fine-tuning it is at most an epoch old, which cross-batch memory tolerates
        (Wang et al. 2020).
        """
        config, neighbours = self.config, self.data.neighbours

        @tf.function(reduce_retracing=True)
        def step(
            photos: tf.Tensor,
            rows: tf.Tensor,
            words: tf.SparseTensor,
            text_targets: tf.Tensor,
            targets: tf.Tensor,
            positives: tf.Tensor,
            negatives: tf.Tensor,
            counted: tf.Tensor,
            expected_texts: tf.Tensor,
            margin: tf.Tensor,
        ) -> dict[str, tf.Tensor]:
            words = tf.SparseTensor(
                words.indices, tf.nn.dropout(words.values, _TEXT_DROPOUT), words.dense_shape
            )
            with tf.GradientTape() as tape:
                photo = phase.model(tf.cast(photos, tf.float32), training=True)
                text = tf.math.l2_normalize(
                    tf.sparse.sparse_dense_matmul(words, self.text_matrix), axis=1
                )
                to_text = losses.soft_contrastive_loss(
                    tf.matmul(photo, text, transpose_b=True), text_targets, config.temperature
                )
                to_photo = losses.soft_contrastive_loss(
                    tf.matmul(photo, self._memory, transpose_b=True), targets, config.temperature
                )
                near = tf.reduce_sum(photo * tf.gather(self._memory, positives), axis=1)
                far = tf.reduce_sum(photo * tf.gather(self._memory, negatives), axis=1)
                triplet = losses.triplet_loss(near, far, margin, counted)
                alignment = tf.reduce_mean(tf.reduce_sum(photo * expected_texts, axis=1))
                loss = (
                    config.text_weight * to_text
                    + config.photo_weight * to_photo
                    + config.triplet_weight * triplet
                    - config.alignment_weight * alignment
                )
            _apply(tape, loss, optimizers)
            self._memory.scatter_nd_update(rows[:, None], photo)
            return {
                "loss": loss,
                "text_loss": to_text,
                "photo_loss": to_photo,
                "triplet_loss": triplet,
                "alignment": alignment,
                **_triplet_metrics(near, far, margin, counted),
            }

        def run(batch: np.ndarray, margin: float, rng: np.random.Generator) -> dict:
            positives = neighbours.positive_of(batch, rng)
            count = len(self.data.train)
            pool = rng.choice(count, size=min(_CANDIDATES, count), replace=False)
            allowed = neighbours.may_be_negative(batch, pool)
            if config.sampling == "random":
                chosen = triplets.random_negatives(allowed, rng)
            else:
                similarities = self._bank[batch] @ self._bank[pool].T
                chosen = triplets.among_hardest_negatives(
                    similarities, allowed, config.hardest, rng
                )
            targets = neighbours.targets(batch, config.self_share)
            texts = np.union1d(batch, pool)
            text_targets = targets[:, texts]
            # Where SELF_SHARE is 0 none of a recipe's positives need be among these texts.
            totals = text_targets.sum(axis=1, keepdims=True)
            text_targets = np.divide(text_targets, totals, out=text_targets, where=totals > 0)
            if config.raw_share:
                look_alikes = self.data.look_alikes[batch].toarray()
                targets = (1 - config.raw_share) * targets + config.raw_share * look_alikes
            return step(
                phase.inputs(self.data.train[batch], rng),
                batch,
                _sparse(self._words[texts]),
                text_targets,
                targets,
                positives,
                pool[np.maximum(chosen, 0)],
                chosen >= 0,  # an anchor without an allowed negative makes no triplet
                self._expected_texts[batch],
                tf.constant(margin, tf.float32),
            )

        return run

    def _embed(self, phase: Phase, rows: np.ndarray, size: int = 128) -> np.ndarray:
        """Embeddings of the plain view of rows of the dataset."""
        forward = self._forward_of(phase)
        parts = np.array_split(rows, max(1, -(-len(rows) // size)))
        return np.concatenate([forward(phase.plain(part)).numpy() for part in parts])

    def _forward_of(self, phase: Phase) -> Callable:
        if getattr(self, "_compiled_for", None) is not phase:
            self._compiled = tf.function(
                lambda photos: phase.model(tf.cast(photos, tf.float32), training=False),
                reduce_retracing=True,
            )
            self._compiled_for = phase
        return self._compiled

    def _validate(self, phase: Phase) -> dict[str, float]:
        """Retrieval among the validation photos; the score is the geometric mean of two metrics."""
        embeddings = self._embed(phase, self.data.validation)
        scores = _scores(embeddings, self._labels)
        found = {f"validation {name}": value for name, value in scores.items()}
        ranking = [scores.get("MAP@R dish class", 0.0), scores.get("nDCG@10 title", 0.0)]
        found["score"] = float(np.sqrt(np.prod(ranking)))
        found["mean_distance"] = float(losses.mean_pairwise_distance(embeddings))
        if len(self.data.watched):
            watched = self._embed(phase, self.data.watched)
            scores = _scores(watched, self._watched_labels)
            found |= {f"left out {name}": value for name, value in scores.items()}
        return found

    def _save(self, path: Path, variables: list[tf.Variable]) -> None:
        arrays = {f"{i:04d}": np.asarray(variable) for i, variable in enumerate(variables)}
        with replacing(path) as beside, beside.open("wb") as file:
            np.savez(file, **arrays)
        write_json(path.with_suffix(".json"), self.history)

    def _load(self, path: Path, variables: list[tf.Variable]) -> list[dict[str, float | str]]:
        """Restore a checkpoint of this run if there is one; returns its history."""
        try:
            history = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
            if not isinstance(history, list):
                raise ValueError("no history")
            with np.load(path, allow_pickle=False) as arrays:
                loaded = [arrays[f"{i:04d}"] for i in range(len(variables))]
        except Exception:  # a damaged archive makes NumPy and zipfile raise their own
            return []
        for variable, value in zip(variables, loaded, strict=True):
            variable.assign(value)
        self.history = history if len(history) > len(self.history) else self.history
        return history


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
        keras.layers.Dense(config.hidden_dim, config.activation, name="head_1"),
        keras.layers.Dropout(config.dropout, name="dropout"),
        keras.layers.Dense(config.embedding_dim, name="head_2"),
        keras.layers.UnitNormalization(name="embedding"),
    ]


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


def model_with_head(
    backbone: keras.Model, head: list[keras.layers.Layer], name: str
) -> keras.Model:
    """Backbone, global average pooling and head: (n, 224, 224, 3) to (n, dimension)."""
    photos = keras.Input((IMAGE_SIZE, IMAGE_SIZE, 3), name="photo")
    embedding = keras.layers.GlobalAveragePooling2D(name="pooling")(backbone(photos))
    for layer in head:
        embedding = layer(embedding)
    return keras.Model(photos, embedding, name=f"recipe_image_retrieval_{name}")


def grown_margin(margin: float, configured: float, margin_accuracy: float) -> float:
    """The next epoch's margin: a quarter more once 60% of the triplets keep the present one.

    A margin that no triplet keeps pulls every embedding towards one point; one that grows with
    what has been learned does not.
    """
    return min(configured, margin * 1.25) if margin_accuracy > 0.6 else margin


def _optimizer(rate: float, decay: float, steps: int) -> keras.optimizers.Optimizer:
    warm_up = max(1, int(_WARM_UP * steps))
    schedule = keras.optimizers.schedules.CosineDecay(
        rate * 0.05, max(1, steps - warm_up), alpha=0.02, warmup_target=rate, warmup_steps=warm_up
    )
    return keras.optimizers.AdamW(schedule, weight_decay=decay)


def _apply(tape: tf.GradientTape, loss: tf.Tensor, optimizers: list) -> None:
    variables = [variable for _, group in optimizers for variable in group]
    gradients, _ = tf.clip_by_global_norm(tape.gradient(loss, variables), _CLIP)
    start = 0
    for optimizer, group in optimizers:
        optimizer.apply_gradients(zip(gradients[start : start + len(group)], group, strict=True))
        start += len(group)


def _triplet_metrics(
    near: tf.Tensor, far: tf.Tensor, margin: tf.Tensor, counted: tf.Tensor | None = None
) -> dict[str, tf.Tensor]:
    if counted is None:
        counted = tf.ones_like(near, tf.bool)
    return {
        "triplet_accuracy": losses.triplet_accuracy(near, far, counted),
        "triplet_margin_accuracy": losses.triplet_margin_accuracy(near, far, margin, counted),
        "positive_similarity": losses.mean_of(near, counted),
        "negative_similarity": losses.mean_of(far, counted),
        "triplets": tf.reduce_sum(tf.cast(counted, tf.float32)),
    }


def _sparse(matrix: object) -> tf.SparseTensor:
    coordinates = matrix.tocoo()
    indices = np.stack([coordinates.row, coordinates.col], axis=1).astype(np.int64)
    return tf.sparse.reorder(tf.SparseTensor(indices, coordinates.data, matrix.shape))


def _labels(recipes: pd.DataFrame) -> Labels | None:
    if recipes.empty:
        return None
    return Labels.of_texts(recipes["Title"], recipes["Ingredients"], recipes["dish_class"])


def _scores(embeddings: np.ndarray, labels: Labels) -> dict[str, float]:
    queries = np.arange(len(embeddings))
    per_query = retrieval_scores(lambda of: embeddings[of] @ embeddings.T, queries, labels)
    return {name: float(values.mean()) for name, values in per_query.items()}
