"""Adoption of an earlier search's trials: a search whose space contains the earlier one's takes its trials as its own
first ones, by number.

Only a search that has no trial yet adopts, and what it adopts is written down before its first trial: from then on the
search is a function of its plan, its lag and that file. Where another search over the very same space is known, this
one draws what that one drew, and needs to adopt only what that one had adopted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tsladder.artifacts.adoption import ADOPTED, Adoption, read_adoption, write_adoption
from tsladder.artifacts.plans import SearchPlan, SearchTask
from tsladder.artifacts.search_question import QUESTION, searched_task
from tsladder.artifacts.store import if_there
from tsladder.artifacts.trials import TrialRecord
from tsladder.params import SpaceParams
from tsladder.planning.identity import training_identity
from tsladder.search.configuration import Draw, Value, identity
from tsladder.search.schedule import Schedule
from tsladder.search.space import IS_ZERO, SearchSpace
from tsladder.search.streams import trial_seed
from tsladder.search.takeover import ended_under, final_trials
from tsladder.vocabulary import Cell, Phase


@dataclass(frozen=True, kw_only=True, slots=True)
class Adopter:
    """Search that may adopt trials: its `task`, its `space`, the digest that all identities of its cell share (`base`)
    and the training seed of each trial number."""

    task: SearchTask
    space: SearchSpace
    schedule: Schedule
    base: str
    seeds: Sequence[int]

    @classmethod
    def of(cls, plan: SearchPlan, cell: Cell, *, space: SearchSpace, schedule: Schedule, base: str) -> Adopter:
        """Build the adopter for the search of `cell` that `plan` asks for."""
        stream_numbers = [schedule.stream_number(number) for number in range(schedule.trials_total)]
        seeds = [trial_seed(plan.question.seed, cell, Phase.SEARCH, stream_number) for stream_number in stream_numbers]
        return cls(task=plan.search, space=space, schedule=schedule, base=base, seeds=seeds)


def adoption_in(folder: Path) -> Adoption | None:
    """Read what the search in `folder` adopted; None: nothing. Raises WorkFailed for a damaged file."""
    return if_there(read_adoption)(folder / ADOPTED)


def adopt(folder: Path, others: Sequence[Path], adopter: Adopter) -> Adoption | None:
    """Choose the trials that the search in `folder` begins with, from the live records `others`, and write them down
    there."""
    chosen = choose(folder, others, adopter)
    if chosen is not None:
        write_adoption(folder / ADOPTED, chosen)
    return chosen


def choose(folder: Path, others: Sequence[Path], adopter: Adopter) -> Adoption | None:
    """Choose the trials that the search in `folder` would begin with: the most that one of `others` offers. None: no
    trials."""
    same, narrower = [], []
    for other in others:
        earlier = None if other == folder else searched_task(other / QUESTION)
        # Another strategy or objective would train other first trials.
        if earlier is None or (earlier.strategy, earlier.objective) != (adopter.task.strategy, adopter.task.objective):
            continue
        trials = [record for record in final_trials(other) if ended_under(record, None) is not None]
        if earlier.space == adopter.task.space:
            same.append((sum(position(record, adopter) is not None for record in trials), other))
        elif draws := _contained(trials, earlier.space, adopter):
            narrower.append((len(draws), Adoption(folder=other.name, draws=draws)))
    most, known = max(same, key=lambda item: item[0], default=(0, folder))
    if most > 0:
        return adoption_in(known)
    return max(narrower, key=lambda item: item[0], default=(0, None))[1]


def position(record: TrialRecord, adopter: Adopter) -> int | None:
    """Return the number that this search would give to the very same training; None: it has no such training."""
    if not record.identity:
        return None
    seed = record.params["seed"]
    configuration = identity(record.params)
    same = seed in adopter.seeds and training_identity(adopter.base, configuration, seed) == record.identity
    return adopter.seeds.index(seed) if same else None


def _contained(trials: Sequence[TrialRecord], space: SpaceParams, adopter: Adopter) -> dict[int, dict[str, Value]]:
    """Return the draws of those `trials` that this search would make as well; none where it may not draw all that
    `space` could."""
    earlier = replace(adopter.space, settings=space)
    narrow, wide = ({draw.name: draw for draw in drawn} for drawn in (earlier.draws, adopter.space.draws))
    new = wide.keys() - narrow.keys()
    # A setting that could not be zero before was not zero: the value of the new draw that decides this is known.
    if narrow.keys() - wide.keys() or any(not name.endswith(IS_ZERO) for name in new):
        return {}
    if not all(_contains(wide[name], draw) for name, draw in narrow.items()):
        return {}
    found: dict[int, dict[str, Value]] = {}
    for record in trials:
        number, draws = position(record, adopter), {**record.draws, **dict.fromkeys(new, 0)}
        if number is not None and (
            training_identity(adopter.base, _decoded(draws, number, adopter), adopter.seeds[number]) == record.identity
        ):
            found[number] = draws
    return found


def _decoded(draws: Mapping[str, Value], number: int, adopter: Adopter) -> Mapping[str, Value]:
    """Return the configuration that this search would decode from `draws` for trial `number`."""
    space, forced = adopter.space, adopter.schedule.forced
    found = space.decode_forced(draws, forced[number]) if number < len(forced) else space.decode(draws)
    return found.to_record()


def _contains(wide: Draw, narrow: Draw) -> bool:
    """Check whether `wide` can take every value that `narrow` can."""
    values = narrow.choices or (narrow.low, narrow.high)
    if wide.choices:
        return bool(narrow.choices) and set(values) <= set(wide.choices)
    return wide.low <= min(values) and max(values) <= wide.high
