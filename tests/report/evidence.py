"""What evaluation, fit and audit add to the records of a study on disk: intervals, skill, calibration, forms, probes.

Numbers are made up but agree with each other: an interval holds its value, a bin its share of the windows.
"""

import itertools
import json

import numpy as np

from tsladder.vocabulary import Cell

PROBES = {
    "shuffled_targets": "Shuffled targets give no skill",
    "planted_future_feature": "A planted future feature is caught",
    "truncated_future": "Cutting the future off changes no feature",
    "normalisation": "Normalisation sees its window only",
    "shared_days": "No day is shared between regions",
    "label_reach": "No training label reaches validation",
    "blanked_test_targets": "Blanked test targets change only the score",
}
FORECASTS = ("base_rate", "own_rate", "volatility_logistic", "last_day_ratio_logistic", "persistence")
TREES = "gradient_boosted_trees"


def audit(failed=()):
    probes = [
        {
            "name": name,
            "title": title,
            "passed": name not in failed,
            "numbers": {"skill": 0.41 if name in failed else -0.003, "windows": 926, "worst column": "sma_200"},
            "words": "The planted leak was seen." if name in failed else "Nothing was seen.",
        }
        for name, title in PROBES.items()
    ]
    return {"passed": not failed, "probes": probes}


def interval(value, half, effective_n=164.0):
    return {
        "value": value,
        "low": value - half,
        "high": value + half,
        "se": half / 1.96,
        "effective_n": effective_n,
    }


def reliability(rate, windows, seed=0):
    """Ten bins of equal count around a rate, the forecast a little too sure of itself."""
    rng = np.random.default_rng(seed)
    predicted = rate + (np.linspace(0.0, 1.0, 10) - 0.4) * 1.2 * rate
    observed = np.clip(rate + 0.7 * (predicted - rate) + rng.normal(0.0, 0.03, 10), 0.0, 1.0)
    shares = zip(np.clip(predicted, 0.01, 0.99).tolist(), observed.tolist(), strict=True)
    return [
        {"low": p - 0.01, "high": p + 0.01, "windows": windows // 10, "predicted": p, "observed": o} for p, o in shares
    ]


def evaluated(region, seed=0):
    """A region's record with everything that the evaluation writes."""
    loss, rate, windows = region["mean"]["log_loss"], region["base_rate"], region["windows"]
    metrics = {**region["mean"], "ece": 0.031}
    baselines = {name: {**scores, "ece": 0.02} for name, scores in region["baselines"].items()}
    for shift, name in enumerate((*FORECASTS, TREES)):
        baselines.setdefault(name, {**metrics, "log_loss": loss * (1.05 - 0.02 * shift)})
    against = {name: 1.0 - loss / scores["log_loss"] for name, scores in baselines.items()}
    return {
        **region,
        "mean": metrics,
        "seeds": {name: {**scores, "ece": 0.031} for name, scores in region["seeds"].items()},
        "baselines": baselines,
        "intervals": {
            "log_loss": interval(loss, 0.04),
            "brier": interval(metrics["brier"], 0.012, 210.0),
            "auc": None if metrics["auc"] is None else interval(metrics["auc"], 0.05, 190.0),
            "average_precision": interval(metrics["average_precision"], 0.06, None),
            "ece": interval(0.031, 0.012),
        },
        "skill_against": {name: {"skill": s, "low": s - 0.03, "high": s + 0.03} for name, s in against.items()},
        "reliability": reliability(rate, windows * 2, seed),
        "decision": {
            "threshold": 0.27,
            "criterion": "balanced_accuracy",
            "accuracy": 0.81,
            "balanced_accuracy": 0.72,
            "precision": 0.44,
            "recall": 0.59,
            "f1": 0.504,
        },
        "temperature": {"value": 1.24, "log_loss": loss - 0.0021, "ece": 0.022},
    }


def supported(law, cells, seed=0):
    """A horizon's law with everything that the fit writes; `cells` are its rungs, smallest first."""
    power = (law["fits"] or {}).get("power")
    overfit = {
        "form": "log loss = a + b log N + c (log N)^2",
        "turns_at_n": 310_000.0,
        "preferred": False,
        "reason": "the fall before the turn may be noise",
    }
    region = None
    if power is not None:
        angle = np.linspace(0.0, 2.0 * np.pi, 64)
        alpha = power["alpha"] + 0.03 * np.sin(angle)
        region = {
            "confidence": 0.95,
            "alpha": alpha.tolist(),
            "C": (power["C"] * np.exp(0.3 * np.sin(angle + 0.1))).tolist(),
            "loss_at_reference": (0.36 + 0.008 * np.cos(angle)).tolist(),
        }
    members = cells[:-1] or cells
    return {
        **law,
        "fits": {**(law["fits"] or {}), "overfit": overfit},
        "model_choice": {
            "aicc": {"constant": -31.25, "power": -29.5, "power_floor": None, "overfit": -27.1},
            "preferred": "constant",
            "reason": "the 95% interval of alpha contains 0 and lies inside ±0.015",
        },
        "joint_region": region,
        "influential": influential(cells),
        "excess": {
            "baseline": "volatility_logistic",
            "baseline_loss": 0.341,
            "slope_per_tenfold": -0.0021,
            "slope_ci": [-0.011, 0.007],
            "power": None,
            "reason": "two rungs lie below the baseline, so their excess has no logarithm",
        },
        "repetition": {"scales": 0.001, "worse_with_size": 0.204, "flat": 0.515, "underpowered": 0.28},
        "neighbours": law.get("neighbours") or [neighbours(*pair) for pair in itertools.pairwise(cells)],
        "confidence_set": {
            "members": members,
            "p_values": {c: 1.0 if c in members else 0.0 for c in cells},
            "about": "of models whose searches and seeds are draws, on days like these",
        },
        "selection": SELECTION,
    }


SELECTION = {
    "alphas": {"1": 0.0112, "2": 0.0151, "4": 0.0169},
    "change": 0.0057,
    "change_ci": [0.0021, 0.0093],
    "p": 0.00004,
    "moves": True,
    "words": "they differ, as where good settings get rarer with size",
}


def influential(cells):
    """The largest rung carries the fit, the smallest does not belong to the law of the others."""
    if not cells:
        return []
    carries = {"cell": cells[-1], "cooks_distance": 1.7, "alpha_without": 0.041, "p_outlier": 0.4}
    return [{"cell": cells[0], "cooks_distance": 0.8, "alpha_without": 0.027, "p_outlier": 0.0002}, carries]


def neighbours(smaller, larger):
    found = {"difference": -0.012, "relative": -0.034, "se": 0.004, "p_holm": 0.011, "noise": "days and seeds"}
    return {"smaller": smaller, "larger": larger, **found}


def enrich(places, *, failed=()):
    """Rewrite the records of a study on disk as the stages write them, and add the audit."""
    change(places.artifacts / "audit" / "audit.json", lambda _: audit(failed))
    for seed, path in enumerate(sorted((places.artifacts / "scores").glob("*/scores.json"))):
        change(path, lambda record, seed=seed: with_regions(record, seed))
    for path in sorted((places.artifacts / "timings").glob("*.json")):
        change(path, with_train_losses)
    for path in sorted((places.artifacts / "hpo").glob("*/trials.jsonl")):
        path.write_text(
            "".join(json.dumps(with_shape(json.loads(line))) + "\n" for line in path.read_text().splitlines())
        )
    for path in sorted((places.artifacts / "splits").glob("h*.json")):
        change(path, with_segments)
    change(places.law / "scaling.json", lambda record: with_support(record, audit(failed)))


def change(path, how):
    path.parent.mkdir(parents=True, exist_ok=True)
    record = json.loads(path.read_text()) if path.exists() else {}
    path.write_text(json.dumps(how(record)))


def with_regions(record, seed):
    if "regions" not in record:
        return record
    return {**record, "regions": {name: evaluated(region, seed) for name, region in record["regions"].items()}}


def with_train_losses(record):
    seeds = {name: {**seed, "train_loss": 0.38 + 0.01 * k} for k, (name, seed) in enumerate(record["seeds"].items())}
    return {**record, "seeds": seeds}


def with_shape(trial):
    return {**trial, "params": {"d_model": 12 + 4 * trial["number"], "n_layers": 6, **trial["params"]}}


def with_segments(record):
    return {"splits": {"train": {"segments": [[0, 2_820]], "windows_per_segment": None}}, **record}


def with_support(record, probes):
    horizons = {}
    for horizon, law in record["horizons"].items():
        kept = [point["cell"] for point in law["points"] if not point.get("dropped", False)]
        assert all(str(Cell.parse(cell).horizon) == horizon for cell in kept)
        horizons[horizon] = supported(law, kept)
    return {**record, "horizons": horizons, "audit": probes}
