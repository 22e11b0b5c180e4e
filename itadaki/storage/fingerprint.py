"""What shaped an artifact, as hashes: whoever finds one can tell whether it is still what today's
code and knobs would make."""

import ast
import hashlib
import inspect
import json
from collections.abc import Callable
from functools import cache
from textwrap import dedent
from types import ModuleType
from typing import Any


def fingerprint(**facts: Any) -> str:
    """Hash facts that JSON can hold: 64 hexadecimal digits, which any other value changes."""
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def code_fingerprint(*parts: ModuleType | Callable[..., Any]) -> str:
    """Hash what modules or functions do: 16 hexadecimal digits.

    Docstrings, lines of comment, blank lines and imports do not count: better words, or a module
    that has moved, throw nothing away.
    """
    return hashlib.sha256("".join(map(_code, parts)).encode()).hexdigest()[:16]


@cache
def _code(part: ModuleType | Callable[..., Any]) -> str:
    source = dedent(inspect.getsource(part))
    lines = source.splitlines()
    for node in ast.walk(ast.parse(source)):
        match node:
            case (
                ast.Expr(value=ast.Constant(value=str()), lineno=first, end_lineno=int(last))
                | ast.Import(lineno=first, end_lineno=int(last))
                | ast.ImportFrom(lineno=first, end_lineno=int(last))
            ):
                lines[first - 1 : last] = [""] * (last - first + 1)
    kept = (line.rstrip() for line in lines if line.strip() and not line.lstrip().startswith("#"))
    return "\n".join(kept)
