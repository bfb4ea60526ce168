"""What a probe says that cannot tell: that it is inconclusive, and what it would need, by its own statistics."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from tests.audit.leaks import column_replaced, with_step, with_windows

from tsladder.audit.blanked import blanked_test_targets
from tsladder.audit.days import label_reach
from tsladder.audit.planted import SHOWS_FROM, planted_future_feature
from tsladder.audit.shuffled import LEARNS_FROM, LIMIT, PERMUTATIONS, shuffled_targets
from tsladder.audit.small_model import LEAST_VIEWS, MOST_EPOCHS, STEPS, SmallModelResult, training_schedule
from tsladder.audit.subject import Floats, Subject
from tsladder.data.features import FeatureTable
from tsladder.data.splits import Splits
from tsladder.data.windows import Windows, WindowSet
from tsladder.tasks import load
from tsladder.vocabulary import ProbeOutcome


def idle(windows: WindowSet, _epochs: int | None) -> SmallModelResult:
    """A trainer that takes no time and teaches nothing."""
    return SmallModelResult(
        weights="", validation_loss=0.7, p_N=np.full(len(windows.validation), 0.5), ended="completed"
    )


def diverging(_windows: WindowSet, _epochs: int | None) -> SmallModelResult:
    return SmallModelResult(weights="", validation_loss=None, p_N=None, ended="diverged")


def some(windows: Windows, count: int) -> Windows:
    """At most `count` of them, evenly spread."""
    index = np.unique(np.linspace(0, len(windows) - 1, min(count, len(windows))).astype(np.int64))
    names = ("ends_N", "scale_NF", "shift_NF", "y_N", "dates_N")
    return dataclasses.replace(windows, **{name: getattr(windows, name)[index] for name in names})


def with_fewer(subject: Subject, *, train: int | None = None, validation: int | None = None) -> Subject:
    """`subject` with so many windows, of the same days."""

    def cut(table: FeatureTable, splits: Splits, y_T: Floats) -> WindowSet:
        made = subject.pipeline.windows(table, splits, y_T)
        return dataclasses.replace(
            made,
            train=made.train if train is None else some(made.train, train),
            validation=made.validation if validation is None else some(made.validation, validation),
        )

    return with_step(subject, windows=cut, ratio_windows=cut)


def test_few_training_windows_that_teach_nothing_are_named_with_how_many_it_takes(subject: Subject) -> None:
    finding = shuffled_targets(with_step(with_fewer(subject, train=60), train=idle))
    assert finding.outcome is ProbeOutcome.INCONCLUSIVE
    assert finding.needs == f"at least about {LEARNS_FROM} training windows; this study has 60"


def test_so_few_validation_windows_that_no_ranking_exceeds_the_limit_are_named(subject: Subject) -> None:
    finding = shuffled_targets(with_step(with_fewer(subject, validation=10), train=idle))
    assert finding.needs == "at least about 14 validation windows; this study has 10"


def test_a_control_that_learned_a_little_states_how_many_windows_it_would_need(shorter: Subject) -> None:
    def faint(windows: WindowSet, _epochs: int | None) -> SmallModelResult:
        """Ranks a sixth of the windows right where the label is shown, and knows nothing elsewhere."""
        y_N = windows.validation.y_N.astype(np.float64)
        shown = bool((np.sign(windows.validation.last_day()[:, 0]) == np.sign(y_N - 0.5)).all())
        known_N = np.arange(len(y_N)) % 6 == 0
        p_N = np.where(known_N & shown, 0.3 + 0.4 * y_N, 0.5)
        return SmallModelResult(weights="", validation_loss=0.7, p_N=p_N, ended="completed")

    finding = shuffled_targets(with_step(shorter, train=faint))
    assert finding.outcome is ProbeOutcome.INCONCLUSIVE
    auc, windows = float(finding.numbers["control_auc"]), int(finding.numbers["windows"])
    enough = load("direction").label_audit.windows_to_rank(auc, LIMIT, PERMUTATIONS)
    assert LIMIT / 2 < float(finding.numbers["control_z"]) < LIMIT
    assert windows < enough < 4 * windows
    assert "validation windows at the AUC" in str(finding.needs)


@pytest.mark.parametrize("task", ["direction", "regression"])
@pytest.mark.parametrize("share", [0.15, 0.22, 0.45, 1.0])
def test_the_windows_that_are_asked_for_are_just_enough_for_the_rank_test(task: str, share: float) -> None:
    """The z that so many windows and two fewer would have: the null's variance is (n + 1) / (3 n^2) and 1 / (n - 1)."""
    labels, classes = load(task).label_audit, task == "direction"
    deviation = share / 2.0 if classes else share
    asked = labels.windows_to_rank(0.5 + deviation if classes else deviation, LIMIT, PERMUTATIONS)

    def z(n: int) -> float:
        return deviation * (PERMUTATIONS / ((n + 1) / (3 * n**2) if classes else 1 / (n - 1))) ** 0.5

    assert z(asked) > LIMIT >= z(asked - 2)


def test_few_training_windows_hide_a_planted_column_and_are_named(subject: Subject) -> None:
    finding = planted_future_feature(with_fewer(subject, train=12))
    assert finding.outcome is ProbeOutcome.INCONCLUSIVE
    assert f"at least about {SHOWS_FROM} training windows" in str(finding.needs)
    assert "this study has 12" in str(finding.needs)


def test_a_training_that_diverges_leaves_both_probes_that_train_inconclusive(subject: Subject) -> None:
    for probe in (shuffled_targets, blanked_test_targets):
        finding = probe(with_step(subject, train=diverging))
        assert finding.outcome is ProbeOutcome.INCONCLUSIVE
        assert "diverged" in finding.words
        assert "trains to the end" in str(finding.needs)


def test_a_leak_is_a_finding_even_where_the_control_learned_nothing_or_diverged(subject: Subject) -> None:
    leaking = with_windows(subject, lambda windows, _table, y_T: column_replaced(windows, np.nan_to_num(2 * y_T - 1)))
    for train in (idle, diverging):
        finding = shuffled_targets(with_step(leaking, train=train))
        assert finding.outcome is ProbeOutcome.FAILED
        assert finding.needs is None
        assert "labels are in the inputs" in finding.words


def test_labels_that_no_price_moves_leave_their_reach_unknown(subject: Subject) -> None:
    kept = {horizon: subject.labels(horizon) for horizon in subject.horizons}
    finding = label_reach(with_step(subject, labels=lambda _table, horizon: kept[horizon]))
    assert finding.outcome is ProbeOutcome.INCONCLUSIVE
    assert "how far they look is not known" in finding.words


def test_few_windows_are_shown_several_times_in_an_epoch_and_many_once() -> None:
    few, many = training_schedule(225, 25, 256), training_schedule(2740, 25, 256)
    assert few.passes * 225 >= LEAST_VIEWS
    assert (few.epochs, many.epochs) == (MOST_EPOCHS, MOST_EPOCHS)
    assert (many.passes, many.batch) == (1, 64)
    assert MOST_EPOCHS * -(-few.passes * 225 // few.batch) >= 2 * STEPS


def test_a_training_never_takes_a_larger_step_than_the_study() -> None:
    assert training_schedule(225, 25, 8).batch == 8
