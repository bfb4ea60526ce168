"""The same engine on a GPU. Run where one is: make test PYTEST_FLAGS="-m gpu"."""

from __future__ import annotations

import pytest
import torch
from tests.building import job, recipe, settings, windows
from tests.training.test_supervisor import run_until_ended

from tsladder.params import HardwareParams
from tsladder.planning.machine import survey
from tsladder.training.supervisor import Supervisor
from tsladder.training.trainer import fit

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU that torch finds"),
]

TRAIN = windows(200, seed=1)
VALIDATION = windows(100, seed=2)
NO_DROPOUT = settings(dropout=0.0)


def test_a_gpu_trains_what_the_cpu_trains() -> None:
    losses = []
    for device in ("cpu", "cuda"):
        fitted = fit(job(device=device, settings=NO_DROPOUT), TRAIN, VALIDATION, lambda _record: True)
        assert fitted.best_val_loss is not None
        losses.append(fitted.best_val_loss)
    assert losses[0] == pytest.approx(losses[1], abs=1e-4)


@pytest.mark.parametrize("precision", ["fp32", "bf16-mixed", "bf16"])
def test_every_precision_and_dropout_repeat_on_a_gpu(precision: str) -> None:
    first, second = (
        fit(job(device="cuda", recipe=recipe(precision=precision)), TRAIN, VALIDATION, lambda _record: True)
        for _ in range(2)
    )
    assert first.best_val_loss is not None
    assert first.best_val_loss == second.best_val_loss


def test_several_workers_share_a_gpu_and_tell_the_allocators_peak() -> None:
    supervisor = Supervisor(TRAIN, VALIDATION)
    for number in range(4):
        supervisor.start(number, job(device="cuda"))
    outcomes = run_until_ended(supervisor, seconds=180.0)
    assert len({outcome.best_val_loss for outcome in outcomes.values()}) == 1
    for outcome in outcomes.values():
        assert outcome.scored
        # The resident size of a process with CUDA loaded is gigabytes; this model's tensors are not.
        assert outcome.peak_memory_gib is not None
        assert 0.0 < outcome.peak_memory_gib < 0.5


def test_the_memory_that_is_planned_for_is_the_gpus() -> None:
    machine = survey(HardwareParams(device="cuda", memory_gib=None, workers="auto"))
    total = torch.cuda.get_device_properties(0).total_memory / 2**30
    assert total - 2.0 < machine.memory_gib < total
