"""Names shared by all packages: enumerations, cell names, budgets. No number here alters a result.

Axis letters used as suffixes of array names:

====== =======================================
letter meaning
====== =======================================
N      windows of a region
T      days (of a series or of one window)
B      windows of one batch
C, F   input features (C inside a model, F in the market)
P      patches of a window
E      values of one patch (patch_len x C)
D      model width, d_model
====== =======================================
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Region(StrEnum):
    """Part of the timeline with one purpose: training, validation or test."""

    TRAIN = "train"
    VALIDATION = "validation"
    TEST = "test"


class StopReason(StrEnum):
    """Reason why a training run ended."""

    COMPLETED = "completed"
    EARLY_STOPPING = "early_stopping"
    PRUNED = "pruned"
    DIVERGED = "diverged"
    OUT_OF_MEMORY = "out_of_memory"
    THERMAL = "thermal"
    TIMEOUT = "timeout"
    INTERRUPTED = "interrupted"
    KILLED = "killed"
    STALLED = "stalled"
    ERROR = "error"

    @property
    def scored(self) -> bool:
        """True where the run ended with a validation loss that a search may compare."""
        return self in (StopReason.COMPLETED, StopReason.EARLY_STOPPING)

    @property
    def by_machine(self) -> bool:
        """True where the run failed because of its environment, so that it may end otherwise when trained again."""
        return self in (
            StopReason.OUT_OF_MEMORY,
            StopReason.TIMEOUT,
            StopReason.KILLED,
            StopReason.STALLED,
            StopReason.ERROR,
        )


class ProbeOutcome(StrEnum):
    """Outcome of one probe of the leak audit, or of all probes. FAILED: a leak was found, and nothing else makes a
    verdict invalid. INCONCLUSIVE: no leak was found, but an existing one could have been missed."""

    PASSED = "passed"
    FAILED = "failed"
    INCONCLUSIVE = "inconclusive"

    @classmethod
    def of_all(cls, outcomes: Iterable[ProbeOutcome]) -> ProbeOutcome:
        """Return FAILED if any outcome is, else INCONCLUSIVE if any is, else PASSED."""
        seen = set(outcomes)
        return next((outcome for outcome in (cls.FAILED, cls.INCONCLUSIVE) if outcome in seen), cls.PASSED)


class Phase(StrEnum):
    """Value of the tag `phase` of an MLflow run."""

    SEARCH = "search"
    SUPPLEMENTARY = "supplementary"
    TRAIN = "train"
    EVALUATE = "evaluate"
    FIT = "fit"


class CellStatus(StrEnum):
    """Value of the `status` field of every file that a cell's stages write."""

    NOT_PLANNED = "not_planned"
    FAILED = "failed"
    DONE = "done"


LOG_LOSS = "log_loss"
"""Loss of a task of two classes, in nats."""

HUBER = "huber"
"""Loss of a return forecast: Huber's with delta 1, with errors in standard deviations of the training labels."""

RANK_ERROR = "rank_error"
"""The loss of a ranking of stocks: 1 - the day's rank IC, so 1 for no order at all."""


_BUDGET = re.compile(r"(?P<number>\d+(?:\.\d+)?)(?P<unit>[kMB]?)")
_UNITS = {"": 1, "k": 1_000, "M": 1_000_000, "B": 1_000_000_000}


def parse_budget(text: str) -> int:
    """Return the parameter count named by a rung: ``"750k"`` -> 750000. Raises ValueError for any other form."""
    match = _BUDGET.fullmatch(text)
    if match is None:
        raise ValueError(f"a budget is <number>[k|M|B], for example 750k, 2M or 1.5B; got {text!r}")
    count = round(float(match["number"]) * _UNITS[match["unit"]])
    if count <= 0:
        raise ValueError(f"a budget must be positive, got {text!r}")
    return count


@dataclass(frozen=True, slots=True, order=True)
class Cell:
    """One (budget, horizon) pair, written ``2M-h1``."""

    budget: str
    horizon: int

    def __str__(self) -> str:
        return f"{self.budget}-h{self.horizon}"

    @classmethod
    def parse(cls, name: str) -> Cell:
        """Parse a cell name, the inverse of ``str``. Raises ValueError when `name` is not a cell name."""
        budget, separator, horizon = name.rpartition("-h")
        if not separator or not horizon.isdigit():
            raise ValueError(f"a cell is <budget>-h<horizon>, for example 2M-h1; got {name!r}")
        parse_budget(budget)
        return cls(budget, int(horizon))


def experiment_name(phase: str, cell: Cell, task: str) -> str:
    """Return the name of a cell in `best_params.json` and `experiment_results.csv`: `6A_2M_h1_threshold_1pct` of phase
    `6A`, as the earlier scripts named it."""
    return f"{phase}_{cell.budget}_h{cell.horizon}_{task}"
