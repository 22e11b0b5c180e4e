"""Arguments and options that several commands take."""

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from itadaki.recipes.texts import MAX_MINUTES
from itadaki.variants import VARIANTS

Command = TypeVar("Command", bound=Callable[..., Any])


def whole(least: int, most: int | None = None) -> Callable[[str], int]:
    """Reads a whole number within bounds."""
    allowed = f"from {least} to {most}" if most else f"of at least {least}"

    def read(text: str) -> int:
        if not re.fullmatch(r"\d{1,18}", text) or not least <= int(text) <= (most or int(text)):
            raise click.BadParameter(f"{text!r} is not a whole number {allowed}")
        return int(text)

    return read


def _set_dataset(context: click.Context, parameter: click.Parameter, name: str | None) -> None:
    if name:
        os.environ["ITADAKI_DATASET"] = name  # for the service too, which reads it anew


variant_name = click.Choice(list(VARIANTS))

recipe_id = whole(0)
"""As search shows it."""

dataset = click.option(
    "--dataset",
    metavar="NAME",
    callback=_set_dataset,
    expose_value=False,
    help="kaggle, sample, a collection's name or a folder",
)
as_json = click.option("--json", "as_json", is_flag=True, help="print JSON instead of a table")
fetch_photos = click.option(
    "--fetch-photos",
    is_flag=True,
    help="fetch photos that are only at a remote address (nothing is fetched without it)",
)


def how_to_import(command: Command) -> Command:
    """What is done with duplicates, and what is said of a source."""
    for option in (
        click.option(
            "--report",
            type=Path,
            metavar="FILE",
            help="what became of each file, as .json or .csv",
        ),
        click.option("--dry-run", is_flag=True, help="say what would happen, and change nothing"),
        click.option(
            "--skip-duplicates",
            is_flag=True,
            help="leave out recipes that are there already: title and photo, or address",
        ),
    ):
        command = option(command)
    return command


def recipe_fields(command: Command) -> Command:
    """What a recipe is made of: title, photo, ingredients, instructions and ``DETAILS``."""
    for option in (
        click.option("--source", "address", metavar="ADDRESS", help="where it is on the web"),
        click.option("--author", metavar="TEXT"),
        *(
            click.option(f"--{name}-minutes", type=whole(0, MAX_MINUTES), metavar="N")
            for name in ("total", "cook", "prep")
        ),
        click.option("--servings", metavar="TEXT", help="for example 4, or '4-6 people'"),
        click.option(
            "--keyword",
            "keywords",
            multiple=True,
            metavar="TEXT",
            help="repeat it for each keyword",
        ),
        click.option("--instructions", metavar="TEXT"),
        click.option(
            "--ingredient",
            "ingredients",
            multiple=True,
            metavar="TEXT",
            help="repeat it for each ingredient",
        ),
        click.option(
            "--photo", type=Path, metavar="FILE", help="JPEG, PNG, WebP, GIF, HEIC or AVIF"
        ),
        click.option("--title", metavar="TEXT"),
    ):
        command = option(command)
    return command
