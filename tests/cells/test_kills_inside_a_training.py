"""Workers killed at random instants, with models of the real shapes."""

from __future__ import annotations

import dataclasses
import random
import time
from pathlib import Path

import pytest
from safetensors.torch import load_file
from tests.building import batch_plan, job, recipe, settings, spec

from tsladder.artifacts.outcome import TrainingOutcome
from tsladder.data.windows import FoldWindows
from tsladder.execution.crew import Ended, Progress
from tsladder.execution.probe import synthetic_windows
from tsladder.execution.supervisor import Supervisor
from tsladder.models.spec import Geometry, ModelSpec
from tsladder.training.checkpoint_plan import CheckpointPlan
from tsladder.training.outcome import WEIGHTS, Job
from tsladder.vocabulary import StopReason

pytestmark = pytest.mark.slow

KILLS = 10
GEOMETRY = Geometry(family="patchtst", context_length=80, n_features=25, patch_len=16, stride=8, revin=False)


def model(d_model: int, n_layers: int, n_heads: int, d_ff: int) -> ModelSpec:
    return spec(geometry=GEOMETRY, d_model=d_model, n_layers=n_layers, n_heads=n_heads, d_ff=d_ff)


TWO_MILLION = model(192, 4, 4, 768)
LEAN = {"precision": "bf16", "optimizer": "lean"}
MIXED = {"precision": "bf16-mixed"}
JOBS: dict[str, Job] = {
    "12k": job(spec=model(16, 2, 4, 32), settings=settings(epochs=70), plan=batch_plan(64, 64)),
    "2M": job(spec=TWO_MILLION, recipe=recipe(**MIXED), settings=settings(epochs=5), plan=batch_plan(32, 64, **MIXED)),
    "lean at 2M": job(
        spec=TWO_MILLION, recipe=recipe(**LEAN), settings=settings(epochs=5), plan=batch_plan(64, 64, **LEAN)
    ),
    "walk forward": job(spec=model(16, 2, 4, 32), settings=settings(epochs=35), plan=batch_plan(64, 64)),
}


def windows_of(what: Job) -> tuple[FoldWindows, ...]:
    folds = [
        FoldWindows(train=synthetic_windows(what.spec, n), validation=synthetic_windows(what.spec, 64))
        for n in (250, 400)
    ]
    return tuple(folds)


def trained(supervisor: Supervisor, what: Job, kill_after: float | None) -> TrainingOutcome:
    """How `what` ends; its worker is killed `kill_after` seconds after an epoch of it."""
    supervisor.start(0, what)
    deadline = time.monotonic() + 600.0
    kill_at = None
    while time.monotonic() < deadline:
        if kill_at is not None and time.monotonic() >= kill_at:
            for child in supervisor._children.values():
                child.process.kill()
            kill_at = None
        for event in supervisor.events(timeout=0.05):
            if isinstance(event, Ended):
                return event.outcome
            if kill_after is not None and isinstance(event, Progress):
                kill_at, kill_after = time.monotonic() + kill_after, None
    raise AssertionError("it did not end within ten minutes")


@pytest.mark.parametrize("kind", JOBS)
def test_a_training_killed_ten_times_ends_with_the_bits_of_an_undisturbed_one(kind: str, tmp_path: Path) -> None:
    what, folds = JOBS[kind], windows_of(JOBS[kind])
    supervisor = Supervisor(folds if kind == "walk forward" else folds[-1:])
    saved = kind != "walk forward"
    began = time.monotonic()
    undisturbed = trained(
        supervisor, dataclasses.replace(what, checkpoint_folder=str(tmp_path / "one") if saved else None), None
    )
    lasted = time.monotonic() - began
    kept = CheckpointPlan(folder=str(tmp_path / "kept"), identity="this", every_seconds=0.05, predicted_longer=True)
    disturbed = dataclasses.replace(
        what, checkpoints=kept, checkpoint_folder=str(tmp_path / "other") if saved else None
    )
    rng = random.Random(kind)
    killed = 0
    outcome = None
    for _ in range(KILLS):
        outcome = trained(supervisor, disturbed, rng.random() * lasted / KILLS / 2)
        if outcome.stop_reason is not StopReason.KILLED:
            break
        killed += 1
    else:
        outcome = trained(supervisor, disturbed, None)
    supervisor.end_now()
    assert killed >= KILLS // 3, "the training was over before it could be killed: train for longer"
    assert outcome.resumed_at > 0
    assert outcome.curve == undisturbed.curve
    assert (outcome.best_val_loss, outcome.best_epoch) == (undisturbed.best_val_loss, undisturbed.best_epoch)
    if saved:
        one, other = load_file(tmp_path / "one" / WEIGHTS), load_file(tmp_path / "other" / WEIGHTS)
        assert one.keys() == other.keys()
        assert all(bool((one[name] == other[name]).all()) for name in one)
