"""What a report tells of cells and study, as values. None and empty mean unknown, never zero."""

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
from tsladder.results.facts import CellFacts, CellState, RetrainingFacts, SearchFacts
from tsladder.vocabulary import Cell, ProbeOutcome

__all__ = [
    "CellFacts",
    "CellState",
    "Environment",
    "Facts",
    "RetrainingFacts",
    "SearchFacts",
    "SplitFacts",
    "SupplementFacts",
]


@dataclass(frozen=True, kw_only=True, slots=True)
class SupplementFacts:
    """The second phase of a search: a sentence on every budget, and the cells of the chosen ones with what each found,
    how it ended without a result, or None where there is nothing yet."""

    reasons: Mapping[str, str]
    cells: Mapping[Cell, SupplementSummary | Ending | None]


@dataclass(frozen=True, kw_only=True, slots=True)
class SplitFacts:
    """`training_runs`: how many days each unbroken run of training days has. `regions`: by name; the earlier folds of a
    walk forward are `train of fold 1` and so on. `symbols`: of several symbols each one's regions; where there is one,
    none."""

    horizon: int
    training_runs: tuple[int, ...]
    regions: Mapping[str, RegionCount]
    symbols: Mapping[str, Mapping[str, RegionCount]]
    notes: tuple[str, ...]


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
        """Planned cells of `horizon`, smallest rung first."""
        return tuple(cell for cell in self.planned if cell.cell.horizon == horizon)

    @property
    def leaks(self) -> bool:
        """True where a leak probe failed, so that no figure counts; an inconclusive one is no leak."""
        return self.audit is not None and self.audit.worst is ProbeOutcome.FAILED

    @property
    def confidence(self) -> float:
        """Of every interval over days: the study's own, unless the law was fitted at another."""
        fitted = None if self.law is None else self.law.confidence
        return self.params.evaluation.confidence if fitted is None else fitted

    def law_of(self, horizon: int) -> HorizonLaw | None:
        return None if self.law is None else self.law.horizons.get(horizon)
