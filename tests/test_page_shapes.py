"""Generated pages: shapes that schema.org and its abuse allow, times what is odd about pages."""

import base64
import html
import json
import tempfile
from pathlib import Path

import hypothesis.strategies as st
from conftest import dish_photo, encode
from hypothesis import HealthCheck, given, settings

from itadaki.importing.budget import Budget
from itadaki.importing.found import Guess, Photos
from itadaki.importing.page import read_page

PHOTO = encode(dish_photo(1))
AMOUNTS = ["300 g", "1½ cups", "2–3 tbsp", "½ tsp", "1.5 kg", "(2 x 400 g) tins", "a pinch of"]
FOODS = ["peas", "crème fraîche", 'so-called "ham"', "salt & pepper", "potatoes <3 cm", "麦 flour"]
VERBS = ["Simmer", "Blend", "Fold in", "Préchauffez", "Rühren", "Додайте", "炒める"]
ENDS = [
    "the peas.",
    "for 10 min.",
    "at 180 °C/350 °F",
    "(see note) & serve!",
    "until > 50 °C.",
    "it",
]
TITLES = [
    "Pea soup",
    "Crème brûlée",
    'The "best" soup',
    "Mac & cheese",
    "Borschtsch (борщ)",
    "味噌汁",
]


def lines(first, second):
    one = st.tuples(st.sampled_from(first), st.sampled_from(second)).map(" ".join)
    return st.lists(one, min_size=2, max_size=5, unique=True)


INGREDIENTS = lines(AMOUNTS, FOODS)
STEPS = lines(VERBS, ENDS)


def escaped(texts):
    return [html.escape(text) for text in texts]


@st.composite
def kinds(draw, kind):
    """The type of an object, as pages have it: right, in another case, as an address, or none."""
    return draw(
        st.sampled_from(
            [
                {"@type": kind},
                {"@type": kind.lower()},
                {"@type": kind.replace("To", "to")},
                {"@type": f"http://schema.org/{kind}"},
                {"@type": [kind]},
                {"type": kind},
                {},
            ]
        )
    )


@st.composite
def step_object(draw, number, text):
    kind = draw(kinds("HowToStep"))
    words = text.split()
    return kind | draw(
        st.sampled_from(
            [
                {"text": text},
                {"name": text},
                {"name": text, "text": text},
                {"name": number, "text": text},
                {"name": f"Step {number}", "text": text},
                {"name": f"Schritt {number}:", "text": text},
                {"name": f"{words[0]}...", "text": text},
                {"name": "", "text": text},
                {"name": None, "text": f"<p>{html.escape(text)}</p>"},
                {"text": text, "position": number, "url": "https://kitchen.example/#step"},
                {"text": {"@value": text, "@language": "en"}},
                {"description": text},
                {"itemListElement": {"@type": "HowToDirection", "text": text}},
                {"itemListElement": [{"@type": "HowToDirection", "text": text}]},
                {"@type": "ListItem", "position": number, "item": {"text": text}},
                {"@type": "ListItem", "item": {"@type": "HowToStep", "name": text}},
            ]
        )
    )


@st.composite
def step_shapes(draw, steps, graph):
    """A value of recipeInstructions, and the lines that are right for it."""
    objects = [draw(step_object(number, text)) for number, text in enumerate(steps, 1)]
    plain = draw(
        st.sampled_from(
            [
                steps,
                escaped(steps),
                objects,
                [*objects[:1], *steps[1:]],
                [steps],
                [objects],
                [None, *steps, "", " "],
                "\n".join(steps),
                "\r\n\r\n".join(steps),
                "\\n".join(steps),
                ["\n".join(steps)],
                "<br>".join(escaped(steps)),
                "<br />\n".join(escaped(steps)),
                "".join(f"<p>{one}</p>" for one in escaped(steps)),
                "<ol>" + "\n".join(f"<li>{one}</li>" for one in escaped(steps)) + "</ol>",
                html.escape("".join(f"<li>{one}</li>" for one in escaped(steps))),
                {"@type": "HowToStep", "text": "<br/>".join(escaped(steps))},
                {"@type": "ItemList", "itemListElement": objects},
                {"@type": "ItemList", "itemListElement": steps, "numberOfItems": len(steps)},
                {"@type": "HowToSection", "name": "All of it", "itemListElement": objects},
                [{"@type": "HowToSection", "name": "All", "itemListElement": objects}],
                [{"@type": "HowToSection", "itemListElement": objects}],
                {str(number): one for number, one in enumerate(objects, 3)},
                {"@list": objects},
                json.dumps(objects),
                [part for number, one in enumerate(steps, 1) for part in (f"Step {number}", one)],
            ]
        )
    )
    how = draw(st.integers(0, 4))
    if how == 0:
        half = len(steps) // 2
        return (
            [
                {**draw(kinds("HowToSection")), "name": "Soup", "itemListElement": objects[:half]},
                {"@type": "HowToSection", "name": "Top", "itemListElement": objects[half:]},
            ],
            ["Soup", *steps[:half], "Top", *steps[half:]],
        )
    if how == 1:
        named = [{**one, "@id": f"#step-{len(graph) + n}"} for n, one in enumerate(objects)]
        graph += named
        return [{"@id": one["@id"]} for one in named], steps
    return plain, steps


@st.composite
def ingredient_shapes(draw, ingredients):
    return draw(
        st.sampled_from(
            [
                ingredients,
                escaped(ingredients),
                [ingredients],
                [None, *ingredients, ""],
                [f" {one}\n" for one in ingredients],
                [f"<li>{html.escape(one)}</li>" for one in ingredients],
                [{"@type": "HowToSupply", "name": one} for one in ingredients],
                [{"@value": one} for one in ingredients],
                [{"text": one, "name": one.split()[-1]} for one in ingredients],
                {"@type": "ItemList", "itemListElement": ingredients},
                {str(number): one for number, one in enumerate(ingredients, 2)},
                "\n".join(ingredients),
                ["\n".join(ingredients)],
                "; ".join(ingredients),
                "<br>".join(escaped(ingredients)),
                "<ul>" + "".join(f"<li>{one}</li>" for one in escaped(ingredients)) + "</ul>",
                "".join(f"• {one} " for one in ingredients),
                json.dumps(ingredients),
                [
                    {"@type": "PropertyValue", "value": one.rpartition(" ")[0], "name": name}
                    for one, name in ((one, one.rpartition(" ")[2]) for one in ingredients)
                ],
            ]
        )
    )


def picture_shapes(name, graph):
    """Values of image, and the files that are beside the page for each."""
    address = f"https://kitchen.example/up/{name}.jpg"
    saved = {f"page_files/{name}.jpg": PHOTO}
    graph.append({"@type": "ImageObject", "@id": f"#{name}", "contentUrl": address})
    return st.sampled_from(
        [
            (f"{name}.jpg", {f"{name}.jpg": PHOTO}),
            (f"./page_files/{name}.jpg", saved),
            (address, saved),
            (address, {f"page_files/{name}-1024x683.jpg": PHOTO}),
            (address, {f"page_files/{name}-scaled.jpg.webp": PHOTO}),
            (address.replace(".jpg", "-300x200.jpg?w=9"), saved),
            ([address], {f"page-Dateien/{name}.jpg": PHOTO}),
            ({"@type": "ImageObject", "url": address}, saved),
            ({"url": [address], "width": 9}, saved),
            ([{"contentUrl": address}, None], saved),
            ({"@id": f"#{name}"}, saved),
            ([{"@id": f"#{name}"}], saved),
            ({"0": address}, saved),
            ("data:image/jpeg;base64," + base64.b64encode(PHOTO).decode(), {}),
        ]
    )


@st.composite
def recipes(draw, number, graph):
    """A recipe as a page has it, its texts as is right, and the files of its photo."""
    title = f"{draw(st.sampled_from(TITLES))} {number}"
    ingredients, steps = draw(INGREDIENTS), draw(STEPS)
    instructions, right = draw(step_shapes(steps, graph))
    image, files = draw(picture_shapes(f"dish{number}", graph))
    node = {
        **draw(kinds("Recipe")),
        "name": draw(st.sampled_from([title, html.escape(title), [title], {"@value": title}])),
        "image": image,
        "recipeIngredient": draw(ingredient_shapes(ingredients)),
        "recipeInstructions": instructions,
        "author": {"@type": "Person", "name": "Ann"},
        "nutrition": {"@type": "NutritionInformation", "calories": "9"},
    }
    rename = draw(
        st.sampled_from(
            [
                lambda key: key,
                lambda key: key,
                lambda key: key[:1].upper() + key[1:],
                lambda key: key if key.startswith("@") else f"schema:{key}",
                lambda key: key if key.startswith("@") else f"https://schema.org/{key}",
                lambda key: {"recipeIngredient": "ingredients"}.get(key, key),
            ]
        )
    )
    return {rename(key): value for key, value in node.items()}, (title, ingredients, right), files


@st.composite
def documents(draw, nodes, graph):
    """JSON documents in which the recipes are."""
    context = draw(
        st.sampled_from(
            [
                {"@context": "https://schema.org"},
                {"@context": ["http://schema.org/"]},
                {"@context": {"@vocab": "https://schema.org/"}},
                {},
            ]
        )
    )
    beside = [False, None, {"@type": "WebSite", "name": "Kitchen"}, "text", *graph]
    ways = [
        [{**context, "@graph": [*beside, *nodes]}],
        [{**context, "@graph": [*nodes, *beside]}],
        [{**context, "@graph": [beside, nodes]}],
        [[*nodes, *graph]],
        [{**context, "@graph": dict(enumerate([*beside, *nodes]))}],
        [{**context, "@type": "WebPage", "mainEntity": nodes, "hasPart": graph}],
        [*({**context, **node} for node in nodes), {"@graph": graph}],
        [{"@graph": graph}, *({"@graph": [{**context, **node}]} for node in nodes)],
    ]
    return draw(st.sampled_from(ways))


WRAPPINGS = [
    "{}",
    "{}",
    "{};",
    "\ufeff  {} ",
    "<!-- {} -->",
    "//<![CDATA[\n{}\n//]]>",
    "/*<![CDATA[*/{}/*]]>*/",
    "// the recipe\n{}",
    "{},",
]
BESIDE = [
    "",
    '<script type="application/ld+json"></script>',
    '<script type="application/ld+json">{"@context": {{ oops }} }</script>',
    '<script type="application/ld+json">{"@type":"BreadcrumbList","name":"x",}</script>',
    '<script>var recipe = {"@type": "Recipe"}</script>',
    '<div itemscope itemtype="http://schema.org/Person"><b itemprop="name">Ann</b></div>',
]
TYPES = [
    "application/ld+json",
    "application&#x2F;ld&#x2B;json",
    "Application/LD+JSON; charset=utf-8",
]


@st.composite
def json_ld_pages(draw):
    """A page, the recipes that it holds, and the files beside it."""
    graph = []
    drawn = [draw(recipes(number, graph)) for number in range(draw(st.integers(1, 3)))]
    scripts = []
    for document in draw(documents([node for node, _, _ in drawn], graph)):
        text = json.dumps(document, ensure_ascii=draw(st.booleans())).replace("</", "<\\/")
        if draw(st.booleans()):
            text = text.replace(": ", ":\n\t")
        if draw(st.integers(0, 5)) == 0:
            text = text[:-1] + "," + text[-1]
        wrapped = draw(st.sampled_from(WRAPPINGS)).replace("{}", text)
        kind = draw(st.sampled_from(TYPES))
        scripts.append(f'<script type="{kind}">{wrapped}</script>')
    before, behind = draw(st.sampled_from(BESIDE)), draw(st.sampled_from(BESIDE))
    page = (
        f"<!doctype html><html><head>{before}{''.join(scripts)}</head><body>{behind}</body></html>"
    )
    files = {name: content for _, _, some in drawn for name, content in some.items()}
    return page, [right for _, right, _ in drawn], files


@st.composite
def microdata_pages(draw):
    title, ingredients, steps = draw(st.sampled_from(TITLES)), draw(INGREDIENTS), draw(STEPS)
    listed = draw(
        st.sampled_from(
            [
                "".join(f'<p itemprop="recipeInstructions">{one}</p>' for one in escaped(steps)),
                '<div itemprop="recipeInstructions">' + "<br>".join(escaped(steps)) + "</div>",
                '<ol itemprop="recipeInstructions">'
                + "".join(f"<li>{one}</li>" for one in escaped(steps))
                + "</ol>",
                "".join(
                    '<li itemprop="recipeInstructions" itemscope itemtype="http://schema.org/'
                    f'HowToStep"><b itemprop="text">{one}</b></li>'
                    for one in escaped(steps)
                ),
            ]
        )
    )
    prop = draw(st.sampled_from(["recipeIngredient", "ingredients"]))
    kind = draw(st.sampled_from(["http://schema.org/Recipe", "https://schema.org/recipe"]))
    image = draw(
        st.sampled_from(
            [
                '<img itemprop="image" src="page_files/dish.jpg">',
                '<link itemprop="image" href="https://kitchen.example/dish.jpg">',
                '<meta itemprop="image" content="https://kitchen.example/dish-90x90.jpg">',
                '<div itemprop="image" itemscope itemtype="https://schema.org/ImageObject">'
                '<link itemprop="url" href="https://kitchen.example/dish.jpg"></div>',
            ]
        )
    )
    page = (
        f'<html><body><div itemscope itemtype="{kind}">'
        f'<h1 itemprop="name">{html.escape(title)}</h1>'
        f"{image}<ul>"
        + "".join(f'<li itemprop="{prop}"> {one}\n</li>' for one in escaped(ingredients))
        + f"</ul>{listed}</div></body></html>"
    )
    return page, [(title, ingredients, steps)], {"page_files/dish.jpg": PHOTO}


def read(page, files):
    """What is read of a page: titles, ingredients, steps, and the bytes of the first photo."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name) / "in"
        for file, content in {"page.html": page.encode(), **files}.items():
            path = root / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        photos = Photos(root, Path(name) / "work")
        photos.budget = Budget.of(0, 0, 10**9)
        for item in read_page(root / "page.html", "page.html", photos):
            places = [one.path if isinstance(one, Guess) else one for one in item.photos]
            yield (
                (item.title, item.ingredients, item.instructions.split("\n")),
                places[0].read_bytes() if places and isinstance(places[0], Path) else None,
            )


MANY = settings(
    max_examples=400, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
)
FEWER = settings(MANY, max_examples=60)


@MANY
@given(json_ld_pages())
def test_a_page_s_json_ld_is_read_back_exactly(drawn):
    page, right, files = drawn
    assert list(read(page, files)) == [(texts, PHOTO) for texts in right]


@FEWER
@given(microdata_pages())
def test_a_page_s_microdata_is_read_back_exactly(drawn):
    page, right, files = drawn
    assert list(read(page, files)) == [(texts, PHOTO) for texts in right]
