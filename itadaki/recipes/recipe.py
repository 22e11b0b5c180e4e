"""A recipe: as a source tells it, as a collection takes it, as a dataset has it, and as found."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from itadaki.errors import RecipeError

MAX_TITLE, MAX_TEXT = 300, 100_000
"""Characters of a recipe's title, and of its ingredients (line ends counted) and instructions
each."""

VISIBLE = (
    "[^\\s\\x00-\\x1f\\x7f-\\x9f"
    # Unicode's Default_Ignorable_Code_Point, the blank of Braille, and what is no character.
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e"
    "\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
"""A regular expression: a character that is seen, of which each title has one."""

METADATA = (
    *("image_name", "image_path", "title", "ingredients", "instructions", "photo_group"),
    *("dish_class", "split", "id", "photo_sha256"),
)
"""What a bank keeps of each recipe, by the names that its file has for it."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """What people read.

    Attributes:
        title: one line.
        ingredients: one line each; may be empty.
        instructions: may be empty.
    """

    title: str
    ingredients: list[str]
    instructions: str


@dataclass(frozen=True, slots=True)
class NewRecipe(Recipe):
    """A recipe for a collection; its texts are tidied, and its title is not empty.

    Attributes:
        photo: a file, or its bytes.

    Raises:
        RecipeError: nothing of the title can be seen, or a text is longer than ``MAX_TITLE`` or
            ``MAX_TEXT``.
    """

    photo: Path | bytes

    def __post_init__(self) -> None:
        object.__setattr__(self, "title", _line(self.title))
        object.__setattr__(self, "ingredients", [i for i in map(_line, self.ingredients) if i])
        object.__setattr__(self, "instructions", _text(self.instructions))
        if not has_title(self.title):
            raise RecipeError("A recipe needs a title.")
        for name, text, most in (
            ("title", self.title, MAX_TITLE),
            ("ingredients", "\n".join(self.ingredients), MAX_TEXT),
            ("instructions", self.instructions, MAX_TEXT),
        ):
            if len(text) > most:
                raise RecipeError(
                    f"The {name} may have at most {most:,} characters, not {len(text):,}."
                )


@dataclass(frozen=True, slots=True)
class Edit:
    """What shall be different in a recipe; what is None stays as it is."""

    title: str | None = None
    ingredients: list[str] | None = None
    instructions: str | None = None
    photo: Path | bytes | None = None

    def of(self, before: Recipe) -> NewRecipe:
        """The recipe as it shall be, without a photo if that stays; raises RecipeError."""
        return NewRecipe(
            before.title if self.title is None else self.title,
            before.ingredients if self.ingredients is None else self.ingredients,
            before.instructions if self.instructions is None else self.instructions,
            self.photo or b"",
        )


@dataclass(frozen=True, slots=True)
class DatasetRecipe(Recipe):
    """A recipe of a dataset, whose title is never empty.

    Attributes:
        id: its number, which stays when others come and go.
        dish_class: what the title says the dish is, or None.
        image_name: its photo's name, without a suffix.
        photo: its photo's path from the dataset's root, with slashes.
        photo_sha256: of the photo's file.
        photo_group: the row of the first recipe whose photo is a copy of this one's.
        split: train, validation or test.
    """

    id: int
    dish_class: str | None
    image_name: str
    photo: str
    photo_sha256: str
    photo_group: int
    split: str

    @classmethod
    def from_metadata(cls, kept: Mapping[str, Any]) -> "DatasetRecipe":
        """The recipe of which a bank keeps this; raises KeyError if ``METADATA`` has more."""
        return cls(
            kept["title"],
            kept["ingredients"],
            kept["instructions"],
            kept["id"],
            kept["dish_class"],
            kept["image_name"],
            kept["image_path"],
            kept["photo_sha256"],
            kept["photo_group"],
            kept["split"],
        )

    def metadata(self) -> dict[str, Any]:
        """What a bank keeps of it: ``METADATA``."""
        return {name: getattr(self, "photo" if name == "image_path" else name) for name in METADATA}


@dataclass(frozen=True, slots=True)
class SearchResult(DatasetRecipe):
    """A recipe that was found.

    Attributes:
        rank: 1 for the most similar.
        index: its row in the bank.
        similarity: cosine of the query's and the recipe's embeddings, -1 to 1.
        image_path: the file of its photo.
    """

    rank: int
    index: int
    similarity: float
    image_path: Path

    @classmethod
    def of(
        cls, recipe: DatasetRecipe, rank: int, index: int, similarity: float, image_path: Path
    ) -> "SearchResult":
        """A recipe with how it was found."""
        known = {field.name: getattr(recipe, field.name) for field in fields(recipe)}
        return cls(**known, rank=rank, index=index, similarity=similarity, image_path=image_path)


def has_title(text: str) -> bool:
    """Whether a text can be a title: something of it is seen."""
    return re.search(VISIBLE, text) is not None


def _line(text: str) -> str:
    return " ".join(_text(text).split())


def _text(text: str) -> str:
    """Text that a CSV gives back as it was: no control characters, one kind of line end."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").encode("utf-8", "replace").decode()
    return re.sub(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", "", text).strip()
