"""`tsladder completion`: what a shell needs to complete commands, options, files and cells."""

from __future__ import annotations

import argparse
from pathlib import Path

import shtab

from tsladder.console.parser import Parser

SHELLS = ("bash", "zsh", "tcsh")

# Asked when a name is completed, so that one script serves every study: the plan files of the current folder.
_LIST_CELLS = r"ls artifacts/plans 2>/dev/null | sed -n 's/^\(.*-h[0-9]*\)\.json$/\1/p'"
_CELLS = {"bash": "_tsladder_cells", "zsh": f"($({_LIST_CELLS}))"}
_PREAMBLE = {"bash": f'_tsladder_cells() {{\n  compgen -W "$({_LIST_CELLS})" -- "$1"\n}}\n'}


def completion_script(parser: Parser, shell: str) -> str:
    """For a shell of SHELLS, to be sourced or put where it looks for such scripts."""
    for command in parser.commands.values():
        for action in command._actions:
            if (how := _completed(action)) is not None:
                # The attribute by which shtab is told.
                action.complete = how  # type: ignore[attr-defined]
    return str(shtab.complete(parser, shell, preamble=_PREAMBLE))


def _completed(action: argparse.Action) -> dict[str, str] | None:
    metavar = str(action.metavar or "")
    if action.type is Path:
        return dict(shtab.DIRECTORY if metavar == "DIR" else shtab.FILE)
    return _CELLS if metavar.startswith("CELL") else None
