"""The command that searches."""

import json
from pathlib import Path

import click

from itadaki.cli import parameters
from itadaki.settings import Settings
from itadaki.variants import VARIANTS, Artifacts, require_model, served_variant


@click.command()
@click.argument("photo", type=Path, required=False)
@click.option(
    "--words",
    metavar="TEXT",
    help='dishes or ingredients, as in "lemon tart -nuts" (ft only)',
)
@click.option(
    "--top-k", type=parameters.whole(1), default="3", metavar="N", help="how many recipes"
)
@click.option("--variant", type=parameters.variant_name, help="by default the one that is served")
@click.option(
    "--crop", metavar="X,Y,WIDTH,HEIGHT", help="the part of the photo that is meant, in shares"
)
@click.option("--unique-photos", is_flag=True, help="of recipes with one photo show the first")
@click.option(
    "--keyword",
    "keywords",
    multiple=True,
    metavar="TEXT",
    help="only recipes with this keyword; repeat it for more",
)
@parameters.as_json
@parameters.dataset
def search(
    photo: Path | None,
    words: str | None,
    top_k: int,
    variant: str | None,
    crop: str | None,
    unique_photos: bool,
    keywords: tuple[str, ...],
    as_json: bool,
) -> None:
    """Find recipes by a photo, by words, or by both.

    PHOTO is a JPEG, PNG, WebP, GIF, HEIC or AVIF. Where it shows no food, or even the closest
    recipes are not very close, this is said on stderr.
    """
    from itadaki.bank.nearness import FAR
    from itadaki.index.filters import Filters
    from itadaki.photos.crop import Crop
    from itadaki.photos.images import load_rgb
    from itadaki.recipes.recipe import DETAILS
    from itadaki.retrieval import RetrievalSystem

    settings = Settings()
    chosen = VARIANTS[variant] if variant else served_variant(settings)
    require_model(Artifacts(chosen, settings))
    part = Crop.of(crop) if crop else None
    if photo:
        load_rgb(photo)  # a wrong photo is said at once, not after seconds of loading
    system = RetrievalSystem.load(chosen.name, settings)
    filters = Filters(keywords=keywords, unique_photos=unique_photos)
    photos = [photo] if photo else []
    asked_for = system.ask(photos, words, top_k, filters, crop=part)
    results = asked_for.results
    if asked_for.is_food is False:
        click.echo("Nothing here looks like this: the photo does not seem to show food.", err=True)
    elif asked_for.confidence is not None and asked_for.confidence < FAR:
        click.echo("The closest are not very close.", err=True)
    if as_json:
        texts = ("title", "dish_class", "ingredients", "instructions")
        fields = ("rank", "id", "similarity", *texts, *DETAILS)
        found = [
            {name: getattr(result, name) for name in fields} | {"photo": str(result.image_path)}
            for result in results
        ]
        print(json.dumps(found, indent=2, ensure_ascii=False))
        return
    from rich.console import Console
    from rich.table import Table

    asked = [photo.name] if photo else []
    asked += [repr(words)] if words else []
    table = Table(title=f"Recipes like {' and '.join(asked)} ({chosen.name})")
    table.add_column("rank", justify="right")
    table.add_column("id", justify="right")
    table.add_column("similarity", justify="right")
    table.add_column("recipe", overflow="fold")
    table.add_column("dish")
    table.add_column("photo", overflow="fold")
    for result in results:
        table.add_row(
            str(result.rank),
            str(result.id),
            f"{result.similarity:.3f}",
            result.title,
            result.dish_class or "",
            result.image_path.name,
        )
    Console().print(table)
