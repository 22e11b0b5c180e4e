"""Takes a HEIC or AVIF apart, and writes one anew that holds nothing but its picture.

Both are boxes within boxes (ISO/IEC 14496-12 and 23008-12). The picture is an item, or a grid of
them, and may have another one with its transparency. Previews, depth, gain maps, metadata, videos
and whatever an item does not need are left out. What is left is sized by its own headers, because
a decoder makes room for what those say.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from itadaki.errors import UnsupportedImageError, damaged
from itadaki.photos.coded_picture import Coded, av1, hevc
from itadaki.photos.orientation import orientation_of

MAX_BOXES = 10_000
MAX_TILES = 1_024
MAX_VISITS = 60_000_000
"""Pixels that the slices of a picture may go over, where it has more slices than one."""

_ROUNDED = 128  # what a picture may be wider and higher than shown: its blocks are whole
_ALPHA = (b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha", b"urn:mpeg:hevc:2015:auxid:1")
_KINDS = {b"hvc1": ("HEIF", b"heic", b"hvcC"), b"av01": ("AVIF", b"avif", b"av1C")}
# How often the planes are in memory at once, and bytes a pixel beside them; measured.
_TIMES, _BESIDE = {"HEIF": 2, "AVIF": 1}, {"HEIF": 3, "AVIF": 8}
_KEPT = {b"ispe", b"pixi", b"auxC", b"hvcC", b"av1C"}


class Heif(NamedTuple):
    """What decoding needs of a file; see ``PhotoFile``."""

    format: str
    content: bytes
    size: tuple[int, int]
    memory: int
    orientation: int
    window: tuple[int, int, int, int] | None


@dataclass
class _Item:
    """A part of a file, by what its boxes say of it."""

    kind: bytes = b""
    properties: tuple[tuple[bytes, bytes], ...] = ()
    construction: int = 0
    extents: tuple[tuple[int, int], ...] = ()
    tiles: tuple[int, ...] = ()


class _Numbers:
    """Reads numbers of so many bytes one after another; past the end it raises ``IndexError``."""

    def __init__(self, data: bytes, position: int = 0) -> None:
        self._data, self._position = data, position

    def take(self, count: int) -> int:
        start, self._position = self._position, self._position + count
        if self._position > len(self._data):
            raise IndexError
        return int.from_bytes(self._data[start : self._position], "big")


def brands_of(head: bytes) -> set[bytes]:
    """What the first box of a file says that it is; only its beginning is needed."""
    if head[4:8] != b"ftyp":
        return set()
    brands = head[8:12] + head[16 : int.from_bytes(head[:4], "big")]
    return {brands[at : at + 4] for at in range(0, len(brands), 4)}


def heif(data: bytes) -> Heif:
    """Take a file apart.

    Raises:
        ImageError: it is damaged, or its picture is larger or in more parts than any camera's.
        UnsupportedImageError: its picture is neither HEVC nor AV1.
        IndexError, KeyError, struct.error: its header cannot be read.
    """
    return _File(data).picture()


class _File:
    def __init__(self, data: bytes) -> None:
        self._data, self._boxes, self._stored = data, 0, b""
        self._items: dict[int, _Item] = {}
        self._alpha_of: dict[int, int] = {}
        self._primary = 0
        self._left = len(data)  # bytes that items may take: none is there twice
        meta = dict(self._children(memoryview(data)))[b"meta"]
        boxes = dict(self._children(meta[4:]))
        self._read_kinds(bytes(boxes[b"iinf"]))
        self._read_places(bytes(boxes[b"iloc"]))
        self._read_properties(boxes[b"iprp"])
        self._read_references(boxes.get(b"iref", memoryview(b"")))
        self._stored = bytes(boxes.get(b"idat", b""))
        numbers = _Numbers(bytes(boxes[b"pitm"]))
        self._primary = numbers.take(2 if numbers.take(4) >> 24 == 0 else 4)

    def picture(self) -> Heif:
        """The file with its picture alone."""
        written = _Written()
        size, codec, memory, visits = self._copy(self._primary, written)
        alpha = self._alpha_of.get(self._primary)
        if alpha is not None:
            written.alpha = len(written.items) + 1
            alpha_size, alpha_codec, more, again = self._copy(alpha, written)
            if alpha_size != size or alpha_codec != codec:
                raise damaged("its transparency is of another picture")
            memory, visits = memory + more, visits + again
        if visits > MAX_VISITS:
            raise damaged("its picture is in too many parts")
        name, brand, _ = _KINDS[codec]
        said = self._items[self._primary].properties
        turns = [(kind, each[0] & 3) for kind, each in said if kind in (b"irot", b"imir")]
        window = _window(dict(said).get(b"clap"), size)
        memory *= _TIMES[name]
        memory += (_BESIDE[name] + (alpha is not None)) * size[0] * size[1]
        content = written.content(brand)
        return Heif(name, content, size, memory, orientation_of(turns), window)

    def _copy(self, number: int, written: "_Written") -> tuple[tuple[int, int], bytes, int, int]:
        """Write a picture; returns its size, codec, bytes to decode it, and pixels gone over."""
        item = self._items[number]
        if item.kind != b"grid":
            coded, size = self._coded(item)
            written.add(item.kind, coded.data, item.properties)
            return size, item.kind, *_costs(size, coded)
        grid = self._content(item)
        rows, columns = grid[2] + 1, grid[3] + 1
        size = struct.unpack_from(">II" if grid[1] & 1 else ">HH", grid, 4)
        if not 0 < len(item.tiles) == rows * columns <= MAX_TILES:
            raise damaged("its tiles are not what it says")
        at = written.add(b"grid", grid, item.properties)
        first, memory, visits = None, 0, 0
        for tile in item.tiles:
            part = self._items[tile]
            coded, tile_size = self._coded(part)
            first = first or (part.kind, tile_size, coded.size, coded.planes)
            if first != (part.kind, tile_size, coded.size, coded.planes):
                raise damaged("its tiles are not alike")
            written.tile(at, written.add(part.kind, coded.data, part.properties))
            more, again = _costs(tile_size, coded)
            memory, visits = memory + more, visits + again
        for whole, of_one, count in zip(size, tile_size, (columns, rows), strict=True):
            if not of_one * (count - 1) < whole <= of_one * count:
                raise damaged("its tiles are not what it says")
        return size, part.kind, memory, visits

    def _coded(self, item: _Item) -> tuple[Coded, tuple[int, int]]:
        """A picture that is no grid, and its size."""
        if item.kind not in _KINDS:
            raise UnsupportedImageError("A HEIC with such a picture is not read; send a JPEG.")
        properties, data = dict(item.properties), self._content(item)
        config = properties[_KINDS[item.kind][2]]
        coded = hevc(config, data) if item.kind == b"hvc1" else av1(data)
        size = struct.unpack_from(">II", properties[b"ispe"], 4)
        for shown, decoded in zip(size, coded.size, strict=True):
            if not 0 < shown <= decoded < shown + _ROUNDED:
                raise damaged("its picture has another size than it says")
        return coded, size

    def _content(self, item: _Item) -> bytes:
        if item.construction not in (0, 1):
            raise damaged("its header cannot be read")
        source, parts = self._stored if item.construction else self._data, []
        for offset, length in item.extents:
            part = source[offset : offset + length] if length else source[offset:]
            self._left -= len(part)
            if len(part) < length or self._left < 0:
                raise damaged("its end is missing")
            parts.append(part)
        return b"".join(parts)

    def _children(self, view: memoryview) -> Iterator[tuple[bytes, memoryview]]:
        position = 0
        while position + 8 <= len(view):
            self._boxes += 1
            if self._boxes > MAX_BOXES:
                raise damaged(f"its file has more than {MAX_BOXES:,} parts")
            length, kind = struct.unpack_from(">I4s", view, position)
            start = position + 8
            if length == 1:
                (length,) = struct.unpack_from(">Q", view, start)
                start += 8
            end = position + length if length else len(view)
            if end < start:
                raise IndexError
            yield kind, view[start:end]
            position = end

    def _read_kinds(self, box: bytes) -> None:
        start = 6 if box[0] == 0 else 8
        for kind, entry in self._children(memoryview(box)[start:]):
            if kind == b"infe" and entry[0] >= 2:
                numbers = _Numbers(bytes(entry), 4)
                number = numbers.take(2 if entry[0] == 2 else 4)
                numbers.take(2)
                self._items[number] = _Item(numbers.take(4).to_bytes(4, "big"))

    def _read_places(self, box: bytes) -> None:
        version, numbers = box[0], _Numbers(box, 4)
        offset_size, length_size = divmod(numbers.take(1), 16)
        base_size, index_size = divmod(numbers.take(1), 16)
        for _ in range(numbers.take(2 if version < 2 else 4)):
            number = numbers.take(2 if version < 2 else 4)
            construction = numbers.take(2) & 15 if version else 0
            elsewhere, base = numbers.take(2), numbers.take(base_size)
            extents = []
            for _ in range(numbers.take(2)):
                if version:
                    numbers.take(index_size)
                extents.append((base + numbers.take(offset_size), numbers.take(length_size)))
            self._counted(len(extents))
            if (item := self._items.get(number)) and not elsewhere:
                item.construction, item.extents = construction, tuple(extents)

    def _read_properties(self, view: memoryview) -> None:
        known: list[tuple[bytes, bytes]] = []
        for kind, content in self._children(view):
            if kind == b"ipco":
                known = [(kind, bytes(content)) for kind, content in self._children(content)]
            elif kind == b"ipma":
                numbers, wide = _Numbers(bytes(content)), content[3] & 1
                number_size = 2 if numbers.take(4) >> 24 == 0 else 4
                for _ in range(numbers.take(4)):
                    number, places = numbers.take(number_size), []
                    for _ in range(numbers.take(1)):
                        places.append(numbers.take(2) & 32767 if wide else numbers.take(1) & 127)
                    self._counted(1 + len(places))
                    if item := self._items.get(number):
                        item.properties = tuple(known[place - 1] for place in places if place)

    def _read_references(self, view: memoryview) -> None:
        if not view:
            return
        width = 2 if view[0] == 0 else 4
        for kind, content in self._children(view[4:]):
            numbers = _Numbers(bytes(content))
            source, count = numbers.take(width), numbers.take(2)
            self._counted(count)
            targets = tuple(numbers.take(width) for _ in range(count))
            item = self._items.get(source)
            if item and kind == b"dimg":
                item.tiles = targets
            elif item and kind == b"auxl":
                said = dict(item.properties).get(b"auxC", b"")[4:].split(b"\0")[0]
                if said in _ALPHA:
                    self._alpha_of.update(dict.fromkeys(targets, source))

    def _counted(self, more: int) -> None:
        self._boxes += more
        if self._boxes > MAX_BOXES:
            raise damaged(f"its file has more than {MAX_BOXES:,} parts")


def _window(clap: bytes | None, size: tuple[int, int]) -> tuple[int, int, int, int] | None:
    """What is shown of a picture, by its clean aperture: left, top, right and bottom."""
    if clap is None:
        return None
    numbers = struct.unpack(">8i", clap[:32])
    pairs = zip(numbers[::2], numbers[1::2], strict=True)
    shares = [over / under if under > 0 else 0 for over, under in pairs]
    edges = []
    for whole, shown, aside in zip(size, shares[:2], shares[2:], strict=True):
        start = round((whole - shown) / 2 + aside)
        edges.append((start, start + round(shown)))
    (left, right), (top, bottom) = edges
    if not (0 <= left < right <= size[0] and 0 <= top < bottom <= size[1]):
        raise damaged("it shows what it does not hold")
    return left, top, right, bottom


def _costs(size: tuple[int, int], coded: Coded) -> tuple[int, int]:
    pixels = coded.size[0] * coded.size[1]
    return int(pixels * coded.planes), pixels * coded.slices if coded.slices > 1 else 0


class _Written:
    """A file that is being written: items numbered from 1, the first is the picture."""

    def __init__(self) -> None:
        self.items: list[tuple[bytes, bytes, list[int]]] = []
        self.alpha: int | None = None
        self._properties: dict[tuple[bytes, bytes], int] = {}
        self._tiles: dict[int, list[int]] = {}

    def add(self, kind: bytes, data: bytes, properties: tuple[tuple[bytes, bytes], ...]) -> int:
        """Write an item; returns its number."""
        kept = [
            self._properties.setdefault(each, len(self._properties) + 1)
            for each in properties
            if each[0] in _KEPT or (each[0] == b"colr" and each[1][:4] == b"nclx")
        ]
        self.items.append((kind, data, kept))
        return len(self.items)

    def tile(self, grid: int, number: int) -> None:
        """Make an item the next tile of a grid."""
        self._tiles.setdefault(grid, []).append(number)

    def content(self, brand: bytes) -> bytes:
        """The whole file."""
        start = _box(b"ftyp", brand, bytes(4), b"mif1", brand)
        # Offsets are of one width, so a first writing tells where the data will lie.
        offset = len(start) + len(self._meta(0)) + 8
        data = b"".join(data for _, data, _ in self.items)
        return start + self._meta(offset) + _box(b"mdat", data)

    def _meta(self, offset: int) -> bytes:
        count = len(self.items)
        kinds, places, uses, references = [], [], [], []
        for number, (kind, data, kept) in enumerate(self.items, 1):
            hidden = 0 if number in (1, self.alpha) else 1
            entry = struct.pack(">IHH4sx", 2 << 24 | hidden, number, 0, kind)
            kinds.append(_box(b"infe", entry))
            places.append(struct.pack(">HHHII", number, 0, 1, offset, len(data)))
            uses.append(struct.pack(f">HB{len(kept)}H", number, len(kept), *kept))
            offset += len(data)
        for grid, tiles in self._tiles.items():
            references.append(_reference(b"dimg", grid, tiles))
        if self.alpha:
            references.append(_reference(b"auxl", self.alpha, [1]))
        hdlr = _box(b"hdlr", struct.pack(">8x4s13x", b"pict"))
        iloc = _box(b"iloc", struct.pack(">IBBH", 0, 0x44, 0, count), *places)
        ipco = _box(b"ipco", *(_box(*each) for each in self._properties))
        ipma = _box(b"ipma", struct.pack(">II", 1, count), *uses)
        boxes = [
            hdlr,
            _box(b"pitm", struct.pack(">IH", 0, 1)),
            iloc,
            _box(b"iinf", struct.pack(">IH", 0, count), *kinds),
            _box(b"iprp", ipco, ipma),
        ]
        if references:
            boxes.append(_box(b"iref", bytes(4), *references))
        return _box(b"meta", bytes(4), *boxes)


def _box(kind: bytes, *content: bytes) -> bytes:
    return b"".join([struct.pack(">I4s", 8 + sum(map(len, content)), kind), *content])


def _reference(kind: bytes, source: int, targets: list[int]) -> bytes:
    return _box(kind, struct.pack(f">HH{len(targets)}H", source, len(targets), *targets))
