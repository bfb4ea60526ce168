"""Further work that would settle an open verdict: more seeds, further rungs, more test days or stocks, by arithmetic.

No simulation is run.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from tsladder.artifacts.law_evidence import SettleOption
from tsladder.artifacts.law_fits import PowerLaw
from tsladder.law.curve.weights import error_variances, own_variance
from tsladder.law.evidence.detection import Precision, detectable_alpha
from tsladder.law.points import RungPoint, in_order, size_in_words
from tsladder.law.wording import counted, share_in_words

_MOST_SEEDS = 64
_MOST_RUNGS = 6
_SMALLEST_MODEL = 1e3
_NO_NOISE = 1e-9
_MUCH_LESS = 0.2
"""Share of the greatest weight below which the rung of least weight is named."""

_TIMES_THE_DAYS = (1.25, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 16.0)


@dataclass(frozen=True, kw_only=True, slots=True)
class NoiseWords:
    """Formats of a noise that is given as a share of the loss: that of `a_rung`, and that of one rung's `of_its_loss`
    ("0.3%" and "0.3% of its loss")."""

    a_rung: Callable[[float], str]
    of_its_loss: Callable[[float], str]


_AS_A_SHARE = NoiseWords(a_rung=share_in_words, of_its_loss=lambda share: f"{share_in_words(share)} of its loss")


class Cost(Protocol):
    """The cost of further work in seconds, which the caller of the law may know; None where unknown."""

    def more_seeds(self, n_params: Sequence[float], extra: int) -> float | None:
        """Return the seconds of training the chosen configuration of each of these rungs on `extra` further seeds."""
        ...

    def new_rungs(self, n_params: Sequence[float]) -> float | None:
        """Return the seconds of searching and training rungs of these sizes."""
        ...


def settle_options(
    points: Sequence[RungPoint],
    fit: PowerLaw,
    noise: float,
    *,
    alpha_of_interest: float,
    cost: Cost | None = None,
    varying: bool = False,
    noise_words: NoiseWords = _AS_A_SHARE,
) -> tuple[SettleOption, ...]:
    """List the ways to let this ladder detect `alpha_of_interest`: seeds per rung and further rungs, or only more test
    days where their choice alone hides it.

    `noise`: relative noise of a rung mean, or of a size's mean where data vary (`varying`). Costs are filled in where
    `cost` is given and knows them. `noise_words`: formats of the noise.
    """
    if (days := _by_days(fit, noise, alpha_of_interest)) is not None:
        return (days,)
    return (
        *_by_one_rung(points, fit, noise_words),
        _by_seeds(points, fit, alpha_of_interest, cost),
        *_by_rungs(points, fit, noise, alpha_of_interest, cost, varying=varying, noise_words=noise_words),
    )


def more_days(
    points: Sequence[RungPoint],
    fit: PowerLaw,
    noise: float,
    *,
    alpha_of_interest: float,
    day_scatter: float,
    only: bool,
) -> SettleOption:
    """Return the option of more test days, or of more stocks on each of them, for a law of rankings.

    A day's RankIC has a variance of about 1 / (stocks - 1) and a mean of N days one of 1 / N of that, so that days and
    stocks count alike. Both parts of the interval that come from days shrink: that shared by all rungs, and
    `day_scatter`, the relative variance of a rung mean by days that move each rung on its own. `only`: nothing else
    would do.
    """

    def option(words: str) -> SettleOption:
        return SettleOption(what="days", seeds=None, rungs=None, words=words)

    days = None if points[0].loss_N is None else points[0].loss_N.size
    if fit.days is None or days is None:
        return option("more test days or stocks: how far they would help is unknown without the RankIC of each day")
    now, of_days = Precision.of(fit, noise), min(day_scatter, noise**2)
    for factor in _TIMES_THE_DAYS:
        left = math.sqrt(max(noise**2 - of_days * (1.0 - 1.0 / factor), _NO_NOISE**2))
        then = replace(now, noise=left, days_se=now.days_se / math.sqrt(factor))
        if detectable_alpha(then) <= alpha_of_interest:
            about = f"{'only ' if only else ''}about {factor:g} times the test days ({factor * days:,.0f} instead of "
            return option(f"{about}{days:,}), or as many times the stocks on each of them")
    if only:
        return option(f"only more test days or stocks help, and more than {_TIMES_THE_DAYS[-1]:g} times as many")
    return option(
        "more test days or stocks alone will not do, since the rungs scatter around the law by more than days explain"
    )


def in_words(options: Sequence[SettleOption], sought: float | str) -> str:
    """List the options in a sentence. `sought`: the exponent to be detected, or that in other words."""
    told = "; ".join(option.words + _time(option.estimated_seconds) for option in options)
    what = sought if isinstance(sought, str) else f"an exponent of {sought:g}"
    return f"To detect {what} in four studies out of five: {told}."


def _time(seconds: float | None) -> str:
    if seconds is None:
        return ""
    for unit, name in ((86400.0, "days"), (3600.0, "hours"), (60.0, "minutes")):
        if seconds >= unit:
            return f" (about {seconds / unit:.2g} {name} on one core)"
    return f" (about {seconds:.0f} seconds on one core)"


def _by_days(fit: PowerLaw, noise: float, target: float) -> SettleOption | None:
    """Return the option of more test days where even rungs without noise would not detect `target`; None elsewhere."""
    if fit.days is None or detectable_alpha(replace(Precision.of(fit, noise), noise=_NO_NOISE)) <= target:
        return None
    words = (
        f"only more test days help: their choice alone moves alpha by {fit.alpha_se_days:.4f} (one standard error), "
        "whatever rungs and seeds there are"
    )
    return SettleOption(what="days", seeds=None, rungs=None, words=words)


def _by_one_rung(points: Sequence[RungPoint], fit: PowerLaw, noise_words: NoiseWords) -> tuple[SettleOption, ...]:
    """Return the option of measuring the least certain rung more precisely, where standard errors differ much; ()
    elsewhere."""
    weights = np.array(fit.weights)
    ordered, variance_R = in_order(points), error_variances(points)
    if variance_R is None or weights.size != len(ordered) or float(weights.min()) > _MUCH_LESS * float(weights.max()):
        return ()
    worst = int(weights.argmin())
    se = ordered[worst].se
    if se is None:
        return ()
    more = "a smaller standard error" if len(ordered[worst].seeds) < 2 else "more seeds"
    known = noise_words.of_its_loss(se / ordered[worst].loss)
    words = f"{more} at {ordered[worst].cell} first, which is known least ({known})"
    return (SettleOption(what="seeds", seeds=None, rungs=None, words=words),)


def _by_seeds(points: Sequence[RungPoint], fit: PowerLaw, target: float, cost: Cost | None) -> SettleOption:
    if not any(point.replicated and point.se is not None for point in points):
        words = "the points carry no spread over seeds, so how far more seeds would help is unknown (train at least 3)"
        return SettleOption(what="seeds", seeds=None, rungs=None, words=words)
    per_seed = own_variance(points, fit) or 0.0
    now = max(1, round(float(np.median([len(point.seeds) for point in points if point.se is not None]))))
    between = max(0.0, fit.residual_sd**2 - per_seed)
    for seeds in range(now + 1, _MOST_SEEDS + 1):
        if detectable_alpha(Precision.of(fit, (between + per_seed * now / seeds) ** 0.5)) <= target:
            sizes = [point.n_params for point in points]
            return SettleOption(
                what="seeds",
                seeds=seeds,
                rungs=None,
                words=f"about {seeds} seeds a rung instead of {now}",
                estimated_seconds=None if cost is None else cost.more_seeds(sizes, seeds - now),
            )
    words = "more seeds alone will not do, since the rungs scatter around the law by more than their seeds explain"
    return SettleOption(what="seeds", seeds=None, rungs=None, words=words)


def _by_rungs(
    points: Sequence[RungPoint],
    fit: PowerLaw,
    noise: float,
    target: float,
    cost: Cost | None,
    *,
    varying: bool,
    noise_words: NoiseWords,
) -> tuple[SettleOption, ...]:
    if varying:
        words = "further sizes at amounts of data that the table has: only those separate size from data"
        return (SettleOption(what="rungs", seeds=None, rungs=None, words=words),)
    sizes = [point.n_params for point in points]
    low, high = min(sizes), max(sizes)
    step = max(2.0, (high / low) ** (1.0 / (len(set(sizes)) - 1)))
    at_noise = f"at the present noise of {noise_words.a_rung(noise)} a rung"
    for extra in range(1, _MOST_RUNGS + 1):
        above = tuple(high * step**k for k in range(1, extra + 1))
        below = tuple(low / step**k for k in range(1, extra + 1))
        if _detectable([*sizes, *above], noise, fit) > target:
            continue
        sides = [("above", above)] + ([("below", below)] if below[-1] >= _SMALLEST_MODEL else [])
        priced = [(side, new, None if cost is None else cost.new_rungs(new)) for side, new in sides]
        return tuple(
            SettleOption(
                what="rungs",
                seeds=None,
                rungs=new,
                words=f"{counted(extra, 'further rung')} {side} ({', '.join(map(size_in_words, new))}) {at_noise}",
                estimated_seconds=seconds,
            )
            for side, new, seconds in priced
            # What its author cannot price is a size of which there is no architecture.
            if side == "above" or cost is None or seconds is not None
        )
    words = f"not even {_MOST_RUNGS} further rungs of this spacing would do {at_noise}"
    return (SettleOption(what="rungs", seeds=None, rungs=None, words=words),)


def _detectable(sizes: Sequence[float], noise: float, fit: PowerLaw) -> float:
    """Return the exponent that a ladder of these sizes would detect on the same test days, with the noise known as well
    as now."""
    now = Precision.of(fit, noise)
    then = Precision.of_sizes(sizes, noise, noise_dof=now.noise_dof, confidence=now.confidence)
    if then is None:
        return math.inf
    return detectable_alpha(replace(then, days_se=now.days_se, days_dof=now.days_dof))
