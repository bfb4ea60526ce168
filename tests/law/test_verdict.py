from __future__ import annotations

import dataclasses
import functools
import json
from collections.abc import Sequence

import numpy as np
import pytest

from tsladder.law.evidence.neighbours import NeighbourContrast
from tsladder.law.ladder import fit_rungs
from tsladder.law.points import RungPoint, in_order
from tsladder.law.verdict import VerdictName, judge

FIVE = (750e3, 2e6, 20e6, 200e6, 2e9)
DRAWS = 80
"""Ladders of one law in a fast test."""
MORE_DRAWS = 500
NULL = {"alpha": 0.0, "seed_noise": 0.02}


def bare(sizes: Sequence[float], losses: Sequence[float], **known) -> list[RungPoint]:
    """Points as a table gives them: a size and a loss."""
    return [
        RungPoint(cell=f"rung-{i}", n_params=n, loss=loss, **known)
        for i, (n, loss) in enumerate(zip(sizes, losses, strict=True))
    ]


def planted(
    rng: np.random.Generator,
    *,
    alpha: float,
    seed_noise: float,
    rung_noise: float = 0.0,
    sizes: Sequence[float] = FIVE,
    n_seeds: int = 3,
) -> list[RungPoint]:
    """Rung means of a power law with noise of every seed and, shared by a rung's seeds, of every rung."""
    points = []
    for index, n in enumerate(sizes):
        law = 0.4 * (n / 1e6) ** -alpha * np.exp(rung_noise * rng.normal())
        seeds = law * np.exp(seed_noise * rng.normal(size=n_seeds))
        points.append(
            RungPoint(
                cell=f"rung-{index}",
                n_params=n,
                loss=float(seeds.mean()),
                se=float(seeds.std(ddof=1) / np.sqrt(n_seeds)) if n_seeds > 1 else None,
                seeds=tuple(enumerate(seeds.tolist())),
            )
        )
    return points


def judged(points, contrasts=None, **known):
    fitted = fit_rungs(in_order(points), alpha_of_interest=0.015, confidence=0.95, draws=100, seed=0)
    contrasts = fitted.contrasts if contrasts is None else contrasts
    return judge(points, fitted.support, alpha_of_interest=0.015, contrasts=contrasts, **known), fitted.support.power


@functools.cache
def _drawn(draws, law):
    rng = np.random.default_rng(4)
    return [judged(planted(rng, **dict(law))) for _ in range(draws)]


def verdicts(draws, **law):
    """Verdicts on ladders of one law, drawn once for all tests that ask something of them."""
    return _drawn(draws, tuple(law.items()))


def share(found, name):
    return np.mean([verdict.name is name for verdict, _ in found])


def contrast(smaller, larger, difference, p, noise="days and seeds"):
    return NeighbourContrast(
        smaller=smaller, larger=larger, difference=difference, relative=difference / 0.4, se=0.01, p_holm=p, noise=noise
    )


@pytest.mark.parametrize("sizes", [{}, {"sizes": FIVE[:4]}], ids=["five rungs", "four rungs"])
@pytest.mark.parametrize("draws", [DRAWS, pytest.param(MORE_DRAWS, marks=pytest.mark.slow)])
def test_n3_null_ladders_seldom_scale(sizes, draws):
    assert share(verdicts(draws, **NULL, **sizes), VerdictName.SCALES) <= 0.05


@pytest.mark.parametrize("draws", [DRAWS, pytest.param(MORE_DRAWS, marks=pytest.mark.slow)])
def test_n3b_null_ladders_with_a_rung_effect_seldom_scale(draws):
    assert share(verdicts(draws, alpha=0.0, seed_noise=0.01, rung_noise=0.02), VerdictName.SCALES) <= 0.05


@pytest.mark.parametrize("draws", [DRAWS, pytest.param(MORE_DRAWS, marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    ("law", "turns"),
    [
        (NULL, 0.02),
        ({**NULL, "sizes": FIVE[:4]}, 0.02),
        ({"alpha": 0.0, "seed_noise": 0.01, "rung_noise": 0.02}, 0.02),
        ({"alpha": 0.02, "seed_noise": 0.02}, 0.02),
        ({"alpha": 0.0, "seed_noise": 0.01, "rung_noise": 0.04}, 0.06),
    ],
    ids=["N3", "N3 on four rungs", "N3b", "N4", "a rung effect of 4 %"],
)
def test_the_choice_of_configurations_is_seldom_taken_for_a_turn(law, turns, draws):
    """Seeds alone would call a tenth of N3b, and more than half of the last, `not_monotone`."""
    assert share(verdicts(draws, **law), VerdictName.NOT_MONOTONE) <= turns


@pytest.mark.parametrize("draws", [DRAWS, pytest.param(MORE_DRAWS, marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    "noise", [{"seed_noise": 0.02}, {"seed_noise": 0.01, "rung_noise": 0.02}], ids=["seeds", "rungs and seeds"]
)
def test_an_exponent_of_interest_is_seldom_called_flat(noise, draws):
    assert share(verdicts(draws, alpha=0.015, **noise), VerdictName.FLAT) <= 0.04


def test_a_turn_beyond_what_choices_do_is_still_found():
    rng = np.random.default_rng(0)
    found = []
    for _ in range(50):
        points = planted(rng, alpha=0.0, seed_noise=0.01, rung_noise=0.01)
        bent = [dataclasses.replace(p, loss=p.loss * (1.2 if k % 2 else 1.0)) for k, p in enumerate(points)]
        found.append(judged(bent)[0].name is VerdictName.NOT_MONOTONE)
    assert np.mean(found) > 0.9


@pytest.mark.parametrize(
    ("draws", "low", "high"), [(DRAWS, 0.90, 0.99), pytest.param(MORE_DRAWS, 0.93, 0.97, marks=pytest.mark.slow)]
)
def test_n4_a_planted_law_scales_and_its_interval_covers_it(draws, low, high):
    found = verdicts(draws, alpha=0.02, seed_noise=0.02)
    assert share(found, VerdictName.SCALES) >= 0.95
    covered = np.mean([fit.alpha_ci[0] <= 0.02 <= fit.alpha_ci[1] for _, fit in found])
    assert low <= covered <= high


@pytest.mark.parametrize(
    ("sizes", "losses", "alpha"),
    [
        ((2e6, 20e6, 200e6, 2e9), (0.337, 0.363, 0.363, 0.363), -0.010),
        ((2e6, 20e6, 200e6), (0.262, 0.274, 0.308), -0.035),
    ],
    ids=["h1", "h3"],
)
def test_n5_the_earlier_study_shows_no_law(sizes, losses, alpha):
    verdict, fit = judged(bare(sizes, losses))
    assert fit.alpha == pytest.approx(alpha, abs=0.0005)
    assert verdict.name is VerdictName.UNDERPOWERED
    assert "further rung" in verdict.settle


@pytest.mark.parametrize("rungs", [0, 1, 2])
def test_n6_fewer_than_three_rungs_have_no_exponent(rungs):
    verdict, fit = judged(bare(FIVE[:rungs], (0.4, 0.3)[:rungs], has_skill=False))
    assert fit is None
    assert verdict.name is VerdictName.TOO_FEW_RUNGS
    assert f"At least {3 - rungs} more" in verdict.settle


def test_a_failed_probe_comes_before_everything():
    verdict, _ = judged(bare(FIVE[:2], (0.4, 0.3)), probes_failed=["labels shifted by one day still score"])
    assert verdict.name is VerdictName.INVALID
    assert "shifted by one day" in verdict.reason


def test_no_skill_hides_even_a_perfect_slope_but_one_skilled_rung_lifts_it():
    points = bare(FIVE, [0.4 * (n / 1e6) ** -0.05 for n in FIVE], has_skill=False, own_rate_loss=0.3)
    assert judged(points)[0].name is VerdictName.NO_SKILL
    points[2] = dataclasses.replace(points[2], has_skill=True)
    assert judged(points)[0].name is VerdictName.SCALES


def test_unknown_skill_is_not_missing_skill():
    assert judged(bare(FIVE, [0.4 * (n / 1e6) ** -0.05 for n in FIVE]))[0].name is VerdictName.SCALES


def test_a_perfect_r_squared_with_the_wrong_sign_is_worse_with_size():
    points = bare(FIVE, [0.3 * (n / 1e6) ** 0.03 for n in FIVE])
    verdict, fit = judged(points)
    assert fit.r2 == pytest.approx(1.0)
    assert verdict.name is VerdictName.WORSE_WITH_SIZE
    assert "7.2% higher" in verdict.reason  # 10 ** 0.03


def test_equal_losses_are_flat():
    assert judged(bare(FIVE, [0.37] * 5))[0].name is VerdictName.FLAT


def test_significant_steps_in_both_directions_are_not_monotone():
    points = bare(FIVE[1:], (0.40, 0.35, 0.40, 0.36))
    steps = [contrast("rung-0", "rung-1", -0.05, 0.001), contrast("rung-1", "rung-2", 0.05, 0.001)]
    verdict, _ = judged(points, steps)
    assert verdict.name is VerdictName.NOT_MONOTONE
    assert "(rung-1)" in verdict.settle


@pytest.mark.parametrize(
    "steps",
    [
        [contrast("rung-0", "rung-1", -0.05, 0.001), contrast("rung-1", "rung-2", 0.05, 0.2)],
        [contrast("rung-0", "rung-1", -0.05, 0.001), contrast("rung-2", "rung-3", -0.04, 0.001)],
        [contrast("rung-0", "rung-1", -0.05, None), contrast("rung-1", "rung-2", 0.05, None)],
    ],
    ids=["one is not significant", "both fall", "their error is unknown"],
)
def test_anything_less_stays_underpowered(steps):
    assert judged(bare(FIVE[1:], (0.40, 0.35, 0.40, 0.36)), steps)[0].name is VerdictName.UNDERPOWERED


def test_the_order_of_the_points_changes_no_word():
    points = planted(np.random.default_rng(5), alpha=0.0, seed_noise=0.02, rung_noise=0.02)
    assert judged(points)[0] == judged(points[::-1])[0]


def test_more_seeds_are_advised_where_seeds_are_the_noise_and_not_where_rungs_are():
    # Scatter of the means 3 % around a flat law; first the seeds explain it, then they do not.
    losses = [0.4 * np.exp(e) for e in (0.03, -0.03, 0.0, -0.03, 0.03)]
    sizes = np.geomspace(1e5, 1e7, 5)
    seeds = ((0, 0.4), (1, 0.4), (2, 0.4))
    noisy = judged(bare(sizes, losses, se=0.015, seeds=seeds), ())[0]
    quiet = judged(bare(sizes, losses, se=0.0005, seeds=seeds), ())[0]
    assert "seeds a rung instead of 3" in noisy.settle
    assert "more seeds alone will not do" in quiet.settle


def test_a_sign_read_from_rungs_closer_to_a_line_than_their_seeds_allow_comes_with_a_warning() -> None:
    """The rung means lie on an exact line, their seeds 6 % apart: the interval is tight by luck."""
    sizes = (1e4, 3e4, 1e5, 3e5)
    lucky = []
    for size in sizes:
        loss = 0.7 * size**-0.01
        seeds = tuple(enumerate((loss * 0.94, loss, loss * 1.06), start=1))
        lucky.append(RungPoint(cell=f"{size:g}", n_params=size, loss=loss, se=0.06 * loss / 3**0.5, seeds=seeds))
    verdict, _ = judged(lucky)
    assert verdict.name is VerdictName.SCALES
    assert "luck" in verdict.reason
    quiet = [dataclasses.replace(p, seeds=tuple((k, p.loss) for k, _ in p.seeds), se=0.0) for p in lucky]
    assert "luck" not in judged(quiet)[0].reason


def test_a_flat_verdict_from_rungs_closer_than_their_seeds_allow_comes_with_the_same_warning() -> None:
    points = bare(FIVE, [0.37] * 5, se=0.02, seeds=((1, 0.34), (2, 0.37), (3, 0.40)))
    verdict, _ = judged(points, ())
    assert verdict.name is VerdictName.FLAT
    assert "luck" in verdict.reason
    assert "luck" not in judged(bare(FIVE, [0.37] * 5), ())[0].reason


def test_a_curve_that_turns_has_no_verdict_that_hides_it() -> None:
    sizes = np.geomspace(1e5, 1e9, 9)
    turning = np.log(sizes / 1e7) ** 2
    steep, _ = judged(bare(sizes, 0.4 * np.exp(0.004 * turning)))
    assert steep.name is VerdictName.NOT_MONOTONE
    assert "falls up to about 10M and rises beyond" in steep.reason
    faint, _ = judged(bare(sizes, 0.4 * np.exp(0.0005 * turning)))
    assert faint.name is VerdictName.FLAT
    assert "falls up to about 10M and rises beyond" in faint.reason
    assert "ten times larger" not in faint.reason


def test_a_known_floor_is_in_reason_and_settle_and_decides_what_ten_times_larger_does() -> None:
    sizes = np.array([12e3, 30e3, 80e3, 200e3, 750e3, 2e6, 20e6, 200e6])
    verdict, _ = judged(bare(sizes, np.round(1.742 + 161 * sizes**-0.553, 4)))
    assert verdict.name is VerdictName.SCALES
    assert "towards a floor of 1.742" in verdict.reason
    assert "0.2% lower" in verdict.reason
    assert "floor of 1.742" in verdict.settle
    assert "rises" not in verdict.reason


def test_a_law_of_no_interest_is_called_negligible() -> None:
    verdict, _ = judged(bare(FIVE, [0.4 * n**-0.005 for n in FIVE]))
    assert verdict.name is VerdictName.SCALES
    assert "negligible" in verdict.reason
    assert "negligible" not in judged(bare(FIVE, [0.4 * n**-0.05 for n in FIVE]))[0].reason


def test_a_known_error_decides_how_much_a_rung_counts_and_which_rung_is_named() -> None:
    """Four precise rungs on a line, and one of which little is known: unweighted, that one hides the law."""
    sizes = (12e3, 30e3, 80e3, 200e3, 750e3)
    losses, errors = (0.3990, 0.3963, 0.3935, 0.3909, 0.4300), (0.0004,) * 4 + (0.05,)
    points = [dataclasses.replace(p, se=se) for p, se in zip(bare(sizes, losses), errors, strict=True)]
    verdict, fit = judged(points)
    assert verdict.name is VerdictName.SCALES
    assert fit.alpha == pytest.approx(0.0073, abs=0.0003)
    vague = [dataclasses.replace(p, se=10 * p.se if p.se < 0.01 else p.se) for p in points]
    scattered = [dataclasses.replace(p, loss=0.4 + 0.006 * (-1) ** k) for k, p in enumerate(vague)]
    assert "at rung-4 first" in judged(scattered)[0].settle


def test_the_interval_has_a_part_of_the_days_where_daily_losses_are_known() -> None:
    """On half of the days larger models do better by so much that the slope of a day moves by three times alpha."""
    rng, days = np.random.default_rng(0), 400
    tilt_N = np.where(np.arange(days) < days // 2, 0.03, -0.01)
    points = []
    for point in bare(FIVE, [0.4 * (n / 1e6) ** -0.01 for n in FIVE]):
        loss_N = (
            point.loss
            * (1.0 - (tilt_N - tilt_N.mean()) * np.log(point.n_params / 1e7))
            * np.exp(0.001 * rng.normal(size=days))
        )
        points.append(dataclasses.replace(point, loss=float(loss_N.mean()), loss_N=loss_N))
    verdict, fit = judged(points)
    assert fit.alpha_ci_rungs[0] > 0.0
    assert verdict.name is VerdictName.UNDERPOWERED
    assert "of the rungs ±" in verdict.reason
    assert "of the days ±" in verdict.reason
    assert "only more test days help" in verdict.settle
    assert "law of the test data at hand" not in verdict.reason
    bare_points = [dataclasses.replace(point, loss_N=None) for point in points]
    told, _ = judged(bare_points)
    assert told.name is VerdictName.SCALES
    assert "law of the test data at hand" in told.reason


@pytest.mark.parametrize("probes", [(), ("a leak",)])
def test_every_verdict_is_json_ready_about_what_would_settle_it(probes: tuple[str, ...]) -> None:
    for losses in ((0.4, 0.3), (0.4, 0.36, 0.41, 0.36, 0.40)):
        verdict, _ = judged(bare(FIVE[: len(losses)], losses), (), probes_failed=probes)
        assert bool(verdict.options) == (not probes)
        json.dumps([dataclasses.asdict(option) for option in verdict.options])
