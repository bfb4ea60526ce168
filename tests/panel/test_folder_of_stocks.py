"""A person's folder of 40 CSV files becomes a panel study, under DVC in a project with a study of its own."""

from __future__ import annotations

import datetime
import json
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.panel_studies import panel_record
from tests.studies import ROOT
from tests.test_pipeline import NOTHING, Workspace
from tests.yaml_text import yaml_text

from tsladder.typed_yaml import parse_yaml, read_yaml

pytestmark = pytest.mark.slow

STOCKS, SESSIONS = 40, 1500
LATE: Mapping[str, int] = {"0003": 400, "0011": 700, "0019": 1000}
"""Stock -> the session with which it begins."""
DELISTED: Mapping[str, int] = {"0007": 1100, "0023": 1300}
"""Stock -> its last session."""
REVERSAL = 0.2
STAGES = ("features", "splits", "audit", "baselines", "plan", "fit", "report")
CELL = {"hpo@12k-1", "train@12k-1", "evaluate@12k-1", "pretrain@12k-1"}
"""Stages of the one rung, which say that nothing is planned."""


def write_stocks(folder: Path) -> None:
    """A file a stock, named by its code: random walks whose return goes against the mean of the five days before."""
    rng = np.random.default_rng(11)
    shock = rng.normal(0, 0.015, (SESSIONS, STOCKS))
    before = pd.DataFrame(shock).rolling(5).mean().shift(1).fillna(0.0).to_numpy()
    close = 80 * np.exp(np.cumsum(shock - REVERSAL * before, axis=0))
    days = pd.bdate_range("2012-01-02", periods=SESSIONS).strftime("%d.%m.%Y")
    folder.mkdir()
    for stock in range(STOCKS):
        code = f"{stock:04d}"
        first, last = LATE.get(code, 0), DELISTED.get(code, SESSIONS - 1)
        table = pd.DataFrame({"Date": days, "Close": close[:, stock].round(4), "Volume": 1000 + stock})
        table[first : last + 1].to_csv(folder / f"{code}.csv", index=False, sep=";")


class Project(Workspace):
    """The workspace of a series study, with the panel study beside it as it comes."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        shutil.copytree(ROOT / "panel", folder / "panel", ignore=shutil.ignore_patterns("artifacts", "dvc.lock"))
        record = panel_record(budget=None, ladder=["12k"])
        (folder / "panel" / "params.yaml").write_text(yaml_text(record))
        self.run("git", "add", "-A")
        self.run("git", "commit", "-qm", "panel")

    def told(self, *command: str) -> dict[str, Any]:
        """The JSON that `tsladder` prints."""
        record: dict[str, Any] = json.loads(self.run(sys.executable, "-m", "tsladder.cli", *command).stdout)
        return record

    def ask(self, *leaves: str) -> None:
        """Write leaf=value into the params.yaml of the panel study, days as text."""
        path = self.folder / "panel" / "params.yaml"
        record = read_yaml(path)
        for leaf in leaves:
            name, _, value = leaf.partition("=")
            section, key = name.split(".")
            read = parse_yaml(value, source=leaf)
            record[section][key] = value if isinstance(read, datetime.date) else read
        path.write_text(yaml_text(record))

    def panel_repro(self) -> set[str]:
        return self.ran("--cd", "panel", "repro")

    def dvc_status(self) -> Any:
        """What DVC says of the series study."""
        return json.loads(self.run(sys.executable, "-m", "dvc", "status", "dvc.yaml", "--json").stdout)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project whose series study has its windows cut, and a folder of stocks."""
    made = Project(tmp_path_factory.mktemp("folder"))
    made.ran("repro", "splits")
    write_stocks(made.folder / "quotes")
    return made


def test_a_folder_of_files_becomes_a_study_with_a_level_to_beat(project: Project) -> None:
    record = project.told("ingest", "quotes", "--panel", "mine", "--json")
    assert (record["stocks"], record["days"]) == (STOCKS, SESSIONS)
    assert record["stocks_gone_before_the_last_day"] == 2
    assert record["manifest"]["delisted"] == sorted(DELISTED)
    assert record["settings"][0] == "data.panel=mine"
    before = project.dvc_status()

    project.ask(*record["settings"])
    assert project.panel_repro() == {*STAGES, *CELL}

    state = project.told("--study", "panel", "status", "--json")
    assert state["panel"] == "mine"
    assert {state["stages"][name] for name in STAGES} == {"fresh"}
    level = state["horizons"]["1"]
    assert level["fresh"]
    assert level["days"] >= 250
    assert level["low"] > 0.02
    assert "reversal_5" in level["skilled"]
    assert (state["audit"], state["audit_fresh"]) == ("passed", True)
    page = (project.folder / "panel" / "artifacts" / "report" / "report.md").read_text()
    assert "0007" in page, "a stock that left is named"

    assert project.panel_repro() == NOTHING
    assert project.dvc_status() == before
    assert project.ran("repro", "splits") == {"inputs"}, "as after any new file in data/"


def test_the_same_folder_again_runs_nothing_and_another_price_runs_all(project: Project) -> None:
    assert project.told("ingest", "quotes", "--panel", "mine", "--json")["outcome"] == "unchanged"
    assert project.panel_repro() == NOTHING
    path = project.folder / "quotes" / "0001.csv"
    lines = path.read_text().splitlines()
    day, close, volume = lines[-1].split(";")
    path.write_text("\n".join([*lines[:-1], f"{day};{float(close) * 1.01:.4f};{volume}"]))
    assert project.told("ingest", "quotes", "--panel", "mine", "--force", "--json")["outcome"] == "replaced"
    assert "features" in project.panel_repro()


def test_an_experiment_asks_another_question_and_builds_what_it_touches_alone(project: Project) -> None:
    project.run("git", "add", "-A")
    project.run("git", "commit", "-qm", "the study of the folder")
    ran = project.ran("--cd", "panel", "exp", "run", "-S", "evaluation.cost_bps=1.0")
    assert {"baselines", "report"} <= ran <= {"baselines", "plan", "evaluate@12k-1", "fit", "report"}
    state = project.told("--study", "panel", "status", "--json")
    assert set(state["stages"].values()) == {"fresh"}


@pytest.mark.parametrize(
    ("leaf", "words"),
    [
        ("universe.min_stocks=41", "universe.min_stocks is 41, but no session has more than"),
        ("splits.min_days=400", "test needs 400 days with at least 10 stocks, has 250"),
    ],
)
def test_a_refused_question_keeps_what_is_there(project: Project, leaf: str, words: str) -> None:
    path = project.folder / "panel" / "params.yaml"
    kept = path.read_text()
    scores = project.folder / "panel" / "artifacts" / "baselines" / "h1" / "scores.json"
    before = scores.read_bytes()
    project.ask(leaf)
    try:
        done = project.run(sys.executable, "-m", "tsladder.cli", "--study", "panel", "run", check=False)
    finally:
        path.write_text(kept)
    assert done.returncode == 2, done.stderr
    assert words in done.stdout + done.stderr
    assert scores.read_bytes() == before
    assert project.panel_repro() == NOTHING
