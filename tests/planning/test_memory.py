from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from tests.building import spec

from tsladder.planning.memory import plan_batch, predicted_memory_gib, with_micro_batch

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


def test_less_memory_first_halves_the_micro_batch_and_then_checkpoints() -> None:
    def plan(memory_gib: float) -> tuple[int, bool] | None:
        found = plan_batch(BIG, effective_batch=256, precision="fp32", optimizer="adamw", memory_gib=memory_gib)
        return None if found is None else (found.micro_batch, found.activation_checkpointing)

    roomy, tight = plan(20.0), plan(0.62)
    assert roomy == (256, False)
    assert tight is not None
    assert tight[0] < 256
    assert plan(0.46) is None


def test_halving_stops_at_one_window() -> None:
    plan = plan_batch(BIG, effective_batch=4, precision="fp32", optimizer="adamw", memory_gib=20.0)
    assert plan is not None
    last = with_micro_batch(plan, 1)
    assert last.accumulation_steps == 4
    assert last.halved() is None
