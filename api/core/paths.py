"""What a request's path is called here."""

from starlette.types import Scope


def route_path(scope: Scope) -> str:
    """The path as routes know it: without the prefix that a server under ``--root-path`` adds."""
    return scope["path"].removeprefix(scope.get("root_path", ""))
