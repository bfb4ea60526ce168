"""A small finished study on disk, whose scores, law and report come from the code that makes them; only the forecasts
are made up."""

from __future__ import annotations

import numpy as np
import pandas as pd
from tests.report import studies as records
from tests.studies import make_study, params_of

from tsladder.artifacts.audit import SERIES_PROBES
from tsladder.artifacts.plans import write_plan
from tsladder.artifacts.store import read_json, write_json
from tsladder.evaluation.baselines import Forecast
from tsladder.evaluation.class_scores import score_class_region
from tsladder.evaluation.decision import choose_on_validation
from tsladder.evaluation.predictions import predictions_frame
from tsladder.evaluation.region import RegionForecasts
from tsladder.law.build import law_of_study
from tsladder.law.scaling import write_law
from tsladder.params import EvaluationParams
from tsladder.planning.across_cells import plan_files
from tsladder.planning.cells import plan_cells
from tsladder.report.build import build_report
from tsladder.vocabulary import Cell, Region

SIZES = {"12k": 12_757, "30k": 29_801, "80k": 79_001, "200k": 203_456}
FAILED = Cell("200k", 3)
OPEN = Cell("80k", 3)
DAYS = 160
REASON = "none of 7 trials ended with a validation loss (7 error)"


def write_study(folder, *, opened=(), reason=REASON):
    """Places of a study of four rungs at horizons 1 and 3: one cell failed, those in `opened` are not built yet."""
    places = make_study(folder, budget="200k", ladder=[*SIZES, "2M"], horizons=[1, 3])
    params = params_of(places)
    plans = plan_cells(params)
    for path, plan in plan_files(places, params, plans, supplement_offered=False).items():
        write_plan(path, plan)
    for cell in params.cells:
        if not params.is_planned(cell):
            write_json(places.scores(cell) / "scores.json", {**records.head(cell), "status": "not_planned"})
        elif cell == FAILED:
            _write_failed(places, cell, reason)
        elif cell not in opened:
            _write_scored(places, cell)
    _write_inputs(places)
    return places


def finish(places):
    """Law and report, as the stages fit and report leave them."""
    params = params_of(places)
    write_law(places.law, law_of_study(places, params))
    build_report(places, params)
    return places


def _write_inputs(places):
    write_json(places.features / "manifest.json", records.manifest())
    (places.features / "features.parquet").write_bytes(b"a table of features")
    write_json(
        places.splits / "splits.json", {"kind": "dates", "horizons": {"1": records.split(), "3": records.split()}}
    )
    for horizon in (1, 3):
        write_json(places.horizon_splits(horizon), records.whole_splits(horizon))
    probes = [
        {"name": name, "title": title, "passed": True, "numbers": {"windows": 36}, "words": "Nothing was seen."}
        for name, title in SERIES_PROBES.items()
    ]
    write_json(places.audit / "audit.json", {"passed": True, "probes": probes})
    write_json(places.supplementary / "selection.json", {"status": "not_planned", "reason": "one phase"})
    write_json(places.transfer / "transfer.json", {"status": "not_planned", "reason": "search.transfer is false"})


def _write_failed(places, cell, reason):
    ending = {**records.head(cell), "status": "failed", "reason": reason}
    write_json(places.choice(cell), ending)
    write_json(places.models(cell) / "status.json", ending)
    write_json(places.scores(cell) / "scores.json", ending)
    write_json(places.timings(cell), {"cell": str(cell), "seeds": {}})


def _write_scored(places, cell):
    n_params = SIZES[cell.budget]
    records.write_searched(places, cell, n_params)
    # What a reader of the report never asks for, and no capsule holds.
    for seed in (1, 2, 3):
        (places.models(cell) / f"seed-{seed}").mkdir(parents=True)
        (places.models(cell) / f"seed-{seed}" / "model.safetensors").write_bytes(b"weights" * 100)
    write_json(places.models(cell) / "status.json", {"cell": str(cell), "status": "done", "seeds": [1, 2, 3]})
    regions, frames = {}, []
    forecasts = {region: _forecasts(cell, region) for region in (Region.VALIDATION, Region.TEST)}
    choices = choose_on_validation(*forecasts[Region.VALIDATION][:2])
    for region, (y_N, probabilities, baselines, dates_N) in forecasts.items():
        scores = score_class_region(
            RegionForecasts(
                y_N=y_N,
                dates_N=dates_N,
                fingerprint=f"{cell.horizon}" * 64,
                by_seed=probabilities,
                baselines=baselines,
                seed=cell.horizon,
            ),
            train_rate=0.25,
            params=EvaluationParams(bootstrap_draws=100, confidence=0.95),
            choices=choices,
        )
        regions[region] = scores.to_json()
        frames.append(predictions_frame(region, y_N, dates_N, probabilities, baselines))
    choice = read_json(places.choice(cell))
    sizes = {name: choice[name] for name in ("n_params", "n_params_blocks", "n_params_body", "off_budget")}
    head = {**records.head(cell), "status": "done", "precision": "fp32", **sizes}
    write_json(places.scores(cell) / "scores.json", {**head, "regions": regions})
    pd.concat(frames, ignore_index=True).to_parquet(places.scores(cell) / "predictions.parquet", index=False)


def _forecasts(cell, region):
    """Labels and days of the horizon, and forecasts that grow a little sharper with the rung."""
    of_horizon = np.random.default_rng([cell.horizon, len(region)])
    y_N = (of_horizon.random(DAYS) < 0.3).astype(float)
    sharper = 0.12 + 0.02 * list(SIZES).index(cell.budget)
    noise = np.random.default_rng([SIZES[cell.budget], cell.horizon, len(region)])
    probabilities = {
        seed: np.clip(0.3 + sharper * (2 * y_N - 1) + 0.08 * noise.normal(size=DAYS), 0.02, 0.98) for seed in (1, 2, 3)
    }
    baselines = (
        Forecast(name="volatility_logistic", p_N=np.clip(0.3 + 0.1 * of_horizon.normal(size=DAYS), 0.05, 0.9)),
        Forecast(name="persistence", p_N=np.full(DAYS, 0.28)),
    )
    return y_N, probabilities, baselines, np.datetime64("2015-01-05") + np.arange(DAYS)
