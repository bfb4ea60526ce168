"""Trainings on a GPU that are interrupted anywhere end with the bits of those that were not.

Run where a GPU is: make test PYTEST_FLAGS="-m gpu".
"""

from __future__ import annotations

import dataclasses
import itertools
import os
import random
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from tests.building import batch_plan, job, recipe, settings
from tests.execution.test_supervisor import kept_in, run_until_ended, wait_for_progress
from tests.training.test_checkpoints import (
    FOLDS,
    KINDS,
    TRAIN,
    VALIDATION,
    Killed,
    always,
    assert_same,
    checkpoints_in,
    killing,
    without_clocks,
)
from tests.training.test_gpu import wide

from tsladder.data.windows import FoldWindows, Windows
from tsladder.execution.probe import synthetic_windows
from tsladder.execution.supervisor import Supervisor
from tsladder.training.folds import walk_forward
from tsladder.training.outcome import Job
from tsladder.training.trainer import fit
from tsladder.vocabulary import StopReason

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU that torch finds"),
]


def wide_job(precision: str, optimizer: str, **plan: object) -> Job:
    return job(
        spec=wide(),
        settings=settings(learning_rate=1e-4),
        recipe=recipe(precision=precision, optimizer=optimizer),
        plan=batch_plan(precision=precision, optimizer=optimizer, **plan),
    )


ON_GPU = {
    name: dataclasses.replace(what, device="cuda")
    for name, what in {
        **KINDS,
        "wide, fp32": wide_job("fp32", "adamw"),
        "wide, bf16-mixed in parts": wide_job("bf16-mixed", "adamw", micro_batch=8),
        "wide, lean": wide_job("bf16", "lean"),
        "wide, lean, activation checkpointing": wide_job("bf16", "lean", activation_checkpointing=True),
    }.items()
}


def windows_of(what: Job) -> tuple[Windows, Windows]:
    if what.spec == wide():
        return synthetic_windows(what.spec, 100), synthetic_windows(what.spec, 60)
    return TRAIN, VALIDATION


@pytest.mark.parametrize("on_disk", [False, True], ids=["best in memory", "best on disk"])
@pytest.mark.parametrize("kind", ON_GPU)
def test_a_training_on_a_gpu_killed_at_random_ends_with_the_same_bits(kind: str, on_disk: bool, tmp_path: Path) -> None:
    what = dataclasses.replace(ON_GPU[kind], scratch_folder=str(tmp_path / "scratch") if on_disk else None)
    train, validation = windows_of(what)
    beats: list[None] = []
    undisturbed = fit(what, train, validation, always, lambda: beats.append(None))
    of_step = len(beats) // undisturbed.curve[-1].steps
    rng, folder = random.Random(kind), tmp_path / "checkpoints"
    for _ in range(3):
        kill = killing(rng.randint(of_step, 2 * of_step + 2))
        with pytest.raises(Killed):
            fit(what, train, validation, always, kill, checkpoints_in(folder))
    resumed = checkpoints_in(folder)
    assert_same(fit(what, train, validation, always, checkpoints=resumed), undisturbed)
    assert resumed.resumed_at > 0


@pytest.mark.parametrize("kind", ["fp32", "lean", "wide, fp32", "wide, lean", "wide, lean, activation checkpointing"])
def test_a_training_on_a_gpu_asked_to_stop_anywhere_loses_no_more_than_the_step_under_way(
    kind: str, tmp_path: Path
) -> None:
    what = ON_GPU[kind]
    train, validation = windows_of(what)
    beats: list[None] = []
    undisturbed = fit(what, train, validation, always, lambda: beats.append(None))
    for number, asked_at in enumerate(sorted(random.Random(kind).sample(range(len(beats)), 3))):
        folder, heard = tmp_path / str(number), itertools.count()

        def beat(heard: Iterator[int] = heard) -> None:
            next(heard)

        def stop(heard: Iterator[int] = heard, asked_at: int = asked_at) -> bool:
            return next(heard) >= asked_at

        stopped = fit(
            what, train, validation, always, beat, checkpoints_in(folder, stop_requested=stop, every_seconds=1e6)
        )
        assert stopped.stop_reason is StopReason.INTERRUPTED
        assert_same(fit(what, train, validation, always, checkpoints=checkpoints_in(folder)), undisturbed)


def test_a_walk_forward_on_a_gpu_continues_inside_its_fold(tmp_path: Path) -> None:
    beats: list[None] = []
    what = job(device="cuda")
    undisturbed = walk_forward(what, FOLDS, always, lambda: beats.append(None))
    for share in (0.2, 0.3, 0.3):
        with pytest.raises(Killed):
            walk_forward(what, FOLDS, always, killing(round(share * len(beats))), checkpoints_in(tmp_path))
    resumed = checkpoints_in(tmp_path)
    again = walk_forward(what, FOLDS, always, lambda: None, resumed)
    assert resumed.resumed_at > 0
    assert without_clocks(again.curve) == without_clocks(undisturbed.curve)
    assert again.best_val_loss == undisturbed.best_val_loss


@pytest.mark.parametrize("kind", ["fp32", "lean"])
def test_a_worker_on_a_gpu_that_was_killed_continues_from_its_checkpoint(kind: str, tmp_path: Path) -> None:
    what = dataclasses.replace(ON_GPU[kind], settings=settings(epochs=120))
    supervisor = Supervisor([FoldWindows(train=TRAIN, validation=VALIDATION)])
    supervisor.start(0, dataclasses.replace(what, checkpoints=kept_in(tmp_path)))
    wait_for_progress(supervisor)
    (child,) = supervisor._children.values()
    os.kill(child.process.pid or 0, signal.SIGKILL)
    assert run_until_ended(supervisor)[0].stop_reason is StopReason.KILLED
    again = Supervisor([FoldWindows(train=TRAIN, validation=VALIDATION)])
    again.start(0, dataclasses.replace(what, checkpoints=kept_in(tmp_path)))
    resumed = run_until_ended(again, seconds=120.0)[0]
    assert resumed.resumed_at > 0
    assert resumed.best_val_loss == fit(what, TRAIN, VALIDATION, always).best_val_loss
