"""Data that is logged: tags, one finished run, and the protocol that every tracker implements."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol

from tsladder.params import AnyParams

LAW_NAME = "scaling-law"
"""Name of the law's run and of its registered model."""

COMPARISON_NAME = "comparison"
"""Name of the run with the files that compare all cells of a study."""

FEW_DOF = 3
"""Degrees of freedom below which the detectable exponent is only a range: the value of
`tsladder.law.evidence.detection`, which lies in a layer above this package."""

Value = str | int | float | bool
Curve = Sequence[tuple[int, float]]


class RunStatus(StrEnum):
    """State of a run in the store. FAILED and KILLED runs keep what they had logged."""

    RUNNING = "RUNNING"
    FINISHED = "FINISHED"
    FAILED = "FAILED"
    KILLED = "KILLED"


@dataclass(frozen=True, kw_only=True, slots=True)
class RunTags:
    """Tags that every run carries. `phase` is a `tsladder.vocabulary.Phase`."""

    budget: str
    horizon: str
    model: str
    tier: str
    task: str
    phase: str
    study_key: str

    @classmethod
    def of_study(cls, params: AnyParams, *, phase: str, study_key: str) -> RunTags:
        """Return the tags of a run that stands for a whole study: its top rung and all its horizons."""
        return cls(
            budget=str(params.budget),
            horizon=",".join(str(horizon) for horizon in params.horizons),
            model=params.model.family,
            tier=params.data.tier_words,
            task=params.target.task,
            phase=phase,
            study_key=study_key,
        )

    @property
    def kind(self) -> str:
        """Kind of a run below a cell's run: trial, seed or evaluation. (A trial's phase is also its cell's.)"""
        return {"train": "seed", "evaluate": "evaluation"}.get(self.phase, "trial")

    def as_dict(self) -> dict[str, str]:
        return {item.name: str(getattr(self, item.name)) for item in fields(self)}

    @classmethod
    def from_dict(cls, tags: Mapping[str, str]) -> RunTags:
        """Build the tags from those of a run; the inverse of `as_dict`, which ignores tags of other names."""
        return cls(**{item.name: tags[item.name] for item in fields(cls)})


@dataclass(frozen=True, kw_only=True, slots=True)
class RunRecord:
    """One finished run, logged at once.

    A param or metric that is None is missing and is not logged. An infinite metric is logged as NaN, because one
    infinity makes a whole chart unreadable. `curves` are metrics by step, in any order; the value shown for a curve is
    that of its last step. `artifacts` maps a local file or folder to the folder inside the run's artifacts ("" for the
    top). Times are milliseconds since the epoch; None means now. `description` is Markdown for the run's page.
    """

    name: str
    tags: RunTags
    parent_id: str | None = None
    params: Mapping[str, Value | None] = field(default_factory=dict)
    metrics: Mapping[str, float | None] = field(default_factory=dict)
    curves: Mapping[str, Curve] = field(default_factory=dict)
    extra_tags: Mapping[str, str] = field(default_factory=dict)
    status: RunStatus = RunStatus.FINISHED
    start_ms: int | None = None
    end_ms: int | None = None
    artifacts: Mapping[Path, str] = field(default_factory=dict)
    description: str = ""

    @property
    def identity(self) -> tuple[str, str | None]:
        """Name and attempt, which a cell has once."""
        return self.name, self.extra_tags.get("attempt")


@dataclass(frozen=True, kw_only=True, slots=True)
class LoggedRun:
    """Run as the store shows it: params and tags as text, last metric values, without artifacts."""

    run_id: str
    name: str
    parent_id: str | None
    status: RunStatus
    tags: Mapping[str, str]
    params: Mapping[str, str]
    metrics: Mapping[str, float]


class Tracker(Protocol):
    """Protocol of a tracker, to which runs are copied for the user to look at.

    No method waits for a store: each returns as soon as it is sure that what it was asked for will not be lost. The
    names of runs that methods return are the tracker's own. A cell has one owner at a time: the caller of `repair` and
    `finish` holds the cell's lock. One tracker may serve any number of cells at once, from one thread.
    """

    def cell_run(self, name: str, tags: RunTags) -> str:
        """Open the run of cell `name` of the study `tags.study_key`, found again or created, and return its name for
        `RunRecord.parent_id` and `finish`."""
        ...

    def repair(self, parent_id: str, records: Sequence[RunRecord]) -> None:
        """Log those of `records` that have not been logged below the cell `parent_id`, and then mark as KILLED the runs
        that a dead owner of this cell left RUNNING.

        A record counts as logged where an ended run has its name and attempt. Runs left RUNNING are the children of
        `parent_id`, and runs of the same name under another study key with their children.
        """
        ...

    def log_run(self, record: RunRecord, *, entry: str | None = None) -> str:
        """Log one finished run and return its name for `RunRecord.parent_id`. `entry`: key of the run, under which it
        is logged once, however often and by however many processes that is asked for."""
        ...

    def finish(
        self,
        run_id: str,
        status: RunStatus,
        metrics: Mapping[str, float | None] | None = None,
        extra_tags: Mapping[str, str] | None = None,
    ) -> None:
        """End a cell's run, and add metrics and tags to it. `cell_run` reopens the run when the cell runs again."""
        ...

    def register_law(self, record: Mapping[str, Any], files: Sequence[Path], tags: RunTags) -> str:
        """Log the run `scaling-law` with `files`, register the model of that name, and return the run's name.

        `record` is the content of scaling.json.
        """
        ...

    def log_comparison(self, files: Sequence[Path], tags: RunTags, description: str) -> str:
        """Find or create the run `comparison` of the study `tags.study_key`, replace those of its files that have the
        names of `files`, and return the run's name."""
        ...


def size_metrics(n_params: int | None) -> dict[str, float | None]:
    """Return the parameter count and its logarithm as metrics: charts can have metrics on an axis, and their axes are
    linear."""
    return {
        "n_params": None if n_params is None else float(n_params),
        "log10_n_params": None if n_params is None else math.log10(n_params),
    }


def loss_of_horizon(horizon: str) -> str:
    """Return the name of the metric that holds a trial's validation loss for the chart of its horizon: charts have no
    filters of their own."""
    return f"best_val_loss_h{horizon}"


def charted_metrics(record: RunRecord) -> dict[str, float | None]:
    """Return the metrics of `record` and those that charts need beside them."""
    loss = record.metrics.get("best_val_loss")
    if record.tags.kind != "trial" or loss is None:
        return dict(record.metrics)
    return {**record.metrics, loss_of_horizon(record.tags.horizon): loss}


def loggable_params(params: Mapping[str, Value | None]) -> dict[str, str]:
    """Return the params as text, without missing ones."""
    return {name: str(value) for name, value in params.items() if value is not None}


def loggable_metrics(metrics: Mapping[str, float | None]) -> dict[str, float]:
    """Return the metrics as floats, without missing ones and with infinities as NaN."""
    return {name: loggable(value) for name, value in metrics.items() if value is not None}


def loggable(value: float) -> float:
    """Return `value`, or NaN where it is infinite."""
    return float(value) if math.isfinite(value) else math.nan


def last_values(curves: Mapping[str, Curve]) -> dict[str, float]:
    """Return the value of each non-empty curve at its last step."""
    return {name: loggable(max(curve)[1]) for name, curve in curves.items() if curve}


def law_summary(record: Mapping[str, Any]) -> tuple[dict[str, Value | None], dict[str, float | None]]:
    """Return params and metrics of the law's run: verdict, form, alpha with its interval and the parts of that
    interval, and R2 of every horizon; of rankings the RankIC per tenfold size. Below three degrees of freedom the
    detectable exponent is only a range."""
    params: dict[str, Value | None] = {"metric": record.get("metric"), "region": record.get("region")}
    metrics: dict[str, float | None] = {}
    for horizon, law in record["horizons"].items():
        params[f"verdict_h{horizon}"] = law["verdict"]
        if "model_choice" in law:
            params[f"form_h{horizon}"] = law["model_choice"]["preferred"]
        power = law["fits"].get("power")
        if power is None:
            continue
        if power.get("dof", FEW_DOF) >= FEW_DOF:
            metrics[f"minimum_detectable_alpha_h{horizon}"] = law.get("minimum_detectable_alpha")
        if (least := law.get("minimum_detectable_alpha_range")) is not None:
            metrics |= _ends(f"minimum_detectable_alpha{{}}_h{horizon}", least)
        metrics[f"alpha_h{horizon}"] = power["alpha"]
        for part in ("", "_rungs", "_days"):
            if (interval := power.get(f"alpha_ci{part}")) is not None:
                metrics |= _ends(f"alpha{{}}{part}_h{horizon}", interval)
        metrics[f"r2_h{horizon}"] = power.get("r2")
        if (gain := law.get("rank_ic_per_tenfold")) is not None:
            metrics[f"rank_ic_per_tenfold_h{horizon}"] = gain["value"]
            metrics |= _ends(f"rank_ic_per_tenfold{{}}_h{horizon}", (gain["low"], gain["high"]))
    return params, metrics


def _ends(name: str, interval: Sequence[float | None]) -> dict[str, float | None]:
    """Return the two metrics of an interval; `name` has a placeholder for low and high."""
    low, high = interval
    return {name.format("_low"): low, name.format("_high"): high}
