"""A Markdown text as a list of its lines, without what is only there for looks."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from itadaki.importing.found import Photos

_BREAK = "\ue000"  # for use by anybody: stands for <br> until the text is cut into lines
_EMBED = re.compile(r"(!?)\[\[([^\[\]\n]*)\]\]")
_FOOTNOTE = re.compile(r"\[\^[^\[\]\s]{1,40}\]:?")
_SHORTCODE = re.compile(r"\{\{[<%]([^{}]*)[%>]\}\}|\{%([^{}]*)%\}|\{\{([^{}]*)\}\}|\{:[^{}\n]*\}")
_FILE = re.compile(r"[\"']([^\"'<>\n]{1,300})[\"']|([^\s\"'=<>]{1,300})")
_IMAGE = re.compile(r"(!\[[^\[\]\n]*\]\()(?:<([^<>\n]*)>|([^()<>\"'{}\n]*\.\w{3,4})(?=[ \t]*\)))")
_AS_IT_IS = "/:%?&=#~+,;@!$'*"
"""What stays in an address that is put between brackets."""
_IMG = re.compile(r"(?i)<img\b[^<>]*>")
_SRC = re.compile(r"(?i)\bsrc\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'<>]+))")
_TAGS = (
    (re.compile(r"(?i)<br\b[^<>]*>"), _BREAK),
    (re.compile(r"(?i)<h([1-6])\b[^<>]*>"), lambda tag: f"\n\n{'#' * int(tag[1])} "),
    (re.compile(r"(?i)<(?:li|tr)\b[^<>]*>"), "\n- "),
    (re.compile(r"(?i)</?t[dh]\b[^<>]*>"), " "),
    (re.compile(r"(?i)<summary\b[^<>]*>"), "\n\n**"),
    (re.compile(r"(?i)</summary>"), "**\n\n"),
    (
        re.compile(
            r"(?i)</?(?:p|div|h[1-6]|ul|ol|li|tr|table|thead|tbody|details|center|section|article|"
            r"figure|figcaption|picture|blockquote|hr)\b[^<>]*>"
        ),
        "\n\n",
    ),
    (
        re.compile(
            r"(?i)</?(?:a|abbr|b|cite|code|del|em|font|i|ins|kbd|label|mark|q|s|small|source|span|"
            r"strike|strong|sub|sup|time|u|input|button|iframe|video|svg|path)\b[^<>]*>"
        ),
        "",
    ),
)
_MARKS = re.compile(r"(?m)[*_`#\[\]<>&!|~{}\\]|^[ \t]*(?:[-+•]|\d+[.)])[ \t]")
_BOX = re.compile(r"\[[ xX]\][ \t]+")
_CALLOUT = re.compile(r"\[!([\w -]{1,40})\][+-]?[ \t]*(.*)")


@dataclass
class Line:
    """A line of a text.

    Attributes:
        text: without marks.
        kind: ``heading``, ``bullet`` or ``number`` for an item of a list, ``row`` of a table,
            ``rule``, or ``text``.
        level: of a heading.
        bold, slanted: whether all of it is.
        label: what is bold at its beginning.
        cells: of a row; empty for a table's header, whose texts are in ``text``.
        continues: whether it follows the line before it in a paragraph.
    """

    text: str
    kind: str
    level: int = 0
    bold: bool = False
    slanted: bool = False
    label: str = ""
    cells: list[str] = field(default_factory=list)
    header: bool = False
    continues: bool = False


def lines_of(text: str) -> tuple[list[Line], list[tuple[int, str]]]:
    """The lines of a Markdown text, and its pictures.

    Returns:
        The lines, and what names a picture, each with the number of lines before it.
    """
    from markdown_it import MarkdownIt

    marked = _prepared(text)
    parser = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    parser.disable("code")  # what is indented
    reader = _Reader()
    for token in parser.parse(marked):
        reader.take(token)
    return reader.lines, reader.pictures


def plain_lines(text: str) -> list[str]:
    """The lines of a text that may have marks of Markdown, without them."""
    if not _MARKS.search(text):
        return [line.strip() for line in text.splitlines() if line.strip()]
    return [line.text for line in lines_of(text)[0] if line.text]


def picture_of(text: str) -> str:
    """The picture that a shortcode or a fact names in Obsidian's way: ``[[x.jpg|300]]``."""
    found = _EMBED.fullmatch(text.strip())
    return re.split(r"[|#\\]", found[2])[0].strip() if found else text


def _prepared(text: str) -> str:
    """The text without HTML, shortcodes, comments and Obsidian's links."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace(_BREAK, "")
    text = without(without(text, "<!--", "-->"), "%%", "%%")
    text = _SHORTCODE.sub(_shortcode, text)
    text = _IMAGE.sub(lambda link: f"{link[1]}{quote(link[2] or link[3], _AS_IT_IS)}", text)
    text = _IMG.sub(lambda tag: "".join(map(_picture, _sources(tag[0]))), text)
    text = _EMBED.sub(_embedded, text)
    text = _FOOTNOTE.sub("", text)
    for tag, instead in _TAGS:
        text = tag.sub(instead, text)
    return text


def without(text: str, start: str, end: str) -> str:
    kept, at = [], 0
    while (begins := text.find(start, at)) >= 0:
        ends = text.find(end, begins + len(start))
        if ends < 0:
            break
        kept.append(text[at:begins])
        at = ends + len(end)
    return "".join([*kept, text[at:]])


def _picture(reference: str) -> str:
    return f" ![]({quote(reference, _AS_IT_IS)}) " if reference.strip() else ""


def _is_photo(name: str) -> bool:
    return Photos.is_photo(Path(name[-255:]))


def _sources(tag: str) -> list[str]:
    return [a or b or c for a, b, c in _SRC.findall(tag)]


def _shortcode(found: "re.Match[str]") -> str:
    """Of what a site's generator would fill in only the pictures that it names are kept."""
    inside = next((group for group in found.groups() if group), "")
    if found[3] is not None:
        inside = found[3]  # {{ "/images/x.jpg" | relative_url }}, or {{ site.baseurl }}
        quoted = re.search("[\"']([^\"']*)[\"']", inside)
        return quoted[1] if quoted else ""
    names = (a or b for a, b in _FILE.findall(inside))
    return "".join(_picture(name) for name in names if _is_photo(name))


def _embedded(found: "re.Match[str]") -> str:
    target, *shown = re.split(r"\\?\|", found[2], maxsplit=1)
    if found[1] and _is_photo(target.split("#")[0]):
        return _picture(target.split("#")[0].strip())
    return shown[0] if shown and not found[1] else target.replace("#", " ").strip()


class _Reader:
    """Takes markdown-it's tokens, one after the other."""

    def __init__(self) -> None:
        self.lines: list[Line] = []
        self.pictures: list[tuple[int, str]] = []
        self._lists: list[str] = []
        self._items = 0
        self._level = 0
        self._cells: list[str] | None = None
        self._header = False

    def take(self, token: Any) -> None:
        kind = token.type
        if kind == "heading_open":
            self._level = int(token.tag[1])
        elif kind == "heading_close":
            self._level = 0
        elif kind in ("bullet_list_open", "ordered_list_open"):
            self._lists.append("bullet" if kind == "bullet_list_open" else "number")
        elif kind in ("bullet_list_close", "ordered_list_close"):
            self._lists.pop()
        elif kind == "thead_open":
            self._header = True
        elif kind == "tr_open":
            self._cells = []
        elif kind == "tr_close":
            cells, self._cells = self._cells or [], None
            self.lines.append(Line(" ".join(cells), "row", cells=cells, header=self._header))
            self._header = False
        elif kind == "hr":
            self.lines.append(Line("", "rule"))
        elif kind == "fence" and not token.info.strip():
            self.lines += [Line(line.strip(), "text") for line in token.content.splitlines()]
        elif kind == "inline":
            self._inline(token)

    def _inline(self, token: Any) -> None:
        pieces = list(self._pieces(token.children or ()))
        if self._cells is not None:
            joined = "".join(text for text, _ in pieces).replace("\n", " ")
            self._cells.append(joined.strip())
            return
        if self._level:
            text = " ".join("".join(text for text, _ in pieces).split())
            self.lines.append(Line(text, "heading", self._level))
            return
        kind = self._lists[-1] if self._lists else "text"
        for number, line in enumerate(_cut(pieces, "\n\r" if kind == "text" else "\r")):
            made = _line(line, kind)
            if made.text:
                made.continues = number > 0
                self.lines.append(made)

    def _pieces(self, children: Any) -> Iterator[tuple[str, frozenset[str]]]:
        """Texts with their styles; a line that was only wrapped ends with \\n, a broken one with
        \\r."""
        styles: list[str] = []
        struck: list[tuple[str, frozenset[str]]] = []
        kept = False
        for child in children:
            if child.type.endswith("_open"):
                styles.append(child.type[:-5])
            elif child.type.endswith("_close") and styles:
                styles.pop()
            elif child.type == "image":
                self.pictures.append((len(self.lines), str(child.attrGet("src") or "")))
            else:
                text = {"softbreak": "\n", "hardbreak": "\r"}.get(child.type, child.content)
                piece = text.replace(_BREAK, "\r"), frozenset(styles)
                if "s" in styles:
                    struck.append(piece)
                    continue
                kept = kept or bool(_BOX.sub("", text).strip())
                yield piece
        if not kept:  # what is ticked off as a whole is there all the same
            yield from struck


def _cut(pieces: list[tuple[str, Any]], at: str) -> Iterator[list[tuple[str, Any]]]:
    line: list[tuple[str, Any]] = []
    for text, styles in pieces:
        first, *others = re.split(f"[{at}]", text)
        line.append((first, styles))
        for other in others:
            yield line
            line = [(other, styles)]
    yield line


def _line(pieces: list[tuple[str, Any]], kind: str) -> Line:
    text = " ".join("".join(text for text, _ in pieces).split())
    if kind != "text":
        text = _BOX.sub("", text, count=1) if _BOX.match(text) else text
    seen = [(text.strip(), styles) for text, styles in pieces if text.strip(" \t\n:：.")]
    line = Line(text, kind)
    line.bold = bool(seen) and all("strong" in styles for _, styles in seen)
    line.slanted = bool(seen) and all("em" in styles for _, styles in seen)
    if callout := _CALLOUT.fullmatch(text):
        line.text, line.bold = callout[2] or callout[1], True
    elif seen and "strong" in seen[0][1]:
        line.label = seen[0][0]
    return line
