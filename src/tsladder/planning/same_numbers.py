"""Equivalence with earlier code: code that is moved or rewritten without changing a bit of the results makes no cell
stale.

`same_numbers.json` holds two sets of fingerprints: of the modules that made the numbers of each stage when users' cells
were trained (`before`), and of those that make them now (`after`). Training the default study with either showed that
both make the same numbers, bit for bit; `proof` says when and how. Where the code in use is that of `after`, plan files
and identities hold the fingerprints of `before`, and so stay as they were. Any further change of a module that makes
numbers is not in `after`, and makes its cells stale as usual.

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
"""Module -> fingerprint of its code."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SameNumbers:
    """Fingerprints of earlier and present code. `before`: stage -> its earlier modules, without a strategy;
    `strategies`: the earlier strategies; `after`: all present modules."""

    before: Mapping[str, Code]
    strategies: Code
    after: Code

    def as_before(self, stage: str, now: Code) -> dict[str, str]:
        """Return the fingerprints that a plan file holds for the code `now` of `stage`: those of `before` where both
        make the same numbers, else those of `now`."""
        chosen = _strategies(now)
        known = stage in self.before and chosen.keys() <= self.strategies.keys()
        if not known or any(self.after.get(name) != digest for name, digest in now.items()):
            return dict(now)
        then = {name: self.strategies[name] for name in chosen}
        return dict(sorted({**self.before[stage], **then}.items()))

    def as_now(self, written: Code, now: Code) -> Code:
        """Translate a plan file's fingerprints for display: where it holds the code `written` of `before`, return the
        modules of `after` that replace it, limited to the names in `now`; else return `written` itself."""
        if not any({**of_stage, **_strategies(written)} == dict(written) for of_stage in self.before.values()):
            return written
        return {name: self.after[name] for name in now if name in self.after}


def _strategies(code: Code) -> dict[str, str]:
    return {name: digest for name, digest in code.items() if name.startswith(_STRATEGIES)}


@functools.cache
def same_numbers() -> SameNumbers:
    """Read the table of this version."""
    record = json.loads(TABLE.read_text(encoding="utf-8"))
    modules: Code = record["before"]["modules"]
    return SameNumbers(
        before={stage: {name: modules[name] for name in names} for stage, names in record["before"]["stages"].items()},
        strategies=_strategies(modules),
        after=record["after"],
    )
