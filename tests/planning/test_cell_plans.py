"""What of the question reaches a cell's plan files, and in which words."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from tests.studies import make_study, params_of

from tsladder.artifacts.record import json_of
from tsladder.params import StopParams
from tsladder.planning.cells import plan_cells


def test_naming_the_unit_of_a_stop_rule_leaves_finished_searches_what_they_are(tmp_path: Path) -> None:
    """The plan names the objective, and params.yaml is refused where the two differ."""
    params = params_of(make_study(tmp_path, search__objective="val_auc"))
    rule = StopParams(min_trials=3, top=2, spread=0.02)
    plans = []
    for metric in (None, "val_auc"):
        search = dataclasses.replace(params.search, stop=dataclasses.replace(rule, metric=metric))
        plans.append(plan_cells(dataclasses.replace(params, search=search))[0].search)
    assert plans[0] == plans[1]
    assert json_of(plans[0])["search"]["stop"] == {"min_trials": 3, "top": 2, "spread": 0.02}
    assert params.search.stop_rule is None
    assert plan_cells(params)[0].search.search.stop is None
