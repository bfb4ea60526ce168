"""Micro-batches of days, and chunks of their stocks, give the gradient of all at once, for every ranking loss."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import pytest
import torch
from tests.building import batch_plan, settings
from tests.panel.cell_days import GRAPH, MadeUpCell, made_up_cell
from tests.panel_building import STOCKS, of_losses, panel_job
from torch import Tensor

from tsladder.models.build import build
from tsladder.tasks import load_ranking
from tsladder.training.day_feed import DayFeed
from tsladder.training.gradients import LossSums, accumulate_gradients
from tsladder.training.trainer import Trainer
from tsladder.training.weights import Weights
from tsladder.vocabulary import Region

DAYS = 16
MIXTURES: tuple[Mapping[str, float], ...] = (
    {"ic": 1.0},
    {"soft_spearman": 1.0},
    {"ranknet": 1.0},
    {"listnet": 1.0},
    {"quantile": 1.0},
    {"sharpe": 1.0},
    {"regime": 1.0},
    {"quantile": 1.0, "ic": 0.5, "sharpe": 0.1},
)
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def cell(tmp_path_factory: pytest.TempPathFactory) -> MadeUpCell:
    return made_up_cell(tmp_path_factory.mktemp("cubes"), graph=GRAPH)


def gradients(
    cell: MadeUpCell,
    weights: Mapping[str, float],
    micro_batch: int,
    *,
    stocks_at_once: int | None = None,
    stocks_per_day: int | None = None,
) -> tuple[dict[str, Tensor], LossSums]:
    """Gradients of one step over DAYS days in float64, by parameter, and the sums of its losses."""
    recipe, spec = of_losses(weights)
    recipe = dataclasses.replace(recipe, stocks_per_day=stocks_per_day)
    torch.manual_seed(0)
    model = build(spec, dropout=0.0, stocks_at_once=stocks_at_once).double()
    loss = load_ranking("rank").training_loss(recipe, spec.geometry)  # type: ignore[arg-type]
    feed = DayFeed(cell.days(Region.TRAIN, weighed="regime" in weights), CPU, recipe, 3)
    index_B = feed.order(1, torch.arange)[:DAYS]
    sums = accumulate_gradients(model, Weights(model, "fp32"), feed, index_B, micro_batch, loss)
    found = {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}
    assert len(found) == len(list(model.parameters()))
    assert max(float(gradient.abs().max()) for gradient in found.values()) > 1e-4
    return found, sums


def assert_equal(ours: tuple[dict[str, Tensor], LossSums], theirs: tuple[dict[str, Tensor], LossSums]) -> None:
    for name, gradient in theirs[0].items():
        torch.testing.assert_close(ours[0][name], gradient, atol=1e-6, rtol=0, msg=name)
    for ours_sum, theirs_sum in ((ours[1].trained, theirs[1].trained), (ours[1].reported, theirs[1].reported)):
        torch.testing.assert_close(ours_sum, theirs_sum, atol=1e-5, rtol=0)


@pytest.mark.parametrize("weights", MIXTURES, ids="+".join)
def test_one_day_after_another_gives_the_gradient_of_sixteen_days_at_once(
    cell: MadeUpCell, weights: Mapping[str, float]
) -> None:
    assert_equal(gradients(cell, weights, 1), gradients(cell, weights, DAYS))


@pytest.mark.parametrize("micro_batch", [3, 7, 15])
def test_a_last_micro_batch_of_fewer_days_counts_by_its_days(cell: MadeUpCell, micro_batch: int) -> None:
    weights = {"ic": 1.0, "sharpe": 0.5}
    assert_equal(gradients(cell, weights, micro_batch), gradients(cell, weights, DAYS))


@pytest.mark.parametrize("weights", [{"ic": 1.0}, {"sharpe": 1.0}, {"quantile": 1.0, "ic": 0.5}], ids="+".join)
@pytest.mark.parametrize("stocks_at_once", [1, 7, STOCKS])
def test_chunks_of_stocks_give_the_gradient_of_all_stocks_at_once(
    cell: MadeUpCell, weights: Mapping[str, float], stocks_at_once: int
) -> None:
    chunks = gradients(cell, weights, 4, stocks_at_once=stocks_at_once)
    assert_equal(chunks, gradients(cell, weights, DAYS))


@pytest.mark.parametrize("weights", [{"ic": 1.0}, {"sharpe": 1.0}], ids="+".join)
def test_micro_batches_of_days_that_show_drawn_stocks_draw_the_same_ones(
    cell: MadeUpCell, weights: Mapping[str, float]
) -> None:
    drawn = gradients(cell, weights, 1, stocks_per_day=6)
    assert_equal(drawn, gradients(cell, weights, DAYS, stocks_per_day=6))
    everyone, _ = gradients(cell, weights, DAYS)
    assert any(not torch.allclose(drawn[0][name], gradient, atol=1e-6) for name, gradient in everyone.items())


@pytest.mark.parametrize("weights", [{"ic": 1.0}, {"sharpe": 1.0}], ids="+".join)
def test_one_step_of_the_trainer_is_the_same_in_micro_batches_of_days(
    cell: MadeUpCell, weights: Mapping[str, float]
) -> None:
    recipe, spec = of_losses(weights)
    loss = load_ranking("rank").training_loss(recipe, spec.geometry)  # type: ignore[arg-type]
    kept = []
    for plan in (batch_plan(DAYS, DAYS), batch_plan(1, DAYS), batch_plan(1, DAYS, stocks_at_once=7)):
        trainer = Trainer(panel_job(spec=spec, recipe=recipe, plan=plan, settings=settings(dropout=0.0)), loss)
        before = {name: value.clone() for name, value in trainer.weights.to_save.items()}
        feed = DayFeed(cell.days(Region.TRAIN), CPU, recipe, 3)
        trainer.step(feed, feed.order(1, torch.arange)[:DAYS], 1e-3)
        kept.append({name: value - before[name] for name, value in trainer.weights.to_save.items()})
    # A shift of all scores changes no ranking, and a key's bias cancels: their gradients are rounding alone.
    free = ("head.bias", "norm.bias", "project_in.bias")
    for other in kept[1:]:
        for name, step in kept[0].items():
            if not name.endswith(free):
                torch.testing.assert_close(step, other[name], atol=2e-5, rtol=2e-2, msg=name)
