import shutil

import numpy as np
import pytest

from itadaki.bank.bank import build_bank, fused_rows, load_bank
from itadaki.errors import ArtifactError, QueryError
from itadaki.models.embedder import load_embedder
from itadaki.models.text_encoder import TextEncoder
from itadaki.recipes.dataset import load_dataset
from itadaki.retrieval import RetrievalSystem
from itadaki.variants import VARIANTS

FT = VARIANTS["ft"]


@pytest.fixture(scope="module")
def trained(settings, model_home, tmp_path_factory):
    """Settings of a home with a variant that has a text encoder, and its fused bank."""
    folder = shutil.copytree(model_home, tmp_path_factory.mktemp("fused") / "home")
    home = settings.model_copy(update={"home": folder})
    dataset = load_dataset(home, False)
    build_bank(FT, home, dataset, load_embedder(FT, home), progress=False)
    return home


def test_rows_stand_between_photo_and_text_at_the_angle_that_the_share_says():
    titles = ["tomato soup", "tomato xyzzy", "xyzzy"]
    encoder = TextEncoder.fit(["tomato soup", "tomato soup"], [[], []], 3)
    encoder.matrix[:] = [0, 1, 0]  # every known word says the same
    photos = np.tile(np.array([1, 0, 0], np.float32), (3, 1))
    share = np.sqrt(3)
    rows = fused_rows(photos, encoder, titles, [[]] * 3, share)
    np.testing.assert_allclose(rows[0], [np.cos(np.pi / 3), np.sin(np.pi / 3), 0], atol=1e-6)
    half = np.arctan(share / 2)  # one of two words is known
    np.testing.assert_allclose(rows[1], [np.cos(half), np.sin(half), 0], atol=1e-6)
    np.testing.assert_allclose(rows[2], photos[2])  # without a known word, the photo alone


def test_the_bank_fuses_its_photos_and_texts(trained):
    dataset = load_dataset(trained, False)
    bank = load_bank(FT, trained, dataset)
    recipes = dataset.recipes
    encoder = TextEncoder.load(FT.text_encoder_path(trained))
    expected = fused_rows(
        bank.photo_embeddings, encoder, recipes["Title"].tolist(), recipes["Ingredients"].tolist()
    )
    np.testing.assert_allclose(bank.embeddings, expected, atol=1e-6)
    assert (bank.embeddings != bank.photo_embeddings).any()


def test_photos_are_not_embedded_again_when_only_the_rows_change(trained, monkeypatch):
    dataset = load_dataset(trained, False)
    embedder = load_embedder(FT, trained)
    fused = np.array(load_bank(FT, trained, dataset).embeddings)
    photos = np.array(load_bank(FT, trained, dataset).photo_embeddings)
    alone = trained.model_copy(update={"bank_rows": "photo"})
    with pytest.raises(ArtifactError, match="itadaki build ft"):
        load_bank(FT, alone, dataset)
    monkeypatch.setattr("itadaki.bank.bank.embed_photos", lambda paths, *rest: iter(paths[:1]))
    bank = build_bank(FT, alone, dataset, embedder)
    np.testing.assert_array_equal(bank.embeddings, photos)
    np.testing.assert_array_equal(build_bank(FT, trained, dataset, embedder).embeddings, fused)


def test_a_bank_of_another_text_share_is_out_of_date(trained, monkeypatch):
    dataset, embedder = load_dataset(trained, False), load_embedder(FT, trained)
    fused = np.array(load_bank(FT, trained, dataset).embeddings)
    monkeypatch.setattr("itadaki.bank.bank.embed_photos", lambda paths, *rest: iter(paths[:1]))
    with monkeypatch.context() as patch:
        patch.setattr("itadaki.bank.bank.TEXT_SHARE", 0.2)
        with pytest.raises(ArtifactError, match=r"another way.*itadaki build ft"):
            load_bank(FT, trained, dataset)
        other = build_bank(FT, trained, dataset, embedder)
    expected = bank_rows(trained, dataset, 0.2)
    np.testing.assert_allclose(other.embeddings, expected, atol=1e-6)
    with pytest.raises(ArtifactError, match=r"another way.*itadaki build ft"):
        load_bank(FT, trained, dataset)
    np.testing.assert_array_equal(build_bank(FT, trained, dataset, embedder).embeddings, fused)


def bank_rows(settings, dataset, share):
    recipes, encoder = dataset.recipes, TextEncoder.load(FT.text_encoder_path(settings))
    photos = np.load(FT.photo_bank_path(settings))
    texts = recipes["Title"].tolist(), recipes["Ingredients"].tolist()
    return fused_rows(photos, encoder, *texts, share)


def test_words_alone_find_the_texts_that_hold_them(trained):
    system = RetrievalSystem.load("ft", trained)
    title = system.bank.recipes[0].title
    texts = system.text_encoder.encode([title], [[]])
    found = system.search_similar_recipes(words=title, top_k=3)
    best = np.argsort(-(system.bank.embeddings @ texts[0]))[:3]
    assert [result.index for result in found] == best.tolist()
    with pytest.raises(QueryError):
        system.search_similar_recipes(words="qqqq")
