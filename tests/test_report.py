import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from itadaki.errors import ItadakiError
from itadaki.evaluation.comparison import save_measurement
from itadaki.evaluation.measurements import Measurements
from itadaki.evaluation.scores import Evaluation
from tools import quality
from tools.report import documents, requirements

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("reports/*.md")])
NOTICES = "THIRD_PARTY_NOTICES.md"  # other versions of the packages may word their licence anew


def test_documents_are_what_the_measurements_say():
    drifted = [
        path.name
        for path, text in documents().items()
        if path.name != NOTICES and path.read_text(encoding="utf-8") != text
    ]
    assert not drifted, "run: python -m tools.report"


def test_the_notices_name_every_package():
    notices = (ROOT / NOTICES).read_text(encoding="utf-8")
    missing = [name for name in requirements(ROOT) if f"| {name} |" not in notices]
    assert not missing, "run: python -m tools.report"


def test_the_sample_cookbook_was_measured_with_the_shipped_model():
    measured = Measurements()
    variants = measured.stored("sample_cookbook")["variants"]
    shipped = measured.record["sha256"]["model"]
    assert variants["ft"]["model"] == shipped, "run: python benchmarks/sample_cookbook.py"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_between_the_documents_lead_somewhere(page):
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", ["CONTRIBUTING.md", "README.md"])
def test_paths_that_the_documents_name_exist(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    paths = re.findall(r"`((?:itadaki|api|tools|tests|docs|reports|data)/[^`*\s]*)`", text)
    assert len(paths) > 5
    assert [path for path in paths if not (ROOT / path).exists()] == []


@pytest.fixture
def checkout(tmp_path) -> Path:
    """A checkout with measurements of two variants and one document."""
    folder = tmp_path / "reports" / "measurements"
    names = ["P@10 dish class", "MAP@R dish class", "nDCG@10 title", "recall@1 re-crop"]
    for variant, score in (("raw", 0.2), ("ft", 0.4)):
        per_query = {name: np.full(12, score) for name in names}
        random = dict.fromkeys(names, 0.1)
        found = Evaluation(per_query, random, "test", 90, ["soup"] * 12)
        beside = ("fused", "search") if variant == "ft" else ()
        galleries = dict.fromkeys(("photos", *beside), found)
        save_measurement(galleries, folder, variant, 0, {"dataset": "d", "dataset_source": "x"})
    (tmp_path / "docs").mkdir()
    return tmp_path


def write(checkout: Path, text: str) -> Path:
    page = checkout / "docs" / "page.md"
    page.write_text(text, encoding="utf-8")
    return page


def test_blocks_are_filled_and_the_rest_is_left_alone(checkout):
    page = write(
        checkout,
        "Before <!-- report: protocol -->old<!-- /report --> after.\n\n"
        "<!-- report: chapters -->\nold\n<!-- /report -->\n",
    )
    text = documents(checkout)[page]
    assert "Before <!-- report: protocol -->12 held-out photos search 90 photos" in text
    assert "fewer where" not in text
    assert "<!-- /report --> after." in text and "old" not in text
    assert "0.400 (2.00 x)" in text
    page.write_text(text, encoding="utf-8")
    assert documents(checkout)[page] == text, "filling twice changes nothing"


def test_dish_classes_come_best_first_from_the_measurement(checkout):
    page = write(checkout, "<!-- report: classes --><!-- /report -->")
    assert "best: soup 0.40" in documents(checkout)[page]


def test_a_chapter_over_the_baseline_needs_the_same_class_rules(checkout, monkeypatch):
    page = write(checkout, "<!-- report: chapters -->\n<!-- /report -->")
    assert "0.400 (2.00 x) | 0.400 (2.00 x) | 0.400 (2.00 x)" in documents(checkout)[page]
    monkeypatch.setattr("itadaki.evaluation.comparison.class_rules", lambda: "later")
    names = ["P@10 dish class", "MAP@R dish class", "nDCG@10 title", "recall@1 re-crop"]
    found = Evaluation({n: np.full(12, 0.4) for n in names}, dict.fromkeys(names, 0.1), "test", 90)
    facts = {"dataset": "d", "dataset_source": "x"}
    folder = checkout / "reports" / "measurements"
    save_measurement(dict.fromkeys(("photos", "fused", "search"), found), folder, "ft", 0, facts)
    assert "0.400 | 0.400 | 0.400 (2.00 x)" in documents(checkout)[page]


def test_a_photos_own_text_stands_beside_what_was_published():
    found = {"queries": 5000, "medR": 31.9, "R@1": 0.08, "R@5": 0.2, "R@10": 0.32}
    columns, rows = quality.text_retrieval(found, "ft (3 seeds)")
    assert rows[0][2:] == ["31.9", "0.080", "0.200", "0.320"] and "5,000" in rows[0][1]
    assert {len(row) for row in rows} == {len(columns)}


def test_what_was_not_measured_says_so(checkout):
    page = write(checkout, "<!-- report: service --><!-- /report -->")
    assert "Not measured yet." in documents(checkout)[page]


def test_an_unknown_block_is_named(checkout):
    write(checkout, "<!-- report: nonsense --><!-- /report -->")
    with pytest.raises(ItadakiError, match="no block nonsense"):
        documents(checkout)


def test_a_changed_measurement_changes_the_documents(checkout):
    page = write(checkout, "<!-- report: scores -->\n<!-- /report -->")
    before = documents(checkout)[page]
    folder = checkout / "reports" / "measurements"
    shutil.copy(folder / "raw-seed0.npz", folder / "ft-seed0.npz")
    assert documents(checkout)[page] != before


def test_what_was_tried_is_listed_with_its_knobs(checkout):
    scores = {"P@1 dish class": 0.3, "nDCG@10 title": 0.1}
    knobs = {"TRIPLET_WEIGHT": 0.0, "TEMPERATURE": 1 / 22, "TEXTS": "words"}
    trial = {"knobs": knobs, "scores": {"photos": scores}}
    path = checkout / "reports" / "measurements" / "trials.json"
    path.write_text(json.dumps({"no triplets": trial}), encoding="utf-8")
    (checkout / "README.md").write_text("<!-- report: trials --><!-- /report -->")
    table = documents(checkout)[checkout / "README.md"]
    told = "`TRIPLET_WEIGHT` 0, `TEMPERATURE` 0.0455, `TEXTS` words"
    assert f"| no triplets ({told}) | photos | 0.300 |" in table


@pytest.mark.parametrize(
    ("name", "called"),
    [("other_kitchen", "ft_joined"), ("left_out", "ft without these dishes")],
)
def test_photos_of_another_kind_are_held_against_raw(checkout, name, called):
    raw, ft = {"P@1 dish class": [0.4, 0.3, 0.5]}, {"P@1 dish class": [0.5, 0.4, 0.6]}
    path = checkout / "reports" / "measurements" / f"{name}.json"
    path.write_text(json.dumps({"dataset": "folder x", "raw": raw, "ft": ft}), encoding="utf-8")
    (checkout / "README.md").write_text(f"<!-- report: {name} --><!-- /report -->")
    table = documents(checkout)[checkout / "README.md"]
    assert f"| **{called}** | 0.500 (0.400–0.600), 1.25 x |" in table
