"""What is read as daily bars, and what is refused with every fault named."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tsladder.data.bars import Bars, read_bars, share_open_equals_previous_close
from tsladder.data.bundled import bundled_frames, write_bundled
from tsladder.errors import BadInput


def frame_of(days: int = 30) -> pd.DataFrame:
    close = 100.0 + np.arange(days)
    dates = pd.bdate_range("2020-01-01", periods=days)
    columns = {"Open": close - 0.5, "High": close + 1.0, "Low": close - 1.0, "Close": close, "Volume": 1000.0 + close}
    return pd.DataFrame({"Date": dates, **columns})


def refusal_of(frame: pd.DataFrame, folder: Path) -> BadInput:
    path = folder / "bars.parquet"
    frame.to_parquet(path, index=False)
    with pytest.raises(BadInput) as caught:
        read_bars(path, "x")
    return caught.value


def assert_same_bars(a: Bars, b: Bars) -> None:
    for name in ("dates_T", "open_T", "high_T", "low_T", "close_T", "volume_T"):
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name))


def test_the_bundled_sp500_has_5031_days_from_1999_to_2018(sp500: Bars) -> None:
    assert len(sp500.dates_T) == 5031
    assert str(sp500.dates_T[0]) == "1999-01-04"
    assert str(sp500.dates_T[-1]) == "2018-12-31"


def test_the_bundled_sp500_opens_at_the_previous_close_on_40_percent_of_the_days(sp500: Bars) -> None:
    assert share_open_equals_previous_close(sp500) == pytest.approx(0.40, abs=0.005)


def test_the_bundled_vix_loses_its_46_missing_days_and_has_no_volume(bundled_folder: Path) -> None:
    vix = read_bars(bundled_folder / "vix.parquet", "vix")
    source = bundled_frames()["vix"]
    assert len(source) - len(vix.dates_T) == 46
    assert not vix.has_volume
    assert np.isnan(vix.volume_T).all()


def test_writing_the_bundled_files_twice_gives_the_same_bytes(bundled_folder: Path, tmp_path: Path) -> None:
    write_bundled(tmp_path)
    for name in ("sp500", "nasdaq", "vix"):
        assert (tmp_path / f"{name}.parquet").read_bytes() == (bundled_folder / f"{name}.parquet").read_bytes()


def test_columns_in_any_order_and_case_with_extra_ones_give_the_same_bars(tmp_path: Path) -> None:
    frame = frame_of()
    frame.to_parquet(tmp_path / "plain.parquet", index=False)
    other = frame[["Volume", "Close", "Date", "Low", "High", "Open"]].rename(columns=str.upper)
    other["Adj Close"] = 1.0
    other["note"] = "text"
    other.to_parquet(tmp_path / "other.parquet", index=False)
    assert_same_bars(read_bars(tmp_path / "plain.parquet", "x"), read_bars(tmp_path / "other.parquet", "x"))


@pytest.mark.parametrize("index_name", ["Date", "date", None])
def test_the_date_may_be_the_index_named_or_not(tmp_path: Path, index_name: str | None) -> None:
    frame = frame_of()
    frame.to_parquet(tmp_path / "plain.parquet", index=False)
    frame.set_index("Date").rename_axis(index_name).to_parquet(tmp_path / "index.parquet")
    assert_same_bars(read_bars(tmp_path / "plain.parquet", "x"), read_bars(tmp_path / "index.parquet", "x"))


@pytest.mark.parametrize("form", ["text", "date objects", "zoned"])
def test_dates_as_text_date_objects_or_zoned_midnights_are_the_same_days(tmp_path: Path, form: str) -> None:
    frame = frame_of()
    frame.to_parquet(tmp_path / "plain.parquet", index=False)
    stamps = frame["Date"]
    forms = {
        "text": stamps.dt.strftime("%Y-%m-%d"),
        "date objects": stamps.dt.date,
        "zoned": stamps.dt.tz_localize("America/New_York"),
    }
    frame.assign(Date=forms[form]).to_parquet(tmp_path / "form.parquet", index=False)
    assert_same_bars(read_bars(tmp_path / "plain.parquet", "x"), read_bars(tmp_path / "form.parquet", "x"))


def test_a_missing_file_below_a_tracked_folder_names_the_dvc_pull(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data.dvc").write_text("outs: []\n")
    with pytest.raises(BadInput, match=r"does not exist.*dvc pull data\.dvc"):
        read_bars(tmp_path / "data" / "sp500.parquet", "sp500")


def test_a_missing_file_elsewhere_does_not_send_the_user_to_dvc(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="does not exist") as caught:
        read_bars(tmp_path / "sp500.parquet", "sp500")
    assert "dvc pull" not in str(caught.value)


def test_a_folder_an_empty_file_and_a_file_of_another_format_are_refused(tmp_path: Path) -> None:
    (tmp_path / "empty.parquet").touch()
    (tmp_path / "text.parquet").write_text("Date,Open\n2020-01-01,1\n")
    (tmp_path / "torn.parquet").write_bytes(b"PAR1" + b"\0" * 40)
    for path, words in (
        (tmp_path, "not a file"),
        (tmp_path / "empty.parquet", "0 bytes"),
        (tmp_path / "text.parquet", "not a readable Parquet file"),
        (tmp_path / "torn.parquet", "not a readable Parquet file"),
    ):
        with pytest.raises(BadInput, match=words):
            read_bars(path, "x")


def test_a_table_without_rows_is_refused(tmp_path: Path) -> None:
    assert "no rows" in str(refusal_of(frame_of().iloc[:0], tmp_path))


def test_every_missing_or_repeated_column_is_named_at_once(tmp_path: Path) -> None:
    frame = frame_of().drop(columns=["High", "Date"]).assign(close=1.0)
    faults = refusal_of(frame, tmp_path).faults
    assert [fault.split()[0] for fault in faults] == ["Date", "High", "Close"]


def test_dates_as_numbers_are_refused(tmp_path: Path) -> None:
    assert "Date holds numbers" in str(refusal_of(frame_of().assign(Date=range(30)), tmp_path))


def test_truth_values_and_days_are_no_prices(tmp_path: Path) -> None:
    for values, words in ((True, "Close holds bool"), (frame_of()["Date"], "Close holds datetime64")):
        assert words in str(refusal_of(frame_of().assign(Close=values), tmp_path))


def test_every_faulty_row_is_named_with_its_number_and_date(tmp_path: Path) -> None:
    frame = frame_of()
    frame.loc[2, "Close"] = np.nan
    frame.loc[4, ["High", "Low"]] = [90.0, 95.0]
    frame.loc[7, "Open"] = -3.0
    frame.loc[9, "Low"] = 108.8
    frame.loc[11, "High"] = 110.8
    frame.loc[13, "Volume"] = -1.0
    frame.loc[15, "High"] = np.inf
    error = refusal_of(frame, tmp_path)
    days = frame["Date"].dt.strftime("%Y-%m-%d")
    expected = [
        (2, "Close is missing; prices must be positive and finite"),
        (4, "High 90 is below Low 95"),
        (7, "Open is -3; prices must be positive and finite"),
        (9, "Low 108.8 is above Open 108.5"),
        (11, "High 110.8 is below Close 111"),
        (13, "Volume is -1; it must be 0 or more in every row, or absent in all"),
        (15, "High is inf; prices must be positive and finite"),
    ]
    assert error.faults == tuple(f"row {row + 1} ({days[row]}): {words}" for row, words in expected)
    assert "7 faults" in error.headline


def test_repeated_and_backward_dates_are_named(tmp_path: Path) -> None:
    frame = frame_of()
    frame.loc[5, "Date"] = frame.loc[4, "Date"]
    frame.loc[9, "Date"] = pd.Timestamp("2019-06-03")
    faults = refusal_of(frame, tmp_path).faults
    assert len(faults) == 2
    assert faults[0].endswith("repeats the date of row 5")
    assert faults[1].startswith("row 10 (2019-06-03): lies before row 9")


def test_missing_and_unreadable_dates_are_named(tmp_path: Path) -> None:
    frame = frame_of()
    text = frame["Date"].dt.strftime("%Y-%m-%d").astype(object)
    text[3], text[6] = None, "soon"
    faults = refusal_of(frame.assign(Date=text), tmp_path).faults
    assert faults == ("row 4 (NaT): the date is missing", "row 7 (NaT): Date is 'soon', not a day like 2011-01-31")


def test_text_in_a_price_column_is_named_and_numeric_text_is_read(tmp_path: Path) -> None:
    frame = frame_of()
    closes = frame["Close"].map(str)
    frame.assign(Close=closes).to_parquet(tmp_path / "text.parquet", index=False)
    np.testing.assert_array_equal(read_bars(tmp_path / "text.parquet", "x").close_T, frame["Close"])
    closes[8] = "n/a"
    faults = refusal_of(frame.assign(Close=closes), tmp_path).faults
    assert len(faults) == 1
    assert "row 9" in faults[0]
    assert "'n/a', not a number" in faults[0]


def test_twenty_faults_are_listed_and_the_rest_are_counted(tmp_path: Path) -> None:
    error = refusal_of(frame_of(90).assign(Close=-1.0), tmp_path)
    assert len(error.faults) == 21
    assert error.faults[-1] == "and 70 more"
    assert "90 faults" in error.headline


def test_volume_may_be_absent_or_wholly_missing_but_not_missing_in_places(tmp_path: Path) -> None:
    frame = frame_of()
    for name, volumeless in (("a", frame.drop(columns="Volume")), ("b", frame.assign(Volume=np.nan))):
        volumeless.to_parquet(tmp_path / f"{name}.parquet", index=False)
        assert not read_bars(tmp_path / f"{name}.parquet", "x").has_volume
    frame.loc[3, "Volume"] = np.nan
    assert "row 4" in refusal_of(frame, tmp_path).faults[0]


def test_a_rounding_error_of_back_adjusted_prices_is_no_fault(tmp_path: Path) -> None:
    frame = frame_of()
    frame.loc[3, "Low"] = frame.loc[3, "Open"] * (1 + 1e-14)
    frame.to_parquet(tmp_path / "adjusted.parquet", index=False)
    assert len(read_bars(tmp_path / "adjusted.parquet", "x").dates_T) == 30
