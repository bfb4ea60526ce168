"""Plan files of a panel study: which leaf of the question makes which stage of a cell stale, and which makes none."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.panel_studies import DEFAULT_PANEL_PARAMS

from tsladder.artifacts.record import text_of
from tsladder.params import PanelParams, load_panel_params
from tsladder.planning.panel_cells import plan_panel_cells
from tsladder.vocabulary import Cell

CELL = Cell("12k", 1)
STAGES = ("search", "train", "evaluate")
STOCKS = 36
SMALL = ("budget=12k", "ladder=[12k,25k]")


def asked(*leaves: str) -> PanelParams:
    return load_panel_params(DEFAULT_PANEL_PARAMS, (*SMALL, *leaves))


def plans_of(*leaves: str, cell: Cell = CELL, stocks: int = STOCKS) -> dict[str, str]:
    """The text of each plan file of `cell`; {} where it is not planned."""
    (found,) = [plans for plans in plan_panel_cells(asked(*leaves), stocks) if plans.cell == cell]
    return {} if found.files is None else {stage: text_of(getattr(found.files, stage)) for stage in STAGES}


def stale_by(*leaves: str) -> set[str]:
    before, after = plans_of(), plans_of(*leaves)
    return {stage for stage in STAGES if before[stage] != after[stage]}


@pytest.mark.parametrize(
    ("leaf", "stale"),
    [
        ("search.trials=5", {"search"}),
        ("search.presets.panel_quick.space.dropout={low: 0.1, high: 0.2, log: false}", {"search"}),
        ("search.strategy=random_search", {"search"}),
        ("train.seeds=4", {"train"}),
        ("evaluation.cost_bps=1.0", {"evaluate"}),
        ("evaluation.bootstrap_draws=500", {"evaluate"}),
        *(
            (leaf, {"search", "train", "evaluate"})
            for leaf in (
                "study.seed=43",
                "data.tier=c21",
                "universe.min_history=260",
                "target.entry_lag=2",
                "+target.transform=zscore",
                "windows.context_length=48",
                "windows.normalisation=zscore",
                "model.patch_len=10",
                "model.family=atft_gat_fan",
                "training.effective_batch=16",
                "training.loss_weights={ic: 1, sharpe: 0.1}",
                "training.loss_weights={quantile: 1}",
                "training.train_every=3",
                "training.stocks_per_day=20",
                "training.day_weights=volatility_terciles",
                "training.optimizer=adabelief",
            )
        ),
    ],
)
def test_a_leaf_makes_the_stages_stale_whose_numbers_it_changes(leaf: str, stale: set[str]) -> None:
    assert stale_by(leaf) == stale


@pytest.mark.parametrize(
    "leaf",
    [
        "study.name=another",
        "study.phase=P2",
        "law.alpha_of_interest=0.01",
        "law.region=validation",
        "hardware.workers=1",
        "hardware.memory_gib=2",
        "training.checkpoint_minutes=1",
        "splits.min_days=300",
        "splits.embargo_days=30",
        "horizons=[1, 5]",
        "budget=25k",
        "ladder=[12k, 25k, 50k]",
        "model.days=10",
        "model.fan_components=1",
        "graph={sector_peers: 5}",
        "search.pretraining={epochs: 3}",
        "search.presets.panel_quick.trials=6",
    ],
)
def test_a_leaf_that_changes_no_number_of_a_cell_makes_no_stage_of_it_stale(leaf: str) -> None:
    """Where days are cut is in a file of its own, on which the stages depend; leaves of another family are ignored."""
    assert stale_by(leaf) == set()


def test_a_graph_makes_cells_of_a_family_that_reads_it_stale() -> None:
    family = "model.family=atft_gat_fan"
    before, after, other = plans_of(family), plans_of(family, "graph={}"), plans_of(family, "graph={days: 40}")
    for stage in STAGES:
        assert len({before[stage], after[stage], other[stage]}) == 3


def test_another_horizon_that_is_forecast_with_it_makes_a_cell_stale() -> None:
    both = "horizons=[1, 5]"
    quantiles = "training.loss_weights={quantile: 1}"
    alone, together = (plans_of(both, quantiles, *more) for more in ((), ("training.horizon_weights={5: 0.5}",)))
    assert all(alone[stage] != together[stage] for stage in STAGES)
    question = json.loads(together["train"])
    assert question["horizons"] == [1, 5]
    assert question["training"]["horizon_weights"] == [1.0, 0.5]
    of_five = json.loads(plans_of(both, quantiles, "training.horizon_weights={5: 0.5}", cell=Cell("12k", 5))["train"])
    assert of_five["horizons"] == [5]


def test_cells_above_the_top_rung_and_all_cells_without_one_are_not_planned() -> None:
    assert plans_of(cell=Cell("25k", 1)) == {}
    assert set(plans_of("budget=25k", cell=Cell("25k", 1))) == set(STAGES)
    assert {plans.files for plans in plan_panel_cells(asked("budget=null"), STOCKS)} == {None}


def test_a_plan_holds_no_name_of_the_study_and_no_path() -> None:
    for text in plans_of().values():
        assert "nyse36-panel" not in text
        assert "/" not in text.replace("n/a", "")


def test_what_stands_only_in_some_plans_is_left_out_of_the_others() -> None:
    found: dict[str, Any] = {stage: json.loads(text) for stage, text in plans_of().items()}
    for stage, record in found.items():
        assert record["planned"] is True
        assert "graph" not in record, "a question without a graph has the bytes that it had before there were graphs"
        assert ("cost_bps" in record) is (stage == "evaluate")
        assert "phases" not in record["training"]
