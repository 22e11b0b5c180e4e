"""Which lines of a Markdown text are a recipe's title, its ingredients and its steps."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

from itadaki.importing import words
from itadaki.importing.markdown_lines import Line

_COLON = re.compile(r"([^:：]{2,40})[:：]\s*(.*)")
_SHORT = 25
_INGREDIENTS, _INSTRUCTIONS, _REST = "ingredients", "instructions", "rest"


@dataclass
class _Section:
    """What stands under a heading that names no part."""

    heading: str
    after_ingredients: bool
    lines: list[Line] = field(default_factory=list)


@dataclass
class Parts:
    """The parts of a recipe.

    Attributes:
        title: empty if the text has none.
        ingredients: one line each, with the names of groups.
        pictures: what names them.
        facts: what lines like "Serves: 4" say, by our names.
        left_out: the headings of what is no part of a recipe; "introduction" if it has none.
    """

    title: str = ""
    ingredients: list[str] = field(default_factory=list)
    pictures: list[str] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)
    named_steps: list[str] = field(default_factory=list)
    loose_steps: list[str] = field(default_factory=list)
    other_items: list[str] = field(default_factory=list)

    def steps(self, ingredients_given: bool) -> list[str]:
        """The lines of the instructions.

        Args:
            ingredients_given: the ingredients are told elsewhere, so that no list is one of them.
        """
        return self.named_steps or (
            [*self.loose_steps, *self.other_items] if ingredients_given else self.loose_steps
        )


def parts_of(lines: Sequence[Line], pictures: Sequence[tuple[int, str]]) -> list[Parts]:
    """The recipes in a text: one, or each that a heading of the first or second level
    begins.

    Args:
        lines: of the text.
        pictures: what names them, each with the number of lines before it.
    """
    several = _recipes_at(lines, 1)
    if len(several) < 2:
        several = _recipes_at(lines, 2)
        spans = list(pairwise([*several, len(lines)]))
        shown = [at for at, end in spans if any(at <= place < end for place, _ in pictures)]
        # Else they are the components of one recipe, such as its dough and its filling.
        several = several if len(shown) > 1 else []
    starts = [*several, len(lines)] if several else [0, len(lines)]
    recipes = []
    for start, end in pairwise(starts):
        last = end == len(lines)
        # A recipe's own headings are those below its title, whatever level that has.
        own = [_raised(line, lines[start].level - 1 if several else 0) for line in lines[start:end]]
        parts = _Assigned(own).parts()
        parts.pictures = [name for at, name in pictures if start <= at and (at < end or last)]
        recipes.append(parts)
    return recipes


def _recipes_at(lines: Sequence[Line], level: int) -> list[int]:
    """Where recipes begin with a heading of a level: those that name what they are made of, and
    how."""
    titles = [
        at
        for at, line in enumerate(lines)
        if line.kind == "heading" and line.level == level and not words.is_label(line.text)
    ]
    above = [at for at, line in enumerate(lines) if line.kind == "heading" and line.level < level]
    ends = sorted({*titles, *above, len(lines)})
    return [at for at, end in pairwise(ends) if at in titles and _names_parts(lines[at:end])]


def _raised(line: Line, levels: int) -> Line:
    if not levels or line.kind != "heading":
        return line
    return replace(line, level=max(1, line.level - levels))


def _names_parts(lines: Sequence[Line]) -> bool:
    named = {words.part_of(line.text) for line in lines[1:] if line.kind == "heading"}
    named |= {words.part_named(line.text) for line in lines[1:] if line.bold}
    return {_INGREDIENTS, _INSTRUCTIONS} <= named


class _Assigned:
    """Takes lines one after the other, and notes of which part each is."""

    def __init__(self, lines: Sequence[Line]) -> None:
        self._part: str | None = None
        self._depth = 0
        self._level = 1
        self._heading = ""
        self._component: tuple[int, str] | None = None
        self._told: dict[str, list[Line | str]] = {_INGREDIENTS: [], _INSTRUCTIONS: []}
        self._sections = [_Section("", False)]
        self._parts = Parts()
        self._columns: list[str | None] = []
        lines = self._without_title(lines)
        if (segments := _recipemd(lines)) is not None:
            self._take_recipemd(*segments)
        else:
            for line in lines:
                self._take(line)

    def parts(self) -> Parts:
        """What was found."""
        parts, told = self._parts, self._told
        parts.ingredients = _ingredient_lines(told[_INGREDIENTS])
        parts.named_steps = _step_lines(told[_INSTRUCTIONS])
        loose = [section for section in self._sections if section.lines]
        if not parts.ingredients:
            listed = [s for s in loose if any(line.kind == "bullet" for line in s.lines)]
            if not parts.named_steps and len(listed) > 1 and not any(map(_has_steps, loose)):
                listed.pop()  # two lists in a language that we do not know
            for section in listed:
                if section.heading and len(listed) > 1:
                    parts.ingredients.append(section.heading)
                items = [line for line in section.lines if line.kind in ("bullet", "row")]
                section.lines = [line for line in section.lines if line not in items]
                parts.ingredients += _ingredient_lines(items)
                parts.other_items += [line.text for line in items]
        after = [section for section in loose if section.after_ingredients and section.lines]
        dropped = [
            s for s in loose if s.lines and (parts.named_steps or (after and s not in after))
        ]
        told_apart = [section.heading or "introduction" for section in dropped]
        parts.left_out = list(dict.fromkeys([*told_apart, *parts.left_out]))
        for section in after or loose:
            if section.heading and section.lines and len(after) > 1:
                parts.loose_steps.append(section.heading)
            parts.loose_steps += _step_lines(section.lines)
        return parts

    def _without_title(self, lines: Sequence[Line]) -> Sequence[Line]:
        """Note the title: the first heading of the first level, or else the one that comes before
        all lines; no name of a part."""
        for at, line in enumerate(lines):
            first = at == 0 or line.level == 1
            if line.kind == "heading" and first and not words.is_label(line.text):
                self._parts.title = line.text
                return [*lines[:at], *lines[at + 1 :]]
        return lines

    def _take_recipemd(self, head: list[Line], listed: list[Line], rest: list[Line]) -> None:
        for line in head:
            if line.slanted:
                self._parts.facts["keywords"] = [k.strip() for k in line.text.split(",")]
            elif line.bold:
                self._parts.facts["servings"] = line.text
        self._told[_INGREDIENTS] += [line for line in listed if line.text]
        self._told[_INSTRUCTIONS] += [line for line in rest if line.text]

    def _take(self, line: Line) -> None:
        if line.kind == "heading":
            self._level = line.level
            self._take_heading(line, line.level, words.part_of(line.text))
        elif line.kind == "rule":
            return
        elif line.kind == "row" and line.header:
            self._columns = [words.column_of(cell) for cell in line.cells]
            if any(c.isdigit() for c in line.text):  # some use it for the first ingredient
                self._add(line)
        elif line.kind == "row":
            order = {"amount": 0, "unit": 1}
            columns = [*self._columns, *[None] * len(line.cells)]
            cells = sorted(
                zip(columns, line.cells, strict=False), key=lambda one: order.get(one[0] or "", 2)
            )
            line.text = " ".join(cell for _, cell in cells if cell)
            self._add(line)
        elif not self._is_label(line):
            self._add(line)

    def _take_heading(self, line: Line, level: int, named: str | None) -> None:
        inside = self._part in (_INGREDIENTS, _INSTRUCTIONS) and level > self._depth
        if inside and not (named and words.part_named(line.text)):
            self._add(line)
        elif named:
            if named == self._part and inside:
                self._add(line)
                return
            self._part, self._depth, self._heading = named, level, line.text
            if named in self._told and self._component and self._component[0] < level:
                self._told[named].append(self._component[1])
        else:
            self._part, self._depth = None, 0
            self._component = level, line.text
            self._sections.append(_Section(line.text, bool(self._told[_INGREDIENTS])))

    def _is_label(self, line: Line) -> bool:
        """Whether a line is not of the part before it but begins one, or tells a fact."""
        level = self._level + 1
        bare = line.text.rstrip(" :：")
        ends = bare != line.text
        named = words.part_named(bare)
        alone = line.bold or (line.kind == "text" and ends)
        if named and (alone or (words.is_label(bare) and not line.continues)):
            if named == _REST and not (line.bold or ends):
                return False
            self._take_heading(Line(bare, "heading", level), level, named)
            return True
        if line.bold and line.kind == "text" and self._part not in self._told:
            self._take_heading(Line(bare, "heading", level), level, None)
            return True
        return self._begins_part(line, level) or self._is_fact(line)

    def _begins_part(self, line: Line, level: int) -> bool:
        """Whether it is a label with what belongs to it behind: "**Ingredients:** peas, salt"."""
        found = _COLON.fullmatch(line.text)
        label = found[1] if found else line.label
        if not label or not words.is_label(label):
            return False
        named = words.part_named(label)
        rest = found[2] if found else line.text[len(label) :].strip(" -–—")
        is_time = len(rest) <= _SHORT and rest[:1].isdigit()
        if named not in self._told or not rest or (named == _INSTRUCTIONS and is_time):
            return False
        self._take_heading(Line(label, "heading", level), level, named)
        listed = re.split(r"[;,]\s+(?![^()]*\))", rest) if named == _INGREDIENTS else [rest]
        for text in listed:
            self._add(Line(text, "text"))
        return True

    def _is_fact(self, line: Line) -> bool:
        """Whether it is one like "Serves: 4", and stands in no part."""
        found = _COLON.fullmatch(line.text)
        if not found or self._part in self._told or not found[2]:
            return False
        named = words.fields([found[1]])
        if not named or named.keys() & {"title", "photo", *self._told}:
            return False
        for name in named:
            self._parts.facts.setdefault(name, found[2])
        return True

    def _add(self, line: Line) -> None:
        if self._part in self._told:
            self._told[self._part].append(line)
        elif self._part is None and line.text:
            self._sections[-1].lines.append(line)
        elif self._part == _REST and line.text:
            self._parts.left_out.append(self._heading)


def _recipemd(lines: Sequence[Line]) -> tuple[list[Line], list[Line], list[Line]] | None:
    """What comes before, between and after the rules of RecipeMD; None if the text is none."""
    rules = [at for at, line in enumerate(lines) if line.kind == "rule"]
    if not rules:
        return None
    first, second = rules[0], rules[1] if len(rules) > 1 else len(lines)
    head, listed, rest = lines[:first], lines[first + 1 : second], lines[second + 1 :]
    if any(line.kind == "heading" for line in head) or not any(
        line.kind in ("bullet", "number") for line in listed
    ):
        return None
    for line in listed:
        if line.kind not in ("heading", "bullet", "number"):
            return None
        if line.kind == "heading" and words.part_of(line.text) in (_INSTRUCTIONS, _REST):
            return None
    return list(head), list(listed), list(rest)


def _has_steps(section: _Section) -> bool:
    return any(line.kind in ("number", "text") for line in section.lines)


def _ingredient_lines(lines: Sequence[Line | str]) -> list[str]:
    return [text for text in map(_text, lines) if text]


def _step_lines(lines: Sequence[Line | str]) -> list[str]:
    """The steps, each of which may have been wrapped, without headings like "Step 1"."""
    steps: list[str] = []
    for line in lines:
        text = _text(line)
        if not text or words.is_step(text):
            continue
        if isinstance(line, Line) and line.continues and steps and _goes_on(steps[-1], text):
            steps[-1] += f" {text}"
        else:
            steps.append(text)
    return steps


def _goes_on(before: str, text: str) -> bool:
    return before[-1] not in ".!?:;)。！？：" and text[0].islower()


def _text(line: Line | str) -> str:
    return line if isinstance(line, str) else line.text
