"""What a training of each cell is expected to take before any has run: the forecast of `tsladder plan`, where it can be
had at once. Windows are those of the splits on disk, and no library of a device is loaded."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

from tsladder.console.live_records import held_gib
from tsladder.console.time_to_go import Forecasted
from tsladder.errors import BadInput, WorkFailed
from tsladder.params import Params
from tsladder.places import Places
from tsladder.planning.machine import needs_torch, survey
from tsladder.planning.run_length import run_length_on_disk
from tsladder.planning.rung_layout import lay_out_rung, training_time
from tsladder.search.forced_trials import forced_by_rung


@dataclass(frozen=True, kw_only=True, slots=True)
class Forecasts:
    """By cell name, those that are known; `factor`: how much slower than usual the machine is. `note`: why there are
    none, where something has to be done about it."""

    cells: Mapping[str, Forecasted]
    factor: float = 1.0
    note: str | None = None


def read_forecasts(places: Places, params: Params) -> Forecasts:
    """Nothing is run here: what a run would refuse is a note, and there are no forecasts."""
    if needs_torch(params.hardware):
        return Forecasts(cells={})
    try:
        machine = survey(params.hardware, places.calibration, ours_gib=held_gib(places, time.time()))
        forced = forced_by_rung(params)
        runs = {horizon: run_length_on_disk(places, params, horizon) for horizon in params.horizons}
    except (BadInput, WorkFailed) as refusal:
        return Forecasts(cells={}, note=f"times to come are not known: {refusal}")
    found = {}
    layouts = {rung: lay_out_rung(params, rung, machine, admitted.forced) for rung, admitted in forced.items()}
    for cell in params.cells:
        layout = layouts.get(cell.budget)
        one = None if layout is None else training_time(layout, machine, runs[cell.horizon])
        if layout is not None and one is not None:
            found[str(cell)] = Forecasted(
                expected=one.expected,
                at_most=one.at_most,
                workers=layout.workers,
                trial_factor=one.trial_expected / one.expected,
            )
    return Forecasts(cells=found, factor=1.0 if machine.rates is None else machine.rates.factor)
