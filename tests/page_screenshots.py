"""Writes the screenshots of the page's states to reports/page/: ``make screenshots``.

The service runs on the sample cookbook with the shipped model, so that real answers are seen.
Needs the Debian packages of ``PACKAGES``; two of them are fonts, for the page takes those of the
machine it is seen on, and a bare server has none worth a picture.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from chromium import EXECUTABLE, chromium
from conftest import running_service
from tqdm import tqdm

ROOT = Path(__file__).resolve().parents[1]
TARGET = ROOT / "reports" / "page"
SEARCH = "**/api/v1/search/search"
PACKAGES = "chromium pngquant fonts-inter fonts-urw-base35"
FONTS = ("Inter", "P052")
DESKTOP, TALL, PHONE, WIDE = (1280, 860), (1280, 1180), (390, 780), (1920, 1080)
PAPER = (690, 1010)  # A4 without its margins
COLOURS = 96  # of a picture's palette


def first_visit(page) -> None:
    pass


def photo_chosen(page) -> None:
    pancakes = (ROOT / "test_recipes" / "5.jpg").read_bytes()
    named = {"name": "pancakes.jpg", "mimeType": "image/jpeg", "buffer": pancakes}
    page.set_input_files("#photo", named)
    page.wait_for_selector("#found:not([hidden])")
    page.evaluate("scrollTo(0, 0)")


def one_of_two_dishes(page) -> None:
    photo_chosen(page)
    page.locator("#crop").focus()
    for key in ("Shift+ArrowLeft", "Shift+ArrowUp", "ArrowRight"):
        for _ in range(4):
            page.keyboard.press(key)
    page.wait_for_timeout(1000)
    page.locator("#crop").blur()


def several_photos(page) -> None:
    photos = [str(ROOT / "test_recipes" / f"{number}.jpg") for number in (9, 8)]
    page.set_input_files("#photo", photos)
    page.wait_for_selector("#found:not([hidden])")


def step_by_step(page, title="Salade Niçoise with Tuna and Eggs") -> None:
    results(page, title)
    for kind, place in (("like", 2), ("unlike", 0)):
        page.locator(f"#recipes [data-kind={kind}]").nth(place).click()
        page.wait_for_selector("#answer[aria-busy=false]")


def step_by_step_in_french(page) -> None:
    step_by_step(page, "Salade niçoise")


def waiting(page) -> None:
    page.route(SEARCH, lambda route: None)
    page.get_by_role("button", name="Salmon Nigiri").click()
    page.wait_for_selector("#waiting:not([hidden])")


def results(page, title="Salade Niçoise with Tuna and Eggs") -> None:
    page.get_by_role("button", name=title).click()
    page.wait_for_selector("#found:not([hidden])")


def recipe_unfolded(page) -> None:
    results(page, "Red Velvet Cake")
    card = page.locator("#recipes .card").nth(1)
    card.locator("summary").click()
    card.evaluate("card => scrollTo(0, card.getBoundingClientRect().top + scrollY - 24)")


def more_like_this(page) -> None:
    results(page, "Blueberry Pancakes")
    page.get_by_role("button", name="More like this").nth(2).click()
    page.wait_for_selector("#steps li")


def no_match(page) -> None:
    page.locator("#min_similarity").fill("0.9")
    page.locator("[name=exclude]").fill("olives")
    page.get_by_role("button", name="Salade Niçoise").click()
    page.wait_for_selector("#notice:not([hidden])")


def wrong_file(page) -> None:
    heic = {"name": "IMG_2034.HEIC", "mimeType": "image/heic", "buffer": b"\0\0\0\x18ftypheic"}
    page.set_input_files("#photo", heic)
    page.wait_for_selector("#notice:not([hidden])")


def too_large(page) -> None:
    huge = {"name": "dinner.jpg", "mimeType": "image/jpeg", "buffer": b"\xff\xd8" + bytes(2**21)}
    page.set_input_files("#photo", huge)
    page.wait_for_selector("#notice:not([hidden])")


def busy(page, title="Pepperoni Pizza") -> None:
    error = {"errorMessage": "Too many searches are waiting; try again.", "errorCode": "busy"}
    answer = {"status": 503, "headers": {"Retry-After": "5"}, "json": error}
    page.route(SEARCH, lambda route: route.fulfill(**answer))
    page.get_by_role("button", name=title).click()
    page.wait_for_selector("#notice:not([hidden])")


def offline(page) -> None:
    page.context.set_offline(True)
    page.set_input_files("#photo", str(ROOT / "test_recipes" / "5.jpg"))
    page.wait_for_selector("#notice:not([hidden])")


def in_words(page) -> None:
    page.locator("#words").fill("creamy soup with mushrooms")
    page.locator("#words").press("Enter")
    page.wait_for_selector("#found:not([hidden])")


def photo_and_words(page) -> None:
    results(page, "Pepperoni Pizza")
    page.locator("#words").fill("mushrooms")
    page.click("#go")
    page.wait_for_selector("#found-title >> text=“mushrooms”")


def in_french(page) -> None:
    page.get_by_role("button", name="Salade niçoise").click()
    page.wait_for_selector("#found:not([hidden])")


def recipe_page(page, wanted="") -> None:
    page.goto(f"{page.url}recipes/3{wanted}")
    page.wait_for_load_state("networkidle")


def recipe_for_more(page) -> None:
    recipe_page(page, "?servings=3")


def recipe_in_print(page) -> None:
    recipe_page(page)
    page.emulate_media(media="print")


def no_such_recipe(page) -> None:
    page.goto(f"{page.url}recipes/99999")


def busy_in_french(page) -> None:
    busy(page, "Pizza au pepperoni")


def locked(page) -> None:
    page.route(SEARCH, lambda route: route.fulfill(status=401, json={}))
    page.get_by_role("button", name="Shoyu Ramen").click()
    page.wait_for_selector("dialog[open]")


STATES: dict[str, tuple[Callable, tuple[int, int], str, str]] = {
    "first-visit": (first_visit, DESKTOP, "light", "en"),
    "first-visit-phone": (first_visit, PHONE, "light", "en"),
    "photo-chosen-phone": (photo_chosen, PHONE, "dark", "en"),
    "crop-phone": (one_of_two_dishes, PHONE, "light", "fr"),
    "crop": (one_of_two_dishes, TALL, "dark", "en"),
    "several-photos": (several_photos, TALL, "light", "fr"),
    "step-by-step": (step_by_step, TALL, "light", "en"),
    "step-by-step-phone": (step_by_step_in_french, PHONE, "dark", "fr"),
    "waiting": (waiting, DESKTOP, "light", "en"),
    "results": (results, TALL, "light", "en"),
    "results-phone": (results, PHONE, "light", "en"),
    "results-wide-dark": (results, WIDE, "dark", "en"),
    "recipe-unfolded": (recipe_unfolded, DESKTOP, "light", "en"),
    "more-like-this": (more_like_this, DESKTOP, "dark", "en"),
    "no-match": (no_match, DESKTOP, "light", "en"),
    "wrong-file": (wrong_file, DESKTOP, "light", "en"),
    "too-large-phone": (too_large, PHONE, "light", "en"),
    "busy": (busy, DESKTOP, "dark", "en"),
    "offline-phone": (offline, PHONE, "dark", "en"),
    "locked": (locked, DESKTOP, "light", "en"),
    "words": (in_words, TALL, "light", "en"),
    "photo-and-words-phone": (photo_and_words, PHONE, "dark", "en"),
    "recipe": (recipe_page, DESKTOP, "light", "en"),
    "recipe-dark-phone": (recipe_for_more, PHONE, "dark", "fr"),
    "recipe-in-print": (recipe_in_print, PAPER, "light", "en"),
    "no-such-recipe-phone": (no_such_recipe, PHONE, "light", "fr"),
    "french": (first_visit, DESKTOP, "light", "fr"),
    "french-phone": (first_visit, PHONE, "dark", "fr"),
    "french-results": (in_french, TALL, "dark", "fr"),
    "french-busy-phone": (busy_in_french, PHONE, "light", "fr"),
}


ICONS = {"icon-192": (192, ""), "icon-512": (512, ""), "icon-maskable": (512, "maskable")}
# A launcher may cut away all but the circle in the middle.
MASKABLE = (
    '<rect width="64" height="64" fill="#b8391c"/><g transform="translate(4.8 4.8) scale(.85)">'
)


def icons(browser) -> None:
    """The application's icons, drawn from the logo."""
    folder = ROOT / "api" / "page"
    logo = (folder / "logo.svg").read_text(encoding="utf-8")
    for name, (size, purpose) in ICONS.items():
        svg = logo.replace("<svg", f'<svg width="{size}" height="{size}"', 1)
        if purpose:
            svg = svg.replace("<circle", f"{MASKABLE}<circle", 1).replace("</svg>", "</g></svg>")
        page = browser.new_page(viewport={"width": size, "height": size})
        page.set_content(f"<style>body {{ margin: 0 }} svg {{ display: block }}</style>{svg}")
        save(page.screenshot(omit_background=True), folder / f"{name}.png")
        page.close()


def main() -> None:
    fonts = subprocess.run(["fc-list"], capture_output=True, text=True).stdout
    if not (EXECUTABLE and shutil.which("pngquant") and all(font in fonts for font in FONTS)):
        sys.exit(f"Something is missing: apt-get install {PACKAGES}")
    TARGET.mkdir(exist_ok=True)
    with sample_service() as url, chromium() as browser:
        icons(browser)
        for name, (act, size, scheme, language) in tqdm(STATES.items(), unit="state"):
            context = browser.new_context(
                viewport=dict(zip(("width", "height"), size, strict=True)),
                color_scheme=scheme,
                locale=language,
                reduced_motion="reduce",
                is_mobile=size == PHONE,
                has_touch=size == PHONE,
            )
            page = context.new_page()
            page.goto(url)
            page.wait_for_load_state("networkidle")
            act(page)
            if size != PHONE and act is not recipe_unfolded:
                page.evaluate("scrollTo(0, 0)")  # Playwright scrolls to what it clicks
            page.mouse.move(0, 0)
            page.wait_for_timeout(300)  # for photos to be painted
            save(page.screenshot(), TARGET / f"{name}.png")
            context.close()


@contextmanager
def sample_service() -> Iterator[str]:
    """The service on the sample cookbook, in a home of its own."""
    with tempfile.TemporaryDirectory() as home:
        shutil.copytree(ROOT / "ft", Path(home) / "ft")
        ours = {
            "ITADAKI_DATASET": "sample",
            "ITADAKI_HOME": home,
            "ITADAKI_VARIANT": "ft",
            "ITADAKI_MAX_UPLOAD_MB": "1",
        }
        environment = {**os.environ, **ours}
        subprocess.run([sys.executable, "-m", "itadaki", "setup"], env=environment, check=True)
        with running_service(environment) as service:
            with (ROOT / "test_recipes" / "1.jpg").open("rb") as photo:  # the first one is slower
                service.client.post("/api/v1/search/search", files={"image": photo})
            yield str(service.client.base_url)


def save(screenshot: bytes, path: Path) -> None:
    """Save with a palette, which makes the file a quarter as large."""
    command = ["pngquant", str(COLOURS), "--speed", "1", "-"]
    path.write_bytes(
        subprocess.run(command, input=screenshot, capture_output=True, check=True).stdout
    )


if __name__ == "__main__":
    main()
