"""A search whose space contains an earlier one's goes on from its trials: they become its own first ones, by number.

Only a search that has no trial yet adopts, and what it adopts is written down before its first: from then on it is a
function of its plan, its lag and that file. Where a search over the very same space is known, this one
draws what that one drew, and nothing needs to be adopted but what that one had adopted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tsladder.artifacts.store import read_json, write_json
from tsladder.artifacts.trials import TrialRecord
from tsladder.errors import WorkFailed
from tsladder.planning.identity import training_identity
from tsladder.planning.plans import Plan
from tsladder.search.configuration import IDENTITY, Draw, Value
from tsladder.search.layout import ADOPTED, PLAN
from tsladder.search.schedule import Schedule
from tsladder.search.space import IS_ZERO, SearchSpace, space_params
from tsladder.search.streams import trial_seed
from tsladder.search.takeover import ended_under, final_trials
from tsladder.vocabulary import Cell, Phase

_SAME = ("strategy", "objective")
"""What an earlier search must share with this one for its trials to be this one's first."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Adoption:
    """The draws of the first trials by number, and the live record whose search made them."""

    folder: str
    draws: Mapping[int, Mapping[str, Value]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Adopter:
    """The search that may adopt: its `question`, its `space`, what all identities of its cell have in common (`base`)
    and the seed of its trial of each number."""

    question: Mapping[str, Any]
    space: SearchSpace
    schedule: Schedule
    base: str
    seeds: Sequence[int]

    @classmethod
    def of(cls, plan: Plan, cell: Cell, *, space: SearchSpace, schedule: Schedule, base: str) -> Adopter:
        """The search of `cell` that `plan` asks for."""
        places = [schedule.place(number) for number in range(schedule.trials_total)]
        seeds = [trial_seed(plan["seed"], cell, Phase.SEARCH, place) for place in places]
        return cls(question=plan, space=space, schedule=schedule, base=base, seeds=seeds)


def read_adoption(folder: Path) -> Adoption | None:
    """What the search in `folder` adopted; None: nothing. Raises WorkFailed for a damaged file."""
    path = folder / ADOPTED
    if not path.exists():
        return None
    record = read_json(path)
    return Adoption(folder=record["folder"], draws={int(number): draws for number, draws in record["draws"].items()})


def adopt(folder: Path, others: Sequence[Path], adopter: Adopter) -> Adoption | None:
    """Choose among the live records `others`, and write down in `folder`, what its search begins with."""
    chosen = choose(folder, others, adopter)
    if chosen is not None:
        by_number = {str(number): dict(draws) for number, draws in chosen.draws.items()}
        write_json(folder / ADOPTED, {"folder": chosen.folder, "draws": by_number})
    return chosen


def choose(folder: Path, others: Sequence[Path], adopter: Adopter) -> Adoption | None:
    """What the search in `folder` would begin with: the most trials of one of `others`. None: with none."""
    same, narrower = [], []
    for other in others:
        question = None if other == folder else question_of(other)
        if question is None or any(question.get(name) != adopter.question["search"][name] for name in _SAME):
            continue
        trials = [record for record in final_trials(other) if ended_under(record, None) is not None]
        if question["space"] == adopter.question["search"]["space"]:
            same.append((sum(position(record, adopter) is not None for record in trials), other))
        elif draws := _contained(trials, question["space"], adopter):
            narrower.append((len(draws), Adoption(folder=other.name, draws=draws)))
    most, known = max(same, key=lambda item: item[0], default=(0, folder))
    if most > 0:
        return read_adoption(known)
    return max(narrower, key=lambda item: item[0], default=(0, None))[1]


def question_of(folder: Path) -> Mapping[str, Any] | None:
    """What the search of `folder` may draw and how; None where its record says nothing that can be read."""
    try:
        search = read_json(folder / PLAN).get("search")
    except (WorkFailed, OSError):
        return None
    return search if isinstance(search, Mapping) and "space" in search else None


def position(record: TrialRecord, adopter: Adopter) -> int | None:
    """Which number this search would give to the very same training; None: it makes no such one."""
    if not record.identity:
        return None
    seed = record.params["seed"]
    configuration = {name: record.params[name] for name in IDENTITY}
    same = seed in adopter.seeds and training_identity(adopter.base, configuration, seed) == record.identity
    return adopter.seeds.index(seed) if same else None


def _contained(
    trials: Sequence[TrialRecord], space: Mapping[str, Any], adopter: Adopter
) -> dict[int, dict[str, Value]]:
    """The draws of `trials`, as far as they are this search's; none where it may not draw all that `space` could."""
    try:
        earlier = replace(adopter.space, settings=space_params(space))
    except (TypeError, KeyError):
        return {}
    narrow, wide = ({draw.name: draw for draw in drawn} for drawn in (earlier.draws, adopter.space.draws))
    new = wide.keys() - narrow.keys()
    # A setting that could not be zero was none: the draw that decides it is new, and known.
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
    """The configuration that this search would make of them."""
    space, forced = adopter.space, adopter.schedule.forced
    found = space.decode_forced(draws, forced[number]) if number < len(forced) else space.decode(draws)
    return found.to_record()


def _contains(wide: Draw, narrow: Draw) -> bool:
    """Can `wide` be drawn wherever `narrow` can?"""
    values = narrow.choices or (narrow.low, narrow.high)
    if wide.choices:
        return bool(narrow.choices) and set(values) <= set(wide.choices)
    return wide.low <= min(values) and max(values) <= wide.high
