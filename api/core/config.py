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
