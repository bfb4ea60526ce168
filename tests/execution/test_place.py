"""A place with worker processes: its files, its driver's absence, its heat, and days of a panel."""

from __future__ import annotations

import dataclasses
import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from pathlib import Path

import psutil
import pytest
from tests.building import job, settings, windows
from tests.execution.places import MACHINE, ThreadFleet, ThreadLink, crew_on, description, real_place
from tests.execution.thermal import Clock, Script
from tests.panel.cell_days import made_up_cell
from tests.panel_building import panel_job

from tsladder.data.windows import FoldWindows
from tsladder.execution.crew import Ended, Event, JobOrder, Lost, Progress
from tsladder.execution.parcels import DaysParcel, packed
from tsladder.execution.place import DRIVER_SECONDS, Place
from tsladder.execution.place_files import Receiving, Sending, check_name
from tsladder.execution.place_messages import Answer, Command, FilePiece, Hold, Start
from tsladder.execution.remote_crew import RemoteCrew
from tsladder.panel.dataset import DayFold
from tsladder.training.checkpoint_plan import CheckpointPlan
from tsladder.training.outcome import Job
from tsladder.vocabulary import Region, StopReason

FOLD = FoldWindows(train=windows(100, seed=1), validation=windows(60, seed=2))
PARCEL = packed([FOLD])
SHORT = job(settings=settings(epochs=2))
LONG = job(settings=settings(epochs=100_000))
SOON = 60.0


def start(what: Job, number: int = 0) -> Start:
    return Start(number=number, attempt=1, job=what, samples=PARCEL.key, limit_gib=4.0)


def steps(place: Place, *, until: Callable[[list[object]], bool], first: tuple[object, ...] = ()) -> list[object]:
    """Step `place` until its events are enough."""
    heard: list[object] = list(place.step(first, 0.0).events)  # type: ignore[arg-type]
    deadline = time.monotonic() + SOON
    while not until(heard):
        assert time.monotonic() < deadline, heard[-3:]
        heard.extend(place.step((), 0.5).events)
    return heard


def has(kind: type) -> Callable[[list[object]], bool]:
    return lambda heard: any(isinstance(event, kind) for event in heard)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def place(tmp_path: Path, clock: Clock) -> Iterator[Place]:
    made = Place(description, thermometer=lambda _device: Script(50.0), folder=tmp_path, clock=clock)
    made.describe()
    yield made
    made.end()


@pytest.fixture
def crew(tmp_path: Path) -> Iterator[RemoteCrew]:
    made = crew_on(ThreadFleet({"a": real_place(folder=tmp_path)}))
    made.hold([FOLD])
    yield made
    made.end_now()


def all_ended(crew: RemoteCrew) -> list[Event]:
    heard: list[Event] = []
    deadline = time.monotonic() + SOON
    while crew.running:
        assert time.monotonic() < deadline, heard[-3:]
        heard.extend(crew.events(timeout=0.5))
    return heard


def workers_of(place: Place) -> list[int]:
    return [child.process.pid for child in place._supervisor._children.values() if child.process.pid is not None]


def test_trained_weights_are_where_the_driver_wants_them_when_the_job_ends(crew: RemoteCrew, tmp_path: Path) -> None:
    target = tmp_path / "live" / "seed-1"
    with_weights = dataclasses.replace(SHORT, checkpoint_folder=str(target))
    crew.start(JobOrder(number=0, job=with_weights), crew.free(1)[0])
    assert isinstance(all_ended(crew)[-1], Ended)
    assert sorted(path.name for path in target.iterdir()) == ["model.safetensors", "training.json"]


def test_weights_that_came_through_a_place_are_those_of_a_local_training(crew: RemoteCrew, tmp_path: Path) -> None:
    from tsladder.execution.local_crew import LocalCrew

    local = LocalCrew(MACHINE)
    local.hold([FOLD])
    for name, one in (("far", crew), ("near", local)):
        order = JobOrder(number=0, job=dataclasses.replace(SHORT, checkpoint_folder=str(tmp_path / name)))
        one.start(order, one.free(2)[0])
        while one.running:
            list(one.events(timeout=0.5))
    local.end_now()
    for name in ("model.safetensors", "training.json"):
        assert (tmp_path / "far" / name).read_bytes() == (tmp_path / "near" / name).read_bytes()


def test_a_large_file_comes_in_pieces_and_is_whole(
    crew: RemoteCrew, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tsladder.execution.place.PIECE_BYTES", 1000)
    target = tmp_path / "seed-1"
    crew.start(JobOrder(number=0, job=dataclasses.replace(SHORT, checkpoint_folder=str(target))), crew.free(1)[0])
    all_ended(crew)
    weights = target / "model.safetensors"
    assert weights.stat().st_size > 3000
    from tsladder.training.checkpoint import saved_weights

    assert sum(value.numel() for value in saved_weights(target).values()) == SHORT.spec.n_params


def test_a_job_that_is_stopped_goes_on_from_its_checkpoint_at_another_place(tmp_path: Path) -> None:
    plan = CheckpointPlan(
        folder=str(tmp_path / "live" / "trial"), identity="one", every_seconds=60.0, predicted_longer=True
    )
    kept = dataclasses.replace(LONG, checkpoints=plan)
    resumed = []
    for name in ("first", "second"):
        fleet = ThreadFleet({name: real_place(folder=tmp_path)})
        crew = crew_on(fleet)
        crew.hold([FOLD])
        crew.start(JobOrder(number=3, job=kept), crew.free(1)[0])
        heard: list[Event] = []
        while not any(isinstance(event, Progress) for event in heard):
            heard.extend(crew.events(timeout=0.5))
        crew.stop_all()
        end = all_ended(crew)[-1]
        crew.end_now()
        assert isinstance(end, Ended)
        assert end.outcome.stop_reason is StopReason.INTERRUPTED
        assert (Path(plan.folder) / "state.safetensors").is_file()
        resumed.append((end.outcome.resumed_at, end.outcome.curve[-1][0]))
    (first, reached), (second, _) = resumed
    assert first == 0
    assert second >= reached > 0


def test_a_place_whose_driver_is_silent_ends_its_trainings_and_says_so(place: Place, clock: Clock) -> None:
    steps(place, first=(Hold(parcel=PARCEL), start(LONG)), until=has(Progress))
    clock.advance(DRIVER_SECONDS - 1.0)
    place.check_driver()
    place.step((), 0.0)
    clock.advance(DRIVER_SECONDS - 1.0)
    place.wake()
    clock.advance(2.0)
    place.check_driver()
    place.step((), 0.0)  # the driver was heard of through `wake`
    clock.advance(DRIVER_SECONDS)
    (worker,) = workers_of(place)
    place.check_driver()
    assert not psutil.pid_exists(worker)
    with pytest.raises(RuntimeError, match="no driver called for 120 s"):
        place.step((), 0.0)


def test_a_place_leaves_no_folder_behind_and_removes_those_of_places_that_died(tmp_path: Path) -> None:
    import os

    dead = tmp_path / "tsladder-place-dead"
    dead.mkdir()
    (dead / "lock").touch()
    os.utime(dead, (0, 0))
    place = real_place(folder=tmp_path)
    (own,) = tmp_path.iterdir()
    assert own != dead
    other = real_place(folder=tmp_path)
    assert own.is_dir()
    for one in (place, other):
        one.end()
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_becomes_too_hot_loses_its_jobs_and_trains_again_when_it_is_cool(tmp_path: Path) -> None:
    clock, script = Clock(), Script(50.0, 97.0, 97.0, 50.0)
    place = Place(description, thermometer=lambda _device: script, folder=tmp_path, clock=clock)
    place.describe()
    steps(place, first=(Hold(parcel=PARCEL), start(LONG)), until=has(Progress))
    clock.advance(11.0)
    answer = place.step((), 0.0)
    lost = [event for event in answer.events if isinstance(event, Lost)]
    assert [(event.number, event.attempt) for event in lost] == [(0, 1)]
    assert "97 °C" in lost[0].reason
    assert answer.hot is not None
    clock.advance(11.0)
    assert place.step((), 0.0).hot is not None
    clock.advance(11.0)
    assert place.step((), 0.0).hot is None
    *_, end = steps(place, first=(start(SHORT, number=1),), until=has(Ended))
    assert isinstance(end, Ended)
    assert end.outcome.stop_reason is StopReason.COMPLETED
    place.end()


def test_a_step_that_waits_returns_when_it_is_woken(place: Place) -> None:
    import threading

    place.step((), 0.0)
    began = time.monotonic()
    threading.Timer(0.2, place.wake).start()
    assert place.step((), 30.0) == Answer(reading=place.step((), 0.0).reading)
    assert time.monotonic() - began < 10.0


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        ("0-1/trained", "../model.safetensors"),
        ("0-1/trained", "model.pkl"),
        ("0-1/trained", "state.safetensors"),
        ("0-1/checkpoints", "fold-1/../../state.safetensors"),
        ("0-1/checkpoints", "/etc/state.safetensors"),
        ("cubes", "../cube.arrow"),
        ("cubes", "zz.arrow"),
    ],
)
def test_only_files_of_known_names_are_taken(folder: str, name: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no file that is sent"):
        check_name(folder, name)
    piece = FilePiece(folder=folder, name=name, offset=0, data=b"x", is_last=True)
    with pytest.raises(ValueError, match="no file that is sent"):
        Receiving().write(piece, tmp_path / "folder")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("size", [0, 1, 9, 10, 11, 25])
def test_a_file_is_the_same_however_many_pieces_it_takes_and_has_no_name_before(size: int, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(bytes(range(size)))
    sending, receiving = Sending(source, folder="0-1/trained", name="model.safetensors"), Receiving()
    while not sending.done:
        assert not (tmp_path / "there" / "model.safetensors").exists()
        piece = sending.next_piece(10)
        assert len(piece.data) <= 10
        receiving.write(piece, tmp_path / "there")
    assert (tmp_path / "there" / "model.safetensors").read_bytes() == source.read_bytes()


def test_a_piece_that_comes_after_a_gap_is_refused(tmp_path: Path) -> None:
    piece = FilePiece(folder="0-1/trained", name="model.safetensors", offset=5, data=b"x", is_last=True)
    with pytest.raises(ValueError, match="came after 0 bytes"):
        Receiving().write(piece, tmp_path)


@pytest.mark.slow
def test_a_place_without_the_panel_is_sent_its_cube_and_trains_on_the_same_days(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tsladder.execution.remote_crew.PIECE_BYTES", 50_000)
    cell = made_up_cell(tmp_path / "driver")
    fold = DayFold(train=cell.days(Region.TRAIN), validation=cell.days(Region.VALIDATION))

    class Elsewhere(ThreadLink):
        """Its machine does not have the driver's files."""

        def step(self, commands: Sequence[Command], timeout: float) -> Future[Answer]:
            return super().step([_without_path(command) for command in commands], timeout)

    class FleetElsewhere(ThreadFleet):
        def look(self) -> Sequence[ThreadLink]:
            return [Elsewhere(link.name, link.place) for link in super().look()]

    losses = []
    for fleet in (FleetElsewhere({"a": real_place(folder=tmp_path)}), ThreadFleet({"a": real_place(folder=tmp_path)})):
        said: list[str] = []
        crew = crew_on(fleet, said=said)
        crew.hold([fold])
        for number in range(2):
            crew.start(JobOrder(number=number, job=panel_job(settings=settings(epochs=1))), crew.free(2)[0])
        ends = [event for event in all_ended(crew) if isinstance(event, Ended)]
        crew.end_now()
        assert {end.outcome.stop_reason for end in ends} == {StopReason.COMPLETED}
        losses.append(({end.outcome.best_val_loss for end in ends}, sum("is sent the panel" in line for line in said)))
    (far, sent), (near, not_sent) = losses
    assert far == near
    assert (sent, not_sent) == (1, 0)


def _without_path(command: Command) -> Command:
    if isinstance(command, Hold) and isinstance(command.parcel, DaysParcel):
        cube = dataclasses.replace(command.parcel.cube, path=Path("/nowhere/cube.arrow"))
        return Hold(parcel=dataclasses.replace(command.parcel, cube=cube))
    return command


def test_samples_are_named_by_all_that_they_hold() -> None:
    again = FoldWindows(train=windows(100, seed=1), validation=windows(60, seed=2))
    assert packed([again]).key == PARCEL.key
    other = dataclasses.replace(FOLD.validation, shift_NF=FOLD.validation.shift_NF + 1.0)
    assert other.fingerprint() == FOLD.validation.fingerprint()
    assert packed([FoldWindows(train=FOLD.train, validation=other)]).key != PARCEL.key
    assert packed([FOLD, FOLD]).key != PARCEL.key


def test_a_job_whose_process_is_killed_is_lost_and_can_be_started_again(place: Place) -> None:
    heard = steps(place, first=(Hold(parcel=PARCEL), start(LONG)), until=has(Progress))
    os.kill(workers_of(place)[0], signal.SIGKILL)
    heard += steps(place, until=has(Lost))
    lost = heard[-1]
    assert isinstance(lost, Lost)
    assert (lost.number, lost.attempt) == (0, 1)
    assert "-9" in lost.reason
    assert not has(Ended)(heard)
    assert workers_of(place) == []
    again = steps(place, first=(dataclasses.replace(start(SHORT), attempt=2),), until=has(Ended))
    assert [(event.number, event.attempt) for event in again if isinstance(event, Ended)] == [(0, 2)]
    assert sum(isinstance(event, Progress) for event in again) == SHORT.settings.epochs


def test_a_place_says_once_that_it_was_abandoned_and_not_when_its_driver_ends_it(tmp_path: Path, clock: Clock) -> None:
    said: list[str] = []
    made = [
        Place(
            description,
            thermometer=lambda _device: Script(50.0),
            folder=tmp_path,
            clock=clock,
            abandoned=lambda name=name: said.append(name),  # type: ignore[misc]
        )
        for name in ("left", "ended")
    ]
    made[1].end()
    clock.advance(DRIVER_SECONDS)
    for place in (*made, *made):
        place.check_driver()
    assert said == ["left"]
