"""What people read when something goes wrong."""

import socket
import ssl
import urllib.error

import pytest
import urllib3
from pydantic import BaseModel, Field, SecretStr, ValidationError

from itadaki.errors import reason, requirement


def connection_error() -> Exception:
    """As requests and kagglehub wrap it."""
    unknown = socket.gaierror(-2, "Name or service not known")
    wrapped = urllib3.exceptions.NameResolutionError("api.kaggle.com", None, unknown)
    wrapped.__cause__ = unknown
    return OSError(urllib3.exceptions.MaxRetryError(None, "/v1", wrapped))


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (urllib.error.URLError(socket.gaierror(-2, "Name or service not known")), "online?"),
        (connection_error(), "its name cannot be looked up"),
        (PermissionError(13, "Permission denied", "/some/file"), "permission denied"),
        (OSError(28, "No space left on device"), "no space left on device"),
        (urllib.error.URLError(TimeoutError("timed out")), "no answer came in time"),
        (urllib3.exceptions.ProtocolError("Aborted", ConnectionResetError(104, "Reset")), "reset"),
        (ssl.SSLCertVerificationError(1, "[SSL: X] failed (_ssl.c:1006)"), "certificate"),
        (ssl.SSLError(1, "[SSL: WRONG_VERSION] wrong (_ssl.c:1006)"), "no secure connection"),
        (KeyError("next_id"), "it does not hold what it should"),
        (AttributeError("'list' object has no attribute 'get'"), "it does not hold what it"),
        (ValueError("Two lines.\nof text"), "Two lines"),
        (RuntimeError(), "RuntimeError"),
    ],
)
def test_reasons_are_words(error, says):
    said = reason(error)
    assert says in said
    assert not any(jargon in said for jargon in ("Errno", "[", "<", "object at", "\n"))


def test_requirements_are_words():
    class Form(BaseModel):
        count: int = Field(ge=1, le=10)
        share: float = Field(lt=1)
        name: str = Field(max_length=3)
        photos: list[int] = Field(max_length=1)
        exact: bool
        key: SecretStr = Field(min_length=8)

    wrong = {
        "count": 11,
        "share": "x",
        "name": "long",
        "photos": [1, 2],
        "exact": "perhaps",
        "key": "x",
    }
    with pytest.raises(ValidationError) as caught:
        Form.model_validate(wrong)
    assert {one["loc"][0]: requirement(one) for one in caught.value.errors()} == {
        "count": "must be at most 10",
        "share": "must be a number",
        "name": "must have at most 3 characters",
        "photos": "must have at most 1 items",
        "exact": "must be true or false",
        "key": "must have at least 8 characters",
    }
