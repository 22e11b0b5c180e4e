"""The facts in front of a Markdown text: YAML between ``---``, or TOML between ``+++``."""

import re
import tomllib
from typing import Any

from itadaki.importing.budget import RefusedError

MAX_FACTS = 100_000
"""Characters."""
_LINE = re.compile(r"([\w-][\w .-]{0,40}):(?:[ \t]+(.*))?")


def split(text: str) -> tuple[dict[str, Any], str]:
    """The facts in front of a text, and the rest of it.

    Raises:
        RefusedError: they are written so that they may unfold to far more than they are.
    """
    lines = text.split("\n")
    mark = lines[0].rstrip()
    ends = {"---": ("---", "..."), "+++": ("+++",)}.get(mark)
    if not ends:
        return {}, text
    end = next((n for n, line in enumerate(lines) if n and line.rstrip() in ends), None)
    if not end:
        return {}, text
    given = "\n".join(lines[1:end])
    if len(given) > MAX_FACTS:
        raise RefusedError(f"its front matter has more than {MAX_FACTS:,} characters")
    facts = _toml(given) if mark == "+++" else _yaml(given)
    return facts, "\n".join(lines[end + 1 :])


def _toml(given: str) -> dict[str, Any]:
    try:
        return tomllib.loads(given)
    except ValueError:
        return _by_line(given.replace(" = ", ": "))


def _yaml(given: str) -> dict[str, Any]:
    import yaml

    class Loader(yaml.SafeLoader):
        """Takes no aliases: a few hundred bytes of them may stand for gigabytes."""

        def compose_node(self, parent: Any, index: Any) -> Any:
            if self.check_event(yaml.AliasEvent):
                raise RefusedError("its front matter has aliases (*name), which are not read")
            return super().compose_node(parent, index)

    try:
        facts = yaml.load(given, Loader)
    except (yaml.YAMLError, ValueError, TypeError):  # the latter two of dates and keys
        return _by_line(given)
    return {str(key): value for key, value in facts.items()} if isinstance(facts, dict) else {}


def _by_line(given: str) -> dict[str, Any]:
    """Facts that are no YAML because of a colon, a bracket or a sign in a text without quotes."""
    facts: dict[str, Any] = {}
    key = ""
    for line in given.split("\n"):
        if found := _LINE.fullmatch(line.rstrip()):
            key, value = found[1], (found[2] or "").strip()
            facts[key] = value.strip("\"'")
        elif key and (item := re.fullmatch(r"\s*- +(\S.*)", line.rstrip())):
            before = facts[key]
            facts[key] = [*(before if isinstance(before, list) else []), item[1].strip("\"'")]
    return facts
