"""A batch plan in a file: what only a panel has is left out where it is not used."""

from __future__ import annotations

import dataclasses

import pytest

from tsladder.artifacts.outcome import BatchPlan

PLAN = BatchPlan(
    micro_batch=16,
    accumulation_steps=2,
    effective_batch=32,
    precision="fp32",
    optimizer="adamw",
    activation_checkpointing=True,
)


def test_a_plan_of_all_stocks_has_the_keys_that_plans_always_had() -> None:
    assert list(PLAN.to_json()) == [
        "micro_batch",
        "accumulation_steps",
        "effective_batch",
        "precision",
        "optimizer",
        "activation_checkpointing",
    ]


@pytest.mark.parametrize("stocks_at_once", [None, 1, 18])
def test_a_plan_is_read_as_it_was_written(stocks_at_once: int | None) -> None:
    plan = dataclasses.replace(PLAN, stocks_at_once=stocks_at_once)
    assert BatchPlan.from_json(plan.to_json()) == plan
    assert BatchPlan.from_json({**plan.to_json(), "seed": 7}) == plan
