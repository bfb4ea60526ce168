"""The capsule of a panel study: packed, rebuilt and read into frames, without the panel and without what it holds."""

from __future__ import annotations

import json
import math
import zipfile
from pathlib import Path

import pytest
from tests.panel_studies import panel_record
from tests.report.panel import finished, made_up
from tests.yaml_text import yaml_text

import tsladder
from tsladder.artifacts.audit import PANEL_PROBES
from tsladder.capsule.layout import FORMAT, MANIFEST, SERIES_FORMAT
from tsladder.cli import main
from tsladder.errors import BadInput
from tsladder.law.build import law_of_study
from tsladder.law.scaling import write_law
from tsladder.params import load_panel_params
from tsladder.places import Places
from tsladder.report.panel.build import build_panel_report
from tsladder.vocabulary import ProbeOutcome


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Places:
    """Three scored rungs with their law and report, in a folder without any data."""
    places = finished.write_finished(tmp_path_factory.mktemp("made"), horizon=1, law=False)
    leaves = {"budget": "50k", "ladder": list(finished.LADDER), "horizons": [1]}
    record = panel_record(**leaves, evaluation__bootstrap_draws=100, train__seeds=len(finished.SEEDS))
    places.params.write_text(yaml_text(record))
    params = load_panel_params(places.params)
    made_up.write_audited(places, *[ProbeOutcome.PASSED] * len(PANEL_PROBES))
    write_law(places.law, law_of_study(places, params))
    build_panel_report(places, params)
    return places


@pytest.fixture(scope="module")
def capsule(made: Places, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("packed") / "study.zip"
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.chdir(made.root)
        assert main(["export", str(path)]) == 0
    return path


def names_in(capsule: Path) -> set[str]:
    with zipfile.ZipFile(capsule) as archive:
        return set(archive.namelist())


def test_it_holds_the_level_to_beat_and_no_return_of_a_stock(made: Places, capsule: Path) -> None:
    held = names_in(capsule)
    assert {"artifacts/baselines/h1/scores.json", "artifacts/baselines/h1/predictions.parquet"} <= held
    assert {f"artifacts/scores/{rung}-h1/predictions.parquet" for rung in finished.SIZES} <= held
    assert not any("by_stock" in name for name in held)
    assert list(made.root.rglob("scores_by_stock.parquet"))


def test_only_a_panel_needs_the_newer_format(capsule: Path) -> None:
    with zipfile.ZipFile(capsule) as archive:
        assert json.loads(archive.read(MANIFEST))["format"] == FORMAT
    assert SERIES_FORMAT < FORMAT


def test_law_and_tables_come_out_as_they_were(
    made: Places, capsule: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["report", "--from", str(capsule)]) == 0
    out = capsys.readouterr().out
    assert out.startswith("h1  ")
    assert "Every verdict and every number of the law is as stored in the capsule." in out
    built = tmp_path / "study"
    assert (built / "scaling.json").read_bytes() == (made.law / "scaling.json").read_bytes()
    tables = sorted(made.report.glob("*.csv"))
    assert "baselines.csv" in [path.name for path in tables]
    for path in tables:
        assert (built / path.name).read_bytes() == path.read_bytes()
    assert "Rebuilt from a study capsule" in (built / "report.md").read_text()


def test_frames_of_the_capsule_are_those_of_the_folder(made: Places, capsule: Path) -> None:
    ours, packed = tsladder.load_panel_study(made.root), tsladder.load_panel_study(capsule)
    for name in ("cells", "trials", "scores", "daily", "baselines"):
        assert getattr(packed, name).equals(getattr(ours, name)), name
    assert packed.laws.keys() == ours.laws.keys() == {1}
    assert packed.laws[1].verdict == ours.laws[1].verdict
    assert packed.by_stock.empty
    assert not ours.by_stock.empty
    # Without dvc.lock nothing is fresh.
    assert set(packed.not_fresh) == {f"{rung}-h1" for rung in finished.SIZES}


def test_frames_hold_what_the_files_of_the_study_say(made: Places) -> None:
    study = tsladder.load_panel_study(made.root)
    scores = json.loads((made.scores(finished.Cell("25k", 1)) / "scores.json").read_text())
    mean = scores["regions"]["test"]["mean"]
    row = study.scores.set_index(["cell", "region"]).loc["25k-h1", "test"]
    assert (row["rank_ic"], row["sharpe_net"]) == (mean["rank_ic"], mean["sharpe_net"])
    assert row["rank_ic_low"] < row["rank_ic"] < row["rank_ic_high"]
    cell = study.cells.set_index("cell").loc["25k-h1"]
    assert cell["n_params"] == finished.SIZES["25k"]
    assert cell["test_loss"] == mean["rank_error"] == 1.0 - mean["rank_ic"]
    own = study.daily[(study.daily["cell"] == "25k-h1") & (study.daily["region"] == "test")]
    assert set(own["model"]) == {"seed-1", "seed-2"}
    assert math.isclose(own["rank_ic"].mean(), mean["rank_ic"], abs_tol=1e-9)
    assert len(study.trials) == 4 * len(finished.SIZES)


def test_a_capsule_of_a_panel_is_no_study_of_a_series(capsule: Path) -> None:
    with pytest.raises(BadInput, match="load_panel_study"):
        tsladder.load_study(capsule)


def test_without_the_scores_of_the_baselines_nothing_is_packed(
    made: Places, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(made.root)
    level = made.baseline_scores(1)
    content = level.read_bytes()
    level.unlink()
    try:
        assert main(["export", str(tmp_path / "study.zip")]) == 1
    finally:
        level.write_bytes(content)
    said = capsys.readouterr().err
    assert "artifacts/baselines/h1/scores.json is missing" in said
    assert not (tmp_path / "study.zip").exists()
