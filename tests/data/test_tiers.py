"""What the tiers are made of: how many columns, which within which, none twice and none constant."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import spearmanr
from tests.studies import make_study, params_of

from tsladder.artifacts.features import ColumnKind
from tsladder.console.features import list_tiers
from tsladder.data import tiers
from tsladder.data.bars import Bars
from tsladder.data.cuts import make_splits
from tsladder.data.features import FeatureTable
from tsladder.data.indicators import build_features
from tsladder.data.targets import labels
from tsladder.data.tier_columns import COMMON_WARM_UP, tier_indicators
from tsladder.data.tier_sizes import n_features
from tsladder.data.tiers import load
from tsladder.data.tiers import names as tier_names
from tsladder.data.windows import build_windows
from tsladder.errors import BadInput
from tsladder.params import DataParams, SplitParams, TargetParams, WindowParams
from tsladder.planning.cells import plan_cells
from tsladder.vocabulary import Region

TIERS = {name: load(name).indicators() for name in tier_names()}
SIZES = {"a20": 20, "a25": 20, "c33": 28, "a50": 50, "a100": 100, "a200": 200}


def of(tier: str, ohlcv: bool = True) -> DataParams:
    return DataParams(symbol="sp500", tier=tier, ohlcv=ohlcv)


def names(tier: str) -> list[str]:
    return [indicator.column.name for indicator in TIERS[tier]]


@pytest.fixture(scope="module", params=["sp500", "nasdaq"])
def table(request: Any, bundled: Callable[[str], Bars]) -> FeatureTable:
    return build_features(bundled(request.param), of("a200"))


def test_the_tiers_are_those_of_the_folder_the_smallest_first() -> None:
    assert list(TIERS) == list(SIZES)


@pytest.mark.parametrize("tier", TIERS)
def test_a_tier_counts_the_columns_that_it_declares(tier: str) -> None:
    found, declared = load(tier), TIERS[tier]
    assert found.columns == len(declared)
    assert found.of_volume == sum(indicator.needs_volume for indicator in declared)
    assert found.reads_vix == any(indicator.on_vix for indicator in declared)


def test_an_unknown_tier_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="a20, a25, c33, a50, a100, a200, got 'a26'"):
        load("a26")
    with pytest.raises(BadInput, match=r"data\.tier: must be one of a20, a25, c33, a50, a100, a200, got 'a26'"):
        params_of(make_study(tmp_path, data__tier="a26"))


def test_loading_a_tier_and_counting_its_columns_imports_no_formula() -> None:
    loaded = "[tiers.load(name) for name in tiers.names()]"
    code = f"import sys; from tsladder.data import tiers; {loaded}; print('numpy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_the_common_first_day_is_that_of_the_longest_look_back_of_the_tiers_that_come_with_the_program() -> None:
    longest = max(i.column.look_back for tier in SIZES for i in TIERS[tier] if not i.on_vix)
    assert longest == COMMON_WARM_UP


@pytest.mark.parametrize(("tier", "count"), SIZES.items())
def test_a_tier_has_as_many_columns_as_its_name_says_and_five_more_with_ohlcv(tier: str, count: int) -> None:
    for ohlcv, more in ((False, 0), (True, 5)):
        assert len(tier_indicators(of(tier, ohlcv))) == count + more == n_features(of(tier, ohlcv))


@pytest.mark.parametrize("smaller", ["a20", "a50", "a100", "c33"])
def test_a_larger_tier_begins_with_the_smaller_one(smaller: str) -> None:
    larger = {"a20": "a50", "a50": "a100", "a100": "a200"}.get(smaller)
    if larger is None:
        assert names("c33")[:20] == names("a20")
        assert [name for name in names("c33") if name.startswith("vix")] == names("c33")[20:]
    else:
        assert names(larger)[: len(names(smaller))] == names(smaller)


def test_every_column_is_declared_once_and_says_what_it_is() -> None:
    declared = {indicator.column for tier in TIERS.values() for indicator in tier}
    assert len({column.name for column in declared}) == len(declared) == 208
    for column in declared:
        assert column.words, column.name
        assert column.source, column.name
        assert column.scale == 1.0 or column.kind is ColumnKind.BOUNDED, column.name


def test_each_column_starts_after_its_declared_look_back_and_a_weekly_one_no_later(sp500: Bars) -> None:
    for indicator in tier_indicators(of("a200")):
        first = int(np.isfinite(indicator.fill(sp500)).argmax())
        declared = indicator.column.look_back
        assert first == declared or (indicator.column.name.startswith("weekly") and first <= declared), indicator


def test_no_column_is_constant(table: FeatureTable) -> None:
    assert [
        name for name, spread in zip(table.names, np.ptp(table.values_TF, axis=0), strict=True) if spread == 0
    ] == []


def duplicates(names: tuple[str, ...], values_TF: Any, limit: float) -> list[tuple[str, str]]:
    ranked = np.abs(spearmanr(values_TF).statistic)
    pairs = np.argwhere(np.triu(ranked > limit, k=1))
    return [(names[first], names[second]) for first, second in pairs]


def test_no_two_columns_rank_the_days_alike(table: FeatureTable) -> None:
    assert duplicates(table.names, table.values_TF, 1.0 - 1e-9) == []


def test_nor_do_they_once_prices_are_taken_relative_to_the_days_close(table: FeatureTable) -> None:
    """What a window's last day shows; the day's own Close is 1 there."""
    in_prices = [column.kind in (ColumnKind.PRICE, ColumnKind.RANGE) for column in table.columns]
    values_TF = np.where(in_prices, table.values_TF / table.close_T[:, None], table.values_TF)
    kept = [index for index, name in enumerate(table.names) if name != "close"]
    assert duplicates(tuple(table.names[index] for index in kept), values_TF[:, kept], 0.9995) == []


@pytest.mark.parametrize(
    ("symbol", "ohlcv", "fingerprint"),
    [
        ("sp500", True, "a185c3bcde3d3c4c5d0673c5168ef8b3c7b56ab0be9473ecb0895dd05b46ca37"),
        ("sp500", False, "d6499e77337250b442b97400dd998ff44b436910abc8030880fb874b0033bfe6"),
        ("nasdaq", True, "73bc63a91efbcbc1b57abba636706ae42be4178b190df4fd4ec940daa742faf6"),
    ],
)
def test_the_default_tier_has_the_values_it_had_before_there_were_others(
    bundled: Callable[[str], Bars], symbol: str, ohlcv: bool, fingerprint: str
) -> None:
    """Read from the code of 14 columns ago; the numbers of finished studies hang on them."""
    bars = bundled(symbol)
    for tier in ("a20", "a25"):
        assert build_features(bars, of(tier, ohlcv)).fingerprint() == fingerprint


# The day a table starts on.


@pytest.mark.parametrize("tier", ["a20", "a25", "a50", "a100", "a200"])
def test_with_a_common_first_day_every_tier_has_the_same_days(sp500: Bars, tier: str) -> None:
    table = build_features(sp500, dataclasses.replace(of(tier), first_day="common"))
    assert table.warm_up == COMMON_WARM_UP == 252
    np.testing.assert_array_equal(table.dates_T, sp500.dates_T[252:])
    assert table.origin.common_first_day == table.manifest().first_day == str(sp500.dates_T[252])


def test_a_common_first_day_is_no_earlier_than_any_tier_can_start_and_no_later_than_needed(sp500: Bars) -> None:
    first = {tier: build_features(sp500, of(tier)).warm_up for tier in ("a20", "a50", "a100", "a200")}
    assert max(first.values()) == COMMON_WARM_UP
    assert first["a20"] == 199


def test_with_a_common_first_day_tiers_share_their_samples_by_hash(
    sp500: Bars, by_date: SplitParams, touch_1pct: TargetParams
) -> None:
    hashes = set()
    for tier in ("a25", "a50", "a200"):
        table = build_features(sp500, dataclasses.replace(of(tier), first_day="common"))
        splits = make_splits(table.dates_T, by_date, 80, 1, seed=42)
        params = WindowParams(context_length=80, normalisation="ratio")
        windows = build_windows(table, splits, labels(table, touch_1pct, 1), params)
        hashes.add(tuple(windows.region(region).fingerprint() for region in Region))
    assert len(hashes) == 1


def test_values_do_not_depend_on_the_day_the_table_starts_on(sp500: Bars) -> None:
    early = build_features(sp500, of("a50"))
    late = build_features(sp500, dataclasses.replace(of("a50"), first_day=np.datetime64("2005-03-05").astype(object)))
    assert str(late.dates_T[0]) == "2005-03-07", "a Saturday: the next day of the bars"
    np.testing.assert_array_equal(late.values_TF, early.values_TF[-len(late.dates_T) :])
    assert late.origin.earliest_first_day == str(early.dates_T[0])
    assert late.origin.first_day_asked == "2005-03-05"


@pytest.mark.parametrize(("day", "words"), [("1999-06-01", "2000-01-03"), ("2019-06-01", "no day")])
def test_a_first_day_that_the_tier_cannot_start_on_is_refused_with_the_days_it_can(
    sp500: Bars, day: str, words: str
) -> None:
    asked = dataclasses.replace(of("a200"), first_day=np.datetime64(day).astype(object))
    with pytest.raises(BadInput, match=words) as caught:
        build_features(sp500, asked)
    assert "data.first_day" in str(caught.value)


def test_bars_too_short_for_the_largest_tier_have_no_common_first_day(make_bars: Any) -> None:
    bars = make_bars(240)
    assert build_features(bars, of("a25")).origin.common_first_day is None
    with pytest.raises(BadInput, match="252 days"):
        build_features(bars, dataclasses.replace(of("a25"), first_day="common"))


def test_a_record_of_data_comes_back() -> None:
    for first_day in (None, "common", np.datetime64("2005-03-05").astype(object)):
        data = dataclasses.replace(of("c33"), first_day=first_day)
        assert DataParams.from_record(data.to_record()) == data


def test_a_tier_is_one_file_a_toy_put_into_the_folder_is_counted_built_and_planned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sp500: Bars
) -> None:
    toys = tmp_path / "toys"
    toys.mkdir()
    (toys / "t2.py").write_text(
        "from tsladder.data.tiers import Tier\n"
        "def indicators():\n"
        "    from tsladder.data.columns.core import A20\n"
        "    return (A20[0], A20[16])\n"
        "TIER = Tier(columns=2, of_volume=0, indicators=indicators)\n"
    )
    monkeypatch.setattr(tiers, "__path__", [*tiers.__path__, str(toys)])
    assert tier_names()[0] == "t2"
    params = params_of(make_study(tmp_path / "study", data__tier="t2"))
    table = build_features(sp500, params.data)
    assert table.values_TF.shape[1] == n_features(params.data) == 7
    (plan, *_) = plan_cells(params)
    assert plan.search.question.model.n_features == 7
    assert list_tiers()["tiers"]["t2"]["columns_with_ohlcv"] == 7
    monkeypatch.delitem(sys.modules, "tsladder.data.tiers.t2")
