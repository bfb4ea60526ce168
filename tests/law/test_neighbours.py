import dataclasses
import itertools

import numpy as np
import pytest
from scipy import stats

from tsladder.law.neighbours import compare_neighbours
from tsladder.law.points import RungPoint

SIZES = (1e5, 1e6, 1e7, 1e8)
DAYS = np.datetime64("2015-01-01") + np.arange(800)


def compare(points):
    return compare_neighbours(points, None, draws=300, confidence=0.95, seed=0)


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
