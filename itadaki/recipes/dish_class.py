"""The dish class of a recipe: the head noun of its title."""

import re
import sys
import unicodedata
from collections.abc import Mapping

from itadaki.storage.fingerprint import code_fingerprint

_PREPARATIONS = {
    "soup": "soup soupe zuppa bisque chowder broth stock gazpacho minestrone borscht consomme "
    "vichyssoise ramen pho caldo caldo-verde ribollita avgolemono harira menudo tom-yum tom-kha "
    "ajo-blanco bouillon potage veloute brodo",
    "stew": "stew chili chile-verde chili-verde gumbo goulash tagine ragout ragu cassoulet "
    "jambalaya birria stroganoff bourguignon posole pozole bouillabaisse cioppino etouffee daube "
    "feijoada coq osso-buco osso-bucco pot-au-feu",
    "curry": "curry tikka-masala masala vindaloo korma dal dahl daal dhal rendang country-captain "
    "rogan-josh palak-paneer",
    "salad": "salad salade ensalada insalata slaw coleslaw kaleslaw lettuce iceberg tabbouleh "
    "tabouli tabouleh panzanella fattoush caprese",
    "pasta": "pasta spaghetti linguine linguini fettuccine fettucine penne rigatoni lasagna "
    "lasagne macaroni orzo ravioli gnocchi orecchiette pappardelle tagliatelle cavatelli bucatini "
    "fusilli farfalle tortellini tortelloni ziti cannelloni carbonara strozzapreti campanelle "
    "manicotti mac-and-cheese mac-n-cheese mac-cheese capellini angel-hair gnudi gemelli bow-tie "
    "cacio-e-pepe perciatelli ditalini fregola paccheri garganelli casarecce spaetzle agnolotti "
    "maltagliati pastitsio pasta-e-fagioli fideo vermicelli cavatappi reginetti orrechiette",
    "noodles": "noodle soba udon lo-mein chow-mein pad-thai yakisoba japchae yaka-mein",
    "rice": "rice risotto pilaf pilau pulao pelau perloo purloo paella congee biryani arroz "
    "bibimbap arancini onigiri arroz-con-pollo hoppin-john",
    "grains": "quinoa couscous bulgur bulgar farro polenta grits barley millet freekeh "
    "wheat-berry kasha grain-bowl",
    "porridge": "porridge oatmeal overnight-oats granola muesli cereal",
    "pizza": "pizza pizzetta flatbread focaccia calzone stromboli pissaladiere",
    "sandwich": "sandwich sandwiche sammie panini panino sub hoagie hero blt grilled-cheese "
    "hot-dog chili-dog corn-dog wrap toastie melt gyro po-boy po'-boy poboy banh-mi "
    "croque-monsieur croque-madame muffuletta sloppy-joe cubano reuben lobster-roll crab-roll "
    "shrimp-roll clam-roll salad-roll turkey-club cheesesteak mollete",
    "burger": "burger hamburger cheeseburger steakburger slider",
    "taco": "taco burrito quesadilla enchilada fajita tostada tamale tamal nachos taquito flauta "
    "gordita chilaquiles enfrijolada chimichanga",
    "sushi": "sushi nigiri maki sashimi california-roll hand-roll sushi-roll tuna-roll "
    "salmon-roll hosomaki futomaki uramaki gunkan",
    "dumplings": "dumpling wonton pierogi potsticker pot-sticker gyoza shumai momo kreplach "
    "matzo-ball mandu manti siu-mai",
    "egg dish": "egg omelet omelette frittata quiche strata scramble huevos shakshuka migas "
    "spanish-tortilla tortilla-espanola matzo-brei",
    "bread": "bread bun biscuit baguette roll loaf brioche naan bagel cornbread challah popover "
    "pretzel crouton breadstick pita stollen fougasse lavash roti poori puri paratha tortilla "
    "ciabatta panettone croissant babka topknot injera matzo schnecken fantail",
    "toast": "toast crostini bruschetta crostino crostone tartine canape rarebit welsh-rabbit "
    "pan-con-tomate",
    "muffin": "muffin scone",
    "doughnut": "doughnut donut beignet fritter churro zeppole cruller sufganiyot bomboloni "
    "bunuelo malasada",
    "pancakes": "pancake waffle crepe blini blintz latke hotcake okonomiyaki dutch-baby "
    "johnnycake hoecake flapjack griddle-cake dosa",
    "cake": "cake cupcake cheesecake gingerbread torte gateau shortcake coffeecake bundt "
    "fruitcake madeleine financier ciambella pavlova kuchen whoopie-pie moonpie cake-pop friand "
    "dacquoise linzertorte sachertorte sponge",
    "pie": "pie tart galette gallete tartlet crostata tarte empanada turnover strudel tart-tatin",
    "cookies": "cookie biscotti shortbread macaroon macaron snickerdoodle gingersnap linzer sable "
    "rugelach florentine ladyfinger tuile amaretti hamantaschen lebkuchen meringue thumbprint "
    "sandie crescent crinkle",
    "bars": "brownie bar blondie square",
    "crumble": "crisp crumble cobbler buckle betty clafouti clafoutis pandowdy",
    "pudding": "pudding custard flan mousse panna-cotta pannacotta parfait trifle creme-brulee "
    "tiramisu souffle pot-de-creme blancmange fool zabaglione sabayon budino posset syllabub "
    "creme-caramel floating-island roly-poly zuppa-inglese bavarian",
    "frozen dessert": "ice-cream sorbet sorbetto granita gelato sherbet popsicle pop semifreddo "
    "semifreddi sundae frozen-yogurt paleta ice-pop ice bombe affogato baked-alaska kulfi "
    "ice-cream-sandwich frozen-custard ice-cream-bar banana-split",
    "candy": "candy fudge truffle brittle caramel toffee marshmallow praline nougat bark marzipan "
    "halva halvah torrone nougatine buckeye peanut-butter-cup bonbon turkish-delight",
    "cocktail": "cocktail martini margarita punch sangria mojito spritz daiquiri sour fizz "
    "cosmopolitan cosmo manhattan negroni julep highball toddy mimosa bellini collins gimlet "
    "caipirinha bloody-mary swizzle sling mule sazerac boulevardier old-fashioned michelada smash "
    "buck spritzer royale sidecar brandy-alexander sbagliato paloma mai-tai pina-colada "
    "gin-and-tonic cognac-and-tonic buttered-rum rusty-nail prosecco wassail grog glogg gluhwein "
    "rickey jell-o-shot tequila-sunrise",
    "drink": "drink smoothie lemonade tea coffee cider juice shake milkshake cocoa eggnog lassi "
    "hot-chocolate limeade agua-fresca soda slushie slush shrub refresher horchata cordial latte "
    "chai float limonada cooler sparkling-water egg-cream root-beer kombucha nog frappe tonic "
    "wine ginger-ale bubble-tea iced-tea iced-coffee cold-brew vodka limoncello",
    "sauce": "sauce salsa gravy vinaigrette dressing pesto aioli chutney relish mayonnaise mayo "
    "marinade ketchup mustard syrup glaze butter chimichurri harissa romesco raita tzatziki "
    "pico-de-gallo chili-crisp chile-crisp remoulade hollandaise bearnaise applesauce gremolata "
    "chermoula marinara coulis pistou sambal",
    "dip": "dip hummus guacamole spread pate tapenade rillettes labneh labne queso fondue "
    "baba-ghanoush baba-ganoush skordalia muhammara",
    "meatballs": "meatball meatloaf meat-loaf kofta kofte albondigas kibbeh polpette",
    "stuffing": "stuffing cornbread-dressing bread-dressing oyster-dressing sausage-dressing",
    "gratin": "gratin casserole parmigiana moussaka bake kugel",
}

_MAIN_INGREDIENTS = {
    "chicken": "chicken hen wing drumstick poussin capon pollo poulet",
    "turkey and duck": "turkey duck goose quail pheasant squab",
    "ribs and chops": "rib chop cutlet schnitzel sparerib short-rib",
    "beef": "beef steak brisket sirloin filet-mignon pot-roast prime-rib rib-roast rib-eye ribeye "
    "porterhouse tri-tip london-broil carne-asada picadillo ropa-vieja bulgogi chuck-roast "
    "strip-loin pastrami oxtail veal brasato",
    "pork": "pork ham sausage carnitas bratwurst porchetta kielbasa pernil",
    "lamb": "lamb mutton",
    "fish": "fish salmon tuna hake fluke poke branzini cod halibut trout bass snapper tilapia "
    "swordfish sole flounder mahi-mahi mahimahi branzino char catfish mackerel sardine monkfish "
    "dorade herring mullet haddock grouper saltfish yellowtail hamachi crudo ceviche gravlax "
    "sturgeon rockfish barramundi bluefish skate turbot arctic-char pompano",
    "shellfish": "shrimp lobster crab clam mussel oyster scallop prawn squid calamari octopus "
    "crawfish crayfish langoustine scampi shellfish crabmeat cockle",
    "potatoes": "potato fries hash yam rosti fingerling hash-brown tater-tot",
    "beans": "bean lentil chickpea chick-pea garbanzo edamame black-eyed-pea frijole",
    "nuts": "nut almond walnut pecan cashew pistachio hazelnut peanut chestnut macadamia",
    "vegetables": "vegetable veggie broccoli asparagus carrot cauliflower kale spinach zucchini "
    "squash eggplant cabbage brussels-sprout sprout beet pea greens corn ratatouille arugula "
    "artichoke mushroom tomato tomatillo turnip parsnip leek fennel okra broccolini chard rapini "
    "succotash peppers red-pepper stuffed-pepper kabocha bell-pepper onion bok-choy choy radish "
    "endive radicchio escarole collards cucumber pumpkin celery celery-root celeriac shallot "
    "scallion ramp haricots-verts romaine watercress rutabaga kohlrabi jicama sunchoke portobello "
    "shiitake chanterelle crudites caponata poblanos jalapenos chiles-rellenos chile-relleno "
    "sauerkraut kimchi pickles broccoli-rabe carciofi fiddlehead tsimis tzimmes spaghetti-squash "
    "chiles chilies cauliflower-rice",
}

_OTHERS = {
    "fruit": "fruit apple pear peach plum fig cherry apricot banana date orange grape pineapple "
    "mango melon watermelon berry strawberry raspberry blueberry blackberry cranberry nectarine "
    "rhubarb quince grapefruit kumquat prune raisin olive avocado plantain compote tangerine "
    "fruit-cup",
    "cheese": "cheese brie feta ricotta manchego halloumi cheddar gruyere yogurt",
    "seasoning": "rub seasoning spice salt powder brine vinegar oil sugar topping crumb",
    "preserve": "jam jelly marmalade preserves conserve curd honey",
    "frosting": "frosting icing ganache buttercream cream",
    "pastry": "cream-puff eclair profiterole cannoli baklava napoleon mille-feuille danish",
    "snack": "popcorn cracker chip crisps croquette patty spring-roll summer-roll egg-roll "
    "lettuce-cup kebab kabob skewer brochette satay tofu tempeh drinks-bar",
}
"""Nouns that say what a dish is but belong to no class, so that no word before them gives one."""

_FAINT = {
    "cake": "roulade",
    "candy": "candied",
    "fish": "anchovy",
    "pasta": "shells",
    "pork": "bacon prosciutto pancetta chorizo",
    "sauce": "mole mojo bolognese",
}
"""Words that give the class only where the head has no other noun."""

_FLAVOURS = (
    "crisp butter tart sour caramel cocoa coffee tea cider juice mustard syrup glaze ice pop smash "
    "buck float melt hero sub royale cooler drink bar meringue manhattan pumpkin corn curry masala "
    "chili wine vodka tonic prosecco bake"
)
"""Nouns that, like nuts and whatever has no class, are adjectives unless they end the phrase."""

_MEATS = frozenset(
    ("chicken", "turkey and duck", "ribs and chops", "beef", "pork", "lamb", "fish", "shellfish")
)
_SIDES = ("sauce", "meatballs")  # which a dish of something "and" these is not
_SAVOURY = {name: name for name in (*_MEATS, "potatoes", "beans", "rice", "grains")}
_GARDEN = _SAVOURY | {"vegetables": "vegetables"}
_BY_INGREDIENT = {
    "steak wing drumstick cutlet schnitzel bulgogi poke pot-roast rib-roast fries chip croquette "
    "patty kebab kabob skewer brochette satay ceviche crudo scampi fritter pickle smash "
    "square": _GARDEN,
    "sausage mousse": {name: name for name in _MEATS},
    "loaf": {name: name for name in (*_MEATS, "beans")},
    "cake": _SAVOURY,
    "roll": {name: name for name in (*_MEATS, "vegetables")},
    "souffle": dict.fromkeys(("cheese", "vegetables", "fish", "shellfish", "grains"), "egg dish"),
    "caprese": {name: name for name in ("pasta", "pizza", "sandwich")},
    "crumble": {"snack": "snack"},
    "crisps": {"fruit": "crumble"},
}
"""Nouns of a cut or a shape: the ingredient before them gives the class, where it is one of
these."""


def _forms(table: Mapping[str, str]) -> dict[str, str]:
    """Each word of a table, and its plurals, with what it stands for."""
    forms: dict[str, str] = {}
    for name, words in table.items():
        for word in words.split():
            first, dash, rest = word.partition("-")
            forms |= dict.fromkeys(_plurals(word), name)
            if dash:
                forms |= dict.fromkeys((f"{first}s-{rest}", f"{first}s-{rest}s"), name)
    return forms


def _plurals(word: str) -> list[str]:
    plurals = [word, word + "s", word + "es"]
    if word.endswith("y"):
        plurals.append(word[:-1] + "ies")
    if word.endswith("f"):
        plurals.append(word[:-1] + "ves")
    return plurals


_CLASSES = _PREPARATIONS | _MAIN_INGREDIENTS
# Later tables win, so that "crisps" are no "crisp" and "lobster-roll" is no "roll".
_NOUNS = _forms(_CLASSES) | _forms(_OTHERS)
_LAST_RESORTS = _forms(_FAINT)
_ADJECTIVES = set(_FLAVOURS.split()) | {
    form for form, name in _NOUNS.items() if name == "nuts" or name in _OTHERS
}
_SHAPES = {
    form: by for words, by in _BY_INGREDIENT.items() for w in words.split() for form in _plurals(w)
}
_LONGEST = max(noun.count("-") for noun in _NOUNS) + 1

_HEAD_ENDS = re.compile(
    r"(?<=\s)(?:with|in|on|over|under|without|from|for|by|alla|al|aux?|a la|atop|topped|served)\b"
    r"|w/|[:;]|,(?!.*\band\b)"
)
_BRACKETS = re.compile(r"\(([^)]*)\)?")
_MADE_LIKE = re.compile(r"\b[\w'’]+(?:[-–][\w'’]+)*[-–]\w+(?:ed|ing)\b,?|\bsweet[- ]and[- ]sour\b")
_OF = re.compile(r"(?<=\s)(?:of|de|du|di|e|con)\b")
_AND = re.compile(r"\band\b|,")
_WORDS = re.compile(r"[a-z'’]+")

_LONGEST_TITLE = 300  # characters that are looked at, whatever an imported table holds

DISH_CLASSES = (*_PREPARATIONS, *_MAIN_INGREDIENTS)


def dish_class(title: str) -> str | None:
    """Return the dish class that a recipe's title names, or None.

    The head of a title is the part before the first "with", "in" and the like (a comma ends it
    too, unless it separates a list), and in English its noun stands last, so the last noun that
    is known gives the class. What follows the head is garnish and says nothing of the dish, so a
    head without a known noun gives None, unless what is written in brackets or after a colon
    explains it.

    >>> dish_class("Tomato Soup with Grilled Cheese Croutons")
    'soup'
    >>> dish_class("Honey and Mustard Roast Chicken")
    'chicken'
    >>> dish_class("Skordalia (Garlic Dip)")
    'dip'
    """
    plain = unicodedata.normalize("NFKD", title.lower())
    plain = "".join(c for c in plain if not unicodedata.combining(c))[:_LONGEST_TITLE]
    plain = _MADE_LIKE.sub(" ", re.sub(r"[&+]", " and ", plain))
    bare = _BRACKETS.sub(" ", plain)
    if (found := _of_head(bare)) in _CLASSES:
        return found
    name, _, gloss = plain.replace(")", "").replace("(", ":").partition(":")
    if gloss and _HEAD_ENDS.split(name, maxsplit=1)[0] == name:
        explained = _of_head(gloss)
        if explained in _PREPARATIONS or (explained in _CLASSES and "," not in gloss):
            return explained
    listed = _of_head(bare.replace(",", " "))
    return listed if listed in _PREPARATIONS else None


def class_rules() -> str:
    """Identify the rules: classes that others gave must not be compared with these."""
    return code_fingerprint(sys.modules[__name__])


def _of_head(part: str) -> str | None:
    head = _HEAD_ENDS.split(part, maxsplit=1)[0]
    found = _of_phrase(head)
    if found not in _PREPARATIONS and _OF.search(head):
        before = _of_phrase(_OF.split(head, maxsplit=1)[0])
        found = before if before in _PREPARATIONS else found
    if found is None:
        words = _words(head)
        found = next((_LAST_RESORTS[word] for word in words if word in _LAST_RESORTS), None)
    return found


def _of_phrase(phrase: str) -> str | None:
    """The class of a phrase's last noun, or of the weightier item where it is a list."""
    last = _last_noun(_words(phrase))
    items = _AND.split(phrase)
    if len(items) == 1 or (last in _PREPARATIONS and last not in _SIDES):
        return last
    first = _last_noun(_words(items[0]), ends=False)
    if first in _PREPARATIONS and first not in _SIDES:
        return first
    if first in _MEATS and last != "meatballs":
        return first
    lighter = last in _MAIN_INGREDIENTS or last in ("fruit", "cheese")
    return first if first in _CLASSES and lighter and last not in _MEATS else last


def _words(phrase: str) -> list[str]:
    return [word.strip("'’") for word in _WORDS.findall(phrase)]


def _last_noun(words: list[str], ends: bool = True) -> str | None:
    """What the last known noun stands for; a flavour counts only where it ends the phrase."""
    for end in range(len(words), 0, -1):
        for start in range(max(0, end - _LONGEST), end):
            noun = "-".join(words[start:end])
            if noun in _NOUNS and (noun not in _ADJECTIVES or (ends and end == len(words))):
                by_ingredient = _SHAPES.get(noun, {})
                ingredient = _last_noun(words[:start]) if by_ingredient else None
                return by_ingredient.get(ingredient or "", _NOUNS[noun])
    return None
