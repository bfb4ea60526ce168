"""Facts on cells and study that a report presents, as values. None and empty mean unknown, never zero."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tsladder.artifacts.audit import AuditRecord
from tsladder.artifacts.ending import Ending
from tsladder.artifacts.features import FeaturesManifest
from tsladder.artifacts.ingestion import IngestionRecord
from tsladder.artifacts.law import HorizonLaw, StudyLaw
from tsladder.artifacts.splits import RegionCount
from tsladder.artifacts.supplementary import SupplementSummary
from tsladder.artifacts.transfer import Transfer
from tsladder.params import Params
from tsladder.report.environment import Environment
from tsladder.results.facts import CellFacts, CellState, RetrainingFacts, SearchFacts
from tsladder.vocabulary import Cell, ProbeOutcome

__all__ = [
    "CellFacts",
    "CellState",
    "Facts",
    "RetrainingFacts",
    "SearchFacts",
    "SplitFacts",
    "SupplementFacts",
]


@dataclass(frozen=True, kw_only=True, slots=True)
class SupplementFacts:
    """Second phase of a search. `reasons`: a sentence on every budget. `cells`: for each cell of the chosen budgets its
    result, its ending without a result, or None where there is nothing yet."""

    reasons: Mapping[str, str]
    cells: Mapping[Cell, SupplementSummary | Ending | None]


@dataclass(frozen=True, kw_only=True, slots=True)
class SplitFacts:
    """Splits of one horizon. `training_runs`: number of days of each contiguous stretch of training days. `regions`: by
    name; the earlier folds of a walk-forward split are `train of fold 1` and so on. `symbols`: the regions of each
    symbol, empty for a study of one symbol."""

    horizon: int
    training_runs: tuple[int, ...]
    regions: Mapping[str, RegionCount]
    symbols: Mapping[str, Mapping[str, RegionCount]]
    notes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Facts:
    """All facts that a report presents. `picture` is the PNG of the law. The field of a stage that was not requested is
    None, and so is `ingestion` where the study is older than that stage."""

    params: Params
    study_key: str | None
    cells: tuple[CellFacts, ...]
    law: StudyLaw | None
    splits: tuple[SplitFacts, ...]
    data: FeaturesManifest | None
    environment: Environment
    picture: bytes | None
    audit: AuditRecord | None = None
    supplement: SupplementFacts | None = None
    transfer: Transfer | None = None
    ingestion: IngestionRecord | None = None

    @property
    def planned(self) -> tuple[CellFacts, ...]:
        return tuple(cell for cell in self.cells if cell.planned)

    def of_horizon(self, horizon: int) -> tuple[CellFacts, ...]:
        """Return the planned cells of `horizon`, smallest rung first."""
        return tuple(cell for cell in self.planned if cell.cell.horizon == horizon)

    @property
    def leaks(self) -> bool:
        """True where a leak probe failed, so that no figure is valid; an inconclusive probe is no leak."""
        return self.audit is not None and self.audit.worst is ProbeOutcome.FAILED

    @property
    def confidence(self) -> float:
        """Confidence level of every interval over days: that of the law where one was fitted, otherwise the study's
        own."""
        fitted = None if self.law is None else self.law.confidence
        return self.params.evaluation.confidence if fitted is None else fitted

    def law_of(self, horizon: int) -> HorizonLaw | None:
        return None if self.law is None else self.law.horizons.get(horizon)
