"""The file of a panel: long Parquet, a row a day and stock, with its manifest in the file's metadata.

Columns: Date (date32), Symbol (text), Close (float64), and any of Open, High, Low, Volume, Turnover, CloseRaw
(float64), Sector (text), Member (bool). Rows are sorted by Date and Symbol, each pair stands once.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tsladder.errors import BadInput
from tsladder.panel.panel import Panel, PanelManifest, PanelOrigin

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

FORMAT = 1
DATE, SYMBOL, CLOSE = "Date", "Symbol", "Close"
PRICES = ("Open", "High", "Low", CLOSE, "CloseRaw")
AMOUNTS = ("Volume", "Turnover")
SECTOR, MEMBER = "Sector", "Member"
COLUMNS = (DATE, SYMBOL, CLOSE, "Open", "High", "Low", *AMOUNTS, "CloseRaw", SECTOR, MEMBER)
"""The columns a panel may have, in the order of the file; the first three it must have."""

_METADATA = b"tsladder.panel"
_FAULTS_SHOWN = 20
# A series of prices whose middle value is that small and which goes below 0 is one of returns.
_RETURN_SIZED = 0.2


def write_panel(path: Path, frame: pd.DataFrame, origin: PanelOrigin) -> PanelManifest:
    """Check the long table `frame`, sort it and write it; a reader sees the old file or the new one, whole.

    Raises as `check_panel`, before anything is written, and BadInput where the file cannot be written.
    """
    table, manifest = check_panel(path, frame, origin)
    store_panel(path, table, manifest)
    return manifest


def check_panel(path: Path, frame: pd.DataFrame, origin: PanelOrigin) -> tuple[pa.Table, PanelManifest]:
    """The sorted table and the manifest that `store_panel` would write at `path`.

    Date holds days (no zone), Symbol text, all other columns as in `COLUMNS`; a missing value is NaN or None. A row
    without Close says that the stock was not traded. Raises BadInput for a table that is no panel; rows are counted
    from 1, in the order of `frame`.
    """
    return _table(path, frame, origin)


def store_panel(path: Path, table: pa.Table, manifest: PanelManifest) -> None:
    """Write what `check_panel` returned; a reader sees the old file or the new one, whole. Raises BadInput."""
    import pyarrow.parquet as pq

    record = json.dumps({"format": FORMAT, **manifest.to_json()}, ensure_ascii=False, allow_nan=False)
    table = table.replace_schema_metadata({_METADATA: record.encode()})
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with part.open("wb") as stream:
                pq.write_table(table, stream, compression="zstd")
                stream.flush()
                os.fsync(stream.fileno())
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise BadInput(f"{path} cannot be written: {error.strerror or error}") from None


def read_manifest(path: Path) -> PanelManifest:
    """The manifest in the file's metadata; no column is read. Raises BadInput where there is none."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    if not path.is_file():
        raise BadInput(
            f"{path} does not exist: fetch the tracked data with `dvc pull`, or make it with `tsladder ingest FILE "
            f"--panel {path.stem}`"
        )
    try:
        metadata = pq.read_schema(path).metadata or {}
    except (OSError, pa.ArrowException) as error:
        words = " ".join(str(error).split())
        raise BadInput(f"{path} is not a readable Parquet file: {words[:200]}") from None
    again = f"make it again with `tsladder ingest FILE --panel {path.stem}`"
    if _METADATA not in metadata:
        raise BadInput(f"{path} is no panel: it has no manifest in its metadata; {again}")
    try:
        record = json.loads(metadata[_METADATA])
        if record["format"] != FORMAT:
            raise BadInput(f"{path} is a panel of format {record['format']}, this program reads {FORMAT}; {again}")
        return PanelManifest.from_json(record)
    except (ValueError, KeyError, TypeError):
        raise BadInput(f"{path} is damaged: its manifest cannot be read; {again}") from None


def read_panel(path: Path) -> Panel:
    """Read the panel at `path`, every column checked against its hash in the manifest. Raises BadInput."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    manifest = read_manifest(path)
    try:
        table = pq.read_table(path)
    except (OSError, pa.ArrowException) as error:
        words = " ".join(str(error).split())
        raise BadInput(f"{path} is not a readable Parquet file: {words[:200]}") from None
    if tuple(table.column_names) != manifest.columns:
        raise BadInput(
            f"{path}: its columns are {', '.join(table.column_names)}, its manifest names {', '.join(manifest.columns)}"
        )
    values = {name: _values(table, name) for name in table.column_names}
    for name, column in values.items():
        if _sha256(column) != manifest.sha256.get(name):
            raise BadInput(
                f"{path}: {name} does not have the content its manifest names; fetch the file again, or make it again "
                f"with `tsladder ingest FILE --panel {path.stem}`"
            )
    return _panel(path.stem, values, manifest)


def _panel(name: str, values: Mapping[str, NDArray[Any]], manifest: PanelManifest) -> Panel:
    import pandas as pd

    days_R, dates_T = _codes(values[DATE])
    stocks_R, symbols_S = pd.factorize(values[SYMBOL], sort=True)
    place_R = days_R * len(symbols_S) + stocks_R
    shape = (len(dates_T), len(symbols_S))

    def cube(column: str, otherwise: object, dtype: type) -> Any:
        if column not in values:
            return None
        out: NDArray[Any] = np.full(shape[0] * shape[1], otherwise, dtype=dtype)
        out[place_R] = values[column]
        return out.reshape(shape)

    def numbers(column: str) -> Any:
        return cube(column, np.nan, np.float64)

    return Panel(
        name=name,
        dates_T=dates_T,
        symbols_S=tuple(str(symbol) for symbol in symbols_S),
        close_TS=numbers(CLOSE),
        open_TS=numbers("Open"),
        high_TS=numbers("High"),
        low_TS=numbers("Low"),
        volume_TS=numbers("Volume"),
        turnover_TS=numbers("Turnover"),
        close_raw_TS=numbers("CloseRaw"),
        sector_TS=cube(SECTOR, "", object),
        member_TS=cube(MEMBER, False, np.bool_),
        manifest=manifest,
    )


def _codes(dates_R: NDArray[np.datetime64]) -> tuple[NDArray[np.int64], NDArray[np.datetime64]]:
    """Number of each row's session, and the sessions; the rows are in the order of their days."""
    new_R = np.concatenate([[True], dates_R[1:] != dates_R[:-1]])
    return np.cumsum(new_R) - 1, dates_R[new_R]


def _values(table: pa.Table, name: str) -> NDArray[Any]:
    """A column as days, float64 (missing is NaN), bool (missing is False) or text (missing is "")."""
    column = table.column(name)
    if name == DATE:
        return np.asarray(column.to_numpy(), dtype="datetime64[D]")
    if name in (SYMBOL, SECTOR):
        return np.asarray(column.fill_null("").to_numpy(), dtype=object)
    if name == MEMBER:
        return np.asarray(column.fill_null(False).to_numpy(), dtype=np.bool_)
    return np.asarray(column.to_numpy(), dtype=np.float64)


def _sha256(column: NDArray[Any]) -> str:
    """SHA-256 (hex) of the values, whatever library wrote them."""
    if column.dtype == object:
        return hashlib.sha256("\n".join(column.tolist()).encode()).hexdigest()
    if column.dtype == np.float64:
        # One NaN for all of them, and one zero.
        column = np.where(np.isnan(column), np.nan, column + 0.0).astype("<f8")
    elif column.dtype != np.bool_:
        column = column.astype("datetime64[D]").astype("<i8")
    return hashlib.sha256(np.ascontiguousarray(column).tobytes()).hexdigest()


def _table(path: Path, frame: pd.DataFrame, origin: PanelOrigin) -> tuple[pa.Table, PanelManifest]:
    import pyarrow as pa

    values = _checked(path, frame)
    order = np.lexsort((_ranks(values[SYMBOL]), values[DATE]))
    values = {name: column[order] for name, column in values.items()}
    types = {DATE: pa.date32(), SYMBOL: pa.string(), SECTOR: pa.string(), MEMBER: pa.bool_()}
    table = pa.table(
        {
            name: pa.array(column, type=types.get(name, pa.float64()), from_pandas=name in (*PRICES, *AMOUNTS))
            for name, column in values.items()
        }
    )
    return table, _manifest(values, origin)


def _ranks(symbols_R: NDArray[np.object_]) -> NDArray[np.int64]:
    import pandas as pd

    codes_R, _ = pd.factorize(symbols_R, sort=True)
    return np.asarray(codes_R, dtype=np.int64)


def _manifest(values: Mapping[str, NDArray[Any]], origin: PanelOrigin) -> PanelManifest:
    """Of the sorted columns `values`."""
    dates_R, symbols_R, traded_R = values[DATE], values[SYMBOL], np.isfinite(values[CLOSE])
    last = dict(zip(symbols_R[traded_R], dates_R[traded_R], strict=True))
    return PanelManifest(
        origin=origin,
        first_day=str(dates_R[0]),
        last_day=str(dates_R[-1]),
        sessions=len(np.unique(dates_R)),
        symbols=len(set(symbols_R.tolist())),
        rows=len(dates_R),
        columns=tuple(values),
        not_traded_rows=int((~traded_R).sum()),
        delisted=tuple(sorted(symbol for symbol, day in last.items() if day < dates_R[-1])),
        sha256={name: _sha256(column) for name, column in values.items()},
    )


def _checked(path: Path, frame: pd.DataFrame) -> dict[str, NDArray[Any]]:
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
