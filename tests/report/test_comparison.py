"""trials.csv and the run `comparison`: every trial of every planned cell, once, whatever its ending."""

import csv
import json

from tests.report import studies

from tsladder.report.build import build_report
from tsladder.report.comparison import COLUMNS
from tsladder.tracking import MemoryTracker


def rows_of(places):
    with (places.report / "trials.csv").open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def lines_of(places):
    """(cell, line) of every line in the searches' own files."""
    return [
        (path.parent.name, json.loads(line))
        for path in (places.artifacts / "hpo").glob("*/trials.jsonl")
        for line in path.read_text().splitlines()
    ]


def test_every_line_of_the_searches_is_a_row(tmp_path):
    places = studies.write_study(tmp_path)
    build_report(places, studies.study_params())
    rows = rows_of(places)
    assert tuple(rows[0]) == COLUMNS
    told = sorted((row["cell"], int(row["trial"]), row["stop_reason"]) for row in rows)
    assert told == sorted((cell, line["number"], line["stop_reason"]) for cell, line in lines_of(places))


def test_a_trial_without_a_loss_has_an_empty_field(tmp_path):
    places = studies.write_study(tmp_path)
    build_report(places, studies.study_params())
    failed = [row for row in rows_of(places) if row["state"] == "failed"]
    assert failed
    assert {row["val_loss"] for row in failed} == {""}


def test_the_run_that_compares_holds_report_tables_and_picture(tmp_path):
    places, tracker = studies.write_study(tmp_path), MemoryTracker()
    build_report(places, studies.study_params(), tracker=tracker)
    build_report(places, studies.study_params(), tracker=tracker)
    (run,) = tracker.runs()
    assert (run.name, run.tags["phase"], run.tags["horizon"]) == ("comparison", "fit", "1,3,5")
    held = {"report.html", "experiment_results.csv", "trials.csv"}
    assert set(tracker.artifacts[run.run_id]) - {"parallel.png"} == held


def test_a_folder_without_a_study_makes_no_run(tmp_path):
    tracker = MemoryTracker()
    build_report(studies.Places(tmp_path, tmp_path), studies.study_params(), tracker=tracker)
    assert tracker.runs() == ()
