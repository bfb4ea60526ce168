"""`tsladder compare`: two models of a study, paired by day."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from tests.studies import make_study

from tsladder.artifacts.store import write_json
from tsladder.cli import main
from tsladder.evaluation.baselines import Forecast
from tsladder.evaluation.predictions import predictions_frame
from tsladder.places import Places
from tsladder.vocabulary import Cell

DAYS = 400


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Places:
    """Two scored cells of one horizon, the larger one clearly better, and a scored one of another horizon."""
    places = make_study(tmp_path, budget="30k", horizons=[1, 3])
    monkeypatch.chdir(places.root)
    monkeypatch.delenv("DVC_ROOT", raising=False)
    for cell, sharpness, start in ((Cell("12k", 1), 0.1, 0), (Cell("30k", 1), 0.35, 0), (Cell("12k", 3), 0.1, 2)):
        _score(places, cell, sharpness, start)
    return places


def _score(places: Places, cell: Cell, sharpness: float, start: int) -> None:
    y_N = np.random.default_rng(5).integers(0, 2, DAYS).astype(float)
    dates_N = np.datetime64("2015-01-05") + np.arange(start, start + DAYS)
    noise = np.random.default_rng(cell.horizon)
    seeds = {
        k: np.clip(0.5 + sharpness * (2 * y_N - 1) + 0.05 * noise.normal(size=DAYS), 0.01, 0.99) for k in (1, 2, 3)
    }
    frame = predictions_frame("test", y_N, dates_N, seeds, [Forecast(name="persistence", p_N=np.full(DAYS, 0.5))])
    places.scores(cell).mkdir(parents=True)
    frame.to_parquet(places.scores(cell) / "predictions.parquet", index=False)
    write_json(places.scores(cell) / "scores.json", {"status": "done"})


def test_the_better_of_two_cells_is_named_with_its_interval(study: Places, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", "12k-h1", "30k-h1"]) == 0
    assert capsys.readouterr().out.startswith("30k-h1 is better than 12k-h1")
    assert main(["compare", "12k-h1", "30k-h1", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["low"] < found["difference"] < found["high"] < 0.0
    assert found["first_seeds"] == [1, 2, 3]


def test_a_cell_is_compared_with_its_baseline(study: Places, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", "30k-h1", "30k-h1:persistence"]) == 0
    assert capsys.readouterr().out.startswith("30k-h1 is better than persistence")


def test_a_model_cannot_be_distinguished_from_itself(study: Places, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", "30k-h1", "30k-h1"]) == 0
    assert "no significant difference" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("first", "second", "says"),
    [
        ("13k-h1", "30k-h1", "or 12k-h1 or"),
        ("12k-h1", "30k-h1:persistance", "did you mean persistence"),
        ("12k-h1", "30k-h3", "not built yet"),
        ("12k-h1", "12k-h3", "only 12k-h1 has 2015-01-05"),
    ],
)
def test_what_cannot_be_compared_is_refused_with_the_difference_named(
    study: Places, capsys: pytest.CaptureFixture[str], first: str, second: str, says: str
) -> None:
    assert main(["compare", first, second]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert says in err
