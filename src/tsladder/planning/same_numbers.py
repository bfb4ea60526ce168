"""Earlier code that made the same numbers: code that is moved or rewritten without changing a bit makes no cell stale.

`same_numbers.json` holds two sets of fingerprints: of the modules that made the numbers of each stage when users' cells
were trained (`before`), and of those that make them now (`after`). That both make the same numbers, bit for bit, was
shown by training the default study with either; `proof` says when and how. Where the code in use is that of `after`,
plan files and identities hold what `before` says, and so stay what they were. Any further change of a module that makes
numbers is not in `after`, and makes its cells stale as ever.

`benchmarks/same_numbers.py` compares two studies and writes `after`.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

TABLE = Path(__file__).with_suffix(".json")
_STRATEGIES = "tsladder.search.strategies."

Code = Mapping[str, str]
"""Module -> fingerprint."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SameNumbers:
    """`before`: stage -> its modules then, without a strategy; `strategies`: those then; `after`: all modules now."""

    before: Mapping[str, Code]
    strategies: Code
    after: Code

    def as_before(self, stage: str, now: Code) -> dict[str, str]:
        """What stands in a plan file for the code `now` of `stage`: the fingerprints of `before` where it makes the
        same numbers, else its own."""
        chosen = _strategies(now)
        known = stage in self.before and chosen.keys() <= self.strategies.keys()
        if not known or any(self.after.get(name) != digest for name, digest in now.items()):
            return dict(now)
        then = {name: self.strategies[name] for name in chosen}
        return dict(sorted({**self.before[stage], **then}.items()))

    def as_now(self, written: Code, now: Code) -> Code:
        """The reverse for people: where a plan file holds the code `written` of `before`, the modules of `after` that
        stand in its place, named as in `now`; else `written` itself."""
        if not any({**of_stage, **_strategies(written)} == dict(written) for of_stage in self.before.values()):
            return written
        return {name: self.after[name] for name in now if name in self.after}


def _strategies(code: Code) -> dict[str, str]:
    return {name: digest for name, digest in code.items() if name.startswith(_STRATEGIES)}


@functools.cache
def same_numbers() -> SameNumbers:
    """The table of this version."""
    record = json.loads(TABLE.read_text(encoding="utf-8"))
    modules: Code = record["before"]["modules"]
    return SameNumbers(
        before={stage: {name: modules[name] for name in names} for stage, names in record["before"]["stages"].items()},
        strategies=_strategies(modules),
        after=record["after"],
    )
