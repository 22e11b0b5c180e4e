"""What the four chapters say of the measurements: tables in Markdown, and what they show."""

from collections.abc import Mapping, Sequence

from itadaki.evaluation.comparison import (
    BEYOND,
    GALLERIES,
    IN_SHORT,
    Comparison,
    markdown_table,
)

CHAPTERS = {
    "raw": ("raw",),
    "tl": ("raw", "tl_seed", "tl"),
    "tl_hard": ("tl", "tl_hard_seed", "tl_hard"),
    "ft": ("tl_hard", "ft_seed", "ft_phases"),
}
"""What each chapter holds its own, the last, against: the one before, and the seed's."""
_SHOWN = ("P@10 dish class", "MAP@R dish class", "nDCG@10 title", "recall@1 re-crop")

_KERAS = "[Keras Applications](https://keras.io/api/applications/)"
_PUBLISHED = {
    "EfficientNetB0": ("5.3 M", "77.1%", _KERAS),
    "ResNet50": ("25.6 M", "74.9%", _KERAS),
    "MobileNetV2": ("3.5 M", "71.3%", _KERAS),
    "ViT-B/16 (DeiT)": ("86 M", "81.8%", "[DeiT](https://github.com/facebookresearch/deit)"),
}
"""Parameters with the classifier, top-1 accuracy on ImageNet, and who says so."""


def backbones(measured: Mapping[str, Mapping[str, float]] | None) -> str:
    """What is published of four backbones, beside what was measured of those that Keras has.

    Args:
        measured: what ``benchmarks/backbones.py`` stored.
    """
    measured = measured or {}
    first = measured.get("EfficientNetB0", {})
    rows = []
    for name, published in _PUBLISHED.items():
        row: list[str] = [name, *published]
        if found := measured.get(name):
            row += [
                f"{found['features']:,}",
                f"{found['parameters'] / 1e6:.1f} M",
                f"{found['megabytes']:.0f} MB",
                f"{found['milliseconds'] / first['milliseconds']:.1f} x",
            ]
        else:
            row += ["not measured", "", "", ""]
        rows.append(row)
    there = ["parameters", "top-1, ImageNet", "published by"]
    here = ["features", "parameters without the top", "as LiteRT", "time a photo"]
    return markdown_table(["backbone", *there, *here], rows)


def chapter(comparison: Comparison, variant: str) -> str:
    """A chapter's model against the one before and the seed's configuration, on photo rows.

    Raw stands beside a random order. Below the table stands which gains it shows, and what must
    be told of the dish classes.
    """
    *others, own = CHAPTERS[variant]
    missing = _missing(comparison, CHAPTERS[variant])
    if own not in comparison.about:
        return missing
    names = [name for name in CHAPTERS[variant] if name in comparison.about]
    held_against = names[:-1]
    scores = {(c.variant, str(c.metric)): c for c in comparison.table().itertuples()}
    rows = []
    shown: dict[str, dict[str, list[str]]] = {other: {} for other in held_against}
    for metric in [metric for name, metric in scores if name == own]:
        cells = [scores.get((name, metric)) for name in names]
        row = [f"{c.score:.3f} ({c.low:.3f}–{c.high:.3f})" if c else "" for c in cells]
        if not others:
            row.append(f"{comparison.random('photos', metric):.3f}")
        for other in held_against:
            if gain := comparison.gain((other, "photos"), (own, "photos"), metric):
                row.append(f"{gain[0]:+.4f} ({_interval(gain)})")
                shown[other].setdefault(_verdict(gain, other), []).append(metric)
            else:
                row.append("not comparable")
        rows.append([metric, *row])
    last = [f"gain over {name}" for name in held_against] if others else ["random order"]
    table = markdown_table(["metric", *map(comparison.named, names), *last], rows)
    verdicts = [
        f"* {verdict}: {', '.join(metrics)}."
        for of_one in shown.values()
        for verdict, metrics in of_one.items()
    ]
    trained = [f"* {told}" for told in comparison.of_training(*names)]
    told = [f"* {told}" for told in (missing, _class_note(comparison)) if told]
    return "\n".join([table, "", *verdicts, *trained, *told]).rstrip()


def beyond(comparison: Comparison) -> str:
    """From two phases alone to the shipped model, one thing more a row, and its gain."""
    rungs, added = [], []
    for name, told in BEYOND.items():
        added.append(told)  # a rung that was not measured adds what it has to the next
        if name in comparison.about:
            rungs.append((name, "photos", "; ".join(added)))
            added = []
    for gallery in ("fused", "search"):
        if comparison.scores("ft", gallery, _SHOWN[0]) is not None:
            rungs.append(("ft", gallery, f"the same, searched: {GALLERIES[gallery]}"))
    rows: list[list[str]] = []
    before: tuple[str, str] | None = None
    for name, gallery, told in rungs:
        row = [comparison.named(name) + IN_SHORT[gallery], told]
        for metric in _SHOWN:
            scores = comparison.scores(name, gallery, metric)
            gain = before and comparison.gain(before, (name, gallery), metric)
            score = "" if scores is None else f"{scores.mean():.3f}"
            row.append(f"{score} ({gain[0]:+.4f}, {_interval(gain)})" if gain else score)
        rows.append(row)
        before = (name, gallery)
    table = markdown_table(["model", "what it has", *_SHOWN], rows)
    brackets = "In brackets: the gain over the row above, with its 95% paired interval."
    trained = comparison.of_training(*filter(comparison.about.get, BEYOND))
    missing = _missing(comparison, list(BEYOND))
    told = " ".join(filter(None, [brackets, *trained, missing, _class_note(comparison)]))
    return f"{table}\n\n{told}"


def _class_note(comparison: Comparison) -> str:
    """What must be told of the dish classes' rules, where they have changed meanwhile."""
    return comparison.class_note() if comparison.old_rules() else ""


def _missing(comparison: Comparison, names: Sequence[str]) -> str:
    missing = ", ".join(name for name in names if name not in comparison.about)
    return f"Not measured yet: {missing}." if missing else ""


def _interval(gain: Sequence[float]) -> str:
    return f"{gain[1]:+.4f} to {gain[2]:+.4f}"


def _verdict(gain: Sequence[float], before: str) -> str:
    if gain[1] > 0:
        return f"Better than {before}, with an interval above nought"
    if gain[2] < 0:
        return f"Worse than {before}, with an interval below nought"
    return f"Not shown either way against {before}"
