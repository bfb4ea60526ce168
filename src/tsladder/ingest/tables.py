"""Conversion of a data frame (a Parquet or Feather file, a download from Yahoo) to a sheet."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np

from tsladder.errors import BadInput
from tsladder.ingest.headers import is_known, split_prefixes
from tsladder.ingest.sheet import Cells, FileForm, Heading, Sheet

if TYPE_CHECKING:
    import pandas as pd

PARQUET, FEATHER = b"PAR1", b"ARROW1"


def sheet_of_parquet(path: Path | io.BytesIO, source: str) -> Sheet:
    """Read a Parquet file into a sheet. Raises BadInput if it cannot be read as Parquet."""
    import pandas as pd
    import pyarrow as pa

    try:
        frame = pd.read_parquet(path)
    except (OSError, ValueError, KeyError, TypeError, NotImplementedError, pa.ArrowException) as error:
        raise BadInput(f"{source} is not a readable Parquet file: {' '.join(str(error).split())[:200]}") from None
    return sheet_of_frame(frame, source, FileForm(kind="parquet"))


def sheet_of_feather(path: Path | io.BytesIO, source: str) -> Sheet:
    """Read a Feather file into a sheet. Raises BadInput if it cannot be read as Feather."""
    import pandas as pd
    import pyarrow as pa

    try:
        frame = pd.read_feather(path)
    except (OSError, ValueError, KeyError, TypeError, NotImplementedError, pa.ArrowException) as error:
        raise BadInput(f"{source} is not a readable Feather file: {' '.join(str(error).split())[:200]}") from None
    return sheet_of_frame(frame, source, FileForm(kind="feather"))


def sheet_of_frame(frame: pd.DataFrame, source: str, form: FileForm) -> Sheet:
    """Convert the columns of a data frame, and its index unless that merely counts the rows, to a sheet.

    Timestamps with a zone become the local day.
    """
    import pandas as pd

    headings = list(_headings(frame))
    columns = [_cells(frame.iloc[:, place]) for place in range(frame.shape[1])]
    if not isinstance(frame.index, pd.RangeIndex):
        levels = [frame.index.get_level_values(level).to_series() for level in range(frame.index.nlevels)]
        columns = [*map(_cells, levels), *columns]
        headings = [*(Heading(name=str(name or "").strip()) for name in frame.index.names), *headings]
    rows_R = np.arange(1, len(frame) + 1, dtype=np.int64)
    return Sheet(source=source, form=form, headings=tuple(headings), columns=tuple(columns), rows_R=rows_R)


def _headings(frame: pd.DataFrame) -> tuple[Heading, ...]:
    names: list[object] = list(frame.columns)
    if not any(isinstance(name, tuple) for name in names):
        return split_prefixes([str(name) for name in names])
    headings = []
    for name in names:
        parts = [str(part) for part in (name if isinstance(name, tuple) else (name,)) if str(part)]
        field = next(filter(is_known, parts), parts[0] if parts else "")
        headings.append(Heading(name=field, symbol=next((part for part in parts if part != field), None)))
    return tuple(headings)


def _cells(column: pd.Series) -> Cells:
    """Convert a column: numbers stay numbers, days and timestamps become ISO text, everything else its printed text."""
    import pandas as pd

    kind = column.dtype
    if isinstance(kind, pd.CategoricalDtype):
        return _cells(column.astype(kind.categories.dtype if len(kind.categories) else "object"))
    if pd.api.types.is_datetime64_any_dtype(kind):
        return _iso(column)
    if pd.api.types.is_numeric_dtype(kind) and not pd.api.types.is_bool_dtype(kind) and not _is_complex(column):
        return np.asarray(column.to_numpy(dtype="float64", na_value=np.nan), dtype=np.float64)
    values = cast("list[object]", column.astype(object).tolist())
    return ["" if _is_nothing(value) else str(value).strip() for value in values]


def _is_complex(column: pd.Series) -> bool:
    import pandas as pd

    return bool(pd.api.types.is_complex_dtype(column.dtype))


def _is_nothing(value: object) -> bool:
    import pandas as pd

    return value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and value != value)


def _iso(column: pd.Series) -> list[str]:
    """Format days as `2018-01-31`. If some value is not a local midnight, the time of day is added, and the offset if
    the column has a zone."""
    zone = getattr(column.dtype, "tz", None)
    local = column.dt.tz_localize(None) if zone is not None else column
    stamps_R = local.to_numpy().astype("datetime64[s]")
    days_R = stamps_R.astype("datetime64[D]")
    if bool((np.isnat(stamps_R) | (stamps_R == days_R)).all()):
        return ["" if cell == "NaT" else cell for cell in np.datetime_as_string(days_R).tolist()]
    text = np.datetime_as_string(stamps_R).tolist()
    if zone is None:
        return ["" if cell == "NaT" else cell for cell in text]
    utc_R = column.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy().astype("datetime64[s]")
    east_R = np.where(np.isnat(stamps_R), 0, (stamps_R - utc_R).astype(np.int64))
    endings = {east: _offset(east) for east in set(east_R.tolist())}
    return ["" if cell == "NaT" else f"{cell}{endings[east]}" for cell, east in zip(text, east_R.tolist(), strict=True)]


def _offset(east: int) -> str:
    """Format an offset as `+09:00`; `Z` for 0. Before 1900 zones differ from UTC by odd seconds, which do not move a
    day."""
    minutes = round(abs(east) / 60)
    return f"{'-' if east < 0 else '+'}{minutes // 60:02d}:{minutes % 60:02d}" if east else "Z"
