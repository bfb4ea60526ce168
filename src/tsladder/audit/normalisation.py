"""Probe `normalisation`: a window's inputs depend on its own days and, through one mean and standard deviation per
column, on the training windows, and on nothing else.

- Own days: with the training windows taken out of the splits there are no statistics, so every other day may be
  replaced by nonsense and the window must keep its inputs. Each region is tried in turn.
- Statistics: with the training windows in place, every day that no training window contains is replaced, and all
  training windows must keep their inputs: no mean is taken over validation or test days. In a walk-forward split this
  is done fold by fold: for an earlier fold, the days on which a later one trains are replaced, too.

The probe also checks that the nonsense takes effect: some other window must change under it.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from tsladder.audit.finding import Finding, outcome_of, rounded
from tsladder.audit.pipeline import WindowBuilder
from tsladder.audit.subject import Floats, Subject, input_days
from tsladder.data.features import FeatureTable
from tsladder.data.splits import Split, Splits
from tsladder.data.windows import Windows
from tsladder.vocabulary import Region

TOLERANCE = 1e-6
"""Largest change of a model input x, divided by 1 + |x|, that counts as rounding."""

_WINDOWS_PER_REGION = 4
_TRAINING_WINDOWS = 64
_LEAST_EFFECT = 0.01


@dataclasses.dataclass(slots=True)
class _Totals:
    """Running totals over horizons, regions and ways to make windows."""

    windows: int = 0
    own_days: float = 0.0
    statistics: float = 0.0
    elsewhere: float = 0.0


def normalisation(subject: Subject) -> Finding:
    totals = _Totals()
    for horizon in subject.horizons:
        rng = subject.random("normalisation", horizon)
        for build_windows in subject.pipeline.window_builders:
            for region in Region:
                _check_own_days(subject, build_windows, horizon, region, rng, totals)
            _check_statistics(subject, build_windows, horizon, rng, totals)
    own_sound, statistics_sound = totals.own_days <= TOLERANCE, totals.statistics <= TOLERANCE
    leak, took_effect = not (own_sound and statistics_sound), totals.elsewhere > _LEAST_EFFECT
    needs = None
    if not own_sound:
        words = "A window showed other numbers when days outside it were replaced: its normalisation sees other days."
    elif not statistics_sound:
        words = (
            "Training windows showed other numbers when days that no training window shows were replaced: the mean and "
            "standard deviation of training are taken over validation or test days, too."
        )
    elif not took_effect:
        words = "Replacing days changed no window anywhere, so nothing was tried."
        needs = "two windows in a region that show different days, cut from the features they are given"
    else:
        words = (
            f"{totals.windows} windows showed the same numbers when every day outside them was replaced, and all of "
            "training did when every day outside training was."
        )
    numbers = {
        "windows": totals.windows,
        "largest_change_own_days": rounded(totals.own_days, 1),
        "largest_change_statistics": rounded(totals.statistics, 1),
        "tolerance": TOLERANCE,
    }
    outcome = outcome_of(leak=leak, inconclusive=not took_effect)
    return Finding(name="normalisation", outcome=outcome, numbers=numbers, words=words, needs=needs)


def _check_own_days(
    subject: Subject,
    build_windows: WindowBuilder,
    horizon: int,
    region: Region,
    rng: np.random.Generator,
    totals: _Totals,
) -> None:
    alone = _without_training(subject.splits(horizon), region)
    y_T = subject.labels(horizon)
    before = build_windows(subject.table, alone, y_T).validation
    last = len(before) - 1
    for number in sorted({0, last, *rng.integers(0, last + 1, _WINDOWS_PER_REGION - 2).tolist()}):
        index = np.array([number])
        outside_T = ~input_days(before.ends_N[index], subject.context_length, len(subject.table.dates_T))
        after = build_windows(corrupt_days(subject.table, outside_T, rng), alone, y_T).validation
        totals.windows += 1
        totals.own_days = max(totals.own_days, _change(before, after, index))
        furthest = np.array([last if number < last / 2 else 0])
        if furthest[0] != number:
            totals.elsewhere = max(totals.elsewhere, _change(before, after, furthest))


def _check_statistics(
    subject: Subject, build_windows: WindowBuilder, horizon: int, rng: np.random.Generator, totals: _Totals
) -> None:
    y_T, splits = subject.labels(horizon), subject.splits(horizon)
    for number, fold in enumerate(build_windows(subject.table, splits, y_T).folds):
        before = fold.train
        outside_T = ~input_days(before.ends_N, subject.context_length, len(subject.table.dates_T))
        after = build_windows(corrupt_days(subject.table, outside_T, rng), splits, y_T).folds[number].train
        some = np.unique(np.linspace(0, len(before) - 1, _TRAINING_WINDOWS).astype(np.int64))
        totals.statistics = max(totals.statistics, _change(before, after, some))


def corrupt_days(table: FeatureTable, replaced_T: NDArray[np.bool_], rng: np.random.Generator) -> FeatureTable:
    """Return `table` with the features and prices of the days `replaced_T` halved, doubled and shifted at random.

    Prices of a symbol's first day are doubled exactly: its Close is the unit in which prices are kept. A power of two
    cancels to the last bit, where another factor would leave rounding errors where changes are looked for.
    """
    count = int(replaced_T.sum())
    values_TF = table.values_TF.copy()
    shape = (count, values_TF.shape[1])
    values_TF[replaced_T] *= np.exp2(rng.uniform(-1.0, 1.0, shape))
    values_TF[replaced_T] += values_TF.std(axis=0) * rng.normal(0.0, 0.5, shape)
    prices = {}
    for name in ("open_T", "high_T", "low_T", "close_T"):
        factor_T = np.ones(len(replaced_T))
        factor_T[replaced_T] = np.exp2(rng.uniform(-1.0, 1.0, count))
        for first in table.first_rows:
            factor_T[first] = 2.0 if replaced_T[first] else 1.0
        prices[name] = getattr(table, name) * factor_T
    return dataclasses.replace(table, values_TF=values_TF, **prices)


def _without_training(splits: Splits, region: Region) -> Splits:
    """Return splits whose validation holds the windows of `region`, with empty training and test regions."""
    moved = dataclasses.replace(splits.region(region), region=Region.VALIDATION)
    return Splits(
        horizon=splits.horizon,
        train=Split(region=Region.TRAIN, segments=()),
        validation=moved,
        test=Split(region=Region.TEST, segments=()),
    )


def _change(before: Windows, after: Windows, index_B: NDArray[np.int64]) -> float:
    """Return the largest change of an input, divided by 1 + |x|; infinite where the two sets of windows differ."""
    if not np.array_equal(before.ends_N, after.ends_N):
        return float("inf")
    shown: Floats = before.batch(index_B).astype(np.float64)
    change = np.abs(after.batch(index_B).astype(np.float64) - shown) / (1.0 + np.abs(shown))
    return float(np.where(np.isnan(change), np.inf, change).max())
