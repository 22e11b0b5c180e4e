"""The repository's documents and figures, made anew from stored measurements.

A Markdown file may hold blocks between ``<!-- report: NAME -->`` and ``<!-- /report -->``. What
stands between them comes from the measurements in ``reports/measurements/``, the record beside
the fine-tuned model, the code, and the installed packages; a test holds the files to it.
"""

import argparse
import json
import re
import sys
from collections.abc import Callable, Iterator
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Any

import pandas as pd
from pydantic.fields import FieldInfo

from api.core.config import ApiSettings
from itadaki.cli import commands
from itadaki.errors import ItadakiError
from itadaki.evaluation.chapters import backbones, beyond, chapter
from itadaki.evaluation.comparison import markdown_table
from itadaki.evaluation.measurements import Measurements
from itadaki.settings import PROJECT_ROOT, Settings
from itadaki.storage.files import replacing
from tools import quality, service, sizing
from tools.quality import METRICS
from tools.sizing import Table

_BLOCK = re.compile(r"(<!-- report: (\w+) -->)(.*?)(<!-- /report -->)", re.DOTALL)
_NOT_MEASURED = "Not measured yet."
_NOTEBOOKS = {"raw": "raw", "tl": "tl", "tl_hard": "tl_hard", "ft": "ft_hard"}
"""The variant of each chapter, and how its file's name ends."""
_MODELS = (
    ("raw", "photos", "raw", "the frozen backbone: the floor"),
    ("tl", "photos", "tl", "a head on triplets with random negatives"),
    ("tl_hard", "photos", "tl_hard", "the same with hard negatives of the whole collection"),
    (
        "ft_phases",
        "photos",
        "ft",
        "a head, then the last blocks with it; its section 11 says what was kept",
    ),
    ("ft", "photos", "ft", "as it ships: texts say what is alike, more photos, joined features"),
    ("ft", "search", "ft", "the same, as the product searches: rows with texts, two rounds"),
)


def documents(root: Path = PROJECT_ROOT) -> dict[Path, str]:
    """Every generated text, as it should be now.

    Raises:
        ItadakiError: a document names a block that does not exist.
    """
    measured = Measurements(root)
    texts = {root / "reports" / "comparison.md": measured.comparison.markdown()}
    for path in sorted([*root.glob("*.md"), *root.glob("docs/*.md"), *root.glob("reports/*.md")]):
        text = path.read_text(encoding="utf-8")
        if _BLOCK.search(text):
            texts[path] = _BLOCK.sub(lambda block: _filled(block, measured), text)
    return texts


def write_report(root: Path = PROJECT_ROOT) -> Iterator[Path]:
    """Write all documents and figures anew; yields their paths."""
    from itadaki import plots
    from tools.figures import figures  # with TensorFlow, which the documents do without
    from tools.notebooks import refresh

    for path, text in documents(root).items():
        with replacing(path) as beside:
            beside.write_text(text, encoding="utf-8")
        yield path
    for path, figure in figures(root).items():
        plots.save(figure, path, dpi=120)
        yield path
    measured = Measurements(root)
    comparison = measured.comparison
    for variant, name in _NOTEBOOKS.items():
        path = root / f"recipe_image_retrieval_{name}.ipynb"
        ladder = plots.ladder(comparison, highlight=variant)
        refresh(path, chapter_tables(measured, variant), ladder)
        plots.close(ladder)
        yield path


def chapter_tables(measured: Measurements, variant: str) -> dict[str, str]:
    """The tables of measurements in a notebook, by a part of their cells' sources."""
    tables = {f'chapter(measured, "{variant}")': chapter(measured.comparison, variant)}
    if variant == "raw":
        return {"Markdown(backbones(": backbones(measured.stored("backbones"))} | tables
    if variant == "ft":
        return tables | {"Markdown(beyond(": beyond(measured.comparison)}
    return tables


def main() -> None:
    """Write documents and figures; run the notebooks, too, where that is asked for."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.report",
        description="Make the repository's documents and figures anew from stored measurements.",
    )
    parser.add_argument(
        "--notebooks",
        action="store_true",
        help="run the four notebooks on the sample cookbook, too, and keep their outputs",
    )
    asked = parser.parse_args()
    try:
        for path in write_report():
            print(path)
        if asked.notebooks:
            from tools.notebooks import run_notebook

            for path in sorted(PROJECT_ROOT.glob("*.ipynb")):
                run_notebook(path)
                print(path)
    except ItadakiError as error:
        sys.exit(f"report: {error}")


def _filled(block: re.Match[str], measured: Measurements) -> str:
    start, name, _, end = block.groups()
    if name not in BLOCKS:
        raise ItadakiError(f"There is no block {name}; there are {', '.join(BLOCKS)}.")
    text = BLOCKS[name](measured)
    return f"{start}\n{text}\n{end}" if "\n" in text else f"{start}{text}{end}"


def _scores(measured: Measurements) -> str:
    """The ladder on the whole collection, every rung with its intervals."""
    table = measured.comparison.ladder()
    rows = []
    for (variant, name), rung in table.groupby(["variant", "rung"], sort=False):
        cells = rung.set_index("metric").reindex(list(METRICS))
        shown = [f"{c.score:.3f} ({c.low:.3f}–{c.high:.3f})" for c in cells.itertuples()]
        shown_name = str(name).replace(str(variant), f"**{variant}**")
        rows.append([shown_name, str(measured.comparison.seeds[str(variant)]), *shown])
    floor = [f"{measured.comparison.random('photos', metric):.3f}" for metric in METRICS]
    rows.append(["random order", "", *floor])
    return markdown_table(["variant", "seeds", *METRICS.values()], rows)


def _chapters(measured: Measurements) -> str:
    """The models of the four notebooks, each with its scores."""
    metrics = ("P@10 dish class", "MAP@R dish class", "nDCG@10 title")
    comparison = measured.comparison
    rows = []
    numbers = {of: number for number, of in enumerate(_NOTEBOOKS, 1)}
    for variant, gallery, of, about in _MODELS:
        scores = []
        for metric in metrics:
            found = comparison.scores(variant, gallery, metric)
            gain = comparison.gain(("raw", "photos"), (variant, gallery), metric)
            score = "" if found is None else f"{found.mean():.3f}"
            scores.append(f"{score} ({gain[3]:.2f} x)" if gain and variant != "raw" else score)
        file = f"recipe_image_retrieval_{_NOTEBOOKS[of]}.ipynb"
        number = numbers.pop(of, None)  # once, before its first model
        rows.append([f"{number}. [`{file}`]({file})" if number else "", about, *scores])
    return markdown_table(["notebook", "its model", *(METRICS[metric] for metric in metrics)], rows)


def _protocol(measured: Measurements) -> str:
    """What the scores were measured on, in one sentence."""
    comparison = measured.comparison
    about = comparison.about["raw"]
    queries = {
        short: len(scores)
        for metric, short in METRICS.items()
        if (scores := comparison.scores("raw", "photos", metric)) is not None
    }
    if not queries:
        return _NOT_MEASURED
    most = max(queries.values())
    fewer = "; ".join(f"{short}: {count}" for short, count in queries.items() if count < most)
    return (
        f"{most:,} held-out photos search {about['galleries']['photos']:,} photos, their own and "
        "all its copies left out"
    ) + (f" (fewer where some lack what is compared, {fewer})" if fewer else "")


def _class_rules(measured: Measurements) -> str:
    """Whether the dish classes were given by today's rules, in one sentence."""
    return measured.comparison.class_note()


def _steps(measured: Measurements) -> str:
    """Each rung against the one before, in the two metrics that the ladder is judged by."""
    steps = measured.comparison.steps()
    judged = steps[steps["metric"].isin(["MAP@R dish class", "nDCG@10 title"])]
    rows = [
        [
            step["step"],
            METRICS[step["metric"]],
            f"{step['gain']:+.4f} ({step['low']:+.4f} to {step['high']:+.4f})",
            f"{step['ratio']:.2f} x",
            "yes" if step["low"] > 0 else "no",
        ]
        for step in judged.to_dict("records")
    ]
    columns = [
        "step",
        "metric",
        "gain, with its 95% paired interval",
        "ratio",
        "shown to be better",
    ]
    return markdown_table(columns, rows)


def _classes(measured: Measurements) -> str:
    """Dish classes that the fine-tuned model finds best and worst."""
    table = measured.comparison.by_class("ft", "search", "P@10 dish class")
    table = table[table["queries"] >= 10]
    if table.empty:
        return _NOT_MEASURED

    def named(part: pd.DataFrame) -> str:
        return ", ".join(f"{name} {row.score:.2f}" for name, row in part.iterrows())

    return f"best: {named(table.head(8))}; worst: {named(table.tail(8).iloc[::-1])}"


def _rendered(measured: Measurements) -> str:
    """Both ends of the ladder on the sample cookbook, whose pictures are unlike the photos."""
    found = measured.stored("sample_cookbook")
    if found is None:
        return _NOT_MEASURED
    rows = [
        [f"**{name}**", *(f"{scores[metric]:.3f}" for metric in ("P@1", "P@5")), scores["tests"]]
        for name, scores in found["variants"].items()
    ]
    columns = ["variant", "P@1 by family", "P@5 by family", "test pictures found in the first 3"]
    return markdown_table(columns, rows)


def _service_setting(measured: Measurements) -> str:
    """What the service's figures were measured on."""
    found = measured.stored("service")
    if found is None:
        return _NOT_MEASURED
    return (
        f"{found['variant']} with {found['rows']:,} rows, {found['runtime']}, Python "
        f"{found['python']}, {found['cores']} cores"
    )


def _training(measured: Measurements) -> str:
    """What the shipped model was made from."""
    record = measured.record
    history = pd.DataFrame(record["history"])
    config = ", ".join(f"`{key}` {value}" for key, value in record["config"].items() if value)
    last = history[history["phase"] == history["phase"].iloc[-1]]
    best = last.loc[last["score"].idxmax()]
    epochs = ", ".join(
        f"{name} {int(part['epoch'].max())}" for name, part in history.groupby("phase", sort=False)
    )
    rows = [
        ["recipes", f"{record['dataset_source']}, SHA-256 `{record['dataset'][:16]}…`"],
        [
            "code",
            f"trained at {', '.join(f'`{commit}`' for commit in record['trained_by_commits'])}, "
            f"exported at `{record['commit']}`, Keras {record['keras']}",
        ],
        ["seed", str(record["seed"])],
        ["epochs by phase", epochs],
        [
            "kept",
            f"epoch {int(best['epoch'])} of {best['phase']}, validation score {best['score']:.4f}",
        ],
        [
            "time",
            f"views {record['seconds']['views']:.0f} s, epochs {history['seconds'].sum():.0f} s",
        ],
        ["configuration", config],
        ["model", f"SHA-256 `{record['sha256']['model'][:16]}…`"],
    ]
    return markdown_table(["of the shipped model", ""], rows)


def _commands(measured: Measurements) -> str:
    """The commands of the command line with their help."""
    rows = []
    for name, command in commands.commands.items():
        text = command.get_short_help_str(limit=200).rstrip(".")
        rows.append([f"`{name}`", text[0].lower() + text[1:]])
    return markdown_table(["command", "what it does"], rows)


def _settings(measured: Measurements) -> str:
    """Every setting of the library and of the API."""
    fields = ApiSettings.model_fields
    rows = []
    for name, field in fields.items():
        reader = "everything" if name in Settings.model_fields else "the service"
        about = " ".join((field.description or "").split())
        rows.append([f"`ITADAKI_{name.upper()}`", _default(field), reader, about])
    return markdown_table(["setting", "default", "read by", "what it does"], rows)


def _default(field: FieldInfo) -> str:
    value = field.get_default(call_default_factory=True)
    if value is None or value in ("", [], ()):
        return "none"
    if value == PROJECT_ROOT:
        return "the repository"
    return f"`{json.dumps(value) if isinstance(value, bool) else value}`"


def _libraries(measured: Measurements) -> str:
    """What Itadaki needs to run, with the licences that the installed packages name."""
    rows = []
    for name in requirements(measured.root):
        try:
            about: Any = metadata.metadata(name)
        except metadata.PackageNotFoundError:  # of another platform
            rows.append([name, "not installed here", ""])
            continue
        address = about.get("Home-page") or next(
            (url.partition(",")[2].strip() for url in about.get_all("Project-URL", [])), ""
        )
        rows.append([name, _licence(about), f"<{address}>" if address else ""])
    return markdown_table(["package", "licence", "where"], rows)


def requirements(root: Path) -> list[str]:
    """Names of the packages in requirements.txt, each once."""
    lines = (root / "requirements.txt").read_text(encoding="utf-8").splitlines()
    names = [re.match(r"[\w.-]+", line) for line in lines]
    return sorted({match[0].lower() for match in names if match})


def _licence(about: Any) -> str:
    """The licence as SPDX expression, else as classifiers, else as the first line of the text."""
    if expression := about.get("License-Expression"):
        return str(expression)
    classifiers = [
        classifier.rpartition(" :: ")[2]
        for classifier in about.get_all("Classifier", [])
        if classifier.startswith("License :: ") and classifier.count("::") > 1
    ]
    text = (about.get("License") or "").strip().splitlines()
    return ", ".join(classifiers) or (text[0][:60] if text else "see the package")


def _ray(measured: Measurements) -> str:
    """What ``benchmarks/ray_embedding.py`` measured."""
    found = measured.stored("ray")
    if not found:
        return _NOT_MEASURED
    return (
        f"{found['ray'] / found['here']:.2f} x as many photos a second as one process without Ray "
        f"({found['ray']:.1f} and {found['here']:.1f}; {found['photos']:,} photos, after "
        f"{found['start']:.0f} s of starting)"
    )


def _text_retrieval(measured: Measurements) -> str:
    """A photo's own recipe's text among those of others, by Recipe1M's protocol."""
    found = measured.comparison.text_retrieval("ft")
    if not found:
        return _NOT_MEASURED
    return markdown_table(*quality.text_retrieval(found, measured.comparison.named("ft")))


def _stored(name: str, table: Callable[[dict[str, Any]], Table], measured: Measurements) -> str:
    """A table of what one of the benchmarks measured."""
    found = measured.stored(name)
    return markdown_table(*table(found)) if found else _NOT_MEASURED


BLOCKS: dict[str, Callable[[Measurements], str]] = {
    "scores": _scores,
    "chapters": _chapters,
    "protocol": _protocol,
    "steps": _steps,
    "classes": _classes,
    "class_rules": _class_rules,
    "rendered": _rendered,
    "service": partial(_stored, "service", service.targets),
    "service_setting": _service_setting,
    "training": _training,
    "commands": _commands,
    "settings": _settings,
    "libraries": _libraries,
    "index_targets": partial(_stored, "index", sizing.targets),
    "index_growth": partial(_stored, "index", sizing.growth),
    "index_precision": partial(_stored, "index", sizing.precisions),
    "index_libraries": partial(_stored, "index", sizing.libraries),
    "index_memory": partial(_stored, "index", sizing.memory),
    "ray": _ray,
    "trials": partial(_stored, "trials", quality.trials),
    "other_kitchen": partial(_stored, "other_kitchen", partial(quality.against_raw, "ft_joined")),
    "left_out": partial(
        _stored, "left_out", partial(quality.against_raw, "ft without these dishes")
    ),
    "sealed": partial(_stored, "sealed", partial(quality.against_raw, "ft")),
    "text_retrieval": _text_retrieval,
}


if __name__ == "__main__":
    main()
