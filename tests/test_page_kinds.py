"""Saved pages as the plugins and shops of the web write them: what was read is what they say."""

import json

import pytest
from conftest import dish_photo, encode

from itadaki.importing import page
from itadaki.importing.found import Photos

PHOTO = encode(dish_photo(1))
PEAS, STEPS = ["300 g peas", "1 onion"], ["Simmer.", "Blend."]


def ld(*nodes, body="", **recipe):
    """A page whose JSON-LD has a recipe with these properties beside the usual ones."""
    whole = {"@context": "https://schema.org", "@type": "Recipe", "name": "Soup"}
    whole |= {"image": "soup.jpg", "recipeIngredient": PEAS, "recipeInstructions": STEPS} | recipe
    data = {"@graph": [*nodes, whole]} if nodes else whole
    return f'<script type="application/ld+json">{json.dumps(data)}</script><body>{body}'


def step(text, **other):
    return {"@type": "HowToStep", "text": text, **other}


def section(name, *texts):
    return {"@type": "HowToSection", "name": name, "itemListElement": [step(t) for t in texts]}


def micro(
    ingredients, steps, kind="http://schema.org/Recipe", title='<h1 itemprop="name">Soup</h1>'
):
    image = '<img itemprop="image" src="soup.jpg">'
    return f'<body><div itemscope itemtype="{kind}">{title}{image}{ingredients}{steps}</div>'


def hrecipe(ingredients, steps, name="hrecipe"):
    title, photo = ("p-name", "u-photo") if name == "h-recipe" else ("fn", "photo")
    image = f'<img class="{photo}" src="soup.jpg">'
    return (
        f'<body><div class="{name}"><h2 class="{title}">Soup</h2>{image}{ingredients}{steps}</div>'
    )


def lines(tag, prop, texts=PEAS):
    return "".join(f'<{tag} itemprop="{prop}">{text}</{tag}>' for text in texts)


def listed(name, texts=STEPS, tag="ol"):
    return f'<{tag} class="{name}">{"".join(f"<li>{t}</li>" for t in texts)}</{tag}>'


ITEMS = lines("li", "recipeIngredient")
RIGHT = PEAS, STEPS
KINDS = {
    # JSON-LD of plugins of WordPress
    "WPRM": (
        ld(
            recipeInstructions=[
                step("Simmer.", name="Simmer.", url="https://k.example/#wprm-0-0"),
                step("Blend.", name="Blend.", url="https://k.example/#wprm-0-1"),
            ]
        ),
        *RIGHT,
    ),
    "WPRM with sections": (
        ld(recipeInstructions=[section("Cook", "Simmer."), section("End", "Blend.")]),
        PEAS,
        ["Cook", "Simmer.", "End", "Blend."],
    ),
    "WPRM with notes in brackets": (
        ld(recipeIngredient=["300 g peas ((frozen))", "1 onion"]),
        ["300 g peas (frozen)", "1 onion"],
        STEPS,
    ),
    "Tasty Recipes": (
        ld(
            {"@type": "WebPage", "@id": "https://k.example/"},
            recipeInstructions=[
                step("Simmer.", url="https://k.example/#instruction-step-1"),
                step("Blend."),
            ],
            recipeIngredient=["300 g peas", "1 onion "],
        ),
        *RIGHT,
    ),
    "Mediavine Create": (
        ld(
            recipeInstructions=[
                step("Simmer.", position=1, name="Simmer..."),
                step("Blend.", position=2, name="Blend..."),
            ]
        ),
        *RIGHT,
    ),
    "Zip Recipes": (ld(recipeInstructions=["Simmer.", "Blend."], recipeYield=None), *RIGHT),
    "Yoast's blocks": (
        ld(recipeInstructions=[step("<strong>Simmer.</strong>"), step("<p>Blend.</p>")]),
        *RIGHT,
    ),
    "Recipe Card Blocks": (
        ld(recipeInstructions=[step("", name="Simmer."), step("Blend.", name="Blend.")]),
        *RIGHT,
    ),
    "Cooked": (
        ld(recipeInstructions=[{"@type": "HowToStep", "name": "", "text": t} for t in STEPS]),
        *RIGHT,
    ),
    "WP Ultimate Recipe": (ld(recipeInstructions="Simmer.\nBlend."), *RIGHT),
    "Simmer": (ld(recipeInstructions="1. Simmer. 2. Blend."), PEAS, ["1. Simmer.", "2. Blend."]),
    "Delicious": (
        ld(
            recipeInstructions=[
                {"@type": "HowToSection", "name": "", "itemListElement": [step(t) for t in STEPS]}
            ]
        ),
        *RIGHT,
    ),
    "Feast": (ld(recipeInstructions=[[step("Simmer.")], [step("Blend.")]]), *RIGHT),
    # JSON-LD of other systems
    "Drupal": (
        ld(
            {"@type": "WebSite"},
            recipeInstructions="Simmer., Blend.",
            recipeIngredient="300 g peas\n1 onion",
        ),
        PEAS,
        ["Simmer., Blend."],
    ),
    "Shopify": (
        ld(
            recipeInstructions="<ol>\n<li>Simmer.</li>\n<li>Blend.</li>\n</ol>",
            recipeIngredient="<ul><li>300 g peas</li><li>1 onion</li></ul>",
        ),
        *RIGHT,
    ),
    "Shopify's metafields": (ld(recipeIngredient='["300 g peas","1 onion"]'), *RIGHT),
    "Squarespace": (ld(recipeInstructions="<p>Simmer.</p><p>Blend.</p>"), *RIGHT),
    "Wix": (
        ld(
            recipeInstructions={
                "@type": "ItemList",
                "itemListElement": [
                    {
                        "@type": "ListItem",
                        "position": 1,
                        "item": {"@type": "HowToStep", "text": "Simmer."},
                    },
                    {
                        "@type": "ListItem",
                        "position": 2,
                        "item": {"@type": "HowToStep", "text": "Blend."},
                    },
                ],
            }
        ),
        *RIGHT,
    ),
    "Ghost": (ld(recipeInstructions=[step("Simmer.<br>"), step("Blend.&nbsp;")]), *RIGHT),
    "Joomla": (ld(recipeInstructions="Simmer.<br />\r\nBlend."), *RIGHT),
    "Typo3": (
        ld(recipeInstructions=[{"@type": "http://schema.org/HowToStep", "text": t} for t in STEPS]),
        *RIGHT,
    ),
    "Contentful": (
        ld(recipeInstructions=[{"@type": ["HowToStep"], "text": [t]} for t in STEPS]),
        *RIGHT,
    ),
    "with directions in steps": (
        ld(
            recipeInstructions=[
                {
                    "@type": "HowToStep",
                    "itemListElement": [
                        {"@type": "HowToDirection", "text": "Simmer."},
                        {"@type": "HowToTip", "text": "Blend."},
                    ],
                }
            ]
        ),
        *RIGHT,
    ),
    "with a step's name": (
        ld(recipeInstructions=[step("Simmer.", name="Cook"), step("Blend.")]),
        PEAS,
        ["Cook", "Simmer.", "Blend."],
    ),
    "with CreativeWork": (
        ld(recipeInstructions={"@type": "CreativeWork", "text": "Simmer.\nBlend."}),
        *RIGHT,
    ),
    "with a HowTo": (
        ld(recipeInstructions={"@type": "HowTo", "step": [step(t) for t in STEPS]}),
        *RIGHT,
    ),
    "with amounts apart": (
        ld(
            recipeIngredient=[
                {"@type": "PropertyValue", "name": "peas", "value": 300, "unitText": "g"},
                {"name": "onion", "value": "1"},
            ]
        ),
        *RIGHT,
    ),
    "with groups of ingredients": (
        ld(recipeIngredient=[{"@type": "ItemList", "name": "Base", "itemListElement": PEAS}]),
        ["Base", *PEAS],
        STEPS,
    ),
    "with ingredients under their old name": (ld(recipeIngredient=None, ingredients=PEAS), *RIGHT),
    "with empty lines": (
        ld(
            recipeIngredient=["", "300 g peas", " ", "1 onion", None],
            recipeInstructions=["", *STEPS],
        ),
        *RIGHT,
    ),
    "with entities": (
        ld(
            recipeIngredient=["300&nbsp;g peas", "1&#32;onion"],
            recipeInstructions=["Simmer&period;", "Blend."],
        ),
        *RIGHT,
    ),
    "with pictures in steps": (
        ld(
            recipeInstructions=[
                step("Simmer.", image="a.jpg"),
                step("Blend.", image={"@type": "ImageObject", "url": "b.jpg"}),
            ]
        ),
        *RIGHT,
    ),
    "with videos in steps": (
        ld(
            recipeInstructions=[
                step("Simmer.", video={"@type": "Clip", "name": "How to simmer"}),
                step("Blend."),
            ]
        ),
        *RIGHT,
    ),
    "with tools and supplies": (
        ld(tool=["a pot"], supply=["a lid"], recipeInstructions=[step(t) for t in STEPS]),
        *RIGHT,
    ),
    # sites in other languages
    "German": (
        ld(
            recipeIngredient=["300 g Erbsen", "½ Zwiebel"],
            recipeInstructions=[
                step("Köcheln.", name="Schritt 1"),
                step("Pürieren.", name="Schritt 2"),
            ],
        ),
        ["300 g Erbsen", "½ Zwiebel"],
        ["Köcheln.", "Pürieren."],
    ),
    "French": (
        ld(recipeInstructions="Étape 1\nMijoter.\nÉtape 2\nMixer."),
        PEAS,
        ["Mijoter.", "Mixer."],
    ),
    "Spanish": (
        ld(recipeInstructions=["Paso 1: ", "Cocer.", "Paso 2: ", "Batir."]),
        PEAS,
        ["Cocer.", "Batir."],
    ),
    "Italian": (ld(recipeInstructions=[step("Cuocere.", name="Passaggio 1")]), PEAS, ["Cuocere."]),
    "Portuguese": (
        ld(
            recipeIngredient="300 g de ervilhas<br>1 cebola",
            recipeInstructions=[step("Cozinhe.", name="Passo 1")],
        ),
        ["300 g de ervilhas", "1 cebola"],
        ["Cozinhe."],
    ),
    "Dutch": (ld(recipeInstructions="1. Koken.\n2. Pureren."), PEAS, ["1. Koken.", "2. Pureren."]),
    "Polish": (
        ld(recipeInstructions=["Krok 1", "Gotuj.", "Krok 2", "Zmiksuj."]),
        PEAS,
        ["Gotuj.", "Zmiksuj."],
    ),
    "Russian": (ld(recipeInstructions=[step("Варить.", name="Шаг 1")]), PEAS, ["Варить."]),
    "Japanese": (
        ld(
            recipeIngredient=["豆 300g", "玉ねぎ 1個"],
            recipeInstructions=[step("煮る。", name="手順1"), step("混ぜる。", name="手順2")],
        ),
        ["豆 300g", "玉ねぎ 1個"],
        ["煮る。", "混ぜる。"],
    ),
    "Chinese": (
        ld(recipeInstructions=["步骤1", "煮。", "步骤2", "搅拌。"]),
        PEAS,
        ["煮。", "搅拌。"],
    ),
    "Korean": (ld(recipeInstructions=[step("끓인다.", name="1단계")]), PEAS, ["끓인다."]),
    "Arabic": (ld(recipeIngredient=["٣٠٠ غ بازلاء", "بصلة"]), ["٣٠٠ غ بازلاء", "بصلة"], STEPS),
    "Hebrew": (ld(recipeInstructions="לבשל.\nלטחון."), PEAS, ["לבשל.", "לטחון."]),
    "Turkish": (
        ld(recipeInstructions=["Adım 1", "Kaynatın.", "Adım 2", "Karıştırın."]),
        PEAS,
        ["Kaynatın.", "Karıştırın."],
    ),
    # microdata
    "microdata": (micro(ITEMS, lines("li", "recipeInstructions", STEPS)), *RIGHT),
    "microdata with https": (
        micro(ITEMS, lines("p", "recipeInstructions", STEPS), "https://schema.org/Recipe"),
        *RIGHT,
    ),
    "EasyRecipe": (
        micro(
            lines("li", "ingredients"),
            '<div itemprop="recipeInstructions"><ol><li>Simmer.</li><li>Blend.</li></ol></div>',
        ),
        *RIGHT,
    ),
    "EasyRecipe with an instruction each": (
        micro(lines("li", "ingredients"), lines("li", "recipeInstructions", STEPS)),
        *RIGHT,
    ),
    "ZipList": (
        micro(
            lines("li", "ingredients"),
            lines("li", "recipeInstructions", STEPS),
            "http://data-vocabulary.org/Recipe",
        ),
        *RIGHT,
    ),
    "Drupal's microdata": (
        micro(ITEMS, '<div itemprop="recipeInstructions"><p>Simmer.</p><p>Blend.</p></div>'),
        *RIGHT,
    ),
    "microdata with breaks": (
        micro(ITEMS, '<div itemprop="recipeInstructions">Simmer.<br>Blend.</div>'),
        *RIGHT,
    ),
    "microdata with steps that are items": (
        micro(
            ITEMS,
            "".join(
                '<div itemprop="recipeInstructions" itemscope itemtype="http://schema.org/HowToStep">'
                f'<span itemprop="text">{t}</span></div>'
                for t in STEPS
            ),
        ),
        *RIGHT,
    ),
    "microdata with amounts in elements": (
        micro(
            '<li itemprop="recipeIngredient"><b>300</b> <i>g</i> peas</li>'
            '<li itemprop="recipeIngredient"><b>1</b> <span>onion</span></li>',
            lines("li", "recipeInstructions", STEPS),
        ),
        *RIGHT,
    ),
    "microdata whose name is in meta": (
        micro(
            ITEMS,
            lines("li", "recipeInstructions", STEPS),
            title='<meta itemprop="name" content="Soup">',
        ),
        *RIGHT,
    ),
    # microformats
    "hrecipe": (
        hrecipe(
            listed("ingredients", [f'<b class="ingredient">{p}</b>' for p in PEAS], "ul"),
            listed("instructions"),
        ),
        *RIGHT,
    ),
    "hrecipe, an ingredient each": (
        hrecipe(
            "".join(f'<li class="ingredient">{p}</li>' for p in PEAS),
            '<div class="instructions"><p>Simmer.</p><p>Blend.</p></div>',
        ),
        *RIGHT,
    ),
    "EasyRecipe's hrecipe": (
        hrecipe(
            "".join(f'<li class="ingredient">{p}</li>' for p in PEAS),
            '<div class="instructions"><ol><li class="instruction">Simmer.</li>'
            '<li class="instruction">Blend.</li></ol></div>',
        ),
        *RIGHT,
    ),
    "hrecipe, an instruction each": (
        hrecipe(
            "".join(f'<li class="ingredient">{p}</li>' for p in PEAS),
            "".join(f'<li class="instruction">{t}</li>' for t in STEPS),
        ),
        *RIGHT,
    ),
    "hrecipe with amounts": (
        hrecipe(
            '<li class="ingredient"><span class="amount">300 g</span> '
            '<span class="name">peas</span></li><li class="ingredient">1 onion</li>',
            listed("instructions"),
        ),
        *RIGHT,
    ),
    "h-recipe": (
        hrecipe(
            "".join(f'<li class="p-ingredient">{p}</li>' for p in PEAS),
            listed("e-instructions"),
            "h-recipe",
        ),
        *RIGHT,
    ),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_page_of_a_kind(tmp_path, kind):
    html, ingredients, steps = KINDS[kind]
    (tmp_path / "soup.jpg").write_bytes(PHOTO)
    (tmp_path / "a.html").write_text(f"<!doctype html><meta charset=utf-8>{html}", encoding="utf-8")
    photos = Photos(tmp_path, tmp_path / "workspace")
    (one,) = page.read_page(tmp_path / "a.html", "a.html", photos)
    assert (one.title, one.ingredients, one.instructions.split("\n")) == (
        "Soup",
        ingredients,
        steps,
    )
    assert one.photos[0] == tmp_path / "soup.jpg"
