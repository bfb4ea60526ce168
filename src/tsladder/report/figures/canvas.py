"""Grid of panels and its PNG; the same drawing gives the same bytes."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK = "#1f2933"
MUTED = "#6b7785"
MODEL = "#0b5fa5"
CONTRAST = "#b3541e"
GRID = "#e4e7eb"
COLUMNS = 3
"""Largest number of panels side by side."""


def grid_of(panels: int) -> tuple[int, int]:
    """Return (rows, columns) for `panels` panels; four make a square."""
    columns = 2 if panels == 4 else max(1, min(COLUMNS, panels))
    return max(1, -(-panels // columns)), columns


def figure_of(width: float, height: float, *, dpi: int = 130) -> Figure:
    """Return an empty figure of `width` by `height` inches that needs no display."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=dpi, layout="constrained")
    FigureCanvasAgg(figure)
    figure.get_layout_engine().set(w_pad=0.08, h_pad=0.08)  # type: ignore[union-attr, call-arg]
    return figure


def legend_below(figure: Figure, entries: Mapping[str, Artist], columns: int) -> None:
    """Draw one legend for all panels; below a single panel its entries stand one per line, so that none is cut off."""
    figure.legend(
        entries.values(), entries, loc="outside lower center", ncols=1 if columns == 1 else len(entries),
        frameon=False, fontsize=9, labelcolor=INK,
    )  # fmt: skip


def png_of(figure: Figure) -> bytes:
    """Return the figure as PNG without date and software metadata, so that the same drawing gives the same file."""
    stream = io.BytesIO()
    figure.savefig(stream, format="png", metadata={"Software": None}, facecolor="white")
    return stream.getvalue()


def plain(axes: Axes, *, grid: str | None = "y") -> None:
    """Apply the style that all panels share."""
    axes.tick_params(colors=INK, labelsize=9)
    if grid is not None:
        axes.grid(axis=grid, color=GRID, linewidth=0.7)  # type: ignore[arg-type]
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color("#9aa5b1")


def titled(axes: Axes, title: str, below: str = "") -> None:
    """Set a bold title with one line of smaller text below it."""
    axes.set_title(title, loc="left", fontweight="bold", color=INK, fontsize=11, pad=20 if below else 6)
    if below:
        axes.text(0.0, 1.02, below, transform=axes.transAxes, fontsize=9, color=MUTED)
