"""What a cook reads is in the files of ``api/texts``, in every language, and nowhere else."""

import csv
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from starlette.requests import Request

from api.features.examples import FOLDER as EXAMPLES
from api.features.texts import Texts, languages, texts_for
from itadaki.recipes.dish_class import DISH_CLASSES

API = Path(__file__).resolve().parents[1] / "api"
TEMPLATES = sorted((API / "templates").glob("*.html"))
SCRIPTS = sorted((API / "page").glob("*.js"))
# Of a key that is put together, only the beginning stands in the code.
MADE = ("dish.", "example.", "serving.", "notice.", "error.", "found.recipes.")
MADE += ("query.photos.", "steps.")
MADE += ("recipe.prep", "recipe.cook", "recipe.total")
# What is no text though it looks like one: names that HTTP, the DOM and the storage go by.
NAMES = {"Itadaki", "Itadaki ", "Retry-After", "X-API-Key", "Content-Type", "AbortError", "POST"}
NAMES |= {"Enter", "Escape", ".ingredients li", ".recipe img", ".steer button", ".drop label"}


@pytest.fixture(scope="module")
def english() -> Texts:
    return languages()["en"]


def test_every_language_has_the_same_texts_with_the_same_values(english):
    assert {"en", "fr"} <= set(languages())
    for texts in languages().values():
        assert list(texts.all) == list(english.all), texts.language
        for key, text in texts.all.items():
            assert text.strip(), (texts.language, key)
            assert values(text) == values(english.all[key]), (texts.language, key)


def values(text: str) -> list[str]:
    return sorted(set(re.findall(r"{(\w+)}", text)))


def test_every_text_is_used_and_every_used_text_exists(english):
    code = "".join(
        path.read_text(encoding="utf-8")
        for path in [*TEMPLATES, *SCRIPTS, *(API / "features").rglob("*.py")]
    )
    used = set(re.findall(r"""["'`]([a-z]+\.[a-z][\w-]*(?:\.[\w.]+)?)["'`]""", code))
    used = {key for key in used if key.split(".")[0] in {k.split(".")[0] for k in english.all}}
    for key in used - {"page.js", "page.html", "page.css", "recipe.html", "recipe.js", "query.js"}:
        assert key in english or f"{key}.other" in english, key
    for key in english.all:
        assert key in used or key.startswith(MADE), key


def test_every_dish_and_every_example_has_a_text(english):
    assert {key for key in english.all if key.startswith("dish.")} == {
        f"dish.{dish}" for dish in DISH_CLASSES
    }
    with (EXAMPLES / "answers.csv").open(encoding="utf-8", newline="") as table:
        titles = {f"example.{row['file']}": row["title"] for row in csv.DictReader(table)}
    assert titles == {k: v for k, v in english.all.items() if k.startswith("example.")}


class _Visible(HTMLParser):
    """Collects what is read of a template: text, and attributes that are told."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag, attrs):
        told = ("alt", "title", "placeholder", "aria-label", "content")
        self.found += [value or "" for name, value in attrs if name in told]

    def handle_data(self, data):
        self.found.append(data)


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_no_template_holds_a_text_of_its_own(template):
    html = re.sub(r"{{.*?}}|{%.*?%}|{#.*?#}", "", template.read_text(encoding="utf-8"), flags=re.S)
    visible = _Visible()
    visible.feed(html)
    said = {text.strip() for text in visible.found if re.search(r"[^\W\d_]", text)}
    settings = {"width=device-width, initial-scale=1", "#fbf6ee", "#191412", "noindex", "article"}
    assert said - settings <= {"Itadaki", "· Itadaki"}


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_no_script_holds_a_text_of_its_own(script):
    code = re.sub(r"//.*|/\*.*?\*/", "", script.read_text(encoding="utf-8"))
    code = re.sub(r"\bimport .*? from .*?;", "", code, flags=re.S)
    strings = re.findall(r""""([^"\n]*)"|'([^'\n]*)'|`([^`]*)`""", code)
    for string in ("".join(parts) for parts in strings):
        literal = re.sub(r"\$\{[^}]*\}", "", string)
        # A sentence has words with blanks between, or begins with a capital letter.
        reads = re.search(r"[^\W\d_]{2,} [^\W\d_]{2,}", literal) or re.match(
            r"[A-Z][a-z]+", literal
        )
        assert not reads or literal in NAMES or literal.startswith(("rgb", "found.", "#")), string


@pytest.mark.parametrize(
    ("asked", "language"),
    [
        ({}, "en"),
        ({"accept": "fr-CA,fr;q=0.9,en;q=0.8"}, "fr"),
        ({"accept": "de-DE, fr;q=0.5, en;q=0.4"}, "fr"),
        ({"accept": "de, ja;q=0.3"}, "en"),
        ({"accept": "en;q=0.2, fr"}, "fr"),
        ({"accept": "fr;q=0, en"}, "en"),
        ({"accept": "fr;q=much, *"}, "en"),
        ({"accept": "fr", "cookie": "itadaki-language=en"}, "en"),
        ({"accept": "fr", "cookie": "itadaki-language=../../etc/passwd"}, "fr"),
        ({"cookie": "itadaki-language=en", "query": "language=fr"}, "fr"),
        ({"query": "language=xx"}, "en"),
    ],
)
def test_the_language_is_chosen_or_the_browsers(asked, language):
    headers = [(b"accept-language", asked.get("accept", "").encode())]
    headers.append((b"cookie", asked.get("cookie", "").encode()))
    query = asked.get("query", "").encode()
    scope = {"type": "http", "path": "/", "query_string": query, "headers": headers}
    assert texts_for(Request(scope)).language == language
