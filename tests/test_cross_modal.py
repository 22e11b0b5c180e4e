import numpy as np
import pytest

from itadaki.evaluation.cross_modal import text_retrieval


def circle(degrees: list[float]) -> np.ndarray:
    angles = np.radians(degrees)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)


def test_ranks_are_those_of_the_own_text_among_all():
    texts = circle([0, 10, 20, 30])
    photos = circle([1, 21, 21, 90])  # the second one's own text is third, the others' are first
    found = text_retrieval(photos, texts, np.arange(4))
    assert found["medR"] == pytest.approx(1)
    assert found["R@1"] == pytest.approx(3 / 4)
    assert found["R@5"] == 1
    assert (found["queries"], found["texts"]) == (4, 4)
    assert text_retrieval(photos, texts, np.array([1]))["medR"] == 3


def test_recipes_without_a_text_neither_ask_nor_answer():
    texts = circle([0, 10, 20])
    texts[2] = 0
    found = text_retrieval(circle([0, 10, 0]), texts, np.arange(3))
    assert (found["queries"], found["texts"], found["R@1"]) == (2, 2, 1)


def test_a_bag_holds_a_thousand_texts_and_the_querys_own(monkeypatch):
    rng = np.random.default_rng(1)
    rows = rng.normal(size=(3000, 8)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    found = text_retrieval(rows, rows, np.arange(200))
    assert found["texts"] == 1000 and found["R@1"] == 1
    blind = rng.normal(size=(3000, 8)).astype(np.float32)
    assert text_retrieval(blind, rows, np.arange(200))["medR"] == pytest.approx(500, abs=60)
