"""Markdown recipes, with their pictures beside them."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from itadaki.importing.budget import RefusedError
from itadaki.importing.found import Found, Photos, Place, Unusable, details, lines

_INGREDIENTS = re.compile(r"(?i)\b(ingredients?|ingrédients?|ingredient[ei]s?|zutaten)\b")
_INSTRUCTIONS = re.compile(
    r"(?i)\b(instructions?|directions?|method|steps?|preparation|préparation|preparación|"
    r"preparazione|étapes|recette|zubereitung|anleitung|elaboración|procedimento)\b"
)
_MAX_FACTS = 100_000
_EMBED = re.compile(r"!\[\[([^\]|#]+)")  # Obsidian's way to show a picture


def read(path: Path, origin: str, photos: Photos) -> Iterator[Found | Unusable]:
    """Read a recipe.

    Its title is the front matter's, or the first heading, or the file's name. Ingredients are the
    list under a heading that says so, or else all bulleted lists; the rest is instructions.
    """
    text = path.read_text(encoding="utf-8-sig", errors="replace")
    facts, text = _front_matter(text)
    parsed = _Parsed(text)
    references = [facts.get(key) for key in ("image", "photo", "picture", "cover", "thumbnail")]
    references += [*parsed.images, *_EMBED.findall(text)]
    places: list[Place] = []
    for reference in references:
        places += photos.find(reference, path)
    pictures = [file for file in photos.beside(path) if photos.is_photo(file)]
    same_name = [picture for picture in pictures if picture.stem == path.stem]
    texts = [file for file in photos.beside(path) if file.suffix == path.suffix]
    alone = len(pictures) == 1 and len(texts) == 1
    given = facts.get("ingredients")
    yield Found(
        str(facts.get("title") or facts.get("name") or parsed.title or path.stem),
        _texts(given) or parsed.ingredients,
        "\n".join(_texts(facts.get("instructions") or facts.get("directions")))
        or parsed.instructions,
        origin,
        [*dict.fromkeys([*places, *same_name, *(pictures if alone else [])])],
        **details(
            keywords=[facts.get("keywords"), facts.get("tags")],
            servings=facts.get("servings") or facts.get("yield"),
            prep_minutes=facts.get("prep_time") or facts.get("prepTime"),
            cook_minutes=facts.get("cook_time") or facts.get("cookTime"),
            total_minutes=facts.get("total_time") or facts.get("totalTime"),
            author=facts.get("author"),
            source=facts.get("source"),
        ),
    )


def _front_matter(text: str) -> tuple[dict[str, Any], str]:
    """The facts in front of a text, and the rest of it.

    Raises:
        RefusedError: they are written so that they may unfold to far more than they are.
    """
    lines = text.split("\n")
    marks = (number for number, line in enumerate(lines) if line.rstrip() == "---")
    if next(marks, None) != 0 or not (end := next(marks, None)):
        return {}, text
    import yaml

    class Loader(yaml.SafeLoader):
        """Takes no aliases: a few hundred bytes of them may stand for gigabytes."""

        def compose_node(self, parent: Any, index: Any) -> Any:
            if self.check_event(yaml.AliasEvent):
                raise RefusedError("its front matter has aliases (*name), which are not read")
            return super().compose_node(parent, index)

    given = "\n".join(lines[1:end])
    if len(given) > _MAX_FACTS:
        raise RefusedError(f"its front matter has more than {_MAX_FACTS:,} characters")
    try:
        facts = yaml.load(given, Loader)
    except yaml.YAMLError:
        facts = None
    return facts if isinstance(facts, dict) else {}, "\n".join(lines[end + 1 :])


def _texts(value: Any) -> list[str]:
    if isinstance(value, list):
        return [str(item) for item in value]
    return lines(value)


class _Parsed:
    """What a Markdown text holds of a recipe."""

    def __init__(self, text: str) -> None:
        from markdown_it import MarkdownIt

        self.title = ""
        self.images: list[str] = []
        self.ingredients: list[str] = []
        steps: list[str] = []
        loose_items: list[str] = []
        loose_steps: list[str] = []
        part, depth = "", 0
        stack: list[str] = []
        for token in MarkdownIt("commonmark").parse(text):
            if token.nesting == 1:
                stack.append(token.type)
                level = int(token.tag[1]) if token.type == "heading_open" else 0
            elif token.nesting == -1:
                stack.pop()
            elif token.type == "inline":
                words = _words(token)
                self.images += [
                    str(child.attrGet("src") or "")
                    for child in token.children or ()
                    if child.type == "image"
                ]
                if "heading_open" in stack:
                    if not self.title and level == 1:
                        self.title = words
                    elif not depth or level <= depth:
                        part = (
                            "ingredients"
                            if _INGREDIENTS.search(words)
                            else "instructions"
                            if _INSTRUCTIONS.search(words)
                            else "other"
                        )
                        depth = 0 if part == "other" else level
                    elif part == "instructions":
                        steps.append(words)
                    continue
                in_list = "list_item_open" in stack
                items = [" ".join(words.split())] if in_list else words.split("\n")
                items = [line for line in items if line.strip()]
                in_bullets = "bullet_list_open" in stack
                if part == "ingredients":
                    self.ingredients += items
                elif part == "instructions":
                    steps += items
                elif in_bullets:
                    loose_items += items
                else:
                    loose_steps += items
        self.ingredients = self.ingredients or loose_items
        self.instructions = "\n".join(steps or loose_steps)


def _words(token: Any) -> str:
    """The text of an inline token, without marks and pictures."""
    parts = []
    for child in token.children:
        if child.type in ("text", "code_inline"):
            parts.append(child.content)
        elif child.type in ("softbreak", "hardbreak"):
            parts.append("\n")
    return _EMBED.sub("", "".join(parts)).replace("]]", "").strip()
