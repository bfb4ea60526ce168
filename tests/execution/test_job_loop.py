"""The loop around the workers while a thermometer follows a script; the workers are imagined, then real."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import psutil
import pytest
from tests.building import batch_plan, job, settings, slot, windows
from tests.execution.thermal import Clock, Lines, Script

from tsladder.artifacts.heat import TemperatureReading, ThermalLevel
from tsladder.artifacts.outcome import EpochRecord, TrainingOutcome
from tsladder.artifacts.progress import PROGRESS
from tsladder.artifacts.store import read_json
from tsladder.data.samples import Fold
from tsladder.data.windows import FoldWindows
from tsladder.execution.crew import Ended, Event, JobOrder, Message, Progress, Retried, Slot
from tsladder.execution.heartbeat import Heartbeat, VitalSigns
from tsladder.execution.job_loop import describe_retry, run_steps
from tsladder.execution.job_source import Steps
from tsladder.execution.memory_guard import MemoryWatch
from tsladder.execution.supervisor import Supervisor
from tsladder.execution.thermal_guard import ThermalWatch
from tsladder.planning.memory import GIB
from tsladder.vocabulary import StopReason

EPOCHS = 5


class ImaginedCrew:
    """Has one slot; its jobs take `EPOCHS` ticks of ten seconds each, and none while they are paused. `said`: what it
    says besides, at its next tick."""

    def __init__(self, clock: Clock) -> None:
        self.history: list[str] = []
        self.paused = False
        self.stopping = False
        self._clock = clock
        self._left: dict[int, int] = {}
        self.queued: list[Event] = []

    @property
    def running(self) -> tuple[int, ...]:
        return tuple(self._left)

    def hold(self, folds: Sequence[Fold]) -> int:
        return 0

    def release(self, samples: int) -> None:
        assert not self._left

    def free(self, workers: int) -> Sequence[Slot]:
        return () if self._left else (slot(),)

    def start(self, order: JobOrder, slot: Slot) -> None:
        assert not self.paused
        self.history.append(f"start {order.number}")
        self._left[order.number] = EPOCHS

    def vital_signs(self) -> dict[int, VitalSigns]:
        return {number: VitalSigns(silent_seconds=float(left), resident_gib=0.5) for number, left in self._left.items()}

    def pause_all(self) -> None:
        if not self.paused:
            self.history.append("pause")
        self.paused = True

    def resume_all(self) -> None:
        if self.paused:
            self.history.append("resume")
        self.paused = False

    def stop_all(self) -> None:
        self.history.append("stop")
        self.stopping = True

    def events(self, timeout: float | None = None) -> Iterator[Event]:
        self._clock.advance(10.0)
        while self.queued:
            yield self.queued.pop(0)
        for number in list(self._left):
            self._left[number] -= 0 if self.paused else 1
            if self._left[number] == 0 or (self.stopping and not self.paused):
                del self._left[number]
                self.history.append(f"end {number}")
                yield Ended(number, ended(StopReason.INTERRUPTED if self.stopping else StopReason.COMPLETED))

    def end_now(self) -> None:
        self.history.append("end now")
        self._left.clear()


def ended(reason: StopReason) -> TrainingOutcome:
    return TrainingOutcome(
        stop_reason=reason,
        best_val_loss=0.5,
        val_loss_se=0.1,
        best_epoch=1,
        val_auc=0.5,
        n_params=10,
        curve=(),
        train_losses=(),
        train_seconds=0.0,
        plan=batch_plan(),
        retries=0,
        peak_memory_gib=0.1,
        seconds=1.0,
    )


class Pulses(Heartbeat):
    """Keeps what it wrote."""

    def __init__(self, clock: Clock, done: Callable[[], int], total: int) -> None:
        self._kept = tempfile.TemporaryDirectory()
        self.file = Path(self._kept.name) / PROGRESS
        self.seen: list[dict[str, Any]] = []
        super().__init__(self.file.parent, phase="search", total=total, done=done, clock=clock)

    def beat(self, signs: Mapping[int, VitalSigns], **how: Any) -> None:
        super().beat(signs, **how)
        self.seen.append(read_json(self.file))


class Shift:
    """Jobs 0 to `jobs` - 1, one after the other, under a script. `pause_requested` is polled for a manual pause."""

    def __init__(
        self,
        *celsius: float | None,
        jobs: int = 1,
        on_look: Callable[[Script], None] | None = None,
        pause_requested: Callable[[], bool] | None = None,
        late: Sequence[Event] = (),
    ) -> None:
        self.clock, self.lines, self.outcomes = Clock(), Lines(), dict[int, TrainingOutcome]()
        self.heartbeat = Pulses(self.clock, lambda: len(self.outcomes), jobs)
        self.crew = ImaginedCrew(self.clock)
        self.crew.queued.extend(late)
        script = Script(*celsius, on_read=on_look)
        self._waiting = list(range(jobs))
        self.stopped_by: TemperatureReading | None = run_steps(
            self.steps(),
            lambda: self.crew,
            watch=ThermalWatch(script, self.lines, clock=self.clock),
            pause_requested=pause_requested or (lambda: False),
        )

    folds: Sequence[Fold] = ()
    workers = models_per_job = 1
    is_ready = True

    def steps(self) -> Steps[TemperatureReading | None]:
        return (yield self)

    @property
    def work_left(self) -> float:
        return float(len(self._waiting))

    def next_job(self, slot: Slot) -> JobOrder | None:
        return JobOrder(number=self._waiting.pop(0), job=job()) if self._waiting else None

    def again(self, number: int, slot: Slot) -> JobOrder:
        return JobOrder(number=number, job=job())

    def on_epoch(self, event: Progress) -> None: ...

    def on_retry(self, event: Retried) -> None:
        self.lines(describe_retry(event))

    def on_message(self, event: Message) -> None:
        self.lines(event.text)

    def on_end(self, event: Ended) -> None:
        self.outcomes[event.number] = event.outcome

    def on_stop(self) -> None:
        self.lines("stopping")


def test_a_machine_that_stays_cool_is_left_alone() -> None:
    shift = Shift(50.0, 84.0)
    assert shift.crew.history == ["start 0", "end 0", "end now"]
    assert shift.stopped_by is None
    assert shift.outcomes[0].heat.max_celsius == 84.0
    assert shift.lines.messages == []


def test_warm_workers_are_paused_until_it_is_cooler_and_end_as_if_nothing_had_been() -> None:
    shift = Shift(60.0, 86.0, 86.0, 75.0)
    assert shift.crew.history == ["start 0", "pause", "resume", "end 0", "end now"]
    outcome = shift.outcomes[0]
    assert outcome.stop_reason is StopReason.COMPLETED
    assert (outcome.heat.pauses, outcome.heat.paused_seconds, outcome.heat.max_celsius) == (1, 20.0, 86.0)


def test_nothing_is_started_on_a_hot_machine() -> None:
    shift = Shift(90.0, 97.0, 60.0)
    assert shift.crew.history == ["pause", "resume", "start 0", "end 0", "end now"]
    assert shift.outcomes[0].heat.pauses == 0


def test_a_critical_temperature_ends_what_runs_and_keeps_what_had_ended() -> None:
    shift = Shift(*[60.0] * (EPOCHS + 2), 97.0, jobs=3)
    assert shift.crew.history[:4] == ["start 0", "end 0", "start 1", "end now"]
    assert {n: outcome.stop_reason for n, outcome in shift.outcomes.items()} == {
        0: StopReason.COMPLETED,
        1: StopReason.THERMAL,
    }
    assert shift.outcomes[1].heat.level is ThermalLevel.CRITICAL
    assert "97 °C" in shift.outcomes[1].message
    assert shift.stopped_by is not None
    assert shift.stopped_by.celsius == 97.0


def test_a_thermometer_that_fails_stops_and_pauses_nothing() -> None:
    shift = Shift(None)
    assert shift.crew.history == ["start 0", "end 0", "end now"]
    assert shift.outcomes[0].heat.level is ThermalLevel.UNKNOWN
    assert len(shift.lines.messages) == 1


def test_a_stop_request_during_a_pause_resumes_and_then_stops() -> None:
    def ctrl_c(script: Script) -> None:
        if script.reads == 4:
            os.kill(os.getpid(), signal.SIGINT)

    shift = Shift(60.0, 88.0, on_look=ctrl_c)
    assert shift.crew.history == ["start 0", "pause", "resume", "stop", "end 0", "end now"]
    assert shift.outcomes[0].stop_reason is StopReason.INTERRUPTED
    assert shift.stopped_by is None


def test_events_of_an_unknown_job_or_of_an_earlier_attempt_are_dropped() -> None:
    record = EpochRecord(epoch=1, steps=1, train_loss=1.0, val_loss=1.0, train_seconds=0.1, seconds=0.1)
    late = [
        Ended(0, ended(StopReason.KILLED), attempt=7),
        Ended(5, ended(StopReason.KILLED)),
        Progress(5, record),
        Message(0, "too late", attempt=7),
    ]
    shift = Shift(60.0, jobs=2, late=late)
    assert shift.crew.history == ["start 0", "end 0", "start 1", "end 1", "end now"]
    assert {number: outcome.stop_reason for number, outcome in shift.outcomes.items()} == dict.fromkeys(
        (0, 1), StopReason.COMPLETED
    )
    assert shift.lines.messages == []
    assert shift.heartbeat.seen[1]["running"][0]["epoch"] == 0


def answers(*said: bool) -> Callable[[], bool]:
    """One after the other, and the last for ever."""
    left = iter(said)
    return lambda: next(left, said[-1])


def test_a_pause_by_hand_suspends_what_runs_starts_nothing_and_counts_its_seconds() -> None:
    shift = Shift(60.0, jobs=2, pause_requested=answers(False, True, True, False))
    assert shift.crew.history == ["start 0", "pause", "resume", "end 0", "start 1", "end 1", "end now"]
    first, second = shift.outcomes[0].heat, shift.outcomes[1].heat
    assert (first.pauses, first.paused_seconds, second.pauses, second.paused_seconds) == (1, 20.0, 0, 0.0)
    assert shift.lines.messages == ["paused by hand", "resumed after a pause of 20 s"]


def test_nothing_is_started_while_it_is_paused_by_hand() -> None:
    shift = Shift(60.0, pause_requested=answers(True, True, False))
    assert shift.crew.history == ["pause", "resume", "start 0", "end 0", "end now"]


def test_a_critical_temperature_ends_what_is_paused_by_hand() -> None:
    shift = Shift(60.0, 60.0, 97.0, pause_requested=answers(False, True))
    assert shift.crew.history[:3] == ["start 0", "pause", "end now"]
    assert shift.outcomes[0].stop_reason is StopReason.THERMAL


def test_a_pause_by_hand_that_ends_on_a_warm_machine_continues_as_a_pause_for_heat() -> None:
    shift = Shift(60.0, 88.0, 88.0, 60.0, pause_requested=answers(False, True, False))
    assert shift.crew.history == ["start 0", "pause", "resume", "end 0", "end now"]
    assert [seen["paused"] for seen in shift.heartbeat.seen[:4]] == [None, "by hand", "heat", None]
    assert shift.outcomes[0].heat.paused_seconds == 20.0
    assert shift.outcomes[0].heat.pauses == 1


def test_a_stop_request_ends_a_pause_by_hand() -> None:
    def ctrl_c(script: Script) -> None:
        if script.reads == 4:
            os.kill(os.getpid(), signal.SIGINT)

    shift = Shift(60.0, on_look=ctrl_c, pause_requested=answers(False, True))
    assert shift.crew.history == ["start 0", "pause", "resume", "stop", "end 0", "end now"]


def test_the_pulse_shows_what_trains_how_it_is_and_in_the_end_nothing() -> None:
    shift = Shift(61.0, jobs=2)
    first = shift.heartbeat.seen[0]
    assert first["phase"] == "search"
    assert (first["done"], first["total"], first["celsius"], first["paused"]) == (0, 2, 61.0, None)
    (running,) = first["running"]
    assert running == {
        "number": 0,
        "epoch": 0,
        "epochs": settings().epochs,
        "val_loss": None,
        "started": 1000.0,
        "silent_seconds": float(EPOCHS),
        "resident_gib": 0.5,
    }
    assert shift.heartbeat.seen[EPOCHS]["done"] == 1
    assert [one["number"] for one in shift.heartbeat.seen[EPOCHS]["running"]] == [1]
    assert read_json(shift.heartbeat.file) == {"running": []}


# ---------------------------------------------------------------------------------------------------------------- real


TRAIN, VALIDATION = windows(100, seed=1), windows(60, seed=2)
LONG = settings(epochs=100_000)


def epochs_within(supervisor: Supervisor, seconds: float) -> int:
    deadline, heard = time.monotonic() + seconds, 0
    while time.monotonic() < deadline:
        for event in supervisor.events(timeout=0.1):
            assert isinstance(event, Progress), event
            heard += 1
    return heard


def wait_for_epoch(supervisor: Supervisor) -> None:
    deadline = time.monotonic() + 60.0
    while not epochs_within(supervisor, 0.1):
        assert time.monotonic() < deadline, "no epoch ended within a minute"


def wait_until_suspended(*pids: int) -> None:
    """A signal takes a moment to arrive."""
    deadline = time.monotonic() + 10.0
    while any(psutil.Process(pid).status() != psutil.STATUS_STOPPED for pid in pids):
        assert time.monotonic() < deadline, "a worker was not suspended within ten seconds"
        time.sleep(0.01)


def only_pid(supervisor: Supervisor) -> int:
    (child,) = supervisor._children.values()
    assert child.process.pid is not None
    return child.process.pid


@pytest.fixture
def crew() -> Iterator[Supervisor]:
    supervisor = Supervisor([FoldWindows(train=TRAIN, validation=VALIDATION)])
    yield supervisor
    supervisor.end_now()


def test_a_paused_worker_stands_still_is_not_called_silent_and_continues(crew: Supervisor) -> None:
    crew.start(0, job(settings=LONG))
    wait_for_epoch(crew)
    crew._stall_seconds = 1.0
    crew.pause_all()
    wait_until_suspended(only_pid(crew))
    epochs_within(crew, 0.2)  # what was said before
    used = psutil.Process(only_pid(crew)).cpu_times().user
    assert epochs_within(crew, 1.5) == 0
    assert psutil.Process(only_pid(crew)).cpu_times().user == used
    crew.resume_all()
    wait_for_epoch(crew)


def test_a_pause_takes_in_a_worker_that_was_started_or_woken_meanwhile(crew: Supervisor) -> None:
    crew.start(0, job(settings=LONG))
    wait_for_epoch(crew)
    crew.pause_all()
    os.kill(only_pid(crew), signal.SIGCONT)
    crew.start(1, job(settings=LONG))
    crew.pause_all()
    wait_until_suspended(*(child.process.pid for child in crew._children.values() if child.process.pid is not None))


@pytest.mark.slow
def test_a_pause_changes_no_number() -> None:
    supervisor = Supervisor([FoldWindows(train=TRAIN, validation=VALIDATION)])
    supervisor.start(0, job(settings=settings(epochs=40)))
    supervisor.start(1, job(settings=settings(epochs=40)))
    supervisor.pause_all()
    time.sleep(0.1)
    supervisor.resume_all()
    losses = []
    while supervisor.running:
        for event in supervisor.events(timeout=0.5):
            if isinstance(event, Progress) and event.number == 0 and event.record.epoch % 10 == 1:
                supervisor.pause_all()
                time.sleep(0.1)
                supervisor.resume_all()
            if isinstance(event, Ended):
                losses.append(event.outcome.best_val_loss)
    supervisor.end_now()
    assert losses[0] == losses[1] is not None


def test_the_vital_signs_of_a_worker_are_its_silence_and_its_memory() -> None:
    supervisor = Supervisor([FoldWindows(train=TRAIN, validation=VALIDATION)], watch=MemoryWatch())
    try:
        supervisor.start(7, job(settings=LONG))
        deadline = time.monotonic() + 60.0
        while (signs := supervisor.vital_signs()[7]).resident_gib is None:
            assert time.monotonic() < deadline, "the memory of a worker was not read within a minute"
            list(supervisor.events(timeout=0.1))
        assert signs.resident_gib == pytest.approx(
            psutil.Process(only_pid(supervisor)).memory_info().rss / GIB, abs=0.2
        )
        wait_for_epoch(supervisor)
        os.kill(only_pid(supervisor), signal.SIGSTOP)
        epochs_within(supervisor, 0.2)  # what was said before
        epochs_within(supervisor, 1.0)
        assert 0.9 < supervisor.vital_signs()[7].silent_seconds < 3.0
    finally:
        supervisor.end_now()


def test_suspended_workers_can_be_ended(crew: Supervisor) -> None:
    crew.start(0, job(settings=LONG))
    wait_for_epoch(crew)
    pid = only_pid(crew)
    crew.pause_all()
    crew.end_now()
    assert not psutil.pid_exists(pid)


SUPERVISE = """
import time
from tests.building import job, settings, windows
from tsladder.data.samples import Fold
from tsladder.data.windows import FoldWindows
from tsladder.execution.crew import Progress
from tsladder.execution.supervisor import Supervisor
if __name__ == "__main__":
    supervisor = Supervisor([FoldWindows(train=windows(100), validation=windows(60))])
    supervisor.start(0, job(settings=settings(epochs=100_000)))
    while not any(isinstance(event, Progress) for event in supervisor.events(timeout=0.5)):
        pass
    supervisor.pause_all()
    print(next(iter(supervisor._children.values())).process.pid, flush=True)
    time.sleep(60)
"""


@pytest.mark.slow
def test_a_suspended_worker_does_not_outlive_a_supervisor_that_was_killed(tmp_path: Path) -> None:
    script = tmp_path / "supervise.py"
    script.write_text(SUPERVISE)
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join(filter(None, [str(Path(__file__).parents[2]), *sys.path]))
    }
    process = subprocess.Popen([sys.executable, str(script)], env=environment, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    worker = psutil.Process(int(process.stdout.readline()))
    family = [worker, *(p for p in psutil.Process(process.pid).children(recursive=True) if p != worker)]
    wait_until_suspended(worker.pid)
    process.kill()
    # Not until the end of its output, which its descendants write to as well.
    process.wait()
    process.stdout.close()
    _, alive = psutil.wait_procs(family, timeout=10.0)
    for survivor in alive:
        survivor.kill()
    assert alive == []
