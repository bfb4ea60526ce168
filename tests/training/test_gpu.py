"""The same engine on a GPU. Run where one is: make test PYTEST_FLAGS="-m gpu"."""

from __future__ import annotations

import pytest
import torch
from tests.building import job, recipe, settings, spec, windows
from tests.training.test_supervisor import run_until_ended

from tsladder.models.build import build
from tsladder.params import HardwareParams
from tsladder.planning.machine import survey
from tsladder.training.feed import Feed
from tsladder.training.gradients import accumulate_gradients
from tsladder.training.losses import build_loss
from tsladder.training.supervisor import Supervisor
from tsladder.training.trainer import fit
from tsladder.training.weights import Weights

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


@pytest.mark.parametrize("checkpointing", [False, True])
def test_a_loss_over_pairs_drops_the_same_units_in_both_of_its_passes_on_a_gpu(checkpointing: bool) -> None:
    device = torch.device("cuda")
    model = build(spec(), dropout=0.4, activation_checkpointing=checkpointing).to(device)
    feed, loss = Feed(TRAIN, device), build_loss("soft_auc", TRAIN.y_N)
    index_B = torch.arange(31, device=device)

    def gradients() -> list[torch.Tensor]:
        return [p.grad.clone() for p in model.parameters() if p.grad is not None]

    torch.manual_seed(5)
    model.train()
    out_B = torch.cat([model(feed.batch(part)[0]) for part in index_B.split(7)])
    (loss.total(out_B, feed.y_N[index_B]) / 31).backward()
    one_graph = gradients()
    model.zero_grad()
    torch.manual_seed(5)
    accumulate_gradients(model, Weights(model, "fp32"), feed, index_B, 7, loss)
    for expected, found in zip(one_graph, gradients(), strict=True):
        torch.testing.assert_close(expected, found, atol=1e-5, rtol=1e-4)


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


def test_the_memory_that_is_planned_for_is_what_is_free_of_the_gpus() -> None:
    machine = survey(HardwareParams(device="cuda", memory_gib=None, workers="auto"))
    total = torch.cuda.get_device_properties(0).total_memory / 2**30
    assert machine.at_hand is not None
    assert machine.memory_gib < machine.at_hand.free_gib <= total
    assert machine.usual_gib == pytest.approx(total - 1.0, abs=0.1)
