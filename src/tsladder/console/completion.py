"""`tsladder completion`: what a shell needs to complete commands, options, files and cells."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import shtab

from tsladder.console.parser import Parser

# Asked when a name is completed, so that one script serves every study: the plan files of the current folder.
_LIST_CELLS = r"ls artifacts/plans 2>/dev/null | sed -n 's/^\(.*-h[0-9]*\)\.json$/\1/p'"
_CELLS = {"bash": "_tsladder_cells", "zsh": "_tsladder_cells"}
_PREAMBLE = {
    "bash": f'_tsladder_cells() {{\n  compgen -W "$({_LIST_CELLS})" -- "$1"\n}}\n',
    "zsh": f"_tsladder_cells() {{\n  compadd -- $({_LIST_CELLS})\n}}\n",
}


def completion_script(parser: Parser, shell: str) -> str:
    """For bash, zsh or tcsh, to be sourced or put where the shell looks for such scripts."""
    for command in parser.commands.values():
        for action in command._actions:
            if (how := _completed(action)) is not None:
                # The attribute by which shtab is told.
                action.complete = how  # type: ignore[attr-defined]
    return shtab.complete(parser, shell, preamble=_PREAMBLE.get(shell, ""))


def _completed(action: argparse.Action) -> Mapping[str, Any] | None:
    metavar = str(action.metavar or "")
    if action.type is Path:
        return shtab.DIRECTORY if metavar == "DIR" else shtab.FILE
    return _CELLS if metavar.startswith("CELL") else None
