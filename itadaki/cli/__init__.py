"""The command line: ``python -m itadaki`` and the console script ``itadaki``."""

import logging
import os
import sys

import click
from pydantic import ValidationError
from pydantic_settings import SettingsError

from itadaki import __version__
from itadaki.cli import collection, embed, evaluate, prepare, search, serve
from itadaki.errors import ItadakiError, storage_error
from itadaki.settings import setting_problem

_EPILOG = """\
\b
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


class _InOrder(click.Group):
    """Lists its commands in the order in which they are used."""

    def list_commands(self, context: click.Context) -> list[str]:
        return list(self.commands)


@click.group(
    cls=_InOrder,
    commands=[
        prepare.setup,
        collection.import_recipes,
        collection.list_collections,
        collection.add,
        collection.update,
        collection.remove,
        collection.export,
        prepare.build,
        search.search,
        prepare.train,
        evaluate.evaluate,
        embed.embed,
        serve.serve,
    ],
    context_settings={"show_default": True},
    epilog=_EPILOG,
)
@click.version_option(__version__, message="itadaki %(version)s")
def commands() -> None:
    """Show it a photo of a dish, it finds the recipes."""


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns the exit status, 2 where the command line is wrong."""
    logging.basicConfig(format="%(message)s", stream=sys.stderr)
    logging.getLogger("itadaki").setLevel(logging.INFO)
    # Seconds between two looks of a bar, which in a file or in CI is a line each.
    os.environ.setdefault("TQDM_MININTERVAL", "0.5" if sys.stderr.isatty() else "10")
    if arguments is None:
        arguments = sys.argv[1:]
    try:
        # Not commands.main(), which has answers of its own to a broken pipe and to Ctrl-C.
        with commands.make_context("itadaki", list(arguments)) as context:
            return commands.invoke(context) or 0
    except click.exceptions.Exit as done:  # after --help and --version
        return done.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
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
