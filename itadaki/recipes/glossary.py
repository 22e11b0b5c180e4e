"""What words of five languages mean: the concepts of food that a text names.

``glossary.txt`` holds them. It is known by heart, not learned, so that *Tomatensuppe*, *soupe à la
tomate* and *tomato soup* are the same to a search whatever the recipes were that it was trained on.
"""

import re
from collections.abc import Iterator
from functools import cache, lru_cache
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from itadaki.recipes.ingredients import folded, stem

_FILE = Path(__file__).with_suffix(".txt")
_WORD = re.compile(r"[^\W_]+")
_ENDING = re.compile(r"(?<=\w{4})(?:ees|ee|ies|ie|os|as|es|is|en|e|(?<=[lr])n|(?<!s)s|a|o|i)$")
"""Of plurals and genders that English stems keep: Tomaten, pomodori, rossa."""
_LINKS = ("", "s", "n", "en", "e", "es", "er")
"""What German puts between the parts of a compound."""
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"})
_DOUBTFUL = "?"
"""Marks forms that are English words, too; they count only where the text is foreign otherwise."""
_PART = 4  # letters that a part of a compound has at least
_SHORT_PARTS = ("eis", "tee")
_LONGEST = 40  # letters of a word that is looked up in parts


class Unit(NamedTuple):
    """A word or a phrase of a text.

    Attributes:
        words: its words in lower case, without accents.
        concepts: English names of what it may mean; none where the glossary lacks it.
    """

    words: tuple[str, ...]
    concepts: tuple[str, ...]

    @property
    def is_english(self) -> bool:
        """Whether the glossary has it among the English names."""
        glossary = _glossary()
        stems = tuple(map(_key, self.words))
        return self.words in glossary.english or (
            stems in glossary.english_stems and self.words not in glossary.literal
        )


class _Form(NamedTuple):
    keys: tuple[str, ...]
    concept: str
    doubtful: bool


def units(text: str) -> list[Unit]:
    """The words and phrases of a text that say something, in its order.

    >>> units("Suppe mit Kartoffeln")
    [Unit(words=('suppe',), concepts=('soup',)), Unit(words=('kartoffeln',), concepts=('potato',))]
    >>> [unit.concepts for unit in units("Zwiebelkuchen, xyz")]
    [('onion',), ('cake',), ()]
    """
    glossary = _glossary()
    small = glossary.foreign | glossary.small
    words = _WORD.findall(folded(text))
    foreign = (
        not text.isascii() or any(word in glossary.foreign for word in words) or len(words) == 1
    )
    found: list[Unit] = []
    start = 0
    while start < len(words):
        length, concepts = _longest(tuple(words[start : start + _most_words()]), foreign)
        said = tuple(words[start : start + length])
        start += length
        if concepts:
            found.append(Unit(said, concepts))
        elif said[0] not in small and len(said[0]) > 1:
            found += _parts(said[0]) or [Unit(said, ())]
    return found


def kinds_of(concept: str) -> tuple[str, ...]:
    """What is a kind of it, as names of concepts or words: of soup, gazpacho."""
    return _glossary().kinds.get(concept, ())


def is_basic(concept: str) -> bool:
    """Whether it does not tell food from other things by itself: oil, red."""
    return concept in _glossary().basic


def single_words() -> frozenset[str]:
    """All words that are a form by themselves, folded."""
    return frozenset(word for word in _glossary().single if len(word) > 3)


def _longest(words: tuple[str, ...], foreign: bool) -> tuple[int, tuple[str, ...]]:
    """How many of the words, from the first on, are a form, and of which concepts."""
    literal, exact, light, english, *_ = _glossary()
    for length in range(len(words), 0, -1):
        found: list[str] = []
        for forms, key in ((literal, str), (exact, _key), (light, _light)):
            found += (
                form.concept
                for form in forms.get(tuple(map(key, words[:length])), ())
                if foreign or not form.doubtful
            )
            if words[:length] in english or (found and forms is exact and not foreign):
                break  # "fries" are not fried
        if found:
            return length, tuple(dict.fromkeys(found))
    return 1, ()


@lru_cache(maxsize=2**13)
def _parts(word: str) -> list[Unit]:
    """The parts of a compound, each of them known; none if it is not made of known ones."""
    if len(word) > _LONGEST:
        return []
    for cut in range(_PART, len(word) - 2):
        left, right = word[:cut], word[cut:]
        if len(right) < _PART and right not in _SHORT_PARTS:
            continue
        tail = _concepts_of(right)
        more = [Unit((right,), tail)] if tail else _parts(right)
        for link in _LINKS if more else ():
            bare = left.removesuffix(link)
            head = _concepts_of(bare) if left.endswith(link) and len(bare) >= _PART else ()
            if head:
                return [Unit((left,), head), *more]
    return []


def _concepts_of(word: str) -> tuple[str, ...]:
    forms = _glossary().exact.get((_key(word),), ())
    return tuple(dict.fromkeys(form.concept for form in forms if not form.doubtful))


def _key(word: str) -> str:
    return stem(word)


@lru_cache(maxsize=2**13)
def _light(word: str) -> str:
    return _ENDING.sub("", word)


@cache
def _most_words() -> int:
    return max(map(len, _glossary().exact))


_Forms = dict[tuple[str, ...], list[_Form]]


class _Glossary(NamedTuple):
    """Forms by their words, by their stems and without endings; and more of the file."""

    literal: _Forms
    exact: _Forms
    light: _Forms
    english: set[tuple[str, ...]]
    english_stems: set[tuple[str, ...]]
    kinds: dict[str, tuple[str, ...]]
    single: set[str]
    foreign: frozenset[str]
    small: frozenset[str]
    basic: frozenset[str]


@cache
def _glossary() -> _Glossary:
    literal: _Forms = {}
    exact: _Forms = {}
    light: _Forms = {}
    english_forms: set[tuple[str, ...]] = set()
    english_stems: set[tuple[str, ...]] = set()
    kinds: dict[str, tuple[str, ...]] = {}
    single: set[str] = set()
    small: dict[str, frozenset[str]] = {}
    for line in _FILE.read_text(encoding="utf-8").splitlines():
        if not line or line.startswith("#"):
            continue
        if ">" in line:
            whole, parts = line.split(">")
            kinds[whole.strip()] = tuple(part.strip() for part in parts.split(","))
            continue
        if ":" in line:
            name, said = line.split(":")
            small[name] = frozenset(said.split())
            continue
        english = [name.strip() for name in line.split("=")[0].split(",")]
        for written in dict.fromkeys(_written(line)):
            words = tuple(_WORD.findall(folded(written.removeprefix(_DOUBTFUL))))
            form = _Form(words, english[0], written.startswith(_DOUBTFUL))
            if written in english:
                english_forms.add(words)
                english_stems.add(tuple(map(_key, words)))
            for forms, key in ((literal, str), (exact, _key), (light, _light)):
                if forms is light and written in english:
                    continue
                of_key = forms.setdefault(tuple(map(key, words)), [])
                if all(other.concept != form.concept for other in of_key):
                    of_key.append(form)
            joined = "".join(words)
            if len(words) == 1:
                single.add(words[0])
            elif len(words) == 2 and len(joined) > 6:  # "icecream"
                exact.setdefault((_key(joined),), []).append(form)
    return _Glossary(literal, exact, light, english_forms, english_stems, kinds, single, **small)


def _written(line: str) -> Iterator[str]:
    for form in re.split("[,=]", line):
        form = form.strip().lower()
        if form:
            yield form
            if form != form.translate(_UMLAUTS):  # "Kaese"
                yield form.translate(_UMLAUTS)


def in_english(text: str) -> str:
    """A text's words in lower case, foreign ones by their English names.

    >>> in_english("Soupe à la tomate"), in_english("Jam doughnuts")
    ('soup tomato', 'jam doughnuts')
    """
    return " ".join(map(english_of, units(text)))


def english_of(unit: Unit) -> str:
    """An English name of what a unit means, or its words where it is English or unknown."""
    return " ".join(unit.words if unit.is_english or not unit.concepts else unit.concepts[:1])


def written_forms() -> list[str]:
    """All that the glossary has, as it is written."""
    lines = _FILE.read_text(encoding="utf-8").splitlines()
    listed = [line for line in lines if "=" in line and not line.startswith("#")]
    return [form.removeprefix(_DOUBTFUL) for line in listed for form in _written(line)]


def edition() -> str:
    """A name for what the glossary says; where it is another, texts may mean something else."""
    return sha256(_FILE.read_bytes()).hexdigest()[:16]
