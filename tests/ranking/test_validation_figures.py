"""Figures of a trial on validation: those that the scoring of a region finds, soon and with what is unknown as None."""

from __future__ import annotations

import dataclasses
import json
import math
import time
from typing import Any

import numpy as np
import pytest
from scipy.stats import spearmanr

from tsladder.artifacts.validation_figures import ValidationFigures
from tsladder.ranking.metrics import QUANTILE_LEVELS, mean_over_sd
from tsladder.ranking.portfolio import score_book
from tsladder.ranking.region import RankedRegion, Ranking, judge
from tsladder.ranking.validation import validation_figures


def some_days(days: int = 300, stocks: int = 12, skill: float = 0.3, seed: int = 3) -> dict[str, Any]:
    """Scores that know a share of the returns, of which some are missing."""
    rng = np.random.default_rng(seed)
    return_DS = 0.01 * rng.standard_t(4, (days, stocks))
    score_DS = skill * return_DS + 0.01 * rng.normal(size=return_DS.shape)
    missing_DS = rng.random(return_DS.shape) < 0.05
    return {
        "score_DS": score_DS,
        "return_DS": np.where(missing_DS, np.nan, return_DS),
        "member_DS": rng.random(return_DS.shape) > 0.05,
        "entry_return_DS": return_DS,
    }


def test_they_are_those_of_the_scoring_of_a_region() -> None:
    made = some_days()
    found = validation_figures(**made, horizon=5, cost_bps=7.0)
    region = RankedRegion(
        dates_D=np.datetime64("1981-01-02") + np.arange(300).astype("timedelta64[D]"),
        symbols=tuple(f"S{place:02d}" for place in range(12)),
        **{name: values for name, values in made.items() if name != "score_DS"},
        horizon=5,
        entry_lag=1,
        fingerprint="f1",
        train_base_rate=0.5,
    )
    judged = judge(region, Ranking(score_DS=made["score_DS"]))
    means, book = judged.daily.means(), score_book(judged.book, cost_bps=7.0)
    for name in ("rank_error", "ic", "hit_rate"):
        assert getattr(found, name) == means[name]
    assert found.rank_ic.value == pytest.approx(means["rank_ic"], abs=1e-15)
    assert found.icir == mean_over_sd(judged.daily.rank_ic_N)
    assert (found.sharpe_gross, found.sharpe_net, found.turnover) == (
        book.sharpe_gross,
        book.sharpe_net,
        book.turnover,
    )
    assert found.pinball is None


def test_the_rank_ic_is_scipys_with_an_interval_of_the_usual_width() -> None:
    made = some_days() | {"member_DS": np.ones((300, 12), bool)}
    daily = []
    for score_S, return_S in zip(made["score_DS"], made["return_DS"], strict=True):
        known = np.isfinite(return_S)
        daily.append(spearmanr(score_S[known], return_S[known]).statistic)
    found = validation_figures(**made, horizon=1, cost_bps=5.0)
    assert found.rank_ic.value == pytest.approx(np.mean(daily))
    assert found.rank_error == pytest.approx(1.0 - np.mean(daily))
    half = 1.96 * np.std(daily) / math.sqrt(300)
    assert found.rank_ic.high - found.rank_ic.value == pytest.approx(half, rel=0.4)
    assert found.rank_ic.value - found.rank_ic.low == pytest.approx(half, rel=0.4)


def test_equal_questions_have_equal_answers_and_another_seed_moves_the_interval_alone() -> None:
    made = some_days()
    first, again, other = (validation_figures(**made, horizon=1, cost_bps=5.0, seed=seed) for seed in (1, 1, 2))
    assert first == again
    assert first.rank_ic.low != other.rank_ic.low
    assert first == dataclasses.replace(other, rank_ic=first.rank_ic)


def test_a_ranking_without_any_order_has_no_ratios() -> None:
    made = some_days() | {"score_DS": np.zeros((300, 12))}
    found = validation_figures(**made, horizon=1, cost_bps=5.0)
    assert (found.rank_error, found.ic, found.hit_rate, found.turnover) == (1.0, 0.0, 0.5, 0.0)
    assert (found.rank_ic.value, found.rank_ic.low, found.rank_ic.high) == (0.0, 0.0, 0.0)
    assert (found.icir, found.sharpe_gross, found.sharpe_net) == (None, None, None)


def test_a_perfect_ranking_stays_within_the_range_of_a_correlation() -> None:
    made = some_days() | {"member_DS": np.ones((300, 12), bool)}
    made["score_DS"] = np.nan_to_num(made["return_DS"])
    made["score_DS"][::7] *= -1.0
    found = validation_figures(**made, horizon=1, cost_bps=5.0)
    assert -1.0 <= found.rank_ic.low < found.rank_ic.value < found.rank_ic.high <= 1.0


def test_quantiles_are_judged_where_they_are_forecast() -> None:
    made = some_days()
    label_DS = made["return_DS"] / 0.01
    quantile_DSQ = np.broadcast_to(np.array([-2.0, -0.7, 0.0, 0.7, 2.0]), (300, 12, 5))
    found = validation_figures(**made, horizon=1, cost_bps=5.0, quantile_DSQ=quantile_DSQ, label_DS=label_DS)
    by_day = []
    for label_S, member_S in zip(label_DS, made["member_DS"], strict=True):
        over = label_S[member_S & np.isfinite(label_S), None] - quantile_DSQ[0, 0]
        by_day.append(np.maximum(np.array(QUANTILE_LEVELS) * over, (np.array(QUANTILE_LEVELS) - 1.0) * over).mean())
    assert found.pinball == pytest.approx(np.mean(by_day))
    with pytest.raises(ValueError, match="label_DS is None"):
        validation_figures(**made, horizon=1, cost_bps=5.0, quantile_DSQ=quantile_DSQ)


def test_days_that_cannot_be_ranked_do_not_count() -> None:
    made = some_days()
    held = validation_figures(**made, horizon=1, cost_bps=5.0)
    longer = {name: np.concatenate([values, values[:40]]) for name, values in made.items()}
    longer["return_DS"][300:] = np.nan
    found = validation_figures(**longer, horizon=1, cost_bps=5.0)
    assert (found.rank_error, found.ic, found.icir) == (held.rank_error, held.ic, held.icir)
    nothing = made | {"return_DS": np.full((300, 12), np.nan)}
    with pytest.raises(ValueError, match="needs a day on which the labels of two stocks differ"):
        validation_figures(**nothing, horizon=1, cost_bps=5.0)


def test_a_score_that_is_not_finite_is_refused() -> None:
    made = some_days()
    made["score_DS"][17, np.flatnonzero(made["member_DS"][17])[0]] = np.nan
    with pytest.raises(ValueError, match="finite score"):
        validation_figures(**made, horizon=1, cost_bps=5.0)


@pytest.mark.parametrize("days", [1, 2, 9])
def test_a_few_days_have_figures_and_those_that_need_more_are_none(days: int) -> None:
    made = {name: values[:days] for name, values in some_days().items()}
    found = validation_figures(**made, horizon=5, cost_bps=5.0)
    assert json.loads(json.dumps(dataclasses.asdict(found), allow_nan=False))["rank_ic"]["value"] == found.rank_ic.value
    assert (found.icir is None) is (days == 1)
    assert isinstance(found, ValidationFigures)


def test_they_take_a_small_part_of_a_trial() -> None:
    """700 days of 36 stocks with 200 draws: a tenth of a second of one processor."""
    made = some_days(700, 36)
    validation_figures(**made, horizon=1, cost_bps=5.0)  # loads what it needs
    took = []
    for _ in range(3):
        began = time.process_time()
        validation_figures(**made, horizon=1, cost_bps=5.0)
        took.append(time.process_time() - began)
    assert min(took) < 0.1
