"""Saved web pages: their recipes as JSON-LD, as microdata, or as their site's own scraper reads."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from itadaki.errors import reason
from itadaki.importing import program_pages
from itadaki.importing.found import Found, Photos, Place, Unusable
from itadaki.importing.json_ld import read_values
from itadaki.importing.page_pictures import Pictures
from itadaki.importing.schema_org import Described, described, found, once
from itadaki.importing.schema_text import letters, one_line, without_labels
from itadaki.importing.text import decode

if TYPE_CHECKING:
    from recipe_scrapers import AbstractScraper

_MAX_TAGS = 100_000  # a long page has ten thousand
_HEAD = 4096  # characters of a page in which its encoding and origin are looked for
_MAX_ADDRESS = 2000
_NONE = "it holds no schema.org recipe"
_SAVED_FROM = re.compile(
    r"saved from url=\(\d{1,9}\)\s?(https?://\S+)"
    r"|(?m:^[^\S\n]*url:\s?(https?://\S+))"
    r"|Mirrored from ([\w.-]+/\S*) by HTTrack"
)
"""What browsers, SingleFile and HTTrack write into a page."""
_INSIDE = re.compile(r"data:image/[^\s\"')>]{1000,}")
"""Pictures inside a page, in which no scraper finds anything but work."""
_META_PICTURES = ("og:image", "og:image:secure_url", "og:image:url", "twitter:image")


def read_page(path: Path, origin: str, photos: Photos) -> Iterator[Found | Unusable]:
    """Read the recipes of a page that was saved from a browser, or that Paprika exported."""
    content = path.read_bytes()
    if content.count(b"<") > _MAX_TAGS:
        yield Unusable(origin, f"it holds more than {_MAX_TAGS:,} tags")
        return
    page = _Page(decode(content, _declared(content)))
    told = list(program_pages.read(page.tree, path, origin, photos, program_pages.PROGRAMS))
    recipes = [] if told else page.recipes()
    if not (told or recipes):
        told += program_pages.read(page.tree, path, origin, photos, program_pages.MICROFORMATS)
    yield from told
    if not (told or recipes) or page.problem:
        yield Unusable(origin, page.problem or _NONE)
    pictures = Pictures(page.tree, path, photos)
    for number, recipe in enumerate(recipes, 1):
        alone = len(recipes) == 1
        places: list[Place] = pictures.of(
            recipe.name, recipe.images + (page.pictures() if alone else []), alone
        )
        yield found(recipe, origin if alone else f"{origin}, recipe {number}", places)


class _Page:
    """A page.

    Attributes:
        tree: its elements, of lxml.
        problem: why a recipe in it cannot be read, as a clause; empty if there is none such.
    """

    def __init__(self, text: str) -> None:
        import lxml.html

        self._text = text
        self.problem = ""
        parser = lxml.html.HTMLParser(encoding="utf-8", huge_tree=True)
        content = text.encode("utf-8", "replace") or b"<html></html>"
        self.tree = lxml.html.document_fromstring(content, parser=parser, ensure_head_body=True)
        self._json = list(self._json_ld())
        self._scraper: AbstractScraper | None = None
        self._address = ""

    def recipes(self) -> list[Described]:
        """Each recipe of the page once, from whichever source has it whole."""
        recipes = once(described(self._json), described(self._microdata()))
        self._scraper = self._ask_for_scraper(recipes)
        if self._scraper:
            site = _Site(self._scraper)
            if not recipes and (site.ingredients or site.steps):
                recipes = [Described("", [], [], [], {})]
                self.problem = ""  # the site shows what could not be read
            if len(recipes) == 1:
                site.complete(recipes[0])
        if len(recipes) == 1:
            recipes[0].name = recipes[0].name or self._title()
            if self._address and not recipes[0].properties.get("url"):
                recipes[0].properties["url"] = self._address
        return recipes

    def pictures(self) -> list[str]:
        """The pictures that stand for the whole page."""
        told = [self._meta(name) for name in _META_PICTURES]
        told += [link.get("href", "") for link in self.tree.iterfind(".//link[@rel='image_src']")]
        if self._scraper:
            told.insert(0, str(_asked(self._scraper.image) or ""))
        return list(dict.fromkeys(filter(None, map(str.strip, told))))

    def _json_ld(self) -> Iterator[Any]:
        for script in self.tree.iter("script"):
            if "ld+json" in script.get("type", "").lower():
                text = script.text_content()
                try:
                    yield from read_values(text)
                except RecursionError:
                    raise
                except ValueError as error:
                    if "recipeingredient" in text.lower():
                        self.problem = f"it has a recipe in what is no JSON: {reason(error)}"

    def _microdata(self) -> Any:
        if "itemscope" not in self._text.lower():
            return []
        from extruct.w3cmicrodata import MicrodataExtractor

        try:
            return MicrodataExtractor().extract_items(self.tree, base_url="")
        except (MemoryError, RecursionError):
            raise
        except Exception:  # it raises what lxml and html_text raise
            return []

    def _addresses(self, recipes: list[Described]) -> Iterator[str]:
        """Where the page may come from, the surest first."""
        for saved in _SAVED_FROM.findall(self._text[:_HEAD]):
            yield from (f"https://{one}" if ":" not in one[:6] else one for one in saved if one)
        for base in self.tree.iter("base"):
            yield base.get("href", "")
        yield self._meta("savepage-url")
        for link in self.tree.iter("link"):
            if "canonical" in link.get("rel", "").lower().split():
                yield link.get("href", "")
        yield from (self._meta(name) for name in ("og:url", "twitter:url"))
        for recipe in recipes:
            for name in ("url", "mainentityofpage", "@id"):
                yield from _texts(recipe.properties.get(name))
        for node in self._json:
            for one in _nodes(node):
                yield from (one[name] for name in ("url", "@id") if isinstance(one.get(name), str))

    def _ask_for_scraper(self, recipes: list[Described]) -> "AbstractScraper | None":
        """What recipe-scrapers has for the page's site, if it knows that; it fetches nothing."""
        from recipe_scrapers import scrape_html, scraper_exists_for

        given = dict.fromkeys(map(str.strip, self._addresses(recipes)))
        for address in given:
            if not re.match("https?://", address) or len(address) > _MAX_ADDRESS:
                continue
            self._address = self._address or address
            if _asked(scraper_exists_for, address):
                scraper: AbstractScraper | None = _asked(
                    scrape_html, _INSIDE.sub("", self._text), address
                )
                if scraper and not scraper.schema.data and recipes:
                    scraper.schema.data = _plain(recipes[0])
                return scraper
        return None

    def _meta(self, name: str) -> str:
        for meta in self.tree.iter("meta"):
            if name in (meta.get("property", "").lower(), meta.get("name", "").lower()):
                content: str = meta.get("content", "").strip()
                if content:
                    return content
        return ""

    def _title(self) -> str:
        headings = [one_line(h1.text_content()) for h1 in self.tree.iter("h1")]
        only = headings[0] if len(headings) == 1 else ""
        title = self.tree.findtext(".//title") or ""
        return only or one_line(self._meta("og:title")) or one_line(title)


class _Site:
    """What a site's own scraper reads of a page, which knows where the site keeps its texts."""

    def __init__(self, scraper: "AbstractScraper") -> None:
        from recipe_scrapers._schemaorg import SchemaOrg

        self._title = " ".join(str(_asked(scraper.title) or "").split())
        self.ingredients = _clean(_asked(scraper.ingredients))
        self.steps = without_labels(_clean(_asked(scraper.instructions_list)))
        plain = SchemaOrg.__new__(SchemaOrg)  # without what a site's own may read otherwise
        plain.data = scraper.schema.data
        self._plain_title = str(_asked(plain.title) or "")
        self._plain_ingredients = _clean(_asked(plain.ingredients))
        steps = str(_asked(plain.instructions) or "").split("\n")
        self._plain_steps = without_labels(_clean(steps))

    def complete(self, recipe: Described) -> None:
        """Take what the scraper finds elsewhere than in schema.org's properties, which are read
        better here."""
        (recipe.name,) = _better([recipe.name], [self._title], [self._plain_title])
        recipe.ingredients = _better(recipe.ingredients, self.ingredients, self._plain_ingredients)
        recipe.steps = _better(recipe.steps, self.steps, self._plain_steps)


def _better(ours: list[str], site: list[str], plain: list[str]) -> list[str]:
    """The lines that were read here or those of the site's scraper.

    Args:
        ours: those that were read here of the schema.org properties.
        site: the scraper's.
        plain: what recipe-scrapers reads of the same properties.
    """
    if not any(ours) or not any(site):
        return ours if any(ours) else site
    if letters(site) == letters(plain):
        return ours
    return ours if letters(site) == letters(ours) and len(ours) > len(site) else site


def _clean(lines: Any) -> list[str]:
    texts = [line for line in lines or [] if isinstance(line, str)]
    return [line for line in (" ".join(text.split()) for text in texts) if line]


def _asked(ask: Callable[..., Any], *arguments: Any) -> Any:
    """What a scraper answers; None if it fails, which it does in any way that its code can."""
    try:
        return ask(*arguments)
    except (MemoryError, RecursionError):
        raise
    except Exception:
        return None


def _plain(recipe: Described) -> dict[str, Any]:
    return {
        "@context": "https://schema.org",
        "@type": "Recipe",
        "name": recipe.name,
        "recipeIngredient": recipe.ingredients,
        "recipeInstructions": recipe.steps,
        "image": recipe.images,
    }


def _texts(value: Any) -> Iterator[str]:
    for one in value if isinstance(value, list) else [value]:
        one = (one.get("@id") or one.get("url")) if isinstance(one, dict) else one
        if isinstance(one, str):
            yield one


def _nodes(value: Any) -> Iterator[dict[str, Any]]:
    """The objects at the top of a document and of its graph."""
    for one in value if isinstance(value, list) else [value]:
        if isinstance(one, dict):
            yield one
            yield from _nodes(one.get("@graph"))


def _declared(page: bytes) -> str | None:
    from bs4.dammit import EncodingDetector

    return EncodingDetector.find_declared_encoding(page[:_HEAD], is_html=True)
