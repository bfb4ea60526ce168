"""How often intervals over days, the days' part of an exponent, the confidence set and the test of selection are right.

python benchmarks/days_and_draws.py [--draws 400] [interval] [tilt] [set] [selection]
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable

import numpy as np

from tsladder.artifacts.law_fits import PowerLaw
from tsladder.evaluation.bootstrap import mean_interval, shared_block_length
from tsladder.evaluation.confidence_set import model_confidence_set
from tsladder.evaluation.difference import bounds
from tsladder.law.curve.power_law import fit_power
from tsladder.law.evidence.days import DayNoise, day_noise
from tsladder.law.evidence.rung_variance import rung_variance
from tsladder.law.evidence.selection import judge_selection
from tsladder.law.points import RungPoint

SIZES = np.array([12e3, 30e3, 80e3, 200e3, 750e3, 2e6])
GROWTH = np.log(SIZES / SIZES[0]) / np.log(SIZES[-1] / SIZES[0])
CONFIDENCE = 0.95
RESAMPLES = 200
Rng = np.random.Generator


def autoregressive(rng: Rng, n: int, phi: float) -> np.ndarray:
    """Unit variance."""
    from scipy.signal import lfilter

    return np.asarray(lfilter([math.sqrt(1.0 - phi**2)], [1.0, -phi], rng.normal(size=n + 500))[500:])


def overlapping(rng: Rng, n: int, days: int = 5) -> np.ndarray:
    """Moving average; the variance of its mean is that of `n` independent days of variance 1."""
    return np.convolve(rng.normal(size=n + days - 1), np.ones(days) / days, "valid")


def scored(rng: Rng, n: int) -> tuple[np.ndarray, np.ndarray]:
    """(daily loss of a model, labels) like those of the bundled data: rate .16, losses that correlate by .08 over ten
    days and .02 over fifty. The loss is .3705 in the long run."""
    known = autoregressive(rng, n, 0.98) + 0.7 * autoregressive(rng, n, 0.8)
    y = rng.random(n) < 1.0 / (1.0 + np.exp(2.1 - known))
    logit = -2.1 + 0.75 * rng.uniform(0.9, 1.1) * known + 0.25 * rng.normal(size=n)
    return np.log1p(np.exp(np.where(y, -logit, logit))), y.astype(float)


def intervals(draws: int) -> None:
    """Share of 95 % intervals that hold the truth: blocks of the series' own length, and of the shared one."""
    cases: dict[str, tuple[Callable[[Rng, int], tuple[np.ndarray, np.ndarray]], float]] = {
        "AR(1) .5": (lambda rng, n: (np.exp(0.8 * autoregressive(rng, n, 0.5)), autoregressive(rng, n, 0.5)), 1.377128),
        "AR(1) .8": (lambda rng, n: (np.exp(0.8 * autoregressive(rng, n, 0.8)), autoregressive(rng, n, 0.8)), 1.377128),
        "labels of 5 days": (lambda rng, n: (overlapping(rng, n), overlapping(rng, n)), 0.0),
        "like bundled data": (scored, 0.3705),
    }
    for name, (draw, truth) in cases.items():
        for n in (200, 500, 926):
            rng, held = np.random.default_rng(1), np.zeros(2)
            for number in range(draws):
                loss_N, y_N = draw(rng, n)
                for k, block in enumerate((None, shared_block_length(y_N))):
                    found = mean_interval(loss_N, draws=RESAMPLES, confidence=CONFIDENCE, seed=number, block=block)
                    held[k] += found.low <= truth <= found.high
            print(f"{name:20} {n:5} days: own {held[0] / draws:.3f}, shared {held[1] / draws:.3f}", flush=True)


def ladder(
    rng: Rng, *, rungs: int, days: int, tilt: float, choice: float, own: float, seed: float = 0.0, alpha: float = 0.0
) -> list[RungPoint]:
    """Labels overlap over 5 days. `tilt`: sd of the exponent by days; relative sd of a rung by its `choice`, by days of
    its `own`, and of a training by its `seed` (three of them)."""
    x_R = np.log(SIZES[:rungs]) - np.log(SIZES[:rungs]).mean()
    market_N = np.maximum(1.0 + 0.8 * overlapping(rng, days), 0.1)
    market_N, tilt_N = market_N / market_N.mean(), math.sqrt(days) * tilt * overlapping(rng, days)
    points = []
    for r, x in enumerate(x_R):
        loss_N = market_N * (1.0 + choice * rng.normal()) * math.exp(-alpha * x) + x * tilt_N
        loss_N = 0.36 * (loss_N + math.sqrt(days) * own * overlapping(rng, days))
        means = loss_N.mean() + 0.36 * seed * rng.normal(size=3)
        loss_N = loss_N + means.mean() - loss_N.mean()
        points.append(
            RungPoint(
                cell=f"rung-{r}",
                n_params=float(SIZES[r]),
                loss=float(loss_N.mean()),
                se=float(means.std(ddof=1)) / math.sqrt(3) if seed > 0.0 else None,
                seeds=tuple(enumerate(means.tolist())) if seed > 0.0 else (),
                loss_N=loss_N,
            )
        )
    return points


def law_and_days(points: list[RungPoint], seed: int) -> tuple[PowerLaw, DayNoise]:
    fit = fit_power([point.n_params for point in points], [point.loss for point in points])
    days = day_noise(points, draws=RESAMPLES, confidence=CONFIDENCE, seed=seed)
    if fit is None or days is None:
        raise AssertionError("these ladders have a law and daily losses")
    return fit, days


def tilts(draws: int) -> None:
    """Signed verdicts of null ladders by the rungs alone, with all the days' variance, with its unseen part."""
    for rungs, tilt, choice, own in (
        (5, 0.003, 0.005, 0.0), (6, 0.003, 0.005, 0.0), (5, 0.003, 0.01, 0.0), (6, 0.003, 0.01, 0.0),
        (6, 0.003, 0.005, 0.007), (6, 0.0, 0.005, 0.007), (6, 0.0, 0.01, 0.0),
    ):  # fmt: skip
        rng, signed = np.random.default_rng(1), np.zeros(3)
        for number in range(draws):
            fit, days = law_and_days(ladder(rng, rungs=rungs, days=700, tilt=tilt, choice=choice, own=own), number)
            of_rungs = (fit.residual_sd**2 / fit.log_n_spread, float(rungs - 2))
            for k, variance in enumerate((0.0, days.variance, days.unseen)):
                low, high = bounds(fit.alpha, [of_rungs, (variance, days.dof)], confidence=CONFIDENCE)
                signed[k] += low > 0.0 or high < 0.0
        alone, whole, unseen = signed / draws
        print(f"{rungs} rungs, tilt {tilt}, choice {choice}, own days {own}: {alone:.3f}, {whole:.3f}, {unseen:.3f}")


def sets(draws: int) -> None:
    """Ladders of which some rung is left out: as trained models, as draws, as draws less the days of their own."""
    for rungs, choice, own, seed, alpha in (
        (4, 0.01, 0.003, 0.0, 0.0), (6, 0.01, 0.003, 0.0, 0.0), (6, 0.01, 0.007, 0.01, 0.0),
        (3, 0.01, 0.003, 0.01, 0.0), (6, 0.0, 0.007, 0.01, 0.0), (6, 0.01, 0.003, 0.01, 0.02),
    ):  # fmt: skip
        rng, left = np.random.default_rng(2), np.zeros(3)
        for number in range(draws):
            points = ladder(rng, rungs=rungs, days=700, tilt=0.0, choice=choice, own=own, seed=seed, alpha=alpha)
            fit, days = law_and_days(points, number)
            losses = {point.cell: point.loss_N for point in points if point.loss_N is not None}
            noises = (None, rung_variance(points, fit), rung_variance(points, fit, day_scatter=days.scatter))
            for k, noise in enumerate(noises):
                found = model_confidence_set(losses, confidence=CONFIDENCE, draws=RESAMPLES, seed=number, noise=noise)
                left[k] += len(found.members) < rungs
        shares = ", ".join(f"{share:.3f}" for share in left / draws)
        print(f"{rungs} rungs, choice {choice}, own days {own}, seeds {seed}, exponent {alpha}: {shares}", flush=True)


def selections(draws: int) -> None:
    """Ladders with a warning. Steeper: the excess of a setting grows by exp(`steeper`) over the ladder."""

    def same(rng: Rng, n: int) -> np.ndarray:
        return rng.exponential(0.03, (6, n))

    def uneven(rng: Rng, n: int) -> np.ndarray:
        return same(rng, n) * np.exp(0.4 * rng.normal(size=(6, 1)))

    def heavy(rng: Rng, n: int) -> np.ndarray:
        return 0.02 * rng.standard_t(2, size=(6, n))

    def rarer(steeper: float) -> Callable[[Rng, int], np.ndarray]:
        def drawn(rng: Rng, n: int) -> np.ndarray:
            squares = (rng.uniform(-1.0, 1.0, (6, n, 3)) ** 2).sum(axis=2)
            return 0.02 * np.exp(steeper * GROWTH)[:, None] * squares + 0.004 * rng.normal(size=(6, n))

        return drawn

    cases = {"same": same, "uneven": uneven, "heavy tails": heavy}
    cases |= {f"steeper {steeper}": rarer(steeper) for steeper in (0.0, 1.0, 1.5, 2.0)}
    for name, draw in cases.items():
        for trials in (8, 30):
            rng, warned, bias = np.random.default_rng(3), 0, 0.0
            for _ in range(draws):
                ranked = np.sort(0.4 * np.exp(draw(rng, trials)), axis=1).tolist()
                found = judge_selection(SIZES.tolist(), ranked, alpha_of_interest=0.015, confidence=CONFIDENCE)
                if found is not None:
                    warned, bias = warned + found.moves, bias + found.alphas[8] / draws
            print(f"{name:12} {trials:3} trials: exponent at 8 {bias:+.4f}, warned {warned / draws:.3f}", flush=True)


PARTS = {"interval": intervals, "tilt": tilts, "set": sets, "selection": selections}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--draws", type=int, default=400)
    parser.add_argument("parts", nargs="*", choices=[[], *PARTS], default=[])
    asked = parser.parse_args()
    for name in asked.parts or PARTS:
        print(f"{name}: {PARTS[name].__doc__}")
        PARTS[name](asked.draws)


if __name__ == "__main__":
    main()
