"""The shipped model tells food from other things, in the same pass."""

import json

import cv2
import numpy as np
import pytest

from itadaki.models.embedder import load_embedder
from itadaki.models.litert_model import converted_path
from itadaki.models.record import FOOD_RULE
from itadaki.photos.images import load_input
from itadaki.recipes.source import SAMPLE_ROOT
from itadaki.settings import PROJECT_ROOT, Settings
from itadaki.storage.files import derived_facts, sha256_of
from itadaki.variants import VARIANTS, Artifacts
from tools.not_food import drawn

SHIPPED = Artifacts(VARIANTS["ft"], Settings(_env_file=None, home=PROJECT_ROOT))


@pytest.fixture(scope="module")
def embedder():
    return load_embedder(SHIPPED)


def judged(embedder, pictures) -> list[bool]:
    return [embedder.embed_with_food(load_input(picture))[1] for picture in pictures]


def test_the_cookbooks_pictures_are_food(embedder):
    pictures = sorted((SAMPLE_ROOT / "Food Images" / "Food Images").iterdir())[1::10]
    assert np.mean(judged(embedder, pictures)) > 0.95


def test_pages_charts_screens_and_patterns_are_not(embedder):
    kinds = dict(drawn(1))
    assert {"drawn text", "drawn chart", "drawn screen", "drawn map", "drawn noise"} <= set(kinds)
    # Mirrored, they are not those that the rule was fitted to.
    pictures = [cv2.flip(picture, 1) for _, picture in drawn(2)]
    assert np.mean(judged(embedder, pictures)) < 0.1


def test_the_embedding_is_the_same_with_and_without_the_judgement(embedder):
    photo = load_input(next((SAMPLE_ROOT / "Food Images" / "Food Images").iterdir()))
    row, _ = embedder.embed_with_food(photo)
    assert np.array_equal(row, embedder.embed(photo[None])[0])
    assert np.allclose(row, embedder.embed_with_food(photo, alone=False)[0], atol=1e-5)


def test_the_conversion_is_of_the_rule_that_is_there():
    facts = derived_facts(converted_path(SHIPPED.model))
    assert facts["food"] == sha256_of(FOOD_RULE)
    measured = json.loads(FOOD_RULE.read_text(encoding="utf-8"))["measured"]
    assert max(measured["turned away"].values()) <= 0.025
    assert measured["caught, of kinds out of their folds"] >= 0.95
