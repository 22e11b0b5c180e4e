"""What searching costs by the number of recipes, from ``reports/measurements/index.json``."""

from typing import Any

import numpy as np

Table = tuple[list[str], list[list[str]]]
"""Names of columns, and rows."""

MILLISECONDS, RECALL, FILTERED = 5.0, 0.98, 3.0
"""What the approximate index shall reach among 1,000,000 recipes: p50, recall@10, and how many
times longer a search may take that includes an ingredient held by 1% of them."""

_KINDS = {
    "exact float32": "exact",
    "exact float16": "exact, float16",
    "exact int8": "exact, int8",
    "ann": "approximate",
}
_MEMORY = {
    "file": "the bank's file",
    "bank_rss": "of it, by process (RSS)",
    "bank_pss": "of it, shared once (PSS)",
    "rss": "all, RSS",
    "pss": "all, PSS",
}
_METRICS = ("recall@10", "nDCG@10 title", "nDCG@10 ingredients")


def duration(milliseconds: float) -> str:
    """Milliseconds with three digits at most where they are few."""
    return f"{milliseconds:,.0f} ms" if milliseconds >= 100 else f"{milliseconds:.3g} ms"


def targets(measured: dict[str, Any]) -> Table:
    """What was to be reached, and what was."""
    largest = measured["growth"][-1]
    count, ann = largest["rows"], largest["milliseconds"]["ann"]
    filters = largest["filters"]["ann"]
    slower = filters["filtered"]["p50"] / filters["plain"]["p50"]
    rows = [
        [
            f"approximate index, {count:,} recipes: p50",
            f"at most {MILLISECONDS:g} ms",
            f"{ann['p50']:.2f} ms",
        ],
        [
            "its recall@10 against exact search",
            f"at least {RECALL:g}",
            f"{largest['recall@10']['ann']:.3f}",
        ],
        [
            "the same with an ingredient that 1% hold",
            f"at most {FILTERED:g} x as long",
            f"{slower:.2f} x ({filters['filtered']['p50']:.2f} ms)",
        ],
    ]
    whole = measured["bandwidth"]
    for kind in ("exact float32", "exact float16", "exact int8"):
        best = largest["milliseconds"][kind]["p10"]
        speed = count * largest["bytes_per_row"][kind] / best / 1e6
        share = f"{speed:.1f} GB/s, {speed / whole:.0%} of what memory gives ({whole:.1f} GB/s)"
        rows.append(
            [f"{_KINDS[kind]} search, {count:,} recipes", "", f"p10 {best:.0f} ms: {share}"]
        )
    crossing = crossover(measured)
    rows.append(
        [
            "recipes from which approximate is faster than exact",
            "",
            f"about {crossing:,}" if crossing else "none",
        ]
    )
    return ["figure", "to reach", "measured"], rows


def crossover(measured: dict[str, Any]) -> int | None:
    """Recipes from which the approximate index is faster than the exact one, to two digits.

    Between two measured numbers of rows both times are taken as straight lines on logarithmic
    axes. None where the lines do not cross.
    """
    steps = measured["growth"]
    rows = np.log([step["rows"] for step in steps])
    exact, ann = (
        np.log([step["milliseconds"][kind]["p50"] for step in steps])
        for kind in ("exact float32", "ann")
    )
    ahead = exact - ann
    for at in range(len(rows) - 1):
        if ahead[at] <= 0 < ahead[at + 1]:
            share = ahead[at] / (ahead[at] - ahead[at + 1])
            crossing = np.exp(rows[at] + share * (rows[at + 1] - rows[at]))
            return int(float(f"{crossing:.1e}"))
    return None


def growth(measured: dict[str, Any]) -> Table:
    """Each index among each number of recipes: time, recall and memory."""
    rows = []
    for step in measured["growth"]:
        for kind, name in _KINDS.items():
            times, size = step["milliseconds"][kind], step["bytes_per_row"][kind]
            rows.append(
                [
                    f"{step['rows']:,}",
                    name,
                    duration(times["p50"]),
                    duration(times["p10"]),
                    f"{step['recall@10'][kind]:.3f}",
                    _size(step["rows"] * size),
                ]
            )
    return ["recipes", "index", "p50", "p10", "recall@10", "rows in memory"], rows


def precisions(measured: dict[str, Any]) -> Table:
    """What fewer bits lose on the real test split."""
    full = measured["precision"]["float32"]
    rows = [["float32", "", "", *(f"{full['rough'][metric]:.4f}" for metric in _METRICS)]]
    for precision in ("float16", "int8"):
        found = measured["precision"][precision]
        saved = 1 - found["bytes_per_row"] / full["bytes_per_row"]
        for way, label in (("rough", "as they are"), ("rescored", "the best 40 compared again")):
            losses = (
                f"{found[way][metric]:.4f} ({found[way][metric] - full['rough'][metric]:+.4f})"
                for metric in _METRICS
            )
            rows.append([precision, label, f"{saved:.0%}", *losses])
    return ["rows", "", "memory saved", *_METRICS], rows


def libraries(measured: dict[str, Any]) -> Table:
    """USearch and FAISS on the same rows, at the same recall."""
    found = measured["libraries"]
    rows = [
        [
            name,
            f"{found[key]['cpu_seconds']:.0f} s of one core",
            f"{found[key]['recall@10']:.3f}",
            f"{found[key]['p50']:.2f} ms",
            f"{found[key]['p10']:.2f} ms",
        ]
        for key, name in (("usearch", "USearch, graph"), ("faiss", "FAISS, inverted lists"))
    ]
    return [f"{found['rows']:,} recipes", "build", "recall@10", "p50", "p10"], rows


def memory(measured: dict[str, Any]) -> Table:
    """What four processes take together."""
    names = {"four_workers": "the service, 4 workers", "four_processes": "4 processes that search"}
    rows = [
        [name, *(f"{measured[key][part]:,.0f} MB" for part in _MEMORY)]
        for key, name in names.items()
    ]
    return ["", *_MEMORY.values()], rows


def _size(count: float) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.0f} MB"
