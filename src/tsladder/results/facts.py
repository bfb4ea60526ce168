"""What is known of one cell, as values. None and empty mean unknown, never zero."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from tsladder.artifacts.trials import TrialRecord
from tsladder.results.score_facts import RegionFacts, SymbolFacts
from tsladder.vocabulary import Cell, Region, StopReason, parse_budget


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
class SearchFacts:
    """What a search did. `seconds` is the sum over all attempts; `origin` says where its winner came from; `spread` is
    the best score less the worst.

    `best_...` are those of the trial that leads by the search's objective: its score (higher is better), its loss, its
    AUC where that is the objective, its number.
    """

    best_val_loss: float | None
    best_score: float | None
    best_val_auc: float | None
    best_number: int | None
    best_architecture: Mapping[str, int]
    best_n_params: int | None
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
    trials: tuple[TrialRecord, ...]


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
