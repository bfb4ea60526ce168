"""Small whole records of a study's files, for tests that need the files and not the stages."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

from tsladder.artifacts.features import BarsFacts, ColumnKind, FeatureColumn, FeaturesManifest, Origin
from tsladder.artifacts.law import HorizonLaw, StudyLaw
from tsladder.artifacts.law_fits import Fits, ModelChoice, PowerLaw
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


def power_law(alpha: float, *, dof: float = 3.0) -> PowerLaw:
    """An exponent whose interval is the root of the sum of the squares of its parts: .018 and .024 make .03."""
    return PowerLaw(
        C=0.5,
        alpha=alpha,
        alpha_ci=(alpha - 0.03, alpha + 0.03),
        alpha_ci_rungs=(alpha - 0.018, alpha + 0.018),
        alpha_ci_days=(alpha - 0.024, alpha + 0.024),
        alpha_se=0.01,
        alpha_dof=dof,
        alpha_se_rungs=0.006,
        alpha_se_days=0.008,
        alpha_dof_days=80.0,
        r2=0.4,
        residuals=(),
        weights=(),
        leverage=(),
        cooks_distance=(),
        reference_n=80_000.0,
        loss_at_reference=0.36,
        loss_at_reference_ci=(0.35, 0.37),
        residual_sd=0.01,
        log_n_spread=10.0,
        n_rungs=5,
        dof=dof,
        t_critical=3.18,
        confidence=0.95,
        beta=None,
    )


def horizon_law(verdict: str = "flat", alpha: float | None = None) -> HorizonLaw:
    """A law without rungs: its verdict and, where `alpha` is given, its exponent."""
    power = None if alpha is None else power_law(alpha)
    return HorizonLaw(
        points=(),
        fits=Fits(constant=None, power=power, power_floor=None, overfit=None),
        verdict=verdict,
        reason="Because of the numbers.",
        settle="Five more rungs.",
        settle_options=(),
        beaten_by=(),
        model_choice=ModelChoice(aicc={}, preferred="constant", reason="the interval contains 0"),
        power_by_count={},
        joint_region=None,
        influential=(),
        excess=None,
        base_rate_loss=None,
        own_rate_loss=None,
        baselines={},
        rung_noise=None,
        minimum_detectable_alpha=None if alpha is None else 0.0321,
        minimum_detectable_alpha_range=None if alpha is None else (0.0204, 0.0513),
        power=None,
        repetition=None,
        neighbours=(),
        confidence_set=None,
        leave_one_rung_out=(),
        extrapolation=None,
        notes=(),
    )


def study_law(
    horizons: Mapping[int, HorizonLaw], *, study_key: str = "key", metric: str = "log_loss", region: str = "test"
) -> StudyLaw:
    return StudyLaw(
        study_key=study_key,
        metric=metric,
        region=region,
        confidence=0.95,
        alpha_of_interest=0.015,
        horizons=horizons,
    )
