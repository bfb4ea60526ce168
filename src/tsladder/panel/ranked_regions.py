"""Regions of a panel study on which rankings are judged, and the table on which baselines are fitted."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tsladder.artifacts.panel_splits import PanelSplits
from tsladder.data.splits import Split, Splits
from tsladder.panel.columns import C21, build_columns, simple_returns
from tsladder.panel.days import DayAxis, sample_rows
from tsladder.panel.panel import BoolTS, FloatTS, Panel
from tsladder.panel.samples import PanelInputs
from tsladder.panel.targets import Labels
from tsladder.ranking.baselines import StockTable
from tsladder.ranking.portfolio import entry_returns
from tsladder.ranking.region import RankedRegion
from tsladder.vocabulary import Region


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class RankedSessions:
    """Sessions of a region from its first to its last sample day. `rows_D`: their rows in the panel. `sample_D`: sample
    days."""

    region: RankedRegion
    rows_D: NDArray[np.int64]
    sample_D: NDArray[np.bool_]

    def placed(self, values_NS: FloatTS) -> FloatTS:
        """Return the values of the sample days on all sessions of the region, 0 on the others."""
        values_DS = np.zeros((len(self.rows_D), *values_NS.shape[1:]))
        values_DS[self.sample_D] = values_NS
        return values_DS


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class RankedDays:
    """Training days, and the regions to score, of one horizon of a panel study.

    `table`: input of the baselines for all sessions. `train_T`: training days. `history_T`: sessions whose past returns
    are known in training. `regions`: validation and test. `rows`: rows of the panel that are the sessions of a region.
    """

    table: StockTable
    train_T: NDArray[np.bool_]
    history_T: NDArray[np.bool_]
    regions: dict[Region, RankedRegion]
    rows: dict[Region, NDArray[np.int64]]


def ranked_days(made: PanelInputs, labels: Labels, stored: PanelSplits, known: StockTable, *, place: int) -> RankedDays:
    """Build the regions of `stored` for the horizon with index `place` in `labels`.

    `known`: table of the baselines, with the labels of any horizon.
    """
    splits = Splits.of_days(stored.days)
    return_TS = labels.y_TSM[..., place]
    train_T = _marked(made.axis, sample_rows(made.axis, splits.train, stored.context_length, splits.horizon))
    regions = {
        region: region_days(made.axis, made.panel, return_TS, stored, splits, region)
        for region in (Region.VALIDATION, Region.TEST)
    }
    return RankedDays(
        table=replace(known, return_DS=return_TS),
        train_T=train_T,
        history_T=known_in_training(made, splits.train),
        regions={region: found.region for region, found in regions.items()},
        rows={region: found.rows_D for region, found in regions.items()},
    )


def region_days(
    axis: DayAxis, panel: Panel, return_TS: FloatTS, stored: PanelSplits, splits: Splits, region: Region
) -> RankedSessions:
    """Return the days of `region` with their labels. `return_TS`: forward returns of the horizon of `stored`; `splits`:
    those of `stored`."""
    stocks_TS = axis.stocks_TS
    train_T = _marked(axis, sample_rows(axis, splits.train, stored.context_length, splits.horizon))
    trained_TS = stocks_TS & train_T[:, None] & np.isfinite(return_TS)
    samples_N = sample_rows(axis, splits.region(region), stored.context_length, splits.horizon)
    rows_D = np.arange(samples_N[0], samples_N[-1] + 1)
    sample_D = _marked(axis, samples_N)[rows_D]
    member_DS = stocks_TS[rows_D] & sample_D[:, None]
    return RankedSessions(
        region=RankedRegion(
            dates_D=panel.dates_T[rows_D],
            symbols=panel.symbols_S,
            return_DS=return_TS[rows_D],
            entry_return_DS=entry_returns(simple_returns(panel), rows_D, stored.entry_lag),
            member_DS=member_DS,
            horizon=stored.horizon,
            entry_lag=stored.entry_lag,
            fingerprint=_fingerprint(panel.dates_T[rows_D], panel.symbols_S, return_TS[rows_D], member_DS),
            train_base_rate=float((return_TS[trained_TS] > 0.0).mean()),
        ),
        rows_D=rows_D,
        sample_D=sample_D,
    )


def baseline_table(made: PanelInputs, return_TS: FloatTS) -> StockTable:
    """Return the columns of tier c21, which baselines always use, with labels and past returns of every session."""
    panel = made.panel
    columns = build_columns(panel, made.universe, C21)
    return StockTable(
        columns=dict(zip(columns.names, np.moveaxis(columns.values_TSF, -1, 0), strict=True)),
        return_DS=return_TS,
        past_return_DS=np.log1p(simple_returns(panel)),
        member_DS=made.axis.stocks_TS,
    )


def known_in_training(made: PanelInputs, train: Split) -> NDArray[np.bool_]:
    """Mark the sessions of the training region and those before it, which its first windows include."""
    known_T = np.zeros(len(made.panel.dates_T), dtype=np.bool_)
    for segment in train.segments:
        known_T[segment.first : segment.last + 1] = True
    known_T[: train.segments[0].first] = True
    return known_T


def _marked(axis: DayAxis, rows_N: NDArray[np.int64]) -> NDArray[np.bool_]:
    marked_T = np.zeros(len(axis.dates_T), dtype=np.bool_)
    marked_T[rows_N] = True
    return marked_T


def _fingerprint(
    dates_D: NDArray[np.datetime64], symbols: tuple[str, ...], return_DS: FloatTS, member_DS: BoolTS
) -> str:
    """Hash the sample days of a region, its members and their labels (16 hex digits of SHA-256)."""
    digest = hashlib.sha256("\n".join(symbols).encode())
    digest.update(dates_D.astype("datetime64[D]").astype("<i8").tobytes())
    digest.update(np.packbits(member_DS).tobytes())
    digest.update(np.where(member_DS & np.isfinite(return_DS), return_DS, 0.0).astype("<f4").tobytes())
    return digest.hexdigest()[:16]
