"""What programs and people write recipes in, and the cases of ``tests/cases``: each folder is a
source, of one kind."""

import base64
import io
import json
import unicodedata
import zipfile
from pathlib import Path

import pytest
from conftest import dish_photo, encode
from sources import recipes_and_reasons, write, zipped

from itadaki.importing import json_file, plain, reader, text, words
from itadaki.importing.found import Photos
from itadaki.importing.markdown_lines import lines_of
from itadaki.importing.markdown_parts import parts_of

CASES = Path(__file__).parent / "cases"
PHOTO, OTHER = encode(dish_photo(1)), encode(dish_photo(2))
PEAS = ["300 g peas", "1 onion"]
STEPS = "Simmer.\nBlend."


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


SPICES = ["2 tbsp Spice Blend", "1 vegetable stock"]
TITLES = {
    **{"Pea soup": "pea.jpg", "Bean soup": "bean.jpg", "Beet soup": "beet.jpg"},
    **{"Corn soup": "corn.jpg", "Kale soup": "kale.jpg", "Rice soup": "rice.jpg"},
    "Leek soup": "images/leek.jpg",
}
RIGHT = {
    "17": {
        "Pea soup": soup("images/a1_0.jpg"),
        "Bean soup": soup("images/b2_0.jpg", ["300 g beans", "1 onion"]),
    },
    "18": {"Pea soup": soup("images/pea_abc.jpg", ["300 g peas", "For the top", "1 onion"])},
    "19": {"Pea soup": soup("images/pea.jpg")},
    "20": {"Crème": soup()},
    "21": {"Crème brûlée": soup(ingredients=["1¼ cups cream"])},
    "30": {title: soup() for title in ("Pea soup", "Bean soup", "Beet soup")},
    "31": {"Pea soup": soup()},
    "40": {
        "Pea soup": soup(),
        "Sopa de ervilha": soup(ingredients=["300 g ervilhas"], steps="Cozinhe.\nBata."),
    },
    "41": {"Pea soup": soup(), "Bean soup": soup(ingredients=["300 g beans"], steps="Simmer.")},
    "42": {"Pea soup": soup()},
    "44": {title: soup(photo) for title, photo in TITLES.items()},
    "45": {"Pea soup": soup(steps="Simmer.")},
    "46": {"Pea soup": soup(ingredients=[*PEAS, "For the top", "1 tbsp cream"])},
    "48": {"Pea soup": soup(ingredients=SPICES, steps="Add the Spice Blend.")},
    "53": {},
    "54": {
        "Pea soup": soup(
            ingredients=["1 big onion", "2 ½ cups peas & ham", "½ cup milk", "1 leek", "1 beet"],
            steps="Simmer slowly.\nThen wait.\nBlend a) fast",
        )
    },
    "70": {
        "Pea soup": soup(ingredients=["peas", "onion"], steps=""),
        "Bean soup": soup(ingredients=["beans"], steps=""),
        "Beet soup": soup(ingredients=[], steps=""),
        "Leek soup": soup(ingredients=["300 g leeks, 1 onion, salt"], steps=""),
        'Kale, "the" soup': soup(ingredients=["kale", "onion"], steps="1. Boil; stir.\n2. Eat."),
    },
    "80": {
        "Pea soup": soup(
            "pea/images/original.webp",
            [
                *("For the soup", "⅓ cup flour", "2 eggs", "a pinch of salt", "2 cup peas"),
                *("For the top", "3 onions"),
            ],
            "Soup\nSimmer with salt.\nBlend.",
        )
    },
    "81": {
        "Pea soup": soup(
            "image.jpg",
            ["For the soup", "300 g peas fresh", "⅓ cup flour"],
            "Simmer 300 g peas for 10 min.",
        )
    },
}
LISTED = {"53": {"pea soup.txt"}}


@pytest.mark.parametrize("case", RIGHT)
def test_a_case_comes_in_whole(read, case):
    (source,) = CASES.glob(f"{case}-*")
    recipes, unusable = read(source)
    assert {
        title: (
            recipe.photo.relative_to(source).as_posix(),
            recipe.ingredients,
            recipe.instructions,
        )
        for title, recipe in recipes.items()
    } == RIGHT[case]
    assert unusable.keys() == LISTED.get(case, set())


@pytest.mark.parametrize("name", ["50-*/rezepte.zip", "50-*/*utf8flag.zip", "51-*/rezepte.zip"])
def test_names_with_umlauts_in_archives_of_macos_and_windows(read, tmp_path, name):
    (source,) = CASES.glob(name)
    recipes, unusable = read(source)
    assert recipes["Käsespätzle"].photo.name == "Käse.jpg"
    assert recipes["Käsespätzle"].ingredients == ["300 g Käse"]
    assert recipes["Grüne Soße"].photo.name == "Grüne Soße.jpg"
    assert len(recipes) == 2 and not unusable


@pytest.mark.parametrize("encoding", ["cp437", "cp1252", "utf-8"])
def test_names_in_a_zip_that_does_not_say_their_encoding(read, tmp_path, encoding):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for name, content in {"Käsespätzle.md": b"- K", "Käsespätzle.jpg": PHOTO}.items():
            info = zipfile.ZipInfo()
            # zipfile writes it as it is, and sets no flag.
            info.filename = "x" * len(name.encode(encoding))
            file.writestr(info, content)
    written = buffer.getvalue()
    for name in ("Käsespätzle.jpg", "Käsespätzle.md"):
        raw = name.encode(encoding)
        written = written.replace(b"x" * len(raw), raw)
    recipes, _ = read(write(tmp_path, {"x.zip": written}) / "x.zip")
    assert recipes.keys() == {"Käsespätzle"}


def test_a_folder_whose_names_are_apart(read, tmp_path):
    apart = unicodedata.normalize("NFD", "Soße")
    files = {
        f"{apart}.md": f"![](bilder/{apart}.jpg)\n- a",
        f"bilder/{apart}.jpg": PHOTO,
        "b/Käse.md": "# B\n\n![](Käse.jpg)",
        unicodedata.normalize("NFD", "b/Käse.jpg"): OTHER,
    }
    recipes, unusable = read(write(tmp_path / "in", files))
    assert recipes.keys() == {"Soße", "B"} and not unusable


TEXTS = {
    "fr": ("Gâteau\n100 g de sucre\nBattre les œufs.", "cp1252 mac_roman"),
    "de": ("Käsespätzle\n½ TL Salz\nMehl und Eier verrühren.", "cp1252 latin-1"),
    "es": ("Tortilla con jamón\nAñadir la cebolla y cocinar.", "cp1252 mac_roman"),
    "pt": ("Pão de queijo\n2 xícaras de polvilho", "cp1252 mac_roman"),
    "sv": ("Köttbullar\nBlanda färsen med ägg och grädde.", "cp1252 mac_roman"),
    "pl": ("500 g mąki\nWymieszać mąkę, dodać żółtko i sól.", "cp1250 iso8859_2"),
    "ru": ("300 г свёклы\nНарезать овощи и варить.", "cp1251 koi8_r cp866"),
    "zh": ("豆腐 400克\n把豆腐切成小块，放入锅中煮三分钟。", "gb18030"),
    "ja": ("じゃがいも 3個\n鍋に油を熱し、牛肉を炒める。", "cp932 euc_jp"),
    "en": ("2½ cups peas – fresh\nDon’t stir at 180°.", "cp1252 mac_roman"),
}


@pytest.mark.parametrize("language", TEXTS)
def test_a_text_of_unknown_encoding(language):
    written, encodings = TEXTS[language]
    for encoding in ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", *encodings.split()]:
        try:
            content = written.encode(encoding)
        except UnicodeEncodeError:
            continue  # Mac OS Roman has no ½
        assert text.decode(content) == written, encoding


def test_a_declared_encoding_counts_where_the_text_is_no_utf_8():
    assert text.decode("Crème".encode(), "iso-8859-1") == "Crème"
    assert text.decode("Crème".encode("cp1252"), "cp1252") == "Crème"
    assert text.decode("Svíčková".encode("cp1250"), "windows-1250") == "Svíčková"
    assert text.decode("肉".encode("iso-2022-jp"), "iso-2022-jp") == "肉"
    assert text.decode("Crème".encode(), "no such") == "Crème"
    # Of a long text one byte may be lost.
    assert text.decode("é".encode() * 50 + b"\xff", "cp1252").startswith("éé")


def test_text_that_was_read_in_a_wrong_encoding_is_repaired(read, tmp_path):
    files = {
        "a.csv": "title,photo,ingredients\nCrÃ¨me brÃ»lÃ©e,x.jpg,4 Å“ufs\nPÃO Â½,x.jpg,ok\n",
        "x.jpg": PHOTO,
    }
    recipes, _ = read(write(tmp_path / "in", files))
    assert recipes["Crème brûlée"].ingredients == ["4 œufs"]
    assert "PÃO ½" in recipes or "PÃO Â½" in recipes
    assert text.repaired("PÃO à MODA, 10 °C – Ärger") == "PÃO à MODA, 10 °C – Ärger"


LANGUAGES = {
    "en": ("Ingredients", "Directions"),
    "fr": ("Ingrédients", "Préparation"),
    "de": ("Zutaten", "Zubereitung"),
    "es": ("Ingredientes", "Elaboración"),
    "it": ("Ingredienti", "Procedimento"),
    "pt": ("Ingredientes", "Modo de preparo"),
    "nl": ("Ingrediënten", "Bereidingswijze"),
    "pl": ("Składniki", "Sposób przygotowania"),
    "sv": ("Ingredienser", "Gör så här"),
    "ru": ("Ингредиенты", "Способ приготовления"),
    "zh": ("食材", "做法"),
    "ja": ("材料（4人分）", "作り方"),
}
FORMS = {
    "headings": "## {}\n\n- a\n- b\n\n## {}\n\n- Cook.\n- Eat.\n",
    "bold": "**{}**\n\n- a\n- b\n\n**{}**\n\n1. Cook.\n2. Eat.\n",
    "colons": "{}:\na\nb\n\n{}:\nCook.\nEat.\n",
    "bold with a colon": "**{}:**\n- a\n- b\n\n**{}:**\n- Cook.\n- Eat.\n",
    "in a list": "- **{}**\n  - a\n  - b\n- **{}**\n  1. Cook.\n  2. Eat.\n",
    "callouts": "> [!note] {}\n> - a\n> - b\n\n> [!note] {}\n> Cook.\n> Eat.\n",
    "HTML": "<h2>{}</h2><ul><li>a</li><li>b</li></ul>\n<h2>{}</h2><p>Cook.</p><p>Eat.</p>\n",
    "first level": "# {}\n- a\n- b\n\n# {}\nCook.\n\nEat.\n",
    "emoji": "### 🥕 {}\n\n* a\n* b\n\n### 👩‍🍳 {}\n\nCook.<br>Eat.\n",
}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("form", FORMS)
def test_headings_and_labels_of_all_languages(language, form):
    body = FORMS[form].format(*LANGUAGES[language])
    (parts,) = parts_of(*lines_of(f"# Title\n\nSome words.\n\n{body}"))
    assert (parts.title, parts.ingredients) == ("Title", ["a", "b"])
    assert parts.steps(False) == ["Cook.", "Eat."]


def parts(markdown):
    (one,) = parts_of(*lines_of(markdown))
    return one.ingredients, one.steps(False)


def test_groups_of_a_recipe():
    both = "# T\n## Sauce\n### Ingredients\n- a\n### Method\n1. Stir.\n## Filling\n"
    both += "### Ingredients\n- b\n### Method\n1. Fill.\n## Notes\nNever mind.\n"
    assert parts(both) == (["Sauce", "a", "Filling", "b"], ["Sauce", "Stir.", "Filling", "Fill."])
    below = "## Ingredients\n**For the dough:**\n- a\n### Filling\n- b\n## Method\n"
    below += "### Prepare the ingredients\nCut.\n**Bake**\nIn the oven.\n### Step 3\nEat.\n"
    assert parts(below) == (
        ["For the dough:", "a", "Filling", "b"],
        ["Prepare the ingredients", "Cut.", "Bake", "In the oven.", "Eat."],
    )


def test_headings_of_no_language_that_is_known():
    assert parts("# T\n## Suroviny\n- a\n## Postup\n- Vařit.\n") == (["a"], ["Vařit."])
    assert parts("# T\n## Ingredience\n- a\n- b\n\nVařit.\n") == (["a", "b"], ["Vařit."])
    assert parts("# T\n## Ingredients\n- a\n## Postup\n- Vařit.\n") == (["a"], ["Vařit."])
    assert parts("# T\n## Ainekset\n- a\n## Method\n- Cook.\n") == (["a"], ["Cook."])
    assert parts("- 2 eggs\n- butter\n\nFry them.\n") == (["2 eggs", "butter"], ["Fry them."])


def test_lines_that_tell_facts_or_begin_parts():
    told = "# T\nServes: 4\n**Prep time:** 10 min\nPreparation: 20 min\n"
    told += "**Ingredients:** 300 g peas, 1 onion (red, large), salt\n**Method:** Cook\nand eat.\n"
    told += "Note: hot!\n"
    (one,) = parts_of(*lines_of(told))
    assert one.ingredients == ["300 g peas", "1 onion (red, large)", "salt"]
    assert one.steps(False) == ["Cook and eat.", "Note: hot!"]
    assert one.facts["servings"] == "4" and one.facts["prep_minutes"] == "10 min"


@pytest.mark.parametrize("marks", ["#", "##"])
def test_several_recipes_in_one_markdown_file(marks):
    one = (
        "{1} {0}\n![]({0}.jpg)\n{1}# Ingredients\n{1}## For it\n- {0}\n{1}# Method\n1. Cook {0}.\n"
    )
    book = "# My book\nAll of them.\n" + one.format("peas", marks) + one.format("beans", marks)
    told = [(r.title, r.ingredients, r.steps(False), r.pictures) for r in parts_of(*lines_of(book))]
    assert told == [
        (name, ["For it", name], [f"Cook {name}."], [f"{name}.jpg"]) for name in ("peas", "beans")
    ]
    alone = "# Soup\n## For it\n### Ingredients\n- peas\n### Method\n1. Cook.\n## Notes\nHot.\n"
    (soup,) = parts_of(*lines_of(alone))
    assert (soup.title, soup.ingredients) == ("Soup", ["For it", "peas"])


RECIPE_SAGE = {
    "recipes": [
        {
            "@context": "http://schema.org",
            "@type": "Recipe",
            "identifier": "d9f1",
            "datePublished": "2024-01-01T10:00:00.000Z",
            "description": "Of my aunt.",
            "image": ["pea.jpg"],
            "name": name,
            "prepTime": "PT15M",
            "recipeIngredient": [head, "300 g peas", "1 onion"],
            "recipeInstructions": [section, {"@type": "HowToStep", "text": "Simmer."}],
            "recipeYield": "4",
            "totalTime": "an hour",
            "recipeCategory": ["soup", "green"],
            "creditText": "Aunt Ada",
            "isBasedOn": "https://kitchen.example/pea-soup",
            "comment": [{"@type": "Comment", "name": "Author Notes", "text": "Hot."}],
        }
        for name, head, section in (
            ("Pea soup", "[Base]", {"@type": "HowToSection", "text": "[Cooking]"}),
            ("New soup", "[Base]", {"@type": "HowToSection", "name": "Cooking"}),
        )
    ]
}


def test_recipe_sage(tmp_path):
    """As its JSON-LD export writes headings, of old and today."""
    source = write(tmp_path, {"r.json": json.dumps(RECIPE_SAGE), "pea.jpg": PHOTO})
    told = list(json_file.read(source / "r.json", "r.json", Photos(source, source / "w")))
    assert [one.title for one in told] == ["Pea soup", "New soup"]
    for one in told:
        assert one.ingredients == ["Base", "300 g peas", "1 onion"]
        assert one.instructions == "Cooking\nSimmer."
        assert one.photos == [source / "pea.jpg"]
        assert (one.keywords, one.servings, one.author) == (["soup", "green"], "4", "Aunt Ada")
        assert (one.prep_minutes, one.source) == (15, "https://kitchen.example/pea-soup")


PICTURES = {
    "markdown": "![x](a%20b.jpg)",
    "blank": "![x](a b.jpg)",
    "angle": '![x](<a b.jpg> "title")',
    "html": '<p align=center><img width=9 src="a b.jpg"/></p>',
    "obsidian": "![[a b.jpg|300]]",
    "figure": '{{< figure src="a b.jpg" title="It\'s" >}}',
    "include": '{% include figure image_path="a b.jpg" alt="x" %}',
    "filter": '![x]({{ "a b.jpg" | relative_url }})',
    "front": "---\nimage: a b.jpg\n---\n",
    "obsidian's, without quotes": "---\ncover: ![[a b.jpg]]\ntitle: A: b\n---\n",
    "a list in a list": "---\nbanner: [[a b.jpg]]\n---\n",
    "hugo": "---\nresources:\n- {src: a b.jpg, name: featured}\n---\n",
    "toml": '+++\n[cover]\nimage = "a b.jpg"\n+++\n',
}


@pytest.mark.parametrize("form", PICTURES)
def test_pictures_of_markdown(read, tmp_path, form):
    files = {"soup.md": PICTURES[form], "a b.jpg": PHOTO, "other.jpg": OTHER}
    recipes, unusable = read(write(tmp_path / "in", files))
    (recipe,) = recipes.values()
    assert recipe.photo.name == "a b.jpg" and not unusable
    assert "a b" not in recipe.instructions and "{" not in recipe.instructions


def test_a_folder_for_each_recipe(read, tmp_path):
    files = {
        "pea soup/index.md": "- peas",
        "pea soup/featured.jpg": PHOTO,
        "pea soup/step1.jpg": OTHER,
        "beans/recipe.md": "- beans",
        "beans/x.jpg": OTHER,
        "two/a.md": "# A",
        "two/b.md": "# B",
        "two/x.jpg": PHOTO,
    }
    recipes, unusable = read(write(tmp_path / "in", files))
    assert {t: r.photo.name for t, r in recipes.items()} == {
        "pea soup": "featured.jpg",
        "beans": "x.jpg",
    }
    assert unusable.keys() == {"two/a.md", "two/b.md"}


def test_a_picture_of_another_folder_is_another(read, tmp_path):
    files = {
        "recipes/pea.md": "# Pea\n![](/img/pea/photo.jpg)",
        "recipes/bean.md": "# Bean\n![](/img/bean/photo.jpg)",
        "recipes/site.csv": "title,photo\nLeek,C:\\Photos\\leek.jpg\n",
        "static/img/bean/photo.jpg": PHOTO,
        "static/leek.jpg": OTHER,
    }
    recipes, unusable = read(write(tmp_path / "in", files))
    assert recipes.keys() == {"Bean", "Leek"}
    assert unusable == {"recipes/pea.md": "its picture /img/pea/photo.jpg is not there"}


def test_front_matter_in_all_forms():
    assert plain.ingredients([{"name": "peas", "quantity": 300, "unit": "g"}, "- salt", None]) == [
        "300 g peas",
        "salt",
    ]
    groups = [{"title": "Dough", "items": ["flour", {"eggs": 2}]}, {"Top": ["cream"]}]
    assert plain.ingredients(groups) == ["Dough", "flour", "2 eggs", "Top", "cream"]
    assert plain.ingredients({"peas": "300 g", "onion": {"amount": 1}}) == ["300 g peas", "1 onion"]
    steps = [{"step": "Mix."}, {"title": "Bake", "steps": ["Heat.", "Wait."]}, {"text": "Eat."}]
    assert plain.steps(steps) == ["Mix.", "Bake", "Heat.", "Wait.", "Eat."]
    told = plain.recipe_of({"recipe": {"Zutaten": "a\nb", "Titel": "T", "bild": ["x.jpg"]}})
    assert (told["title"], told["ingredients"], told["photo"]) == ("T", ["a", "b"], ["x.jpg"])


def test_cooklang(read, tmp_path):
    soup = (
        ">> source: https://example.com/soup\n---\n".removesuffix("---\n")
        + ">> servings: 2\n\nSimmer @peas{300%g}(fresh) with @onion{1} and @salt -- to taste\n"
        "in a #large pot{} for ~{10%minutes}.\n\n== Top ==\n[- a comment -]\n"
        "Add @&cream{} and @white wine|wine{1/2%cup} to @./sauces/Roux{20%g}, not to a@b.example.\n"
    )
    files = {"Pea Soup.cook": soup, "Pea Soup.jpg": PHOTO, "Pea Soup.0.jpg": OTHER}
    recipes, unusable = read(write(tmp_path / "in", files))
    found = recipes["Pea Soup"]
    assert found.ingredients == [
        *("300 g peas (fresh)", "1 onion", "salt", "Top", "1/2 cup white wine", "20 g Roux")
    ]
    assert found.instructions == (
        "Simmer peas with onion and salt in a large pot for 10 minutes.\n"
        "Top\nAdd cream and wine to Roux, not to a@b.example."
    )
    assert found.photo.name == "Pea Soup.jpg" and not unusable
    assert (found.servings, found.source) == ("2", "https://example.com/soup")


def test_json_that_is_not_quite_json():
    written = '{"a": "// no \\" /* comment */", /* b */ "b": [1, 2,],\n// c\n"c": "x\ny",}'
    assert json_file.parsed(written) == {
        "a": '// no " /* comment */',
        "b": [1, 2],
        "c": "x\ny",
    }
    for broken in ("{", "[1 2]", "// nothing", '"', "/*"):
        with pytest.raises(ValueError):
            json_file.parsed(broken)


def test_plain_json_in_all_shapes(read, tmp_path):
    recipe = '{"title": "%s", "picture": "x.jpg", "ingredients": "a\\nb", "steps": ["Cook."]}'
    files = {
        "list.json": f"[{recipe % 'A'}, {{}}, 3]",
        "by key.json": f'{{"1": {recipe % "B"}, "2": {recipe % "C"}}}',
        "inside.json": f'{{"version": 1, "data": {{"recipes": [{recipe % "D"}]}}}}',
        "one.json": recipe % "E",
        "x.jpg": PHOTO,
    }
    recipes, unusable = read(write(tmp_path / "in", files))
    assert recipes.keys() == set("ABCDE")
    assert recipes["D"].ingredients == ["a", "b"] and recipes["D"].instructions == "Cook."
    assert unusable.keys() == {"list.json, recipe 2", "list.json, recipe 3"}


def test_plan_to_eat(read, tmp_path):
    table = (
        "Title,Course,Cuisine,Main Ingredient,Source,Url,Prep Time,Servings,Ingredients,"
        "Directions,Tags,Photo Url\n"
        'Soup,Main,,Peas,Mum,https://a.example/s,75,7,", Base\n300 g peas\n, Top\n1 egg\n\n",'
        '"Simmer.\nBlend.","Cheap, Test",x.jpg\n'
    )
    recipes, unusable = read(write(tmp_path / "in", {"p.csv": table, "x.jpg": PHOTO}))
    soup = recipes["Soup"]
    assert soup.ingredients == ["Base", "300 g peas", "Top", "1 egg"] and not unusable
    assert soup.instructions == "Simmer.\nBlend."
    assert soup.servings == "7" and soup.source == "https://a.example/s"
    assert {"Cheap", "Test", "Main"} <= set(soup.keywords)


MEAL_MASTER = """\
MMMMM----- Recipe via Meal-Master (tm) v8.05
 
      Title: Pea Soup
 Categories: Soups, Peas
      Yield: 4 servings
 
    300 g  peas                                1    onion
  1 1/2 l  water                               2 tb oil; of olives,
           salt                                    -or butter
MMMMM--------------------------TOP-----------------------------------
      1 tb cream
 
  Simmer it, and do so for
  20 minutes.
 
  Blend.
 
MMMMM
"""
KRECIPES_TEXT = """\
----- Exported by Krecipes v1 [Meal-Master Export Format] -----

      Title: Bean Soup
 Categories: Soups
   Servings: 2

    3/4    c. beans
           -cooked
-------------------------------Fat & Liquids--------------------------------
      2    eggs

 Cook.

-----
"""


def test_meal_master(read, tmp_path):
    files = {
        "one.mmf": MEAL_MASTER,
        "one.jpg": PHOTO,
        "both.txt": MEAL_MASTER.replace("Pea Soup", "Third") + KRECIPES_TEXT,
        "bean soup.jpg": OTHER,
        "notes.txt": "Pea soup\n\n300 g peas",
    }
    recipes, unusable = read(write(tmp_path / "in", files))
    assert recipes["Pea Soup"].ingredients == [
        *("300 g peas", "1 1/2 l water", "salt", "1 onion", "2 tb oil; of olives, or butter"),
        *("TOP", "1 tb cream"),
    ]
    assert recipes["Pea Soup"].instructions == "Simmer it, and do so for 20 minutes.\nBlend."
    assert recipes["Pea Soup"].keywords == ["Soups", "Peas"]
    assert recipes["Pea Soup"].servings == "4 servings"
    assert recipes["Bean Soup"].ingredients == ["3/4 c. beans cooked", "Fat & Liquids", "2 eggs"]
    assert recipes["Bean Soup"].photo.name == "bean soup.jpg" and recipes.keys() == {
        "Pea Soup",
        "Bean Soup",
    }
    assert "Markdown" in unusable["notes.txt"] and "no photo" in unusable["both.txt, recipe 1"]


KREML = """<?xml version="1.0" encoding="UTF-8" ?>
<krecipes version="1" lang="en_US"><krecipes-recipe><krecipes-description>
<title>Pea soup</title><author>A</author>
<pictures><pic format="JPEG" id="1"><![CDATA[{photo}]]></pic></pictures>
<category><cat>Soups</cat></category>
<yield><amount><min>2</min><max>5</max></amount><type>bowls</type></yield></krecipes-description>
<krecipes-ingredients><ingredient-group name="Base"><ingredient><name>peas</name>
<amount>300</amount><unit>g</unit></ingredient></ingredient-group><ingredient><name>onion</name>
<amount><min>1</min><max>3</max></amount><unit></unit><prep>cut</prep></ingredient>
</krecipes-ingredients><krecipes-instructions>
Simmer.

Blend.</krecipes-instructions></krecipes-recipe></krecipes>"""


def test_krecipes_and_mela(read, tmp_path):
    inside = base64.b64encode(PHOTO).decode()
    mela = {
        "title": "Bean soup",
        "ingredients": "# Base\n300 g beans\n1 onion",
        "instructions": "Simmer.\nBlend.",
        "yield": "4",
        "categories": ["Soups"],
        "link": "https://example.com/b",
        "images": [inside],
    }
    files = {
        "k.kreml": KREML.format(photo=inside),
        "none.kreml": "<krecipes/>",
        "broken.kreml": "<krecipes>",
        "x.melarecipes": zipped({"Bean soup.melarecipe": json.dumps(mela), "b.melarecipe": "3"}),
    }
    recipes, unusable = read(write(tmp_path / "in", files))
    pea, bean = recipes["Pea soup"], recipes["Bean soup"]
    assert pea.ingredients == ["Base", "300 g peas", "1–3 onion (cut)"]
    assert bean.ingredients == ["Base", "300 g beans", "1 onion"]
    assert pea.instructions == bean.instructions == STEPS
    assert pea.photo.read_bytes() == bean.photo.read_bytes() == PHOTO
    assert (pea.servings, bean.servings, bean.source) == ("2–5", "4", "https://example.com/b")
    assert unusable.keys() == {"none.kreml", "broken.kreml", "x.melarecipes/b.melarecipe"}


def test_recipe_keeper_in_its_archive(read, tmp_path):
    (case,) = CASES.glob("17-*")
    page = (
        (case / "recipes.html")
        .read_text()
        .replace(
            "</h2>",
            "</h2><div>Course: <span itemprop='recipeCourse'>Soup</span></div><div>Size: <span "
            "itemprop='recipeYield'>4</span></div><meta content='PT5M' itemprop='prepTime'><meta "
            "content='Easy' itemprop='recipeCategory'>",
            1,
        )
    )
    files = {path.relative_to(case).as_posix(): path.read_bytes() for path in case.rglob("*.jpg")}
    source = write(tmp_path, {"rk.zip": zipped({**files, "recipes.html": page})}) / "rk.zip"
    recipes, unusable = read(source)
    soup = recipes["Pea soup"]
    assert (soup.servings, soup.prep_minutes, soup.keywords) == ("4", 5, ["Soup", "Easy"])
    assert len(recipes) == 2 and not unusable


HOSTILE = {
    "toml.md": "+++\na = " + "[" * 50_000 + "\n+++\nx",
    "keys.md": "+++\n" + ".".join("a" * 40_000) + " = 1\n+++\n![](soup.jpg)",
    "alias.md": "---\na: &a [x]\nb: [*a, *a]\n---\n![](soup.jpg)",
    "deep.md": "---\ningredients: " + "[" * 900 + "]" * 900 + "\n---\n![](soup.jpg)",
    "open.md": "<!--" * 100_000 + "%%" * 3 + "{{<" * 50_000 + "<img " * 50_000,
    "lists.md": "- " * 100_000,
    "at.cook": "@" + "a " * 300_000,
    "braces.cook": "@{" * 100_000 + "[-" * 100_000,
    "slashes.json": "/*" * 1_000_000,
    "quotes.json": '"' + '\\"' * 1_000_000,
    "laughs.kreml": "<!DOCTYPE k [<!ENTITY a 'x'>"
    + "".join(f"<!ENTITY a{i} '{f'&a{i - 1};' * 10}'>" for i in range(1, 12)).replace("a0", "a")
    + "]><krecipes><krecipes-recipe><title>&a11;</title></krecipes-recipe></krecipes>",
    "blanks.mmf": "MMMMM meal-master\n" + (" " * 9000 + "\n") * 1000,
    "classes.html": "<div class='hrecipe'>" * 90_000,
    "sep.csv": "sep=;\n" + ";" * 900_000,
    "zero.csv": b"\xff\xfe" + b"\x00" * 1_000_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_made_to_cost_much_costs_little_or_is_listed(
    read_beside, tmp_path, monkeypatch, name
):
    monkeypatch.setattr(reader, "SECONDS", 5)
    monkeypatch.setattr(reader, "SECONDS_PER_MB", 2)
    files = {name: HOSTILE[name], "soup.md": "# Soup", "soup.jpg": PHOTO}
    recipes, unusable = read_beside(write(tmp_path / "in", files))
    assert "Soup" in recipes and len(recipes) + len(unusable) == 2
    if name in ("toml.md", "alias.md"):
        assert "nested too deeply" in unusable[name] or "aliases" in unusable[name]
    if name == "classes.html":  # one recipe, and not as many as there are elements
        assert unusable[name] == "it has no title"


def test_a_data_file_has_each_label_once():
    """The first of two would hide the other."""
    parts: dict[str, set[str]] = {}
    for part, languages in words._data()["headings"].items():
        for phrases in languages.values():
            for phrase in phrases:
                parts.setdefault(words.plain(phrase), set()).add(part)
    assert not [label for label, of in parts.items() if len(of) > 1]
