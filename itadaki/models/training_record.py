"""The record of a training run, which lies beside the model: what it was made from and how good."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from itadaki.errors import ArtifactError, ItadakiError
from itadaki.recipes.dish_class import class_rules
from itadaki.settings import Settings
from itadaki.storage.files import read_json_object, sha256_of, write_json
from itadaki.variants import Variant

if TYPE_CHECKING:
    from itadaki.evaluation.scores import Evaluation


def read_record(variant: Variant, settings: Settings) -> dict[str, Any]:
    """The record of the run that made a variant's model; empty if there is none."""
    try:
        return read_json_object(variant.record_path(settings))
    except ArtifactError:
        return {}


def check_record(variant: Variant, settings: Settings, model_sha256: str) -> None:
    """Check that model and text encoder are those of one training run.

    Raises:
        ArtifactError: one of them was changed or replaced without the others.
    """
    hashes = read_record(variant, settings).get("sha256")
    if hashes is None:
        return
    if not isinstance(hashes, dict):
        hashes = {}
    encoder_path = variant.text_encoder_path(settings)
    encoder_sha256 = sha256_of(encoder_path) if encoder_path.exists() else None
    for path, expected, actual in (
        (variant.model_path(settings), hashes.get("model"), model_sha256),
        (encoder_path, hashes.get("text_encoder"), encoder_sha256),
    ):
        if expected != actual:
            raise ArtifactError(
                f"{path} is not the one that {variant.record_path(settings).name} names: it was "
                f"changed, or training was killed while it wrote. Run: python -m itadaki train "
                f"{variant.name}, or take all three files from one source."
            )


def check_replacing(variant: Variant, settings: Settings, dataset_sha256: str) -> None:
    """Check that training would not take the place of a model of other recipes.

    Raises:
        ItadakiError: it would, as of the model that came with the repository.
    """
    record = read_record(variant, settings)
    if record and record.get("dataset") != dataset_sha256:
        raise ItadakiError(
            f"{variant.folder}/{variant.model_file} was trained on other recipes "
            f"({record.get('dataset_source')}). Set ITADAKI_HOME to another folder to train beside "
            "it, or say --replace."
        )


def add_scores(
    variant: Variant, settings: Settings, found: Mapping[str, "Evaluation"], dataset_sha256: str
) -> None:
    """Note in a trained variant's record how well it retrieves; raw has no record."""
    record = read_record(variant, settings)
    if not record:
        return
    first = next(iter(found.values()))
    record["scores"] = {
        "dataset": dataset_sha256,
        "class_rules": class_rules(),
        "split": first.split,
        "galleries": {
            name: evaluation.table()[["score", "low", "high"]].round(4).to_dict(orient="index")
            for name, evaluation in found.items()
        },
    }
    write_json(variant.record_path(settings), record)
