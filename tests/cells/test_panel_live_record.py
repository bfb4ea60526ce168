"""The live record of a panel study's search: found by `tsladder status` under the key that the search writes it to."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
from tests.panel.made_up import made_up
from tests.panel.questions import question
from tests.panel_studies import make_panel_study

from tsladder.artifacts.plans import SearchPlan, read_planned, write_plan
from tsladder.cells.work import open_cell
from tsladder.panel.build import build_panel_features
from tsladder.panel.samples import build_inputs
from tsladder.panel.split_files import build_panel_splits
from tsladder.params import load_panel_params
from tsladder.planning.cell_inputs import cell_inputs
from tsladder.planning.panel_cells import panel_plan_files
from tsladder.planning.plans import cell_key
from tsladder.vocabulary import Cell

CELL = Cell("12k", 1)


def test_the_key_of_a_search_follows_from_the_records_on_disk(tmp_path: Path) -> None:
    places = make_panel_study(tmp_path, budget="12k", ladder=["12k", "25k"])
    params = load_panel_params(places.params)
    build_panel_features(places, params)
    build_panel_splits(places, params)
    for path, plan in panel_plan_files(places, params).items():
        write_plan(path, plan)
    planned = read_planned(SearchPlan, places.search_plan(CELL))
    work = open_cell(places, params, CELL, planned)
    assert work.search_key == cell_key(planned, *cell_inputs(places, planned.question))
    assert places.study(CELL, work.search_key).parent == places.every_study / "panel"


def test_a_price_that_changes_no_column_changes_the_features_since_labels_are_made_of_it() -> None:
    panel = made_up(gaps=False)
    # Without ties, so that a tiny change leaves every rank as it is.
    close_TS = panel.close_TS * np.exp(np.random.default_rng(1).normal(0.0, 1e-4, panel.close_TS.shape))
    changed_TS = close_TS.copy()
    changed_TS[-1, 0] *= 1.0 + 1e-12
    one, other = (
        build_inputs(dataclasses.replace(panel, close_TS=prices_TS), question()) for prices_TS in (close_TS, changed_TS)
    )
    assert np.array_equal(one.inputs.x_TSF, other.inputs.x_TSF)
    assert one.fingerprint() != other.fingerprint()
