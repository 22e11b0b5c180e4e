"""The page in a real browser, against the real service on a small dataset."""

import io
import json
import re
import time

import httpx
import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from browsing import (
    DESKTOP,
    KEY,
    PHONE,
    SEARCH,
    assert_fits,
    choose,
    notice,
    photo,
    search,
    served,
    titles,
)
from conftest import dish_photo, encode
from PIL import Image
from playwright.sync_api import Page, expect

from api.features import examples
from api.features.search.services import search_service
from itadaki.collection import create_collection
from itadaki.photos.images import load_input
from itadaki.recipes.recipe import NewRecipe
from itadaki.retrieval import RetrievalSystem


def test_a_photo_that_is_chosen_finds_recipes_at_once(visit, url):
    page = visit()
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    expect(page.locator("#serving")).to_have_text(
        re.compile(r"Searching 40 recipes of the folder recipes\d*$")
    )
    choose(page, photo())
    expect(page.locator("#preview")).to_be_visible()
    expect(page.locator("#about-photo")).to_have_text("dish.jpg")
    expect(page.locator("#recipes .card")).to_have_count(7)
    upload = {"image": ("dish.jpg", photo(), "image/jpeg")}
    answer = httpx.post(f"{url}api/v1/search/search", files=upload, data={"top_k": 7}).json()
    assert titles(page) == [recipe["title"] for recipe in answer["recipes"]]
    expect(page.locator("#found-title")).to_be_focused()
    expect(page.locator("#how-many")).to_have_text("7 recipes")
    expect(page.locator("#status")).to_have_text("7 recipes.")

    best, card = answer["recipes"][0], page.locator("#recipes .card").first
    expect(card.locator(".similarity b")).to_have_text(f"{best['similarity']:.2f}")
    bar, track = card.locator(".bar > span"), card.locator(".bar")
    share = bar.evaluate("b => b.offsetWidth") / track.evaluate("b => b.offsetWidth")
    assert share == pytest.approx(best["similarity"], abs=0.02)
    expect(card.locator(".tag")).to_have_text(f"Closest · {best['dishClass']}")
    assert card.locator(".ingredients li").all_text_contents() == best["ingredientList"]
    expect(card.locator(".method li").first).to_be_hidden()
    card.locator("summary").click()
    assert card.locator(".method li").all_text_contents() == best["instructions"].split("\n")
    expect(card.locator(".method li").first).to_be_visible()
    expect(card.locator("img")).to_have_js_property("naturalWidth", 274)
    assert all(address.startswith((url, "blob:")) for address in asked), asked


def test_number_of_results_and_filters(visit):
    page = visit()
    page.locator("#top_k").fill("10")
    page.locator("[name=include]").fill("EGG, flour")
    page.locator("[name=exclude]").fill("lemon")
    expect(page.locator("#top_k-value")).to_have_text("10")
    search(page)
    expect(page.locator("#recipes .card")).to_have_count(10)
    assert set(page.locator(".ingredients").all_text_contents()) <= {
        "200 g chocolate4 eggs100 g flour",
        "4 carrots4 eggs200 g flour",
    }
    expect(page.locator("#how-many")).to_contain_text("with EGG, flour · without lemon")
    page.locator("[name=include]").fill("")
    page.locator("#top_k").fill("1")
    page.click("#go")
    expect(page.locator("#recipes .card")).to_have_count(1)
    expect(page.locator("#how-many")).to_contain_text("One recipe")


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE])
def test_the_filter_says_that_it_is_no_allergy_filter(visit, viewport):
    page = visit(viewport=viewport)
    field, note = page.locator("[name=exclude]"), page.locator("#about-exclude")
    if viewport == PHONE:
        page.locator("#refine summary").click()
    expect(note).to_be_visible()
    expect(note).to_contain_text("No allergy filter")
    expect(field).to_have_accessible_description(note.text_content())
    expect(field).to_have_accessible_name("Without these")
    above, below = field.bounding_box(), note.bounding_box()
    assert 0 <= below["y"] - above["y"] - above["height"] < 12
    assert_fits(page)


def test_no_match_above_the_threshold(visit):
    page = visit()
    page.locator("#min_similarity").fill("0.95")
    page.locator("[name=include]").fill("unobtainium")
    expect(page.locator("#min_similarity-value")).to_have_text("0.95")
    choose(page, photo())
    pane = notice(page, "Nothing on the menu")
    expect(pane).to_contain_text("No recipe fits: with unobtainium, at least 0.95 similar.")
    pane.get_by_role("button", name="Search without these limits").click()
    expect(page.locator("#recipes .card")).to_have_count(7)
    expect(page.locator("#min_similarity-value")).to_have_text("any")


def test_more_like_this_and_the_way_back(visit):
    page = visit()
    search(page)
    first = titles(page)
    page.get_by_role("button", name=f"More like this: {first[1]}").click()
    taken = page.locator("#steps li")
    expect(taken).to_have_text([f"Like “{first[1]}”"])
    expect(page.locator("#recipes .card")).to_have_count(7)
    more = titles(page)
    assert more != first and first[1] not in more
    page.click("#back")
    expect(taken).to_have_count(0)
    assert titles(page) == first
    page.go_forward()
    expect(taken).to_have_text([f"Like “{first[1]}”"])
    assert titles(page) == more
    page.reload()
    expect(taken).to_have_text([f"Like “{first[1]}”"])
    assert titles(page) == more
    page.go_back()
    expect(taken).to_have_count(0)
    assert titles(page) == first
    expect(page.locator("#preview")).to_be_visible()
    page.go_back()
    expect(page.locator("#headline")).to_be_visible()


@pytest.mark.parametrize("way", ["paste", "drop"])
def test_photo_can_be_pasted_and_dropped(visit, way):
    page = visit()
    page.evaluate(
        """([way, bytes]) => {
            const data = new DataTransfer();
            data.items.add(new File([new Uint8Array(bytes)], "x.jpg", { type: "image/jpeg" }));
            const options = { bubbles: true, cancelable: true };
            document.body.dispatchEvent(way === "paste"
                ? new ClipboardEvent(way, { ...options, clipboardData: data })
                : new DragEvent(way, { ...options, dataTransfer: data }));
        }""",
        [way, list(photo())],
    )
    expect(page.locator("#preview")).to_be_visible()
    expect(page.locator("#recipes .card")).to_have_count(7)


def test_an_example_is_tried_with_one_click(visit):
    page = visit()
    expect(page.locator("#examples li")).to_have_count(10)
    page.get_by_role("button", name="Red Velvet Cake").click()
    expect(page.locator("#found-title")).to_have_text("Recipes that look like “Red Velvet Cake”")
    expect(page.locator("#recipes .card")).to_have_count(7)
    expect(page.locator("#preview")).to_be_visible()


def test_without_examples_their_section_is_not_shown(visit, monkeypatch, tmp_path):
    monkeypatch.setattr(examples, "FOLDER", tmp_path / "missing")
    page = visit()
    page.wait_for_load_state("networkidle")
    expect(page.locator("#welcome h2")).to_be_hidden()
    expect(page.locator("#examples li")).to_have_count(0)


def test_examples_are_served_by_name_and_nothing_else_is(url, monkeypatch, tmp_path):
    folder = tmp_path / "test_recipes"
    folder.mkdir()
    (tmp_path / "secret.jpg").write_bytes(b"treasure")
    (folder / "10.jpg").write_bytes(photo())
    (folder / "2.png").write_bytes(photo())
    (folder / "notes.txt").write_text("private")
    (folder / "link.jpg").symlink_to(tmp_path / "secret.jpg")
    monkeypatch.setattr(examples, "FOLDER", folder)
    offered = httpx.get(f"{url}examples").json()
    assert offered == [{"name": "2.png", "title": "2"}, {"name": "10.jpg", "title": "10"}]
    assert httpx.get(f"{url}examples/10.jpg").content == photo()
    hostile = ("..%2Fsecret.jpg", "%2e%2e%2fsecret.jpg", "..%5csecret.jpg", "..")
    for name in ("notes.txt", "link.jpg", "11.jpg", *hostile):
        answer = httpx.get(f"{url}examples/{name}", follow_redirects=True)
        assert b"treasure" not in answer.content and b"private" not in answer.content
        assert answer.status_code == (200 if name == ".." else 404)  # that one is the page


def test_wrong_files_are_refused_in_words(visit):
    page = visit()
    choose(page, b"a list", "shopping.txt", "text/plain")
    pane = notice(page, "That is not a photo we can read")
    expect(pane).to_contain_text("shopping.txt is no picture")
    choose(page, b"\0\0\0\x18ftypheic" + b"x" * 90, "IMG_2034.HEIC", "image/heic")
    expect(page.locator(".no-preview")).to_contain_text("IMG_2034.HEIC")
    expect(page.locator("#crop")).to_be_hidden()
    expect(notice(page, "That is not a photo we can read")).to_contain_text("damaged")
    with page.expect_file_chooser() as chooser:
        pane.get_by_role("button", name="Choose another photo").click()
    chooser.value.set_files({"name": "a.jpg", "buffer": photo(), "mimeType": "image/jpeg"})
    expect(page.locator("#recipes .card")).to_have_count(7)


def test_too_large_is_said_in_words(visit):
    page = visit()
    choose(page, b"\xff\xd8" + b"\0" * 2_000_000)  # no browser can make this one smaller
    expect(notice(page, "That photo is too large")).to_contain_text("larger than the service takes")


def test_busy_service_is_asked_again_when_it_says(visit):
    page = visit()
    times = []

    def busy(route):
        times.append(time.monotonic())
        if len(times) > 2:
            route.continue_()
        else:
            error = {"errorMessage": "Too many searches are waiting; try again."}
            route.fulfill(status=503, headers={"Retry-After": "3"}, json=error)

    page.route(SEARCH, busy)
    choose(page, photo())
    expect(notice(page, "The kitchen is busy")).to_contain_text(
        re.compile(r"Trying again in [1-3] s")
    )
    expect(page.locator("#recipes .card")).to_have_count(7)
    assert len(times) == 3 and times[1] - times[0] >= 3


def test_offline_search_goes_on_when_the_connection_is_back(visit):
    page = visit()
    page.context.set_offline(True)
    choose(page, photo())
    expect(notice(page, "The kitchen cannot be reached")).to_contain_text("no connection")
    page.context.set_offline(False)
    expect(page.locator("#recipes .card")).to_have_count(7)


def test_a_service_that_is_down_can_be_tried_again(visit):
    page = visit()
    page.route(SEARCH, lambda route: route.abort())
    choose(page, photo())
    pane = notice(page, "The kitchen cannot be reached")
    page.unroute(SEARCH)
    pane.get_by_role("button", name="Try again").click()
    expect(page.locator("#recipes .card")).to_have_count(7)


def test_unforeseen_errors_are_shown(visit):
    page = visit()
    page.route(SEARCH, lambda route: route.fulfill(status=500, body="<h1>Bad gateway</h1>"))
    choose(page, photo())
    expect(notice(page, "Something burnt in the kitchen")).to_contain_text("could not answer")


def test_key_is_asked_for_once(visit, settings):
    with served(settings, api_key=KEY, docs=False) as url:
        page = visit(url)
        expect(page.locator("#docs")).to_be_hidden()
        choose(page, photo())
        dialog = page.get_by_role("dialog", name="This kitchen is locked")
        field = dialog.get_by_label("API key")
        expect(field).to_be_focused()
        field.fill("a wrong key")
        field.press("Enter")
        expect(dialog).to_contain_text("did not accept this key")
        field.press("Escape")
        notice(page, "This kitchen is locked").get_by_role("button").click()
        field.fill(KEY)
        dialog.get_by_role("button", name="Unlock").click()
        expect(page.locator("#recipes .card")).to_have_count(7)
        page.get_by_role("button", name="More like this").first.click()
        expect(page.locator("#steps li")).to_have_count(1)
        page.reload()
        search(page)
        assert page.evaluate("[localStorage.length, document.cookie]") == [0, ""]


def test_collection_can_be_chosen(visit, copy):
    recipes = [
        NewRecipe(f"Dish {seed}", [], "", encode(dish_photo(seed))) for seed in range(60, 64)
    ]
    create_collection(copy, "grandma", recipes)
    RetrievalSystem.load("raw", copy.model_copy(update={"dataset": "grandma"}), build=True)
    with served(copy, collections=["grandma"], api_key=KEY) as url:
        page = visit(url)
        collections = page.get_by_label("In the collection")
        expect(collections).to_be_hidden()
        choose(page, photo(61))
        page.get_by_label("API key").fill(KEY)
        page.keyboard.press("Enter")
        expect(page.locator("#recipes .card")).to_have_count(7)
        collections.select_option("grandma")
        expect(page.locator("#serving")).to_contain_text("4 recipes of the collection grandma")
        page.click("#go")
        expect(page.locator("#recipes .card")).to_have_count(4)
        assert titles(page)[0] == "Dish 61"
        expect(page.locator("#recipes img").first).to_have_js_property("naturalWidth", 274)
        collections.select_option(index=0)
        page.get_by_role("button", name="More like this: Dish 61").click()
        expect(page.locator("#recipes .card")).to_have_count(3)
        expect(collections).to_have_value("grandma")
        assert sorted(titles(page)) == ["Dish 60", "Dish 62", "Dish 63"]


def test_waiting_shows_the_shape_of_the_answer(visit):
    page = visit()
    page.route(SEARCH, lambda route: None)  # no answer ever
    choose(page, photo())
    expect(page.locator("#waiting")).to_be_visible()
    expect(page.locator("#go")).to_have_text("Searching…")
    expect(page.locator("#status")).to_have_text("Searching…")
    choose(page, photo(8), "another.jpg")  # gives the search in work up
    expect(page.locator("#about-photo")).to_have_text("another.jpg")
    page.unroute(SEARCH)
    page.click("#go")
    expect(page.locator("#recipes .card")).to_have_count(7)
    expect(page.locator("#waiting")).to_be_hidden()
    expect(page.locator("#go")).to_have_text("Find recipes")


def test_keyboard_alone_is_enough(visit):
    page = visit()

    def tab_to(name: str):
        for _ in range(60):
            page.keyboard.press("Tab")
            text = page.evaluate(
                "(e => e.ariaLabel || e.innerText || e.name || '')(document.activeElement)"
            )
            if text.startswith(name):
                outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
                assert outline == "solid", name
                return
        raise AssertionError(f"{name} cannot be reached")

    tab_to("Skip to the recipes")
    tab_to("Choose a photo")
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Enter")
    chooser.value.set_files({"name": "a.jpg", "buffer": photo(), "mimeType": "image/jpeg"})
    expect(page.locator("#found-title")).to_be_focused()
    page.locator("#go").focus()
    tab_to("top_k")
    page.keyboard.press("ArrowLeft")
    page.locator("#go").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#recipes .card")).to_have_count(6)
    expect(page.locator("#found-title")).to_be_focused()
    page.locator(".skip").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#answer")).to_be_focused()
    tab_to("Back")
    tab_to("Method")
    page.keyboard.press("Enter")
    expect(page.locator(".method li").first).to_be_visible()
    tab_to("More like this")
    page.keyboard.press("Enter")
    expect(page.locator("#steps li")).to_have_count(1)
    tab_to("Take back")
    page.keyboard.press("Enter")
    expect(page.locator("#steps li")).to_have_count(0)
    expect(page.locator("#found-title")).to_be_focused()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#steps li")).to_have_count(1)


def test_phone(visit):
    page = visit(viewport=PHONE, has_touch=True, is_mobile=True)
    assert_fits(page)
    for part in ("#take", "#go", "#words"):
        box = page.locator(part).bounding_box()
        assert box["y"] + box["height"] < page.locator("#hero").bounding_box()["y"], part
        expect(page.locator(part)).to_be_in_viewport(ratio=1)
    expect(page.locator("#refine input").first).to_be_hidden()
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Take a photo").tap()
    assert chooser.value.element.get_attribute("capture") == "environment"
    chooser.value.set_files({"name": "a.jpg", "buffer": photo(), "mimeType": "image/jpeg"})
    expect(page.locator("#recipes .card")).to_have_count(7)
    expect(page.locator("#found-title")).to_be_in_viewport()
    assert_fits(page)
    choose(page, b"a list", "shopping.txt", "text/plain")
    expect(notice(page, "That is not a photo we can read")).to_be_in_viewport()
    assert_fits(page)


def test_no_camera_button_where_there_is_a_mouse(visit):
    expect(visit().locator("#take")).to_be_hidden()


def test_wide_screen(visit):
    page = visit(viewport={"width": 1920, "height": 1080})
    search(page)
    assert_fits(page)
    assert page.locator("#recipes .card").nth(1).bounding_box()["width"] < 400


def test_long_titles_missing_texts_and_missing_photos(visit):
    page = visit(viewport=PHONE)
    recipe = {
        "id": 1,
        "imagePath": "http://elsewhere.example/api/v1/photos/99999",
        "similarity": 0.5,
        "dishClass": None,
        "ingredientList": [],
        "instructions": "",
    }
    recipes = [
        {**recipe, "rank": 1, "title": "Donaudampfschifffahrtsgesellschaftstorte" * 4},
        {**recipe, "rank": 2, "title": "<img src=x onerror=alert(1)> & <b>soup</b>"},
        {
            **recipe,
            "rank": 3,
            "title": "A Soup of Everything",
            "similarity": -0.25,
            "ingredientList": [f"{i} g of something" for i in range(20)],
            "instructions": "Stir.",
        },
    ]
    body = {"recipes": recipes, "processingTime": 2.34, "success": True}
    page.route(SEARCH, lambda route: route.fulfill(json=body))
    search(page)
    assert titles(page) == [recipe["title"] for recipe in recipes]
    assert_fits(page)
    first, _, third = page.locator("#recipes .card").all()
    expect(first).to_contain_text("The recipe lists none.")
    expect(first).to_contain_text("The method is not written down.")
    expect(first.locator(".photo img")).to_have_count(0)  # the plate behind it shows
    expect(first.locator(".photo svg")).to_be_visible()
    assert first.locator(".photo").evaluate("p => p.offsetWidth / p.offsetHeight") > 1.3
    expect(third.locator(".ingredients li")).to_have_count(6)
    third.get_by_role("button", name="Show all 20").click()
    expect(third.locator(".ingredients li")).to_have_count(20)
    third.get_by_role("button", name="Show fewer").click()
    expect(third.locator(".ingredients li")).to_have_count(6)
    expect(third.locator(".similarity b")).to_have_text("-0.25")
    assert third.locator(".bar > span").evaluate("b => b.offsetWidth") == 0


@pytest.fixture
def received(monkeypatch) -> list[bytes]:
    """The photos that reach the service."""
    photos = []

    def load_and_note(content: bytes, **options) -> np.ndarray:
        photos.append(content)
        return load_input(content, **options)

    monkeypatch.setattr(search_service, "load_input", load_and_note)
    return photos


def test_large_photo_is_sent_small_and_upright(visit, received):
    page = visit()
    pixels = np.full((1500, 2000, 3), (200, 200, 200), np.uint8)
    pixels[:200, :200] = (255, 0, 0)  # the top left, that orientation 6 turns to the top right
    turned = Image.Exif()
    turned[0x0112] = 6
    content = encode(pixels, quality=95, exif=turned)
    choose(page, content, "large.jpg")
    expect(page.locator("#about-photo")).to_have_text("large.jpg, made smaller to send")
    expect(page.locator("#recipes .card")).to_have_count(7)
    (sent,) = received
    image = Image.open(io.BytesIO(sent))
    assert image.format == "JPEG" and image.size == (640, 853) and not image.getexif()
    assert len(sent) < len(content) / 2
    red, grey = image.getpixel((630, 10)), image.getpixel((10, 10))
    assert red[0] > 230 and red[1] < 40 and min(grey) > 180


def test_small_photo_is_sent_as_it_is(visit, received):
    page = visit()
    search(page)
    assert received == [photo()]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_accessibility(visit, scheme):
    page = visit(color_scheme=scheme, reduced_motion="reduce")
    dark = page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
    paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert dark == (scheme == "dark") and (sum(map(int, re.findall(r"\d+", paper))) < 100) == dark
    axe = Axe()

    def check(state: str) -> None:
        found = axe.run(page)
        assert found.violations_count == 0, f"{state}: {found.generate_report()}"

    check("first visit")
    search(page)
    page.locator("summary", has_text="Method").first.click()
    page.wait_for_load_state("networkidle")
    check("results")
    page.locator("[name=include]").fill("unobtainium")
    page.click("#go")
    notice(page, "Nothing on the menu")
    check("no match")
    page.route(SEARCH, lambda route: route.fulfill(status=401, json={}))
    page.click("#go")
    expect(page.locator("dialog")).to_be_visible()
    check("key")


def test_nothing_moves_for_those_who_ask_for_that(visit):
    page = visit(reduced_motion="reduce")
    search(page)
    assert page.evaluate("document.getAnimations().length") == 0


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE])
def test_layout_does_not_jump(visit, browser, url, viewport):
    context = browser.new_context(viewport=viewport)
    page = context.new_page()
    page.add_init_script(
        """window.shifts = [];
        new PerformanceObserver(list => shifts.push(...list.getEntries().map(entry =>
            [entry.value, entry.sources.map(s => s.node?.id || s.node?.nodeName).join()])))
            .observe({ type: "layout-shift", buffered: true });"""
    )
    page.goto(url)
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(200)
    assert page.evaluate("shifts") == []
    search(page)
    page.wait_for_timeout(100)  # the answer's own coming is told after the frame that shows it
    page.evaluate("shifts.length = 0")
    page.wait_for_timeout(600)  # as long as Chromium takes shifts for the user's own
    assert page.evaluate("shifts") == []
    context.close()


def attempt(page: Page, path: str, method: str = "POST"):
    """An operation of /docs, unfolded, with its fields open to be filled in."""
    named = page.locator(f"[data-path='{path}']")
    block = page.locator(f".opblock-{method.lower()}").filter(has=named)
    block.locator(".opblock-summary-control").click()
    block.get_by_role("button", name="Try it out").click()
    return block


def executed(block):
    """What the service answers to it, with status 200."""
    block.get_by_role("button", name="Execute").click()
    answer = block.locator(".live-responses-table .response")
    expect(answer.locator(".response-col_status")).to_contain_text("200")
    return answer


def answered(block) -> dict:
    return json.loads(executed(block).locator(".highlight-code code").text_content())


@pytest.fixture
def documentation(visit):
    """Opens /docs as ``visit`` opens the page, and waits until it lists the operations."""

    def open_docs(url, viewport=DESKTOP) -> Page:
        page = visit(url, viewport)
        page.goto(f"{url}docs")
        expect(page.locator(".opblock").first).to_be_visible()
        expect(page.locator(".errors-wrapper")).to_have_count(0)
        return page

    return open_docs


@pytest.mark.parametrize("root_path", ["", "/recipes"])
def test_documentation_answers_an_upload_with_recipes(documentation, settings, root_path, tmp_path):
    """Under a prefix the first operation says it all: what it changes they have in common."""
    names = [f"{seed}.jpg" for seed in (3, 8)]
    for name, seed in zip(names, (3, 8), strict=True):
        (tmp_path / name).write_bytes(photo(seed))
    with served(settings, root_path=root_path, api_key=KEY) as url:
        page = documentation(url)
        page.get_by_role("button", name="Authorize").click()
        page.locator(".auth-container input").fill(KEY)
        page.locator(".auth-container").get_by_role("button", name="Apply credentials").click()
        page.locator(".close-modal").click()

        block = attempt(page, "/api/v1/search/search")
        block.locator("input[type=file]").set_input_files(tmp_path / names[0])
        answer = answered(block)
        assert answer["success"] and len(answer["recipes"]) == 3
        first = answer["recipes"][0]
        assert first["similarity"] == pytest.approx(1, abs=1e-3)
        if root_path:
            return

        block = attempt(page, "/api/v1/search/batch")
        block.get_by_role("button", name="Add").click()
        for index, name in enumerate(names):
            block.locator("input[type=file]").nth(index).set_input_files(tmp_path / name)
        results = answered(block)["results"]
        assert [len(result["recipes"]) for result in results] == [3, 3]
        assert results[0]["recipes"] == answer["recipes"]
        more = answered(attempt(page, "/api/v1/recipes/{recipe_id}/similar", "GET"))
        assert len(more["recipes"]) == 3
        shown = executed(attempt(page, "/api/v1/photos/{photo_id}", "GET")).locator("img")
        expect(shown).to_have_js_property("naturalWidth", 274)


def test_documentation_fits_a_phone(documentation, url):
    assert_fits(documentation(url, PHONE))
