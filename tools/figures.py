"""The figures of the repository's documents, from stored measurements."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from itadaki import plots
from itadaki.evaluation.measurements import Measurements
from itadaki.models.keras_model import efficientnet, load_model, raw_model
from itadaki.plots.style import COMPUTED, FROZEN, INK, MUTED, QUERY, TRAINABLE, styled
from itadaki.settings import Settings
from itadaki.training.config import CONFIG_TL_HARD, TrainingConfig
from itadaki.training.heads import head_layers, model_with_head
from itadaki.variants import VARIANTS, Artifacts
from tools.sizing import crossover, duration

if TYPE_CHECKING:
    import keras


def figures(root: Path) -> dict[Path, Figure]:
    """Every figure of the folder ``reports``, as it should be now, but those of the page."""
    measured, reports = Measurements(root), root / "reports"
    drawn = {reports / "comparison.png": plots.ladder(measured.comparison)}
    for name, history in _histories(measured).items():
        path = reports / "training_curves" / f"{name}.png"
        drawn[path] = plots.training_curves(pd.DataFrame(history))
    if service := measured.stored("service"):
        drawn[reports / "service.png"] = service_latency(service)
    if index := measured.stored("index"):
        drawn[reports / "index.png"] = index_growth(index)
    for name, model in _models(root).items():
        drawn[reports / "architecture_images" / f"{name}.png"] = plots.architecture(model)
    return drawn


@styled
def index_growth(measured: dict[str, Any]) -> Figure:
    """Time of a search as recipes grow, by each index, and where exact and approximate cross.

    Args:
        measured: ``reports/measurements/index.json``.
    """
    kinds = {
        "exact float32": (INK, "-", "exact, float32"),
        "exact float16": (INK, "--", "exact, float16"),
        "exact int8": (INK, ":", "exact, int8"),
        "ann": (QUERY, "-", "approximate"),
    }
    steps = measured["growth"]
    rows = np.array([step["rows"] for step in steps])
    slowest = max(kinds, key=lambda kind: steps[-1]["milliseconds"][kind]["p50"])
    figure, axis = plt.subplots(figsize=(7.5, 4.6), layout="constrained")
    for kind, (colour, style, label) in kinds.items():
        times = [step["milliseconds"][kind]["p50"] for step in steps]
        axis.loglog(rows, times, style, color=colour, marker="o", markersize=5, label=label)
        axis.annotate(
            duration(times[-1]),
            (rows[-1], times[-1]),
            (7, 1 if kind == slowest else -5),
            textcoords="offset points",
            color=colour,
            fontsize=9,
        )
    if crossing := crossover(measured):
        axis.axvline(crossing, color=INK, linestyle=":", linewidth=1)
        axis.annotate(
            f"from about {crossing:,} recipes\napproximate is faster",
            (crossing, 0.97),
            (6, 0),
            xycoords=axis.get_xaxis_transform(),
            textcoords="offset points",
            va="top",
            fontsize=9,
        )
    axis.set_xlim(rows[0] / 1.3, rows[-1] * 2.2)
    axis.set_xticks(rows, [f"{count:,}" for count in rows])
    axis.minorticks_off()
    axis.set(title="One search among so many recipes", xlabel="recipes", ylabel="p50, milliseconds")
    axis.grid(color=COMPUTED)
    axis.legend(frameon=False)
    return figure


@styled
def service_latency(found: dict[str, Any]) -> Figure:
    """Where the time of a search goes, and how many searches a second the service answers.

    Args:
        found: what ``benchmarks/service.py`` measured.
    """
    figure, (time, rate) = plt.subplots(1, 2, figsize=(12, 3.2), width_ratios=[1.6, 1])
    sizes = found["latency"]
    names = {"small": "274 x 169 photo", "phone": "12-megapixel photo"}
    places = np.arange(len(sizes))[::-1]
    for place, one in zip(places, sizes.values(), strict=True):
        decode, forward = one["decode_p50_ms"], one["forward_p50_ms"]
        rest = max(0.0, one["post_p50_ms"] - decode - forward)
        left = 0.0
        for part, colour in ((decode, FROZEN), (forward, TRAINABLE), (rest, COMPUTED)):
            time.barh(
                place + 0.2, part, 0.36, left=left, color=colour, edgecolor=INK, linewidth=0.5
            )
            left += part
        time.text(left, place + 0.2, f"  {left:.0f} ms", va="center", fontsize=9, weight="bold")
        seed = one["seed_post_p50_ms"]
        time.barh(place - 0.2, seed, 0.36, color="white", edgecolor=MUTED, hatch="///")
        ratio = f"  {seed:.0f} ms, {seed / left:.1f} x"
        time.text(seed, place - 0.2, ratio, va="center", fontsize=9, color=MUTED)
    time.set_yticks(places, [names.get(name, name) for name in sizes])
    time.set_xlim(0, 1.25 * max(one["seed_post_p50_ms"] for one in sizes.values()))
    time.set(
        xlabel="milliseconds, median of one client", title="Where does a search spend its time?"
    )
    keys = (("decode", FROZEN), ("network", TRAINABLE), ("HTTP, search, answer", COMPUTED))
    handles = [Patch(facecolor=colour, edgecolor=INK, label=name) for name, colour in keys]
    seed_key = Patch(facecolor="white", edgecolor=MUTED, hatch="///", label="the obvious way")
    time.legend(handles=[*handles, seed_key], loc="upper right", bbox_to_anchor=(1, 0.62))
    for shift, clients, colour in (
        (-0.2, "one_client", COMPUTED),
        (0.2, "eight_clients", TRAINABLE),
    ):
        values = [one[f"{clients}_per_s"] for one in sizes.values()]
        label = clients.replace("_", " ")
        bars = rate.bar(np.arange(len(sizes)) + shift, values, 0.38, color=colour, label=label)
        rate.bar_label(bars, [f"{value:.0f}" for value in values], fontsize=9, padding=2)
    rate.set_xticks(range(len(sizes)), [names.get(name, name) for name in sizes])
    rate.set(ylabel="searches a second", title="How many does it answer?")
    rate.set_ylim(0, 1.25 * max(one["eight_clients_per_s"] for one in sizes.values()))
    rate.legend()
    return figure


def _histories(measured: Measurements) -> dict[str, list[dict[str, Any]]]:
    """Training histories by variant, of those whose measurement or record holds one."""
    found = {}
    for name, about in measured.comparison.about.items():
        if about.get("history"):
            found[name] = about["history"]
    if history := measured.record.get("history"):
        found["ft"] = history
    return found


def _models(root: Path) -> dict[str, "keras.Model"]:
    """The models whose architecture is drawn; of what is not shipped only the shape is real."""
    backbone = efficientnet(None)
    backbone.trainable = False
    head = head_layers(TrainingConfig.of(CONFIG_TL_HARD), np.zeros(1280), 1.0)
    return {
        "raw": raw_model(backbone),
        "tl_hard": model_with_head(backbone, head, "tl_hard"),
        "ft_hard": load_model(Artifacts(VARIANTS["ft"], Settings(_env_file=None, home=root)).model),
    }
