"""The headers of HEVC and AV1 pictures: how large a decoder's picture will be, whatever its
container says; and the picture's data without all else."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from itadaki.errors import ImageError

MAX_SLICES = 10_000


@dataclass(frozen=True)
class Coded:
    """A picture as its decoder will see it.

    Attributes:
        data: what is to be decoded.
        size: width and height that the decoder makes room for.
        planes: bytes of its planes, one above the other, for each pixel.
        slices: parts that are decoded one after another, and may lie over each other.
    """

    data: bytes
    size: tuple[int, int]
    planes: float
    slices: int = 1


class _Bits:
    """Reads numbers bit by bit; past the end it raises ``IndexError``."""

    def __init__(self, data: bytes) -> None:
        self._value, self._left = int.from_bytes(data, "big"), 8 * len(data)

    def take(self, count: int) -> int:
        self._left -= count
        if self._left < 0:
            raise IndexError
        return self._value >> self._left & (1 << count) - 1

    def golomb(self) -> int:
        """An unsigned Exp-Golomb number."""
        zeros = 0
        while not self.take(1):
            zeros += 1
        return (1 << zeros) - 1 + self.take(zeros)


def _planes(chroma: int, bits: int) -> float:
    """Bytes a pixel; chroma 0 is grey, 1 is 4:2:0, 2 is 4:2:2 and 3 is 4:4:4."""
    return {0: 1.0, 1: 1.5, 2: 2.0, 3: 3.0}[chroma] * (1 if bits == 8 else 2)


def hevc(config: bytes, data: bytes) -> Coded:
    """A picture in HEVC: the slices of one picture, which its parameters come before.

    Args:
        config: the content of the item's ``hvcC``.
        data: of the item.

    Raises:
        ImageError: it is more than one picture.
        IndexError, KeyError, struct.error: it is damaged.
    """
    found = {_sequence_parameters(unit) for kind, unit in _parameters(config) if kind == 33}
    if len(found) != 1:
        raise ImageError("The photo is damaged: its picture has no size, or several.")
    size, planes = found.pop()
    width, position, slices, first = (config[21] & 3) + 1, 0, 0, 0
    parts = []
    while position + width < len(data):
        start = position + width
        end = start + int.from_bytes(data[position:start], "big")
        if end > len(data):
            raise IndexError
        if data[start] >> 1 < 32:  # not parameters, which were read, nor messages
            parts.append(data[position:end])
            slices, first = slices + 1, first + (data[start + 2] >> 7)
        position = end
    if first != 1 or slices > MAX_SLICES:
        raise ImageError("The photo is damaged: it is not one picture.")
    return Coded(b"".join(parts), size, planes, slices)


def _parameters(config: bytes) -> Iterator[tuple[int, bytes]]:
    """Kind and content of each parameter set in an ``hvcC``."""
    position = 23
    for _ in range(config[22]):
        kind, count = config[position] & 63, struct.unpack_from(">H", config, position + 1)[0]
        position += 3
        for _ in range(count):
            (length,) = struct.unpack_from(">H", config, position)
            yield kind, config[position + 2 : position + 2 + length]
            position += 2 + length


def _sequence_parameters(unit: bytes) -> tuple[tuple[int, int], float]:
    """Size and bytes a pixel of a sequence parameter set (ITU-T H.265, 7.3.2.2)."""
    bits = _Bits(unit[2:].replace(b"\0\0\3", b"\0\0"))
    bits.take(4)
    layers = bits.take(3)
    bits.take(1 + 96)
    here = [(bits.take(1), bits.take(1)) for _ in range(layers)]
    if layers:
        bits.take(2 * (8 - layers))
    for profile, level in here:
        bits.take(88 * profile + 8 * level)
    bits.golomb()
    chroma = bits.golomb()
    if chroma == 3:
        bits.take(1)
    size = bits.golomb(), bits.golomb()
    if bits.take(1):  # what is cut away at the edges is decoded all the same
        for _ in range(4):
            bits.golomb()
    return size, _planes(chroma, 8 + max(bits.golomb(), bits.golomb()))


_SEQUENCE, _FRAME_HEADER, _TILES, _FRAME = 1, 3, 4, 6
_CHOSEN_BY_FRAME = 2


def av1(data: bytes) -> Coded:
    """A picture in AV1: one frame, with the sequence header that it needs.

    Args:
        data: of the item.

    Raises:
        ImageError: it is more than one frame, or the frame has a size of its own.
        IndexError: it is damaged.
    """
    sequence, sequences, frames, parts = None, set(), 0, []
    for kind, whole, content in _units(data):
        if kind == _SEQUENCE:
            sequences.add(content)
            sequence = sequence or _Sequence(content)
        elif kind in (_FRAME, _FRAME_HEADER):
            frames += 1
            if sequence is None or sequence.frame_has_size(content):
                raise ImageError("The photo is damaged: its picture has a size of its own.")
        elif kind != _TILES:
            continue
        parts.append(whole)
    if sequence is None or len(sequences) != 1 or frames != 1 or len(parts) > MAX_SLICES:
        raise ImageError("The photo is damaged or in layers: it is not one picture.")
    return Coded(b"".join(parts), sequence.size, sequence.planes)


def _units(data: bytes) -> Iterator[tuple[int, bytes, bytes]]:
    """Kind, whole and content of each unit; none can be left out of a picture without a length."""
    position = 0
    while position < len(data):
        head, start = data[position], position + 1 + (data[position] >> 2 & 1)
        length, shift = 0, 0
        if head & 2:
            while True:
                byte = data[start]
                length |= (byte & 127) << shift
                start, shift = start + 1, shift + 7
                if byte < 128:
                    break
                if shift > 49:
                    raise IndexError
            end = start + length
        else:
            end = len(data)
        if end > len(data):
            raise IndexError
        yield head >> 3 & 15, data[position:end], data[start:end]
        position = end


class _Sequence:
    """A sequence header (AV1 specification, 5.5), as far as a frame's size hangs on it."""

    def __init__(self, content: bytes) -> None:
        bits = _Bits(content)
        profile, _, self._still = bits.take(3), bits.take(1), bits.take(1)
        self._show_time = self._id_bits = 0
        self._screen = self._integer = _CHOSEN_BY_FRAME
        if self._still:
            bits.take(5)
        else:
            self._operating_points(bits)
        across, down = bits.take(4) + 1, bits.take(4) + 1
        self.size = bits.take(across) + 1, bits.take(down) + 1
        if not self._still and bits.take(1):
            more = bits.take(4) + 2
            self._id_bits = more + bits.take(3) + 1
        bits.take(3)
        if not self._still:
            self._tools(bits)
        bits.take(3)
        self.planes = _av1_planes(bits, profile)

    def _operating_points(self, bits: _Bits) -> None:
        model, delay = 0, 0
        if bits.take(1):  # timing
            bits.take(64)
            equal = bits.take(1)
            if equal:
                bits.golomb()
            model = bits.take(1)
            if model:
                delay = bits.take(5) + 1
                bits.take(37)
                self._show_time = 0 if equal else bits.take(5) + 1
                if equal:
                    bits.take(5)
        displays = bits.take(1)
        for _ in range(bits.take(5) + 1):
            bits.take(12)
            if bits.take(5) > 7:
                bits.take(1)
            if model and bits.take(1):
                bits.take(2 * delay + 1)
            if displays and bits.take(1):
                bits.take(4)

    def _tools(self, bits: _Bits) -> None:
        bits.take(4)
        ordered = bits.take(1)
        if ordered:
            bits.take(2)
        if not bits.take(1):
            self._screen = bits.take(1)
        if self._screen and not bits.take(1):
            self._integer = bits.take(1)
        if ordered:
            bits.take(3)

    def frame_has_size(self, header: bytes) -> bool:
        """Whether a frame names another size than its sequence's, or is no picture of its own."""
        if self._still:
            return False
        bits = _Bits(header[:64])
        if bits.take(1) or bits.take(2) or not bits.take(1):  # shown anew, no key frame, not shown
            return True
        bits.take(self._show_time + 1)
        screen = bits.take(1) if self._screen == _CHOSEN_BY_FRAME else self._screen
        if screen and self._integer == _CHOSEN_BY_FRAME:
            bits.take(1)
        bits.take(self._id_bits)
        return bool(bits.take(1))


def _av1_planes(bits: _Bits, profile: int) -> float:
    deep = bits.take(1)
    twelve = profile == 2 and deep and bits.take(1)
    depth = 10 if deep else 8
    if profile != 1 and bits.take(1):
        return _planes(0, depth)
    srgb = bits.take(1) and bits.take(24) == 0x010D00
    if srgb or profile == 1:
        return _planes(3, depth)
    bits.take(1)
    if profile == 0:
        return _planes(1, depth)
    if not twelve:
        return _planes(2, depth)
    return _planes(3 if not bits.take(1) else 1 if bits.take(1) else 2, depth)
