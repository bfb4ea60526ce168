"""Facts on one cell, as values. None and empty mean unknown, never zero."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from tsladder.artifacts.choice import Choice
from tsladder.artifacts.scores import ScoredRegion, SymbolScores
from tsladder.artifacts.trials import TrialRecord
from tsladder.vocabulary import Cell, Region, StopReason, parse_budget


class CellState(StrEnum):
    """Final state of a cell. OPEN: planned, and its files do not exist yet."""

    SCORED = "scored"
    FAILED = "failed"
    OPEN = "open"
    NOT_PLANNED = "not planned"


@dataclass(frozen=True, kw_only=True, slots=True)
class SearchFacts:
    """Results of a search. `seconds` is the sum over all attempts; `origin` says where its winner came from; `spread`
    is the best score less the worst.

    `best_...` describe the trial that leads by the search's objective: its score (higher is better), its loss, its AUC
    where that is the objective, and its number.
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
    """Retraining of a winner with fresh seeds. `train_losses`: seed -> training loss of its last epoch, with dropout
    on. `predicted_memory_gib`: the largest prediction for one of its seeds."""

    train_losses: Mapping[str, float | None]
    stop_reasons: Mapping[str, int]
    seconds: float | None
    peak_memory_gib: float | None
    predicted_memory_gib: float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class CellFacts:
    """One cell of ladder x horizons. `failed_stage`: search or retraining. `symbols`: in a study of several symbols,
    the scores of each on the test region, None where a symbol has no window there."""

    cell: Cell
    state: CellState
    failed_stage: str | None
    reason: str | None
    winner: Choice | None
    search: SearchFacts
    retraining: RetrainingFacts
    regions: Mapping[str, ScoredRegion]
    symbols: Mapping[str, SymbolScores | None]

    @property
    def planned(self) -> bool:
        return self.state is not CellState.NOT_PLANNED

    @property
    def test(self) -> ScoredRegion | None:
        return self.regions.get(Region.TEST)

    @property
    def utilisation(self) -> float | None:
        """Measured parameter count divided by the budget."""
        return None if self.winner is None else self.winner.n_params / parse_budget(self.cell.budget)

    @property
    def stopped_by_heat(self) -> bool:
        """True for a cell that failed in a stage in which a run was stopped because of its temperature."""
        stage = self.search if self.failed_stage == "search" else self.retraining
        return self.state is CellState.FAILED and StopReason.THERMAL in stage.stop_reasons
