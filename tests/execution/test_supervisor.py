from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from tests.building import geometry, job, settings, spec, windows

from tsladder.artifacts.outcome import TrainingOutcome
from tsladder.data.windows import FoldWindows
from tsladder.errors import WorkFailed
from tsladder.execution.crew import Ended, Progress, Retried
from tsladder.execution.supervisor import Supervisor
from tsladder.models.build import build
from tsladder.training.checkpoint import load_weights
from tsladder.training.checkpoint_plan import CheckpointPlan
from tsladder.training.trainer import fit
from tsladder.vocabulary import StopReason

TRAIN = windows(100, seed=1)
VALIDATION = windows(60, seed=2)
LONG = settings(epochs=100_000)


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """As in the workers: another number of threads sums in another order."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def run_until_ended(supervisor: Supervisor, seconds: float = 60.0) -> dict[int, TrainingOutcome]:
    ended: dict[int, TrainingOutcome] = {}
    deadline = time.monotonic() + seconds
    while supervisor.running and time.monotonic() < deadline:
        for event in supervisor.events(timeout=0.5):
            if isinstance(event, Ended):
                ended[event.number] = event.outcome
    return ended


def wait_for_progress(supervisor: Supervisor) -> Progress:
    deadline = time.monotonic() + 60.0
    while time.monotonic() < deadline:
        for event in supervisor.events(timeout=0.5):
            assert isinstance(event, Progress), event
            return event
    raise AssertionError("no epoch ended within a minute")


def test_a_worker_trains_exactly_what_the_trainer_trains() -> None:
    here = fit(job(), TRAIN, VALIDATION, lambda _record: True)
    supervisor = Supervisor([FoldWindows(train=TRAIN, validation=VALIDATION)])
    supervisor.start(0, job())
    supervisor.start(1, job())
    ended = run_until_ended(supervisor)
    assert {outcome.best_val_loss for outcome in ended.values()} == {here.best_val_loss}
    assert all(outcome.peak_memory_gib is not None and outcome.peak_memory_gib > 0 for outcome in ended.values())


def test_workers_may_use_several_threads() -> None:
    """A tensor operation run in the fork server would leave such a worker hanging for ever."""
    supervisor = Supervisor([FoldWindows(train=TRAIN, validation=VALIDATION)])
    wide = spec(d_model=128, d_ff=512, n_heads=4)
    supervisor.start(0, job(spec=wide, threads=2, settings=settings(epochs=1)))
    assert [outcome.scored for outcome in run_until_ended(supervisor).values()] == [True]


def test_a_killed_worker_ends_as_killed_and_takes_nothing_with_it() -> None:
    supervisor = Supervisor([FoldWindows(train=TRAIN, validation=VALIDATION)])
    supervisor.start(0, job(settings=LONG))
    wait_for_progress(supervisor)
    supervisor.start(1, job())
    (victim,) = [child.process.pid for number, child in supervisor._children.items() if number == 0]
    assert victim is not None
    os.kill(victim, signal.SIGKILL)
    ended = run_until_ended(supervisor)
    assert ended[0].stop_reason is StopReason.KILLED
    assert ended[0].best_val_loss is None
    assert ended[1].scored


def hang(supervisor: Supervisor, number: int) -> None:
    (hanging,) = [child.process.pid for child in supervisor._children.values() if child.number == number]
    assert hanging is not None
    os.kill(hanging, signal.SIGSTOP)


@pytest.mark.slow
def test_a_worker_that_hangs_is_started_once_more_from_its_checkpoint_and_then_ends_as_stalled(tmp_path: Path) -> None:
    supervisor = Supervisor([FoldWindows(train=TRAIN, validation=VALIDATION)], stall_seconds=6.0)
    supervisor.start(0, job(settings=LONG, checkpoints=kept_in(tmp_path)))
    events_until(supervisor, lambda event: isinstance(event, Progress) and event.record.epoch == 5)
    hang(supervisor, 0)
    supervisor.start(1, job())
    events: list[object] = []
    while not any(isinstance(event, Retried) for event in events):
        events += events_until(supervisor, lambda event: isinstance(event, Retried | Ended))
    events += events_until(supervisor, lambda event: isinstance(event, Progress) and event.number == 0)
    retried = [event for event in events if isinstance(event, Retried)]
    assert [(event.number, event.plan) for event in retried] == [(0, None)]
    assert isinstance(events[-1], Progress)
    assert events[-1].record.epoch >= 5
    assert any(isinstance(event, Ended) and event.number == 1 and event.outcome.scored for event in events)
    hang(supervisor, 0)
    ended = run_until_ended(supervisor)
    assert ended[0].stop_reason is StopReason.STALLED
    assert "sent no message" in ended[0].message


@pytest.mark.slow
def test_a_worker_whose_micro_batches_are_predicted_to_be_long_may_be_silent_for_longer() -> None:
    supervisor = Supervisor([FoldWindows(train=TRAIN, validation=VALIDATION)], stall_seconds=1.0)
    supervisor.start(0, job(settings=LONG, micro_batch_seconds=60.0))
    wait_for_progress(supervisor)
    hang(supervisor, 0)
    deadline = time.monotonic() + 4.0
    while time.monotonic() < deadline:
        assert not [event for event in supervisor.events(timeout=0.5) if not isinstance(event, Progress)]
    assert supervisor.running == (0,)
    supervisor.end_now()


def test_a_training_that_keeps_a_checkpoint_stops_at_once_and_continues_from_there(tmp_path: Path) -> None:
    kept = CheckpointPlan(folder=str(tmp_path), identity="this", every_seconds=3600.0, predicted_longer=True)
    supervisor = Supervisor([FoldWindows(train=TRAIN, validation=VALIDATION)])
    supervisor.start(0, job(settings=LONG, checkpoints=kept))
    wait_for_progress(supervisor)
    supervisor.stop_all()
    stopped = run_until_ended(supervisor)[0]
    assert stopped.stop_reason is StopReason.INTERRUPTED
    again = Supervisor([FoldWindows(train=TRAIN, validation=VALIDATION)])
    again.start(0, job(settings=LONG, checkpoints=kept))
    assert wait_for_progress(again).record.epoch == len(stopped.curve) + 1
    again.stop_all()
    assert run_until_ended(again)[0].resumed_at >= stopped.curve[-1][0]


def test_a_killed_worker_started_again_continues_from_its_checkpoint(tmp_path: Path) -> None:
    what = job(settings=settings(epochs=60), checkpoints=kept_in(tmp_path))
    supervisor = Supervisor([FoldWindows(train=TRAIN, validation=VALIDATION)])
    supervisor.start(0, what)
    wait_for_progress(supervisor)
    (child,) = supervisor._children.values()
    os.kill(child.process.pid or 0, signal.SIGKILL)
    assert run_until_ended(supervisor)[0].stop_reason is StopReason.KILLED
    again = Supervisor([FoldWindows(train=TRAIN, validation=VALIDATION)])
    again.start(0, what)
    resumed = run_until_ended(again)[0]
    assert resumed.resumed_at > 0
    assert (
        resumed.best_val_loss == fit(job(settings=settings(epochs=60)), TRAIN, VALIDATION, lambda _: True).best_val_loss
    )


def kept_in(folder: Path) -> CheckpointPlan:
    """Checkpoints many times a second."""
    return CheckpointPlan(folder=str(folder), identity="this", every_seconds=0.02, predicted_longer=True)


def events_until(supervisor: Supervisor, last: Callable[[object], bool]) -> list[object]:
    seen: list[object] = []
    deadline = time.monotonic() + 60.0
    while time.monotonic() < deadline:
        for event in supervisor.events(timeout=0.5):
            seen.append(event)
            if last(event):
                return seen
    raise AssertionError(f"what was waited for did not come within a minute: {seen}")


def test_a_supervisor_that_was_suspended_itself_ends_nobody() -> None:
    supervisor = Supervisor([FoldWindows(train=TRAIN, validation=VALIDATION)], stall_seconds=20.0)
    supervisor.start(0, job(settings=LONG))
    wait_for_progress(supervisor)
    supervisor._last_tick -= 3600.0
    wait_for_progress(supervisor)
    supervisor.stop_all()
    assert run_until_ended(supervisor)[0].stop_reason is StopReason.INTERRUPTED


def test_workers_map_one_copy_of_the_windows(tmp_path: Path) -> None:
    supervisor = Supervisor([FoldWindows(train=TRAIN, validation=VALIDATION)])
    for number in range(2):
        supervisor.start(number, job(settings=LONG))
    seen: set[int] = set()
    while seen != {0, 1}:  # on a busy machine one worker may be many epochs ahead
        seen.add(wait_for_progress(supervisor).number)
    files = set()
    for child in supervisor._children.values():
        maps = Path(f"/proc/{child.process.pid}/maps").read_text(encoding="utf-8").splitlines()
        # device and inode of the file without a name
        files |= {tuple(line.split()[3:5]) for line in maps if line.endswith("(deleted)")}
    assert len(files) == 1
    supervisor.end_now()


def test_asked_to_stop_a_worker_finishes_its_epoch_and_says_interrupted() -> None:
    supervisor = Supervisor([FoldWindows(train=TRAIN, validation=VALIDATION)])
    supervisor.start(0, job(settings=LONG))
    wait_for_progress(supervisor)
    supervisor.stop_all()
    assert run_until_ended(supervisor)[0].stop_reason is StopReason.INTERRUPTED


def test_a_worker_cannot_be_reached_by_a_signal_to_the_group() -> None:
    supervisor = Supervisor([FoldWindows(train=TRAIN, validation=VALIDATION)])
    supervisor.start(0, job(settings=LONG))
    wait_for_progress(supervisor)
    (child,) = supervisor._children.values()
    assert child.process.pid is not None
    os.kill(child.process.pid, signal.SIGINT)
    os.kill(child.process.pid, signal.SIGTERM)
    wait_for_progress(supervisor)
    supervisor.stop_all()
    assert run_until_ended(supervisor)[0].stop_reason is StopReason.INTERRUPTED
    # and this process itself hears signals as before
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, [])


def test_a_bug_in_training_is_an_outcome_with_its_traceback() -> None:
    supervisor = Supervisor([FoldWindows(train=TRAIN, validation=VALIDATION)])
    supervisor.start(0, job(spec=spec(geometry=geometry(n_features=4))))
    outcome = run_until_ended(supervisor)[0]
    assert outcome.stop_reason is StopReason.ERROR
    assert "Traceback" in outcome.message


def test_saved_weights_are_those_of_the_reported_loss(tmp_path: Path) -> None:
    supervisor = Supervisor([FoldWindows(train=TRAIN, validation=VALIDATION)])
    supervisor.start(0, job(checkpoint_folder=str(tmp_path)))
    outcome = run_until_ended(supervisor)[0]
    model = build(spec(), dropout=0.0)
    load_weights(tmp_path, model)
    here = fit(job(), TRAIN, VALIDATION, lambda _record: True)
    assert outcome.best_val_loss == here.best_val_loss
    assert all(
        torch.equal(a, b) for a, b in zip(model.state_dict().values(), here.model.state_dict().values(), strict=True)
    )


def test_weights_of_another_architecture_are_refused(tmp_path: Path) -> None:
    supervisor = Supervisor([FoldWindows(train=TRAIN, validation=VALIDATION)])
    supervisor.start(0, job(checkpoint_folder=str(tmp_path)))
    run_until_ended(supervisor)
    with pytest.raises(WorkFailed, match="does not hold the weights"):
        load_weights(tmp_path, build(spec(d_model=16), dropout=0.0))
