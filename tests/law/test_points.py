import dataclasses
import json

import numpy as np
import pandas as pd
import pytest

from tsladder.errors import WorkFailed
from tsladder.evaluation.baselines import Forecast
from tsladder.evaluation.class_scores import score_class_region
from tsladder.evaluation.predictions import predictions_frame
from tsladder.evaluation.region import RegionForecasts
from tsladder.law.points import RungPoint, read_points, size_in_words
from tsladder.params import EvaluationParams

RNG = np.random.default_rng(0)
DATES = np.datetime64("2015-01-01") + np.arange(300)
TRUTH = np.clip(0.3 + 0.2 * RNG.normal(size=300), 0.05, 0.95)
Y = (RNG.random(300) < TRUTH).astype(np.float32)


def write_cell(folder, cell, n_params, blur, *, fingerprint="same", status="done", reason=None):
    budget, horizon = cell.split("-h")
    (folder / cell).mkdir(parents=True)
    record = {"cell": cell, "budget": budget, "horizon": int(horizon), "status": status, "reason": reason}
    if status == "done":
        forecasts = [Forecast(name="base_rate", p_N=np.full(300, 0.4)), Forecast(name="oracle", p_N=TRUTH)]
        probabilities = {
            k: np.clip(TRUTH + blur * np.random.default_rng(k).normal(size=300), 0.01, 0.99) for k in range(3)
        }
        regions, frames = {}, []
        for region, labels in (("validation", 1 - Y), ("test", Y)):
            scores = score_class_region(
                RegionForecasts(
                    y_N=labels,
                    dates_N=DATES,
                    fingerprint=fingerprint,
                    by_seed=probabilities,
                    baselines=forecasts,
                    seed=0,
                ),
                train_rate=0.4,
                params=EvaluationParams(bootstrap_draws=100, confidence=0.95),
            )
            regions[region] = scores.to_json()
            frames.append(predictions_frame(region, labels, DATES, probabilities, forecasts))
        record |= {
            "n_params": n_params,
            "n_params_blocks": n_params - 50,
            "n_params_body": n_params - 40,
            "off_budget": False,
            "precision": "fp32",
            "regions": regions,
        }
        pd.concat(frames).sample(frac=1, random_state=0).to_parquet(folder / cell / "predictions.parquet")
    (folder / cell / "scores.json").write_text(json.dumps(record, allow_nan=False))
    return record


def test_points_come_back_by_horizon_and_size_with_their_daily_losses(tmp_path):
    big = write_cell(tmp_path, "2M-h1", 2_000_000, 0.05)
    write_cell(tmp_path, "750k-h1", 750_000, 0.25)
    write_cell(tmp_path, "750k-h3", 0, 0, status="failed", reason="out_of_memory")
    points, dropped = read_points(tmp_path, ["2M-h1", "750k-h1", "750k-h3"], "test")
    assert [p.cell for p in points[1]] == ["750k-h1", "2M-h1"]
    assert points[3] == ()
    assert [(d.cell, d.reason) for d in dropped] == [("750k-h3", "out_of_memory")]
    point, scores = points[1][1], big["regions"]["test"]
    assert point.loss == pytest.approx(scores["mean"]["log_loss"])
    assert point.loss_N.mean() == pytest.approx(point.loss)
    assert point.se == pytest.approx(scores["log_loss_se"])
    np.testing.assert_array_equal(point.dates_N, DATES)
    assert point.has_skill
    assert point.baselines["oracle"] == pytest.approx(scores["baselines"]["oracle"]["log_loss"])
    assert point.n_params_blocks == 1_999_950


def test_a_planned_cell_without_scores_is_a_failure_and_not_a_gap(tmp_path):
    with pytest.raises(WorkFailed, match="2M-h1 is planned"):
        read_points(tmp_path, ["2M-h1"], "test")


def test_rungs_scored_on_other_windows_are_never_compared(tmp_path):
    write_cell(tmp_path, "2M-h1", 2_000_000, 0.05)
    write_cell(tmp_path, "750k-h1", 750_000, 0.25, fingerprint="other")
    with pytest.raises(WorkFailed, match="different windows or labels"):
        read_points(tmp_path, ["2M-h1", "750k-h1"], "test")


def test_scores_that_contradict_their_predictions_are_refused(tmp_path):
    record = write_cell(tmp_path, "2M-h1", 2_000_000, 0.05)
    record["regions"]["test"]["seeds"]["0"]["log_loss"] += 0.01
    (tmp_path / "2M-h1" / "scores.json").write_text(json.dumps(record))
    with pytest.raises(WorkFailed, match="disagree"):
        read_points(tmp_path, ["2M-h1"], "test")


def test_a_seed_that_misses_a_day_is_refused_and_never_averaged_over(tmp_path):
    write_cell(tmp_path, "2M-h1", 2_000_000, 0.05)
    path = tmp_path / "2M-h1" / "predictions.parquet"
    frame = pd.read_parquet(path)
    gone = (frame["model"] == "seed-1") & (frame["region"] == "test") & (frame["date"] == DATES[7])
    frame[~gone].to_parquet(path)
    with pytest.raises(WorkFailed, match=f"seed-1 has 299 of 300 days, the first missing one is {DATES[7]}"):
        read_points(tmp_path, ["2M-h1"], "test")
    frame[frame["date"] != DATES[7]].to_parquet(path)
    with pytest.raises(WorkFailed, match="every model has 299 of 300 days"):
        read_points(tmp_path, ["2M-h1"], "test")


@pytest.mark.parametrize("field", ["loss", "n_params"])
@pytest.mark.parametrize("value", [0.0, -1.0, np.nan, np.inf])
def test_what_has_no_logarithm_is_no_point(field, value):
    point = RungPoint(cell="2M-h1", n_params=2e6, loss=0.4)
    with pytest.raises(ValueError, match=field):
        dataclasses.replace(point, **{field: value})


@pytest.mark.parametrize(
    ("count", "words"),
    [(970_561, "971k"), (2e6, "2M"), (999_700, "1M"), (2.01e9, "2.01B"), (12_311, "12.3k"), (640, "640")],
)
def test_sizes_read_as_people_say_them(count, words):
    assert size_in_words(count) == words
