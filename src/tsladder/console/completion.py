"""Write shell completion of commands, options, files, studies, cells and experiments, for `tsladder completion`."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import shtab

from tsladder.console.parser import Parser

# Asked when a name is completed, so that one script serves every study: the plan files of the current folder, or of the
# study that a word before names with --study, seen from the project or from the folder of a study of it.
_PLANS = r"""_tsladder_plans() {
  local before= study= word
  for word in "$@"; do
    if [ "$before" = --study ]; then study=$word; fi
    case "$word" in (--study=*) study=${word#--study=} ;; esac
    before=$word
  done
  if [ -z "$study" ]; then ls artifacts/plans 2>/dev/null
  else ls "$study/artifacts/plans" 2>/dev/null || ls "../$study/artifacts/plans" 2>/dev/null
  fi | sed -n 's/^\(.*-h[0-9]*\)\.json$/\1/p'
}
"""
_WORDS = {"bash": '"${COMP_WORDS[@]}"', "zsh": '"${words[@]}"'}
# Folders beside the current one are studies only where it is itself one of a project.
_LIST_STUDIES = (
    "{ ls -d */params.yaml; [ -f ../stages/hpo.py ] && ls -d ../*/params.yaml; } 2>/dev/null "
    "| sed 's,/params.yaml$,,; s,.*/,,' | sort -u"
)
# An experiment of DVC is the reference refs/exps/<2 digits>/<38 digits>/<name> of git.
_LIST_COMPARED = (
    "git for-each-ref --format='%(refname:lstrip=4)' 'refs/exps/??/*/*' 2>/dev/null; "
    "git for-each-ref --format='%(refname:lstrip=2)' refs/heads refs/tags 2>/dev/null; echo workspace"
)
_CELLS = {"bash": "_tsladder_cells", "zsh": "_tsladder_cells"}
_COMPARED = {"bash": "_tsladder_compared", "zsh": "_tsladder_compared"}
_STUDIES = {"bash": "_tsladder_studies", "zsh": "_tsladder_studies"}


def _preamble(shell: str) -> str:
    """Return the functions that list what is completed; empty for a shell that has none of its own."""
    if shell not in _WORDS:
        return ""
    cells = f"_tsladder_plans {_WORDS[shell]}"
    lists = {
        "_tsladder_cells": cells,
        "_tsladder_compared": f"{cells}; {_LIST_COMPARED}",
        "_tsladder_studies": _LIST_STUDIES,
    }
    added = {
        name: f'compgen -W "$({listed})" -- "$1"' if shell == "bash" else f"compadd -- $({listed})"
        for name, listed in lists.items()
    }
    return _PLANS + "".join(f"{name}() {{\n  {line}\n}}\n" for name, line in added.items())


def completion_script(parser: Parser, shell: str) -> str:
    """Return the completion script for bash, zsh or tcsh, to be sourced or put where the shell looks for
    such scripts."""
    for command in (parser, *parser.commands.values()):
        for action in command._actions:
            if (how := _completed(action)) is not None:
                # shtab reads this attribute.
                action.complete = how  # type: ignore[attr-defined]
    return shtab.complete(parser, shell, preamble=_preamble(shell))


def _completed(action: argparse.Action) -> Mapping[str, Any] | None:
    metavar = str(action.metavar or "")
    if action.type is Path:
        return shtab.DIRECTORY if metavar == "DIR" else shtab.FILE
    if metavar.endswith("|EXP"):
        return _COMPARED
    if "--study" in action.option_strings:
        return _STUDIES
    return _CELLS if metavar.startswith("CELL") else None
