"""How fast the service is, against the bare forward pass and against the seed's way of serving.

Everything is measured side by side in one run, of about ten minutes on two cores, on the variant
and dataset that the settings name; the figures go to reports/measurements/service.json, which
``tools/report.py`` makes a table of. Nothing else should run meanwhile.

python -m benchmarks.service [--requests 300] [--soak 10000]
"""

import argparse
import asyncio
import io
import platform
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

import aiohttp
import cv2
import numpy as np
import psutil
from PIL import Image
from tqdm import tqdm

from benchmarks import bank_build
from itadaki.cores import usable_cores
from itadaki.evaluation.measurements import Measurements
from itadaki.photos.images import decode, load_input, preprocess
from itadaki.retrieval import RetrievalSystem
from itadaki.settings import PROJECT_ROOT, Settings
from itadaki.storage.files import write_json
from itadaki.variants import served_variant
from tools.report import BLOCKS

SMALL = (274, 169)
PHONE = (4000, 3000)
ROUNDS = 5
LONGEST_START = 180.0  # seconds


def photos_of(system: RetrievalSystem, count: int) -> list[np.ndarray]:
    """Decoded photos of the collection, evenly spread."""
    rows = np.linspace(0, len(system.bank.recipes) - 1, count).astype(int)
    return [decode(system.photo_path(int(row))) for row in rows]


def jpeg(rgb: np.ndarray, size: tuple[int, int], seed: int = 0) -> bytes:
    """A photo brought to a size, with a sensor's noise when that is larger than it was."""
    larger = size[0] > rgb.shape[1]
    rgb = cv2.resize(rgb, size, interpolation=cv2.INTER_CUBIC if larger else cv2.INTER_AREA)
    if larger:
        noise = np.random.default_rng(seed).normal(0, 5, rgb.shape)
        rgb = (rgb + noise).clip(0, 255).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(rgb).save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


@contextmanager
def serving(app: str, folder: Path) -> Iterator[tuple[str, psutil.Process, float]]:
    """An application in a process of its own: its address, it, and seconds to its first answer."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "uvicorn", app, "--port", str(port)]
    started = time.perf_counter()
    with (folder / "service.log").open("w") as log:
        process = subprocess.Popen(command, cwd=PROJECT_ROOT, stdout=log, stderr=log)
    try:
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                if process.poll() is not None or time.perf_counter() - started > LONGEST_START:
                    sys.exit((folder / "service.log").read_text())
                time.sleep(0.005)
        url = f"http://127.0.0.1:{port}"
        asyncio.run(load(url, jpeg(np.zeros((169, 274, 3), np.uint8), SMALL), 1, 1))
        yield url, psutil.Process(process.pid), time.perf_counter() - started
    finally:
        process.terminate()
        process.wait(30)


async def load(url: str, photo: bytes, clients: int, requests: int) -> tuple[np.ndarray, float]:
    """Searches by so many clients at once: each one's seconds, and searches a second."""
    body = b'--x\r\nContent-Disposition: form-data; name="image"; filename="a.jpg"\r\n\r\n'
    body += photo + b"\r\n--x--\r\n"
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    left, seconds = iter(range(requests)), []

    async def client(session: aiohttp.ClientSession) -> None:
        for _ in left:
            asked = time.perf_counter()
            async with session.post("/api/v1/search/search", data=body, headers=headers) as answer:
                said = await answer.read()
                if answer.status != 200:
                    sys.exit(f"The service answered {answer.status}: {said.decode()}")
            seconds.append(time.perf_counter() - asked)

    async with aiohttp.ClientSession(url) as session:
        started = time.perf_counter()
        await asyncio.gather(*(client(session) for _ in range(clients)))
    return np.array(seconds), requests / (time.perf_counter() - started)


def milliseconds(work: Callable[[], object], times: int) -> float:
    """The median of so many runs, in milliseconds."""
    work()
    taken = []
    for _ in range(times):
        started = time.perf_counter()
        work()
        taken.append(time.perf_counter() - started)
    return float(np.median(taken)) * 1000


def p(seconds: np.ndarray, percent: float) -> float:
    return float(np.percentile(seconds, percent)) * 1000


def measure_latency(system: RetrievalSystem, folder: Path, requests: int) -> dict:
    """POST by one client and by eight, beside the bare forward pass and the seed's way."""
    photo = photos_of(system, 1)[0]
    found = {}
    with (
        serving("api.main:app", folder) as (ours, _, _),
        serving("benchmarks.seed_service:app", folder) as (seeds, _, _),
    ):
        for name, size in (("small", SMALL), ("phone", PHONE)):
            content = jpeg(photo, size)
            batch = load_input(content)[None]
            rounds = []
            for _ in tqdm(range(ROUNDS), desc=f"POST, {name} photo"):
                one, alone = asyncio.run(load(ours, content, 1, requests))
                eight, together = asyncio.run(load(ours, content, 8, requests))
                seed, _ = asyncio.run(load(seeds, content, 1, max(10, requests // 10)))
                rounds.append(
                    {
                        "forward_p50_ms": milliseconds(
                            lambda x=batch: system.embedder.embed(x), 50
                        ),
                        "decode_p50_ms": milliseconds(lambda c=content: load_input(c), 20),
                        "post_p50_ms": p(one, 50),
                        "post_p99_ms": p(one, 99),
                        "seed_post_p50_ms": p(seed, 50),
                        "one_client_per_s": alone,
                        "eight_clients_per_s": together,
                        "eight_clients_p50_ms": p(eight, 50),
                        "eight_clients_p99_ms": p(eight, 99),
                    }
                )
            found[name] = {
                "bytes": len(content),
                **{key: float(np.median([r[key] for r in rounds])) for key in rounds[0]},
            }
    return found


def measure_start(system: RetrievalSystem, folder: Path) -> dict:
    """From process start to the first answer, beside loading the model with TensorFlow."""
    ours, tensorflow = [], []
    program = (
        "from pathlib import Path; import sys; from itadaki.models.keras_model import load_model; "
        "load_model(Path(sys.argv[1]))"
    )
    for _ in tqdm(range(ROUNDS), desc="Start"):
        with serving("api.main:app", folder) as (_, _, seconds):
            ours.append(seconds)
        started = time.perf_counter()
        command = [sys.executable, "-c", program, str(system.embedder.path)]
        subprocess.run(command, check=True, capture_output=True, cwd=PROJECT_ROOT)
        tensorflow.append(time.perf_counter() - started)
    return {
        "first_answer_s": float(np.median(ours)),
        "tensorflow_load_s": float(np.median(tensorflow)),
    }


def measure_memory(system: RetrievalSystem, folder: Path, requests: int) -> dict:
    """Resident memory after 500 requests and after many, with photos of many sizes."""
    rng = np.random.default_rng(0)
    sizes = [(int(w), int(w * rng.uniform(0.5, 1))) for w in rng.integers(100, 2000, 20)]
    contents = [jpeg(rgb, size) for rgb, size in zip(photos_of(system, 20), sizes, strict=True)]
    megabytes = {}
    with serving("api.main:app", folder) as (url, process, _):
        done = 0
        for stop in (500, requests):
            with tqdm(total=stop - done, desc="Memory", unit="request") as bar:
                while done < stop:
                    count = min(25, stop - done)
                    asyncio.run(load(url, contents[(done // 25) % 20], 4, count))
                    done += count
                    bar.update(count)
            megabytes[stop] = process.memory_info().rss / 1e6
    return {
        "after_500_mb": megabytes[500],
        f"after_{requests}_mb": megabytes[requests],
        "requests": requests,
        "ratio": megabytes[requests] / megabytes[500],
    }


def measure_bank(system: RetrievalSystem, photos: int, rounds: int) -> dict:
    """Photos per second of a bank's build, beside ``model.predict`` one by one."""
    rows = np.random.default_rng(0).permutation(len(system.bank.recipes))[:photos]
    paths = [system.photo_path(int(row)) for row in rows]
    return bank_build.measure(system.embedder, paths, rounds)


def measure_decode(system: RetrievalSystem) -> dict:
    """Whether decoding at a reduced scale moves the embedding of a phone's photo."""
    cosines, reduced_ms, full_ms = [], [], []
    for number, rgb in enumerate(tqdm(photos_of(system, 40), desc="Decode")):
        content = jpeg(rgb, PHONE, number)

        def in_full(content: bytes = content) -> np.ndarray:
            return cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)[..., ::-1]

        one = system.embedder.embed(preprocess(np.ascontiguousarray(in_full()))[None])[0]
        other = system.embedder.embed(load_input(content)[None])[0]
        cosines.append(float(one @ other))
        if number < 10:
            full_ms.append(milliseconds(in_full, 3))
            reduced_ms.append(milliseconds(lambda c=content: decode(c), 3))
    return {
        "photos": len(cosines),
        "cosine_min": min(cosines),
        "cosine_median": float(np.median(cosines)),
        "full_ms": float(np.median(full_ms)),
        "reduced_ms": float(np.median(reduced_ms)),
    }


def main() -> None:
    """Measure everything, print the table and store the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=300, help="per round and load")
    parser.add_argument("--soak", type=int, default=10_000, help="requests of the memory's run")
    options = parser.parse_args()
    settings = Settings()
    system = RetrievalSystem.load(served_variant(settings).name, settings, build=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        found = {
            "dataset": system.dataset.source,
            "variant": system.bank.variant.name,
            "rows": len(system.bank.recipes),
            "runtime": f"LiteRT {version('ai-edge-litert')}",
            "cores": usable_cores(),
            "python": platform.python_version(),
            "latency": measure_latency(system, folder, options.requests),
            "start": measure_start(system, folder),
            "memory": measure_memory(system, folder, options.soak),
            "decode": measure_decode(system),
            "bank": measure_bank(system, 96, 3),
        }
    write_json(settings.home / "reports" / "measurements" / "service.json", found)
    print(
        f"\n{found['rows']:,} recipes of {found['dataset']}, {found['variant']}, "
        f"{found['runtime']}, {found['cores']} cores\n"
    )
    print(BLOCKS["service"](Measurements(settings.home)))


if __name__ == "__main__":
    main()
