"""What the models of memory and time learn from short runs on one machine, and the file that keeps it. No torch.

Of memory two numbers are fitted, by least squares on the logarithm of predicted over measured: the framework's own
footprint and the factor on activations. Of time one: how much longer a step takes than by the default rates. The file
holds what was measured as well, so that the fit can be made again.
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

from tsladder.errors import WorkFailed
from tsladder.models.spec import Geometry, ModelSpec, spec_from_architecture
from tsladder.planning.duration import DEFAULT_RATES, step_terms
from tsladder.planning.memory import DEFAULT_CALIBRATION, BatchPlan, Calibration, predicted_memory_gib
from tsladder.records import read_json, write_json

if TYPE_CHECKING:
    import numpy as np

FEWEST_PEAKS = 3
_FRAMEWORK_GIB = (0.0, 4.0)
_ACTIVATIONS = (0.5, 2.0)


@dataclass(frozen=True, kw_only=True, slots=True)
class Peak:
    """Peak GiB of one process that trained `spec` under `plan`, and seconds of one of its optimizer steps."""

    spec: ModelSpec
    plan: BatchPlan
    memory_gib: float
    step_seconds: float
    threads: int


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelError:
    """Of predictions against measured peaks, as shares of the measured: median and largest absolute error, and how
    far the lowest prediction falls short (0: none does)."""

    median: float
    worst: float
    too_low: float


@dataclass(frozen=True, kw_only=True, slots=True)
class CalibratedMachine:
    """`error` is that of the peaks it was fitted on, `left_out` that of each peak under a fit without it.

    `time_factor`: seconds of a step here in units of those of DEFAULT_RATES, the median; `time_error` what remains.
    """

    machine: Mapping[str, Any]
    memory: Calibration
    error: ModelError
    left_out: ModelError
    time_factor: float
    time_error: ModelError
    peaks: tuple[Peak, ...]


def machine_identity(processor: str, device: str) -> dict[str, Any]:
    """What peaks depend on: elsewhere they are measured again."""
    return {"processor": processor, "device": device, "torch": version("torch")}


def calibrate(machine: Mapping[str, Any], peaks: Sequence[Peak]) -> CalibratedMachine:
    """Fit `peaks`. Raises WorkFailed for fewer than FEWEST_PEAKS."""
    if len(peaks) < FEWEST_PEAKS:
        raise WorkFailed(f"{len(peaks)} measured peaks are too few to calibrate with: {FEWEST_PEAKS} are needed")
    memory = fit_calibration(peaks)
    without = [(peak, fit_calibration([other for other in peaks if other is not peak])) for peak in peaks]
    steps = [(peak, DEFAULT_RATES.seconds(step_terms(peak.spec, peak.plan, peak.threads))) for peak in peaks]
    factor = round(statistics.median(peak.step_seconds / predicted for peak, predicted in steps), 4)
    return CalibratedMachine(
        machine=machine,
        memory=memory,
        error=model_error([_error(peak, memory) for peak in peaks]),
        left_out=model_error([_error(peak, fit) for peak, fit in without]),
        time_factor=factor,
        time_error=model_error([factor * predicted / peak.step_seconds - 1 for peak, predicted in steps]),
        peaks=tuple(peaks),
    )


def fit_calibration(peaks: Sequence[Peak]) -> Calibration:
    """The calibration under which the predictions of `peaks` are off by the least squares of their logarithms."""
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
    """Of `errors`, each predicted over measured less one."""
    return ModelError(
        median=round(statistics.median(map(abs, errors)), 4),
        worst=round(max(map(abs, errors)), 4),
        too_low=round(max(0.0, -min(errors)), 4),
    )


def _error(peak: Peak, calibration: Calibration) -> float:
    return predicted_memory_gib(peak.spec, peak.plan, calibration) / peak.memory_gib - 1.0


def keep(path: Path, calibrated: CalibratedMachine) -> None:
    """Write it to `path`, in place of what was there."""
    write_json(
        path,
        {
            "machine": dict(calibrated.machine),
            "memory": dataclasses.asdict(calibrated.memory),
            "error": dataclasses.asdict(calibrated.error),
            "left_out": dataclasses.asdict(calibrated.left_out),
            "time_factor": calibrated.time_factor,
            "time_error": dataclasses.asdict(calibrated.time_error),
            "peaks": [
                {
                    "geometry": dataclasses.asdict(peak.spec.geometry),
                    "architecture": peak.spec.architecture(),
                    "plan": dataclasses.asdict(peak.plan),
                    "memory_gib": peak.memory_gib,
                    "step_seconds": peak.step_seconds,
                    "threads": peak.threads,
                }
                for peak in calibrated.peaks
            ],
        },
    )


def kept(path: Path) -> CalibratedMachine | None:
    """What `path` holds; None when there is no such file. Raises WorkFailed when it is damaged."""
    if not path.exists():
        return None
    record = read_json(path)
    try:
        return CalibratedMachine(
            machine=dict(record["machine"]),
            memory=Calibration(**record["memory"]),
            error=ModelError(**record["error"]),
            left_out=ModelError(**record["left_out"]),
            time_factor=float(record["time_factor"]),
            time_error=ModelError(**record["time_error"]),
            peaks=tuple(
                Peak(
                    spec=spec_from_architecture(Geometry(**row["geometry"]), row["architecture"]),
                    plan=BatchPlan(**row["plan"]),
                    memory_gib=float(row["memory_gib"]),
                    step_seconds=float(row["step_seconds"]),
                    threads=int(row["threads"]),
                )
                for row in record["peaks"]
            ),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise WorkFailed(
            f"{path} is damaged ({error!r}): run `tsladder plan --calibrate` again, or remove it to plan as without it"
        ) from None
