"""What a report tells of cells and study, as values. None and empty mean unknown, never zero."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tsladder.data.ingestion import Ingestion
from tsladder.params import Params
from tsladder.report.law_facts import Audit, LawFacts, StudyLaw
from tsladder.results.facts import CellFacts, CellState, RetrainingFacts, SearchFacts, Winner
from tsladder.results.score_facts import Interval
from tsladder.vocabulary import ProbeOutcome

__all__ = [
    "CellFacts",
    "CellState",
    "DataFacts",
    "Environment",
    "Facts",
    "RegionDays",
    "RetrainingFacts",
    "SearchFacts",
    "SplitFacts",
    "SupplementFacts",
    "SupplementedCell",
    "TransferFacts",
    "TransferredWinner",
    "Winner",
]


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
    """Everything a report tells. `picture` is the PNG of the law; a stage that was not asked for is None, and so is
    `ingestion` of a study that is older than its stage."""

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
    ingestion: Ingestion | None = None

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
