from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.building import geometry, spec

from tsladder.artifacts.outcome import BatchPlan
from tsladder.planning.memory import (
    HEADROOM,
    candidate_plans,
    least_memory_gib,
    memory_terms,
    plan_batch,
    predicted_memory_gib,
    smaller_plan,
)

BIG = spec(d_model=256, n_layers=8, d_ff=1024, n_heads=4)


@given(memory_gib=st.floats(0.5, 20.0), effective_batch=st.integers(1, 1000))
def test_a_plan_fits_its_memory_and_keeps_the_effective_batch(memory_gib: float, effective_batch: int) -> None:
    plan = plan_batch(BIG, effective_batch=effective_batch, precision="fp32", optimizer="adamw", memory_gib=memory_gib)
    if plan is None:
        return
    assert predicted_memory_gib(BIG, plan) <= memory_gib
    assert plan.effective_batch == effective_batch
    assert (plan.accumulation_steps - 1) * plan.micro_batch < effective_batch
    assert plan.accumulation_steps * plan.micro_batch >= effective_batch


def plans(precision: str, optimizer: str) -> list[BatchPlan]:
    return list(candidate_plans(effective_batch=256, precision=precision, optimizer=optimizer))


def test_less_memory_first_halves_the_micro_batch_and_then_checkpoints() -> None:
    found = [(plan.micro_batch, plan.activation_checkpointing) for plan in plans("fp32", "adamw")]
    assert found == [
        *((256 >> halvings, False) for halvings in range(5)),
        *((256 >> halvings, True) for halvings in range(9)),
    ]


def test_lean_training_checkpoints_first_so_that_a_step_is_one_micro_batch() -> None:
    found = [(plan.micro_batch, plan.activation_checkpointing) for plan in plans("bf16", "lean")]
    assert found == [(256, False), *((256 >> halvings, True) for halvings in range(9))]


@pytest.mark.parametrize(("precision", "optimizer"), [("fp32", "adamw"), ("bf16-mixed", "adamw"), ("bf16", "lean")])
def test_each_plan_in_turn_is_the_choice_of_some_memory(precision: str, optimizer: str) -> None:
    for plan in plans(precision, optimizer):
        memory = HEADROOM * predicted_memory_gib(BIG, plan)
        choice = plan_batch(BIG, effective_batch=256, precision=precision, optimizer=optimizer, memory_gib=memory)
        assert choice is not None
        assert predicted_memory_gib(BIG, choice) <= predicted_memory_gib(BIG, plan)
    least = least_memory_gib(BIG, effective_batch=256, precision=precision, optimizer=optimizer)
    for memory, fits in ((least, True), (0.999 * least, False)):
        choice = plan_batch(BIG, effective_batch=256, precision=precision, optimizer=optimizer, memory_gib=memory)
        assert (choice is not None) is fits


def test_what_is_smaller_takes_less_and_keeps_the_effective_batch() -> None:
    for precision, optimizer in (("fp32", "adamw"), ("bf16-mixed", "adamw"), ("bf16", "adamw")):
        plan = plans(precision, optimizer)[0]
        seen = [plan]
        while (smaller := smaller_plan(plan)) is not None:
            plan = smaller
            seen.append(plan)
        assert (plan.micro_batch, plan.activation_checkpointing) == (1, True)
        assert {p.effective_batch for p in seen} == {256}
        activations = [memory_terms(BIG, p, 1.0)[1] for p in seen[1:]]
        assert activations == sorted(activations, reverse=True)


def test_adabelief_needs_what_adamw_does_and_two_copies_of_its_largest_tensor_while_it_steps() -> None:
    for precision in ("fp32", "bf16-mixed"):
        for adamw, adabelief in zip(plans(precision, "adamw"), plans(precision, "adabelief"), strict=True):
            (held, step), (held_too, step_too) = memory_terms(BIG, adamw, 1.0), memory_terms(BIG, adabelief, 1.0)
            assert held_too == held
            assert 0.0 <= step_too - step <= 8.0 * BIG.costs.largest_weight


def test_two_billion_parameters_fit_eight_gib_only_when_trained_lean() -> None:
    geometry_2b = geometry(context_length=80, patch_len=16, stride=8, n_features=25)
    two_billion = spec(geometry=geometry_2b, d_model=2048, n_layers=40, n_heads=16, d_ff=8192)
    assert two_billion.n_params > 2e9
    lean = plan_batch(two_billion, effective_batch=256, precision="bf16", optimizer="lean", memory_gib=8.0)
    assert lean is not None
    assert (lean.micro_batch, lean.accumulation_steps, lean.activation_checkpointing) == (256, 1, True)
    for precision in ("fp32", "bf16-mixed", "bf16"):
        adamw = plan_batch(two_billion, effective_batch=256, precision=precision, optimizer="adamw", memory_gib=22)
        assert adamw is None
