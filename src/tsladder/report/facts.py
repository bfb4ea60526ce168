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
from tsladder.params import AnyParams, Params
from tsladder.report import words
from tsladder.report.environment import Environment
from tsladder.report.extent import TrainingExtent
from tsladder.results.facts import CellFacts, CellState, RetrainingFacts, SearchFacts
from tsladder.tasks import load_any
from tsladder.tasks.parts.words import Words
from tsladder.vocabulary import Cell, ProbeOutcome, Region

__all__ = [
    "CellFacts",
    "CellState",
    "Facts",
    "RetrainingFacts",
    "SearchFacts",
    "SeriesFacts",
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
    """Facts that the report of any study presents, of a series or of a panel: its cells, their law and the leak audit.
    `picture` is the PNG of the law."""

    params: AnyParams
    study_key: str | None
    cells: tuple[CellFacts, ...]
    law: StudyLaw | None
    environment: Environment
    picture: bytes | None
    audit: AuditRecord | None = None

    @property
    def task_words(self) -> Words:
        """Names of the loss and the metrics of the task."""
        return load_any(self.params.target.task).words

    def horizon(self, horizon: int) -> str:
        """Format a horizon in the unit of the study: 5 days."""
        return words.days(horizon)

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

    def training_extent(self, horizon: int) -> TrainingExtent:
        """Return the amount of training data of one horizon; a study adds what it knows of its splits."""
        return TrainingExtent(runs=(), windows=None, context_length=self.params.windows.context_length, horizon=horizon)

    def base_rates(self, horizon: int) -> tuple[float | None, float | None]:
        """Return the share of labels above 0 in training and in validation, where the splits on record hold it."""
        return None, None


@dataclass(frozen=True, kw_only=True, slots=True)
class SeriesFacts(Facts):
    """All facts that the report of a series study presents. The field of a stage that was not requested is None, and so
    is `ingestion` where the study is older than that stage."""

    params: Params
    splits: tuple[SplitFacts, ...]
    data: FeaturesManifest | None
    supplement: SupplementFacts | None = None
    transfer: Transfer | None = None
    ingestion: IngestionRecord | None = None

    def training_extent(self, horizon: int) -> TrainingExtent:
        """Return the training days and windows of one horizon."""
        split = self._split_of(horizon)
        training = split.regions.get(Region.TRAIN) if split else None
        return TrainingExtent(
            runs=split.training_runs if split else (),
            windows=training.windows if training else None,
            context_length=self.params.windows.context_length,
            horizon=horizon,
        )

    def base_rates(self, horizon: int) -> tuple[float | None, float | None]:
        """Return the base rates of training and of validation."""
        split = self._split_of(horizon)
        train, validation = (
            split.regions[region].base_rate if split and region in split.regions else None
            for region in (Region.TRAIN, Region.VALIDATION)
        )
        return train, validation

    def _split_of(self, horizon: int) -> SplitFacts | None:
        return next((split for split in self.splits if split.horizon == horizon), None)
