"""The long table of a panel, a row a day and stock: which columns it has, and what is no panel."""

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
"""The columns a panel may have, in the order of the file; the first three it must have."""

_FAULTS_SHOWN = 20
# A series of prices whose middle value is that small and which goes below 0 is one of returns.
_RETURN_SIZED = 0.2


def checked_values(path: Path, frame: pd.DataFrame) -> dict[str, NDArray[Any]]:
    """The columns of `frame` as values, in the order of the file. Raises BadInput for a table that is no panel."""
    names = [str(name) for name in frame.columns]
    if DATE not in names:
        raise BadInput(
            f"{path}: a panel needs the column Date, the table has {', '.join(names) or 'no columns'}; rows without "
            "dates cannot be split by date: name the column that holds the days"
        )
    missing = [name for name in (SYMBOL, CLOSE) if name not in names]
    unknown = [name for name in names if name not in COLUMNS]
    if missing or unknown or len(set(names)) < len(names):
        raise BadInput(
            f"{path}: a panel has the columns Date, Symbol and Close, and may have {', '.join(COLUMNS[3:])}, each "
            f"once; the table has {', '.join(names)}"
        )
    if len(frame) == 0:
        raise BadInput(f"{path}: the table holds no rows; daily rows of two stocks or more are needed")
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
            f"{path}: a panel has two stocks or more, the table holds {next(iter(stocks))} alone: that is a series, "
            "use --symbol"
        )
    return values


def _days(column: pd.Series, path: Path) -> NDArray[Any]:
    import pandas as pd

    if not pd.api.types.is_datetime64_dtype(column.dtype):
        raise BadInput(f"{path}: Date holds {column.dtype}; days without a time zone (datetime64) are needed")
    return np.asarray(column.to_numpy(), dtype="datetime64[D]")


def _text(column: pd.Series, path: Path) -> NDArray[Any]:
    import pandas as pd

    kind = pd.api.types.infer_dtype(column, skipna=True)
    if kind not in ("string", "empty"):
        raise BadInput(
            f"{path}: {column.name} holds {kind} values, text is needed: codes such as 0050 lose their zeros as "
            "numbers; give the column as text"
        )
    return np.asarray(column.fillna("").to_numpy(), dtype=object)


def _flags(column: pd.Series, path: Path) -> NDArray[Any]:
    import pandas as pd

    kind = pd.api.types.infer_dtype(column, skipna=True)
    if kind not in ("boolean", "empty"):
        raise BadInput(f"{path}: {column.name} holds {kind} values; true or false is needed")
    return np.asarray(column.eq(True).fillna(False).to_numpy(), dtype=np.bool_)


def _numbers(column: pd.Series, path: Path) -> NDArray[Any]:
    import pandas as pd

    if not pd.api.types.is_numeric_dtype(column.dtype) or pd.api.types.is_bool_dtype(column.dtype):
        raise BadInput(f"{path}: {column.name} holds {column.dtype}; numbers are needed")
    return np.asarray(column.to_numpy(dtype="float64", na_value=np.nan), dtype=np.float64)


def _refuse_returns(path: Path, close_R: NDArray[np.float64]) -> None:
    known = close_R[np.isfinite(close_R)]
    if len(known) == 0:
        raise BadInput(f"{path}: Close has no value in any row; prices are needed")
    middle = float(np.median(np.abs(known)))
    if middle < _RETURN_SIZED and bool((known < 0.0).any()):
        raise BadInput(
            f"{path}: Close holds returns, not prices (median size {middle:.2g}, {(known < 0.0).sum()} below 0): give "
            "prices, or a wide table of returns with --field return"
        )


def _refuse_rows(path: Path, values: Mapping[str, NDArray[Any]]) -> None:
    faults: list[tuple[int, str]] = [(int(row), "Date is missing") for row in np.flatnonzero(np.isnat(values[DATE]))]
    faults += [(int(row), "Symbol is missing") for row in np.flatnonzero(values[SYMBOL] == "")]
    for name in (*PRICES, *AMOUNTS):
        if name in values:
            column = values[name]
            low = column <= 0.0 if name in PRICES else column < 0.0
            rule = "prices must be positive and finite" if name in PRICES else "it must be 0 or more"
            faults += [
                (int(row), f"{name} is {column[row]:g}; {rule}") for row in np.flatnonzero(low | np.isinf(column))
            ]
    if faults:
        raise _refusal(path, "faulty rows", faults, values)


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
    raise _refusal(path, "rows whose Date and Symbol were there before", faults, values, total=len(repeated))


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
