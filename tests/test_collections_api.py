import json
import shutil
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from conftest import copy_of, dish_photo, encode, running_service
from starlette.testclient import TestClient

from api.core.config import ApiSettings
from api.core.inference_queue import InferenceQueue
from api.core.metrics import Metrics
from api.features.search.services.collections import Collections
from api.main import create_app
from itadaki.collection import change_collection, create_collection
from itadaki.recipes.dataset import load_dataset
from itadaki.recipes.recipe import NewRecipe
from itadaki.retrieval import RetrievalSystem

KEY = {"X-API-Key": "secret-of-the-test"}
ANY = encode(dish_photo(1))
SEARCH, RECIPES = "/api/v1/search/search", "/api/v1/recipes"


def recipes(first: int, count: int) -> list[NewRecipe]:
    return [
        NewRecipe(f"Dish {seed}", ["salt", f"{seed} eggs"], "Cook.", encode(dish_photo(seed)))
        for seed in range(first, first + count)
    ]


@pytest.fixture(scope="module")
def mine(settings, tmp_path_factory):
    """Settings of the collection mine, in a home where others has been imported too."""
    ours = copy_of(settings, tmp_path_factory.mktemp("collections"))
    for name, first in (("mine", 100), ("others", 200)):
        create_collection(ours, name, recipes(first, 4))
        RetrievalSystem.load("raw", ours.model_copy(update={"dataset": name}), build=True)
    return ours.model_copy(update={"dataset": "mine"})


@pytest.fixture(scope="module")
def environment_of_all(environment, mine):
    return {
        **environment,
        "ITADAKI_HOME": str(mine.home),
        "ITADAKI_COLLECTIONS": json.dumps(["mine", "others"]),
    }


@pytest.fixture(scope="module")
def client(environment_of_all):
    """A service of the session's dataset and, beside it, mine and others."""
    with running_service({**environment_of_all, "ITADAKI_API_KEY": KEY["X-API-Key"]}) as service:
        service.client.headers.update(KEY)
        yield service.client


def photo_of(seed: int) -> dict:
    return {"photo": ("x.jpg", encode(dish_photo(seed)), "image/jpeg")}


def form(**fields: str) -> dict:
    """Fields alone, sent as a form with files is."""
    return {name: (None, value) for name, value in fields.items()}


def first_hit(client, seed: int, collection: str | None = "mine") -> dict:
    files = {"image": ("x.jpg", encode(dish_photo(seed)), "image/jpeg")}
    data = {"top_k": 1} | ({"collection": collection} if collection else {})
    answer = client.post(SEARCH, files=files, data=data)
    assert answer.status_code == 200, answer.text
    return answer.json()["recipes"][0]


def test_collections_are_listed(client, recipes_root):
    default, mine, others = client.get("/api/v1/collections").json()
    assert default == {
        "name": recipes_root.name,
        "isDefault": True,
        "recipes": 40,
        "mayChange": False,
    }
    assert (mine["name"], others["name"]) == ("mine", "others")
    assert mine["mayChange"] and not mine["isDefault"] and others["recipes"] == 4


def test_each_request_chooses_its_collection(client):
    assert first_hit(client, 3, None)["title"] == "Chocolate Cake"
    found = first_hit(client, 201, "others")
    assert (found["title"], found["id"]) == ("Dish 201", 2)
    assert found["imagePath"].endswith("/api/v1/photos/2?collection=others")
    assert client.get(found["imagePath"]).headers["content-type"] == "image/jpeg"
    assert first_hit(client, 201, "mine")["title"] != "Dish 201"
    assert "collection" not in first_hit(client, 3, None)["imagePath"]

    one = client.get(f"{RECIPES}/2", params={"collection": "others"}).json()
    assert one["title"] == "Dish 201"
    similar = client.get(f"{RECIPES}/2/similar", params={"collection": "others", "top_k": 9})
    assert {found["title"] for found in similar.json()["recipes"]} == {
        "Dish 200",
        "Dish 202",
        "Dish 203",
    }


def test_an_unknown_collection_is_said(client):
    answers = [
        client.get(f"{RECIPES}/1", params={"collection": "nobody"}),
        client.get("/api/v1/photos/1", params={"collection": "nobody"}),
        client.delete(f"{RECIPES}/1", params={"collection": "nobody"}),
        client.post(RECIPES, data={"title": "x", "collection": "nobody"}, files=photo_of(1)),
    ]
    for answer in answers:
        assert answer.status_code == 404
        assert "/api/v1/collections lists them" in answer.json()["errorMessage"]


def test_a_recipe_comes_changes_and_goes(client, mine):
    fields = {"title": " Pea   Soup ", "ingredients": "peas\n\n1 onion\r\n", "collection": "mine"}
    added = client.post(RECIPES, data=fields, files=photo_of(110))
    assert added.status_code == 201, added.text
    recipe = added.json()
    assert recipe["title"] == "Pea Soup" and recipe["ingredientList"] == ["peas", "1 onion"]
    assert recipe["dishClass"] == "soup"
    assert (recipe["keywords"], recipe["servings"], recipe["totalMinutes"]) == ([], "", 0)
    assert client.get(added.headers["location"]).json() == recipe
    assert first_hit(client, 110)["id"] == recipe["id"]
    assert load_dataset(mine, progress=False).recipes["Title"].tolist()[-1] == "Pea Soup"

    path = f"{RECIPES}/{recipe['id']}"
    changed = client.put(path, files=form(title="Pea Stew", collection="mine"))
    assert changed.json() == recipe | {"title": "Pea Stew", "dishClass": "stew"}
    told = {
        "keywords": "Soup, quick\nsoup",
        "servings": "4",
        "prep_minutes": "5",
        "total_minutes": "90",
        "author": "Ada",
        "source": "https://soup.example/1",
    }
    known = client.put(path, files=form(**told, collection="mine")).json()
    assert known == changed.json() | {
        "keywords": ["Soup", "quick"],
        "servings": "4",
        "prepMinutes": 5,
        "totalMinutes": 90,
        "author": "Ada",
        "source": "https://soup.example/1",
    }
    cleared = client.put(path, files=form(prep_minutes="0", collection="mine")).json()
    assert cleared == known | {"prepMinutes": 0}
    similar = f"{RECIPES}/1/similar"
    asked = {"collection": "mine", "keywords": "SOUP,quick", "top_k": 9}
    assert [one["id"] for one in client.get(similar, params=asked).json()["recipes"]] == [
        recipe["id"]
    ]
    files = photo_of(111)
    assert client.put(path, data={"collection": "mine"}, files=files).status_code == 200
    hit = first_hit(client, 111)
    assert hit["id"] == recipe["id"]
    assert client.get(hit["imagePath"]).content == files["photo"][1]

    gone = client.delete(path, params={"collection": "mine"})
    assert gone.status_code == 204 and not gone.content
    assert client.get(path, params={"collection": "mine"}).status_code == 404
    assert client.delete(path, params={"collection": "mine"}).status_code == 404
    assert first_hit(client, 111)["id"] != recipe["id"]


@pytest.mark.parametrize(
    ("fields", "content", "status", "says"),
    [
        ({"title": "x"}, encode(dish_photo(1)), 409, "was not imported"),
        ({"title": "x", "collection": "mine"}, b"text", 415, "JPEG"),
        ({"title": "x", "collection": "mine"}, encode(dish_photo(1))[:500], 400, "damaged"),
        ({"title": "x", "source": "ftp://x", "collection": "mine"}, ANY, 422, "http://"),
        ({"title": "x", "keywords": "x" * 101, "collection": "mine"}, ANY, 422, "keyword"),
        ({"title": "x", "servings": "x" * 201, "collection": "mine"}, ANY, 422, "servings"),
        ({"title": "x", "cook_minutes": "-1", "collection": "mine"}, ANY, 422, "cook_minutes"),
        ({"title": "x", "cook_minutes": "soon", "collection": "mine"}, ANY, 422, "cook_minutes"),
        ({"title": "   ", "collection": "mine"}, encode(dish_photo(1)), 422, "title"),
        ({"collection": "mine"}, encode(dish_photo(1)), 422, "title"),
        ({"title": "\x01", "collection": "mine"}, encode(dish_photo(1)), 422, "title"),
        ({"title": "\u200b\u202e", "collection": "mine"}, encode(dish_photo(1)), 422, "title"),
    ],
)
def test_what_cannot_be_added(client, fields, content, status, says):
    answer = client.post(RECIPES, data=fields, files={"photo": ("x.jpg", content)})
    assert answer.status_code == status, answer.text
    assert says in answer.json()["errorMessage"]


def test_what_cannot_be_changed(client):
    answer = client.patch(f"{RECIPES}/1", data={"title": "x"})
    assert answer.status_code == 405 and answer.headers["allow"] == "DELETE, GET, PUT"
    answer = client.put(f"{RECIPES}/999", files=form(title="x", collection="mine"))
    assert answer.status_code == 404
    answer = client.put(f"{RECIPES}/1", files=form(photo="x.jpg", collection="mine"))
    assert answer.status_code == 422
    assert answer.json()["errorMessage"] == "The field photo must be a file, not text."


def test_changes_at_once_all_arrive(client):
    def add(seed):
        data = {"title": f"At Once {seed}", "collection": "others"}
        return client.post(RECIPES, data=data, files=photo_of(seed))

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(add, range(230, 234)))
    assert [answer.status_code for answer in answers] == [201] * 4
    assert len({answer.json()["id"] for answer in answers}) == 4
    for seed, answer in zip(range(230, 234), answers, strict=True):
        assert first_hit(client, seed, "others")["id"] == answer.json()["id"]


def test_the_change_of_another_process_is_picked_up(client, mine):
    system = RetrievalSystem.load("raw", mine)
    _, (new_id,) = change_collection(mine, [system], add=recipes(150, 1))
    deadline = time.monotonic() + 60
    while first_hit(client, 150)["id"] != new_id and time.monotonic() < deadline:
        time.sleep(0.2)
    assert first_hit(client, 150)["title"] == "Dish 150"
    added = client.post(RECIPES, data={"title": "y", "collection": "mine"}, files=photo_of(151))
    assert added.json()["id"] == new_id + 1


def test_changes_are_there_only_with_a_key(mine):
    app = create_app(ApiSettings(**mine.model_dump()))
    client = TestClient(app, base_url="http://localhost")
    paths = client.get("/openapi.json").json()["paths"]
    assert RECIPES not in paths and list(paths[f"{RECIPES}/{{recipe_id}}"]) == ["get"]
    assert "/api/v1/collections" in paths
    answer = client.post(RECIPES, data={"title": "x"}, files=photo_of(1))
    gone = client.delete(f"{RECIPES}/1", params={"collection": "mine"})
    assert (answer.status_code, gone.status_code) == (404, 405)


def test_the_documents_tell_of_changes_when_there_is_a_key(client):
    paths = client.get("/openapi.json").json()["paths"]
    assert list(paths[RECIPES]) == ["post"]
    assert list(paths[f"{RECIPES}/{{recipe_id}}"]) == ["get", "put", "delete"]


def test_a_change_that_is_made_is_answered_as_one_though_its_index_does_not_follow(
    mine, tmp_path, monkeypatch
):
    ann = pytest.importorskip("itadaki.index.ann")
    ours = copy_of(mine, tmp_path).model_copy(update={"index": "ann"})
    RetrievalSystem.load("raw", ours, build=True)
    before = load_dataset(ours, progress=False).recipes["Title"].tolist()
    app = create_app(ApiSettings(**ours.model_dump(), api_key=KEY["X-API-Key"]))
    with (
        TestClient(app, base_url="http://localhost", headers=KEY) as client,
        monkeypatch.context() as broken,
    ):

        def fail(*_):
            raise OSError(28, "No space left on device")

        broken.setattr(ann, "build_graph", fail)
        added = client.post(RECIPES, data={"title": "Pea Soup"}, files=photo_of(300))
        assert added.status_code == 201, added.text
        assert added.headers["warning"].startswith("199 itadaki ")
        assert first_hit(client, 300, None)["id"] == added.json()["id"]
        path = f"{RECIPES}/{added.json()['id']}"
        assert client.get(added.headers["location"]).json() == added.json()
        changed = client.put(path, files=form(title="Pea Stew"))
        assert (changed.status_code, changed.json()["title"]) == (200, "Pea Stew")
        gone = client.delete(f"{RECIPES}/1")
        assert (
            gone.status_code == 204 and "warning" in changed.headers and "warning" in gone.headers
        )
        assert load_dataset(ours, progress=False).recipes["Title"].tolist() == [
            *before[1:],
            "Pea Stew",
        ]

        broken.undo()
        app.state.collections.refresh("mine")
        again = client.put(path, files=form(title="Pea Soup"))
        assert again.status_code == 200 and "warning" not in again.headers
        assert first_hit(client, 300, None)["title"] == "Pea Soup"


def test_a_folder_that_is_called_like_a_collection_does_not_hide_it(
    mine, recipes_root, settings, tmp_path
):
    folder = shutil.copytree(recipes_root, tmp_path / "mine")

    def served(dataset: str) -> Collections:
        ours = mine.model_copy(update={"dataset": dataset}).model_dump()
        settings = ApiSettings(**ours, collections=["mine", "others"])
        return Collections(settings, Metrics(), InferenceQueue(1, 1))

    both = served(str(folder))
    assert both.names() == ["folder mine", "mine", "others"]
    assert len(both.service().system.bank.recipes) == 40
    assert both.service("folder mine") is both.service()
    assert both.service("mine").collection == "mine"
    assert 0 < len(both.service("mine").system.bank.recipes) < 40
    assert both.may_change("mine") and not both.may_change("folder mine")
    assert served("mine").names() == ["mine", "others"]


def test_a_disk_without_room_is_said_and_nothing_is_left(environment_of_all, mine, tmp_path):
    """Files may have no more bytes than any change needs, which is refused as a full disk is."""
    resource = pytest.importorskip("resource")
    full = copy_of(mine, tmp_path)
    home, folder = full.home, full.collection_folder
    ours = {**environment_of_all, "ITADAKI_HOME": str(home), "ITADAKI_API_KEY": KEY["X-API-Key"]}

    def files() -> dict:
        return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}

    with running_service(ours) as service:
        client, process = service.client, service.process
        client.headers.update(KEY)
        before = files()
        photo = {"photo": ("x.jpg", encode(dish_photo(300, (400, 300)), quality=95), "image/jpeg")}
        for most in (0, 500, 5000):
            limits = resource.prlimit(process.pid, resource.RLIMIT_FSIZE)
            resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (most, limits[1]))
            answers = [
                client.post(RECIPES, data={"title": "x", "collection": "mine"}, files=photo),
                client.put(f"{RECIPES}/1", data={"title": "x", "collection": "mine"}, files=photo),
                client.delete(f"{RECIPES}/1", params={"collection": "mine"}),
            ]
            resource.prlimit(process.pid, resource.RLIMIT_FSIZE, limits)
            for answer in answers:
                assert answer.status_code == 507, answer.text
                assert "disk is full, or it may not write" in answer.json()["errorMessage"]
            assert first_hit(client, 101)["title"] == "Dish 101"
            assert files() == before
        assert client.delete(f"{RECIPES}/1", params={"collection": "mine"}).status_code == 204
        assert "Traceback" not in service.log.read_text()


def test_a_table_that_was_spoilt_by_hand_is_said(client, mine):
    table = mine.collection_folder.with_name("others") / "data.csv"
    content = table.read_bytes()
    try:
        table.write_bytes(content.replace(b"Id,Title", b"Number,Title"))
        answer = client.delete(f"{RECIPES}/1", params={"collection": "others"})
    finally:
        table.write_bytes(content)
    assert answer.status_code == 409
    assert "lacks the column Id" in answer.json()["errorMessage"]


def test_the_longest_texts_lock_nothing(client):
    fields = {"title": "t" * 300, "ingredients": "aa\n" * 33_000, "instructions": "i" * 100_000}
    fields["collection"] = "mine"
    added = client.post(RECIPES, data=fields, files=photo_of(120))
    assert added.status_code == 201, added.text
    path = f"{RECIPES}/{added.json()['id']}"
    changed = client.put(path, data={"title": "x", "collection": "mine"}, files=photo_of(121))
    assert changed.status_code == 200
    assert client.delete(path, params={"collection": "mine"}).status_code == 204
    for field in ("title", "ingredients", "instructions"):
        longer = fields | {field: fields[field] + "x" * 1001}
        answer = client.post(RECIPES, data=longer, files=photo_of(120))
        assert answer.status_code == 422 and field in answer.json()["errorMessage"]
