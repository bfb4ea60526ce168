"""Several places on one machine: which device each job sees, and in which order slots are offered."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator

import pytest
from tests.building import job, settings, windows

from tsladder.data.windows import FoldWindows
from tsladder.execution import supervisor as supervising
from tsladder.execution.crew import Ended, JobOrder
from tsladder.execution.local_crew import LocalCrew
from tsladder.execution.local_places import HERE, VISIBLE, LocalPlace, local_places
from tsladder.execution.shared_windows import SharedFolds
from tsladder.planning.machine import Machine
from tsladder.planning.place_kinds import in_steps, kind_of
from tsladder.training.outcome import Job, ended_early
from tsladder.vocabulary import StopReason

FOLD = FoldWindows(train=windows(40, seed=1), validation=windows(20, seed=2))
MACHINE = Machine(cores=4, memory_gib=8.0, device="cpu")
JOB = job(settings=settings(epochs=1))


def report_environment(
    channel: object, what: Job, samples: SharedFolds, environment: dict[str, str] | None = None
) -> None:
    """Stand in for a training: end with what the child's environment is once it has begun."""
    from tsladder.execution import worker

    def reported(_channel: object, trained: Job, _folds: object, started: float) -> object:
        return ended_early(trained, StopReason.ERROR, started, os.environ.get(VISIBLE, "unset"))

    worker._train = reported  # type: ignore[assignment]
    worker.run_job(channel, what, samples, environment)  # type: ignore[arg-type]


def gpu(name: str, machine: Machine = MACHINE, kind: str = "a GPU") -> LocalPlace:
    return LocalPlace(name=f"gpu{name}", machine=machine, kind=kind, environment={VISIBLE: name})


@pytest.fixture
def two(monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalCrew]:
    monkeypatch.setattr(supervising, "run_job", report_environment)
    crew = LocalCrew(MACHINE, [gpu("3"), gpu("5")])
    crew.hold([FOLD])
    yield crew
    crew.end_now()


def test_a_machine_with_one_device_is_one_place_called_here() -> None:
    (place,) = local_places(MACHINE)
    assert (place.name, place.machine, dict(place.environment)) == (HERE, MACHINE, {})


def test_each_worker_sees_the_device_of_its_place_before_it_trains(two: LocalCrew) -> None:
    for number, slot in enumerate(two.free(1)):
        two.start(JobOrder(number=number, job=JOB), slot)
    seen = {}
    places = {number: slot.place for number, (_, slot) in two._orders.items()}
    while two.running:
        for event in two.events(timeout=1.0):
            assert isinstance(event, Ended)
            seen[places[event.number]] = event.outcome.message
    assert seen == {"gpu3": "3", "gpu5": "5"}


def test_jobs_are_spread_over_the_places_of_a_machine(two: LocalCrew) -> None:
    assert [slot.place for slot in two.free(2)] == ["gpu3", "gpu5", "gpu3", "gpu5"]
    two.start(JobOrder(number=0, job=JOB), two.free(2)[0])
    assert [slot.place for slot in two.free(2)] == ["gpu5", "gpu3", "gpu5"]
    assert {slot.kind for slot in two.free(2)} == {"a GPU"}


def test_memory_in_steps_is_never_more_and_at_most_a_sixteenth_less() -> None:
    for gib in (0.3, 1.0, 7.49, 8.0, 79.3, 139.99):
        assert gib * 15 / 16 < in_steps(gib) <= gib
    assert in_steps(139.2) == in_steps(139.9) == 136.0


@pytest.mark.parametrize("change", [{"cores": 8}, {"memory_gib": 4.0}])
def test_places_of_one_kind_have_equal_cores_and_memory(change: dict[str, float]) -> None:
    assert kind_of(MACHINE, "a GPU") == kind_of(dataclasses.replace(MACHINE), "a GPU")
    assert kind_of(dataclasses.replace(MACHINE, **change), "a GPU") != kind_of(MACHINE, "a GPU")  # type: ignore[arg-type]
    assert kind_of(MACHINE, "another GPU") != kind_of(MACHINE, "a GPU")
