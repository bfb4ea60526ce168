"""Colours, line styles and markers of rankings followed over time: told apart without colour, too."""

from __future__ import annotations

from dataclasses import dataclass

from tsladder.report.figures.canvas import CONTRAST, MODEL, MUTED

Style = str | tuple[int, tuple[float, ...]]
"""A name or dash pattern of Matplotlib."""

BASELINE = "#00755e"
"""Colour of the best baseline beside rungs."""

_STYLES: tuple[tuple[str, Style, str], ...] = (
    (MODEL, "-", "o"),
    (CONTRAST, (0, (6, 1.5)), "s"),
    (BASELINE, (0, (3, 1.2, 1, 1.2)), "^"),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """Look of one ranking."""

    colour: str
    style: Style
    marker: str


CONSTANT = Line(colour=MUTED, style=(0, (1, 1.2)), marker="D")


def looks(names: tuple[str, ...], constant: str, rungs: int = 0) -> dict[str, Line]:
    """Return the look of each of `names`, at most as many rankings as there are styles, and of the constant.

    `rungs`: how many of them, at the front, are rungs; the baseline behind them looks the same whether there are one or
    two.
    """
    ranked = [name for name in names if name != constant]
    styles = (*_STYLES[:rungs], *_STYLES[2:]) if rungs else _STYLES
    found = {
        name: Line(colour=colour, style=style, marker=marker)
        for name, (colour, style, marker) in zip(ranked, styles, strict=False)
    }
    return found | {constant: CONSTANT}
