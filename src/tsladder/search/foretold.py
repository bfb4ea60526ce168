"""How many trials a search would take over, told without drawing or training.

Forced configurations and the draws at random hang on seeds alone. What the sampler has learned is drawn again alike
where an earlier search over the same space, with as many workers, was told the same of the trials before. So far the
count is certain; where it is not known what would be drawn, the rest is left open.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tsladder.params import PruningParams
from tsladder.search.adoption import Adopter, choose, position, question_of, read_adoption
from tsladder.search.decisions import Drawn, Finished
from tsladder.search.takeover import ended_under, final_trials
from tsladder.search.trials import TrialRecord, TrialState
from tsladder.training.pruning import build_bar


@dataclass(frozen=True, slots=True)
class TakenOver:
    """`trials` at least; `exact`: no more than these."""

    trials: int
    exact: bool


def foretell(
    folder: Path, others: Sequence[Path], adopter: Adopter, *, pruning: PruningParams | None, workers: int | None
) -> TakenOver:
    """Of the search in `folder`, which may not have begun, the trials that ended in the live records `others`.

    `workers`: side by side; None: not known.
    """
    done = {record.number for record in final_trials(folder)}
    adopted = read_adoption(folder) or (None if done else choose(folder, others, adopter))
    draws = {} if adopted is None else dict(adopted.draws)
    found = [
        _of_one(
            _Known(records, _learns_alike(other, adopter, draws), frozenset(draws)), adopter, pruning, workers, done
        )
        for other in others
        if other != folder and (records := _by_number(other, adopter))
    ]
    most = max((one.trials for one in found), default=0)
    return TakenOver(most, all(one.exact for one in found if one.trials == most))


@dataclass(frozen=True, slots=True)
class _Known:
    """Trials of an earlier search by their number in this one. `alike`: the sampler draws alike after the same results;
    trials in `fixed` take their draws from there whatever was told."""

    records: Mapping[int, TrialRecord]
    alike: bool
    fixed: frozenset[int]


def _of_one(
    known: _Known, adopter: Adopter, pruning: PruningParams | None, workers: int | None, done: set[int]
) -> TakenOver:
    """What comes from one earlier search: this one played through for as long as it is known what it draws."""
    schedule, count = adopter.schedule, 0
    ended: dict[int, TrialRecord] = {}
    for number in range(min(schedule.trials_total, max(known.records) + 1)):
        before = range(number - (workers or 1) + 1)
        seen = [] if number < len(schedule.forced) else [ended[n] for n in before if n in ended]
        whole = workers is not None and len(seen) == len(before)
        decision = schedule.decide(number, seen)
        if isinstance(decision, Finished):
            return TakenOver(count, whole)
        record = known.records.get(number)
        learned = isinstance(decision, Drawn) and decision.learns and number not in known.fixed
        if learned and not (known.alike and record is not None and record.workers == workers):
            return TakenOver(count, exact=False)
        if learned and any(n not in ended or not _equal(ended[n], known.records[n]) for n in before):
            return TakenOver(count, exact=False)
        if isinstance(decision, Drawn) and not whole and (pruning is not None or schedule.stop is not None):
            return TakenOver(count, exact=False)
        complete = [earlier.curve for earlier in seen if earlier.state is TrialState.COMPLETE]
        bar = None if pruning is None else build_bar(pruning, complete)
        found = None if record is None else ended_under(record, bar)
        if found is not None:
            ended[number] = found
            count += number not in done
    return TakenOver(count, exact=True)


def _equal(one: TrialRecord, other: TrialRecord) -> bool:
    return (one.state, one.curve) == (other.state, other.curve)


def _learns_alike(folder: Path, adopter: Adopter, draws: Mapping[int, Any]) -> bool:
    """Would the sampler draw what it drew in `folder`? `draws`: those that this search adopts."""
    question, asked, own = question_of(folder), adopter.question["search"], read_adoption(folder)
    began = {} if own is None else dict(own.draws)
    names = ("strategy", "objective", "space")
    return question is not None and began == draws and all(question.get(name) == asked[name] for name in names)


def _by_number(folder: Path, adopter: Adopter) -> dict[int, TrialRecord]:
    """The trials of `folder` that are trainings of this search, those included that ended in vain."""
    numbered = ((position(record, adopter), record) for record in final_trials(folder) if record.identity)
    return {number: record for number, record in numbered if number is not None}
