"""Columns of clean bars and the constraints on each column, as a pandera schema. The only module that imports pandera.

Constraints between columns and between days are those of `data.bars`, which has the last word.
"""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

import numpy as np

from tsladder.ingest.sheet import Fault

if TYPE_CHECKING:
    import pandas as pd

FIRST_DAY = datetime.date(1600, 1, 1)
"""Earliest plausible day, before the opening of any exchange: an earlier day is a misread one."""

POSITIVE = "prices must be positive and finite"
NOT_NEGATIVE = "it must be 0 or more and finite"


def schema_faults(frame: pd.DataFrame, *, today: datetime.date) -> list[Fault]:
    """Return every cell of `frame` that violates a constraint on its column; rows are counted from 0."""
    import pandas as pd
    import pandera.pandas as pa

    def price(*, required: bool = True) -> pa.Column:
        check = pa.Check(lambda values: np.isfinite(values) & (values > 0), error=POSITIVE)
        return pa.Column("float64", check, nullable=False, required=required)

    volume = pa.Check(lambda values: np.isfinite(values) & (values >= 0), error=NOT_NEGATIVE)
    date = [
        pa.Check(lambda days: days <= pd.Timestamp(today), error=f"it lies after today, {today}"),
        pa.Check(lambda days: days >= pd.Timestamp(FIRST_DAY), error=f"it lies before {FIRST_DAY}"),
    ]
    schema = pa.DataFrameSchema(
        {
            "Date": pa.Column("datetime64[ms]", date, nullable=False),
            "Open": price(),
            "High": price(),
            "Low": price(),
            "Close": price(),
            "Volume": pa.Column("float64", volume, nullable=False, required=False),
            "Adj Close": price(required=False),
        },
        strict=True,
        ordered=True,
    )
    try:
        schema.validate(frame, lazy=True)
    except pa.errors.SchemaErrors as error:
        return _faults(error.failure_cases)
    return []


def _faults(cases: pd.DataFrame) -> list[Fault]:
    faults = []
    for column, check, value, row in zip(
        cases["column"], cases["check"], cases["failure_case"], cases["index"], strict=True
    ):
        if row is None or row != row:
            # A law of the whole table: our own columns are wrong, not the user's rows.
            raise AssertionError(f"bars of another form reached the schema: {column} {check} {value}")
        words = f"{column} is missing" if check == "not_nullable" else f"{column} is {_value(value)}; {check}"
        faults.append((int(row), words))
    return faults


def _value(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value).removesuffix(" 00:00:00")
