"""Settings of the library, from the environment (``ITADAKI_...``) and ``.env``."""

import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

from itadaki.errors import requirement

PROJECT_ROOT = Path(__file__).resolve().parents[1]

VariantName = Literal["raw", "tl", "tl_hard", "ft"]
Precision = Literal["float32", "float16", "int8"]

COLLECTION_FILE = "collection.json"
"""What makes a folder in ``data/collections`` a collection that was imported."""
_COLLECTION_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_OTHER_DATASETS = ("kaggle", "sample")


def find_path(path: str | Path) -> Path:
    """Resolve a path given by the user: from the working directory, else from the project's root.

    Returns an absolute path, which may not exist.
    """
    path = Path(path).expanduser()
    if not path.is_absolute() and not path.exists():
        from_root = PROJECT_ROOT / path
        if from_root.exists():
            return from_root.resolve()
    return path.resolve()


def is_collection_name(name: str) -> bool:
    """Whether an imported collection may be called so."""
    return bool(_COLLECTION_NAME.fullmatch(name)) and name not in _OTHER_DATASETS


UserPath = Annotated[Path, AfterValidator(find_path)]


class Settings(BaseSettings):
    """What the library, the command line and the API read from the outside.

    A relative path is looked up from the working directory and then from the project's root,
    so that ``../shared`` means the same from the root and from ``api/``.
    """

    model_config = SettingsConfigDict(
        env_prefix="ITADAKI_",
        env_file=(PROJECT_ROOT / ".env", ".env"),
        env_ignore_empty=True,
        extra="ignore",
    )

    dataset: str = Field(
        "kaggle",
        description="Where the recipes come from: kaggle, sample, the name of an imported "
        "collection, or a folder in Kaggle's layout.",
    )
    backbone_weights: UserPath | None = Field(
        None,
        description="A file with ImageNet weights of EfficientNetB0 without its top; "
        "without it Keras' own are used or downloaded.",
    )
    sentence_encoder: UserPath | None = Field(
        None,
        description="A folder with a model of sentence-transformers, which says in training which "
        "recipes are alike; without it all-MiniLM-L6-v2 is used or downloaded.",
    )
    variant: VariantName | None = Field(
        None,
        description="Which variant is served: raw, tl, tl_hard or ft. "
        "Without it ft where its model is present, else raw.",
    )
    bank_rows: Literal["fused", "photo"] = Field(
        "fused",
        description="What a row of the bank is made of, for variants with a text encoder: "
        "fused (the recipe's photo and text) or photo (the photo alone).",
    )
    bank_precision: Precision = Field(
        "float32",
        description="What searched rows are kept as: float32, float16 (half the memory) or int8 (a "
        "quarter).",
    )
    index: Literal["exact", "ann", "qdrant"] = Field(
        "exact",
        description="What finds rows: exact (compares with all), ann (approximate, on one "
        "machine) or qdrant (a Qdrant server or cluster).",
    )
    qdrant_url: str = Field(
        "http://localhost:6333", description="Where Qdrant is asked; https means TLS."
    )
    qdrant_api_key: SecretStr | None = Field(None, description="The key that Qdrant asks for.")
    qdrant_collection: str = Field(
        "itadaki",
        pattern=r"^[A-Za-z0-9_-]+$",
        description="What the names of the alias and the collections in Qdrant begin with.",
    )
    qdrant_shards: int = Field(1, ge=1, description="Parts that Qdrant splits a bank into.")
    qdrant_replicas: int = Field(1, ge=1, description="Nodes that hold each of the parts.")
    qdrant_timeout: int = Field(10, ge=1, description="Seconds that Qdrant may take to answer.")
    home: UserPath = Field(
        PROJECT_ROOT,
        description="The folder that holds data/, raw/, tl/ and ft/.",
    )

    @property
    def collections_folder(self) -> Path:
        """The folder that holds a folder for each imported collection."""
        return self.home / "data" / "collections"

    @property
    def collection_folder(self) -> Path | None:
        """The folder of the imported collection that ``dataset`` names; None if it names none."""
        if not is_collection_name(self.dataset):
            return None
        folder = self.collections_folder / self.dataset
        return folder if (folder / COLLECTION_FILE).is_file() else None

    @property
    def data_folder(self) -> Path:
        """The folder of what is cached of the dataset; a collection has all its own with it."""
        return self.collection_folder or self.home / "data"

    @property
    def bank_home(self) -> Path:
        """The folder that holds raw/, tl/ and ft/ with the dataset's banks."""
        return self.collection_folder or self.home


def setting_problem(error: ValidationError | SettingsError) -> str:
    """Say in one line which setting cannot be used, and why."""
    if isinstance(error, SettingsError):  # a list that is no JSON
        name = re.search(r'"(\w+)"', str(error))
        which = f"ITADAKI_{name[1].upper()}" if name else "A setting"
        return f'{which} must be a JSON list, like ["one", "two"].'
    first = error.errors()[0]
    return f"ITADAKI_{str(first['loc'][0]).upper()} {requirement(first)}."
