"""The panel study under DVC, in a project with a study of a series: what runs again, and above all what does not."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from tests.panel.made_up import ORIGIN, made_up
from tests.panel_studies import MODELS, SMALL, long_frame, panel_record
from tests.studies import ROOT
from tests.test_pipeline import NOTHING, Workspace
from tsladder.artifacts.scores import CellScores, read_scores
from tsladder.artifacts.store import read_json
from tsladder.panel.file import write_panel
from tsladder.tracking import MlflowTracker, RunStatus
from tsladder.typed_yaml import read_yaml

pytestmark = pytest.mark.slow

CELL = "12k-h1"
OF_CELL = ("hpo", "train", "evaluate", "pretrain")
BASELINES = {"features", "splits", "audit", "baselines"}


def of_cell(name: str) -> set[str]:
    return {f"{stage}@{name.replace('-h', '-')}" for stage in OF_CELL}


class PanelWorkspace(Workspace):
    """The workspace of a series study, and a panel study of made-up stocks with models of two rungs."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        shutil.copytree(ROOT / "panel", folder / "panel", ignore=shutil.ignore_patterns("artifacts", "dvc.lock"))
        record = panel_record(**(SMALL | MODELS))
        (folder / "panel" / "params.yaml").write_text(yaml.safe_dump(record, sort_keys=False))
        write_panel(folder / "data" / "made_up.parquet", long_frame(made_up(days=700)), ORIGIN)
        self.run("git", "add", "-A")
        self.run("git", "commit", "-qm", "panel")

    def panel_repro(self) -> set[str]:
        return self.ran("--cd", "panel", "repro")

    def experiment(self, *leaves: str, temporary: bool = False) -> set[str]:
        if not temporary:
            asked = [word for leaf in leaves for word in ("-S", leaf)]
            return self.ran("--cd", "panel", "exp", "run", *asked)
        # Paths to copy are those of the repository, so it is asked from there: data is no output of DVC here.
        asked = [word for leaf in leaves for word in ("-S", f"panel/params.yaml:{leaf}")]
        ran = self.ran("exp", "run", "--temp", "--copy-paths", "data", *asked, "panel/dvc.yaml")
        return {stage.removeprefix("panel/dvc.yaml:") for stage in ran}

    def ask(self, **leaves: Any) -> None:
        """Write leaves into the params.yaml of the panel study."""
        path = self.folder / "panel" / "params.yaml"
        record = read_yaml(path)
        for dotted, value in leaves.items():
            *sections, last = dotted.split("__")
            section = record
            for key in sections:
                section = section[key]
            section[last] = value
        path.write_text(yaml.safe_dump(record, sort_keys=False))

    def panel_status(self) -> dict[str, Any]:
        done = self.run(sys.executable, "-m", "tsladder.cli", "--study", "panel", "status", "--json")
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    def panel_states(self) -> dict[str, str]:
        return {name: cell["state"] for name, cell in self.panel_status()["cells"].items()}

    def series_status(self) -> Any:
        """What DVC says of the series study."""
        return json.loads(self.run(sys.executable, "-m", "dvc", "status", "dvc.yaml", "--json").stdout)

    def artifact(self, *parts: str) -> Path:
        return self.folder.joinpath("panel", "artifacts", *parts)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> PanelWorkspace:
    """A finished panel study; the tests below change it one after another and put back what they changed."""
    made = PanelWorkspace(tmp_path_factory.mktemp("panel-pipeline"))
    before = made.series_status()
    ran = made.panel_repro()
    assert {*BASELINES, "plan", "fit", "report"} | of_cell(CELL) <= ran
    assert made.series_status() == before
    return made


def test_a_second_repro_runs_nothing_and_status_says_fresh(workspace: PanelWorkspace) -> None:
    assert workspace.panel_repro() == NOTHING
    assert workspace.panel_states() == {CELL: "fresh", "25k-h1": "not_planned"}


def test_every_file_of_a_cell_is_there(workspace: PanelWorkspace) -> None:
    assert read_json(workspace.artifact("hpo", CELL, "choice.json"))["status"] == "done"
    trials = json.loads(workspace.artifact("hpo", CELL, "all_trials.json").read_text())
    assert [trial["number"] for trial in trials] == list(range(6))
    for number in range(6):
        metrics = read_json(workspace.artifact("hpo", CELL, f"trial_{number}", "metrics.json"))
        assert metrics["state"] == "COMPLETE"
        assert metrics["validation"]["rank_error"] == pytest.approx(metrics["rank_error"], abs=1e-12)
        assert metrics["optimizer"] == "AdamW"
    for seed in (1, 2):
        assert workspace.artifact("models", CELL, f"seed-{seed}", "model.safetensors").stat().st_size > 0
    scores = read_scores(workspace.artifact("scores", CELL, "scores.json"))
    assert isinstance(scores, CellScores)
    assert set(scores.regions["test"].seeds) == {"1", "2"}
    by_stock = pd.read_parquet(workspace.artifact("scores", CELL, "scores_by_stock.parquet"))
    assert list(by_stock.columns) == ["date", "symbol", "model", "score", "return"]
    law = read_json(workspace.artifact("law", "scaling.json"))["horizons"]["1"]
    assert law["verdict"] == "too_few_rungs"
    assert [point["cell"] for point in law["points"] if not point["dropped"]] == [CELL]
    assert CELL in workspace.artifact("report", "report.md").read_text()


def test_runs_are_nested_and_none_is_left_running(workspace: PanelWorkspace) -> None:
    runs = MlflowTracker(workspace.folder / "mlruns", "miniature-panel").runs()
    assert not [run.name for run in runs if run.status is RunStatus.RUNNING]
    (parent,) = [run for run in runs if run.name == CELL]
    children = {run.name for run in runs if run.parent_id == parent.run_id}
    assert {f"{CELL}/trial-{number:03d}" for number in range(6)} | {f"{CELL}/evaluation"} <= children
    assert {f"{CELL}/seed-1", f"{CELL}/seed-2"} <= children
    assert {"baselines-h1", "scaling-law"} <= {run.name for run in runs}


def test_the_next_rung_runs_only_its_own_cells_and_going_back_runs_none(workspace: PanelWorkspace) -> None:
    assert workspace.experiment("budget=25k") == {"plan", "fit", "report"} | of_cell("25k-h1")
    assert workspace.panel_states() == {CELL: "fresh", "25k-h1": "fresh"}
    workspace.ask(budget="12k")
    assert not [stage for stage in workspace.panel_repro() if "@12k" in stage or stage in BASELINES]
    assert workspace.panel_states() == {CELL: "fresh", "25k-h1": "not_planned"}


def test_without_a_budget_the_baselines_stay_as_they_are_and_a_budget_again_trains_nothing(
    workspace: PanelWorkspace,
) -> None:
    scores = workspace.artifact("baselines", "h1", "scores.json").read_bytes()
    workspace.ask(budget=None)
    assert not workspace.panel_repro() & BASELINES
    assert workspace.artifact("baselines", "h1", "scores.json").read_bytes() == scores
    assert "RankIC" in workspace.artifact("report", "report.md").read_text()
    workspace.ask(budget="12k")
    assert not [stage for stage in workspace.panel_repro() if "@" in stage]
    assert workspace.panel_states()[CELL] == "fresh"


def test_an_edit_of_a_message_or_a_comment_leaves_every_cell_fresh(workspace: PanelWorkspace) -> None:
    workspace.edit("src/tsladder/training/day_feed.py", "    def _drawn(", "    # a remark\n    def _drawn(")
    workspace.edit(
        "src/tsladder/cells/trial_records.py", 'f"trial {record.number + 1}/', 'f"Trial {record.number + 1}/'
    )
    assert workspace.panel_states()[CELL] == "fresh"
    assert workspace.panel_repro() == {"plan"}


def test_an_edit_of_another_family_leaves_every_cell_fresh(workspace: PanelWorkspace) -> None:
    workspace.edit("src/tsladder/families/panel/atft_gat_fan.py", "POSITION_SD = 0.02", "POSITION_SD = 0.03")
    assert not [stage for stage in workspace.panel_repro() if "@" in stage]


def test_an_edit_of_the_report_runs_the_report_alone(workspace: PanelWorkspace) -> None:
    workspace.edit("src/tsladder/report/panel/words.py", '"""', '"""Edited. ')
    assert workspace.panel_repro() == {"plan", "report"}


def test_a_parameter_of_the_law_or_the_machine_trains_nothing(workspace: PanelWorkspace) -> None:
    workspace.ask(law__alpha_of_interest=0.02)
    assert workspace.panel_repro() == {"fit", "report"}
    workspace.ask(hardware__workers=1)
    assert workspace.panel_repro() == NOTHING
    workspace.ask(law__alpha_of_interest=0.0025, hardware__workers=2)
    workspace.panel_repro()


def test_other_costs_score_again_and_train_nothing(workspace: PanelWorkspace) -> None:
    workspace.ask(evaluation__cost_bps=1.0)
    ran = workspace.panel_repro()
    assert {"baselines", "evaluate@12k-1", "report"} <= ran
    assert not [stage for stage in ran if stage.startswith(("hpo", "train", "pretrain"))]
    workspace.ask(evaluation__cost_bps=5.0)
    workspace.panel_repro()


def test_another_seed_trains_one_more_seed_and_searches_nothing(workspace: PanelWorkspace) -> None:
    record = workspace.artifact("timings", f"{CELL}.json")
    before = read_json(record)["seeds"]
    workspace.ask(train__seeds=3)
    ran = workspace.panel_repro()
    assert {"train@12k-1", "evaluate@12k-1"} <= ran
    assert "hpo@12k-1" not in ran
    after = read_json(record)["seeds"]
    assert {name: after[name] for name in before} == before, "the first two seeds were trained again"
    workspace.ask(train__seeds=2)
    workspace.panel_repro()


def test_another_loss_trains_the_cell_again_and_leaves_data_and_baselines_alone(workspace: PanelWorkspace) -> None:
    workspace.ask(training__loss_weights={"soft_spearman": 1.0})
    assert workspace.panel_states()[CELL] == "stale"
    ran = workspace.panel_repro()
    assert {"plan", "hpo@12k-1", "train@12k-1", "evaluate@12k-1", "fit", "report"} <= ran
    assert not ran & BASELINES
    workspace.ask(training__loss_weights={"ic": 1.0})
    assert not [stage for stage in workspace.panel_repro() if "@" in stage]


def test_a_temporary_experiment_asks_another_question_and_changes_nothing_here(workspace: PanelWorkspace) -> None:
    workspace.run("git", "add", "-A")
    workspace.run("git", "commit", "-qm", "as it is now")
    ran = workspace.experiment("evaluation.cost_bps=2.0", temporary=True)
    assert {"baselines", "evaluate@12k-1", "report"} <= ran
    assert not [stage for stage in ran if stage.startswith(("hpo", "train"))]
    assert workspace.panel_repro() == NOTHING


def test_run_prints_state_and_verdict_also_where_nothing_had_to_run(workspace: PanelWorkspace) -> None:
    done = workspace.run(sys.executable, "-m", "tsladder.cli", "--study", "panel", "run")
    assert f"PASS  {CELL}" in done.stdout
    assert "too_few_rungs" in done.stdout
    assert "report.md" in done.stdout


def test_the_series_study_is_as_it_was(workspace: PanelWorkspace) -> None:
    assert workspace.states() == {CELL: "pending", "30k-h1": "not_planned"}
    workspace.ran("repro", "splits")
    assert workspace.panel_repro() == NOTHING
