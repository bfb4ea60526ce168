"""A crew in virtual time: when its jobs end, and which slots are free meanwhile."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import pytest
from tests.building import job, spec
from tests.cells.simulated import outcome_of_seconds

from tsladder.artifacts.outcome import TrainingOutcome
from tsladder.execution.crew import Ended, JobOrder
from tsladder.execution.virtual_crew import VirtualCrew
from tsladder.planning.machine import Machine
from tsladder.training.outcome import Job
from tsladder.vocabulary import StopReason

MACHINE = Machine(cores=4, memory_gib=8.0, device="cpu")


def as_seed_says(what: Job) -> TrainingOutcome:
    """A job takes as many seconds as its random seed is large."""
    return outcome_of_seconds(what, float(what.seed))


def crew_of(*shares: int | Fraction) -> VirtualCrew:
    return VirtualCrew(MACHINE, [Fraction(share) for share in shares], as_seed_says)


def start(crew: VirtualCrew, number: int, *, seconds: int, workers: int = 1, samples: int = 0) -> None:
    order = JobOrder(number=number, job=job(seed=seconds, spec=spec()), samples=samples)
    crew.start(order, crew.free(workers)[0])


def ended(crew: VirtualCrew) -> Sequence[int]:
    return [event.number for event in crew.events() if isinstance(event, Ended)]


def test_jobs_end_in_the_order_of_their_ends_and_the_clock_stands_at_each() -> None:
    crew = crew_of(1, 1, 1)
    for number, seconds in enumerate((5, 2, 5)):
        start(crew, number, seconds=seconds)
    assert (ended(crew), crew.seconds) == ([1], 2.0)
    start(crew, 3, seconds=10)
    assert (ended(crew), crew.seconds) == ([0, 2], 5.0)
    assert (ended(crew), crew.seconds) == ([3], 12.0)
    assert crew.busy_seconds == 5.0 + 2.0 + 5.0 + 10.0


def test_a_place_has_as_many_slots_of_a_size_as_fit_the_share_that_no_job_uses() -> None:
    crew = crew_of(1, Fraction(1, 2))
    assert [len(crew.free(workers)) for workers in (1, 2, 4)] == [1, 3, 6]
    start(crew, 0, seconds=3, workers=4)
    assert [len(crew.free(workers)) for workers in (1, 2, 4)] == [0, 2, 5]
    assert ended(crew) == [0]
    assert [len(crew.free(workers)) for workers in (1, 2, 4)] == [1, 3, 6]
    assert crew.busy_seconds == pytest.approx(3.0 / 4.0)


def test_a_slot_is_a_share_of_the_machine() -> None:
    (slot, *_) = crew_of(1).free(2)
    assert (slot.memory_gib, slot.threads, slot.machine) == (4.0, 2, MACHINE)


def test_a_number_that_runs_and_a_slot_that_is_taken_are_refused() -> None:
    crew = crew_of(1)
    (slot,) = crew.free(1)
    crew.start(JobOrder(number=0, job=job()), slot)
    with pytest.raises(ValueError, match="running"):
        crew.start(JobOrder(number=0, job=job()), slot)
    with pytest.raises(ValueError, match="free"):
        crew.start(JobOrder(number=1, job=job()), slot)


def test_samples_are_kept_while_a_job_trains_on_them() -> None:
    crew = crew_of(1)
    samples = crew.hold([])
    assert crew.hold([]) != samples
    start(crew, 0, seconds=1, samples=samples)
    with pytest.raises(ValueError, match="trains"):
        crew.release(samples)
    assert ended(crew) == [0]
    crew.release(samples)


def test_jobs_that_are_asked_to_stop_end_as_interrupted_without_any_more_time() -> None:
    crew = crew_of(1, 1)
    start(crew, 0, seconds=1)
    start(crew, 1, seconds=9)
    assert ended(crew) == [0]
    crew.stop_all()
    (end,) = crew.events()
    assert isinstance(end, Ended)
    assert (end.number, end.outcome.stop_reason, end.outcome.seconds) == (1, StopReason.INTERRUPTED, 1.0)
    assert (crew.seconds, crew.running) == (1.0, ())


def test_no_time_passes_in_a_pause() -> None:
    crew = crew_of(1)
    start(crew, 0, seconds=4)
    crew.pause_all()
    assert (ended(crew), crew.seconds, crew.running) == ([], 0.0, (0,))
    crew.resume_all()
    assert (ended(crew), crew.seconds) == ([0], 4.0)


def test_time_that_cannot_go_on_is_an_error_and_not_an_endless_wait() -> None:
    crew = crew_of(1)
    assert ended(crew) == []
    with pytest.raises(RuntimeError, match="virtual time"):
        ended(crew)


def test_after_the_end_nothing_runs_and_nothing_is_free() -> None:
    crew = crew_of(1, 1)
    start(crew, 0, seconds=4)
    crew.end_now()
    assert (crew.running, crew.vital_signs(), list(crew.free(1)), ended(crew), ended(crew)) == ((), {}, [], [], [])
