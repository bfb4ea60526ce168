"""The file of a panel: what goes in comes out, what is no panel is refused, what was changed since is noticed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from tsladder.errors import BadInput
from tsladder.panel.file import read_manifest, read_panel, write_panel
from tsladder.panel.panel import Dropped, PanelOrigin, Returns, UniverseKind

ORIGIN = PanelOrigin(
    source="made up",
    licence="none",
    returns=Returns.PRICE,
    universe=UniverseKind.SURVIVORS,
    bias=("chosen by hand",),
    dropped=(Dropped(why="no price", count=3),),
    currency="JPY",
)


def table(**changes: Any) -> pd.DataFrame:
    """Three sessions of 0050 and 130A0, the second not traded on the second and gone on the third."""
    columns: dict[str, Any] = {
        "Date": pd.to_datetime(["2020-01-07", "2020-01-06", "2020-01-06", "2020-01-07", "2020-01-08"]),
        "Symbol": ["0050", "130A0", "0050", "130A0", "0050"],
        "Close": [2.0, 10.0, 1.0, np.nan, 3.0],
        "Volume": [20.0, 100.0, 10.0, 0.0, 30.0],
        "Sector": ["A", "B", "A", None, "A"],
        "Member": [True, True, False, False, True],
    }
    return pd.DataFrame({name: column for name, column in {**columns, **changes}.items() if column is not None})


def test_a_panel_comes_back_as_it_was_written_with_its_zeros_and_its_gaps(tmp_path: Path) -> None:
    path = tmp_path / "tokyo.parquet"
    manifest = write_panel(path, table(), ORIGIN)
    panel = read_panel(path)
    assert (panel.name, panel.symbols_S) == ("tokyo", ("0050", "130A0"))
    assert panel.dates_T.astype(str).tolist() == ["2020-01-06", "2020-01-07", "2020-01-08"]
    np.testing.assert_array_equal(panel.close_TS, [[1.0, 10.0], [2.0, np.nan], [3.0, np.nan]])
    assert panel.volume_TS is not None
    np.testing.assert_array_equal(panel.volume_TS, [[10.0, 100.0], [20.0, 0.0], [30.0, np.nan]])
    assert panel.sector_TS is not None
    assert panel.sector_TS.tolist() == [["A", "B"], ["A", ""], ["A", ""]]
    assert panel.member_TS is not None
    assert panel.member_TS.tolist() == [[False, True], [True, False], [True, False]]
    assert panel.open_TS is None
    assert panel.manifest == manifest == read_manifest(path)
    assert manifest.origin == ORIGIN
    assert (manifest.sessions, manifest.symbols, manifest.rows, manifest.not_traded_rows) == (3, 2, 5, 1)
    assert manifest.delisted == ("130A0",)
    assert list(tmp_path.iterdir()) == [path]


def test_the_manifest_holds_the_keys_that_the_documentation_names(tmp_path: Path) -> None:
    write_panel(tmp_path / "p.parquet", table(), ORIGIN)
    record = json.loads(pq.read_schema(tmp_path / "p.parquet").metadata[b"tsladder.panel"])
    assert set(record) == {
        *("format", "source", "licence", "returns", "universe", "bias", "dropped", "currency"),
        *("first_day", "last_day", "sessions", "symbols", "rows", "columns", "not_traded_rows", "delisted", "sha256"),
    }


def test_rows_are_sorted_by_day_and_symbol_so_that_order_changes_nothing(tmp_path: Path) -> None:
    one = write_panel(tmp_path / "one.parquet", table(), ORIGIN)
    two = write_panel(tmp_path / "two.parquet", table().iloc[::-1], ORIGIN)
    assert one == two
    assert (tmp_path / "one.parquet").read_bytes() == (tmp_path / "two.parquet").read_bytes()


@pytest.mark.parametrize("column", ["Close", "Symbol", "Date", "Sector", "Member"])
def test_a_column_changed_after_writing_is_named(tmp_path: Path, column: str) -> None:
    path = tmp_path / "p.parquet"
    write_panel(path, table(), ORIGIN)
    there = pq.read_table(path)
    frame = there.to_pandas()
    other = {"Close": 1.5, "Symbol": "0051", "Date": frame.Date[4], "Sector": "C", "Member": True}
    frame.loc[0, column] = other[column]
    changed = type(there).from_pandas(frame, schema=there.schema, preserve_index=False)
    pq.write_table(changed.replace_schema_metadata(there.schema.metadata), path)
    with pytest.raises(BadInput, match=rf"p.parquet is damaged: the values of {column} do not have the SHA-256"):
        read_panel(path)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"Date": None}, "rows without dates cannot be split by date"),
        ({"Symbol": None}, "the columns Date, Symbol and Close"),
        ({"Prices": [1.0] * 5}, "the columns Date, Symbol and Close"),
        ({"Symbol": [50, 1300, 50, 1300, 50]}, "codes such as 0050 lose their leading zeros"),
        (
            {"Symbol": ["0050"] * 5, "Date": pd.date_range("2020-01-06", periods=5)},
            "ingest a single series with --symbol",
        ),
        ({"Close": [0.01, -0.02, 0.0, 0.003, -0.01]}, "its values look like returns"),
        ({"Close": [np.nan] * 5}, "no value in any row"),
        ({"Close": ["1"] * 5}, "must hold numbers"),
        ({"Date": ["2020-01-06"] * 5}, "days without a time zone"),
        ({"Member": [1, 0, 1, 0, 1]}, "must hold true or false"),
    ],
)
def test_a_table_that_is_no_panel_is_refused_with_one_message_and_nothing_is_written(
    tmp_path: Path, changes: dict[str, Any], words: str
) -> None:
    with pytest.raises(BadInput, match=words):
        write_panel(tmp_path / "p.parquet", table(**changes), ORIGIN)
    assert list(tmp_path.iterdir()) == []


def test_repeated_pairs_are_refused_with_their_rows(tmp_path: Path) -> None:
    symbols = ["0050", "130A0", "130A0", "0050", "0050"]
    with pytest.raises(BadInput) as refused:
        write_panel(tmp_path / "p.parquet", table(Symbol=symbols), ORIGIN)
    assert refused.value.faults == (
        "row 3 (2020-01-06, 130A0): repeats row 2",
        "row 4 (2020-01-07, 0050): repeats row 1",
    )


def test_rows_with_a_price_that_is_none_or_a_negative_volume_are_refused_by_row(tmp_path: Path) -> None:
    changes = {"Close": [2.0, -10.0, 1.0, np.nan, np.inf], "Volume": [20.0, 100.0, -1.0, 0.0, 30.0]}
    with pytest.raises(BadInput) as refused:
        write_panel(tmp_path / "p.parquet", table(**changes), ORIGIN)
    assert [fault.split(":")[0] for fault in refused.value.faults] == [
        "row 2 (2020-01-06, 130A0)",
        "row 3 (2020-01-06, 0050)",
        "row 5 (2020-01-08, 0050)",
    ]


def test_a_file_that_is_no_panel_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="does not exist"):
        read_panel(tmp_path / "p.parquet")
    table().to_parquet(tmp_path / "p.parquet")
    with pytest.raises(BadInput, match="its metadata has no manifest"):
        read_panel(tmp_path / "p.parquet")
    (tmp_path / "p.parquet").write_text("Date,Symbol")
    with pytest.raises(BadInput, match="not a readable Parquet file"):
        read_panel(tmp_path / "p.parquet")
    write_panel(tmp_path / "p.parquet", table(), ORIGIN)
    there = pq.read_table(tmp_path / "p.parquet")
    pq.write_table(there.replace_schema_metadata({b"tsladder.panel": b'{"format": 2}'}), tmp_path / "p.parquet")
    with pytest.raises(BadInput, match="panel of format 2"):
        read_panel(tmp_path / "p.parquet")
