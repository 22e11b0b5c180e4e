"""Texts whose encoding nobody says, or says wrongly."""

import re
import unicodedata
from collections.abc import Iterable

_HEAD = 65_536  # bytes that tell an encoding
_MAX_LINE = 1000  # characters
_BOMS = {
    b"\xef\xbb\xbf": "utf-8",
    b"\xff\xfe\x00\x00": "utf-32",
    b"\x00\x00\xfe\xff": "utf-32",
    b"\xff\xfe": "utf-16",
    b"\xfe\xff": "utf-16",
}
_CENTRAL = "[ßáâäçéëíîóôöúüýąćčďęěłńňřśšťůźżž]"
_LATIN = {
    "cp437": "[äöüéèêëàáâçîïôûùñåæßóúí]",
    "cp1252": "[ß-öø-ÿœšž’]",
    "mac_roman": "[ß-öø-ÿœ’]",
    "cp1250": _CENTRAL,
    "iso8859_2": _CENTRAL,
}
"""The letters that words have in an encoding."""
_TEXTS_ARE = ("cp1252", "mac_roman", "cp1250", "iso8859_2")
"""Of equally likely ones the first is meant."""
_IN_A_WORD = re.compile(r"(?<=[A-Za-z])[^\x00-\x7f](?=[a-z])")
_CHINESE = "[一不个個中后後切加入克分和大小放时時水油煮炒的盐鹽粉糖肉至蛋豆钟鐘锅鍋面麵]"
_OTHER = {
    "cp1251": ("[а-яё]", 0.6),
    "koi8_r": ("[а-яё]", 0.6),
    "cp866": ("[а-яё]", 0.6),
    "cp932": ("[ぁ-ヿ]", 0.15),
    "euc_jp": ("[ぁ-ヿ]", 0.15),
    "gb18030": (_CHINESE, 0.05),
    "big5": (_CHINESE, 0.05),
}
"""The characters that tell an encoding, and how many of all in a text they are at least."""


def decode(content: bytes, declared: str | None = None) -> str:
    """The text in some bytes, without a byte order mark.

    Args:
        content: the bytes.
        declared: the encoding that they are said to have, which counts where they are not UTF-8.
    """
    return content.decode(encoding_of(content, declared), "replace").removeprefix("\ufeff")


def encoding_of(content: bytes, declared: str | None = None) -> str:
    """The encoding that some bytes are most likely in; the last character may be cut."""
    for mark, encoding in _BOMS.items():
        if content.startswith(mark):
            return encoding
    try:
        "".encode(declared or "utf-8")
    except (LookupError, UnicodeError):
        declared = None
    if declared and declared.lower().startswith("iso-2022"):  # which is nothing but ASCII
        return declared
    head = content[:_HEAD]
    if b"\0" in head:
        return "utf-16-le" if head[1::2].count(0) > head[::2].count(0) else "utf-16-be"
    if _is_utf8(content):
        return "utf-8"
    return declared if declared and declared.lower() not in ("utf-8", "utf8") else _guessed(head)


def name_encoding(names: bytes) -> str:
    """The encoding of the names in a zip that does not say it."""
    try:
        names.decode()
        return "utf-8"
    except UnicodeDecodeError:
        return _guessed(names[:_HEAD], ("cp437", "cp1252"))


def repaired(text: str) -> str:
    """A text without what comes of reading UTF-8 as another encoding, and with é as one
    character, where it may be two."""
    if text.isascii():
        return text
    import ftfy

    return "\n".join(_composed(ftfy.fix_encoding(line)) for line in text.split("\n"))


def _composed(line: str) -> str:
    """In Unicode's form C, which takes the square of the length of some lines."""
    return unicodedata.normalize("NFC", line) if len(line) <= _MAX_LINE else line


def _is_utf8(content: bytes) -> bool:
    """Whether it is UTF-8, but for a few bytes that were lost."""
    try:
        content.decode()
        return True
    except UnicodeDecodeError as error:
        if len(content) - error.start < 4 and error.reason == "unexpected end of data":
            return True
    text = content.decode("utf-8", "ignore")
    kept, ascii_ = len(text.encode()), len(text.encode("ascii", "ignore"))
    return 10 * (len(content) - kept) <= kept - ascii_


def _guessed(head: bytes, latin: Iterable[str] = _TEXTS_ARE) -> str:
    """What bytes that are not UTF-8 are in: this is right more often on texts as short as recipes
    than ftfy and charset-normalizer are.

    Args:
        head: the bytes.
        latin: what they may be in if most of them are Latin letters.
    """
    if 2 * len(re.findall(rb"[\x80-\xff]", head)) > len(re.findall(rb"[A-Za-z\x80-\xff]", head)):
        likely = {encoding: _share(head, encoding) for encoding in _OTHER}
        best = max(likely, key=lambda encoding: likely[encoding])
        if likely[best] >= 1:
            return best
    return max(latin, key=lambda encoding: _score(head, encoding))


def _share(head: bytes, encoding: str) -> float:
    text = head.decode(encoding, "replace")
    foreign = sum(c > "\x7f" for c in text)
    pattern, least = _OTHER[encoding]
    wrong = text[:-1].count("\ufffd")
    return (len(re.findall(pattern, text)) / foreign - 10 * wrong / foreign) / least


def _score(head: bytes, encoding: str) -> int:
    text = head.decode(encoding, "replace")
    found = _IN_A_WORD.findall(text)
    expected = re.findall(_LATIN[encoding], "".join(found))
    return 3 * len(expected) - 2 * len(found) - 3 * text.count("\ufffd")
