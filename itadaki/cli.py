"""The command line: ``python -m itadaki`` and the console script ``itadaki``."""

import argparse
import contextlib
import json
import logging
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError
from pydantic_settings import SettingsError

from itadaki import __version__, interrupt
from itadaki.errors import ArtifactError, ItadakiError, missing_extra, reason, storage_error
from itadaki.settings import PROJECT_ROOT, Settings, setting_problem
from itadaki.variants import VARIANTS, Variant, require_model, served_variant

if TYPE_CHECKING:
    from itadaki.collection import Recipe
    from itadaki.retrieval import RetrievalSystem

TRAINED = [name for name in VARIANTS if name != "raw"]

_GRACE = 30  # seconds that requests in work get to end when the service is stopped

_EPILOG = """\
Settings come from the environment or a file .env:
  ITADAKI_DATASET           kaggle (default), sample, the name of an imported collection, or a
                            folder in Kaggle's layout; --dataset says it for one command
  ITADAKI_BACKBONE_WEIGHTS  a file with ImageNet weights of EfficientNetB0 without its top
  ITADAKI_VARIANT           the variant that is served; by default ft if it is here, else raw
  ITADAKI_COLLECTIONS       imported collections to serve beside the dataset, as a JSON list
  ITADAKI_BANK_ROWS         fused (default: photo and text, where the variant can) or photo
  ITADAKI_BANK_PRECISION    float32 (default), float16 or int8: what searched rows are kept as
  ITADAKI_INDEX             exact (default), ann (one machine, many recipes) or qdrant (a cluster)
  ITADAKI_QDRANT_URL        and _API_KEY, _COLLECTION, _SHARDS, _REPLICAS, _TIMEOUT: see
                            docs/sizing.md
"""


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(format="%(message)s", stream=sys.stderr)
    logging.getLogger("itadaki").setLevel(logging.INFO)
    # Seconds between two looks of a bar, which in a file or in CI is a line each.
    os.environ.setdefault("TQDM_MININTERVAL", "0.5" if sys.stderr.isatty() else "10")
    if getattr(options, "dataset", None):
        os.environ["ITADAKI_DATASET"] = options.dataset  # for the service too, which reads it anew
    try:
        settings = Settings()
        return options.run(options, settings) or 0
    except ItadakiError as error:
        print(f"itadaki: {error}", file=sys.stderr)
    except (ValidationError, SettingsError) as error:
        print(f"itadaki: {setting_problem(error)}", file=sys.stderr)
    except BrokenPipeError:  # whoever read the output has had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + 13  # as a shell tells of SIGPIPE
    except OSError as error:  # a folder that nobody may write to, a full disk
        print(f"itadaki: {storage_error(error)}", file=sys.stderr)
    except KeyboardInterrupt:
        print("itadaki: interrupted", file=sys.stderr)
        return 130
    return 1


def command_helps() -> dict[str, str]:
    """The commands and what each does, in one line."""
    actions = _parser()._actions  # argparse has no public way to read them
    commands = next(one for one in actions if isinstance(one, argparse._SubParsersAction))
    return {choice.dest: choice.help or "" for choice in commands._choices_actions}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="itadaki",
        description="Show it a photo of a dish, it finds the recipes.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"itadaki {__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    command = commands.add_parser("setup", help="make the dataset, the model and the bank ready")
    _add_dataset(command)
    command.set_defaults(run=_setup)

    command = commands.add_parser("import", help="make a collection of recipes with photos")
    command.add_argument(
        "source",
        type=Path,
        metavar="SOURCE",
        help="a folder, an archive (zip, tar) or a file: saved pages and JSON with schema.org "
        "recipes; exports of Mealie, Tandoor, Nextcloud Cookbook and Paprika; Markdown with "
        "pictures; CSV with a column for the photo",
    )
    command.add_argument("--name", help="of the collection; by default made of SOURCE's")
    _add_fetch(command)
    command.set_defaults(run=_import)

    command = commands.add_parser("collections", help="list the collections that were imported")
    command.set_defaults(run=_collections)

    command = commands.add_parser("add", help="add recipes to a collection, and to its banks")
    command.add_argument(
        "source", type=Path, nargs="?", metavar="SOURCE", help="as for import; or else:"
    )
    _add_fields(command)
    _add_fetch(command)
    _add_dataset(command)
    command.set_defaults(run=_add)

    command = commands.add_parser("update", help="change one recipe of a collection")
    command.add_argument("id", type=_whole(0), metavar="ID", help="as search shows it")
    _add_fields(command)
    _add_dataset(command)
    command.set_defaults(run=_update)

    command = commands.add_parser("remove", help="remove recipes from a collection")
    command.add_argument("id", type=_whole(0), nargs="+", metavar="ID", help="as search shows it")
    _add_dataset(command)
    command.set_defaults(run=_remove)

    command = commands.add_parser("build", help="build a variant's embedding bank")
    _add_variant(command)
    command.add_argument("--force", action="store_true", help="build even if it is up to date")
    _add_dataset(command)
    command.set_defaults(run=_build)

    command = commands.add_parser("search", help="find recipes by a photo, by words, or by both")
    command.add_argument(
        "photo", type=Path, nargs="?", metavar="PHOTO", help="JPEG, PNG, WebP or GIF"
    )
    command.add_argument(
        "--words", metavar="TEXT", help='dishes or ingredients, for example "lemon tart" (ft only)'
    )
    command.add_argument(
        "--top-k", type=_whole(1), default=3, metavar="N", help="how many recipes (default 3)"
    )
    command.add_argument("--variant", choices=VARIANTS, help="by default the one that is served")
    command.add_argument(
        "--unique-photos", action="store_true", help="of recipes with one photo show the first"
    )
    command.add_argument("--json", action="store_true", help="print JSON instead of a table")
    _add_dataset(command)
    command.set_defaults(run=_search)

    command = commands.add_parser(
        "train", help="train tl, tl_hard or ft, and build its bank; goes on where it stopped"
    )
    command.add_argument("variant", choices=TRAINED, metavar="VARIANT", help=", ".join(TRAINED))
    command.add_argument(
        "--seed", type=_whole(0), default=0, help="of weights and sampling (default 0)"
    )
    command.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="change a knob of the variant's configuration, for example EPOCHS=2; repeatable",
    )
    command.add_argument(
        "--replace",
        action="store_true",
        help="take the place of a model that was trained on other recipes",
    )
    command.set_defaults(run=_train)

    command = commands.add_parser("evaluate", help="score a variant on held-out recipes")
    command.add_argument(
        "variant", nargs="?", choices=VARIANTS, metavar="VARIANT", help=", ".join(VARIANTS)
    )
    command.add_argument(
        "--save", action="store_true", help="keep the scores in reports/measurements"
    )
    command.add_argument(
        "--compare", action="store_true", help="write reports/comparison from what was kept"
    )
    command.add_argument("--split", choices=("validation", "test"), default="test")
    command.add_argument("--json", action="store_true", help="print JSON instead of a table")
    command.set_defaults(run=_evaluate)

    command = commands.add_parser(
        "report", help="make the repository's documents and figures anew from stored measurements"
    )
    command.add_argument(
        "--notebooks",
        action="store_true",
        help="run the four notebooks on the sample cookbook, too, and keep their outputs",
    )
    command.set_defaults(run=_report)

    command = commands.add_parser("embed", help="embed the photos of any folder")
    command.add_argument("folder", type=Path, metavar="FOLDER")
    command.add_argument("--variant", choices=VARIANTS, required=True)
    command.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="FILE.npz",
        help="arrays: names (file stems) and embeddings (float32, one row per photo)",
    )
    command.set_defaults(run=_embed)

    command = commands.add_parser("serve", help="start the HTTP API, set up first if need be")
    command.add_argument(
        "--host",
        default="127.0.0.1",
        help="an address of this machine (default 127.0.0.1, which only itself can reach), or "
        "0.0.0.0 for all",
    )
    command.add_argument(
        "--port", type=_whole(0, 65535), default=8000, help="(default 8000; 0 takes any free one)"
    )
    _add_dataset(command)
    command.set_defaults(run=_serve)
    return parser


def _add_variant(command: argparse.ArgumentParser) -> None:
    command.add_argument("variant", choices=VARIANTS, metavar="VARIANT", help=", ".join(VARIANTS))


def _add_dataset(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--dataset", metavar="NAME", help="kaggle, sample, a collection's name or a folder"
    )


def _add_fields(command: argparse.ArgumentParser) -> None:
    command.add_argument("--title", metavar="TEXT")
    command.add_argument("--photo", type=Path, metavar="FILE", help="JPEG, PNG, WebP or GIF")
    command.add_argument(
        "--ingredient",
        action="append",
        dest="ingredients",
        metavar="TEXT",
        help="repeat it for each ingredient",
    )
    command.add_argument("--instructions", metavar="TEXT")


def _add_fetch(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--fetch-photos",
        action="store_true",
        help="fetch photos that are only at a remote address (nothing is fetched without it)",
    )


def _whole(least: int, most: int | None = None) -> Callable[[str], int]:
    """Reads a whole number within bounds."""
    allowed = f"from {least} to {most}" if most else f"of at least {least}"

    def read(text: str) -> int:
        if not re.fullmatch(r"\d{1,18}", text) or not least <= int(text) <= (most or int(text)):
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number {allowed}")
        return int(text)

    return read


def _setup(options: argparse.Namespace, settings: Settings) -> None:
    _prepare(served_variant(settings), settings)


def _build(options: argparse.Namespace, settings: Settings) -> None:
    _prepare(VARIANTS[options.variant], settings, options.force)


def _import(options: argparse.Namespace, settings: Settings) -> None:
    from itadaki.collection import check_new_name, create_collection
    from itadaki.storage.workspace import workspace

    name = options.name
    if name is None:
        stem = options.source.expanduser().resolve().name.split(".")[0].lower()
        name = re.sub(r"[^a-z0-9_-]+", "-", stem).strip("-_")[:64]
    check_new_name(settings, name)
    with workspace(settings.collections_folder) as room:
        recipes = _read(options, room)
        create_collection(settings, name, recipes)
    print(
        f"{len(recipes):,} recipes are in the collection {name}. "
        f"Serve them: python -m itadaki serve --dataset {name}"
    )


def _read(options: argparse.Namespace, workspace: Path) -> "list[Recipe]":
    """The recipes of the source that can be used; what cannot is listed."""
    from itadaki.importing import read_recipes

    recipes, unusable = read_recipes(options.source, workspace, options.fetch_photos)
    if unusable:
        print(f"Not used ({len(unusable):,}):")
        for one in unusable:
            print(f"  {one.origin}: {one.reason}")
    if not recipes:
        raise ItadakiError(f"No recipe of {options.source} can be used; nothing has changed.")
    return recipes


def _collections(options: argparse.Namespace, settings: Settings) -> int:
    from rich.console import Console
    from rich.table import Table

    from itadaki.collection import collections
    from itadaki.recipes.dataset import load_dataset

    table, unusable = Table("collection", "recipes", "banks"), []
    for name in collections(settings):
        ours = settings.model_copy(update={"dataset": name})
        banks = [v.name for v in VARIANTS.values() if v.manifest_path(ours).exists()]
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


def _add(options: argparse.Namespace, settings: Settings) -> None:
    from itadaki.collection import Recipe, change_collection
    from itadaki.storage.workspace import workspace

    fields = [options.title, options.photo, options.ingredients, options.instructions]
    if (options.source is None) == (fields == [None] * 4):
        raise ItadakiError("Give either a SOURCE, or a recipe's --title and --photo.")
    with workspace(settings.collections_folder) as room:
        if options.source:
            recipes = _read(options, room)
        elif options.title and options.photo:
            texts = options.ingredients or [], options.instructions or ""
            recipes = [Recipe(options.title, *texts, _photo(options.photo))]
        else:
            raise ItadakiError("A recipe needs a --title and a --photo.")
        _, ids = change_collection(settings, _systems(settings), add=recipes)
    for recipe_id, recipe in zip(ids, recipes, strict=True):
        print(f"{recipe_id}  {recipe.title}")


def _update(options: argparse.Namespace, settings: Settings) -> None:
    from itadaki.collection import Edit, change_collection

    photo = options.photo and _photo(options.photo)
    edit = Edit(options.title, options.ingredients, options.instructions, photo)
    if edit == Edit():
        raise ItadakiError("Say what shall change: --title, --photo, --ingredient, --instructions.")
    change_collection(settings, _systems(settings), edits={options.id: edit})
    print(f"Recipe {options.id} is changed.")


def _remove(options: argparse.Namespace, settings: Settings) -> None:
    from itadaki.collection import change_collection

    change_collection(settings, _systems(settings), remove=options.id)
    print(f"{len(set(options.id)):,} recipes are removed.")


def _photo(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ItadakiError(f"{path} cannot be read: {reason(error)}.") from None


def _systems(settings: Settings) -> "list[RetrievalSystem]":
    """What shall follow a change of the collection: each variant that has a bank of it."""
    from itadaki.retrieval import RetrievalSystem

    systems = []
    for variant in VARIANTS.values():
        if settings.collection_folder and variant.manifest_path(settings).exists():
            try:
                systems.append(RetrievalSystem.load(variant.name, settings))
            except ArtifactError as error:
                print(f"The bank of {variant.name} is left as it is: {error}", file=sys.stderr)
    return systems


def _train(options: argparse.Namespace, settings: Settings) -> None:
    from itadaki.models.training_record import check_replacing
    from itadaki.recipes.dataset import describe, load_dataset
    from itadaki.training.config import CONFIGS, parse_knob

    with missing_extra("train"):
        from itadaki.training.run import TrainingRun

    config = CONFIGS[options.variant] | dict(parse_knob(knob) for knob in options.set)
    variant = VARIANTS[options.variant]
    dataset = load_dataset(settings)
    print(describe(dataset), file=sys.stderr)
    if not options.replace:
        check_replacing(variant, settings, dataset.sha256)
    run = TrainingRun(variant, config, settings, dataset, options.seed)
    run.train()
    run.export()
    _prepare(variant, settings)


def _is_ready(variant: Variant, settings: Settings) -> bool:
    """Whether there is nothing to prepare; to find out takes less than to load the model."""
    from itadaki.bank.bank import load_bank
    from itadaki.index.index import open_index
    from itadaki.recipes.dataset import load_dataset

    try:
        open_index(load_bank(variant, settings, load_dataset(settings)), settings)
    except ArtifactError:
        return False
    return True


def _prepare(variant: Variant, settings: Settings, force: bool = False) -> None:
    """Make dataset, model and bank ready; what is ready already is left as it is."""
    require_model(variant, settings)
    from itadaki.bank.bank import build_bank
    from itadaki.recipes.dataset import describe, load_dataset

    dataset = load_dataset(settings)
    print(describe(dataset), file=sys.stderr)
    from itadaki.index.index import build_index
    from itadaki.models.embedder import load_embedder

    bank = build_bank(variant, settings, dataset, load_embedder(variant, settings), force)
    build_index(bank, settings)
    print(
        f"Ready: {variant.name} bank of {len(bank.recipes):,} recipes x "
        f"{bank.embeddings.shape[1]} in {variant.bank_path(settings)}",
        file=sys.stderr,
    )


def _search(options: argparse.Namespace, settings: Settings) -> None:
    from itadaki.photos.images import load_rgb
    from itadaki.retrieval import RetrievalSystem

    variant = VARIANTS[options.variant] if options.variant else served_variant(settings)
    require_model(variant, settings)
    if options.photo:
        load_rgb(options.photo)  # a wrong photo is said at once, not after seconds of loading
    system = RetrievalSystem.load(variant.name, settings)
    results = system.search_similar_recipes(
        options.photo, options.top_k, options.unique_photos, options.words
    )
    if options.json:
        texts = ("title", "dish_class", "ingredients", "instructions")
        fields = ("rank", "id", "similarity", *texts)
        found = [
            {name: getattr(result, name) for name in fields} | {"photo": str(result.image_path)}
            for result in results
        ]
        print(json.dumps(found, indent=2, ensure_ascii=False))
        return
    from rich.console import Console
    from rich.table import Table

    asked = [options.photo.name] if options.photo else []
    asked += [repr(options.words)] if options.words else []
    table = Table(title=f"Recipes like {' and '.join(asked)} ({variant.name})")
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


def _evaluate(options: argparse.Namespace, settings: Settings) -> None:
    measurements = settings.home / "reports" / "measurements"
    if options.compare:
        from itadaki.evaluation.comparison import Comparison

        for path in Comparison(measurements).write_report(measurements.parent):
            print(path)
        return
    if not options.variant:
        raise ItadakiError(f"Say which variant to evaluate: {', '.join(VARIANTS)}.")
    variant = VARIANTS[options.variant]
    require_model(variant, settings)
    from itadaki.evaluation.scores import evaluate
    from itadaki.retrieval import RetrievalSystem

    system = RetrievalSystem.load(variant.name, settings)
    found = evaluate(system.bank, system.embedder, system.dataset.root, options.split)
    if options.save:
        from itadaki.evaluation.comparison import save_measurement
        from itadaki.models.training_record import add_scores, read_record

        record = read_record(variant, settings)
        facts = {
            "dataset": system.dataset.sha256,
            "dataset_source": system.dataset.source,
            "model": system.embedder.sha256,
            "commit": record.get("commit"),
            "config": record.get("config"),
            "history": record.get("history"),
        }
        seed = record.get("seed", 0)
        print(save_measurement(found, measurements, variant.name, seed, facts), file=sys.stderr)
        add_scores(variant, settings, found, system.dataset.sha256)
    tables = {name: result.table() for name, result in found.items()}
    if options.json:
        as_dicts = {name: table.to_dict(orient="index") for name, table in tables.items()}
        print(json.dumps(as_dicts, indent=2))
        return
    meanings = {
        "photos": "the whole collection, by its photos",
        "fused": "the whole collection, by its photos and texts",
        "split": f"the photos of the {options.split} split alone",
    }
    print(
        f"{variant.name} on the {options.split} split of {system.dataset.source}, photos as "
        "queries; 95% bootstrap intervals"
    )
    for name, table in tables.items():
        print(f"\nGallery: {meanings[name]} ({found[name].gallery:,})")
        print(table.to_string(float_format="{:.3f}".format))


def _report(options: argparse.Namespace, settings: Settings) -> None:
    from tools.report import write_report

    for path in write_report():
        print(path)
    if options.notebooks:
        from tools.notebooks import run_notebook

        for path in sorted(PROJECT_ROOT.glob("*.ipynb")):
            run_notebook(path)
            print(path)


def _embed(options: argparse.Namespace, settings: Settings) -> None:
    import numpy as np
    from tqdm.auto import tqdm

    variant = VARIANTS[options.variant]
    require_model(variant, settings)
    if not options.folder.is_dir():
        raise ItadakiError(f"There is no folder {options.folder}.")
    paths = sorted(
        path
        for path in options.folder.iterdir()
        if path.is_file() and not path.name.startswith(".")
    )
    if not paths:
        raise ItadakiError(f"There is no file in {options.folder}.")
    from itadaki.bank.bank import embed_photos
    from itadaki.models.embedder import load_embedder
    from itadaki.storage.files import replacing

    embedder = load_embedder(variant, settings)
    names: list[str] = []
    rows = []
    refused = {}
    with tqdm(total=len(paths), desc="Embedding photos", unit="photo") as bar:
        for indices, embeddings, failures in embed_photos(paths, embedder):
            names += [paths[index].stem for index in indices]
            rows.append(embeddings)
            refused |= failures
            bar.update(len(indices) + len(failures))
    for index, error in refused.items():
        print(f"{paths[index]}: {error}", file=sys.stderr)
    if not names:
        raise ItadakiError(f"No file in {options.folder} is a photo that can be decoded.")
    with replacing(options.out) as beside, beside.open("wb") as file:
        np.savez(file, names=np.array(names), embeddings=np.concatenate(rows))
    print(f"{len(names)} embeddings of {embedder.dimension} in {options.out}", file=sys.stderr)


def _serve(options: argparse.Namespace, settings: Settings) -> int:
    import uvicorn
    from uvicorn.config import STARTUP_FAILURE

    from api.core.address import check_address
    from api.core.config import ApiSettings
    from api.core.http_protocol import BoundedProtocol
    from api.core.request_log import configure_logs

    # Everything that can be wrong is said here, in one line, before a server starts.
    api_settings = ApiSettings()
    check_address(options.host, options.port)
    trusted = [str(network) for network in api_settings.trusted_proxies]
    variant = served_variant(settings)
    for dataset in dict.fromkeys([settings.dataset, *api_settings.collections]):
        ours = settings.model_copy(update={"dataset": dataset})
        if not _is_ready(variant, ours):
            _prepare(variant, ours)
            check_address(options.host, options.port)  # that took minutes
    configure_logs(api_settings.log_format)

    class Server(uvicorn.Server):
        """Gives requests in work their time to end, but while it loads it ends at once."""

        async def startup(self, sockets: list | None = None) -> None:
            await super().startup(sockets)
            interrupt.unwatch()

        def handle_exit(self, sig: int, frame: Any) -> None:
            if not self.started:
                interrupt.end_process(sig)
            super().handle_exit(sig, frame)

    config = uvicorn.Config(
        "api.main:app",
        log_config=None,
        host=options.host,
        port=options.port,
        http=BoundedProtocol,
        ws="none",
        proxy_headers=bool(trusted),
        forwarded_allow_ips=trusted,
        timeout_graceful_shutdown=_GRACE,
        server_header=False,
    )
    interrupt.default_handlers()
    server = Server(config)
    with contextlib.suppress(KeyboardInterrupt):
        server.run()
    return 0 if server.started else STARTUP_FAILURE
