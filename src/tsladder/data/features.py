"""The feature table: named columns per day after the indicators' warm-up, beside the raw prices of the same days."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tsladder.artifacts.features import (
    MANIFEST,
    FeatureColumn,
    FeaturesManifest,
    FurtherFeatures,
    FurtherSymbol,
    Origin,
    read_manifest,
    write_manifest,
)
from tsladder.errors import WorkFailed

_TABLE = "features.parquet"
_RAW = ("open", "high", "low", "close")
_SERIES = ("dates_T", "values_TF", *(f"{name}_T" for name in _RAW))


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class FeatureTable:
    """The features `values_TF` (T days x F columns, finite) with the raw prices of the same T days.

    `warm_up` counts the days of the bars that were lost before the first row; `open_equals_previous_close` is a share
    of all days of the bars, None where it was not measured; `origin` is None where it is not known. Neighbouring rows
    are neighbouring days of the bars, except where `origin.lost_days` names a day between them.

    `further`: symbols whose rows follow those of `symbol`, one after the other, each with its own days. All other
    fields that describe one symbol describe `symbol`; `by_symbol` gives every symbol its own table.
    """

    symbol: str
    tier: str
    ohlcv: bool
    dates_T: NDArray[np.datetime64]
    columns: tuple[FeatureColumn, ...]
    values_TF: NDArray[np.float64]
    open_T: NDArray[np.float64]
    high_T: NDArray[np.float64]
    low_T: NDArray[np.float64]
    close_T: NDArray[np.float64]
    warm_up: int
    open_equals_previous_close: float | None = None
    origin: Origin | None = None
    further: tuple[FurtherSymbol, ...] = ()

    @property
    def first_rows(self) -> tuple[int, ...]:
        """First row of each symbol."""
        return (0, *(further.first_row for further in self.further))

    def by_symbol(self) -> tuple[FeatureTable, ...]:
        """Split the table into one for each symbol, that of `symbol` first; the arrays are views."""
        if not self.further:
            return (self,)
        stops = (*self.first_rows[1:], len(self.dates_T))
        parts: tuple[FeatureTable | FurtherSymbol, ...] = (self, *self.further)
        tables = []
        for part, first, stop in zip(parts, self.first_rows, stops, strict=True):
            series: dict[str, Any] = {name: getattr(self, name)[first:stop] for name in _SERIES}
            tables.append(
                dataclasses.replace(
                    self,
                    symbol=part.symbol,
                    warm_up=part.warm_up,
                    open_equals_previous_close=part.open_equals_previous_close,
                    origin=part.origin,
                    further=(),
                    **series,
                )
            )
        return tuple(tables)

    @property
    def lost_between(self) -> tuple[str, ...]:
        """Days of the bars, as ISO text, that are missing between two rows."""
        lost = None if self.origin is None else self.origin.lost_days
        return () if lost is None else lost.between

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    def fingerprint(self) -> str:
        """Return the SHA-256 (hex) of the values themselves: days, columns, features and raw prices; not of their
        encoding.

        With several symbols their names enter, too.
        """
        digest = hashlib.sha256()
        digest.update(json.dumps([[c.name, c.kind.value, c.scale] for c in self.columns]).encode())
        if self.further:
            digest.update(json.dumps([self.symbol, *([f.symbol, f.first_row] for f in self.further)]).encode())
        digest.update(self.dates_T.astype("datetime64[D]").astype("<i8").tobytes())
        for values in (self.values_TF, self.open_T, self.high_T, self.low_T, self.close_T):
            digest.update(repr(values.shape).encode())
            digest.update(np.ascontiguousarray(values, dtype="<f8").tobytes())
        return digest.hexdigest()

    def manifest(self) -> FeaturesManifest:
        """Describe the content of the table, for readers and for `read_features`, without time or machine."""
        own, *others = self.by_symbol()
        return FeaturesManifest(
            symbol=self.symbol,
            tier=self.tier,
            ohlcv=self.ohlcv,
            **own._days(),
            warm_up=self.warm_up,
            open_equals_previous_close=self.open_equals_previous_close,
            fingerprint=self.fingerprint(),
            origin=self.origin,
            columns=self.columns,
            further=tuple(
                FurtherFeatures(further=further, **table._days())
                for further, table in zip(self.further, others, strict=True)
            ),
        )

    def _days(self) -> dict[str, Any]:
        return {"rows": len(self.dates_T), "first_day": str(self.dates_T[0]), "last_day": str(self.dates_T[-1])}

    def write(self, folder: Path) -> None:
        """Write the table and its manifest; each file appears whole or not at all."""
        import pandas as pd

        folder.mkdir(parents=True, exist_ok=True)
        raw = {f"raw_{name}": getattr(self, f"{name}_T") for name in _RAW}
        features = {name: self.values_TF[:, index] for index, name in enumerate(self.names)}
        tables = self.by_symbol()
        of_whom = np.repeat([table.symbol for table in tables], [len(table.dates_T) for table in tables])
        names = {"Symbol": of_whom} if self.further else {}
        frame = pd.DataFrame({**names, "Date": self.dates_T.astype("datetime64[ms]"), **raw, **features})
        temporary = folder / f"{_TABLE}.part"
        frame.to_parquet(temporary, index=False)
        temporary.replace(folder / _TABLE)
        write_manifest(folder / MANIFEST, self.manifest())


def stacked(tables: Sequence[FeatureTable]) -> FeatureTable:
    """Stack the tables of several symbols into one, in order; inverse of `by_symbol`."""
    own, *others = tables
    if not others:
        return own
    starts = np.cumsum([len(table.dates_T) for table in tables]).tolist()
    further = tuple(
        FurtherSymbol(
            symbol=table.symbol,
            first_row=first,
            warm_up=table.warm_up,
            open_equals_previous_close=table.open_equals_previous_close,
            origin=table.origin,
        )
        for table, first in zip(others, starts, strict=False)
    )
    series: dict[str, Any] = {name: np.concatenate([getattr(table, name) for table in tables]) for name in _SERIES}
    return dataclasses.replace(own, further=further, **series)


def read_features(folder: Path) -> FeatureTable:
    """Read what `FeatureTable.write` wrote. Raises WorkFailed for a file that is missing, broken or contradicts its
    manifest."""
    import pandas as pd

    try:
        manifest = read_manifest(folder / MANIFEST)
        frame = pd.read_parquet(folder / _TABLE)
        names = [column.name for column in manifest.columns]
        table = FeatureTable(
            symbol=manifest.symbol,
            tier=manifest.tier,
            ohlcv=manifest.ohlcv,
            dates_T=np.asarray(frame["Date"].to_numpy(), dtype="datetime64[D]"),
            columns=manifest.columns,
            values_TF=np.ascontiguousarray(frame[names].to_numpy(dtype=np.float64)),
            **{f"{name}_T": frame[f"raw_{name}"].to_numpy(dtype=np.float64, copy=True) for name in _RAW},
            warm_up=manifest.warm_up,
            open_equals_previous_close=manifest.open_equals_previous_close,
            origin=manifest.origin,
            further=tuple(each.further for each in manifest.further),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise WorkFailed(f"{folder} holds no readable feature table: {error}; run the features stage again") from None
    if table.fingerprint() != manifest.fingerprint:
        raise WorkFailed(f"{folder / _TABLE} does not hold the values its manifest names; run the features stage again")
    return table
