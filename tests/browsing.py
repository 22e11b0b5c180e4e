"""What the tests of the page share: the service in a thread, and a browser that visits it."""

from contextlib import contextmanager
from functools import partial

import httpx
import pytest
import uvicorn
from chromium import EXECUTABLE, chromium
from conftest import dish_photo, encode, listening
from playwright.sync_api import Page, expect

from api.core.config import ApiSettings
from api.main import create_app

_PATIENCE = 60_000  # milliseconds
expect.set_options(timeout=_PATIENCE)
SEARCH = "**/api/v1/search/search"
KEY = "key-of-the-test"
get, post = partial(httpx.get, timeout=60), partial(httpx.post, timeout=60)
DESKTOP, PHONE = {"width": 1280, "height": 800}, {"width": 360, "height": 740}


@contextmanager
def served(settings, root_path="", **more):
    """The service in a thread of this process; gives its address."""
    app = create_app(
        ApiSettings(
            _env_file=None,
            dataset=settings.dataset,
            backbone_weights=settings.backbone_weights,
            home=settings.home,
            **more,
        )
    )

    async def behind_prefix(scope, receive, send):  # the scope that uvicorn --root-path makes
        await app({**scope, "root_path": root_path}, receive, send)

    with listening(uvicorn.Config(behind_prefix, log_config=None)) as (host, port):
        yield f"http://{host}:{port}{root_path}/"


@pytest.fixture(scope="session")
def url(settings):
    with served(settings, max_upload_mb=1) as url:
        yield url


@pytest.fixture(scope="session")
def browser():
    if EXECUTABLE is None:
        pytest.skip("no chromium here: apt-get install chromium")
    with chromium() as browser:
        yield browser


@pytest.fixture
def visit(browser, url):
    """Opens the page in a fresh context; what goes wrong in its scripts fails the test."""
    contexts, errors = [], []

    def open_page(address=url, viewport=DESKTOP, **options) -> Page:
        options.setdefault("service_workers", "block")  # it would hide requests from page.route
        contexts.append(browser.new_context(viewport=viewport, **options))
        page = contexts[-1].new_page()
        page.set_default_timeout(_PATIENCE)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda line: errors.append(line.text) if _is_error(line) else None)
        # From now on: Playwright would begin to intercept choosers only after a first key press.
        page.on("filechooser", lambda chooser: None)
        page.goto(address)
        expect(page.locator("#serving")).not_to_be_empty()
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert errors == []


def _is_error(line) -> bool:
    # Chromium itself notes answers of 4xx and 5xx and lost connections; the page handles them.
    return line.type == "error" and not line.text.startswith("Failed to load resource")


def choose(page: Page, content: bytes, name="dish.jpg", kind="image/jpeg") -> None:
    page.set_input_files("#photo", {"name": name, "buffer": content, "mimeType": kind})


def photo(seed=3) -> bytes:
    return encode(dish_photo(seed), quality=90)


def search(page: Page, seed=3) -> None:
    choose(page, photo(seed))
    answered(page)


def answered(page: Page) -> None:
    """Wait until recipes that were searched for are shown."""
    expect(page.locator("#answer")).to_have_attribute("aria-busy", "false")
    expect(page.locator("#found")).to_be_visible()


def titles(page: Page) -> list[str]:
    return page.locator("#recipes h2").all_text_contents()


def notice(page: Page, title: str):
    """The notice, once it is shown under this title, focused and told to screen readers."""
    heading = page.locator("#notice-title")
    expect(heading).to_have_text(title)
    expect(heading).to_be_focused()
    expect(page.locator("#status")).to_contain_text(title)
    return page.locator("#notice")


def assert_fits(page: Page) -> None:
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
