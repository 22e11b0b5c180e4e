"""The page in the cook's language."""

import re
from itertools import cycle

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from browsing import DESKTOP, PHONE, SEARCH, assert_fits, choose, notice, photo, search, titles
from playwright.sync_api import expect

from api.features.texts import languages

NARROW = {"width": 320, "height": 640}


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE])
def test_french_is_spoken_throughout(visit, viewport):
    page = visit(viewport=viewport, locale="fr-FR")
    expect(page.locator("html")).to_have_attribute("lang", "fr")
    expect(page.locator("#headline")).to_have_text("De l’assiette à la recette")
    expect(page.locator("#serving")).to_contain_text("40 recettes du dossier recipes")
    expect(page.locator("#go")).to_have_text("Choisir une photo")
    search(page)
    expect(page.locator("#found-title")).to_have_text("Les recettes qui ressemblent à votre photo")
    expect(page.locator("#how-many")).to_have_text("7 recettes")
    first = page.locator("#recipes .card").first
    expect(first.locator(".similarity b")).to_have_text(re.compile(r"^[01],\d\d$"))
    expect(first.locator(".tag")).to_have_text(
        re.compile("^La plus proche · (soupe|gâteau|salade)")
    )
    assert_fits(page)
    page.get_by_role("button", name="D’autres comme celle-ci").first.click()
    expect(page.locator("#steps li")).to_have_text(re.compile(r"^Comme «\s.*\s»$"))
    page.route(
        SEARCH,
        lambda route: route.fulfill(
            status=415, json={"errorMessage": "said in English", "errorCode": "unknown_format"}
        ),
    )
    choose(page, photo())
    pane = notice(page, "Ce n’est pas une photo lisible")
    expect(pane).to_contain_text("Enregistrez-la en JPEG")
    expect(pane.get_by_role("button")).to_have_text("Choisir une autre photo")
    assert "said in English" not in page.locator("body").inner_text()


def test_the_switch_keeps_what_was_found_and_is_remembered(visit, url):
    page = visit()
    search(page)
    found = titles(page)
    page.get_by_role("link", name="Français").click()
    expect(page.locator("#found-title")).to_have_text("Les recettes qui ressemblent à votre photo")
    assert titles(page) == found
    page.goto(url)
    expect(page.locator("#headline")).to_have_text("De l’assiette à la recette")
    page.get_by_role("link", name="English").click()
    expect(page.locator("#headline")).to_have_text("From the plate back to the recipe")


def test_the_switch_works_without_javascript(browser, url):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(url)
    page.get_by_role("link", name="Français").click()
    expect(page.locator("html")).to_have_attribute("lang", "fr")
    page.goto(url)
    expect(page.locator("html")).to_have_attribute("lang", "fr")
    expect(page.locator(".noscript")).to_contain_text("a besoin de JavaScript")
    context.close()


def test_caches_are_told_what_the_page_depends_on(url):
    answer = httpx.get(url, headers={"Accept-Language": "fr"})
    assert answer.headers["vary"] == "Accept-Language, Cookie"
    assert 'lang="fr"' in answer.text and "set-cookie" not in answer.headers
    again = {"Accept-Language": "fr", "If-None-Match": answer.headers["etag"]}
    assert httpx.get(url, headers=again).status_code == 304
    assert httpx.get(url, headers={**again, "Accept-Language": "en"}).status_code == 200
    chosen = httpx.get(f"{url}?language=fr").headers["set-cookie"]
    assert chosen.startswith("itadaki-language=fr;") and "SameSite=lax" in chosen


@pytest.mark.parametrize(
    ("language", "scheme"), list(zip(sorted(languages()), cycle(["light", "dark"]), strict=False))
)
def test_a_narrow_phone_in_every_language(visit, language, scheme):
    page = visit(
        viewport=NARROW, locale=language, color_scheme=scheme, is_mobile=True, has_touch=True
    )
    for part in ("#take", "#go", "#words"):
        expect(page.locator(part)).to_be_in_viewport(ratio=1)
    assert_fits(page)
    search(page)
    assert_fits(page)
    page.wait_for_load_state("networkidle")
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
