"""Probes `label_blind_cross_section` and `turned_test_labels`: whether a stock has a label, and what the labels of test
are, changes nothing but the score.

- Cross-section: all labels of a random tenth of the stocks are taken away. The table's columns and ranked stocks and,
  from models fitted before, every score of validation and test must stay the same, bit for bit. A cross-section without
  the stocks that lack a label knows who will be traded, or whose return is extreme.
- Test labels: each becomes its opposite (taking them away would be the other probe). Columns, ranked stocks, the
  weights of models fitted anew and all their scores on validation and test must stay the same. No RankIC on test is
  computed here: that region is scored once.
"""

from __future__ import annotations

import numpy as np

from tsladder.audit.finding import Finding, listed, outcome_of
from tsladder.audit.panel.day_values import compare, day_values
from tsladder.audit.panel.learner import Fitted, RankingData
from tsladder.audit.panel.subject import PanelSubject

_SHARE = 10


def label_blind_cross_section(subject: PanelSubject) -> Finding:
    stocks = len(subject.panel.symbols_S)
    blanked = np.sort(subject.random("blanked stocks").permutation(stocks)[: max(1, stocks // _SHARE)])
    y_TS = subject.y_TS(subject.first_horizon).copy()
    labels = int(np.isfinite(y_TS[:, blanked][subject.scored_T]).sum())
    y_TS[:, blanked] = np.nan
    asked = subject.with_labels(y_TS)
    changed = _changed_values(subject, asked)
    again = {name: fitted.score(asked, subject.scored_T) for name, fitted in subject.fitted.items()}
    changed += [
        f"scores of {name}"
        for name, score_TS in subject.scores.items()
        if not np.array_equal(score_TS, again[name], equal_nan=True)
    ]
    needs = None
    if changed:
        words = (
            f"{listed(changed)} changed when a tenth of the stocks lost their labels: a day's cross-section or its "
            "scores hang on who has a label."
        )
    elif labels == 0:
        words = "None of the stocks whose labels were taken away had one on validation or test."
        needs = "labels on validation and test"
    else:
        words = (
            f"With all labels of {len(blanked)} of {stocks} stocks taken away, columns, ranked stocks and every score "
            "stayed the same, bit for bit."
        )
    numbers = {"stocks_without_labels": len(blanked), "labels_taken_away": labels, "things_changed": len(changed)}
    return Finding(
        name="label_blind_cross_section",
        outcome=outcome_of(leak=bool(changed), inconclusive=labels == 0),
        numbers=numbers,
        words=words,
        needs=needs,
    )


def turned_test_labels(subject: PanelSubject) -> Finding:
    test_N = subject.test_N
    y_TS = subject.y_TS(subject.first_horizon).copy()
    y_TS[test_N] = -y_TS[test_N]
    turned = int((np.isfinite(y_TS[test_N]) & subject.inputs.axis.stocks_TS[test_N]).sum())
    asked = subject.with_labels(y_TS)
    changed = _changed_values(subject, asked)
    for learner in subject.pipeline.learners:
        changed += _changed_model(subject, learner.name, learner.fit(asked, subject.fit_days), asked)
    needs = None
    if changed:
        words = f"Turning the test labels round changed more than the score: {listed(changed)}."
    elif turned == 0:
        words = "No stock has a label on a test day, so nothing was tried."
        needs = "labels on test days"
    else:
        words = (
            f"With all {turned} labels of {len(test_N)} test days turned round, columns, weights and every score "
            "stayed the same, bit for bit."
        )
    numbers = {
        "horizon": subject.first_horizon,
        "test_labels_turned": turned,
        "models": len(subject.pipeline.learners),
        "things_changed": len(changed),
    }
    return Finding(
        name="turned_test_labels",
        outcome=outcome_of(leak=bool(changed), inconclusive=turned == 0),
        numbers=numbers,
        words=words,
        needs=needs,
    )


def _changed_values(subject: PanelSubject, asked: RankingData) -> list[str]:
    known, again = (day_values(data.inputs, data.table) for data in (subject.data, asked))
    return compare(known, again, len(subject.panel.dates_T)).over(0.0)


def _changed_model(subject: PanelSubject, name: str, fitted: Fitted, asked: RankingData) -> list[str]:
    changed = []
    if fitted.weights != subject.fitted[name].weights:
        changed.append(f"weights of {name}")
    if not np.array_equal(fitted.score(asked, subject.scored_T), subject.scores[name], equal_nan=True):
        changed.append(f"scores of {name}")
    return changed
