"""The knobs of a training run, as the notebooks show them."""

import json
from collections.abc import Mapping
from typing import Any, Literal, Self

import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from itadaki.errors import ItadakiError, requirement

Sampling = Literal["random", "batch_hard", "semi_hard", "distance_weighted", "hard_negative"]

SEED_CONFIGS: dict[str, dict[str, Any]] = {
    "tl": {
        "IMG_SIZE": 224,
        "BATCH_SIZE": 32,
        "EMBEDDING_DIM": 512,
        "TRIPLET_MARGIN": 0.3,
        "EPOCHS": 10,
        "SAMPLING": "random",
    },
    "tl_hard": {
        "IMG_SIZE": 224,
        "BATCH_SIZE": 32,
        "EMBEDDING_DIM": 512,
        "TRIPLET_MARGIN": 0.8,
        "EPOCHS": 15,
        "SAMPLING": "hard_negative",
    },
    "ft": {
        "IMG_SIZE": 224,
        "BATCH_SIZE": 32,
        "EMBEDDING_DIM": 512,
        "TRIPLET_MARGIN": 0.8,
        "LAYERS_TO_UNFREEZE": 40,
        "PHASE_1_EPOCHS": 6,
        "PHASE_2_EPOCHS": 20,
        "SAMPLING": "hard_negative",
    },
}
"""The configurations that the project began with, to the letter."""

CONFIG_TL: dict[str, Any] = SEED_CONFIGS["tl"] | {
    "EPOCHS": SEED_CONFIGS["tl_hard"]["EPOCHS"],
    "START": "components",
    "GROWING_MARGIN": True,
    "VIEWS": 1,
    "LEARNING_RATE": 1e-5,
}

CONFIG_TL_HARD: dict[str, Any] = CONFIG_TL | {
    "TRIPLET_MARGIN": SEED_CONFIGS["tl_hard"]["TRIPLET_MARGIN"],
    "SAMPLING": SEED_CONFIGS["tl_hard"]["SAMPLING"],
    "GROWING_MARGIN": False,
    "HARDEST": 2000,
}

CONFIG_PHASES: dict[str, Any] = {
    **{knob: value for knob, value in CONFIG_TL_HARD.items() if knob != "EPOCHS"},
    **SEED_CONFIGS["ft"],
    "FINE_TUNING_LEARNING_RATE": 1e-5,
    "BACKBONE_LEARNING_RATE": 5e-6,
}
"""The two phases and nothing else, which the fourth chapter puts between tl_hard and ft."""

CONFIG_FT: dict[str, Any] = SEED_CONFIGS["ft"] | {
    "PHASE_2_EPOCHS": 28,
    "BATCH_SIZE": 128,
    "DROPOUT": 0.5,
    "TEXTS": "sentences",
    "TRIPLET_WEIGHT": 0.1,
    "TEXT_WEIGHT": 1.0,
    "PHOTO_WEIGHT": 0.5,
    "TEMPERATURE": 1 / 16,
    "SELF_SHARE": 0.15,
    "DISTILLATION_WEIGHT": 1.0,
    "FEATURE_SHARE": 1.0,
    "AVERAGING": 0.995,
    "VIEWS": 20,
    "FINE_TUNING_LEARNING_RATE": 1.4e-3,
    "BACKBONE_LEARNING_RATE": 3.5e-4,
    "WEIGHT_DECAY": 0.02,
    "BACKBONE_WEIGHT_DECAY": 0.02,
}

AS_IN_THE_SEED: dict[str, Any] = {
    "POSITIVES": "batch_text",
    "GROWING_MARGIN": False,
    "LEARNING_RATE": 3e-4,
    "VIEWS": 1,
}
"""What those leave unsaid: triplets as one would first write them, out of the batch."""


def as_in_the_seed(config: dict[str, Any]) -> dict[str, Any]:
    """One of the first configurations with what it leaves unsaid, ready to be run."""
    # Out of a batch even the hardest negative is none too hard.
    hard = {"HARDEST": 1} if config["SAMPLING"] == "hard_negative" else {}
    return config | AS_IN_THE_SEED | hard


CONFIGS = {"tl": CONFIG_TL, "tl_hard": CONFIG_TL_HARD, "ft": CONFIG_FT}


class TrainingConfig(BaseModel):
    """A checked configuration; see the fields' descriptions for what each knob does.

    The keys of a configuration are the fields' names in capitals.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", alias_generator=str.upper, populate_by_name=True
    )

    img_size: Literal[224] = Field(224, description="Side of the input photo, in pixels.")
    batch_size: int = Field(ge=2, description="Anchors per step.")
    embedding_dim: int = Field(512, ge=2, description="Length of an embedding.")
    hidden_dim: int = Field(1024, ge=2, description="Width of the head's first layer.")
    start: Literal["random", "components"] = Field(
        "random",
        description="Of the head: random weights, or the frozen features' own whitened principal "
        "components.",
    )
    dropout: float = Field(0.2, ge=0, lt=1, description="Between the head's two layers.")
    triplet_margin: float = Field(gt=0, le=2, description="In cosine similarity.")
    growing_margin: bool = Field(
        True, description="Start at a quarter of the margin and grow as triplets get easy."
    )
    sampling: Sampling = Field(description="How the negative of a triplet is chosen.")
    hardest: int = Field(
        20,
        ge=1,
        description="hard_negative draws among this many hardest of all training photos, embedded "
        "anew for each epoch.",
    )
    positives: Literal["text", "batch_text"] = Field(
        "text",
        description="text: neighbours in the whole training split; batch_text: the nearest text "
        "in the batch, and unmasked negatives from the batch, as in the seed.",
    )
    texts: Literal["words", "sentences"] = Field(
        "words",
        description="What says which recipes are alike: TF-IDF, or a sentence encoder where there "
        "is one.",
    )
    triplet_weight: float = Field(1.0, ge=0, description="Weight of the triplet loss.")
    photo_weight: float = Field(
        0.0, ge=0, description="Weight of the soft contrastive loss between photos."
    )
    text_weight: float = Field(
        0.0, ge=0, description="Weight of the soft contrastive loss of photos against texts."
    )
    distillation_weight: float = Field(
        0.0,
        ge=0,
        description="Of the fine-tuned backbone's features: weight of their mean cosine distance "
        "to the frozen backbone's, so that what it knows is kept.",
    )
    temperature: float = Field(0.1, gt=0, description="Of the contrastive losses.")
    self_share: float = Field(
        0.2, ge=0, le=1, description="Part of a contrastive target that is the recipe itself."
    )
    feature_share: float = Field(
        0.0,
        ge=0,
        description="Weight of the features' own whitened principal components, which take the "
        "last five eighths of the embedding after training: they tell apart what the head has not "
        "learned.",
    )
    epochs: int = Field(0, ge=0, description="Of a head on frozen features.")
    phase_1_epochs: int = Field(0, ge=0, description="Of the head, before fine-tuning.")
    phase_2_epochs: int = Field(0, ge=0, description="Of head and unfrozen blocks together.")
    layers_to_unfreeze: int = Field(
        40, ge=1, description="Whole blocks are unfrozen: those that come nearest to it."
    )
    views: int = Field(
        3, ge=1, description="Cached views of each training photo, the plain one included."
    )
    cache: bool = Field(
        True, description="Without it phase 2 runs the whole backbone on fresh views."
    )
    learning_rate: float = Field(1e-3, gt=0, description="Of the head on frozen features.")
    fine_tuning_learning_rate: float = Field(
        3e-4, gt=0, description="Of the head while the backbone learns, too."
    )
    backbone_learning_rate: float = Field(1e-4, gt=0, description="Of the unfrozen blocks.")
    weight_decay: float = Field(1e-4, ge=0, description="Of the head, decoupled (AdamW).")
    backbone_weight_decay: float = Field(0.0, ge=0, description="The same of unfrozen blocks.")
    averaging: float = Field(
        0.0,
        ge=0,
        lt=1,
        description="What is scored and kept is the weights' exponential moving average over "
        "steps with this momentum; 0 keeps them as they are.",
    )
    patience: int = Field(
        5, ge=1, description="Epochs without a better validation score before a phase ends."
    )
    left_out_classes: tuple[str, ...] = Field(
        (), description="Dish classes kept from training, to watch what is forgotten."
    )

    @model_validator(mode="after")
    def _components_fit_into_the_head(self) -> Self:
        narrow = self.hidden_dim < self.embedding_dim
        if narrow and (self.feature_share or self.start == "components"):
            raise ValueError(
                "FEATURE_SHARE and START=components need a head whose HIDDEN_DIM is not below "
                "EMBEDDING_DIM"
            )
        return self

    @model_validator(mode="after")
    def _every_knob_is_read(self) -> Self:
        if self.epochs and self.phase_1_epochs:
            raise ValueError("EPOCHS and PHASE_1_EPOCHS both say how long the head is trained")
        if self.sampling != "hard_negative":
            self.refuse("hardest", because="SAMPLING is not hard_negative")
        if self.distillation_weight and not self.cache:
            raise ValueError("DISTILLATION_WEIGHT needs the views that CACHE keeps")
        if not self.photo_weight and not self.text_weight:
            because = "PHOTO_WEIGHT and TEXT_WEIGHT are 0"
            self.refuse("temperature", "self_share", because=because)
        return self

    def refuse(self, *knobs: str, because: str) -> None:
        """Allow these knobs to stand at their defaults alone, since nothing would read them.

        Raises:
            ItadakiError: one of them does not; the message names it.
        """
        for knob in knobs:
            default = type(self).model_fields[knob].default
            if getattr(self, knob) != default:
                raise ItadakiError(
                    f"The training configuration's {knob.upper()} is not used, because {because}: "
                    f"leave it out, or at {default}."
                )

    @classmethod
    def of(cls, config: dict[str, Any]) -> "TrainingConfig":
        """Check a configuration.

        Raises:
            ItadakiError: a key is unknown, missing or out of range; the message names it.
        """
        try:
            return cls.model_validate(config)
        except ValidationError as error:
            first = error.errors()[0]
            knob = f"'s {str(first['loc'][0]).upper()}" if first["loc"] else ""
            raise ItadakiError(f"The training configuration{knob} {requirement(first)}.") from None


def differing_knobs(configs: Mapping[str, dict[str, Any]], defaults: bool = True) -> pd.DataFrame:
    """The knobs in which configurations differ, one a row: what each has, and what the knob does.

    Args:
        configs: by what they are called.
        defaults: whether what a configuration leaves unsaid stands at its default, or is blank.
    """
    told = {
        name: TrainingConfig.of(config).model_dump(by_alias=True) if defaults else config
        for name, config in configs.items()
    }
    rows = []
    for name, field in TrainingConfig.model_fields.items():
        values = {of: config.get(name.upper(), "") for of, config in told.items()}
        if len(set(values.values())) > 1:
            shown = {of: f"{v:g}" if isinstance(v, float) else v for of, v in values.items()}
            rows.append({"knob": name.upper(), **shown, "what it does": field.description})
    return pd.DataFrame(rows)


def parse_knob(text: str) -> tuple[str, Any]:
    """Split ``KEY=VALUE``; the value is JSON, or else text.

    >>> parse_knob("EPOCHS=2")
    ('EPOCHS', 2)
    """
    key, _, value = text.partition("=")
    try:
        return key.strip().upper(), json.loads(value)
    except ValueError:
        return key.strip().upper(), value
