"""Families, tasks, losses, splits and symbols are chosen independently: studies that choose several at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.studies import make_study, params_of, prepare, search_here, synthetic_bars, verb
from tsladder.artifacts.choice import read_winner
from tsladder.artifacts.plans import EvaluatePlan, TrainPlan, read_plan
from tsladder.artifacts.store import read_json, read_lines
from tsladder.audit import small_model
from tsladder.audit.build import audit_study
from tsladder.cells.scoring import score_cell
from tsladder.cells.work import open_cell
from tsladder.law.build import fit_law
from tsladder.places import Places
from tsladder.report.build import build_report
from tsladder.tasks import load as load_task
from tsladder.tracking import MemoryTracker
from tsladder.vocabulary import Cell

pytestmark = pytest.mark.slow

CELL = Cell("30k", 2)
STUDIES: dict[str, dict[str, Any]] = {
    "informer walks forward on a focal loss stopped by auc": {
        "model__family": "informer",
        "splits__kind": "walk_forward",
        "splits__folds": 2,
        "splits__validation_fraction": 0.3,
        "training__loss": "focal",
        "training__monitor": "val_auc",
    },
    "itransformer on returns of two symbols": {
        "model__family": "itransformer",
        "target__task": "regression",
        "data__symbols": ["tiny", "other"],
    },
    "returns walk forward under revin": {
        "target__task": "regression",
        "splits__kind": "walk_forward",
        "splits__folds": 2,
        "splits__validation_fraction": 0.3,
        "windows__normalisation": "revin",
    },
    "itransformer without volume and prices on two symbols": {
        "model__family": "itransformer",
        "data__volume": False,
        "data__ohlcv": False,
        "data__symbols": ["tiny", "other"],
    },
    "pairs of two symbols on a50": {
        "data__tier": "a50",
        "data__symbols": ["tiny", "other"],
        "training__loss": "soft_auc",
        "search__objective": "val_auc",
    },
    "direction by an itransformer on a200 by two phases": {
        "model__family": "itransformer",
        "data__tier": "a200",
        "target__task": "direction",
        "search__strategy": "two_phase",
        "search__preset": "two_phase",
        "search__objective": "val_auc",
        "search__presets__two_phase__space__epochs": {"choices": [1]},
    },
}


def built(folder: Path, leaves: dict[str, Any]) -> Places:
    """The study from bars to report, its one cell at 30k."""
    places = make_study(
        folder,
        **{
            "ladder": [CELL.budget],
            "budget": CELL.budget,
            "horizons": [CELL.horizon],
            "search__strategy": "random_search",
            "search__trials": 2,
            "search__presets__quick__space__epochs": {"choices": [1]},
            "train__seeds": 2,
            **leaves,
        },
    )
    synthetic_bars(900, seed=5).to_parquet(places.bars("other"), index=False)
    prepare(places)
    search_here(places, CELL)
    tracker = MemoryTracker()
    verb("train")(places, params_of(places), CELL, read_plan(TrainPlan, places.train_plan(CELL)))
    score_cell(
        open_cell(places, params_of(places), CELL, read_plan(EvaluatePlan, places.evaluate_plan(CELL))),
        read_winner(places.choice(CELL)),
        tracker,
    )
    audit_study(places)
    fit_law(places, params_of(places), tracker)
    build_report(places, params_of(places))
    return places


@pytest.fixture(autouse=True)
def audit_of_few_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Train the audit's small model for few of its steps: that it finds a leak is held by tests/audit."""
    monkeypatch.setattr(small_model, "STEPS", small_model.STEPS // 16)
    monkeypatch.setattr(small_model, "STEPS_OF_FEW", small_model.STEPS_OF_FEW // 16)


@pytest.mark.parametrize("name", STUDIES)
def test_a_study_that_chooses_several_at_once_runs_from_bars_to_report(name: str, tmp_path: Path) -> None:
    leaves = STUDIES[name]
    places = built(tmp_path, leaves)
    params = params_of(places)
    trials = read_lines(places.hpo(CELL) / "trials.jsonl")
    assert [trial["state"] for trial in trials] == ["complete", "complete"]
    assert all(len(trial["folds"]) == leaves.get("splits__folds", 0) for trial in trials)
    scores = read_json(places.scores(CELL) / "scores.json")
    assert scores["metric"] == load_task(params.target.task).metric
    test = scores["regions"]["test"]
    for loss in (test["mean"][load_task(params.target.task).metric], test["base_rate_loss"]):
        assert 0.0 < loss < 2.0
    assert set(scores.get("symbols", {})) == set(leaves.get("data__symbols", ()))
    assert scores["n_data"] == read_json(places.horizon_splits(CELL.horizon))["counts"]["train"]["windows"]
    law = read_json(places.law / "scaling.json")
    (point,) = law["horizons"][str(CELL.horizon)]["points"]
    assert (point["cell"], point["n_params"]) == (str(CELL), scores["n_params"])
    assert point["loss"] == pytest.approx(test["mean"][load_task(params.target.task).metric])
    # On so short a series a probe may be inconclusive, which is said beside the verdict and is no leak.
    outcomes = {probe["name"]: probe["outcome"] for probe in law["audit"]["probes"]}
    assert "failed" not in outcomes.values()
    assert {name for name, outcome in outcomes.items() if outcome == "inconclusive"} <= {"shuffled_targets"}
    assert law["horizons"][str(CELL.horizon)]["verdict"] == "too_few_rungs"
    assert str(CELL) in (places.report / "report.md").read_text()
