"""Write shell completion of commands, options, files, cells and experiments, for `tsladder completion`."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import shtab

from tsladder.console.parser import Parser

# Asked when a name is completed, so that one script serves every study: the plan files of the current folder.
_LIST_CELLS = r"ls artifacts/plans 2>/dev/null | sed -n 's/^\(.*-h[0-9]*\)\.json$/\1/p'"
# An experiment of DVC is the reference refs/exps/<2 digits>/<38 digits>/<name> of git.
_LIST_COMPARED = (
    f"{_LIST_CELLS}; git for-each-ref --format='%(refname:lstrip=4)' 'refs/exps/??/*/*' 2>/dev/null; "
    "git for-each-ref --format='%(refname:lstrip=2)' refs/heads refs/tags 2>/dev/null; echo workspace"
)
_CELLS = {"bash": "_tsladder_cells", "zsh": "_tsladder_cells"}
_COMPARED = {"bash": "_tsladder_compared", "zsh": "_tsladder_compared"}
_LISTS = {"_tsladder_cells": _LIST_CELLS, "_tsladder_compared": _LIST_COMPARED}
_PREAMBLE = {
    "bash": "".join(f'{name}() {{\n  compgen -W "$({listed})" -- "$1"\n}}\n' for name, listed in _LISTS.items()),
    "zsh": "".join(f"{name}() {{\n  compadd -- $({listed})\n}}\n" for name, listed in _LISTS.items()),
}


def completion_script(parser: Parser, shell: str) -> str:
    """Return the completion script for bash, zsh or tcsh, to be sourced or put where the shell looks for
    such scripts."""
    for command in parser.commands.values():
        for action in command._actions:
            if (how := _completed(action)) is not None:
                # shtab reads this attribute.
                action.complete = how  # type: ignore[attr-defined]
    return shtab.complete(parser, shell, preamble=_PREAMBLE.get(shell, ""))


def _completed(action: argparse.Action) -> Mapping[str, Any] | None:
    metavar = str(action.metavar or "")
    if action.type is Path:
        return shtab.DIRECTORY if metavar == "DIR" else shtab.FILE
    if metavar.endswith("|EXP"):
        return _COMPARED
    return _CELLS if metavar.startswith("CELL") else None
