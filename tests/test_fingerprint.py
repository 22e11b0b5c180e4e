import importlib.util
from pathlib import Path

import pytest

from itadaki.storage.fingerprint import code_fingerprint, fingerprint

CODE = '''"""Module."""

import re

WORDS = "soup stew"
"""Of attributes too."""


def found(word: str) -> bool:
    """Find it.

    In two paragraphs.
    """
    # A comment.
    return word in WORDS
'''


@pytest.fixture
def of(tmp_path):
    """The fingerprint of a module of this source."""

    def of(source: str, name: str = "found") -> tuple[str, str]:
        path: Path = tmp_path / f"module_{len(list(tmp_path.iterdir()))}.py"
        path.write_text(source, encoding="utf-8")
        spec = importlib.util.spec_from_file_location(path.stem, path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return code_fingerprint(module), code_fingerprint(getattr(module, name))

    return of


def test_words_about_the_code_do_not_count(of):
    told = CODE.replace("Module.", "Another\nmodule.").replace("# A comment.", "# Another.")
    told = told.replace("In two paragraphs.", "In\ntwo.").replace("Of attributes too.", "Too.")
    assert of(told.replace("\n\n\n", "\n\n")) == of(CODE)


def test_where_a_name_comes_from_does_not_count(of):
    moved = CODE.replace("import re\n", "from json import (\n    dumps as re,\n)\n")
    assert of(moved) == of(CODE)


@pytest.mark.parametrize(
    ("old", "new", "function"),
    [
        ('"soup stew"', '"soup"', False),
        ("word in WORDS", "word not in WORDS", True),
    ],
)
def test_what_the_code_does_counts(of, old, new, function):
    module, own = of(CODE.replace(old, new))
    assert module != of(CODE)[0]
    assert (own != of(CODE)[1]) == function


def test_a_string_may_hold_a_hash_sign(of):
    code = CODE.replace('"soup stew"', '"soup # stew"')
    assert of(code)[0] != of(code.replace("# stew", "# salad"))[0]


def test_facts_are_hashed_whatever_their_order():
    assert fingerprint(a=1, b=[2.5]) == fingerprint(b=[2.5], a=1) != fingerprint(a=1, b=[2.6])
