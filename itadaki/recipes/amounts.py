"""Amounts in lines of ingredients, for more or fewer servings than the recipe has.

Only what is plain is changed: the amount that a line begins with, and what says the same or more of
it in another unit. A line that may mean something else stays as it is.
"""

import re
from fractions import Fraction

_LONGEST = 300  # characters of a line that is read
_VULGAR = {
    "½": (1, 2),
    "⅓": (1, 3),
    "⅔": (2, 3),
    "¼": (1, 4),
    "¾": (3, 4),
    "⅕": (1, 5),
    "⅖": (2, 5),
}
_VULGAR |= {"⅗": (3, 5), "⅘": (4, 5), "⅙": (1, 6), "⅚": (5, 6), "⅛": (1, 8), "⅜": (3, 8)}
_VULGAR |= {"⅝": (5, 8), "⅞": (7, 8)}
_SIGN = {Fraction(*parts): sign for sign, parts in _VULGAR.items()}

_NUMBER = (
    rf"(?:\d{{1,5}}\s?[{''.join(_VULGAR)}]|[{''.join(_VULGAR)}]|(?:\d{{1,5}}\s)?\d{{1,3}}[/⁄][1-9]\d{{0,2}}"
    r"|\d{1,5}[.,]\d{1,2}(?!\d)|\d{1,5})"
)
_METRIC = (
    r"(?:k?g|kilo(?:gram(?:me)?)?s?|gram(?:me)?s?|[mcd]?l|(?:milli|centi|deci)?lit(?:re|er)s?)"
)
_UNIT = (
    rf"(?:{_METRIC}|oz|ounces?|lbs?|pounds?|cups?|tbsps?|tsps?|tablespoons?|teaspoons?|sticks?"
    r"|pints?|quarts?|fl\.?\s?oz|cuill[eè]res?|c\.\s?à\s?[sc]|tasses?|livres?)(?![^\W\d_])\.?"
)
_LENGTH = r"(?:inch(?:es)?|in\.|[cm]m|pouces?|degrees?|degrés?|percent)(?![^\W\d_])"
# Not the start of a name (7-up), a date, a share, a temperature or a length.
_END = rf"(?![\d%°º'\"”″/⁄.,-]|\s?{_LENGTH})"
_AMOUNT = re.compile(
    rf"(?P<first>{_NUMBER})(?P<to>\s?(?:-|–|to|or|à|ou)\s?(?={_NUMBER}))?"
    rf"(?(to)(?P<last>{_NUMBER})){_END}"
)
_ABOUT = re.compile(r"\s*(?:(?:about|approx\.?|approximately|ca\.?|environ)\s+|[~≈]\s?)?", re.I)
_SIZE = re.compile(r"\s?\([^()]*\)|\s?[x×]\s?\d")  # of each, as in 2 (400 g) tins or 2 x 400 g
_IN_UNIT = re.compile(rf"\s?{_UNIT}", re.I)
# What says the same in another unit, and what is added.
_FURTHER = re.compile(
    r"\s?(?:/|\(|\+|plus|and|et|or|ou)\s?(?:about\s|environ\s)?(?=[\d" + "".join(_VULGAR) + "])",
    re.I,
)
_MORE = re.compile(rf"{_NUMBER}[\s-]?{_UNIT}", re.I)


def scaled(line: str, factor: Fraction) -> str | None:
    """A line of ingredients with its amounts multiplied; None where they cannot be read.

    >>> scaled("1 cup (240 ml) milk", Fraction(2))
    '2 cup (480 ml) milk'
    """
    if len(line) > _LONGEST:
        return None
    begin = _ABOUT.match(line)
    at = begin.end() if begin else 0
    amount = _AMOUNT.match(line, at)
    if not amount:
        return None
    said = line[:at]
    is_measured = True
    while amount:
        unit = _IN_UNIT.match(line, amount.end())
        is_measured = unit is not None
        end = unit.end() if unit else amount.end()
        said += _times(amount, factor, unit[0] if unit else "") + line[amount.end() : end]
        further = _FURTHER.match(line, end) if unit else None
        amount = _AMOUNT.match(line, further.end()) if further else None
        if further and not amount:
            return None
        at = end
        if further:
            said += further[0]
    size = None if is_measured else _SIZE.match(line, at)
    rest = line[size.end() :] if size and "(" in size[0] else line[at:]
    if not (size and "(" not in size[0]) and _MORE.search(rest):
        return None  # another amount, which may be that of each or of all
    return said + line[at:]


def _times(amount: re.Match[str], factor: Fraction, unit: str) -> str:
    first, last = amount["first"], amount["last"]
    return "".join(
        [
            _written(_value(first) * factor, first, unit),
            amount["to"] or "",
            _written(_value(last) * factor, last, unit) if last else "",
        ]
    )


def _value(number: str) -> Fraction:
    number = number.replace("⁄", "/").replace(",", ".")
    for sign, parts in _VULGAR.items():
        number = number.replace(sign, " {}/{}".format(*parts))
    return sum((Fraction(part) for part in number.split()), Fraction(0))


def _written(value: Fraction, like: str, unit: str) -> str:
    """As a cook writes it: grams and what was decimal in decimals, else in fractions."""
    whole = value.numerator // value.denominator
    rest = value - whole
    if not rest:
        return str(whole)
    is_decimal = re.search(r"\d[.,]\d", like) or re.fullmatch(rf"\s?{_METRIC}\.?", unit, re.I)
    if rest in _SIGN and not is_decimal:
        return f"{whole} {_SIGN[rest]}" if whole else _SIGN[rest]
    digits = 0 if value >= 20 else 1 if value >= 2 else 2
    text = f"{float(value):.{digits}f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return text.replace(".", ",") if "," in like else text
