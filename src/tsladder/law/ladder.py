"""The record of one ladder: its fits, its verdict and what supports it. A horizon of a study, or a group of a table."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any

from tsladder.evaluation.confidence_set import model_confidence_set
from tsladder.law.choice import NOT_IDENTIFIABLE, ModelChoice, choose_form
from tsladder.law.detection import POWER, detectable_alpha
from tsladder.law.excess import fit_excess
from tsladder.law.fit import PowerFit, fit_constant, fit_power
from tsladder.law.floor import FloorFit, fit_floor
from tsladder.law.left_out import LeftOut, leave_one_rung_out
from tsladder.law.neighbours import Contrast, compare_neighbours
from tsladder.law.notes import CARRIES, notes_on
from tsladder.law.overfit import FORM, OverfitFit, fit_overfit
from tsladder.law.points import DroppedCell, RungPoint, in_order
from tsladder.law.region import joint_region
from tsladder.law.repetition import repeated_verdicts
from tsladder.law.settling import Cost, rung_noise
from tsladder.law.surface import fit_surface
from tsladder.law.verdict import judge
from tsladder.vocabulary import Cell

COUNTS = ("n_params", "n_params_blocks", "n_params_body")


def law_of_points(
    points: Sequence[RungPoint],
    *,
    alpha_of_interest: float,
    confidence: float,
    draws: int,
    seed: int,
    dropped: Sequence[DroppedCell] = (),
    probes_failed: Sequence[str] = (),
    cost: Cost | None = None,
    huber_delta: float | None = None,
) -> dict[str, Any]:
    """JSON-ready: fits, verdict and what supports it. `draws` and `seed` are those of every bootstrap in it.

    Where `n_data` varies, N is judged at equal data and the record also holds the `surface`; the forms over N alone are
    then left out. `cost`: what further work would take. `huber_delta`: of the surface, None: chosen from the noise.
    """
    rungs = in_order(points)
    sizes, losses, data = [p.n_params for p in rungs], [p.loss for p in rungs], _varying_data(rungs)
    power = fit_power(sizes, losses, confidence, data)
    in_step = data is not None and power is None
    if in_step:
        power = fit_power(sizes, losses, confidence)
    contrasts: Sequence[Contrast] = ()
    if data is None:
        contrasts = compare_neighbours(rungs, power, draws=draws, confidence=confidence, seed=seed)
    floor, overfit, choice = _forms_of_size(sizes, losses, confidence, power, data is not None)
    verdict = judge(
        rungs,
        power,
        alpha_of_interest=alpha_of_interest,
        confidence=confidence,
        contrasts=contrasts,
        probes_failed=probes_failed,
        cost=cost,
        turns_at_n=overfit.turns_at_n if choice.preferred == "overfit" else None,
    )
    noise = rung_noise(rungs, power)
    left_out = leave_one_rung_out(sizes, losses, None if in_step else data)
    constant = fit_constant(losses) if rungs else None
    excess = fit_excess(rungs, confidence)
    record: dict[str, Any] = {
        "points": [_point(point) for point in rungs] + [_dropped(cell) for cell in dropped],
        "fits": {
            "constant": None if constant is None else dataclasses.asdict(constant),
            "power": _power(power),
            "power_floor": dataclasses.asdict(floor),
            "overfit": dataclasses.asdict(overfit) | {"form": FORM, "preferred": choice.preferred == "overfit"},
        },
        "model_choice": dataclasses.asdict(choice),
        "power_by_count": {count: _power(_fit_at(rungs, count, confidence)) for count in COUNTS},
        "joint_region": None if power is None else joint_region(power),
        "influential": _influential(rungs, power, left_out),
        "excess": None if excess is None else dataclasses.asdict(excess) | {"power": _power(excess.power)},
        "verdict": verdict.name.value,
        "reason": verdict.reason,
        "settle": verdict.settle,
        "settle_options": [dataclasses.asdict(option) for option in verdict.options],
        "beaten_by": beating_every_rung(rungs),
        "base_rate_loss": rungs[0].base_rate_loss if rungs else None,
        "own_rate_loss": rungs[0].own_rate_loss if rungs else None,
        "baselines": dict(rungs[0].baselines) if rungs else {},
        "rung_noise": noise,
        "minimum_detectable_alpha": None if power is None or noise is None else detectable_alpha(power, noise),
        "power": POWER,
        "repetition": None if power is None else repeated_verdicts(power, noise or 0.0, alpha_of_interest),
        "neighbours": [dataclasses.asdict(contrast) for contrast in contrasts],
        "confidence_set": _confidence_set(rungs, confidence, draws, seed),
        "leave_one_rung_out": [_left_out(rung, left) for rung, left in zip(rungs, left_out, strict=False)],
        "extrapolation": _left_out(rungs[-1], left_out[-1]) if left_out else None,
        "notes": notes_on(rungs, power, dropped, in_step=in_step, varying=data is not None),
    }
    if data is not None:
        surface = fit_surface(sizes, data, losses, confidence=confidence, draws=draws, seed=seed, delta=huber_delta)
        record["surface"] = dataclasses.asdict(surface)
    return {key: _plain(value) for key, value in record.items()}


def beating_every_rung(points: Sequence[RungPoint]) -> list[str]:
    """Baselines whose paired interval beats each rung; [] without rungs."""
    if not points:
        return []
    return sorted(set(points[0].beaten_by).intersection(*(point.beaten_by for point in points)))


def _confidence_set(rungs: Sequence[RungPoint], confidence: float, draws: int, seed: int) -> dict[str, Any] | None:
    """The rungs that cannot be told from the best on the scored days; None where daily losses are not known."""
    losses = {rung.cell: rung.loss_N for rung in rungs if rung.loss_N is not None}
    if not rungs or len(losses) < len(rungs):
        return None
    return model_confidence_set(losses, confidence=confidence, draws=draws, seed=seed).to_json()


def _varying_data(rungs: Sequence[RungPoint]) -> list[float] | None:
    """Each rung's amount of data where it is known and not the same for all."""
    known = [point.n_data for point in rungs if point.n_data is not None]
    return known if len(known) == len(rungs) and len(set(known)) > 1 else None


def _forms_of_size(
    sizes: Sequence[float], losses: Sequence[float], confidence: float, power: PowerFit | None, varying: bool
) -> tuple[FloorFit, OverfitFit, ModelChoice]:
    """The forms over N beyond the power law, and the choice among all; with varying data none of them applies."""
    if not varying:
        floor, overfit = fit_floor(sizes, losses, confidence), fit_overfit(sizes, losses, confidence)
        constant = fit_constant(losses) if losses else None
        return floor, overfit, choose_form(len(losses), constant, power, floor, overfit)
    why = f"{NOT_IDENTIFIABLE}: n_data varies, so no form over n_params alone applies; see surface"
    floor = FloorFit(E=None, A=None, alpha=None, identified=False, reason=why)
    overfit = OverfitFit(
        a=None, b=None, c=None, turns_at_n=None, turns_at_ci=None, loss_at_turn=None, turns=False, reason=why
    )
    aicc = dict.fromkeys(("constant", "power", "power_floor", "overfit"))
    return floor, overfit, ModelChoice(aicc=aicc, preferred="surface", reason=why)


def _influential(
    rungs: Sequence[RungPoint], power: PowerFit | None, left_out: Sequence[LeftOut]
) -> list[dict[str, Any]]:
    """Rungs that carry the fit. With one degree of freedom every rung does, which names none."""
    if power is None or power.dof < 2 or not left_out:
        return []
    return [
        {"cell": rung.cell, "cooks_distance": distance, "alpha_without": left.alpha_without}
        for rung, distance, left in zip(rungs, power.cooks_distance, left_out, strict=True)
        if distance > CARRIES
    ]


def _fit_at(rungs: Sequence[RungPoint], count: str, confidence: float) -> PowerFit | None:
    if any(getattr(point, count) is None for point in rungs):
        return None
    placed = [point.named(count) for point in rungs]
    return fit_power([point.n_params for point in placed], [point.loss for point in placed], confidence)


def _power(fit: PowerFit | None) -> dict[str, Any] | None:
    return None if fit is None else fit.to_json()


def _plain(value: Any) -> Any:
    """Tuples become lists, and numbers beyond all floats None."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _point(point: RungPoint) -> dict[str, Any]:
    return {
        "cell": point.cell,
        "budget": point.budget,
        "precision": point.precision,
        "n_params": point.n_params,
        "n_params_blocks": point.n_params_blocks,
        "n_params_body": point.n_params_body,
        "off_budget": point.off_budget,
        "n_data": point.n_data,
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


POINT_KEYS = tuple(_point(RungPoint(cell="any", n_params=1.0, loss=1.0)))


def _dropped(cell: DroppedCell) -> dict[str, Any]:
    empty = dict.fromkeys(POINT_KEYS)
    known = {"cell": cell.cell, "budget": Cell.parse(cell.cell).budget, "seeds": [], "beaten_by": []}
    return empty | known | {"dropped": True, "dropped_reason": cell.reason}


def _left_out(rung: RungPoint, left: LeftOut) -> dict[str, Any]:
    return {"cell": rung.cell} | dataclasses.asdict(left)
