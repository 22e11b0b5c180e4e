"""Over HTTP: a crop, several photos, recipes to be like and unlike, pages, and what is told."""

import numpy as np
import pytest
from conftest import dish_photo, encode, running_service

SEARCH = "/api/v1/search/search"


@pytest.fixture(scope="module")
def client(environment):
    with running_service(environment) as service:
        yield service.client


def post(client, *photos, more=(), **fields):
    files = [("image", ("a.jpg", encode(photo, "PNG"))) for photo in photos]
    files += [("images", ("b.jpg", encode(photo, "PNG"))) for photo in more]
    return client.post(SEARCH, files=files, data=fields)


def ids(answer) -> list[int]:
    assert answer.status_code == 200, answer.text
    return [recipe["id"] for recipe in answer.json()["recipes"]]


def test_two_boxes_give_two_dishes(client):
    both = np.hstack([dish_photo(3), dish_photo(7)])
    left, right = (ids(post(client, both, crop=crop))[0] for crop in ("0,0,0.5,1", "0.5,0,0.5,1"))
    assert left == ids(post(client, dish_photo(3)))[0]
    assert right == ids(post(client, dish_photo(7)))[0] != left


@pytest.mark.parametrize("crop", ["1", "0,0,2,1", "a,b,c,d", "0,0,0,0", "nan,0,1,1", "0,0,1,1,1"])
def test_a_crop_that_is_none_is_refused(client, crop):
    answer = post(client, dish_photo(3), crop=crop)
    assert answer.status_code == 422 and "crop" in answer.json()["errorMessage"]


def test_pages_and_steps_are_those_of_the_library(client, system):
    photo = dish_photo(9)
    whole = ids(post(client, photo, top_k=10))
    assert ids(post(client, photo, top_k=5, offset=5)) == whole[5:]
    steps = {"like": [whole[9]], "unlike": [whole[0], whole[1]]}
    found = system.ask([photo], top_k=10, **steps)
    sent = {name: ",".join(map(str, numbers)) for name, numbers in steps.items()}
    assert ids(post(client, photo, top_k=10, **sent)) == [each.id for each in found.results]
    alone = client.post(SEARCH, data={"like": whole[0]}, files={"words": (None, "")})
    assert whole[0] not in ids(alone)
    assert post(client, photo, like=10**6).status_code == 404
    assert post(client, photo, like="twelve").status_code == 422
    assert post(client, photo, unlike="1," * 11).status_code == 422
    assert post(client, photo, offset=1001).status_code == 422
    similar = client.get(f"/api/v1/recipes/{whole[0]}/similar", params={"top_k": 6})
    rest = client.get(f"/api/v1/recipes/{whole[0]}/similar", params={"top_k": 3, "offset": 3})
    assert ids(rest) == ids(similar)[3:]


def test_several_photos_of_a_dish(client, system):
    photos = [dish_photo(3), dish_photo(7)]
    found = system.ask(photos, top_k=5)
    answer = post(client, photos[0], more=photos[1:], top_k=5)
    assert ids(answer) == [each.id for each in found.results]
    assert answer.json()["confidence"] == pytest.approx(found.confidence, abs=1e-6)
    assert post(client, photos[0], more=[photos[1]] * 5).status_code == 422


def test_what_is_told_is_there_for_those_who_ask_with_a_threshold(client):
    answer = post(client, dish_photo(500), min_similarity=0.0, top_k=10).json()
    assert {"isFood", "confidence"} <= set(answer)
    assert answer["isFood"] is None  # of these weights it cannot be told
    assert len(answer["recipes"]) == 10
