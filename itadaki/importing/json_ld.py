"""Reads JSON as people's pages have it, which is not always JSON."""

import html
import json
import re
from typing import Any

_WRAPPING = re.compile(r"(?:\s|\ufeff|//|/\*|\*/|<!--|-->|<!\[CDATA\[|\]\]>|--(?=>)|;|,|\u200b)+")
_BAD_ESCAPE = re.compile(r'\\(u[0-9a-fA-F]{4}|["\\/bfnrt])|\\')
_NO_JSON = re.compile(
    r'"(?:[^"\\]|\\.)*+"?|(?P<comment>//[^\n]*|/\*(?:.*?\*/|.*+)|,(?=\s*[}\]]))', re.DOTALL
)
"""A text, or what no JSON has between texts: a comment, or a comma before a closing bracket."""
_DECODER = json.JSONDecoder(strict=False)


def read_values(script: str) -> list[Any]:
    """The values of a JSON-LD script, one after the other.

    Wrappings of comments and CDATA, semicolons and commas behind, line ends in texts, comments,
    trailing commas, escapes that JSON does not have, and entities in the place of quotes are
    forgiven. A text that ends too early is not: what is missing cannot be known.

    Raises:
        ValueError: it is no JSON.
    """
    try:
        return _values(script)
    except ValueError as error:
        problem = error
    for mend in (_without_comments, _without_bad_escapes, _unescaped):
        script = mend(script)
        try:
            return _values(script)
        except ValueError:
            continue
    raise problem


def _values(script: str) -> list[Any]:
    values: list[Any] = []
    at = 0
    while True:
        skipped = _WRAPPING.match(script, at)
        at = skipped.end() if skipped else at
        if at >= len(script) or (values and "{" not in script[at:]):  # scraps behind the last one
            return values
        value, at = _DECODER.raw_decode(script, at)
        values.append(value)


def _without_bad_escapes(script: str) -> str:
    return _BAD_ESCAPE.sub(lambda found: found[0] if found[1] else "", script)


def _without_comments(script: str) -> str:
    return _NO_JSON.sub(lambda found: "" if found["comment"] else found[0], script)


def _unescaped(script: str) -> str:
    return html.unescape(script) if "&quot;" in script or "&#34;" in script else script
