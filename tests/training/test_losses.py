"""Each loss against numpy by hand, its gradient where logits are extreme, and what it does to a rare class."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from tests.building import build_loss, job, recipe, settings, spec, windows

from tsladder.data.windows import Windows
from tsladder.errors import BadInput
from tsladder.evaluation.metrics import score_classifier
from tsladder.models.build import Model, build
from tsladder.tasks.parts.class_losses import positive_weight, soft_auc
from tsladder.tasks.parts.losses import Loss
from tsladder.tasks.parts.return_losses import label_sd
from tsladder.training.feed import WindowFeed
from tsladder.training.gradients import accumulate_gradients
from tsladder.training.trainer import fit, predict_logits
from tsladder.training.validation_metrics import auc, loss_standard_error, mean_loss
from tsladder.training.weights import Weights

CLASS_LOSSES = ("bce", "focal", "weighted_bce", "soft_auc", "label_smoothing")
RARE = np.array([1.0] + [0.0] * 9)
"""Training labels of which one in ten is positive."""

Floats = NDArray[np.float64]


def probability(z: Floats) -> Floats:
    return 1.0 / (1.0 + np.exp(-z))


def log_loss(z: Floats, y: Floats) -> Floats:
    p = probability(z)
    return -(y * np.log(p) + (1 - y) * np.log(1 - p))


def by_hand_focal(z: Floats, y: Floats) -> float:
    p = np.where(y == 1, probability(z), 1 - probability(z))
    return float((-((1 - p) ** 2) * np.log(p)).sum())


def by_hand_weighted(z: Floats, y: Floats) -> float:
    return float((log_loss(z, y) * np.where(y == 1, 9.0, 1.0)).sum())


def by_hand_pairs(z: Floats, y: Floats) -> float:
    pairs = [math.log1p(math.exp(z[j] - z[i])) for i in np.flatnonzero(y == 1) for j in np.flatnonzero(y == 0)]
    return len(z) * sum(pairs) / len(pairs)


BY_HAND: dict[str, Callable[[Floats, Floats], float]] = {
    "bce": lambda z, y: float(log_loss(z, y).sum()),
    "focal": by_hand_focal,
    "weighted_bce": by_hand_weighted,
    "soft_auc": by_hand_pairs,
    "label_smoothing": lambda z, y: float(log_loss(z, np.where(y == 1, 0.95, 0.05)).sum()),
}


@pytest.mark.parametrize("name", CLASS_LOSSES)
def test_a_loss_is_what_its_formula_gives_by_hand(name: str) -> None:
    rng = np.random.default_rng(3)
    z, y = 2.0 * rng.normal(size=23), (rng.random(23) < 0.4).astype(float)
    loss = build_loss(name, RARE)
    assert loss.total(torch.tensor(z), torch.tensor(y)).item() == pytest.approx(BY_HAND[name](z, y), rel=1e-12)
    reported = loss.per_window(torch.tensor(z), torch.tensor(y)).numpy()
    np.testing.assert_allclose(reported, log_loss(z, y), rtol=1e-12)


def test_hubers_loss_is_measured_in_standard_deviations_of_the_training_labels() -> None:
    train = np.array([0.01, -0.01, 0.03, -0.03])
    sd = math.sqrt((2 * 0.01**2 + 2 * 0.03**2) / 4)
    out, y = np.array([0.2, -2.0, 3.0]), np.array([0.01, 0.0, -0.02])
    off = np.abs(y / sd - out)
    expected = np.where(off < 1.0, off**2 / 2, off - 0.5)
    assert off.min() < 1.0 < off.max(), "both branches must be reached"
    loss = build_loss("huber", train)
    np.testing.assert_allclose(loss.per_window(torch.tensor(out), torch.tensor(y)).numpy(), expected, rtol=1e-12)
    assert loss.total(torch.tensor(out), torch.tensor(y)).item() == pytest.approx(expected.sum(), rel=1e-12)
    assert mean_loss(loss, torch.tensor(out), torch.tensor(y)) == pytest.approx(expected.mean(), rel=1e-12)
    assert auc(loss, torch.tensor(out), torch.tensor(y)) is None
    standard_error = expected.std(ddof=1) / math.sqrt(3)
    assert loss_standard_error(loss, torch.tensor(out), torch.tensor(y)) == pytest.approx(standard_error)


def slopes(loss: Loss, logits: list[float], labels: list[float]) -> list[float]:
    out_B = torch.tensor(logits, requires_grad=True)
    (gradient_B,) = torch.autograd.grad(loss.total(out_B, torch.tensor(labels)), out_B)
    return list(gradient_B.tolist())


@pytest.mark.parametrize("name", CLASS_LOSSES)
def test_at_extreme_logits_the_gradient_is_finite_and_points_to_the_label(name: str) -> None:
    loss = build_loss(name, RARE)
    wrong = slopes(loss, [-50.0, 50.0], [1.0, 0.0])
    assert all(math.isfinite(slope) and abs(slope) > 0.5 for slope in wrong)
    assert wrong[0] < 0 < wrong[1]
    right = slopes(loss, [50.0, -50.0], [1.0, 0.0])
    # Smoothing asks for 0.95 and 0.05, so certainty is too much; the others are content.
    expected = [0.05, -0.05] if name == "label_smoothing" else [0.0, 0.0]
    assert right == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("name", [*CLASS_LOSSES, "huber"])
def test_the_gradient_reaches_every_parameter(name: str) -> None:
    torch.manual_seed(0)
    model, data = build(spec(), dropout=0.0), windows(40, seed=1)
    accumulate_gradients(
        model,
        Weights(model, "fp32"),
        WindowFeed(data, torch.device("cpu")),
        torch.arange(40),
        40,
        build_loss(name, data.y_N),
    )
    for parameter_name, parameter in model.named_parameters():
        assert parameter.grad is not None
        assert bool(parameter.grad.isfinite().all())
        largest = parameter.grad.abs().max().item()
        # What shifts all logits alike is seen by no pair.
        unseen = name == "soft_auc" and parameter_name in ("norm.bias", "head.bias")
        assert largest < 1e-6 if unseen else largest > 1e-5, parameter_name


def slope_of_a_constant(name: str, p: float) -> float:
    """How the loss of one in ten positives changes with the logit that all windows share, at probability `p`."""
    level = torch.tensor(math.log(p / (1 - p)), dtype=torch.float64, requires_grad=True)
    loss = build_loss(name, RARE)
    (slope,) = torch.autograd.grad(loss.total(level.expand(10), torch.tensor(RARE)), level)
    return float(slope.item())


@pytest.mark.parametrize(("name", "best"), [("bce", 0.1), ("weighted_bce", 0.5), ("label_smoothing", 0.9 * 0.1 + 0.05)])
def test_the_best_constant_for_a_rare_class_is_the_one_that_theory_names(name: str, best: float) -> None:
    assert slope_of_a_constant(name, best) == pytest.approx(0.0, abs=1e-12)
    assert slope_of_a_constant(name, 0.9 * best) < 0 < slope_of_a_constant(name, 1.1 * best)


def test_focal_loss_draws_the_best_constant_of_a_rare_class_towards_one_half() -> None:
    assert slope_of_a_constant("focal", 0.1) < 0 < slope_of_a_constant("focal", 0.5)


@given(
    logits=st.lists(st.floats(-20, 20), min_size=2, max_size=12),
    shift=st.floats(-30, 30),
    positives=st.integers(1, 11),
)
def test_soft_auc_sees_no_shift_of_all_logits_and_bounds_the_share_of_wrong_pairs(
    logits: list[float], shift: float, positives: int
) -> None:
    out_B = torch.tensor(logits, dtype=torch.float64)
    y_B = (torch.arange(len(logits)) < min(positives, len(logits) - 1)).double()
    total = soft_auc(out_B, y_B).item()
    assert soft_auc(out_B + shift, y_B).item() == pytest.approx(total, rel=1e-9, abs=1e-12)
    ranked = score_classifier(y_B.numpy(), probability(out_B.numpy())).auc
    assert ranked is not None
    assert total / len(logits) >= (1.0 - ranked) * math.log(2) - 1e-9


@pytest.mark.parametrize("label", [0.0, 1.0])
def test_a_batch_of_one_class_has_no_pair_and_teaches_soft_auc_nothing(label: float) -> None:
    assert slopes(build_loss("soft_auc", RARE), [3.0, -1.0], [label, label]) == [0.0, 0.0]
    assert soft_auc(torch.tensor([3.0, -1.0]), torch.tensor([label, label])).item() == 0.0


def test_labels_that_do_not_allow_a_loss_are_refused_with_the_way_out() -> None:
    assert positive_weight(RARE) == 9.0
    for one_class in (np.zeros(5), np.ones(5)):
        with pytest.raises(BadInput, match=r"training\.loss weighted_bce needs both classes.* loss bce"):
            build_loss("weighted_bce", one_class)
    for still in (np.full(5, 0.25), np.full(5, np.nan)):
        with pytest.raises(BadInput, match=r"training\.loss huber needs training labels that vary"):
            label_sd(still)
    with pytest.raises(ValueError, match="hinge"):
        build_loss("hinge", RARE)


@pytest.mark.parametrize("name", CLASS_LOSSES)
def test_every_class_loss_learns_a_learnable_label_and_reports_log_losses(name: str) -> None:
    validation = windows(60, seed=2)
    fitted = fit(
        job(recipe=recipe(loss=name), settings=settings(epochs=15, learning_rate=1e-2)),
        windows(300, seed=3),
        validation,
        lambda _record: True,
    )
    assert fitted.val_auc is not None
    assert fitted.val_auc > 0.85
    logits_N = outputs(fitted.model, validation)
    expected = log_loss(logits_N, validation.y_N.astype(float)).mean()
    assert fitted.best_val_loss == pytest.approx(expected, rel=1e-6)
    # What is reported of training is the same measure, so the two curves compare.
    assert fitted.curve[0].train_loss == pytest.approx(math.log(2), abs=0.15)


def outputs(model: Model, data: Windows) -> Floats:
    """Raw outputs, one a window."""
    return predict_logits(model, WindowFeed(data, torch.device("cpu"))).double().numpy()


def test_a_regression_reports_hubers_loss_and_no_auc() -> None:
    def returns(count: int, seed: int) -> Windows:
        data = windows(count, seed=seed)
        y_N = 0.01 * data.series_TF[data.ends_N, 0]
        return dataclasses.replace(data, y_N=y_N.astype(np.float32))

    train, validation = returns(300, 3), returns(60, 2)
    fitted = fit(
        job(recipe=recipe(loss="huber"), task="regression", settings=settings(epochs=15, learning_rate=1e-2)),
        train,
        validation,
        lambda _record: True,
    )
    sd = np.std(train.y_N.astype(float))
    off = np.abs(validation.y_N.astype(float) / sd - outputs(fitted.model, validation))
    expected = np.where(off < 1.0, off**2 / 2, off - 0.5).mean()
    assert fitted.best_val_loss == pytest.approx(expected, rel=1e-5)
    assert fitted.best_val_loss < 0.1, "a label that is one of the inputs is learned"
    assert fitted.val_auc is None
    assert fitted.val_loss_se is not None
