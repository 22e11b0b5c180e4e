"""What the endpoints about collections answer."""

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel


class CollectionResponse(BaseModel):
    """A collection that is served."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    name: str = Field(description="What requests give as collection.")
    is_default: bool = Field(description="Meant where a request names no collection.")
    recipes: int
    may_change: bool = Field(
        description="Whether its recipes can be added, changed and removed; so it is with "
        "collections that were imported."
    )
