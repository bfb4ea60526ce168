"""Batch plans of days: whole days are halved, then checkpointed, then computed in chunks of stocks."""

from __future__ import annotations

import dataclasses
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tsladder.artifacts.outcome import BatchPlan
from tsladder.models.spec import ModelSpec, PanelGeometry
from tsladder.planning.duration import RunLength, forecast, scoring_terms, step_terms
from tsladder.planning.memory import (
    HEADROOM,
    SCORING_BATCH,
    SCORING_BATCH_OF_STOCKS,
    HeldPanel,
    candidate_plans,
    least_memory_gib,
    memory_terms,
    plan_batch,
    predicted_memory_gib,
    scoring_batch,
    smaller_plan,
)


def big(stocks: int) -> ModelSpec:
    geometry = PanelGeometry(
        family="panel_transformer", context_length=60, n_features=9, patch_len=12, stride=12, revin=False, stocks=stocks
    )
    return ModelSpec(geometry=geometry, d_model=256, n_layers=8, n_heads=4, d_ff=1024)


def plans(stocks: int, days: int, optimizer: str = "adamw", precision: str = "fp32") -> list[BatchPlan]:
    return list(candidate_plans(effective_batch=days, precision=precision, optimizer=optimizer, stocks=stocks))


def told(plan: BatchPlan) -> tuple[int, bool, int | None]:
    return (plan.micro_batch, plan.activation_checkpointing, plan.stocks_at_once)


def test_less_memory_halves_the_days_then_checkpoints_then_halves_the_stocks() -> None:
    found = [told(plan) for plan in plans(36, 8)]
    assert found == [
        *((days, False, None) for days in (8, 4, 2, 1)),
        *((days, True, None) for days in (8, 4, 2, 1)),
        *((1, True, stocks) for stocks in (18, 9, 5, 3, 2, 1)),
    ]


def test_a_retry_goes_from_one_whole_day_to_checkpointing_and_then_to_fewer_stocks() -> None:
    plan = plans(36, 8)[3]
    found = []
    while (smaller := smaller_plan(plan, 36)) is not None:
        plan = smaller
        found.append(told(plan))
    assert found == [(1, True, None), *((1, True, stocks) for stocks in (18, 9, 5, 3, 2, 1))]


def test_days_of_few_stocks_are_not_halved_below_the_windows_at_which_checkpointing_is_faster() -> None:
    assert [plan.micro_batch for plan in plans(5, 32) if not plan.activation_checkpointing] == [32, 16, 8, 4]


def test_a_series_has_no_stocks_to_halve() -> None:
    assert {plan.stocks_at_once for plan in plans(1, 64)} == {None}
    assert plans(1, 64) == list(candidate_plans(effective_batch=64, precision="fp32", optimizer="adamw"))


@pytest.mark.parametrize(("precision", "optimizer"), [("fp32", "adamw"), ("bf16-mixed", "adamw"), ("bf16", "lean")])
@pytest.mark.parametrize("stocks", [36, 431])
def test_what_is_smaller_takes_less_and_keeps_the_effective_batch(stocks: int, precision: str, optimizer: str) -> None:
    offered = plans(stocks, 32, optimizer, precision)
    assert {plan.effective_batch for plan in offered} == {32}
    for checkpointing in (False, True):
        ordered = [plan for plan in offered if plan.activation_checkpointing is checkpointing and plan.micro_batch < 32]
        needed = [memory_terms(big(stocks), plan, 1.0)[1] for plan in ordered]
        assert needed == sorted(needed, reverse=True)
    least = least_memory_gib(big(stocks), effective_batch=32, precision=precision, optimizer=optimizer)
    assert least == HEADROOM * min(predicted_memory_gib(big(stocks), plan) for plan in offered)


def test_the_least_memory_is_that_of_the_fewest_stocks_at_once() -> None:
    spec = big(5000)
    recipe = {"effective_batch": 32, "precision": "fp32", "optimizer": "adamw"}
    least = least_memory_gib(spec, **recipe)  # type: ignore[arg-type]
    plan = plan_batch(spec, memory_gib=least, **recipe)  # type: ignore[arg-type]
    assert plan is not None
    assert told(plan) == (1, True, 1)
    whole = dataclasses.replace(plan, stocks_at_once=None)
    assert predicted_memory_gib(spec, plan) < 0.8 * predicted_memory_gib(spec, whole)


def test_a_step_on_drawn_stocks_takes_their_memory_and_validation_that_of_all() -> None:
    """Where the step is the larger of the two, it is that of a panel of the drawn stocks, beside three times the inputs
    of all in place of one copy of theirs: 60 sessions of 9 numbers and a flag. Scoring all stocks takes more than
    scoring the drawn ones."""
    for plan in plans(431, 32):
        few, drawn, every = (
            memory_terms(big(stocks), plan, 1.0, panel=HeldPanel(drawn=number))[1]
            for stocks, number in ((64, None), (431, 64), (431, None))
        )
        assert few <= drawn <= every
    largest = plans(431, 32)[0]
    of_a_step = memory_terms(big(431), largest, 1.0, panel=HeldPanel(drawn=64))[1]
    of_few = memory_terms(big(64), largest, 1.0)[1]
    assert of_a_step == of_few + 32 * 60 * (9 * 4 + 1) * (3 * 431 - 64)
    smallest = next(plan for plan in plans(431, 32) if plan.micro_batch == 1 and plan.activation_checkpointing)
    assert memory_terms(big(64), smallest, 1.0)[1] < memory_terms(big(431), smallest, 1.0, panel=HeldPanel(drawn=64))[1]


@pytest.mark.parametrize("drawn", [36, 100])
def test_as_many_drawn_stocks_as_there_are_take_the_memory_of_all(drawn: int) -> None:
    for plan in plans(36, 32):
        assert memory_terms(big(36), plan, 1.0, panel=HeldPanel(drawn=drawn)) == memory_terms(big(36), plan, 1.0)


def test_days_on_which_few_stocks_are_drawn_fit_whole_where_those_with_all_do_not() -> None:
    recipe = {"effective_batch": 32, "precision": "fp32", "optimizer": "adamw", "memory_gib": 4.0}
    whole, drawn = (plan_batch(big(431), panel=HeldPanel(drawn=number), **recipe) for number in (None, 64))  # type: ignore[arg-type]
    assert whole is not None
    assert drawn is not None
    assert drawn.micro_batch > whole.micro_batch
    assert (
        predicted_memory_gib(big(431), drawn, panel=HeldPanel(drawn=64)) <= 4.0 < predicted_memory_gib(big(431), drawn)
    )


@given(stocks=st.integers(2, 5000), micro_batch=st.one_of(st.none(), st.integers(1, 200)))
def test_scoring_takes_whole_days_of_about_a_thousand_stocks(stocks: int, micro_batch: int | None) -> None:
    days = scoring_batch(micro_batch, stocks)
    assert days >= 1
    assert days == 1 or days * stocks <= SCORING_BATCH_OF_STOCKS
    assert micro_batch is None or days <= 2 * micro_batch


@pytest.mark.parametrize(("micro_batch", "windows"), [(None, SCORING_BATCH), (512, 512), (100, 200), (1, 2)])
def test_scoring_of_a_series_takes_the_windows_that_it_took(micro_batch: int | None, windows: int) -> None:
    assert scoring_batch(micro_batch) == windows


def test_a_day_takes_the_time_of_its_stocks() -> None:
    plan = plans(36, 32)[0]
    small, large = (step_terms(big(stocks), plan, 1.0) for stocks in (36, 72))
    for term in ("fp32_product", "byte"):
        assert large[term] / small[term] == pytest.approx(2.0, rel=0.05)
    assert large["call"] == small["call"]
    few, many = (scoring_terms(big(stocks), plan, 1.0, 560) for stocks in (36, 72))
    # 28 days and 14 days at once.
    assert many["call"] == 2 * few["call"]
    assert many["fp32_product"] / few["fp32_product"] == pytest.approx(2.0, rel=0.05)


def test_days_on_which_some_stocks_are_drawn_take_the_time_of_these_in_training_alone() -> None:
    plan = plans(36, 32)[0]
    whole = RunLength(train_windows=320, validation_windows=280, epochs=2, patience=None)
    drawn, all_drawn = (dataclasses.replace(whole, stocks_per_day=stocks) for stocks in (12, 100))
    assert forecast(big(36), plan, 1.0, all_drawn) == forecast(big(36), plan, 1.0, whole)
    found, of_all, of_few = (
        forecast(big(stocks), plan, 1.0, run) for stocks, run in ((36, drawn), (36, whole), (12, whole))
    )
    assert found.step == of_few.step < of_all.step
    assert found.epoch - 10 * found.step == pytest.approx(of_all.epoch - 10 * of_all.step)


def test_fewer_stocks_at_once_take_longer() -> None:
    spec, offered = big(36), [plan for plan in plans(36, 8) if plan.micro_batch == 1 and plan.activation_checkpointing]
    terms = [step_terms(spec, plan, 1.0) for plan in offered]
    for before, after in pairwise(terms):
        assert after["call"] > before["call"]
        assert after["fp32_product"] >= before["fp32_product"]
    assert terms[1]["fp32_product"] > terms[0]["fp32_product"]
