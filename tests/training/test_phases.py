"""Trainings in phases: what is trained in each, what goes on from one to the next, and that an interruption changes no
bit."""

from __future__ import annotations

import dataclasses
import functools
import itertools
import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.building import batch_plan, job, recipe, settings
from tests.training.days import cell_days, panel_recipe, phase, spec, stored_cube
from tests.training.test_checkpoints import Killed, always, assert_same, checkpoints_in, killing, plan_in
from torch import Tensor

from tsladder.artifacts.outcome import EpochRecord, TrainingOutcome
from tsladder.artifacts.plans import PhaseRecipe, Recipe
from tsladder.artifacts.trained_model import RECORD, read_trained_model
from tsladder.cells.forecasting import TrainedSeeds, forecasting
from tsladder.execution.crew import Ended, Progress
from tsladder.execution.supervisor import Supervisor
from tsladder.models.build import build
from tsladder.panel.dataset import DayFold
from tsladder.training import trainer as trainer_module
from tsladder.training.feed import feed_of
from tsladder.training.folds import walk_forward
from tsladder.training.optim import build_optimizer, learning_rate_factor, optimizer_numbers, restore_optimizer
from tsladder.training.outcome import Job
from tsladder.training.phases import Phase, activate, phases_of
from tsladder.training.trainer import Fitted, Trainer, fit, predict_logits, training_loss
from tsladder.training.validation_metrics import mean_loss
from tsladder.vocabulary import StopReason

TRAIN, VALIDATION = cell_days(12, 43), cell_days(62, 75)
STEPS = -(-len(TRAIN) // 16)
PLAIN = phase("plain", 2)
NORMALISED = phase("normalised", 2, ("fan", "san"), loss_weights={"quantile": 1.0, "sharpe": 0.1})
GRAPH = phase("graph", 2, ("fan", "san", "gat"), loss_weights={"quantile": 1.0, "ic": 0.1}, max_gradient_norm=0.5)
PHASES = (PLAIN, NORMALISED, GRAPH)


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def in_phases(phases: tuple[PhaseRecipe, ...] = PHASES, micro_batch: int = 16, **changes: object) -> Job:
    what = panel_recipe(phases, **changes)
    return job(
        spec=spec(),
        recipe=what,
        task="rank",
        plan=batch_plan(micro_batch, 16, precision=what.precision, optimizer=what.optimizer),
        settings=settings(epochs=sum(one.epochs for one in phases), weight_decay=0.1),
    )


KINDS: dict[str, Job] = {
    "adamw": in_phases(),
    "accumulation": in_phases(micro_batch=6),
    "adabelief": in_phases(optimizer="adabelief"),
    "adamw in bf16": in_phases(precision="bf16"),
    "lean": in_phases(precision="bf16", optimizer="lean"),
    "early stopping": in_phases(
        tuple(dataclasses.replace(one, epochs=4) for one in PHASES), patience=1, min_delta=10.0
    ),
}


@functools.cache
def undisturbed_of(kind: str) -> tuple[Fitted, int]:
    """A training that nobody stops, and how often it beats."""
    beats: list[None] = []
    return fit(KINDS[kind], TRAIN, VALIDATION, always, lambda: beats.append(None)), len(beats)


@pytest.mark.parametrize(
    "kind", [kind if kind == "lean" else pytest.param(kind, marks=pytest.mark.slow) for kind in KINDS]
)
def test_a_training_killed_at_random_in_its_phases_ends_with_the_same_bits(kind: str, tmp_path: Path) -> None:
    what = KINDS[kind]
    undisturbed, beats = undisturbed_of(kind)
    of_step = beats // undisturbed.curve[-1].steps
    rng = random.Random(kind)
    for _ in range(2):
        with pytest.raises(Killed):
            fit(what, TRAIN, VALIDATION, always, killing(rng.randint(of_step, 4 * of_step)), checkpoints_in(tmp_path))
    resumed = checkpoints_in(tmp_path)
    again = fit(what, TRAIN, VALIDATION, always, checkpoints=resumed)
    assert_same(again, undisturbed)
    assert (again.phases, again.best_phase) == (undisturbed.phases, undisturbed.best_phase)
    assert resumed.resumed_at > 0


@pytest.mark.parametrize("ended", [1, 3, *(pytest.param(epochs, marks=pytest.mark.slow) for epochs in (2, 5))])
def test_a_training_asked_to_stop_after_an_epoch_goes_on_in_the_next_one_or_the_next_phase(
    ended: int, tmp_path: Path
) -> None:
    undisturbed, _ = undisturbed_of("adamw")
    stopped = fit(
        KINDS["adamw"],
        TRAIN,
        VALIDATION,
        lambda record: record.epoch < ended,
        checkpoints=checkpoints_in(tmp_path, every_seconds=1e6),
    )
    assert stopped.stop_reason is StopReason.INTERRUPTED
    assert len(stopped.curve) == ended
    assert_same(fit(KINDS["adamw"], TRAIN, VALIDATION, always, checkpoints=checkpoints_in(tmp_path)), undisturbed)


def phases_in(what: Job) -> tuple[Phase, ...]:
    return phases_of(what, lambda one: training_loss(what, TRAIN, one))


def begun(what: Job) -> tuple[Trainer, tuple[Phase, ...]]:
    phases = phases_in(what)
    return Trainer(what, phases[0].loss), phases


def take_steps(trainer: Trainer, count: int, learning_rate: float = 3e-3) -> None:
    feed = feed_of(TRAIN, trainer.device, panel_recipe())
    for number in range(count):
        trainer.step(feed, torch.arange(16) + 8 * number, learning_rate)


def values_of(trainer: Trainer) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in trainer.weights.to_save.items()}


OPTIMIZERS = {name: KINDS[name] for name in ("adamw", "adabelief", "adamw in bf16", "lean")}


@pytest.mark.parametrize("kind", OPTIMIZERS)
def test_parts_that_a_phase_leaves_out_keep_every_bit_and_all_others_are_trained(kind: str) -> None:
    trainer, phases = begun(OPTIMIZERS[kind])
    for number, one in enumerate(phases):
        before = values_of(trainer)
        trainer.begin(one)
        take_steps(trainer, 3)
        assert one.recipe is not None
        off = tuple(
            prefix
            for part, prefix in (("fan", "fan."), ("san", "san."), ("gat", "graph."))
            if part not in one.recipe.active
        )
        after = values_of(trainer)
        kept = {name for name in after if torch.equal(after[name], before[name])}
        assert {name for name in after if name.startswith(off)} <= kept
        # Gradients of single parameters may vanish; of most they do not.
        trained = [name for name in after if not name.startswith(off)]
        assert len(kept & set(trained)) < 0.2 * len(trained), number


@pytest.mark.parametrize("kind", OPTIMIZERS)
def test_switching_parts_on_changes_no_output_until_they_are_trained(kind: str) -> None:
    trainer, (plain, _, graph) = begun(OPTIMIZERS[kind])
    feed = feed_of(VALIDATION, trainer.device, panel_recipe())
    trainer.begin(plain)
    take_steps(trainer, 2)
    before = predict_logits(trainer.model, feed)
    trainer.begin(graph)
    assert torch.allclose(predict_logits(trainer.model, feed), before, atol=1e-6)
    take_steps(trainer, 1)
    with_parts = predict_logits(trainer.model, feed)
    assert not torch.allclose(with_parts, before, atol=1e-6)
    trainer.begin(plain)
    assert not torch.equal(predict_logits(trainer.model, feed), with_parts)


RECIPES: dict[str, Recipe] = {
    "adamw": recipe(),
    "adabelief": recipe(optimizer="adabelief"),
    "adamw in bf16": recipe(precision="bf16"),
    "lean": recipe(precision="bf16", optimizer="lean"),
}


def after_steps(kind: str, gradients: list[Tensor | None], restored_at: int | None = None) -> Tensor:
    """Return a matrix that had these gradients in the steps of an optimizer; None: its part was switched off. Another
    matrix has a gradient in every step. `restored_at`: step before which another optimizer takes over its state."""
    torch.manual_seed(1)
    parameters = {"always": torch.randn(3, 4), "late": torch.randn(3, 4)}

    def built() -> Any:
        return build_optimizer(parameters, RECIPES[kind], settings(learning_rate=0.01), seed=1, parts={"late": "gat"})

    optimizer = built()
    for number, gradient in enumerate(gradients):
        if number == restored_at:
            stored, numbers = trainer_state(optimizer), optimizer_numbers(optimizer)
            optimizer = built()
            restore_optimizer(optimizer, stored, numbers)
        parameters["always"].grad, parameters["late"].grad = torch.ones(3, 4), gradient
        if kind == "lean":
            optimizer.begin_step()
        optimizer.step()
        if kind == "lean":
            optimizer.end_step()
    return parameters["late"]


def trainer_state(optimizer: torch.optim.Optimizer) -> list[tuple[str, Tensor]]:
    from tsladder.training.optim import optimizer_tensors

    return [(name, value.clone()) for name, value in optimizer_tensors(optimizer).items()]


@pytest.mark.parametrize("kind", RECIPES)
def test_a_part_that_pauses_is_stepped_as_if_it_had_not(kind: str) -> None:
    """Moments of a part that begins late are new, and so must be the count of steps that corrects them."""
    torch.manual_seed(2)
    given = [torch.randn(3, 4) for _ in range(5)]
    without_pauses = after_steps(kind, list(given))
    idle: list[Tensor | None] = [None] * 40
    assert torch.equal(after_steps(kind, [*idle, *given]), without_pauses)
    assert torch.equal(after_steps(kind, [*given[:2], *idle, *given[2:]]), without_pauses)
    assert torch.equal(after_steps(kind, [*given[:2], *idle, *given[2:]], restored_at=43), without_pauses)


def test_each_phase_has_a_warm_up_a_cosine_and_a_factor_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    phases = (phase("one", 1), phase("two", 3, learning_rate=0.1))
    what = in_phases(phases)
    what = dataclasses.replace(what, settings=settings(epochs=4, learning_rate=0.01, warmup_steps=8))
    seen: list[float] = []
    real = trainer_module.set_learning_rate

    def noted(optimizer: torch.optim.Optimizer, value: float) -> None:
        seen.append(value)
        real(optimizer, value)

    monkeypatch.setattr(trainer_module, "set_learning_rate", noted)
    fit(what, TRAIN, VALIDATION, always)
    expected = [
        0.01 * factor * learning_rate_factor(step, total_steps=STEPS * epochs, warmup_steps=warmup, schedule="cosine")
        for factor, epochs, warmup in ((1.0, 1, 2), (0.1, 3, 6))
        for step in range(STEPS * epochs)
    ]
    assert seen == pytest.approx(expected, rel=1e-12)


def test_patience_begins_anew_in_each_phase() -> None:
    fitted = fit(KINDS["early stopping"], TRAIN, VALIDATION, always)
    assert fitted.phases is not None
    assert [one.epochs_run for one in fitted.phases] == [2, 2, 2]
    assert fitted.stop_reason is StopReason.EARLY_STOPPING
    assert [str(record.phase) for record in fitted.curve[:3]] == [
        "phase plain, epoch 1 of 4",
        "phase plain, epoch 2 of 4",
        "phase normalised, epoch 1 of 4",
    ]
    assert [record.epoch for record in fitted.curve] == list(range(1, 7))


def test_all_epochs_of_all_phases_are_trained_without_patience() -> None:
    fitted = fit(KINDS["adamw"], TRAIN, VALIDATION, always)
    assert fitted.stop_reason is StopReason.COMPLETED
    assert fitted.phases is not None
    assert [(one.name, one.active, one.epochs_run) for one in fitted.phases] == [
        (one.name, one.active, one.epochs) for one in PHASES
    ]
    by_phase = [[record.val_loss for record in fitted.curve[first : first + 2]] for first in (0, 2, 4)]
    assert [one.best for one in fitted.phases] == [min(losses) for losses in by_phase]


STANDING_STILL = 1e-12
"""Factor on the learning rate with which a phase changes no loss."""


@pytest.mark.parametrize(
    ("phases", "best"),
    [
        ((phase("first", 2), phase("still", 2, ("fan", "san", "gat"), learning_rate=STANDING_STILL)), "first"),
        ((phase("on", 2, ("fan", "san", "gat")), phase("off", 2, learning_rate=STANDING_STILL)), None),
        ((phase("still", 1, ("fan",), learning_rate=STANDING_STILL), phase("last", 3, ("gat",))), "last"),
    ],
    ids=["the first is best", "parts are switched off again", "the last is best"],
)
def test_the_best_weights_of_all_phases_are_scored_with_the_parts_of_their_phase(
    phases: tuple[PhaseRecipe, ...], best: str | None
) -> None:
    what = in_phases(phases)
    fitted = fit(what, TRAIN, VALIDATION, always)
    losses = [record.val_loss for record in fitted.curve]
    assert fitted.best_epoch == 1 + losses.index(min(losses))
    assert fitted.best_val_loss == min(losses)
    assert fitted.curve[fitted.best_epoch - 1].phase is not None
    assert fitted.best_phase == fitted.curve[fitted.best_epoch - 1].phase.name  # type: ignore[union-attr]
    assert best in (None, fitted.best_phase)
    assert fitted.active == next(one.active for one in phases if one.name == fitted.best_phase)
    # Whoever loads the weights computes the same with the parts that are on record.
    model = build(what.spec, dropout=0.0)
    model.load_state_dict(fitted.weights.to_save)
    activate(what.spec, model, fitted.active)
    feed = feed_of(VALIDATION, torch.device("cpu"), what.recipe)
    outputs = predict_logits(model, feed)
    assert mean_loss(phases_in(what)[0].loss, outputs, feed.every_label) == fitted.best_val_loss


def test_a_phase_trains_on_its_own_losses() -> None:
    flat = in_phases((phase("one", 2, loss_weights={"quantile": 1.0}, horizon_weights=(1.0, 0.0)),))
    other = in_phases((phase("one", 2, loss_weights={"ic": 1.0}),))
    both = in_phases((phase("one", 2, horizon_weights=(1.0, 1.0)),))
    curves = [
        tuple(record.val_loss for record in fit(what, TRAIN, VALIDATION, always).curve) for what in (flat, other, both)
    ]
    assert len(set(curves)) == 3


def test_one_phase_with_everything_trains_as_no_phases_do() -> None:
    everything = phase("all", 3, ("fan", "san", "gat"), horizon_weights=(1.0, 0.5))
    what = in_phases((everything,))
    plain = dataclasses.replace(what, recipe=panel_recipe(None))
    one, none = fit(what, TRAIN, VALIDATION, always), fit(plain, TRAIN, VALIDATION, always)
    assert [record.val_loss for record in one.curve] == [record.val_loss for record in none.curve]
    for name, value in one.weights.to_save.items():
        assert torch.equal(value, none.weights.to_save[name]), name
    assert (none.phases, none.best_phase, none.active) == (None, None, None)


def test_epochs_that_are_not_those_of_the_phases_are_refused() -> None:
    what = dataclasses.replace(in_phases(), settings=settings(epochs=7))
    with pytest.raises(ValueError, match=r"6 epochs.*7"):
        fit(what, TRAIN, VALIDATION, always)


def transformer(phases: tuple[PhaseRecipe, ...]) -> Job:
    return dataclasses.replace(in_phases(phases), spec=spec("panel_transformer"))


def test_a_family_without_parts_can_be_trained_in_phases_that_name_none() -> None:
    fitted = fit(transformer((phase("one", 1), phase("two", 1, learning_rate=0.1))), TRAIN, VALIDATION, always)
    assert fitted.stop_reason is StopReason.COMPLETED
    with pytest.raises(ValueError, match=r"panel_transformer has no parts.*fan"):
        fit(transformer((phase("one", 1, ("fan",)),)), TRAIN, VALIDATION, always)


@pytest.mark.slow
def test_a_walk_forward_trains_every_fold_in_all_phases_and_goes_on_inside_one(tmp_path: Path) -> None:
    folds = (
        DayFold(train=cell_days(12, 30), validation=cell_days(32, 40)),
        DayFold(train=TRAIN, validation=VALIDATION),
    )
    beats: list[None] = []
    undisturbed = walk_forward(KINDS["adamw"], folds, always, lambda: beats.append(None))
    for share in (0.3, 0.4):
        with pytest.raises(Killed):
            walk_forward(KINDS["adamw"], folds, always, killing(round(share * len(beats))), checkpoints_in(tmp_path))
    again = walk_forward(KINDS["adamw"], folds, always, lambda: None, checkpoints_in(tmp_path))
    assert [(fold.phases, fold.best_phase) for fold in again.folds] == [
        (fold.phases, fold.best_phase) for fold in undisturbed.folds
    ]
    assert all(fold.phases is not None and len(fold.phases) == 3 for fold in again.folds)
    assert again.best_val_loss == undisturbed.best_val_loss


def test_epochs_are_reported_with_their_place() -> None:
    seen: list[EpochRecord] = []
    stops = itertools.count(1)

    def report(record: EpochRecord) -> bool:
        seen.append(record)
        return next(stops) < 3

    fitted: Fitted = fit(KINDS["adamw"], TRAIN, VALIDATION, report)
    assert fitted.stop_reason is StopReason.INTERRUPTED
    assert [(r.phase.name, r.phase.epoch, r.phase.epochs) for r in seen if r.phase is not None] == [
        ("plain", 1, 2),
        ("plain", 2, 2),
        ("normalised", 1, 2),
    ]
    assert fitted.phases is not None
    assert [(one.epochs_run, one.best is None) for one in fitted.phases] == [(2, False), (1, False), (0, True)]


@pytest.mark.slow
def test_a_worker_saves_the_parts_of_the_best_phase_and_forecasts_are_made_with_them(tmp_path: Path) -> None:
    """Killed with SIGKILL in its second phase, and started again."""
    cube = stored_cube(tmp_path)
    fold = DayFold(train=cell_days(12, 43, within=cube), validation=cell_days(62, 75, within=cube))
    phases = (phase("first", 3), phase("second", 30, ("fan", "san"), learning_rate=STANDING_STILL))
    what = dataclasses.replace(
        in_phases(phases),
        checkpoint_folder=str(tmp_path / "model"),
        checkpoints=plan_in(tmp_path / "checkpoints"),
    )
    supervisor = Supervisor([fold])
    supervisor.start(0, what)
    outcomes: list[TrainingOutcome] = []
    deadline = time.monotonic() + 300.0
    while len(outcomes) < 2 and time.monotonic() < deadline:
        for event in supervisor.events(timeout=0.05):
            if isinstance(event, Progress) and event.record.epoch == 5 and not outcomes:
                supervisor._children[0].process.kill()
            elif isinstance(event, Ended):
                outcomes.append(event.outcome)
                if len(outcomes) == 1:
                    supervisor.start(0, what)
    supervisor.end_now()
    here = fit(what, fold.train, fold.validation, always)
    killed, outcome = outcomes
    assert killed.stop_reason is StopReason.KILLED
    assert outcome.resumed_at > 0
    assert (outcome.phases, outcome.best_phase, outcome.best_val_loss) == (
        here.phases,
        here.best_phase,
        here.best_val_loss,
    )
    assert read_trained_model(tmp_path / "model" / RECORD).active == here.active
    seeds = TrainedSeeds(
        spec=what.spec,
        folders={1: tmp_path / "model"},
        recipe=what.recipe,
        device="cpu",
        threads=1,
        micro_batch=16,
    )
    with forecasting(seeds, {"validation": fold.validation}) as future:
        outputs_NSO = torch.from_numpy(future.result()["validation"][1])
    feed = feed_of(fold.validation, torch.device("cpu"), what.recipe)
    assert mean_loss(phases_in(what)[0].loss, outputs_NSO, feed.every_label) == outcome.best_val_loss
