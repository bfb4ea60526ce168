import dataclasses
import itertools

import numpy as np
import pytest
from scipy import stats

from tsladder.law.curve.power_law import fit_power
from tsladder.law.evidence.neighbours import LARGEST_CHOICE, compare_neighbours
from tsladder.law.points import RungPoint

SIZES = (1e5, 1e6, 1e7, 1e8)
DAYS = np.datetime64("2015-01-01") + np.arange(800)


def compare(points, fit=None):
    return compare_neighbours(points, fit, draws=300, confidence=0.95, seed=0)


def daily(levels, noise=0.05, **known):
    """Rungs that share the market's good and bad days and differ by a level."""
    rng = np.random.default_rng(1)
    market = rng.gamma(1.0, 0.3, size=DAYS.size)
    points = []
    for n, level in zip(SIZES, levels, strict=False):
        loss_N = market + level + noise * rng.normal(size=DAYS.size)
        points.append(
            RungPoint(cell=f"{n:.0e}", n_params=n, loss=float(loss_N.mean()), loss_N=loss_N, dates_N=DAYS, **known)
        )
    return points


def test_paired_days_show_a_difference_that_the_losses_alone_would_hide():
    down, up = compare(daily([0.1, 0.08, 0.10]))
    assert down.difference < 0 < up.difference
    assert max(down.p_holm, up.p_holm) < 0.001
    assert down.noise == "days"
    assert down.se < 0.004


def test_equal_rungs_are_rarely_told_apart():
    contrasts = compare(daily([0.1, 0.1, 0.1, 0.1]))
    assert min(c.p_holm for c in contrasts) > 0.05


def test_the_spread_of_seeds_is_part_of_the_error():
    alone, with_seeds = compare(daily([0.1, 0.09])), compare(daily([0.1, 0.09], se=0.01, seeds=((0, 1.0), (1, 1.0))))
    assert with_seeds[0].noise == "days and seeds"
    assert with_seeds[0].se == pytest.approx(np.hypot(alone[0].se, np.hypot(0.01, 0.01)))
    assert with_seeds[0].p_holm > alone[0].p_holm


def test_without_days_the_test_is_welch_on_the_seeds_with_holm_on_top():
    rng = np.random.default_rng(0)
    runs = [mean + 0.01 * rng.normal(size=3) for mean in (0.40, 0.36, 0.39)]
    points = [
        RungPoint(
            cell=str(n),
            n_params=n,
            loss=float(r.mean()),
            se=float(stats.sem(r)),
            seeds=tuple(enumerate(r.tolist())),
        )
        for n, r in zip(SIZES, runs, strict=False)
    ]
    p = [stats.ttest_ind(a, b, equal_var=False).pvalue for a, b in itertools.pairwise(runs)]
    smallest, largest = min(p) * 2, max(max(p), min(p) * 2)
    assert sorted(c.p_holm for c in compare(points)) == pytest.approx([smallest, largest])
    assert {c.noise for c in compare(points)} == {"seeds"}


def test_a_rung_of_one_seed_borrows_the_spread_of_the_others():
    seeds = ((0, 0.39), (1, 0.40), (2, 0.41))
    full = RungPoint(cell="a", n_params=1e5, loss=0.4, se=0.01 / np.sqrt(3), seeds=seeds)
    single = RungPoint(cell="b", n_params=1e6, loss=0.4, seeds=((0, 0.4),))
    assert compare([full, single])[0].se == pytest.approx(np.hypot(0.01 / np.sqrt(3), 0.01))


def test_bare_losses_have_an_unknown_error_and_no_p_value():
    contrast = compare([RungPoint(cell="a", n_params=1e5, loss=0.4), RungPoint(cell="b", n_params=1e6, loss=0.3)])[0]
    assert (contrast.se, contrast.p_holm, contrast.noise) == (None, None, "unknown")
    assert contrast.relative == pytest.approx(-0.25)


def test_rungs_scored_on_different_days_are_refused():
    a, b = daily([0.1, 0.2])
    with pytest.raises(ValueError, match="different days"):
        compare([a, dataclasses.replace(b, dates_N=DAYS + 1)])


def replicated(losses, se=0.002, sizes=(1e5, 1e6, 1e7, 1e8, 1e9)):
    """Rungs of three seeds each with this standard error."""
    return [
        RungPoint(cell=f"{n:.0e}", n_params=n, loss=loss, se=se, seeds=tuple((k, loss) for k in range(3)))
        for n, loss in zip(sizes, losses, strict=False)
    ]


def fitted(points):
    return fit_power([p.n_params for p in points], [p.loss for p in points])


def test_rungs_that_scatter_by_more_than_their_seeds_are_held_against_their_scatter():
    """2 % up and down with seeds of half a per cent: real between these configurations, and nothing of their size."""
    points = replicated([0.400, 0.392, 0.400, 0.392, 0.400], se=0.0006)
    alone, scattered = compare(points), compare(points, fitted(points))
    assert max(c.p_holm for c in alone) < 0.05
    assert {c.noise for c in scattered} == {"choice"}
    assert min(c.p_holm for c in scattered) > 0.05
    scatter = fitted(points).residual_sd
    assert scattered[0].se == pytest.approx(scatter * np.hypot(0.400, 0.392))
    assert scattered[0].p_holm == pytest.approx(min(1, 4 * 2 * stats.t.sf(0.008 / scattered[0].se, 3)), rel=1e-6)


def test_rungs_further_apart_than_choice_allows_are_apart_by_size():
    points = replicated([0.40, 0.32, 0.40, 0.32, 0.40])
    contrasts = compare(points, fitted(points))
    assert contrasts[0].se == pytest.approx(LARGEST_CHOICE * np.hypot(0.40, 0.32))
    assert max(c.p_holm for c in contrasts) < 0.001


def test_seeds_that_say_less_than_the_scatter_does_keep_their_own_error():
    points = replicated([0.400, 0.401, 0.400, 0.401, 0.400], se=0.01)
    assert {c.noise for c in compare(points, fitted(points))} == {"seeds"}


def test_a_standard_error_that_a_table_gives_is_taken_at_its_word():
    points = [dataclasses.replace(p, seeds=()) for p in replicated([0.400, 0.392, 0.400, 0.392, 0.400])]
    contrasts = compare(points, fitted(points))
    assert {c.noise for c in contrasts} == {"se as given"}
    assert contrasts[0].se == pytest.approx(np.hypot(0.002, 0.002))


def test_a_spread_borrowed_from_replicates_is_one_of_seeds():
    points = replicated([0.40, 0.39, 0.40, 0.41, 0.40], se=0.0)
    bare = [points[0], *(dataclasses.replace(p, seeds=(), se=None) for p in points[1:])]
    assert {c.noise for c in compare(bare, fitted(bare))} == {"choice"}
