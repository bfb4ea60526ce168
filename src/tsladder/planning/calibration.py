"""Calibrate the memory and time models by short runs on one machine, and store the result in a file. No torch.

Two numbers of the memory model are fitted, by least squares on the logarithm of predicted over measured peaks: the
framework's own footprint and the factor on activations. On a CPU one number of the time model is fitted: how much
longer a step takes than under the default rates. Costs fitted one by one to as few runs as a calibration makes
predicted the left-out runs worse (benchmarks/README.md). On any other device each cost is fitted
(planning/step_costs.py). The file stores the measurements as well, so that the fit can be repeated.
"""

from __future__ import annotations

import dataclasses
import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tsladder.artifacts.outcome import BatchPlan
from tsladder.artifacts.store import read_json, write_json
from tsladder.errors import WorkFailed
from tsladder.models.spec import Geometry, ModelSpec, spec_from_architecture
from tsladder.planning.duration import DEFAULT_RATES, Rates, step_terms
from tsladder.planning.memory import DEFAULT_CALIBRATION, Calibration, predicted_memory_gib
from tsladder.planning.step_costs import FEWEST_STEPS, fit_costs

if TYPE_CHECKING:
    import numpy as np

VERSION = 2
"""Version of the calibration file. The first had no number, and one factor of time for every device."""

FEWEST_PEAKS = 3
_FRAMEWORK_GIB = (0.0, 4.0)
_ACTIVATIONS = (0.5, 2.0)


@dataclass(frozen=True, kw_only=True, slots=True)
class Peak:
    """One measured run: peak GiB of a process that trained `spec` under `plan`, and seconds of one of its optimizer
    steps.

    `threads`: threads of a CPU; 1 on a GPU, which the process had to itself. `start_seconds`: time spent outside the
    epochs.
    """

    spec: ModelSpec
    plan: BatchPlan
    memory_gib: float
    step_seconds: float
    threads: int
    start_seconds: float = 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelError:
    """Prediction errors relative to the measured values: median and largest absolute error, and how far the lowest
    prediction falls short (0: none does)."""

    median: float
    worst: float
    too_low: float


@dataclass(frozen=True, kw_only=True, slots=True)
class CalibratedMachine:
    """Calibration of one machine, with its errors on the fitted runs and on left-out ones.

    `error`: of the predicted peaks that were fitted; `left_out`: of each peak under a fit without it. `rates`:
    DEFAULT_RATES times a factor on a CPU, elsewhere fitted costs; None for a file of the first version from a device
    other than a CPU. `time_error` and `time_left_out`: the same errors for step times; the latter is None for too few
    runs to leave one out.
    """

    machine: Mapping[str, Any]
    memory: Calibration
    error: ModelError
    left_out: ModelError
    rates: Rates | None
    time_error: ModelError
    time_left_out: ModelError | None
    peaks: tuple[Peak, ...]


def machine_identity(processor: str, device: str) -> dict[str, Any]:
    """Return what measured peaks depend on: processor, device and version of torch. Where these differ, peaks are
    measured again."""
    return {"processor": processor, "device": device, "torch": version("torch")}


def calibrate(machine: Mapping[str, Any], peaks: Sequence[Peak]) -> CalibratedMachine:
    """Fit the memory and time models to `peaks`. Raises WorkFailed for fewer than FEWEST_PEAKS, and what `fit_costs`
    raises where costs are fitted."""
    if len(peaks) < FEWEST_PEAKS:
        raise WorkFailed(f"{len(peaks)} measured peaks are too few to calibrate with: {FEWEST_PEAKS} are needed")
    memory, rates = fit_calibration(peaks), fit_rates(machine["device"], peaks)
    left = [(peak, [other for other in peaks if other is not peak]) for peak in peaks]
    enough = machine["device"] == "cpu" or len(peaks) > FEWEST_STEPS
    return CalibratedMachine(
        machine=machine,
        memory=memory,
        error=model_error([_error(peak, memory) for peak in peaks]),
        left_out=model_error([_error(peak, fit_calibration(others)) for peak, others in left]),
        rates=rates,
        time_error=model_error([_time_error(peak, rates) for peak in peaks]),
        time_left_out=(
            model_error([_time_error(peak, fit_rates(machine["device"], others)) for peak, others in left])
            if enough
            else None
        ),
        peaks=tuple(peaks),
    )


def fit_rates(device: str, peaks: Sequence[Peak]) -> Rates:
    """Fit the rates: on a CPU the default costs times the median factor, elsewhere every cost by itself."""
    if device == "cpu":
        factors = [peak.step_seconds / DEFAULT_RATES.seconds(_terms(peak)) for peak in peaks]
        return dataclasses.replace(DEFAULT_RATES, factor=round(statistics.median(factors), 4))
    start = statistics.median(peak.start_seconds for peak in peaks)
    return fit_costs([(_terms(peak), peak.step_seconds) for peak in peaks], start=round(start, 3))


def fit_calibration(peaks: Sequence[Peak]) -> Calibration:
    """Return the calibration that minimises the sum of squared logarithms of predicted over measured peaks."""
    import numpy as np
    from scipy.optimize import least_squares

    def logs(x: np.ndarray, /) -> np.ndarray:
        calibration = Calibration(framework_gib=float(x[0]), activations=float(x[1]))
        return np.array([math.log1p(_error(peak, calibration)) for peak in peaks])

    start = [DEFAULT_CALIBRATION.framework_gib, DEFAULT_CALIBRATION.activations]
    lowest, highest = ([bounds[side] for bounds in (_FRAMEWORK_GIB, _ACTIVATIONS)] for side in (0, 1))
    found = least_squares(logs, start, bounds=(lowest, highest))
    return Calibration(framework_gib=round(float(found.x[0]), 4), activations=round(float(found.x[1]), 4))


def model_error(errors: Sequence[float]) -> ModelError:
    """Summarise `errors`, each of which is predicted over measured minus one."""
    return ModelError(
        median=round(statistics.median(map(abs, errors)), 4),
        worst=round(max(map(abs, errors)), 4),
        too_low=round(max(0.0, -min(errors)), 4),
    )


def _error(peak: Peak, calibration: Calibration) -> float:
    return predicted_memory_gib(peak.spec, peak.plan, calibration) / peak.memory_gib - 1.0


def _time_error(peak: Peak, rates: Rates) -> float:
    return rates.seconds(_terms(peak)) / peak.step_seconds - 1.0


def _terms(peak: Peak) -> dict[str, float]:
    return step_terms(peak.spec, peak.plan, peak.threads)


def write_calibration(path: Path, calibrated: CalibratedMachine) -> None:
    """Write `calibrated` to `path`, replacing an earlier file."""
    write_json(
        path,
        {
            "version": VERSION,
            "machine": dict(calibrated.machine),
            "memory": dataclasses.asdict(calibrated.memory),
            "error": dataclasses.asdict(calibrated.error),
            "left_out": dataclasses.asdict(calibrated.left_out),
            "rates": None if calibrated.rates is None else dataclasses.asdict(calibrated.rates),
            "time_error": dataclasses.asdict(calibrated.time_error),
            "time_left_out": None if calibrated.time_left_out is None else dataclasses.asdict(calibrated.time_left_out),
            "peaks": [
                {
                    "geometry": dataclasses.asdict(peak.spec.geometry),
                    "architecture": peak.spec.architecture(),
                    "plan": peak.plan.to_json(),
                    "memory_gib": peak.memory_gib,
                    "step_seconds": peak.step_seconds,
                    "threads": peak.threads,
                    "start_seconds": peak.start_seconds,
                }
                for peak in calibrated.peaks
            ],
        },
    )


def read_calibration(path: Path) -> CalibratedMachine | None:
    """Read the calibration in `path`; None when there is no such file. Raises WorkFailed for a damaged file or an
    unknown version."""
    if not path.exists():
        return None
    record = read_json(path)
    version = record.get("version", 1)
    if version not in (1, VERSION):
        raise WorkFailed(
            f"{path} is of version {version} and this program reads versions 1 and {VERSION}: run "
            "`tsladder plan --calibrate` again, or remove it to plan as without it"
        )
    try:
        return CalibratedMachine(
            machine=dict(record["machine"]),
            memory=Calibration(**record["memory"]),
            error=ModelError(**record["error"]),
            left_out=ModelError(**record["left_out"]),
            rates=_read_rates(record, version),
            time_error=ModelError(**record["time_error"]),
            time_left_out=ModelError(**left) if (left := record.get("time_left_out")) is not None else None,
            peaks=tuple(
                Peak(
                    spec=spec_from_architecture(Geometry(**row["geometry"]), row["architecture"]),
                    plan=BatchPlan.from_json(row["plan"]),
                    memory_gib=float(row["memory_gib"]),
                    step_seconds=float(row["step_seconds"]),
                    threads=int(row["threads"]),
                    start_seconds=float(row.get("start_seconds", 0.0)),
                )
                for row in record["peaks"]
            ),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise WorkFailed(
            f"{path} is damaged ({error!r}): run `tsladder plan --calibrate` again, or remove it to plan as without it"
        ) from None


def _read_rates(record: Mapping[str, Any], version: int) -> Rates | None:
    if version == VERSION:
        rates = record["rates"]
        return None if rates is None else Rates(**{name: float(value) for name, value in rates.items()})
    factor = float(record["time_factor"])
    return dataclasses.replace(DEFAULT_RATES, factor=factor) if record["machine"]["device"] == "cpu" else None
