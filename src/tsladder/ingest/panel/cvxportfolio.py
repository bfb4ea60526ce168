"""Panel of 431 stocks in the source distribution of cvxportfolio. Users download it; we may not redistribute it.

    pip download --no-deps --no-binary :all: cvxportfolio==1.5.1
    tsladder ingest cvxportfolio-1.5.1.tar.gz --panel sp431

Two of its tables are read: returns from close to close, and volumes in dollars. `return_estimate.csv.gz` beside them is
the return of the same day with noise added, and must never be a feature.
"""

from __future__ import annotations

import datetime
import re
import tarfile
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tsladder.errors import BadInput
from tsladder.ingest.choices import Choices, Field
from tsladder.ingest.names import Role
from tsladder.ingest.numbers import read_numbers
from tsladder.ingest.panel.rows import StockRows, read_rows, read_table_days
from tsladder.ingest.panel.shapes import stock_table
from tsladder.ingest.reading import sheet_of_content
from tsladder.ingest.sheet import Sheet
from tsladder.panel.panel import Returns, UniverseKind

_NAME = re.compile(r"cvxportfolio-[0-9][0-9.]*\.tar\.gz")
_FOLDER = "examples/paper_examples"
_RETURNS, _VOLUMES = "returns.csv.gz", "volumes.csv.gz"
_CASH = "USDOLLAR"


@dataclass(frozen=True, kw_only=True, slots=True)
class KnownOrigin:
    """Origin of a panel as its file implies it; options of the command line take precedence."""

    source: str
    licence: str
    returns: Returns
    universe: UniverseKind
    bias: tuple[str, ...]


_BIAS = (
    (
        "members of the S&P 500 of about the end of 2015: those that left before are missing, and those that joined "
        "later had done well before they did"
    ),
    "stocks that ever lost half or tripled within a day were left out, which only hindsight knows",
    "stocks with many missing prices were left out, other gaps were filled with the price before",
    "two spin-offs are not adjusted for: MRO 2011-07-01 and FIS 2008-07-03",
)


def is_sdist(path: Path) -> bool:
    """Check whether the name is that of a source distribution of cvxportfolio."""
    return _NAME.fullmatch(path.name) is not None


def read_sdist(path: Path, choices: Choices, *, today: datetime.date) -> tuple[StockRows, KnownOrigin]:
    """Read returns (as Close) and Turnover, from the day before the first return on, where the return is 0.

    Raises BadInput for a file that does not hold the tables.
    """
    if choices.field is not None:
        raise BadInput(f"--field {choices.field}: {path.name} holds returns, which is known; leave the option out")
    tables = _tables(path)
    wide = replace(choices, of_stocks=True, field=Field.RETURN)
    sheets = {name: sheet_of_content(tables[name], f"{path.name}: {name}", wide) for name in (_RETURNS, _VOLUMES)}
    returns = read_rows(sheets[_RETURNS], _RETURNS, wide, today=today)
    volumes = _volumes(sheets[_VOLUMES], wide, today)
    version = path.name.removesuffix(".tar.gz").replace("-", " ")
    known = KnownOrigin(
        source=f"{version}, {_FOLDER}: returns and volumes, made of Quandl's WIKI prices",
        licence="GPL-3.0, as the package; the prices' own terms are not told",
        returns=Returns.TOTAL,
        universe=UniverseKind.SURVIVORS,
        bias=_BIAS,
    )
    return replace(_with_turnover(returns, volumes), source=path.name), known


def _tables(path: Path) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    try:
        with tarfile.open(path) as archive:
            for member in archive:
                folder, _, name = member.name.rpartition("/")
                if (
                    folder.endswith(_FOLDER)
                    and name in (_RETURNS, _VOLUMES)
                    and (stream := archive.extractfile(member))
                ):
                    found[name] = stream.read()
    except (OSError, EOFError, tarfile.TarError) as error:
        raise BadInput(f"{path} cannot be unpacked ({error}): download it again") from None
    missing = [name for name in (_RETURNS, _VOLUMES) if name not in found]
    if missing:
        raise BadInput(
            f"{path.name} does not contain {_FOLDER}/{missing[0]}; version 1.5.1 does: download it with pip download "
            "--no-deps --no-binary :all: cvxportfolio==1.5.1"
        )
    return found


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _Volumes:
    symbols_R: NDArray[np.str_]
    days_R: NDArray[np.datetime64]
    dollars_R: NDArray[np.float64]


def _volumes(sheet: Sheet, choices: Choices, today: datetime.date) -> _Volumes:
    table = stock_table(sheet, _VOLUMES, choices)
    _, days_R, _ = read_table_days(table, choices, today)
    numbers = read_numbers({Role.VOLUME: table.column(Role.CLOSE)}, sheet.source, decimal=choices.decimal)
    return _Volumes(symbols_R=np.array(table.symbols_R), days_R=days_R, dollars_R=numbers.values[Role.VOLUME])


def _with_turnover(returns: StockRows, volumes: _Volumes) -> StockRows:
    """Return the rows without cash, with one more row before the first of each stock, and with Turnover."""
    kept_R = returns.symbols_R != _CASH
    symbols_R, days_R = returns.symbols_R[kept_R], returns.days_R[kept_R]
    returned_R, lines_R = returns.values[Role.CLOSE][kept_R], returns.lines_R[kept_R]
    names, places_R = np.unique(symbols_R.astype(str), return_inverse=True)
    earlier = volumes.days_R[volumes.days_R < days_R.min()] if len(days_R) else volumes.days_R[:0]
    if len(earlier):
        symbols_R = np.concatenate([names.astype(object), symbols_R])
        days_R = np.concatenate([np.full(len(names), earlier.max()), days_R])
        returned_R = np.concatenate([np.zeros(len(names)), returned_R])
        lines_R = np.concatenate([np.zeros(len(names), dtype=np.int64), lines_R])
        places_R = np.concatenate([np.arange(len(names)), places_R])
    listed_R = np.isin(volumes.symbols_R, names)
    known = _keys(np.searchsorted(names, volumes.symbols_R[listed_R]), volumes.days_R[listed_R])
    order = np.argsort(known)
    return replace(
        returns,
        symbols_R=symbols_R,
        days_R=days_R,
        lines_R=lines_R,
        values={
            Role.CLOSE: returned_R,
            Role.TURNOVER: _look_up(_keys(places_R, days_R), known[order], volumes.dollars_R[listed_R][order]),
        },
        titles={**returns.titles, Role.TURNOVER: _VOLUMES},
        ignored={_CASH: "cash"},
        rows_read=len(days_R),
        notes=(*returns.notes, "Close is 1 on the day before the first return"),
    )


def _keys(places_R: NDArray[np.int64], days_R: NDArray[np.datetime64]) -> NDArray[np.int64]:
    return places_R.astype(np.int64) * 10**7 + days_R.astype("datetime64[D]").astype(np.int64)


def _look_up(keys_R: NDArray[np.int64], known: NDArray[np.int64], values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the value of each key, NaN for an unknown key."""
    if len(known) == 0:
        return np.full(len(keys_R), np.nan)
    places = np.minimum(np.searchsorted(known, keys_R), len(known) - 1)
    return np.where(known[places] == keys_R, values[places], np.nan)
