"""Probe `planted_future_column`: the audit finds a column that knows the future when there is one.

The return of the horizon, cut at -10 and 10 percent, is planted as a column. Two detectors must flag it:

- cutting the panel off changes the column (the check of `truncated_panel`);
- a ridge regression on the ranks of all columns, those of the models and those of the baselines, becomes too good to be
  true: its mean RankIC on validation exceeds
  IMPLAUSIBLE. Columns of the past reached at most 0.085 on the three panels that were measured (docs/decisions.md,
  2026-11-29).

Without the planted column the second detector must stay silent. The study's own columns fail the probe when their
RankIC exceeds IMPLAUSIBLE as well. Between HONEST and that it is inconclusive: prices that bounce between bid and ask,
or trades at the close that a column is made of, can be worth that much, and so can a column that knows a little of the
future. Both bounds allow three standard deviations of chance: 1 / sqrt(S - 1) a day, where days whose labels overlap
count once.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from tsladder.audit.finding import Finding, outcome_of, rounded
from tsladder.audit.panel.day_values import DayValues, day_values, known_values, of_baselines_name
from tsladder.audit.panel.future import cut_rows, truncated
from tsladder.audit.panel.learner import Floats, RankingData
from tsladder.audit.panel.rank_ic import rank_ic
from tsladder.audit.panel.subject import PanelSubject
from tsladder.panel.panel import Panel
from tsladder.ranking.baselines import RIDGE
from tsladder.vocabulary import ProbeOutcome

IMPLAUSIBLE, HONEST = 0.3, 0.1
PLANTED = "planted_future"

_FULL_SCALE = 0.1
_CHANCE = 3.0


def planted_future_column(subject: PanelSubject) -> Finding:
    columns = every_column(subject.data)
    own = _ridge_rank_ic(subject, columns)
    planted = _ridge_rank_ic(subject, {**columns, PLANTED: _planted(subject.y_TS(subject.first_horizon))})
    seen_by_truncation = _changed_by_truncation(subject)
    slack = _CHANCE * own.chance_sd * math.sqrt(subject.first_horizon)
    own_failed, own_doubtful = own.mean > IMPLAUSIBLE + slack, own.mean > HONEST + slack
    name, alone = _best_column(subject, columns)
    missed, needs = [], []
    if not seen_by_truncation:
        missed.append("cutting off the future did not change it")
        needs.append("inputs that are made again from the panel they are given, and a day to cut it off after")
    if not planted.mean > IMPLAUSIBLE:
        missed.append(f"the ridge regression's RankIC with it was only {planted.mean:.2f}")
        needs.append("a ridge regression that reads every column of its table")
    if own_failed:
        words = (
            f"The study's own columns rank validation with a RankIC of {own.mean:.2f} by a plain ridge regression, "
            f"above {IMPLAUSIBLE:g}, which no honest daily column gives: one of them seems to know the future ({name} "
            f"alone has {alone:.2f})."
        )
    elif missed:
        words = (
            f"A planted column that knows the future went unseen ({'; '.join(missed)}), so one among the columns could "
            "have, too."
        )
    elif own_doubtful:
        words = (
            f"The study's own columns rank validation with a RankIC of {own.mean:.2f} by a plain ridge regression, "
            f"more than {HONEST:g}, the most that was seen of columns of the past ({name} alone has {alone:.2f})."
        )
        needs.append(
            f"a reason outside of the data why {name} ranks so well, such as prices that bounce, or its removal"
        )
    else:
        words = (
            "A planted column that knows the future was caught twice: cutting the panel off changes it, and with it a "
            f"plain ridge regression becomes too good to be true (RankIC {planted.mean:.2f} in place of "
            f"{own.mean:.3f})."
        )
    outcome = outcome_of(leak=own_failed, inconclusive=bool(missed) or own_doubtful)
    numbers = {
        "horizon": subject.first_horizon,
        "planted_seen_by_truncation": "yes" if seen_by_truncation else "no",
        "planted_rank_ic": round(planted.mean, 3),
        "own_rank_ic": round(own.mean, 3),
        "best_column": name,
        "best_column_rank_ic": round(alone, 3),
        "chance_sd": rounded(own.chance_sd),
        "implausible_rank_ic": IMPLAUSIBLE,
        "honest_rank_ic": HONEST,
    }
    return Finding(
        name="planted_future_column",
        outcome=outcome,
        numbers=numbers,
        words=words,
        needs=" and ".join(needs) if outcome is ProbeOutcome.INCONCLUSIVE else None,
    )


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class _Level:
    mean: float
    chance_sd: float


def _planted(y_TS: Floats) -> Floats:
    """Return the column; 0 where the future is unknown."""
    return np.nan_to_num(np.clip(y_TS / _FULL_SCALE, -1.0, 1.0))


def every_column(data: RankingData) -> dict[str, NDArray[np.floating]]:
    """Return all columns that anything reads: those of the models, normalised, and those of the baselines."""
    made = day_values(data.inputs, data.table)
    of_baselines = [of_baselines_name(name) for name in data.table.columns]
    return {name: np.asarray(made.values[name], dtype=np.float64) for name in (*data.inputs.columns, *of_baselines)}


def _ridge_rank_ic(subject: PanelSubject, columns: Mapping[str, NDArray[np.floating]]) -> _Level:
    """Return the mean RankIC on validation of the study's ridge regression, fitted to `columns`."""
    data = dataclasses.replace(subject.data, table=dataclasses.replace(subject.data.table, columns=columns))
    ridge = next(learner for learner in subject.pipeline.learners if learner.name == RIDGE)
    validation_T = subject.fit_days.validation_T
    score_TS = ridge.fit(data, subject.fit_days).score(data, validation_T)
    rows_N = subject.validation_N
    found = rank_ic(score_TS[rows_N], data.table.return_DS[rows_N], data.table.member_DS[rows_N])
    return _Level(mean=found.mean, chance_sd=math.sqrt(found.variance) / max(found.days, 1))


def _best_column(subject: PanelSubject, columns: Mapping[str, NDArray[np.floating]]) -> tuple[str, float]:
    """Return the column with the largest mean RankIC on validation, whatever its sign."""
    rows_N, table = subject.validation_N, subject.data.table
    member_NS = table.member_DS[rows_N]
    alone = {}
    for name, value_TS in columns.items():
        value_NS = value_TS[rows_N]
        alone[name] = rank_ic(value_NS, table.return_DS[rows_N], member_NS & np.isfinite(value_NS)).mean
    best = max(alone, key=lambda name: abs(alone[name]))
    return best, alone[best]


def _changed_by_truncation(subject: PanelSubject) -> bool:
    """Check whether the planted column changes when the panel is cut off."""

    def leaking(panel: Panel, y_TS: Floats) -> DayValues:
        made = known_values(subject.pipeline, panel, y_TS)
        planted_TS = _planted(subject.of_horizon(subject.pipeline.labels(panel), subject.first_horizon))
        return dataclasses.replace(made, values={PLANTED: planted_TS})

    rows = cut_rows(subject)
    if not rows:
        return False
    row = rows[len(rows) // 2]
    known = DayValues(
        dates_T=subject.panel.dates_T,
        symbols_S=subject.panel.symbols_S,
        values={PLANTED: _planted(subject.y_TS(subject.first_horizon))},
    )
    return PLANTED in truncated(subject, known, subject.panel, row, leaking).over(0.0)
