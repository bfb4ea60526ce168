"""Open what `hardware.executor` of params.yaml names: the workers of this machine, or places on the nodes of a Ray
cluster. No stage imports this: a stage trains on its own machine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tsladder.errors import WorkFailed
from tsladder.execution.crew import Crews
from tsladder.execution.local_crew import LocalCrew
from tsladder.execution.thermometer import Thermometer, thermometer_for
from tsladder.params import HardwareParams
from tsladder.planning.machine import Machine, survey


@dataclass(frozen=True, kw_only=True, slots=True)
class Executor:
    """Executor of trainings. `machine`: a machine like those on which most of them run; `thermometer`: of all of
    them."""

    machine: Machine
    crews: Crews
    thermometer: Thermometer


@contextmanager
def executor_of(
    hardware: HardwareParams,
    calibration: Path,
    say: Callable[[str], None],
    *,
    crews: Crews = LocalCrew,
    panel: bool = False,
) -> Iterator[Executor]:
    """Open the executor that `hardware` names, and end its crew with the block.

    `crews`: of the executor local. `panel`: models of a panel are trained. Raises BadInput where the settings cannot be
    met, WorkFailed where no place answers for `hardware.patience` seconds.
    """
    if hardware.executor == "local":
        machine = survey(hardware, calibration)
        yield Executor(machine=machine, crews=crews, thermometer=thermometer_for(machine.device))
        return
    from tsladder.execution.ray_crew import open_ray_crew

    crew = open_ray_crew(hardware, calibration, say, panel=panel)
    try:
        crew.wait_for_places(hardware.patience)
        found = crew.machine(of_all=hardware.places == "any")
        if found is None:
            raise WorkFailed("no place has answered (hardware.executor: ray): see what `tsladder places` says")
        yield Executor(machine=found, crews=lambda _machine: crew, thermometer=crew)
    finally:
        crew.end_now()
