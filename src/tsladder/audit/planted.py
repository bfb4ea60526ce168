"""Probe `planted_future_feature`: the audit finds a leak when there is one.

A column that knows how far the price will go within the horizon is planted in a copy of the features. Two detectors
must flag it, and the second must stay silent without it:

- truncating the bars changes the column (the check of `truncated_future`);
- a logistic regression (for returns a ridge regression) on the last day's features becomes too good to be true: its
  loss on validation falls by more than IMPLAUSIBLE_SKILL below that of the better of the two constants. On the bundled
  S&P 500 and Nasdaq, horizons 1, 3 and 5, its skill was, for targets of 0.5, 1 and 2 % and direction, 0.79 to 0.91 with
  the planted column and at most 0.25 without it, the forecast of volatility included; for returns at least 0.99 with it
  and at most -0.02 without it.

A label hidden among the study's own features therefore fails this probe, too: the second detector is then not silent.
Where a detector misses the planted column and the study's own features raise no alarm, the probe is inconclusive.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from tsladder.artifacts.features import ColumnKind, FeatureColumn
from tsladder.audit.finding import Finding, outcome_of, rounded
from tsladder.audit.subject import Subject
from tsladder.audit.truncation import compare_truncated, cut_rows
from tsladder.data.bars import Bars
from tsladder.data.features import FeatureTable
from tsladder.params import TargetParams
from tsladder.tasks import load as load_task
from tsladder.vocabulary import ProbeOutcome, Region

IMPLAUSIBLE_SKILL = 0.5
SHOWS_FROM = 400
"""Number of training windows from which the planted column gave an implausible skill in every measurement in which both
outcomes were among them (docs/decisions.md)."""

PLANTED = FeatureColumn(
    name="planted_future",
    kind=ColumnKind.BOUNDED,
    words="how far beyond its target the price will go within the horizon, in percent, cut at -1 and 1",
    look_back=0,
    source="planted by the audit",
)


def planted_future_feature(subject: Subject) -> Finding:
    horizon = subject.first_horizon
    planted = plant(subject.table, subject.target, horizon)

    def leaking(bars: Bars) -> FeatureTable:
        return plant(subject.pipeline.features(bars), subject.target, horizon)

    own = planted.by_symbol()[0]
    compared = compare_truncated(subject.bars, own, leaking, cut_rows(subject, own))
    seen_by_truncation = PLANTED.name in compared.changed
    skill = {name: last_day_skill(subject, table, horizon) for name, table in (("", subject.table), ("p", planted))}
    too_good, own_too_good = skill["p"] > IMPLAUSIBLE_SKILL, skill[""] > IMPLAUSIBLE_SKILL
    linear = subject.label_audit.linear_name
    missed, needs = [], []
    if not seen_by_truncation:
        missed.append("cutting off the future did not change it")
        needs.append("features that are made again from the bars they are given")
    if not too_good:
        missed.append(f"the {linear}'s skill with it was only {skill['p']:.2f}")
        needs.append(_more_windows(linear, len(subject.windows(horizon).train)))
    if own_too_good:
        words = (
            f"The study's own features reach a skill of {skill['']:.2f} on validation by a plain {linear}, above "
            f"{IMPLAUSIBLE_SKILL:g}, which no honest daily feature gives: one of them seems to know the future."
        )
    elif missed:
        words = (
            f"A planted column that knows the future went unseen ({'; '.join(missed)}), so one among the features "
            "could have, too."
        )
    else:
        words = (
            "A planted column that knows the future was caught twice: cutting the bars off changes it, and with it a "
            f"plain {linear} becomes too good to be true (skill {skill['p']:.2f} in place of {skill['']:.2f})."
        )
    numbers = {
        "horizon": horizon,
        "planted_change_sd": rounded(compared.largest.get(PLANTED.name, 0.0)),
        "planted_skill": round(skill["p"], 3),
        "own_skill": round(skill[""], 3),
        "implausible_skill": IMPLAUSIBLE_SKILL,
    }
    outcome = outcome_of(leak=own_too_good, inconclusive=bool(missed))
    return Finding(
        name="planted_future_feature",
        outcome=outcome,
        numbers=numbers,
        words=words,
        needs=" and ".join(needs) if outcome is ProbeOutcome.INCONCLUSIVE else None,
    )


def _more_windows(linear: str, training: int) -> str:
    if training < SHOWS_FROM:
        return f"at least about {SHOWS_FROM} training windows, both outcomes among them; this study has {training}"
    return (
        f"windows that show every column of the table and a {linear} that can use it: the {training} training windows "
        "of this study are enough by all that was measured"
    )


def plant(table: FeatureTable, target: TargetParams, horizon: int) -> FeatureTable:
    """Return `table` with the column PLANTED appended; its value is 0 on a symbol's last days, whose future
    is unknown."""
    planted_T = np.concatenate([_margin(own, target, horizon) for own in table.by_symbol()])
    return dataclasses.replace(
        table, columns=(*table.columns, PLANTED), values_TF=np.column_stack([table.values_TF, planted_T])
    )


def _margin(table: FeatureTable, target: TargetParams, horizon: int) -> NDArray[np.float64]:
    margin_T = np.zeros(len(table.close_T))
    margin_T[:-horizon] = load_task(target.task).label_audit.leaking_feature(table, target.price, horizon)
    return margin_T


def last_day_skill(subject: Subject, table: FeatureTable, horizon: int) -> float:
    """Return the skill on validation of the study's linear baseline on the last day of `table`, against the better
    constant."""
    ratio = subject.pipeline.ratio_windows(table, subject.splits(horizon), subject.labels(horizon))
    forecasts = subject.pipeline.forecasts(ratio, ratio, table, Region.VALIDATION)
    y_N = ratio.validation.y_N.astype(np.float64)
    return subject.label_audit.skill(ratio.train.y_N, y_N, forecasts[subject.label_audit.linear])
