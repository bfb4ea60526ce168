"""A small synthetic study on disk: scored, failed, overheated, open and unplanned cells."""

import dataclasses
import json

from tests.lines import seed_outcome, trial_line
from tests.small_records import (
    features_manifest,
    horizon_law,
    horizon_splits,
    not_planned,
    search_plan,
    study_law,
)
from tests.studies import DEFAULT_PARAMS

from tsladder.artifacts.plans import write_plan
from tsladder.artifacts.record import json_of
from tsladder.params import load_params
from tsladder.places import Places
from tsladder.vocabulary import Cell

LADDER = ("12k", "80k", "2M", "20M")
PNG = b"\x89PNG\r\n\x1a\n not a real picture"
SCORED = {"12k-h1": 12_757, "80k-h1": 79_001, "2M-h1": 2_100_333, "12k-h3": 11_841}
LEARNING_RATE = {"12k-h1": 0.001, "80k-h1": 0.001, "2M-h1": 0.0005, "12k-h3": 0.00121}
HEAT, RETRAINING = "none of 2 trials ended with a validation loss (2 thermal)", "retraining failed for seed 2: diverged"


def study_params():
    """Horizons 1, 3 and 5 of a ladder whose top rung is 2M, so that 20M is not planned."""
    params = load_params(DEFAULT_PARAMS)
    return dataclasses.replace(params, budget="2M", ladder=LADDER, horizons=(1, 3, 5))


def write(path, value):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(value if isinstance(value, str) else json.dumps(value))


def write_plans(places, planned=("12k", "80k", "2M")):
    for cell in study_params().cells:
        write_plan(places.search_plan(cell), search_plan(cell) if cell.budget in planned else not_planned(cell))


def write_study(root):
    """Everything but the law; `Places` of it."""
    places = Places(root, root)
    write_plans(places)
    for name, n_params in SCORED.items():
        write_searched(places, Cell.parse(name), n_params)
        write_scored(places, Cell.parse(name), n_params)
    heat, broken = Cell("12k", 5), Cell("80k", 3)
    write_searched(places, broken, 80_500)
    write(places.scores(broken) / "scores.json", {**head(broken), "status": "failed", "reason": RETRAINING})
    write(places.choice(heat), {**head(heat), "status": "failed", "reason": HEAT})
    write(places.scores(heat) / "scores.json", {**head(heat), "status": "failed", "reason": HEAT})
    write(places.hpo(heat) / "coverage.json", coverage(winner=None, spread=None, stop_reasons={"thermal": 2}))
    trials = [{**trial(0, None, 30.0), "state": "failed", "stop_reason": "thermal"}]
    write(places.hpo(heat) / "trials.jsonl", lines(trials))
    write(places.features / "manifest.json", manifest())
    write(places.splits / "splits.json", {"kind": "dates", "horizons": {"1": split(), "3": split(), "5": split()}})
    return places


def head(cell):
    return {"cell": str(cell), "budget": cell.budget, "horizon": cell.horizon}


def lines(records):
    return "".join(json.dumps(record) + "\n" for record in records)


def trial(number, loss, seconds):
    return trial_line(
        number,
        stop_reason="early_stopping",
        n_params=12_757,
        best_val_loss=loss,
        seconds=seconds,
        forced="largest d_model" if number == 0 else None,
    )


def write_searched(places, cell, n_params):
    architecture = {"d_model": 12, "n_layers": 6, "n_heads": 2, "d_ff": 24, "patch_len": 16, "stride": 8}
    settings = {
        "learning_rate": LEARNING_RATE.get(str(cell), 0.001),
        "weight_decay": 0.002,
        "dropout": 0.3 if cell.horizon == 1 else 0.36,
        "warmup_steps": 11,
        "epochs": 20,
    }
    counts = {"n_params": n_params, "n_params_blocks": n_params - 5_000, "n_params_body": n_params - 4_000}
    choice = {**head(cell), "status": "done", "architecture": architecture, "settings": settings, **counts}
    write(places.choice(cell), {**choice, "off_budget": False})
    best = {
        "experiment": f"6A_{cell.budget}_h{cell.horizon}_threshold_1pct",
        "architecture": architecture,
        "training": {**settings, "batch_size": 256},
        "param_count": n_params,
        "best_val_loss": 0.41,
        "n_trials": 2,
        "timestamp": "2020-01-02T03:04:05+00:00",
    }
    write(places.hpo(cell) / "best_params.json", best)
    write(places.hpo(cell) / "trials.jsonl", lines([trial(0, 0.42, 1.5), trial(1, 0.41, 2.25)]))
    write(places.hpo(cell) / "coverage.json", coverage())
    seeds = {f"seed-{k}": seed_outcome(seconds=2.0, peak_memory_gib=0.5) for k in (1, 2)}
    write(places.timings(cell), {"cell": str(cell), "seeds": seeds})


def coverage(**changes):
    sizes = {"n_layers": 2, "n_heads": 2, "d_ff": 48, "n_params": 12_000}
    return {
        "grid_size": 22,
        "shapes": 15,
        "members_seen": 2,
        "shapes_seen": 2,
        "trials_total": 2,
        "trials_done": 2,
        "trials_trained": 2,
        "spread": 0.01,
        "winner": {"number": 1, "forced": None, "score": -0.41, "at_edge": []},
        "forced": [
            {"what": "largest d_model", "d_model": 24, **sizes, "in_grid": True},
            {"what": "shallow-wide", "d_model": 48, **sizes, "in_grid": False},
        ],
        "stop_reasons": {"early_stopping": 2},
        "notes": ["the sampler hardly acts"],
        **changes,
    }


def write_scored(places, cell, n_params):
    regions = {"validation": region(0.412, 0.18), "test": region(0.3485, 0.15)}
    counts = {"n_params": n_params, "n_params_blocks": n_params - 5_000, "n_params_body": n_params - 4_000}
    record = {**head(cell), "status": "done", "precision": "fp32", "off_budget": False, **counts, "regions": regions}
    write(places.scores(cell) / "scores.json", record)


def region(loss, rate):
    metrics = {"log_loss": loss, "brier": 0.105, "auc": None, "average_precision": 0.469}
    return {
        "windows": 926,
        "positives": 139,
        "base_rate": rate,
        "train_base_rate": 0.25,
        "mean": metrics,
        "seeds": {"1": metrics, "2": metrics},
        "log_loss_se": None,
        "base_rate_loss": 0.4526,
        "own_rate_loss": 0.4229,
        "stricter": "own_rate",
        "skill": 0.176,
        "advantage": {"value": 0.074, "low": 0.054, "high": 0.098, "se": 0.01, "effective_n": 592.7},
        "baselines": {"base_rate": metrics | {"log_loss": 0.4526}, "volatility_logistic": metrics},
        "beaten_by": ["volatility_logistic"],
        "constant_predictor": False,
        "windows_fingerprint": "f" * 64,
        "first_day": "2015-04-28",
        "last_day": "2018-12-28",
    }


def split():
    return {name: told for name, told in whole_splits().items() if name != "splits"}


def whole_splits(horizon=1):
    return json_of(horizon_splits(horizon, notes=["base rates swing | a lot"]))


def manifest():
    return json_of(features_manifest())


def law(verdict, *, alpha=None, beaten_by=()):
    """One horizon of scaling.json."""
    return json_of(horizon_law(verdict, alpha)) | {"beaten_by": list(beaten_by)}


def write_law(places, horizons, *, key="key", picture=PNG):
    write(places.law / "scaling.json", json_of(study_law({}, study_key=key)) | {"horizons": horizons})
    if picture is not None:
        (places.law / "scaling.png").write_bytes(picture)
