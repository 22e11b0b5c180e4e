"""Settings of the HTTP API, on top of the library's."""

from pydantic import Field

from itadaki.settings import Settings


class ApiSettings(Settings):
    """What the API reads from the environment (``ITADAKI_...``) and ``.env``."""

    max_upload_mb: int = Field(
        20, gt=0, description="The largest request body that is accepted, in megabytes."
    )
    cors_origins: list[str] = Field(
        [], description="Web origins whose pages may call the API, as a JSON list."
    )
    inference_threads: int = Field(
        1,
        ge=1,
        description="Searches that run at the same time; one already uses all cores for its photo.",
    )
    queue_length: int = Field(
        32,
        ge=0,
        description="Searches that may wait for a thread; the next one is answered with 503.",
    )
