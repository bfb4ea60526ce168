"""Values of a panel study by day and stock, and the comparison of two panels' values on the days that both have."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tsladder.audit.finding import rounded
from tsladder.audit.panel.learner import Floats
from tsladder.audit.panel.pipeline import PanelPipeline
from tsladder.panel.graph import DayGraph
from tsladder.panel.panel import Panel
from tsladder.panel.samples import PanelInputs
from tsladder.ranking.baselines import StockTable

Values = Mapping[str, NDArray[np.generic]]

NEIGHBOURS = "neighbours"
_EDGES = ("correlations with neighbours", "sectors shared with neighbours")
"""Findings' words for the features of `panel.graph.EDGE_FEATURES`, in their order."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class DayValues:
    """Everything that is known of each day and stock at its close. `values`: name in a finding's words -> value_TS, or
    value_TSk of the k places in a list of neighbours; a stock that is not there has False, 0 or NaN."""

    dates_T: NDArray[np.datetime64]
    symbols_S: tuple[str, ...]
    values: Values


@dataclass(frozen=True, kw_only=True, slots=True)
class Changes:
    """Differences found by one or several comparisons.

    `largest`: the largest change of each value, in standard deviations; infinite where one of the two is missing or of
    another kind. `faults`: what could not be compared at all.
    """

    largest: Mapping[str, float]
    faults: tuple[str, ...] = ()

    def over(self, tolerance: float) -> list[str]:
        """Return the names of the values that changed by more than `tolerance`, worst first."""
        names = [name for name, change in self.largest.items() if not change <= tolerance]
        return sorted(names, key=lambda name: (-self.largest[name], name))

    @property
    def worst(self) -> float:
        """Largest change of all, rounded."""
        return rounded(max(self.largest.values(), default=0.0))


def known_values(pipeline: PanelPipeline, panel: Panel, y_TS: Floats) -> DayValues:
    """Run the steps that make inputs on `panel`. `y_TS`: labels that the table of baselines is given.

    Raises BadInput where the study's own code refuses the panel.
    """
    inputs = pipeline.inputs(panel)
    return day_values(inputs, pipeline.table(inputs, y_TS))


def day_values(inputs: PanelInputs, table: StockTable) -> DayValues:
    """Return all values by day and stock of the inputs of models, their graph included, and of the baselines' table; no
    label is among them.

    What a further step makes of each day is named here as well.
    """
    of_models = {name: inputs.inputs.x_TSF[..., place] for place, name in enumerate(inputs.columns)}
    of_baselines = {of_baselines_name(name): value_TS for name, value_TS in table.columns.items()}
    return DayValues(
        dates_T=inputs.panel.dates_T,
        symbols_S=inputs.panel.symbols_S,
        values={
            "listed stocks": inputs.universe.listed_TS,
            "members": inputs.universe.member_TS,
            "stocks with all columns": inputs.inputs.here_TS,
            "stocks of a sample": inputs.axis.stocks_TS,
            "ranked stocks": table.member_DS,
            "past returns": table.past_return_DS,
            **of_models,
            **of_baselines,
            **({} if inputs.graph is None else _of_graph(inputs.graph, inputs.panel.symbols_S)),
        },
    )


def _of_graph(graph: DayGraph, symbols_S: tuple[str, ...]) -> Values:
    """Return the neighbours as CRC32 of their symbols, 0 where there is none, since the number of a stock depends on
    which other stocks a panel has; and the features of the edges."""
    none_last = [*(zlib.crc32(symbol.encode()) for symbol in symbols_S), 0]
    edges = {name: graph.edges_TSkK[..., place] for place, name in enumerate(_EDGES)}
    return {NEIGHBOURS: np.array(none_last, dtype=np.uint32)[graph.neighbours_TSk], **edges}


def of_baselines_name(column: str) -> str:
    """Name a column of the baselines' table apart from the models' column of the same name."""
    return f"{column} of the baselines"


def compare(known: DayValues, again: DayValues, days: int) -> Changes:
    """Compare the first `days` days, which both have. A stock that `again` does not have must be absent from `known`
    there, too."""
    place_of = {symbol: place for place, symbol in enumerate(known.symbols_S)}
    if set(again.values) != set(known.values):
        return Changes(largest={}, faults=("other columns came out",))
    common = [place_of[symbol] for symbol in again.symbols_S]
    gone = sorted(set(range(len(known.symbols_S))) - set(common))
    largest = {}
    for name, value_TS in known.values.items():
        before_TS = value_TS[:days]
        change = largest_change(before_TS[:, common], again.values[name][:days])
        largest[name] = float("inf") if _present(before_TS[:, gone]) else change
    return Changes(largest=largest)


def together(found: list[Changes]) -> Changes:
    """Return the largest change of each value over all comparisons, and all their faults."""
    names = dict.fromkeys(name for one in found for name in one.largest)
    largest = {name: max(one.largest.get(name, 0.0) for one in found) for name in names}
    return Changes(largest=largest, faults=tuple(fault for one in found for fault in one.faults))


def largest_change(before_TS: NDArray[np.generic], after_TS: NDArray[np.generic]) -> float:
    """Return the largest difference, in standard deviations of `before_TS`; infinite where one of the two is missing,
    and for flags and whole numbers, which stand for something, that differ."""
    if not np.issubdtype(before_TS.dtype, np.floating):
        return 0.0 if np.array_equal(before_TS, after_TS) else float("inf")
    if np.array_equal(before_TS, after_TS, equal_nan=True):
        return 0.0
    one_TS, other_TS = np.asarray(before_TS, dtype=np.float64), np.asarray(after_TS, dtype=np.float64)
    finite_TS = np.isfinite(one_TS)
    if not np.array_equal(finite_TS, np.isfinite(other_TS)):
        return float("inf")
    spread = float(one_TS[finite_TS].std())
    change = float(np.abs(one_TS - other_TS)[finite_TS].max(initial=0.0))
    return change / (spread if spread > 0.0 else 1.0)


def _present(value_TS: NDArray[np.generic]) -> bool:
    """Check whether any value is neither False, 0 nor missing."""
    return bool((np.nan_to_num(np.asarray(value_TS, dtype=np.float64)) != 0.0).any())
