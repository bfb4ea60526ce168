"""Daily bars of one symbol, read from Parquet and checked row by row before any use."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tsladder.errors import BadInput

if TYPE_CHECKING:
    import pandas as pd

_PRICES = ("open", "high", "low", "close")
_ADJUSTED = "adj close"
_FAULTS_SHOWN = 20
# Back-adjusted files of real vendors break Low <= Close by a rounding error; a genuine fault is far larger.
_ROUNDING = 1e-9


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Bars:
    """Open, high, low, close and volume of T days, dates strictly increasing.

    Prices are positive and finite, in the currency of the file. `volume_T` is NaN throughout for a
    symbol without volume (an index such as VIX) and otherwise never NaN.
    """

    symbol: str
    dates_T: NDArray[np.datetime64]
    open_T: NDArray[np.float64]
    high_T: NDArray[np.float64]
    low_T: NDArray[np.float64]
    close_T: NDArray[np.float64]
    volume_T: NDArray[np.float64]

    @property
    def has_volume(self) -> bool:
        return not bool(np.isnan(self.volume_T).all())


def bars_until(bars: Bars, day: np.datetime64) -> Bars:
    """Return the bars up to and including `day`, as they were known on that day."""
    kept = int(np.searchsorted(bars.dates_T, day, side="right"))
    series = ("dates_T", "open_T", "high_T", "low_T", "close_T", "volume_T")
    return dataclasses.replace(bars, **{name: getattr(bars, name)[:kept].copy() for name in series})


def share_open_equals_previous_close(bars: Bars) -> float:
    """Return the share of days (from the second on) whose Open repeats the previous Close; such days carry no gap."""
    if len(bars.open_T) < 2:
        return 0.0
    return float(np.mean(bars.open_T[1:] == bars.close_T[:-1]))


def read_bars(path: Path, symbol: str, *, adjust: bool = False) -> Bars:
    """Read and check the Parquet file at `path`.

    Columns Date, Open, High, Low, Close, Volume may stand in any order and case, Date may be the index,
    other columns are ignored, and Volume may be absent. Zoned timestamps count as their local day.
    With `adjust` the column Adj Close is needed: Open, High and Low are multiplied by Adj Close / Close and Close
    becomes Adj Close; Volume stays.
    Raises BadInput that names every faulty row (1 is the first) with its date, at most 20 of them.
    """
    frame = _read_frame(path)
    columns = _find_columns(frame, path, adjust=adjust)
    if len(frame) == 0:
        raise BadInput(f"{path} holds no rows: daily bars of {symbol} are needed")
    faults: list[tuple[int, str]] = []
    dates_T = _days(columns["date"], path, faults)
    values = {name: _numbers(column, name, path, faults) for name, column in columns.items() if name != "date"}
    values.setdefault("volume", np.full(len(frame), np.nan))
    adjusted_T = values.pop(_ADJUSTED, None)
    bars = Bars(symbol=symbol, dates_T=dates_T, **{f"{name}_T": column for name, column in values.items()})
    unreadable = frozenset(row for row, _ in faults)
    faults.extend(fault for fault in bar_faults(bars) if fault[0] not in unreadable)
    if adjusted_T is not None:
        faults.extend(fault for fault in _price_faults("Adj Close", adjusted_T) if fault[0] not in unreadable)
    if not faults and adjusted_T is not None:
        bars = adjusted_bars(bars, adjusted_T)
        faults.extend((row, f"{words}, after data.adjust") for row, words in bar_faults(bars))
    if faults:
        raise _refusal(path, dates_T, faults)
    return bars


def adjusted_bars(bars: Bars, adjusted_T: NDArray[np.float64]) -> Bars:
    """Return `bars` with the Close `adjusted_T` and the other prices of each day scaled by the same factor."""
    factor_T = adjusted_T / bars.close_T
    return replace(
        bars,
        open_T=bars.open_T * factor_T,
        high_T=bars.high_T * factor_T,
        low_T=bars.low_T * factor_T,
        close_T=adjusted_T,
    )


def bar_faults(bars: Bars) -> Iterator[tuple[int, str]]:
    """Yield every violation of the rules for bars as (row counted from 0, what is wrong); nothing for valid bars."""
    gaps_T = np.diff(bars.dates_T)
    for row in np.flatnonzero(np.isnat(bars.dates_T)):
        yield int(row), "the date is missing"
    for row in np.flatnonzero(gaps_T == np.timedelta64(0, "D")) + 1:
        yield int(row), f"repeats the date of row {row}"
    for row in np.flatnonzero(gaps_T < np.timedelta64(0, "D")) + 1:
        yield int(row), f"lies before row {row} ({bars.dates_T[row - 1]}); dates must increase"
    sound_T = np.ones(len(bars.dates_T), dtype=bool)
    prices = {"Open": bars.open_T, "High": bars.high_T, "Low": bars.low_T, "Close": bars.close_T}
    for name, price_T in prices.items():
        sound_T &= np.isfinite(price_T) & (price_T > 0)
        yield from _price_faults(name, price_T)
    yield from _order_faults(bars, sound_T)
    if not bars.has_volume:
        return
    for row in np.flatnonzero(~(np.isfinite(bars.volume_T) & (bars.volume_T >= 0))):
        yield int(row), f"Volume is {_value(bars.volume_T[row])}; it must be 0 or more in every row, or absent in all"


def _price_faults(name: str, price_T: NDArray[np.float64]) -> Iterator[tuple[int, str]]:
    for row in np.flatnonzero(~(np.isfinite(price_T) & (price_T > 0))):
        yield int(row), f"{name} is {_value(price_T[row])}; prices must be positive and finite"


def _order_faults(bars: Bars, sound_T: NDArray[np.bool_]) -> Iterator[tuple[int, str]]:
    slack_T = _ROUNDING * bars.close_T
    crossed_T = sound_T & (bars.high_T < bars.low_T - slack_T)
    for row in np.flatnonzero(crossed_T):
        yield int(row), f"High {bars.high_T[row]:g} is below Low {bars.low_T[row]:g}"
    for name, price_T in (("Open", bars.open_T), ("Close", bars.close_T)):
        for row in np.flatnonzero(sound_T & ~crossed_T & (price_T < bars.low_T - slack_T)):
            yield int(row), f"Low {bars.low_T[row]:g} is above {name} {price_T[row]:g}"
        for row in np.flatnonzero(sound_T & ~crossed_T & (price_T > bars.high_T + slack_T)):
            yield int(row), f"High {bars.high_T[row]:g} is below {name} {price_T[row]:g}"


def _value(value: float) -> str:
    return "missing" if np.isnan(value) else f"{value:g}"


def _refusal(path: Path, dates_T: NDArray[np.datetime64], faults: list[tuple[int, str]]) -> BadInput:
    faults.sort(key=lambda fault: fault[0])
    lines = [f"row {row + 1} ({dates_T[row]}): {words}" for row, words in faults[:_FAULTS_SHOWN]]
    if len(faults) > _FAULTS_SHOWN:
        lines.append(f"and {len(faults) - _FAULTS_SHOWN} more")
    return BadInput(f"{path} has {len(faults)} fault{'s' if len(faults) > 1 else ''} in its rows:", lines)


def _read_frame(path: Path) -> pd.DataFrame:
    import pandas as pd

    if not path.exists():
        raise BadInput(f"{path} does not exist: {_way_to_get(path)}")
    if not path.is_file():
        raise BadInput(f"{path} is not a file: a Parquet file of daily bars is needed")
    if path.stat().st_size == 0:
        raise BadInput(f"{path} is empty (0 bytes): a Parquet file of daily bars is needed")
    try:
        frame = pd.read_parquet(path)
    except (OSError, ValueError) as error:
        words = " ".join(str(error).split())
        raise BadInput(f"{path} is not a readable Parquet file: {words[:200]}") from None
    if any(name is not None for name in frame.index.names):
        return frame.reset_index(allow_duplicates=True)
    if not isinstance(frame.index, pd.RangeIndex) and "date" not in _lower_names(frame):
        return frame.rename_axis("Date").reset_index()
    return frame


def _lower_names(frame: pd.DataFrame) -> list[str]:
    return [str(name).strip().lower() for name in frame.columns]


def _way_to_get(path: Path) -> str:
    folder = path.absolute().parent
    tracked = folder.with_name(f"{folder.name}.dvc") if folder.name else folder
    if tracked.is_file():
        return f"fetch the tracked data with `dvc pull {tracked.name}`, or set data.symbol to a symbol that is there"
    return "data.symbol must name a Parquet file of daily bars in that folder"


def _find_columns(frame: pd.DataFrame, path: Path, *, adjust: bool) -> dict[str, pd.Series]:
    found: dict[str, pd.Series] = {}
    faults = []
    needed = ("date", *_PRICES, "volume", *([_ADJUSTED] if adjust else []))
    names = _lower_names(frame)
    for name in needed:
        places = [place for place, given in enumerate(names) if given == name]
        if len(places) > 1:
            faults.append(f"{name.title()} appears {len(places)} times (upper and lower case are the same)")
        elif places:
            found[name] = frame.iloc[:, places[0]]
        elif name == _ADJUSTED:
            faults.append("Adj Close is missing, and data.adjust needs it: set data.adjust to false, or bring it along")
        elif name != "volume":
            faults.append(
                f"{name.capitalize()} is missing; the file has {', '.join(map(str, frame.columns)) or 'no columns'}"
            )
    if faults:
        raise BadInput(f"{path} lacks the columns of daily bars (Date, Open, High, Low, Close, Volume):", faults)
    return found


def _days(column: pd.Series, path: Path, faults: list[tuple[int, str]]) -> NDArray[np.datetime64]:
    import pandas as pd

    if pd.api.types.is_numeric_dtype(column.dtype):
        raise BadInput(f"{path}: Date holds numbers ({column.dtype}); days or ISO text like 2011-01-31 are needed")
    try:
        stamps = pd.to_datetime(column, errors="coerce", format=None if _is_stamp(column) else "ISO8601")
    except ValueError as error:
        raise BadInput(f"{path}: Date cannot be read as days: {error}") from None
    unread_T = stamps.isna().to_numpy() & column.notna().to_numpy()
    faults.extend(
        (int(row), f"Date is {column.iloc[row]!r}, not a day like 2011-01-31") for row in np.flatnonzero(unread_T)
    )
    if getattr(stamps.dtype, "tz", None) is not None:
        stamps = stamps.dt.tz_localize(None)
    return np.asarray(stamps.to_numpy(), dtype="datetime64[D]")


def _is_stamp(column: pd.Series) -> bool:
    import pandas as pd

    return pd.api.types.is_datetime64_any_dtype(column.dtype)


def _numbers(column: pd.Series, name: str, path: Path, faults: list[tuple[int, str]]) -> NDArray[np.float64]:
    import pandas as pd

    if pd.api.types.is_bool_dtype(column.dtype) or _is_stamp(column):
        raise BadInput(f"{path}: {name.title()} holds {column.dtype}; numbers are needed")
    numbers = pd.to_numeric(column, errors="coerce")
    unread_T = numbers.isna().to_numpy() & column.notna().to_numpy()
    words = name.title()
    faults.extend((int(row), f"{words} is {column.iloc[row]!r}, not a number") for row in np.flatnonzero(unread_T))
    return np.asarray(numbers.to_numpy(dtype="float64", na_value=np.nan), dtype=np.float64)
