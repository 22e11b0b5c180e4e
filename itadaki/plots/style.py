"""The house style of all figures, and how a figure is shown or kept."""

import functools
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, ParamSpec

import matplotlib.pyplot as plt
from matplotlib.backends.registry import BackendFilter, backend_registry
from matplotlib.figure import Figure

from itadaki.storage.files import replacing

if TYPE_CHECKING:
    from matplotlib.typing import RcKeyType

Arguments = ParamSpec("Arguments")

INK = "#2b2622"
MUTED = "#8a817a"
LINE = "#d9d3cb"
QUERY = "#c8553d"
FROZEN = "#c7d6e5"
TRAINABLE = "#f2b872"
COMPUTED = "#e8e3db"
POSITIVE = "#3a7d44"
NEGATIVE = "#b23a48"

_STYLE: "dict[RcKeyType, Any]" = {
    "axes.edgecolor": MUTED,
    "axes.grid.axis": "y",
    "axes.labelcolor": INK,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlecolor": INK,
    "axes.titlelocation": "left",
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "figure.constrained_layout.use": True,
    "figure.titlesize": 13,
    "figure.titleweight": "bold",
    "font.size": 10,
    "grid.color": LINE,
    "legend.frameon": False,
    "legend.fontsize": 9,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
}
_WITHOUT_WINDOWS = backend_registry.list_builtin(  # type: ignore[no-untyped-call]  # has no types
    BackendFilter.NON_INTERACTIVE
)


def styled(draw: Callable[Arguments, Figure]) -> Callable[Arguments, Figure]:
    """Draw in the house style and leave the user's settings of matplotlib alone."""

    @functools.wraps(draw)
    def drawn(*arguments: Arguments.args, **options: Arguments.kwargs) -> Figure:
        with plt.rc_context(_STYLE):
            return draw(*arguments, **options)

    return drawn


def show(figure: Figure, of: str = "") -> None:
    """Show a figure now, once, in a notebook or a window.

    Where matplotlib has neither, as in a script on a server, the figure becomes a PNG in the
    system's folder for temporary files, and the file's path is printed.

    Args:
        figure: what is shown.
        of: what it is of, written below it.
    """
    if of:
        figure.text(0.005, -0.015, of, ha="left", va="top", fontsize=8.5, color=MUTED)
    if plt.get_backend().lower() in _WITHOUT_WINDOWS:
        handle, name = tempfile.mkstemp(".png", "itadaki-")
        os.close(handle)
        save(figure, Path(name), bbox_inches="tight")
        print(f"Figure: {name}")
        return
    plt.figure(figure)
    plt.show()
    plt.close(figure)


def save(
    figure: Figure, path: Path, dpi: int = 110, bbox_inches: Literal["tight"] | None = None
) -> None:
    """Write a figure as PNG, atomically; the same figure gives the same bytes."""
    with replacing(path) as beside:
        figure.savefig(beside, dpi=dpi, bbox_inches=bbox_inches, metadata={"Software": None})
    close(figure)


def close(figure: Figure) -> None:
    """Forget a figure, which matplotlib would keep."""
    plt.close(figure)
