"""Messages of commands and stages to the user, on standard error."""

from __future__ import annotations

import sys


def print_message(text: str) -> None:
    """Print a line for the user, at once."""
    print(f"tsladder: {text}", file=sys.stderr, flush=True)


def ignore_message(_text: str) -> None:
    """Print nothing, where a message has no reader."""
