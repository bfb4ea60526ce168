"""Faulty params.yaml of a panel study: one message, exit code 2, and what is there stays as it is."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.panel_studies import DEFAULT_PANEL_PARAMS
from tests.studies import ROOT
from tests.yaml_text import yaml_text

from tsladder.cli import main
from tsladder.typed_yaml import parse_yaml, read_yaml

Refusal = Callable[..., str]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("stages", "panel"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("artifacts", "__pycache__"))
    for name in ("params.yaml", "dvc.yaml"):
        shutil.copy(ROOT / name, tmp_path)
    shutil.copy(DEFAULT_PANEL_PARAMS, tmp_path / "panel" / "params.yaml")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DVC_ROOT", raising=False)
    return tmp_path


@pytest.fixture
def refusal(project: Path, capsys: pytest.CaptureFixture[str]) -> Refusal:
    """The message of `tsladder --study panel run` with other leaves; nothing is written."""

    def run(*leaves: str, command: str = "run") -> str:
        path = project / "panel" / "params.yaml"
        record = read_yaml(path)
        for leaf in leaves:
            name, _, value = leaf.partition("=")
            *sections, key = name.split(".")
            section = record
            for each in sections:
                section = section[each]
            section[key] = parse_yaml(value, source=leaf)
        path.write_text(yaml_text(record))
        before = {file: file.read_bytes() for file in project.rglob("*") if file.is_file()}
        capsys.readouterr()
        assert main(["--study", "panel", command]) == 2
        out, err = capsys.readouterr()
        assert out == ""
        assert "Traceback" not in err
        assert err.count("tsladder: ") == 1
        assert {file: file.read_bytes() for file in project.rglob("*") if file.is_file()} == before
        return err

    return run


COUNTS = "must be a whole number: it counts sessions (days of trading), not calendar days"


@pytest.mark.parametrize(
    ("leaf", "words"),
    [
        ("splits.embargo_days=20d", f"splits.embargo_days: {COUNTS}, got '20d'"),
        ("splits.embargo_days=4 weeks", f"splits.embargo_days: {COUNTS}, got '4 weeks'"),
        ("splits.embargo_days=2.5", f"splits.embargo_days: {COUNTS}, got 2.5"),
        ("splits.embargo_days=-1", "splits.embargo_days: must be at least 0, got -1"),
        ("splits.purge_days=5d", f"splits.purge_days: {COUNTS} or null, got '5d'"),
        ("target.entry_lag=1d", f"target.entry_lag: {COUNTS}, got '1d'"),
        ("target.entry_lag=0", "target.same_close to true if that is meant"),
        ("target.entry_lag=-1", "target.entry_lag: must be at least 0, got -1"),
        ("target.task=threshold_1pct", "target.task: a panel is ranked, so it must be rank, got 'threshold_1pct'"),
        ("target.delisting_return=-1", "target.delisting_return: must be above -1 or null, got -1"),
        ("horizons=[1, 1]", "horizons: each must appear only once, got [1, 1]"),
        ("horizons=[]", "horizons: must be a list of at least one value"),
        ("horizons=[1w]", f"horizons[0]: {COUNTS}, got '1w'"),
        ("data.tier=s10", "data.tier: must be one of s9, c21, v27, o33, got 's10'"),
        ("data.panel=a/b", "data.panel: must be"),
        ("data.lags={nothing: 1}", "data.lags: must name columns of tier s9"),
        ("data.lags={ret_1: 1d}", "data.lags.ret_1: must be a whole number"),
        ("universe.min_stocks=1", "universe.min_stocks: must be at least 2, got 1"),
        ("universe.min_history=1y", f"universe.min_history: {COUNTS}, got '1y'"),
        ("universe.top=0", "universe.top: must be at least 1 or null, got 0"),
        ("splits.test_start=null", "splits.validation_start: give it together with splits.test_start"),
        ("splits.test_start=1977-01-01", "splits.test_start: must lie after splits.validation_start (1978-01-01)"),
        ("splits.validation_fraction=0.85", "with splits.test_fraction it must leave days to train on"),
        ("splits.kind=chunks", "splits.kind: must be"),
        ("splits.min_days=0", "splits.min_days: must be at least 1, got 0"),
        ("windows.normalisation=minmax", "windows.normalisation: must be"),
        ("evaluation.cost_bps=-1", "evaluation.cost_bps: must be at least 0"),
    ],
)
@pytest.mark.parametrize("command", ["run", "status"])
def test_a_leaf_that_cannot_be(refusal: Refusal, leaf: str, words: str, command: str) -> None:
    assert words in refusal(leaf, command=command)


def test_a_purge_that_is_too_short(refusal: Refusal) -> None:
    said = refusal("splits.kind=purged_kfold", "splits.purge_days=1")
    assert "splits.purge_days: must be at least target.entry_lag + horizon (2 sessions), got 1" in said


def test_all_faults_are_told_at_once(refusal: Refusal) -> None:
    said = refusal("splits.embargo_days=20d", "universe.min_stocks=1", "data.tier=x")
    assert "splits.embargo_days" in said
    assert "universe.min_stocks" in said


def test_a_panel_that_is_not_there(refusal: Refusal) -> None:
    assert "data/nothing.parquet is missing: run `dvc pull data.dvc` in " in refusal("data.panel=nothing")


def test_a_day_that_dvc_would_not_read(refusal: Refusal) -> None:
    said = refusal("splits.test_start=1982-01-01")
    assert 'splits.test_start: write the day in quotes, "1982-01-01"' in said
