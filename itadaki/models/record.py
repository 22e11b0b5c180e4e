"""What is noted beside a model: the record of its training run, or where its weights come from."""

from pathlib import Path
from typing import Any

from itadaki.errors import ArtifactError, ItadakiError
from itadaki.storage.files import read_json_object, sha256_of
from itadaki.variants import Artifacts

FOOD_RULE = Path(__file__).with_name("food.json")
"""What tells whether a photo shows food; see ``itadaki.models.food``."""
FINE_TUNED = {"source": "fine-tuned"}
"""The origin of a raw model whose backbone is the fine-tuned one."""


def read_record(artifacts: Artifacts) -> dict[str, Any]:
    """The record of the run that made a variant's model; empty if there is none."""
    try:
        return read_json_object(artifacts.record)
    except ArtifactError:
        return {}


def check_record(artifacts: Artifacts, model_sha256: str) -> None:
    """Check that model and text encoder are those of one training run.

    Raises:
        ArtifactError: one of them was changed or replaced without the others.
    """
    hashes = read_record(artifacts).get("sha256")
    if hashes is None:
        return
    if not isinstance(hashes, dict):
        hashes = {}
    encoder_path = artifacts.text_encoder
    encoder_sha256 = sha256_of(encoder_path) if encoder_path.exists() else None
    for path, expected, actual in (
        (artifacts.model, hashes.get("model"), model_sha256),
        (encoder_path, hashes.get("text_encoder"), encoder_sha256),
    ):
        if expected != actual:
            raise ArtifactError(
                f"{path} is not the one that {artifacts.record.name} names: it was "
                f"changed, or training was killed while it wrote. Run: python -m itadaki train "
                f"{artifacts.variant.name}, or take all three files from one source."
            )


def check_replacing(artifacts: Artifacts, dataset_sha256: str) -> None:
    """Check that training would not take the place of a model of other recipes.

    Raises:
        ItadakiError: it would, as of the model that came with the repository.
    """
    variant, record = artifacts.variant, read_record(artifacts)
    if record and record.get("dataset") != dataset_sha256:
        raise ItadakiError(
            f"{variant.folder}/{variant.model_file} was trained on other recipes "
            f"({record.get('dataset_source')}). Set ITADAKI_HOME to another folder to train beside "
            "it, or say --replace."
        )


def origin_of_file(path: Path) -> dict[str, str]:
    """What is noted of weights that came from a file."""
    return {"source": "file", "sha256": sha256_of(path) if path.is_file() else "missing"}
