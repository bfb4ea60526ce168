"""Describe the leading configuration of a cell's search, in the form that users of the earlier scripts read."""

from __future__ import annotations

from collections.abc import Sequence

from tsladder.artifacts.best_params import BestParams
from tsladder.artifacts.trials import TrialRecord
from tsladder.cells.work import CellWork
from tsladder.search.objective import Objective
from tsladder.vocabulary import experiment_name


def best_params(work: CellWork, key: str, objective: Objective, records: Sequence[TrialRecord]) -> BestParams | None:
    """Return the leader of the ended trials `records`, forced ones included; None where none has a score. `key`:
    identity of the search."""
    leader = objective.best(records)
    if leader is None:
        return None
    params = leader.params
    return BestParams(
        experiment=experiment_name(work.params.study.phase, work.cell, work.target.task),
        architecture={name: params[name] for name in ("d_model", "n_layers", "n_heads", "d_ff")}
        | {"patch_len": work.geometry.patch_len, "stride": work.geometry.stride},
        training={
            "learning_rate": params["learning_rate"],
            "epochs": params["epochs"],
            "batch_size": params["effective_batch"],
            "weight_decay": params["weight_decay"],
            "warmup_steps": params["warmup_steps"],
            "dropout": params["dropout"],
        },
        param_count=leader.outcome.n_params,
        objective=objective.name,
        **objective.figures(leader),
        number=leader.number,
        n_trials=len(records),
        timestamp=leader.ended_at,
        search_key=key,
    )
