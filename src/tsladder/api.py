"""Read a study into data frames, and fit a law to a table: tsladder in a notebook.

import tsladder

study = tsladder.load_study(".")
study.cells[["cell", "n_params", "test_loss"]]
study.laws[1].verdict

law = tsladder.fit_law(pandas.DataFrame({"n_params": sizes, "loss": losses}))
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tsladder.artifacts.audit import AuditRecord
from tsladder.artifacts.law import HorizonLaw, group_json, law_json, read_law
from tsladder.artifacts.law_fits import Interval
from tsladder.artifacts.store import if_there
from tsladder.capsule.archive import unpack
from tsladder.capsule.manifest import InvalidCapsule, not_fresh
from tsladder.errors import BadInput
from tsladder.law.reading.options import Reading
from tsladder.law.table import CONFIDENCE, DRAWS, SEED, law_of_table
from tsladder.panel_api import PanelStudy, load_panel_study
from tsladder.params import Params, load_params
from tsladder.places import Places
from tsladder.report.study_files import read_facts
from tsladder.results.facts import CellFacts
from tsladder.status.study_state import study_state
from tsladder.tasks import load_any

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Law", "PanelStudy", "Study", "fit_law", "load_panel_study", "load_study"]

_POINT = ["cell", "n_params", "loss", "se"]


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


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Study:
    """Results of a study, as its stages left them.

    - `cells`: one row per planned cell: `cell`, `budget`, `horizon`, `state`, the winner's architecture, settings and
      `n_params`, `val_loss`, `test_loss`, `test_loss_se`, `test_skill`.
    - `trials`: one row per attempt at a trial: `cell`, `number`, `state`, `stop_reason`, `val_loss`, `seconds` and the
      trained configuration, each parameter in a column of its own.
    - `scores`: one row per cell and region, with every metric (mean over the seeds), `loss_low` and `loss_high`.
    - `laws`: horizon -> law, empty before the law has been fitted. `audit`: the leak probes, None before they have run.
    - `not_fresh`: cells whose files are older than params.yaml, data or code, or do not exist yet, with their state as
      named by `tsladder status`. What the frames and laws report about these cells answers an earlier question.
    """

    name: str
    params: Params
    cells: pd.DataFrame
    trials: pd.DataFrame
    scores: pd.DataFrame
    laws: Mapping[int, Law]
    audit: AuditRecord | None
    not_fresh: Mapping[str, str]


def load_study(path: str | Path = ".") -> Study:
    """Read the study of the checkout at `path`, of a folder below it, or of a capsule written by `tsladder export`.

    Nothing is written, trained or refitted. Raises BadInput where there is no study or params.yaml is faulty, and
    WorkFailed for a damaged file.
    """
    found = Path(path).expanduser()
    if not found.exists():
        raise BadInput(f"{found} does not exist: give the folder of a study, or a capsule that `tsladder export` wrote")
    if found.is_file():
        with tempfile.TemporaryDirectory(prefix="tsladder-") as scratch:
            try:
                manifest = unpack(found, Path(scratch))
            except InvalidCapsule as fault:
                raise BadInput(f"{found} is no study: {fault}; give a capsule that `tsladder export` wrote") from None
            return _read(Places(Path(scratch), Path(scratch)), states=manifest.not_fresh)
    places = Places.of(found.resolve())
    if not places.params.exists():
        raise BadInput(f"{found} holds no params.yaml, and no folder above it is a study: give the folder of one")
    states = {name: cell.state for name, cell in study_state(places).cells.items()}
    return _read(places, states=not_fresh(states))


def fit_law(
    table: pd.DataFrame | str | Path,
    *,
    columns: Mapping[str, str] | None = None,
    alpha_of_interest: float | None = None,
    confidence: float = CONFIDENCE,
    draws: int = DRAWS,
    seed: int = SEED,
) -> Mapping[str, Law]:
    """Fit the law of a table of trained models, as `tsladder fit` does, from a data frame, a CSV file or a JSON file.

    Required columns are `n_params` and `loss`; `seed`, `se`, `n_data` and `group` are used where present. Other column
    names are recognised as by `tsladder fit`, or mapped by `columns`, as in {"loss": "rmse"}. Rows of equal size are
    replicates. Returns one law per value of `group`, or a single law under `all`. With a column `rank_ic` in place of
    `loss` it is the law of rankings, of the loss 1 - RankIC. An exponent smaller than `alpha_of_interest` (None: 0.015,
    of rankings 0.0025) is called flat. Raises BadInput for a table that cannot be read.
    """
    reading = Reading.parse(columns=[f"{role}={name}" for role, name in (columns or {}).items()])
    found = law_of_table(
        table,
        reading=reading,
        alpha_of_interest=alpha_of_interest,
        confidence=confidence,
        draws=draws,
        seed=seed,
    )
    return {name: Law.of(law, group_json(law)) for name, law in found.groups.items()}


def _read(places: Places, *, states: Mapping[str, str]) -> Study:
    """Read the study at `places` into data frames; `states` holds the states of the cells that are not fresh."""
    import pandas as pd

    params = load_params(places.params)
    facts = read_facts(places, params)
    planned = [cell for cell in facts.cells if cell.planned]
    law = if_there(read_law)(places.scaling)
    metrics = [metric.name for metric in load_any(params.target.task).words.metrics]
    return Study(
        name=params.study.name,
        params=params,
        cells=pd.DataFrame([_cell_row(cell) for cell in planned]),
        trials=pd.DataFrame([row for cell in planned for row in _trial_rows(cell)]),
        scores=pd.DataFrame([row for cell in planned for row in _score_rows(cell, metrics)]),
        laws={}
        if law is None
        else {horizon: Law.of(found, law_json(found)) for horizon, found in law.horizons.items()},
        audit=facts.audit,
        not_fresh=states,
    )


def _cell_columns(cell: CellFacts) -> dict[str, Any]:
    return {"cell": str(cell.cell), "budget": cell.cell.budget, "horizon": cell.cell.horizon}


def _cell_row(cell: CellFacts) -> dict[str, Any]:
    winner, test = cell.winner, cell.test
    chosen = {} if winner is None else {**winner.architecture, **winner.settings, "n_params": winner.n_params}
    return {
        **_cell_columns(cell),
        "state": cell.state.value,
        **chosen,
        "val_loss": cell.search.best_val_loss,
        "test_loss": None if test is None else test.loss,
        "test_loss_se": None if test is None else test.loss_se,
        "test_skill": None if test is None else test.skill,
        "reason": cell.reason,
    }


def _trial_rows(cell: CellFacts) -> list[dict[str, Any]]:
    return [
        {
            **_cell_columns(cell),
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


def _score_rows(cell: CellFacts, metrics: Sequence[str]) -> list[dict[str, Any]]:
    """Return one row per scored region of `cell`; `metrics` names the task's metrics in column order."""
    rows = []
    for region, facts in cell.regions.items():
        interval = facts.loss_interval
        rows.append(
            {
                **_cell_columns(cell),
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
