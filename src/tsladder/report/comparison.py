"""Write trials.csv: every trial of every planned cell in one table, to compare budgets and horizons. Pure."""

from __future__ import annotations

import csv
import io
from typing import Any

from tsladder.artifacts.trials import TrialRecord
from tsladder.report.facts import CellFacts, Facts

SETTINGS = (
    "d_model",
    "n_layers",
    "n_heads",
    "d_ff",
    "learning_rate",
    "weight_decay",
    "dropout",
    "warmup_steps",
    "epochs",
    "effective_batch",
    "precision",
    "optimizer",
)
COLUMNS = (
    *("cell", "budget", "horizon", "trial", "state", "stop_reason", "forced", "n_params"),
    *SETTINGS,
    *("val_loss", "base_rate_loss", "val_auc", "epochs_run", "seconds", "peak_memory_gib"),
)


def to_trials_csv(facts: Facts) -> str:
    """Return the whole file as text; an unknown value is an empty field."""
    stream = io.StringIO()
    writer = csv.DictWriter(stream, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for cell in facts.planned:
        for trial in cell.search.trials:
            writer.writerow(_row(cell, trial))
    return stream.getvalue()


def _row(cell: CellFacts, trial: TrialRecord) -> dict[str, Any]:
    return {
        "cell": str(cell.cell),
        "budget": cell.cell.budget,
        "horizon": cell.cell.horizon,
        "trial": trial.number,
        "state": trial.state,
        "stop_reason": trial.outcome.stop_reason,
        "forced": trial.forced,
        "n_params": trial.outcome.n_params,
        **{name: trial.params.get(name) for name in SETTINGS},
        "val_loss": trial.val_loss,
        "base_rate_loss": trial.base_rate_loss,
        "val_auc": trial.val_auc,
        "epochs_run": trial.outcome.epochs_run,
        "seconds": trial.outcome.seconds,
        "peak_memory_gib": trial.outcome.peak_memory_gib,
    }
