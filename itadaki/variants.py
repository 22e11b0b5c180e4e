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


@dataclass(frozen=True)
class Artifacts:
    """Where the files of a variant lie: its model's at home, its bank's with the dataset."""

    variant: Variant
    settings: Settings

    @property
    def model(self) -> Path:
        """The ``.keras`` embedder."""
        return self.settings.home / self.variant.folder / self.variant.model_file

    @property
    def text_encoder(self) -> Path:
        """The text encoder of a variant that was trained with texts."""
        name = self.variant.model_file.replace("embedding_", "text_encoder_")
        return self.model.with_name(name).with_suffix(".npz")

    @property
    def record(self) -> Path:
        """The record of the run that trained the model."""
        return self.model.with_suffix(".json")

    @property
    def bank(self) -> Path:
        """The ``.npy`` bank."""
        return self.settings.bank_home / self.variant.folder / self.variant.bank_file

    @property
    def photo_bank(self) -> Path:
        """The rows of the photos alone, when the bank's rows also hold texts."""
        return self.bank.with_name(self.variant.bank_file.replace(".npy", "_photos.npy"))

    @property
    def metadata(self) -> Path:
        """The metadata ``.pkl``."""
        return self.bank.with_name(self.variant.metadata_file)

    @property
    def manifest(self) -> Path:
        """The manifest that ties model, bank and metadata together."""
        return self.bank.with_name(self.variant.manifest_file)

    @property
    def bank_folder(self) -> Path:
        """The folder whose files change together when a bank does: the collection, if it is one."""
        return self.settings.collection_folder or self.bank.parent


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
    return fine_tuned if Artifacts(fine_tuned, settings).model.exists() else VARIANTS["raw"]


def require_model(artifacts: Artifacts) -> Path:
    """Return the path of a variant's model; raw's may not exist yet, it is made from weights.

    Raises:
        ItadakiError: a trained variant's model is not on this machine.
    """
    variant, path = artifacts.variant, artifacts.model
    if variant.name != "raw" and not path.exists():
        raise ItadakiError(
            f"The variant {variant.name} has no model yet ({variant.folder}/{variant.model_file} "
            f"is missing); run its notebook first, or use the variant raw."
        )
    return path
