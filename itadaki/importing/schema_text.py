"""The lines in what pages and programs write in the place of a text of schema.org."""

import html
import json
import re
from typing import Any

from itadaki.importing.found import lines

_BLOCK = re.compile(
    r"(?i)</?(?:br|p|li|ul|ol|div|tr|table|tbody|dl|dt|dd|h[1-6]|section|article|blockquote)\b"
)
_TAG = re.compile(r"<[^<>]*>")
_IS_TAG = re.compile(r"</?[A-Za-z]|<!|<\?")
_NESTED_ENTITY = re.compile(r"&(?:amp;)+", re.I)
_LITERAL_END = re.compile(r"(?:\\r)?\\n")
_BULLET = re.compile(r"\s*[•▪◦‣∙]\s*")
_NUMBER = re.compile(r"(?:(?<=\s)|^)(\d{1,3})[.)]\s+(?=\S)")
_STEP_WORDS = (
    "step|stage|schritt|arbeitsschritt|étape|etape|paso|passo|passaggio|fase|stap|krok|steg|trin|"
    "vaihe|lépés|adım|pasul|шаг|крок|этап|βήμα|bước|langkah|步骤|步驟|手順|工程|단계|ステップ|第"
)
_LABEL = re.compile(
    rf"(?i)\W*(?:{_STEP_WORDS})?\W*"
    r"(?:\d{1,3}|one|two|three|four|five|six|seven|eight|nine|ten)\s*(?:步|단계)?\W*"
    r"(?:(?:of|von|de|di|sur|van|z)?\s*\d{1,3})?\W*"
)
_LONGEST_LABEL = 40


def one_line(text: str) -> str:
    """The text of a fragment of HTML, on one line."""
    return " ".join(_split(text, False))


def text_lines(text: str, alone: bool) -> list[str]:
    """The lines of a fragment of HTML.

    Args:
        text: the fragment, or text without any tags.
        alone: it is all that there is, so that its line ends, numbers and bullets part a list;
            beside others it is one item of a list, and only its tags part it.
    """
    found = _split(text, alone)
    if alone and len(found) == 1:
        found = _bullets(found[0]) or _numbered(found[0]) or found
    return found


def ingredient_lines(text: str) -> list[str]:
    """The ingredients in a text that holds all of them."""
    found = text_lines(text, True)
    return [one for one in map(str.strip, lines(found[0])) if one] if len(found) == 1 else found


def embedded(text: str) -> Any:
    """The list or object that a text holds as JSON; None if it holds none."""
    stripped = text.strip()
    if stripped[:1] + stripped[-1:] not in ("[]", "{}"):
        return None
    try:
        return json.loads(stripped, strict=False)
    except (ValueError, RecursionError):
        return None


def letters(text: object) -> str:
    """What of a text is letters and digits, in lower case, by which texts are compared."""
    words = " ".join(map(str, text)) if isinstance(text, list) else str(text)
    return "".join(filter(str.isalnum, words.casefold()))


def is_label(line: str) -> bool:
    """Whether a line only numbers a step, such as "Step 1"."""
    return len(line) <= _LONGEST_LABEL and _LABEL.fullmatch(line) is not None


def without_labels(steps: list[str]) -> list[str]:
    """The lines that do more than number a step; all of them if none does."""
    return [line for line in steps if not is_label(line)] or steps


def _split(text: str, at_ends: bool) -> list[str]:
    text = _LITERAL_END.sub("\n", _unescaped(text)) if "\\n" in text else _unescaped(text)
    if not at_ends:
        text = text.replace("\n", " ").replace("\r", " ")
    text = _TAG.sub(_without_tag, text).replace("\u200b", "").replace("u0026#039;", "'")
    if "((" in text and "))" in text:  # as WordPress' recipe plugins write notes
        text = text.replace("((", "(").replace("))", ")")
    return [line for line in (" ".join(line.split()) for line in text.splitlines()) if line]


def _unescaped(text: str) -> str:
    """The text without entities, which pages escape up to three times."""
    text = _NESTED_ENTITY.sub("&", text)
    return html.unescape(html.unescape(text)) if "&" in text else text


def _without_tag(tag: re.Match[str]) -> str:
    if not _IS_TAG.match(tag[0]):
        return tag[0]  # "(< 100 g, > 50 g)"
    return "\n" if _BLOCK.match(tag[0]) else ""


def _bullets(line: str) -> list[str]:
    items = [item for item in _BULLET.split(line) if item]
    return items if len(items) > 1 and _BULLET.match(line) else []


def _numbered(line: str) -> list[str]:
    """The parts of "1. Boil. 2. Eat."; nothing if the numbers do not count up from 1."""
    starts, wanted = [], 1
    for found in _NUMBER.finditer(line):
        if int(found[1]) == wanted:
            starts.append(found.start())
            wanted += 1
    if len(starts) < 2 or starts[0] != 0:
        return []
    return [line[a:b].strip() for a, b in zip(starts, [*starts[1:], len(line)], strict=True)]
