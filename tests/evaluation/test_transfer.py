"""Regret of a winner on another horizon, and the verdict over all pairs."""

from __future__ import annotations

import numpy as np
import pytest

from tsladder.artifacts.transfer import Regret
from tsladder.evaluation.difference import above_zero, bounds, holm, two_sided
from tsladder.evaluation.transfer import regret, transfer_verdict
from tsladder.params import EvaluationParams

PARAMS = EvaluationParams(bootstrap_draws=500, confidence=0.95)
DAYS = 1500


def daily(shift: float, *, seeds: int = 3, spread: float = 0.001, start: int = 0) -> dict[int, np.ndarray]:
    """Losses of some seeds on the same days: the market's own ups and downs, a shift, and what each seed adds."""
    market = np.random.default_rng(7).exponential(0.6, DAYS)
    rng = np.random.default_rng(start)
    return {
        seed: market + shift + rng.normal(0.0, spread) + rng.normal(0.0, 0.01, DAYS) for seed in range(1, seeds + 1)
    }


def pair(**changes: object) -> Regret:
    values = {"budget": "2M", "horizon": 1, "source": 3, "value": 0.0, "relative": 0.0, "low": -0.01, "high": 0.01}
    return Regret(**(values | {"p_above": 0.5} | changes))  # type: ignore[arg-type]


def test_a_worse_winner_has_a_regret_whose_interval_lies_above_zero() -> None:
    found = regret("2M", 1, 3, own=daily(0.0), transferred=daily(0.03, start=1), params=PARAMS, seed=1)
    assert found.relative is not None
    assert found.low is not None
    assert found.value == pytest.approx(0.03, abs=0.004)
    assert found.low > 0.0
    assert found.p_above is not None
    assert found.p_above < 0.001


def test_the_spread_over_seeds_widens_the_interval() -> None:
    def width(spread: float) -> float:
        own, other = daily(0.0, spread=spread), daily(0.0, spread=spread, start=1)
        found = regret("2M", 1, 3, own=own, transferred=other, params=PARAMS, seed=1)
        assert found.high is not None
        assert found.low is not None
        return found.high - found.low

    assert width(0.05) > 5 * width(0.001)


def test_one_seed_gives_a_regret_without_an_interval_and_says_why() -> None:
    found = regret("2M", 1, 3, own=daily(0.0, seeds=1), transferred=daily(0.1, seeds=1), params=PARAMS, seed=1)
    assert found.value is not None
    assert (found.low, found.high, found.p_above) == (None, None, None)
    assert found.reason is not None
    assert "train.seeds" in found.reason
    assert transfer_verdict([found], margin=0.01, confidence=0.95).verdict == "undecided"


def test_other_days_cannot_be_paired() -> None:
    other = {seed: loss[:-1] for seed, loss in daily(0.0).items()}
    with pytest.raises(ValueError, match="different days"):
        regret("2M", 1, 3, own=daily(0.0), transferred=other, params=PARAMS, seed=1)


def test_a_real_and_large_regret_asks_for_separate_searches() -> None:
    judged = transfer_verdict(
        [pair(), pair(source=5, relative=0.04, low=0.02, high=0.06, p_above=0.001)], margin=0.0136, confidence=0.95
    )
    assert judged.verdict == "separate_searches_needed"
    assert "h5 loses 4.0% on h1" in judged.reason


def test_a_regret_that_is_one_of_many_is_corrected_away() -> None:
    many = [pair(horizon=horizon, p_above=0.4) for horizon in range(2, 21)]
    judged = transfer_verdict([pair(relative=0.04, high=0.08, p_above=0.01), *many], margin=0.0136, confidence=0.95)
    assert judged.verdict == "undecided"
    assert judged.regrets[0].p_above == pytest.approx(0.2)


def test_a_real_but_small_regret_does_not_ask_for_separate_searches() -> None:
    judged = transfer_verdict(
        [pair(relative=0.005, low=0.004, high=0.006, p_above=1e-6)], margin=0.0136, confidence=0.95
    )
    assert judged.verdict == "settings_transfer"


def test_settings_transfer_only_where_every_interval_ends_below_the_margin() -> None:
    same = Regret(budget="2M", horizon=1, source=5, value=0.0, relative=0.0, same=True)
    assert transfer_verdict([pair(), same], margin=0.0136, confidence=0.95).verdict == "settings_transfer"
    wide = transfer_verdict([pair(), pair(source=5, high=0.02)], margin=0.0136, confidence=0.95)
    assert wide.verdict == "undecided"
    assert "2.0%" in wide.reason


def test_a_pair_that_could_not_be_trained_leaves_it_undecided_and_named() -> None:
    failed = Regret(budget="2M", horizon=1, source=5, reason="it diverged")
    judged = transfer_verdict([pair(), failed], margin=0.0136, confidence=0.95)
    assert judged.verdict == "undecided"
    assert "it diverged" in judged.reason
    assert transfer_verdict([], margin=0.0136, confidence=0.95).verdict == "undecided"


def test_no_difference_between_like_winners_is_called_real_more_often_than_promised() -> None:
    """Four hundred studies of six pairs without any regret: at most about one in twenty says separate searches."""
    rng = np.random.default_rng(3)
    wrong = 0
    for _ in range(400):
        pairs = []
        for index in range(6):
            means = rng.normal(0.5, 0.01, (2, 3))
            value = float(means[1].mean() - means[0].mean())
            terms = [(float(np.var(row, ddof=1)) / 3, 2.0) for row in means]
            low, high = bounds(value, terms, confidence=0.95)
            p = above_zero(value, terms)
            pairs.append(pair(source=index + 2, relative=value / 0.5, low=low / 0.5, high=high / 0.5, p_above=p))
        wrong += transfer_verdict(pairs, margin=0.0, confidence=0.95).verdict == "separate_searches_needed"
    assert wrong <= 28


def test_welch_s_interval_and_p_agree() -> None:
    terms = [(0.01**2, 4.0), (0.02**2, 2.0)]
    low, high = bounds(0.05, terms, confidence=0.9)
    at_the_end = two_sided(0.05 - low, terms)[1]
    assert at_the_end == pytest.approx(0.1)
    assert high - 0.05 == pytest.approx(0.05 - low)
    assert above_zero(0.05, terms) == pytest.approx((two_sided(0.05, terms)[1] or 0.0) / 2.0)
    assert (above_zero(0.0, [(0.0, 2.0)]), above_zero(0.1, [(0.0, 2.0)])) == (1.0, 0.0)
    assert holm([0.01, None, 0.04]) == [0.02, None, 0.04]
