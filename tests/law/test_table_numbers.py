"""Numbers as people write them, and the digits that a column of losses shows."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tsladder.errors import BadInput
from tsladder.law.points import RungPoint
from tsladder.law.reading.numbers import Decimal, read_number
from tsladder.law.reading.options import Reading
from tsladder.law.reading.rows import Rows, read_rows
from tsladder.law.reading.rungs import rungs_of
from tsladder.law.reading.tables import read_tables


def rows_of(tmp_path: Path, text: str, **options: object) -> Rows:
    path = tmp_path / "points.csv"
    path.write_text(text, encoding="utf-8")
    return read_tables(path, Reading.parse(**options))  # type: ignore[arg-type]


def refusal(tmp_path: Path, text: str) -> str:
    with pytest.raises(BadInput) as caught:
        rows_of(tmp_path, text)
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1.3B", 1.3e9),
        ("26b", 26e9),
        ("1.3 B", 1.3e9),
        ("1bn", 1e9),
        ("2T", 2e12),
        ("750k", 750e3),
        ("1.4e9", 1.4e9),
        ("1.4E+09", 1.4e9),
        ("4,000,000", 4e6),
        ("4 000 000", 4e6),
        ("4\u202f000\u00a0000", 4e6),
        ("4_000_000", 4e6),
        ("4'000'000", 4e6),
        ("1,300M", 1.3e9),
        (".5", 0.5),
        ("+5.", 5.0),
        ("−5", -5.0),
        ("1 2", None),
        ("1_2", None),
        ("40,00", None),
        ("1e5M", None),
        ("1.2.3", None),
        ("five", None),
        ("0x10", None),
        ("", None),
        (".", None),
        ("M", None),
    ],
)
def test_a_number_with_a_decimal_point(text: str, value: float | None) -> None:
    read = read_number(text, Decimal.POINT)
    assert (None if read is None else read.value) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [("3,45", 3.45), ("1.234.567", 1234567.0), ("1,3B", 1.3e9), ("1,4e9", 1.4e9), ("0,5", 0.5), ("3.45", None)],
)
def test_a_number_with_a_decimal_comma(text: str, value: float | None) -> None:
    read = read_number(text, Decimal.COMMA)
    assert (None if read is None else read.value) == value


def test_a_table_with_decimal_commas_is_read_as_what_it_says(tmp_path: Path) -> None:
    rows = rows_of(tmp_path, "N;D;loss\n1.000.000;20M;4,01\n2.000.000;1,5B;3,8\n")
    assert [(row.n_params, row.n_data, row.loss) for row in rows.rows] == [(1e6, 2e7, 4.01), (2e6, 1.5e9, 3.8)]
    assert "decimal comma" in rows.understood[0][1]
    assert rows.rows[0].loss_step == 0.01


def test_thousands_in_a_quoted_cell_are_told_by_the_other_numbers(tmp_path: Path) -> None:
    rows = rows_of(tmp_path, 'N,loss\n"4,000,000",0.401\n"750,000",0.450\n')
    assert [(row.n_params, row.loss) for row in rows.rows] == [(4e6, 0.401), (750e3, 0.45)]


def test_marks_that_tell_nothing_are_refused_with_both_readings(tmp_path: Path) -> None:
    text = "N;loss\n1000000;1,234\n2000000;1,189\n"
    said = refusal(tmp_path, text)
    assert "--decimal point: 1,234 (loss) is 1234" in said
    assert "--decimal comma: 1,234 (loss) is 1.234" in said
    assert [row.loss for row in rows_of(tmp_path, text, decimal="comma").rows] == [1.234, 1.189]
    assert [row.loss for row in rows_of(tmp_path, text, decimal="point").rows] == [1234.0, 1189.0]
    one_tells = text + "4000000;1,05\n"
    assert [row.loss for row in rows_of(tmp_path, one_tells).rows] == [1.234, 1.189, 1.05]


def test_marks_that_contradict_each_other_are_never_read_both_ways(tmp_path: Path) -> None:
    said = refusal(tmp_path, "N;loss\n1,000,000;3,45\n2,000,000;3,41\n4,000,000;3.35\n")
    assert "row 2: loss is '3,45'" in said
    assert "row 3" in said
    assert "decimal mark" in said


def test_a_decimal_comma_in_a_comma_separated_file_is_named(tmp_path: Path) -> None:
    said = refusal(tmp_path, "N,loss\n1000000,3,45\n")
    assert "row 2: has 3 cells, the header 2" in said
    assert "semicolons" in said


def test_points_that_may_group_thousands_are_told(tmp_path: Path) -> None:
    rows = rows_of(tmp_path, "N;loss\n12.000;0.41\n30.000;0.40\n")
    assert [row.n_params for row in rows.rows] == [12.0, 30.0]
    assert "--decimal comma" in rows.understood[0][1]


def test_a_unit_is_no_part_of_a_loss(tmp_path: Path) -> None:
    assert "row 2: loss is '4k'" in refusal(tmp_path, "N,loss\n1000000,4k\n")


@pytest.mark.parametrize(
    ("losses", "step"),
    [
        (["0.4", "0.397"], 0.001),
        (["0.40", "0.40"], 0.01),
        (["4", "3"], 1.0),
        (["3.97e-1", "0.4"], 0.001),
        (["1.2e3", "1.3e3"], 100.0),
        (["1.25e3", "1.3e3"], 10.0),
        (["1e-3", "2e-3"], 0.001),
        (["1,234.5", "1.0"], 0.1),
        (["0.30000000000000004", "0.4"], 1e-17),
    ],
)
def test_the_last_digit_is_that_of_the_whole_column(tmp_path: Path, losses: list[str], step: float) -> None:
    rows = rows_of(tmp_path, "N;loss\n" + "".join(f"{k + 1}M;{loss}\n" for k, loss in enumerate(losses)))
    assert {row.loss_step for row in rows.rows} == {step}
    assert {point.loss_step for point in rungs_of(rows.rows).points} == {step}


def test_rounding_to_the_last_digit_is_uniform_with_a_standard_deviation_of_step_over_root_12() -> None:
    """The oracle of what `loss_step` is for."""
    exact = np.random.default_rng(0).uniform(0.3, 0.5, 20_000)
    assert np.std(np.round(exact, 3) - exact) == pytest.approx(0.001 / np.sqrt(12), rel=0.02)


def test_the_last_digit_of_a_frame_is_that_of_the_shortest_text_of_its_numbers(tmp_path: Path) -> None:
    frame = pd.DataFrame({"N": [1e6, 2e6, 4e6], "loss": [0.4, 0.397, 0.39]})
    assert {row.loss_step for row in read_rows(frame).rows} == {0.001}
    short = read_rows(frame.astype(np.float32)).rows
    assert [(row.loss, row.loss_step) for row in short] == [(0.4, 0.001), (0.397, 0.001), (0.39, 0.001)]
    exact = frame.assign(loss=0.4 * (frame["N"] / 1e6) ** -0.03)
    assert max(row.loss_step or 1.0 for row in read_rows(exact).rows) <= 1e-16
    whole = frame.assign(loss=[4, 3, 2])
    assert {row.loss_step for row in read_rows(whole).rows} == {1.0}
    path = tmp_path / "points.json"
    path.write_text(json.dumps(frame.to_dict("records")))
    assert {row.loss_step for row in read_rows(path).rows} == {0.001}


def test_a_dropped_row_shows_no_digits(tmp_path: Path) -> None:
    rows = rows_of(tmp_path, "N,loss,dropped\n1M,0.4,False\n2M,0.3,False\n4M,0.123456,True\n")
    assert {row.loss_step for row in rows.rows} == {0.1}


def test_a_point_of_no_table_has_no_last_digit() -> None:
    assert RungPoint(cell="1M", n_params=1e6, loss=0.4).loss_step is None
