"""Attacks a service of its own on the sample cookbook, and tells what each attack costs it.

Each row is an attack by name: first each of its requests alone, then three at once, again and
again. What is told of each: the answers, the slowest one, the peak of the service's memory
(VmHWM of /proc) and its processor seconds. At the end all rows run together beside honest searches,
whose times are compared with those just before and just after. Linux alone has the figures.

python benchmarks/attack.py [--rows pipelining photos metadata forms] [--mixed 60] [--limit-mb 1000]
"""

import argparse
import asyncio
import contextlib
import functools
import io
import multiprocessing
import os
import socket
import struct
import subprocess
import sys
import threading
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import psutil
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
SEARCH = "/api/v1/search/search"
MEGAPIXELS = 5000  # pixels on a side: 25 million, as many as were ever decoded in full
ATTACKER = "127.0.0.2"  # the service tells clients apart by their addresses
LARGEST = 19_900_000  # bytes, just below what an upload may have
LINK = 25_000_000  # bytes a second that a client sends at most, as over a fast line
MULTIPART = "multipart/form-data; boundary=b0undary"


# Photos


def png(
    width: int, height: int, *chunks: tuple[bytes, bytes], colour: int = 2, bits: int = 8
) -> bytes:
    """A PNG of zeros, with chunks of one's own before its pixels."""
    row = (width * bits * {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colour] + 7) // 8 + 1
    packer = zlib.compressobj(9)
    pixels = b"".join(
        packer.compress(bytes(row * min(100, height))) for _ in range(-(-height // 100))
    )
    header = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)
    parts = [(b"IHDR", header), *chunks, (b"IDAT", pixels + packer.flush()), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(png_chunk(*part) for part in parts)


def png_chunk(kind: bytes, content: bytes) -> bytes:
    crc = zlib.crc32(content, zlib.crc32(kind))
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", crc)


def jpeg(
    width: int,
    height: int,
    sampling: tuple[int, ...] = (0x11, 0x11, 0x11),
    scans: list[tuple[int, ...]] | None = None,
    before: bytes = b"",
    frame: int = 0xC0,
) -> bytes:
    """A JPEG of one colour, made by hand: every block is two bits.

    Args:
        sampling: of each component, horizontal and vertical in a nibble each.
        scans: the components of each scan; without it all are in one.
        before: what stands between the start and the frame.
        frame: the marker of the frame; 0xC2 is progressive.
    """
    components = range(len(sampling))

    def segment(marker: int, content: bytes) -> bytes:
        return struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content

    h, v = max(s >> 4 for s in sampling), max(s & 15 for s in sampling)
    whole = (-(-width // (8 * h)), -(-height // (8 * v)))
    parts = [b"\xff\xd8", before, segment(0xDB, bytes(1) + bytes([1] * 64))]
    listed = b"".join(bytes([c + 1, sampling[c], 0]) for c in components)
    parts.append(segment(frame, struct.pack(">BHHB", 8, height, width, len(sampling)) + listed))
    one_code = bytes([1]) + bytes(15) + bytes(1)
    parts += [segment(0xC4, b"\x00" + one_code), segment(0xC4, b"\x10" + one_code)]
    for scan in scans or [tuple(components)]:
        chosen = b"".join(bytes([c + 1, 0]) for c in scan)
        spectrum = bytes([0, 0, 0]) if frame == 0xC2 else bytes([0, 63, 0])
        parts.append(segment(0xDA, bytes([len(scan)]) + chosen + spectrum))
        blocks = sum((sampling[c] >> 4) * (sampling[c] & 15) for c in scan) * whole[0] * whole[1]
        parts.append(bytes(blocks // (8 if frame == 0xC2 else 4) + 1))
    return b"".join([*parts, b"\xff\xd9"])


def webp(*chunks: tuple[bytes, bytes]) -> bytes:
    body = b"WEBP" + b"".join(riff_chunk(*chunk) for chunk in chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def riff_chunk(kind: bytes, content: bytes) -> bytes:
    return kind + struct.pack("<I", len(content)) + content + bytes(len(content) % 2)


def pillow(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def canvas(side: int, flags: int) -> tuple[bytes, bytes]:
    """The chunk that tells the size of an extended WebP."""
    return b"VP8X", bytes([flags, 0, 0, 0]) + 2 * (side - 1).to_bytes(3, "little")


def animation(side: int, frame: Image.Image, frames: int) -> bytes:
    inner = pillow(frame, "WEBP", lossless=True)[12:]
    size = b"".join((length - 1).to_bytes(3, "little") for length in frame.size)
    one = bytes(6) + size + b"\x64\x00\x00\x00" + inner
    return webp(canvas(side, 0x12), (b"ANIM", bytes(6)), *([(b"ANMF", one)] * frames))


def exif(kind: int, size: int, room: int) -> bytes:
    """EXIF of a photo to be turned, and of one entry that fills all the room with its values."""
    values = (room - 100) // size
    head = b"II*\x00\x08\x00\x00\x00" + struct.pack("<H", 2)
    turned = struct.pack("<HHII", 274, 3, 1, 6)
    return head + turned + struct.pack("<HHII", 40_000, kind, values, 38) + bytes(room - 34)


def app(marker: int, content: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content


def noise(side: int) -> Image.Image:
    rng = np.random.default_rng(0)
    return Image.fromarray(rng.integers(0, 256, (side, side, 3), np.uint8))


def large_photos() -> dict[str, bytes]:
    """Small files that take much memory to decode."""
    side = MEGAPIXELS
    dot = Image.new("RGBA", (1, 1), (200, 0, 0, 120))
    plain = Image.new("RGB", (side, side), (90, 60, 30))
    return {
        "animated webp": animation(side, dot, 2),
        "png with tRNS": png(side, side, (b"tRNS", bytes(6))),
        "cmyk jpeg, four scans": jpeg(side, side, (0x11,) * 4, [(0,), (1,), (2,), (3,)]),
        "lossless webp": pillow(plain, "WEBP", lossless=True),
        "lossy webp": pillow(plain, "WEBP", method=0),
        "palette png with tRNS": png(
            side, side, (b"PLTE", bytes(768)), (b"tRNS", bytes(256)), colour=3
        ),
        "png of 16 bits and alpha": png(side, side, colour=6, bits=16),
        "png of a single row": png(side * side, 1, colour=6, bits=16),
        "progressive jpeg": pillow(plain, "JPEG", progressive=True, subsampling=0),
        "jpeg as thin as 440": jpeg(56_000, 440),
        "gif": pillow(plain.convert("P"), "GIF"),
    }


def metadata_photos() -> dict[str, bytes]:
    """Photos of a few pixels under much that is not pixels."""
    megabyte = zlib.compress(bytes(1_000_000), 9)
    icc = png_chunk(b"iCCP", b"k\0\0" + megabyte)
    small, tail = png(64, 64), jpeg(64, 64)[2:]
    gif = pillow(Image.new("P", (64, 64)), "GIF")
    comment = b"\x21\xfe" + (b"\xff" + bytes(255)) * (LARGEST // 256) + b"\0"
    empty = png_chunk(b"IDAT", b"")
    dot = pillow(Image.new("RGBA", (64, 64)), "WEBP", lossless=True)[12:]

    def app1(kind: int, size: int) -> bytes:
        """Segments that Pillow takes for one EXIF."""
        whole = exif(kind, size, LARGEST - 20_000)
        cuts = range(0, len(whole), 65_000)
        return b"".join(app(0xE1, b"Exif\0\0" + whole[at : at + 65_000]) for at in cuts)

    progressive = pillow(
        noise(512).resize((MEGAPIXELS, MEGAPIXELS)), "JPEG", progressive=True, quality=5
    )
    last = progressive[progressive.rindex(b"\xff\xda") : -2]
    return {
        "png with 19,000 iCCP": small[:33] + icc * (LARGEST // len(icc)) + small[33:],
        "jpeg with rationals": b"\xff\xd8" + app1(5, 8) + tail,
        "jpeg with shorts": b"\xff\xd8" + app1(3, 2) + tail,
        "png with rationals": png(64, 64, (b"eXIf", exif(5, 8, LARGEST - 10_000))),
        "png with shorts": png(64, 64, (b"eXIf", exif(3, 2, LARGEST - 10_000))),
        "webp with rationals": webp(
            canvas(64, 0x18), (dot[:4], dot[8:]), (b"EXIF", exif(5, 8, LARGEST - 10_000))
        ),
        "jpeg with fill bytes": b"\xff\xd8" + b"\xff" * LARGEST + tail,
        "jpeg with 5 M markers": b"\xff\xd8" + b"\xff\xef\x00\x02" * (LARGEST // 4) + tail,
        "jpeg with junk": b"\xff\xd8" + bytes(LARGEST) + tail,
        "jpeg with 50 scans of a photo": progressive[:-2] + last * 40 + b"\xff\xd9",
        "gif with a comment of 20 MB": gif[:-1] if b"," not in gif else _before_image(gif, comment),
        "png with 1.6 M empty IDAT": small[:-12] + empty * (LARGEST // 12) + small[-12:],
        "animation of 100,000 frames": animation(64, Image.new("RGBA", (1, 1)), 100_000),
    }


def _before_image(gif: bytes, comment: bytes) -> bytes:
    at = gif.index(b",", 13 + 3 * 2 ** ((gif[10] & 7) + 1))
    return gif[:at] + comment + gif[at:]


# Requests


def form(content: bytes, kind: bytes = b"image/jpeg") -> bytes:
    head = b'--b0undary\r\nContent-Disposition: form-data; name="image"; filename="a.jpg"\r\n'
    return head + b"Content-Type: " + kind + b"\r\n\r\n" + content + b"\r\n--b0undary--\r\n"


def request(body: bytes, content_type: str = MULTIPART) -> bytes:
    head = (
        f"POST {SEARCH} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        f"Content-Type: {content_type}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def hostile_forms() -> dict[str, bytes]:
    photo = form(jpeg(64, 64))
    field = b'--b0undary\r\nContent-Disposition: form-data; name="f"\r\n\r\nv\r\n'
    nearly = b"\r\n--b0undaryA"
    return {
        "20 MB of &": request(b"&" * LARGEST, "application/x-www-form-urlencoded"),
        "20 MB of fields": request(b"a=b&" * (LARGEST // 4), "application/x-www-form-urlencoded"),
        "300,000 parts": request(field * (LARGEST // len(field)) + photo),
        "1.6 M almost boundaries": request(form(nearly * (LARGEST // len(nearly)))),
        "a boundary with 20 MB of spaces": request(
            form(b"")[:-16] + b"\r\n--b0undary" + b" " * LARGEST
        ),
        "half boundaries": request(form(b"\r\n--" * (LARGEST // 4))),
        "quotes in the content type": request(photo, MULTIPART + '; a="' + ";" * 60_000),
        "a header of 20 MB": request(b"--b0undary\r\nX: " + b"y" * LARGEST),
    }


# The service and what it uses


@dataclass
class Service:
    """A service in a process of its own."""

    address: tuple[str, int]
    process: psutil.Process

    def restart_peak(self) -> None:
        Path(f"/proc/{self.process.pid}/clear_refs").write_text("5")

    @property
    def peak(self) -> float:
        """The most memory since ``restart_peak``, in megabytes."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) * 1024 / 1e6

    @property
    def memory(self) -> float:
        return self.process.memory_info().rss / 1e6

    @property
    def seconds(self) -> float:
        """Processor seconds, in the kernel and out of it."""
        used = self.process.cpu_times()
        return used.user + used.system


@contextmanager
def serving(limit_mb: int) -> Iterator[Service]:
    """``itadaki serve`` on the sample cookbook, warm, until the block ends."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = free.getsockname()
    command = [sys.executable, "-m", "itadaki", "serve", "--port", str(address[1])]
    if limit_mb:  # of private memory that may be written; the kernel then refuses more
        command = ["prlimit", f"--data={limit_mb * 1_000_000}", *command]
    environment = {**os.environ, "ITADAKI_DATASET": "sample"}
    process = subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        until = time.monotonic() + 120
        while time.monotonic() < until and process.poll() is None:
            try:
                socket.create_connection(address, timeout=1).close()
                break
            except OSError:
                time.sleep(0.1)
        else:
            sys.exit("The service does not start; python -m itadaki serve says why.")
        time.sleep(3)
        asyncio.run(honest(address, 10, rate=5))  # warm
        yield Service(address, psutil.Process(process.pid))
    finally:
        if process.poll() is not None:
            print(f"THE SERVICE ENDED with {process.returncode}")
        process.terminate()
        process.wait(60)


async def exchange(
    address: tuple[str, int], content: bytes, patience: float = 120, source: str = ATTACKER
) -> int:
    """Send a request; returns the status of the answer, 0 if the service hung up without one."""
    try:
        async with asyncio.timeout(patience):
            reader, writer = await asyncio.open_connection(*address, local_addr=(source, 0))
            sending = asyncio.ensure_future(_send(writer, content))
            try:
                said = await reader.read(65_536)
            finally:
                sending.cancel()
                writer.close()
    except (OSError, TimeoutError):
        return 0
    return int(said.split()[1]) if said[:5] == b"HTTP/" else 0


async def _send(writer: asyncio.StreamWriter, content: bytes) -> None:
    try:
        for at in range(0, len(content), 1 << 18):
            writer.write(content[at : at + (1 << 18)])
            await writer.drain()
            if len(content) > 1 << 20:
                await asyncio.sleep((1 << 18) / LINK)
    except OSError:
        pass


async def honest(address: tuple[str, int], seconds: float, rate: float = 20) -> np.ndarray:
    """So many searches a second, whether or not those before are answered: each one's seconds."""
    content = request(form((ROOT / "test_recipes" / "1.jpg").read_bytes()))
    taken: list[float] = []
    refused: Counter[int] = Counter()

    async def search() -> None:
        started = time.perf_counter()
        status = await exchange(address, content, source="127.0.0.1")
        taken.append(time.perf_counter() - started)
        if status != 200:
            refused[status] += 1

    tasks, started = [], time.perf_counter()
    for number in range(int(seconds * rate)):
        await asyncio.sleep(max(0.0, started + number / rate - time.perf_counter()))
        tasks.append(asyncio.create_task(search()))
    await asyncio.gather(*tasks)
    if refused:
        print(f"  honest searches refused: {dict(refused)} of {len(tasks)}")
    return np.array(taken)


# Rows


@dataclass
class Row:
    """An attack.

    Attributes:
        requests: by name, each on a connection of its own; made when the row runs.
        clients: at once.
        flood: instead of requests, bytes that are sent for ever on each connection.
    """

    requests: Callable[[], dict[str, bytes]] = dict
    clients: int = 3
    flood: bytes = b""
    statuses: Counter = field(default_factory=Counter)
    slowest: float = 0.0

    async def run(self, address: tuple[str, int], seconds: float) -> None:
        """Attack for so long."""
        contents = list(self.requests().values())
        until = time.monotonic() + seconds
        clients = (self._client(address, until, contents, n) for n in range(self.clients))
        await asyncio.gather(*clients)

    @property
    def answers(self) -> str:
        return ", ".join(f"{count} x {status}" for status, count in sorted(self.statuses.items()))

    async def _client(
        self, address: tuple[str, int], until: float, contents: list[bytes], number: int
    ) -> None:
        while time.monotonic() < until:
            started = time.perf_counter()
            if self.flood:
                with contextlib.suppress(OSError):
                    self.statuses[await _flood(address, self.flood, until)] += 1
                await asyncio.sleep(0.05)  # or connecting alone would be the attack
            else:
                self.statuses[await exchange(address, contents[number % len(contents)])] += 1
                number += 1
            self.slowest = max(self.slowest, time.perf_counter() - started)


async def _flood(address: tuple[str, int], content: bytes, until: float) -> int:
    """Send for ever and read nothing; returns 0 once the service hangs up."""
    _, writer = await asyncio.open_connection(*address, limit=1, local_addr=(ATTACKER, 0))
    try:
        async with asyncio.timeout(max(0.1, until - time.monotonic())):
            while True:
                writer.write(content)
                await writer.drain()
                await asyncio.sleep(len(content) / LINK)
    except (OSError, TimeoutError):
        return 0
    finally:
        writer.close()


def uploads(photos: Callable[[], dict[str, bytes]]) -> Callable[[], dict[str, bytes]]:
    return functools.cache(lambda: {name: request(form(photo)) for name, photo in photos().items()})


ROWS = {
    "pipelining": Row(flood=b"GET /x HTTP/1.1\r\nHost: localhost\r\n\r\n" * 1000, clients=8),
    "photos": Row(uploads(large_photos)),
    "metadata": Row(uploads(metadata_photos)),
    "forms": Row(functools.cache(hostile_forms)),
}


def attack(
    name: str, address: tuple[str, int], seconds: float, start: multiprocessing.Barrier
) -> None:
    """One row, in a process of its own, so that it does not slow what is measured beside it."""
    ROWS[name].requests()
    start.wait()
    asyncio.run(ROWS[name].run(address, seconds))
    answers = ", ".join(
        f"{count} x {status}" for status, count in sorted(ROWS[name].statuses.items())
    )
    print(f"  {name}: {answers}; slowest {ROWS[name].slowest:.1f} s")


def told(name: str, service: Service, work: Callable[[], str]) -> None:
    """Do it and print a line of the table."""
    service.restart_peak()
    before, used, started = service.memory, service.seconds, time.perf_counter()
    longest = _Ready(service.address)
    said = work()
    wall = time.perf_counter() - started
    print(
        f"| {name} | {said} | {wall:.1f} | {service.seconds - used:.2f} | {before:.0f} "
        f"| {service.peak:.0f} | {longest.stop():.2f} |",
        flush=True,
    )


class _Ready:
    """Asks /ready again and again, and keeps the longest time that it took."""

    def __init__(self, address: tuple[str, int]) -> None:
        self._longest, self._stopped = 0.0, threading.Event()
        self._thread = threading.Thread(target=self._ask, args=(address,))
        self._thread.start()

    def _ask(self, address: tuple[str, int]) -> None:
        content = b"GET /ready HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        while not self._stopped.is_set():
            started = time.perf_counter()
            try:
                with socket.create_connection(address, timeout=60) as connection:
                    connection.sendall(content)
                    connection.recv(1000)
            except OSError:
                pass
            self._longest = max(self._longest, time.perf_counter() - started)
            self._stopped.wait(0.05)

    def stop(self) -> float:
        self._stopped.set()
        self._thread.join()
        return self._longest


def replay(name: str, service: Service, seconds: float) -> None:
    """Each request of a row alone, then the row as it is."""
    row = ROWS[name]
    for title, content in row.requests().items():

        def alone(content: bytes = content) -> str:
            return str(asyncio.run(exchange(service.address, content)))

        told(title, service, alone)
    several = functools.partial(asyncio.run, row.run(service.address, seconds))

    def together() -> str:
        several()
        return row.answers

    told(f"{name}, {row.clients} clients for {seconds:g} s", service, together)


def mixed(names: list[str], service: Service, seconds: float, rate: float) -> None:
    """All rows at once beside honest searches, between two times of honest searches alone."""

    def p(taken: np.ndarray, percent: float) -> float:
        return float(np.percentile(taken, percent)) * 1000

    def searches(seconds: float) -> np.ndarray:
        return asyncio.run(honest(service.address, seconds, rate))

    calm = [searches(20)]
    service.restart_peak()
    used = service.seconds
    start = multiprocessing.Barrier(len(names) + 1)
    attackers = [
        multiprocessing.Process(target=attack, args=(name, service.address, seconds, start))
        for name in names
    ]
    for attacker in attackers:
        attacker.start()
    start.wait()
    under = searches(seconds)
    peak, used = service.peak, service.seconds - used
    for attacker in attackers:
        attacker.join()
    after = searches(1)
    calm.append(searches(20))
    undisturbed = np.concatenate(calm)
    print(
        f"\nMixed, {seconds:g} s, {rate:g} searches a second: "
        f"p50 {p(undisturbed, 50):.0f} -> {p(under, 50):.0f} ms, "
        f"p99 {p(undisturbed, 99):.0f} -> {p(under, 99):.0f} ms, ratio "
        f"{p(under, 99) / p(undisturbed, 99):.2f}; within the second after {p(after, 50):.0f} ms; "
        f"peak {peak:.0f} MB, afterwards {service.memory:.0f} MB, {used:.1f} processor seconds"
    )


def main() -> None:
    """Replay the rows, then all together."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", nargs="*", choices=ROWS, default=list(ROWS))
    parser.add_argument("--seconds", type=float, default=10, help="that each row goes on; 0: none")
    parser.add_argument("--mixed", type=float, default=60, help="seconds of all together; 0: none")
    parser.add_argument("--rate", type=float, default=20, help="honest searches a second")
    parser.add_argument("--limit-mb", type=int, default=0, help="memory that the service may have")
    options = parser.parse_args()
    with serving(options.limit_mb) as service:
        print(
            "| attack | answers | seconds | processor seconds | memory before, MB | peak, MB "
            "| longest /ready, s |\n|---|---|---|---|---|---|---|"
        )
        for name in options.rows if options.seconds else []:
            replay(name, service, options.seconds)
        if options.mixed:
            mixed(options.rows, service, options.mixed, options.rate)


if __name__ == "__main__":
    main()
