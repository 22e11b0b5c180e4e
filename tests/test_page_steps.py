"""Searching step by step on the page: a part of a photo, several photos, recipes to be like and
unlike, and more results."""

import re
from urllib.parse import parse_qs, urlparse

import cv2
import httpx
import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from browsing import DESKTOP, PHONE, answered, assert_fits, choose, photo, search, titles
from conftest import dish_photo, encode
from playwright.sync_api import expect

SEARCH = "**/api/v1/search/search"
# Chromium tells nobody what is in a form that holds files.
NOTING = """(() => {
    const send = window.fetch;
    window.fetch = (address, options) => {
        if (options?.method === "POST") noteSearch([...options.body].map(([name]) => name),
            Object.fromEntries([...options.body].filter(([, value]) => !value.name)));
        return send(address, options);
    };
})()"""


@pytest.fixture
def sent(visit):
    """Opens the page, and notes the fields of its searches; "names" has the names of all."""

    def open_page(**options):
        page, forms = visit(**options), []
        note = lambda names, fields: forms.append({**fields, "names": names})  # noqa: E731
        page.expose_function("noteSearch", note)
        page.add_init_script(NOTING)
        page.evaluate(NOTING)
        return page, forms

    return open_page


def two_dishes() -> bytes:
    """The dish of seed 3 on the left, that of seed 7 on the right."""
    return encode(np.hstack([dish_photo(3), dish_photo(7)]), quality=95)


def asked(url, *photos, **fields) -> list[str]:
    files = [("images" if i else "image", ("a.jpg", each)) for i, each in enumerate(photos)]
    form = [*files, ("top_k", (None, "7"))]  # a form, also without a photo
    answer = httpx.post(f"{url}api/v1/search/search", files=form, data=fields)
    assert answer.status_code == 200, answer.text
    return [recipe["title"] for recipe in answer.json()["recipes"]]


def shares(form) -> list[float]:
    return [float(share) for share in form["crop"].split(",")]


def drag(page, start, *to) -> None:
    """With the mouse, between points in shares of the picture."""
    box = page.locator("#picture").bounding_box()
    points = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in (start, *to)]
    page.mouse.move(*points[0])
    page.mouse.down()
    for point in points[1:]:
        page.mouse.move(*point, steps=5)
    page.mouse.up()


def settled(page) -> None:
    """Wait until the search that follows the box is answered."""
    page.wait_for_timeout(600)
    answered(page)


def test_a_box_drawn_with_the_mouse_says_which_dish_is_meant(sent, url):
    page, forms = sent()
    choose(page, two_dishes())
    answered(page)
    assert "crop" not in forms[0]
    expect(page.locator("#whole")).to_be_hidden()
    drag(page, (0.51, 0.02), (0.9, 0.5), (0.99, 0.98))
    settled(page)
    assert len(forms) == 2  # one search for all of the movement
    assert shares(forms[1]) == pytest.approx([0.51, 0.02, 0.48, 0.96], abs=0.02)
    assert titles(page) == asked(url, two_dishes(), crop=forms[1]["crop"])

    drag(page, (0.75, 0.5), (0.2, 0.5))  # the box, to the left dish
    settled(page)
    assert titles(page) == asked(url, two_dishes(), crop=forms[2]["crop"])
    assert shares(forms[2]) == pytest.approx([0, 0.02, 0.48, 0.96], abs=0.02)
    drag(page, (0.46, 0.95), (0.25, 0.6))  # its lower right corner
    settled(page)
    assert shares(forms[3])[2:] == pytest.approx([0.27, 0.61], abs=0.03)

    page.reload()
    expect(page.locator("#whole")).to_be_visible()
    page.click("#whole")
    settled(page)
    assert "crop" not in forms[4] and titles(page) == asked(url, two_dishes())
    page.go_back()  # refining is no step of its own
    expect(page.locator("#headline")).to_be_visible()


def test_the_box_follows_keys_and_leaves_the_focus_where_it_is(sent):
    page, forms = sent()
    search(page)
    box = page.locator("#crop")
    expect(box).to_have_accessible_description(re.compile("Drag the corners.*arrows move"))
    box.focus()
    for _ in range(10):
        page.keyboard.press("Shift+ArrowLeft")
    page.keyboard.press("ArrowRight")
    expect(page.locator("#status")).to_have_text(
        "From 5 to 55 percent across, from 0 to 100 percent down."
    )
    settled(page)
    expect(box).to_be_focused()
    assert len(forms) == 2 and shares(forms[1]) == pytest.approx([0.05, 0, 0.5, 1])
    page.keyboard.press("Escape")
    settled(page)
    assert "crop" not in forms[2]


def test_a_finger_stretches_the_box_by_its_corners_and_scrolls_elsewhere(sent):
    page, forms = sent(viewport=PHONE, has_touch=True, is_mobile=True, reduced_motion="reduce")
    search(page)
    page.evaluate("scrollTo({ top: 0, behavior: 'instant' })")
    box = page.locator("#picture").bounding_box()
    client = page.context.new_cdp_session(page)

    def touch(*points):
        steps = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in points]
        for number, (x, y) in enumerate(steps):
            kind = "touchMove" if number else "touchStart"
            client.send(
                "Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y}]}
            )
        client.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})

    touch((0.97, 0.95), (0.8, 0.8), (0.6, 0.5))
    settled(page)
    assert len(forms) == 2
    assert shares(forms[1]) == pytest.approx([0, 0, 0.63, 0.55], abs=0.03)
    assert page.evaluate("scrollY") == 0
    touch((0.8, 0.8), (0.8, 0.4), (0.8, 0.1))
    page.wait_for_timeout(600)
    assert len(forms) == 2 and page.evaluate("scrollY") > 0
    assert_fits(page)


def test_a_portrait_photo_is_seen_whole_below_its_box(visit):
    page = visit()
    choose(page, encode(cv2.rotate(dish_photo(3), cv2.ROTATE_90_CLOCKWISE)))
    answered(page)
    picture, stage = (page.locator(part).bounding_box() for part in ("#picture", "#stage"))
    assert picture["width"] / picture["height"] == pytest.approx(169 / 274, abs=0.01)
    assert picture["height"] == pytest.approx(stage["height"], abs=1)
    assert page.locator("#crop").bounding_box() == pytest.approx(picture, abs=1)


def test_several_photos_of_a_dish_are_one_search(sent, url):
    page, forms = sent()
    files = [{"name": f"{s}.jpg", "buffer": photo(s), "mimeType": "image/jpeg"} for s in (3, 7)]
    page.set_input_files("#photo", files)
    answered(page)
    expect(page.locator("#found-title")).to_have_text("Recipes that look like your photos")
    expect(page.locator("#about-photo")).to_have_text("2 photos of one dish")
    assert titles(page) == asked(url, photo(3), photo(7)) and len(forms) == 1
    with page.expect_file_chooser() as chooser:
        page.click("#add")
    chooser.value.set_files({"name": "8.jpg", "buffer": photo(8), "mimeType": "image/jpeg"})
    answered(page)
    three = asked(url, photo(3), photo(7), photo(8))
    assert titles(page) == three != asked(url, photo(3), photo(7))
    page.reload()
    expect(page.locator("#others li")).to_have_count(2)
    assert titles(page) == three and len(forms) == 2
    page.get_by_role("button", name="Without 7.jpg").click()
    answered(page)
    assert titles(page) == asked(url, photo(3), photo(8))
    page.click("#without")  # the first of them
    expect(page.locator("#about-photo")).to_have_text("8.jpg")
    answered(page)
    assert titles(page) == asked(url, photo(8))
    page.go_back()
    expect(page.locator("#others li")).to_have_count(1)
    assert titles(page) == asked(url, photo(3), photo(8))


def test_no_more_photos_can_be_added_than_are_searched_with(sent):
    page, forms = sent()
    files = [{"name": f"{s}.jpg", "buffer": photo(s), "mimeType": "image/jpeg"} for s in range(7)]
    page.set_input_files("#photo", files)
    answered(page)
    assert forms[0]["names"].count("images") == 4
    expect(page.locator("#others li")).to_have_count(4)
    expect(page.locator("#add")).to_be_hidden()


def test_steps_are_combined_and_taken_back(sent, url):
    page, forms = sent()
    search(page)
    first = titles(page)
    page.get_by_role("button", name=f"More like this: {first[2]}", exact=True).click()
    steps = page.locator("#steps li")
    expect(steps).to_have_text([f"Like “{first[2]}”"])
    liked = titles(page)
    page.get_by_role("button", name=f"Not this one: {liked[0]}", exact=True).click()
    expect(steps).to_have_text([f"Like “{first[2]}”", f"Not “{liked[0]}”"])
    both = titles(page)
    like, unlike = (forms[-1][kind] for kind in ("like", "unlike"))
    assert both == asked(url, photo(), like=like, unlike=unlike)
    assert first[2] not in both and liked[0] not in both
    page.reload()
    expect(steps).to_have_count(2)
    page.get_by_role("button", name=f"Take back: Like “{first[2]}”").click()
    expect(steps).to_have_text([f"Not “{liked[0]}”"])
    assert titles(page) == asked(url, photo(), unlike=unlike)
    page.get_by_role("button", name="Take back").click()
    expect(steps).to_have_count(0)
    assert titles(page) == first
    page.go_back()
    expect(steps).to_have_text([f"Not “{liked[0]}”"])
    choose(page, photo(8))  # another dish
    expect(page.locator("#about-photo")).to_have_text("dish.jpg")
    expect(steps).to_have_count(0)
    assert "unlike" not in forms[-1]


def test_steps_without_a_photo_have_an_address(visit, url):
    page = visit(f"{url}?like=2,3&unlike=5")
    expect(page.locator("#found-title")).to_have_text("Recipes like those you chose")
    expect(page.locator("#steps li")).to_have_count(3)
    assert titles(page) == asked(url, like="2,3", unlike="5")
    page.get_by_role("button", name="Take back: Like “Chocolate Cake”").click()
    expect(page.locator("#found-title")).to_have_text("More like “Carrot Soup with Ginger”")
    assert parse_qs(urlparse(page.url).query) == {"like": ["2"], "unlike": ["5"]}
    page.get_by_role("button", name="Take back: Like").click()
    expect(page.locator("#headline")).to_be_visible()
    assert page.url == url
    page.go_back()
    expect(page.locator("#steps li")).to_have_count(2)


def test_an_address_with_unknown_recipes_is_told_in_words(visit, url):
    page = visit(f"{url}?like=99999")
    expect(page.locator("#notice")).to_contain_text("This recipe is not here, or no longer.")


def test_more_results_follow_below(sent, url):
    page, forms = sent()
    search(page)
    further = page.get_by_role("button", name="More results")
    further.click()
    cards = page.locator("#recipes .card")
    expect(cards).to_have_count(14)
    expect(cards.nth(7).locator("h2 a")).to_be_focused()
    expect(page.locator("#how-many")).to_have_text("14 recipes")
    assert titles(page) == asked(url, photo()) + asked(url, photo(), offset=7)
    assert forms[-1]["offset"] == "7"
    page.reload()
    expect(cards).to_have_count(14)
    for _ in range(4):
        further.click()
        answered(page)
    expect(cards).to_have_count(40)  # all of them
    expect(further).to_be_hidden()
    assert len(set(titles(page))) == 40
    page.go_back()
    expect(page.locator("#headline")).to_be_visible()


def test_an_address_leads_to_as_many_results_as_were_shown(visit, url):
    page = visit(f"{url}?like=2")
    page.get_by_role("button", name="More results").click()
    expect(page.locator("#recipes .card")).to_have_count(14)
    assert parse_qs(urlparse(page.url).query) == {"like": ["2"], "shown": ["14"]}
    again = visit(page.url)
    expect(again.locator("#recipes .card")).to_have_count(14)
    assert titles(again) == titles(page)
    assert again.url == page.url


def test_more_results_can_be_tried_again(sent):
    page, _ = sent()
    search(page)
    page.route(SEARCH, lambda route: route.abort())
    page.click("#further")
    expect(page.locator("#notice-title")).to_have_text("The kitchen cannot be reached")
    page.unroute(SEARCH)
    page.locator("#notice button").click()
    expect(page.locator("#recipes .card")).to_have_count(14)


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE])
@pytest.mark.parametrize(("scheme", "language"), [("light", "fr"), ("dark", "en")])
def test_steps_are_accessible_and_fit(visit, viewport, scheme, language):
    page = visit(viewport=viewport, color_scheme=scheme, locale=language, reduced_motion="reduce")
    files = [{"name": f"{s}.jpg", "buffer": photo(s), "mimeType": "image/jpeg"} for s in (3, 7)]
    page.set_input_files("#photo", files)
    answered(page)
    page.locator("#recipes [data-kind=like]").nth(1).click()
    expect(page.locator("#steps li")).to_have_count(1)
    page.locator("#recipes [data-kind=unlike]").nth(1).click()
    expect(page.locator("#steps li")).to_have_count(2)
    page.locator("#crop").focus()
    page.keyboard.press("Shift+ArrowLeft")
    settled(page)
    page.wait_for_load_state("networkidle")
    assert_fits(page)
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
