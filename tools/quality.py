"""Tables of how well what was tried retrieves, from ``reports/measurements/``."""

from typing import Any

from tools.sizing import Table

METRICS = {
    "P@1 dish class": "P@1",
    "P@10 dish class": "P@10",
    "MAP@R dish class": "MAP@R",
    "nDCG@10 title": "nDCG@10, titles",
    "nDCG@10 ingredients": "nDCG@10, ingredients",
    "recall@1 re-crop": "recall@1, re-cropped photo",
}
_IM2RECIPE = "im2recipe (Salvador et al. 2017)"
PUBLISHED = [
    [_IM2RECIPE, "Recipe1M, trained on a million", "5.2", "0.240", "0.510", "0.650"],
    ["RecipeSnap", "the same", "2.0", "0.410", "", ""],
    ["SIMMER", "the same", "", "0.875", "", ""],
]
"""What others have published of a photo among 1,000 texts, all of held-out recipes."""


def trials(measured: dict[str, Any]) -> Table:
    """Each configuration that was tried, photo rows and rows of photo and text."""
    rows = []
    for name, trial in measured.items():
        knobs = ", ".join(
            f"`{knob}` {value:.3g}" if isinstance(value, float) else f"`{knob}` {value}"
            for knob, value in trial["knobs"].items()
        )
        for gallery, scores in trial["scores"].items():
            shown = [f"{scores[metric]:.3f}" if metric in scores else "" for metric in METRICS]
            rows.append([f"{name} ({knobs})" if knobs else name, gallery, *shown])
    return ["trial", "rows", *METRICS.values()], rows


def against_raw(ft: str, measured: dict[str, Any]) -> Table:
    """Each variant on photos of its own kind, with its 95% interval and its ratio to raw.

    Args:
        ft: what ft is called there.
        measured: what was stored.
    """
    metrics = [metric for metric in METRICS if metric in measured["raw"]]
    rows = []
    for name, scores in measured.items():
        if isinstance(scores, dict):
            shown = [
                f"{value:.3f} ({low:.3f}–{high:.3f}), {value / measured['raw'][metric][0]:.2f} x"
                for metric in metrics
                for value, low, high in [scores[metric]]
            ]
            rows.append([f"**{ft if name == 'ft' else name}**", *shown])
    return ["variant", *(METRICS[metric] for metric in metrics)], rows


def text_retrieval(found: dict[str, float], name: str) -> Table:
    """A photo's own recipe among others, beside what was published."""
    rows = [
        [
            f"**{name}**",
            f"{found['queries']:,.0f} test photos of the Kaggle recipes",
            f"{found['medR']:.1f}",
            *(f"{found[f'R@{k}']:.3f}" for k in (1, 5, 10)),
        ],
        *PUBLISHED,
    ]
    return ["model", "photos", "medR", "R@1", "R@5", "R@10"], rows
