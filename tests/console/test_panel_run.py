"""`tsladder run` in a panel study, with a stand-in for DVC: what it asks DVC for, what it prints, and whose records it
touches."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from tests.status import written
from tests.status.panel_written import CELL, live_search, plans_of, write_panel_study, write_params

from tsladder.cli import main
from tsladder.places import Places

STAND_IN = """
import json, sys
from pathlib import Path

with Path("asked.jsonl").open("a") as stream:
    stream.write(json.dumps(sys.argv[1:]) + "\\n")
print("Running stage 'hpo@12k-1':", flush=True)
"""


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Places:
    """A finished study, from whose folder DVC is asked."""
    places = write_panel_study(tmp_path, monkeypatch)
    (places.root / "dvc.py").write_text(STAND_IN)
    monkeypatch.chdir(places.project)
    monkeypatch.delenv("DVC_ROOT", raising=False)
    return places


def asked(places: Places) -> list[list[str]]:
    return [json.loads(line) for line in (places.root / "asked.jsonl").read_text().splitlines()]


def test_a_whole_run_ends_with_the_verdicts_and_the_level_to_beat(
    study: Places, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--study", "panel", "run"]) == 0
    out = capsys.readouterr().out
    assert asked(study) == [["repro"]]
    assert "PASS  12k-h1  fresh        6/6 trials" in out
    assert "SKIP  50k-h1  not planned" in out
    assert out.index("PASS  12k-h1") < out.index("h1  flat") < out.index("to beat") < out.index("Report: ")
    assert str(study.report / "report.md") in out
    assert "Compare trials: tsladder ui" in out


@pytest.mark.parametrize(
    ("arguments", "targets"),
    [
        (["--only", "25k-h1", "12k-h1"], ["evaluate@12k-1", "evaluate@25k-1"]),
        (["--from", "25k-h1"], ["evaluate@25k-1"]),
    ],
)
def test_a_part_of_the_cells_asks_for_their_scores_alone(
    arguments: list[str], targets: list[str], study: Places, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", "--study", "panel", *arguments]) == 0
    assert asked(study) == [["repro", *targets]]
    assert "The law and the report were not built" in capsys.readouterr().out


def test_retrying_a_failed_cell_sets_its_own_record_aside_and_not_that_of_the_series(
    study: Places, capsys: pytest.CaptureFixture[str]
) -> None:
    own = live_search(study, plans_of(study, "12k-h1"))
    series = study.every_study / f"12k-h1-{'0' * 16}"
    series.mkdir(parents=True)
    written.fail(study, CELL, "none of 6 trials ended with a loss")
    assert main(["--study", "panel", "run", "--retry-failed"]) == 1
    assert asked(study)[-1] == ["repro"]
    assert not own.exists()
    assert [path.name.partition("-")[0] for path in own.parent.glob(f"*{own.name}")] == ["failed"]
    assert series.is_dir()
    assert "FAIL  12k-h1" in capsys.readouterr().out


def test_without_a_top_rung_the_run_ends_with_the_level_to_beat_alone(
    study: Places, capsys: pytest.CaptureFixture[str]
) -> None:
    write_params(study, budget=None)
    shutil.rmtree(study.law)
    assert main(["--study", "panel", "run"]) == 0
    out = capsys.readouterr().out
    assert asked(study) == [["repro"]]
    assert "12k-h1" not in out
    assert "verdict" not in out
    assert "to beat" in out
    assert "Compare baselines: tsladder ui" in out


def test_the_report_names_verdicts_level_and_cells_that_are_not_fresh(
    study: Places, capsys: pytest.CaptureFixture[str]
) -> None:
    write_params(study, train__seeds=3)
    assert main(["--study", "panel", "report"]) == 0
    out, err = capsys.readouterr()
    assert out.startswith("h1  flat")
    assert "to beat" in out
    assert "stale: 12k-h1, 25k-h1" in err
