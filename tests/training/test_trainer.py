from __future__ import annotations

import copy
import dataclasses
import math

import pytest
import torch
from tests.building import build_loss, job, recipe, settings, spec, windows

from tsladder.artifacts.outcome import EpochRecord
from tsladder.models.build import build
from tsladder.training import trainer
from tsladder.training.feed import WindowFeed
from tsladder.training.gradients import accumulate_gradients
from tsladder.training.optim import build_optimizer, learning_rate_factor
from tsladder.training.trainer import Fitted, fit, predict_logits
from tsladder.training.weights import Weights
from tsladder.vocabulary import StopReason

TRAIN = windows(100, seed=1)
VALIDATION = windows(60, seed=2)


def carry_on(_record: EpochRecord) -> bool:
    return True


def state(fitted: Fitted) -> dict[str, torch.Tensor]:
    return fitted.model.state_dict()


@pytest.mark.parametrize("micro_batch", [1, 7, 16, 31])
def test_accumulated_gradients_equal_the_full_batch_the_partial_last_one_included(micro_batch: int) -> None:
    torch.manual_seed(0)
    model = build(spec(), dropout=0.0).double()
    feed = WindowFeed(TRAIN, torch.device("cpu"))
    feed.series_TF, feed.y_N = feed.series_TF.double(), feed.y_N.double()
    feed.scale_NF, feed.shift_NF = feed.scale_NF.double(), feed.shift_NF.double()
    index_B = torch.arange(31)
    gradients = []
    for size in (31, micro_batch):
        model.zero_grad()
        accumulate_gradients(model, Weights(model, "fp32"), feed, index_B, size, build_loss("bce", TRAIN.y_N))
        gradients.append([p.grad.clone() for p in model.parameters() if p.grad is not None])
    for full, accumulated in zip(*gradients, strict=True):
        torch.testing.assert_close(full, accumulated, atol=1e-7, rtol=0)


def test_two_runs_of_one_job_end_with_the_same_weights_and_loss() -> None:
    first, second = (fit(job(), TRAIN, VALIDATION, carry_on) for _ in range(2))
    assert first.best_val_loss == second.best_val_loss
    assert all(torch.equal(a, b) for a, b in zip(state(first).values(), state(second).values(), strict=True))


def test_another_seed_gives_another_model() -> None:
    first, second = (fit(job(seed=seed), TRAIN, VALIDATION, carry_on) for seed in (1, 2))
    assert first.best_val_loss != second.best_val_loss


def test_a_learnable_label_is_learned() -> None:
    fitted = fit(job(settings=settings(epochs=12, learning_rate=1e-2)), windows(400, seed=3), VALIDATION, carry_on)
    assert fitted.best_val_loss is not None
    assert fitted.best_val_loss < 0.4 < math.log(2)
    assert fitted.val_auc is not None
    assert fitted.val_auc > 0.9


def test_the_returned_loss_is_that_of_the_restored_best_weights() -> None:
    noise = windows(40, seed=4, learnable=False)
    fitted = fit(job(settings=settings(epochs=30, learning_rate=3e-2)), noise, VALIDATION, carry_on)
    losses = [record.val_loss for record in fitted.curve]
    assert fitted.best_val_loss == pytest.approx(min(losses), abs=1e-12)
    assert fitted.best_epoch == losses.index(min(losses)) + 1
    assert losses[-1] > min(losses), "the run must overfit for this test to mean anything"
    feed = WindowFeed(VALIDATION, torch.device("cpu"))
    logits_N = predict_logits(fitted.model, feed).double()
    rescored = torch.nn.functional.binary_cross_entropy_with_logits(logits_N, feed.y_N.double())
    assert rescored.item() == pytest.approx(fitted.best_val_loss, abs=1e-12)


def test_patience_ends_a_run_that_stopped_improving_and_null_patience_never_does() -> None:
    noise = windows(40, seed=4, learnable=False)
    eager = settings(epochs=30, learning_rate=3e-2)
    stopped = fit(job(settings=eager, recipe=recipe(patience=3)), noise, VALIDATION, carry_on)
    endless = fit(job(settings=eager, recipe=recipe(patience=None)), noise, VALIDATION, carry_on)
    assert stopped.stop_reason is StopReason.EARLY_STOPPING
    assert len(stopped.curve) < 30
    assert endless.stop_reason is StopReason.COMPLETED
    assert len(endless.curve) == 30


def test_an_exploding_run_is_diverged_and_has_no_loss() -> None:
    fitted = fit(
        job(settings=settings(learning_rate=1e6, epochs=20, warmup_steps=0), recipe=recipe(max_gradient_norm=None)),
        TRAIN,
        VALIDATION,
        carry_on,
    )
    assert fitted.stop_reason is StopReason.DIVERGED
    assert fitted.best_val_loss is None


def test_a_stop_request_ends_the_run_after_the_current_epoch() -> None:
    seen: list[int] = []

    def stop_at_two(record: EpochRecord) -> bool:
        seen.append(record.epoch)
        return record.epoch < 2

    fitted = fit(job(settings=settings(epochs=9)), TRAIN, VALIDATION, stop_at_two)
    assert seen == [1, 2]
    assert fitted.stop_reason is StopReason.INTERRUPTED


CHANGES = [
    ("learning_rate", 1e-3),
    ("weight_decay", 0.5),
    ("dropout", 0.4),
    ("warmup_steps", 6),
    ("epochs", 4),
]


def test_a_model_whose_size_is_not_what_its_spec_counts_is_never_trained(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trainer, "build", lambda spec, **options: build(dataclasses.replace(spec, d_ff=20), **options))
    with pytest.raises(ValueError, match="should have"):
        fit(job(), TRAIN, VALIDATION, carry_on)


@pytest.mark.parametrize(("name", "value"), CHANGES)
def test_every_searched_setting_changes_the_trained_model(name: str, value: float) -> None:
    base = fit(job(), TRAIN, VALIDATION, carry_on)
    changed_settings = dataclasses.replace(settings(), **{name: value})
    changed = fit(job(settings=changed_settings), TRAIN, VALIDATION, carry_on)
    weights = zip(state(base).values(), state(changed).values(), strict=True)
    assert any(not torch.equal(a, b) for a, b in weights)


def test_the_list_of_searched_settings_is_complete() -> None:
    assert {name for name, _ in CHANGES} == {field.name for field in dataclasses.fields(settings())}


def test_weight_decay_reaches_the_matrices_of_the_optimizer_and_nothing_else() -> None:
    model = build(spec(), dropout=0.0)
    optimizer = build_optimizer(dict(model.named_parameters()), recipe(), settings(weight_decay=0.03), seed=0)
    decayed = {id(p) for group in optimizer.param_groups if group["weight_decay"] == 0.03 for p in group["params"]}
    matrices = {id(p) for name, p in model.named_parameters() if p.ndim >= 2 and name != "position"}
    assert decayed == matrices
    assert sum(len(group["params"]) for group in optimizer.param_groups) == len(list(model.parameters()))


def test_the_learning_rate_rises_over_the_warm_up_and_falls_to_zero() -> None:
    def factor(step: int, warmup_steps: int = 10, schedule: str = "cosine") -> float:
        return learning_rate_factor(step, total_steps=100, warmup_steps=warmup_steps, schedule=schedule)

    rising = [factor(step) for step in range(10)]
    falling = [factor(step) for step in range(10, 100)]
    assert rising == pytest.approx([(step + 1) / 10 for step in range(10)])
    assert falling[0] == 1.0
    assert falling == sorted(falling, reverse=True)
    assert falling[-1] < 1e-3
    assert factor(99, schedule="constant") == 1.0
    assert factor(5, warmup_steps=20) < factor(5, warmup_steps=10)


@pytest.mark.parametrize("precision", ["bf16-mixed", "bf16"])
def test_lower_precision_trains_and_moves_the_result_a_little(precision: str) -> None:
    exact = fit(job(), TRAIN, VALIDATION, carry_on)
    lowered = fit(job(recipe=recipe(precision=precision)), TRAIN, VALIDATION, carry_on)
    assert exact.best_val_loss is not None
    assert lowered.best_val_loss is not None
    assert lowered.best_val_loss != exact.best_val_loss
    assert lowered.best_val_loss == pytest.approx(exact.best_val_loss, abs=0.02)


def test_dropout_is_off_when_predicting() -> None:
    model = build(spec(), dropout=0.5)
    feed = WindowFeed(VALIDATION, torch.device("cpu"))
    assert torch.equal(predict_logits(model, feed), predict_logits(copy.deepcopy(model), feed))
