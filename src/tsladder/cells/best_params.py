"""best_params.json: the configuration that leads a cell's search, in the form that users of the earlier scripts read.

It lies in the live record from the first trial with a score on, and beside the choice when the search has ended.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tsladder.artifacts.store import write_json
from tsladder.artifacts.trials import TrialRecord
from tsladder.cells.work import CellWork
from tsladder.search.objective import Objective
from tsladder.vocabulary import experiment_name

BEST_PARAMS = "best_params.json"


def write_best_params(
    folder: Path, work: CellWork, key: str, objective: Objective, records: Sequence[TrialRecord]
) -> None:
    """Of the ended trials `records`; where none has a score no file stays. `key` is the search's identity."""
    leader = objective.best(records)
    if leader is None:
        (folder / BEST_PARAMS).unlink(missing_ok=True)
        return
    write_json(folder / BEST_PARAMS, _record(work, key, objective, leader, len(records)))


def _record(work: CellWork, key: str, objective: Objective, leader: TrialRecord, n_trials: int) -> dict[str, Any]:
    """Complete for forced trials too."""
    params = leader.params
    return {
        "experiment": experiment_name(work.params.study.phase, work.cell, work.plan["target"]["task"]),
        "architecture": {name: params[name] for name in ("d_model", "n_layers", "n_heads", "d_ff")}
        | {"patch_len": work.geometry.patch_len, "stride": work.geometry.stride},
        "training": {
            "learning_rate": params["learning_rate"],
            "epochs": params["epochs"],
            "batch_size": params["effective_batch"],
            "weight_decay": params["weight_decay"],
            "warmup_steps": params["warmup_steps"],
            "dropout": params["dropout"],
        },
        "param_count": leader.outcome.n_params,
        "objective": objective.name,
        **objective.figures(leader),
        "number": leader.number,
        "n_trials": n_trials,
        "timestamp": leader.ended_at,
        "search_key": key,
    }
