"""Cells, trials, scores and laws of a study of either kind as rows of data frames."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tsladder.artifacts.law import HorizonLaw, StudyLaw, law_json
from tsladder.artifacts.law_fits import Interval
from tsladder.results.facts import CellFacts

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Law:
    """Fitted scaling law of one horizon of a study, or of one group of a table: error = C * N^(-alpha).

    `verdict` is what the data support, `reason` why, and `settle` what would decide an open verdict. Intervals are
    (low, high) at the requested confidence level; `alpha_ci` covers both rungs and test days, and `alpha_ci_rungs` and
    `alpha_ci_days` are its two parts. A figure that cannot be determined is None. `points` has one row per rung, with
    `n_params`, `loss` and `se`. `record` is the full record, as in artifacts/law/scaling.json.
    """

    verdict: str
    reason: str
    settle: str
    form: str
    alpha: float | None
    alpha_ci: Interval | None
    alpha_ci_rungs: Interval | None
    alpha_ci_days: Interval | None
    C: float | None
    floor: float | None
    minimum_detectable_alpha: float | None
    notes: tuple[str, ...]
    points: pd.DataFrame
    record: Mapping[str, Any]

    @classmethod
    def of(cls, law: HorizonLaw, record: Mapping[str, Any]) -> Law:
        """Build a `Law` from the stored law of a horizon or of a group of a table; `record` is the same law as JSON."""
        import pandas as pd

        floor = law.fits.power_floor
        points = [
            {"cell": point.cell, "n_params": point.n_params, "loss": point.loss, "se": point.se} for point in law.kept
        ]
        return cls(
            verdict=law.verdict,
            reason=law.reason,
            settle=law.settle,
            form=law.form,
            alpha=law.alpha,
            alpha_ci=law.alpha_ci,
            alpha_ci_rungs=law.alpha_ci_rungs,
            alpha_ci_days=law.alpha_ci_days,
            C=law.fits.power.C if law.fits.power is not None and math.isfinite(law.fits.power.C) else None,
            floor=floor.E if floor is not None and floor.identified else None,
            minimum_detectable_alpha=law.minimum_detectable_alpha,
            notes=(*law.warnings, *law.notes),
            points=pd.DataFrame(points),
            record=record,
        )


def laws_of(law: StudyLaw | None) -> dict[int, Law]:
    """Return horizon -> its law; empty before there is one."""
    return {} if law is None else {horizon: Law.of(own, law_json(own)) for horizon, own in law.horizons.items()}


def cell_columns(cell: CellFacts) -> dict[str, Any]:
    """Return the columns that name a cell in every frame."""
    return {"cell": str(cell.cell), "budget": cell.cell.budget, "horizon": cell.cell.horizon}


def cell_row(cell: CellFacts) -> dict[str, Any]:
    """Return the row of a cell: its winner and its losses."""
    winner, test = cell.winner, cell.test
    chosen = {} if winner is None else {**winner.architecture, **winner.settings, "n_params": winner.n_params}
    return {
        **cell_columns(cell),
        "state": cell.state.value,
        **chosen,
        "val_loss": cell.search.best_val_loss,
        "test_loss": None if test is None else test.loss,
        "test_loss_se": None if test is None else test.loss_se,
        "test_skill": None if test is None else test.skill,
        "reason": cell.reason,
    }


def trial_rows(cell: CellFacts) -> list[dict[str, Any]]:
    """Return one row per attempt at a trial of `cell`."""
    return [
        {
            **cell_columns(cell),
            "number": trial.number,
            "state": trial.state,
            "stop_reason": trial.outcome.stop_reason,
            "forced": trial.forced,
            "n_params": trial.outcome.n_params,
            "val_loss": trial.val_loss,
            "val_auc": trial.val_auc,
            "epochs_run": trial.outcome.epochs_run,
            "seconds": trial.outcome.seconds,
            "peak_memory_gib": trial.outcome.peak_memory_gib,
            **trial.params,
        }
        for trial in cell.search.trials
    ]


def score_rows(cell: CellFacts, metrics: Sequence[str]) -> list[dict[str, Any]]:
    """Return one row per scored region of `cell`; `metrics` names the task's metrics in column order."""
    rows = []
    for region, facts in cell.regions.items():
        interval = facts.loss_interval
        rows.append(
            {
                **cell_columns(cell),
                "region": str(region),
                "windows": facts.windows,
                "base_rate": facts.base_rate,
                "loss": facts.loss,
                "loss_se": facts.loss_se,
                "loss_low": None if interval is None else interval.low,
                "loss_high": None if interval is None else interval.high,
                "base_rate_loss": facts.base_rate_loss,
                "skill": facts.skill,
                **{name: value for name in metrics if (value := facts.mean.get(name)) is not None},
            }
        )
    return rows


def ranking_rows(cell: CellFacts) -> list[dict[str, Any]]:
    """Return one row per scored region of `cell` of a panel study, with every figure of its rankings and its book, and
    the ends of their intervals."""
    rows = []
    for region, facts in cell.regions.items():
        ends = {
            f"{name}_{end}": None if interval is None else getattr(interval, end)
            for name, interval in facts.intervals.items()
            for end in ("low", "high")
        }
        rows.append(
            {
                **cell_columns(cell),
                "region": str(region),
                "days": facts.windows,
                "stricter": facts.stricter,
                "rank_error_se": facts.loss_se,
                "skill": facts.skill,
                **facts.mean,
                **ends,
            }
        )
    return rows
