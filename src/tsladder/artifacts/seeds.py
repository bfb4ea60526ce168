"""outcome.json of a seed in the live record of a retraining, unlogged.json beside it until the seed's run is on its way
to MLflow, and timings/<cell>.json, which holds all seeds of a cell."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from tsladder.artifacts.heat import Heat
from tsladder.artifacts.outcome import BatchPlan, TrainingOutcome, heat_from_json, heat_json
from tsladder.artifacts.store import if_there, read_json, write_json
from tsladder.errors import WorkFailed
from tsladder.vocabulary import StopReason

T = TypeVar("T")

OUTCOME = "outcome.json"

UNLOGGED = "unlogged.json"

SEED_PREFIX = "seed-"
"""Text before the number in the name of a seed."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SeedRecord:
    """Outcome of the training of one seed, and its cost.

    It holds a `TrainingOutcome` without the fields that are stored beside the weights (training.json). `train_loss` is
    that of the last epoch.
    """

    scored: bool
    stop_reason: StopReason
    seconds: float
    train_seconds: float
    epochs_run: int
    train_loss: float | None
    retries: int
    resumed_at: int
    peak_memory_gib: float | None
    predicted_memory_gib: float
    heat: Heat
    plan: BatchPlan
    device: str
    threads: int
    message: str

    @classmethod
    def of(cls, outcome: TrainingOutcome, *, predicted_memory_gib: float, device: str, threads: int) -> SeedRecord:
        """Build the record of a training that ended with `outcome`."""
        kept = {name: getattr(outcome, name) for name in _FIELDS if hasattr(outcome, name)}
        return cls(**kept, predicted_memory_gib=predicted_memory_gib, device=device, threads=threads)

    def to_json(self) -> dict[str, Any]:
        values = {name: getattr(self, name) for name in _FIELDS if name not in ("heat", "plan")}
        return {**values, **heat_json(self.heat), **self.plan.to_json()}

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> SeedRecord:
        """Build a record from its JSON; the inverse of `to_json`. Raises KeyError, ValueError or TypeError for any
        other JSON."""
        values = {name: record[name] for name in _FIELDS if name not in ("heat", "plan")}
        values["stop_reason"] = StopReason(values["stop_reason"])
        return cls(**values, heat=heat_from_json(record), plan=BatchPlan.from_json(record))


_FIELDS = tuple(item.name for item in dataclasses.fields(SeedRecord))


@dataclass(frozen=True, kw_only=True, slots=True)
class UnloggedSeed:
    """Seed that has ended and is to be logged to MLflow under the key `key`. Times are milliseconds since the epoch."""

    key: str
    started_ms: int
    ended_ms: int
    outcome: TrainingOutcome

    def to_json(self) -> dict[str, Any]:
        return {
            "key": self.key,
            "started_ms": self.started_ms,
            "ended_ms": self.ended_ms,
            "outcome": self.outcome.to_json(),
            "plan": self.outcome.plan.to_json(),
        }

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> UnloggedSeed:
        """Build a record from its JSON; the inverse of `to_json`. Raises KeyError, ValueError or TypeError for any
        other JSON."""
        outcome = TrainingOutcome.from_json(record["outcome"], BatchPlan.from_json(record["plan"]))
        return cls(
            key=str(record["key"]),
            started_ms=int(record["started_ms"]),
            ended_ms=int(record["ended_ms"]),
            outcome=outcome,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Timings:
    """Seeds of a cell, by number. `key`: identity of the retraining; None if there was none."""

    cell: str
    key: str | None = None
    seeds: Mapping[int, SeedRecord] = field(default_factory=dict)


def read_seed(path: Path) -> SeedRecord:
    """Read the record of a seed. Raises FileNotFoundError, and WorkFailed if the file is damaged or of another
    version."""
    return _checked(path, lambda: SeedRecord.from_json(read_json(path)))


def write_seed(path: Path, record: SeedRecord) -> None:
    """Replace the record of a seed at `path`."""
    write_json(path, record.to_json())


def read_unlogged(path: Path) -> UnloggedSeed:
    """Read a seed that is to be logged. Raises FileNotFoundError, and WorkFailed if the file is damaged or of another
    version."""
    return _checked(path, lambda: UnloggedSeed.from_json(read_json(path)))


def write_unlogged(path: Path, seed: UnloggedSeed) -> None:
    """Replace the seed that is to be logged at `path`."""
    write_json(path, seed.to_json())


def read_timings(path: Path) -> Timings:
    """Read the seeds of a cell. Raises FileNotFoundError, and WorkFailed if the file is damaged or of another
    version."""
    record = read_json(path)
    seeds = record.get("seeds", {})
    return Timings(
        cell=str(record.get("cell", path.stem)),
        key=record.get("key"),
        seeds=_checked(path, lambda: {_number(name): SeedRecord.from_json(seed) for name, seed in seeds.items()}),
    )


def timings_if_there(path: Path) -> Timings:
    """Read the seeds of a cell as `read_timings` does; no seed if the file does not exist."""
    return if_there(read_timings)(path) or Timings(cell=path.stem)


def write_timings(path: Path, timings: Timings) -> None:
    """Replace the seeds of a cell at `path`."""
    seeds = {f"{SEED_PREFIX}{number}": seed.to_json() for number, seed in timings.seeds.items()}
    key = {} if timings.key is None else {"key": timings.key}
    write_json(path, {"cell": timings.cell, **key, "seeds": seeds})


def _number(name: str) -> int:
    return int(name.removeprefix(SEED_PREFIX))


def _checked(path: Path, read: Callable[[], T]) -> T:
    try:
        return read()
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise WorkFailed(
            f"{path} was written by another version, or by hand ({type(error).__name__}: {error}): remove it and run "
            "`tsladder run`"
        ) from None
