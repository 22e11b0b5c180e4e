"""Refuses what a request names and nobody would read."""

from collections import Counter
from typing import Any

from fastapi import Request

from itadaki.errors import QueryError

_LONGEST = 60  # characters of an unknown name that are said back


async def only_known_fields(request: Request) -> None:
    """Dependency of all routes; those that OpenAPI does not list are the page's, and take anything.

    A misspelt filter that is ignored gives a wrong answer that looks right.

    Raises:
        QueryError: a form field or a query parameter is not one of the route's, or comes twice.
    """
    document = request.app.openapi()
    operations = document["paths"].get(request.scope["route"].path, {})
    if (operation := operations.get(request.method.lower())) is None:
        return
    parameters = operation.get("parameters", [])
    query = {each["name"]: each["schema"] for each in parameters if each["in"] == "query"}
    form = _form_fields(document, operation)
    _check("query parameter", request.query_params.multi_items(), query, _listed("form", form))
    if form:
        sent = (await request.form()).multi_items()
        _check("form field", sent, form, _listed("query", query))


def _form_fields(document: dict[str, Any], operation: dict[str, Any]) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for content in operation.get("requestBody", {}).get("content", {}).values():
        name = content["schema"]["$ref"].rsplit("/", 1)[-1]
        fields = document["components"]["schemas"][name]["properties"]
    return fields


def _listed(place: str, known: dict[str, Any]) -> str:
    return f"in the {place}: {', '.join(known)}" if known else ""


def _check(kind: str, sent: list[tuple[str, Any]], known: dict[str, Any], elsewhere: str) -> None:
    for name, times in Counter(name for name, _ in sent).items():
        said = repr(name[:_LONGEST])
        if name not in known:
            here = f"it takes {', '.join(known) or 'none'}"
            also = f" ({elsewhere})" if elsewhere else ""
            raise QueryError(f"There is no {kind} {said} in this request; {here}{also}.")
        if times > 1 and known[name].get("type") != "array":
            raise QueryError(f"The {kind} {said} is given {times} times; give it once.")
