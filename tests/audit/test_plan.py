"""What makes the audit stale: what it asks about and the code it runs, and nothing else."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from tests.studies import make_study, params_of

from tsladder.artifacts.plans import AuditPlan
from tsladder.planning.across_cells import AUDITED_AT_MOST, plan_audit
from tsladder.planning.cells import geometry_of
from tsladder.planning.grid import build_grid


@pytest.fixture
def plan(tmp_path: Path) -> AuditPlan:
    return plan_audit(params_of(make_study(tmp_path)))


@pytest.mark.parametrize(
    "leaves",
    [
        {"budget": "30k"},
        {"train__seeds": 3},
        {"search__trials": 9},
        {"search__strategy": "random_search"},
        {"training__patience": 2},
        {"training__loss": "soft_auc"},
        {"training__monitor": "val_auc"},
        {"law__alpha_of_interest": 0.1},
        {"law__region": "validation"},
        {"evaluation__bootstrap_draws": 150},
        {"hardware__workers": 1},
    ],
)
def test_another_rung_search_law_or_machine_leaves_the_plan_as_it_is(
    plan: AuditPlan, tmp_path: Path, leaves: dict[str, object]
) -> None:
    assert plan_audit(params_of(make_study(tmp_path, **leaves))) == plan


@pytest.mark.parametrize(
    "leaves",
    [
        {"study__seed": 1},
        {"horizons": [1, 3]},
        {"data__tier": "a20"},
        {"target__price": "close"},
        {"windows__normalisation": "revin"},
        {"model__stride": 4},
        {"model__family": "itransformer"},
        {"training__precision": "bf16-mixed"},
    ],
)
def test_another_question_changes_the_plan(plan: AuditPlan, tmp_path: Path, leaves: dict[str, object]) -> None:
    assert plan_audit(params_of(make_study(tmp_path, **leaves))) != plan


def test_its_code_holds_every_step_from_bars_to_forecasts_and_neither_search_nor_report(plan: AuditPlan) -> None:
    steps = {
        "data.features",
        "data.indicators",
        "data.tier_columns",
        "data.tiers.a25",
        "data.targets",
        "data.splits",
        "data.windows",
    }
    steps |= {"training.trainer", "training.feed", "families.patchtst", "evaluation.baselines", "audit.shuffled"}
    assert {f"tsladder.{step}" for step in steps} <= set(plan.code)
    strangers = (
        "tsladder.search",
        "tsladder.report",
        "tsladder.console",
        "tsladder.law.curve.power_law",
        "tsladder.tracking",
    )
    assert not [name for name in plan.code if name.startswith(strangers)]


def test_its_model_is_the_lowest_rungs_smallest_or_a_small_one_where_that_is_large(
    plan: AuditPlan, tmp_path: Path
) -> None:
    params = params_of(make_study(tmp_path))
    assert plan.architecture == build_grid(geometry_of(params), "12k").members[0].architecture()
    large = dataclasses.replace(params, ladder=("2B",), budget="2B")
    small = plan_audit(large)
    assert small.architecture["d_model"] == 8
    assert small.training.precision == "fp32"
    assert small.training.optimizer == "adamw"
    assert build_grid(geometry_of(params), "2B").members[0].n_params > AUDITED_AT_MOST
