"""The feature table on disk: identity by value, damage noticed."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tsladder.data.features import FeatureTable, read_features
from tsladder.errors import WorkFailed


def test_a_table_comes_back_from_disk_bit_for_bit(sp500_table: FeatureTable, tmp_path: Path) -> None:
    sp500_table.write(tmp_path / "features")
    back = read_features(tmp_path / "features")
    for field in dataclasses.fields(FeatureTable):
        ours, theirs = getattr(sp500_table, field.name), getattr(back, field.name)
        if isinstance(ours, np.ndarray):
            assert ours.dtype == theirs.dtype
            np.testing.assert_array_equal(ours, theirs)
        else:
            assert ours == theirs
    assert sorted(path.name for path in (tmp_path / "features").iterdir()) == ["features.parquet", "manifest.json"]


def test_the_manifest_says_what_the_table_holds(sp500_table: FeatureTable, tmp_path: Path) -> None:
    sp500_table.write(tmp_path)
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    assert (manifest["symbol"], manifest["tier"], manifest["rows"], manifest["warm_up"]) == ("sp500", "a25", 4832, 199)
    assert (manifest["first_day"], manifest["last_day"]) == ("1999-10-18", "2018-12-31")
    assert manifest["open_equals_previous_close"] == pytest.approx(0.3984, abs=1e-4)
    assert [entry["name"] for entry in manifest["columns"]] == list(sp500_table.names)
    assert all(entry["words"] and entry["source"] for entry in manifest["columns"])


def test_writing_twice_gives_the_same_bytes(sp500_table: FeatureTable, tmp_path: Path) -> None:
    for name in ("a", "b"):
        sp500_table.write(tmp_path / name)
    for name in ("features.parquet", "manifest.json"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_the_fingerprint_does_not_depend_on_how_the_file_is_encoded(sp500_table: FeatureTable, tmp_path: Path) -> None:
    sp500_table.write(tmp_path)
    path = tmp_path / "features.parquet"
    before = path.read_bytes()
    pd.read_parquet(path).to_parquet(path, index=False, compression="gzip")
    assert path.read_bytes() != before
    assert read_features(tmp_path).fingerprint() == sp500_table.fingerprint()


@pytest.mark.parametrize("name", ["values_TF", "high_T", "dates_T"])
def test_one_changed_number_changes_the_fingerprint(sp500_table: FeatureTable, name: str) -> None:
    changed = getattr(sp500_table, name).copy()
    changed[17] = changed[16]
    assert dataclasses.replace(sp500_table, **{name: changed}).fingerprint() != sp500_table.fingerprint()


def test_another_column_kind_or_scale_changes_the_fingerprint(sp500_table: FeatureTable) -> None:
    first, *rest = sp500_table.columns
    renamed = dataclasses.replace(sp500_table, columns=(dataclasses.replace(first, scale=2.0), *rest))
    assert renamed.fingerprint() != sp500_table.fingerprint()


def test_a_tampered_or_missing_table_is_noticed(sp500_table: FeatureTable, tmp_path: Path) -> None:
    sp500_table.write(tmp_path)
    path = tmp_path / "features.parquet"
    frame = pd.read_parquet(path)
    frame.loc[100, "rsi_14"] += 1e-9
    frame.to_parquet(path, index=False)
    with pytest.raises(WorkFailed, match="does not hold the values"):
        read_features(tmp_path)
    frame.drop(columns="rsi_14").to_parquet(path, index=False)
    with pytest.raises(WorkFailed, match="no readable feature table"):
        read_features(tmp_path)
    path.unlink()
    with pytest.raises(WorkFailed, match="no readable feature table"):
        read_features(tmp_path)
