"""The command that scores variants and compares them."""

import json
import sys

import click

from itadaki.cli import parameters
from itadaki.errors import ItadakiError
from itadaki.settings import Settings
from itadaki.variants import VARIANTS, Artifacts, require_model


@click.command()
@click.argument("variant", type=parameters.variant_name, required=False)
@click.option("--save", is_flag=True, help="keep the scores in reports/measurements")
@click.option("--compare", is_flag=True, help="write reports/comparison from what was kept")
@click.option(
    "--split",
    type=click.Choice(["validation", "test", "sealed"]),
    default="test",
    help="sealed: the half of the test photos that is looked at once, when all is decided",
)
@parameters.as_json
def evaluate(variant: str | None, save: bool, compare: bool, split: str, as_json: bool) -> None:
    """Score a variant on held-out recipes."""
    settings = Settings()
    measurements = settings.home / "reports" / "measurements"
    if compare:
        from itadaki import plots
        from itadaki.evaluation.comparison import Comparison

        comparison, folder = Comparison(measurements), measurements.parent
        print(comparison.write_report(folder))
        plots.save(plots.ladder(comparison), folder / "comparison.png")
        print(folder / "comparison.png")
        return
    if not variant:
        raise ItadakiError(f"Say which variant to evaluate: {', '.join(VARIANTS)}.")
    if save and split != "test":
        raise ItadakiError("What is kept is of the test split: leave out --save, or --split.")
    artifacts = Artifacts(VARIANTS[variant], settings)
    require_model(artifacts)
    from itadaki.evaluation import scores
    from itadaki.evaluation.comparison import GALLERIES
    from itadaki.retrieval import RetrievalSystem

    system = RetrievalSystem.load(variant, settings)
    found = scores.evaluate(system.bank, system.embedder, system.dataset.root, split)
    if save:
        from itadaki.evaluation.comparison import about, add_scores, save_measurement
        from itadaki.models.record import read_record

        record = read_record(artifacts)
        facts = {
            "dataset": system.dataset.sha256,
            "dataset_source": system.dataset.source,
            "model": system.embedder.sha256,
            "commit": record.get("commit"),
            "config": record.get("config"),
            "history": record.get("history"),
        }
        seed = record.get("seed", 0)
        kept = measurements / f"{variant}-seed{seed}.npz"
        if kept.exists() and "look" in about(kept):
            print(f"{kept} is of benchmarks/ladder.py, and stays", file=sys.stderr)
        else:
            print(save_measurement(found, measurements, variant, seed, facts), file=sys.stderr)
        add_scores(artifacts, found, system.dataset.sha256)
    tables = {name: result.table() for name, result in found.items()}
    if as_json:
        as_dicts = {name: table.to_dict(orient="index") for name, table in tables.items()}
        print(json.dumps(as_dicts, indent=2))
        return
    meanings = GALLERIES | {"split": f"the photos of the {split} split alone"}
    print(
        f"{variant} on the {split} split of {system.dataset.source}, photos as queries; "
        "95% bootstrap intervals"
    )
    for name, table in tables.items():
        print(f"\nGallery: {meanings[name]} ({found[name].gallery:,})")
        print(table.to_string(float_format="{:.3f}".format))
