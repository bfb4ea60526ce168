"""Subject of the audit: the bars, stored features and splits of a study, and the code that made and uses them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tsladder.artifacts.splits import FoldDays, HorizonSplits, RegionDays
from tsladder.audit.intervals import days_between
from tsladder.audit.pipeline import Pipeline
from tsladder.data.bars import Bars
from tsladder.data.features import FeatureTable
from tsladder.data.splits import Splits
from tsladder.data.windows import FoldWindows, Windows, WindowSet
from tsladder.errors import WorkFailed
from tsladder.params import TargetParams
from tsladder.seeds import derive_seed
from tsladder.tasks import load as load_task
from tsladder.tasks.parts.label_audit import LabelAudit
from tsladder.vocabulary import Region

Floats = NDArray[np.float64]
Days = NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class AuditedFold:
    """The windows of every region of one fold as the code cuts them, and the days that the splits file assigns to it.

    `label` names the fold in a finding's words. `own`: the regions that belong to the fold; test belongs to the last
    fold alone.
    """

    label: str
    windows: Mapping[Region, Windows]
    segments: Mapping[Region, Days]
    own: tuple[Region, ...]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Subject:
    """One study under audit. `splits_records`: horizon -> its splits file. `bars`: those of the table's own symbol;
    `further_bars`: those of the symbols whose rows follow.

    `in_time_order`: training lies before validation and validation before test (`splits.kind` dates, and every fold of
    walk_forward), in contrast to shuffled blocks.
    """

    bars: Bars
    table: FeatureTable
    splits_records: Mapping[int, HorizonSplits]
    in_time_order: bool
    context_length: int
    target: TargetParams
    seed: int
    pipeline: Pipeline
    further_bars: tuple[Bars, ...] = ()

    @property
    def label_audit(self) -> LabelAudit:
        return load_task(self.target.task).label_audit

    @property
    def horizons(self) -> tuple[int, ...]:
        return tuple(self.splits_records)

    @property
    def first_horizon(self) -> int:
        """Horizon of the probes that train: the code under audit is the same for every horizon."""
        return self.horizons[0]

    def splits(self, horizon: int) -> Splits:
        return Splits.of_days(self.splits_records[horizon].splits)

    def labels(self, horizon: int) -> Floats:
        return self.pipeline.labels(self.table, horizon)

    def windows(self, horizon: int) -> WindowSet:
        """Return the windows as the study's models see them. Raises WorkFailed where a region has no window, so that
        nothing could be probed."""
        made = self.pipeline.windows(self.table, self.splits(horizon), self.labels(horizon))
        empty = [region.value for region in Region if len(made.region(region)) == 0]
        for number, fold in enumerate(made.earlier, start=1):
            empty += [f"{name} of fold {number}" for name, windows in _by_name(fold) if len(windows) == 0]
        if empty:
            raise WorkFailed(
                f"horizon {horizon} has no window in {' and '.join(empty)}, so no leak could be looked for: "
                "run `dvc repro splits`, and give that region more days"
            )
        return made

    def folds(self, horizon: int) -> list[AuditedFold]:
        """Return the content of `windows` fold by fold, each with test; a single fold where the study does not walk
        forward. Raises WorkFailed where the stored folds are not as many as the trained ones."""
        made, days = self.windows(horizon), self.splits_records[horizon].splits
        walks = bool(made.earlier)
        stored = days.folds if walks else (FoldDays(train=days.train, validation=days.validation),)
        if len(stored) != len(made.folds):
            raise WorkFailed(f"horizon {horizon}: {len(stored)} folds are stored and {len(made.folds)} are trained on")
        rows = len(self.table.dates_T)
        folds = []
        for number, (fold, of_fold) in enumerate(zip(made.folds, stored, strict=True), start=1):
            own = tuple(Region) if number == len(stored) else (Region.TRAIN, Region.VALIDATION)
            folds.append(
                AuditedFold(
                    label=f"h{horizon} fold {number}" if walks else f"h{horizon}",
                    windows={**dict(_by_name(fold)), Region.TEST: made.test},
                    segments={
                        Region.TRAIN: _segments(of_fold.train, rows),
                        Region.VALIDATION: _segments(of_fold.validation, rows),
                        Region.TEST: _segments(days.test, rows),
                    },
                    own=own,
                )
            )
        return folds

    def random(self, *parts: str | int) -> np.random.Generator:
        """Return an independent random generator, derived from the study's seed and `parts`."""
        return np.random.default_rng(derive_seed(self.seed, "audit", *parts))


def _by_name(fold: FoldWindows) -> tuple[tuple[Region, Windows], ...]:
    return (Region.TRAIN, fold.train), (Region.VALIDATION, fold.validation)


def _segments(of_region: RegionDays, rows: int) -> Days:
    first, last = np.array(of_region.segments, dtype=np.int64).reshape(-1, 2).T
    return days_between(first, last, rows)


def input_days(ends_N: NDArray[np.int64], context_length: int, rows: int) -> NDArray[np.bool_]:
    """Return which of `rows` days are inputs of any of the windows that end on `ends_N`."""
    return days_between(ends_N - context_length + 1, ends_N, rows)


def same_inputs(one: Windows, other: Windows) -> bool:
    """Check whether two sets of windows hold the same inputs on the same days, bit for bit; labels are not compared."""
    pairs = (
        (one.series_TF, other.series_TF),
        (one.ends_N, other.ends_N),
        (one.scale_NF, other.scale_NF),
        (one.shift_NF, other.shift_NF),
        (one.dates_N, other.dates_N),
    )
    return one.context_length == other.context_length and all(np.array_equal(a, b) for a, b in pairs)
