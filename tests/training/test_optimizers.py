"""AdaBelief against the paper's formulas, which parameters an optimizer decays, and what is recorded of it."""

from __future__ import annotations

import math

import pytest
import torch
from tests.building import batch_plan, job, recipe, settings, windows
from torch import Tensor

from tsladder.artifacts.plans import Recipe
from tsladder.errors import BadInput
from tsladder.params import OptimizerSettings
from tsladder.training.optim import build_optimizer, optimizer_numbers, read_back
from tsladder.training.trainer import fit

ADABELIEF = recipe(optimizer="adabelief")
RECTIFIED = recipe(optimizer="adabelief", optimizer_settings=OptimizerSettings(rectify=True))
RECIPES: dict[str, tuple[str, Recipe]] = {
    "adamw": ("AdamW", recipe()),
    "adamw in bf16": ("RoundingAdamW", recipe(precision="bf16")),
    "adabelief": ("AdaBelief", ADABELIEF),
    "adabelief on fp32 masters": ("AdaBelief", recipe(optimizer="adabelief", precision="bf16-mixed")),
    "lean": ("LeanOptimizer", recipe(precision="bf16", optimizer="lean")),
}


def stepped(value: Tensor, gradients: list[Tensor], what: Recipe, *, weight_decay: float = 0.0) -> Tensor:
    """Return `value` after a step of learning rate 0.01 for each of `gradients`."""
    parameter = value.clone().requires_grad_()
    optimizer = build_optimizer(
        {"weight": parameter}, what, settings(learning_rate=0.01, weight_decay=weight_decay), seed=1
    )
    for gradient in gradients:
        parameter.grad = gradient.clone()
        optimizer.step()
    return parameter.detach()


def by_hand(value: Tensor, gradients: list[Tensor], *, weight_decay: float = 0.0, rectify: bool = False) -> Tensor:
    """Step as algorithm 2 of Zhuang et al. (2020) says, with decoupled weight decay, in fp64; `rectify`: with the
    factor of Liu et al. (2020), and without adaption while that is undefined."""
    value, rate, eps = value.double(), 0.01, 1e-16
    mean, belief = torch.zeros_like(value), torch.zeros_like(value)
    for step, gradient in enumerate(gradients, start=1):
        mean = 0.9 * mean + 0.1 * gradient.double()
        belief = 0.999 * belief + 0.001 * (gradient.double() - mean) ** 2 + eps
        value = value * (1 - rate * weight_decay)
        longest = 2 / (1 - 0.999) - 1
        length = longest - 2 * step * 0.999**step / (1 - 0.999**step)
        if rectify and length < 5:
            value = value - rate * mean / (1 - 0.9**step)
            continue
        factor = 1.0
        if rectify:
            factor = math.sqrt((length - 4) * (length - 2) * longest / ((longest - 4) * (longest - 2) * length))
        update = mean / (1 - 0.9**step) / ((belief / (1 - 0.999**step)).sqrt() + eps)
        value = value - rate * factor * update
    return value


def test_adabelief_takes_the_two_steps_computed_on_paper() -> None:
    gradients = [torch.tensor([0.1]), torch.tensor([0.3])]
    for taken, expected in ((1, 0.9888889), (2, 0.9783765)):
        assert by_hand(torch.ones(1), gradients[:taken]).item() == pytest.approx(expected, abs=5e-8)
        assert stepped(torch.ones(1), gradients[:taken], ADABELIEF).item() == pytest.approx(expected, abs=2e-7)


@pytest.mark.parametrize("what", [ADABELIEF, RECTIFIED], ids=["rectify off", "rectify on"])
def test_adabelief_steps_a_matrix_as_its_paper_says(what: Recipe) -> None:
    torch.manual_seed(0)
    start, gradients = torch.randn(4, 5), [torch.randn(4, 5) for _ in range(12)]
    expected = by_hand(start, gradients, weight_decay=0.5, rectify=what is RECTIFIED)
    assert torch.allclose(stepped(start, gradients, what, weight_decay=0.5).double(), expected, atol=1e-6)


def test_rectifying_alters_the_steps() -> None:
    gradients = [torch.tensor([0.1]), torch.tensor([0.3])]
    assert stepped(torch.ones(1), gradients, RECTIFIED).item() > 0.99


@pytest.mark.parametrize("kind", RECIPES)
def test_matrices_alone_are_decayed(kind: str) -> None:
    parameters = {"weight": torch.ones(2, 2), "bias": torch.ones(2), "position": torch.ones(2, 2)}
    optimizer = build_optimizer(parameters, RECIPES[kind][1], settings(learning_rate=0.1, weight_decay=0.5), seed=1)
    for parameter in parameters.values():
        parameter.grad = torch.zeros_like(parameter)
    if kind == "lean":
        optimizer.begin_step()  # type: ignore[attr-defined]
    optimizer.step()
    assert torch.allclose(parameters["weight"], torch.full((2, 2), 0.95))
    assert torch.equal(parameters["bias"], torch.ones(2))
    assert torch.equal(parameters["position"], torch.ones(2, 2))


def test_adabelief_is_refused_where_weights_are_held_in_bf16_alone() -> None:
    refused = recipe(optimizer="adabelief", precision="bf16")
    with pytest.raises(BadInput, match=r"training\.precision.*bf16"):
        build_optimizer({"weight": torch.ones(2, 2)}, refused, settings(), seed=1)


@pytest.mark.parametrize("kind", RECIPES)
def test_a_training_records_the_class_and_the_decay_of_its_optimizer(kind: str) -> None:
    name, what = RECIPES[kind]
    plan = batch_plan(precision=what.precision, optimizer=what.optimizer)
    train, validation = windows(64, seed=1), windows(32, seed=2)
    built = fit(
        job(recipe=what, plan=plan, settings=settings(epochs=1, weight_decay=0.02)),
        train,
        validation,
        lambda record: True,
    ).optimizer
    assert built.name == name
    assert built.settings["weight_decay"] == 0.02
    assert built.settings["weight_decay_of_others"] == 0.0
    assert built.settings["decoupled"] is True


def test_settings_are_those_of_the_built_object_and_not_those_asked_for() -> None:
    parameters = {"weight": torch.ones(2, 2), "bias": torch.ones(2)}
    optimizer = build_optimizer(parameters, RECTIFIED, settings(weight_decay=0.02), seed=1)
    assert read_back(optimizer).settings == {
        "betas": [0.9, 0.999],
        "eps": 1e-16,
        "weight_decay": 0.02,
        "weight_decay_of_others": 0.0,
        "decoupled": True,
        "rectify": True,
    }
    for group in optimizer.param_groups:
        group.update(rectify=False, eps=1e-8, weight_decay=0.03)
    changed = read_back(optimizer).settings
    assert (changed["rectify"], changed["eps"], changed["weight_decay"]) == (False, 1e-8, 0.03)


def test_groups_that_differ_in_a_setting_are_no_one_record() -> None:
    parameters = {"weight": torch.ones(2, 2), "bias": torch.ones(2)}
    optimizer = build_optimizer(parameters, ADABELIEF, settings(), seed=1)
    optimizer.param_groups[1]["eps"] = 1e-8
    with pytest.raises(ValueError, match="eps"):
        read_back(optimizer)


def test_adabelief_counts_its_steps_from_zero() -> None:
    parameter = torch.ones(2, 2)
    optimizer = build_optimizer({"weight": parameter}, ADABELIEF, settings(), seed=1)
    assert optimizer_numbers(optimizer) == {"steps_of_groups": [0, 0]}
    parameter.grad = torch.ones(2, 2)
    optimizer.step()
    assert optimizer_numbers(optimizer)["steps_of_groups"][0] == 1
