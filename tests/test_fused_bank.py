import shutil

import numpy as np
import pytest

from itadaki.bank.bank import load_bank
from itadaki.bank.build import build_bank
from itadaki.bank.fusion import fused_rows
from itadaki.errors import ArtifactError, QueryError
from itadaki.models.embedder import load_embedder
from itadaki.models.text_encoder import TextEncoder
from itadaki.recipes.dataset import load_dataset
from itadaki.retrieval import RetrievalSystem
from itadaki.variants import VARIANTS, Artifacts

FT = VARIANTS["ft"]


@pytest.fixture(scope="module")
def trained(settings, model_home, tmp_path_factory):
    """Settings of a home with a variant that has a text encoder, and its fused bank."""
    folder = shutil.copytree(model_home, tmp_path_factory.mktemp("fused") / "home")
    home = settings.model_copy(update={"home": folder})
    dataset = load_dataset(home, False)
    build_bank(Artifacts(FT, home), dataset, load_embedder(Artifacts(FT, home)), progress=False)
    return home


def never(photos, embedder, batch_size):
    """In the place of what embeds, where no photo may be left to embed."""
    assert not photos
    return iter(())


def test_rows_stand_between_photo_and_text_at_the_angle_that_the_share_says(monkeypatch):
    titles = ["tomato soup", "tomato xyzzy", "xyzzy"]
    encoder = TextEncoder.fit(["tomato soup"] * 2, [[], []], np.zeros((2, 3), np.float32))
    encoder.matrix[:] = [0, 1, 0]  # every known word says the same
    photos = np.tile(np.array([1, 0, 0], np.float32), (3, 1))
    share = np.sqrt(3)
    monkeypatch.setattr("itadaki.bank.fusion.TEXT_SHARE", share)
    rows = fused_rows(photos, encoder, titles, [[]] * 3)
    np.testing.assert_allclose(rows[0], [np.cos(np.pi / 3), np.sin(np.pi / 3), 0], atol=1e-6)
    half = np.arctan(share / 2)  # one of two words is known
    np.testing.assert_allclose(rows[1], [np.cos(half), np.sin(half), 0], atol=1e-6)
    np.testing.assert_allclose(rows[2], photos[2])  # without a known word, the photo alone


def test_the_bank_fuses_its_photos_and_texts(trained):
    dataset = load_dataset(trained, False)
    bank = load_bank(Artifacts(FT, trained), dataset)
    recipes = dataset.recipes
    encoder = TextEncoder.load(Artifacts(FT, trained).text_encoder)
    expected = fused_rows(
        bank.photo_embeddings, encoder, recipes["Title"].tolist(), recipes["Ingredients"].tolist()
    )
    np.testing.assert_allclose(bank.embeddings, expected, atol=1e-6)
    assert (bank.embeddings != bank.photo_embeddings).any()


def test_photos_are_not_embedded_again_when_only_the_rows_change(trained):
    dataset = load_dataset(trained, False)
    embedder = load_embedder(Artifacts(FT, trained))
    fused = np.array(load_bank(Artifacts(FT, trained), dataset).embeddings)
    photos = np.array(load_bank(Artifacts(FT, trained), dataset).photo_embeddings)
    alone = trained.model_copy(update={"bank_rows": "photo"})
    with pytest.raises(ArtifactError, match="itadaki build ft"):
        load_bank(Artifacts(FT, alone), dataset)
    bank = build_bank(Artifacts(FT, alone), dataset, embedder, embed=never)
    np.testing.assert_array_equal(bank.embeddings, photos)
    again = build_bank(Artifacts(FT, trained), dataset, embedder, embed=never)
    np.testing.assert_array_equal(again.embeddings, fused)


def test_a_bank_of_another_text_share_is_out_of_date(trained, monkeypatch):
    dataset, embedder = load_dataset(trained, False), load_embedder(Artifacts(FT, trained))
    fused = np.array(load_bank(Artifacts(FT, trained), dataset).embeddings)
    with monkeypatch.context() as patch:
        patch.setattr("itadaki.bank.fusion.TEXT_SHARE", 0.2)
        with pytest.raises(ArtifactError, match=r"another way.*itadaki build ft"):
            load_bank(Artifacts(FT, trained), dataset)
        other = build_bank(Artifacts(FT, trained), dataset, embedder, embed=never)
        expected = bank_rows(trained, dataset)
    np.testing.assert_allclose(other.embeddings, expected, atol=1e-6)
    with pytest.raises(ArtifactError, match=r"another way.*itadaki build ft"):
        load_bank(Artifacts(FT, trained), dataset)
    again = build_bank(Artifacts(FT, trained), dataset, embedder, embed=never)
    np.testing.assert_array_equal(again.embeddings, fused)


def bank_rows(settings, dataset):
    recipes, encoder = dataset.recipes, TextEncoder.load(Artifacts(FT, settings).text_encoder)
    photos = np.load(Artifacts(FT, settings).photo_bank)
    texts = recipes["Title"].tolist(), recipes["Ingredients"].tolist()
    return fused_rows(photos, encoder, *texts)


def test_words_alone_find_the_texts_that_hold_them(trained):
    system = RetrievalSystem.load("ft", trained)
    title = system.bank.recipes[0].title
    found = system.search_similar_recipes(words=title, top_k=3)
    titles = [result.title == title for result in found]
    assert titles[0] and titles == sorted(titles, reverse=True)
    with pytest.raises(QueryError):
        system.search_similar_recipes(words="qqqq")
