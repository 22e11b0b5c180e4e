"""What searching costs as recipes grow from 1,000 to 1,000,000, by each index.

The rows are made of the configured dataset's: between a real row and one of its 20 nearest, with
a little noise of the real rows' covariance. Queries are the photos of the test split, which no row
is made of. All is measured in one run, side by side:
python -m benchmarks.index [--folder FOLDER] [--rows 1000 10000 100000 1000000]

It needs the bank of ft and the extras ann and dev, and 6 GB of disk. With FOLDER rows and graphs
are kept, and a second run takes minutes. Where faiss-cpu is installed, it is measured too.
Writes reports/measurements/index.json and reports/index.png.
"""

import argparse
import contextlib
import json
import logging
import multiprocessing
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import chain
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, get_args

import numpy as np
import psutil
from threadpoolctl import threadpool_limits

from itadaki import plots
from itadaki.bank.bank import Bank, load_bank
from itadaki.cores import usable_cores
from itadaki.evaluation.measurements import Measurements
from itadaki.evaluation.scores import Labels, retrieval_scores
from itadaki.index.ann import AnnIndex, build_graph
from itadaki.index.exact import RESCORED, rescored, similarities, top_k
from itadaki.index.filters import Filters, RowFilter
from itadaki.index.index import ExactIndex, Index
from itadaki.index.precision import reduced, rows_of
from itadaki.recipes.dataset import load_dataset
from itadaki.recipes.ingredients import asked_terms, ingredient_terms
from itadaki.settings import PROJECT_ROOT, Precision, Settings
from itadaki.storage.files import replacing, sha256_of, write_json
from itadaki.variants import VARIANTS, Artifacts
from tools.figures import index_growth
from tools.report import BLOCKS

K, PROBES, INGREDIENTS, PROCESSES = 10, 100, 12, 4
NEIGHBOURS, OWN_SHARE, CHUNK = 20, 0.95, 50_000
Search = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]


def real_rows(bank: Bank) -> tuple[np.ndarray, np.ndarray]:
    """The rows that others are made of, and the photos of the test split as queries."""
    groups = bank.column("photo_group")
    first = groups == np.arange(len(groups))
    test = bank.column("split") == "test"
    return bank.embeddings[first & ~test], bank.photo_embeddings[first & test]


def grown(base: np.ndarray, count: int, path: Path) -> np.ndarray:
    """Make ``count`` rows of length 1 like the base's; the same ones every time."""
    if not path.exists():
        rng = np.random.default_rng(0)
        similarities = base @ base.T
        np.fill_diagonal(similarities, -1)
        nearest = np.argpartition(-similarities, NEIGHBOURS, axis=1)[:, :NEIGHBOURS]
        values, vectors = np.linalg.eigh(np.cov(base, rowvar=False))
        noise = (vectors * np.sqrt(np.maximum(values, 0))).T.astype(np.float32)
        noise *= np.sqrt((1 / OWN_SHARE**2 - 1) / values.sum())
        with replacing(path) as beside:
            shape = (count, base.shape[1])
            rows = np.lib.format.open_memmap(beside, mode="w+", dtype=np.float32, shape=shape)
            for start in range(0, count, CHUNK):
                own = np.arange(start, min(start + CHUNK, count)) % len(base)
                other = nearest[own, rng.integers(NEIGHBOURS, size=len(own))]
                part = base[own] + base[other] * rng.random((len(own), 1), dtype=np.float32)
                part /= np.linalg.norm(part, axis=1, keepdims=True)
                part += rng.standard_normal(part.shape, dtype=np.float32) @ noise
                rows[start : start + len(own)] = part / np.linalg.norm(part, axis=1, keepdims=True)
            rows.flush()
    return np.load(path, mmap_mode="r")


def grown_bank(bank: Bank, count: int, folder: Path) -> tuple[Bank, Settings]:
    """A bank of ``count`` rows in a home of its own; its recipes are the real ones in turn."""
    settings = Settings(home=folder / str(count), index="ann")
    base, _ = real_rows(bank)
    rows = grown(base, count, Artifacts(bank.variant, settings).bank)
    recipes = [bank.recipes[row % len(bank.recipes)] for row in range(count)]
    hashes = {"bank": sha256_of(Artifacts(bank.variant, settings).bank), "metadata": ""}
    return Bank(bank.variant, rows, rows, recipes, bank.manifest | {"sha256": hashes}), settings


def built(bank: Bank, settings: Settings) -> dict:
    """Build the graph of a bank, or say what it took when it was built."""
    note = settings.home / "build.json"
    if not note.exists():
        started, cpu = time.perf_counter(), time.process_time()
        facts = build_graph(bank, settings)
        write_json(
            note,
            {
                "seconds": time.perf_counter() - started,
                "cpu_seconds": time.process_time() - cpu,
                **{name: facts[name] for name in ("recall@10", "width")},
            },
        )
    return json.loads(note.read_text())


def open_indexes(bank: Bank, settings: Settings) -> dict[str, Index]:
    """Every local index of a bank; they share what they know of the recipes."""
    indexes: dict[str, Index] = {
        f"exact {precision}": ExactIndex(bank, rows_of(bank, settings, precision))
        for precision in get_args(Precision)
    }
    indexes["ann"] = AnnIndex(bank, settings)
    row_filter = RowFilter(bank.recipes)
    for index in indexes.values():
        index._filter = row_filter
    return indexes


def timed(searches: dict[str, Search], queries: np.ndarray, rounds: int) -> dict[str, dict]:
    """Run each search with each query in turn; milliseconds by search."""
    spent: dict[str, list[float]] = {name: [] for name in searches}
    for search in searches.values():
        search(queries[0])
    for turn in range(1, rounds + 1):
        for name, search in searches.items():
            started = time.perf_counter()
            search(queries[turn % len(queries)])
            spent[name].append(1000 * (time.perf_counter() - started))
    return {name: percentiles(times) for name, times in spent.items()}


def percentiles(times: list[float]) -> dict[str, float]:
    """The median, and the time that a tenth stays under: what others leave undisturbed."""
    return {"p50": float(np.median(times)), "p10": float(np.percentile(times, 10))}


def recall(search: Search, exact: Search, queries: np.ndarray) -> float:
    """Share of the exact first ten that a search finds."""
    found = [np.isin(exact(query)[0], search(query)[0]).mean() for query in queries]
    return float(np.mean(found))


def growth(bank: Bank, counts: list[int], folder: Path, rounds: int) -> list[dict]:
    """Time and recall of every index, and what it keeps, for each number of rows."""
    _, queries = real_rows(bank)
    steps = []
    for count in counts:
        larger, settings = grown_bank(bank, count, folder)
        graph = built(larger, settings)
        indexes = open_indexes(larger, settings)
        searches = {
            name: partial(index.search, k=K, filters=Filters()) for name, index in indexes.items()
        }
        ann = {"ann": searches.pop("ann")}
        milliseconds = timed(searches, queries, rounds) | timed(ann, queries, 10 * rounds)
        exact = searches["exact float32"]
        row_bytes = {name: float(index._rows[0].nbytes) for name, index in indexes.items()}
        graph_path = Artifacts(larger.variant, settings).bank.with_suffix(".usearch")
        row_bytes["ann"] += graph_path.stat().st_size / count
        step = {
            "rows": count,
            "milliseconds": milliseconds,
            "recall@10": {
                name: recall(search, exact, queries[:PROBES])
                for name, search in {**searches, **ann}.items()
            },
            "bytes_per_row": row_bytes,
            "graph": graph,
            "filters": filtered(bank, larger, indexes, queries, rounds),
        }
        show(step)
        steps.append(step)
    return steps


def filtered(
    bank: Bank, larger: Bank, indexes: dict[str, Index], queries: np.ndarray, rounds: int
) -> dict:
    """Searches that include an ingredient held by about 1% of the recipes, beside plain ones."""
    terms = [ingredient_terms(recipe.ingredients) for recipe in bank.recipes]
    held = Counter(chain.from_iterable(terms))
    words = [
        word
        for word, count in sorted(held.items())
        if word.isalpha() and 0.008 < count / len(terms) < 0.0125
    ]
    words = words[:: max(1, len(words) // INGREDIENTS)][:INGREDIENTS]
    result: dict[str, Any] = {"ingredients": len(words)}
    queries = queries[: len(words)]
    for name in ("exact float32", "ann"):
        index = indexes[name]
        index.search(queries[0], K, Filters(include=(words[0],)))
        plain, with_word, right = [], [], []
        for _ in range(rounds):
            for query, word in zip(queries, words, strict=True):
                started = time.perf_counter()
                index.search(query, K, Filters())
                between = time.perf_counter()
                rows, _ = index.search(query, K, Filters(include=(word,)))
                with_word.append(1000 * (time.perf_counter() - between))
                plain.append(1000 * (between - started))
                right.append(rows)
        # By the definition, not by the inverted index that is measured.
        for found, query, word in zip(right, queries, words, strict=False):
            holding = np.array([not terms_of.isdisjoint(alternatives(word)) for terms_of in terms])
            fitting = np.flatnonzero(np.resize(holding, len(larger.embeddings)))
            expected = fitting[np.argsort(-(larger.embeddings[fitting] @ query))[:K]]
            assert np.isin(found, expected).mean() == 1, (name, word)
        result[name] = {"plain": percentiles(plain), "filtered": percentiles(with_word)}
    return result


def alternatives(word: str) -> list[str]:
    """The terms by which a filter finds a word, the stem of one."""
    return asked_terms(word)[0]


def memory_bandwidth(rounds: int = 10) -> float:
    """The most bytes a second that one or two threads read, in GB/s."""
    parts = np.ones((2, 2**27), np.float32)
    best = 0.0
    with ThreadPoolExecutor(2) as pool:
        for turn in range(rounds):
            read = parts[: 1 + turn % 2]
            started = time.perf_counter()
            list(pool.map(lambda part: np.dot(part, part), read))
            best = max(best, read.nbytes / (time.perf_counter() - started) / 1e9)
    return best


def precisions(bank: Bank) -> dict[str, dict]:
    """What fewer bits lose on the real test split, with and without comparing the best again."""
    groups = bank.column("photo_group")
    gallery = np.flatnonzero(groups == np.arange(len(groups)))
    rows, photos = bank.embeddings[gallery], bank.photo_embeddings[gallery]
    own = np.flatnonzero(bank.column("split")[gallery] == "test")
    labels = Labels.of([bank.recipes[row] for row in gallery])

    def against(rows: np.ndarray) -> np.ndarray:
        table = np.stack([similarities(rows, photos[row]) for row in own])
        table[np.arange(len(own)), own] = -np.inf
        return table

    exact, result = against(rows), {}
    for precision in get_args(Precision):
        rough = against(reduced(rows, precision))
        again = rough.copy()
        best = np.argpartition(-rough, RESCORED * K, axis=1)[:, : RESCORED * K]
        # Above every rough similarity, and among themselves in the exact order.
        np.put_along_axis(again, best, 2 + np.take_along_axis(exact, best, 1), 1)
        result[precision] = {
            "bytes_per_row": reduced(rows[:1], precision).nbytes,
            "rough": quality(rough, exact, own, labels),
            "rescored": quality(again, exact, own, labels),
        }
    show(result)
    return result


def quality(
    table: np.ndarray, exact: np.ndarray, own: np.ndarray, labels: Labels
) -> dict[str, float]:
    """How much of the exact first ten a table of similarities finds, and its nDCG."""
    first = [np.argsort(-each, axis=1, kind="stable")[:, :K] for each in (table, exact)]
    same = [np.isin(*pair).mean() for pair in zip(*first, strict=True)]
    scores = retrieval_scores(lambda of: table[np.searchsorted(own, of)], own, labels)
    ndcg = {metric: float(scores[metric].mean()) for metric in scores if "nDCG" in metric}
    return {"recall@10": float(np.mean(same)), **ndcg}


def with_faiss(bank: Bank, folder: Path, count: int) -> dict | None:
    """FAISS' inverted lists of 8-bit rows beside the graph, on the same rows."""
    try:
        import faiss
    except ModuleNotFoundError:
        return None
    larger, settings = grown_bank(bank, count, folder)
    rows, (_, queries) = np.array(larger.embeddings), real_rows(bank)
    lists = int(4 * count**0.5)
    cpu = time.process_time()
    index = faiss.IndexIVFScalarQuantizer(
        faiss.IndexFlatIP(rows.shape[1]),
        rows.shape[1],
        lists,
        faiss.ScalarQuantizer.QT_8bit,
        faiss.METRIC_INNER_PRODUCT,
    )
    index.cp.niter = 10
    index.train(rows[np.random.default_rng(0).permutation(count)[: 64 * lists]])
    index.add(rows)
    built_in = time.process_time() - cpu
    graph: Search = partial(AnnIndex(larger, settings).search, k=K, filters=Filters())

    def search(query: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return rescored(index.search(query[None], RESCORED * K)[1][0], rows, query, K)

    exact = partial(ExactIndex(larger).search, k=K, filters=Filters())
    target = recall(graph, exact, queries[:PROBES])
    for probes in (16, 32, 64, 128, 256, 512):
        index.nprobe = probes
        reached = recall(search, exact, queries[:PROBES])
        if reached >= target - 0.002:
            break
    milliseconds = timed({"usearch": graph, "faiss": search}, queries, 300)
    took = {"usearch": built(larger, settings)["cpu_seconds"], "faiss": built_in}
    result = {
        "rows": count,
        **{
            name: {"recall@10": found, "cpu_seconds": took[name], **milliseconds[name]}
            for name, found in (("usearch", target), ("faiss", reached))
        },
    }
    show(result)
    return result


def hold(path: Path, ready: Connection) -> None:
    """Search a bank once in a process of its own, then wait."""
    rows = np.load(path, mmap_mode="r")
    top_k(rows, np.array(rows[0]), K)
    ready.send(True)
    ready.recv()


def four_processes(path: Path) -> dict[str, float]:
    """Memory of four processes that search one bank."""
    context = multiprocessing.get_context("spawn")
    pipes = [context.Pipe() for _ in range(PROCESSES)]
    processes = [context.Process(target=hold, args=(path, theirs)) for _, theirs in pipes]
    for process, (ours, _) in zip(processes, pipes, strict=True):
        process.start()
        ours.recv()
    result = memory_of([process.pid for process in processes], path)
    for process, (ours, _) in zip(processes, pipes, strict=True):
        ours.send(True)
        process.join()
    return result | {"file": path.stat().st_size / 1e6}


def four_workers(bank: Bank, settings: Settings) -> dict[str, float]:
    """Memory of the service with four workers, after each has answered."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "uvicorn", "api.main:app", "--port", str(port)]
    server = subprocess.Popen(
        [*command, "--workers", str(PROCESSES)],
        cwd=PROJECT_ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    path = Artifacts(bank.variant, settings).bank
    try:
        workers = serving(server.pid, path)
        result = memory_of(workers, path)
    finally:
        server.terminate()
        server.wait(60)
    return result | {"file": path.stat().st_size / 1e6}


def serving(server: int, path: Path) -> list[int]:
    """The workers of a server, once all have mapped the bank."""
    for _ in range(600):
        found = []
        for process in psutil.Process(server).children(recursive=True):
            with contextlib.suppress(psutil.Error):
                if any(map.path == str(path) for map in process.memory_maps()):
                    found.append(process.pid)
        if len(found) == PROCESSES:
            time.sleep(5)
            return found
        time.sleep(1)
    raise TimeoutError("The workers did not get ready.")


def memory_of(processes: list[int], path: Path) -> dict[str, float]:
    """Megabytes: each process's own count, and what they take together (shared pages once)."""
    infos = [psutil.Process(pid).memory_full_info() for pid in processes]
    maps = [map for pid in processes for map in psutil.Process(pid).memory_maps()]
    ours = [map for map in maps if map.path == str(path)]
    return {
        "processes": len(processes),
        "rss": sum(info.rss for info in infos) / 1e6,
        "pss": sum(info.pss for info in infos) / 1e6,
        "bank_rss": sum(map.rss for map in ours) / 1e6,
        "bank_pss": sum(map.pss for map in ours) / 1e6,
    }


def show(result: object) -> None:
    """Print what was measured, as soon as it is."""
    print(json.dumps(result, indent=1), flush=True)


def main() -> None:
    """Measure everything and keep it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, help="where rows and graphs are kept")
    parser.add_argument("--rows", type=int, nargs="+", default=[1000, 10_000, 100_000, 1_000_000])
    parser.add_argument("--rounds", type=int, default=30, help="searches of each kind")
    options = parser.parse_args()
    logging.basicConfig(format="%(message)s")
    logging.getLogger("itadaki").setLevel(logging.INFO)
    threadpool_limits(1)  # as in the service, where BLAS' threads would spin after each search
    settings = Settings()
    bank = load_bank(Artifacts(VARIANTS["ft"], settings), load_dataset(settings))
    with contextlib.ExitStack() as stack:
        folder = options.folder or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        measured = {
            "model": bank.manifest["sha256"]["model"],
            "dataset_source": bank.manifest["dataset_source"],
            "cores": usable_cores(),
            "load": os.getloadavg()[0],
            "bandwidth": memory_bandwidth(),
            "metadata_bytes_per_recipe": Artifacts(bank.variant, settings).metadata.stat().st_size
            / len(bank.recipes),
            "growth": growth(bank, options.rows, folder, options.rounds),
            "precision": precisions(bank),
            "libraries": with_faiss(bank, folder, sorted(options.rows)[-2]),
            "four_processes": four_processes(
                Artifacts(bank.variant, Settings(home=folder / str(max(options.rows)))).bank
            ),
            "four_workers": four_workers(bank, settings),
        }
    reports = PROJECT_ROOT / "reports"
    write_json(reports / "measurements" / "index.json", measured)
    plots.save(index_growth(measured), reports / "index.png", dpi=120)
    print(BLOCKS["index_targets"](Measurements()))


if __name__ == "__main__":
    main()
