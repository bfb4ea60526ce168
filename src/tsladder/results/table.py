"""Write experiment_results.csv: one row per planned cell, first the columns that users' scripts read, then further
ones."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Any

from tsladder.artifacts.ranking_scores import OWN_STATIC_ORDER, icir_name
from tsladder.artifacts.scores import ScoredRegion
from tsladder.artifacts.store import canonical
from tsladder.params import AnyParams, PanelParams
from tsladder.results.facts import CellFacts, CellState
from tsladder.vocabulary import experiment_name

KNOWN = (
    "experiment",
    "phase",
    "budget",
    "task",
    "horizon",
    "timescale",
    "script_path",
    "run_type",
    "status",
    "d_model",
    "n_layers",
    "n_heads",
    "d_ff",
    "param_count",
    "val_loss",
    "hyperparameters",
    "duration_seconds",
    "timestamp",
)
"""Columns of the earlier scripts, in their order."""

ADDED = (
    "test_loss",
    "test_loss_se",
    "test_brier",
    "test_auc",
    "test_average_precision",
    "train_base_rate",
    "validation_base_rate",
    "test_base_rate",
    "test_base_rate_loss",
    "test_own_rate_loss",
    "test_skill",
    "test_advantage",
    "test_advantage_low",
    "test_advantage_high",
    "beaten_by",
    "constant_predictor",
    "n_trials",
    "stop_reasons",
    "train_seeds",
    "train_stop_reasons",
    "param_count_blocks",
    "param_count_body",
    "budget_utilisation",
    "off_budget",
    "reason",
    "study_key",
    "test_loss_low",
    "test_loss_high",
    "test_loss_effective_n",
    "test_ece",
    "best_baseline",
    "best_baseline_loss",
    "test_skill_against_best",
    "test_skill_against_best_low",
    "test_skill_against_best_high",
    "test_ic",
    "test_pearson",
    "test_r2",
    "test_sign_hit_rate",
    "test_rmse",
    "objective",
    "best_score",
    "best_val_auc",
    "best_trial",
    "tier",
)

WITH_INTERVAL = (
    "rank_ic",
    "icir",
    "hit_rate",
    "quantile_spread",
    "sharpe_gross",
    "sharpe_net",
    "annual_return_gross",
    "annual_return_net",
)
WITHOUT_INTERVAL = (
    "turnover",
    "break_even_bps",
    "max_drawdown_gross",
    "max_drawdown_net",
    "unordered_days",
    "pinball",
    "coverage_90",
)
RANKINGS = (
    "panel",
    "entry_lag",
    "cost_bps",
    "stricter",
    "test_days",
    "best_val_rank_ic",
    "validation_rank_ic",
    *(f"test_{figure}{end}" for figure in WITH_INTERVAL for end in ("", "_low", "_high")),
    *(f"test_{figure}" for figure in WITHOUT_INTERVAL),
)
"""Further columns of a panel study, whose cells rank stocks. `test_icir` is not annualised and is of the row's horizon;
`test_quantile_spread` is in basis points a day; `test_turnover` is a share of the capital a day."""

HINDSIGHT = ("own_rate", OWN_STATIC_ORDER)
"""Forecasts that could not have been made in advance; `test_skill` is against the stricter constant in any case."""

SCRIPT, PANEL_SCRIPT = "stages/hpo.py", "stages/panel/hpo.py"


def columns_of(params: AnyParams) -> tuple[str, ...]:
    """Return the columns of a study's table, in their order."""
    return (*KNOWN, *ADDED, *(RANKINGS if isinstance(params, PanelParams) else ()))


def to_csv(params: AnyParams, study_key: str | None, cells: Sequence[CellFacts]) -> str:
    """Return the whole file, with one row per planned one of `cells`. An unknown value is an empty field, so a status
    is empty only while a cell is open; the configuration of an open cell is the one that leads its search."""
    stream = io.StringIO()
    writer = csv.DictWriter(stream, columns_of(params), lineterminator="\n")
    writer.writeheader()
    for cell in cells:
        if cell.planned:
            row = {**_known(params, cell), **_added(params, cell), "study_key": study_key}
            writer.writerow({**row, **_rankings(params, cell)} if isinstance(params, PanelParams) else row)
    return stream.getvalue()


def _known(params: AnyParams, cell: CellFacts) -> dict[str, Any]:
    study, task, search = params.study, params.target.task, cell.search
    architecture = cell.winner.architecture if cell.winner else search.best_architecture
    return {
        "experiment": experiment_name(study.phase, cell.cell, task),
        "phase": study.phase,
        "budget": cell.cell.budget,
        "task": task,
        "horizon": cell.cell.horizon,
        "timescale": study.timescale,
        "script_path": PANEL_SCRIPT if isinstance(params, PanelParams) else SCRIPT,
        "run_type": "hpo",
        "status": _status(cell),
        **{name: architecture.get(name) for name in ("d_model", "n_layers", "n_heads", "d_ff")},
        "param_count": cell.winner.n_params if cell.winner else search.best_n_params,
        "val_loss": search.best_val_loss,
        "hyperparameters": canonical(dict(search.hyperparameters)) if search.hyperparameters else None,
        "duration_seconds": search.seconds,
        "timestamp": search.ended_at,
    }


def _status(cell: CellFacts) -> str | None:
    if cell.state is CellState.SCORED:
        return "success"
    if cell.state is CellState.FAILED:
        return "thermal_abort" if cell.stopped_by_heat else "failed"
    return None


def _added(params: AnyParams, cell: CellFacts) -> dict[str, Any]:
    search, again, winner = cell.search, cell.retraining, cell.winner
    validation = cell.regions.get("validation")
    return {
        **(_test(cell.test) if cell.test else {}),
        "validation_base_rate": validation.base_rate if validation else None,
        "n_trials": search.trials_done,
        "stop_reasons": canonical(dict(search.stop_reasons)) if search.stop_reasons else None,
        "train_stop_reasons": canonical(dict(again.stop_reasons)) if again.stop_reasons else None,
        "param_count_blocks": winner.n_params_blocks if winner else None,
        "param_count_body": winner.n_params_body if winner else None,
        "budget_utilisation": cell.utilisation,
        "off_budget": winner.off_budget if winner else None,
        "reason": cell.reason,
        "objective": params.search.objective,
        "best_score": search.best_score,
        "best_val_auc": search.best_val_auc,
        "best_trial": search.best_number,
        "tier": params.data.tier if isinstance(params, PanelParams) else params.data.tier_words,
    }


def _test(test: ScoredRegion) -> dict[str, Any]:
    loss = test.loss_interval
    return {
        "test_loss": test.loss,
        "test_loss_se": test.loss_se,
        "test_brier": test.mean.get("brier"),
        "test_auc": test.mean.get("auc"),
        "test_average_precision": test.mean.get("average_precision"),
        "train_base_rate": test.train_base_rate,
        "test_base_rate": test.base_rate,
        "test_base_rate_loss": test.base_rate_loss,
        "test_own_rate_loss": test.own_rate_loss,
        "test_skill": test.skill,
        "test_advantage": test.advantage.value,
        "test_advantage_low": test.advantage.low,
        "test_advantage_high": test.advantage.high,
        "beaten_by": " ".join(test.beaten_by),
        "constant_predictor": test.constant_predictor,
        "train_seeds": len(test.seeds),
        "test_loss_low": loss.low if loss else None,
        "test_loss_high": loss.high if loss else None,
        "test_loss_effective_n": loss.effective_n if loss else None,
        "test_ece": test.mean.get("ece"),
        **{f"test_{name}": test.mean.get(name) for name in ("ic", "pearson", "r2", "sign_hit_rate", "rmse")},
        **_against_best(test),
    }


def _against_best(test: ScoredRegion) -> dict[str, Any]:
    """Return the skill against the forecast of lowest loss among those that could have been made in advance."""
    losses = {
        name: loss
        for name, metrics in test.baselines.items()
        if (loss := test.loss_in(metrics)) is not None and name not in HINDSIGHT
    }
    if not losses:
        return {}
    best = min(losses, key=lambda name: losses[name])
    skill = test.skill_against.get(best)
    return {
        "best_baseline": best,
        "best_baseline_loss": losses[best],
        "test_skill_against_best": skill.skill if skill else None,
        "test_skill_against_best_low": skill.low if skill else None,
        "test_skill_against_best_high": skill.high if skill else None,
    }


def _rankings(params: PanelParams, cell: CellFacts) -> dict[str, Any]:
    test, validation, best = cell.test, cell.regions.get("validation"), cell.search.best_val_loss
    return {
        "panel": params.data.panel,
        "entry_lag": params.target.entry_lag,
        "cost_bps": params.evaluation.cost_bps,
        "best_val_rank_ic": None if best is None else 1.0 - best,
        "validation_rank_ic": validation.mean.get("rank_ic") if validation else None,
        **(_ranked_test(test, cell.cell.horizon) if test else {}),
    }


def _ranked_test(test: ScoredRegion, horizon: int) -> dict[str, Any]:
    row: dict[str, Any] = {"stricter": test.stricter, "test_days": test.windows}
    for figure in WITH_INTERVAL:
        stored = icir_name(horizon) if figure == "icir" else figure
        found = test.intervals.get(stored)
        row[f"test_{figure}"] = test.mean.get(stored)
        row |= {
            f"test_{figure}_low": found.low if found else None,
            f"test_{figure}_high": found.high if found else None,
        }
    return row | {f"test_{figure}": test.mean.get(figure) for figure in WITHOUT_INTERVAL}
