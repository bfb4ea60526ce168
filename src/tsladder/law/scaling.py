"""The record of a study's law, one entry a horizon, and its three files: scaling.json, scaling.csv, scaling.png."""

from __future__ import annotations

import csv
import dataclasses
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tsladder.law.fit import LeftOut, PowerFit, fit_constant, fit_power, leave_one_rung_out, minimum_detectable_alpha
from tsladder.law.floor import fit_floor
from tsladder.law.neighbours import compare_neighbours
from tsladder.law.points import DroppedCell, RungPoint, in_order
from tsladder.law.settling import rung_noise
from tsladder.law.verdict import judge
from tsladder.params import EvaluationParams, LawParams
from tsladder.records import write_json, write_text
from tsladder.vocabulary import Cell

COUNTS = ("n_params", "n_params_blocks", "n_params_body")
POWER = 0.8


def scaling_record(
    points: Mapping[int, Sequence[RungPoint]],
    dropped: Sequence[DroppedCell],
    law: LawParams,
    evaluation: EvaluationParams,
    study_key: str,
    seed: int,
    warnings: Mapping[int, Sequence[str]] | None = None,
    probes_failed: Sequence[str] = (),
) -> dict[str, Any]:
    """JSON-ready record of every horizon (keys as text). The same points give the same record; it holds no clock.

    `warnings`: what to say beside the verdict of a horizon.
    """
    horizons = {}
    for horizon, rungs in sorted(points.items()):
        lost = [cell for cell in dropped if Cell.parse(cell.cell).horizon == horizon]
        horizons[str(horizon)] = law_of_points(
            rungs,
            alpha_of_interest=law.alpha_of_interest,
            confidence=evaluation.confidence,
            draws=evaluation.bootstrap_draws,
            seed=seed,
            dropped=lost,
            probes_failed=probes_failed,
        ) | {"warnings": list((warnings or {}).get(horizon, ()))}
    return {
        "study_key": study_key,
        "metric": "log_loss",
        "region": law.region,
        "confidence": evaluation.confidence,
        "alpha_of_interest": law.alpha_of_interest,
        "horizons": horizons,
    }


def law_of_points(
    points: Sequence[RungPoint],
    *,
    alpha_of_interest: float,
    confidence: float,
    draws: int,
    seed: int,
    dropped: Sequence[DroppedCell] = (),
    probes_failed: Sequence[str] = (),
) -> dict[str, Any]:
    """Fits, verdict and what supports it for the rungs of one horizon, or of one group of a table."""
    rungs = in_order(points)
    sizes, losses = [point.n_params for point in rungs], [point.loss for point in rungs]
    power = fit_power(sizes, losses, confidence)
    contrasts = compare_neighbours(rungs, draws=draws, confidence=confidence, seed=seed)
    verdict = judge(
        rungs,
        power,
        alpha_of_interest=alpha_of_interest,
        confidence=confidence,
        contrasts=contrasts,
        probes_failed=probes_failed,
    )
    noise = rung_noise(rungs, power)
    detectable = None
    if power is not None and noise is not None:
        detectable = minimum_detectable_alpha(sizes, noise, confidence, POWER)
    left_out = leave_one_rung_out(sizes, losses)
    return {
        "points": [_point(point) for point in rungs] + [_dropped(cell) for cell in dropped],
        "fits": {
            "constant": dataclasses.asdict(fit_constant(losses)) if rungs else None,
            "power": _power(power),
            "power_floor": dataclasses.asdict(fit_floor(sizes, losses, confidence)),
        },
        "power_by_count": {count: _power(_fit_at(rungs, count, confidence)) for count in COUNTS},
        "verdict": verdict.name.value,
        "reason": verdict.reason,
        "settle": verdict.settle,
        "beaten_by": beating_every_rung(rungs),
        "base_rate_loss": rungs[0].base_rate_loss if rungs else None,
        "own_rate_loss": rungs[0].own_rate_loss if rungs else None,
        "baselines": dict(rungs[0].baselines) if rungs else {},
        "rung_noise": noise,
        "minimum_detectable_alpha": detectable,
        "power": POWER,
        "neighbours": [dataclasses.asdict(contrast) for contrast in contrasts],
        "leave_one_rung_out": [_left_out(rung, left) for rung, left in zip(rungs, left_out, strict=False)],
        "extrapolation": _left_out(rungs[-1], left_out[-1]) if left_out else None,
        "notes": _notes(rungs, power, dropped),
    }


def beating_every_rung(points: Sequence[RungPoint]) -> list[str]:
    """Baselines whose paired interval beats each rung; [] without rungs."""
    if not points:
        return []
    return sorted(set(points[0].beaten_by).intersection(*(point.beaten_by for point in points)))


def write_law(folder: Path, record: Mapping[str, Any]) -> tuple[Path, Path, Path]:
    """Write scaling.json, scaling.csv (one row a point, dropped cells included) and scaling.png; their paths."""
    from tsladder.law.plots import draw_scaling

    paths = folder / "scaling.json", folder / "scaling.csv", folder / "scaling.png"
    write_json(paths[0], record)
    write_text(paths[1], _table(record))
    draw_scaling(record, paths[2])
    return paths


def _fit_at(rungs: Sequence[RungPoint], count: str, confidence: float) -> PowerFit | None:
    if any(getattr(point, count) is None for point in rungs):
        return None
    placed = [point.named(count) for point in rungs]
    return fit_power([point.n_params for point in placed], [point.loss for point in placed], confidence)


def _power(fit: PowerFit | None) -> dict[str, Any] | None:
    if fit is None:
        return None
    return {key: list(value) if isinstance(value, tuple) else value for key, value in fit.to_json().items()}


def _point(point: RungPoint) -> dict[str, Any]:
    return {
        "cell": point.cell,
        "budget": point.budget,
        "precision": point.precision,
        "n_params": point.n_params,
        "n_params_blocks": point.n_params_blocks,
        "n_params_body": point.n_params_body,
        "off_budget": point.off_budget,
        "loss": point.loss,
        "se": point.se,
        "seeds": [{"seed": seed, "loss": loss} for seed, loss in point.seeds],
        "base_rate_loss": point.base_rate_loss,
        "own_rate_loss": point.own_rate_loss,
        "has_skill": point.has_skill,
        "constant_predictor": point.constant_predictor,
        "beaten_by": list(point.beaten_by),
        "dropped": False,
        "dropped_reason": None,
    }


def _dropped(cell: DroppedCell) -> dict[str, Any]:
    empty = dict.fromkeys(_point(RungPoint(cell=cell.cell, n_params=1.0, loss=1.0)))
    known = {"cell": cell.cell, "budget": Cell.parse(cell.cell).budget, "seeds": [], "beaten_by": []}
    return empty | known | {"dropped": True, "dropped_reason": cell.reason}


def _left_out(rung: RungPoint, left: LeftOut) -> dict[str, Any]:
    return {"cell": rung.cell} | dataclasses.asdict(left)


def _notes(rungs: Sequence[RungPoint], power: PowerFit | None, dropped: Sequence[DroppedCell]) -> list[str]:
    notes = [f"{cell.cell} was dropped: {cell.reason}" for cell in dropped]
    notes += [f"{p.cell} lies outside its budget and enters at its measured size" for p in rungs if p.off_budget]
    notes += [f"{p.cell} is a constant predictor" for p in rungs if p.constant_predictor]
    notes += [f"{p.cell} has one seed, so its loss has no standard error" for p in rungs if len(p.seeds) == 1]
    precisions = dict.fromkeys(point.precision for point in rungs if point.precision is not None)
    if len(precisions) > 1:
        mixed = "; ".join(f"{p} at " + ", ".join(q.cell for q in rungs if q.precision == p) for p in precisions)
        notes.append(
            f"the rungs differ in precision ({mixed}). docs/decisions.md has what that was seen to move a loss by; "
            "-S training.precision=fp32 asks every rung in one"
        )
    if power is not None and power.dof == 1:
        notes.append("three rungs leave one degree of freedom: only a very steep law can show")
    if power is not None and power.dof > 1:
        carrying = [p.cell for p, d in zip(rungs, power.cooks_distance, strict=True) if d > 1.0]
        notes += [f"{cell} carries the fit (Cook's distance above 1); see leave_one_rung_out" for cell in carrying]
    return notes


def _table(record: Mapping[str, Any]) -> str:
    stream = io.StringIO()
    scalars = [key for key in _point(RungPoint(cell="", n_params=1.0, loss=1.0)) if key not in ("seeds", "beaten_by")]
    writer = csv.DictWriter(stream, ["horizon", *scalars, "n_seeds", "beaten_by", "fitted_loss"], lineterminator="\n")
    writer.writeheader()
    for horizon, law in record["horizons"].items():
        plain = law["fits"]["power"]
        power = None if plain is None else PowerFit.from_json(plain)
        for point in law["points"]:
            row = {key: point[key] for key in scalars}
            row |= {"horizon": horizon, "n_seeds": len(point["seeds"]), "beaten_by": " ".join(point["beaten_by"])}
            if power is not None and not point["dropped"]:
                row["fitted_loss"] = float(power.loss_at(point["n_params"]))
            writer.writerow(row)
    return stream.getvalue()
