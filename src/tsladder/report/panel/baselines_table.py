"""Write baselines.csv: one row per horizon, region and ranking, with every figure and both ends of its interval."""

from __future__ import annotations

import csv
import io
from typing import Any

from tsladder.artifacts.ranking_scores import OWN_STATIC_ORDER, RegionBaselines, icir_name
from tsladder.artifacts.scores import Interval
from tsladder.ranking.level import CONSTANTS, in_order, level_to_beat
from tsladder.report.panel.facts import PanelFacts
from tsladder.report.panel.words import defined
from tsladder.vocabulary import Region

BASELINES_CSV = "baselines.csv"
NOT_RUN = "not_run"

WITH_INTERVAL = (
    "rank_error",
    "rank_ic",
    "icir",
    "ic",
    "hit_rate",
    "quantile_spread",
    "score_sd",
    "annual_return_gross",
    "annual_return_net",
    "sharpe_gross",
    "sharpe_net",
)
"""Figures with the columns `<figure>_low` and `<figure>_high` after them. `icir` is not annualised and is of the row's
horizon; `quantile_spread` is in basis points a day."""

WITHOUT_INTERVAL = (
    "unordered_days",
    "annual_sd_gross",
    "annual_sd_net",
    "max_drawdown_gross",
    "max_drawdown_net",
    "turnover",
    "break_even_bps",
    "unpriced",
)
OF_REGION = (
    "first_day",
    "last_day",
    "windows",
    "left_out_days",
    "stock_days",
    "entry_lag",
    "cost_bps",
    "block",
    "stricter",
    "windows_fingerprint",
)
COLUMNS = (
    *("panel", "universe", "audit", "horizon", "region", "baseline", "kind", "beats_stricter"),
    *("advantage", "advantage_low", "advantage_high"),
    *(f"{figure}{end}" for figure in WITH_INTERVAL for end in ("", "_low", "_high")),
    *WITHOUT_INTERVAL,
    *OF_REGION,
    "confidence",
)
"""Columns in their order. `kind`: baseline, constant or hindsight. `advantage`: rank error of the stricter constant
less that of the row, a day. `beats_stricter`: true, false, or empty for what is no baseline."""


def to_baselines_csv(facts: PanelFacts) -> str:
    """Return the whole file as text; an undefined figure is an empty field."""
    stream = io.StringIO()
    writer = csv.DictWriter(stream, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for horizon in facts.params.horizons:
        for region in (Region.VALIDATION, Region.TEST):
            level = facts.region(horizon, region)
            if level is not None:
                writer.writerows(_row(facts, horizon, region, level, baseline) for baseline in in_order(level))
    return stream.getvalue()


def _row(facts: PanelFacts, horizon: int, region: Region, level: RegionBaselines, baseline: str) -> dict[str, Any]:
    kind = "hindsight" if baseline == OWN_STATIC_ORDER else "constant" if baseline in CONSTANTS else "baseline"
    figures = level.baselines[baseline].to_json(horizon)
    intervals = level.baseline_intervals.get(baseline, {})
    row: dict[str, Any] = {
        "panel": facts.params.data.panel,
        "universe": None if facts.features is None else facts.features.universe,
        "audit": NOT_RUN if facts.audit is None else facts.audit.worst.value,
        "horizon": horizon,
        "region": region.value,
        "baseline": baseline,
        "kind": kind,
        "beats_stricter": str(baseline in level_to_beat(level).beat).lower() if kind == "baseline" else None,
        "confidence": facts.params.evaluation.confidence,
    }
    advantage = level.baseline_advantage.get(baseline)
    row |= {"advantage": None if advantage is None else defined(advantage.value)} | _ends("advantage", advantage)
    for figure in WITH_INTERVAL:
        stored = icir_name(horizon) if figure == "icir" else figure
        row |= {figure: defined(figures[stored])} | _ends(figure, intervals.get(stored))
    row |= {figure: defined(figures[figure]) for figure in WITHOUT_INTERVAL}
    return row | {column: getattr(level, column) for column in OF_REGION}


def _ends(figure: str, found: Interval | None) -> dict[str, float | None]:
    return {
        f"{figure}_low": None if found is None else defined(found.low),
        f"{figure}_high": None if found is None else defined(found.high),
    }
