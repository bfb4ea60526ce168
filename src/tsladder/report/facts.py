"""What a report tells of cells and study, as values. None and empty mean unknown, never zero."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from tsladder.params import Params
from tsladder.report.law_facts import Audit, LawFacts, StudyLaw
from tsladder.report.score_facts import Interval, RegionFacts, SymbolFacts
from tsladder.vocabulary import Cell, ProbeOutcome, Region, StopReason, parse_budget


class CellState(StrEnum):
    """Where a cell ended. OPEN: planned, and its files are not there yet."""

    SCORED = "scored"
    FAILED = "failed"
    OPEN = "open"
    NOT_PLANNED = "not planned"


@dataclass(frozen=True, kw_only=True, slots=True)
class Winner:
    """The configuration a search chose; the counts are measured."""

    architecture: Mapping[str, int]
    settings: Mapping[str, float]
    n_params: int | None
    n_params_blocks: int | None
    n_params_body: int | None
    off_budget: bool | None


@dataclass(frozen=True, kw_only=True, slots=True)
class TrialFacts:
    """One attempt at a trial as trials.jsonl tells it; one that ended badly has no loss."""

    number: int
    state: str
    stop_reason: str | None
    forced: str | None
    params: Mapping[str, Any]
    n_params: int | None
    val_loss: float | None
    val_auc: float | None
    base_rate_loss: float | None
    epochs_run: int | None
    seconds: float | None
    peak_memory_gib: float | None

    @property
    def shape(self) -> tuple[int, int] | None:
        """(d_model, n_layers), where the line has them."""
        d_model, n_layers = self.params.get("d_model"), self.params.get("n_layers")
        return None if d_model is None or n_layers is None else (d_model, n_layers)


@dataclass(frozen=True, kw_only=True, slots=True)
class SearchFacts:
    """What a search did. `seconds` is the sum over all attempts; `origin` says where its winner came from; `spread` is
    the best score less the worst."""

    best_val_loss: float | None
    ended_at: str | None
    hyperparameters: Mapping[str, float]
    trials_done: int | None
    trials_total: int | None
    grid_size: int | None
    members_seen: int | None
    shapes: int | None
    shapes_seen: int | None
    spread: float | None
    forced: tuple[str, ...]
    origin: str | None
    stop_reasons: Mapping[str, int]
    notes: tuple[str, ...]
    seconds: float | None
    peak_memory_gib: float | None
    devices: tuple[str, ...]
    trials: tuple[TrialFacts, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class RetrainingFacts:
    """The fresh seeds of a winner. `train_losses`: seed -> training loss of its last epoch, dropout on."""

    train_losses: Mapping[str, float | None]
    stop_reasons: Mapping[str, int]
    seconds: float | None
    peak_memory_gib: float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class CellFacts:
    """One cell of ladder x horizons. `failed_stage`: search or retraining. `symbols`: of several symbols each one's
    test region, None where it has no window there."""

    cell: Cell
    state: CellState
    failed_stage: str | None
    reason: str | None
    winner: Winner | None
    search: SearchFacts
    retraining: RetrainingFacts
    regions: Mapping[str, RegionFacts]
    symbols: Mapping[str, SymbolFacts | None]

    @property
    def planned(self) -> bool:
        return self.state is not CellState.NOT_PLANNED

    @property
    def test(self) -> RegionFacts | None:
        return self.regions.get(Region.TEST)

    @property
    def utilisation(self) -> float | None:
        """Measured parameters over the budget's."""
        if self.winner is None or self.winner.n_params is None:
            return None
        return self.winner.n_params / parse_budget(self.cell.budget)

    @property
    def stopped_by_heat(self) -> bool:
        """True for a cell that failed in a stage where a run was stopped for its temperature."""
        stage = self.search if self.failed_stage == "search" else self.retraining
        return self.state is CellState.FAILED and StopReason.THERMAL in stage.stop_reasons


@dataclass(frozen=True, kw_only=True, slots=True)
class SupplementedCell:
    """The second phase of one cell. Scores as the search has them: higher is better. `reason`: why it has none."""

    cell: str
    reason: str | None
    objective: str | None
    trials_done: int | None
    trials_total: int | None
    winner_score: float | None
    best_score: float | None
    standard_error: float | None
    best: Mapping[str, float]


@dataclass(frozen=True, kw_only=True, slots=True)
class SupplementFacts:
    """The second phase of a search: a sentence on every budget, and the cells of the chosen ones."""

    reasons: Mapping[str, str]
    cells: tuple[SupplementedCell, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class TransferredWinner:
    """The winner of horizon `source` on another one, fields as in `evaluation.transfer.Regret`."""

    budget: str
    horizon: int
    source: int
    relative: float | None
    relative_ci: Interval | None
    p_above: float | None
    same: bool
    reason: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class TransferFacts:
    """Do the best settings differ by horizon?"""

    verdict: str
    reason: str
    margin: float | None
    region: str | None
    winners: tuple[TransferredWinner, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class RegionDays:
    """Windows of one region at one horizon."""

    windows: int | None
    positives: int | None
    base_rate: float | None
    first_day: str | None
    last_day: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class SplitFacts:
    """`training_runs`: how many days each unbroken run of training days has. `regions`: by name; the earlier folds of a
    walk forward are `train of fold 1` and so on. `symbols`: of several symbols each one's regions; where there is one,
    none."""

    horizon: int
    training_runs: tuple[int, ...]
    regions: Mapping[str, RegionDays]
    symbols: Mapping[str, Mapping[str, RegionDays]]
    notes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class DataFacts:
    """The feature table's manifest."""

    symbol: str | None
    tier: str | None
    ohlcv: bool | None
    features: int | None
    rows: int | None
    warm_up: int | None
    first_day: str | None
    last_day: str | None
    open_equals_previous_close: float | None
    fingerprint: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Environment:
    """Versions where the report was written, and the identities of what it tells about.

    `rebuilt`: a sentence on where and with what, for a report of a study from elsewhere, whose versions these are.
    """

    python: str
    packages: Mapping[str, str]
    fingerprints: Mapping[str, str]
    rebuilt: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Facts:
    """Everything a report tells. `picture` is the PNG of the law; a stage that was not asked for is None."""

    params: Params
    study_key: str | None
    cells: tuple[CellFacts, ...]
    law: StudyLaw | None
    splits: tuple[SplitFacts, ...]
    data: DataFacts | None
    environment: Environment
    picture: bytes | None
    audit: Audit | None = None
    supplement: SupplementFacts | None = None
    transfer: TransferFacts | None = None

    @property
    def planned(self) -> tuple[CellFacts, ...]:
        return tuple(cell for cell in self.cells if cell.planned)

    def of_horizon(self, horizon: int) -> tuple[CellFacts, ...]:
        """Planned cells of `horizon`, smallest rung first."""
        return tuple(cell for cell in self.planned if cell.cell.horizon == horizon)

    @property
    def leaks(self) -> bool:
        """True where a leak probe failed, so that no figure counts; an inconclusive one is no leak."""
        return self.audit is not None and self.audit.outcome is ProbeOutcome.FAILED

    @property
    def confidence(self) -> float:
        """Of every interval over days: the study's own, unless the law was fitted at another."""
        fitted = None if self.law is None else self.law.confidence
        return self.params.evaluation.confidence if fitted is None else fitted

    def law_of(self, horizon: int) -> LawFacts | None:
        return None if self.law is None else self.law.horizons.get(horizon)
