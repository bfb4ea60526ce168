"""Test whether the ratio of depth to width orders the trials of a search, and whether it does so at every
rung. Pure."""

from __future__ import annotations

import dataclasses
import statistics
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from tsladder.evaluation.difference import holm
from tsladder.report.patterns.permutation_test import FEWEST, PermutationTest, permutations, pooled
from tsladder.report.patterns.ranks import rank_correlation, weakest_detectable
from tsladder.report.patterns.trials import Cohort
from tsladder.vocabulary import Cell, parse_budget


class Preference(StrEnum):
    """Preference for depth or width that a search, or the searches of a horizon, show."""

    DEEPER = "deeper is better"
    WIDER = "wider is better"
    NO_PATTERN = "no pattern"
    ONE_RATIO = "one ratio of depth to width"
    TOO_FEW = "too few trials to say"


class Trend(StrEnum):
    """Change of the preference with model size."""

    DEEPER = "larger models lean more to depth"
    WIDER = "larger models lean more to width"
    NO_TREND = "no change with size"
    TOO_FEW = "too few rungs to say"


@dataclass(frozen=True, kw_only=True, slots=True)
class Halves:
    """The deep half of the trials against the wide half. `ahead` is the best score of the deep half less that of the
    wide half, `p` the probability by chance of a difference at least as large; `at_median` counts trials that belong to
    neither half."""

    deep: int
    wide: int
    at_median: int
    best_deep: float
    best_wide: float
    ahead: float
    p: float


@dataclass(frozen=True, kw_only=True, slots=True)
class DepthPattern:
    """Depth against width in one cell. `rho`: rank correlation of the score with layers over width, above 0 where
    deeper trials scored better; `p_holm`: its p-value, corrected over all cells of the study. None: nothing to
    correlate."""

    cell: Cell
    trials: int
    left_out: int
    halves: Halves | None
    rho: float | None
    p: float | None
    p_holm: float | None
    preference: Preference


@dataclass(frozen=True, kw_only=True, slots=True)
class RungPattern:
    """Depth against width over the rungs of a horizon. `rho`: mean correlation over the rungs; `p_holm`: its p-value
    from permutations within every rung, corrected over all horizons; `shown`: the weakest mean that would have been
    significant. `same_side`: two-sided sign test, the probability that a coin would put at least as many rungs on one
    side. `trend`: rank correlation between a rung's correlation and its size; `trend_shown`: the weakest trend that
    would have been significant, None where so few rungs can show none."""

    horizon: int
    rungs: int
    deeper: int
    wider: int
    same_side: float | None
    rho: float | None
    p_holm: float | None
    shown: float | None
    preference: Preference
    trend: float | None
    trend_p_holm: float | None
    trend_shown: float | None
    change: Trend


def depth_patterns(
    cohorts: Mapping[Cell, Cohort], *, level: float, seed: int
) -> tuple[tuple[DepthPattern, ...], tuple[RungPattern, ...]]:
    """Return the pattern of every cell, and of every horizon. `level`: the largest corrected p-value that counts as a
    finding."""
    correlations = {cell: _correlation(cohort, seed) for cell, cohort in cohorts.items()}
    found = [_of_cell(cell, cohort, correlations[cell], seed) for cell, cohort in cohorts.items()]
    corrected = holm([pattern.p for pattern in found])
    cells = tuple(
        dataclasses.replace(pattern, p_holm=p, preference=_judged(pattern, p, level))
        for pattern, p in zip(found, corrected, strict=True)
    )
    known = {cell: value for cell, value in correlations.items() if value is not None}
    horizons = sorted({cell.horizon for cell in cohorts})
    return cells, _over_rungs({h: {c: v for c, v in known.items() if c.horizon == h} for h in horizons}, level, seed)


def halves_of(cohort: Cohort, seed: int) -> Halves | None:
    """Split the trials into a deep half, above the median of layers over width, and a wide half, below it. Trials at
    the median belong to neither, unless a half would be empty without them. Returns None where all trials have one
    ratio."""
    ratios = [trial.depth_to_width for trial in cohort.trials]
    if len(set(ratios)) < 2:
        return None
    median = statistics.median(ratios)
    deep_N = np.array([ratio > median for ratio in ratios])
    wide_N = np.array([ratio < median for ratio in ratios])
    if not deep_N.any():
        deep_N = ~wide_N
    elif not wide_N.any():
        wide_N = ~deep_N
    scores_N = np.array([trial.score for trial in cohort.trials])
    orders, exact = permutations(len(scores_N), seed)
    permuted = scores_N[orders]
    best_deep, best_wide = float(scores_N[deep_N].max()), float(scores_N[wide_N].max())
    chance = PermutationTest(
        value=abs(best_deep - best_wide),
        null=np.abs(permuted[:, deep_N].max(axis=1) - permuted[:, wide_N].max(axis=1)),
        exact=exact,
    )
    return Halves(
        deep=int(deep_N.sum()),
        wide=int(wide_N.sum()),
        at_median=int((~deep_N & ~wide_N).sum()),
        best_deep=best_deep,
        best_wide=best_wide,
        ahead=best_deep - best_wide,
        p=chance.p_high,
    )


def _correlation(cohort: Cohort, seed: int) -> PermutationTest | None:
    if len(cohort.trials) < FEWEST:
        return None
    ratios = [trial.depth_to_width for trial in cohort.trials]
    return rank_correlation(ratios, [trial.score for trial in cohort.trials], seed)


def _of_cell(cell: Cell, cohort: Cohort, correlation: PermutationTest | None, seed: int) -> DepthPattern:
    enough = len(cohort.trials) >= FEWEST
    one_ratio = len({trial.depth_to_width for trial in cohort.trials}) == 1
    return DepthPattern(
        cell=cell,
        trials=len(cohort.trials),
        left_out=cohort.left_out,
        halves=halves_of(cohort, seed) if enough else None,
        rho=None if correlation is None else correlation.value,
        p=None if correlation is None else correlation.p_two_sided,
        p_holm=None,
        preference=Preference.TOO_FEW if not enough else Preference.ONE_RATIO if one_ratio else Preference.NO_PATTERN,
    )


def _judged(pattern: DepthPattern, p: float | None, level: float) -> Preference:
    if pattern.rho is None or p is None or p > level:
        return pattern.preference
    return Preference.DEEPER if pattern.rho > 0.0 else Preference.WIDER


def _over_rungs(
    of_horizon: Mapping[int, Mapping[Cell, PermutationTest]], level: float, seed: int
) -> tuple[RungPattern, ...]:
    means = {h: pooled(list(rungs.values()), seed) if len(rungs) > 1 else None for h, rungs in of_horizon.items()}
    trends = {h: _trend(rungs, seed) for h, rungs in of_horizon.items()}
    p_means, p_trends = (
        holm([None if chance is None else chance.p_two_sided for chance in chances.values()])
        for chances in (means, trends)
    )
    tested, trends_tested = (max(1, sum(p is not None for p in p_values)) for p_values in (p_means, p_trends))
    found = []
    for horizon, p_mean, p_trend in zip(of_horizon, p_means, p_trends, strict=True):
        mean, trend = means[horizon], trends[horizon]
        values = [chance.value for chance in of_horizon[horizon].values()]
        deeper, wider = sum(value > 0.0 for value in values), sum(value < 0.0 for value in values)
        found.append(
            RungPattern(
                horizon=horizon,
                rungs=len(values),
                deeper=deeper,
                wider=wider,
                same_side=_sign_test(max(deeper, wider), deeper + wider),
                rho=None if mean is None else mean.value,
                p_holm=p_mean,
                shown=None if mean is None else float(np.quantile(np.abs(mean.null), 1.0 - level / tested)),
                preference=_preference(mean, p_mean, level),
                trend=None if trend is None else trend.value,
                trend_p_holm=p_trend,
                trend_shown=weakest_detectable(len(values), level / trends_tested, seed, block=len(values)),
                change=_change(trend, p_trend, level, len(values)),
            )
        )
    return tuple(found)


def _preference(mean: PermutationTest | None, p: float | None, level: float) -> Preference:
    if mean is None or p is None:
        return Preference.TOO_FEW
    if p > level:
        return Preference.NO_PATTERN
    return Preference.DEEPER if mean.value > 0.0 else Preference.WIDER


def _change(trend: PermutationTest | None, p: float | None, level: float, rungs: int) -> Trend:
    if rungs < FEWEST:
        return Trend.TOO_FEW
    if trend is None or p is None or p > level:
        return Trend.NO_TREND
    return Trend.DEEPER if trend.value > 0.0 else Trend.WIDER


def _trend(rungs: Mapping[Cell, PermutationTest], seed: int) -> PermutationTest | None:
    if len(rungs) < FEWEST:
        return None
    sizes = [float(parse_budget(cell.budget)) for cell in rungs]
    return rank_correlation(sizes, [chance.value for chance in rungs.values()], seed, block=len(sizes))


def _sign_test(most: int, n: int) -> float | None:
    """Return the two-sided p-value of a sign test with `most` of `n` on one side."""
    from scipy.stats import binomtest

    return float(binomtest(most, n).pvalue) if n else None
