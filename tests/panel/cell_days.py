"""Sample days of a cell on a cube of made-up prices, as training sees them."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from tests.panel.made_up import made_up
from tests.panel.questions import question

from tsladder.data.splits import Splits
from tsladder.panel.cube import Cube, build_cube, cube_contents, cube_key, open_cube
from tsladder.panel.dataset import CellDays
from tsladder.panel.day_batches import DaySamples
from tsladder.panel.day_cuts import cut_days
from tsladder.panel.day_weights import day_weights, trailing_volatility
from tsladder.panel.days import sample_rows
from tsladder.panel.panel import Panel
from tsladder.panel.samples import PanelInputs, build_inputs, graph_of, with_graph
from tsladder.params import GraphParams, PanelParams, PanelSplitParams
from tsladder.vocabulary import Region

CONTEXT = 20
GRAPH = GraphParams(days=40, halflife=15, neighbours=6, at_least=2, threshold=0.25)


@dataclass(frozen=True, kw_only=True, slots=True)
class MadeUpCell:
    """The days of a cell, by region, and what they were made of."""

    params: PanelParams
    inputs: PanelInputs
    splits: Splits
    cube: Cube

    def days(self, region: Region, *, weighed: bool = False, **changes: Any) -> CellDays:
        """The sample days of `region`. `changes`: fields of CellDays. `weighed`: with weights of the days."""
        rows_N = sample_rows(self.inputs.axis, self.splits.region(region), CONTEXT, self.splits.horizon)
        values: dict[str, Any] = {
            "places_M": (0,),
            "transform": "rank",
            "entry_lag": self.params.target.entry_lag,
            "horizon": self.cube.horizons[0],
            "cost_bps": 5.0,
        }
        if weighed:
            train_T = np.zeros(len(self.cube), dtype=np.bool_)
            train_T[sample_rows(self.inputs.axis, self.splits.train, CONTEXT, self.splits.horizon)] = True
            weight_T = day_weights(trailing_volatility(self.cube.return_TS, self.cube.member_TS), train_T)
            values["weight_N"] = weight_T[rows_N]
        return CellDays(days=DaySamples(cube=self.cube, rows_N=rows_N, context_length=CONTEXT), **(values | changes))


def made_up_cell(folder: Path, panel: Panel | None = None, *, graph: GraphParams | None = None) -> MadeUpCell:
    """A cell whose cube lies in `folder`."""
    params = question(graph=graph)
    inputs = with_graph(build_inputs(made_up(seed=4) if panel is None else panel, params), params)
    key = cube_key(inputs, params.target, params.horizons, graph_of(inputs, params))
    path = build_cube(folder, key, cube_contents(inputs, params.target, params.horizons))
    rules = dataclasses.replace(PanelSplitParams(), validation_fraction=0.2, test_fraction=0.2)
    splits = cut_days(inputs.axis, rules, CONTEXT, params.span(max(params.horizons)))
    return MadeUpCell(params=params, inputs=inputs, splits=splits, cube=open_cube(path, key))
