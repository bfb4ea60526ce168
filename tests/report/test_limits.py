"""Days or parameters: independent samples, the gap by rung, and a rule that would rather say nothing."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from tsladder.report.extent import TrainingExtent
from tsladder.report.limits import Bottleneck, RungLosses, diagnose
from tsladder.tasks.parts.class_words import constant_gap

SIZES = (12_000, 30_000, 80_000, 200_000)
NOISE = (-0.002, 0.0, 0.002)


def extent(runs=(2_800,), windows=2_700, horizon=1):
    return TrainingExtent(runs=runs, windows=windows, context_length=80, horizon=horizon)


def rung(n_params, gap, noise=NOISE, train=0.40):
    seeds = [str(k) for k in range(1, len(noise) + 1)]
    return RungLosses(
        cell=f"{n_params}-h1",
        n_params=n_params,
        dropout=0.1,
        train=dict.fromkeys(seeds, train),
        validation={seed: train + gap + extra for seed, extra in zip(seeds, noise, strict=True)},
    )


def ladder(gaps, sizes=SIZES, noise=NOISE):
    return [rung(n, gap, noise) for n, gap in zip(sizes, gaps, strict=True)]


def found(rungs, *, alpha_ci=(-0.01, 0.01), there=None, of_interest=0.015, verdict=None, form=None):
    return diagnose(
        rungs, there or extent(), alpha_ci=alpha_ci, alpha_of_interest=of_interest, confidence=0.95,
        verdict=verdict, form=form,
    )  # fmt: skip


WIDENS = (0.01, 0.03, 0.05, 0.07)
LEVEL = (0.03, 0.05, 0.02, 0.04)


@given(st.lists(st.integers(1, 400), min_size=1, max_size=4), st.integers(4, 90), st.integers(1, 5))
def test_disjoint_windows_are_those_that_can_be_laid_side_by_side(runs, context_length, horizon):
    laid = 0
    for days in runs:
        day = 0
        while day + context_length + horizon <= days:
            laid, day = laid + 1, day + context_length + horizon
    there = TrainingExtent(runs=tuple(runs), windows=None, context_length=context_length, horizon=horizon)
    assert there.disjoint_windows == laid


def test_a_region_never_holds_more_disjoint_windows_than_windows():
    there = TrainingExtent(runs=(252,) * 12, windows=12, context_length=60, horizon=1)
    assert there.disjoint_windows == 12


def test_labels_count_once_a_horizon_and_what_is_not_known_stays_so():
    assert extent(horizon=5).independent_labels == 540.0
    nothing = extent(runs=(), windows=None)
    assert (nothing.days, nothing.disjoint_windows, nothing.independent_labels) == (None, None, None)


def test_the_gap_and_its_interval_are_those_of_a_t_test_over_seeds():
    noise = (-0.011, 0.004, 0.009, 0.0)
    one = found(ladder(WIDENS, noise=noise)).rungs[2]
    gaps = np.array(noise) + WIDENS[2]
    assert one.gap == pytest.approx(gaps.mean(), abs=1e-12)
    expected = stats.t.interval(0.95, len(noise) - 1, loc=gaps.mean(), scale=stats.sem(gaps))
    assert one.gap_ci == pytest.approx(expected, abs=1e-12)


def test_the_growth_of_the_gap_is_a_regression_on_tenfolds_of_size():
    limits = found(ladder(LEVEL))
    line = stats.linregress(np.log10(SIZES), LEVEL)
    reach = stats.t.ppf(0.975, len(SIZES) - 2) * line.stderr
    assert limits.slope == pytest.approx(line.slope, abs=1e-12)
    assert limits.slope_ci == pytest.approx((line.slope - reach, line.slope + reach), abs=1e-12)


def test_a_rung_is_held_against_the_smallest_one_by_welchs_test_corrected_for_all_of_them():
    noises = [(-0.01, 0.0, 0.01), (-0.002, 0.0, 0.002), (-0.02, 0.01, 0.01)]
    rungs = [rung(n, gap, noise) for n, gap, noise in zip(SIZES, (0.01, 0.035, 0.05), noises, strict=False)]
    samples = [np.array(noise) + gap for gap, noise in zip((0.01, 0.035, 0.05), noises, strict=True)]
    raw = [stats.ttest_ind(samples[0], other, equal_var=False).pvalue for other in samples[1:]]
    least, most = sorted(raw)
    holm = {least: min(1.0, 2 * least), most: max(min(1.0, 2 * least), most)}
    p_values = [one.p_above_smallest for one in found(rungs).rungs]
    assert p_values[0] is None
    assert p_values[1:] == pytest.approx([holm[p] for p in raw], rel=1e-9)


def test_the_rungs_named_as_wider_are_wider_beyond_chance():
    assert found(ladder(WIDENS)).above_smallest(0.95) == tuple(f"{n}-h1" for n in SIZES[1:])
    assert found(ladder(WIDENS[::-1])).above_smallest(0.95) == ()
    assert found(ladder(WIDENS, noise=(-0.3, 0.0, 0.3))).above_smallest(0.95) == ()


@pytest.mark.parametrize(("train", "validation"), [(0.25, 0.18), (0.18, 0.25), (0.4, 0.4)])
def test_the_gap_of_a_constant_is_the_difference_of_two_entropies(train, validation):
    expected = stats.entropy([validation, 1 - validation]) - stats.entropy([train, 1 - train])
    assert constant_gap(train_rate=train, validation_rate=validation) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("rate", [None, 0.0, 1.0])
def test_a_rate_without_an_entropy_gives_no_gap_of_a_constant(rate):
    assert constant_gap(train_rate=rate, validation_rate=0.2) is None
    assert constant_gap(train_rate=0.2, validation_rate=rate) is None


@pytest.mark.parametrize(
    ("gaps", "alpha_ci", "bottleneck"),
    [
        (WIDENS, (-0.01, 0.01), Bottleneck.MORE_DATA),
        (WIDENS, (-0.05, -0.02), Bottleneck.MORE_DATA),  # larger models are worse
        (WIDENS, (-0.01, 0.03), Bottleneck.UNDECIDED),  # an exponent that matters is not ruled out
        (WIDENS, (0.002, 0.008), Bottleneck.UNDECIDED),  # a small one is shown
        (WIDENS, (0.02, 0.05), Bottleneck.UNDECIDED),
        (LEVEL, (0.02, 0.05), Bottleneck.MORE_PARAMETERS),
        (WIDENS[::-1], (0.02, 0.05), Bottleneck.MORE_PARAMETERS),
        (LEVEL, (-0.01, 0.01), Bottleneck.UNDECIDED),
        (LEVEL, (-0.01, 0.03), Bottleneck.UNDECIDED),
        (LEVEL, (0.002, 0.008), Bottleneck.UNDECIDED),  # larger models are better by nothing that matters
        (WIDENS, None, Bottleneck.UNKNOWN),
    ],
)
def test_the_rule_names_the_bottleneck_only_where_gap_and_law_agree(gaps, alpha_ci, bottleneck):
    assert found(ladder(gaps), alpha_ci=alpha_ci).bottleneck is bottleneck


@pytest.mark.parametrize(
    ("gaps", "alpha_ci", "verdict", "form", "bottleneck", "said"),
    [
        (LEVEL, (0.02, 0.05), "scales", "power_floor", Bottleneck.UNDECIDED, "towards a floor"),
        (WIDENS, (-0.01, 0.01), "scales", "power_floor", Bottleneck.UNDECIDED, "towards a floor"),
        (LEVEL, (0.02, 0.05), "scales", "overfit", Bottleneck.UNDECIDED, "rises again"),
        (WIDENS, (-0.01, 0.01), "not_monotone", "overfit", Bottleneck.UNDECIDED, "rises again"),
        (WIDENS, (-0.02, 0.01), "not_monotone", "not identifiable", Bottleneck.UNDECIDED, "neither falls nor rises"),
        (WIDENS, (-0.01, 0.01), "flat", "overfit", Bottleneck.MORE_DATA, "rules out"),
        (LEVEL, (0.02, 0.05), "no_skill", "power", Bottleneck.UNDECIDED, "no rung forecasts better than a constant"),
        (LEVEL, (0.02, 0.05), "scales", "power", Bottleneck.MORE_PARAMETERS, "forecast better"),
    ],
)
def test_the_rule_does_not_say_of_size_what_the_verdict_and_its_form_deny(
    gaps, alpha_ci, verdict, form, bottleneck, said
):
    limits = found(ladder(gaps), alpha_ci=alpha_ci, verdict=verdict, form=form)
    assert limits.bottleneck is bottleneck
    assert said in limits.reason


def test_models_with_fewer_parameters_than_labels_do_not_lack_days():
    many = extent(windows=10 * max(SIZES))
    assert found(ladder(WIDENS), there=many).bottleneck is Bottleneck.UNDECIDED


def test_without_the_number_of_windows_nothing_is_reported():
    assert found(ladder(WIDENS), there=extent(windows=None)).bottleneck is Bottleneck.UNKNOWN


def test_two_rungs_have_no_trend():
    limits = found(ladder(WIDENS[:2], SIZES[:2]))
    assert (limits.slope, limits.slope_ci, limits.bottleneck) == (None, None, Bottleneck.UNKNOWN)


def test_rungs_of_one_size_have_no_trend():
    assert found(ladder(WIDENS, (50_000,) * 4)).bottleneck is Bottleneck.UNKNOWN


def test_one_seed_gives_a_gap_without_an_interval():
    limits = found(ladder(WIDENS, noise=(0.0,)))
    assert all(one.gap is not None and one.gap_ci is None and one.p_above_smallest is None for one in limits.rungs)
    assert limits.slope_ci is not None


def test_a_seed_that_lacks_one_of_its_losses_is_not_used():
    whole = rung(12_000, 0.03)
    torn = RungLosses(
        cell=whole.cell,
        n_params=whole.n_params,
        dropout=None,
        train={**whole.train, "4": 0.1, "5": None},
        validation={**whole.validation, "5": 9.0, "6": 9.0},
    )
    others = ladder(WIDENS[1:], SIZES[1:])
    assert found([torn, *others]).rungs[0].gap_ci == found([whole, *others]).rungs[0].gap_ci


def test_a_rung_without_any_loss_stays_in_the_table_and_out_of_the_trend():
    empty = RungLosses(cell="none", n_params=500_000, dropout=None, train={}, validation={"1": 0.4})
    with_it, without = found([*ladder(LEVEL), empty]), found(ladder(LEVEL))
    assert with_it.slope == without.slope
    assert [one.gap for one in with_it.rungs][-1] is None


def test_the_order_of_the_rungs_does_not_matter():
    first = found(ladder(WIDENS))
    assert all(found(order) == first for order in itertools.permutations(ladder(WIDENS)))


def test_parameters_are_counted_for_each_window_and_label():
    limits = found(ladder(WIDENS))
    one = limits.rungs[0]
    assert limits.params_per_label(one) == one.n_params / 2_700
    assert limits.params_per_disjoint_window(one) == one.n_params / math.floor(2_800 / 81)
