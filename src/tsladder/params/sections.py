"""Sections of params.yaml as frozen, typed values: the values that each leaf may take, and what follows from one
section alone."""

from __future__ import annotations

import dataclasses
import datetime
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from tsladder.typed_yaml import MayBeLeftOut, Pattern, Range
from tsladder.vocabulary import Cell, parse_budget

Name = Annotated[str, Pattern(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", "letters, digits, '.', '_' and '-', at most 64")]
Count = Annotated[int, Range(1)]
Fraction = Annotated[float, Range(0.0, 1.0)]
Positive = Annotated[float, Range(0.0, above=True)]

_STRATEGIES = Path(__file__).parents[1] / "search" / "strategies"
STRATEGIES = tuple(sorted(path.stem for path in _STRATEGIES.glob("*.py") if path.stem != "__init__"))
"""Names of the strategies: each module of search/strategies is one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class StudyParams:
    name: Name
    phase: Name
    timescale: Name
    seed: Annotated[int, Range(0, 2**31 - 1)]


@dataclass(frozen=True, kw_only=True, slots=True)
class DataParams:
    """Data section. `symbol`: the market that validates, tests and makes the law. `symbols`: this one and further ones
    whose windows are also trained on; null: no further ones. `first_day` of a feature table: null, as early as the tier
    allows; `common`, as early as every tier without VIX allows; or a date. Days before it count as warm-up. `adjust`:
    prices are rescaled to Adj Close, for features and labels alike. `tier`: a module of data/tiers/. `volume` false:
    every column made of the volume is left out of any tier and of OHLCV."""

    symbol: Name
    tier: str
    ohlcv: bool
    symbols: tuple[Name, ...] | None = None
    first_day: Literal["common"] | datetime.date | None = None
    adjust: bool = False
    volume: Annotated[bool, MayBeLeftOut()] = True

    @property
    def tier_words(self) -> str:
        """Tier as tables, tags and reports call it: "a25", or "a25 without volume"."""
        return self.tier if self.volume else f"{self.tier} without volume"

    @property
    def further(self) -> tuple[str, ...]:
        """Symbols beside `symbol`, in their order."""
        return tuple(symbol for symbol in self.symbols or () if symbol != self.symbol)

    @property
    def markets(self) -> tuple[str, ...]:
        """All symbols: `symbol`, then those beside it."""
        return (self.symbol, *self.further)

    def to_record(self) -> dict[str, typing.Any]:
        """Return a JSON-ready record for plan files. A list of `symbol` alone asks what null asks; `volume` is there
        only where it is false, so that plans made before this leaf existed stay the same."""
        dated = self.first_day.isoformat() if isinstance(self.first_day, datetime.date) else self.first_day
        pooled = list(self.markets) if self.further else None
        record = {**dataclasses.asdict(self), "symbols": pooled, "first_day": dated}
        if self.volume:
            del record["volume"]
        return record

    @classmethod
    def from_record(cls, record: Mapping[str, typing.Any]) -> DataParams:
        """Read a record that `to_record` wrote."""
        day, symbols = record["first_day"], record["symbols"]
        dated = day if day in (None, "common") else datetime.date.fromisoformat(day)
        return cls(**{**record, "symbols": None if symbols is None else tuple(symbols), "first_day": dated})


@dataclass(frozen=True, kw_only=True, slots=True)
class TargetParams:
    """Target section. `task` is defined by a module of tasks/. `price`: the price that has to reach a threshold; the
    other tasks always use the Close."""

    task: str
    price: Literal["high", "close"]


@dataclass(frozen=True, kw_only=True, slots=True)
class WindowParams:
    context_length: Annotated[int, Range(4, 2000)]
    normalisation: Literal["ratio", "revin", "none"]


@dataclass(frozen=True, kw_only=True, slots=True)
class SplitParams:
    """Splits section. `validation_start` and `test_start` are both given, or both null: then the fractions cut by row
    count.

    `folds`, `purge_days` (None: the horizon) and `embargo_days` are those of `walk_forward`, in trading days.
    """

    kind: Literal["dates", "chunks", "walk_forward"]
    validation_start: datetime.date | None
    test_start: datetime.date | None
    validation_fraction: Annotated[float, Range(0.0, 0.9, above=True)]
    test_fraction: Annotated[float, Range(0.0, 0.9, above=True)]
    block_days: Annotated[int, Range(2)]
    windows_per_block: Literal["all", 1]
    min_positives: Annotated[int, Range(0)]
    folds: Annotated[int, Range(2, 100)] = 4
    purge_days: Count | None = None
    embargo_days: Annotated[int, Range(0)] = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelParams:
    """Model section. `family` is a module of families/, which says which of the other leaves it reads; the rest it
    ignores."""

    family: str
    patch_len: Count
    stride: Count


@dataclass(frozen=True, kw_only=True, slots=True)
class Span:
    """Number drawn between low and high, on a log scale where `log`."""

    low: Annotated[float, Range(0.0)]
    high: Annotated[float, Range(0.0)]
    log: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Choices:
    choices: tuple[float, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class ZeroOr:
    """Zero, or a number drawn as `zero_or` says, since a logarithmic scale has no zero."""

    zero_or: Span


@dataclass(frozen=True, kw_only=True, slots=True)
class SpaceParams:
    """Training settings that a search draws. Exactly one of the two warm-ups is given, the other is null."""

    learning_rate: Span | Choices
    weight_decay: Span | Choices | ZeroOr
    dropout: Span | Choices
    warmup_steps: Span | Choices | None
    warmup_fraction: Span | Choices | None
    epochs: Choices


@dataclass(frozen=True, kw_only=True, slots=True)
class StopParams:
    """Stopping rule of a search. A cell's search has converged when `min_trials` are complete or pruned and the best
    `top` complete ones differ by at most `spread`, in units of `metric`, which must be the objective of the search;
    None: whatever that is."""

    min_trials: Count
    top: Annotated[int, Range(2)]
    spread: Annotated[float, Range(0.0)]
    metric: Annotated[Literal["val_loss", "val_auc"] | None, MayBeLeftOut()] = None


@dataclass(frozen=True, kw_only=True, slots=True)
class PruningParams:
    """Pruning rule of a search. A trial is pruned when, to end among the best `goal` share of at least `min_cohort`
    complete trials, it would have to improve by more than a share `reach` of them did from that optimizer step on; no
    trial is pruned before `min_steps`."""

    min_cohort: Annotated[int, Range(2)]
    min_steps: Count
    goal: Fraction
    reach: Fraction


@dataclass(frozen=True, kw_only=True, slots=True)
class PresetParams:
    trials: Count
    patience: Count | None
    min_delta: Annotated[float, Range(0.0)]
    stop: StopParams | None
    pruning: PruningParams | None
    space: SpaceParams


@dataclass(frozen=True, kw_only=True, slots=True)
class SupplementaryParams:
    """Second phase of a strategy that has one: `trials` per cell on some budgets, `auto` for the two best."""

    budgets: Literal["auto"] | tuple[str, ...]
    trials: Count


@dataclass(frozen=True, kw_only=True, slots=True)
class SearchParams:
    """Search section. `preset` for trials, stop or pruning takes the preset's value.

    `transfer`: whether the winners are also trained on the other horizons of their rung.
    """

    strategy: str
    preset: str
    trials: Literal["preset"] | Count
    objective: Literal["val_loss", "val_auc"]
    stop: Literal["preset"] | StopParams | None
    pruning: Literal["preset"] | PruningParams | None
    supplementary: SupplementaryParams | None
    transfer: bool
    presets: Mapping[str, PresetParams]

    @property
    def chosen(self) -> PresetParams:
        return self.presets[self.preset]

    @property
    def trials_total(self) -> int:
        return self.chosen.trials if self.trials == "preset" else self.trials

    @property
    def stop_rule(self) -> StopParams | None:
        return self.chosen.stop if self.stop == "preset" else self.stop

    @property
    def pruning_rule(self) -> PruningParams | None:
        return self.chosen.pruning if self.pruning == "preset" else self.pruning


@dataclass(frozen=True, kw_only=True, slots=True)
class OptimizerSettings:
    """Settings of the optimizer adabelief. `rectify`: scale the first steps as RAdam does (Liu et al. 2020), while few
    gradients make the second moment uncertain."""

    rectify: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainingParams:
    """Training section: how one model is trained. `patience: null` switches early stopping off; `preset` takes the
    preset's value.

    `loss` is one of those that the task allows; `auto` is the first of them, bce for classes, huber for returns.
    `optimizer_settings` null takes the defaults; only adabelief has some.
    `min_delta` is in units of `monitor`. `checkpoint_minutes`: a training predicted to take longer keeps a checkpoint
    while it runs, written this often; null keeps none. It alters no number and makes nothing stale.
    """

    effective_batch: Count
    precision: Literal["auto", "fp32", "bf16-mixed", "bf16"]
    optimizer: Literal["auto", "adamw", "adabelief", "lean"]
    schedule: Literal["cosine", "constant"]
    max_gradient_norm: Positive | None
    patience: Literal["preset"] | Count | None
    min_delta: Literal["preset"] | Annotated[float, Range(0.0)]
    loss: str
    monitor: Literal["val_loss", "val_auc"]
    checkpoint_minutes: Annotated[float, Range(0.0)] | None = 10.0
    optimizer_settings: Annotated[OptimizerSettings | None, MayBeLeftOut()] = None


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainParams:
    """Train section: the retraining of each cell's winner on `seeds` fresh seeds."""

    seeds: Annotated[int, Range(1, 1000)]


@dataclass(frozen=True, kw_only=True, slots=True)
class EvaluationParams:
    bootstrap_draws: Annotated[int, Range(100)]
    confidence: Annotated[float, Range(0.5, 0.999)]


@dataclass(frozen=True, kw_only=True, slots=True)
class LawParams:
    region: Literal["validation", "test"]
    alpha_of_interest: Positive


RAY_LAG = 4
"""Search lag where places come and go, so that no number of workers is known beforehand."""


@dataclass(frozen=True, kw_only=True, slots=True)
class HardwareParams:
    """Hardware section: where and how a cell is executed; never part of the question.

    `address`: of the head of a Ray cluster, where `executor` is ray. `patience`: seconds.
    """

    device: Literal["auto", "cpu", "cuda", "mps"]
    memory_gib: Positive | None
    workers: Literal["auto"] | Annotated[int, Range(1, 1024)]
    lag: Annotated[Literal["auto"] | Annotated[int, Range(1, 1024)], MayBeLeftOut()] = "auto"
    executor: Annotated[Literal["local", "ray"], MayBeLeftOut()] = "local"
    address: Annotated[str | None, MayBeLeftOut()] = None
    places: Annotated[Literal["same", "any"], MayBeLeftOut()] = "same"
    patience: Annotated[Positive, MayBeLeftOut()] = 600.0

    def search_lag(self, workers: int) -> int:
        """Return the search lag, the distance from a trial to the last earlier one that its draw learns from, where
        `workers` train at one place."""
        if self.lag != "auto":
            return self.lag
        return RAY_LAG if self.executor == "ray" else workers


@dataclass(frozen=True, kw_only=True, slots=True)
class Params:
    study: StudyParams
    budget: str
    ladder: tuple[str, ...]
    horizons: tuple[Annotated[int, Range(1, 250)], ...]
    data: DataParams
    target: TargetParams
    windows: WindowParams
    splits: SplitParams
    model: ModelParams
    search: SearchParams
    training: TrainingParams
    train: TrainParams
    evaluation: EvaluationParams
    law: LawParams
    hardware: HardwareParams

    @property
    def cells(self) -> tuple[Cell, ...]:
        """All cells of ladder x horizons, planned or not, rung by rung."""
        return cells_of(self.ladder, self.horizons)

    def is_planned(self, cell: Cell) -> bool:
        """Check whether `cell` is built: its rung is not above the top rung `budget`."""
        return parse_budget(cell.budget) <= parse_budget(self.budget)


def cells_of(ladder: Sequence[str], horizons: Sequence[int]) -> tuple[Cell, ...]:
    """Return all cells of ladder x horizons, rung by rung."""
    return tuple(Cell(budget, horizon) for budget in ladder for horizon in horizons)
