"""Training on days of a panel: repeated bit for bit, given up where outputs are no numbers, smaller in days where there
is too little memory, and continued after a kill."""

from __future__ import annotations

import dataclasses
import math
import random
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from tests.building import batch_plan, settings
from tests.panel.cell_days import MadeUpCell, made_up_cell
from tests.panel.made_up import made_up
from tests.panel_building import STOCKS, of_losses, panel_job, panel_recipe, panel_spec

from tsladder.artifacts.outcome import BatchPlan, EpochRecord, TrainingOutcome
from tsladder.execution import worker
from tsladder.execution.crew import Ended, Progress
from tsladder.execution.supervisor import Supervisor
from tsladder.panel.dataset import DayFold
from tsladder.panel.panel import Panel
from tsladder.training import trainer
from tsladder.training.checkpoint_plan import CheckpointPlan
from tsladder.training.day_feed import DayFeed
from tsladder.training.folds import job_of_fold
from tsladder.training.outcome import WEIGHTS, Job
from tsladder.training.trainer import Fitted, fit, predict_logits
from tsladder.vocabulary import Region, StopReason


@pytest.fixture(scope="module")
def cell(tmp_path_factory: pytest.TempPathFactory) -> MadeUpCell:
    return made_up_cell(tmp_path_factory.mktemp("cubes"))


def carry_on(_record: EpochRecord) -> bool:
    return True


def fitted(cell: MadeUpCell, job: Job, *, weighed: bool = False) -> Fitted:
    train, validation = (cell.days(region, weighed=weighed) for region in (Region.TRAIN, Region.VALIDATION))
    return fit(job, train, validation, carry_on)


def equal_weights(one: Fitted, other: Fitted) -> bool:
    ours, theirs = one.model.state_dict(), other.model.state_dict()
    return all(torch.equal(ours[name], theirs[name]) for name in ours)


def test_two_runs_of_one_job_end_with_the_same_bits(cell: MadeUpCell) -> None:
    recipe, spec = of_losses({"quantile": 1.0, "ic": 0.5, "sharpe": 0.1, "regime": 0.5})
    recipe = dataclasses.replace(recipe, train_every=2, stocks_per_day=8)
    one, other = (fitted(cell, panel_job(recipe=recipe, spec=spec), weighed=True) for _ in range(2))
    assert equal_weights(one, other)
    assert one.best_val_loss == other.best_val_loss
    assert one.figures == other.figures is not None
    assert [record.val_loss for record in one.curve] == [record.val_loss for record in other.curve]


@pytest.mark.parametrize("changes", [{"seed": 8}, {"recipe": panel_recipe(train_every=2)}], ids=["seed", "train_every"])
def test_another_seed_and_other_days_give_another_model(cell: MadeUpCell, changes: dict[str, object]) -> None:
    assert not equal_weights(fitted(cell, panel_job()), fitted(cell, panel_job(**changes)))


def test_the_figures_are_those_of_the_restored_best_weights(cell: MadeUpCell) -> None:
    found = fitted(cell, panel_job(settings=settings(epochs=6, learning_rate=2e-2)))
    losses = [record.val_loss for record in found.curve]
    assert found.best_val_loss == min(losses)
    assert found.best_epoch == losses.index(min(losses)) + 1
    feed = DayFeed(cell.days(Region.VALIDATION), torch.device("cpu"), panel_recipe(), 0)
    assert found.figures == feed.figures(predict_logits(found.model, feed))
    assert found.figures is not None
    assert found.figures.rank_error == pytest.approx(found.best_val_loss, abs=1e-12)
    assert found.val_auc is None
    days = cell.days(Region.VALIDATION)
    assert found.val_loss_se is not None
    assert 0.0 < found.val_loss_se < 2.0 / math.sqrt(len(days))


def test_a_model_whose_outputs_are_no_numbers_has_diverged_and_has_no_figure(cell: MadeUpCell) -> None:
    class Broken(trainer.Trainer):
        def __init__(self, *arguments: object) -> None:
            super().__init__(*arguments)  # type: ignore[arg-type]
            with torch.no_grad():
                self.model.get_submodule("head").weight.fill_(math.nan)

    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(trainer, "Trainer", Broken)
        found = fitted(cell, panel_job())
    assert found.stop_reason is StopReason.DIVERGED
    assert (found.best_val_loss, found.best_epoch, found.figures, found.curve) == (None, None, None, ())


def test_an_exploding_training_has_diverged(cell: MadeUpCell) -> None:
    job = panel_job(
        settings=settings(learning_rate=1e30, epochs=4, warmup_steps=0), recipe=panel_recipe(max_gradient_norm=None)
    )
    found = fitted(cell, job)
    assert found.stop_reason is StopReason.DIVERGED
    assert found.best_val_loss is None


def test_a_model_learns_to_rank_what_can_be_ranked(tmp_path: Path) -> None:
    """Tomorrow's return goes against that of the last five sessions, which is one of the columns."""
    learned = fitted(made_up_cell(tmp_path, reverting()), panel_job(settings=settings(epochs=6, learning_rate=1e-2)))
    assert learned.figures is not None
    assert learned.figures.rank_ic.value > 0.2
    assert learned.figures.rank_ic.low > 0.1


def reverting(days: int = 700, reversal: float = 0.9) -> Panel:
    """Prices whose return of a day is, but for noise, against the mean of the five sessions that ended two before."""
    rng = np.random.default_rng(0)
    move_TS = rng.normal(0.0, 0.02, (days, STOCKS))
    for row in range(7, days):
        move_TS[row] -= reversal * move_TS[row - 6 : row - 1].mean(0)
    panel = made_up(days=days, gaps=False)
    return dataclasses.replace(panel, close_TS=50.0 * np.exp(np.cumsum(move_TS, axis=0)))


def test_of_several_folds_the_loss_is_the_mean_and_no_model_has_figures(cell: MadeUpCell) -> None:
    """Each fold is trained as if it were alone, on a seed of its own."""
    train, validation = cell.days(Region.TRAIN), cell.days(Region.VALIDATION)
    half = dataclasses.replace(train, days=dataclasses.replace(train.days, rows_N=train.days.rows_N[:40]))
    folds = (DayFold(train=half, validation=validation), DayFold(train=train, validation=validation))
    outcome = trained_here(panel_job(), *folds)
    jobs = [job_of_fold(panel_job(), folds, number) for number in (1, 2)]
    alone = [trained_here(job, fold).best_val_loss for job, fold in zip(jobs, folds, strict=True)]
    assert outcome.validation is None
    assert outcome.best_val_loss == pytest.approx(np.mean(alone), abs=1e-12)  # type: ignore[arg-type]
    assert [fold.best_val_loss for fold in outcome.folds] == pytest.approx(alone, abs=1e-12)


# --------------------------------------------------------------------------- memory


class Deaf:
    """A channel to nobody."""

    def send(self, _message: object) -> None: ...

    def poll(self) -> bool:
        return False


def whole_fold(cell: MadeUpCell) -> DayFold:
    return DayFold(train=cell.days(Region.TRAIN), validation=cell.days(Region.VALIDATION))


def trained_here(job: Job, *folds: DayFold) -> TrainingOutcome:
    before = torch.get_num_threads()
    try:
        return worker._train(Deaf(), job, folds, time.perf_counter())  # type: ignore[arg-type]
    finally:
        torch.set_num_threads(before)


@pytest.mark.slow
def test_a_day_too_many_leads_to_fewer_days_then_to_checkpointing_then_to_chunks_of_stocks(
    cell: MadeUpCell, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[BatchPlan] = []

    def fit_within(job: Job, *rest: object) -> Fitted:
        tried.append(job.plan)
        if job.plan.stocks_at_once is None or job.plan.stocks_at_once > STOCKS // 2:
            raise MemoryError("no room")
        return fit(job, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(trainer, "fit", fit_within)
    plain = panel_job(settings=settings(dropout=0.0, epochs=1), plan=batch_plan(4, 8))
    outcome = trained_here(plain, whole_fold(cell))
    assert [(plan.micro_batch, plan.activation_checkpointing, plan.stocks_at_once) for plan in tried] == [
        (4, False, None),
        (2, False, None),
        (2, True, None),
        (1, True, None),
        (1, True, STOCKS // 2),
    ]
    assert {plan.effective_batch for plan in tried} == {8}
    assert all(plan.micro_batch * plan.accumulation_steps == 8 for plan in tried)
    assert (outcome.retries, outcome.plan) == (4, tried[-1])
    whole = fitted(cell, plain)
    assert outcome.best_val_loss == pytest.approx(whole.best_val_loss, abs=5e-3)
    assert outcome.validation is not None


def test_what_never_fits_ends_without_a_figure(cell: MadeUpCell, monkeypatch: pytest.MonkeyPatch) -> None:
    def give_up(*_arguments: object) -> Fitted:
        raise MemoryError("no room")

    monkeypatch.setattr(trainer, "fit", give_up)
    outcome = trained_here(panel_job(spec=panel_spec(), plan=batch_plan(1, 1)), whole_fold(cell))
    assert outcome.stop_reason is StopReason.OUT_OF_MEMORY
    assert (outcome.best_val_loss, outcome.validation, outcome.scored) == (None, None, False)


# --------------------------------------------------------------------------- kills


def trained(supervisor: Supervisor, job: Job, kill_after: float | None) -> TrainingOutcome:
    """How `job` ends; its worker is killed `kill_after` seconds after an epoch of it."""
    supervisor.start(0, job)
    deadline = time.monotonic() + 300.0
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
    raise AssertionError("it did not end within five minutes")


@pytest.mark.slow
def test_a_training_on_days_that_was_killed_ends_with_the_bits_of_an_undisturbed_one(
    cell: MadeUpCell, tmp_path: Path
) -> None:
    recipe, spec = of_losses({"ic": 1.0, "sharpe": 0.2})
    recipe = dataclasses.replace(recipe, train_every=2, stocks_per_day=9, effective_batch=8)
    job = panel_job(spec=spec, recipe=recipe, settings=settings(epochs=40), plan=batch_plan(2, 8))
    supervisor = Supervisor([whole_fold(cell)])
    began = time.monotonic()
    undisturbed = trained(supervisor, dataclasses.replace(job, checkpoint_folder=str(tmp_path / "one")), None)
    lasted = time.monotonic() - began
    kept = CheckpointPlan(folder=str(tmp_path / "kept"), identity="this", every_seconds=0.05, predicted_longer=True)
    disturbed = dataclasses.replace(job, checkpoints=kept, checkpoint_folder=str(tmp_path / "other"))
    rng, killed = random.Random(5), 0
    while True:
        outcome = trained(supervisor, disturbed, rng.random() * lasted / 8 if killed < 4 else None)
        if outcome.stop_reason is not StopReason.KILLED:
            break
        killed += 1
    supervisor.end_now()
    assert killed >= 2, "the training was over before it could be killed: train for longer"
    assert outcome.resumed_at > 0
    assert outcome.curve == undisturbed.curve
    assert (outcome.best_val_loss, outcome.best_epoch) == (undisturbed.best_val_loss, undisturbed.best_epoch)
    assert outcome.validation == undisturbed.validation
    one, other = load_file(tmp_path / "one" / WEIGHTS), load_file(tmp_path / "other" / WEIGHTS)
    assert one.keys() == other.keys()
    assert all(bool((one[name] == other[name]).all()) for name in one)
