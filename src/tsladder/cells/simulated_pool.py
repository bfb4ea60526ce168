"""Simulation of all trainings of a study in one pool of slots, and the number of slots that is worth renting."""

from __future__ import annotations

import dataclasses
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from pathlib import Path

from tsladder.artifacts.heat import TemperatureReading, ThermalLevel
from tsladder.artifacts.trials import TrialRecord
from tsladder.cells.simulated_cell import SimulatedCell, SimulatedTrainings, simulated_steps
from tsladder.execution.job_loop import run_pool
from tsladder.execution.job_source import Steps
from tsladder.execution.thermal_guard import ThermalWatch
from tsladder.execution.virtual_crew import VirtualCrew
from tsladder.messages import ignore_message
from tsladder.planning.machine import Machine
from tsladder.search.configuration import Value
from tsladder.vocabulary import Cell

BUSY_SHARE = 0.80
"""Busy share of the slots from which on a number of slots is worth renting."""

_MEMORY_FOLDER = Path("/dev/shm")  # noqa: S108
_ROOM_BYTES = 512 * 1024**2
"""Room that a folder in memory must have: a journal takes about 3 KiB a trial."""

Draws = Mapping[Cell, Mapping[int, Mapping[str, Value]]]
"""Draws of each trial of each cell, by its number."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PoolFigures:
    """Figures of a pool of `slots` slots: seconds until the last training has ended, and the share of that time for
    which the slots were busy, on average."""

    slots: int
    seconds: float
    busy_share: float


class StudyPool:
    """Pools of slots for the trainings of `cells`. A machine like `machine` has as many slots as the cell with the most
    workers has workers. Where other trainings take larger shares of a machine, the pool consists of whole machines, and
    slots that are left over are idle. Figures are means over simulations with the `seeds` of the factors on the
    forecasts."""

    def __init__(self, cells: Sequence[SimulatedCell], machine: Machine, *, seeds: Sequence[int]) -> None:
        self._cells = list(cells)
        self._machine = machine
        self._seeds = seeds
        self._known: dict[int, PoolFigures] = {}
        self.slots_of_a_place = max(cell.workers for cell in cells)
        alike = all(cell.workers == self.slots_of_a_place for cell in cells)
        self.least = 1 if alike else self.slots_of_a_place
        """Fewest slots that hold any training."""

    def figures(self, slots: int) -> PoolFigures:
        """Simulate a pool of `slots` slots, at least `least`. Raises Interrupted when asked to stop."""
        if slots not in self._known:
            crews = [self._simulate(slots, seed) for seed in self._seeds]
            seconds = sum(crew.seconds for crew in crews)
            places = slots / self.slots_of_a_place
            self._known[slots] = PoolFigures(
                slots=slots,
                seconds=seconds / len(crews),
                busy_share=sum(crew.busy_seconds for crew in crews) / (places * seconds),
            )
        return self._known[slots]

    def _simulate(self, slots: int, seed: int) -> VirtualCrew:
        whole, rest = divmod(slots, self.slots_of_a_place)
        shares = [Fraction(1)] * whole
        if rest and self.least == 1:
            shares.append(Fraction(rest, self.slots_of_a_place))
        trainings = SimulatedTrainings(seed)
        crew = VirtualCrew(self._machine, shares, trainings.train)
        with tempfile.TemporaryDirectory(prefix="tsladder-", dir=_quick_folder()) as folder:
            # Nobody reads the heartbeats: none is written for its age.
            drawn = simulate(self._cells, crew, trainings, Path(folder), clock=lambda: 0.0)
        # The draws of a search do not depend on the number of slots.
        self._cells = [dataclasses.replace(cell, known=drawn[cell.cell]) for cell in self._cells]
        return crew


def simulate(
    cells: Sequence[SimulatedCell],
    crew: VirtualCrew,
    trainings: SimulatedTrainings,
    folder: Path,
    *,
    clock: Callable[[], float],
) -> Draws:
    """Simulate all trainings of `cells` in the slots of `crew`, each with a journal in `folder`, and return the draws.

    `clock` (seconds) decides when heartbeats are written again. Raises Interrupted when asked to stop.
    """
    found: dict[Cell, list[TrialRecord]] = {}

    def steps(cell: SimulatedCell) -> Steps[None]:
        found[cell.cell] = yield from simulated_steps(cell, trainings, folder / str(cell.cell), clock)

    errors = run_pool(
        [partial(steps, cell) for cell in cells],
        lambda: crew,
        watch=ThermalWatch(_NoThermometer(), ignore_message),
        pause_requested=lambda: False,
    )
    for error in errors:
        if error is not None:
            raise error
    return {cell: {record.number: record.draws for record in records} for cell, records in found.items()}


def worth_renting(figures: Callable[[int], PoolFigures], first: int, *, least: int, numbers: int) -> PoolFigures | None:
    """Find the largest number of slots, at least `least`, that are busy for BUSY_SHARE of the time: with more of them,
    more than a fifth of what is paid for idles. Where even `least` slots are not that busy, it is `least`.

    Doubles `first` until the slots are not busy enough. Then steps down: as fewer slots are never faster, no number
    above slots * busy share / BUSY_SHARE can be busy enough. A step is at least a thirtieth of the number. None where
    `numbers` of them do not suffice.
    """
    good, slots, too_many = None, max(first, least), False
    for _ in range(numbers):
        found = figures(slots)
        if found.busy_share >= BUSY_SHARE:
            good = found
            if too_many:
                return good
            slots *= 2
            continue
        if slots == least:
            return found
        too_many = True
        bound = min(int(slots * found.busy_share / BUSY_SHARE), slots - max(1, slots // 30))
        slots = max(least, bound)
        if good is not None and slots <= good.slots:
            return good
    return None


class _NoThermometer:
    """Thermometer of a machine that stays cool."""

    def read(self) -> TemperatureReading:
        return TemperatureReading(level=ThermalLevel.NORMAL, celsius=None, source="a simulation")


def _quick_folder() -> Path | None:
    """Return a folder in memory with enough room, since a journal waits for the disk at each of its lines; None where
    there is none."""
    try:
        return _MEMORY_FOLDER if shutil.disk_usage(_MEMORY_FOLDER).free > _ROOM_BYTES else None
    except OSError:
        return None
