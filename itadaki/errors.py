"""The failures that a user can mend; each message is a sentence that says how."""

from collections.abc import Iterator
from contextlib import contextmanager


class ItadakiError(Exception):
    """Base of all expected failures. The command line prints the message and exits with 1."""


class DatasetError(ItadakiError):
    """The recipes or their photos cannot be used."""


class WeightsError(ItadakiError):
    """No weights for the backbone can be found."""


class ArtifactError(ItadakiError):
    """A model, bank or metadata file is missing, damaged, or does not belong to the others."""


class CollectionError(ItadakiError):
    """What is asked of a collection cannot be done."""


class UnknownRecipeError(CollectionError):
    """The collection has no recipe with this id."""


class RecipeError(CollectionError):
    """A recipe lacks what it must have."""


class BusyFolderError(ItadakiError):
    """Another process is changing the same files."""


class QueryError(ItadakiError):
    """What is asked for cannot be searched."""


class ImageError(ItadakiError):
    """A photo cannot be decoded."""


class UnsupportedImageError(ImageError):
    """The bytes are not in a format that Itadaki reads."""


class ImageTooLargeError(ImageError):
    """The photo has more pixels than Itadaki is willing to decode."""


class IndexUnavailableError(ItadakiError):
    """A server that is searched does not answer as it should."""


@contextmanager
def missing_extra(extra: str) -> Iterator[None]:
    """Around imports of packages that only an extra of pyproject.toml brings.

    Raises:
        ItadakiError: one is not installed; the message says how to install it.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        raise ItadakiError(
            f"{error.name} is not installed; in the project's folder run: "
            f'python -m pip install -e ".[{extra}]"'
        ) from None
