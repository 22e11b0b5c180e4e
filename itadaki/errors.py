"""The failures that a user can mend; each message is a sentence that says how."""


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
