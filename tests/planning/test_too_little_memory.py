from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest
from tests.building import recipe, spec
from tests.studies import DEFAULT_PARAMS

from tsladder.errors import BadInput
from tsladder.params import HardwareParams, load_params
from tsladder.places import Places
from tsladder.planning.machine import Machine
from tsladder.planning.memory import least_memory_gib, plan_batch
from tsladder.planning.too_little_memory import check_memory, insufficient_memory

PARAMS = load_params(DEFAULT_PARAMS)
PLACES = Places(Path("nowhere"), Path("nowhere"))
BIG = spec(d_model=1024, n_layers=16, n_heads=16, d_ff=4096)


def machine(memory_gib: float) -> Machine:
    return Machine(cores=8, memory_gib=memory_gib, device="cpu")


def need(optimizer: str, precision: str) -> float:
    return least_memory_gib(BIG, effective_batch=256, precision=precision, optimizer=optimizer)


def test_fewer_workers_are_named_where_they_fit() -> None:
    recipe_ = recipe(effective_batch=256)
    memory = 2.2 * need("adamw", "fp32")
    said = insufficient_memory([BIG], 5, machine=machine(memory), workers=4, recipe=recipe_)
    assert "hardware.workers=2" in said
    assert f"each of 4 has {memory / 4:.1f} GiB" in said


def test_the_setting_that_changes_least_and_fits_is_named() -> None:
    between = 0.5 * (need("lean", "bf16-mixed") + need("adamw", "bf16"))
    said = insufficient_memory([BIG], 5, machine=machine(between), workers=1, recipe=recipe(effective_batch=256))
    (optimizer, precision) = re.findall(r"training\.optimizer=(\S+) with training\.precision=(\S+)", said)[0]
    fits = plan_batch(BIG, effective_batch=256, precision=precision, optimizer=optimizer, memory_gib=between)
    assert fits is not None
    assert f"{need('adamw', 'fp32'):.1f} GiB" in said


def test_where_nothing_fits_a_larger_machine_or_a_lower_budget_remain() -> None:
    said = insufficient_memory([BIG], 5, machine=machine(0.4), workers=1, recipe=recipe(effective_batch=256))
    assert "training.optimizer" not in said
    assert "hardware.workers" not in said
    assert said.endswith("a lower budget")


@pytest.mark.parametrize("workers", ["auto", 3])
def test_too_little_memory_for_anything_names_the_least_that_works(workers: str | int) -> None:
    def with_memory(memory_gib: float) -> None:
        hardware = HardwareParams(device="cpu", memory_gib=memory_gib, workers=workers)  # type: ignore[arg-type]
        check_memory(PLACES, dataclasses.replace(PARAMS, hardware=hardware), machine(memory_gib))

    with pytest.raises(BadInput, match=r"hardware\.memory_gib must be at least") as refused:
        with_memory(0.2)
    (least,) = re.findall(r"at least (\d+\.\d+)", str(refused.value))
    with_memory(float(least))
