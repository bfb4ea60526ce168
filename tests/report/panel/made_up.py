"""A made-up panel study on disk: records and daily figures whose means are those of the records."""

from __future__ import annotations

import dataclasses
import datetime as dt
from pathlib import Path

import numpy as np
from tests.panel_studies import DEFAULT_PANEL_PARAMS

from tsladder.artifacts.audit import PANEL_PROBES, AuditRecord, ProbeFinding, write_audit
from tsladder.artifacts.baselines import BaselineScores, write_baselines
from tsladder.artifacts.panel_features import MemberCounts, PanelFeatures, write_panel_features
from tsladder.artifacts.panel_splits import DayCount, PanelSplits, write_panel_splits
from tsladder.artifacts.ranking_scores import PortfolioScores, RankingScores, RegionBaselines, icir_name
from tsladder.artifacts.scores import Interval
from tsladder.artifacts.splits import RegionDays, SplitDays
from tsladder.params import PanelParams, parse_panel_params
from tsladder.places import Places
from tsladder.report.environment import Environment
from tsladder.typed_yaml import read_yaml
from tsladder.vocabulary import ProbeOutcome, Region

HERE = Environment(python="3.11.0", packages={"numpy": "2.0.0"}, fingerprints={"features": "f" * 64})
INPUTS = "a" * 64
DAYS = 40
FIRST = {Region.VALIDATION: "2001-01-01", Region.TEST: "2004-01-01"}

SKILL = {"no_order": 0.0, "static_order": -0.002, "ridge": 0.048, "reversal_5": 0.031, "momentum_252_21": 0.006,
         "own_static_order": 0.09}  # fmt: skip
"""Ranking -> its RankIC; none of them but the first two and the last are constants or hindsight."""


def panel_params(**changes: object) -> PanelParams:
    """The default question, of baselines alone, with sections or leaves of the top level replaced."""
    params = parse_panel_params(read_yaml(DEFAULT_PANEL_PARAMS), source="params.yaml")
    return dataclasses.replace(params, **({"budget": None} | changes))  # type: ignore[arg-type]


def around(value: float, half: float = 0.01) -> Interval:
    return Interval(value=value, low=value - half, high=value + half, se=half / 2, effective_n=30.0, dof=12.0)


def certain(value: float) -> Interval:
    return Interval(value=value, low=value, high=value, se=0.0, effective_n=None)


def scores_of(rank_ic: float) -> RankingScores:
    """A ranking whose figures all follow from its RankIC; one of 0 orders nothing."""
    none = rank_ic == 0.0
    return RankingScores(
        rank_error=1.0 - rank_ic, rank_ic=rank_ic, ic=0.9 * rank_ic, hit_rate=0.5 + 0.4 * rank_ic,
        quantile_spread=400.0 * rank_ic, score_sd=0.0 if none else 1.0, icir=None if none else 5.0 * rank_ic,
        unordered_days=float(DAYS) if none else 0.0, pinball=None, coverage_90=None,
        portfolio=PortfolioScores(
            annual_return_gross=4.0 * rank_ic, annual_return_net=4.0 * rank_ic - 0.05 * (not none),
            annual_sd_gross=0.0 if none else 0.06, annual_sd_net=0.0 if none else 0.06,
            sharpe_gross=None if none else 60.0 * rank_ic, sharpe_net=None if none else 60.0 * rank_ic - 1.0,
            max_drawdown_gross=0.0 if none else -0.04, max_drawdown_net=0.0 if none else -0.05,
            turnover=0.0 if none else 0.25, break_even_bps=None if none else 250.0 * rank_ic, unpriced=0.0,
        ),
    )  # fmt: skip


def intervals_of(scores: RankingScores, horizon: int) -> dict[str, Interval | None]:
    """Intervals of the figures that have one: none for what is undefined, no width for what does not vary."""
    figures = scores.to_json(horizon)
    halves = {
        "rank_error": 0.01, "rank_ic": 0.01, icir_name(horizon): 0.05, "ic": 0.01, "hit_rate": 0.005,
        "quantile_spread": 4.0, "score_sd": 0.1, "annual_return_gross": 0.05, "annual_return_net": 0.05,
        "sharpe_gross": 1.0, "sharpe_net": 1.0,
    }  # fmt: skip
    found: dict[str, Interval | None] = {}
    for name, half in halves.items():
        value = figures[name]
        found[name] = None if value is None else certain(value) if scores.rank_ic == 0.0 else around(value, half)
    return found


def level_of(region: Region, horizon: int = 1, skill: dict[str, float] | None = None, **changes: object):
    """Scores of a region, with the advantage over the stricter constant as wide as every interval of a RankIC."""
    skill = SKILL if skill is None else skill
    stricter = max(("no_order", "static_order"), key=lambda name: skill[name])
    baselines = {name: scores_of(rank_ic) for name, rank_ic in skill.items()}
    days = days_of(region)
    fields = {
        "windows": DAYS, "left_out_days": 0, "stock_days": 12 * DAYS, "positives": 200, "base_rate": 0.45,
        "train_base_rate": 0.44, "first_day": str(days[0]), "last_day": str(days[-1]),
        "windows_fingerprint": f"{region.value}{horizon}", "horizon": horizon, "entry_lag": 1, "cost_bps": 5.0,
        "block": 3, "base_rate_loss": 1.0, "own_rate_loss": 1.0 - skill["static_order"], "stricter": stricter,
        "baselines": baselines,
        "baseline_intervals": {name: intervals_of(one, horizon) for name, one in baselines.items()},
        "baseline_advantage": {
            name: certain(0.0) if name == stricter else around(rank_ic - skill[stricter])
            for name, rank_ic in skill.items()
        },
    }  # fmt: skip
    return RegionBaselines(**(fields | changes))


def days_of(region: Region, days: int = DAYS) -> np.ndarray:
    return np.busday_offset(FIRST[region], np.arange(days), roll="forward").astype("datetime64[D]")


def daily_table(levels: dict[Region, RegionBaselines], days: int = DAYS):
    """predictions.parquet: figures that swing around those of the records."""
    import pandas as pd

    swing = np.where(np.arange(days) % 2 == 0, 0.2, -0.2)
    parts = [
        pd.DataFrame(
            {
                "date": days_of(region, days).astype("datetime64[s]"),
                "region": region.value,
                "model": name,
                "label": 1,
                "rank_error": 1.0 - of.rank_ic - swing * (of.rank_ic != 0.0),
                "rank_ic": of.rank_ic + swing * (of.rank_ic != 0.0),
                "gross_return": of.portfolio.annual_return_gross / 252.0,
                "traded": 2.0 * of.portfolio.turnover,
            }
        )
        for region, level in levels.items()
        for name, of in level.baselines.items()
    ]
    return pd.concat(parts, ignore_index=True)


def features(**changes: object) -> PanelFeatures:
    fields = {
        "panel": "nyse36", "tier": "s9", "columns": ("ret_1", "ret_5"), "lags": {}, "normalisation": "rank",
        "sessions": 900, "symbols": 13, "first_day": "2000-01-03", "last_day": "2004-12-31",
        "first_sample_day": "2001-01-02", "days": 600, "members": MemberCounts(least=11, median=12.0, most=12),
        "not_traded_rows": 7, "delisted": ("OLD",), "universe": "survivors", "returns": "price",
        "source": "made up", "licence": "none", "bias": ("those that failed are missing",), "fingerprint": INPUTS,
    }  # fmt: skip
    return PanelFeatures(**(fields | changes))


def splits(horizon: int = 1, **changes: object) -> PanelSplits:
    count = DayCount(
        samples=DAYS, judged=DAYS, too_few=0, first_day=dt.date(2001, 1, 1), last_day=dt.date(2001, 2, 23),
        first_too_few=None, labels=12 * DAYS, no_entry=0, left_early=0, left=(),
    )  # fmt: skip
    test = dataclasses.replace(count, too_few=2, first_too_few=dt.date(2004, 2, 2), left_early=3, left=("OLD", "OLDER"))
    region = RegionDays(segments=((0, 99),), windows_per_segment=None)
    fields = {
        "kind": "dates", "horizon": horizon, "entry_lag": 1, "context_length": 60, "inputs": INPUTS,
        "days": SplitDays(horizon=horizon + 1, train=region, validation=region, test=region),
        "counts": {Region.TEST: test, Region.TRAIN: count, Region.VALIDATION: count},
    }  # fmt: skip
    return PanelSplits(**(fields | changes))


def audit(*outcomes: ProbeOutcome) -> AuditRecord:
    """One probe per outcome."""
    probes = tuple(
        ProbeFinding(
            name=name, title=title, passed=outcome is not ProbeOutcome.FAILED, numbers={"seen": 0.25},
            words=f"words of {name}", outcome=outcome,
        )
        for (name, title), outcome in zip(PANEL_PROBES.items(), outcomes, strict=False)
    )  # fmt: skip
    worst = ProbeOutcome.of_all(outcomes)
    return AuditRecord(passed=worst is not ProbeOutcome.FAILED, probes=probes, outcome=worst)


def write_study(root: Path, *, horizons: tuple[int, ...] = (1,), **levels: dict[str, float]) -> Places:
    """Everything but the audit. `levels`: skill by region, where it is not SKILL."""
    places = Places(root, root)
    write_panel_features(places.features_manifest, features())
    for horizon in horizons:
        write_panel_splits(places.horizon_splits(horizon), splits(horizon))
        write_scores(places, {r: level_of(r, horizon, levels.get(r.value)) for r in FIRST}, horizon)
    return places


def write_scores(places: Places, levels: dict[Region, RegionBaselines], horizon: int = 1) -> None:
    record = BaselineScores(
        panel="nyse36", tier="s9", horizon=horizon, train_days=100, train_labels=1200, regions=levels
    )  # fmt: skip
    write_baselines(places.baseline_scores(horizon), record)
    daily_table(levels).to_parquet(places.baseline_predictions(horizon), index=False)


def write_audited(places: Places, *outcomes: ProbeOutcome) -> None:
    write_audit(places.audit_record, audit(*outcomes))
