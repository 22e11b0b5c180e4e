"""What the names and addresses of pictures say, as browsers and WordPress write them."""

import base64
import binascii
import re
import unicodedata
from pathlib import Path
from urllib.parse import parse_qsl, unquote, unquote_to_bytes, urlsplit

_SUFFIX = re.compile(r"(?:\.(?:jpe?g|jpe|jfif|png|webp|gif|heic|avif))+$")
_SIZE = re.compile(r"(?:-\d{2,5}x\d{2,5}|-scaled|-rotated|-e\d{9,}|@[23]x)$")
_WIDTH = re.compile(r"-(\d{2,5})x\d{2,5}$")
_DATA = re.compile(r"(?i)data:image/(?!svg)[\w.+-]+((?:;[\w=.+-]*)*),")
_SAVED = re.compile(
    r"(?i)[ _.-](?:files?|dateien|fichiers|archivos|bestanden|arquivos|ficheiros|filer|pliki|"
    r"soubory|súbory|elemei|tiedostot|dosyalar|файлы|文件|ファイル)"
)
_LONGEST = 255


def picture_key(name: str) -> str:
    """What names of one picture share, whatever its size and format.

    >>> picture_key("Pea soup-1024x683.jpg.webp") == picture_key("pea%20soup-scaled.JPG")
    True
    """
    plain = unicodedata.normalize("NFC", unquote(name[: 3 * _LONGEST])).lower()
    plain = _SUFFIX.sub("", plain)
    while (shorter := _SIZE.sub("", plain)) != plain:
        plain = shorter
    # What no file may be called, browsers replace.
    return re.sub(r"[^\w()]+", "-", plain)


def picture_paths(address: str) -> list[str]:
    """The path of a picture's address, and those of addresses in its query or behind it, without
    size and format."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return []
    paths = [parts.path]
    for _, value in parse_qsl(parts.query)[:_LONGEST]:
        if "/" in value:
            try:
                paths.append(urlsplit(value).path)
            except ValueError:
                continue
    keyed = [unquote(path).rpartition("/") for path in paths]
    return [f"{folder.lower()}/{picture_key(name)}" for folder, _, name in keyed if name]


def page_stems(folder: str) -> set[str]:
    """The names, without suffix, of the pages beside which a browser gives a folder its name.

    >>> sorted(page_stems("Pea soup_files"))
    ['Pea soup', 'Pea soup_files']
    """
    name = unicodedata.normalize("NFC", folder)
    return {name, re.sub(f"{_SAVED.pattern}$", "", name)}


def is_saved_folder(name: str) -> bool:
    """Whether a folder's name ends as a browser makes it of some page's."""
    return re.search(f"{_SAVED.pattern}$", name) is not None


def numbered_twins(path: Path) -> list[str]:
    """The names that files get which are saved after another whose name they would have had.

    >>> numbered_twins(Path("soup.jpg"))
    ['soup(1).jpg', 'soup (1).jpg', 'soup_002.jpg']
    """
    return [f"{path.stem}{number}{path.suffix}" for number in ("(1)", " (1)", "_002")]


def width_in_name(path: Path) -> int:
    """The width that WordPress puts into a name; the picture itself is wider than all of these."""
    found = _WIDTH.search(_SUFFIX.sub("", path.name.lower()))
    return int(found[1]) if found else 10**6


def data_uri(text: str) -> bytes | None:
    """The picture in a data URI; None if it is none."""
    head = _DATA.match(text)
    if not head:
        return None
    content = unquote_to_bytes(text[head.end() :])
    if ";base64" not in head[1].lower():
        return content
    try:
        return base64.b64decode(content)
    except binascii.Error:
        return None
