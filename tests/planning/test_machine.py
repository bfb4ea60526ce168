"""How a cell is laid out, and what the machine is told about its precision."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import torch
from tests.building import geometry, spec
from tests.studies import DEFAULT_PARAMS

from tsladder.artifacts.plans import Recipe
from tsladder.artifacts.record import json_of, record_of
from tsladder.errors import BadInput
from tsladder.models.spec import ModelSpec
from tsladder.params import HardwareParams, OptimizerSettings, TrainingParams, load_params
from tsladder.places import Places
from tsladder.planning import machine
from tsladder.planning.free_memory import AvailableMemory
from tsladder.planning.machine import (
    Machine,
    describe_memory,
    lay_out,
    scarce_memory_note,
    slow_bf16_note,
    survey,
)
from tsladder.planning.recipe import recipe_of
from tsladder.planning.too_little_memory import check_memory

AUTO = HardwareParams(device="auto", memory_gib=None, workers="auto")
SMALL = spec()
MIDDLE = ModelSpec(geometry=geometry(), d_model=384, n_layers=12, n_heads=8, d_ff=1536)
LARGE = ModelSpec(geometry=geometry(), d_model=1024, n_layers=16, n_heads=16, d_ff=4096)


def laptop(**changes: object) -> Machine:
    return dataclasses.replace(Machine(cores=8, memory_gib=16.0, device="cpu", fast_bf16=False), **changes)  # type: ignore[arg-type]


def test_small_models_train_one_a_core_on_one_thread_and_large_ones_alone_on_all() -> None:
    side_by_side = lay_out(SMALL, laptop(), AUTO)
    assert (side_by_side.workers, side_by_side.threads, side_by_side.memory_gib_each) == (8, 1, 2.0)
    assert lay_out(MIDDLE, laptop(), AUTO).workers == 8
    alone = lay_out(LARGE, laptop(), AUTO)
    assert (alone.workers, alone.threads, alone.memory_gib_each) == (1, 8, 16.0)


def test_no_more_models_train_side_by_side_than_memory_has_room_for() -> None:
    crowded = lay_out(MIDDLE, laptop(cores=64, memory_gib=15.0), AUTO)
    assert crowded.workers == 12
    assert crowded.threads == 5
    assert crowded.memory_gib_each == pytest.approx(15.0 / crowded.workers)
    assert lay_out(MIDDLE, laptop(cores=64, memory_gib=0.5), AUTO).workers == 1


def test_several_small_models_share_a_gpu_and_a_large_one_has_it_alone() -> None:
    gpu = laptop(device="cuda", memory_gib=80.0)
    assert lay_out(SMALL, gpu, AUTO).workers > 1
    assert lay_out(MIDDLE, gpu, AUTO).workers == 1


def test_the_number_of_workers_in_params_is_used() -> None:
    assert lay_out(SMALL, laptop(), dataclasses.replace(AUTO, workers=3)).workers == 3


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_a_device_that_is_not_there_is_refused_with_what_to_do() -> None:
    with pytest.raises(BadInput, match=r"hardware\.device is cuda.* set auto or cpu"):
        survey(dataclasses.replace(AUTO, device="cuda"))


@pytest.mark.parametrize(
    ("flags", "fast"), [("fpu avx512f avx512_bf16", False), ("fpu avx512_bf16 amx_bf16 amx_tile", True)]
)
def test_bf16_is_fast_where_the_processor_has_amx(
    flags: str, fast: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text(f"processor : 0\nflags : {flags}\n")
    monkeypatch.setattr(machine, "CPUINFO", cpuinfo)
    monkeypatch.setattr(machine.platform, "machine", lambda: "x86_64")
    surveyed = survey(dataclasses.replace(AUTO, device="cpu"))
    assert surveyed.fast_bf16 is fast
    assert (slow_bf16_note(surveyed, "bf16-mixed") is None) is fast


def test_slow_bf16_is_reported_with_the_way_to_fp32_and_only_where_it_is_asked_for() -> None:
    note = slow_bf16_note(laptop(), "bf16-mixed")
    assert note is not None
    assert "-S training.precision=fp32" in note
    assert slow_bf16_note(laptop(), "fp32") is None
    assert slow_bf16_note(laptop(fast_bf16=True), "bf16-mixed") is None
    assert slow_bf16_note(laptop(fast_bf16=None), "bf16-mixed") is None


@pytest.mark.parametrize(
    ("asked", "budget", "precision"),
    [
        ("auto", "750k", "fp32"),
        ("auto", "2M", "bf16-mixed"),
        ("auto", "2B", "bf16"),
        ("fp32", "2B", "fp32"),
        ("bf16", "12k", "bf16"),
    ],
)
def test_the_precision_follows_the_rung_or_what_is_asked_and_never_the_machine(
    asked: str, budget: str, precision: str
) -> None:
    params = load_params(DEFAULT_PARAMS)
    training: TrainingParams = dataclasses.replace(params.training, precision=asked)  # type: ignore[arg-type]
    assert recipe_of(training, params.search.chosen, budget, params.target.task).precision == precision


def test_auto_keeps_fp32_masters_for_adabelief_at_every_size() -> None:
    params = load_params(DEFAULT_PARAMS)
    training = dataclasses.replace(params.training, optimizer="adabelief")
    found = [
        recipe_of(training, params.search.chosen, budget, params.target.task) for budget in ("750k", "2M", "1B", "2B")
    ]
    assert [recipe.precision for recipe in found] == ["fp32", "bf16-mixed", "bf16-mixed", "bf16-mixed"]
    assert {recipe.optimizer for recipe in found} == {"adabelief"}


def test_a_plan_names_settings_of_the_optimizer_only_where_they_are_not_its_defaults() -> None:
    params = load_params(DEFAULT_PARAMS)
    for settings, written in ((None, False), (OptimizerSettings(), False), (OptimizerSettings(rectify=True), True)):
        training = dataclasses.replace(params.training, optimizer="adabelief", optimizer_settings=settings)
        recipe = recipe_of(training, params.search.chosen, "12k", params.target.task)
        assert ("optimizer_settings" in json_of(recipe)) is written
        assert record_of(Recipe, json_of(recipe), source="a plan") == recipe


def on_linux(monkeypatch: pytest.MonkeyPatch, *, total_gib: float, free_gib: float) -> None:
    available = AvailableMemory(total_gib=total_gib, free_gib=free_gib)
    monkeypatch.setattr(machine, "read_free_memory", lambda: available)


ON_CPU = HardwareParams(device="cpu", memory_gib=None, workers="auto")


def test_memory_is_planned_for_what_is_free_and_not_for_what_is_owned(monkeypatch: pytest.MonkeyPatch) -> None:
    on_linux(monkeypatch, total_gib=16.0, free_gib=6.0)
    surveyed = survey(ON_CPU)
    assert surveyed.memory_gib == 5.0
    assert surveyed.idle_gib == 15.0
    assert describe_memory(surveyed) == "6.0 GiB free of 16.0 GiB of memory; planned with 5.0 GiB"
    assert scarce_memory_note(surveyed) is None


def test_a_requested_memory_above_what_is_free_is_planned_with_and_warned_of(monkeypatch: pytest.MonkeyPatch) -> None:
    on_linux(monkeypatch, total_gib=16.0, free_gib=6.0)
    surveyed = survey(dataclasses.replace(ON_CPU, memory_gib=8.0))
    assert (surveyed.memory_gib, surveyed.idle_gib) == (8.0, 8.0)
    note = scarce_memory_note(surveyed)
    assert note is not None
    assert note.startswith("6.0 GiB are free now")
    assert scarce_memory_note(survey(dataclasses.replace(ON_CPU, memory_gib=5.9))) is None


def test_a_requested_memory_above_that_of_the_machine_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    on_linux(monkeypatch, total_gib=16.0, free_gib=6.0)
    with pytest.raises(BadInput, match=r"must not exceed what this machine offers \(16\.0 GiB\), got 17"):
        survey(dataclasses.replace(ON_CPU, memory_gib=17.0))


def test_what_trainings_of_the_project_hold_counts_as_free_and_never_beyond_what_is_owned(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    on_linux(monkeypatch, total_gib=16.0, free_gib=6.0)
    assert survey(ON_CPU, ours_gib=4.0).memory_gib == 9.0
    assert survey(ON_CPU, ours_gib=40.0).memory_gib == 15.0


def test_as_many_workers_as_usual_train_beside_programs_that_hold_memory_until_none_is_left_for_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What a search draws depends on their number, so memory that others hold for a while does not change it."""

    def workers(free_gib: float) -> int:
        on_linux(monkeypatch, total_gib=16.0, free_gib=free_gib)
        return lay_out(SMALL, dataclasses.replace(survey(ON_CPU), cores=4), ON_CPU).workers

    assert [workers(free) for free in (16.0, 4.0, 2.5)] == [4, 4, 4]
    assert workers(1.5) == 2
    assert workers(0.2) == 1


def test_too_little_free_memory_is_distinguished_from_too_little_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    params = load_params(DEFAULT_PARAMS)
    on_linux(monkeypatch, total_gib=16.0, free_gib=0.2)
    with pytest.raises(BadInput, match=r"0\.2 GiB free of 16\.0 GiB.*end what holds memory now"):
        check_memory(Places(Path("nowhere"), Path("nowhere")), params, survey(ON_CPU))
    on_linux(monkeypatch, total_gib=0.3, free_gib=0.2)
    with pytest.raises(BadInput, match="a machine with more memory"):
        check_memory(Places(Path("nowhere"), Path("nowhere")), params, survey(ON_CPU))


def test_of_a_gpu_the_free_memory_is_planned_with(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "needs_torch", lambda _hardware: True)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda **_: True)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda: (30 * 2**30, 80 * 2**30))
    surveyed = survey(dataclasses.replace(AUTO, device="cuda"), ours_gib=4.0)
    assert (surveyed.memory_gib, surveyed.idle_gib, surveyed.device) == (29.0, 79.0, "cuda")
    assert surveyed.rates is None
