"""A study copied from its files is the one that its stages logged, and a second copy logs nothing."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.panel_studies import MODELS, make_panel_study, panel_params_of, prepare_panel
from tests.studies import make_study, params_of, prepare

from tsladder.artifacts.audit import PANEL_PROBES, SERIES_PROBES, AuditRecord, ProbeFinding, write_audit
from tsladder.artifacts.choice import read_winner
from tsladder.artifacts.plans import EvaluatePlan, SearchPlan, TrainPlan, read_planned
from tsladder.cells.panel_scoring import score_panel_cell
from tsladder.cells.retrain import train_winner
from tsladder.cells.scoring import score_cell
from tsladder.cells.search_cell import search_cell
from tsladder.cells.work import open_cell
from tsladder.cli import main
from tsladder.law.build import fit_law
from tsladder.panel.baseline_files import score_panel_baselines
from tsladder.params import AnyParams, PanelParams, Params
from tsladder.places import Places
from tsladder.report.build import build_report
from tsladder.report.panel.build import build_panel_report
from tsladder.study_copy.build import copy_study
from tsladder.tracking import CopyTracker, LoggedRun, MemoryTracker, MlflowStore, RunStatus
from tsladder.vocabulary import Cell

CELL = Cell("12k", 1)
LEFT_OUT_OF_SEEDS = {"base_rate_loss", "val_loss", "train_loss", "val_auc_by_epoch"}
"""What no file of a seed holds."""


@dataclass(frozen=True)
class Finished:
    """A study whose stages have run, and what they logged."""

    places: Places
    params: AnyParams
    tracker: MemoryTracker


def _work(places: Places, params: AnyParams, tracker: MemoryTracker) -> None:
    search_cell(open_cell(places, params, CELL, read_planned(SearchPlan, places.search_plan(CELL))), tracker)
    choice = read_winner(places.choice(CELL))
    train_winner(open_cell(places, params, CELL, read_planned(TrainPlan, places.train_plan(CELL))), choice, tracker)
    score = score_panel_cell if isinstance(params, PanelParams) else score_cell
    score(open_cell(places, params, CELL, read_planned(EvaluatePlan, places.evaluate_plan(CELL))), choice, tracker)
    names = PANEL_PROBES if isinstance(params, PanelParams) else SERIES_PROBES
    probes = [
        ProbeFinding(name=name, title=title, passed=True, numbers={"windows": 36}, words="Nothing was seen.")
        for name, title in names.items()
    ]
    write_audit(places.audit_record, AuditRecord(passed=True, probes=tuple(probes)))
    fit_law(places, params, tracker)
    if isinstance(params, PanelParams):
        build_panel_report(places, params, tracker=tracker)
    else:
        assert isinstance(params, Params)
        build_report(places, params, tracker=tracker)


@pytest.fixture(scope="module", params=["series", "panel"])
def finished(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Finished:
    tracker, folder = MemoryTracker(), tmp_path_factory.mktemp(request.param)
    if request.param == "series":
        places = make_study(folder, ladder=["12k"], search__trials=4)
        prepare(places)
        _work(places, params_of(places), tracker)
        return Finished(places, params_of(places), tracker)
    places = make_panel_study(folder, **(MODELS | {"ladder": ["12k"], "horizons": [1], "search__trials": 3}))
    prepare_panel(places)
    params = panel_params_of(places)
    score_panel_baselines(places, params, tracker=tracker)
    _work(places, params, tracker)
    return Finished(places, params, tracker)


def named(tracker: MemoryTracker) -> dict[tuple[str | None, str], LoggedRun]:
    """The runs by the name of their parent and their own."""
    runs = tracker.runs()
    names = {run.run_id: run.name for run in runs}
    found = {(names.get(run.parent_id or ""), run.name): run for run in runs}
    assert len(found) == len(runs)
    return found


@pytest.mark.slow
def test_a_copy_from_files_is_what_the_stages_logged(finished: Finished) -> None:
    copy = MemoryTracker()
    assert copy_study(finished.places, finished.params, copy) >= 3
    logged, copied = named(finished.tracker), named(copy)
    assert copied.keys() == logged.keys()
    for name, run in logged.items():
        found = copied[name]
        assert (found.status, found.params) == (run.status, run.params), name
        assert found.tags == run.tags, name
        left_out = LEFT_OUT_OF_SEEDS if run.tags["kind"] == "seed" else set()
        for metric, value in run.metrics.items():
            if metric not in left_out:
                other = found.metrics[metric]
                assert other == value or (math.isnan(other) and math.isnan(value)), (name, metric)
    files = {run.run_id: name for name, run in named(finished.tracker).items()}
    for run_id, artifacts in finished.tracker.artifacts.items():
        assert set(artifacts) <= set(copy.artifacts[copied[files[run_id]].run_id])


@pytest.mark.slow
def test_a_second_copy_into_a_store_logs_nothing_and_one_that_was_killed_is_completed(
    finished: Finished, tmp_path: Path
) -> None:
    class Killed(BaseException):
        pass

    class Dying(CopyTracker):
        def log_run(self, record):
            if self.logged["runs"] == 3:
                raise Killed
            return super().log_run(record)

    def copy(kind: type[CopyTracker] = CopyTracker) -> CopyTracker:
        tracker = kind(MlflowStore(tmp_path, "copied", print))
        copy_study(finished.places, finished.params, tracker)
        return tracker

    with pytest.raises(Killed):
        copy(Dying)
    first = copy()
    assert first.logged["runs"] > 3
    assert sum(copy().logged.values()) == 0
    runs = MlflowStore(tmp_path, "copied", print).runs()
    assert len(runs) == len(finished.tracker.runs())
    assert RunStatus.RUNNING not in {run.status for run in runs}


@pytest.mark.slow
def test_the_command_says_what_was_logged_and_the_second_time_that_nothing_was(
    finished: Finished, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(finished.places.root)
    monkeypatch.delenv("DVC_ROOT", raising=False)
    address = f"sqlite:///{tmp_path}/copy of mine.db"
    assert main(["sync", "--to", address]) == 0
    assert "1 cells" in capsys.readouterr().out
    assert main(["sync", "--to", address]) == 0
    assert capsys.readouterr().out.strip() == f"logged to {tmp_path}/copy of mine.db: nothing"


def test_a_copy_from_before_the_first_stage_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    places = make_study(tmp_path / "study")
    monkeypatch.chdir(places.root)
    monkeypatch.delenv("DVC_ROOT", raising=False)
    assert main(["sync", "--to", f"sqlite:///{tmp_path}/store.db"]) == 1
    assert "tsladder run" in capsys.readouterr().err


@pytest.mark.parametrize("address", ["ftp://host/x", "/a/path", "mlflow", "databricks", "postgresql://u:secret@host"])
def test_an_address_that_is_none_is_one_line_without_its_password(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["sync", "--to", address]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "--to must be the address of an MLflow store" in said
    assert "secret" not in said
    assert list(tmp_path.iterdir()) == []
