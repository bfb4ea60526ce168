"""Probe `shuffled_days`: scores of other days do not rank a day's labels.

The labels of validation are laid beside scores of random numbers of days before, a third to half of validation. Scores
of later days would not do: their columns hold the very returns that are to be ranked. A model that knows timing has a
RankIC of 0 there. One whose RankIC stays above or below 0 holds an order of stocks that does not change, or hardly
does: that is no leak, since such an order can be known, but no timing either. It is named `static` here, and
`static_order` among the baselines says how far such an order goes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tsladder.audit.finding import Finding, Number, outcome_of
from tsladder.audit.panel.learner import Floats
from tsladder.audit.panel.rank_ic import rank_ic
from tsladder.audit.panel.subject import PanelSubject
from tsladder.evaluation.bootstrap import block_length, mean_interval
from tsladder.seeds import derive_seed

CONFIDENCE = 0.99

_SHIFTS = 20
_LEAST_SHIFT = 21
_DRAWS = 1000


@dataclass(frozen=True, kw_only=True, slots=True)
class _Shuffled:
    """Mean RankIC of a model on its own days and on shuffled ones, with the interval of the latter."""

    own: float
    mean: float
    low: float
    high: float

    @property
    def static(self) -> bool:
        return self.low > 0.0 or self.high < 0.0


def shuffled_days(subject: PanelSubject) -> Finding:
    days, least = len(subject.validation_N), max(subject.span(subject.first_horizon), _LEAST_SHIFT)
    numbers: dict[str, Number] = {"horizon": subject.first_horizon, "validation_days": days}
    if days < 4 * least:
        return Finding(
            name="shuffled_days",
            outcome=outcome_of(leak=False, inconclusive=True),
            numbers=numbers,
            words=f"Validation has {days} days, too few to lay labels beside scores of days that are far enough away.",
            needs=f"at least {4 * least} validation days",
        )
    nearest = max(least, days // 3)
    shifts = subject.random("shuffled days").integers(nearest, days // 2 + 1, _SHIFTS).tolist()
    found = {learner.name: _shuffled(subject, learner.name, shifts) for learner in subject.fitted_learners}
    static = [name for name, one in found.items() if one.static]
    told = ", ".join(f"{name} {one.mean:.3f} ({one.low:.3f} to {one.high:.3f})" for name, one in found.items())
    if static:
        words = (
            f"static: scores of {' and '.join(static)} rank later days as well ({told}): a part of the RankIC is a "
            "fixed order of stocks and no timing, to be held against static_order."
        )
    else:
        words = f"Scores of earlier days have no RankIC ({told}): what models know is no fixed order of stocks."
    for name, one in found.items():
        numbers |= {f"{name}_rank_ic": round(one.own, 4), f"{name}_shuffled": round(one.mean, 4)}
        numbers |= {f"{name}_low": round(one.low, 4), f"{name}_high": round(one.high, 4)}
    numbers |= {
        "shifts": len(shifts),
        "least_shift": nearest,
        "confidence": CONFIDENCE,
        "static": ", ".join(static) or "none",
    }
    return Finding(
        name="shuffled_days", outcome=outcome_of(leak=False, inconclusive=False), numbers=numbers, words=words
    )


def _shuffled(subject: PanelSubject, name: str, shifts: list[int]) -> _Shuffled:
    rows_N, table = subject.validation_N, subject.data.table
    score_NS, return_NS = subject.scores[name][rows_N], table.return_DS[rows_N]
    member_NS = table.member_DS[rows_N]
    shifted = []
    for shift in shifts:
        moved_NS = np.full_like(score_NS, np.nan)
        moved_NS[shift:] = score_NS[:-shift]
        shifted.append(rank_ic(moved_NS, return_NS, member_NS & np.isfinite(moved_NS)).rank_ic_N)
    mean_N = _mean_of_known(np.stack(shifted))
    if len(mean_N) == 0:
        return _Shuffled(own=0.0, mean=0.0, low=0.0, high=0.0)
    interval = mean_interval(
        mean_N,
        draws=_DRAWS,
        confidence=CONFIDENCE,
        seed=derive_seed(subject.seed, "audit", "shuffled days", name),
        block=max(subject.first_horizon, block_length(mean_N)),
    )
    own = rank_ic(score_NS, return_NS, member_NS).mean
    return _Shuffled(own=own, mean=interval.value, low=interval.low, high=interval.high)


def _mean_of_known(values_KN: Floats) -> Floats:
    """Return the mean over shifts of each day that has one."""
    known_KN = np.isfinite(values_KN)
    count_N = known_KN.sum(axis=0)
    sum_N = np.where(known_KN, values_KN, 0.0).sum(axis=0)
    return np.asarray(sum_N[count_N > 0] / count_N[count_N > 0])
