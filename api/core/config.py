"""Settings of the HTTP API, on top of the library's."""

import re
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AfterValidator, Field, IPvAnyNetwork, SecretStr

from itadaki.settings import Settings

if TYPE_CHECKING:  # a service without a rate limit starts without it
    from limits import RateLimitItem


def rate_limits(text: str) -> "list[RateLimitItem]":
    """Read limits such as ``60/minute; 1000/day``; raises ValueError if they are none."""
    if not text:
        return []
    from limits import parse_many

    return parse_many(text)


def _checked_rate_limit(text: str) -> str:
    try:
        if any(limit.amount < 1 for limit in rate_limits(text)):
            raise ValueError
    except ValueError:
        raise ValueError("write it like 60/minute, or 5/second; 1000/day") from None
    return text


def _checked_host(host: str) -> str:
    if not re.fullmatch(r"\*|(\*\.)?[a-z0-9._-]+|\[?[0-9a-f:.]+\]?", host := host.lower()):
        raise ValueError("write hosts without port, like cooks.example, *.cooks.example or *")
    return host


class ApiSettings(Settings):
    """What the API reads from the environment (``ITADAKI_...``) and ``.env``."""

    collections: list[str] = Field(
        [],
        description="Names of imported collections that are served beside the dataset, as a JSON "
        "list; requests choose one by its name.",
    )
    api_key: SecretStr | None = Field(
        None,
        min_length=8,
        description="The key that clients must send as X-API-Key or as a bearer token; without it "
        "the API is open, and over HTTP nobody may reload it or change recipes.",
    )
    rate_limit: Annotated[str, AfterValidator(_checked_rate_limit)] = Field(
        "",
        description="Requests to the API that one client address may send, like 60/minute; the "
        "next one is answered with 429. A batch counts each photo. Requests without the right key "
        "are counted for themselves, within the same limit.",
    )
    allowed_hosts: list[Annotated[str, AfterValidator(_checked_host)]] = Field(
        [],
        description="Hosts that clients may ask for beside localhost and the address that they "
        'reach the service at, as a JSON list: names, addresses, "*.example.com" or "*"; others '
        "are answered with 421. Behind a proxy: the names that it passes on.",
    )
    cors_origins: list[str] = Field(
        [], description="Web origins whose pages may call the API, as a JSON list."
    )
    trusted_proxies: list[IPvAnyNetwork] = Field(
        [],
        description="Addresses or networks of reverse proxies, as a JSON list; only their "
        "X-Forwarded-For and X-Forwarded-Proto are believed.",
    )
    docs: bool = Field(True, description="Serve /docs and /openapi.json.")
    log_format: Literal["text", "json"] = Field(
        "text", description="Log lines for people (text) or for programs (json)."
    )
    max_upload_mb: int = Field(
        20, gt=0, description="The largest request body that is accepted, in megabytes."
    )
    max_uploads_mb: int = Field(
        200,
        gt=0,
        description="Bodies of all requests that are in work, in megabytes of memory; beyond it, "
        "or for one client beyond half of it, the answer is 503.",
    )
    upload_seconds: float = Field(
        30, gt=0, description="A body that takes longer to arrive is answered with 408."
    )
    inference_threads: int | None = Field(
        None,
        ge=1,
        description="Searches that run at the same time, each on one core; a search that is alone "
        "uses all cores. Of one client one less run, or fewer while others ask, too. Without it "
        "one more than there are cores.",
    )
    queue_length: int = Field(
        32,
        ge=0,
        description="Searches that may wait for a thread; the next one is answered with 503.",
    )
