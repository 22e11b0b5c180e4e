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
    from itadaki.recipes.recipe import NewRecipe
    from itadaki.retrieval import RetrievalSystem

_NOTHING: tuple[Any, ...] = (None, None, (), None, {})


@click.command("import")
@click.argument("source", type=Path)
@click.option("--name", metavar="NAME", help="of the collection; by default made of SOURCE's")
@parameters.fetch_photos
def import_recipes(source: Path, name: str | None, fetch_photos: bool) -> None:
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
        recipes = _read(source, room, fetch_photos)
        create_collection(settings, name, recipes)
    print(
        f"{len(recipes):,} recipes are in the collection {name}. "
        f"Serve them: python -m itadaki serve --dataset {name}"
    )


@click.command("collections")
def list_collections() -> int:
    """List the collections that were imported."""
    from rich.console import Console
    from rich.table import Table

    from itadaki.collection import collections
    from itadaki.recipes.dataset import load_dataset

    settings = Settings()
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
@parameters.dataset
def add(
    source: Path | None,
    title: str | None,
    photo: Path | None,
    ingredients: tuple[str, ...],
    instructions: str | None,
    fetch_photos: bool,
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
            recipes = _read(source, room, fetch_photos)
        elif title and photo:
            texts = title, list(ingredients), instructions or ""
            recipes = [NewRecipe(*texts, _content(photo), **said)]
        else:
            raise ItadakiError("A recipe needs a --title and a --photo.")
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


def _read(source: Path, workspace: Path, fetch_photos: bool) -> "list[NewRecipe]":
    """The recipes of the source that can be used; what cannot is listed."""
    from itadaki.importing import read_recipes

    recipes, unusable = read_recipes(source, workspace, fetch_photos)
    if unusable:
        print(f"Not used ({len(unusable):,}):")
        for one in unusable:
            print(f"  {one.origin}: {one.reason}")
    for field in ("ingredients", "instructions"):
        without = [recipe.title for recipe in recipes if not getattr(recipe, field)]
        if without:
            print(f"Taken without {field} ({len(without):,}):")
            for title in without:
                print(f"  {title}")
    if not recipes:
        raise ItadakiError(f"No recipe of {source} can be used; nothing has changed.")
    return recipes


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
