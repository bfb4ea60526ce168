"""Columns that are constant over the days that training shows."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from tsladder.data.constant_columns import constant_columns, describe_constant_columns
from tsladder.data.features import FeatureTable
from tsladder.data.indicators import build_features
from tsladder.data.splits import Segment, Split, Splits
from tsladder.params import DataParams
from tsladder.vocabulary import Region

CONTEXT = 20


@pytest.fixture
def table(make_bars: Any) -> FeatureTable:
    return build_features(make_bars(500), DataParams(symbol="x", tier="a25", ohlcv=True))


def cut(*train: tuple[int, int], horizon: int = 1) -> Splits:
    def split(region: Region, *segments: tuple[int, int]) -> Split:
        return Split(region=region, segments=tuple(Segment(first=first, last=last) for first, last in segments))

    return Splits(
        horizon=horizon,
        train=split(Region.TRAIN, *train),
        validation=split(Region.VALIDATION, (200, 249)),
        test=split(Region.TEST, (250, 299)),
    )


def still(table: FeatureTable, name: str, rows: slice) -> FeatureTable:
    values_TF = table.values_TF.copy()
    values_TF[rows, table.names.index(name)] = 7.0
    return dataclasses.replace(table, values_TF=values_TF)


def test_every_column_of_a_living_market_moves(table: FeatureTable) -> None:
    assert constant_columns(table, [cut((0, 199))], CONTEXT) == ()


def test_only_the_days_that_training_windows_show_count(table: FeatureTable) -> None:
    """A window's label day is not shown: the last day shown is the last of training less the horizon."""
    quiet = still(table, "rsi_14", slice(0, 197))
    assert constant_columns(quiet, [cut((0, 199), horizon=3)], CONTEXT) == ("rsi_14",)
    assert constant_columns(quiet, [cut((0, 199), horizon=2)], CONTEXT) == ()
    assert constant_columns(quiet, [cut((0, 199), horizon=2), cut((0, 199), horizon=3)], CONTEXT) == ("rsi_14",)


def test_days_between_segments_do_not_count(table: FeatureTable) -> None:
    quiet = still(table, "obv", slice(0, 60))
    quiet = still(quiet, "obv", slice(100, 200))
    assert constant_columns(quiet, [cut((0, 59), (100, 199))], CONTEXT) == ("obv",)
    assert constant_columns(quiet, [cut((0, 199))], CONTEXT) == ()


@pytest.mark.parametrize(("volume", "named"), [(0.0, ("obv", "adosc", "volume")), (5e6, ("volume",))])
def test_a_volume_that_is_the_same_on_every_day_is_named(make_bars: Any, volume: float, named: tuple[str, ...]) -> None:
    bars = make_bars(500)
    bars.volume_T[:] = volume
    table = build_features(bars, DataParams(symbol="x", tier="a25", ohlcv=True))
    assert constant_columns(table, [cut((0, 199))], CONTEXT) == named
    words = describe_constant_columns(named, len(table.names), table.tier)
    assert all(name in words for name in named)
    assert "data.volume: false" in words
    assert np.isfinite(table.values_TF).all()


def test_words_name_the_columns_and_offer_no_leaf_that_would_not_help() -> None:
    words = describe_constant_columns(("rsi_14",), 25, "a25")
    assert words == "1 of 25 columns is constant over training, and nothing can be learned from it: rsi_14."
