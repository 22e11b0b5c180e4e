import doctest
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import yaml
from conftest import dataset_recipe

from itadaki.index.filters import Filters, RowFilter
from itadaki.recipes import ingredients

OUT, IN = True, False
EXCLUDED = [
    # Singular and plural, wherever in the question and in the line.
    ("eggs", "1 egg", OUT),
    ("egg", "2 EGGS, beaten", OUT),
    ("tomatoes", "1 (8-ounce) can tomato sauce", OUT),
    ("Tomato", "3 ripe tomatoes", OUT),
    ("peanuts", "2 Tbsp. creamy peanut butter", OUT),
    ("olives", "1 olive, for garnish", OUT),
    ("leaf", "2 bay leaves", OUT),
    ("leaves", "1 bay leaf", OUT),
    ("loaves of bread", "1 loaf of bread", OUT),
    ("anchovy", "4 anchovies, rinsed", OUT),
    ("anchovies", "1 tsp. anchovy paste", OUT),
    ("berry", "2 cups mixed berries", OUT),
    ("berries", "1 pint strawberries, hulled", OUT),
    ("potatoes", "1 cup potato starch", OUT),
    ("radishes", "1 radish, shaved", OUT),
    ("oats", "1 cup oat bran", OUT),
    ("cherries", "1 cherry tomato", OUT),  # named, though no cherry
    ("chilies", "1 small red chile", OUT),
    ("yoghurt", "1 cup plain yogurt", OUT),
    ("pickles", "1 dill pickle", OUT),
    ("corn", "1 lb. corned beef", IN),
    ("corn", "2 Tbsp. cornstarch", OUT),
    ("corn starch", "2 Tbsp. cornstarch", OUT),
    ("cornstarch", "2 Tbsp. corn starch", OUT),
    ("chickpeas", "1 can chick peas", OUT),
    ("corn", "1 tsp. black peppercorns", IN),
    ("pea", "2 peaches", IN),
    ("oat", "4 oz. goat cheese", IN),
    ("rice", "1 stick licorice", IN),
    ("ham", "1 bottle champagne", IN),
    ("onions", "1 yellow onion", OUT),
    # Accents, upper case, hyphens, fractions and apostrophes.
    ("jalapeno", "1 jalapeño, seeded", OUT),
    ("jalapeños", "1 jalapeno", OUT),
    ("creme fraiche", "½ cup crème fraîche", OUT),
    ("CRÈME FRAÎCHE", "1/2 cup creme fraiche", OUT),
    ("crème fraîche", "1 cup cre\u0300me frai\u0302che", OUT),
    ("all-purpose flour", "2 cups all purpose flour", OUT),
    ("all purpose flour", "2½ cups ALL-PURPOSE FLOUR", OUT),
    ("half-and-half", "1 cup half and half", OUT),
    ("wal\u00adnut", "1 cup walnuts\u200b, chopped", OUT),
    ("œufs", "2 oeufs", OUT),
    ("aebleskiver", "6 æbleskiver", OUT),
    ("rugbrod", "4 slices rugbrød", OUT),
    ("maslo", "100 g masło", OUT),
    ("fistik", "50 g fıstık", OUT),
    ("half and half", "1 cup half & half", OUT),
    ("confectioners sugar", "1 cup confectioners' sugar", OUT),
    ("confectioner's sugar", "1 cup confectioners’ sugar", OUT),
    # Several words stand side by side.
    ("olive oil", "2 Tbsp. extra-virgin olive oil", OUT),
    ("virgin olive oil", "1 cup extra-virgin olive oil", OUT),
    ("olive oil", "1 cup olives in oil", IN),
    ("olive oil", "1 olive, oil for frying", IN),
    ("all-purpose flour", "2 cups (300g) plain (all-purpose) flour", OUT),
    ("olives", "1/4 cup Kalamata olives, pitted", OUT),
    ("olives", "3 Tbsp. extra-virgin olive oil", IN),
    ("fish sauce", "1 lb. fish, sauce on the side", IN),
    ("green beans", "1 bunch green onions, 1 can beans", IN),
    # Nuts.
    ("nuts", "1/2 cup walnuts, chopped", OUT),
    ("nut", "1/2 cup pecan halves", OUT),
    ("nuts", "1/3 cup sliced almonds", OUT),
    ("Nuts", "2 oz. hazelnuts, toasted", OUT),
    ("tree nuts", "1/4 cup shelled pistachios", OUT),
    ("nuts", "2 Tbsp. pine nuts", OUT),
    ("nuts", "1 cup roasted cashews", OUT),
    ("nuts", "3 Tbsp. smooth peanut butter", OUT),
    ("nuts", "1 cup unsweetened almond milk", OUT),
    ("nuts", "7 oz. marzipan", OUT),
    ("nuts", "1/2 cup Nutella", OUT),
    ("nuts", "1 oz. amaretto", OUT),
    ("nuts", "6 ginger nuts, crushed", OUT),  # biscuits, but the word is there
    ("nuts", "1 cup roasted chestnuts", OUT),
    ("nuts", "1 can sliced water chestnuts", IN),
    ("nuts", "1 (13.5-oz.) can coconut milk", IN),
    ("nuts", "1 cup shredded coconut", IN),
    ("nuts", "1/4 tsp. freshly grated nutmeg", IN),
    ("nuts", "1 butternut squash, peeled", IN),
    ("nuts", "2 glazed doughnuts", IN),
    ("nuts", "2 donuts, torn", IN),
    ("nuts", "1 Tbsp. nutritional yeast", IN),
    ("nuts", "1 cup nut-free granola", IN),
    ("nuts", "1 cup nut-free walnut flavoring", IN),
    ("nuts", "1 cup nut-free granola and walnuts", OUT),
    ("nuts", "1 cup nut-free granola plus walnuts", OUT),
    ("nuts", "1 cup nut-free granola with walnuts", OUT),
    # Dairy and milk.
    ("milk", "1 cup buttermilk", OUT),
    ("milk", "1 cup whole milk", OUT),
    ("dairy", "1 cup buttermilk, shaken", OUT),
    ("dairy", "1/2 cup heavy cream", OUT),
    ("dairy", "4 Tbsp. (1/2 stick) unsalted butter", OUT),
    ("dairy", "1 cup grated Parmesan", OUT),
    ("dairy", "1 cup Gruyère, shredded", OUT),
    ("dairy", "3 Tbsp. ghee", OUT),
    ("dairy", "1 scoop whey protein", OUT),
    ("dairy", "½ cup crème fraîche", OUT),
    ("dairy", "4 oz. milk chocolate", OUT),
    ("dairy", "1 cup half-and-half", OUT),
    ("dairy", "1 cup Greek yoghurt", OUT),
    ("dairy", "2 Tbsp. vegan butter or butter", OUT),
    ("dairy", "1 cup coconut milk or whole milk", OUT),
    ("dairy", "1 can coconut milk", IN),
    ("dairy", "2 Tbsp. coconut cream", IN),
    ("dairy", "1 cup almond milk", IN),
    ("dairy", "1 cup grated coconut (milk if too dry)", OUT),
    ("dairy", "1 cup unsweetened oat milk", IN),
    ("dairy", "1/4 tsp. cream of tartar", IN),
    ("dairy", "2 oz. cocoa butter", IN),
    ("dairy", "1/2 cup peanut butter", IN),
    ("dairy", "1 head butter lettuce", IN),
    ("dairy", "1 butternut squash", IN),
    ("dairy", "1 can butter beans", IN),
    ("dairy", "2 Tbsp. vegan butter", IN),
    ("dairy", "1 cup dairy-free cream cheese", IN),
    ("dairy", "1 cup butterscotch chips", OUT),
    ("cheese", "1/4 cup Parmigiano-Reggiano", OUT),
    # Gluten.
    ("gluten", "2 cups all-purpose flour", OUT),
    ("gluten", "1 cup whole wheat pastry flour", OUT),
    ("gluten", "1 lb. spaghetti", OUT),
    ("gluten", "1/2 cup panko breadcrumbs", OUT),
    ("gluten", "1 cup pearl barley", OUT),
    ("gluten", "1 cup couscous", OUT),
    ("gluten", "2 Tbsp. soy sauce", OUT),
    ("gluten", "12 oz. egg noodles", OUT),
    ("gluten", "1 (12-oz.) bottle lager beer", OUT),
    ("wheat", "1 cup bulgur", OUT),
    ("gluten", "1 cup buckwheat groats", IN),
    ("gluten", "8 oz. rice noodles", IN),
    ("gluten", "1 cup gluten-free flour", IN),
    ("gluten", "1 cup gluten free all-purpose flour", IN),
    ("gluten", "1 cup all-purpose flour or gluten-free flour", OUT),
    ("gluten", "2 cups almond flour", IN),
    ("gluten", "1/2 cup rice flour", IN),
    ("gluten", "1 cup buckwheat flour", IN),
    ("gluten", "8 corn tortillas", IN),
    ("gluten", "8 flour tortillas", OUT),
    ("gluten", "1 bottle root beer", IN),
    ("gluten", "1 cup cauliflower florets", IN),
    # Egg.
    ("eggs", "3 large egg whites", OUT),
    ("egg", "1/2 cup mayonnaise", OUT),
    ("eggs", "12 oz. wide egg noodles", OUT),
    ("egg", "4 eggs free range", OUT),
    ("eggs", "4 large free-range eggs", OUT),
    ("egg", "2 eggs free of any shell", OUT),
    ("egg", "1 eggplant, cubed", IN),
    ("egg", "2 Tbsp. egg-free mayonnaise", IN),
    ("egg", "1/2 cup vegan mayonnaise", IN),
    # Fish and shellfish.
    ("fish", "1 lb. salmon fillet", OUT),
    ("fish", "2 swordfish steaks", OUT),
    ("fish", "1 Tbsp. fish sauce", OUT),
    ("fish", "1 tsp. Worcestershire sauce", OUT),
    ("fish", "1 tsp. anchovy paste", OUT),
    ("fish", "1 lb. large shrimp", IN),
    ("shellfish", "1 lb. large shrimp, peeled", OUT),
    ("shellfish", "12 king prawns", OUT),
    ("shellfish", "2 Tbsp. oyster sauce", OUT),
    ("shellfish", "8 oz. oyster mushrooms", IN),
    ("shellfish", "1 lb. cod", IN),
    ("shellfish", "1 lb. jumbo pasta shells", IN),
    ("seafood", "1 dozen littleneck clams", OUT),
    ("seafood", "1 lb. halibut", OUT),
    ("shrimp", "12 king prawns", OUT),
    # Soy and sesame.
    ("soy", "2 Tbsp. low-sodium soy sauce", OUT),
    ("soy", "1 block firm tofu", OUT),
    ("soya", "1 Tbsp. white miso", OUT),
    ("soy", "1 cup shelled edamame", OUT),
    ("soy", "1 Tbsp. tamari", OUT),
    ("soy", "1/4 cup coconut aminos", IN),
    ("sesame", "3 Tbsp. tahini", OUT),
    ("sesame", "1 tsp. toasted sesame oil", OUT),
    ("sesame", "1 cup hummus", OUT),
    ("sesame", "1 Tbsp. poppy seeds", IN),
    # Pork, meat.
    ("pork", "4 slices bacon", OUT),
    ("pork", "4 oz. pancetta, diced", OUT),
    ("pork", "100 g lardons", OUT),
    ("pork", "1 Tbsp. lard", OUT),
    ("pork", "1 link chorizo", OUT),
    ("pork", "2 slices ham", OUT),
    ("bacon", "1 pork chop", IN),
    ("bacon", "4 slices turkey bacon", OUT),
    ("pork", "1 envelope unflavored gelatin", OUT),
    ("pork", "4 slices turkey bacon", IN),
    ("pork", "1 lb. hamburger buns", IN),
    ("meat", "4 slices turkey bacon", OUT),
    ("meat", "1 lb. ground beef", OUT),
    ("meat", "1 lb. flank steak", OUT),
    ("meat", "2 cups chicken stock", OUT),
    ("meat", "1 cube beef bouillon", OUT),
    ("meat", "6 slices prosciutto", OUT),
    ("meat", "1 envelope gelatin", OUT),
    ("meat", "4 cups vegetable stock", IN),
    ("meat", "3 beefsteak tomatoes", IN),
    ("meat", "4 cauliflower steaks", IN),
    ("meat", "12 oz. vegan sausage", IN),
    ("meat", "12 oz. red meat substitute", IN),
    ("meat", "flesh of 1 coconut (about 2 cups coconut meat)", IN),
    ("chicken", "2 cups low-sodium chicken broth", OUT),
    ("beef", "1 (2-lb.) brisket", OUT),
    # Alcohol.
    ("alcohol", "1 cup dry white wine", OUT),
    ("alcohol", "2 Tbsp. mirin", OUT),
    ("alcohol", "1 oz. gin", OUT),
    ("alcohol", "1 tsp. vanilla extract", OUT),  # a third of it is alcohol
    ("alcohol", "2 dashes Angostura bitters", OUT),
    ("alcohol", "1 vanilla bean, split", IN),
    ("alcohol", "1 Tbsp. red wine vinegar", IN),
    ("alcohol", "1 Tbsp. rice wine vinegar", IN),
    ("alcohol", "1 Tbsp. hard cider vinegar", IN),
    ("alcohol", "4 oz. ginger ale", IN),
    ("alcohol", "1 cup ginger beer", IN),
    ("alcohol", "1 can root beer", IN),
    ("alcohol", "1 Tbsp. grated ginger", IN),
    ("alcohol", "2 portobello mushrooms", IN),
    # What says no more of an ingredient than that it is asked for.
    ("whole milk", "300 ml milk", OUT),
    ("cow's milk", "300 ml milk", OUT),
    ("unsalted butter", "40 g melted butter", OUT),
    ("all-purpose flour", "220 g self-raising flour", OUT),
    ("no nuts", "60 g walnuts", OUT),
    ("without nuts", "60 g walnuts", OUT),
    ("nut-free", "60 g walnuts", OUT),
    ("all nuts (chopped)", "60 g hazelnuts", OUT),
    ("dairy products", "40 g melted butter", OUT),
    ("red meat", "1 lb. ground beef", OUT),
    ("raw eggs", "1 egg", OUT),
    ("whole milk", "1 onion", IN),
    ("without", "1 onion", IN),
    ("olive oil", "2 Tbsp. sunflower oil", IN),
]
INCLUDED = [
    ("nuts", "1/2 cup walnuts, chopped", True),
    ("nuts", "1/2 cup peanut butter", True),
    ("nuts", "1/4 tsp. nutmeg", False),
    ("nuts", "1 cup coconut", False),
    ("meat", "1 lb. ground beef", True),
    ("meat", "4 slices bacon", True),
    ("meat", "1 envelope gelatin", False),
    ("fish", "1 lb. salmon", True),
    ("fish", "1 tsp. Worcestershire sauce", False),
    ("eggs", "1 egg", True),
    ("eggs", "1/2 cup mayonnaise", False),
    ("dairy", "1 cup coconut milk", False),
    ("pork", "1 pork chop", True),
    ("pork", "4 slices turkey bacon", False),
    ("alcohol", "1 cup red wine", True),
    ("alcohol", "1 tsp. vanilla extract", False),
    ("tomatoes", "1 can tomato sauce", True),
    ("jalapeno", "1 jalapeño", True),
    ("berries", "1 cup blueberries", True),
    ("corn", "1 lb. corned beef", False),
    ("corn", "2 Tbsp. cornstarch", False),
    ("nuts", "1 cup mixed nuts", True),
    ("bacon", "1 pork chop", False),
    ("olives", "2 Tbsp. olive oil", False),
    ("olive oil", "olives in oil", False),
    ("milk", "1 cup buttermilk", True),
    # Unlike what is excluded, what is included may be asked for closely.
    ("whole milk", "1 cup whole milk", True),
    ("whole milk", "300 ml milk", False),
]


def one(line):
    return RowFilter([dataset_recipe(0, [line])])


@pytest.mark.parametrize(("asked", "line", "left_out"), EXCLUDED)
def test_what_is_excluded(asked, line, left_out):
    fits = one(line).rows(Filters(exclude=(asked,)))
    assert (fits is not None) == left_out


@pytest.mark.parametrize(("asked", "line", "found"), INCLUDED)
def test_what_is_included(asked, line, found):
    fits = one(line).rows(Filters(include=(asked,)))
    assert (fits is None) == found


INGREDIENTS = [
    ["2 EGGS, beaten", "1 tbsp olive  oil"],
    ["1 eggplant", "vegetable oil"],
    ["3 tomatoes", "licorice"],
    ["2 cups berries", "olives", "oil"],
    [],
    ["1 egg", "half-and-half", "extra virgin olive oil"],
]
GROUPS = [0, 0, 2, 3, 4, 2]
UNLISTED = 4
CLASSES = ["omelette", "curry", None, "tart", "tart", "omelette"]


@pytest.fixture(scope="module")
def row_filter():
    """Six recipes, one of which lists no ingredients."""
    return RowFilter(
        [
            dataset_recipe(row, names, dish_class=CLASSES[row], photo_group=GROUPS[row])
            for row, names in enumerate(INGREDIENTS)
        ]
    )


def fitting(row_filter, **asked):
    rows = row_filter.rows(Filters(**asked))
    return list(range(len(INGREDIENTS))) if rows is None else np.flatnonzero(rows).tolist()


@pytest.mark.parametrize(
    ("ingredient", "rows"),
    [
        ("egg", [0, 5]),
        ("Eggs", [0, 5]),
        ("Tomato", [2]),
        ("tomatoes", [2]),
        ("berry", [3]),
        ("berries", [3]),
        ("olives", [3]),
        ("oils", [0, 1, 3, 5]),
        ("olive oil", [0, 5]),
        ("virgin olive oil", [5]),
        ("half-and-half", [5]),
        ("half and half", [5]),
        ("rice", []),
        ("olive egg", []),
        ("%", []),
    ],
)
def test_an_ingredient_is_whole_words_in_singular_or_plural(row_filter, ingredient, rows):
    assert fitting(row_filter, include=(ingredient,)) == rows
    left = set(range(6)) - set(rows) - ({UNLISTED} if ingredient != "%" else set())
    assert fitting(row_filter, exclude=(ingredient,)) == sorted(left)


def test_filters_are_joined(row_filter):
    assert fitting(row_filter) == [0, 1, 2, 3, 4, 5]
    assert fitting(row_filter, include=("oil", "egg")) == [0, 5]
    assert fitting(row_filter, include=("oil",), exclude=("egg",)) == [1, 3]
    assert fitting(row_filter, dish_classes=("tart", "curry")) == [1, 3, 4]
    assert fitting(row_filter, dish_classes=("tart",), include=("oil",)) == [3]


def test_copies_of_a_photo(row_filter):
    assert fitting(row_filter, not_of_photo=0) == [2, 3, 4, 5]
    assert fitting(row_filter, unique_photos=True) == [0, 2, 3, 4]


def test_what_lists_no_ingredients_may_hold_anything():
    for listed in ([], [""], ["..."]):
        bare = RowFilter([dataset_recipe(0, listed)])
        assert bare.rows(Filters(include=("egg",))).tolist() == [False]
        for excluded in ("egg", "walnut", "olive oil", "nuts"):
            assert bare.rows(Filters(exclude=(excluded,))).tolist() == [False]
        assert bare.rows(Filters(exclude=("%",))) is None


def test_a_name_in_another_language_asks_for_its_family(monkeypatch, tmp_path):
    """All that it takes is a word in the data file."""
    text = ingredients._FILE.read_text(encoding="utf-8")
    file = tmp_path / "ingredients.yaml"
    file.write_text(text.replace("[nut, tree nut]", "[nut, noix]"), encoding="utf-8")
    before = ingredients.edition()
    monkeypatch.setattr(ingredients, "_FILE", file)
    caches = [value for value in vars(ingredients).values() if hasattr(value, "cache_clear")]
    for cached in caches:
        cached.cache_clear()
    try:
        assert ingredients.edition() != before
        for line in ("50 g Noix de Grenoble", "1 pecan"):
            assert one(line).rows(Filters(exclude=("NOIX",))).tolist() == [False]
    finally:
        for cached in caches:
            cached.cache_clear()


def test_the_examples_beside_the_code_are_right():
    assert doctest.testmod(ingredients).failed == 0


FAMILIES = yaml.safe_load(ingredients._FILE.read_text(encoding="utf-8"))["families"]


@pytest.mark.parametrize("name", FAMILIES)
def test_the_data_file_says_what_is_understood(name):
    family = FAMILIES[name]
    keys = {"asked", "parts", "members", "carriers", "exceptions", "without"}
    assert family["asked"] and set(family) <= keys, "a key that nobody reads"
    before = list(FAMILIES)[: list(FAMILIES).index(name)]
    assert set(family.get("parts", [])) <= set(before)
    phrases = [
        phrase
        for key in ("asked", "members", "carriers", "exceptions", "without")
        for phrase in family.get(key, [])
    ]
    assert all(isinstance(phrase, str) for phrase in phrases), "YAML takes some words for others"
    stems = [ingredients._stems(ingredients.folded(phrase)) for phrase in phrases]
    assert all(stems) and len(stems) == len(set(stems)), "said twice, or nothing"
    for phrase in family["asked"] + family.get("members", []):
        assert one(phrase).rows(Filters(include=(family["asked"][0],))) is None, phrase
    for phrase in family.get("carriers", []):
        assert one(phrase).rows(Filters(exclude=(family["asked"][0],))) is not None, phrase
    for phrase in family.get("exceptions", []):
        assert one(phrase).rows(Filters(exclude=(family["asked"][0],))) is None, phrase


def test_many_threads_may_ask_at_once():
    words = [f"{start}{end}" for start in "bcdfgl" for end in ("erries", "ings", "ational", "ed")]
    alone = [ingredients.asked_terms(word) for word in words]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(8) as pool:
            for _ in range(5):
                ingredients.stem.cache_clear()
                together = pool.map(ingredients.asked_terms, words * 4)
                assert list(together) == alone * 4
    finally:
        sys.setswitchinterval(interval)
