"""What the page says when the photo shows no food, or when the closest recipes are far."""

import json

import pytest
from browsing import choose, notice, photo
from playwright.sync_api import expect


def told(page, **facts) -> None:
    """Have the service's answers to searches say these facts."""

    def answer(route) -> None:
        response = route.fetch()
        route.fulfill(response=response, body=json.dumps(response.json() | facts))

    page.route("**/api/v1/search/search", answer)


def test_what_is_no_food_gets_a_sentence_and_the_recipes_on_demand(visit):
    page = visit()
    told(page, isFood=False)
    choose(page, photo())
    pane = notice(page, "Nothing here looks like this")
    expect(page.locator("#recipes .card")).not_to_be_visible()
    pane.get_by_role("button", name="Show what comes closest").click()
    expect(page.locator("#recipes .card").first).to_be_visible()


@pytest.mark.parametrize(("confidence", "says"), [(0.01, True), (0.3, False), (None, False)])
def test_far_recipes_are_said_to_be_far(visit, confidence, says):
    page = visit()
    told(page, confidence=confidence)
    choose(page, photo())
    expect(page.locator("#recipes .card").first).to_be_visible()
    expect(page.locator("#far")).to_have_text("The closest are not very close." if says else "")
