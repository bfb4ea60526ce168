"""Read a study into data frames, and fit a law to a table: tsladder in a notebook.

import tsladder

study = tsladder.load_study(".")
study.cells[["cell", "n_params", "test_loss"]]
study.laws[1].verdict

law = tsladder.fit_law(pandas.DataFrame({"n_params": sizes, "loss": losses}))
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tsladder.capsule.archive import unpack
from tsladder.capsule.manifest import Faulty, not_fresh
from tsladder.errors import BadInput
from tsladder.law.reading.options import Reading
from tsladder.law.table import ALPHA_OF_INTEREST, CONFIDENCE, DRAWS, SEED, fit_table
from tsladder.params import Params, load_params
from tsladder.places import Places
from tsladder.report.law_facts import Audit
from tsladder.report.study_files import read_facts
from tsladder.results.facts import CellFacts
from tsladder.results.score_facts import Interval
from tsladder.results.stored import Record, pair_of, read_if_there
from tsladder.status.study_state import study_state
from tsladder.tasks import load as load_task

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Law", "Study", "fit_law", "load_study"]

_POINT = ["cell", "n_params", "loss", "se"]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Law:
    """The law of one horizon of a study, or of one group of a table: error = C * N^(-alpha).

    `verdict` is what the data support, `reason` why, `settle` what would decide it. Intervals are (low, high) at the
    confidence that was asked for; `alpha_ci` is of rungs and test days together, the two beside it are its parts. A
    figure is None where it cannot be told. `points`: a row a rung, with `n_params`, `loss`, `se`. `record`: all of it,
    as in artifacts/law/scaling.json.
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
    def of_record(cls, record: Mapping[str, Any]) -> Law:
        """From the entry of a horizon in scaling.json, or of a group in fit.json."""
        import pandas as pd

        power: Record = record["fits"]["power"] or {}
        floor: Record = record["fits"]["power_floor"] or {}
        kept = [point for point in record["points"] if not point.get("dropped")]
        return cls(
            verdict=record["verdict"],
            reason=record["reason"],
            settle=record["settle"],
            form=record["model_choice"]["preferred"],
            alpha=power.get("alpha"),
            alpha_ci=pair_of(power.get("alpha_ci")),
            alpha_ci_rungs=pair_of(power.get("alpha_ci_rungs")),
            alpha_ci_days=pair_of(power.get("alpha_ci_days")),
            C=power.get("C"),
            floor=floor.get("E") if floor.get("identified") else None,
            minimum_detectable_alpha=record["minimum_detectable_alpha"],
            notes=(*record.get("warnings", ()), *record["notes"]),
            points=pd.DataFrame(
                [{name: point.get(name) for name in ("cell", "n_params", "loss", "se")} for point in kept]
            ),
            record=record,
        )


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Study:
    """Results of a study as its stages left them.

    - `cells`: a row a planned cell: `cell`, `budget`, `horizon`, `state`, the winner's architecture, settings and
      `n_params`, `val_loss`, `test_loss`, `test_loss_se`, `test_skill`.
    - `trials`: a row an attempt at a trial: `cell`, `number`, `state`, `stop_reason`, `val_loss`, `seconds` and what
      was trained, each parameter in a column of its own.
    - `scores`: a row a cell and region, with every metric (mean over the seeds), `loss_low` and `loss_high`.
    - `laws`: by horizon, empty before the law was fitted. `audit`: the leak probes, None before they ran.
    - `not_fresh`: cells whose files are older than params.yaml, data or code, or are not there yet, with their state
      as `tsladder status` names it. What the frames and laws tell of these answers an earlier question.
    """

    name: str
    params: Params
    cells: pd.DataFrame
    trials: pd.DataFrame
    scores: pd.DataFrame
    laws: Mapping[int, Law]
    audit: Audit | None
    not_fresh: Mapping[str, str]


def load_study(path: str | Path = ".") -> Study:
    """Read the study of the checkout at `path`, of a folder below it, or of a capsule that `tsladder export` wrote.

    Nothing is written, trained or fitted again. Raises BadInput where there is no study or params.yaml is faulty,
    WorkFailed for a damaged file.
    """
    found = Path(path).expanduser()
    if not found.exists():
        raise BadInput(f"{found} does not exist: give the folder of a study, or a capsule that `tsladder export` wrote")
    if found.is_file():
        with tempfile.TemporaryDirectory(prefix="tsladder-") as scratch:
            try:
                manifest = unpack(found, Path(scratch))
            except Faulty as fault:
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
    alpha_of_interest: float = ALPHA_OF_INTEREST,
    confidence: float = CONFIDENCE,
    draws: int = DRAWS,
    seed: int = SEED,
) -> Mapping[str, Law]:
    """Fit the law of a table of trained models: what `tsladder fit` does, for a frame, or a CSV or JSON file.

    Columns: `n_params` and `loss`, and where known `seed`, `se`, `n_data`, `group`; other names of them are recognised
    as by `tsladder fit`, or given in `columns`, as in {"loss": "rmse"}. Rows of one size are replicates. The laws are
    by value of `group`, or under `all`. `alpha_of_interest`: an exponent smaller than this is called flat. Raises
    BadInput for a table that cannot be read.
    """
    reading = Reading.parse(columns=[f"{role}={name}" for role, name in (columns or {}).items()])
    record = fit_table(
        table,
        reading=reading,
        alpha_of_interest=alpha_of_interest,
        confidence=confidence,
        draws=draws,
        seed=seed,
    )
    return {name: Law.of_record(law) for name, law in record["groups"].items()}


def _read(places: Places, *, states: Mapping[str, str]) -> Study:
    """`states`: of the cells that are not fresh."""
    import pandas as pd

    params = load_params(places.params)
    facts = read_facts(places, params)
    planned = [cell for cell in facts.cells if cell.planned]
    law = read_if_there(places.law / "scaling.json")
    metrics = [metric.name for metric in load_task(params.target.task).words.metrics]
    return Study(
        name=params.study.name,
        params=params,
        cells=pd.DataFrame([_cell_row(cell) for cell in planned]),
        trials=pd.DataFrame([row for cell in planned for row in _trial_rows(cell)]),
        scores=pd.DataFrame([row for cell in planned for row in _score_rows(cell, metrics)]),
        laws={int(horizon): Law.of_record(record) for horizon, record in law.get("horizons", {}).items()},
        audit=facts.audit,
        not_fresh=states,
    )


def _head(cell: CellFacts) -> dict[str, Any]:
    return {"cell": str(cell.cell), "budget": cell.cell.budget, "horizon": cell.cell.horizon}


def _cell_row(cell: CellFacts) -> dict[str, Any]:
    winner, test = cell.winner, cell.test
    chosen = {} if winner is None else {**winner.architecture, **winner.settings, "n_params": winner.n_params}
    return {
        **_head(cell),
        "state": cell.state.value,
        **chosen,
        "val_loss": cell.search.best_val_loss,
        "test_loss": None if test is None else test.mean.loss,
        "test_loss_se": None if test is None else test.loss_se,
        "test_skill": None if test is None else test.skill,
        "reason": cell.reason,
    }


def _trial_rows(cell: CellFacts) -> list[dict[str, Any]]:
    return [
        {
            **_head(cell),
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
    """`metrics`: names of those of the task, in the order of their columns."""
    rows = []
    for region, facts in cell.regions.items():
        estimate = facts.loss_estimate
        low, high = (None, None) if estimate is None or estimate.ci is None else estimate.ci
        rows.append(
            {
                **_head(cell),
                "region": str(region),
                "windows": facts.windows,
                "base_rate": facts.base_rate,
                "loss": facts.mean.loss,
                "loss_se": facts.loss_se,
                "loss_low": low,
                "loss_high": high,
                "base_rate_loss": facts.base_rate_loss,
                "skill": facts.skill,
                **{name: value for name in metrics if (value := facts.mean.get(name)) is not None},
            }
        )
    return rows
