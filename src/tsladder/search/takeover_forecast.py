"""Forecast how many trials a search would take over from earlier ones, without drawing or training.

Forced configurations and random draws depend on seeds alone. What the sampler draws after learning is the same where an
earlier search over the same space, at the same lag, had the same earlier trials. That far the count is certain; where
it is not known what would be drawn, the rest is left open.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tsladder.artifacts.search_question import QUESTION, searched_task
from tsladder.artifacts.trials import TrialRecord, TrialState
from tsladder.params import PruningParams
from tsladder.search.adoption import Adopter, adoption_in, choose, position
from tsladder.search.decisions import Drawn, Finished
from tsladder.search.lag import recorded_lag
from tsladder.search.takeover import ended_under, final_trials
from tsladder.training.pruning import build_bar


@dataclass(frozen=True, slots=True)
class TakeoverForecast:
    """Number of trials taken over: at least `trials`, and no more than these where `exact`."""

    trials: int
    exact: bool


def forecast_takeover(
    folder: Path, others: Sequence[Path], adopter: Adopter, *, pruning: PruningParams | None, lag: int | None
) -> TakeoverForecast:
    """Count the trials of the search in `folder`, which may not have begun, that ended in the live records `others`.

    `lag`: the lag at which the search would begin; None: not known.
    """
    ended = final_trials(folder)
    done = {record.number for record in ended}
    lag = recorded_lag(folder, ended) or lag
    adopted = adoption_in(folder) or (None if done else choose(folder, others, adopter))
    draws = {} if adopted is None else dict(adopted.draws)
    known = [_known(other, adopter, draws) for other in others if other != folder]
    found = [_count_from_one(one, adopter, pruning, lag, done) for one in known if one.records]
    most = max((one.trials for one in found), default=0)
    return TakeoverForecast(most, all(one.exact for one in found if one.trials == most))


@dataclass(frozen=True, kw_only=True, slots=True)
class _Known:
    """Trials of an earlier search by their number in this one. Trials in `fixed` take their adopted draws in any case;
    others get the same draws where space and strategy are the same, and those drawn after learning only where the
    search also `learns_alike`."""

    records: Mapping[int, TrialRecord]
    same_space: bool
    same_strategy: bool
    learns_alike: bool
    fixed: frozenset[int]


def _known(folder: Path, adopter: Adopter, draws: Mapping[int, Any]) -> _Known:
    """Read the trials of the earlier search in `folder` by their number in this one; `draws`: those that this search
    adopts."""
    found, task, own = searched_task(folder / QUESTION), adopter.task, adoption_in(folder)
    same_space = found is not None and found.space == task.space
    same_strategy = found is not None and found.strategy == task.strategy
    same_objective = found is not None and found.objective == task.objective
    numbered = ((position(record, adopter), record) for record in final_trials(folder) if record.identity)
    return _Known(
        records={number: record for number, record in numbered if number is not None},
        same_space=same_space,
        same_strategy=same_strategy,
        learns_alike=same_space
        and same_strategy
        and same_objective
        and ({} if own is None else dict(own.draws)) == draws,
        fixed=frozenset(draws),
    )


def _count_from_one(
    known: _Known, adopter: Adopter, pruning: PruningParams | None, lag: int | None, done: set[int]
) -> TakeoverForecast:
    """Count what one earlier search provides, by playing this search through for as long as its draws are known."""
    schedule, count = adopter.schedule, 0
    ended: dict[int, TrialRecord] = {}
    for number in range(min(schedule.trials_total, max(known.records) + 1)):
        before = range(number - (lag or 1) + 1)
        seen = [] if number < len(schedule.forced) else [ended[n] for n in before if n in ended]
        whole = lag is not None and len(seen) == len(before)
        decision = schedule.decide(number, seen)
        if isinstance(decision, Finished):
            return TakeoverForecast(count, whole)
        record = known.records.get(number)
        drawn = number not in known.fixed
        if drawn and not (known.same_space and known.same_strategy):
            # Another space draws other configurations; another strategy may draw the same ones.
            return TakeoverForecast(count, exact=not known.same_space)
        learned = drawn and isinstance(decision, Drawn) and decision.learns
        if learned and not (known.learns_alike and record is not None and record.lag == lag):
            return TakeoverForecast(count, exact=False)
        if learned and any(n not in ended or not _equal(ended[n], known.records[n]) for n in before):
            return TakeoverForecast(count, exact=False)
        if isinstance(decision, Drawn) and not whole and (pruning is not None or schedule.stop is not None):
            return TakeoverForecast(count, exact=False)
        complete = [earlier.outcome.curve for earlier in seen if earlier.state is TrialState.COMPLETE]
        bar = None if pruning is None else build_bar(pruning, complete)
        found = None if record is None else ended_under(record, bar)
        if found is not None:
            ended[number] = found
            count += number not in done
    return TakeoverForecast(count, exact=True)


def _equal(one: TrialRecord, other: TrialRecord) -> bool:
    return (one.state, one.outcome.curve) == (other.state, other.outcome.curve)
