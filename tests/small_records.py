"""Small whole records of a study's files, for tests that need the files and not the stages."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from tsladder.artifacts.features import BarsFacts, ColumnKind, FeatureColumn, FeaturesManifest, Origin
from tsladder.artifacts.plans import CellQuestion, NotPlanned, Recipe, SearchPlan, SearchTask
from tsladder.artifacts.splits import HorizonSplits, RegionCount, RegionDays, SplitDays
from tsladder.families.parts.geometry import Geometry
from tsladder.params import (
    Choices,
    DataParams,
    SpaceParams,
    Span,
    StopParams,
    TargetParams,
    WindowParams,
    ZeroOr,
)
from tsladder.vocabulary import Cell, Region


def region_count(windows: int = 926, positives: int = 139, first_day: str = "2015-04-28") -> RegionCount:
    return RegionCount(
        windows=windows,
        positives=positives,
        base_rate=round(positives / windows, 2),
        first_day=dt.date.fromisoformat(first_day),
        last_day=dt.date(2018, 12, 28),
    )


def horizon_splits(
    horizon: int = 1, *, train: int = 926, judged: int = 926, notes: Sequence[str] = ()
) -> HorizonSplits:
    """`train` windows of training, `judged` windows of validation and of test."""

    def days(first: int, last: int) -> RegionDays:
        return RegionDays(segments=((first, last),), windows_per_segment=None)

    return HorizonSplits(
        splits=SplitDays(horizon=horizon, train=days(0, 2820), validation=days(2821, 3825), test=days(3826, 4831)),
        counts={
            Region.TRAIN: region_count(train),
            **dict.fromkeys((Region.VALIDATION, Region.TEST), region_count(judged)),
        },
        notes=tuple(notes),
    )


def features_manifest(fingerprint: str = "a" * 64, columns: Sequence[str] = ("open", "close")) -> FeaturesManifest:
    return FeaturesManifest(
        symbol="sp500",
        tier="a25",
        ohlcv=True,
        rows=4832,
        first_day="1999-10-18",
        last_day="2018-12-31",
        warm_up=199,
        open_equals_previous_close=0.3749,
        fingerprint=fingerprint,
        origin=Origin(
            first_day_asked=None,
            earliest_first_day="1999-10-18",
            common_first_day="2000-01-03",
            bars={"sp500": BarsFacts(days=5031, first_day="1999-01-04", last_day="2018-12-31", fingerprint="b" * 64)},
            lost_days=None,
        ),
        columns=tuple(
            FeatureColumn(name=name, kind=ColumnKind.PRICE, words=f"{name} of the day", look_back=0, source="bars")
            for name in columns
        ),
    )


def search_plan(cell: Cell) -> SearchPlan:
    """A search of eight trials by the fixed space below."""
    space = SpaceParams(
        learning_rate=Span(low=1e-4, high=2e-3, log=True),
        weight_decay=ZeroOr(zero_or=Span(low=1e-4, high=5e-3, log=True)),
        dropout=Span(low=0.1, high=0.3, log=False),
        warmup_steps=None,
        warmup_fraction=Span(low=0.05, high=0.2, log=False),
        epochs=Choices(choices=(20.0,)),
    )
    return SearchPlan(
        question=CellQuestion(
            cell=str(cell),
            budget=cell.budget,
            horizon=cell.horizon,
            seed=42,
            data=DataParams(symbol="sp500", tier="a25", ohlcv=True),
            target=TargetParams(task="threshold_1pct", price="high"),
            windows=WindowParams(context_length=80, normalisation="ratio"),
            model=Geometry(family="patchtst", context_length=80, n_features=25, patch_len=16, stride=8, revin=False),
            training=Recipe(
                effective_batch=256,
                precision="fp32",
                optimizer="adamw",
                schedule="cosine",
                max_gradient_norm=1.0,
                patience=4,
                min_delta=0.001,
                loss="bce",
                monitor="val_loss",
            ),
        ),
        search=SearchTask(
            strategy="architectural",
            preset="quick",
            trials=8,
            objective="val_loss",
            stop=StopParams(min_trials=3, top=2, spread=0.02),
            pruning=None,
            space=space,
            grid_size=22,
            shapes=15,
        ),
        code={"stages.hpo": "abc"},
    )


def not_planned(cell: Cell) -> NotPlanned:
    return NotPlanned(cell=str(cell), budget=cell.budget, horizon=cell.horizon)
