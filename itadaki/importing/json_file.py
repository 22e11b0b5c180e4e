"""JSON files, which several programs write: finds out whose it is."""

import json
from collections.abc import Iterator
from pathlib import Path

from itadaki.errors import reason
from itadaki.importing import mealie, schema_org, tandoor
from itadaki.importing.found import Found, Photos, Unusable


def read(path: Path, origin: str, photos: Photos) -> Iterator[Found | Unusable]:
    """Read the recipes of a JSON file."""
    try:
        data = json.loads(path.read_bytes())
    except ValueError as error:
        yield Unusable(origin, f"it is no JSON: {reason(error)}")
        return
    for reader in (mealie, tandoor):
        if reader.is_ours(data):
            yield from reader.read(data, path, origin, photos)
            return
    yield from schema_org.read_json(data, path, origin, photos)
