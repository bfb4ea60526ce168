"""A task is one file: a toy put into the package's folder is planned, trained, scored, audited and reported."""

from __future__ import annotations

import dataclasses
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from tests import warm_python
from tests.studies import ROOT, environment, make_study, params_of, prepare
from tests.tasks.contract import TaskContract

from tsladder import tasks
from tsladder.artifacts.plans import AuditPlan, read_planned
from tsladder.artifacts.store import read_json, read_lines
from tsladder.audit.build import open_subject
from tsladder.audit.planted import PLANTED, plant
from tsladder.errors import BadInput
from tsladder.params import load_params
from tsladder.planning.cells import plan_cells
from tsladder.tasks import task_with_metric
from tsladder.vocabulary import Cell

TOY = "sign"
TOYS = Path(__file__).parent / "toys"
CELL = Cell("12k", 1)


@pytest.fixture(scope="module")
def name() -> Iterator[str]:
    """The toy's name, while its file lies on the path on which tasks are found."""
    own = tasks.__path__
    tasks.__path__ = [*own, str(TOYS)]
    try:
        yield TOY
    finally:
        tasks.__path__ = own
        sys.modules.pop(f"tsladder.tasks.{TOY}", None)


class TestToyTask(TaskContract):
    pass


def test_params_take_the_names_of_tasks_from_the_folder(name: str, tmp_path: Path) -> None:
    assert params_of(make_study(tmp_path, target__task=name)).target.task == name
    with pytest.raises(BadInput, match=r"must be one of direction, .*, sign, .*threshold_5pct, got 'signs'"):
        params_of(make_study(tmp_path, target__task="signs"))


def test_params_refuse_a_loss_that_the_task_does_not_allow(name: str, tmp_path: Path) -> None:
    assert params_of(make_study(tmp_path, target__task=name, training__loss="brier")).training.loss == "brier"
    with pytest.raises(BadInput) as refused:
        load_params(make_study(tmp_path, target__task=name, training__loss="bce").params)
    assert refused.value.faults == ("training.loss: target.task sign is trained with brier, or auto; got bce",)
    with pytest.raises(BadInput) as refused:
        load_params(make_study(tmp_path, training__loss="brier").params)
    assert "threshold_1pct is trained with bce, focal, weighted_bce, soft_auc or label_smoothing" in str(refused.value)


def test_a_study_of_it_is_planned_with_its_own_loss(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    params = params_of(make_study(tmp_path, target__task=name))
    # Its code is fingerprinted where it lies in the package; here another task's stands for it.
    monkeypatch.setattr("tsladder.planning.cells.task_module", lambda _name: "tsladder.tasks.direction")
    (plan, *_) = plan_cells(params)
    assert plan.search.question.target.task == name
    assert plan.search.question.training.loss == "brier"


def test_its_labels_are_cut_into_regions_and_given_away_to_the_audit(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("cells", "across_cells"):
        monkeypatch.setattr(f"tsladder.planning.{module}.task_module", lambda _name: "tsladder.tasks.direction")
    places = make_study(tmp_path, target__task=name)
    prepare(places)
    subject = open_subject(places, read_planned(AuditPlan, places.audit_plan))
    y_T = subject.labels(1)
    np.testing.assert_array_equal(y_T[:-1], subject.table.close_T[1:] > subject.table.close_T[:-1])
    assert subject.pipeline.train(subject.windows(1), 1).p_N is not None
    planted = plant(subject.table, dataclasses.replace(subject.target), 1)
    assert planted.columns[-1] is PLANTED


def test_its_words_are_found_by_the_name_of_its_loss_and_no_others(name: str) -> None:
    assert task_with_metric("brier") is tasks.load(name)
    assert task_with_metric("pinball") is None


@pytest.mark.slow
def test_a_miniature_study_runs_with_one_file_dropped_in(tmp_path: Path) -> None:
    """In a copy of the checkout, through the stages as DVC runs them, from the labels to the report."""
    for room in ("src", "stages"):
        shutil.copytree(ROOT / room, tmp_path / room, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    shutil.copy(TOYS / f"{TOY}.py", tmp_path / "src" / "tsladder" / "tasks")
    places = make_study(tmp_path / "study", target__task=TOY, search__trials=2, train__seeds=2, ladder=["12k"])

    def run(stage: str, *arguments: str) -> None:
        script = str(tmp_path / "stages" / f"{stage}.py")
        done = warm_python.run([script, *arguments], places.root, environment() | {"PYTHONPATH": str(tmp_path / "src")})
        assert done.returncode == 0, f"{stage} ended with {done.returncode}:\n{done.stderr}"

    for stage in ("inputs", "features", "splits", "ingestion", "plan"):
        run(stage)
    assert "tsladder.tasks.sign" in read_json(places.search_plan(CELL))["code"]
    for stage in ("hpo", "train", "evaluate"):
        run(stage, "--cell", str(CELL))
    for stage in ("supplementary", "transfer", "audit", "fit", "report"):
        run(stage)
    scores = read_json(places.scores(CELL) / "scores.json")
    assert scores["metric"] == "brier"
    test = scores["regions"]["test"]
    assert test["base_rate_loss"] == pytest.approx(0.25, abs=0.02)
    trials = read_lines(places.hpo(CELL) / "trials.jsonl")
    assert all(trial["best_val_loss"] < 0.5 for trial in trials)
    assert trials[0]["base_rate_loss"] == pytest.approx(scores["regions"]["validation"]["base_rate_loss"])
    assert read_json(places.law / "scaling.json")["metric"] == "brier"
    assert read_json(places.audit / "audit.json")["passed"]
    said = (places.report / "report.md").read_text()
    assert "target sign of the return" in said
    assert "mean Brier losses in squared probability" in said
    for title in ("hit rate", "Brier loss", "share up"):
        assert title in said
    assert f"{test['mean']['brier']:.4f}" in said
    assert f"{test['mean']['hit_rate']:.3f}" in said
    assert "Can the probabilities be trusted" not in said
