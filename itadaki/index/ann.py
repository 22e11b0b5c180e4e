"""An approximate index on one machine: a graph of neighbours, by USearch.

The graph (HNSW, Malkov and Yashunin 2016) lies beside the bank and is memory-mapped, so that all
processes share it. Its nodes are named by their rows' contents, not by their numbers: when the
bank changes, only the rows that came or went are touched, wherever the others have moved to.
"""

import logging
import time
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
from tqdm.auto import tqdm

from itadaki.bank.bank import Bank
from itadaki.cores import usable_cores
from itadaki.errors import ArtifactError, missing_extra
from itadaki.index.exact import RESCORED, rescored, top_k
from itadaki.index.filters import Filters, RowFilter
from itadaki.index.precision import reduced, rows_of
from itadaki.settings import Settings
from itadaki.storage.files import derived_facts, note_derived, replacing
from itadaki.storage.fingerprint import code_fingerprint, fingerprint
from itadaki.variants import Artifacts

with missing_extra("ann"):
    from usearch.index import Index as Graph

_FORMAT = 2
_NEIGHBOURS = 32
_BUILD_WIDTH = 64
_WIDTHS = (64, 96, 128, 192, 256, 384, 512, 768, 1024, 1536, 2048)
"""How many nodes a search may keep in view; the first that reaches the recall is taken."""
_RECALL = 0.99
_PROBES, _PROBE_COSINE = 200, 0.8
_STEP = 10_000
_CHECKPOINT_SECONDS = 60.0
_SPOILT = 0.2  # share of removed nodes beyond which the graph is made anew
_REMEASURED = 0.05  # share of changed nodes beyond which the recall is measured again
# A row that is looked at by number costs about 1/40 of one that is walked to in the graph.
_WALK = 40
_log = logging.getLogger(__name__)


class AnnIndex:
    """Walks the graph for candidates and compares these exactly, with the float32 rows."""

    def __init__(self, bank: Bank, settings: Settings) -> None:
        """Open the graph of a bank.

        Raises:
            ArtifactError: there is none that is complete and of this bank.
        """
        path = path_of(bank, settings)
        facts = _facts(bank, settings)
        if facts is None:
            name = bank.variant.name
            raise ArtifactError(
                f"The approximate index of {name} is not built yet, or not of this bank; "
                f"run: python -m itadaki build {name}"
            )
        self._rows = rows_of(bank, settings, "int8")
        self._bank, self._filter = bank.embeddings, RowFilter(bank.recipes)
        self._graph = Graph.restore(path, view=True, enable_key_lookups=False)
        self._graph.expansion_search = facts["width"]
        self._nodes = _Nodes(self._rows)

    def search(self, query: np.ndarray, k: int, filters: Filters) -> tuple[np.ndarray, np.ndarray]:
        """See ``Index.search``."""
        if k < 1:
            raise ValueError(f"k must be at least 1, not {k}.")
        allowed = self._filter.rows(filters)
        fitting = len(self._rows) if allowed is None else int(np.count_nonzero(allowed))
        k = min(k, fitting)
        if k == 0 or fitting**2 < _WALK * k * len(self._rows):
            return top_k(self._rows, query, max(k, 1), allowed, self._bank)
        wanted = RESCORED * k * len(self._rows) // fitting
        found = self._nodes.near(self._graph, query, wanted)
        if allowed is not None:
            found = found[allowed[found]]
        if len(found) < k:  # the rows that fit lie far from the query
            return top_k(self._rows, query, k, allowed, self._bank)
        return rescored(found, self._bank, query, k)


class _Nodes:
    """Which rows each node of the graph stands for: those of the same content.

    Attributes:
        names: 64-bit hashes of the rows' bytes, ascending: uint64 array of shape (n,).
        rows: the rows in the order of their names.
    """

    def __init__(self, rows: np.ndarray) -> None:
        hashes = b"".join(blake2b(row, digest_size=8).digest() for row in rows)
        names = np.frombuffer(hashes, np.uint64)
        self.rows = np.argsort(names, kind="stable")
        self.names = names[self.rows]

    def near(self, graph: Graph, query: np.ndarray, count: int) -> np.ndarray:
        """Walk the graph to ``count`` nodes or fewer; returns their rows."""
        found: np.ndarray = graph.search(reduced(query, "int8"), count).keys
        start, end = (np.searchsorted(self.names, found, side) for side in ("left", "right"))
        if (end - start == 1).all():
            return self.rows[start]
        return np.concatenate([self.rows[a:b] for a, b in zip(start, end, strict=True)])


def path_of(bank: Bank, settings: Settings) -> Path:
    """Where the graph of a bank lies."""
    return Artifacts(bank.variant, settings).bank.with_suffix(".usearch")


def build_graph(bank: Bank, settings: Settings, progress: bool = True) -> dict[str, Any]:
    """Bring the graph of a bank up to date, or make it; goes on where it was stopped.

    Returns:
        What is noted of it: among others recall@10 against exact search, the width of search that
        reaches it, and the seconds that the last build took.
    """
    facts = _facts(bank, settings)
    if facts:
        _log.info("The approximate index of %s is up to date.", bank.variant.name)
        return facts
    started, path = time.perf_counter(), path_of(bank, settings)
    rows = rows_of(bank, settings, "int8")
    nodes = _Nodes(rows)
    names, first = np.unique(nodes.names, return_index=True)
    graph, before = _start(path, rows.shape[1], names)
    new = ~graph.contains(names)
    names, missing = names[new], nodes.rows[first[new]]
    saved = started
    with tqdm(
        total=len(missing),
        desc="Building the index",
        unit="recipe",
        disable=not progress,
    ) as bar:
        for start in range(0, len(missing), _STEP):
            step = slice(start, start + _STEP)
            graph.add(names[step], rows[missing[step]], threads=usable_cores())
            bar.update(len(missing[step]))
            if time.perf_counter() - saved > _CHECKPOINT_SECONDS:
                _save(graph, path, "")
                saved = time.perf_counter()
    changed = before.get("changed", 0) + len(missing)
    known = before.get("measured_by") == _measured_by()
    if known and "width" in before and changed <= _REMEASURED * len(rows):
        measured = {name: before[name] for name in ("recall@10", "width")}
    else:
        measured, changed = _width_for_recall(graph, bank.embeddings, nodes), 0
    seconds = round(time.perf_counter() - started, 1)
    facts = {"added": len(missing), "changed": changed, "seconds": seconds, **measured}
    facts["measured_by"] = _measured_by()
    facts = _save(graph, path, bank.manifest["sha256"]["bank"], **facts)
    _log.info(
        "The approximate index of %s finds %.1f%% of the 10 most similar recipes (it keeps %d in "
        "view); %d of %d recipes were added in %.0f s.",
        bank.variant.name,
        100 * facts["recall@10"],
        facts["width"],
        len(missing),
        len(rows),
        facts["seconds"],
    )
    return facts


def _facts(bank: Bank, settings: Settings) -> dict[str, Any] | None:
    """What is noted of the graph, if it is whole and of this bank."""
    facts = derived_facts(path_of(bank, settings))
    wanted = {
        "made_by": _made_by(),
        "measured_by": _measured_by(),
        "source": bank.manifest["sha256"]["bank"],
    }
    return facts if facts and wanted.items() <= facts.items() else None


def _made_by() -> str:
    """Identify what shapes the graph of given rows."""
    return fingerprint(
        format=_FORMAT, knobs=[_NEIGHBOURS, _BUILD_WIDTH], rows=code_fingerprint(reduced)
    )


def _measured_by() -> str:
    """Identify what a graph's width of search and recall were found by."""
    knobs = [_WIDTHS, _RECALL, _PROBES, _PROBE_COSINE, RESCORED]
    return fingerprint(knobs=knobs, code=code_fingerprint(_width_for_recall, _probes, rescored))


def _start(path: Path, dimension: int, names: np.ndarray) -> tuple[Graph, dict[str, Any]]:
    """The graph on disk without the nodes that are gone, and its facts; or an empty one."""
    shape = {"connectivity": _NEIGHBOURS, "expansion_add": _BUILD_WIDTH}
    facts = derived_facts(path)
    # The knobs of format 2 were not noted at first; they were these.
    unnoted = facts and facts.get("format") == 2 and (_NEIGHBOURS, _BUILD_WIDTH) == (32, 64)
    if facts and (unnoted or facts.get("made_by") == _made_by()):
        graph = Graph.restore(path, **shape)
        known = np.array(graph.keys, np.uint64)
        gone = np.setdiff1d(known, names)
        if graph.ndim == dimension and len(gone) <= _SPOILT * len(known):
            graph.remove(gone)
            return graph, facts
    return Graph(ndim=dimension, metric="cos", dtype="i8", **shape), {}


def _save(graph: Graph, path: Path, source: str, **facts: Any) -> dict[str, Any]:
    with replacing(path) as beside:
        graph.save(beside)
        # USearch does not look whether its last write succeeded.
        if beside.stat().st_size < graph.serialized_length:
            raise OSError(f"{path} was not written to its end.")
    return note_derived(path, source, made_by=_made_by(), **facts)


def _width_for_recall(graph: Graph, rows: np.ndarray, nodes: _Nodes) -> dict[str, Any]:
    """Find how wide a search must be to find what comparing with every row finds."""
    k = min(10, len(rows))
    queries = _probes(rows)
    exact = [top_k(rows, query, k)[0] for query in queries]
    for width in _WIDTHS:
        graph.expansion_search = width
        found = [
            rescored(nodes.near(graph, query, RESCORED * k), rows, query, k)[0] for query in queries
        ]
        shares = [np.isin(*pair).mean() for pair in zip(exact, found, strict=True)]
        if np.mean(shares) >= _RECALL:
            break
    return {"recall@10": float(np.mean(shares)), "width": width}


def _probes(rows: np.ndarray) -> np.ndarray:
    """Queries for which the graph is about as hard to walk as for photos new to the collection.

    A row that the graph holds is found far more easily, with what is near it. So each probe is a
    row with noise of the rows' own covariance. At a cosine of 0.8 a search that finds 0.99 of the
    best for them finds 0.98 for held-out photos among 1,000,000 rows.
    """
    rng = np.random.default_rng(0)
    own = rows[np.linspace(0, len(rows) - 1, _PROBES).astype(int)]
    some = rows[np.sort(rng.integers(len(rows), size=1000))]
    noise = rng.standard_normal((_PROBES, len(some))) @ (some - some.mean(axis=0))
    noise /= np.maximum(np.linalg.norm(noise, axis=1, keepdims=True), 1e-6)
    probes = _PROBE_COSINE * own + (1 - _PROBE_COSINE**2) ** 0.5 * noise
    return np.asarray(probes / np.linalg.norm(probes, axis=1, keepdims=True), np.float32)
