"""What ingestion found and changed reaches the report and the verdict: from a file with planted faults to the page."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest
from tests.capsule import finished
from tests.report import studies
from tests.studies import params_of, synthetic_bars, verb

from tsladder.artifacts.law import law_json
from tsladder.artifacts.store import read_json
from tsladder.cli import main
from tsladder.law.build import law_of_study
from tsladder.places import Places
from tsladder.report.build import build_report
from tsladder.report.summary import verdict_lines

PRICES = ["Open", "High", "Low", "Close"]
SPLIT, GAP, DROPPED = 860, range(400, 425), 500
WIDENED = (810, 815, 820)
STEP = 0.2


def planted() -> pd.DataFrame:
    """Bars with a split in test, a gap of five weeks in training, three days whose High lies below their Close, and a
    day whose Close is no number."""
    frame = synthetic_bars().round(dict.fromkeys(PRICES, 4))
    frame.loc[SPLIT:, PRICES] = (frame.loc[SPLIT:, PRICES] / 2).round(4)
    for row in WIDENED:
        frame.loc[row, "Open"] = frame.loc[row, "Low"]
        frame.loc[row, "High"] = round(frame.loc[row, "Close"] / (1 + STEP), 4)
        frame.loc[row, "Low"] = frame.loc[row, "Open"] = min(frame.loc[row, "Low"], frame.loc[row, "High"])
    frame = frame.astype({"Close": object})
    frame.loc[DROPPED, "Close"] = "oops"
    return frame.drop(index=list(GAP))


def day(row: int) -> str:
    return str(synthetic_bars()["Date"][row].date())


def ingest(places: Places, frame: pd.DataFrame, *options: str, monkeypatch: pytest.MonkeyPatch) -> None:
    frame.to_csv(places.root / "prices.csv", index=False)
    with monkeypatch.context() as there:
        there.chdir(places.root)
        assert main(["ingest", "prices.csv", "--symbol", "tiny", "--force", *options]) == 0


def report_of_bars(places: Places) -> Places:
    """Law and report of the bars that are there; the scores are made up."""
    for name in ("inputs", "features", "splits", "ingestion"):
        verb(name)(places, params_of(places))
    return finished.finish(places)


def section(places: Places) -> str:
    text = (places.report / "report.md").read_text()
    return text.split("### What ingestion found and changed")[1].split("\n## ")[0]


def warnings(places: Places, horizon: int = 1) -> list[str]:
    found: list[str] = read_json(places.law / "scaling.json")["horizons"][str(horizon)]["warnings"]
    return found


@pytest.fixture(scope="module")
def scored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study with made-up scores and neither law nor report."""
    return finished.write_study(tmp_path_factory.mktemp("scored")).root


@pytest.fixture
def study(scored: Path, tmp_path: Path) -> Places:
    shutil.copytree(scored, tmp_path / "study")
    return Places(tmp_path / "study", tmp_path / "study")


def test_planted_faults_stand_in_the_data_section_and_beside_every_verdict(
    study: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    ingest(study, planted(), "--repair", "range", "--drop-faulty-rows", monkeypatch=monkeypatch)
    report_of_bars(study)
    said = section(study)
    rows = {line.split("|")[2].strip(): line for line in said.splitlines() if line.startswith("| tiny")}
    assert "by a factor of" in rows["Close changes by more than 40% within a day"]
    assert day(SPLIT) in rows["Close changes by more than 40% within a day"]
    assert f"({day(399)} to {day(425)})" in rows["no bars for more than 5 calendar days"]
    widened = rows["High or Low widened to Open and Close"]
    assert "by 20.00%" in widened
    assert "--repair range" in widened
    assert ", ".join(map(day, WIDENED)) in widened
    assert day(DROPPED) in rows["faulty row left out"]
    assert "--drop-faulty-rows" in rows["faulty row left out"]
    assert "CLOSE JUMPS" in said
    for horizon in (1, 3):
        beside = " | ".join(warnings(study, horizon))
        assert f"on {day(SPLIT)} (test), as an unadjusted split of 2:1 does" in beside
        assert f"from {day(399)} to {day(425)} (36 days, training)" in beside
        assert (
            f"1 day of tiny inside the days used was left out (1 of training; --drop-faulty-rows; first {day(DROPPED)})"
            in beside
        )
        assert (
            "--repair range widened High or Low of tiny to Open and Close on 3.0% of the test days (3 of 101)" in beside
        )
    page, text = ((study.report / name).read_text() for name in ("report.html", "report.md"))
    for place in (page, text, "\n".join(verdict_lines(study))):
        assert "as an unadjusted split of 2:1 does" in place
    before = read_json(study.law / "scaling.json")["horizons"]
    study.ingestion.unlink()
    without = law_json(law_of_study(study, params_of(study)))["horizons"]
    for horizon, law in before.items():
        assert {name: value for name, value in law.items() if name != "warnings"} == {
            name: value for name, value in json.loads(json.dumps(without))[horizon].items() if name != "warnings"
        }, "a caution changes no verdict"


def test_valid_bars_get_one_line_and_no_caution_beside_the_verdict(
    study: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    ingest(study, synthetic_bars(), monkeypatch=monkeypatch)
    report_of_bars(study)
    assert "ingested from prices.csv, 900 of 900 rows kept" in section(study)
    assert "Nothing stands out" in section(study)
    assert "no row was repaired or left out" in section(study)
    assert "| tiny" not in section(study)
    assert not any("tiny" in warning for warning in warnings(study))


def test_bars_without_a_record_are_looked_at_all_the_same(study: Places) -> None:
    frame = synthetic_bars()
    frame.loc[SPLIT:, PRICES] /= 2
    frame.to_parquet(study.bars("tiny"), index=False)
    report_of_bars(study)
    assert "no record of ingestion: data/tiny.parquet came without data/tiny.manifest.json" in section(study)
    assert any("unadjusted split of 2:1" in warning for warning in warnings(study))


def test_a_record_of_other_bars_is_reported_and_not_used(study: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    ingest(study, planted(), "--repair", "range", "--drop-faulty-rows", monkeypatch=monkeypatch)
    synthetic_bars(seed=3).to_parquet(study.bars("tiny"), index=False)
    report_of_bars(study)
    assert "is of other bars than data/tiny.parquet now holds" in section(study)
    assert "widened" not in section(study)
    assert not any("tiny" in warning for warning in warnings(study))


def test_a_study_older_than_the_stage_says_that_nothing_is_on_record(tmp_path: Path) -> None:
    places = studies.write_study(tmp_path)
    build_report(places, studies.study_params())
    assert "Not on record" in section(places)
