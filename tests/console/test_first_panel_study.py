"""What `tsladder ingest --panel` says is to be changed for a first study of the panel it stored."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.panel_studies import DEFAULT_PANEL_PARAMS
from tests.studies import ROOT

from tsladder.cli import main
from tsladder.errors import BadInput
from tsladder.panel.build import build_panel_features
from tsladder.panel.split_files import build_panel_splits
from tsladder.params import load_panel_params
from tsladder.places import Places


def walks(sessions: int, stocks: int, first_day: str = "2010-01-04", **late: int) -> pd.DataFrame:
    """A row a day and stock: random walks; `late`: sessions after which a stock (`s3`) begins."""
    rng = np.random.default_rng(7)
    close = (50 * np.exp(np.cumsum(rng.normal(0, 0.01, (sessions, stocks)), axis=0))).round(4).tolist()
    days = pd.bdate_range(first_day, periods=sessions).strftime("%Y-%m-%d")
    rows = [
        (day, f"s{stock}", close[place][stock])
        for place, day in enumerate(days)
        for stock in range(stocks)
        if place >= late.get(f"s{stock}", 0)
    ]
    return pd.DataFrame(rows, columns=["Date", "Symbol", "Close"])


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with the panel study as it comes, and no data."""
    for name in ("stages", "panel"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("artifacts", "__pycache__"))
    for name in ("params.yaml", "dvc.yaml", "data.dvc"):
        shutil.copy(ROOT / name, tmp_path)
    shutil.copy(DEFAULT_PANEL_PARAMS, tmp_path / "panel" / "params.yaml")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DVC_ROOT", raising=False)
    return tmp_path


def settings(frame: pd.DataFrame, capsys: pytest.CaptureFixture[str]) -> list[str]:
    frame.to_csv("mine.csv", index=False)
    capsys.readouterr()
    assert main(["ingest", "mine.csv", "--panel", "mine", "--json"]) == 0
    leaves: list[str] = json.loads(capsys.readouterr().out)["settings"]
    return leaves


def built(project: Path, *assignments: str) -> None:
    """Features and splits of the panel study, as the stages make them."""
    places = Places(project / "panel", project)
    params = load_panel_params(places.params, assignments)
    build_panel_features(places, params)
    build_panel_splits(places, params)


LATE = {f"s{stock}": 700 for stock in range(3)}


@pytest.mark.parametrize(
    ("frame", "leaves"),
    [
        (walks(3400, 12, "1973-01-01"), []),
        (walks(2600, 12), ["splits.validation_start=null", "splits.test_start=null"]),
        (walks(1500, 12), ["splits.validation_start=2013-05-16", "splits.test_start=2014-07-25"]),
        (
            walks(1500, 12, **LATE),
            ["universe.min_stocks=9", "splits.validation_start=2013-05-16", "splits.test_start=2014-07-25"],
        ),
        (walks(700, 12), ["splits.validation_start=2011-11-01", "splits.test_start=2012-04-05", "splits.min_days=51"]),
    ],
    ids=["as asked", "recent", "six years", "late", "short"],
)
def test_the_settings_are_those_under_which_the_stages_accept_the_panel(
    project: Path, frame: pd.DataFrame, leaves: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    told = settings(frame, capsys)
    assert told == ["data.panel=mine", *leaves]
    built(project, *told)
    if leaves:
        with pytest.raises(BadInput):
            built(project, "data.panel=mine")


def test_a_panel_that_no_settings_help_says_why(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    walks(270, 12).to_csv("mine.csv", index=False)
    assert main(["ingest", "mine.csv", "--panel", "mine"]) == 0
    last = capsys.readouterr().out.splitlines()[-1]
    assert last.startswith("next: no settings make a study of it yet: ")
    assert (project / "data" / "mine.parquet").exists()


def test_columns_that_the_panel_lacks_are_not_asked_for(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = project / "panel" / "params.yaml"
    text = path.read_text()
    for old, new in (("tier: s9", "tier: v27"), ("min_price: null", "min_price: 5.0"), ("top: null", "top: 500")):
        assert old in text
        text = text.replace(old, new, 1)
    path.write_text(text)
    told = settings(walks(3400, 12, "1973-01-01"), capsys)
    assert told == ["data.panel=mine", "data.tier=s9", "universe.min_price=null", "universe.top=null"]
    built(project, *told)


def test_of_many_stocks_some_are_drawn_on_each_training_day(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = settings(walks(500, 130), capsys)
    assert told[-1] == "training.stocks_per_day=64"
    assert load_panel_params(project / "panel" / "params.yaml", told).training.stocks_per_day == 64


def test_the_terminal_says_each_change_with_its_reason(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    walks(1500, 12).to_csv("mine.csv", index=False)
    assert main(["ingest", "mine.csv", "--panel", "mine"]) == 0
    told = [line for line in capsys.readouterr().out.splitlines() if line.startswith("next: ")]
    assert told == [
        "next: dvc add data, so that a study knows this panel by its content",
        ("next: splits.validation_start=2013-05-16: too few of these days lie between the dates in params.yaml"),
        (
            "next: cd panel && dvc exp run -S data.panel=mine -S splits.validation_start=2013-05-16 -S "
            "splits.test_start=2014-07-25 (or the same leaves in panel/params.yaml, days in quotes, then "
            "tsladder --study panel run)"
        ),
    ]


def test_a_dry_run_gives_the_same_settings_and_writes_nothing(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    walks(1500, 12).to_csv("mine.csv", index=False)
    assert main(["ingest", "mine.csv", "--panel", "mine", "--json", "--dry-run"]) == 0
    record: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert record["settings"][0] == "data.panel=mine"
    assert not (project / "data").exists()


def test_in_the_folder_of_the_study_its_own_question_is_asked(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(project / "panel")
    told = settings(walks(1500, 12), capsys)
    assert told[0] == "data.panel=mine"
    assert (project / "data" / "mine.parquet").exists()
