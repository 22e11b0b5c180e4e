"""The failures that a user can mend; each message is a sentence that says how."""

import errno
import os
import socket
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any


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


class DecodingBusyError(ItadakiError):
    """Other photos take the memory that this one needs to be decoded; it may come again."""


class IndexUnavailableError(ItadakiError):
    """A server that is searched does not answer as it should."""


class StorageError(ItadakiError):
    """A file cannot be written: the disk is full, or this user may not write there."""


_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_NO_RIGHT = (errno.EACCES, errno.EPERM, errno.EROFS)


def storage_error(error: OSError, path: Path | None = None) -> StorageError:
    """Say what the system refused, and what to do.

    Args:
        error: the refusal.
        path: what was to be written; by default the error's own file, if it names one.
    """
    where = path or Path(str(error.filename2 or error.filename or "A file"))
    # Of a file that is written beside, the user knows the one that it was to become.
    where = where.with_name(where.name.removeprefix(f".{os.getpid()}."))
    said = f"{where} cannot be written or opened ({error.strerror or error})."
    if error.errno in _NO_ROOM:
        said += " Free some space on that disk and try again."
    elif error.errno in _NO_RIGHT:
        said += " Give this user the right to it, or set ITADAKI_HOME to a folder of its own."
    return StorageError(said)


def is_about_storage(error: BaseException | None) -> bool:
    """Whether a disk is full, or this user has no right to a file."""
    return isinstance(error, OSError) and error.errno in (*_NO_ROOM, *_NO_RIGHT)


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


_REQUIREMENTS = {
    "missing": "is missing",
    "extra_forbidden": "is not known",
    "bool_parsing": "must be true or false",
    "float_parsing": "must be a number",
    "float_type": "must be a number",
    "finite_number": "must be a number",
    "int_from_float": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_parsing_size": "must be a smaller number",
    "int_type": "must be a whole number",
    "greater_than": "must be more than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be at most {le}",
    "literal_error": "must be {expected}",
    "string_type": "must be text",
    "string_pattern_mismatch": "must not be empty, and hold no characters that are not allowed",
    "string_too_long": "must have at most {max_length} characters",
    "string_too_short": "must have at least {min_length} characters",
    "too_long": "must have at most {max_length} {unit}",
    "too_short": "must have at least {min_length} {unit}",
}


def requirement(problem: Mapping[str, Any]) -> str:
    """What a value must be, as the end of a sentence about it, from one of pydantic's errors."""
    context = dict(problem.get("ctx", {}))
    context["unit"] = "items" if context.get("field_type") == "List" else "characters"
    if problem["type"] == "value_error":
        return f"is not usable: {context['error']}"
    if problem["type"] in _REQUIREMENTS:
        return _REQUIREMENTS[problem["type"]].format_map(context)
    said = problem["msg"].removeprefix("Input ").removeprefix("should ").rstrip(".")
    return f"must {said}" if said != problem["msg"] else f"is not usable: {said}"


def damaged(why: str) -> ImageError:
    """The error of a photo whose file is truncated or damaged."""
    return ImageError(f"The photo is truncated or damaged: {why}.")


def reason(error: BaseException) -> str:
    """Why something failed, as a clause without numbers and names of classes.

    Errors of the network come wrapped in those of several libraries; the innermost one tells.
    """
    inner, seen = error, set()
    while id(inner) not in seen:
        seen.add(id(inner))
        causes = [getattr(inner, "reason", None), *inner.args, inner.__cause__]
        inner = next((one for one in causes if isinstance(one, BaseException)), inner)
    match inner:
        case socket.gaierror():
            return "its name cannot be looked up; is this machine online?"
        case TimeoutError():
            return "no answer came in time"
        case ssl.SSLCertVerificationError():
            return "its certificate cannot be trusted"
        case ssl.SSLError():
            return "no secure connection can be made"
        case OSError(strerror=str(said)):
            return f"{said[:1].lower()}{said[1:]}"
        case AttributeError() | LookupError() | TypeError():
            return "it does not hold what it should"
    lines = str(error).strip().splitlines()
    return lines[0].rstrip(".") if lines else type(error).__name__
