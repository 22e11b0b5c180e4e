"""What a search in words asks for, and what it asks to leave out."""

import re
from dataclasses import dataclass

from itadaki.recipes.glossary import units
from itadaki.recipes.ingredients import folded

_NEGATION = re.compile(
    r"(?<![\w-])(?:pas d'|(?:without|no|not|w/o|minus|except|sans|pas de|ohne|keine?n?|nicht|sin|"
    r"senza|niente)(?!\w))"
)
_MINUS = re.compile(r"(?:^|(?<=\s))-\s?(?=[^\W\d_])(\w+)")
_FREE = re.compile(r"(\w+)[- ](?:free|frei|freie)\b|(\w{4,})frei(?:e[rns]?)?\b")
_METHODS = re.compile(r"no[- ](?:bake|knead|churn|cook|fuss)\b")
"""What sounds like something left out, and is a way of cooking."""
_ENDS = re.compile(
    r"\b(?:with|but|for|on|in|avec|mais|pour|mit|aber|für|auf|con|pero|para|per|ma)\b|[.;!?]"
)
_DIETS = {
    "vegetarian": ("meat", "fish", "shellfish"),
    "vegan": ("meat", "fish", "shellfish", "dairy", "egg", "honey"),
}


@dataclass(frozen=True)
class Asked:
    """A search in words, taken apart.

    Attributes:
        wanted: what recipes should be of; may be empty.
        unwanted: names of ingredients, English where the glossary has them.
    """

    wanted: str
    unwanted: tuple[str, ...] = ()


def asked(words: str) -> Asked:
    """Take a search in words apart.

    What follows "without", "no", "sans", "ohne", "sin" or "senza", up to "with" and the like, is
    not wanted, nor is a word after "-" or before "-free". Who asks for a vegetarian or vegan dish
    does not want meat.

    >>> asked("tomato soup -cream"), asked("Pfannkuchen ohne Eier und Milch")
    (Asked(wanted='tomato soup', unwanted=('cream',)), \
Asked(wanted='pfannkuchen', unwanted=('egg', 'milk')))
    """
    text = folded(words)
    said: list[str] = []
    for pattern in (_MINUS, _FREE):
        found = [next(filter(None, match.groups())) for match in pattern.finditer(text)]
        said += found
        text = pattern.sub(" ", text) if found else text
    kept, position = "", 0
    methods = [match.span() for match in _METHODS.finditer(text)]
    while match := _NEGATION.search(text, position):
        if any(start <= match.start() < end for start, end in methods):
            kept += text[position : match.end()]
            position = match.end()
            continue
        kept += text[position : match.start()] + " "
        ends = _ENDS.search(text, match.end())
        position = ends.start() if ends else len(text)
        phrase = text[match.end() : position]
        if not units(kept) and not ends:  # "no onion soup"
            first, *others = phrase.split(maxsplit=1)[:2] or [""]
            phrase, kept = first, kept + " ".join(others)
        said.append(phrase)
    wanted = " ".join((kept + text[position:]).split())
    unwanted = [name for phrase in said for name in _names(phrase)]
    for unit in units(wanted):
        for concept in unit.concepts:
            unwanted += _DIETS.get(concept, ())
    return Asked(wanted, tuple(dict.fromkeys(unwanted)))


def _names(phrase: str) -> list[str]:
    return [name for unit in units(phrase) for name in unit.concepts[:2] or (" ".join(unit.words),)]
