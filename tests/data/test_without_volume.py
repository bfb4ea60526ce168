"""data.volume: false leaves every column made of the volume out of any tier, and changes nothing else."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.studies import DEFAULT_PARAMS

from tsladder.artifacts.record import Record, json_of
from tsladder.artifacts.store import json_text
from tsladder.data.bars import Bars, read_bars
from tsladder.data.columns.core import OHLCV
from tsladder.data.cuts import make_splits
from tsladder.data.indicators import build_features
from tsladder.data.targets import labels
from tsladder.data.tier_columns import columns_of_volume, tier_indicators
from tsladder.data.tier_sizes import VOLUME_OHLCV, n_features
from tsladder.data.tiers import load, names
from tsladder.data.windows import build_windows
from tsladder.errors import BadInput
from tsladder.families import load as load_family
from tsladder.params import DataParams, SplitParams, TargetParams, WindowParams, load_params, parse_params
from tsladder.places import Places
from tsladder.planning.across_cells import plan_audit
from tsladder.planning.cells import geometry_of, plan_cells
from tsladder.typed_yaml import read_yaml

PLANS = "8a8e62a72a1ec6c2c3a5181f9469e01ecc00f85de1b34153a6269d4754197322"
"""SHA-256 of the plans of tests/default_params.yaml without their `code`, as they were before there was data.volume."""


def of(tier: str, *, ohlcv: bool = True, volume: bool = False, **leaves: Any) -> DataParams:
    return DataParams(symbol="sp500", tier=tier, ohlcv=ohlcv, volume=volume, **leaves)  # type: ignore[arg-type]


def without_volume(bars: Bars) -> Bars:
    return dataclasses.replace(bars, volume_T=np.full(len(bars.dates_T), np.nan))


@pytest.mark.parametrize("tier", names())
def test_planning_counts_the_columns_that_are_declared_as_made_of_the_volume(tier: str) -> None:
    assert load(tier).of_volume == sum(indicator.needs_volume for indicator in load(tier).indicators())
    assert sum(indicator.needs_volume for indicator in OHLCV) == VOLUME_OHLCV
    for ohlcv in (True, False):
        chosen = tier_indicators(of(tier, ohlcv=ohlcv))
        assert len(chosen) == n_features(of(tier, ohlcv=ohlcv))
        assert not columns_of_volume(tier) & {indicator.column.name for indicator in chosen}


@pytest.mark.parametrize(
    "tier", [pytest.param(tier, marks=pytest.mark.slow) if tier == "a200" else tier for tier in names()]
)
@pytest.mark.parametrize("ohlcv", [True, False])
def test_what_is_left_is_what_the_tier_has_with_the_volume_on_the_same_days(
    bundled: Callable[[str], Bars], tier: str, ohlcv: bool
) -> None:
    """Also for bars that have no volume at all: nothing that is left is made of it."""
    sp500, vix = bundled("sp500"), bundled("vix") if tier == "c33" else None
    whole = build_features(sp500, of(tier, ohlcv=ohlcv, volume=True), vix)
    kept = [name not in columns_of_volume(tier) for name in whole.names]
    for bars in (sp500, without_volume(sp500)):
        table = build_features(bars, of(tier, ohlcv=ohlcv), vix)
        assert table.names == tuple(name for name in whole.names if name not in columns_of_volume(tier))
        np.testing.assert_array_equal(table.dates_T, whole.dates_T)
        np.testing.assert_array_equal(table.values_TF, whole.values_TF[:, kept])


def test_a_common_first_day_is_the_same_with_and_without_the_volume(bundled: Callable[[str], Bars]) -> None:
    days = [
        build_features(bundled("sp500"), of("a50", volume=volume, first_day="common")).dates_T[0]
        for volume in (True, False)
    ]
    assert days[0] == days[1]


@pytest.mark.parametrize("normalisation", ["ratio", "revin", "none"])
def test_windows_of_a_series_without_volume_are_finite(bundled: Callable[[str], Bars], normalisation: str) -> None:
    table = build_features(without_volume(bundled("sp500")), of("a25"))
    splits = SplitParams(
        kind="dates",
        validation_start=None,
        test_start=None,
        validation_fraction=0.15,
        test_fraction=0.15,
        block_days=252,
        windows_per_block="all",
        min_positives=30,
    )
    cut = make_splits(table.dates_T, splits, 32, 1, seed=0)
    y_T = labels(table, TargetParams(task="direction", price="close"), 1)
    windows = build_windows(table, cut, y_T, WindowParams(context_length=32, normalisation=normalisation))  # type: ignore[arg-type]
    x_BTC = windows.train.batch(np.arange(64))
    assert x_BTC.shape == (64, 32, 21)
    assert np.isfinite(x_BTC).all()


@pytest.mark.parametrize("family", ["patchtst", "itransformer", "informer"])
@pytest.mark.parametrize(("tier", "ohlcv", "columns"), [("a25", True, 21), ("a25", False, 17), ("c33", True, 29)])
def test_models_are_planned_for_the_columns_that_are_left(family: str, tier: str, ohlcv: bool, columns: int) -> None:
    params = load_params(DEFAULT_PARAMS)
    geometry = geometry_of(
        dataclasses.replace(
            params,
            data=of(tier, ohlcv=ohlcv),
            model=dataclasses.replace(params.model, family=family),
        )
    )
    assert geometry.n_features == columns
    if family == "itransformer":
        assert load_family(family).tokens(geometry).count == columns


def text_without_code(plan: Record) -> str:
    return json_text({name: value for name, value in json_of(plan).items() if name != "code"})


def test_plans_of_a_study_with_its_volume_are_what_they_were_before_there_was_the_leaf() -> None:
    """So nobody's finished study changes, whether params.yaml has the leaf or not."""
    with_leaf = read_yaml(DEFAULT_PARAMS)
    assert with_leaf["data"].pop("volume") is True
    for params in (load_params(DEFAULT_PARAMS), parse_params(with_leaf, source="older")):
        hashed = hashlib.sha256()
        for plans in plan_cells(params):
            for plan in plans.by_path(Places(Path(), Path())).values():
                hashed.update(text_without_code(plan).encode())
        hashed.update(text_without_code(plan_audit(params)).encode())
        assert hashed.hexdigest() == PLANS


@pytest.mark.parametrize("volume", [True, False])
def test_a_record_gives_back_the_question(volume: bool) -> None:
    asked = of("a50", volume=volume)
    assert DataParams.from_record(asked.to_record()) == asked
    assert asked.to_record().get("volume", True) is volume
    assert asked.tier_words == ("a50" if volume else "a50 without volume")


def test_a_series_without_volume_is_refused_with_the_command_that_studies_it(bundled_folder: Path) -> None:
    vix = read_bars(bundled_folder / "vix.parquet", "vix")
    with pytest.raises(BadInput, match="vix has no Volume") as caught:
        build_features(vix, DataParams(symbol="vix", tier="a25", ohlcv=True))
    assert "`dvc exp run -S data.symbol=vix -S data.volume=false`" in str(caught.value)
    assert build_features(vix, DataParams(symbol="vix", tier="a25", ohlcv=True, volume=False)).names[-1] == "close"


def test_of_several_symbols_the_one_without_volume_is_named_with_both_ways_out(bundled_folder: Path) -> None:
    vix = read_bars(bundled_folder / "vix.parquet", "vix")
    with pytest.raises(BadInput, match="vix has no Volume") as caught:
        build_features(vix, of("a25", volume=True, symbols=("sp500", "vix")))
    assert "`dvc exp run -S data.symbol=sp500 -S 'data.symbols=[sp500,vix]' -S data.volume=false`" in str(caught.value)
    assert "leave vix out of data.symbols" in str(caught.value)
