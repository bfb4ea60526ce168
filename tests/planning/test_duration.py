from __future__ import annotations

import dataclasses

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tests.building import batch_plan, geometry, spec
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from tsladder.models.build import build
from tsladder.planning.duration import (
    ADABELIEF_VALUES,
    BEST_EPOCH_SHARE,
    DEFAULT_RATES,
    SCORING_SHARE,
    RunLength,
    forecast,
    scoring_terms,
    step_terms,
)

RUN = RunLength(train_windows=2740, validation_windows=926, epochs=20, patience=4)
PLAN = batch_plan(256, 256)


@pytest.mark.parametrize(("d_model", "n_layers", "n_heads"), [(64, 1, 1), (64, 3, 2), (128, 2, 4)])
@pytest.mark.parametrize("family", ["patchtst", "itransformer", "informer"])
def test_products_are_those_that_torch_counts(family: str, d_model: int, n_layers: int, n_heads: int) -> None:
    """Many tokens, whose attention is torch's own and padded to nothing."""
    long = geometry(context_length=400, patch_len=8, stride=4, family=family, n_features=30)
    model_spec = spec(geometry=long, d_model=d_model, n_layers=n_layers, n_heads=n_heads, d_ff=2 * d_model)
    model = build(model_spec, dropout=0.0).eval()
    # The counter knows products, and no fused attention on a CPU.
    with torch.no_grad(), sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        model(torch.randn(4, 400, long.n_features))
    # The head alone is not in the formula.
    assert counter.get_total_flops() == pytest.approx(4 * model_spec.costs.products, rel=0.01)


def test_a_backward_pass_is_two_forward_passes_and_checkpointing_one_more() -> None:
    terms = step_terms(spec(), PLAN, 1)
    assert terms["fp32_product"] == 3 * (256 * spec().costs.products)
    checkpointed = step_terms(spec(), dataclasses.replace(PLAN, activation_checkpointing=True), 1)
    assert checkpointed["fp32_product"] == 4 * (256 * spec().costs.products)
    assert scoring_terms(spec(), PLAN, 1, 256)["fp32_product"] == pytest.approx(
        3 * SCORING_SHARE * (256 * spec().costs.products)
    )


def test_a_loss_over_pairs_takes_one_forward_pass_more_where_a_batch_comes_in_parts() -> None:
    parts = batch_plan(64, 256)
    assert step_terms(spec(), parts, 1, extra_forward_pass=True)["fp32_product"] == 4 * (256 * spec().costs.products)
    assert step_terms(spec(), PLAN, 1, extra_forward_pass=True) == step_terms(spec(), PLAN, 1)
    slow = forecast(spec(), parts, 1, dataclasses.replace(RUN, extra_forward_pass=True))
    assert slow.expected > forecast(spec(), parts, 1, RUN).expected


def test_adabelief_differs_from_adamw_by_what_a_value_takes() -> None:
    adamw, adabelief = (
        step_terms(spec(), dataclasses.replace(PLAN, optimizer=name), 1) for name in ("adamw", "adabelief")
    )
    assert adabelief == {**adamw, "adamw_value": ADABELIEF_VALUES * adamw["adamw_value"]}
    assert adabelief["adamw_value"] > adamw["adamw_value"] > 0.0


def test_the_epochs_of_phases_add_up_each_with_patience_of_its_own() -> None:
    whole = dataclasses.replace(RUN, epochs=29, patience=3)
    phases = dataclasses.replace(whole, phases=(5, 10, 8, 6))
    assert whole.expected_epochs == pytest.approx(BEST_EPOCH_SHARE * 29 + 3)
    assert phases.expected_epochs == pytest.approx(sum(BEST_EPOCH_SHARE * e + 3 for e in (5, 10, 8, 6)))
    short = dataclasses.replace(phases, phases=(2, 27))
    assert short.expected_epochs == pytest.approx(2 + BEST_EPOCH_SHARE * 27 + 3)
    assert dataclasses.replace(phases, patience=None).expected_epochs == 29


def test_lower_precision_takes_its_own_rate_and_moves_half_the_bytes() -> None:
    lower = step_terms(spec(), dataclasses.replace(PLAN, precision="bf16-mixed"), 2)
    full = step_terms(spec(), PLAN, 2)
    assert (lower["fp32_product"], lower["bf16_product"]) == (0.0, full["fp32_product"])
    assert 2 * lower["byte"] == full["byte"]


@given(
    d_model=st.sampled_from([32, 64, 256]),
    n_layers=st.integers(1, 40),
    accumulation=st.sampled_from([1, 2, 8]),
    checkpointing=st.booleans(),
)
def test_more_work_takes_longer_and_more_threads_less_long(
    d_model: int, n_layers: int, accumulation: int, checkpointing: bool
) -> None:
    def seconds(layers: int, threads: int = 1, micro: int = 256 // accumulation) -> float:
        model = spec(d_model=d_model, n_layers=layers, n_heads=4, d_ff=4 * d_model)
        plan = batch_plan(micro, 256, activation_checkpointing=checkpointing)
        return DEFAULT_RATES.seconds(step_terms(model, plan, threads))

    assert seconds(n_layers + 1) > seconds(n_layers)
    assert seconds(n_layers, threads=2) < seconds(n_layers)
    assert seconds(n_layers, micro=128 // accumulation) > seconds(n_layers)


def test_a_run_is_its_epochs_and_its_start() -> None:
    one = forecast(spec(), PLAN, 1, RUN)
    eleven_steps = 11 * one.step
    assert one.epoch > eleven_steps
    assert one.at_most == pytest.approx(20 * one.epoch, rel=0.2)
    assert one.expected < one.at_most
    slower = forecast(spec(), PLAN, 1, RUN, dataclasses.replace(DEFAULT_RATES, factor=3.0))
    assert slower.expected == pytest.approx(3 * one.expected)


def test_patience_ends_a_run_so_many_epochs_after_its_best() -> None:
    assert RUN.expected_epochs == BEST_EPOCH_SHARE * 20 + 4
    assert dataclasses.replace(RUN, patience=None).expected_epochs == 20
    assert dataclasses.replace(RUN, patience=30).expected_epochs == 20


def test_a_trial_of_a_walk_forward_takes_its_folds_one_after_the_other_in_one_process() -> None:
    shorter = dataclasses.replace(RUN, train_windows=1000)
    walking = forecast(spec(), PLAN, 1, dataclasses.replace(RUN, earlier=(shorter, shorter)))
    alone, fold = forecast(spec(), PLAN, 1, RUN), forecast(spec(), PLAN, 1, shorter)
    assert (walking.expected, walking.at_most) == (alone.expected, alone.at_most)
    assert (alone.trial_expected, alone.trial_at_most) == (alone.expected, alone.at_most)
    assert walking.trial_expected == pytest.approx(alone.expected + 2 * (fold.expected - DEFAULT_RATES.start))
    assert walking.trial_at_most == pytest.approx(alone.at_most + 2 * (fold.at_most - DEFAULT_RATES.start))
