"""What is said of ladders whose truth is known: shares over many draws, beside what is required.

    python benchmarks/verdicts.py [--only L3 L6] [--draws 1000] [--resamples 100]

Parts are those of `PARTS`. Ladders of part L2 cost a third of a second each, of L3 and L6 a tenth; `--draws` counts
ladders of the parts that cost less, of which these take the share that `--slow-share` says. `--resamples` are those of
every bootstrap inside. One row a case: what is required, and what came.
"""

from __future__ import annotations

import argparse
import dataclasses
import math
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from days_and_draws import ladder as days_ladder
from size_effect import DESIGNS, LUCK, shares

from tsladder.artifacts.law_fits import PowerLaw
from tsladder.evaluation.confidence_set import model_confidence_set
from tsladder.evaluation.difference import Term
from tsladder.law.curve.power_law import fit_power
from tsladder.law.evidence.detection import FEW_DOF, Precision, detectable_alpha, detectable_range
from tsladder.law.evidence.neighbours import compare_neighbours
from tsladder.law.evidence.repetition import repeated_verdicts
from tsladder.law.ladder import fit_rungs, law_of_points
from tsladder.law.points import RungPoint, in_order
from tsladder.law.verdict import VerdictName, judge

CONFIDENCE, INTEREST = 0.95, 0.015
FIVE = (750e3, 2e6, 20e6, 200e6, 2e9)
LADDERS: dict[str, tuple[Sequence[float], float, float, float, str]] = {
    # name: sizes, exponent, noise of a seed, effect of a rung, what is required
    "N3: null, 5 rungs, seeds 2 %": (FIVE, 0.0, 0.02, 0.0, "scales <= 5 %"),
    "N3: null, 4 rungs, seeds 2 %": (FIVE[:4], 0.0, 0.02, 0.0, "scales <= 5 %"),
    "N3b: null, rungs 2 %, seeds 1 %": (FIVE, 0.0, 0.01, 0.02, "scales <= 5 %"),
    "null, rungs 4 %, seeds 1 %": (FIVE, 0.0, 0.01, 0.04, "scales <= 5 %"),
    "N4: exponent 0.02, seeds 2 %": (FIVE, 0.02, 0.02, 0.0, "scales >= 95 %"),
}
SEEDS = 3
SHOWN = (VerdictName.SCALES, VerdictName.WORSE_WITH_SIZE, VerdictName.FLAT, VerdictName.NOT_MONOTONE)
REPEATS = 20
"""Second studies after each first one, in L5 and L7."""

Rng = np.random.Generator


@dataclass(frozen=True, kw_only=True, slots=True)
class Effort:
    """`draws`: ladders a case; `slow_draws`: where each needs a bootstrap; `resamples`: of each bootstrap."""

    draws: int
    slow_draws: int
    resamples: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    case: str
    required: str
    came: str


def verdicts(effort: Effort) -> Iterator[Row]:
    """N3, N3b, N4. `turn before`: `not_monotone` where neighbours are held against their seeds alone, and not against
    the scatter of rungs as well."""
    for name, (sizes, alpha, seed_noise, rung_noise, required) in LADDERS.items():
        rng = np.random.default_rng(1)
        found: Counter[str] = Counter()
        for _ in range(effort.draws):
            points = seeded(rng, sizes, alpha, seed_noise, rung_noise)
            fitted = fit_rungs(points, alpha_of_interest=INTEREST, confidence=CONFIDENCE, draws=1, seed=0)
            seeds_alone = compare_neighbours(points, None, draws=1, confidence=CONFIDENCE, seed=0)
            found[judge(points, fitted.support, alpha_of_interest=INTEREST, contrasts=fitted.contrasts).name] += 1
            before = judge(points, fitted.support, alpha_of_interest=INTEREST, contrasts=seeds_alone).name
            found["turn before"] += before is VerdictName.NOT_MONOTONE
        names = (*SHOWN, VerdictName.UNDERPOWERED, "turn before")
        yield Row(case=name, required=required, came=told({n: found[n] / effort.draws for n in names}))


def sizes_at_equal_data(effort: Effort) -> Iterator[Row]:
    """L2: size does nothing, data do; a size's configuration moves all its points (`luck`), each point has .5 % of its
    own (`size_effect.py`, which has further designs)."""
    for design in ("4x4", "5x3", "5x6"):
        for luck in LUCK:
            found = shares(*DESIGNS[design], luck=luck, tables=effort.slow_draws, draws=effort.resamples)
            names = ("scales", "worse_with_size", "flat", "by surface")
            yield Row(
                case=f"null, {design} sizes and amounts, luck {luck:.0%}",
                required="scales, worse <= 4 % each",
                came=told({name: found.get(name, 0.0) for name in names}),
            )


def tilts(effort: Effort) -> Iterator[Row]:
    """L3: no law, but the test days tilt all rungs together with an sd of .003 of the exponent; judged with the daily
    losses, and as a table without them."""
    for rungs in (5, 6):
        for choice in (0.005, 0.01):
            rng, signed = np.random.default_rng(3), np.zeros(2)
            for number in range(effort.slow_draws):
                points = days_ladder(rng, rungs=rungs, days=700, tilt=0.003, choice=choice, own=0.0)
                for k, known in enumerate((points, [dataclasses.replace(p, loss_N=None) for p in points])):
                    fitted = fit_rungs(
                        known,
                        alpha_of_interest=INTEREST,
                        confidence=CONFIDENCE,
                        draws=effort.resamples,
                        seed=number,
                    )
                    name = judge(known, fitted.support, alpha_of_interest=INTEREST, contrasts=fitted.contrasts).name
                    signed[k] += name in (VerdictName.SCALES, VerdictName.WORSE_WITH_SIZE)
            percent = dict(zip(("signed", "signed without the days' part"), signed / effort.slow_draws, strict=True))
            yield Row(case=f"null, {rungs} rungs of {choice:.1%}", required="signed <= 7 %", came=told(percent))


def floors(effort: Effort) -> Iterator[Row]:
    """L4: seven rungs from 12k to 20M towards E = .38, which a third of the smallest rung's loss lies above; noise
    .5 %. Intervals of E are counted where there is one."""
    n_R = np.geomspace(12e3, 20e6, 7)
    for alpha in (0.2, 0.35, 0.5, 0.8):
        rng, found = np.random.default_rng(4), Counter[str]()
        law_R = 0.38 + 0.19 * (n_R / n_R[0]) ** -alpha
        for _ in range(effort.draws):
            loss_R = law_R * np.exp(0.005 * rng.normal(size=7))
            points = [RungPoint(cell=f"{n:g}", n_params=n, loss=loss) for n, loss in zip(n_R, loss_R, strict=True)]
            fitted = fit_rungs(points, alpha_of_interest=INTEREST, confidence=CONFIDENCE, draws=1, seed=0)
            verdict = judge(points, fitted.support, alpha_of_interest=INTEREST, contrasts=fitted.contrasts)
            found["rises beyond"] += "rises beyond" in verdict.reason
            found["scales"] += verdict.name is VerdictName.SCALES
            floor = fitted.support.floor
            if floor is not None:
                found["floor shown"] += floor.bends
                found["identified"] += floor.identified
                if floor.E_ci is not None:
                    found["intervals"] += 1
                    found["held"] += floor.E_ci[0] <= 0.38 <= floor.E_ci[1]
        percent = {name: found[name] / effort.draws for name in ("rises beyond", "scales", "floor shown", "identified")}
        percent["E held"] = found["held"] / max(found["intervals"], 1)
        yield Row(case=f"floor, exponent {alpha:g} above it", required="rises beyond <= 3 %", came=told(percent))


def repetitions(effort: Effort) -> Iterator[Row]:
    """L5: after a verdict, the predicted share of repetitions with the same one, and the share of `REPEATS` second
    studies of the same truth. Truths: exponents even over +-.04, noises even in their logs from .2 to 3 %; then two
    fixed ones, at which no prediction can be right that does not know them."""
    n_R = np.array([12e3, 50e3, 200e3, 750e3, 2e6])

    def drawn(rng: Rng) -> tuple[float, float]:
        return float(rng.uniform(-0.04, 0.04)), math.exp(rng.uniform(math.log(0.002), math.log(0.03)))

    truths: dict[str, tuple[Callable[[Rng], tuple[float, float]], str]] = {
        "truths drawn": (drawn, "within 5 points"),
        "always .02 at 2 %": (lambda _: (0.02, 0.02), "for the record"),
        "always 0 at 1 %": (lambda _: (0.0, 0.01), "for the record"),
    }
    for name, (truth, required) in truths.items():
        rng = np.random.default_rng(5)
        predicted: dict[str, list[float]] = {"scales": [], "flat": []}
        happened: dict[str, list[float]] = {"scales": [], "flat": []}
        for _ in range(3 * effort.draws):
            alpha, noise = truth(rng)
            first = study(rng, n_R, alpha, noise)
            if (said := by_interval(first)) in predicted:
                predicted[said].append(repeated_verdicts(first, first.residual_sd, INTEREST)[said])
                happened[said].append(
                    float(np.mean([by_interval(study(rng, n_R, alpha, noise)) == said for _ in range(REPEATS)]))
                )
        for said in predicted:
            if predicted[said]:
                percent = {"predicted": float(np.mean(predicted[said])), "happened": float(np.mean(happened[said]))}
                case = f"{name}, after {said} ({len(predicted[said])})"
                yield Row(case=case, required=required, came=told(percent))


def sets(effort: Effort) -> Iterator[Row]:
    """L6: no law, a rung effect of 1 %, three seeds of 1 % or none: does the confidence set of the record leave a rung
    out? Beside it the set as it was, of the trained models without their noise."""
    for rungs, seed in ((4, 0.0), (6, 0.0), (4, 0.01), (6, 0.01)):
        rng, left = np.random.default_rng(6), np.zeros(2)
        for number in range(effort.slow_draws):
            points = days_ladder(rng, rungs=rungs, days=700, tilt=0.0, choice=0.01, own=0.003, seed=seed)
            law = law_of_points(
                points, alpha_of_interest=INTEREST, confidence=CONFIDENCE, draws=effort.resamples, seed=number
            )
            losses = {point.cell: point.loss_N for point in points if point.loss_N is not None}
            before = model_confidence_set(losses, confidence=CONFIDENCE, draws=effort.resamples, seed=number)
            left += [
                law.confidence_set is not None and len(law.confidence_set.members) < rungs,
                len(before.members) < rungs,
            ]
        percent = dict(zip(("leaves a rung out", "before"), left / effort.slow_draws, strict=True))
        case = f"null, {rungs} rungs of 1 %, {'seeds of 1 %' if seed else 'one seed'}"
        yield Row(case=case, required="leaves a rung out <= 10 %", came=told(percent))


def power(effort: Effort) -> Iterator[Row]:
    """L7: how often a second study, of the exponent that a first one printed as found in four studies of five, says
    `scales`. Noise of a rung 1 %; `days` moves the exponent by .003, known from 50 degrees of freedom. Below three
    degrees of freedom a range is printed: the exponent that is truly found in four of five lies in it in 80 %."""
    for rungs in (3, 4, 5, 6):
        n_R = np.geomspace(12e3, 2e6, rungs)
        for of_days in (0.0, 0.003):
            rng, found, inside = np.random.default_rng(7), 0, 0
            firsts = max(1, effort.draws // 4)
            for _ in range(firsts):
                first = study(rng, n_R, 0.0, 0.01, of_days)
                precision = Precision.of(first, first.residual_sd)
                printed = detectable_alpha(precision)
                found += sum(study(rng, n_R, printed, 0.01, of_days).alpha_ci[0] > 0.0 for _ in range(REPEATS))
                true = dataclasses.replace(
                    precision, noise=0.01, noise_dof=math.inf, days_se=of_days, days_dof=math.inf
                )
                low, high = detectable_range(precision)
                inside += low <= detectable_alpha(true) <= high
            percent = {"found": found / firsts / REPEATS}
            required = "found 75 to 90 %"
            if rungs - 2 < FEW_DOF:
                percent["range holds the true one"] = inside / firsts
                required = f"{required if rungs > 3 else 'range'}"
            yield Row(
                case=f"{rungs} rungs, {'days .003' if of_days else 'days not known'}",
                required=required,
                came=told(percent),
            )


def seeded(
    rng: Rng, sizes: Sequence[float], alpha: float, seed_noise: float, rung_noise: float
) -> tuple[RungPoint, ...]:
    points = []
    for number, n in enumerate(sizes):
        rung = 0.4 * (n / 1e6) ** -alpha * np.exp(rung_noise * rng.normal())
        losses = rung * np.exp(seed_noise * rng.normal(size=SEEDS))
        se = float(losses.std(ddof=1) / np.sqrt(SEEDS))
        seeds = tuple(enumerate(losses.tolist()))
        points.append(RungPoint(cell=f"rung-{number}", n_params=n, loss=float(losses.mean()), se=se, seeds=seeds))
    return in_order(points)


def study(rng: Rng, n_R: np.ndarray, alpha: float, noise: float, of_days: float = 0.0) -> PowerLaw:
    """A fit of one study. `of_days`: sd of the exponent by the days, whose estimate has 50 degrees of freedom."""
    days: Term | None = None
    if of_days:
        alpha += of_days * rng.normal()
        days = (of_days**2 * rng.chisquare(50) / 50, 50.0)
    fit = fit_power(n_R, 0.4 * n_R**-alpha * np.exp(noise * rng.normal(size=n_R.size)), CONFIDENCE, days=days)
    if fit is None:
        raise AssertionError("three sizes and more have a law")
    return fit


def by_interval(fit: PowerLaw) -> str:
    """The verdict that the interval alone decides."""
    low, high = fit.alpha_ci
    if low > 0.0 or high < 0.0:
        return "scales" if low > 0.0 else "worse_with_size"
    return "flat" if low > -INTEREST and high < INTEREST else "underpowered"


def told(shares: dict[str, float]) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {share:.1%}" for name, share in shares.items())


PARTS: dict[str, Callable[[Effort], Iterator[Row]]] = {
    "N": verdicts,
    "L2": sizes_at_equal_data,
    "L3": tilts,
    "L4": floors,
    "L5": repetitions,
    "L6": sets,
    "L7": power,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--draws", type=int, default=1000)
    parser.add_argument("--slow-share", type=float, default=0.3)
    parser.add_argument("--resamples", type=int, default=100)
    asked = parser.parse_args()
    effort = Effort(
        draws=asked.draws, slow_draws=max(1, round(asked.slow_share * asked.draws)), resamples=asked.resamples
    )
    for name in asked.only:
        began = time.process_time()
        print(f"{name}: {' '.join((PARTS[name].__doc__ or '').split())}", flush=True)
        for row in PARTS[name](effort):
            print(f"  {row.case:42} {row.required:26} {row.came}", flush=True)
        print(f"  {time.process_time() - began:.0f} s on one core", flush=True)


if __name__ == "__main__":
    main()
