"""Two models on the same days."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from scipy.stats import ttest_rel

from tsladder.errors import BadInput
from tsladder.evaluation.paired import compare_models
from tsladder.evaluation.predictions import DailyLosses
from tsladder.params import EvaluationParams

PARAMS = EvaluationParams(bootstrap_draws=1000, confidence=0.95)
DAYS = 900
DATES = np.datetime64("2015-01-05") + np.arange(DAYS)
MARKET = np.random.default_rng(1).exponential(0.4, DAYS)
LABELS = (np.random.default_rng(2).random(DAYS) < 0.2).astype(np.int8)


def model(name: str, shift: float, *, seeds: int = 3, spread: float = 0.0, start: int = 0) -> DailyLosses:
    rng = np.random.default_rng(start)
    losses = {k: MARKET + shift + spread * rng.normal() + 0.05 * rng.normal(size=DAYS) for k in range(seeds)}
    return DailyLosses(name=name, dates_N=DATES, y_N=LABELS, losses=losses)


def fixed(name: str, shift: float, start: int) -> DailyLosses:
    return dataclasses.replace(model(name, shift, seeds=1, start=start), fixed=True)


def test_a_planted_difference_is_found_with_its_sign_and_the_reverse_is_its_mirror() -> None:
    good, bad = model("2M-h1", 0.0), model("750k-h1", 0.02, start=9)
    found, mirror = (compare_models(a, b, params=PARAMS, seed=1) for a, b in ((good, bad), (bad, good)))
    assert found.difference == pytest.approx(0.02, abs=0.004)
    assert 0.0 < found.low < found.difference < found.high
    assert found.p < 0.001
    assert (mirror.difference, mirror.low, mirror.high) == pytest.approx((-found.difference, -found.high, -found.low))
    assert mirror.p == pytest.approx(found.p)
    assert found.relative == pytest.approx(found.difference / found.first_loss)
    assert found.days == DAYS


def test_of_independent_days_and_no_seeds_it_is_the_paired_t_test() -> None:
    a, b = fixed("persistence", 0.0, 3), fixed("base_rate", 0.003, 4)
    found = compare_models(a, b, params=PARAMS, seed=1)
    oracle = ttest_rel(b.loss_N, a.loss_N)
    assert found.difference / found.se == pytest.approx(oracle.statistic, rel=0.15)
    low, high = oracle.confidence_interval(0.95)
    assert found.high - found.low == pytest.approx(high - low, rel=0.15)
    assert (found.noise, found.first_seeds, found.note) == ("days", (), None)


def test_two_equal_models_do_not_differ() -> None:
    found = compare_models(model("a", 0.0, seeds=1), model("b", 0.0, seeds=1), params=PARAMS, seed=1)
    assert (found.difference, found.low, found.high, found.p, found.effective_n) == (0.0, 0.0, 0.0, 1.0, None)


def test_the_spread_over_seeds_counts_and_can_hide_a_difference() -> None:
    calm = compare_models(model("a", 0.0), model("b", 0.01, start=9), params=PARAMS, seed=1)
    wild = compare_models(model("a", 0.0, spread=0.05), model("b", 0.01, spread=0.05, start=9), params=PARAMS, seed=1)
    assert wild.se > 3 * calm.se
    assert wild.noise == "days and seeds"


def test_unequal_numbers_of_seeds_are_allowed_and_named() -> None:
    found = compare_models(model("2M-h1", 0.0), model("750k-h1", 0.02, seeds=2, start=9), params=PARAMS, seed=1)
    assert (found.first_seeds, found.second_seeds) == ((0, 1, 2), (0, 1))
    assert found.note == "unequal numbers of seeds: 2M-h1 3 and 750k-h1 2"
    alone = compare_models(model("2M-h1", 0.0), model("750k-h1", 0.02, seeds=1, start=9), params=PARAMS, seed=1)
    assert alone.note is not None
    assert "750k-h1 has one seed" in alone.note


def test_other_days_are_refused_and_the_first_of_them_named() -> None:
    whole = model("2M-h1", 0.0)
    cut = dataclasses.replace(
        whole, name="2M-h3", dates_N=DATES[4:-1], y_N=LABELS[4:-1], losses={k: v[4:-1] for k, v in whole.losses.items()}
    )
    with pytest.raises(BadInput) as error:
        compare_models(whole, cut, params=PARAMS, seed=1)
    assert error.value.faults == ("only 2M-h1 has 2015-01-05, 2015-01-06, 2015-01-07 and 2 more days",)
    moved = dataclasses.replace(whole, name="later", dates_N=DATES + 1)
    with pytest.raises(BadInput) as error:
        compare_models(whole, moved, params=PARAMS, seed=1)
    assert error.value.faults == ("only 2M-h1 has 2015-01-05", f"only later has {DATES[-1] + 1}")


def test_other_labels_are_refused_and_the_first_days_named() -> None:
    flipped = LABELS.copy()
    flipped[[3, 8]] ^= 1
    with pytest.raises(BadInput, match="the labels differ on 2015-01-08, 2015-01-13"):
        compare_models(model("a", 0.0), dataclasses.replace(model("b", 0.0), y_N=flipped), params=PARAMS, seed=1)


def test_no_difference_is_called_real_about_as_often_as_promised() -> None:
    rng = np.random.default_rng(8)
    params = EvaluationParams(bootstrap_draws=100, confidence=0.95)
    wrong = 0
    for number in range(80):
        market = rng.exponential(0.4, 300)
        pair = [
            DailyLosses(
                name=name,
                dates_N=DATES[:300],
                y_N=LABELS[:300],
                losses={k: market + 0.02 * rng.normal() + 0.1 * rng.normal(size=300) for k in range(3)},
            )
            for name in ("a", "b")
        ]
        wrong += compare_models(*pair, params=params, seed=number).p < 0.05
    assert wrong <= 9
