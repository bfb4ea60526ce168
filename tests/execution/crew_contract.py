"""What every crew promises: a suite that any implementation of the port `Crew` is run through.

A test module makes a class of `CrewContract` with a fixture `crews` that gives the implementation's `Crews`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from tests.building import job, settings, windows

from tsladder.data.windows import FoldWindows
from tsladder.execution.crew import Crew, Crews, Ended, Event, JobOrder, Progress, Retried
from tsladder.planning.machine import Machine
from tsladder.planning.memory import smaller_plan
from tsladder.training.outcome import Job
from tsladder.vocabulary import StopReason

FOLD = FoldWindows(train=windows(100, seed=1), validation=windows(60, seed=2))
EPOCHS = 4
SHORT = job(settings=settings(epochs=EPOCHS))
LONG = job(settings=settings(epochs=50_000))
SOON = 60.0
"""Seconds within which a busy machine does what is waited for."""


@contextmanager
def crew_of(crews: Crews, workers: int = 2, *, memory_gib: float = 8.0) -> Iterator[Crew]:
    machine = Machine(cores=2, memory_gib=memory_gib, device="cpu")
    crew = crews(machine)
    assert crew.hold([FOLD]) == 0
    assert len(crew.free(workers)) == workers
    yield crew
    crew.end_now()


def start(crew: Crew, number: int, what: Job = SHORT, attempt: int = 1, *, workers: int = 2, samples: int = 0) -> None:
    order = JobOrder(number=number, job=what, attempt=attempt, samples=samples)
    crew.start(order, crew.free(workers)[0])


def heard_until(crew: Crew, last: Callable[[list[Event]], bool]) -> list[Event]:
    heard: list[Event] = []
    deadline = time.monotonic() + SOON
    while not last(heard):
        assert time.monotonic() < deadline, f"within {SOON:.0f} s nothing was heard but {heard[-3:]}"
        heard.extend(crew.events(timeout=0.2))
    return heard


def all_ended(crew: Crew) -> list[Event]:
    return heard_until(crew, lambda _heard: not crew.running)


def any_epoch(heard: list[Event]) -> bool:
    return any(isinstance(event, Progress) for event in heard)


class CrewContract:
    def test_a_job_reports_its_epochs_in_order_and_ends_once_with_the_same_curve(self, crews: Crews) -> None:
        with crew_of(crews) as crew:
            start(crew, 3)
            *epochs, end = all_ended(crew)
        assert isinstance(end, Ended)
        assert end.outcome.stop_reason is StopReason.COMPLETED
        told = [event.record for event in epochs if isinstance(event, Progress)]
        assert [record.epoch for record in told] == list(range(1, EPOCHS + 1))
        assert tuple((record.steps, record.val_loss) for record in told) == end.outcome.curve
        assert tuple(record.train_loss for record in told) == end.outcome.train_losses

    def test_every_job_ends_once_and_its_events_name_it_and_its_attempt(self, crews: Crews) -> None:
        with crew_of(crews) as crew:
            start(crew, 0, attempt=1)
            start(crew, 7, attempt=4)
            heard = all_ended(crew)
        assert {(event.number, event.attempt) for event in heard} == {(0, 1), (7, 4)}
        assert sorted(event.number for event in heard if isinstance(event, Ended)) == [0, 7]
        for number in (0, 7):
            *_, last = (event for event in heard if event.number == number)
            assert isinstance(last, Ended)

    def test_a_slot_is_free_until_a_job_starts_in_it_and_again_when_that_has_ended(self, crews: Crews) -> None:
        with crew_of(crews, workers=2) as crew:
            first, second = crew.free(2)
            assert (first.memory_gib, first.threads, first.machine.device) == (4.0, 1, "cpu")
            crew.start(JobOrder(number=0, job=SHORT), first)
            assert list(crew.free(2)) == [second]
            assert crew.running == (0,)
            crew.start(JobOrder(number=1, job=SHORT), second)
            assert not crew.free(2)
            assert set(crew.running) == {0, 1} == set(crew.vital_signs())
            all_ended(crew)
            assert len(crew.free(2)) == 2
            assert crew.vital_signs() == {}

    def test_a_number_can_be_started_again_once_it_has_ended_and_not_before(self, crews: Crews) -> None:
        with crew_of(crews) as crew:
            start(crew, 0)
            with pytest.raises(ValueError, match="running"):
                start(crew, 0, attempt=2)
            all_ended(crew)
            start(crew, 0, attempt=2)
            assert {event.attempt for event in all_ended(crew)} == {2}

    def test_no_job_starts_in_a_slot_that_is_taken(self, crews: Crews) -> None:
        with crew_of(crews, workers=1) as crew:
            (slot,) = crew.free(1)
            crew.start(JobOrder(number=0, job=LONG), slot)
            with pytest.raises(ValueError, match="free"):
                crew.start(JobOrder(number=1, job=LONG), slot)

    def test_jobs_of_different_sizes_share_a_place_without_exceeding_it(self, crews: Crews) -> None:
        with crew_of(crews, workers=4) as crew:
            start(crew, 0, LONG, workers=4)
            assert [len(crew.free(workers)) for workers in (1, 2, 4)] == [0, 1, 3]
            start(crew, 1, LONG, workers=2)
            assert [len(crew.free(workers)) for workers in (1, 2, 4)] == [0, 0, 1]

    def test_a_job_trains_on_the_samples_that_its_order_names(self, crews: Crews) -> None:
        with crew_of(crews) as crew:
            longer = crew.hold([FOLD, FOLD])
            start(crew, 0)
            start(crew, 1, samples=longer)
            ends = {event.number: event for event in all_ended(crew) if isinstance(event, Ended)}
            crew.release(longer)
            start(crew, 2)
            all_ended(crew)
        assert {number: len(end.outcome.folds) for number, end in ends.items()} == {0: 0, 1: 2}

    def test_samples_of_a_running_job_are_not_released(self, crews: Crews) -> None:
        with crew_of(crews) as crew:
            start(crew, 0, LONG)
            with pytest.raises(ValueError, match="samples 0"):
                crew.release(0)

    def test_without_a_job_there_is_nothing_to_hear(self, crews: Crews) -> None:
        with crew_of(crews) as crew:
            began = time.monotonic()
            assert list(crew.events(timeout=0.01)) == []
            assert time.monotonic() - began < SOON
            crew.pause_all()
            crew.resume_all()
            crew.stop_all()
            assert list(crew.events(timeout=0.01)) == []

    def test_a_job_too_large_for_its_slot_is_retried_smaller_and_then_ends_out_of_memory(self, crews: Crews) -> None:
        with crew_of(crews, workers=1, memory_gib=0.02) as crew:
            start(crew, 5, LONG, workers=1)
            *before, end = all_ended(crew)
        plans = [LONG.plan, *(event.plan for event in before if isinstance(event, Retried))]
        assert plans[1:] == [smaller_plan(plan) for plan in plans[:-1] if plan is not None]
        assert plans[-1] is not None
        assert smaller_plan(plans[-1]) is None
        assert isinstance(end, Ended)
        assert end.outcome.stop_reason is StopReason.OUT_OF_MEMORY
        assert (end.outcome.best_val_loss, end.outcome.retries) == (None, len(plans) - 1)

    def test_a_paused_worker_is_silent_and_continues(self, crews: Crews) -> None:
        with crew_of(crews) as crew:
            start(crew, 0, LONG)
            heard_until(crew, any_epoch)
            crew.pause_all()
            quiet = time.monotonic() + 0.5
            while time.monotonic() < quiet:  # what was said before
                list(crew.events(timeout=0.1))
            assert list(crew.events(timeout=0.3)) == []
            assert crew.running == (0,)
            crew.resume_all()
            heard_until(crew, any_epoch)

    def test_what_is_asked_to_stop_ends_as_interrupted(self, crews: Crews) -> None:
        with crew_of(crews) as crew:
            start(crew, 0, LONG)
            start(crew, 1, LONG)
            heard_until(crew, any_epoch)
            crew.stop_all()
            ends = [event for event in all_ended(crew) if isinstance(event, Ended)]
        assert sorted(end.number for end in ends) == [0, 1]
        assert {end.outcome.stop_reason for end in ends} == {StopReason.INTERRUPTED}

    def test_nothing_runs_or_can_be_started_after_the_end(self, crews: Crews) -> None:
        with crew_of(crews) as crew:
            start(crew, 0, LONG)
            crew.pause_all()
            crew.end_now()
            assert (crew.running, crew.vital_signs()) == ((), {})
            assert not crew.free(2)
            assert list(crew.events(timeout=0.01)) == []
            crew.end_now()
