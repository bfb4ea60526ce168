"""A study simulated in one pool: spans computed by hand, bounds that any schedule keeps, and the numbers of slots that
are worth renting."""

from __future__ import annotations

import dataclasses
import itertools
import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.cells.simulated import SPACE, outcome_of_seconds, simulated_cell

from tsladder.artifacts.outcome import TrainingOutcome
from tsladder.artifacts.store import read_lines
from tsladder.cells.simulated_cell import SimulatedCell, SimulatedTrainings
from tsladder.cells.simulated_pool import BUSY_SHARE, PoolFigures, StudyPool, simulate, worth_renting
from tsladder.execution.virtual_crew import VirtualCrew
from tsladder.planning.machine import Machine
from tsladder.search.layout import JOURNAL
from tsladder.search.streams import trial_seed
from tsladder.training.outcome import Job
from tsladder.vocabulary import Phase

MACHINE = Machine(cores=1, memory_gib=4.0, device="cpu")


def pool_of(cells: Sequence[SimulatedCell], *, seeds: Sequence[int] = (1,)) -> StudyPool:
    return StudyPool(cells, MACHINE, seeds=seeds)


def span(cells: Sequence[SimulatedCell], slots: int, trained: Callable[[Job], TrainingOutcome], folder: Path) -> float:
    crew = VirtualCrew(MACHINE, [Fraction(1)] * slots, trained)
    simulate(cells, crew, SimulatedTrainings(1), folder, clock=lambda: 0.0)
    return crew.seconds


def by_number(cell: SimulatedCell, trials: Sequence[float], retraining: float) -> Callable[[Job], TrainingOutcome]:
    """Trainings of one cell whose trials take the given seconds."""
    seconds = {trial_seed(cell.seed, cell.cell, Phase.SEARCH, number): value for number, value in enumerate(trials)}
    return lambda job: outcome_of_seconds(job, seconds.get(job.seed, retraining))


# Two cells of three trials of 10 s and one seed of 10 s. At lag 1 a cell is a chain of 40 s.
@pytest.mark.parametrize(
    ("slots", "seconds", "busy"), [(1, 80.0, 1.0), (2, 40.0, 1.0), (4, 40.0, 0.5)], ids=["one", "two", "four"]
)
def test_two_cells_of_three_trials_at_lag_1_take_what_their_chains_take(
    slots: int, seconds: float, busy: float
) -> None:
    found = pool_of([simulated_cell(1), simulated_cell(2)]).figures(slots)
    assert found == PoolFigures(slots=slots, seconds=pytest.approx(seconds), busy_share=pytest.approx(busy))


def test_a_trial_waits_for_all_trials_up_to_the_lag_before_it_and_the_seeds_for_all_trials(tmp_path: Path) -> None:
    # At lag 2: 0 and 1 begin at 0 s, 2 when 0 has ended (4 s), 3 when 0 and 1 have, and a slot is free (4 s); the seed
    # after the last of them (4 + 5 s).
    cell = simulated_cell(trials=4, lag=2)
    assert span([cell], 3, by_number(cell, (4.0, 1.0, 2.0, 5.0), 3.0), tmp_path / "a") == 4.0 + 5.0 + 3.0
    # 1 outlasts 0: 2 begins at 1 s and ends at 3 s, but 3 waits for 1, which ends at 6 s.
    assert span([cell], 3, by_number(cell, (1.0, 6.0, 2.0, 5.0), 3.0), tmp_path / "b") == 6.0 + 5.0 + 3.0


def test_forced_trials_wait_for_none(tmp_path: Path) -> None:
    cell = simulated_cell(trials=4, lag=1, strategy="architectural")
    assert len(cell.schedule.forced) == 4
    plans = {**cell.plans, **{item.spec: next(iter(cell.plans.values())) for item in cell.schedule.forced}}
    cell = dataclasses.replace(cell, plans=plans)
    assert span([cell], 4, by_number(cell, (4.0, 1.0, 2.0, 5.0), 3.0), tmp_path / "study") == 5.0 + 3.0


def test_the_seeds_of_a_cell_train_side_by_side_and_while_another_cell_searches() -> None:
    one, two = simulated_cell(1, trials=1, seeds=3), simulated_cell(2, trials=4)
    assert pool_of([one, two]).figures(4).seconds == pytest.approx(50.0)
    assert pool_of([one]).figures(3).seconds == pytest.approx(20.0)
    assert pool_of([one]).figures(2).seconds == pytest.approx(30.0)


def test_a_cell_whose_trainings_take_a_whole_machine_counts_as_all_its_slots() -> None:
    # A machine has four slots for the small cell; the large one trains alone on each machine.
    small, large = simulated_cell(1, trials=8, lag=8, workers=4, seeds=1), simulated_cell(2, trials=2, lag=2, seeds=1)
    pool = pool_of([small, large])
    assert (pool.slots_of_a_place, pool.least) == (4, 4)
    alone = pool.figures(4)
    # 9 small ones take a quarter of it, three large ones all of it.
    assert alone.busy_share * alone.seconds == pytest.approx(9 * 10.0 / 4 + 3 * 10.0)


@given(
    spread=st.sampled_from([0.0, 0.5, 1.0]),
    lag=st.integers(1, 4),
    cells=st.integers(1, 3),
    slots=st.integers(1, 8),
    seed=st.integers(0, 1000),
)
@settings(max_examples=15, deadline=None)
def test_no_schedule_is_shorter_than_its_work_or_its_longest_chain_or_busier_than_its_slots(
    spread: float, lag: int, cells: int, slots: int, seed: int
) -> None:
    study = [simulated_cell(number, trials=6, lag=lag, seeds=2, spread=spread) for number in range(1, cells + 1)]
    pool = pool_of(study, seeds=(seed,))
    alone, found = pool.figures(1), pool.figures(slots)
    assert alone.busy_share == pytest.approx(1.0)
    assert found.seconds >= alone.seconds / slots - 1e-6
    assert found.busy_share == pytest.approx(alone.seconds / (slots * found.seconds))
    assert 0.0 < found.busy_share <= 1.0 + 1e-9
    # With a slot for every training nothing but the order is waited for.
    assert found.seconds >= pool.figures(8 * cells).seconds - 1e-6
    assert pool_of(study, seeds=(seed,)).figures(slots) == found


@pytest.mark.parametrize("lag", [1, 2, 4])
def test_more_slots_are_never_slower_by_more_than_one_training_where_all_take_the_same_time(lag: int) -> None:
    pool = pool_of([simulated_cell(number, trials=7, lag=lag, seeds=3) for number in (1, 2, 3)])
    spans = [pool.figures(slots).seconds for slots in range(1, 13)]
    # Greedy schedules of jobs that wait for each other can get longer by a further slot (Graham, 1966).
    assert all(later <= earlier + 10.0 for earlier, later in itertools.pairwise(spans))
    assert spans[0] == 300.0
    assert spans[0] > spans[1] > spans[2] > spans[-1]


def test_at_equal_lag_the_draws_are_the_same_on_any_number_of_slots(tmp_path: Path) -> None:
    cell = simulated_cell(trials=8, lag=2, spread=1.0)
    drawn = []
    for slots in (1, 2, 5):
        trainings = SimulatedTrainings(3)
        crew = VirtualCrew(MACHINE, [Fraction(1)] * slots, trainings.train)
        drawn.append(simulate([cell], crew, trainings, tmp_path / str(slots), clock=lambda: 0.0))
    assert drawn[0] == drawn[1] == drawn[2]
    assert sorted(drawn[0][cell.cell]) == list(range(8))
    assert set(drawn[0][cell.cell][0]) == {draw.name for draw in SPACE.draws}


def test_a_simulation_with_known_draws_equals_the_one_that_drew_them_and_writes_no_journal(tmp_path: Path) -> None:
    cell = simulated_cell(trials=8, lag=2, spread=1.0)

    def simulated(of: SimulatedCell, folder: Path) -> tuple[float, Mapping[int, object]]:
        trainings = SimulatedTrainings(3)
        crew = VirtualCrew(MACHINE, [Fraction(1)] * 3, trainings.train)
        drawn = simulate([of], crew, trainings, folder, clock=lambda: 0.0)
        return crew.seconds, drawn[of.cell]

    seconds, drawn = simulated(cell, tmp_path / "first")
    assert read_lines(tmp_path / "first" / str(cell.cell) / JOURNAL)
    known = dataclasses.replace(cell, known=drawn)
    assert simulated(known, tmp_path / "second") == (seconds, drawn)
    assert not (tmp_path / "second" / str(cell.cell) / JOURNAL).exists()


def test_the_factor_on_a_forecast_has_mean_1_and_the_asked_spread() -> None:
    trainings, cell = SimulatedTrainings(5), simulated_cell()
    spec, settings_of = SPACE.grid.members[0], simulated_cell_settings()
    jobs = [cell.job(spec, settings_of, seed) for seed in range(4_000)]
    for job in jobs:
        trainings.expect(job, 10.0, 0.74)
    seconds = [trainings.train(job).seconds for job in jobs]
    assert statistics.mean(seconds) == pytest.approx(10.0, rel=0.05)
    assert statistics.stdev(map(math.log, seconds)) == pytest.approx(0.74, rel=0.05)


def simulated_cell_settings() -> object:
    from tests.building import settings as settings_of

    return settings_of()


# A study whose chain is 10 hours and whose work is 100 slot-hours: the span is the larger of 10 and 100 / slots.
def bounded(slots: int) -> PoolFigures:
    hours = max(10.0, 100.0 / slots)
    return PoolFigures(slots=slots, seconds=3600 * hours, busy_share=100.0 / (slots * hours))


@pytest.mark.parametrize("first", [1, 2, 7, 12, 13, 40, 1000])
def test_the_largest_number_that_is_busy_enough_is_found_from_anywhere(first: int) -> None:
    found = worth_renting(bounded, first, least=1, numbers=30)
    assert found is not None
    # Busy for 100 / (10 slots) of the time.
    assert found.slots == 12
    assert found.busy_share >= BUSY_SHARE > bounded(found.slots + 1).busy_share


def test_no_number_below_the_fewest_slots_is_asked_for_and_too_few_tries_find_none() -> None:
    asked: list[int] = []

    def figures(slots: int) -> PoolFigures:
        asked.append(slots)
        return bounded(slots)

    found = worth_renting(figures, 40, least=16, numbers=30)
    assert found == bounded(16)
    assert min(asked) == 16
    assert worth_renting(bounded, 1, least=1, numbers=3) is None


def equal_cells(count: int, *, trials: int, lag: int) -> list[SimulatedCell]:
    return [
        simulated_cell(number, trials=trials, lag=lag, seeds=3, seconds=600.0, spread=0.74)
        for number in range(1, count + 1)
    ]


@pytest.mark.slow
def test_twelve_cells_of_fifty_trials_at_lag_4_keep_twelve_slots_busy_and_not_forty_eight() -> None:
    pool = pool_of(equal_cells(12, trials=50, lag=4))
    assert pool.figures(12).busy_share >= 0.85
    assert pool.figures(48).busy_share < 0.75
