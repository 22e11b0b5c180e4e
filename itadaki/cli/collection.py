"""Commands that make, list and change collections of recipes."""

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from itadaki.cli import parameters
from itadaki.errors import ArtifactError, ItadakiError, reason
from itadaki.settings import Settings
from itadaki.variants import VARIANTS, Artifacts

if TYPE_CHECKING:
    from itadaki.importing.duplicates import Duplicates
    from itadaki.importing.spool import Spool
    from itadaki.retrieval import RetrievalSystem

_FORMATS = ("schema-org", "mealie", "csv")
_NOTHING: tuple[Any, ...] = (None, None, (), None, {})


@click.command("import")
@click.argument("source", type=Path)
@click.option("--name", metavar="NAME", help="of the collection; by default made of SOURCE's")
@parameters.fetch_photos
@parameters.how_to_import
def import_recipes(
    source: Path,
    name: str | None,
    fetch_photos: bool,
    skip_duplicates: bool,
    dry_run: bool,
    report: Path | None,
) -> None:
    """Make a collection of recipes with photos.

    SOURCE is a folder, an archive (zip, tar) or a file: saved pages and JSON with schema.org
    recipes; exports of Mealie, Tandoor, Nextcloud Cookbook and Paprika; Markdown with pictures;
    CSV with a column for the photo.
    """
    from itadaki.collection import check_new_name, create_collection
    from itadaki.storage.workspace import workspace

    settings = Settings()
    if name is None:
        stem = source.expanduser().resolve().name.split(".")[0].lower()
        name = re.sub(r"[^a-z0-9_-]+", "-", stem).strip("-_")[:64]
    check_new_name(settings, name)
    with workspace(settings.collections_folder) as room:
        recipes = _read(source, room, fetch_photos, skip_duplicates, report)
        count = len(recipes)
        if dry_run:
            print(f"{count:,} recipes would be in the collection {name}; nothing was made.")
            return
        create_collection(settings, name, recipes)
    print(
        f"{count:,} recipes are in the collection {name}. "
        f"Serve them: python -m itadaki serve --dataset {name}"
    )


@click.command("collections")
def list_collections() -> int:
    """List the collections that were imported."""
    from rich.console import Console
    from rich.table import Table

    from itadaki.collection import collections
    from itadaki.recipes.dataset import load_dataset
    from itadaki.storage.workspace import clean_up

    settings = Settings()
    clean_up(settings.collections_folder)
    table, unusable = Table("collection", "recipes", "banks"), []
    for name in collections(settings):
        ours = settings.model_copy(update={"dataset": name})
        banks = [v.name for v in VARIANTS.values() if Artifacts(v, ours).manifest.exists()]
        try:
            recipes = f"{len(load_dataset(ours).recipes):,}"
        except ItadakiError as error:  # one that is damaged hides no other
            recipes = "?"
            unusable.append(f"itadaki: {name}: {error}")
        table.add_row(name, recipes, ", ".join(banks))
    if not table.row_count:
        print("There is no collection yet: python -m itadaki import SOURCE", file=sys.stderr)
        return 0
    Console().print(table)
    print(*unusable, sep="\n", end="\n" if unusable else "", file=sys.stderr)
    return 1 if unusable else 0


@click.command()
@click.argument("source", type=Path, required=False)
@parameters.recipe_fields
@parameters.fetch_photos
@parameters.how_to_import
@parameters.dataset
def add(
    source: Path | None,
    title: str | None,
    photo: Path | None,
    ingredients: tuple[str, ...],
    instructions: str | None,
    fetch_photos: bool,
    skip_duplicates: bool,
    dry_run: bool,
    report: Path | None,
    **details: Any,
) -> None:
    """Add recipes to a collection, and to its banks.

    They come from SOURCE, as for import, or from the options --title, --photo, --ingredient,
    --instructions and so on, which are one recipe.
    """
    from itadaki.collection import change_collection
    from itadaki.recipes.recipe import NewRecipe
    from itadaki.storage.workspace import workspace

    settings = Settings()
    said = _said(details)
    if (source is None) == ((title, photo, ingredients, instructions, said) == _NOTHING):
        raise ItadakiError("Give either a SOURCE, or a recipe's --title and --photo.")
    with workspace(settings.collections_folder) as room:
        if source:
            known = _known(settings)
            recipes = list(_read(source, room, fetch_photos, skip_duplicates, report, known))
        elif title and photo:
            texts = title, list(ingredients), instructions or ""
            recipes = [NewRecipe(*texts, _content(photo), **said)]
        else:
            raise ItadakiError("A recipe needs a --title and a --photo.")
        if dry_run:
            print(f"{len(recipes):,} recipes would be added; nothing has changed.")
            return
        _, ids = change_collection(settings, _systems(settings), add=recipes)
    for recipe_id, recipe in zip(ids, recipes, strict=True):
        print(f"{recipe_id}  {recipe.title}")


@click.command()
@click.argument("id", type=parameters.recipe_id)
@parameters.recipe_fields
@parameters.dataset
def update(
    id: int,
    title: str | None,
    photo: Path | None,
    ingredients: tuple[str, ...],
    instructions: str | None,
    **details: Any,
) -> None:
    """Change one recipe of a collection.

    ID is the recipe's number, as search shows it.
    """
    from itadaki.collection import change_collection
    from itadaki.recipes.recipe import Edit

    settings = Settings()
    new_photo = _content(photo) if photo else None
    edit = Edit(title, list(ingredients) or None, instructions, new_photo, **_said(details))
    if edit == Edit():
        raise ItadakiError(
            "Say what shall change: --title, --photo, --ingredient, --instructions, --keyword, ..."
        )
    change_collection(settings, _systems(settings), edits={id: edit})
    print(f"Recipe {id} is changed.")


@click.command()
@click.argument("ids", type=parameters.recipe_id, nargs=-1, required=True, metavar="ID...")
@parameters.dataset
def remove(ids: tuple[int, ...]) -> None:
    """Remove recipes from a collection.

    Each ID is a recipe's number, as search shows it.
    """
    from itadaki.collection import change_collection

    settings = Settings()
    change_collection(settings, _systems(settings), remove=list(ids))
    print(f"{len(set(ids)):,} recipes are removed.")


@click.command()
@click.argument("name", required=False)
@click.option("--format", "kind", type=click.Choice(_FORMATS), default=_FORMATS[0])
@click.option(
    "--to", "target", type=Path, metavar="FILE.zip|FOLDER", help="by default NAME-FORMAT.zip"
)
def export(name: str | None, kind: str, target: Path | None) -> None:
    """Write all recipes of a collection, with their photos, for other programs.

    NAME is the collection; by default the dataset that is configured.
    """
    from itadaki.exporting import export

    settings = Settings()
    if name:
        settings = settings.model_copy(update={"dataset": name})
    target = (target or Path(f"{Path(settings.dataset).name}-{kind}.zip")).expanduser()
    count, left_out = export(settings, kind, target)
    for title in left_out:
        print(f"Left out, because its photo cannot be read: {title}", file=sys.stderr)
    print(f"{count:,} recipes are in {target}.")


def _read(
    source: Path,
    workspace: Path,
    fetch_photos: bool,
    skip_duplicates: bool,
    report: Path | None,
    known: "Duplicates | None" = None,
) -> "Spool":
    """The recipes of the source that can be used; what became of the rest is listed."""
    from itadaki.cli.report import reporting
    from itadaki.importing import recipes_in
    from itadaki.importing.found import Taken
    from itadaki.importing.spool import Spool

    taken = Spool(workspace / "taken.spool")
    with reporting(report) as outcome:
        for one in recipes_in(source, workspace, fetch_photos, known=known):
            if outcome.note(one, skip_duplicates) and isinstance(one, Taken):
                taken.append(one.recipe)
    outcome.show()
    if not len(taken):
        raise ItadakiError(f"No recipe of {source} can be used; nothing has changed.")
    return taken


def _known(settings: Settings) -> "Duplicates | None":
    """The recipes of a collection that is about to change."""
    from itadaki.importing.duplicates import Duplicates
    from itadaki.recipes.dataset import load_dataset, recipes_of

    if not settings.collection_folder:
        return None
    dataset = load_dataset(settings, progress=False)
    return Duplicates(recipes_of(dataset), dataset.root)


def _said(details: dict[str, Any]) -> dict[str, Any]:
    """What of a recipe's details was given as options, by the names that it has there."""
    named = {"source" if name == "address" else name: value for name, value in details.items()}
    said = {name: value for name, value in named.items() if value not in (None, ())}
    return said | ({"keywords": list(said["keywords"])} if "keywords" in said else {})


def _content(photo: Path) -> bytes:
    try:
        return photo.read_bytes()
    except OSError as error:
        raise ItadakiError(f"{photo} cannot be read: {reason(error)}.") from None


def _systems(settings: Settings) -> "list[RetrievalSystem]":
    """What shall follow a change of the collection: each variant that has a bank of it."""
    from itadaki.retrieval import RetrievalSystem

    systems = []
    for variant in VARIANTS.values():
        if settings.collection_folder and Artifacts(variant, settings).manifest.exists():
            try:
                systems.append(RetrievalSystem.load(variant.name, settings))
            except ArtifactError as error:
                print(f"The bank of {variant.name} is left as it is: {error}", file=sys.stderr)
    return systems
