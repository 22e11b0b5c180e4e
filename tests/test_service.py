import json
import re
import shutil
import signal
import threading
import time

import httpx
import numpy as np
import pytest
from conftest import dish_photo, encode, running_service, start_service
from starlette.testclient import TestClient

from api.core.config import ApiSettings
from api.main import create_app
from itadaki.settings import Settings
from itadaki.storage.files import dump_builtin_pickle, load_builtin_pickle, sha256_of, write_json
from itadaki.variants import VARIANTS

SEARCH = "/api/v1/search/search"
KEY = {"X-API-Key": "secret-of-the-test"}
ORIGIN = "https://cooks.example"


@pytest.fixture(scope="module")
def home(settings, tmp_path_factory):
    """A home of this module's own, because its bank is tampered with."""
    return shutil.copytree(settings.home, tmp_path_factory.mktemp("service") / "home")


@pytest.fixture(scope="module")
def service(environment, home):
    ours = {
        "ITADAKI_HOME": str(home),
        "ITADAKI_API_KEY": KEY["X-API-Key"],
        "ITADAKI_CORS_ORIGINS": json.dumps([ORIGIN]),
        "ITADAKI_DOCS": "false",
        "ITADAKI_LOG_FORMAT": "json",
    }
    with running_service({**environment, **ours}) as service:
        yield service


def post(client, seed=5, headers=KEY, **fields):
    files = {"image": ("photo.jpg", encode(dish_photo(seed)), "image/jpeg")}
    return client.post(SEARCH, files=files, data=fields, headers=headers)


def lines(service) -> list[dict]:
    return [json.loads(line) for line in service.log.read_text().splitlines() if line[:1] == "{"]


def test_key_is_asked_before_anything_else(service):
    refused = service.client.post(SEARCH, content=b"not even a form")
    assert refused.status_code == 401 and refused.json()["success"] is False
    assert post(service.client).status_code == 200


def test_ready_is_not_health(service):
    assert service.client.get("/ready").json() == {"ready": True}
    assert service.client.get("/health").json()["status"] == "ok"


def test_documentation_can_be_switched_off(service):
    for path in ("/docs", "/openapi.json", "/redoc"):
        assert service.client.get(path, headers=KEY).status_code == 404


def test_headers_protect_the_page(service):
    headers = service.client.get("/").headers
    assert "unsafe" not in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert post(service.client, headers={}).headers["x-content-type-options"] == "nosniff"


def test_only_configured_origins_may_call(service):
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "X-API-Key"}
    allowed = service.client.options(SEARCH, headers={"Origin": ORIGIN, **asked})
    assert allowed.status_code == 200
    assert allowed.headers["access-control-allow-origin"] == ORIGIN
    assert "access-control-allow-credentials" not in allowed.headers
    other = service.client.options(SEARCH, headers={"Origin": "https://evil.example", **asked})
    assert "access-control-allow-origin" not in other.headers
    refused = post(service.client, headers={"Origin": ORIGIN})
    assert refused.status_code == 401
    assert refused.headers["access-control-allow-origin"] == ORIGIN


def test_any_origin_may_be_allowed_but_never_with_credentials(settings):
    app = create_app(ApiSettings(**settings.model_dump(), cors_origins=["*"]))
    asked = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    client = TestClient(app)
    allowed = client.options(SEARCH, headers=asked)
    assert allowed.headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in allowed.headers
    refused = client.options(SEARCH, headers={**asked, "Access-Control-Request-Method": "PATCH"})
    assert refused.status_code == 400 and refused.json()["success"] is False


def test_every_request_has_an_id_and_one_log_line_without_its_photo(service):
    name = "holiday-in-my-kitchen.jpg"
    files = {"image": (name, encode(dish_photo(3)), "image/jpeg")}
    answer = service.client.post(SEARCH, files=files, headers={**KEY, "X-Request-ID": "cook-17"})
    assert answer.headers["x-request-id"] == "cook-17"
    logged = [line for line in lines(service) if line["request_id"] == "cook-17"]
    assert len(logged) == 1
    assert logged[0]["status"] == 200 and logged[0]["path"] == SEARCH
    assert logged[0]["body_bytes"] > len(files["image"][1]) and logged[0]["seconds"] > 0
    assert name not in service.log.read_text() and KEY["X-API-Key"] not in service.log.read_text()


def test_harmful_request_ids_are_replaced(service):
    answer = service.client.get("/health", headers={"X-Request-ID": "x" * 500})
    assert len(answer.headers["x-request-id"]) == 32


def test_metrics_tell_stages_outcomes_and_similarities(service):
    before = service.client.get("/metrics", headers=KEY).text
    post(service.client)
    post(service.client, top_k=99)
    service.client.get("/some/path/of/a/scanner")
    text = service.client.get("/metrics", headers=KEY).text

    def count(name: str) -> float:
        def of(page):
            found = [line.rsplit(" ", 1)[1] for line in page.splitlines() if line.startswith(name)]
            return float(found[0]) if found else 0.0

        return of(text) - of(before)

    assert count(f'itadaki_requests_total{{route="{SEARCH}",status="200"}}') == 1
    assert count(f'itadaki_requests_total{{route="{SEARCH}",status="422"}}') == 1
    for stage in ("wait", "decode", "embed", "search"):
        assert count(f'itadaki_stage_seconds_count{{stage="{stage}"}}') == 1
    assert count("itadaki_first_similarity_count") == 1
    assert "scanner" not in text and "itadaki_queue_depth 0.0" in text


def test_batch_answers_photo_by_photo(service):
    photos = [encode(dish_photo(seed)) for seed in (4, 7)]
    files = [("images", ("x", content)) for content in (photos[0], b"no photo", photos[1])]
    answer = service.client.post(
        "/api/v1/search/batch", files=files, data={"top_k": 2}, headers=KEY
    )
    assert answer.status_code == 200
    first, second, third = answer.json()["results"]
    assert second["success"] is False and "JPEG, PNG, WebP or GIF" in second["errorMessage"]
    for found, seed in ((first, 4), (third, 7)):
        assert found["recipes"] == post(service.client, seed, top_k=2).json()["recipes"]
    too_many = [("images", ("x", photos[0]))] * 11
    refused = service.client.post("/api/v1/search/batch", files=too_many, headers=KEY)
    assert refused.status_code == 422 and "images" in refused.json()["errorMessage"]


def test_a_batch_counts_each_photo(environment):
    def batch(count: int):
        files = [("images", ("x", encode(dish_photo(3))))] * count
        return service.client.post("/api/v1/search/batch", files=files)

    with running_service({**environment, "ITADAKI_RATE_LIMIT": "9/minute"}) as service:
        assert batch(4).status_code == 200
        refused = batch(6)
        assert refused.status_code == 429 and 1 <= int(refused.headers["retry-after"]) <= 60
        assert batch(4).status_code == 200  # which it had said by then
        assert post(service.client, headers={}).status_code == 429
    with running_service({**environment, "ITADAKI_RATE_LIMIT": "3/minute"}) as service:
        for _ in range(2):
            never = batch(4)
            assert never.status_code == 422
            assert "at most 3 photos" in never.json()["errorMessage"]
        assert post(service.client, headers={}).status_code == 200


def test_without_a_key_nobody_reloads_over_http(environment):
    with running_service(environment) as service:
        answer = service.client.post("/api/v1/admin/reload")
    assert answer.status_code == 404


def first_title(client) -> str:
    return post(client, top_k=1).json()["recipes"][0]["title"]


def test_a_bad_bank_leaves_the_old_one_serving(service, home):
    before = post(service.client, top_k=10).json()["recipes"]
    bank = home / "raw" / "recipe_embeddings_database_raw.npy"
    whole = bank.read_bytes()
    damaged = np.load(bank).copy()
    damaged[0] = -damaged[0]
    np.save(bank.with_name("beside.npy"), damaged)
    bank.with_name("beside.npy").replace(bank)  # as a build does; the old file stays mapped
    refused = service.client.post("/api/v1/admin/reload", headers=KEY)
    assert refused.status_code == 409
    assert "python -m itadaki build raw" in refused.json()["errorMessage"]
    assert post(service.client, top_k=10).json()["recipes"] == before
    service.process.send_signal(signal.SIGHUP)
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and not any(
        line["level"] == "ERROR" and "build raw" in line["message"] for line in lines(service)
    ):
        time.sleep(0.1)
    assert time.monotonic() < deadline
    assert post(service.client, top_k=10).json()["recipes"] == before
    bank.write_bytes(whole)
    assert service.client.post("/api/v1/admin/reload", headers=KEY).status_code == 200
    assert post(service.client, top_k=10).json()["recipes"] == before


def test_a_hangup_swaps_what_is_served(service, home):
    def swapped() -> bool:
        return any(line["message"].startswith("Reloaded") for line in lines(service)[seen:])

    seen, path = len(lines(service)), VARIANTS["raw"].metadata_path(Settings(home=home))
    metadata = load_builtin_pickle(path)
    metadata["recipes"][7]["title"] = "Renamed"
    dump_builtin_pickle(path, metadata)
    manifest_path = path.with_name(VARIANTS["raw"].manifest_file)
    manifest = json.loads(manifest_path.read_text())
    manifest["sha256"]["metadata"] = sha256_of(path)
    write_json(manifest_path, manifest)
    assert service.client.get("/api/v1/recipes/7", headers=KEY).json()["title"] != "Renamed"
    service.process.send_signal(signal.SIGHUP)
    deadline = time.monotonic() + 30
    while not swapped() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert service.client.get("/api/v1/recipes/7", headers=KEY).json()["title"] == "Renamed"


@pytest.mark.parametrize(("proxies", "believed"), [("", False), ('["127.0.0.1"]', True)])
def test_only_configured_proxies_are_believed(environment, proxies, believed):
    ours = {"ITADAKI_TRUSTED_PROXIES": proxies, "ITADAKI_LOG_FORMAT": "json"}
    forwarded = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "https"}
    with running_service({**environment, **ours}, ("itadaki", "serve")) as service:
        recipe = service.client.get("/api/v1/recipes/3", headers=forwarded).json()
        expected, until = "203.0.113.9" if believed else "127.0.0.1", time.monotonic() + 5
        clients = []
        while clients[-1:] != [expected] and time.monotonic() < until:  # logged once answered
            time.sleep(0.05)
            clients = [line["client"] for line in lines(service) if "client" in line]
        assert len(lines(service)) == len(service.log.read_text().splitlines())  # all is JSON
    assert recipe["imagePath"].startswith("https://") is believed
    assert clients[-1] == expected


def test_requests_in_work_are_finished_before_the_service_ends(environment):
    photo = encode(dish_photo(1, (4000, 3000)), quality=90)  # takes long enough to be in work
    alone = {"ITADAKI_INFERENCE_THREADS": "1", "ITADAKI_MAX_UPLOADS_MB": "1000"}
    with running_service({**environment, "ITADAKI_QUEUE_LENGTH": "100", **alone}) as service:
        url = str(service.client.base_url)
        answers = []

        def ask():
            with httpx.Client(base_url=url, timeout=60) as client:
                answers.append(client.post(SEARCH, files={"image": photo}).status_code)

        threads = [threading.Thread(target=ask) for _ in range(12)]
        for thread in threads:
            thread.start()
        came = 0
        while came < 12:
            answered = len(answers)
            metrics = service.client.get("/metrics").text
            came = answered + float(re.search(r"itadaki_queue_depth ([0-9.]+)", metrics)[1])
        service.client.close()
        service.process.terminate()
        for thread in threads:
            thread.join()
        assert answers == [200] * 12
        assert service.process.wait(20) in (0, -signal.SIGTERM)


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("RATE_LIMIT", "often", "60/minute"),
        ("CORS_ORIGINS", "https://a.example", "ITADAKI_CORS_ORIGINS must be a JSON list"),
        ("API_KEY", "short", "ITADAKI_API_KEY must have at least 8 characters"),
        ("TRUSTED_PROXIES", '["the one in front"]', "ITADAKI_TRUSTED_PROXIES"),
    ],
)
def test_a_wrong_setting_is_one_sentence(environment, name, value, says):
    process, _ = start_service({**environment, f"ITADAKI_{name}": value})
    said, _ = process.communicate(timeout=60)
    assert process.returncode != 0 and says in said and "Traceback" not in said
