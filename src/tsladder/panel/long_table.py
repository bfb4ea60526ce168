"""Long table of a panel, one row per day and stock: its columns, and the checks of their values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tsladder.errors import BadInput

if TYPE_CHECKING:
    import pandas as pd

DATE, SYMBOL, CLOSE = "Date", "Symbol", "Close"
PRICES = ("Open", "High", "Low", CLOSE, "CloseRaw")
AMOUNTS = ("Volume", "Turnover")
SECTOR, MEMBER = "Sector", "Member"
COLUMNS = (DATE, SYMBOL, CLOSE, "Open", "High", "Low", *AMOUNTS, "CloseRaw", SECTOR, MEMBER)
"""Columns that a panel may have, in the order of the file; the first three are required."""

_FAULTS_SHOWN = 20
# Values of which some are negative and whose median absolute value is below this are returns, not prices.
_RETURN_SIZED = 0.2


def checked_values(path: Path, frame: pd.DataFrame) -> dict[str, NDArray[Any]]:
    """Check the columns of `frame`; return them as arrays, in the order of the file.

    Raises BadInput for a table that is not a panel.
    """
    names = [str(name) for name in frame.columns]
    if DATE not in names:
        raise BadInput(
            f"{path}: a panel needs the column Date, and the table has {', '.join(names) or 'no columns'}; rows "
            "without dates cannot be split by date: name the column that holds the days"
        )
    missing = [name for name in (SYMBOL, CLOSE) if name not in names]
    unknown = [name for name in names if name not in COLUMNS]
    if missing or unknown or len(set(names)) < len(names):
        raise BadInput(
            f"{path}: a panel needs the columns Date, Symbol and Close, and may have {', '.join(COLUMNS[3:])}, each "
            f"once; the table has {', '.join(names)}: rename, add or remove columns"
        )
    if len(frame) == 0:
        raise BadInput(f"{path}: the table has no rows; a panel needs daily rows of at least two stocks")
    values: dict[str, NDArray[Any]] = {}
    for name in (name for name in COLUMNS if name in names):
        reader: Callable[[pd.Series, Path], NDArray[Any]] = (
            _days if name == DATE else _text if name in (SYMBOL, SECTOR) else _flags if name == MEMBER else _numbers
        )
        values[name] = reader(frame[name], path)
    _refuse_returns(path, values[CLOSE])
    _refuse_rows(path, values)
    _refuse_duplicates(path, values)
    if len(stocks := set(values[SYMBOL].tolist())) < 2:
        raise BadInput(
            f"{path}: a panel needs at least two stocks, and the table has only {next(iter(stocks))}: ingest a single "
            "series with --symbol"
        )
    return values


def _days(column: pd.Series, path: Path) -> NDArray[Any]:
    import pandas as pd

    if not pd.api.types.is_datetime64_dtype(column.dtype):
        raise BadInput(f"{path}: Date must hold days without a time zone (datetime64), got {column.dtype}")
    return np.asarray(column.to_numpy(), dtype="datetime64[D]")


def _text(column: pd.Series, path: Path) -> NDArray[Any]:
    import pandas as pd

    kind = pd.api.types.infer_dtype(column, skipna=True)
    if kind not in ("string", "empty"):
        raise BadInput(
            f"{path}: {column.name} must hold text, got {kind} values: as numbers, codes such as 0050 lose their "
            "leading zeros; give the column as text"
        )
    return np.asarray(column.fillna("").to_numpy(), dtype=object)


def _flags(column: pd.Series, path: Path) -> NDArray[Any]:
    import pandas as pd

    kind = pd.api.types.infer_dtype(column, skipna=True)
    if kind not in ("boolean", "empty"):
        raise BadInput(f"{path}: {column.name} must hold true or false, got {kind} values")
    return np.asarray(column.eq(True).fillna(False).to_numpy(), dtype=np.bool_)


def _numbers(column: pd.Series, path: Path) -> NDArray[Any]:
    import pandas as pd

    if not pd.api.types.is_numeric_dtype(column.dtype) or pd.api.types.is_bool_dtype(column.dtype):
        raise BadInput(f"{path}: {column.name} must hold numbers, got {column.dtype}")
    return np.asarray(column.to_numpy(dtype="float64", na_value=np.nan), dtype=np.float64)


def _refuse_returns(path: Path, close_R: NDArray[np.float64]) -> None:
    known = close_R[np.isfinite(close_R)]
    if len(known) == 0:
        raise BadInput(f"{path}: Close has no value in any row; a panel needs prices")
    middle = float(np.median(np.abs(known)))
    if middle < _RETURN_SIZED and bool((known < 0.0).any()):
        raise BadInput(
            f"{path}: Close must hold prices, and its values look like returns (median absolute value {middle:.2g}, "
            f"{(known < 0.0).sum()} below 0): bring prices, or a table with one column of returns per stock and "
            "--field return"
        )


def _refuse_rows(path: Path, values: Mapping[str, NDArray[Any]]) -> None:
    faults: list[tuple[int, str]] = [(int(row), "Date is missing") for row in np.flatnonzero(np.isnat(values[DATE]))]
    faults += [(int(row), "Symbol is missing") for row in np.flatnonzero(values[SYMBOL] == "")]
    for name in (*PRICES, *AMOUNTS):
        if name in values:
            column = values[name]
            low = column <= 0.0 if name in PRICES else column < 0.0
            rule = "prices must be positive and finite" if name in PRICES else "it must be 0 or more, and finite"
            faults += [
                (int(row), f"{name} is {column[row]:g}; {rule}") for row in np.flatnonzero(low | np.isinf(column))
            ]
    if faults:
        raise _refusal(path, "faulty rows; correct or remove them", faults, values)


def _refuse_duplicates(path: Path, values: Mapping[str, NDArray[Any]]) -> None:
    import pandas as pd

    pairs = pd.DataFrame({DATE: values[DATE], SYMBOL: values[SYMBOL]})
    repeated = np.flatnonzero(pairs.duplicated().to_numpy())
    if len(repeated) == 0:
        return
    first = pairs.reset_index().groupby([DATE, SYMBOL])["index"].first()
    faults = [
        (int(row), f"repeats row {int(first.loc[tuple(pairs.iloc[row])]) + 1}") for row in repeated[:_FAULTS_SHOWN]
    ]
    raise _refusal(
        path,
        "rows repeat the Date and Symbol of an earlier row; keep one row per day and stock",
        faults,
        values,
        total=len(repeated),
    )


def _refusal(
    path: Path, what: str, faults: list[tuple[int, str]], values: Mapping[str, NDArray[Any]], total: int | None = None
) -> BadInput:
    faults.sort(key=lambda fault: fault[0])
    count = len(faults) if total is None else total
    lines = [
        f"row {row + 1} ({values[DATE][row]}, {values[SYMBOL][row]}): {words}" for row, words in faults[:_FAULTS_SHOWN]
    ]
    if count > len(lines):
        lines.append(f"and {count - len(lines)} more")
    return BadInput(f"{path}: {count} {what}:", lines)
