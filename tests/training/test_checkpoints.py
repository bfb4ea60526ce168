"""A training that is interrupted anywhere ends with the bits of one that was not."""

from __future__ import annotations

import dataclasses
import functools
import itertools
import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from tests.building import batch_plan, geometry, job, recipe, settings, spec, windows

from tsladder.artifacts.outcome import EpochRecord
from tsladder.data.windows import FoldWindows
from tsladder.params import OptimizerSettings
from tsladder.training.checkpoint_plan import CheckpointPlan, remove_checkpoints
from tsladder.training.checkpoints import STATE, Checkpoints
from tsladder.training.folds import WalkForwardResult, walk_forward
from tsladder.training.outcome import Job
from tsladder.training.trainer import Fitted, fit
from tsladder.vocabulary import StopReason

TRAIN = windows(100, seed=1)
VALIDATION = windows(60, seed=2)
FOLDS = (
    FoldWindows(train=windows(70, seed=3), validation=windows(40, seed=4)),
    FoldWindows(train=TRAIN, validation=VALIDATION),
)


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


class Killed(BaseException):
    """Stands for a kill -9: nothing that would catch an ordinary exception sees it."""


class Lines:
    def __init__(self) -> None:
        self.messages: list[str] = []

    def __call__(self, text: str) -> None:
        self.messages.append(text)


def plan_in(folder: Path, *, every_seconds: float = 0.0, identity: str = "this", longer: bool = True) -> CheckpointPlan:
    return CheckpointPlan(folder=str(folder), identity=identity, every_seconds=every_seconds, predicted_longer=longer)


def checkpoints_in(
    folder: Path,
    say: Callable[[str], None] = lambda text: None,
    stop_requested: Callable[[], bool] = lambda: False,
    **changes: object,
) -> Checkpoints:
    return Checkpoints(plan_in(folder, **changes), say=say, stop_requested=stop_requested)  # type: ignore[arg-type]


def always(_record: EpochRecord) -> bool:
    return True


def killing(beats: int) -> Callable[[], None]:
    """A beat that kills at its `beats`-th call."""
    left = itertools.count(beats, -1)

    def beat() -> None:
        if next(left) == 0:
            raise Killed

    return beat


KINDS: dict[str, Job] = {
    "fp32": job(),
    "accumulation": job(plan=batch_plan(8)),
    "bf16-mixed": job(recipe=recipe(precision="bf16-mixed"), plan=batch_plan(precision="bf16-mixed")),
    "bf16": job(recipe=recipe(precision="bf16"), plan=batch_plan(precision="bf16")),
    "adabelief": job(recipe=recipe(optimizer="adabelief"), plan=batch_plan(optimizer="adabelief")),
    "adabelief, rectified, on masters": job(
        recipe=recipe(
            optimizer="adabelief", precision="bf16-mixed", optimizer_settings=OptimizerSettings(rectify=True)
        ),
        plan=batch_plan(optimizer="adabelief", precision="bf16-mixed"),
    ),
    "lean": job(recipe=recipe(precision="bf16", optimizer="lean"), plan=batch_plan(precision="bf16", optimizer="lean")),
    "lean, activation checkpointing": job(
        recipe=recipe(precision="bf16", optimizer="lean"),
        plan=batch_plan(16, precision="bf16", optimizer="lean", activation_checkpointing=True),
    ),
    "soft_auc in parts": job(recipe=recipe(loss="soft_auc"), plan=batch_plan(8)),
    "early stopping": job(recipe=recipe(patience=2, min_delta=0.5), settings=settings(epochs=9), spec=spec(n_layers=2)),
    "informer": job(spec=spec(geometry=geometry(family="informer", context_length=24), n_layers=2)),
}


def without_clocks(curve: tuple[EpochRecord, ...]) -> list[EpochRecord]:
    return [dataclasses.replace(record, train_seconds=0.0, seconds=0.0) for record in curve]


def assert_same(one: Fitted, other: Fitted) -> None:
    assert one.stop_reason is other.stop_reason
    assert (one.best_val_loss, one.val_loss_se, one.best_epoch, one.val_auc) == (
        other.best_val_loss,
        other.val_loss_se,
        other.best_epoch,
        other.val_auc,
    )
    assert without_clocks(one.curve) == without_clocks(other.curve)
    for (name, here), (other_name, there) in zip(
        one.weights.to_save.items(), other.weights.to_save.items(), strict=True
    ):
        assert name == other_name
        assert torch.equal(here, there), name


@functools.cache
def undisturbed_of(kind: str) -> tuple[Fitted, int]:
    """A training that nobody stops, with the best epoch in memory, and how often it beats."""
    beats: list[None] = []
    return fit(KINDS[kind], TRAIN, VALIDATION, always, lambda: beats.append(None)), len(beats)


@pytest.mark.parametrize(
    "on_disk", [False, pytest.param(True, marks=pytest.mark.slow)], ids=["best in memory", "best on disk"]
)
@pytest.mark.parametrize("kind", KINDS)
def test_a_training_killed_at_random_ends_with_the_same_bits(kind: str, on_disk: bool, tmp_path: Path) -> None:
    what = dataclasses.replace(KINDS[kind], scratch_folder=str(tmp_path / "scratch") if on_disk else None)
    undisturbed, beats = undisturbed_of(kind)
    of_step = beats // undisturbed.curve[-1].steps
    rng, folder = random.Random(kind), tmp_path / "checkpoints"
    for _ in range(2):
        kill = killing(rng.randint(of_step, 4 * of_step + 2))
        with pytest.raises(Killed):
            fit(what, TRAIN, VALIDATION, always, kill, checkpoints_in(folder))
    resumed = checkpoints_in(folder)
    assert_same(fit(what, TRAIN, VALIDATION, always, checkpoints=resumed), undisturbed)
    assert resumed.resumed_at > 0


@pytest.mark.parametrize("kind", ["fp32", "bf16", "lean", "lean, activation checkpointing", "accumulation"])
def test_a_training_asked_to_stop_anywhere_leaves_all_but_the_step_under_way(kind: str, tmp_path: Path) -> None:
    what = KINDS[kind]
    undisturbed, beats = undisturbed_of(kind)
    rng = random.Random(kind)
    for number, asked_at in enumerate(sorted(rng.sample(range(beats), 2))):
        folder, heard = tmp_path / str(number), itertools.count()

        def beat(heard: Iterator[int] = heard) -> None:
            next(heard)

        def stop(heard: Iterator[int] = heard, asked_at: int = asked_at) -> bool:
            return next(heard) >= asked_at

        stopped = fit(
            what, TRAIN, VALIDATION, always, beat, checkpoints_in(folder, stop_requested=stop, every_seconds=1e6)
        )
        assert stopped.stop_reason is StopReason.INTERRUPTED
        assert stopped.best_val_loss is None
        assert_same(fit(what, TRAIN, VALIDATION, always, checkpoints=checkpoints_in(folder)), undisturbed)


def test_a_walk_forward_continues_inside_its_fold(tmp_path: Path) -> None:
    beats: list[None] = []
    undisturbed = walk_forward(job(), FOLDS, always, lambda: beats.append(None))
    folder = tmp_path / "checkpoints"
    for share in (0.2, 0.3, 0.3):
        with pytest.raises(Killed):
            walk_forward(job(), FOLDS, always, killing(round(share * len(beats))), checkpoints_in(folder))
    resumed = checkpoints_in(folder)
    again = walk_forward(job(), FOLDS, always, lambda: None, resumed)
    assert isinstance(again, WalkForwardResult)
    assert resumed.resumed_at > len(FOLDS[0].train) // 32
    assert without_clocks(again.curve) == without_clocks(undisturbed.curve)
    assert [dataclasses.replace(fold, seconds=0.0) for fold in again.folds] == [
        dataclasses.replace(fold, seconds=0.0) for fold in undisturbed.folds
    ]
    assert again.best_val_loss == undisturbed.best_val_loss
    assert again.optimizer == undisturbed.optimizer


def test_the_optimizer_of_folds_that_all_ended_before_is_still_recorded(tmp_path: Path) -> None:
    whole = walk_forward(job(), FOLDS, always, lambda: None, checkpoints_in(tmp_path))
    again = walk_forward(job(), FOLDS, always, lambda: None, checkpoints_in(tmp_path))
    assert whole.optimizer is not None
    assert again.optimizer == whole.optimizer


def test_a_training_that_is_short_writes_nothing(tmp_path: Path) -> None:
    short = checkpoints_in(tmp_path / "c", longer=False, every_seconds=600.0, stop_requested=lambda: True)
    ended = fit(job(), TRAIN, VALIDATION, lambda record: record.epoch < 2, checkpoints=short)
    assert ended.stop_reason is StopReason.INTERRUPTED
    assert len(ended.curve) == 2
    assert not (tmp_path / "c").exists()


def test_a_training_that_takes_longer_than_predicted_is_kept_from_then_on(tmp_path: Path) -> None:
    clock = itertools.count(0.0, 25.0)
    slow = Checkpoints(
        plan_in(tmp_path / "c", longer=False, every_seconds=600.0),
        say=lambda text: None,
        stop_requested=lambda: False,
        clock=lambda: next(clock),
    )
    fit(job(settings=settings(epochs=12)), TRAIN, VALIDATION, always, checkpoints=slow)
    assert (tmp_path / "c" / STATE).exists()


def test_a_stop_asked_for_in_the_last_epoch_loses_nothing(tmp_path: Path) -> None:
    undisturbed = fit(job(), TRAIN, VALIDATION, always)
    assert_same(fit(job(), TRAIN, VALIDATION, lambda record: record.epoch < 3), undisturbed)


def left_behind(folder: Path) -> None:
    """A checkpoint of the first steps."""
    with pytest.raises(Killed):
        fit(job(), TRAIN, VALIDATION, always, killing(14), checkpoints_in(folder))
    assert (folder / STATE).exists()


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.write_bytes(path.read_bytes()[:-7]),
        lambda path: path.write_bytes(b"not a checkpoint"),
        lambda path: path.write_bytes(path.read_bytes()[:-1] + bytes([path.read_bytes()[-1] ^ 1])),
    ],
    ids=["cut", "another file", "one bit"],
)
def test_a_damaged_checkpoint_is_set_aside_and_reported_and_training_begins_again(
    damage: Callable[[Path], object], tmp_path: Path
) -> None:
    left_behind(tmp_path)
    damage(tmp_path / STATE)
    damaged, lines = (tmp_path / STATE).read_bytes(), Lines()
    resumed = checkpoints_in(tmp_path, lines, every_seconds=1e6)
    assert_same(fit(job(), TRAIN, VALIDATION, always, checkpoints=resumed), fit(job(), TRAIN, VALIDATION, always))
    assert resumed.resumed_at == 0
    assert len(lines.messages) == 1
    assert (tmp_path / f"{STATE}.aside-1").read_bytes() == damaged


def test_a_checkpoint_of_another_training_is_never_continued(tmp_path: Path) -> None:
    left_behind(tmp_path)
    lines = Lines()
    other = checkpoints_in(tmp_path, lines, identity="other", every_seconds=1e6)
    fit(job(), TRAIN, VALIDATION, always, checkpoints=other)
    assert other.resumed_at == 0
    assert len(lines.messages) == 1
    assert (tmp_path / f"{STATE}.aside-1").exists()


def test_a_checkpoint_without_the_weights_of_its_best_epoch_is_not_continued(tmp_path: Path) -> None:
    on_disk = job(scratch_folder=str(tmp_path / "scratch"), settings=settings(epochs=6))
    folder = tmp_path / "c"
    with pytest.raises(Killed):
        fit(on_disk, TRAIN, VALIDATION, always, killing(60), checkpoints_in(folder))
    for path in folder.glob("best-*"):
        path.unlink()
    lines = Lines()
    resumed = checkpoints_in(folder, lines, every_seconds=1e6)
    assert_same(fit(on_disk, TRAIN, VALIDATION, always, checkpoints=resumed), fit(on_disk, TRAIN, VALIDATION, always))
    assert resumed.resumed_at == 0
    assert len(lines.messages) == 1


def test_a_disk_without_room_is_reported_once_and_training_continues(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda folder: shutil._ntuple_diskusage(10, 10, 0))  # type: ignore[attr-defined]
    lines = Lines()
    assert_same(
        fit(job(), TRAIN, VALIDATION, always, checkpoints=checkpoints_in(tmp_path, lines)),
        fit(job(), TRAIN, VALIDATION, always),
    )
    assert len(lines.messages) == 1
    assert not (tmp_path / STATE).exists()


def test_what_a_training_left_is_removed_with_it_but_what_was_set_aside_stays(tmp_path: Path) -> None:
    folder = tmp_path / "checkpoints" / "trial-000"
    left_behind(folder)
    remove_checkpoints(plan_in(folder))
    assert not folder.parent.exists()
    left_behind(folder)
    (folder / f"{STATE}.aside-1").write_bytes(b"damaged")
    remove_checkpoints(plan_in(folder))
    assert [path.name for path in folder.iterdir()] == [f"{STATE}.aside-1"]
