"""The same engine on a GPU. Run where one is: make test PYTEST_FLAGS="-m gpu"."""

from __future__ import annotations

import dataclasses
import gc
from multiprocessing import Pipe
from pathlib import Path

import pytest
import torch
from tests.building import batch_plan, build_loss, geometry, job, recipe, settings, spec, windows
from tests.execution.test_supervisor import run_until_ended

from tsladder.artifacts.outcome import BatchPlan, TrainingOutcome
from tsladder.data.windows import FoldWindows
from tsladder.execution.probe import probe, synthetic_windows
from tsladder.execution.shared_windows import SharedWindows
from tsladder.execution.supervisor import Supervisor
from tsladder.execution.thermometer import NvidiaSmi
from tsladder.execution.worker import run_job
from tsladder.models.build import build
from tsladder.models.spec import ModelSpec
from tsladder.params import HardwareParams
from tsladder.planning.machine import survey
from tsladder.planning.memory import GIB, predicted_memory_gib
from tsladder.training.feed import WindowFeed
from tsladder.training.gradients import accumulate_gradients
from tsladder.training.outcome import Job
from tsladder.training.trainer import fit
from tsladder.training.weights import Weights
from tsladder.vocabulary import StopReason

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU that torch finds"),
]

TRAIN = windows(200, seed=1)
VALIDATION = windows(100, seed=2)
NO_DROPOUT = settings(dropout=0.0)

STUDY_WINDOWS = geometry(context_length=80, patch_len=16, stride=8, n_features=25)
"""As in the default study: nine tokens a window."""

FAMILIES = {
    "patchtst": STUDY_WINDOWS,
    "itransformer": dataclasses.replace(STUDY_WINDOWS, family="itransformer", n_features=205),
    "informer": dataclasses.replace(STUDY_WINDOWS, family="informer"),
}
"""Of 9, 205 and 80 tokens, which torch's attention kernels cut into one block and into several."""


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


def wide(family: str = "patchtst", d_model: int = 256, n_layers: int = 4) -> ModelSpec:
    """Large enough for the kernels that large models are trained by."""
    return spec(geometry=FAMILIES[family], d_model=d_model, n_layers=n_layers, n_heads=4, d_ff=4 * d_model)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize(
    ("precision", "optimizer"), [("fp32", "adamw"), ("bf16-mixed", "adamw"), ("bf16", "adamw"), ("bf16", "lean")]
)
def test_wide_models_of_every_family_repeat_on_a_gpu(family: str, precision: str, optimizer: str) -> None:
    what = job(
        spec=wide(family),
        device="cuda",
        recipe=recipe(precision=precision, optimizer=optimizer),
        plan=batch_plan(64, 64, precision=precision, optimizer=optimizer),
        settings=settings(learning_rate=1e-4),
    )
    train, validation = synthetic_windows(what.spec, 256), synthetic_windows(what.spec, 128)
    first, second = (fit(what, train, validation, lambda _record: True) for _ in range(2))
    assert first.best_val_loss is not None
    assert first.best_val_loss == second.best_val_loss
    assert [record.train_loss for record in first.curve] == [record.train_loss for record in second.curve]


@pytest.mark.parametrize("checkpointing", [False, True])
def test_a_loss_over_pairs_drops_the_same_units_in_both_of_its_passes_on_a_gpu(checkpointing: bool) -> None:
    device = torch.device("cuda")
    model = build(spec(), dropout=0.4, activation_checkpointing=checkpointing).to(device)
    feed, loss = WindowFeed(TRAIN, device), build_loss("soft_auc", TRAIN.y_N)
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
    supervisor = Supervisor([FoldWindows(train=TRAIN, validation=VALIDATION)])
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
    assert machine.available is not None
    assert machine.memory_gib < machine.available.free_gib <= total
    assert machine.idle_gib == pytest.approx(total - 1.0, abs=0.1)


@pytest.mark.parametrize(
    ("what", "plan"),
    [
        (wide(d_model=384, n_layers=12), batch_plan(256, 256)),
        (wide(d_model=384, n_layers=12), batch_plan(64, 128, precision="bf16-mixed")),
        (wide(d_model=1024, n_layers=16), batch_plan(256, 256, precision="bf16", optimizer="lean")),
        (
            wide(d_model=1024, n_layers=16),
            batch_plan(256, 256, precision="bf16", optimizer="lean", activation_checkpointing=True),
        ),
    ],
    ids=["fp32", "bf16-mixed in parts", "lean", "lean, activation checkpointing"],
)
def test_a_plan_made_before_any_calibration_asks_for_what_its_training_takes(
    what: ModelSpec, plan: BatchPlan, tmp_path: Path
) -> None:
    outcome = probe(what, plan, device="cuda", threads=1, scratch=tmp_path)
    assert (outcome.stop_reason, outcome.plan, outcome.retries) == (StopReason.COMPLETED, plan, 0)
    assert outcome.peak_memory_gib is not None
    # As much below the peak as predictions on a CPU may be, and nothing that would halve a micro-batch for no reason.
    assert -0.10 < predicted_memory_gib(what, plan) / outcome.peak_memory_gib - 1 < 0.60


def trained_within(gib: float, what: Job) -> TrainingOutcome:
    """`what`, trained by a worker's own function in this process, of which the allocator gives no more than `gib`."""
    windows_of_it = FoldWindows(train=synthetic_windows(what.spec, 1200), validation=synthetic_windows(what.spec, 100))
    ours, theirs = Pipe()
    gc.collect()
    torch.cuda.empty_cache()
    torch.cuda.set_per_process_memory_fraction(gib * GIB / torch.cuda.get_device_properties(0).total_memory)
    try:
        run_job(theirs, what, SharedWindows([windows_of_it]))
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
    while not isinstance(said := ours.recv(), TrainingOutcome):
        pass
    return said


AT_ONCE = 1024
LARGE = job(
    spec=wide(n_layers=12),
    device="cuda",
    recipe=recipe(effective_batch=AT_ONCE),
    plan=batch_plan(AT_ONCE, AT_ONCE),
    settings=settings(epochs=2, learning_rate=1e-4),
)


def test_a_training_that_runs_out_of_a_gpus_memory_continues_in_smaller_parts() -> None:
    outcome = trained_within(0.8, LARGE)
    assert outcome.scored, outcome.message
    assert outcome.retries > 0
    assert (outcome.plan.micro_batch, outcome.plan.effective_batch) == (AT_ONCE >> outcome.retries, AT_ONCE)
    from_the_start = trained_within(8.0, dataclasses.replace(LARGE, plan=outcome.plan))
    assert from_the_start.retries == 0
    assert outcome.best_val_loss == from_the_start.best_val_loss


def test_a_training_that_no_plan_fits_into_a_gpus_memory_ends_as_out_of_memory() -> None:
    outcome = trained_within(0.03, LARGE)
    assert outcome.stop_reason is StopReason.OUT_OF_MEMORY, outcome.message
    assert outcome.retries > 0
    assert outcome.best_val_loss is None


def test_a_gpu_says_how_hot_it_is() -> None:
    reading = NvidiaSmi().read()
    assert reading.celsius is not None, reading
