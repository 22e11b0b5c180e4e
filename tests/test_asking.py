"""Asking with several photos, a part of one, recipes to be like and unlike, and page by page; and
what is told of an answer."""

import numpy as np
import pytest
from conftest import dish_photo, encode

from itadaki.bank import nearness
from itadaki.errors import QueryError, UnknownRecipeError
from itadaki.index.filters import Filters
from itadaki.photos.crop import Crop


@pytest.fixture(params=["photos", "photos and texts"])
def system(system, fused_system, request):
    """What is asked: a bank of photos alone, and one whose rows hold more."""
    return system if request.param == "photos" else fused_system


def ids(found) -> list[int]:
    return [result.id for result in found.results]


def test_a_photo_alone_finds_what_it_always_found(system):
    photo = dish_photo(9)
    found = system.ask([photo], top_k=10)
    assert found.results == system.search_similar_recipes(photo, 10)


def test_two_boxes_on_one_photo_find_two_dishes(system):
    both = np.hstack([dish_photo(3), dish_photo(7)])
    halves = [system.ask([both], crop=Crop(x, 0, 0.5, 1)).results[0] for x in (0, 0.5)]
    alone = [system.ask([dish_photo(seed)]).results[0] for seed in (3, 7)]
    assert halves == alone and halves[0].id != halves[1].id


def test_several_photos_are_between_each_of_them(system):
    one, other = dish_photo(3), dish_photo(7)
    first, second = (system.ask([photo]).results[0] for photo in (one, other))
    both = system.ask([one, other], top_k=10)
    assert {first.id, second.id} <= set(ids(both)[:4])
    assert ids(both) != ids(system.ask([one], top_k=10)) != ids(system.ask([other], top_k=10))


def test_pages_follow_each_other_without_gap_or_overlap(system):
    photo = dish_photo(9)
    whole = system.ask([photo], top_k=30)
    pages = [system.ask([photo], top_k=10, offset=offset) for offset in (0, 10, 20)]
    assert [result for page in pages for result in page.results] == whole.results
    assert [result.rank for result in pages[2].results] == list(range(21, 31))
    assert system.ask([photo], offset=1000).results == []


def test_steps_move_what_is_found_and_are_taken_back(system):
    photo = dish_photo(9)
    before = system.ask([photo], top_k=10)
    worst = before.results[-1]
    likes = system.ask([photo], top_k=10, like=[worst.id])
    unlikes = system.ask([photo], top_k=10, unlike=[before.results[0].id])
    assert worst.id not in ids(likes) and before.results[0].id not in ids(unlikes)
    both = system.ask([photo], top_k=10, like=[worst.id], unlike=[before.results[0].id])
    assert len({tuple(ids(found)) for found in (before, likes, unlikes, both)}) == 4
    query = system.embed(photo)
    row = system.row_of(worst.id)
    moved = system.steered(query, [worst.id], [])
    assert moved @ system.bank.photo_embeddings[row] > query @ system.bank.photo_embeddings[row]
    away = system.steered(query, [], [worst.id])
    assert away @ system.bank.photo_embeddings[row] < query @ system.bank.photo_embeddings[row]
    assert ids(system.ask([photo], top_k=10)) == ids(before)


def test_recipes_alone_can_be_asked_with(system):
    recipe = system.bank.recipes[5]
    found = system.ask(like=[recipe.id], top_k=5)
    assert recipe.id not in ids(found) and len(found.results) == 5
    with pytest.raises(QueryError, match="photo, words"):
        system.ask(unlike=[recipe.id])
    with pytest.raises(UnknownRecipeError):
        system.ask(like=[10**9])


def test_copies_of_a_recipe_that_was_chosen_are_not_found_again(system):
    groups = [recipe.photo_group for recipe in system.bank.recipes]
    copied = next(group for group in groups if groups.count(group) > 1)
    copies = [recipe.id for recipe in system.bank.recipes if recipe.photo_group == copied]
    for steps in ({"like": copies[:1]}, {"unlike": copies[:1]}):
        found = system.ask([system.photo_path(copied)], top_k=10, **steps)
        assert not set(copies) & set(ids(found)) and len(found.results) == 10


def test_like_and_unlike_at_once_is_refused(system):
    with pytest.raises(QueryError, match="the same"):
        system.steered(np.zeros(system.bank.embeddings.shape[1], np.float32), [], [])


def test_confidence_is_a_share_of_the_banks_own_photos(system):
    near = system.ask([system.photo_path(0)])
    assert near.confidence == 1
    assert 0 <= system.ask([dish_photo(500)]).confidence <= 1
    assert system.ask([dish_photo(1)], like=[system.bank.recipes[0].id]).confidence is None
    nothing = system.ask([dish_photo(1)], filters=Filters(include=("plutonium",)))
    assert nothing.results == [] and nothing.confidence is None


def test_confidence_is_of_the_photo_itself_on_every_page(system):
    photo = dish_photo(9)
    nearest = system.find(system.embed(photo), 1)[0].similarity
    expected = system.bank.confidence(nearest)
    assert 0 < expected < 1
    for page in ({}, {"offset": 20}, {"filters": Filters(min_similarity=0.01)}):
        assert system.ask([photo], **page).confidence == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("top_k", [0, -3])
def test_none_cannot_be_asked_for(system, top_k):
    with pytest.raises(ValueError, match="at least 1"):
        system.ask([dish_photo(9)], top_k=top_k)


def test_what_is_unlike_does_not_move_the_query_to_it(system):
    """A photo of a recipe stands out, so that its row would count, had it not been refused."""
    path, own = system.photo_path(5), system.bank.recipes[5].id
    query = system.embed(path)
    moved, _ = system.expand(query, Filters(), {5})
    assert (
        moved @ system.bank.embeddings[5]
        <= system.expand(query, Filters())[0] @ (system.bank.embeddings[5])
    )
    found = system.ask([path], top_k=10, unlike=[own])
    expected = system.find(system.steered(moved, [], [own]), 11)
    assert ids(found) == [each.id for each in expected if each.id != own][:10]


def test_a_recipe_asked_with_finds_what_is_similar_to_it(system):
    recipe = system.bank.recipes[5]
    found = system.ask(like=[recipe.id], top_k=10)
    assert ids(found) == [each.id for each in system.search_similar_to(5, 10)]


def test_nearness_is_that_of_held_out_neighbours():
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(300, 16)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    groups = np.arange(300)
    groups[1] = 0
    rows[1] = rows[0]  # a copy, which must not count as a neighbour
    quantiles = nearness.fit(rows, rows, groups)
    against = rows @ rows.T
    against[groups[:, None] == groups] = -1
    assert quantiles == sorted(quantiles) and len(quantiles) == 21
    assert quantiles[10] == pytest.approx(np.median(against.max(axis=1)), abs=0.01)
    assert nearness.confidence(quantiles, -1) == 0 and nearness.confidence(quantiles, 1) == 1
    assert nearness.confidence(quantiles, quantiles[5]) == pytest.approx(0.25, abs=1e-6)


def test_a_bank_without_neighbours_tells_no_confidence():
    row = np.ones((2, 4), np.float32) / 2
    assert nearness.fit(row, row, [7, 7]) == [] == nearness.fit(row[:0], row[:0], [])
    assert nearness.confidence([], 0.9) is None


def test_the_models_of_other_weights_do_not_judge_food(system):
    assert system.ask([encode(dish_photo(1))]).is_food is None
