"""Saved pages, and the cases of ``tests/cases``: each folder is a source, of one kind."""

import base64
import json
import socket
from pathlib import Path

import pytest
from conftest import dish_photo, encode
from sources import recipes_and_reasons, write

from itadaki.importing import budget, reader

CASES = Path(__file__).parent / "cases"
PHOTO, OTHER = encode(dish_photo(1)), encode(dish_photo(2))
PEAS = ["300 g peas", "1 onion"]
STEPS = ["Simmer.", "Blend."]


@pytest.fixture
def read_beside(tmp_path):
    """Reads a source as an import does, in a process beside."""
    return lambda source: recipes_and_reasons(source, tmp_path / "workspace")


@pytest.fixture
def read(read_beside, in_process):
    """The same in this process."""
    return read_beside


def soup(photo="pea.jpg", ingredients=PEAS, steps=STEPS):
    return photo, ingredients, steps


PEA, BEAN, BEET, LEEK = "Pea soup", "Bean soup", "Beet soup", "Leek soup"
RIGHT = {
    "01": {PEA: soup()},
    "02": {PEA: soup()},
    "04": {PEA: soup(steps=["Cook", *STEPS])},
    "06": {PEA: soup()},
    "07": {PEA: soup()},
    "08": {
        PEA: soup(ingredients=[*PEAS, "salt"]),
        BEAN: soup(ingredients=["300 g beans", "1 onion", "salt"]),
        BEET: soup(ingredients=["300 g beets", "1 onion", "salt"]),
    },
    "09": {PEA: soup(), BEAN: soup(steps=["Simmer", "Blend"]), BEET: soup()},
    "10": {PEA: soup()},
    "11": {PEA: soup("pea_files/pea.jpg")},
    "12": {PEA: soup()},
    "13": {PEA: soup(), BEAN: soup(), BEET: soup(), LEEK: soup()},
    "14": {PEA: soup()},
    "15": {PEA: soup(), BEAN: soup("bean.jpg", ["300 g beans"])},
    "22": {"Soup with beans": soup("Soup with beans_files/hero.jpg")},
    "24": {BEAN: soup("bean-soup/photo.jpg", ["beans"], ["Simmer."])},
    "26": {PEA: soup("Pea soup_files/pea-1024x683.jpg")},
    "27": {PEA: soup(None), BEAN: soup(None, ["beans"], [])},
    "28": {PEA: soup("Pea soup_files/abc123.jpeg")},
    "29": {PEA: soup()},
    "33": {PEA: soup()},
    "34": {PEA: soup(), BEAN: soup()},
    "35": {
        PEA: soup(ingredients=["1 onion (< 100 g)", "2 carrots (> 50 g)", "potatoes <3 cm"]),
    },
    "36": {
        'Pea & Ham "soup"': soup(
            ingredients=["1½ cups peas", "½ onion", "1⁄4 tsp salt", "2 tbsp oil – olive"]
        )
    },
    "37": {LEEK: soup()},
    "38": {PEA: soup(), BEAN: soup(), BEET: soup()},
    "39": {PEA: soup(), BEAN: soup()},
    "60": {PEA: soup(None, PEAS, ["Simmer."])},
    "71": {
        title: soup(ingredients=[], steps=[])
        for title in ("../../etc/passwd", "🍲🍲", "<b>Bold</b> soup", "=HYPERLINK(1)")
    },
    "72": {},
    "73": {},
}
LISTED = {
    "22": {"Soup.html": "its picture hero.jpg was not saved with it"},
    "24": {"pea-soup/index.md": "its picture photo.jpg is not there"},
    "37": dict.fromkeys(["a.html", "b.html", "c.html"], "it has no photo"),
    "71": {"t.csv, line 2": "at most 300 characters"},
    "72": dict.fromkeys(
        [
            *("soup.crumb", "soup.docx", "soup.enex", "soup.mhtml", "soup.pdf", "soup.rtk"),
            *("soup.txt", "soup.webarchive", "soup.xlsx", "soup.yaml"),
        ],
        "not a kind of file",
    )
    | {
        **dict.fromkeys(["soup.melarecipe", "soup.cook"], "it has no photo"),
        "soup.mmf": "it has no title",
    },
    "73": {
        **dict.fromkeys(["b.bmp", "t.tiff", "x.jxl"], "not a kind of file"),
        "t.csv, line 2": "truncated or damaged",
        "t.csv, line 3": "truncated or damaged",
        "t.csv, line 4": "not a photo in a supported format",
        "t.csv, line 5": "not a photo in a supported format",
        "t.csv, line 6": "The photo has 30 million pixels",
        "t.csv, line 7": "truncated or damaged",
        "t.csv, line 8": "hardly any pixels",
        "t.csv, line 9": "not a photo in a supported format",
    },
}


@pytest.mark.parametrize("number", RIGHT)
def test_a_case_is_read_as_is_right(read, number):
    (source,) = CASES.glob(f"{number}-*")
    recipes, unusable = read(source)
    told = {
        title: (recipe.ingredients, recipe.instructions.splitlines())
        for title, recipe in recipes.items()
    }
    right = RIGHT[number]
    assert told == {title: texts for title, (_, *texts) in right.items()} or told == {
        title: tuple(texts) for title, (_, *texts) in right.items()
    }
    for title, (photo, *_) in right.items():
        if photo:
            assert recipes[title].photo == (source / photo).resolve()
    listed = LISTED.get(number, {})
    assert unusable.keys() == listed.keys()
    for origin, reason in listed.items():
        assert reason in unusable[origin]


def test_a_picture_inside_a_file_is_that_which_the_file_names(read):
    recipes, _ = read(next(CASES.glob("27-*")))
    red = (CASES / "26-wordpress-size-suffix/Pea soup_files/pea-1024x683.jpg").read_bytes()
    assert len(recipes[PEA].photo.read_bytes()) > 10_000
    assert recipes[PEA].photo != recipes[BEAN].photo
    recipes, _ = read(next(CASES.glob("60-*")))
    assert recipes[PEA].photo.read_bytes() == red


def recipe(**fields):
    return {
        "@context": "https://schema.org",
        "@type": "Recipe",
        "name": PEA,
        "image": "https://kitchen.example/up/pea.jpg",
        "recipeIngredient": PEAS,
        "recipeInstructions": STEPS,
        **fields,
    }


def html(*data, head="", body=""):
    scripts = "".join(
        f'<script type="application/ld+json">{json.dumps(one)}</script>' for one in data
    )
    return f"<!doctype html><html><head>{head}{scripts}</head><body>{body}</body></html>"


ADDRESS = "https://www.jamieoliver.com/recipes/soup/pea/"


def test_what_a_page_says_of_its_recipe_is_kept(read, tmp_path):
    said = recipe(
        author={"@id": "#ann"}, recipeYield="4 bowls", cookTime="PT1H5M", keywords="soup, peas"
    )
    page = html(
        {"@graph": [{"@type": "Person", "@id": "#ann", "name": "Ann"}, said]},
        head='<link rel="canonical" href="https://kitchen.example/pea/">',
    )
    recipes, _ = read(write(tmp_path / "in", {"x.html": page, "x_files/pea.jpg": PHOTO}))
    found = recipes[PEA]
    assert (found.author, found.servings, found.cook_minutes) == ("Ann", "4 bowls", 65)
    assert (found.keywords, found.source) == (["soup", "peas"], "https://kitchen.example/pea/")


# Of this site the scraper reads headings and lists, and no schema.org.
JAMIE = (
    '<div class="ingredients-rich-text"><p class="type-body">300 g peas</p>'
    '<p class="type-body">1 onion</p></div><h2>Method</h2><ol><li>Simmer.</li><li>Blend.</li></ol>'
)


ORIGINS = [
    f'<link rel="canonical" href="{ADDRESS}">',
    f'<LINK REL="Canonical shortlink" HREF=" {ADDRESS} ">',
    f'<meta property="og:url" content="{ADDRESS}">',
    f'<meta name="twitter:url" content="{ADDRESS}">',
    f'<base href="{ADDRESS}">',
    f"<!-- saved from url=(0042){ADDRESS} -->",
    f"<!--\n Page saved with SingleFile \n url: {ADDRESS} \n saved date: Thu -->",
    f"<!-- Mirrored from {ADDRESS[8:]} by HTTrack Website Copier/3.x -->",
    f'<meta name="savepage-url" content="{ADDRESS}">',
    f'<script type="application/ld+json">{{"@type": "WebPage", "@id": "{ADDRESS}"}}</script>',
    f'<link rel="canonical" href="/recipes"><meta property="og:url" content="{ADDRESS}">',
]


def test_a_page_is_read_as_its_site_s_own_scraper_reads_it(read, tmp_path):
    files = {}
    for number, origin in enumerate(ORIGINS):
        title = f'{origin}<meta property="og:title" content="Soup {number}">'
        image = f'<meta property="og:image" content="https://x.example/{number}.jpg">'
        files[f"{number}.html"] = html(head=title + image, body=JAMIE)
        files[f"{number}_files/{number}.jpg"] = PHOTO
    recipes, unusable = read(write(tmp_path / "in", files))
    assert not unusable and len(recipes) == len(ORIGINS)
    for one in recipes.values():
        assert one.ingredients == PEAS and one.instructions == "Simmer.\nBlend."


def test_the_scraper_s_reading_wins_where_it_is_the_site_s_own(read, tmp_path):
    head = f'<link rel="canonical" href="{ADDRESS}">'
    # What schema.org says here in one line and other words, the site shows as a list.
    said = recipe(recipeInstructions="Simmer, then blend.", recipeIngredient=["peas, onion"])
    files = {"pea.html": html(said, head=head, body=JAMIE), "pea_files/pea.jpg": PHOTO}
    files["bean.jpg"] = OTHER
    files["none.html"] = html(recipe(name=BEAN, image="bean.jpg"), head=head)
    recipes, unusable = read(write(tmp_path / "in", files))
    assert recipes[PEA].ingredients == PEAS and recipes[PEA].instructions == "Simmer.\nBlend."
    # Where the site's has changed, the properties are still there.
    assert recipes[BEAN].ingredients == PEAS and recipes[BEAN].instructions == "Simmer.\nBlend."
    assert not unusable


def test_what_reads_a_page_fetches_nothing(tmp_path):
    with reader.Reader(tmp_path, budget.Budget()) as one:
        for function, address in ((socket.create_connection, ("127.0.0.1", 9)), (socket.socket, 2)):
            said = list(one._ask(_tried, 0, function, address))
            assert said == [
                "PermissionError: What reads a file neither fetches nor starts anything."
            ]


def _tried(function, argument, _budget):
    try:
        function(argument)
    except OSError as error:
        yield f"{type(error).__name__}: {error}"


URL = "https://kitchen.example/2024/05/pea.jpg"
DATA = "data:image/jpeg;base64," + base64.b64encode(PHOTO).decode()
DATA_2 = "data:image/jpeg;base64," + base64.b64encode(OTHER).decode()
PIXEL = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"
PEA_SOUP = html(recipe(image=URL))


def shown(*images):
    return html(recipe(image=URL), body="".join(f"<img {image}>" for image in images))


FOUND = {
    "in a folder of a page that was renamed": {
        "Old.html": shown('src="./Pea_files/pea.jpg"', 'src="./Pea_files/x.jpg"'),
        "Pea_files/pea.jpg": PHOTO,
        "Pea_files/x.jpg": OTHER,
    },
    "a German browser's folder": {"Pea.html": PEA_SOUP, "Pea-Dateien/pea.jpg": PHOTO},
    "the same size, of which the page has several": {
        "Pea.html": PEA_SOUP,
        "Pea_files/pea-300x200.jpg": OTHER,
        "Pea_files/pea-1024x683.jpg": PHOTO,
    },
    "in another format": {"Pea.html": PEA_SOUP, "Pea_files/pea.jpg.webp": PHOTO},
    "under another name, lazily": {
        "Pea.html": shown(
            'src="./Pea_files/1.jpg" data-src="https://kitchen.example/2024/05/bean.jpg"',
            f'src="./Pea_files/2.jpg" data-lazy-src="{URL}?w=3"',
        ),
        "Pea_files/1.jpg": OTHER,
        "Pea_files/2.jpg": PHOTO,
    },
    "under another name, by srcset": {
        "Pea.html": shown(
            'src="Pea_files/1.jpg" srcset="https://kitchen.example/2024/05/a-pea.jpg 2x"',
            f'src="Pea_files/2.jpg" srcset="{URL[:-4]}-300x200.jpg 300w, {URL} 900w"',
        ),
        "Pea_files/1.jpg": OTHER,
        "Pea_files/2.jpg": PHOTO,
    },
    "under another name, behind a server for sizes": {
        "Pea.html": shown(
            'src="Pea_files/image.jpg" srcset="/_next/image?url='
            'https%3A%2F%2Fkitchen.example%2F2024%2F05%2Fpea.jpg&w=640 1x"'
        ),
        "Pea_files/image.jpg": PHOTO,
    },
    "of two of one name that which the page says": {
        "Pea.html": shown(
            'src="Pea_files/pea.jpg" data-src="https://kitchen.example/1/pea.jpg"',
            f'src="Pea_files/pea(1).jpg" data-src="{URL}"',
        ),
        "Pea_files/pea.jpg": OTHER,
        "Pea_files/pea(1).jpg": PHOTO,
    },
    "as the page calls it": {
        "Pea.html": shown('alt="Bean soup" src="P_files/1.jpg"', 'alt="pea soup!" src="P_files/2"'),
        "P_files/1.jpg": OTHER,
        "P_files/2": PHOTO,
    },
    "inside, as the page calls it": {
        "Pea.html": shown(f'src="{DATA_2}" alt="Bean soup"', f'src="{DATA}" alt="Pea soup"')
    },
    "inside, behind what holds its place": {
        "Pea.html": shown(
            f'src="{PIXEL}" data-x="{DATA_2}"',
            f'src="{DATA}" class="featured-image"',
            f'src="{DATA_2}"',
        )
    },
    "inside, beside what is not the page's": {
        "Pea.html": shown(f'src="{DATA}"')[:-14]
        + f'<aside><img src="{DATA_2}"></aside><div class="related"><img src="{DATA_2}"></div>'
    },
    "in a style of SingleFile": {
        "Pea.html": html(
            recipe(image=URL),
            head=f"<style>:root{{--sf-img-1:url({DATA_2});--sf-img-3: url('{DATA}')}}</style>",
            body='<img src="data:image/svg+xml,<svg></svg>" alt="Pea soup" '
            'style="background-image:var(--sf-img-3)!important">',
        )
    },
    "named in the graph by what is in another block": {
        "Pea.html": html(
            {"@type": "ImageObject", "@id": "#i", "url": URL}, recipe(image=[{"@id": "#i"}])
        ),
        "Pea_files/pea.jpg": PHOTO,
    },
    "which only the page names": {
        "Pea.html": html(recipe(image=None), head=f'<meta property="og:image" content="{URL}">'),
        "Pea_files/pea.jpg": PHOTO,
    },
    "beside, flat": {"Pea.html": PEA_SOUP, "pea.jpg": PHOTO},
    "beside the text, in a folder for pictures": {
        "recipes/pea.md": "# Pea soup\n![](pea.jpg)",
        "pictures/pea.jpg": PHOTO,
        "recipes/bean/pea.jpg": OTHER,
        "recipes/bean/index.md": "",
    },
}


@pytest.mark.parametrize("files", FOUND.values(), ids=FOUND)
def test_the_right_photo_is_found(read, tmp_path, files):
    recipes, _ = read(write(tmp_path / "in", files))
    assert recipes[PEA].photo.read_bytes() == PHOTO


NOT_THERE = {
    "in the folder of a page whose name begins so": (
        {"Pea.html": PEA_SOUP, "Pea-beans_files/pea.jpg": OTHER, "Pea_2_files/pea.jpg": OTHER},
        "its picture pea.jpg was not saved with it",
    ),
    "another of that name": (
        {"Pea.html": PEA_SOUP, "Pea_files/pea.jpg": PHOTO, "Pea_files/pea(1).jpg": OTHER},
        "its picture pea.jpg was not saved with it",
    ),
    "a longer name": (
        {"Pea.html": PEA_SOUP, "Pea_files/pea-soup.jpg": OTHER, "Pea_files/a-pea.jpg": OTHER},
        "its picture pea.jpg was not saved with it",
    ),
    "beside, where two pages may mean it": (
        {
            "Pea.html": PEA_SOUP,
            "Bean.html": html(recipe(name=BEAN, image="https://kitchen.example/1/pea.jpg")),
            "pea.jpg": OTHER,
        },
        "may be another recipe's",
    ),
    "beside, where another names it": (
        {
            "Pea.html": PEA_SOUP,
            "Bean.json": json.dumps(recipe(name=BEAN, image="pea.jpg")),
            "pea.jpg": OTHER,
        },
        "may be another recipe's",
    ),
    "several inside that nothing tells apart": (
        {"Pea.html": shown(f'src="{DATA}"', f'src="{DATA_2}"')},
        "its picture pea.jpg was not saved with it",
    ),
    "inside, on a page of several recipes": (
        {
            "Pea.html": html(
                recipe(image=URL),
                recipe(name=BEAN, image=""),
                body=f'<img class="hero" src="{DATA}">',
            )
        },
        "its picture pea.jpg was not saved with it",
    ),
    "the page's, on a page of several recipes": (
        {
            "Pea.html": html(
                recipe(image=URL),
                recipe(name=BEAN, image=""),
                head='<meta property="og:image" content="https://kitchen.example/bean.jpg">',
            ),
            "Pea_files/bean.jpg": OTHER,
        },
        "its picture pea.jpg was not saved with it",
    ),
    "a mark": ({"Pea.html": shown(f'src="{DATA}" class="logo"')}, "was not saved with it"),
    "one pixel": ({"Pea.html": html(recipe(image=PIXEL))}, "hardly any pixels"),
    "in another recipe's folder": (
        {
            "pea/recipe.json": json.dumps(recipe(image="full-size.jpg")),
            "bean/recipe.json": json.dumps(recipe(name=BEAN, image="")),
            "bean/images/full-size.jpg": OTHER,
        },
        "its picture full-size.jpg is not there",
    ),
}


@pytest.mark.parametrize(("files", "reason"), NOT_THERE.values(), ids=NOT_THERE)
def test_another_s_photo_is_taken_by_none(read, tmp_path, files, reason):
    recipes, unusable = read(write(tmp_path / "in", files))
    assert PEA not in recipes
    assert any(reason in one for origin, one in unusable.items() if "ea" in origin)


def test_pictures_inside_many_pages_are_no_more_than_the_pages(read, tmp_path, monkeypatch):
    monkeypatch.setattr(budget, "ALWAYS_ALLOWED", 0)
    files = {f"{n}.html": html(recipe(name=f"Soup {n}", image=DATA)) for n in range(9)}
    recipes, unusable = read(write(tmp_path / "in", files))
    assert len(recipes) == 9 and not unusable


def laughs(depth):
    """A graph of a few objects of which each names the next one ten times."""
    steps = [{"@id": f"#{n}", "itemListElement": [{"@id": f"#{n + 1}"}] * 10} for n in range(depth)]
    return {"@graph": [*steps, recipe(recipeInstructions={"@id": "#0"}, image={"@id": "#0"})]}


def sections(depth):
    """Sections in each other."""
    inner = {"text": "Cook."}
    for _ in range(depth):
        inner = {"@type": "HowToSection", "name": "Cook", "itemListElement": [inner]}
    return inner


HOSTILE = {
    "objects that name each other": html(laughs(12), {"@id": "#12", "@graph": [{"@id": "#0"}]}),
    "objects that name themselves": html(
        recipe(recipeInstructions={"@id": "#1"}), {"@id": "#1", "item": {"@id": "#1"}}
    ),
    "entities of entities": html(recipe(name="&" + "amp;" * 200_000)),
    "tags without an end": html(recipe(recipeInstructions="<a" * 30_000 + "<br" * 30_000)),
    "lists in lists": html(recipe(recipeIngredient=json.loads("[" * 900 + "]" * 900))),
    "JSON in JSON": html(recipe(recipeInstructions=json.dumps("[" * 5_000 + "]" * 5_000))),
    "a script of brackets": f'<script type="application/ld+json">{"[" * 500_000}</script>',
    "a script of comments": f'<script type="application/ld+json">{"/*" * 500_000}</script>',
    "many recipes of one name": html([recipe(recipeIngredient=[str(n)]) for n in range(3_000)]),
    "sections in sections": html(recipe(recipeInstructions=sections(300))),
    "one word": html(recipe(name="a" * 3_000_000, recipeIngredient=["b" * 3_000_000])),
    "a picture of 20 MB that is none": html(
        recipe(image="data:image/png;base64," + "A" * 20_000_000)
    ),
    "thousands of recipes": html([recipe(name=f"Soup {n}") for n in range(5_000)]),
    "elements in elements": html(recipe(), body="<div>" * 90_000),
    "items in items": html(body='<b itemscope itemprop="x" itemtype="a">' * 3_000),
    "pictures by one style": html(
        recipe(image=URL),
        head=f'<style>:root{{--sf-img-1:url("data:image/png;base64,{"A" * 3_000_000}")}}</style>',
        body='<img style="background:var(--sf-img-1)" alt="Pea soup" data-src="'
        + URL
        + '">' * 4_000,
    ),
    "an address of a site with all its letters": html(
        recipe(), head=f'<link rel="canonical" href="https://{"a:" * 900_000}">'
    ),
}


@pytest.mark.parametrize("page", HOSTILE.values(), ids=HOSTILE)
def test_a_page_that_is_made_to_cost_much_costs_little(read_beside, tmp_path, monkeypatch, page):
    monkeypatch.setattr(reader, "SECONDS", 5)
    monkeypatch.setattr(reader, "SECONDS_PER_MB", 1)
    files = {"a.html": page, "b.html": html(recipe(name=BEAN)), "b_files/pea.jpg": PHOTO}
    recipes, unusable = read_beside(write(tmp_path / "in", files))
    assert BEAN in recipes
    assert PEA in recipes or any(origin.startswith("a.html") for origin in unusable)
