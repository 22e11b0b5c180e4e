"""Settings of the library, from the environment (``ITADAKI_...``) and ``.env``."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

PROJECT_ROOT = Path(__file__).resolve().parents[1]

VariantName = Literal["raw", "tl", "tl_hard", "ft"]


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
        description="Where the recipes come from: kaggle, sample, or a folder in Kaggle's layout.",
    )
    backbone_weights: UserPath | None = Field(
        None,
        description="A file with ImageNet weights of EfficientNetB0 without its top; "
        "without it Keras' own are used or downloaded.",
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
    home: UserPath = Field(
        PROJECT_ROOT,
        description="The folder that holds data/, raw/, tl/ and ft/.",
    )


def setting_problem(error: ValidationError | SettingsError) -> str:
    """Say in one line which setting cannot be used, and why."""
    if isinstance(error, SettingsError):  # a list that is no JSON
        return f"A setting is not usable: {error}"
    first = error.errors()[0]
    return f"ITADAKI_{str(first['loc'][0]).upper()} is not usable: {first['msg']}"
