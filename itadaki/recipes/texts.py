"""The forms that the texts of a recipe are brought into before they are kept or compared."""

import re
import unicodedata
from collections.abc import Iterable
from typing import Any

MAX_MINUTES = 1_000_000
"""Of a time that is believed: two years."""
_COMPARED = 200
"""Characters of a keyword."""
_BETWEEN_KEYWORDS = re.compile("[,;\n]")
_PERIOD = re.compile(
    r"P(?:(?P<week>\d+)W)?(?:(?P<day>[\d.]+)D)?"
    r"(?:T(?:(?P<hour>[\d.]+)H)?(?:(?P<minute>[\d.]+)M)?(?:[\d.]+S)?)?",
    re.IGNORECASE,
)
_SPOKEN = re.compile(
    r"(?P<number>\d+(?:[.,]\d+)?)\s*(?:"
    r"(?P<day>d\b|days?|tage?|jours?|d[ií]as?|giorn[oi]|dagen|dag(?:ar)?)|"
    r"(?P<hour>h\b|hrs?\b|hours?|std|stunden?|heures?|horas?|or[ae]\b|uur|uren|godz|tim)|"
    r"(?P<minute>m\b|min))",
    re.IGNORECASE,
)
_CLOCK = re.compile(r"(?i)\b(\d+)\s*[h:]\s*(\d{2})\b")
_MINUTES = {"week": 7 * 24 * 60, "day": 24 * 60, "hour": 60, "minute": 1}


def one_line(text: str) -> str:
    """Text on one line, without control characters and with single spaces."""
    return " ".join(tidy(text).split())


def tidy(text: str) -> str:
    """Text that a CSV gives back as it was: no control characters, one kind of line end."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").encode("utf-8", "replace").decode()
    return re.sub(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", "", text).strip()


def keyword_list(texts: Iterable[str]) -> list[str]:
    """Keywords, each once and on one line; commas, semicolons and line ends part them.

    >>> keyword_list(["Soup, quick", "soup"])
    ['Soup', 'quick']
    """
    parts = (one_line(part) for text in texts for part in _BETWEEN_KEYWORDS.split(tidy(text)))
    kept: dict[str, str] = {}
    for part in filter(None, parts):
        kept.setdefault(keyword_key(part), part)
    return list(kept.values())


def keyword_key(keyword: str) -> str:
    """What keywords are compared by: neither case nor accents matter."""
    # Bringing characters into one form takes the square of the length at worst.
    plain = unicodedata.normalize("NFKD", keyword[:_COMPARED].casefold())
    return " ".join("".join(c for c in plain if not unicodedata.combining(c)).split()) or keyword


def minutes(value: Any) -> int:
    """How long something takes, of a number of minutes, an ISO 8601 duration or words.

    >>> minutes("PT1H30M"), minutes("1 Std. 5 Min."), minutes("45"), minutes("overnight")
    (90, 65, 45, 0)

    Returns:
        Whole minutes; 0 if that is not said, or not believed.
    """
    text = _CLOCK.sub(r"\1 h \2 min", str(value or "").strip()[:200])
    if re.fullmatch(r"\d+(?:\.\d+)?", text):
        found = float(text)
    elif period := _PERIOD.fullmatch(text):
        found = sum(_number(part) * _MINUTES[unit] for unit, part in period.groupdict().items())
    else:
        found = sum(
            _number(part["number"]) * _MINUTES[unit]
            for part in _SPOKEN.finditer(text)
            if (unit := part.lastgroup)
        )
    return round(found) if found <= MAX_MINUTES else 0


def web_address(text: str) -> str:
    """The text if it is an address on the web, else none."""
    text = one_line(text)
    return text if re.fullmatch(r"(?i)https?://[^\s\"<>]+", text) else ""


def _number(text: str | None) -> float:
    try:
        return float((text or "0").replace(",", "."))
    except ValueError:
        return 0.0
