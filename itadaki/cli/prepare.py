"""Commands that make a variant ready: its dataset, its model and its bank."""

import sys

import click

from itadaki.cli import parameters
from itadaki.errors import ArtifactError, missing_extra
from itadaki.settings import Settings
from itadaki.variants import VARIANTS, Artifacts, Variant, require_model, served_variant


@click.command()
@parameters.dataset
def setup() -> None:
    """Make the dataset, the model and the bank ready."""
    settings = Settings()
    prepare(served_variant(settings), settings)


@click.command()
@click.argument("variant", type=parameters.variant_name)
@click.option("--force", is_flag=True, help="build even if it is up to date")
@parameters.dataset
def build(variant: str, force: bool) -> None:
    """Build a variant's embedding bank."""
    prepare(VARIANTS[variant], Settings(), force)


@click.command(
    short_help="Train tl, tl_hard or ft, and build its bank; goes on where it stopped",
)
@click.argument("variant", type=click.Choice([name for name in VARIANTS if name != "raw"]))
@click.option(
    "--seed", type=parameters.whole(0), default="0", metavar="N", help="of weights and sampling"
)
@click.option(
    "--set",
    "knobs",
    multiple=True,
    metavar="KEY=VALUE",
    help="change a knob of the variant's configuration, for example PATIENCE=3; repeatable",
)
@click.option(
    "--also",
    multiple=True,
    metavar="FOLDER_OR_COLLECTION",
    help="train on these recipes too, and score none of them; repeatable",
)
@click.option(
    "--replace", is_flag=True, help="take the place of a model that was trained on other recipes"
)
def train(
    variant: str, seed: int, knobs: tuple[str, ...], also: tuple[str, ...], replace: bool
) -> None:
    """Train a variant and build its bank; goes on where it stopped."""
    from itadaki.models.record import check_replacing
    from itadaki.recipes.dataset import describe, load_beside, load_dataset
    from itadaki.training.config import CONFIGS, parse_knob

    settings = Settings()
    with missing_extra("train"):
        from itadaki.training.run import TrainingRun

    config = CONFIGS[variant] | dict(parse_knob(knob) for knob in knobs)
    trained = VARIANTS[variant]
    recipes = load_dataset(settings)
    print(describe(recipes), file=sys.stderr)
    if not replace:
        check_replacing(Artifacts(trained, settings), recipes.sha256)
    beside = []
    for source in also:
        beside.append(load_beside(settings, source))
        print(f"and {describe(beside[-1])}", file=sys.stderr)
    run = TrainingRun(trained, config, settings, recipes, seed, also=beside)
    run.train()
    run.export()
    prepare(trained, settings)


def is_ready(variant: Variant, settings: Settings) -> bool:
    """Whether there is nothing to prepare; to find out takes less than to load the model."""
    from itadaki.bank.bank import load_bank
    from itadaki.index.index import open_index
    from itadaki.recipes.dataset import load_dataset

    try:
        open_index(load_bank(Artifacts(variant, settings), load_dataset(settings)), settings)
    except ArtifactError:
        return False
    return True


def prepare(variant: Variant, settings: Settings, force: bool = False) -> None:
    """Make dataset, model and bank ready; what is ready already is left as it is."""
    artifacts = Artifacts(variant, settings)
    require_model(artifacts)
    from itadaki.bank.build import build_bank
    from itadaki.recipes.dataset import describe, load_dataset

    dataset = load_dataset(settings)
    print(describe(dataset), file=sys.stderr)
    from itadaki.index.index import build_index
    from itadaki.models.embedder import load_embedder

    bank = build_bank(artifacts, dataset, load_embedder(artifacts), force)
    build_index(bank, settings)
    print(
        f"Ready: {variant.name} bank of {len(bank.recipes):,} recipes x "
        f"{bank.embeddings.shape[1]} in {artifacts.bank}",
        file=sys.stderr,
    )
