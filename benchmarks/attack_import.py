"""Imports sources that are made to cost much, and tells what each costs and what is said of it.

Each source holds a sound recipe, too, which an import has to bring in all the same. Every import
runs in a process of its own whose processor time, memory and duration are limited, so that what
does not end by itself is ended. Unix only: python benchmarks/attack_import.py [ROW ...]
"""

import argparse
import gzip
import io
import json
import os
import resource
import socket
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path

from PIL import Image

_CPU, _MEMORY, _WALL = 150, 8 << 30, 200  # seconds, bytes, seconds
_NOT_PRIVATE = """
import sys
from itadaki.cli import main
from itadaki.importing import fetch
is_public = fetch._is_public
fetch._is_public = lambda address: address == "127.0.0.1" or is_public(address)
sys.exit(main(sys.argv[1:]))
"""


def photo() -> bytes:
    buffer = io.BytesIO()
    Image.linear_gradient("L").save(buffer, "JPEG")
    return buffer.getvalue()


def zipped(*files: tuple[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(buffer, "w") as file:
        warnings.simplefilter("ignore")  # that a name occurs twice
        for name, content in files:
            info = zipfile.ZipInfo()
            info.filename, info.compress_type = name, zipfile.ZIP_DEFLATED
            with file.open(info, "w") as member:
                member.write(content)
    return buffer.getvalue()


def tar_with_pax_name(name: str) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as file:
        info = tarfile.TarInfo("a.md")
        info.pax_headers = {"path": name}
        file.addfile(info)
    return buffer.getvalue()


def tar_with_pax_header(pax: bytes) -> bytes:
    info = tarfile.TarInfo("x")
    info.type, info.size = tarfile.XHDTYPE, len(pax)
    return gzip.compress(info.tobuf() + pax + bytes(-len(pax) % 512))


def page(body: str) -> bytes:
    return f"<!doctype html><html><body>{body}</body></html>".encode()


def front_matter(text: str) -> bytes:
    return f"---\n{text}\n---\nBoil it.\n".encode()


def aliases() -> bytes:
    levels = [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 9)]
    return front_matter("\n".join(["a0: &a0 [x, x, x]", *levels, "title: *a8"]))


def paprika_zip() -> bytes:
    inner = gzip.compress(b'{"name": "' + bytes(190_000_000) + b'"}')
    return zipped(*[(f"{i}.paprikarecipe", inner) for i in range(18)])


def table(ingredients: str) -> bytes:
    return f'title,photo,ingredients\nSoup,sound.jpg,"{ingredients}"\n'.encode()


def recipe_json(**fields: object) -> bytes:
    return json.dumps({"@type": "Recipe", "name": "Odd", "image": "sound.jpg", **fields}).encode()


SOURCES: dict[str, Callable[[], dict[str, bytes]]] = {
    "YAML aliases": lambda: {"x.md": aliases()},
    "YAML nesting": lambda: {"x.md": front_matter("title: " + "[" * 60_000)},
    "front matter of empty lines": lambda: {"x.md": b"---" + b"\n" * 32_000},
    "32,000 spaces as an ingredient": lambda: {"x.csv": table("a" + " " * 32_000 + "b")},
    "320,000 spaces as an ingredient": lambda: {"x.csv": table("a" + " " * 320_000 + "b")},
    "an ingredient list of 9 MB": lambda: {"x.csv": table("[" + "1," * 4_500_000 + "]")},
    "an ingredient of 100,000 hex digits": lambda: {"x.csv": table("[0x" + "f" * 100_000 + "]")},
    "a CSV with a cell of 300 MB": lambda: {"x.csv": table("a" * 300_000_000)},
    "zip of gzipped Paprika recipes": lambda: {"x.paprikarecipes": paprika_zip()},
    "half a megabyte of <a ": lambda: {"x.html": b"<a " * 170_000},
    "half a megabyte of <div>": lambda: {"x.html": page("<div>" * 100_000)},
    "half a megabyte of <meta": lambda: {"x.html": b"<meta " * 85_000},
    "half a megabyte of <!--": lambda: {"x.html": b"<!--" * 125_000},
    "half a megabyte of <script>": lambda: {"x.html": b"<script>" * 60_000},
    "Markdown of [": lambda: {"x.md": b"[" * 500_000},
    "Markdown of ![[": lambda: {"x.md": b"![[" * 170_000},
    "Markdown of > ": lambda: {"x.md": b"> " * 250_000},
    "Markdown of *a **a ": lambda: {"x.md": b"*a **a " * 70_000},
    "Markdown of nested lists": lambda: {
        "x.md": b"".join(b" " * (2 * i) + b"- a\n" for i in range(700))
    },
    "JSON nesting": lambda: {"x.json": b"[" * 100_000 + b"]" * 100_000},
    "JSON of empty lists, 40 MB": lambda: {"x.json": b"[" + b"[]," * 13_000_000 + b"[]]"},
    "a JSON number of 100,000 digits": lambda: {"x.json": b'{"a": ' + b"1" * 100_000 + b"}"},
    "a data URI of 100 MB": lambda: {
        "x.json": recipe_json(image="data:image/jpeg;base64," + "A" * 100_000_000)
    },
    "a photo of 3 GB": lambda: {"big.md": b"# Big\n![](big.jpg)\n"},
    "a pipe as a photo": lambda: {"x.md": b"# Pipe\n![](x.jpg)\n"},
    "zip with an empty name": lambda: {"x.zip": zipped(("", b"nothing"), ("a.md", b"# A"))},
    "zip with a name of 300 characters": lambda: {"x.zip": zipped(("a" * 300 + ".md", b"# A"))},
    "zip with a name twice": lambda: {"x.zip": zipped(("a.md", b"# A"), ("a.md", b"# B"))},
    "tar whose pax header drags": lambda: {"x.tgz": tar_with_pax_header(b"1" * 200_000)},
    "tar with NUL in a name": lambda: {"x.tgz": tar_with_pax_name("a\0b.md")},
    "a title of zero-width characters": lambda: {
        "x.md": "# \u200b\u200d\u2060\ufeff\n![](sound.jpg)\n".encode()
    },
    "file names that no terminal should see": lambda: {"a\x1b[31m\nb.md": b"# A"},
}


def special(row: str, folder: Path) -> None:
    """What bytes alone cannot say."""
    if row == "a pipe as a photo":
        os.mkfifo(folder / "x.jpg")
    if row == "a photo of 3 GB":
        with (folder / "big.jpg").open("wb") as file:
            file.truncate(3_000_000_000)


def dripping(head: bytes, drip: bytes, seconds: float = 240) -> Callable[[socket.socket], None]:
    def answer(client: socket.socket) -> None:
        client.sendall(head)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            client.sendall(drip)
            time.sleep(0.5)

    return answer


_OK = b"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\n"
HOSTS: dict[str, Callable[[socket.socket], None]] = {
    "fetch: redirect to http://[": lambda client: client.sendall(
        b"HTTP/1.1 302 Found\r\nLocation: http://[\r\nContent-Length: 0\r\n\r\n"
    ),
    "fetch: Content-Length of 5,000 digits": lambda client: client.sendall(
        _OK + b"Content-Length: " + b"9" * 5_000 + b"\r\n\r\n"
    ),
    "fetch: a header dripped": dripping(_OK + b"X: ", b"x"),
    "fetch: a chunk extension dripped": dripping(
        _OK + b"Transfer-Encoding: chunked\r\n\r\n5;", b"x"
    ),
    "fetch: a body dripped": dripping(_OK + b"Content-Length: 1000000\r\n\r\n", b"x"),
}
ADDRESSES = "192.0.0.192 fec0::1 64:ff9b:1::1 2002:808:808::1 2001:0:1::1 224.0.0.1 ::1 3fff::1"


def serve(answer: Callable[[socket.socket], None]) -> int:
    """Answer every connection on a port of this machine so; returns the port."""
    server = socket.create_server(("127.0.0.1", 0))

    def one(client: socket.socket) -> None:
        with client:
            try:
                client.recv(65_536)
                answer(client)
            except OSError:
                pass  # the importer has gone

    def loop() -> None:
        while True:
            threading.Thread(target=one, args=(server.accept()[0],), daemon=True).start()

    threading.Thread(target=loop, daemon=True).start()
    return server.getsockname()[1]


def limit() -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (_CPU, _CPU))
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    os.setpgid(0, 0)


def measure(row: str) -> dict[str, object]:
    """Import the row's source."""
    with tempfile.TemporaryDirectory(prefix="attack-") as name:
        source, home = Path(name) / "source", Path(name) / "home"
        source.mkdir()
        (source / "sound.jpg").write_bytes(photo())
        (source / "sound.md").write_text("# Sound\n![](sound.jpg)\n")
        options = []
        if row in HOSTS:
            address = f"http://127.0.0.1:{serve(HOSTS[row])}/x.jpg"
            (source / "x.csv").write_text(f"title,photo\nFar,{address}\n")
            options = ["--fetch-photos"]
            made = len(address)
        else:
            files = SOURCES[row]()
            made = sum(map(len, files.values()))
            for file, content in files.items():
                (source / file).write_bytes(content)
            special(row, source)
            del files
        log = Path(name) / "log.txt"
        root = Path(__file__).resolve().parents[1]
        started = time.monotonic()
        with log.open("wb") as out:
            process = subprocess.Popen(
                [
                    *(sys.executable, "-c", _NOT_PRIVATE),
                    *("import", str(source), "--name", "x", *options),
                ],
                env=os.environ | {"ITADAKI_HOME": str(home), "PYTHONPATH": str(root)},
                stdout=out,
                stderr=subprocess.STDOUT,
                preexec_fn=limit,
            )
            ending = threading.Timer(_WALL, os.killpg, (process.pid, 9))
            ending.start()
            _, status, used = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            ending.cancel()
        lines = log.read_text(errors="replace").splitlines() or [""]
        listed = next((i for i, line in enumerate(lines) if line.startswith("Not used")), None)
        said = lines[-1] if listed is None else lines[min(listed + 1, len(lines) - 1)]
        return {
            "row": row,
            "input_kb": round(made / 1000, 1),
            "exit": process.returncode,
            "imported": any("recipes are in the collection" in line for line in lines),
            "cpu_s": round(used.ru_utime + used.ru_stime, 1),
            "wall_s": round(time.monotonic() - started, 1),
            "peak_mb": round(used.ru_maxrss / 1000),
            "said": said.strip()[:150],
        }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("rows", nargs="*", metavar="ROW", help="parts of rows' names")
    options = parser.parse_args()
    rows = [
        row
        for row in [*SOURCES, *HOSTS]
        if not options.rows or any(part in row for part in options.rows)
    ]
    print("| row | input, KB | exit | imported | processor, s | time, s | peak, MB | said |")
    print("| --- | --: | --: | --- | --: | --: | --: | --- |", flush=True)
    for row in rows:
        print("|", " | ".join(str(cell) for cell in measure(row).values()), "|", flush=True)
    if not options.rows:
        from itadaki.importing.fetch import _is_public

        print("public:", [address for address in ADDRESSES.split() if _is_public(address)])


if __name__ == "__main__":
    main()
