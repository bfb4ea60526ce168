"""Which slots the jobs of a cell take where places are of different kinds."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import pytest
from tests.execution.test_pool import MACHINE, Cells, Source, TickingCrew
from tests.execution.thermal import Lines, Script

from tsladder.execution.crew import Slot
from tsladder.execution.job_loop import run_pool
from tsladder.execution.slot_choice import SlotChoice
from tsladder.execution.thermal_guard import ThermalWatch
from tsladder.planning.machine import Machine


class MixedCrew(TickingCrew):
    """Crew of places of several kinds. `machines`: those that are not `MACHINE`."""

    def __init__(self, kinds: dict[str, str], machines: dict[str, Machine] | None = None, **how: object) -> None:
        super().__init__(tuple(kinds), **how)  # type: ignore[arg-type]
        self.kinds, self.machines = kinds, machines or {}
        self.jobs_at: dict[int, set[str]] = {}

    def free(self, workers: int) -> Sequence[Slot]:
        slots: list[Slot] = []
        for place in () if self.over else self.places:
            used = sum(Fraction(1, slot.workers) for _, slot, _ in self.jobs.values() if slot.place == place)
            machine = self.machines.get(place, MACHINE)
            slots += [Slot(place=place, machine=machine, workers=workers, kind=self.kinds[place])] * int(
                (1 - used) * workers
            )
        return slots


def kinds_of(crew: MixedCrew, samples: int) -> set[str]:
    """Kinds of the places where the jobs of one cell ran: its jobs have numbers of their own in the pool."""
    return {crew.kinds[place] for (_, place), of in zip(crew.started, crew.samples, strict=True) if of == samples}


class Recording(MixedCrew):
    def __init__(self, kinds: dict[str, str], machines: dict[str, Machine] | None = None, **how: object) -> None:
        super().__init__(kinds, machines, **how)
        self.samples: list[int] = []

    def start(self, order: object, slot: Slot) -> None:
        super().start(order, slot)  # type: ignore[arg-type]
        self.samples.append(order.samples)  # type: ignore[attr-defined]


def pool(crew: TickingCrew, cells: Cells, sources: Sequence[Source], choice: SlotChoice) -> list[Exception | None]:
    return run_pool(
        [cells.cell(f"cell-{number}", source) for number, source in enumerate(sources)],
        lambda: crew,
        watch=ThermalWatch(Script(50.0), Lines(), clock=crew.clock),
        pause_requested=lambda: False,
        choice=choice,
    )


def test_a_cell_keeps_to_the_kind_of_its_first_job_and_begins_where_most_slots_are(tmp_path: Path) -> None:
    crew = Recording({"cpu": "a", "gpu-1": "b", "gpu-2": "b"})
    source = Source(tmp_path, 9, workers=1)
    assert pool(crew, Cells(tmp_path), [source], SlotChoice()) == [None]
    assert len(source.outcomes) == 9
    assert {place for _, place in crew.started} == {"gpu-1", "gpu-2"}


def test_cells_use_the_other_kinds_where_the_most_numerous_is_busy(tmp_path: Path) -> None:
    crew = Recording({"cpu": "a", "gpu-1": "b", "gpu-2": "b"})
    sources = [Source(tmp_path / str(number), 6, workers=1) for number in range(3)]
    for source in sources:
        source.folder.mkdir()
    pool(crew, Cells(tmp_path), sources, SlotChoice())
    assert [len(source.outcomes) for source in sources] == [6, 6, 6]
    assert {place for _, place in crew.started} == {"cpu", "gpu-1", "gpu-2"}
    assert all(len(kinds_of(crew, samples)) == 1 for samples in set(crew.samples))


def test_any_kind_is_used_where_that_is_chosen(tmp_path: Path) -> None:
    crew = Recording({"cpu": "a", "gpu-1": "b", "gpu-2": "b"})
    pool(crew, Cells(tmp_path), [Source(tmp_path, 9, workers=1)], SlotChoice(one_kind=False))
    assert kinds_of(crew, 0) == {"a", "b"}


def test_places_with_too_little_memory_get_no_job(tmp_path: Path) -> None:
    small = dataclasses.replace(MACHINE, memory_gib=MACHINE.memory_gib / 2)
    crew = Recording({"small-1": "a", "small-2": "a", "large": "b"}, {"small-1": small, "small-2": small})
    choice = SlotChoice(one_kind=False, least_gib=MACHINE.memory_gib)
    pool(crew, Cells(tmp_path), [Source(tmp_path, 4, workers=1)], choice)
    assert {place for _, place in crew.started} == {"large"}


@pytest.mark.parametrize("patience", [40.0, 200.0])
def test_a_cell_whose_kind_is_gone_takes_another_after_a_while_and_says_so(patience: float, tmp_path: Path) -> None:
    def lose_all(crew: TickingCrew) -> None:
        if crew.time == 1:
            for place in ("gpu-1", "gpu-2"):
                crew.lose(place)

    crew = Recording({"cpu": "a", "gpu-1": "b", "gpu-2": "b"}, on_tick=lose_all)
    said = Lines()
    source = Source(tmp_path, 3, workers=1)
    choice = SlotChoice(patience=patience, say=said, clock=crew.clock)
    assert pool(crew, Cells(tmp_path), [source], choice) == [None]
    assert len(source.outcomes) == 3
    places = [place for _, place in crew.started]
    assert set(places[:2]) == {"gpu-1", "gpu-2"}
    assert set(places[2:]) == {"cpu"}
    assert len(said.messages) == 1
    assert "'b' has been free" in said.messages[0]
    assert crew.clock() - 1000.0 >= patience


def test_a_cell_waits_for_its_own_kind_where_that_comes_back_in_time(tmp_path: Path) -> None:
    def away(crew: TickingCrew) -> None:
        if crew.time == 1:
            crew.lose("gpu")
        if crew.time == 5:
            crew.places.append("gpu")

    crew = Recording({"cpu": "a", "gpu": "b"}, on_tick=away)
    crew.places = ["gpu", "cpu"]
    said = Lines()
    pool(
        crew, Cells(tmp_path), [Source(tmp_path, 3, workers=1)], SlotChoice(patience=500.0, say=said, clock=crew.clock)
    )
    assert {place for _, place in crew.started} == {"gpu"}
    assert said.messages == []
