"""Many cells in one pool: who is served when, and what becomes of each when a place, a cell or the user ends."""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from tests.building import job
from tests.execution.instant import outcome_of
from tests.execution.thermal import Clock, Lines, Script

from tsladder.artifacts.heat import TemperatureReading
from tsladder.artifacts.outcome import TrainingOutcome
from tsladder.data.samples import Fold
from tsladder.errors import WorkFailed
from tsladder.execution.crew import Ended, Event, JobOrder, Lost, Message, Progress, Retried, Slot
from tsladder.execution.heartbeat import Heartbeat, VitalSigns
from tsladder.execution.job_loop import LOSSES_IN_COMPANY, MOST_LOSSES, run_pool
from tsladder.execution.job_source import Steps
from tsladder.execution.thermal_guard import ThermalWatch
from tsladder.interruption import Interrupted
from tsladder.planning.machine import Machine
from tsladder.vocabulary import StopReason

CORES = 4
MACHINE = Machine(cores=CORES, memory_gib=8.0, device="cpu")


class TickingCrew:
    """Crew of `places`, whose jobs end `ticks` calls of `events` after their start. `on_tick` is called at each."""

    def __init__(
        self, places: Sequence[str] = ("here",), ticks: int = 2, on_tick: Callable[[TickingCrew], None] | None = None
    ) -> None:
        self.places = list(places)
        self.started: list[tuple[int, str]] = []
        self.attempts: list[int] = []
        self.queued: list[Event] = []
        self.over = False
        self.clock = Clock()
        self.time = 0
        self._ticks = ticks
        self._on_tick = on_tick
        self._held: set[int] = set()
        self._holds = 0
        self.jobs: dict[int, tuple[JobOrder, Slot, int]] = {}
        self.stopping = False

    @property
    def running(self) -> tuple[int, ...]:
        return tuple(self.jobs)

    def hold(self, folds: Sequence[Fold]) -> int:
        self._held.add(self._holds)
        self._holds += 1
        return self._holds - 1

    def release(self, samples: int) -> None:
        if not self.over:
            self._held.remove(samples)
        assert not any(order.samples == samples for order, _, _ in self.jobs.values())

    def free(self, workers: int) -> Sequence[Slot]:
        slots: list[Slot] = []
        for place in () if self.over else self.places:
            used = sum(Fraction(1, slot.workers) for _, slot, _ in self.jobs.values() if slot.place == place)
            slots += [Slot(place=place, machine=MACHINE, workers=workers)] * int((1 - used) * workers)
        return slots

    def start(self, order: JobOrder, slot: Slot) -> None:
        assert order.samples in self._held
        assert slot in self.free(slot.workers)
        assert order.number not in self.jobs
        self.started.append((order.number, slot.place))
        self.attempts.append(order.attempt)
        self.jobs[order.number] = order, slot, self.time

    def lose(self, place: str) -> None:
        """Take a place away, with its jobs."""
        self.places.remove(place)
        for number, (order, slot, _) in list(self.jobs.items()):
            if slot.place == place:
                del self.jobs[number]
                self.queued.append(Lost(number, f"{place} is gone", order.attempt))

    def events(self, timeout: float | None = None) -> Iterator[Event]:
        self.clock.advance(10.0)
        self.time += 1
        if self._on_tick is not None:
            self._on_tick(self)
        while self.queued:
            yield self.queued.pop(0)
        for number, (order, _, since) in list(self.jobs.items()):
            if self.stopping or self.time - since >= self._ticks:
                del self.jobs[number]
                reason = StopReason.INTERRUPTED if self.stopping else StopReason.COMPLETED
                yield Ended(number, ended(reason), order.attempt)

    def vital_signs(self) -> dict[int, VitalSigns]:
        return {}

    def stop_all(self) -> None:
        self.stopping = True

    def pause_all(self) -> None: ...

    def resume_all(self) -> None: ...

    def end_now(self) -> None:
        self.jobs.clear()
        self.over = True


def ended(reason: StopReason) -> TrainingOutcome:
    outcome = outcome_of(job())
    return TrainingOutcome(**{**vars_of(outcome), "stop_reason": reason})


def vars_of(outcome: TrainingOutcome) -> dict[str, Any]:
    return {name: getattr(outcome, name) for name in outcome.__dataclass_fields__}


@dataclass
class Source:
    """Numbered jobs 0 to `count` - 1 of one cell, of which `workers` share a place."""

    folder: Path
    count: int
    workers: int = CORES
    each: float = 1.0
    on_first_end: Callable[[], None] | None = None
    folds: Sequence[Fold] = ()
    models_per_job: int = 1
    outcomes: dict[int, TrainingOutcome] = field(default_factory=dict)
    messages: list[str] = field(default_factory=list)
    stops: int = 0

    def __post_init__(self) -> None:
        self.heartbeat = Heartbeat(self.folder, phase="search", total=self.count, done=lambda: len(self.outcomes))
        self._waiting = list(range(self.count))

    @property
    def work_left(self) -> float:
        return self.each * len(self._waiting)

    @property
    def is_ready(self) -> bool:
        return bool(self._waiting)

    def next_job(self, slot: Slot) -> JobOrder | None:
        return JobOrder(number=self._waiting.pop(0), job=job()) if self._waiting else None

    def again(self, number: int, slot: Slot) -> JobOrder:
        return JobOrder(number=number, job=job())

    def on_epoch(self, event: Progress) -> None: ...

    def on_retry(self, event: Retried) -> None: ...

    def on_message(self, event: Message) -> None:
        self.messages.append(event.text)

    def on_end(self, event: Ended) -> None:
        assert event.number not in self.outcomes
        self.outcomes[event.number] = event.outcome
        if self.on_first_end is not None and len(self.outcomes) == 1:
            self.on_first_end()

    def on_stop(self) -> None:
        self.stops += 1


class Cells:
    """Cells of one or more sources each; what each was told, in which order they began and how they ended."""

    def __init__(self, tmp_path: Path) -> None:
        self._folder = tmp_path
        self.began: list[str] = []
        self.readings: dict[str, list[TemperatureReading | None]] = {}
        self.raised: dict[str, BaseException] = {}

    def cell(self, name: str, *sources: Source) -> Callable[[], Steps[str]]:
        def steps() -> Steps[str]:
            self.began.append(name)
            told = self.readings.setdefault(name, [])
            try:
                for source in sources:
                    told.append((yield source))
                    if len(source.outcomes) < source.count and told[-1] is None:
                        raise Interrupted(f"{name} was stopped")
            except BaseException as error:
                self.raised[name] = error
                raise
            return name

        return steps

    def source(self, count: int, **given: Any) -> Source:
        folder = self._folder / f"source-{random.random()}"
        folder.mkdir()
        return Source(folder, count, **given)


def source_of(number: int) -> int:
    """Which of the sources, in the order in which they began, a job of the crew belongs to."""
    return number // 1_000_000


def stagger(crew: TickingCrew) -> None:
    """Let the first jobs end one after the other, as if they had not begun together."""
    if crew.time == 1:
        for shift, number in enumerate(list(crew.jobs)):
            order, slot, _ = crew.jobs[number]
            crew.jobs[number] = order, slot, -shift


@pytest.fixture
def cells(tmp_path: Path) -> Cells:
    return Cells(tmp_path)


def pool(members: Sequence[Callable[[], Steps[Any]]], crew: TickingCrew, *celsius: float) -> list[Exception | None]:
    watch = ThermalWatch(Script(*(celsius or (50.0,))), Lines(), clock=crew.clock)
    return run_pool(members, lambda: crew, watch=watch, pause_requested=lambda: False)


def test_all_jobs_of_all_cells_end_once_under_their_own_numbers(cells: Cells) -> None:
    sources = [cells.source(count) for count in (3, 7, 1, 5)]
    errors = pool([cells.cell(f"c{n}", one) for n, one in enumerate(sources)], crew := TickingCrew())
    assert errors == [None] * 4
    assert [sorted(one.outcomes) for one in sources] == [list(range(one.count)) for one in sources]
    assert len(crew.started) == 16
    assert crew.over


def test_no_slot_is_idle_while_any_cell_has_a_job(cells: Cells) -> None:
    """Ten cells of three jobs each, one tick a job: thirty jobs in four slots take eight ticks."""
    members = [cells.cell(f"c{n}", cells.source(3)) for n in range(10)]
    pool(members, crew := TickingCrew(ticks=1))
    assert crew.time == 8


def test_a_cell_goes_on_to_its_next_jobs_while_others_train(cells: Cells) -> None:
    search, seeds, other = cells.source(1), cells.source(2), cells.source(9)
    assert pool([cells.cell("a", search, seeds), cells.cell("b", other)], TickingCrew()) == [None, None]
    assert (len(search.outcomes), len(seeds.outcomes), len(other.outcomes)) == (1, 2, 9)


def test_a_later_cell_begins_only_when_there_is_room_while_more_are_left_than_slots(cells: Cells) -> None:
    seen: list[int] = []
    members = [cells.cell(f"c{n}", cells.source(CORES)) for n in range(CORES + 3)]
    pool(members, TickingCrew(ticks=3, on_tick=lambda crew: seen.append(len(cells.began))))
    assert seen[:4] == [1, 1, 1, 2]
    assert len(cells.began) == CORES + 3


def test_all_cells_are_begun_one_in_each_turn_when_no_more_are_left_than_slots(cells: Cells) -> None:
    seen: list[int] = []
    members = [cells.cell(f"c{n}", cells.source(CORES)) for n in range(CORES)]
    pool(members, TickingCrew(ticks=9, on_tick=lambda crew: seen.append(len(cells.began))))
    assert seen[:CORES] == [2, 3, 4, 4]


def test_the_cell_with_the_most_work_left_is_served_first(cells: Cells) -> None:
    small, large = cells.source(6), cells.source(9, each=10.0)
    crew = TickingCrew(ticks=1)
    pool([cells.cell("small", cells.source(1), small), cells.cell("large", large)], crew)
    # The large one begins in the three slots that the first job leaves; then it is served before the small one.
    assert [len(small.outcomes), len(large.outcomes)] == [6, 9]
    assert [source_of(number) for number, _ in crew.started] == [0, *[1] * 9, *[2] * 6]


def test_a_job_that_needs_a_whole_place_is_not_kept_waiting_by_a_stream_of_smaller_ones(cells: Cells) -> None:
    """Small jobs end one at a time, so that a place is never empty unless it is kept free."""
    small, large = cells.source(40), cells.source(2, workers=1, each=100.0)
    crew = TickingCrew(ticks=6, on_tick=stagger)
    pool([cells.cell("large", cells.source(1), large), cells.cell("small", small)], crew)
    order = [source_of(number) for number, _ in crew.started]
    assert order.index(2) < 10
    assert (len(small.outcomes), len(large.outcomes)) == (40, 2)


def test_a_job_whose_place_is_lost_runs_again_elsewhere_as_another_attempt(cells: Cells) -> None:
    source = cells.source(8, workers=1)

    def lose(crew: TickingCrew) -> None:
        if crew.time == 2:
            crew.lose("left")

    crew = TickingCrew(places=["left", "right"], ticks=3, on_tick=lose)
    assert pool([cells.cell("a", source)], crew) == [None]
    assert {outcome.stop_reason for outcome in source.outcomes.values()} == {StopReason.COMPLETED}
    assert len(source.outcomes) == 8
    assert source.messages == ["left is gone; it is started again"]
    assert sorted(crew.attempts) == [1] * 8 + [2]


def test_late_events_of_a_lost_attempt_are_dropped(cells: Cells) -> None:
    source = cells.source(2, workers=1)

    def lose_and_answer_late(crew: TickingCrew) -> None:
        if crew.time == 1:
            crew.lose("left")
            crew.queued.append(Ended(0, ended(StopReason.ERROR), attempt=1))

    pool([cells.cell("a", source)], TickingCrew(places=["left", "right"], ticks=3, on_tick=lose_and_answer_late))
    assert {outcome.stop_reason for outcome in source.outcomes.values()} == {StopReason.COMPLETED}


def test_a_job_that_is_lost_again_and_again_ends_as_killed_and_the_others_go_on(cells: Cells) -> None:
    source = cells.source(4, workers=1)
    names = iter(range(1000))

    def poison(crew: TickingCrew) -> None:
        for number, (_, slot, _) in list(crew.jobs.items()):
            if number == 1:
                crew.lose(slot.place)
                crew.places.append(f"new-{next(names)}")

    assert pool([cells.cell("a", source)], TickingCrew(places=["one", "two"], ticks=2, on_tick=poison)) == [None]
    assert source.outcomes[1].stop_reason is StopReason.KILLED
    assert f"{MOST_LOSSES} times" in source.outcomes[1].message
    assert {source.outcomes[number].stop_reason for number in (0, 2, 3)} == {StopReason.COMPLETED}


@pytest.mark.parametrize("poisonous", [{1}, {0, 5}, {3, 4, 9}])
@pytest.mark.parametrize("places", [1, 3])
def test_jobs_beside_one_that_kills_every_place_are_not_called_guilty(
    poisonous: set[int], places: int, cells: Cells
) -> None:
    """Four jobs share a place, in two cells: each poisonous one ends all of its place soon after its start."""
    first, second = cells.source(10), cells.source(6, each=3.0)
    names = iter(range(1000))
    sizes: set[int] = set()
    company: dict[int, list[int]] = {number: [] for number in poisonous}

    def poison(crew: TickingCrew) -> None:
        for number, (_, slot, since) in list(crew.jobs.items()):
            sizes.add(slot.workers)
            if number in poisonous and number in crew.jobs and crew.time > since:
                here = [other for other, (_, taken, _) in crew.jobs.items() if taken.place == slot.place]
                company[number].append(len(here) - 1)
                crew.lose(slot.place)
                crew.places.append(f"new-{next(names)}")

    crew = TickingCrew(places=[f"place-{n}" for n in range(places)], ticks=3, on_tick=poison)
    assert pool([cells.cell("a", first), cells.cell("b", second)], crew) == [None, None]
    killed = {n for n, outcome in first.outcomes.items() if outcome.stop_reason is StopReason.KILLED}
    assert killed == poisonous
    assert {outcome.stop_reason for outcome in second.outcomes.values()} == {StopReason.COMPLETED}
    assert (len(first.outcomes), len(second.outcomes)) == (10, 6)
    assert sizes == {CORES}  # of the size that decides its numbers
    assert all(others[LOSSES_IN_COMPANY:] == [0] * len(others[LOSSES_IN_COMPANY:]) for others in company.values())


def test_a_job_that_is_to_run_alone_finds_a_place_among_a_stream_of_others(cells: Cells, tmp_path: Path) -> None:
    """Other jobs end one at a time, so that a place is never empty unless it is kept free, and the other cell has more
    work left from the second loss on."""

    class Urgent(Source):
        work_left = 1e9

    (tmp_path / "doubtful").mkdir()
    doubtful, stream = Urgent(tmp_path / "doubtful", 1), cells.source(60, each=100.0)
    losses: list[int] = []

    def lose_twice(crew: TickingCrew) -> None:
        for shift, number in enumerate(list(crew.jobs)):
            order, slot, since = crew.jobs[number]
            crew.jobs[number] = order, slot, since - (shift if since == crew.time - 1 else 0)
        if 0 in crew.jobs and len(losses) < 2:
            losses.append(len(crew.jobs) - 1)
            crew.lose(crew.places[0])
            crew.places.append(f"new-{crew.time}")
        if len(losses) == 2:
            Urgent.work_left = 0.0

    crew = TickingCrew(ticks=8, on_tick=lose_twice)
    assert pool([cells.cell("a", doubtful), cells.cell("b", stream)], crew) == [None, None]
    assert losses == [3, 3]
    order = [number for number, _ in crew.started]
    assert order.count(0) == 3
    assert len(order) - 1 - order[::-1].index(0) < 20
    assert doubtful.outcomes[0].stop_reason is StopReason.COMPLETED


def test_a_cell_that_fails_leaves_the_others_alone(cells: Cells) -> None:
    def broken() -> Steps[None]:
        raise WorkFailed("another process owns it")
        yield

    source = cells.source(5)
    errors = pool([broken, cells.cell("a", source)], TickingCrew())
    assert [str(error) for error in errors] == ["another process owns it", "None"]
    assert len(source.outcomes) == 5


def test_a_request_to_stop_ends_running_jobs_in_order_and_begins_nothing(cells: Cells) -> None:
    first = cells.source(9, on_first_end=lambda: os.kill(os.getpid(), signal.SIGINT))
    others = [cells.cell(f"c{n}", cells.source(5)) for n in range(CORES)]
    errors = pool([cells.cell("a", first), *others], TickingCrew(ticks=4, on_tick=stagger))
    assert all(isinstance(error, Interrupted) for error in errors)
    assert cells.began == ["a"]
    reasons = {outcome.stop_reason for outcome in first.outcomes.values()}
    assert reasons == {StopReason.COMPLETED, StopReason.INTERRUPTED}
    assert first.stops == 1


def test_a_cell_that_was_stopped_between_two_sources_is_interrupted_there(cells: Cells) -> None:
    search, seeds = cells.source(1, on_first_end=lambda: os.kill(os.getpid(), signal.SIGINT)), cells.source(2)
    (error,) = pool([cells.cell("a", search, seeds)], TickingCrew())
    assert isinstance(error, Interrupted)
    assert cells.raised["a"] is error
    assert seeds.outcomes == {}


def test_heat_ends_every_job_and_tells_every_cell_that_was_begun(cells: Cells) -> None:
    sources = [cells.source(2, workers=2, each=2.0), *(cells.source(2, workers=2) for _ in range(CORES))]
    members = [cells.cell(f"c{n}", one) for n, one in enumerate(sources)]
    errors = pool(members, TickingCrew(places=["here", "there"], ticks=50), 60.0, 60.0, 97.0)
    assert cells.began == ["c0", "c1"]
    for told in cells.readings.values():
        (reading,) = told
        assert reading is not None
        assert reading.celsius == 97.0
    assert [{o.stop_reason for o in one.outcomes.values()} for one in sources] == [
        *[{StopReason.THERMAL}] * 2,
        *[set()] * (CORES - 1),
    ]
    assert errors[:2] == [None, None]
    assert all(isinstance(error, Interrupted) for error in errors[2:])


def test_an_error_of_this_process_ends_all_jobs_and_reaches_every_cell(cells: Cells) -> None:
    def full() -> None:
        raise OSError("no space left on device")

    bad, good = cells.source(2, workers=2, on_first_end=full), cells.source(2, workers=2)
    crew = TickingCrew(places=["here", "there"])
    with pytest.raises(OSError, match="no space"):
        pool([cells.cell("bad", bad), cells.cell("good", good)], crew)
    assert crew.over
    assert {name: str(error) for name, error in cells.raised.items()} == dict.fromkeys(
        ("bad", "good"), "no space left on device"
    )


def test_a_second_request_to_stop_reaches_every_cell_as_itself(cells: Cells) -> None:
    def twice() -> None:
        for _ in range(2):
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        pool([cells.cell("a", cells.source(9, on_first_end=twice))], TickingCrew())
    assert isinstance(cells.raised["a"], KeyboardInterrupt)
