"""`tsladder features`: what can be chosen, and what each column is, without any data."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tsladder.cli import main
from tsladder.data import tiers


@pytest.fixture(autouse=True)
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder without params.yaml and data."""
    monkeypatch.chdir(tmp_path)


def printed(capsys: Any, *arguments: str) -> Any:
    assert main(["features", *arguments]) == 0
    return json.loads(capsys.readouterr().out)


def test_every_tier_is_listed_with_its_counts_and_warm_up(capsys: Any) -> None:
    record = printed(capsys, "--json")
    assert {name: (t["columns"], t["columns_with_ohlcv"], t["warm_up"]) for name, t in record["tiers"].items()} == {
        "a20": (20, 25, 199),
        "a25": (20, 25, 199),
        "c33": (28, 33, 199),
        "a50": (50, 55, 252),
        "a100": (100, 105, 252),
        "a200": (200, 205, 252),
    }
    assert record["tiers"]["c33"]["vix_warm_up"] == 59
    assert record["tiers"]["a200"]["vix_warm_up"] is None
    assert record["common_warm_up"] == 252
    counts = ("columns_without_volume", "columns_with_ohlcv_without_volume")
    assert {name: tuple(tier[count] for count in counts) for name, tier in record["tiers"].items()} == {
        "a20": (17, 21),
        "a25": (17, 21),
        "c33": (25, 29),
        "a50": (45, 49),
        "a100": (90, 94),
        "a200": (179, 183),
    }


@pytest.mark.parametrize("tier", tiers.names())
def test_the_columns_of_a_tier_are_listed_in_order_with_their_words(tier: str, capsys: Any) -> None:
    record = printed(capsys, tier, "--json")
    assert [column["name"] for column in record["indicators"]] == [i.column.name for i in tiers.load(tier).indicators()]
    assert [column["name"] for column in record["ohlcv"]] == ["open", "high", "low", "close", "volume"]
    starved = [column["name"] for column in (*record["indicators"], *record["ohlcv"]) if column["needs_volume"]]
    assert starved[:3] + starved[-1:] == ["obv", "adosc", "vwap_20", "volume"]
    keys = {"name", "kind", "look_back", "words", "source", "scale", "needs_volume"}
    assert all(set(column) == keys for column in record["indicators"])
    assert main(["features", tier]) == 0
    text = capsys.readouterr().out
    assert all(f"\n{column['name']} " in text for column in record["indicators"])


def test_the_list_for_people_names_every_tier(capsys: Any) -> None:
    assert main(["features"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[1:7]] == list(tiers.names())


@pytest.mark.parametrize(("asked", "near"), [("a2000", "a200"), ("A50", "a50"), ("c3", "c33"), ("zzz", "a25")])
def test_an_unknown_tier_is_refused_with_the_nearest_names(asked: str, near: str, capsys: Any) -> None:
    assert main(["features", asked]) == 2
    out, error = capsys.readouterr()
    assert out == ""
    assert near in error
    assert asked in error
