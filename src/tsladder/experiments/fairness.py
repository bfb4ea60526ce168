"""Check whether two experiments are comparable at a horizon: scored on the same days with the same labels."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tsladder.experiments.results import Experiment
from tsladder.ranking.words import is_rank_error
from tsladder.tasks import task_with_metric

_SHOWN = 3

# Parameters that decide on which days and on which labels a model is scored.
_CAUSES = (
    "data.panel",
    "data.symbol",
    "data.symbols",
    "data.adjust",
    "data.first_day",
    "universe.",
    "target.",
    "splits.",
    "windows.context_length",
)
_COMMON = "set data.first_day: common in both, and every tier of that symbol starts on the same day"


def reasons_not_comparable(first: Experiment, second: Experiment, horizon: int) -> tuple[str, ...]:
    """Return the reasons why `horizon` cannot be compared: the differences, in words, and what to do; ()
    where it can."""
    absent = [
        f"{one.name} has no scored cell of h{horizon}; it has {', '.join(f'h{h}' for h in one.horizons)}"
        for one in (first, second)
        if horizon not in one.horizons
    ]
    if absent:
        return tuple(absent)
    reasons = []
    if first.metric != second.metric:
        reasons.append(f"other metric: {first.metric} against {second.metric}")
    elif _in_label_sd(first.metric) and (apart := _other_training(first, second, horizon)) is not None:
        reasons.append(f"{first.metric} losses are in units of the spread of the training labels, and {apart}")
    facts = list(_facts(*first.days(horizon), *second.days(horizon)))
    if reasons or facts:
        reasons += _causes(first, second, first_days=_first_days(first, second, horizon))
    if facts and not reasons:
        reasons.append("the parameters of days and labels agree, so the bars under data/ differ")
    return (*reasons, *facts)


def _in_label_sd(metric: str) -> bool:
    """Check whether losses of this metric are in units of the labels' standard deviation, so that equal errors give
    different losses after different training regions."""
    task = task_with_metric(metric)
    return task is not None and task.loss_in_label_sd


def training_days_note(first: Experiment, second: Experiment, horizon: int) -> str | None:
    """Return a note where two experiments were scored alike but trained on other days, which is fair to the forecasts
    but matters to a comparison of tiers or families; None otherwise."""
    one, other = first.trained_on.get(horizon), second.trained_on.get(horizon)
    if one is None or other is None or one == other:
        return None
    way_out = f"; {_COMMON}" if _moved_by_tier(first, second) else ""
    samples = "days" if is_rank_error(first.metric) else "windows"
    return (
        f"{first.name} was trained on {one.windows} {samples} from {one.first_day} to {one.last_day}, "
        f"{second.name} on {other.windows} from {other.first_day} to {other.last_day}{way_out}"
    )


def _other_training(first: Experiment, second: Experiment, horizon: int) -> str | None:
    one, other = (each.params.get("data.symbols") for each in (first, second))
    if one != other:
        return f"the symbols trained on differ: {_word(one)} against {_word(other)}"
    return training_days_note(first, second, horizon)


def differing(first: Experiment, second: Experiment) -> dict[str, tuple[Any, Any]]:
    """Return dotted path -> both values, for every parameter that differs, except those of `hardware`, which alter no
    result. A leaf that one experiment does not have is None there."""
    paths = dict.fromkeys([*first.params, *second.params])
    return {
        path: (first.params.get(path), second.params.get(path))
        for path in paths
        if not path.startswith("hardware.") and first.params.get(path) != second.params.get(path)
    }


def _facts(
    dates_N: NDArray[np.datetime64], y_N: NDArray[Any], other_dates_N: NDArray[np.datetime64], other_y_N: NDArray[Any]
) -> Iterator[str]:
    """Yield the differences of the days and of the labels themselves."""
    if not np.array_equal(dates_N, other_dates_N):
        yield f"other days: {_span(dates_N)} against {_span(other_dates_N)}"
    if np.array_equal(dates_N, other_dates_N):
        days, labels, other_labels = dates_N, y_N, other_y_N
    else:
        days, here, there = np.intersect1d(dates_N, other_dates_N, return_indices=True)
        labels, other_labels = y_N[here], other_y_N[there]
    unlike_N = days[labels != other_labels]
    if unlike_N.size:
        shown = ", ".join(str(day) for day in unlike_N[:_SHOWN])
        yield f"other labels on {unlike_N.size} of {days.size} shared days, the first ones {shown}"


def _span(dates_N: NDArray[np.datetime64]) -> str:
    return f"{dates_N.size} from {dates_N[0]} to {dates_N[-1]}"


def _causes(first: Experiment, second: Experiment, first_days: tuple[str, str] | None) -> list[str]:
    causes = [
        f"other {path}: {_word(one)} against {_word(other)}"
        for path, (one, other) in differing(first, second).items()
        if any(path == cause or (cause.endswith(".") and path.startswith(cause)) for cause in _CAUSES)
    ]
    if first_days is not None:
        way_out = f": {_COMMON}" if _moved_by_tier(first, second) else ""
        causes.append(f"first day {first_days[0]} against {first_days[1]}{way_out}")
    return causes


def _first_days(first: Experiment, second: Experiment, horizon: int) -> tuple[str, str] | None:
    """Return the first training days of both where they differ: they move every cut that is a fraction of the days."""
    one, other = first.trained_on.get(horizon), second.trained_on.get(horizon)
    if one is None or other is None or one.first_day is None or other.first_day is None:
        return None
    return None if one.first_day == other.first_day else (one.first_day, other.first_day)


def _moved_by_tier(first: Experiment, second: Experiment) -> bool:
    """Check whether the difference of the first days follows from the tiers' own warm-ups, which `data.first_day` of a
    series study can remove."""
    if any("data.panel" in one.params for one in (first, second)):
        return False
    tiers = {one.params.get("data.tier") for one in (first, second)}
    starts = {one.params.get("data.first_day") for one in (first, second)}
    return len(tiers) > 1 and None in starts


def _word(value: Any) -> str:
    return "null" if value is None else str(value)
