"""params.yaml -> frozen, typed Params; or ONE error that lists every fault by its dotted path.

Below this module nobody sees a dict of parameters: a function receives its section.
"""

from __future__ import annotations

import dataclasses
import datetime
import itertools
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from tsladder.errors import BadInput
from tsladder.typed_yaml import Pattern, Range, Reader, read_yaml
from tsladder.vocabulary import HUBER, LOG_LOSS, Cell, parse_budget

Name = Annotated[str, Pattern(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", "letters, digits, '.', '_' and '-', at most 64")]
Count = Annotated[int, Range(1)]
Fraction = Annotated[float, Range(0.0, 1.0)]
Positive = Annotated[float, Range(0.0, above=True)]

STRATEGIES = tuple(
    sorted(
        path.stem for path in (Path(__file__).parent / "search" / "strategies").glob("*.py") if path.stem != "__init__"
    )
)
"""Each module of search/strategies is a strategy."""


@dataclass(frozen=True, kw_only=True, slots=True)
class StudyParams:
    name: Name
    phase: Name
    timescale: Name
    seed: Annotated[int, Range(0, 2**31 - 1)]


@dataclass(frozen=True, kw_only=True, slots=True)
class DataParams:
    """`symbol`: the market that validates, tests and makes the law. `symbols`: it and further ones whose windows are
    trained on, too; null, none. `first_day` of a feature table: null, as early as the tier allows; `common`, as early
    as every tier without VIX allows; or a date. Days before it count as warm-up. `adjust`: prices are rescaled to Adj
    Close, for features and labels alike."""

    symbol: Name
    tier: Literal["a20", "a25", "c33", "a50", "a100", "a200"]
    ohlcv: bool
    symbols: tuple[Name, ...] | None = None
    first_day: Literal["common"] | datetime.date | None = None
    adjust: bool = False

    @property
    def further(self) -> tuple[str, ...]:
        """The symbols beside `symbol`, in their order."""
        return tuple(symbol for symbol in self.symbols or () if symbol != self.symbol)

    @property
    def markets(self) -> tuple[str, ...]:
        """`symbol`, then those beside it."""
        return (self.symbol, *self.further)

    def to_record(self) -> dict[str, typing.Any]:
        """JSON-ready, for plan files. A list of `symbol` alone asks what null asks."""
        dated = self.first_day.isoformat() if isinstance(self.first_day, datetime.date) else self.first_day
        pooled = list(self.markets) if self.further else None
        return {**dataclasses.asdict(self), "symbols": pooled, "first_day": dated}

    @classmethod
    def from_record(cls, record: Mapping[str, typing.Any]) -> DataParams:
        """Inverse of `to_record`."""
        day, symbols = record["first_day"], record["symbols"]
        dated = day if day in (None, "common") else datetime.date.fromisoformat(day)
        return cls(**{**record, "symbols": None if symbols is None else tuple(symbols), "first_day": dated})


@dataclass(frozen=True, kw_only=True, slots=True)
class TargetParams:
    """`price` is what a threshold has to be reached by; `direction` and `regression` always look at the Close."""

    task: Literal[
        "threshold_0.5pct",
        "threshold_1pct",
        "threshold_2pct",
        "threshold_3pct",
        "threshold_5pct",
        "direction",
        "regression",
    ]
    price: Literal["high", "close"]

    @property
    def regression(self) -> bool:
        """Is a return forecast, and not the probability of a class?"""
        return self.task == "regression"

    @property
    def metric(self) -> str:
        """The loss that models are judged by and the law is fitted on, as files name it."""
        return HUBER if self.regression else LOG_LOSS


@dataclass(frozen=True, kw_only=True, slots=True)
class WindowParams:
    context_length: Annotated[int, Range(4, 2000)]
    normalisation: Literal["ratio", "revin", "none"]


@dataclass(frozen=True, kw_only=True, slots=True)
class SplitParams:
    """`validation_start` and `test_start` are both given, or both null: then the fractions cut by row count.

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
    """Only patchtst has patches; the other families ignore `patch_len` and `stride`."""

    family: Literal["patchtst", "itransformer", "informer"]
    patch_len: Count
    stride: Count


@dataclass(frozen=True, kw_only=True, slots=True)
class Span:
    """A number drawn between low and high, on a log scale where `log`."""

    low: Annotated[float, Range(0.0)]
    high: Annotated[float, Range(0.0)]
    log: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Choices:
    choices: tuple[float, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class ZeroOr:
    """Zero, or a number drawn as `zero_or` says: a logarithmic scale has no zero."""

    zero_or: Span


@dataclass(frozen=True, kw_only=True, slots=True)
class SpaceParams:
    """The training settings a search draws. Exactly one of the two warm-ups is given, the other is null."""

    learning_rate: Span | Choices
    weight_decay: Span | Choices | ZeroOr
    dropout: Span | Choices
    warmup_steps: Span | Choices | None
    warmup_fraction: Span | Choices | None
    epochs: Choices


@dataclass(frozen=True, kw_only=True, slots=True)
class StopParams:
    """A cell's search has converged when `min_trials` are complete or pruned and the best `top` complete ones differ by
    at most `spread`."""

    min_trials: Count
    top: Annotated[int, Range(2)]
    spread: Annotated[float, Range(0.0)]


@dataclass(frozen=True, kw_only=True, slots=True)
class PruningParams:
    """A trial is given up when, to end among the best `goal` share of at least `min_cohort` complete trials, it would
    have to improve by more than a share `reach` of them did from that optimizer step on; none before `min_steps`."""

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
    """The second phase of a strategy that has one: `trials` a cell on some budgets, `auto` for the two best."""

    budgets: Literal["auto"] | tuple[str, ...]
    trials: Count


@dataclass(frozen=True, kw_only=True, slots=True)
class SearchParams:
    """`preset` for trials, stop or pruning takes the preset's.

    `transfer`: are the winners to be trained on the other horizons of their rung, too?
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
class TrainingParams:
    """How one model is trained. `patience: null` switches early stopping off; `preset` takes the preset's value.

    `loss: auto` is bce for classes, huber for returns. `min_delta` is in units of `monitor`.
    """

    effective_batch: Count
    precision: Literal["auto", "fp32", "bf16-mixed", "bf16"]
    optimizer: Literal["auto", "adamw", "lean"]
    schedule: Literal["cosine", "constant"]
    max_gradient_norm: Positive | None
    patience: Literal["preset"] | Count | None
    min_delta: Literal["preset"] | Annotated[float, Range(0.0)]
    loss: Literal["auto", "bce", "focal", "weighted_bce", "soft_auc", "label_smoothing", "huber"]
    monitor: Literal["val_loss", "val_auc"]


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainParams:
    """The retraining of each cell's winner: `seeds` is how many fresh seeds."""

    seeds: Annotated[int, Range(1, 1000)]


@dataclass(frozen=True, kw_only=True, slots=True)
class EvaluationParams:
    bootstrap_draws: Annotated[int, Range(100)]
    confidence: Annotated[float, Range(0.5, 0.999)]


@dataclass(frozen=True, kw_only=True, slots=True)
class LawParams:
    region: Literal["validation", "test"]
    alpha_of_interest: Positive


@dataclass(frozen=True, kw_only=True, slots=True)
class HardwareParams:
    """How a cell is executed on this machine; never part of the question."""

    device: Literal["auto", "cpu", "cuda", "mps"]
    memory_gib: Positive | None
    workers: Literal["auto"] | Annotated[int, Range(1, 1024)]


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
        """Every cell of ladder x horizons, planned or not, rung by rung."""
        return tuple(Cell(budget, horizon) for budget in self.ladder for horizon in self.horizons)

    def is_planned(self, cell: Cell) -> bool:
        """A cell is built when its rung is not above the top rung `budget`."""
        return parse_budget(cell.budget) <= parse_budget(self.budget)


def load_params(path: Path) -> Params:
    """Read and check `path`. Raises BadInput that lists every fault."""
    return parse_params(read_yaml(path), source=str(path))


def parse_params(raw: object, *, source: str) -> Params:
    """Turn plain data into Params. `source` names the origin in the error."""
    reader = Reader()
    params = reader.read(Params, raw, "")
    if not reader.faults:
        reader.faults.extend(_faults_between_sections(params))
    if reader.faults:
        count = len(reader.faults)
        raise BadInput(f"{source} has {count} fault{'s' if count > 1 else ''}; nothing was run:", reader.faults)
    return typing.cast(Params, params)


def _faults_between_sections(params: Params) -> list[str]:
    """Laws that tie several leaves together; every section has been read when this runs."""
    return [
        *_ladder_faults(params),
        *_symbol_faults(params),
        *_window_faults(params),
        *_split_faults(params.splits),
        *_walk_faults(params),
        *_search_faults(params.search),
        *_supplementary_faults(params),
        *_task_faults(params),
        *_loss_faults(params.training.loss, params.target.task),
        *_monitor_faults(params),
    ]


def _ladder_faults(params: Params) -> list[str]:
    faults = []
    sizes = []
    for index, rung in enumerate(params.ladder):
        try:
            sizes.append(parse_budget(rung))
        except ValueError as error:
            faults.append(f"ladder[{index}]: {error}")
    if not faults and any(a >= b for a, b in itertools.pairwise(sizes)):
        faults.append(f"ladder: rungs must grow strictly, got {', '.join(params.ladder)}")
    if params.budget not in params.ladder:
        faults.append(f"budget: must be a rung of the ladder ({', '.join(params.ladder)}), got {params.budget!r}")
    if len(set(params.horizons)) != len(params.horizons):
        faults.append(f"horizons: each stands once, got {list(params.horizons)}")
    return faults


def _symbol_faults(params: Params) -> list[str]:
    listed, own, kind = params.data.symbols, params.data.symbol, params.splits.kind
    if listed is None:
        return []
    faults = []
    if own not in listed:
        faults.append(f"data.symbols: must hold data.symbol ({own}), whose windows test, got {', '.join(listed)}")
    if len(set(listed)) != len(listed):
        faults.append(f"data.symbols: each stands once, got {', '.join(listed)}")
    if params.data.further and kind != "dates":
        why = "a window of one symbol may not lie in years that another is tested on, so they are cut at common dates"
        faults.append(f"data.symbols: several symbols need splits.kind dates, got {kind}: {why}")
    return faults


def _window_faults(params: Params) -> list[str]:
    if params.model.family == "patchtst" and params.model.patch_len > params.windows.context_length:
        limit = f"windows.context_length ({params.windows.context_length} days)"
        return [f"model.patch_len: a patch must fit into {limit}, got {params.model.patch_len}"]
    return []


def _split_faults(splits: SplitParams) -> list[str]:
    start, end = splits.validation_start, splits.test_start
    if (start is None) != (end is None):
        return ["splits.validation_start: give it together with splits.test_start, or set both to null"]
    faults = []
    if start is not None and end is not None and start >= end:
        faults.append(f"splits.test_start: must lie after splits.validation_start ({start}), got {end}")
    if splits.validation_fraction + splits.test_fraction >= 1.0:
        faults.append("splits.validation_fraction: with splits.test_fraction it must leave days to train on (sum < 1)")
    return faults


def _walk_faults(params: Params) -> list[str]:
    splits, horizon = params.splits, max(params.horizons)
    if splits.kind != "walk_forward":
        return []
    faults = []
    if splits.purge_days is not None and splits.purge_days < horizon:
        faults.append(
            f"splits.purge_days: must be at least the largest horizon ({horizon}), got {splits.purge_days}: training "
            "labels would reach into validation; null takes the horizon"
        )
    if params.search.preset in params.search.presets and params.search.pruning_rule is not None:
        faults.append(
            "search.pruning: compares learning curves of one training, and a trial of splits.kind walk_forward is "
            f"{splits.folds}: it must be null"
        )
    return faults


def _search_faults(search: SearchParams) -> list[str]:
    faults = []
    if search.strategy not in STRATEGIES:
        faults.append(f"search.strategy: must be one of {', '.join(STRATEGIES)}, got {search.strategy!r}")
    rules = {"search.stop": search.stop} | {f"search.presets.{n}.stop": p.stop for n, p in search.presets.items()}
    for path, rule in rules.items():
        if isinstance(rule, StopParams) and rule.top > rule.min_trials:
            faults.append(f"{path}.top: must not exceed min_trials ({rule.min_trials}), got {rule.top}")
    if search.preset in search.presets and search.objective == "val_auc" and search.pruning_rule is not None:
        faults.append("search.pruning: compares validation losses, so with objective val_auc it must be null")
    if search.preset not in search.presets:
        faults.append(f"search.preset: must be one of {', '.join(search.presets)}, got {search.preset!r}")
    for name, preset in search.presets.items():
        path = f"search.presets.{name}.space"
        space = preset.space
        if (space.warmup_steps is None) == (space.warmup_fraction is None):
            faults.append(f"{path}: give exactly one of warmup_steps and warmup_fraction, the other null")
        for field in dataclasses.fields(space):
            faults.extend(_draw_faults(f"{path}.{field.name}", field.name, getattr(space, field.name)))
    return faults


def _supplementary_faults(params: Params) -> list[str]:
    supplementary = params.search.supplementary
    if supplementary is None or isinstance(supplementary.budgets, str):
        return []
    path, listed = "search.supplementary.budgets", supplementary.budgets
    unknown = [rung for rung in listed if rung not in params.ladder]
    faults = [f"{path}: must be rungs of the ladder ({', '.join(params.ladder)}), got {', '.join(unknown)}"]
    if len(set(listed)) != len(listed):
        return [*(faults if unknown else []), f"{path}: each stands once, got {', '.join(listed)}"]
    return faults if unknown else []


def _task_faults(params: Params) -> list[str]:
    if params.target.regression and params.search.objective == "val_auc":
        return ["search.objective: val_auc needs classes, and target.task is regression: set val_loss"]
    return []


def _loss_faults(loss: str, task: str) -> list[str]:
    if loss == "auto" or (loss == "huber") == (task == "regression"):
        return []
    fitting = "huber" if task == "regression" else "bce, focal, weighted_bce, soft_auc or label_smoothing"
    return [f"training.loss: target.task {task} is trained with {fitting}, or auto; got {loss}"]


def _monitor_faults(params: Params) -> list[str]:
    if params.training.monitor == "val_loss":
        return []
    task, faults = str(params.target.task), []
    if task == "regression":
        faults.append("training.monitor: val_auc needs classes, and target.task is regression: set val_loss")
    if params.splits.min_positives < 1:
        faults.append(
            "training.monitor: val_auc needs both classes in validation, so splits.min_positives must be at least 1, "
            f"got {params.splits.min_positives}"
        )
    if params.search.preset in params.search.presets and params.search.pruning_rule is not None:
        faults.append("search.pruning: compares validation losses, so with training.monitor val_auc it must be null")
    return faults


_CEILINGS = {"dropout": 0.95, "warmup_fraction": 1.0}
_WHOLE = {"warmup_steps", "epochs"}


def _draw_faults(path: str, name: str, draw: Span | Choices | ZeroOr | None) -> list[str]:
    if draw is None:
        return []
    if isinstance(draw, ZeroOr):
        return _draw_faults(f"{path}.zero_or", name, draw.zero_or)
    values: tuple[float, ...]
    if isinstance(draw, Span):
        if draw.low > draw.high:
            return [f"{path}: low must not exceed high, got {draw.low:g} > {draw.high:g}"]
        if draw.log and draw.low == 0.0:
            return [f"{path}.low: must be above 0 on a log scale"]
        values = (draw.low, draw.high)
    else:
        values = draw.choices
    faults = []
    if any(value < 0 or value > _CEILINGS.get(name, float("inf")) for value in values):
        limit = f"0 and {_CEILINGS[name]:g}" if name in _CEILINGS else "0 and infinity"
        faults.append(f"{path}: values must lie between {limit}, got {list(values)}")
    if name in _WHOLE and any(value != int(value) for value in values):
        faults.append(f"{path}: values must be whole numbers, got {list(values)}")
    if name in ("epochs", "learning_rate") and any(value <= 0 for value in values):
        faults.append(f"{path}: values must be above 0, got {list(values)}")
    return faults
