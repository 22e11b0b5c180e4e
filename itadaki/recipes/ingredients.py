"""The words of ingredients: what the lines of a recipe name, and what a question asks for.

Words are compared by their stems, without accents. ``ingredients.yaml`` holds what stems cannot
tell: that a walnut is a nut, and a butternut is none.
"""

import re
import unicodedata
from collections.abc import Iterable
from functools import cache, lru_cache
from hashlib import sha256
from importlib.metadata import version
from itertools import chain, pairwise
from pathlib import Path
from typing import Any, NamedTuple

_FILE = Path(__file__).with_suffix(".yaml")
_MEMBER, _CARRIER, _EXCEPTION, _WITHOUT = "=", "~", "", "without"
"""What a phrase is to a family; the first two begin the family's terms."""

_UNLISTED = _CARRIER
"""The term of recipes that list no ingredients: they may be made with anything."""

_KINDS = {"exceptions": _EXCEPTION, "members": _MEMBER, "carriers": _CARRIER, "without": _WITHOUT}
_ORDER = {_EXCEPTION: 0, _MEMBER: 1, _CARRIER: 2}
_LETTERS = str.maketrans(
    {"œ": "oe", "æ": "ae", "ø": "o", "ł": "l", "ı": "i", "’": "'", "&": " and "}
)
_APART = re.compile(r"[,;:/\n]|[ (\[](?:or|free.(?:range|run|from|of))\b")
_BRACKET = re.compile(r"[()\[\]]")
_ENDS_WITHOUT = {"and", "plus", "with"}
_POSSESSIVE = re.compile(r"'s\b")
_WORD = re.compile(r"[^\W_]+")

Words = tuple[str, ...]


class _Phrase(NamedTuple):
    words: Words
    family: str
    kind: str


class _Span(NamedTuple):
    start: int
    end: int
    kind: str


def ingredient_terms(ingredients: Iterable[str]) -> set[str]:
    """What a recipe can be found by: words, pairs of neighbouring words, and families.

    A pair is written without a space, so that "corn starch" and "cornstarch" are the same.

    >>> sorted(ingredient_terms(["2 EGGS", "Jalapeño, olive oil"]))
    ['2', '2egg', '=egg', 'egg', 'jalapeno', 'oil', 'oliv', 'olivoil']
    """
    terms: set[str] = set()
    for ingredient in ingredients:
        for part in _APART.split(folded(ingredient)):
            pieces = [_stems(piece) for piece in _BRACKET.split(part)]
            words = list(chain.from_iterable(pieces))  # "plain (all-purpose) flour"
            terms.update(words, map("".join, pairwise(words)), *map(_families_in, pieces))
    return terms or {_UNLISTED}


def asked_terms(ingredient: str, exclude: bool = False) -> list[list[str]]:
    """What a recipe's terms must hold for it to name an ingredient: one of each list.

    Of more than two words each neighbouring pair is asked for. The name of a family asks for all
    of its members. What is to be excluded is asked without words such as "whole" or "no"; of a
    family also what may be made with it; and of recipes that list no ingredients.

    >>> asked_terms("olive oil"), asked_terms("nuts"), asked_terms("nuts", exclude=True)
    ([['olivoil']], [['=nut']], [['=nut', '~nut', '~']])
    """
    words = _stems(folded(ingredient))
    if exclude and words not in _names():
        words = tuple(word for word in words if word not in _qualifiers()) or words
    if families := _names().get(words):
        kinds = _MEMBER + _CARRIER if exclude else _MEMBER
        asked = [[kind + family for family in families for kind in kinds]]
    else:
        asked = [[term] for term in map("".join, pairwise(words))] or [list(words)]
    return [[*terms, _UNLISTED] for terms in asked] if exclude and words else asked


def edition() -> str:
    """A name for what terms mean; where it is another, they must be made anew."""
    return f"{sha256(_FILE.read_bytes()).hexdigest()} {version('snowballstemmer')}"


def folded(text: str) -> str:
    """A text in lower case, without accents, characters that nobody sees and the "'s" of words."""
    text = text.casefold().translate(_LETTERS)
    if not text.isascii():
        # One by one: the order of the accents of a letter, of which there may be a hundred
        # thousand, does not matter, and to bring them into one takes their number's square.
        letters = "".join(unicodedata.normalize("NFKD", letter) for letter in text)
        text = "".join(c for c in letters if unicodedata.category(c) not in ("Mn", "Cf"))
    return _POSSESSIVE.sub("", text)


def _stems(folded: str) -> Words:
    return tuple(map(stem, _WORD.findall(folded)))


@lru_cache(maxsize=2**14)
def stem(word: str) -> str:
    import snowballstemmer  # for 30 languages: a search by a photo needs none

    # A stemmer of its own for each word, as threads must not share one.
    return _spellings().get(word) or snowballstemmer.stemmer("english").stemWord(word)


def _families_in(words: Words) -> list[str]:
    """The terms of the families that words name."""
    phrases = _phrases()
    spans: dict[str, list[_Span]] = {}
    for start, word in enumerate(words):
        for phrase in phrases.get(word, ()):
            end = start + len(phrase.words)
            if words[start:end] != phrase.words:
                continue
            kind = phrase.kind
            if kind == _WITHOUT:
                kind = _EXCEPTION
                while end < len(words) and words[end] not in _ENDS_WITHOUT:
                    end += 1
            spans.setdefault(phrase.family, []).append(_Span(start, end, kind))
    terms: list[str] = []
    for family, parts in _parts_of_families().items() if spans else ():
        found = spans.get(family, [])
        for part in parts:
            found = found + spans.get(part, [])
        if found:
            spans[family] = _counting(found)
            terms += {span.kind + family for span in spans[family]}
    return terms


def _counting(spans: list[_Span]) -> list[_Span]:
    """The members and carriers among what says something of one family.

    Of spans that share words the longest counts, of equally long ones the exception.
    """
    taken: set[int] = set()
    counting = []
    for span in sorted(spans, key=lambda span: (span.start - span.end, _ORDER[span.kind])):
        positions = range(span.start, span.end)
        if taken.isdisjoint(positions):
            taken.update(positions)
            if span.kind != _EXCEPTION:
                counting.append(span)
    return counting


@cache
def _data() -> dict[str, Any]:
    import yaml

    data: dict[str, Any] = yaml.safe_load(_FILE.read_text(encoding="utf-8"))
    return data


@cache
def _qualifiers() -> set[str]:
    return {stem(word) for word in _data()["qualifiers"]}


@cache
def _spellings() -> dict[str, str]:
    return {word: read for read, words in _data()["spellings"].items() for word in words}


@cache
def _phrases() -> dict[str, list[_Phrase]]:
    """What is said of families, by the first word of each phrase."""
    phrases: dict[str, list[_Phrase]] = {}
    for family, lists in _data()["families"].items():
        free = [f"{name} free" for name in lists["asked"]]
        lists = lists | {
            "members": lists["asked"] + lists.get("members", []),
            "without": free + lists.get("without", []),
        }
        for key, kind in _KINDS.items():
            for text in lists.get(key, []):
                words = _stems(folded(text))
                phrases.setdefault(words[0], []).append(_Phrase(words, family, kind))
    return phrases


@cache
def _parts_of_families() -> dict[str, list[str]]:
    """For each family those that belong to it, which come before it."""
    return {family: lists.get("parts", []) for family, lists in _data()["families"].items()}


@cache
def _names() -> dict[Words, list[str]]:
    """The families that each name asks for."""
    names: dict[Words, list[str]] = {}
    for family, lists in _data()["families"].items():
        for name in lists["asked"]:
            names.setdefault(_stems(folded(name)), []).append(family)
    return names
