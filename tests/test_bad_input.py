"""Bad input as a user gives it: one message, exit code 2, nothing written, nothing lost."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest

from tests.studies import environment, make_study, params_of, stage, synthetic_bars, verb
from tsladder.cli import main
from tsladder.places import Places
from tsladder.stage import exit_code


@dataclass(frozen=True, kw_only=True)
class Done:
    """What a command or a stage said in this process; whatever it raised beside its refusals fails the test."""

    returncode: int
    stdout: str
    stderr: str


@dataclass(frozen=True, kw_only=True)
class Here:
    """Commands and stages run in this process."""

    monkeypatch: pytest.MonkeyPatch
    capsys: pytest.CaptureFixture[str]

    def tsladder(self, places: Places, *arguments: str) -> Done:
        self.monkeypatch.chdir(places.root)
        self.monkeypatch.delenv("DVC_ROOT", raising=False)
        return self._done(lambda: main(arguments))

    def stage(self, places: Places, name: str) -> Done:
        return self._done(lambda: exit_code(lambda: verb(name)(places, params_of(places))))

    def _done(self, work: Callable[[], int]) -> Done:
        self.capsys.readouterr()
        code = work()
        said = self.capsys.readouterr()
        return Done(returncode=code, stdout=said.out, stderr=said.err)


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Here:
    return Here(monkeypatch=monkeypatch, capsys=capsys)


def refused(done: subprocess.CompletedProcess[str] | Done, *words: str) -> None:
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    for word in words:
        assert word in done.stderr


def tsladder(places: Places, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tsladder.cli", *arguments],
        cwd=places.root,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )


def duplicate_date(frame: pd.DataFrame) -> pd.DataFrame:
    frame.loc[5, "Date"] = frame.loc[4, "Date"]
    return frame


def missing_price(frame: pd.DataFrame) -> pd.DataFrame:
    frame.loc[7, "Close"] = None
    return frame


def high_below_low(frame: pd.DataFrame) -> pd.DataFrame:
    frame.loc[9, "High"] = frame.loc[9, "Low"] - 1.0
    return frame


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (duplicate_date, ("2010-01-07",)),
        (missing_price, ("Close", "2010-01-12")),
        (high_below_low, ("High", "is below Low", "2010-01-14")),
    ],
)
def test_a_faulty_bars_file_is_refused_with_row_and_date(
    tmp_path: Path, here: Here, spoil: Callable[[pd.DataFrame], pd.DataFrame], words: tuple[str, ...]
) -> None:
    places = make_study(tmp_path)
    spoil(synthetic_bars()).to_parquet(places.bars("tiny"), index=False)
    refused(here.stage(places, "features"), "tiny.parquet", *words)
    assert not places.artifacts.exists()


@pytest.mark.parametrize("content", [b"", b"Date,Open,High\n2010-01-01,1,2\n"])
def test_a_file_that_is_no_parquet_is_refused(tmp_path: Path, here: Here, content: bytes) -> None:
    places = make_study(tmp_path)
    places.bars("tiny").write_bytes(content)
    refused(here.stage(places, "features"), "tiny.parquet")
    assert not places.artifacts.exists()


def test_data_that_was_not_pulled_says_how_to_pull_it(tmp_path: Path) -> None:
    places = make_study(tmp_path)
    places.bars("tiny").unlink()
    (tmp_path / "data.dvc").write_text("outs:\n- path: data\n")
    refused(stage(places, "features", check=False), "dvc pull data.dvc")
    refused(tsladder(places, "run"), "dvc pull data.dvc")
    assert not places.artifacts.exists()


def test_a_horizon_longer_than_the_data_is_refused(tmp_path: Path, here: Here) -> None:
    places = make_study(tmp_path, horizons=[249])
    synthetic_bars(440).to_parquet(places.bars("tiny"), index=False)
    here.stage(places, "features")
    refused(here.stage(places, "splits"), "249")
    assert not places.splits.exists()


def test_too_few_positives_are_refused_with_the_split_the_count_and_ways_out(tmp_path: Path, here: Here) -> None:
    places = make_study(tmp_path, target__task="threshold_5pct", splits__min_positives=30)
    here.stage(places, "features")
    refused(here.stage(places, "splits"), "validation", "test", "min_positives")
    assert not places.splits.exists()


def test_the_earlier_studys_split_is_refused_unless_overridden(tmp_path: Path, here: Here) -> None:
    leaves = {"splits__kind": "chunks", "splits__windows_per_block": 1}
    places = make_study(tmp_path / "refused", **leaves, splits__min_positives=30)
    here.stage(places, "features")
    refused(here.stage(places, "splits"), "min_positives")
    overridden = make_study(tmp_path / "overridden", **leaves, splits__min_positives=0)
    here.stage(overridden, "features")
    here.stage(overridden, "splits")
    assert overridden.splits.exists()


@pytest.mark.parametrize(
    ("leaf", "value", "word"),
    [("budget", "7Q", "12k, 30k"), ("study__seed", "x", "study.seed"), ("hardware__memory_gib", 1e6, "memory_gib")],
)
def test_faulty_params_stop_every_command_before_it_writes(
    tmp_path: Path, here: Here, leaf: str, value: object, word: str
) -> None:
    places = make_study(tmp_path, **{leaf: value})
    if leaf == "hardware__memory_gib":
        refused(here.tsladder(places, "plan"), word)
    else:
        for command in ("plan", "status", "run"):
            refused(here.tsladder(places, command), word)
        refused(here.stage(places, "features"), word)
    assert not places.artifacts.exists()


@pytest.mark.skipif(shutil.which("nvidia-smi") is not None, reason="this machine may have a GPU")
@pytest.mark.parametrize("command", ["plan", "run"])
def test_a_device_that_is_not_there_stops_a_command_before_it_writes(tmp_path: Path, here: Here, command: str) -> None:
    places = make_study(tmp_path, hardware__device="cuda", data__symbol="tiny")
    refused(here.tsladder(places, command), "hardware.device is cuda", "set auto or cpu")
    assert not places.artifacts.exists()
    assert not places.mlruns.exists()


def test_a_budget_off_the_ladder_on_the_command_line_lists_the_rungs(tmp_path: Path, here: Here) -> None:
    refused(here.tsladder(make_study(tmp_path), "plan", "--budget", "9M"), "12k, 30k")


def test_a_folder_that_is_no_study_says_so(tmp_path: Path, here: Here) -> None:
    refused(here.tsladder(Places(tmp_path, tmp_path), "status"), "params.yaml")
