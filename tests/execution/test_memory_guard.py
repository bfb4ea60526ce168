"""Running out of memory: seen from outside, by the kernel, and inside the worker."""

from __future__ import annotations

import math
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from tests.building import batch_plan, job, settings, spec, windows

from tsladder.artifacts.outcome import BatchPlan, TrainingOutcome
from tsladder.data.windows import FoldWindows, Windows
from tsladder.execution import worker
from tsladder.execution.crew import Ended, Progress, Retried
from tsladder.execution.memory_guard import SWAPPED_GIB, KernelKills, MachineMemory, MemoryWatch
from tsladder.execution.supervisor import Supervisor
from tsladder.training import folds, trainer
from tsladder.training.outcome import Job
from tsladder.training.trainer import Fitted, fit
from tsladder.vocabulary import StopReason

TRAIN = windows(100, seed=1)
VALIDATION = windows(60, seed=2)
LONG = settings(epochs=100_000)
CALM = MachineMemory(total=16.0, available=8.0, swapped=1.0)


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 1.0
        return self.now


def run(supervisor: Supervisor, until: Callable[[object], bool], seconds: float = 60.0) -> list[object]:
    said: list[object] = []
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        for event in supervisor.events(timeout=0.2):
            said.append(event)
            if until(event):
                return said
    raise AssertionError(f"what was waited for did not come; {said[-5:]}")


def is_end(event: object) -> bool:
    return isinstance(event, Ended)


def test_a_worker_above_its_share_is_named_with_what_it_held() -> None:
    held = {10: 0.9, 11: 1.6, 12: None}
    watch = MemoryWatch(resident_gib=held.__getitem__, machine=lambda: CALM, clock=Clock())
    found = watch.overuse({1: 10, 2: 11, 3: 12}, dict.fromkeys((1, 2, 3), 1.5))
    assert list(found) == [2]
    assert "1.60 GiB, more than its share of 1.50" in found[2]


def test_memory_is_read_on_a_timer() -> None:
    now, reads = [0.0], []

    def resident(pid: int) -> float:
        reads.append(pid)
        return 9.0

    watch = MemoryWatch(resident_gib=resident, machine=lambda: CALM, clock=lambda: now[0])
    assert watch.overuse({1: 10}, {1: 1.0})
    for _ in range(1000):
        assert not watch.overuse({1: 10}, {1: 1.0})
    now[0] = 1.5
    assert watch.overuse({1: 10}, {1: 1.0})
    assert len(reads) == 2


@pytest.mark.parametrize(("swapped", "available", "ends"), [(2.0, 0.1, True), (2.0, 4.0, False), (1.2, 0.1, False)])
def test_the_largest_worker_ends_when_the_machine_begins_to_thrash(
    swapped: float, available: float, ends: bool
) -> None:
    readings = iter([CALM, MachineMemory(total=16.0, available=available, swapped=swapped)])
    held = {10: 0.5, 11: 0.7}
    watch = MemoryWatch(resident_gib=held.__getitem__, machine=lambda: next(readings), clock=Clock())
    assert CALM.swapped + SWAPPED_GIB < 2.0
    assert list(watch.overuse({1: 10, 2: 11}, {})) == ([2] if ends else [])


def test_each_kill_of_the_kernel_is_answered_for_once(tmp_path: Path) -> None:
    missing, events = tmp_path / "absent", tmp_path / "memory.events"
    events.write_text("low 0\noom 0\noom_kill 3\n")
    kills = KernelKills((missing, events))
    assert not kills.has_new_kill()
    events.write_text("low 0\noom 2\noom_kill 5\n")
    assert [kills.has_new_kill() for _ in range(3)] == [True, True, False]


@pytest.mark.slow
def test_a_real_worker_over_its_limit_is_retried_smaller_and_ends_as_out_of_memory() -> None:
    """Torch alone takes more than the limit, so that every attempt is over it."""
    supervisor = Supervisor([FoldWindows(train=TRAIN, validation=VALIDATION)], watch=MemoryWatch())
    supervisor.start(7, job(settings=LONG, plan=batch_plan(32, 32)), limit_gib=0.02)
    said = run(supervisor, is_end)
    supervisor.end_now()
    retried = [event for event in said if isinstance(event, Retried)]
    assert [(event.plan.micro_batch, event.plan.activation_checkpointing) for event in retried][:3] == [
        (16, False),
        (16, True),
        (8, True),
    ]
    assert {event.plan.effective_batch for event in retried} == {32}
    end = said[-1]
    assert isinstance(end, Ended)
    assert end.outcome.stop_reason is StopReason.OUT_OF_MEMORY
    assert end.outcome.best_val_loss is None
    assert end.outcome.retries == len(retried) == 1 + math.log2(32)
    assert "more than its share of 0.02" in end.outcome.message


def test_a_retry_that_fits_ends_as_if_it_had_been_the_first_and_says_what_was_before() -> None:
    supervisor = Supervisor([FoldWindows(train=TRAIN, validation=VALIDATION)])
    pids: dict[int, BatchPlan] = {}

    def resident(pid: int) -> float:
        pids.update({child.process.pid: child.job.plan for child in supervisor._children.values()})  # type: ignore[misc]
        return 9.0 if pids[pid].micro_batch > 8 else 0.1

    supervisor._watch = MemoryWatch(resident_gib=resident, machine=lambda: CALM, clock=Clock())
    supervisor.start(0, job(settings=settings(epochs=3000)), limit_gib=1.0)
    said = run(supervisor, lambda event: isinstance(event, Retried) and event.plan.micro_batch == 8)
    supervisor.stop_all()
    said += run(supervisor, is_end)
    end = said[-1]
    assert isinstance(end, Ended)
    assert end.outcome.stop_reason is StopReason.INTERRUPTED
    assert (end.outcome.plan.micro_batch, end.outcome.plan.accumulation_steps) == (8, 4)
    assert end.outcome.retries == len([event for event in said if isinstance(event, Retried)]) == 3
    assert end.outcome.message.startswith("out of memory before: it used 9.00 GiB, more than its share of 1.00")


def test_a_kill_is_the_kernels_when_its_counter_says_so(tmp_path: Path) -> None:
    events = tmp_path / "memory.events"
    events.write_text("oom_kill 0\n")
    supervisor = Supervisor([FoldWindows(train=TRAIN, validation=VALIDATION)])
    supervisor._kernel_kills = KernelKills((events,))
    supervisor.start(0, job(settings=LONG))
    for evidence in (True, False):
        run(supervisor, lambda event: isinstance(event, Progress))
        if evidence:
            events.write_text("oom_kill 1\n")
        (victim,) = [child.process.pid for child in supervisor._children.values()]
        assert victim is not None
        os.kill(victim, signal.SIGKILL)
        (event,) = [e for e in run(supervisor, lambda e: not isinstance(e, Progress)) if not isinstance(e, Progress)]
        if evidence:
            assert isinstance(event, Retried)
            assert event.plan.micro_batch == 16
            assert "kernel" in event.reason
        else:
            assert isinstance(event, Ended)
            assert event.outcome.stop_reason is StopReason.KILLED
            assert event.outcome.retries == 1


@pytest.mark.parametrize(
    "error",
    [
        MemoryError("no room"),
        pytest.param(torch.OutOfMemoryError("CUDA out of memory"), marks=pytest.mark.slow),
        pytest.param(
            RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"),
            marks=pytest.mark.slow,
        ),
    ],
)
def test_an_allocator_that_gives_up_above_a_micro_batch_leads_to_that_micro_batch(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    tried: list[BatchPlan] = []

    def fit_within(job: Job, *rest: object) -> Fitted:
        tried.append(job.plan)
        if job.plan.micro_batch > 4:
            raise error
        return fit(job, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(trainer, "fit", fit_within)
    plain = job(settings=settings(dropout=0.0))  # its masks are drawn micro-batch by micro-batch
    outcome = train_here(plain)
    assert outcome.scored
    assert outcome.retries == len(tried) - 1
    assert (outcome.plan.micro_batch, outcome.plan.accumulation_steps) == (4, 8)
    assert outcome.plan.activation_checkpointing
    whole = fit(plain, TRAIN, VALIDATION, lambda _record: True)
    assert outcome.best_val_loss == pytest.approx(whole.best_val_loss, abs=1e-5)


def test_an_allocator_that_always_gives_up_ends_the_trial_without_a_loss(monkeypatch: pytest.MonkeyPatch) -> None:
    def give_up(*_arguments: object) -> Fitted:
        raise MemoryError("no room")

    monkeypatch.setattr(trainer, "fit", give_up)
    outcome = train_here(job(spec=spec(), plan=batch_plan(2, 2)))
    assert outcome.stop_reason is StopReason.OUT_OF_MEMORY
    assert (outcome.retries, outcome.best_val_loss, outcome.message) == (2, None, "no room")


def test_an_allocator_that_gives_up_in_one_fold_leads_to_the_smaller_plan_in_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tried: list[int] = []

    def fit_within(job: Job, train: Windows, *rest: object) -> Fitted:
        tried.append(job.plan.micro_batch)
        if len(train) > 50 and job.plan.micro_batch > 16:
            raise MemoryError("no room")
        return fit(job, train, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(folds, "fit", fit_within)
    earlier = FoldWindows(train=windows(50, seed=3), validation=windows(30, seed=4))
    outcome = train_here(job(settings=settings(dropout=0.0)), earlier)
    assert tried == [32, 32, 16, 16]
    assert (outcome.retries, outcome.plan.micro_batch) == (1, 16)
    assert [fold.epochs_run for fold in outcome.folds] == [3, 3]
    assert len(outcome.curve) == 6


class Deaf:
    """A channel to nobody."""

    def send(self, _message: object) -> None: ...

    def poll(self) -> bool:
        return False


def train_here(job: Job, *earlier: FoldWindows) -> TrainingOutcome:
    before = torch.get_num_threads()
    every = (*earlier, FoldWindows(train=TRAIN, validation=VALIDATION))
    try:
        return worker._train(Deaf(), job, every, time.perf_counter())  # type: ignore[arg-type]
    finally:
        torch.set_num_threads(before)
