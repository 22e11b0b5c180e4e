"""Finding recipes by words: what titles and ingredients say, beside what they mean."""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from itadaki.errors import QueryError
from itadaki.index.asked import asked
from itadaki.index.filters import Filters, RowFilter
from itadaki.models.word_table import WordTable
from itadaki.recipes import glossary
from itadaki.recipes.glossary import Unit, units
from itadaki.recipes.ingredients import folded, stem
from itadaki.recipes.recipe import DatasetRecipe

SHARE = 0.6
"""How much the words said count beside what they mean, in a search by words alone."""
_CONCEPT, _KIND, _LISTED, _PARTS = 0.95, 0.6, 0.35, 0.7
"""What a recipe gets for a word beside 1 for the word in its title: for another that means the
same, for a kind of it, for an ingredient, and for the words of a phrase one by one."""
_WHOLE_TITLE = 0.1
"""For a title that says nothing else."""
_RARE = 6.0  # a weight in the word table that words of a few recipes have
_NO_RECIPE, _SURE = 7.55, 3.0
"""Of a weight that words of hardly any recipe have, and of how much a word speaks of food then."""
_COMMON = 0.005  # of the titles name what is no mere ingredient
_OTHER = 3.8  # what words of food must weigh for each word of other things
_MOST_UNITS = 40


@dataclass(frozen=True)
class Reading:
    """A search in words as it was understood.

    Attributes:
        wanted: what is asked for, misspelt words mended; may be empty.
        units: of it.
        unwanted: names of ingredients that no recipe found may have.
        titled: rows of recipes that have the very words as their title.
    """

    wanted: str
    units: tuple[Unit, ...]
    unwanted: tuple[str, ...]
    titled: tuple[int, ...]

    def filters(self, filters: Filters) -> Filters:
        """The same filters, and none of the unwanted ingredients."""
        return replace(filters, exclude=(*filters.exclude, *self.unwanted))


class WordIndex:
    """Compares words with the titles and ingredients of a bank; safe to use from several threads.

    BM25 over the same terms cannot tell a word in a title from a kind of it among the ingredients,
    and takes ten tomatoes for more than one: each word asked for is met once here, as well as a
    recipe can, and counts as much as it is rare.
    """

    def __init__(self, recipes: Sequence[DatasetRecipe], table: WordTable | None) -> None:
        """Look at the recipes of a bank; ``table`` tells words of food from others."""
        self._recipes, self._table = recipes, table
        self._filter = RowFilter(recipes)

    def read(self, words: str, alone: bool = True) -> Reading:
        """Understand a search.

        Args:
            words: as they were typed.
            alone: whether nothing else says what to look for.

        Raises:
            QueryError: it asks for nothing, or for nothing that can be eaten.
        """
        titled = self._titled.get(_plain(words), ())
        if titled:  # also a title such as "Cake without Flour"
            return Reading(words, tuple(units(words)[:_MOST_UNITS]), (), tuple(titled))
        parts = asked(words)
        said = [self._mended(unit) for unit in units(parts.wanted)[:_MOST_UNITS]]
        if parts.unwanted and not said:
            if alone:
                raise QueryError(
                    f"Say what to look for, too, not only what to leave out: {words!r}."
                )
            return Reading("", (), parts.unwanted, ())
        self._require_food(said, words)
        wanted = " ".join(map(glossary.english_of, said))
        return Reading(wanted, tuple(said), parts.unwanted, ())

    def scores(self, reading: Reading) -> np.ndarray:
        """How well each recipe meets the words, 0 to 1: float32 array of shape (n,)."""
        count = len(self._recipes)
        met = np.zeros(count, np.float32)
        total = 0.0
        in_title = np.zeros(count, np.float32)
        for unit in reading.units:
            scores = self._met(unit)
            weight = np.log(2 + count / (1 + np.count_nonzero(scores >= _KIND)))
            met += weight * scores
            in_title += scores > _LISTED
            total += weight
        if total:
            met /= total
            met += _WHOLE_TITLE * np.minimum(in_title / np.maximum(self._lengths, 1), 1)
            met /= 1 + _WHOLE_TITLE
        met[list(reading.titled)] = 1
        return met

    def rows(self, reading: Reading, filters: Filters) -> np.ndarray:
        """Which recipes may be found: bool array of shape (n,); titles do not name what is
        unwanted, either."""
        fitting = self._filter.rows(filters)
        allowed = np.ones(len(self._recipes), bool) if fitting is None else fitting.copy()
        for name in reading.unwanted:
            for unit in units(name):
                allowed &= self._met(unit, listed=False) < _KIND
        return allowed

    def naming(self, concept: str) -> np.ndarray:
        """Which recipes name a concept in the title or among the ingredients: bool (n,)."""
        naming = self._filter.naming(concept)
        naming[self._holding("=" + concept)] = True
        return naming

    def _met(self, unit: Unit, listed: bool = True) -> np.ndarray:
        """How well each recipe meets a word or phrase: float32 array of shape (n,), 0 to 1."""
        scores = np.zeros(len(self._recipes), np.float32)
        names = unit.concepts or (" ".join(unit.words),)
        if listed:
            for name in names:
                scores[self._listing(name)] = _LISTED
        if len(unit.words) > 1 or " " in names[0]:
            of_name = [stem(word) for word in names[0].split()]
            for word in of_name:
                _raise(scores, self._holding(word), _PARTS / len(of_name))
            _raise(scores, self._all(of_name), _PARTS)
        for name in names:
            for kind in glossary.kinds_of(name):
                _raise(scores, self._named(kind), _KIND)
        for concept in unit.concepts:
            _raise(scores, self._holding("=" + concept), _CONCEPT)
        _raise(scores, self._all([stem(word) for word in unit.words]), 1.0)
        return scores

    def _named(self, name: str) -> np.ndarray:
        rows = self._holding("=" + name)
        return rows if len(rows) else self._all([stem(folded(word)) for word in name.split()])

    def _all(self, stems: Sequence[str]) -> np.ndarray:
        found = self._holding(stems[0])
        for other in stems[1:]:
            found = np.intersect1d(found, self._holding(other))
        return found

    def _holding(self, term: str) -> np.ndarray:
        return np.frombuffer(self._terms.get(term, _NONE), np.int64)

    def _listing(self, name: str) -> np.ndarray:
        return np.flatnonzero(self._filter.naming(name))

    def _is_known(self, unit: Unit) -> bool:
        """Whether recipes here name it, in their titles or among the ingredients."""
        return bool(self._met(unit).any())

    def _mended(self, unit: Unit) -> Unit:
        """The word that a misspelt one is likely to be; itself where it is known or like none."""
        word = unit.words[0]
        if unit.concepts or len(unit.words) > 1 or len(word) < 5 or self._is_known(unit):
            return unit
        rows = self._table.rows(unit) if self._table else []
        if rows and self._table and self._table.weights[rows].min() < _RARE:
            return unit
        from rapidfuzz.distance import OSA
        from rapidfuzz.process import extractOne

        words = self._by_letter.get(word[0], ())
        most = 1 if len(word) < 8 else 2
        near = extractOne(word, words, scorer=OSA.distance, score_cutoff=most)
        if near is None:
            return unit
        meant = units(near[0])
        return meant[0] if len(meant) == 1 else unit

    def _require_food(self, said: Sequence[Unit], words: str) -> None:
        food = sum(map(self._weight_of_food, said))
        others = sum(not self._weight_of_food(unit) for unit in said)
        if not food or others * _OTHER > food:
            raise QueryError(f"No recipe here fits these words: {words!r}.")

    def _weight_of_food(self, unit: Unit) -> float:
        """How sure a word makes it that food is asked for; 0 for words of other things.

        Ingredients that are in everything say little: motor oil is no dish.
        """
        rows = self._table.rows(unit) if self._table else []
        weight = float(self._table.weights[rows].mean()) if rows and self._table else _RARE
        if unit.concepts and all(map(glossary.is_basic, unit.concepts)):
            return weight / 2
        if unit.concepts:
            titles = max(len(self._holding("=" + concept)) for concept in unit.concepts)
            common = titles > 1 and titles >= _COMMON * len(self._recipes)
            return 2 * max(weight, 2 if common else 0)
        speaks = self._table.speaks_of_food(unit) if self._table else None
        in_recipes = speaks is not None and (weight < _NO_RECIPE or speaks > _SURE)
        known = in_recipes or self._is_known(unit)
        return weight / 2 if known else 0

    @property
    def _terms(self) -> dict[str, "array[int]"]:
        return self._titles[0]

    @property
    def _lengths(self) -> np.ndarray:
        return self._titles[1]

    @cached_property
    def _titles(self) -> tuple[dict[str, "array[int]"], np.ndarray]:
        """For each stem of a title and each concept that it names, the rows; and how many words
        or phrases each title has that say something."""
        terms: dict[str, array[int]] = {}
        lengths = np.zeros(len(self._recipes), np.float32)
        for row, recipe in enumerate(self._recipes):
            title = units(recipe.title)
            lengths[row] = len(title)
            said = {stem(word) for unit in title for word in unit.words}
            said.update("=" + concept for unit in title for concept in unit.concepts)
            for term in said:
                terms.setdefault(term, array("q")).append(row)
        return terms, lengths

    @cached_property
    def _titled(self) -> dict[str, list[int]]:
        titled: dict[str, list[int]] = {}
        for row, recipe in enumerate(self._recipes):
            titled.setdefault(_plain(recipe.title), []).append(row)
        return titled

    @cached_property
    def _by_letter(self) -> dict[str, list[str]]:
        """Words that a misspelt one may be meant to be, by their first letters."""
        words = set(glossary.single_words())
        for recipe in self._recipes:
            words.update(word for word in _plain(recipe.title).split() if len(word) > 3)
        by_letter: dict[str, list[str]] = {}
        for word in sorted(words):
            by_letter.setdefault(word[0], []).append(word)
        return by_letter


_NONE = array("q")


def _raise(scores: np.ndarray, rows: np.ndarray, to: float) -> None:
    scores[rows] = np.maximum(scores[rows], to)


def _plain(text: str) -> str:
    return " ".join("".join(c if c.isalnum() else " " for c in folded(text)).split())
