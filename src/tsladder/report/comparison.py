"""Write trials.csv: every trial of every planned cell in one table, to compare budgets and horizons. Pure."""

from __future__ import annotations

import csv
import io
from typing import Any

from tsladder.artifacts.trials import TrialRecord
from tsladder.params import PanelParams
from tsladder.report.facts import CellFacts, Facts

TRIALS = "trials.csv"

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
RANKINGS = ("n_graph", "val_rank_ic", "val_rank_ic_se")
"""Further columns of a panel study, whose trials rank stocks: layers over the graph of the stocks, and the RankIC on
validation with its standard error over days."""


def to_trials_csv(facts: Facts) -> str:
    """Return the whole file as text; an unknown value is an empty field."""
    stream = io.StringIO()
    ranks = isinstance(facts.params, PanelParams)
    writer = csv.DictWriter(stream, (*COLUMNS, *(RANKINGS if ranks else ())), lineterminator="\n")
    writer.writeheader()
    for cell in facts.planned:
        for trial in cell.search.trials:
            row = _row(cell, trial)
            writer.writerow({**row, **_ranking(trial)} if ranks else row)
    return stream.getvalue()


def _ranking(trial: TrialRecord) -> dict[str, Any]:
    loss = trial.val_loss
    return {
        "n_graph": trial.params.get("n_graph"),
        "val_rank_ic": None if loss is None else 1.0 - loss,
        "val_rank_ic_se": None if loss is None else trial.outcome.val_loss_se,
    }


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
