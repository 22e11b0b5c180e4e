"""A recipe: as a source tells it, as a collection takes it, as a dataset has it, and as found."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from itadaki.errors import RecipeError
from itadaki.recipes.texts import MAX_MINUTES, keyword_list, one_line, tidy, web_address

MAX_TITLE, MAX_TEXT = 300, 100_000
"""Characters of a recipe's title, and of its ingredients (line ends counted) and instructions
each."""
MAX_KEYWORDS, MAX_KEYWORD, MAX_DETAIL, MAX_SOURCE = 100, 100, 200, 2000
"""How many keywords a recipe has, and characters of each, of servings and author, and of the
source."""

VISIBLE = (
    "[^\\s\\x00-\\x1f\\x7f-\\x9f"
    # Unicode's Default_Ignorable_Code_Point, the blank of Braille, and what is no character.
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e"
    "\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
"""A regular expression: a character that is seen, of which each title has one."""

TIMES = ("prep_minutes", "cook_minutes", "total_minutes")
DETAILS = ("keywords", "servings", *TIMES, "author", "source")
"""What a recipe may say of itself beside its texts."""
METADATA = (
    *("image_name", "image_path", "title", "ingredients", "instructions", "photo_group"),
    *("dish_class", "split", "id", "photo_sha256", *DETAILS),
)
"""What a bank keeps of each recipe, by the names that its file has for it."""
_FIELD = {"image_path": "photo"}


@dataclass(frozen=True, slots=True)
class Recipe:
    """What people read.

    Attributes:
        title: one line.
        ingredients: one line each; may be empty.
        instructions: may be empty.
        keywords: each once, without commas; may be empty.
        servings: as the source has it, such as "4" or "4-6 people"; may be empty.
        prep_minutes, cook_minutes, total_minutes: how long it takes; 0 where that is not said.
        author: may be empty.
        source: the address on the web that it comes from; may be empty.
    """

    title: str
    ingredients: list[str]
    instructions: str
    keywords: list[str] = field(default_factory=list, kw_only=True)
    servings: str = field(default="", kw_only=True)
    prep_minutes: int = field(default=0, kw_only=True)
    cook_minutes: int = field(default=0, kw_only=True)
    total_minutes: int = field(default=0, kw_only=True)
    author: str = field(default="", kw_only=True)
    source: str = field(default="", kw_only=True)

    def details(self) -> dict[str, Any]:
        """``DETAILS`` by their names."""
        return {name: getattr(self, name) for name in DETAILS}


@dataclass(frozen=True, slots=True)
class NewRecipe(Recipe):
    """A recipe for a collection; its texts are tidied, and its title is not empty.

    Attributes:
        photo: a file, or its bytes.

    Raises:
        RecipeError: nothing of the title can be seen, a text or a time is longer than it may be,
            there are too many keywords, or the source is no address on the web.
    """

    photo: Path | bytes

    def __post_init__(self) -> None:
        for name in ("title", "servings", "author", "source"):
            object.__setattr__(self, name, one_line(getattr(self, name)))
        object.__setattr__(self, "ingredients", [i for i in map(one_line, self.ingredients) if i])
        object.__setattr__(self, "instructions", tidy(self.instructions))
        object.__setattr__(self, "keywords", keyword_list(self.keywords))
        if not has_title(self.title):
            raise RecipeError("A recipe needs a title.")
        for name, text, most in (
            ("title", self.title, MAX_TITLE),
            ("ingredients", "\n".join(self.ingredients), MAX_TEXT),
            ("instructions", self.instructions, MAX_TEXT),
            ("servings", self.servings, MAX_DETAIL),
            ("author", self.author, MAX_DETAIL),
            ("source", self.source, MAX_SOURCE),
            ("longest keyword", max(self.keywords, key=len, default=""), MAX_KEYWORD),
        ):
            if len(text) > most:
                raise RecipeError(
                    f"The {name} may have at most {most:,} characters, not {len(text):,}."
                )
        if len(self.keywords) > MAX_KEYWORDS:
            raise RecipeError(
                f"A recipe may have at most {MAX_KEYWORDS} keywords, not {len(self.keywords):,}."
            )
        if any(not 0 <= getattr(self, name) <= MAX_MINUTES for name in TIMES):
            raise RecipeError(f"A recipe takes from 0 to {MAX_MINUTES:,} minutes.")
        if self.source and not web_address(self.source):
            raise RecipeError("The source is an address that begins with http:// or https://.")


@dataclass(frozen=True, slots=True)
class Edit:
    """What shall be different in a recipe; what is None stays as it is."""

    title: str | None = None
    ingredients: list[str] | None = None
    instructions: str | None = None
    photo: Path | bytes | None = None
    keywords: list[str] | None = None
    servings: str | None = None
    prep_minutes: int | None = None
    cook_minutes: int | None = None
    total_minutes: int | None = None
    author: str | None = None
    source: str | None = None

    def of(self, before: Recipe) -> NewRecipe:
        """The recipe as it shall be, without a photo if that stays; raises RecipeError."""
        kept = {one.name: getattr(before, one.name) for one in fields(Recipe)}
        wanted = {name: getattr(self, name) for name in kept}
        changed = {name: value for name, value in wanted.items() if value is not None}
        return NewRecipe(**{**kept, **changed}, photo=self.photo or b"")


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
        split: train, validation, test or sealed.
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
        return cls(**{_FIELD.get(name, name): kept[name] for name in METADATA})

    def metadata(self) -> dict[str, Any]:
        """What a bank keeps of it: ``METADATA``."""
        return {name: getattr(self, _FIELD.get(name, name)) for name in METADATA}


@dataclass(frozen=True, slots=True)
class SearchResult(DatasetRecipe):
    """A recipe that was found.

    Attributes:
        rank: 1 for the most similar.
        index: its row in the bank.
        similarity: cosine of the query's and the recipe's embeddings, -1 to 1; a photo's query is
            expanded first where rows hold texts, and words said count beside the cosine.
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
        known = {one.name: getattr(recipe, one.name) for one in fields(recipe)}
        return cls(**known, rank=rank, index=index, similarity=similarity, image_path=image_path)


def has_title(text: str) -> bool:
    """Whether a text can be a title: something of it is seen."""
    return re.search(VISIBLE, text) is not None
