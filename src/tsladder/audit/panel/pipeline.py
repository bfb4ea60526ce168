"""Code of a panel study under audit: each step, from the panel to scores, as a callable function.

The probes call these functions and no other code of the study, so a leak in any step shows in what they return.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tsladder.audit.panel.learner import BASELINES, Floats, Learner, Mask
from tsladder.data.splits import Split
from tsladder.panel.days import sample_rows
from tsladder.panel.panel import Panel
from tsladder.panel.ranked_regions import baseline_table, known_in_training
from tsladder.panel.samples import PanelInputs, build_inputs, build_labels, with_graph
from tsladder.panel.targets import Labels
from tsladder.params import PanelParams
from tsladder.ranking.baselines import StockTable


@dataclass(frozen=True, kw_only=True, slots=True)
class PanelPipeline:
    """Steps of a panel study as functions.

    inputs    panel to members, normalised columns, sample days and, where the question has one, the graph
    labels    panel to the forward returns of all horizons
    samples   inputs, a region's segments and the span of a label to the rows of its sample days
    history   inputs and the training segments to history_T: sessions that the static order is made of
    table     inputs and y_TS of one horizon to the table of the baselines, on all sessions
    learners  models that are fitted on training days
    """

    inputs: Callable[[Panel], PanelInputs]
    labels: Callable[[Panel], Labels]
    samples: Callable[[PanelInputs, Split, int], NDArray[np.int64]]
    history: Callable[[PanelInputs, Split], Mask]
    table: Callable[[PanelInputs, Floats], StockTable]
    learners: tuple[Learner, ...] = BASELINES


def panel_pipeline(params: PanelParams) -> PanelPipeline:
    """Return the study's own steps under its own parameters."""
    return PanelPipeline(
        inputs=lambda panel: with_graph(build_inputs(panel, params), params),
        labels=lambda panel: build_labels(panel, params),
        samples=lambda inputs, split, span: sample_rows(inputs.axis, split, params.windows.context_length, span),
        history=known_in_training,
        table=baseline_table,
    )
