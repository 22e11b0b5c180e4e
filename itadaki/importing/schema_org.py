"""schema.org recipes: in saved pages as JSON-LD or microdata, and in JSON files."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from itadaki.importing.found import Found, Photos, Unusable, details

_NOWHERE = "https://page.invalid/"  # recipe-scrapers asks where a page comes from
_MAX_TAGS = 100_000  # a long page has ten thousand
_HEAD = 4096  # bytes of a page in which its encoding is looked for
_NONE = "it holds no schema.org recipe"
_BESIDE = ("full.jpg", "full.png", "full.jpeg", "full.webp")
"""The photo's names beside a recipe.json of Nextcloud Cookbook."""


def read_page(path: Path, origin: str, photos: Photos) -> Iterator[Found | Unusable]:
    """Read the recipe of a page that was saved from a browser, or that Paprika exported."""
    page = path.read_bytes()
    if page.count(b"<") > _MAX_TAGS:
        yield Unusable(origin, f"it holds more than {_MAX_TAGS:,} tags")
        return
    found = _scraped(page.decode(_encoding(page), "replace"), origin, path, photos)
    yield found or Unusable(origin, _NONE)


def read_json(data: Any, path: Path, origin: str, photos: Photos) -> Iterator[Found | Unusable]:
    """Read all recipes in a JSON document, Nextcloud Cookbook's among them."""
    recipes = list(_recipes(data))
    if not recipes:
        yield Unusable(origin, _NONE)
    for number, recipe in enumerate(recipes, 1):
        name = origin if len(recipes) == 1 else f"{origin}, recipe {number}"
        recipe = {**recipe, "@context": "https://schema.org", "@type": "Recipe"}
        script = json.dumps(recipe).replace("</", "<\\/")
        page = f'<html><script type="application/ld+json">{script}</script></html>'
        found = _scraped(page, name, path, photos)
        if found and len(recipes) == 1:
            found.photos[:0] = photos.there(path.with_name(name) for name in _BESIDE)
        yield found or Unusable(name, _NONE)


def _recipes(data: Any) -> Iterator[dict[str, Any]]:
    if isinstance(data, list):
        for item in data:
            yield from _recipes(item)
    elif isinstance(data, dict):
        kinds = data.get("@type", [])
        kinds = kinds if isinstance(kinds, list) else [kinds]
        if "Recipe" in kinds or (not kinds and {"name", "recipeIngredient"} <= data.keys()):
            yield data
        else:
            for value in data.values():
                yield from _recipes(value)


def _scraped(page: str, origin: str, path: Path, photos: Photos) -> Found | None:
    from recipe_scrapers import scrape_html

    try:
        scraper = scrape_html(page, org_url=_NOWHERE, supported_only=False)
        schema = scraper.schema.data
    except (MemoryError, RecursionError):
        raise
    except Exception:  # it raises its own errors, extruct's, and those of what pages hold
        return None
    if not schema:
        return None

    def field(read: Any, without: Any) -> Any:
        try:
            return read() or without
        except Exception:  # a page may put anything in the place of a text
            return without

    references = _references(schema.get("image"))
    for tag in scraper.soup.find_all("meta", property="og:image"):
        references += _references(tag.get("content"))
    places: list[Path | str] = []
    for reference in references:
        places += photos.find(reference, path)
    return Found(
        field(scraper.title, ""),
        field(scraper.ingredients, []),
        field(scraper.instructions, ""),
        origin,
        # What lies here is tried before what lies elsewhere.
        sorted(dict.fromkeys(places), key=lambda place: isinstance(place, str)),
        **details(
            keywords=[
                schema.get("keywords"),
                schema.get("recipeCategory"),
                schema.get("recipeCuisine"),
            ],
            servings=schema.get("recipeYield"),
            prep_minutes=schema.get("prepTime"),
            cook_minutes=schema.get("cookTime"),
            total_minutes=schema.get("totalTime"),
            author=schema.get("author"),
            source=[schema.get("url"), schema.get("mainEntityOfPage"), schema.get("@id")],
        ),
    )


def _references(image: Any) -> list[str]:
    """The addresses in schema.org's image: a text, an ImageObject, or a list of these."""
    if isinstance(image, list):
        return [address for item in image for address in _references(item)]
    if isinstance(image, dict):
        return _references(image.get("url") or image.get("contentUrl") or image.get("@id"))
    return [image] if isinstance(image, str) else []


def _encoding(page: bytes) -> str:
    from bs4.dammit import EncodingDetector

    declared = EncodingDetector.find_declared_encoding(page[:_HEAD], is_html=True)
    try:
        "".encode(declared or "utf-8")
    except LookupError:
        return "utf-8"
    return declared or "utf-8"
