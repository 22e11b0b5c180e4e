"""Words on the page and over HTTP, and answers that outlive a reload and a step back."""

import shutil
import time
from urllib.parse import parse_qs, urlparse

import httpx
import pytest
from browsing import PHONE, assert_fits, notice, photo, search, served, titles
from playwright.sync_api import expect

from itadaki.retrieval import RetrievalSystem

LAST_KEPT = "() => JSON.parse(sessionStorage.getItem('itadaki-views')).at(-1)"


@pytest.fixture(scope="module")
def knowing(settings, model_home, tmp_path_factory):
    """The settings of a home whose variant ft understands the names of the dishes."""
    home = shutil.copytree(model_home, tmp_path_factory.mktemp("words") / "home")
    known = settings.model_copy(update={"home": home, "variant": "ft"})
    RetrievalSystem.load("ft", known, build=True)
    return known


@pytest.fixture(scope="module")
def words_url(knowing):
    with served(knowing, variant="ft") as url:
        yield url


def found(url, content=None, **fields):
    multipart = {name: (None, str(value)) for name, value in fields.items()}
    if content:
        multipart["image"] = ("dish.jpg", content, "image/jpeg")
    answer = httpx.post(f"{url}api/v1/search/search", files=multipart)
    assert answer.status_code == 200, answer.text
    return [recipe["id"] for recipe in answer.json()["recipes"]]


def test_words_over_http_as_in_the_library(words_url, knowing):
    system = RetrievalSystem.load("ft", knowing)
    words, few = "carrot soup", 10

    def expected(*query, **more):
        return [found.id for found in system.search_similar_recipes(*query, **more)]

    alone = expected(top_k=few, words=words)
    assert found(words_url, words=words, top_k=few) == alone
    by_photo = expected(photo(), few)
    assert found(words_url, photo(), words=words, top_k=few, photo_weight=1) == by_photo != alone
    assert found(words_url, photo(), words=words, top_k=few, photo_weight=0) == alone
    both = expected(photo(), few, words=words, photo_weight=0.3)
    assert found(words_url, photo(), words=words, top_k=few, photo_weight=0.3) == both
    assert both not in (alone, by_photo)


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({"top_k": "3"}, 422, "wrong_query"),
        ({"words": "   "}, 422, "wrong_query"),
        ({"words": "qwzx"}, 422, "wrong_query"),
        ({"words": "soup", "photo_weight": "1.5"}, 422, "wrong_request"),
        ({"words": "x" * 501}, 422, "wrong_request"),
    ],
)
def test_words_that_cannot_be_searched_for(words_url, fields, status, code):
    multipart = {name: (None, value) for name, value in fields.items()}
    answer = httpx.post(f"{words_url}api/v1/search/search", files=multipart)
    assert (answer.status_code, answer.json()["errorCode"]) == (status, code)


def test_a_search_in_words_has_an_address(visit, words_url):
    page = visit(words_url)
    page.locator("#words").fill("lentil soup")
    expect(page.locator("#go")).to_have_text("Find recipes")
    page.locator("[name=exclude]").fill("tomato")
    page.locator("#words").press("Enter")
    expect(page.locator("#found-title")).to_have_text("Recipes for “lentil soup”")
    expect(page.locator("#how-many")).to_have_text("7 recipes · without tomato")
    expect(page.locator(".asked")).to_be_hidden()
    before = titles(page)
    assert before[0].startswith("Lentil Soup")
    assert parse_qs(urlparse(page.url).query) == {"words": ["lentil soup"], "exclude": ["tomato"]}

    elsewhere = visit(page.url)  # somebody to whom the address was sent
    expect(elsewhere.locator("#found-title")).to_have_text("Recipes for “lentil soup”")
    assert titles(elsewhere) == before
    assert elsewhere.locator("#words").input_value() == "lentil soup"
    assert elsewhere.locator("[name=exclude]").input_value() == "tomato"

    elsewhere.get_by_role("button", name="More like this").nth(1).click()
    steps = [f"Like “{before[1]}”"]
    expect(elsewhere.locator("#steps li")).to_have_text(steps)
    more = titles(elsewhere)
    again = visit(elsewhere.url)
    expect(again.locator("#steps li")).to_have_text(steps)
    expect(again.locator("#found-title")).to_have_text("Recipes for “lentil soup”")
    assert titles(again) == more


def test_photo_and_words_together(visit, words_url):
    page = visit(words_url)
    search(page)
    expect(page.locator("#weight")).to_be_hidden()
    page.locator("#words").fill("lemon cake")
    expect(page.locator("#weight")).to_be_visible()
    page.locator("#photo_weight").fill("0.1")
    page.click("#go")
    expect(page.locator("#found-title")).to_have_text("Recipes like your photo and “lemon cake”")
    by_words = titles(page)
    page.locator("#photo_weight").fill("0.9")
    page.click("#go")
    expect(page.locator("#recipes h2").first).not_to_have_text(by_words[0])
    page.reload()
    expect(page.locator("#found-title")).to_have_text("Recipes like your photo and “lemon cake”")
    assert page.locator("#photo_weight").input_value() == "0.9"
    page.locator("#without").click()
    expect(page.locator("#preview")).to_be_hidden()
    page.click("#go")
    expect(page.locator("#found-title")).to_have_text("Recipes for “lemon cake”")


def test_what_a_photo_looks_like_is_told_and_marked(visit, words_url):
    def told() -> dict:
        upload = {"image": ("dish.jpg", photo(), "image/jpeg")}
        return httpx.post(
            f"{words_url}api/v1/search/search", files=upload, data={"top_k": 7}
        ).json()

    for _ in range(300):  # a service learns them once it has started
        if (answer := told())["looksLike"]:
            break
        time.sleep(0.1)
    words = answer["looksLike"]
    assert len(words) == 5
    page = visit(words_url)
    search(page)
    expect(page.locator("#looks-like")).to_have_text(f"Looks like: {', '.join(words)}")
    for card, recipe in zip(page.locator("#recipes .card").all(), answer["recipes"], strict=True):
        marked = {word.lower() for word in card.locator("mark").all_text_contents()}
        assert all(any(mark.startswith(word[:-1]) for word in recipe["named"]) for mark in marked)
        said = " ".join([recipe["title"], *recipe["ingredientList"]]).lower()
        for word in recipe["named"]:
            assert any(mark.startswith(word[:-1]) for mark in marked) == (word[:-1] in said)
    assert page.locator("#recipes mark").count()
    page.locator("#words").fill("lentil soup")
    page.locator("#without").click()
    page.click("#go")
    expect(page.locator("#found-title")).to_have_text("Recipes for “lentil soup”")
    expect(page.locator("#looks-like")).to_be_empty()


def test_unknown_words_are_told_in_words(visit, words_url):
    page = visit(words_url)
    page.locator("#words").fill("qwzx")
    page.locator("#words").press("Enter")
    pane = notice(page, "Nothing on the menu")
    expect(pane).to_contain_text("Nothing can be found with these words")
    expect(pane.get_by_role("button")).to_be_hidden()


def test_a_photos_answer_outlives_a_reload_without_a_second_search(visit):
    page = visit(viewport=PHONE, has_touch=True, is_mobile=True)
    page.locator("#refine summary").click()
    page.locator("#top_k").fill("4")
    search(page)
    before = titles(page)
    again = []
    page.on("request", lambda request: again.append(request.url))
    page.reload()
    expect(page.locator("#found-title")).to_have_text("Recipes that look like your photo")
    assert titles(page) == before and page.locator("#top_k").input_value() == "4"
    expect(page.locator("#preview")).to_be_visible()
    expect(page.locator("#preview")).to_have_js_property("naturalWidth", 274)
    assert not any("search" in address for address in again)
    assert_fits(page)
    page.locator("#go").tap()  # the photo is still there to be searched with
    expect(page.locator("#recipes .card")).to_have_count(4)


def test_as_many_answers_are_kept_as_there_is_room_for(visit):
    page = visit()
    page.evaluate("sessionStorage.setItem('filler', 'x'.repeat(5 * 2**20 - 60_000))")
    for seed in (3, 4, 5, 6, 7, 8):
        search(page, seed)
        expect(page.locator("#go")).to_have_text("Find recipes")
        for _ in range(100):  # it is kept once the photo is read
            if page.evaluate(f"({LAST_KEPT})() === history.state.view"):
                break
            page.wait_for_timeout(50)
    kept = page.evaluate("JSON.parse(sessionStorage.getItem('itadaki-views')).length")
    assert 1 <= kept < 6
    last = titles(page)
    page.reload()
    expect(page.locator("#recipes .card")).to_have_count(7)
    assert titles(page) == last
