"""The dish class of a recipe: the head noun of its title."""

import re
import unicodedata

_PREPARATIONS = {
    "soup": "soup bisque chowder broth gazpacho minestrone borscht consomme vichyssoise ramen pho",
    "stew": "stew chili chile-verde gumbo goulash tagine ragout ragu cassoulet jambalaya birria "
    "stroganoff bourguignon posole",
    "curry": "curry masala vindaloo korma dal dahl",
    "salad": "salad slaw coleslaw tabbouleh panzanella",
    "pasta": "pasta spaghetti linguine fettuccine penne rigatoni lasagna lasagne macaroni orzo "
    "ravioli gnocchi orecchiette pappardelle tagliatelle cavatelli bucatini fusilli farfalle "
    "tortellini ziti cannelloni carbonara strozzapreti campanelle manicotti mac-and-cheese",
    "noodles": "noodle soba udon lo-mein",
    "rice": "rice risotto pilaf paella congee biryani",
    "grains": "quinoa couscous bulgur farro polenta grits",
    "porridge": "porridge oatmeal granola muesli",
    "pizza": "pizza flatbread focaccia calzone",
    "sandwich": "sandwich panini sub hoagie blt grilled-cheese hot-dog torta wrap",
    "burger": "burger hamburger cheeseburger slider",
    "taco": "taco burrito quesadilla enchilada fajita tostada tamale nachos",
    "sushi": "sushi nigiri maki sashimi",
    "dumplings": "dumpling wonton pierogi potsticker pot-sticker gyoza",
    "egg dish": "egg omelet omelette frittata quiche strata scramble huevos shakshuka",
    "bread": "bread roll bun biscuit baguette loaf brioche naan bagel cornbread challah popover "
    "pretzel crouton breadstick pita stollen",
    "toast": "toast crostini bruschetta crostino",
    "muffin": "muffin scone",
    "doughnut": "doughnut donut beignet fritter churro zeppole cruller",
    "pancakes": "pancake waffle crepe blini blintz latke hotcake",
    "cake": "cake cupcake cheesecake gingerbread torte gateau shortcake coffeecake bundt",
    "pie": "pie tart galette tartlet crostata tarte empanada turnover",
    "cookies": "cookie biscotti shortbread macaroon macaron snickerdoodle gingersnap linzer",
    "bars": "brownie bar blondie",
    "crumble": "crisp crumble cobbler buckle betty clafouti clafoutis",
    "pudding": "pudding custard flan mousse panna-cotta parfait trifle creme-brulee tiramisu "
    "souffle pot-de-creme blancmange fool",
    "frozen dessert": "ice-cream sorbet granita gelato sherbet popsicle semifreddo sundae "
    "frozen-yogurt paleta ice-pop",
    "candy": "candy fudge truffle brittle caramel toffee marshmallow praline nougat bark",
    "cocktail": "cocktail martini margarita punch sangria mojito spritz daiquiri sour fizz "
    "cosmopolitan manhattan negroni julep highball toddy mimosa bellini shot collins gimlet "
    "caipirinha bloody-mary swizzle sling mule",
    "drink": "smoothie lemonade tea coffee cider juice shake milkshake cocoa eggnog lassi "
    "hot-chocolate limeade agua-fresca",
    "sauce": "sauce salsa gravy vinaigrette dressing pesto aioli chutney relish mayonnaise "
    "marinade ketchup mustard syrup glaze rub butter jam marmalade chimichurri pickle jelly",
    "dip": "dip hummus guacamole spread pate tapenade rillettes",
    "meatballs": "meatball meatloaf kofta kebab kabob skewer satay",
    "stuffing": "stuffing",
    "gratin": "gratin casserole parmigiana moussaka bake",
}

_MAIN_INGREDIENTS = {
    "chicken": "chicken hen wing drumstick poussin",
    "turkey and duck": "turkey duck goose quail",
    "ribs and chops": "rib chop cutlet schnitzel",
    "beef": "beef steak brisket sirloin filet-mignon pot-roast prime-rib rib-eye",
    "pork": "pork ham bacon sausage prosciutto carnitas chorizo bratwurst",
    "lamb": "lamb mutton",
    "fish": "fish salmon tuna cod halibut trout bass snapper tilapia swordfish sole flounder "
    "mahi-mahi branzino char catfish mackerel sardine anchovy",
    "shellfish": "shrimp lobster crab clam mussel oyster scallop prawn squid calamari octopus",
    "potatoes": "potato fries hash yam",
    "beans": "bean lentil chickpea",
    "nuts": "nut almond walnut pecan cashew pistachio hazelnut peanut",
    "vegetables": "vegetable broccoli asparagus carrot cauliflower kale spinach zucchini squash "
    "eggplant cabbage brussels-sprout sprout beet pea green corn artichoke mushroom ratatouille "
    "tomato turnip parsnip leek fennel okra broccolini chard rapini succotash pepper onion",
}


def _class_of(words_of_class: dict[str, str]) -> dict[str, str]:
    return {word: name for name, words in words_of_class.items() for word in words.split()}


_PREPARATION_OF = _class_of(_PREPARATIONS)
_INGREDIENT_OF = _class_of(_MAIN_INGREDIENTS)
_KNOWN = _PREPARATION_OF | _INGREDIENT_OF
_ADJECTIVES = {
    "crisp",
    "butter",
    "tart",
    "sour",
    "caramel",
    "rub",
    "cocoa",
    "coffee",
    "tea",
    "cider",
}
"""Known nouns that are adjectives or flavours unless they end the phrase."""

_HEAD_ENDS = re.compile(
    r"\b(?:with|in|on|over|from|for|alla|al|aux?|a la|topped|served)\b|[:;(]"
    r"|,(?!.*(?:\band\b|&))"
)
_WORDS = re.compile(r"[a-z'’]+")

DISH_CLASSES = (*_PREPARATIONS, *_MAIN_INGREDIENTS)


def dish_class(title: str) -> str | None:
    """Return the dish class that a recipe's title names, or None.

    The head of a title is the part before the first "with", "in" and the like (a comma ends it
    too, unless it separates a list), and in English its noun stands last, so the head is read
    from the right. A word for a preparation
    (soup, cake) wins over a main ingredient (chicken). What follows the head is garnish and says
    nothing of the dish, so a head without a known noun gives None.

    >>> dish_class("Tomato Soup with Grilled Cheese Croutons")
    'soup'
    >>> dish_class("Chicken and Green Bean Casserole")
    'gratin'
    """
    plain = unicodedata.normalize("NFKD", title.lower())
    head = _HEAD_ENDS.split("".join(c for c in plain if not unicodedata.combining(c)), 1)[0]
    words = [_singular(word.strip("'’")) for word in _WORDS.findall(head)]
    for class_of in (_PREPARATION_OF, _INGREDIENT_OF):
        for end in range(len(words), 0, -1):
            pair, word = "-".join(words[max(end - 2, 0) : end]), words[end - 1]
            if end > 1 and pair in class_of:
                return class_of[pair]
            if word in class_of and (word not in _ADJECTIVES or end == len(words)):
                return class_of[word]
    return None


def _singular(word: str) -> str:
    """Strip a plural's ending; of several readings the one that is a known noun is taken."""
    readings = [word]
    if word.endswith("ies"):
        readings.append(word[:-3] + "y")
    if word.endswith("es"):
        readings.append(word[:-2])
    if word.endswith("s") and not word.endswith("ss"):
        readings.append(word[:-1])
    return next((reading for reading in readings if reading in _KNOWN), readings[-1])
