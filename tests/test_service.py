import inspect
import json
import re
import runpy
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable

import httpx
import numpy as np
import pytest
from conftest import copy_of, dish_photo, encode, running_service, start_service
from starlette.testclient import TestClient

from api.core.config import ApiSettings
from api.main import create_app
from itadaki.cli import main
from itadaki.settings import Settings
from itadaki.storage.files import dump_builtin_pickle, load_builtin_pickle, sha256_of, write_json
from itadaki.variants import VARIANTS, Artifacts

SEARCH = "/api/v1/search/search"
KEY = {"X-API-Key": "secret-of-the-test"}
PROXIED = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "https"}
ORIGIN = "https://cooks.example"


@pytest.fixture(scope="module")
def home(settings, tmp_path_factory):
    """A home of this module's own, because its bank is tampered with."""
    return copy_of(settings, tmp_path_factory.mktemp("service")).home


@pytest.fixture(scope="module")
def service(environment, home):
    ours = {
        "ITADAKI_HOME": str(home),
        "ITADAKI_API_KEY": KEY["X-API-Key"],
        "ITADAKI_CORS_ORIGINS": json.dumps([ORIGIN]),
        "ITADAKI_DOCS": "false",
        "ITADAKI_LOG_FORMAT": "json",
    }
    with running_service({**environment, **ours}, ("itadaki", "serve")) as service:
        yield service


_FIRST_SEARCH = """
import gc, sys
import api.main
assert gc.isenabled() and gc.get_freeze_count() > 10_000
from api.core.config import ApiSettings
from api.features.search.utils.model_loader import load_retrieval_system
assert load_retrieval_system(ApiSettings()).ask([sys.stdin.buffer.read()]).results
slow = {
    *("pandas", "scipy", "sklearn", "tensorflow", "keras", "matplotlib"),
    *("jinja2", "limits", "snowballstemmer", "tqdm", "yaml", "rapidfuzz", "ftfy"),
    *("pillow_heif", "recipe_scrapers", "bs4", "markdown_it", "kagglehub"),
}
sys.exit(f"imported: {slow & set(sys.modules)}" if slow & set(sys.modules) else 0)
"""


def test_a_first_search_by_a_photo_waits_for_no_import_that_it_does_not_need(environment):
    program = [sys.executable, "-c", _FIRST_SEARCH]
    done = subprocess.run(program, env=environment, input=encode(dish_photo(0)), stderr=-1)
    assert done.returncode == 0, done.stderr.decode()


def served(settings, **more) -> TestClient:
    """The application in this process; started only inside ``with``."""
    app = create_app(ApiSettings(**settings.model_dump(), **more))
    return TestClient(app, base_url="http://localhost")


def post(client, seed=5, headers=KEY, **fields):
    files = {"image": ("photo.jpg", encode(dish_photo(seed)), "image/jpeg")}
    return client.post(SEARCH, files=files, data=fields, headers=headers)


def lines(service) -> list[dict]:
    whole = service.log.read_text().rpartition("\n")[0]
    return [json.loads(line) for line in whole.splitlines() if line[:1] == "{"]


def logged(service, is_meant: Callable[[dict], bool], since: int = 0) -> list[dict]:
    """Lines of the log, once there is one; a request's comes when it has been answered."""
    deadline = time.monotonic() + 60
    while not (found := [line for line in lines(service)[since:] if is_meant(line)]):
        assert time.monotonic() < deadline, service.log.read_text()
        time.sleep(0.05)
    return found


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
    client = served(settings, cors_origins=["*"])
    asked = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
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
    (line,) = logged(service, lambda line: line["request_id"] == "cook-17")
    assert line["status"] == 200 and line["path"] == SEARCH
    assert line["body_bytes"] > len(files["image"][1]) and line["seconds"] > 0
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
    assert count("itadaki_confidence_count") == 1
    assert "scanner" not in text and "itadaki_queue_depth 0.0" in text


def test_batch_answers_photo_by_photo(service):
    photos = [encode(dish_photo(seed)) for seed in (4, 7)]
    files = [("images", ("x", content)) for content in (photos[0], b"no photo", photos[1])]
    answer = service.client.post(
        "/api/v1/search/batch", files=files, data={"top_k": 2}, headers=KEY
    )
    assert answer.status_code == 200
    first, second, third = answer.json()["results"]
    assert (
        second["success"] is False
        and "JPEG, PNG, WebP, GIF, HEIC or AVIF" in second["errorMessage"]
    )
    for found, seed in ((first, 4), (third, 7)):
        assert found["recipes"] == post(service.client, seed, top_k=2).json()["recipes"]
    too_many = [("images", ("x", photos[0]))] * 11
    refused = service.client.post("/api/v1/search/batch", files=too_many, headers=KEY)
    assert refused.status_code == 422 and "images" in refused.json()["errorMessage"]


def test_a_batch_counts_each_photo(settings):
    def batch(count: int):
        files = [("images", ("x", encode(dish_photo(3))))] * count
        return client.post("/api/v1/search/batch", files=files)

    with served(settings, rate_limit="9/hour") as client:
        assert batch(4).status_code == 200
        refused = batch(6)
        assert refused.status_code == 429 and 1 <= int(refused.headers["retry-after"]) <= 3600
        assert batch(4).status_code == 200  # which it had said by then
        assert post(client, headers={}).status_code == 429
    with served(settings, rate_limit="3/hour") as client:
        for _ in range(2):
            never = batch(4)
            assert never.status_code == 422
            assert "at most 3 photos" in never.json()["errorMessage"]
        assert post(client, headers={}).status_code == 200


def test_without_a_key_nobody_reloads_over_http(settings):
    assert served(settings).post("/api/v1/admin/reload").status_code == 404


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
    logged(service, lambda line: line["level"] == "ERROR" and "build raw" in line["message"])
    assert post(service.client, top_k=10).json()["recipes"] == before
    bank.write_bytes(whole)
    assert service.client.post("/api/v1/admin/reload", headers=KEY).status_code == 200
    assert post(service.client, top_k=10).json()["recipes"] == before


def test_a_hangup_swaps_what_is_served(service, home):
    seen, path = len(lines(service)), Artifacts(VARIANTS["raw"], Settings(home=home)).metadata
    metadata = load_builtin_pickle(path)
    metadata["recipes"][7]["title"] = "Renamed"
    dump_builtin_pickle(path, metadata)
    manifest_path = path.with_name(VARIANTS["raw"].manifest_file)
    manifest = json.loads(manifest_path.read_text())
    manifest["sha256"]["metadata"] = sha256_of(path)
    write_json(manifest_path, manifest)
    assert service.client.get("/api/v1/recipes/7", headers=KEY).json()["title"] != "Renamed"
    service.process.send_signal(signal.SIGHUP)
    logged(service, lambda line: line["message"].startswith("Reloaded"), seen)
    assert service.client.get("/api/v1/recipes/7", headers=KEY).json()["title"] == "Renamed"


def assert_believed(service, address: str, scheme: str) -> None:
    headers = {**KEY, **PROXIED, "X-Request-ID": "behind-a-proxy"}
    recipe = service.client.get("/api/v1/recipes/3", headers=headers).json()
    assert recipe["imagePath"].startswith(f"{scheme}://")
    (line,) = logged(service, lambda line: line["request_id"] == "behind-a-proxy")
    assert line["client"] == address
    assert len(lines(service)) == len(service.log.read_text().splitlines())  # all is JSON


def test_no_proxy_is_believed_that_is_not_configured(service):
    assert_believed(service, "127.0.0.1", "http")


def test_a_configured_proxy_is_believed(environment):
    ours = {"ITADAKI_TRUSTED_PROXIES": '["127.0.0.1"]', "ITADAKI_LOG_FORMAT": "json"}
    with running_service({**environment, **ours}, ("itadaki", "serve")) as service:
        assert_believed(service, "203.0.113.9", "https")


def test_requests_in_work_are_finished_before_the_service_ends(environment):
    photo = encode(dish_photo(1, (4000, 3000)), quality=90)  # takes long enough to be in work
    alone = {"ITADAKI_INFERENCE_THREADS": "1", "ITADAKI_MAX_UPLOADS_MB": "1000"}
    with running_service({**environment, "ITADAKI_QUEUE_LENGTH": "100", **alone}) as service:
        url = str(service.client.base_url)
        answers = []

        def ask():
            with httpx.Client(base_url=url, timeout=300) as client:
                answers.append(client.post(SEARCH, files={"image": photo}).status_code)

        threads = [threading.Thread(target=ask) for _ in range(12)]
        for thread in threads:
            thread.start()
        came, deadline = 0, time.monotonic() + 300
        while came < 12:
            assert time.monotonic() < deadline, service.log.read_text()
            answered = len(answers)
            metrics = service.client.get("/metrics").text
            came = answered + float(re.search(r"itadaki_queue_depth ([0-9.]+)", metrics)[1])
        service.client.close()
        service.process.terminate()
        for thread in threads:
            thread.join()
        assert answers == [200] * 12
        assert service.process.wait(60) in (0, -signal.SIGTERM)


WRONG = [
    ("RATE_LIMIT", "often", "60/minute"),
    ("CORS_ORIGINS", "https://a.example", "ITADAKI_CORS_ORIGINS must be a JSON list"),
    ("API_KEY", "short", "ITADAKI_API_KEY must have at least 8 characters"),
    ("TRUSTED_PROXIES", '["the one in front"]', "ITADAKI_TRUSTED_PROXIES"),
]


@pytest.mark.parametrize(("name", "value", "says"), WRONG)
def test_a_wrong_setting_is_one_sentence(monkeypatch, capsys, name, value, says):
    monkeypatch.setenv(f"ITADAKI_{name}", value)
    with pytest.raises(SystemExit) as ended:  # as uvicorn imports it
        runpy.run_path(inspect.getfile(create_app))
    assert says in ended.value.code and "\n" not in ended.value.code
    assert main(["serve"]) == 1
    said = capsys.readouterr().err.strip()
    assert says in said and "\n" not in said


def test_a_wrong_setting_ends_the_process_with_its_sentence(environment):
    name, value, says = WRONG[0]
    process, _ = start_service({**environment, f"ITADAKI_{name}": value})
    said, _ = process.communicate(timeout=300)
    assert process.returncode != 0 and says in said and "Traceback" not in said
