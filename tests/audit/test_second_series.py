"""A tier of two series is audited with both cut off on the same day."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from tests.studies import make_study, params_of, synthetic_bars, verb

from tsladder.artifacts.plans import AuditPlan, read_plan
from tsladder.audit.build import open_subject
from tsladder.audit.truncation import truncated_future
from tsladder.data.columns import vix as columns
from tsladder.data.columns.declaration import Indicator
from tsladder.data.rolling import mean
from tsladder.places import Places
from tsladder.vocabulary import ProbeOutcome


def study_of(folder: Path) -> Places:
    places = make_study(folder, data__tier="c33")
    vix = synthetic_bars(seed=3).drop(columns="Volume")
    pd.DataFrame(vix).to_parquet(places.bars("vix"), index=False)
    for name in ("inputs", "features", "splits", "plan"):
        verb(name)(places, params_of(places))
    return places


def probe(places: Places) -> Any:
    return truncated_future(open_subject(places, read_plan(AuditPlan, places.audit_plan)))


def test_columns_of_vix_keep_their_values_when_both_series_are_cut_off(tmp_path: Path) -> None:
    finding = probe(study_of(tmp_path))
    assert finding.passed, finding.words
    assert finding.numbers["columns"] == 33


def test_a_column_that_knows_the_vix_of_tomorrow_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tsladder.data.columns.core import A20
    from tsladder.data.tiers import c33

    def leaking(indicator: Indicator) -> Indicator:
        if indicator.column.name != "vix_sma_10":
            return indicator
        return dataclasses.replace(indicator, fill=lambda bars: mean(bars.close_T, 10) / bars.close_T[-1])

    leaky = tuple(leaking(indicator) for indicator in (*A20, *columns.VIX))
    monkeypatch.setattr(c33, "TIER", dataclasses.replace(c33.TIER, indicators=lambda: leaky))
    finding = probe(study_of(tmp_path))
    assert finding.outcome is ProbeOutcome.FAILED
    assert "vix_sma_10" in finding.words
