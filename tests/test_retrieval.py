import re
import tempfile
from dataclasses import replace

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest
from PIL import Image

from itadaki import plots
from itadaki.errors import ArtifactError, ImageError, QueryError
from itadaki.index.filters import Filters
from itadaki.models.keras_model import BACKBONE, load_model
from itadaki.photos.images import load_input
from itadaki.retrieval import RetrievalSystem
from itadaki.settings import PROJECT_ROOT, Settings
from itadaki.training.triplets import hard_triplets
from itadaki.variants import VARIANTS, Artifacts

matplotlib.use("Agg")


def photo(system, index):
    return system.photo_path(index)


def test_a_photo_of_the_bank_finds_itself_first(system):
    for index in (0, 17, 30):
        first, second = system.search_similar_recipes(photo(system, index), top_k=2)
        assert (first.index, first.rank, second.rank) == (index, 1, 2)
        assert (
            first.similarity == pytest.approx(1, abs=1e-4) and first.similarity >= second.similarity
        )


def test_every_kind_of_query_finds_the_same(system):
    path = photo(system, 5)
    with Image.open(path) as image:
        image.load()
    queries = [path, str(path), path.read_bytes(), image, np.asarray(image)]
    found = {tuple(r.index for r in system.search_similar_recipes(q, 5)) for q in queries}
    assert len(found) == 1


def test_a_photo_is_expanded_where_rows_hold_texts(fused_system):
    path = photo(fused_system, 3)
    query = fused_system.embed(path)
    plain = fused_system.find(query, 40)
    found = fused_system.search_similar_recipes(path, 40)
    assert [each.index for each in found] != [each.index for each in plain]
    assert found[0].index == 3  # its photo stands out
    similarities = [each.similarity for each in found]
    assert similarities == sorted(similarities, reverse=True)
    at_least = Filters(min_similarity=similarities[9])
    assert fused_system.search_similar_recipes(path, 40, filters=at_least) == found[:10]
    _, nearest = fused_system.expand(query, Filters())
    assert nearest == plain[0].similarity


def test_one_recipe_is_enough_to_expand_with(fused_system):
    only = Filters(include=(fused_system.bank.recipes[5].ingredients[0],))
    assert fused_system.search_similar_recipes(photo(fused_system, 3), 40, filters=only)
    nothing = Filters(include=("plutonium",))
    assert fused_system.search_similar_recipes(photo(fused_system, 3), filters=nothing) == []


def test_copies_can_be_left_out(system):
    both = system.search_similar_recipes(photo(system, 39), top_k=2)
    assert [result.index for result in both] == [38, 39]
    unique = system.search_similar_recipes(photo(system, 39), top_k=2, unique_photos=True)
    assert unique[0].index == 38 and unique[1].index != 39


def test_more_results_than_recipes(system):
    assert len(system.search_similar_recipes(photo(system, 0), top_k=500)) == 40


def test_unreadable_query(system):
    with pytest.raises(ImageError):
        system.search_similar_recipes(b"no photo")


def test_a_photo_is_had_by_its_recipes_id(system):
    assert system.photo_of(3) == system.photo_path(3).resolve()
    assert system.photo_of(40) is None and system.photo_of(-1) is None


def test_no_photo_outside_of_the_dataset_is_given(system, tmp_path):
    (tmp_path / "secret.jpg").write_bytes(b"x")
    bank = system.bank
    first = replace(bank.recipes[0], photo=str(tmp_path / "secret.jpg"))
    second = replace(bank.recipes[1], photo="Food Images/none.jpg")
    bank = replace(bank, recipes=[first, second, *bank.recipes[2:]])
    spoilt = RetrievalSystem(system.embedder, bank, system.dataset)
    assert spoilt.photo_path(0).is_file()
    assert [spoilt.photo_of(id) is None for id in (0, 1, 2)] == [True, True, False]


@pytest.mark.parametrize("row", [-1, 40])
def test_no_row_but_those_of_the_bank_is_searched_with(system, row):
    with pytest.raises(QueryError, match=f"no recipe {row}"):
        system.search_similar_to(row)


def test_an_input_is_embedded_as_its_photo_is(system):
    photo = system.photo_path(5)
    for alone in (True, False):
        np.testing.assert_allclose(
            system.embed_input(load_input(photo), alone), system.embed(photo), atol=1e-5
        )


def test_triplets_hold_what_they_promise(system):
    for triplet in hard_triplets(system.bank, 5):
        anchor, positive, negative = (
            system.bank.recipes[i] for i in (triplet.anchor, triplet.positive, triplet.negative)
        )
        assert {anchor.split, positive.split, negative.split} == {"train"}
        assert anchor.dish_class == positive.dish_class != negative.dish_class
        assert anchor.photo_group != positive.photo_group
        others = [
            i
            for i, recipe in enumerate(system.bank.recipes)
            if recipe.split == "train" and recipe.dish_class != anchor.dish_class
        ]
        hardest = max(
            system.bank.embeddings[i] @ system.bank.embeddings[triplet.anchor] for i in others
        )
        assert triplet.negative_similarity == pytest.approx(hardest, abs=1e-6)


def test_stages_of_the_real_model(system):
    stages = plots.model_stages(system.embedder.model)
    blocks = [f"block {i}" for i in range(1, 8)]
    assert [stage.name for stage in stages] == [
        "photo",
        "stem",
        *blocks,
        "top",
        "pooling",
        "embedding",
    ]
    assert {stage.part for stage in stages} == {"", BACKBONE}
    assert sum(stage.parameters for stage in stages) == system.embedder.model.count_params()
    assert [stage.shape for stage in stages][-3:] == [(7, 7, 1280), (1280,), (1280,)]
    assert not any(stage.trained for stage in stages)


def test_a_block_that_is_partly_trained_becomes_two_stages():
    shipped = Artifacts(VARIANTS["ft"], Settings(_env_file=None, home=PROJECT_ROOT)).model
    stages = {stage.name: stage for stage in plots.model_stages(load_model(shipped))}
    assert stages["block 6a–b"].trained == 0 and stages["block 6c–d"].trained > 0
    assert 0 < stages["block 7"].trained < stages["block 7"].parameters, "BatchNorm stays frozen"
    assert stages["head_1"].trained == stages["head_1"].parameters


def is_title(artist) -> bool:
    return artist.get_gid() == "title"


def test_figures_are_drawn_and_shown(system, monkeypatch):
    shown = []
    monkeypatch.setattr(plots, "show", lambda figure, told=None: shown.append(figure))
    results = system.search_similar_recipes(photo(system, 3), top_k=7)
    system.display_results(photo(system, 3), results)
    system.display_results(photo(system, 3), [])
    system.visualize_model_architecture()
    system.show_triplets(num_triplets=2)
    assert len(shown) == 4
    titles = [text.get_text() for axis in shown[0].axes for text in axis.findobj(is_title)]
    assert titles[0] == "Query" and titles[1].startswith("1  ")
    assert len(titles) == 8
    for figure in shown:
        figure.canvas.draw()


def test_a_script_without_a_window_is_told_where_its_figures_are(
    system, monkeypatch, tmp_path, capsys
):
    plt.close("all")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    system.display_results(photo(system, 3), system.search_similar_recipes(photo(system, 3)))
    system.show_triplets(num_triplets=1)
    paths = re.findall(r"Figure: (.*)", capsys.readouterr().out)
    assert len(set(paths)) == 2
    for path in paths:
        with Image.open(path) as figure:
            assert figure.format == "PNG" and min(figure.size) > 100
    assert not plt.get_fignums()  # nothing is kept in memory

    shown = []
    monkeypatch.setattr(plt, "get_backend", lambda: "TkAgg")
    monkeypatch.setattr(plt, "show", lambda: shown.append(plt.get_fignums()))
    system.show_triplets(num_triplets=1)
    assert len(shown[0]) == 1 and not capsys.readouterr().out


def test_the_approximate_index_serves_like_the_exact_one(system, copy):
    approximate = copy.model_copy(update={"index": "ann"})
    with pytest.raises(ArtifactError, match="python -m itadaki build raw"):
        RetrievalSystem.load("raw", approximate)
    other = RetrievalSystem.load("raw", approximate, build=True)
    for filters in (Filters(), Filters(include=("carrot",)), Filters(dish_classes=("cake",))):
        found = [
            r.title for r in other.search_similar_recipes(photo(system, 3), 5, filters=filters)
        ]
        expected = [
            r.title for r in system.search_similar_recipes(photo(system, 3), 5, filters=filters)
        ]
        assert found == expected
