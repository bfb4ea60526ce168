"""Probe `permuted_labels`: labels that are permuted within each day carry no information and cannot be learned.

The labels of training and validation are permuted among the ranked stocks of their day. Nothing that may be known of a
stock says anything about such a label, so models fitted to them must rank validation no better than by chance, unless a
label reaches the columns or the labels of validation reach the fitting:

- A label among the columns: training learns to read it, and validation is ranked almost without error. The rank test
  below finds this. The probe also checks that the table carries the labels handed in, and no others.
- Labels of validation used in fitting: the same training labels beside other validation labels must leave every score
  the same, bit for bit, when validation chooses no epoch.
- What permuting cannot detect: a column that knows future prices says nothing about a permuted label;
  `truncated_panel` and `planted_future_column` look for that.

The rank test. Over all orders of S labels, Spearman's correlation with any fixed scores has mean 0 and variance
1 / (S - 1), ties or not. Days are independent, since each is permuted by itself, however far labels overlap. The sum
over the days of all permutations, divided by the root of its variance, is a z that must not exceed LIMIT, for which
the probability is 1e-9. A label among the columns gives a z of 150 on 697 days of 36 stocks. The probe is inconclusive
where a model that reaches a RankIC of SEEN would not exceed the limit.
"""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from tsladder.audit.finding import Finding, Number, outcome_of, rounded
from tsladder.audit.panel.learner import FitDays, Floats, Learner, RankingData
from tsladder.audit.panel.rank_ic import rank_ic
from tsladder.audit.panel.subject import PanelSubject
from tsladder.ranking.metrics import judged_stocks

LIMIT = 6.0
SEEN = 0.1
STOCK_DAYS = 60_000
"""Pairs of a training day and a ranked stock to fit on: a label among the columns is learned from far fewer, and
boosted trees take seconds for each further hundred thousand."""


def permuted_labels(subject: PanelSubject) -> Finding:
    most = max(learner.permutations for learner in subject.fitted_learners)
    dealt = [subject.with_labels(permuted(subject, training=number, validation=number)) for number in range(most)]
    strangers = sum(not _carries(subject, data, number) for number, data in enumerate(dealt))
    days_to_fit = thinned(subject)
    z_of: dict[str, float] = {}
    weakest, needed = 0.0, 0
    for learner in subject.fitted_learners:
        z_of[learner.name], seen_from, days = _ranked(subject, learner, dealt[: learner.permutations], days_to_fit)
        if seen_from > weakest:
            weakest, needed = seen_from, days
    peeking = _peeking(subject, dealt[0], days_to_fit)
    z, who = max((z, who) for who, z in z_of.items())
    days = len(subject.validation_N)
    leak, blind, needs = bool(strangers or peeking or z > LIMIT), weakest > SEEN, None
    if strangers:
        words = "The table carried other labels than the permuted ones: the pipeline has labels of its own."
    elif z > LIMIT:
        words = f"With permuted labels {who} still ranks validation (z = {z:.1f}): labels are among the columns."
    elif peeking:
        words = f"Other labels on validation alone changed the scores of {' and '.join(peeking)}: fitting sees them."
    elif blind:
        words = (
            f"On {days} validation days a model with a RankIC below {weakest:.2f} on permuted labels would not stand "
            "out from chance."
        )
        needs = f"at least about {needed} validation days with as many stocks; this study has {days}"
    else:
        found = ", ".join(f"{name} z = {value:.1f}" for name, value in z_of.items())
        words = (
            f"With labels permuted within each day no model knows anything ({found}), and validation's labels change "
            "nothing that is fitted."
        )
    numbers: dict[str, Number] = {
        "horizon": subject.first_horizon,
        "permutations": most,
        "validation_days": days,
        **{f"{name}_z": round(value, 2) for name, value in z_of.items()},
        "limit_z": LIMIT,
        "rank_ic_seen_from": rounded(weakest, 2),
        "permutations_with_other_labels": strangers,
        "peeking": ", ".join(peeking) or "none",
    }
    return Finding(
        name="permuted_labels",
        outcome=outcome_of(leak=leak, inconclusive=blind),
        numbers=numbers,
        words=words,
        needs=needs,
    )


def permuted(subject: PanelSubject, *, training: int, validation: int) -> Floats:
    """Return y_TS of the first horizon with the labels of the ranked stocks of each training and validation day in
    another order. `training` and `validation` number the order of each region; the same number gives the same one."""
    y_TS = subject.y_TS(subject.first_horizon).copy()
    judged_TS = judged_stocks(y_TS, subject.inputs.axis.stocks_TS)
    splits = subject.splits[subject.first_horizon]
    for split, number in ((splits.train, training), (splits.validation, validation)):
        rng = subject.random("permuted labels", split.region, number)
        for row in subject.rows_N(subject.first_horizon, split).tolist():
            y_TS[row, judged_TS[row]] = rng.permutation(y_TS[row, judged_TS[row]])
    return y_TS


def thinned(subject: PanelSubject) -> FitDays:
    """Return the days to fit on, of training so many random ones as have STOCK_DAYS ranked stocks together."""
    rows_N = np.flatnonzero(subject.fit_days.train_T)
    order_N = subject.random("thinned training").permutation(rows_N)
    stocks_N = np.cumsum(subject.inputs.axis.stocks_TS[order_N].sum(axis=1))
    train_T = np.zeros_like(subject.fit_days.train_T)
    train_T[order_N[: max(1, int((stocks_N <= STOCK_DAYS).sum()))]] = True
    return dataclasses.replace(subject.fit_days, train_T=train_T)


def _ranked(
    subject: PanelSubject, learner: Learner, dealt: list[RankingData], days_to_fit: FitDays
) -> tuple[float, float, int]:
    """Return the z of a learner over all permutations, the mean RankIC from which it would exceed LIMIT, and the
    validation days on which one of SEEN would."""
    rows_N = subject.validation_N
    total = variance = 0.0
    days = 0
    for data in dealt:
        validation_T = subject.fit_days.validation_T
        score_TS = learner.fit(data, days_to_fit).score(data, validation_T)
        found = rank_ic(score_TS[rows_N], data.table.return_DS[rows_N], data.table.member_DS[rows_N])
        total, variance, days = total + found.sum, variance + found.variance, days + found.days
    if days == 0:
        return 0.0, math.inf, 0
    seen_from = LIMIT * math.sqrt(variance) / days
    return total / math.sqrt(variance), seen_from, math.ceil(len(rows_N) * (seen_from / SEEN) ** 2)


def _carries(subject: PanelSubject, data: RankingData, number: int) -> bool:
    """Check whether the table holds the labels of permutation `number`."""
    return np.array_equal(data.table.return_DS, permuted(subject, training=number, validation=number), equal_nan=True)


def _peeking(subject: PanelSubject, data: RankingData, days_to_fit: FitDays) -> list[str]:
    """Return the learners whose scores change when only the labels of validation are permuted differently, with the
    training labels of `data`."""
    other = subject.with_labels(permuted(subject, training=0, validation=-1))
    validation_T = subject.fit_days.validation_T
    blind = dataclasses.replace(days_to_fit, validation_T=np.zeros_like(validation_T))
    changed = []
    for learner in subject.pipeline.learners:
        one, again = (learner.fit(each, blind) for each in (data, other))
        # One table is scored by both, so that a label among its columns is left to the rank test.
        one_TS, again_TS = (fitted.score(data, validation_T) for fitted in (one, again))
        if one.weights != again.weights or not np.array_equal(one_TS, again_TS, equal_nan=True):
            changed.append(learner.name)
    return changed
