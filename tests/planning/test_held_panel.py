"""Memory of a panel's data in a worker: the cube that it maps, and the labels of its training days."""

from __future__ import annotations

import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from tests.building import batch_plan, settings
from tests.panel.cell_days import CONTEXT, GRAPH, made_up_cell
from tests.panel.questions import question
from tests.panel_building import panel_geometry, panel_job, panel_recipe

from tsladder.execution.probe import trained
from tsladder.models.spec import ModelSpec
from tsladder.panel.cube import Cube, CubeContents, build_cube, open_cube
from tsladder.panel.dataset import CellDays, DayFold
from tsladder.panel.day_batches import DaySamples
from tsladder.panel.targets import Transform, transform_labels
from tsladder.params import GraphParams, HardwareParams
from tsladder.planning.held_panel import panel_held
from tsladder.planning.machine import Machine, lay_out
from tsladder.planning.memory import (
    GIB,
    HEADROOM,
    LABELLING_BYTES,
    NO_PANEL,
    HeldPanel,
    memory_terms,
    plan_batch,
    predicted_memory_gib,
)
from tsladder.vocabulary import Region

STOCKS = 431
SPEC = ModelSpec(geometry=panel_geometry(stocks=STOCKS), d_model=8, n_layers=3, n_heads=2, d_ff=16)


@pytest.mark.parametrize("graph", [None, GRAPH])
def test_the_cube_is_as_large_as_is_predicted_of_the_question(graph: GraphParams | None, tmp_path: Path) -> None:
    made = made_up_cell(tmp_path, graph=graph)
    sessions, stocks = made.cube.x_TSF.shape[:2]
    held = panel_held(made.params, sessions=sessions, stocks=stocks, drawn=None)
    # Beside the values a file has a header, and a record that names every session.
    assert held.cube_bytes == pytest.approx(made.cube.size, rel=0.02)


def test_no_more_days_are_trained_on_than_is_predicted(tmp_path: Path) -> None:
    made = made_up_cell(tmp_path)
    held = panel_held(question(), sessions=2000, stocks=14, drawn=None)
    assert held.training_days == 2000 - 30 - 2 * 250
    # This panel is too short for the days that validation and test need by default.
    assert panel_held(made.params, sessions=len(made.cube), stocks=14, drawn=None).training_days == 0
    assert len(made.days(Region.TRAIN)) <= len(made.cube) - max(30, CONTEXT - 1)


@pytest.mark.parametrize(("transform", "share"), [("rank", 1.0), ("zscore", 46.0 / 81.0)])
def test_ranking_labels_takes_the_bytes_that_are_predicted(transform: Transform, share: float) -> None:
    shape = (600, 120)
    return_NS = np.random.default_rng(0).normal(size=shape)
    member_NS = np.ones(shape, dtype=np.bool_)
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        transform_labels(return_NS.astype(np.float64), member_NS, transform)
        taken = tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()
    assert taken / return_NS.size == pytest.approx(share * LABELLING_BYTES, rel=0.1)


def test_a_worker_holds_the_cube_under_every_plan_whether_stocks_are_drawn_or_not() -> None:
    for drawn in (None, 64):
        without, held = (HeldPanel(drawn=drawn, cube_bytes=size) for size in (0.0, 0.25 * GIB))
        for plan in (batch_plan(), batch_plan(effective_batch=32, micro_batch=1)):
            added = predicted_memory_gib(SPEC, plan, panel=held) - predicted_memory_gib(SPEC, plan, panel=without)
            assert added == pytest.approx(0.25)


def test_a_long_panel_takes_the_memory_of_its_labels_where_that_is_more_than_a_step() -> None:
    one = ModelSpec(geometry=panel_geometry(stocks=500), d_model=8, n_layers=1, n_heads=2, d_ff=16)
    small = batch_plan(effective_batch=1, micro_batch=1)
    days = 5000
    before, after = (memory_terms(one, small, 1.0, panel=HeldPanel(training_days=n)) for n in (0, days))
    assert after[0] - before[0] == 8.0 * 500 * days
    assert before[1] < after[1] == LABELLING_BYTES * 500 * days


def test_a_large_cube_leaves_a_worker_fewer_days_at_once_and_a_machine_fewer_workers() -> None:
    held = HeldPanel(cube_bytes=0.5 * GIB)
    fits = HEADROOM * predicted_memory_gib(SPEC, batch_plan())
    recipe = {"effective_batch": 32, "precision": "fp32", "optimizer": "adamw", "memory_gib": fits}
    whole, beside = (plan_batch(SPEC, panel=panel, **recipe) for panel in (NO_PANEL, held))  # type: ignore[arg-type]
    assert whole == batch_plan()
    assert beside is None or beside.micro_batch < 32
    machine = Machine(cores=16, memory_gib=16.0, device="cpu")
    on_cpu = HardwareParams(device="cpu", memory_gib=None, workers="auto")
    workers, fewer = (lay_out(SPEC, machine, on_cpu, panel=panel).workers for panel in (NO_PANEL, held))
    assert fewer < workers


def noise(folder: Path, sessions: int) -> Cube:
    """A cube of noise in which all stocks are members of all days."""
    folder.mkdir()
    rng, shape, key = np.random.default_rng(0), (sessions, STOCKS), f"{sessions:064}"
    contents = CubeContents(
        columns=tuple("abcdefghi"),
        symbols_S=tuple(f"S{number:04}" for number in range(STOCKS)),
        dates_T=np.datetime64("2000-01-03") + np.arange(sessions),
        horizons=(1,),
        x_TSF=rng.normal(size=(*shape, 9)).astype(np.float32),
        here_TS=np.ones(shape, dtype=np.bool_),
        member_TS=np.ones(shape, dtype=np.bool_),
        return_TS=(0.01 * rng.normal(size=shape)).astype(np.float32),
        y_TSM=(0.01 * rng.normal(size=(*shape, 1))).astype(np.float32),
    )
    return open_cube(build_cube(folder, key, contents), key)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="how many pages a process has mapped is the kernel's choice")
def test_the_peak_of_a_worker_grows_by_the_cube_and_is_covered_by_the_headroom(tmp_path: Path) -> None:
    def trained_on(cube: Cube) -> float:
        """The peak of a worker that trains on the first days of `cube`, with some stocks drawn on each of them."""

        def days(first: int, count: int) -> CellDays:
            rows_N = np.arange(first, first + count, dtype=np.int64)
            sessions = DaySamples(cube=cube, rows_N=rows_N, context_length=CONTEXT)
            return CellDays(days=sessions, places_M=(0,), transform="rank", entry_lag=1, horizon=1, cost_bps=5.0)

        job = panel_job(spec=SPEC, recipe=panel_recipe(stocks_per_day=64), settings=settings(epochs=2))
        fold = DayFold(train=days(CONTEXT, 64), validation=days(100, 40))
        peak = trained(job, fold).outcome.peak_memory_gib
        assert peak is not None
        return peak

    small, large = noise(tmp_path / "small", 200), noise(tmp_path / "large", 5000)
    before, peak = trained_on(small), trained_on(large)
    assert GIB * (peak - before) == pytest.approx(large.size - small.size, rel=0.3)
    held = HeldPanel(cube_bytes=large.size, training_days=64, drawn=64)
    assert peak <= HEADROOM * predicted_memory_gib(SPEC, batch_plan(), panel=held)
