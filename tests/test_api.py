import json
import re
from pathlib import Path

import httpx
import numpy as np
import pytest
from conftest import dish_photo, encode, running_service, start_service
from fastapi import FastAPI
from fastapi.testclient import TestClient

from api.core.errors import add_error_handlers
from itadaki.errors import IndexUnavailableError

SEARCH = "/api/v1/search/search"


@pytest.fixture(scope="module")
def client(environment):
    with running_service({**environment, "ITADAKI_MAX_UPLOAD_MB": "2"}) as service:
        yield service.client


@pytest.fixture(scope="module")
def photo(recipes_root) -> bytes:
    return (recipes_root / "Food Images/Food Images/lemon-cake-1004.jpg").read_bytes()


def post(client, content, name="photo.jpg", kind="image/jpeg", **fields):
    return client.post(SEARCH, files={"image": (name, content, kind)}, data=fields)


def assert_failure(answer, status, says):
    assert answer.status_code == status
    body = answer.json()
    assert body["success"] is False and body["recipes"] == [] and body["totalResults"] == 0
    assert set(body) == {
        "recipes",
        "totalResults",
        "processingTime",
        "timestamp",
        "success",
        "errorMessage",
        "errorCode",
    }
    assert says in body["errorMessage"] and body["errorMessage"].endswith(".")


def test_answer_has_the_shape_of_the_seed(client, photo):
    answer = post(client, photo, top_k=5)
    assert answer.status_code == 200
    body = answer.json()
    assert body["success"] is True and body["errorMessage"] is None
    assert body["totalResults"] == len(body["recipes"]) == 5
    assert body["processingTime"] > 0
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", body["timestamp"])
    first = body["recipes"][0]
    assert first["rank"] == 1 and first["title"] == "Lemon Cake"
    assert first["ingredients"] == "['2 lemons', '4 eggs', '200 g flour']"
    assert first["ingredientList"] == ["2 lemons", "4 eggs", "200 g flour"]
    assert first["instructions"] == "Cook it.\nServe it, number 4."
    assert first["similarity"] == pytest.approx(1, abs=1e-4)
    similarities = [recipe["similarity"] for recipe in body["recipes"]]
    assert similarities == sorted(similarities, reverse=True)


def test_answers_as_the_library_does(client, system):
    content = encode(dish_photo(77), "PNG")
    found = [r["title"] for r in post(client, content, top_k=10).json()["recipes"]]
    expected = [r.title for r in system.search_similar_recipes(content, 10)]
    assert found == expected


def test_three_results_by_default(client, photo):
    assert post(client, photo).json()["totalResults"] == 3


def test_exclude_is_described_as_no_allergy_filter(client):
    document = client.get("/openapi.json").json()
    forms = document["components"]["schemas"].values()
    fields = [form["properties"]["exclude"] for form in forms if "exclude" in form["properties"]]
    similar = document["paths"]["/api/v1/recipes/{recipe_id}/similar"]["get"]["parameters"]
    fields += [field for field in similar if field["name"] == "exclude"]
    assert len(fields) == 3
    assert all("This is no allergy filter" in field["description"] for field in fields)


def test_ingredients_and_similarity_filter(client, photo):
    body = post(client, photo, top_k=10, include="EGG, flour", exclude="lemon").json()
    assert body["totalResults"] == 10
    for recipe in body["recipes"]:
        text = " ".join(recipe["ingredientList"])
        assert "egg" in text and "flour" in text and "lemon" not in text
    without = post(client, photo, top_k=10, exclude="meat, gluten, eggs").json()["recipes"]
    named = " ".join(name for recipe in without for name in recipe["ingredientList"])
    assert "lettuce" in named and not any(name in named for name in ("stock", "flour", "eggs"))
    for asked in ("meat; gluten", "no eggs and stock", "whole eggs/meat\ngluten"):
        left = post(client, photo, top_k=10, exclude=asked).json()["recipes"]
        named = " ".join(name for recipe in left for name in recipe["ingredientList"])
        assert left and not any(name in named for name in ("stock", "eggs")), asked
    assert post(client, photo, include="unobtainium").json()["totalResults"] == 0
    near = post(client, photo, top_k=10, min_similarity="0.99").json()["recipes"]
    assert near and all(recipe["similarity"] >= 0.99 for recipe in near)
    cakes = post(client, photo, top_k=10, dish_class="cake, pie").json()["recipes"]
    assert cakes and {recipe["dishClass"] for recipe in cakes} == {"cake"}
    assert_failure(post(client, photo, min_similarity="2"), 422, "min_similarity")


def test_more_like_a_recipe_and_the_recipe_itself(client, photo):
    first = post(client, photo).json()["recipes"][0]
    recipe = client.get(f"/api/v1/recipes/{first['id']}").json()
    assert recipe["title"] == first["title"] and recipe["imagePath"] == first["imagePath"]
    more = client.get(f"/api/v1/recipes/{first['id']}/similar", params={"top_k": 4}).json()
    assert more["totalResults"] == 4
    assert first["id"] not in [recipe["id"] for recipe in more["recipes"]]
    assert_failure(client.get("/api/v1/recipes/40"), 404, "no recipe 40")
    assert_failure(client.get("/api/v1/recipes/40/similar"), 404, "no recipe 40")


def test_image_path_opens_in_a_browser(client, photo):
    url = post(client, photo).json()["recipes"][0]["imagePath"]
    assert url.startswith("http://127.0.0.1:")
    answer = httpx.get(url)
    assert answer.headers["content-type"] == "image/jpeg"
    assert answer.content == photo


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "GIF"])
def test_type_is_told_by_content(client, kind):
    answer = post(client, encode(dish_photo(5), kind), "x.bin", "application/octet-stream")
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("top_k", "says"),
    [
        ("0", "at least 1"),
        ("11", "at most 10"),
        ("-1", "at least 1"),
        ("many", "a whole number"),
        ("1.5", "a whole number"),
    ],
)
def test_top_k_out_of_range(client, photo, top_k, says):
    assert_failure(post(client, photo, top_k=top_k), 422, f"The field top_k must be {says}.")


def test_unknown_fields_are_named(client, photo):
    answer = post(client, photo, sound="lemon")
    assert_failure(answer, 422, "There is no form field 'sound' in this request; it takes image,")
    files = {"image": ("photo.jpg", photo, "image/jpeg")}
    asked = {"params": {"top_k": 5}}
    assert_failure(client.post(SEARCH, files=files, **asked), 422, "no query parameter 'top_k'")
    twice = client.post(SEARCH, files=files, data={"top_k": ["3", "5"]})
    assert_failure(twice, 422, "'top_k' is given 2 times")
    assert_failure(client.post(SEARCH, files={"photo": photo}), 422, "no form field 'photo'")


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/recipes/3?colection=mine",
        "/api/v1/recipes/3/similar?topk=3",
        "/api/v1/photos/3?size=5",
        "/api/v1/collections?page=2",
        "/health?deep",
        "/ready?deep",
        "/metrics?name[]=x",
    ],
)
def test_unknown_parameters_are_named(client, path):
    name = re.search(r"[?](.*?)(=|$)", path)[1]
    assert_failure(client.get(path), 422, f"There is no query parameter {name!r} in this request")


@pytest.mark.parametrize("path", ["/", "/page/page.js", "/examples", "/docs", "/openapi.json"])
def test_the_page_and_its_files_take_any_parameter(client, path):
    assert client.get(path, params={"utm_source": "letter", "v": "3"}).status_code == 200


def test_missing_image(client):
    said = "Give a photo, words, or both."
    assert_failure(client.post(SEARCH, files={"top_k": (None, "3")}), 422, said)


def test_image_as_text(client):
    said = "The field image must be a file, not text."
    assert_failure(client.post(SEARCH, files={"image": (None, "photo.jpg")}), 422, said)


def test_empty_image(client):
    assert_failure(post(client, b""), 400, "empty")


def test_broken_image(client, photo):
    assert_failure(post(client, photo[: len(photo) // 2]), 400, "truncated or damaged")


def test_wrong_type(client):
    assert_failure(post(client, b"just text"), 415, "JPEG, PNG, WebP, GIF, HEIC or AVIF")


def test_oversized_upload(client):
    assert_failure(post(client, bytes(3_000_000)), 413, "larger than 2 MB")


def test_oversized_upload_without_a_length(client):
    def body():
        yield b'--x\r\nContent-Disposition: form-data; name="image"; filename="a.jpg"\r\n\r\n'
        for _ in range(40):
            yield bytes(100_000)
        yield b"\r\n--x--\r\n"

    headers = {"content-type": "multipart/form-data; boundary=x"}
    assert_failure(client.post(SEARCH, content=body(), headers=headers), 413, "larger than 2 MB")


def test_too_many_pixels(client):
    bomb = encode(np.zeros((9000, 9000), np.uint8), "PNG")
    assert_failure(post(client, bomb), 413, "million")


def test_form_of_another_type(client):
    assert_failure(client.post(SEARCH, data={"top_k": "3"}), 415, "multipart/form-data")
    assert_failure(client.post(SEARCH, json={"top_k": 3}), 422, "Give a photo")  # not read


def test_body_that_is_no_form(client):
    headers = {"content-type": "multipart/form-data; boundary=x"}
    answer = client.post(SEARCH, content=b"garbage", headers=headers)
    assert 400 <= answer.status_code < 500 and answer.json()["success"] is False


@pytest.mark.parametrize(
    "path",
    ["/api/v1/photos/40", "/api/v1/photos/-1", "/nowhere", "/api/v1/photos/..%2f..%2fetc%2fpasswd"],
)
def test_what_is_not_there(client, path):
    assert_failure(client.get(path), 404, "")


@pytest.mark.parametrize("path", ["/api/v1/photos/4", "/page/page.js", "/examples/1.jpg"])
@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ("apples=0-5", 400),
        ("bytes", 400),
        ("bytes=", 400),
        ("bytes=5-2", 400),
        ("bytes=99999999-", 416),
        ("bytes=0-1,99999999-", 416),
    ],
)
def test_a_bad_range(client, path, asked, status):
    answer = client.get(path, headers={"Range": asked})
    assert_failure(answer, status, "")
    assert answer.headers["content-length"] == str(len(answer.content))
    assert (answer.headers.get("content-range", "")[:8] == "bytes */") is (status == 416)
    assert "content-security-policy" in answer.headers


def test_a_good_range(client, photo):
    answer = client.get("/api/v1/photos/4", headers={"Range": "bytes=2-9"})
    assert (answer.status_code, answer.content) == (206, photo[2:10])


def test_wrong_method(client):
    assert_failure(client.get(SEARCH), 405, "GET does not work at /api/v1/search/search")


def test_health_says_what_is_served(client, settings, system):
    health = client.get("/health").json()
    assert health["status"] == "ok" and health["variant"] == "raw"
    assert health["dataset"] == {
        "source": f"folder {Path(settings.dataset).name}",
        "recipes": 40,
        "dropped": {},
        "notice": None,
    }
    assert health["bank"] == {
        "rows": 40,
        "dimension": 1280,
        "sha256": system.bank.manifest["sha256"]["bank"],
    }


def test_page_and_documentation_answer(client):
    page = client.get("/")
    assert page.headers["content-type"].startswith("text/html") and "Itadaki" in page.text
    assert "Caramel Apple Cupcakes" in client.get("/openapi.json").text


def test_many_at_once_all_answer(client, photo):
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: post(client, photo), range(16)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({json.dumps(answer.json()["recipes"]) for answer in answers}) == 1


def test_start_without_a_bank_ends_with_one_sentence(environment, tmp_path):
    process, _ = start_service({**environment, "ITADAKI_HOME": str(tmp_path)})
    said, _ = process.communicate(timeout=300)
    assert process.returncode != 0
    assert "python -m itadaki build raw" in said
    assert "Traceback" not in said


def test_an_index_that_does_not_answer_is_told():
    app = FastAPI()
    add_error_handlers(app)

    @app.get("/")
    def search():
        raise IndexUnavailableError("Qdrant at http://secret:6333 does not answer.")

    answer = TestClient(app).get("/")
    assert_failure(answer, 503, "The index does not answer")
    assert answer.headers["Retry-After"] == "1" and "secret" not in answer.text
