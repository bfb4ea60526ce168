"""File of a panel: a long Parquet table, one row per day and stock, with a manifest in the file's metadata.

Columns: Date (date32), Symbol (text), Close (float64), and any of Open, High, Low, Volume, Turnover, CloseRaw
(float64), Sector (text), Member (bool). Rows are sorted by Date and Symbol; each pair occurs once.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tsladder.errors import BadInput
from tsladder.panel.long_table import AMOUNTS, CLOSE, DATE, MEMBER, PRICES, SECTOR, SYMBOL, checked_values
from tsladder.panel.panel import Panel, PanelManifest, PanelOrigin

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

FORMAT = 1

_METADATA = b"tsladder.panel"


def write_panel(path: Path, frame: pd.DataFrame, origin: PanelOrigin) -> PanelManifest:
    """Check the long table `frame`, sort it and write it to `path`, replacing the file atomically.

    Raises BadInput for a table that `check_panel` refuses, before anything is written, and for a file that cannot be
    written.
    """
    table, manifest = check_panel(path, frame, origin)
    store_panel(path, table, manifest)
    return manifest


def check_panel(path: Path, frame: pd.DataFrame, origin: PanelOrigin) -> tuple[pa.Table, PanelManifest]:
    """Check the long table `frame`; return the sorted table and the manifest that `store_panel` writes to `path`.

    Date holds days without a time zone, Symbol text; the module docstring names the types of the other columns. A
    missing value is NaN or None. A row without Close means that the stock was not traded. Raises BadInput for a table
    that is not a panel; its message numbers rows from 1, in the order of `frame`.
    """
    return _table(path, frame, origin)


def store_panel(path: Path, table: pa.Table, manifest: PanelManifest) -> None:
    """Write what `check_panel` returned, replacing the file atomically. Raises BadInput if it cannot be written."""
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
    """Read the manifest from the file's metadata, without reading a column.

    Raises BadInput for a missing or unreadable file, and for one without a manifest of this format.
    """
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
        raise BadInput(f"{path} is not a readable Parquet file ({words[:200]}): {_remedy(path)}") from None
    if _METADATA not in metadata:
        raise BadInput(f"{path} is not the file of a panel: its metadata has no manifest; {_remedy(path)}")
    try:
        record = json.loads(metadata[_METADATA])
        if record["format"] != FORMAT:
            raise BadInput(
                f"{path} is a panel of format {record['format']}, and this version of tsladder reads format {FORMAT}; "
                f"{_remedy(path)}"
            )
        return PanelManifest.from_json(record)
    except (ValueError, KeyError, TypeError):
        raise BadInput(f"{path} is damaged: its manifest cannot be read; {_remedy(path)}") from None


def _remedy(path: Path) -> str:
    return f"fetch it again with `dvc pull`, or make it again with `tsladder ingest FILE --panel {path.stem}`"


def read_panel(path: Path) -> Panel:
    """Read the panel at `path` and check every column against its hash in the manifest.

    Raises BadInput for a missing, unreadable or damaged file.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    manifest = read_manifest(path)
    try:
        table = pq.read_table(path)
    except (OSError, pa.ArrowException) as error:
        words = " ".join(str(error).split())
        raise BadInput(f"{path} is not a readable Parquet file ({words[:200]}): {_remedy(path)}") from None
    if tuple(table.column_names) != manifest.columns:
        raise BadInput(
            f"{path} is damaged: it has the columns {', '.join(table.column_names)}, and its manifest names "
            f"{', '.join(manifest.columns)}; {_remedy(path)}"
        )
    values = _all_values(table)
    for name, column in values.items():
        if _sha256(column) != manifest.sha256.get(name):
            raise BadInput(
                f"{path} is damaged: the values of {name} do not have the SHA-256 of its manifest; {_remedy(path)}"
            )
    return _panel(path.stem, values, manifest)


def panel_of(name: str, table: pa.Table, manifest: PanelManifest) -> Panel:
    """Return the panel that `read_panel` finds where `store_panel` wrote `table`."""
    return _panel(name, _all_values(table), manifest)


def _all_values(table: pa.Table) -> dict[str, NDArray[Any]]:
    return {name: _values(table, name) for name in table.column_names}


def _panel(name: str, values: Mapping[str, NDArray[Any]], manifest: PanelManifest) -> Panel:
    import pandas as pd

    days_R, dates_T = _number_sessions(values[DATE])
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


def _number_sessions(dates_R: NDArray[np.datetime64]) -> tuple[NDArray[np.int64], NDArray[np.datetime64]]:
    """Return the number of each row's session, and the T sessions. Rows are sorted by day."""
    new_R = np.concatenate([[True], dates_R[1:] != dates_R[:-1]])
    return np.cumsum(new_R) - 1, dates_R[new_R]


def _values(table: pa.Table, name: str) -> NDArray[Any]:
    """Return a column as days, float64 (missing: NaN), bool (missing: False) or text (missing: "")."""
    column = table.column(name)
    if name == DATE:
        return np.asarray(column.to_numpy(), dtype="datetime64[D]")
    if name in (SYMBOL, SECTOR):
        return np.asarray(column.fill_null("").to_numpy(), dtype=object)
    if name == MEMBER:
        return np.asarray(column.fill_null(False).to_numpy(), dtype=np.bool_)
    return np.asarray(column.to_numpy(), dtype=np.float64)


def _sha256(column: NDArray[Any]) -> str:
    """Return the SHA-256 (hex) of the values, which does not depend on the library that wrote the file."""
    if column.dtype == object:
        return hashlib.sha256("\n".join(column.tolist()).encode()).hexdigest()
    if column.dtype == np.float64:
        # All NaNs get the same bits, and -0.0 becomes 0.0.
        column = np.where(np.isnan(column), np.nan, column + 0.0).astype("<f8")
    elif column.dtype != np.bool_:
        column = column.astype("datetime64[D]").astype("<i8")
    return hashlib.sha256(np.ascontiguousarray(column).tobytes()).hexdigest()


def _table(path: Path, frame: pd.DataFrame, origin: PanelOrigin) -> tuple[pa.Table, PanelManifest]:
    import pyarrow as pa

    values = checked_values(path, frame)
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
    """Describe the sorted columns `values`: span, counts, delisted symbols and hashes."""
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
