"""The task of ranking a day's stocks: what it declares, the loss it builds, and the faults of a mixture of losses."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch

from tsladder.families.parts.geometry import PanelGeometry
from tsladder.ranking.metrics import MEANS
from tsladder.tasks import load_any, load_ranking, panel_names
from tsladder.tasks.parts.day_labels import DayLabels
from tsladder.tasks.parts.ranking_loss_faults import loss_faults
from tsladder.tasks.parts.ranking_loss_names import NAMES, mixture, needs_quantiles
from tsladder.tasks.parts.ranking_losses import ranking_loss

TASK = load_ranking("rank")


@dataclass(frozen=True, kw_only=True, slots=True)
class Recipe:
    """Those settings of a training that make its loss."""

    loss_weights: dict[str, float]
    horizon_weights: tuple[float, ...] = (1.0,)


def geometry(horizons: int, quantiles: int) -> PanelGeometry:
    """Geometry of a model with these outputs."""
    return PanelGeometry(
        family="panel_transformer",
        context_length=60,
        n_features=9,
        patch_len=12,
        stride=12,
        revin=False,
        n_outputs=horizons * quantiles,
        stocks=7,
        horizons=horizons,
        quantiles=quantiles,
    )


def some_days(horizons: int) -> DayLabels:
    values_BSM = torch.randn(3, 7, horizons, generator=torch.Generator().manual_seed(1))
    return DayLabels(return_BSM=values_BSM, target_BSM=values_BSM, weight_B=torch.ones(3))


def test_what_it_declares_is_what_its_loss_does() -> None:
    assert TASK.metric == "rank_error"
    assert TASK.losses == NAMES
    loss = TASK.training_loss(Recipe(loss_weights={TASK.losses[0]: 1.0}), geometry(1, 1))
    assert loss.ranks is TASK.has_auc is False
    assert TASK.loss_in_label_sd is False
    equal_BSO, labels = torch.zeros(3, 7, 1), some_days(1)
    assert loss.per_window(equal_BSO, labels).tolist() == [TASK.constant_loss()] * 3


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("horizons", "quantiles"), [(1, 5), (3, 5)])
def test_it_builds_the_loss_of_a_recipe_for_the_outputs_of_a_geometry(name: str, horizons: int, quantiles: int) -> None:
    weights = {name: 0.5, "ic": 0.25}
    horizon_weights = (1.0, 0.4, 0.2)[:horizons]
    found = TASK.training_loss(
        Recipe(loss_weights=weights, horizon_weights=horizon_weights), geometry(horizons, quantiles)
    )
    expected = ranking_loss(weights, horizon_weights, True, horizons)
    out_BSO = torch.randn(3, 7, horizons * quantiles, generator=torch.Generator().manual_seed(2))
    labels = some_days(horizons)
    assert found.total(out_BSO, labels) == expected.total(out_BSO, labels)
    assert found.additive is expected.additive
    assert torch.equal(found.per_window(out_BSO, labels), expected.per_window(out_BSO, labels))


def test_a_model_of_one_score_is_ranked_by_it_though_its_labels_have_several_horizons() -> None:
    loss = TASK.training_loss(Recipe(loss_weights={"ic": 1.0}, horizon_weights=(1.0, 0.5)), geometry(1, 1))
    labels = some_days(2)
    right_BSO = labels.return_BSM[..., :1]
    assert loss.total(right_BSO, labels).item() == pytest.approx(0.0, abs=1e-5)
    assert loss.per_window(right_BSO, labels).tolist() == pytest.approx([0.0] * 3)


def test_its_words_name_metrics_that_scores_have() -> None:
    words = TASK.words
    names = [metric.name for metric in words.metrics]
    assert names[0] == TASK.metric
    assert set(names) <= {*MEANS, "icir"}
    assert words.ranking in words.metrics
    y_NS = np.array([[0.1, np.nan, 0.2], [np.nan, np.nan, 0.3]])
    assert words.labels(y_NS) == "2 days (3 labels)"
    assert words.describe_target("close") == "ranking of the stocks of a day by their return"


@pytest.mark.parametrize("name", panel_names())
def test_every_task_of_a_panel_declares_what_all_tasks_do(name: str) -> None:
    task = load_any(name)
    assert task.metric
    assert task.losses
    assert task.words.loss
    assert task.words.unit
    assert not task.has_auc


@pytest.mark.parametrize(
    ("weights", "words", "quantiles"),
    [
        ({"ic": 1.0}, "ic", False),
        ({"ic": 0.5, "quantile": 1.0}, "quantile + 0.5 ic", True),
        ({"ic": 0.05, "quantile": 1.0, "sharpe": 0.15, "ranknet": 0.0}, "quantile + 0.15 sharpe + 0.05 ic", True),
        ({"ranknet": 1.0, "ic": 1, "quantile": 0.0}, "ic + ranknet", False),
    ],
)
def test_a_mixture_in_words_begins_with_its_largest_weight(
    weights: dict[str, float], words: str, quantiles: bool
) -> None:
    assert mixture(weights) == words
    assert needs_quantiles(weights) is quantiles


SOUND: dict[str, Any] = {"stocks": 431, "effective_batch": 32, "day_weights": "volatility_terciles"}


@pytest.mark.parametrize("name", NAMES)
def test_every_loss_alone_is_a_mixture_without_fault(name: str) -> None:
    assert loss_faults({name: 1.0}, **SOUND) == {}
    assert loss_faults({name: 1.0}, **(SOUND | {"stocks": None})) == {}


@pytest.mark.parametrize(
    ("weights", "changed", "leaf", "told"),
    [
        ({"hinge": 1.0}, {}, "training.loss_weights", "a loss is one of ic, quantile, .*, got hinge"),
        ({}, {}, "training.loss_weights", "must hold a loss with a weight above 0"),
        ({"ic": 0.0, "quantile": 0.0}, {}, "training.loss_weights", "must hold a loss with a weight above 0"),
        (
            {"ic": -0.5, "quantile": 1.0},
            {},
            "training.loss_weights.ic",
            "must be a finite number of at least 0, got -0.5",
        ),
        ({"ic": math.nan}, {}, "training.loss_weights.ic", "must be a finite number of at least 0, got nan"),
        ({"sharpe": 0.1, "ic": 1.0}, {"effective_batch": 1}, "training.effective_batch", "at least 2, got 1"),
        ({"regime": 1.0}, {"day_weights": None}, "training.day_weights", "must be volatility_terciles, got null"),
        (
            {"ranknet": 1.0},
            {"stocks": 513},
            "training.stocks_per_day",
            "ranknet compares .* at most 512, got 513 stocks",
        ),
        ({"listnet": 1.0, "ic": 1.0}, {"stocks": 3000}, "training.stocks_per_day", "listnet .* got 3,000 stocks"),
    ],
)
def test_a_fault_is_named_by_its_leaf(weights: dict[str, float], changed: dict[str, Any], leaf: str, told: str) -> None:
    faults = loss_faults(weights, **(SOUND | changed))
    assert list(faults) == [leaf]
    assert re.search(told, faults[leaf])


def test_what_a_mixture_does_not_hold_is_no_fault_of_it() -> None:
    assert loss_faults({"ic": 1.0, "sharpe": 0.0}, stocks=5000, effective_batch=1, day_weights=None) == {}


def test_all_faults_are_told_at_once_and_those_of_a_phase_by_its_own_leaf() -> None:
    faults = loss_faults(
        {"sharpe": -1.0, "regime": 1.0, "hinge": 1.0},
        stocks=5000,
        effective_batch=1,
        day_weights=None,
        section="training.phases[2]",
    )
    assert set(faults) == {
        "training.phases[2].loss_weights.sharpe",
        "training.phases[2].loss_weights",
        "training.effective_batch",
        "training.day_weights",
    }
