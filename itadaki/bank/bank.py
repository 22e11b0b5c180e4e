"""The embedding bank: one normalised row per recipe, its metadata, and the manifest of both.

A row is the embedding of the recipe's photo. For a variant with a text encoder it is, unless
``ITADAKI_BANK_ROWS=photo``, the sum of the photo's and the text's embeddings, made length 1 again:
queries are still photos alone, but a recipe is also found by what its text says.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from itadaki.bank import fusion, nearness
from itadaki.errors import ArtifactError
from itadaki.models import text_encoder, word_table
from itadaki.photos.images import PREPROCESSING
from itadaki.recipes import copies, glossary
from itadaki.recipes.dataset import Dataset, recipes_of
from itadaki.recipes.dish_class import class_rules
from itadaki.recipes.recipe import METADATA, DatasetRecipe
from itadaki.storage.files import (
    dump_builtin_pickle,
    load_builtin_pickle,
    open_array,
    read_json_object,
    replacing,
    sha256_of,
    write_json,
)
from itadaki.storage.fingerprint import code_fingerprint
from itadaki.storage.transaction import Transaction, reading
from itadaki.variants import Artifacts, Variant

FORMAT = 4


@dataclass(frozen=True)
class Bank:
    """A loaded bank.

    Attributes:
        variant: whose embeddings these are.
        embeddings: float32 memory map of shape (n, dimension); rows of length 1.
        photo_embeddings: the same of the photos alone; ``embeddings`` itself where rows hold no
            text. What a photo of the collection is as a query.
        recipes: one for each row.
        manifest: what ties model, bank, metadata and dataset together.
    """

    variant: Variant
    embeddings: np.ndarray
    photo_embeddings: np.ndarray
    recipes: list[DatasetRecipe]
    manifest: dict[str, Any]

    def confidence(self, similarity: float) -> float | None:
        """How near the best hit of a photo is among this bank's; see ``nearness.confidence``."""
        return nearness.confidence(self.manifest["nearness"], similarity)

    def column(self, name: str) -> np.ndarray:
        """One field of every recipe, as an array in the order of the rows."""
        return np.array([getattr(recipe, name) for recipe in self.recipes])


def load_bank(artifacts: Artifacts, dataset: Dataset, model_sha256: str | None = None) -> Bank:
    """Load a bank after checking that its parts belong together.

    Args:
        artifacts: whose bank, and where it lies.
        dataset: the dataset it must have been built from.
        model_sha256: of the model it must have been built with; by default the variant's file is
            hashed.

    Raises:
        ArtifactError: a part is missing, changed, or belongs to another set; the message names
            the command that builds it anew.
    """
    name, settings = artifacts.variant.name, artifacts.settings
    rebuild = f"run: python -m itadaki build {name}"
    if settings.collection_folder:
        rebuild += f" --dataset {settings.dataset}"
    with reading(artifacts.bank_folder):
        try:
            manifest = _manifest(artifacts, dataset, rebuild)
            _check_files(artifacts, manifest, model_sha256, rebuild)
            return _opened(artifacts, manifest, rebuild)
        except (OSError, LookupError, TypeError, ValueError, AttributeError) as error:
            # Manifest and metadata may hold anything in the place of anything.
            said = f"{type(error).__name__}: {error}"
            raise ArtifactError(
                f"The embedding bank of {name} is damaged ({said}); {rebuild}"
            ) from None


def _manifest(artifacts: Artifacts, dataset: Dataset, rebuild: str) -> dict[str, Any]:
    """The manifest, if it is of this dataset and was made as today's would be."""
    name = artifacts.variant.name
    if not artifacts.manifest.exists():
        raise ArtifactError(f"The embedding bank of {name} is not built yet; {rebuild}")
    try:
        manifest = read_json_object(artifacts.manifest)
    except ArtifactError as error:
        raise ArtifactError(f"{artifacts.manifest} is damaged ({error}); {rebuild}") from None
    if manifest.get("format") != FORMAT or manifest.get("preprocessing") != PREPROCESSING:
        raise ArtifactError(
            f"The embedding bank of {name} was built by another version of Itadaki; {rebuild}"
        )
    if manifest["sha256"]["dataset"] != dataset.sha256:
        raise ArtifactError(
            f"The embedding bank of {name} was built from other recipes "
            f"({manifest['rows']:,} from {manifest['dataset_source']}) than those of "
            f"{dataset.source}; {rebuild}"
        )
    wanted = "fused" if has_texts(artifacts) else "photo"
    if manifest["rows_of"] != wanted:
        raise ArtifactError(
            f"The rows of the embedding bank of {name} are {manifest['rows_of']}, not "
            f"{wanted} as ITADAKI_BANK_ROWS and its text encoder say; {rebuild}"
        )
    made_by = _made_by(wanted == "fused")
    if any(manifest.get(fact) != value for fact, value in made_by.items()):
        raise ArtifactError(
            f"Texts, dish classes or the nearness of hits in the embedding bank of {name} were "
            f"made in another way than today's; {rebuild} (no photo is embedded again)"
        )
    if manifest["sha256"]["details"] != dataset.details_sha256:
        raise ArtifactError(
            f"The embedding bank of {name} has other keywords, times or sources than the recipes "
            f"of {dataset.source}; {rebuild} (no photo is embedded again)"
        )
    return manifest


def _check_files(
    artifacts: Artifacts, manifest: dict[str, Any], model_sha256: str | None, rebuild: str
) -> None:
    """Check that the files are those that the manifest names."""
    parts = {
        "model": artifacts.model,
        "bank": artifacts.bank,
        "metadata": artifacts.metadata,
    }
    if manifest["rows_of"] == "fused":
        parts |= {"photos": artifacts.photo_bank, "text_encoder": artifacts.text_encoder}
    for part, path in parts.items():
        if not path.exists():
            raise ArtifactError(f"{path} is missing; {rebuild}")
        actual = model_sha256 if part == "model" and model_sha256 else sha256_of(path)
        if actual != manifest["sha256"][part]:
            raise ArtifactError(
                f"{path} is not the {part} that the manifest names: it was changed or replaced; "
                f"{rebuild}"
            )


def _opened(artifacts: Artifacts, manifest: dict[str, Any], rebuild: str) -> Bank:
    embeddings = photos = open_array(artifacts.bank)
    if manifest["rows_of"] == "fused":
        photos = open_array(artifacts.photo_bank)
    kept = load_builtin_pickle(artifacts.metadata)["recipes"]
    shape = (manifest["rows"], manifest["dimension"])
    wanted = {*METADATA}
    whole = all(kept[row].keys() >= wanted for row in range(len(kept)))
    fits = all(rows.shape == shape and rows.dtype == np.float32 for rows in (embeddings, photos))
    if not (whole and fits and len(kept) == shape[0]):
        raise ArtifactError(
            f"The embedding bank of {artifacts.variant.name} is inconsistent; {rebuild}"
        )
    recipes = [DatasetRecipe.from_metadata(kept[row]) for row in range(len(kept))]
    return Bank(artifacts.variant, embeddings, photos, recipes, manifest)


def write_bank(
    change: Transaction,
    artifacts: Artifacts,
    dataset: Dataset,
    model_sha256: str,
    recipes: list[DatasetRecipe],
    photos: Path,
    fused: np.ndarray | None = None,
) -> Bank:
    """Let a bank, its metadata and its manifest take the places of the old ones.

    Args:
        change: what makes it all happen at once.
        artifacts: whose bank, and where it lies.
        dataset: what it was built from.
        model_sha256: of the model it was built with.
        recipes: of its rows.
        photos: a file in the folder of the change with the photos' rows; it is moved.
        fused: float32 array (n, d), the rows that hold texts too; without it the photos' are the
            bank.

    Returns:
        The bank.
    """
    embeddings = photo_embeddings = open_array(photos)
    metadata = change.write(artifacts.metadata)
    kept = {row: recipe.metadata() for row, recipe in enumerate(recipes)}
    dump_builtin_pickle(metadata, {"variant": artifacts.variant.name, "recipes": kept})
    hashes = {
        "model": model_sha256,
        "metadata": sha256_of(metadata),
        "dataset": dataset.sha256,
        "details": dataset.details_sha256,
    }
    if fused is None:
        hashes["bank"] = sha256_of(photos)
        change.move(photos, artifacts.bank)
        change.remove(artifacts.photo_bank)
    else:
        bank = change.write(artifacts.bank)
        with replacing(bank) as beside:
            np.save(beside, fused)
        embeddings = open_array(bank)
        hashes |= {
            "bank": sha256_of(bank),
            "photos": sha256_of(photos),
            "text_encoder": sha256_of(artifacts.text_encoder),
        }
        change.move(photos, artifacts.photo_bank)
    manifest = {
        "format": FORMAT,
        "variant": artifacts.variant.name,
        "rows": photo_embeddings.shape[0],
        "dimension": photo_embeddings.shape[1],
        "preprocessing": PREPROCESSING,
        "rows_of": "photo" if fused is None else "fused",
        **_made_by(fused is not None),
        "nearness": nearness.fit(
            photo_embeddings, embeddings, [recipe.photo_group for recipe in recipes]
        ),
        "dataset_source": dataset.source,
        "sha256": hashes,
    }
    write_json(change.write(artifacts.manifest), manifest)
    return Bank(artifacts.variant, embeddings, photo_embeddings, recipes, manifest)


def _made_by(fused: bool) -> dict[str, Any]:
    """What else shapes rows and metadata than photos, texts and models: knobs and code."""
    return {
        "text_share": fusion.TEXT_SHARE if fused else 0.0,
        "fused_by": _fused_by() if fused else None,
        "metadata_by": code_fingerprint(recipes_of, copies) + class_rules(),
        "nearness_by": code_fingerprint(nearness),
    }


def _fused_by() -> str:
    code = code_fingerprint(fusion.fused_rows, text_encoder, word_table, glossary)
    return code + glossary.edition()


def has_texts(artifacts: Artifacts) -> bool:
    """Whether the rows of a variant's bank shall hold texts."""
    return artifacts.settings.bank_rows == "fused" and artifacts.text_encoder.exists()
