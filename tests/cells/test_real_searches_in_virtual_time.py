"""Real cells, with live records, journals and MLflow runs, trained ahead by a crew in virtual time."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest
from tests.cells.simulated import outcome_of_seconds
from tests.studies import make_study, params_of, prepare

from tsladder.artifacts.outcome import TrainingOutcome
from tsladder.artifacts.trials import TRIALS, read_trials
from tsladder.cells.ahead import train_ahead
from tsladder.cells.simulated_cell import SimulatedCell, SimulatedTrainings
from tsladder.cells.simulated_pool import simulate
from tsladder.execution.virtual_crew import VirtualCrew
from tsladder.params import Params
from tsladder.places import Places
from tsladder.planning.machine import Machine, survey
from tsladder.planning.run_length import run_lengths
from tsladder.planning.rung_layout import lay_out_cells
from tsladder.search.forced_trials import forced_by_cell
from tsladder.search.planned import planned_schedule, planned_space
from tsladder.seeds import derive_seed
from tsladder.status.question import plans_of_study
from tsladder.tracking import MemoryTracker
from tsladder.training.outcome import Job
from tsladder.vocabulary import Cell

SPREAD = 0.74


def timed(job: Job) -> TrainingOutcome:
    """A training of 600 s times a factor that its random seed decides."""
    normal = statistics.NormalDist().inv_cdf((derive_seed("seconds", job.seed) + 0.5) / 2**31)
    return outcome_of_seconds(job, 600.0 * math.exp(SPREAD * normal))


def made(folder: Path, *, horizons: list[int], budget: str, trials: int, lag: int) -> Places:
    places = make_study(
        folder,
        horizons=horizons,
        budget=budget,
        search__trials=trials,
        train__seeds=2,
        hardware__workers=1,
        hardware__lag=lag,
        hardware__memory_gib=2.0,
    )
    prepare(places)
    return places


def planned(params: Params) -> list[Cell]:
    return [cell for cell in params.cells if params.is_planned(cell)]


def trained(places: Places, slots: int, train: Callable[[Job], TrainingOutcome]) -> VirtualCrew:
    """Train all cells on machines with one slot each."""
    crews: list[VirtualCrew] = []

    def crew(machine: Machine) -> VirtualCrew:
        crews.append(VirtualCrew(machine, [Fraction(1)] * slots, train))
        return crews[-1]

    params = params_of(places)
    assert train_ahead(places, params, planned(params), MemoryTracker(), crews=crew) == {}
    (made,) = crews
    return made


def simulated_cells(places: Places, lag: int) -> list[SimulatedCell]:
    """The same cells for a simulation, in the order in which they are trained ahead."""
    params = params_of(places)
    machine = survey(params.hardware)
    forced = {cell: admitted.forced for cell, admitted in forced_by_cell(places, params).items()}
    layouts, runs = lay_out_cells(places, params, machine, forced), run_lengths(places, params)
    cells = []
    for plan in plans_of_study(places, params):
        if not plan.planned:
            continue
        layout, space = layouts[plan.cell], planned_space(plan.search, runs[plan.cell.horizon].train_windows)
        cells.append(
            SimulatedCell(
                cell=plan.cell,
                space=space,
                schedule=planned_schedule(plan.search, space, classes=(1, 1)),
                lag=lag,
                seed=params.study.seed,
                seeds=params.train.seeds,
                workers=layout.workers,
                threads=layout.threads,
                device="cpu",
                recipe=layout.recipe,
                task=params.target.task,
                plans={spec: found for spec, found in layout.plans.items() if found is not None},
                trial_seconds=lambda _spec, _settings: 1.0,
                seed_seconds=lambda _spec, _settings: 1.0,
                spread=0.0,
                known={},
            )
        )
    return sorted(cells, key=lambda cell: cell.space.grid.n_budget, reverse=True)


@pytest.mark.slow
@pytest.mark.parametrize("slots", [2, 5])
def test_a_simulation_takes_as_long_as_real_cells_in_the_same_pool_and_draws_the_same_trials(
    tmp_path: Path, slots: int
) -> None:
    places = made(tmp_path / "study", horizons=[1, 3], budget="30k", trials=12, lag=3)
    real = trained(places, slots, timed)
    crew = VirtualCrew(Machine(cores=1, memory_gib=2.0, device="cpu"), [Fraction(1)] * slots, timed)
    cells = simulated_cells(places, lag=3)
    drawn = simulate(cells, crew, SimulatedTrainings(0), tmp_path / "simulation", clock=lambda: 0.0)
    assert crew.seconds == pytest.approx(real.seconds)
    assert crew.busy_seconds == pytest.approx(real.busy_seconds)
    assert len(cells) == 4
    for cell in cells:
        (folder,) = places.live_records(cell.cell, "hpo")
        records = read_trials(folder / TRIALS)
        assert {record.number: record.draws for record in records} == drawn[cell.cell]
        assert len(records) == 12
