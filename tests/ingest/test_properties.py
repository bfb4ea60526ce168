"""What does not depend on how a file is written: order, notation, format; with spellings drawn by Hypothesis."""

from __future__ import annotations

import datetime
import decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.ingest.conftest import Ingest
from tests.ingest.hostile import bars, csv, parquet, written

from tsladder.errors import BadInput
from tsladder.ingest.build import CleanBars, clean_bars
from tsladder.ingest.choices import Choices, DateOrder
from tsladder.ingest.dates import read_days
from tsladder.ingest.delimited import sheet_of_text
from tsladder.ingest.encoding import decode
from tsladder.ingest.names import Role
from tsladder.ingest.numbers import Decimal, read_numbers

TODAY = datetime.date(2026, 1, 1)


def cleaned(content: bytes) -> CleanBars:
    return clean_bars(sheet_of_text(decode(content, "file"), "file", Choices()), "x", Choices(), today=TODAY)


@pytest.mark.parametrize("adjusted", [False, True])
def test_its_own_output_as_csv_and_as_parquet_gives_the_same_file(ingest: Ingest, folder: Path, adjusted: bool) -> None:
    frame = bars(adjusted=adjusted)
    frame[["Open", "Close"]] = frame[["Open", "Close"]] / 3.0
    frame["Low"] = frame["Low"] / 3.1
    ingest(parquet(frame), name="file.parquet")
    first = (folder / "data" / "x.parquet").read_bytes()
    again = pd.read_parquet(folder / "data" / "x.parquet")
    for content, name in ((csv(again), "again.csv"), (first, "again.parquet")):
        (folder / "data" / "x.parquet").unlink()
        ingest(content, name=name)
        assert (folder / "data" / "x.parquet").read_bytes() == first


@settings(max_examples=25)
@given(order=st.permutations(range(7)), rows=st.permutations(range(30)), reverse=st.booleans())
def test_the_order_of_columns_and_rows_changes_nothing(order: list[int], rows: list[int], reverse: bool) -> None:
    frame = written(bars(adjusted=True), number=lambda value: f"{value:.4f}")
    other = frame.iloc[::-1] if reverse else frame.iloc[rows]
    a, b = cleaned(csv(frame)).frame, cleaned(csv(other.iloc[:, order])).frame
    pd.testing.assert_frame_equal(a, b)


def spelled(value: decimal.Decimal, mark: str, group: str, prefix: str, suffix: str) -> str:
    text = f"{value:,f}".replace(",", "G").replace(".", mark).replace("G", group)
    return f"{prefix}{text}{suffix}"


@settings(max_examples=60)
@given(
    values=st.lists(st.decimals("0.01", "9999999.99", places=2), min_size=1, max_size=30),
    mark_and_group=st.sampled_from(
        [(".", ""), (".", ","), (".", "'"), (",", ""), (",", "."), (",", "\u00a0"), (".", " ")]
    ),
    prefix=st.sampled_from(["", "$", "€ ", "USD ", "+", "  "]),
    suffix=st.sampled_from(["", " €", " CHF", " "]),
)
def test_a_price_of_cents_is_read_in_every_notation(
    values: list[decimal.Decimal], mark_and_group: tuple[str, str], prefix: str, suffix: str
) -> None:
    mark, group = mark_and_group
    cells = [spelled(value, mark, group, prefix, suffix).strip() for value in values]
    numbers = read_numbers({Role.CLOSE: cells}, "file", decimal=None)
    assert numbers.faults == ()
    assert numbers.decimal is (Decimal.POINT if mark == "." else Decimal.COMMA)
    np.testing.assert_array_equal(numbers.values[Role.CLOSE], [float(value) for value in values])


@settings(max_examples=60)
@given(cells=st.lists(st.text("0123456789.,-+eE ", max_size=9), min_size=1, max_size=4), mark=st.sampled_from(Decimal))
def test_what_python_reads_is_read_the_same_and_nothing_raises(cells: list[str], mark: Decimal) -> None:
    cells = [cell.strip() for cell in cells]
    numbers = read_numbers({Role.CLOSE: cells}, "file", decimal=mark)
    unread = {place for place, _ in numbers.faults}
    if mark is Decimal.POINT:
        for place, cell in enumerate(cells):
            plain = cell.lstrip("+-")
            is_plain = set(plain) <= set("0123456789.") and plain.count(".") <= 1 and plain.strip(".")
            if is_plain and len(cell) - len(plain) <= 1:
                assert place not in unread
                assert numbers.values[Role.CLOSE][place] == float(cell)


@settings(max_examples=60)
@given(
    cells=st.lists(st.from_regex(r"-?[0-9]{0,5}[.,]?[0-9]{0,4}(e-?[0-9])?", fullmatch=True), min_size=1, max_size=8),
    mark=st.sampled_from(Decimal),
)
def test_a_cell_that_is_no_number_changes_no_other(cells: list[str], mark: Decimal) -> None:
    """With it in the column, every cell is looked at by itself; without it, columns may be read in one go."""
    alone = read_numbers({Role.CLOSE: cells}, "file", decimal=mark)
    beside = read_numbers({Role.CLOSE: [*cells, "x"]}, "file", decimal=mark)
    assert beside.faults == (*alone.faults, (len(cells), "Close is 'x', not a number"))
    np.testing.assert_array_equal(beside.values[Role.CLOSE][:-1], alone.values[Role.CLOSE])


@settings(max_examples=50)
@given(value=st.floats(1e-6, 1e12), form=st.sampled_from(["r", "e", "E"]))
def test_a_float_as_programs_print_it_comes_back_bit_for_bit(value: float, form: str) -> None:
    cell = repr(value) if form == "r" else f"{value:.17{form}}"
    assert read_numbers({Role.CLOSE: [cell]}, "file", decimal=None).values[Role.CLOSE][0] == value


DAY_FORMS = ["%Y-%m-%d", "%Y/%m/%d", "%Y%m%d", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%m-%d-%Y", "%d %b %Y", "%B %d, %Y"]


@settings(max_examples=60)
@given(
    days=st.lists(st.dates(datetime.date(1800, 1, 1), datetime.date(2200, 1, 1)), min_size=1, max_size=20),
    form=st.sampled_from(DAY_FORMS),
    clock=st.sampled_from(["", " 00:00:00", " 16:00", " 4:00 PM", " 00:00:00-05:00", " 00:00:00+0100", " 00:00 UTC"]),
)
def test_days_are_read_in_every_notation(days: list[datetime.date], form: str, clock: str) -> None:
    # The 13th and later can only be days.
    days = [*days, datetime.date(2018, 1, 31)]
    cells = [day.strftime(form) + clock for day in days]
    read = read_days(cells, "file", Choices(), today=TODAY)
    assert read.faults == ()
    np.testing.assert_array_equal(read.days_R, np.array(days, dtype="datetime64[D]"))


@given(days=st.lists(st.dates(datetime.date(1800, 1, 1), datetime.date(2200, 1, 1)), min_size=1, max_size=20))
def test_an_order_that_the_user_gives_is_used(days: list[datetime.date]) -> None:
    for order, form in ((DateOrder.DMY, "%d/%m/%Y"), (DateOrder.MDY, "%m/%d/%Y")):
        read = read_days([day.strftime(form) for day in days], "file", Choices(date_order=order), today=TODAY)
        np.testing.assert_array_equal(read.days_R, np.array(days, dtype="datetime64[D]"))


@settings(max_examples=60)
@given(data=st.data())
def test_damage_anywhere_in_the_text_is_read_or_refused_and_never_escapes(data: st.DataObject) -> None:
    content = bytearray(csv(written(bars())))
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(content) - 1))
        content[place : place + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    try:
        clean = cleaned(bytes(content))
    except BadInput:
        return
    assert clean.account.rows_kept == len(clean.frame) > 0
