"""The record of one ladder, a horizon of a study or a group of a table: its fits, its verdict and its evidence."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from tsladder.artifacts.law import COUNTS, HorizonLaw
from tsladder.artifacts.law_evidence import (
    ConfidenceSet,
    InfluentialRung,
    NeighbourContrast,
    RungLeftOut,
    SizeLeftOut,
)
from tsladder.artifacts.law_fits import Fits, ModelChoice, PowerLaw
from tsladder.evaluation.confidence_set import model_confidence_set
from tsladder.evaluation.difference import Term
from tsladder.law.curve.floor import fit_floor, no_floor
from tsladder.law.curve.forms import Form, Support, aicc_of_forms, support_of_rungs, support_of_sizes
from tsladder.law.curve.overfit import fit_overfit, no_turn
from tsladder.law.curve.power_law import fit_constant, fit_power
from tsladder.law.curve.weights import least_noise_of, rung_weights
from tsladder.law.design import Kind, n_sizes_of
from tsladder.law.evidence.days import DayNoise, day_noise
from tsladder.law.evidence.detection import POWER, Precision, detectable_alpha, detectable_range
from tsladder.law.evidence.excess import fit_excess
from tsladder.law.evidence.leave_one_out import is_outlier, leave_one_rung_out
from tsladder.law.evidence.neighbours import compare_neighbours, compare_with_least, is_significant
from tsladder.law.evidence.notes import CARRIES, notes_on
from tsladder.law.evidence.region import joint_region
from tsladder.law.evidence.repetition import repeated_verdicts
from tsladder.law.evidence.rung_variance import rung_variance
from tsladder.law.next_runs import Cost
from tsladder.law.points import DroppedCell, RungPoint, dropped_point, in_order, law_point
from tsladder.law.rank_ic import rank_ic_per_tenfold
from tsladder.law.surface.size_effect import judge_sizes
from tsladder.law.surface.size_law import SizeLaw
from tsladder.law.surface.threshold import HuberDelta
from tsladder.law.verdict import judge


@dataclass(frozen=True, kw_only=True, slots=True)
class Fitted:
    """The fits of one ladder: the supported form, contrasts of neighbours, and leave-one-out (one entry per rung, or
    none).

    `days_of`: the noise by days of the same rungs placed at another of their parameter counts.
    """

    support: Support
    contrasts: Sequence[NeighbourContrast] = ()
    left_out: Sequence[RungLeftOut] = ()
    days: DayNoise | None = None
    days_of: Callable[[Sequence[RungPoint]], DayNoise | None] = lambda _: None


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
    huber_delta: float | HuberDelta | None = None,
    interest_option: str = "law.alpha_of_interest",
    ranks: bool = False,
    least_block: int = 1,
) -> HorizonLaw:
    """Return the law of a ladder: fits, verdict and evidence.

    `draws` and `seed` apply to every bootstrap in it. Where `n_data` varies otherwise than in step with `n_params`,
    size is judged at equal data, and the forms over N alone are left out; wherever it varies the law also holds the
    `surface`. `cost`: estimates the cost of further work. `huber_delta`: threshold of the surface's loss; None: chosen
    from the noise. `interest_option`: name of the setting that holds `alpha_of_interest`. `ranks`: the losses are rank
    errors, so that the words speak of RankIC and the sign is claimed by the interval of the exponent alone.
    `least_block`: least mean block, in days, of the bootstraps over days.
    """
    rungs = in_order(points)
    data = _varying_data(rungs)
    sizes_law = None
    if data is not None:
        sizes_law = judge_sizes(
            [p.n_params for p in rungs],
            data,
            [p.loss for p in rungs],
            confidence=confidence,
            draws=draws,
            seed=seed,
            delta=huber_delta,
            least_noise=least_noise_of(rungs),
        )
    design = None if sizes_law is None else sizes_law.design
    varying = design is not None and design.kind is Kind.VARYING
    if sizes_law is not None and varying:
        fitted = Fitted(support=support_of_sizes(sizes_law, alpha_of_interest=alpha_of_interest))
    else:
        together = design.data_exponent if design is not None and design.kind is Kind.IN_STEP else None
        fitted = fit_rungs(
            rungs,
            alpha_of_interest=alpha_of_interest,
            confidence=confidence,
            draws=draws,
            seed=seed,
            data_exponent=together,
            ranks=ranks,
            least_block=least_block,
        )
    support = fitted.support
    power = support.power
    verdict = judge(
        rungs,
        support,
        alpha_of_interest=alpha_of_interest,
        confidence=confidence,
        contrasts=fitted.contrasts,
        probes_failed=probes_failed,
        cost=cost,
        interest_option=interest_option,
        outliers=[
            rung.cell for rung, left in zip(rungs, fitted.left_out, strict=False) if is_outlier(left, confidence)
        ],
        ranks=ranks,
        day_scatter=0.0 if fitted.days is None else fitted.days.scatter,
    )
    noise = support.noise_of(rungs)
    constant = fit_constant([p.loss for p in rungs]) if rungs else None
    precision = None if power is None or noise is None else Precision.of(power, noise)
    left_out = _left_out(rungs, fitted)
    floor, overfit = support.floor or no_floor(_VARYING), support.overfit or no_turn(_VARYING)
    return HorizonLaw(
        points=(*map(law_point, rungs), *map(dropped_point, dropped)),
        fits=Fits(
            constant=constant,
            power=power,
            power_floor=floor,
            overfit=dataclasses.replace(overfit, preferred=support.form is Form.TURN),
        ),
        model_choice=ModelChoice(
            aicc=aicc_of_forms(constant, support), preferred=support.form.value, reason=support.why
        ),
        power_by_count={count: _fit_at(rungs, count, fitted, confidence) for count in COUNTS},
        joint_region=None if power is None else joint_region(power),
        influential=_influential(rungs, power, fitted.left_out, confidence),
        excess=fit_excess(rungs, confidence, ranks=ranks),
        verdict=verdict.name.value,
        reason=verdict.reason,
        settle=verdict.settle,
        settle_options=verdict.options,
        beaten_by=tuple(beating_every_rung(rungs)),
        base_rate_loss=rungs[0].base_rate_loss if rungs else None,
        own_rate_loss=rungs[0].own_rate_loss if rungs else None,
        baselines=dict(rungs[0].baselines) if rungs else {},
        rung_noise=noise,
        minimum_detectable_alpha=None if precision is None else detectable_alpha(precision),
        minimum_detectable_alpha_range=None if precision is None else detectable_range(precision),
        power=POWER,
        repetition=None if power is None else repeated_verdicts(power, noise or 0.0, alpha_of_interest),
        neighbours=tuple(fitted.contrasts),
        confidence_set=_confidence_set(rungs, fitted, confidence, draws, seed, least_block),
        leave_one_rung_out=left_out,
        extrapolation=_extrapolation(fitted, left_out),
        notes=tuple(notes_on(rungs, support, dropped, fitted.left_out, ranks=ranks)),
        surface=None if sizes_law is None else dataclasses.asdict(sizes_law.surface),
        size_at_equal_data=_at_equal_data(sizes_law) if sizes_law is not None and varying else None,
        rank_ic_per_tenfold=rank_ic_per_tenfold(power, noise) if ranks and power is not None and noise else None,
    )


_VARYING = "not identifiable: n_data varies, so no form over n_params alone applies; see surface"


def fit_rungs(
    rungs: Sequence[RungPoint],
    *,
    alpha_of_interest: float,
    confidence: float,
    draws: int,
    seed: int,
    data_exponent: float | None = None,
    ranks: bool = False,
    least_block: int = 1,
) -> Fitted:
    """Fit rungs in order of size whose data are the same or, as N^`data_exponent`, grew in step with them.

    `ranks` and `least_block`: see `law_of_points`.
    """
    sizes, losses = [p.n_params for p in rungs], [p.loss for p in rungs]
    weight_R, least_noise = rung_weights(rungs), least_noise_of(rungs)

    def days_of(placed: Sequence[RungPoint]) -> DayNoise | None:
        weights = rung_weights(placed)
        return day_noise(
            placed,
            draws=draws,
            confidence=confidence,
            seed=seed,
            weight_R=None if weights is None else weights.tolist(),
            least_block=least_block,
        )

    days = days_of(rungs)
    power = fit_power(sizes, losses, confidence, weight_R=weight_R, least_noise=least_noise, days=_term(days))
    contrasts = compare_neighbours(rungs, power, draws=draws, confidence=confidence, seed=seed, least_block=least_block)
    beyond = compare_with_least(rungs, power, draws=draws, confidence=confidence, seed=seed, least_block=least_block)
    floor = fit_floor(sizes, losses, confidence, weight_R=weight_R, least_noise=least_noise)
    overfit = fit_overfit(
        sizes,
        losses,
        confidence,
        weight_R=weight_R,
        least_noise=least_noise,
        floor_sse=floor.sse,
        rise_is_paired=any(is_significant(c, confidence) and c.difference > 0.0 for c in beyond),
    )
    return Fitted(
        support=support_of_rungs(
            power,
            floor,
            overfit,
            n_sizes=n_sizes_of(sizes),
            alpha_of_interest=alpha_of_interest,
            data_exponent=data_exponent,
            sign_by_interval=ranks,
        ),
        contrasts=contrasts,
        left_out=leave_one_rung_out(
            sizes, losses, weight_R, least_noise=least_noise, cells=[point.cell for point in rungs]
        ),
        days=days,
        days_of=days_of,
    )


def beating_every_rung(points: Sequence[RungPoint]) -> list[str]:
    """Return the baselines that beat every rung by their paired interval; [] without rungs."""
    if not points:
        return []
    return sorted(set(points[0].beaten_by).intersection(*(point.beaten_by for point in points)))


def _confidence_set(
    rungs: Sequence[RungPoint], fitted: Fitted, confidence: float, draws: int, seed: int, least_block: int
) -> ConfidenceSet | None:
    """Return the set of rungs that cannot be distinguished from the best; None where daily losses are not known.

    Each rung is a draw of its search and seeds, whose noise is that of the rungs around their law.
    """
    losses = {rung.cell: rung.loss_N for rung in rungs if rung.loss_N is not None}
    if not rungs or len(losses) < len(rungs):
        return None
    scatter = 0.0 if fitted.days is None else fitted.days.scatter
    noise = rung_variance(rungs, fitted.support.around_the_form, day_scatter=scatter)
    return model_confidence_set(
        losses, confidence=confidence, draws=draws, seed=seed, noise=noise, least_block=least_block
    )


def _term(days: DayNoise | None) -> Term | None:
    """Return the part of the day noise that the scatter of the rungs does not already hold, with its degrees of
    freedom."""
    return None if days is None else (days.unseen, days.dof)


def _varying_data(rungs: Sequence[RungPoint]) -> list[float] | None:
    """Return each rung's amount of data where all are known and they are not all the same; None elsewhere."""
    known = [point.n_data for point in rungs if point.n_data is not None]
    return known if len(known) == len(rungs) and len(set(known)) > 1 else None


def _influential(
    rungs: Sequence[RungPoint], power: PowerLaw | None, left_out: Sequence[RungLeftOut], confidence: float
) -> tuple[InfluentialRung, ...]:
    """Return the rungs that carry the fit and the rungs that depart from the law of the others.

    With one degree of freedom every rung carries the fit, so none is listed.
    """
    if power is None or power.dof < 2 or not left_out:
        return ()
    return tuple(
        InfluentialRung(
            cell=rung.cell, cooks_distance=distance, alpha_without=left.alpha_without, p_outlier=left.p_outlier
        )
        for rung, distance, left in zip(rungs, power.cooks_distance, left_out, strict=True)
        if distance > CARRIES or is_outlier(left, confidence)
    )


def _fit_at(rungs: Sequence[RungPoint], count: str, fitted: Fitted, confidence: float) -> PowerLaw | None:
    """Fit the power law over another count of the same models' parameters, on the same days; None where data vary or a
    count is unknown, except over `n_params` itself."""
    if count == COUNTS[0]:
        return fitted.support.power
    if fitted.support.sizes is not None or any(getattr(point, count) is None for point in rungs):
        return None
    placed = in_order([point.named(count) for point in rungs])
    weight_R = rung_weights(placed)
    return fit_power(
        [point.n_params for point in placed],
        [point.loss for point in placed],
        confidence,
        weight_R=weight_R,
        least_noise=least_noise_of(placed),
        days=_term(fitted.days_of(placed)),
    )


def _at_equal_data(sizes: SizeLaw) -> dict[str, Any]:
    """Return the effect of size at equal data as plain data, without the surface, which stands beside it."""
    plain = {name: value for name, value in dataclasses.asdict(sizes).items() if name != "surface"}
    # Sizes are told by n_params there.
    for left in (*plain["left_out"], *filter(None, [plain["extrapolation"]])):
        del left["cell"]
    return plain


def _left_out(rungs: Sequence[RungPoint], fitted: Fitted) -> tuple[SizeLeftOut | RungLeftOut, ...]:
    """Return the leave-one-out prediction of each rung; where data vary, of each size with all its points."""
    return tuple(fitted.left_out) if fitted.support.sizes is None else fitted.support.sizes.left_out


def _extrapolation(fitted: Fitted, left_out: Sequence[SizeLeftOut | RungLeftOut]) -> SizeLeftOut | RungLeftOut | None:
    """Return the prediction of the largest rung from those below it."""
    if (sizes := fitted.support.sizes) is not None and sizes.extrapolation is None:
        return None
    return left_out[-1] if left_out else None
