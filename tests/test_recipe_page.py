"""A recipe's own page: read, imported by others, printed, scaled, shared, and locked."""

import json
import re

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from browsing import DESKTOP, KEY, PHONE, assert_fits, get, search, served, titles
from conftest import copy_of, dish_photo, encode
from playwright.sync_api import expect
from recipe_scrapers import scrape_html

from itadaki.collection import create_collection
from itadaki.recipes.recipe import NewRecipe
from itadaki.retrieval import RetrievalSystem

HTML = {"Accept": "text/html"}
NASTY = "Soup </script><script>alert(1)</script> & <b>bread</b>"
STEPS = ["Chop the onion.", "Boil </script> all for 20 minutes.", "Serve with 2 slices of bread."]
LINES = ["200 g lentils", "1 ½ onions", "half a lemon", "1 l stock", "<i>salt</i>"]


@pytest.fixture(scope="module")
def kitchen(settings, tmp_path_factory):
    """Settings with a collection beside the dataset, whose first recipe says all it can."""
    ours = copy_of(settings, tmp_path_factory.mktemp("kitchen"))
    full = NewRecipe(
        NASTY,
        LINES,
        "\n".join(STEPS),
        encode(dish_photo(70)),
        keywords=["quick", "winter"],
        servings="4 people",
        prep_minutes=15,
        cook_minutes=75,
        total_minutes=90,
        author="Grandma",
        source="https://cooks.example/soup?a=1&b=2",
    )
    bare = NewRecipe("Dish without words", [], "", encode(dish_photo(71)))
    create_collection(ours, "grandma", [full, bare])
    RetrievalSystem.load("raw", ours.model_copy(update={"dataset": "grandma"}), build=True)
    return ours


@pytest.fixture(scope="module")
def kitchen_url(kitchen):
    with served(kitchen, collections=["grandma"]) as url:
        yield url


@pytest.fixture(scope="module")
def ids(kitchen_url):
    found = {}
    with httpx.Client(base_url=kitchen_url, timeout=60) as client:
        for number in range(10):
            answer = client.get(f"api/v1/recipes/{number}?collection=grandma")
            if answer.status_code == 200:
                found[answer.json()["title"]] = number
    return found


@pytest.fixture
def full(kitchen_url, ids):
    return f"{kitchen_url}recipes/{ids[NASTY]}?collection=grandma"


def linked_data(html: str) -> dict:
    return json.loads(re.search(r'<script type="application/ld\+json">(.*?)</script>', html)[1])


def test_other_programs_import_it(full, kitchen_url, ids, tmp_path):
    html = get(full).text
    assert "alert(1)</script>" not in html.replace("&lt;", "<!").replace("\\u003c", "<!")
    data = linked_data(html)
    photo_address = f"{kitchen_url}api/v1/photos/{ids[NASTY]}?collection=grandma"
    assert data == {
        "@context": "https://schema.org",
        "@type": "Recipe",
        "name": NASTY,
        "url": full,
        "image": [photo_address],
        "recipeIngredient": LINES,
        "recipeInstructions": [{"@type": "HowToStep", "text": step} for step in STEPS],
        "recipeYield": "4 people",
        "prepTime": "PT15M",
        "cookTime": "PT75M",
        "totalTime": "PT90M",
        "author": {"@type": "Person", "name": "Grandma"},
        "keywords": "quick, winter",
        "recipeCategory": "bread",
        "isBasedOn": "https://cooks.example/soup?a=1&b=2",
    }
    assert get(photo_address).headers["content-type"] == "image/jpeg"
    # What Mealie and Tandoor read pages with.
    read = scrape_html(html, org_url=full, supported_only=False)
    # It leaves out what looks like a tag.
    assert read.instructions_list() == [step.replace("</script> ", "") for step in STEPS]
    assert read.total_time() == 90
    assert (read.yields(), read.author()) == ("4 servings", "Grandma")
    assert read.image() == photo_address
    assert read.ingredients()[:4] == LINES[:4]


def test_it_reads_without_javascript(browser, full):
    context = browser.new_context(java_script_enabled=False, viewport=DESKTOP)
    page = context.new_page()
    page.goto(full)
    expect(page.get_by_role("heading", level=1)).to_have_text(NASTY)
    assert page.locator(".ingredients li").all_inner_texts() == LINES
    assert page.locator(".method li").all_inner_texts() == STEPS
    expect(page.locator(".facts")).to_contain_text("By Grandma")
    expect(page.locator(".facts")).to_contain_text("1 h 15 min of cooking")
    expect(page.locator(".recipe img")).to_have_js_property("naturalWidth", 274)
    expect(page.locator(".actions")).to_be_hidden()
    page.get_by_label("Servings").fill("6")
    page.get_by_role("button", name="Work out").click()
    assert page.locator(".ingredients li").all_inner_texts() == [
        "300 g lentils",
        "2 ¼ onions",
        "half a lemon",
        "1.5 l stock",
        "<i>salt</i>",
    ]
    assert page.locator(".as-written").all_inner_texts() == ["half a lemon", "<i>salt</i>"]
    expect(page.get_by_role("heading", level=1)).to_have_text(NASTY)  # of the same collection
    context.close()


@pytest.mark.parametrize("servings", ["0", "1001", "-4", "many", "1e3", "4.5"])
def test_servings_that_make_no_sense(full, servings):
    answer = get(f"{full}&servings={servings}", headers=HTML)
    assert answer.status_code == 422 and "<h1>Nothing on the menu</h1>" in answer.text
    answer = get(f"{full}&servings={servings}")
    assert answer.status_code == 422 and answer.json()["errorCode"] == "wrong_request"


@pytest.mark.parametrize(
    ("path", "status", "code", "says"),
    [
        ("recipes/99999", 404, "unknown_recipe", "Cette recette n’est pas ici"),
        ("recipes/1?collection=x", 404, "unknown_collection", "Cette collection n’est pas ici"),
        ("recipes/soup", 422, "wrong_request", "L’un des champs"),
        ("recipes/", 404, "not_found", "Il n’y a rien à cette adresse"),
        ("nothing/at/all", 404, "not_found", "Il n’y a rien à cette adresse"),
    ],
)
def test_what_is_not_there_is_told_in_its_own_shape(kitchen_url, path, status, code, says):
    asked = {"Accept": "text/html", "Accept-Language": "fr"}
    page = get(kitchen_url + path, headers=asked)
    assert page.status_code == status and says in page.text and 'lang="fr"' in page.text
    assert page.headers["content-type"].startswith("text/html")
    root = re.search(r'class="brand" href="([^"]*)"', page.text)[1]
    assert str(page.url.join(root)) == kitchen_url
    told = get(kitchen_url + path)
    assert (told.status_code, told.json()["errorCode"]) == (status, code)
    assert get(f"{kitchen_url}api/v1/recipes/99999", headers=HTML).json()["errorCode"]


def test_it_is_not_sent_twice_and_allows_no_more_than_the_page(full, kitchen_url):
    answer = get(full)
    assert answer.headers["vary"] == "Accept-Language, Cookie"
    again = get(full, headers={"If-None-Match": answer.headers["etag"]})
    assert again.status_code == 304 and not again.content
    policy = answer.headers["content-security-policy"]
    assert policy == get(kitchen_url).headers["content-security-policy"]
    assert "unsafe" not in policy


@pytest.mark.parametrize(
    ("viewport", "scheme"),
    [(DESKTOP, "light"), (PHONE, "dark"), ({"width": 320, "height": 640}, "light")],
)
def test_it_fits_and_is_accessible(browser, full, viewport, scheme):
    context = browser.new_context(viewport=viewport, color_scheme=scheme, locale="fr")
    page = context.new_page()
    lines = []
    page.on("console", lambda line: lines.append(line.text) if line.type == "error" else None)
    page.goto(f"{full}&servings=3")
    expect(page.get_by_role("button", name="Copier les ingrédients")).to_be_visible()
    assert_fits(page)
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    page.goto(full.replace("recipes/", "recipes/9"))
    expect(page.get_by_role("heading", level=1)).to_have_text("Rien au menu")
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    assert_fits(page)
    assert [line for line in lines if "404" not in line] == []
    context.close()


def test_it_prints_on_one_page_with_its_picture_and_without_buttons(browser, full):
    context = browser.new_context(viewport=DESKTOP)
    page = context.new_page()
    page.goto(full)
    expect(page.locator("#print")).to_be_visible()
    page.emulate_media(media="print")
    for hidden in ("#print", "#share", ".masthead", ".onward", ".servings"):
        expect(page.locator(hidden)).to_be_hidden()
    expect(page.locator(".recipe img")).to_be_visible()
    expect(page.locator(".method li").last).to_be_visible()
    assert len(re.findall(rb"/Type\s*/Page\b", page.pdf(format="A4", print_background=True))) == 1
    context.close()


def test_share_and_copy(browser, full):
    context = browser.new_context(viewport=PHONE)
    context.add_init_script(
        "window.shared = []; window.copied = [];"
        "navigator.share = async what => { shared.push(what) };"
        "navigator.clipboard.writeText = async words => { copied.push(words) };"
    )
    page = context.new_page()
    page.goto(full)
    page.get_by_role("button", name="Share").click()
    assert page.evaluate("shared") == [{"title": NASTY, "url": full}]
    page.get_by_role("button", name="Copy the ingredients").click()
    expect(page.locator("#status")).to_have_text("The ingredients are copied.")
    page.evaluate("delete Navigator.prototype.share; navigator.share = undefined")
    page.get_by_role("button", name="Share").click()
    expect(page.locator("#status")).to_have_text("The address is copied.")
    assert page.evaluate("copied") == ["\n".join(LINES), full]
    context.close()


def test_from_a_result_to_the_recipe_and_back(visit, url):
    page = visit()
    search(page)
    found = titles(page)
    page.locator("#recipes h2 a").nth(1).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(found[1])
    page.go_back()
    expect(page.locator("#found-title")).to_have_text("Recipes that look like your photo")
    assert titles(page) == found
    page.locator("#recipes h2 a").first.click()
    page.get_by_role("link", name="More like this").click()
    expect(page.locator("#found-title")).to_have_text(f"More like “{found[0]}”")
    expect(page.locator("#recipes .card")).to_have_count(7)


@pytest.mark.parametrize("root_path", ["", "/kitchen"])
def test_behind_the_key_it_opens_with_the_key(browser, settings, root_path):
    with served(settings, root_path=root_path, api_key=KEY) as url:
        assert get(f"{url}recipes/4").json()["errorCode"] == "key_needed"
        locked = get(f"{url}recipes/4", headers=HTML)
        assert locked.status_code == 401 and "Lemon" not in locked.text
        assert locked.headers["www-authenticate"] == "Bearer"
        assert "Lemon Cake" in get(f"{url}recipes/4", headers={"X-API-Key": KEY}).text
        context = browser.new_context(viewport=DESKTOP)
        page = context.new_page()
        page.goto(f"{url}recipes/4")
        expect(page.get_by_role("heading", level=1)).to_have_text("This kitchen is locked")
        page.get_by_label("API key").fill("a wrong key")
        page.keyboard.press("Enter")
        expect(page.locator("#refused")).to_be_visible()
        page.get_by_label("API key").fill(KEY)
        page.get_by_role("button", name="Unlock").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Lemon Cake")
        expect(page.locator(".recipe img")).to_have_js_property("naturalWidth", 274)
        page.reload()  # the tab keeps the key
        expect(page.get_by_role("heading", level=1)).to_have_text("Lemon Cake")
        page.get_by_role("link", name="Find other recipes").click()
        expect(page.locator("#headline")).to_be_visible()
        context.close()


def test_the_rate_limit_counts_it(settings):
    with served(settings, rate_limit="2/minute") as url:
        codes = [get(f"{url}recipes/{n}", headers=HTML).status_code for n in (1, 2, 3)]
        refused = get(f"{url}recipes/3", headers=HTML)
    assert codes == [200, 200, 429] and "The kitchen is busy" in refused.text
    assert int(refused.headers["retry-after"]) > 0
