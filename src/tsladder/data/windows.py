"""Windows: C days of all features before a label, as views on one array, with one affine map per window.

Every normalisation is ``x_BTC = series[end-C+1 .. end] * scale + shift`` with a scale and a shift per window and
column, so the days themselves are only copied when a batch is requested. Axis letters as in `vocabulary`; S counts the
possible starts of a window.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from tsladder.artifacts.features import ColumnKind
from tsladder.data.features import FeatureTable
from tsladder.data.splits import Split, Splits
from tsladder.data.targets import require_horizon
from tsladder.errors import BadInput
from tsladder.params import WindowParams
from tsladder.vocabulary import Region

# A spread below a millionth of the level is rounding in float32, not information.
_FLAT = 1e-6
_WINDOWS_AT_ONCE = 512

_JUDGED = (Region.VALIDATION, Region.TEST)

_SymbolRegion = tuple[str, Region]
"""A symbol and a region of it."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Windows:
    """N labelled windows on the shared `series_TF`. `ends_N` are rows of it, `dates_N` their last input days.

    `symbols`: the symbols of the windows, in the order of their rows; empty where they are the study's own symbol
    alone.
    """

    series_TF: NDArray[np.float32]
    ends_N: NDArray[np.int64]
    scale_NF: NDArray[np.float32]
    shift_NF: NDArray[np.float32]
    y_N: NDArray[np.float32]
    dates_N: NDArray[np.datetime64]
    context_length: int
    symbols: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.ends_N)

    def batch(self, index_B: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the normalised inputs x_BTC of the windows numbered `index_B`."""
        days_SCT = sliding_window_view(self.series_TF, self.context_length, axis=0)
        x_BTC = days_SCT.swapaxes(1, 2)[self.ends_N[index_B] - self.context_length + 1]
        x_BTC *= self.scale_NF[index_B, None, :]
        x_BTC += self.shift_NF[index_B, None, :]
        return x_BTC

    def last_day(self) -> NDArray[np.float32]:
        """Return the normalised features x_NF of each window's last day."""
        return self.series_TF[self.ends_N] * self.scale_NF + self.shift_NF

    def fingerprint(self) -> str:
        """Return the SHA-256 (hex) of the windows' days and labels, which is the same under every normalisation."""
        digest = hashlib.sha256(f"{self.context_length}:{len(self)}".encode())
        digest.update(self.ends_N.astype("<i8").tobytes())
        digest.update(self.dates_N.astype("datetime64[D]").astype("<i8").tobytes())
        digest.update(self.y_N.astype("<f4").tobytes())
        digest.update("\n".join(self.symbols).encode())
        return digest.hexdigest()


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class FoldWindows:
    """The training and validation windows of one model, normalised by its own training windows."""

    train: Windows
    validation: Windows


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class WindowSet:
    """The windows of the three regions of one horizon; they share one `series_TF` of the named columns.

    In a walk forward `train` and `validation` are those of its last fold, by which `test` is normalised too, and
    `earlier` holds the folds before it in time order.

    With several symbols `train` holds the windows of all, `validation` and `test` those of the study's own; `further`
    holds for each of the others its windows of those two regions, possibly none.
    """

    train: Windows
    validation: Windows
    test: Windows
    columns: tuple[str, ...]
    earlier: tuple[FoldWindows, ...] = ()
    further: Mapping[str, Mapping[Region, Windows]] = field(default_factory=dict)

    @property
    def folds(self) -> tuple[FoldWindows, ...]:
        """All folds of a walk forward; one fold otherwise."""
        return (*self.earlier, FoldWindows(train=self.train, validation=self.validation))

    def region(self, region: Region) -> Windows:
        return {Region.TRAIN: self.train, Region.VALIDATION: self.validation, Region.TEST: self.test}[region]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _Affine:
    """The affine map x -> x * scale + shift, per window and column, in float64."""

    scale_NF: NDArray[np.float64]
    shift_NF: NDArray[np.float64]

    def then(self, scale: NDArray[np.float64], shift: NDArray[np.float64]) -> _Affine:
        return _Affine(scale_NF=self.scale_NF * scale, shift_NF=self.shift_NF * scale + shift)


def build_windows(
    table: FeatureTable,
    splits: Splits,
    y_T: NDArray[np.float64],
    windows: WindowParams,
    further: Mapping[str, Splits] | None = None,
) -> WindowSet:
    """Build the windows of every region, normalised as `windows.normalisation` says; statistics come from training
    windows only, in every fold of a walk forward from its own.

    ``ratio``: prices and ranges over the window's last Close, volumes standardised within the window, bounded columns
    over their constant, unitless ones as they are; then one mean and sd per column over the days of all training
    windows, whatever their symbol. ``revin``: (x - mean) / sd over the window's days. ``none``: as they are. A constant
    column gives 0. Prices enter in units of their symbol's first Close, which cancels: another unit of price changes
    nothing. `further`: splits of other symbols of the table, whose validation and test windows are needed, too. Raises
    BadInput naming column and day where a number leaves the range of float32.
    """
    require_horizon(y_T, splits.horizon)
    series_TF = table.values_TF
    if windows.normalisation != "none":
        series_TF = np.concatenate([own.values_TF / _unit_F(own) for own in table.by_symbol()])
    with np.errstate(over="ignore"):
        shared_TF = np.ascontiguousarray(series_TF, dtype=np.float32)
    _refuse_non_finite(shared_TF, table, np.arange(len(shared_TF)))
    own = {(table.symbol, region): splits.region(region) for region in Region}
    others = {(name, region): other.region(region) for name, other in (further or {}).items() for region in _JUDGED}
    folds = [{(table.symbol, region): split for region, split in fold.regions.items()} for fold in splits.earlier]
    made, *earlier = (
        _normalised(table, series_TF, shared_TF, splits_by_key, splits.horizon, y_T, windows)
        for splits_by_key in (own | others, *folds)
    )
    return WindowSet(
        **{region.value: made[table.symbol, region] for region in Region},
        columns=table.names,
        earlier=tuple(
            FoldWindows(train=fold[table.symbol, Region.TRAIN], validation=fold[table.symbol, Region.VALIDATION])
            for fold in earlier
        ),
        further={name: {region: made[name, region] for region in _JUDGED} for name in further or ()},
    )


def _normalised(
    table: FeatureTable,
    series_TF: NDArray[np.float64],
    shared_TF: NDArray[np.float32],
    splits_by_key: Mapping[_SymbolRegion, Split],
    horizon: int,
    y_T: NDArray[np.float64],
    windows: WindowParams,
) -> dict[_SymbolRegion, Windows]:
    """Build the windows of `splits_by_key`, normalised by the statistics of the training windows among them."""
    context_length, training = windows.context_length, (table.symbol, Region.TRAIN)
    ends = {key: split.ends_N(context_length, horizon) for key, split in splits_by_key.items()}
    maps = {key: _map(table, series_TF, ends_N, windows) for key, ends_N in ends.items()}
    if windows.normalisation == "ratio" and len(ends[training]) > 0:
        mean_F, sd_F = _training_moments(series_TF, ends[training], maps[training], context_length)
        scale_F = _inverse(sd_F, mean_F)
        maps = {key: affine.then(scale_F, -mean_F * scale_F) for key, affine in maps.items()}
    made = {}
    for key, affine in maps.items():
        with np.errstate(over="ignore"):
            scale_NF, shift_NF = affine.scale_NF.astype(np.float32), affine.shift_NF.astype(np.float32)
        _refuse_non_finite(scale_NF + shift_NF, table, ends[key])
        made[key] = Windows(
            series_TF=shared_TF,
            ends_N=ends[key],
            scale_NF=scale_NF,
            shift_NF=shift_NF,
            y_N=y_T[ends[key]].astype(np.float32),
            dates_N=table.dates_T[ends[key]],
            context_length=context_length,
            symbols=_symbols_of(table, ends[key]),
        )
    return made


def _symbols_of(table: FeatureTable, ends_N: NDArray[np.int64]) -> tuple[str, ...]:
    """Return the symbols on whose rows the windows end; () where that is the table's own alone."""
    names = [own.symbol for own in table.by_symbol()]
    found = [names[place] for place in np.unique(_symbol_index_N(table, ends_N))]
    return tuple(found) if found != names[:1] else ()


def _symbol_index_N(table: FeatureTable, rows_N: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the index of the symbol to which each row belongs."""
    return np.searchsorted(np.array(table.first_rows), rows_N, side="right") - 1


def _unit_F(table: FeatureTable) -> NDArray[np.float64]:
    in_prices = [column.kind in (ColumnKind.PRICE, ColumnKind.RANGE) for column in table.columns]
    return np.where(in_prices, table.close_T[0], 1.0)


def _map(
    table: FeatureTable, series_TF: NDArray[np.float64], ends_N: NDArray[np.int64], windows: WindowParams
) -> _Affine:
    shape = (len(ends_N), len(table.columns))
    if windows.normalisation == "none":
        return _Affine(scale_NF=np.ones(shape), shift_NF=np.zeros(shape))
    mean_NF, sd_NF = _window_moments(series_TF, ends_N, windows.context_length)
    scale_NF = _inverse(sd_NF, mean_NF)
    shift_NF = -mean_NF * scale_NF
    if windows.normalisation == "revin":
        return _Affine(scale_NF=scale_NF, shift_NF=shift_NF)
    first_N = np.array(table.first_rows)[_symbol_index_N(table, ends_N)]
    per_close_N = table.close_T[first_N] / table.close_T[ends_N]
    for index, column in enumerate(table.columns):
        if column.kind is ColumnKind.VOLUME:
            continue
        in_prices = column.kind in (ColumnKind.PRICE, ColumnKind.RANGE)
        scale_NF[:, index] = per_close_N if in_prices else 1.0 / column.scale
        shift_NF[:, index] = 0.0
    return _Affine(scale_NF=scale_NF, shift_NF=shift_NF)


def _window_moments(
    series_TF: NDArray[np.float64], ends_N: NDArray[np.int64], context_length: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return mean and standard deviation of every window and column, summed anew so that no rounding is carried
    along."""
    mean_NF = np.empty((len(ends_N), series_TF.shape[1]))
    sd_NF = np.empty_like(mean_NF)
    if len(ends_N) == 0:
        return mean_NF, sd_NF
    days_STF = sliding_window_view(series_TF, context_length, axis=0).swapaxes(1, 2)
    for first in range(0, len(ends_N), _WINDOWS_AT_ONCE):
        chunk = slice(first, first + _WINDOWS_AT_ONCE)
        x_BTF = days_STF[ends_N[chunk] - context_length + 1]
        mean_NF[chunk] = x_BTF.mean(axis=1)
        x_BTF -= mean_NF[chunk, None, :]
        sd_NF[chunk] = np.sqrt(np.einsum("btf,btf->bf", x_BTF, x_BTF) / context_length)
    return mean_NF, sd_NF


def _training_moments(
    series_TF: NDArray[np.float64], ends_N: NDArray[np.int64], affine: _Affine, context_length: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return mean and standard deviation per column over all days of all training windows after `affine`.

    The variance of the whole is the mean variance within windows plus the variance of the windows' means.
    """
    mean_NF, sd_NF = _window_moments(series_TF, ends_N, context_length)
    centre_NF = mean_NF * affine.scale_NF + affine.shift_NF
    mean_F = centre_NF.mean(axis=0)
    within_F = np.square(sd_NF * affine.scale_NF).mean(axis=0)
    between_F = np.square(centre_NF - mean_F).mean(axis=0)
    return mean_F, np.sqrt(within_F + between_F)


def _inverse(sd: NDArray[np.float64], mean: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return 1 / sd, and 0 where the values are constant: such a column is 0 for the model."""
    moves = sd > _FLAT * np.abs(mean)
    return np.divide(1.0, sd, out=np.zeros_like(sd), where=moves)


def _refuse_non_finite(values_NF: NDArray[np.float32], table: FeatureTable, rows_N: NDArray[np.int64]) -> None:
    bad_NF = ~np.isfinite(values_NF)
    if not bad_NF.any():
        return
    faults = []
    for index, column in enumerate(table.columns):
        if bad_NF[:, index].any():
            row = rows_N[int(np.argmax(bad_NF[:, index]))]
            faults.append(f"{column.name} on {table.dates_T[row]} ({int(bad_NF[:, index].sum())} days in all)")
    raise BadInput(f"{table.symbol}: a normalised input is not a finite 32-bit number:", faults)
