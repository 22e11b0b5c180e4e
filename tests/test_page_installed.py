"""The page as an application: installed, offline, and a target of what a phone shares."""

import io
import json
import re

import pytest
from browsing import DESKTOP, KEY, PHONE, get, notice, photo, post, search, served, titles
from PIL import Image
from playwright.sync_api import expect

BELOW = "/kitchen/below"
at_each_root = pytest.mark.parametrize("home", ["", BELOW], indirect=True)


@pytest.fixture(scope="module")
def home(request, settings):
    with served(settings, root_path=getattr(request, "param", BELOW)) as url:
        yield url


@pytest.fixture
def installed(visit, home):
    """Opens the page as one whose worker is at work."""

    def install(**options):
        page = visit(home, service_workers="allow", **options)
        page.evaluate("navigator.serviceWorker.ready.then(() => undefined)")
        page.reload()
        expect(page.locator("#serving")).not_to_be_empty()
        assert page.evaluate("navigator.serviceWorker.controller.scriptURL") == f"{home}worker.js"
        return page

    return install


def shared_with(page, home, **files) -> None:
    """Send a form as a phone's share sheet does."""
    page.evaluate(
        """([address, bytes, fields]) => {
            const form = Object.assign(document.createElement("form"),
                { action: address, method: "post", enctype: "multipart/form-data" });
            for (const [name, value] of Object.entries(fields)) {
                form.append(Object.assign(document.createElement("input"), { name, value }));
            }
            if (bytes) {
                const field = Object.assign(document.createElement("input"),
                    { type: "file", name: "image" });
                const data = new DataTransfer(), type = "image/jpeg";
                data.items.add(new File([new Uint8Array(bytes)], "dîner.jpg", { type }));
                field.files = data.files;
                form.append(field);
            }
            document.body.append(form);
            form.submit();
        }""",
        [f"{home}share", files.pop("photo", None), files],
    )


@at_each_root
def test_the_manifest_leads_to_what_is_there(home):
    page = get(home, headers={"Accept-Language": "fr"})
    address = page.url.join(re.search(r'rel="manifest" href="([^"]*)"', page.text)[1])
    answer = get(address)
    assert answer.headers["content-type"] == "application/manifest+json"
    manifest = answer.json()
    assert manifest["lang"] == "fr" and "photo d’un plat" in manifest["description"]
    assert str(address.join(manifest["start_url"])) == str(address.join(manifest["scope"])) == home
    for icon in manifest["icons"]:
        found = get(address.join(icon["src"]))
        assert found.headers["content-type"].startswith(icon["type"])
        if icon["type"] == "image/png":
            size = "{}x{}".format(*Image.open(io.BytesIO(found.content)).size)
            assert size == icon["sizes"]
    assert {"192x192", "512x512"} <= {icon["sizes"] for icon in manifest["icons"]}
    assert any(icon.get("purpose") == "maskable" for icon in manifest["icons"])
    target = manifest["share_target"]
    assert str(address.join(target["action"])) == f"{home}share" and target["method"] == "POST"


def test_a_browser_would_install_it(browser, home):
    context = browser.new_context(viewport=PHONE)
    page = context.new_page()
    page.goto(home)
    page.evaluate("navigator.serviceWorker.ready.then(() => undefined)")
    session = context.new_cdp_session(page)
    manifest = session.send("Page.getAppManifest")
    assert manifest["errors"] == [] and json.loads(manifest["data"])["name"] == "Itadaki"
    errors = session.send("Page.getInstallabilityErrors")["installabilityErrors"]
    # The browser of a test keeps no profile, in which nothing is ever installed.
    assert [error for error in errors if error["errorId"] != "in-incognito"] == []
    context.close()


@at_each_root
def test_without_a_connection_the_page_is_there_and_no_old_answer_is(installed, home):
    page = installed(locale="fr")
    search(page)
    page.context.set_offline(True)
    page = page.context.new_page()  # the first one keeps its answers, as for a reload
    page.goto(home)
    expect(page.locator("#headline")).to_have_text("De l’assiette à la recette")
    expect(page.locator("#serving")).to_have_text("Le service ne répond pas pour le moment")
    # Chromium 150 takes a page that was opened without a connection for one that has it, and so
    # would not tell it that the connection is back.
    page.context.set_offline(False)
    page.context.set_offline(True)
    assert not page.evaluate("navigator.onLine")
    page.set_input_files("#photo", {"name": "a.jpg", "buffer": photo(), "mimeType": "image/jpeg"})
    notice(page, "La cuisine est injoignable")
    expect(page.locator("#recipes .card")).to_have_count(0)
    kept = page.evaluate(
        """async () => {
            const found = [];
            for (const name of await caches.keys()) {
                const cache = await caches.open(name);
                found.push(...(await cache.keys()).map(request => request.url));
            }
            return found;
        }"""
    )
    assert all(re.fullmatch(rf"{re.escape(home)}(page/[\w.-]+)?", address) for address in kept)
    assert {f"{home}page/{name}" for name in ("page.js", "texts.js", "page.css")} <= set(kept)
    page.context.set_offline(False)
    expect(page.locator("#recipes .card")).to_have_count(7)


def test_a_recipe_that_cannot_be_reached_can_be_tried_again(installed, home):
    page = installed()
    page.context.set_offline(True)
    page.goto(f"{home}recipes/4#method")
    pane = notice(page, "The kitchen cannot be reached")
    page.context.set_offline(False)
    pane.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Lemon Cake")


def test_a_new_release_is_seen_at_once(installed, home):
    page = installed()
    page.evaluate(
        f"""async () => {{
            const cache = await caches.open("itadaki-shell");
            await cache.put("{home}", new Response("an old release"));
            await cache.put("{home}page/page.css", new Response("body {{ display: none }}"));
        }}"""
    )
    page.goto(home)
    expect(page.locator("#headline")).to_be_visible()


@at_each_root
def test_a_shared_photo_is_searched_with(installed, home):
    page = installed(viewport=PHONE)
    # Another Itadaki at this host, below another prefix, has one waiting.
    page.evaluate(
        """async () => (await caches.open("itadaki-shared"))
            .put("/other/shared-photo", new Response(""))"""
    )
    shared_with(page, home, photo=list(photo()))
    expect(page.locator("#recipes .card")).to_have_count(7)
    expect(page.locator("#about-photo")).to_have_text("dîner.jpg")
    expect(page.locator("#found-title")).to_have_text("Recipes that look like your photo")
    assert page.url == home
    left = "caches.open('itadaki-shared').then(cache => cache.keys()).then(keys => keys.length)"
    assert page.evaluate(left) == 1
    found = titles(page)
    page.reload()
    expect(page.locator("#recipes .card")).to_have_count(7)
    assert titles(page) == found


def test_shared_words_are_searched_for(installed, home):
    page = installed(viewport=DESKTOP)
    shared_with(page, home, text="tomato soup")
    page.wait_for_url(f"{home}?words=tomato*soup")
    assert page.locator("#words").input_value() == "tomato soup"


def test_what_is_shared_before_the_worker_is_there_is_not_lost_silently(visit, home):
    page = visit(home)
    shared_with(page, home, photo=list(photo()))
    pane = notice(page, "That is not a photo we can read")
    expect(pane).to_contain_text("did not arrive")


def test_what_makes_it_an_application_needs_no_key(settings):
    with served(settings, api_key=KEY) as url:
        for path in ("worker.js", "manifest.webmanifest", "page/icon-512.png"):
            assert get(url + path).status_code == 200, path
        assert post(f"{url}worker.js").status_code == 401
