"""The four variants of the retrieval model and the names of their artifacts."""

from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from itadaki.errors import ItadakiError
from itadaki.settings import Settings, VariantName


@dataclass(frozen=True)
class Variant:
    """One rung of the ladder from the frozen backbone to the fine-tuned model."""

    name: VariantName
    summary: str
    folder: str
    model_file: str
    dimension: int

    @property
    def bank_file(self) -> str:
        """The bank's file name inside ``folder``."""
        return f"recipe_embeddings_database_{self.name}.npy"

    @property
    def metadata_file(self) -> str:
        """The metadata's file name inside ``folder``."""
        return f"recipe_embeddings_database_metadata_{self.name}.pkl"

    @property
    def manifest_file(self) -> str:
        """The manifest's file name inside ``folder``."""
        return f"recipe_embeddings_database_{self.name}.manifest.json"

    def model_path(self, settings: Settings) -> Path:
        """Where the ``.keras`` embedder lies."""
        return settings.home / self.folder / self.model_file

    def text_encoder_path(self, settings: Settings) -> Path:
        """Where the text encoder lies of a variant that was trained with texts."""
        name = self.model_file.replace("embedding_", "text_encoder_")
        return (settings.home / self.folder / name).with_suffix(".npz")

    def record_path(self, settings: Settings) -> Path:
        """Where the record lies of the run that trained the model."""
        return self.model_path(settings).with_suffix(".json")

    def bank_path(self, settings: Settings) -> Path:
        """Where the ``.npy`` bank lies."""
        return settings.bank_home / self.folder / self.bank_file

    def photo_bank_path(self, settings: Settings) -> Path:
        """Where the rows of the photos alone lie, when the bank's rows also hold texts."""
        return self.bank_path(settings).with_name(self.bank_file.replace(".npy", "_photos.npy"))

    def metadata_path(self, settings: Settings) -> Path:
        """Where the metadata ``.pkl`` lies."""
        return settings.bank_home / self.folder / self.metadata_file

    def manifest_path(self, settings: Settings) -> Path:
        """Where the manifest lies that ties the other three together."""
        return settings.bank_home / self.folder / self.manifest_file


VARIANTS: dict[str, Variant] = {
    variant.name: variant
    for variant in (
        Variant(
            "raw",
            "frozen EfficientNetB0, global average pooling",
            "raw",
            "recipe_image_retrieval_model_raw.keras",
            1280,
        ),
        Variant(
            "tl",
            "trained head, triplet loss, random sampling",
            "tl",
            "best_embedding_recipe_image_retrieval_model_tl.keras",
            512,
        ),
        Variant(
            "tl_hard",
            "trained head, triplet loss, hard negatives",
            "tl",
            "best_embedding_recipe_image_retrieval_model_tl_hard.keras",
            512,
        ),
        Variant(
            "ft",
            "fine-tuned in two phases",
            "ft",
            "best_embedding_recipe_image_retrieval_model_ft.keras",
            512,
        ),
    )
}
assert set(VARIANTS) == set(get_args(VariantName))


def served_variant(settings: Settings) -> Variant:
    """The variant that is served: the configured one, else ft if its model is here, else raw."""
    if settings.variant:
        return VARIANTS[settings.variant]
    fine_tuned = VARIANTS["ft"]
    return fine_tuned if fine_tuned.model_path(settings).exists() else VARIANTS["raw"]


def require_model(variant: Variant, settings: Settings) -> Path:
    """Return the path of a variant's model; raw's may not exist yet, it is made from weights.

    Raises:
        ItadakiError: a trained variant's model is not on this machine.
    """
    path = variant.model_path(settings)
    if variant.name != "raw" and not path.exists():
        raise ItadakiError(
            f"The variant {variant.name} has no model yet ({variant.folder}/{variant.model_file} "
            f"is missing); run its notebook first, or use the variant raw."
        )
    return path
