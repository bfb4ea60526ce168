"""Parse the command line, and suggest a name where a command or an option is mistyped."""

from __future__ import annotations

import argparse
import re
import textwrap
from collections.abc import Mapping
from typing import NoReturn

from tsladder.console.examples import EXAMPLES, OVERVIEW
from tsladder.suggestions import similar

_CHOICE = re.compile(r"argument COMMAND: invalid choice: '(.*)' \(choose from .*\)", re.DOTALL)
_UNKNOWN = re.compile(r"unrecognized arguments: (.*)", re.DOTALL)

_WIDTH = 100


class Parser(argparse.ArgumentParser):
    """Argument parser; `commands` holds the subcommands by name, known once all are added."""

    commands: Mapping[str, argparse.ArgumentParser]

    def error(self, message: str) -> NoReturn:
        commands = getattr(self, "commands", {})
        if (choice := _CHOICE.fullmatch(message)) is not None:
            instead = _nearest(choice[1], list(commands)) or f"; there are {', '.join(commands)}"
            super().error(f"{choice[1]!r} is no command{instead}")
        if (unknown := _UNKNOWN.fullmatch(message)) is not None:
            options = [option for command in (self, *commands.values()) for option in options_of(command)]
            typed = next((word for word in unknown[1].split() if word.startswith("--")), "")
            super().error(f"{message}{_nearest(typed.partition('=')[0], options)}")
        super().error(message)


def options_of(parser: argparse.ArgumentParser) -> list[str]:
    """Return the long options of `parser`."""
    return [option for action in parser._actions for option in action.option_strings if option.startswith("--")]


def _nearest(typed: str, known: list[str]) -> str:
    close = similar(typed, known, count=1, cutoff=0.6)
    return f": did you mean {close[0]}?" if close and close[0] != typed else ""


def with_examples(parser: Parser, commands: Mapping[str, argparse.ArgumentParser]) -> Parser:
    """Return `parser` with the examples of each command below its help, and an overview of them below its own."""
    parser.commands = commands
    parser.epilog = f"{_listed(OVERVIEW)}\n\n`tsladder COMMAND --help` has more of them."
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    for name, command in commands.items():
        examples = _listed(EXAMPLES[name]) if name in EXAMPLES else None
        command.epilog = "\n\n".join(filter(None, (command.epilog, examples))) or None
        command.description = textwrap.fill(command.description or "", _WIDTH) or None
        command.formatter_class = argparse.RawDescriptionHelpFormatter
    return parser


def _listed(examples: tuple[tuple[str, str], ...]) -> str:
    width = max(len(line) for line, _ in examples)
    return "\n".join(["examples:", *(f"  {line.ljust(width)}  {what}" for line, what in examples)])
