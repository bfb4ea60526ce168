"""Print lines, with the states of cells in colour on a terminal unless NO_COLOR is set."""

from __future__ import annotations

import sys
from collections.abc import Sequence

_COLOURS = {
    "fresh": "green",
    "running": "cyan",
    "stale": "yellow",
    "failed": "red",
    "STALLED": "bold red",
    "certainly": "yellow",
}


def print_lines(lines: Sequence[str]) -> None:
    """Print the lines, plain where the output is not a terminal; then nothing is imported either."""
    if not sys.stdout.isatty():
        print("\n".join(lines))
        return
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False)
    for line in lines:
        text = Text(line)
        for word, colour in _COLOURS.items():
            text.highlight_regex(rf"\b{word}\b", colour)
        console.print(text, soft_wrap=True)
