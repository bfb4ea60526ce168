"""The exponent by the number of trials that a rung may choose from."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import linregress
from tests.lines import trial_line

from tsladder.artifacts.record import json_of
from tsladder.artifacts.trials import TrialRecord
from tsladder.law.build import read_selection
from tsladder.law.evidence.selection import expected_best, judge_selection, ranked_losses
from tsladder.law.points import RungPoint
from tsladder.params import load_params
from tsladder.places import Places

SIZES = np.array([12e3, 30e3, 80e3, 200e3, 750e3, 2e6])
GROWTH = np.log(SIZES / SIZES[0]) / np.log(SIZES[-1] / SIZES[0])


def same(rng: np.random.Generator, trials: int) -> np.ndarray:
    """Skewed, and the same at every size."""
    return rng.exponential(0.03, (6, trials))


def uneven(rng: np.random.Generator, trials: int) -> np.ndarray:
    """The spread differs from rung to rung, but does not follow size."""
    return rng.exponential(0.03, (6, trials)) * np.exp(0.4 * rng.normal(size=(6, 1)))


def rarer(rng: np.random.Generator, trials: int) -> np.ndarray:
    """Three settings of a fixed range, around whose best value the loss rises ever more steeply with size: sevenfold
    from the smallest rung to the largest. The best of 8 then biases the exponent by -.008, the mean trial by -.025."""
    away = rng.uniform(-1.0, 1.0, (6, trials, 3))
    return 0.02 * np.exp(2.0 * GROWTH)[:, None] * (away**2).sum(axis=2) + 0.004 * rng.normal(size=(6, trials))


def judge(ranked_RN: list[list[float]], sizes: list[float] | None = None):
    at = SIZES.tolist() if sizes is None else sizes
    return judge_selection(at, ranked_RN, alpha_of_interest=0.015, confidence=0.95)


def judged(excess_RN: np.ndarray, alpha: float = 0.0):
    loss_RN = 0.4 * SIZES[:, None] ** -alpha * np.exp(excess_RN)
    return judge(np.sort(loss_RN, axis=1).tolist())


def test_the_expected_best_is_the_mean_over_all_choices_of_k() -> None:
    losses = [0.1, 0.2, 0.2, 0.35, 0.9]
    for k in range(1, 6):
        oracle = np.mean([min(chosen) for chosen in itertools.combinations(losses, k)])
        assert expected_best(losses, k) == pytest.approx(oracle)
    # Ranked by another figure: the loss of the best by that.
    assert expected_best([0.5, 0.1, 0.3], 2) == pytest.approx((0.5 + 0.5 + 0.1) / 3)
    for k in (0, 6):
        with pytest.raises(ValueError, match="number 5"):
            expected_best(losses, k)


def test_the_change_of_the_exponent_has_the_interval_of_a_regression_of_the_gap() -> None:
    excess_RN = rarer(np.random.default_rng(1), 8)
    found = judged(excess_RN, alpha=0.02)
    loss_RN = 0.4 * SIZES[:, None] ** -0.02 * np.exp(excess_RN)
    oracle = linregress(np.log(SIZES), np.log(loss_RN.mean(axis=1) / loss_RN.min(axis=1)))
    assert list(found.alphas) == [1, 2, 4, 8]
    assert found.change == pytest.approx(oracle.slope) == pytest.approx(found.alphas[8] - found.alphas[1])
    assert found.p == pytest.approx(oracle.pvalue)
    assert found.change_ci[1] - found.change == pytest.approx(2.776445 * oracle.stderr)
    assert found.alphas[8] == pytest.approx(-linregress(np.log(SIZES), np.log(loss_RN.min(axis=1))).slope)


@pytest.mark.parametrize("trials", [8, pytest.param(30, marks=pytest.mark.slow)])
@pytest.mark.parametrize("drawn", [same, uneven])
def test_trials_whose_spread_does_not_follow_size_raise_a_warning_in_at_most_one_of_twenty(
    drawn: Callable[[np.random.Generator, int], np.ndarray], trials: int
) -> None:
    rng = np.random.default_rng(2)
    warned = np.mean([judged(drawn(rng, trials)).moves for _ in range(600)])
    assert warned <= 0.05 + 2.0 * np.sqrt(0.05 * 0.95 / 600)


def test_good_settings_that_get_rarer_with_size_are_seen_in_nine_ladders_of_ten() -> None:
    rng = np.random.default_rng(3)
    found = [judged(rarer(rng, 8)) for _ in range(200)]
    assert np.mean([one.alphas[8] for one in found]) == pytest.approx(-0.008, abs=0.0015)
    assert np.mean([one.moves and one.change > 0.0 for one in found]) >= 0.85


def test_the_sentence_says_which_way_the_exponent_of_the_law_is_wrong() -> None:
    excess_RN = rarer(np.random.default_rng(4), 30)
    worse, better = judged(excess_RN), judged(excess_RN[::-1])
    assert "rarer with size" in worse.warning
    assert "too low" in worse.warning
    assert "more common with size" in better.warning
    assert "too high" in better.warning
    calm = judged(same(np.random.default_rng(5), 8))
    assert calm.warning is None
    assert "do not show" in calm.words
    assert list(json_of(calm)["alphas"]) == ["1", "2", "4", "8"]


def test_a_mean_trial_that_falls_behind_while_the_best_ones_do_not_is_told_and_not_warned_of() -> None:
    """One hopeless trial of eight, worse at every larger rung: the best of two is never it."""
    excess_RN = np.tile(np.linspace(0.0, 0.002, 8), (6, 1)) + 1e-4 * np.random.default_rng(8).normal(size=(6, 8))
    excess_RN[:, 7] += 0.3 * GROWTH
    found = judged(excess_RN)
    assert found.p < 0.01
    assert found.change > 0.005 > abs(found.alphas[8] - found.alphas[2])
    assert found.warning is None
    assert "too little to matter" in found.words


def test_k_goes_as_far_as_the_rung_of_the_fewest_trials() -> None:
    trials = [sorted(row) for row in np.random.default_rng(6).uniform(0.3, 0.5, (6, 9)).tolist()]
    trials[2] = trials[2][:5]
    assert list(judge(trials).alphas) == [1, 2, 4]


@pytest.mark.parametrize(
    ("sizes", "trials"),
    [([1e4, 1e5], [[0.4, 0.5]] * 2), ([1e4, 1e5, 1e6], [[0.4, 0.5], [0.4], [0.4, 0.5]]), ([], []),
     ([1e4, 1e5, 1e6], [[0.4, 0.5], [], [0.4, 0.5]]), ([1e4, 1e5, 1e6], [[0.4, 0.5]] * 3)],
    ids=["two rungs", "one trial", "no rungs", "no trials", "no noise"],
)  # fmt: skip
def test_where_nothing_can_be_told_nothing_is(sizes: list[float], trials: list[list[float]]) -> None:
    assert judge(trials, sizes) is None


def line(number: int, loss: float | None, state: str = "complete", auc: float | None = None) -> dict[str, object]:
    return trial_line(number, state=state, best_val_loss=loss, val_auc=auc)


def test_trials_are_ranked_by_what_the_search_sought_and_the_last_attempt_counts() -> None:
    lines = [
        TrialRecord.from_json(one) for one in (
        line(0, 0.9, "interrupted"), line(0, 0.4, auc=0.7), line(1, None, "failed"), line(2, 0.5, auc=0.8),
        line(3, 0.6, "pruned", auc=0.9), line(4, 0.3, auc=None),
    )]  # fmt: skip
    assert ranked_losses(lines, "val_loss") == (0.3, 0.4, 0.5, 0.6)
    assert ranked_losses(lines, "val_auc") == (0.5, 0.4)
    assert ranked_losses([], "val_loss") == ()


def test_the_trials_are_read_where_the_searches_left_them(tmp_path: Path) -> None:
    losses_RN = 0.4 * np.exp(rarer(np.random.default_rng(7), 8))
    rungs = [RungPoint(cell=f"{n:.0f}-h1", n_params=n, loss=0.4) for n in SIZES]
    places = Places(tmp_path, tmp_path)
    params = load_params(Path(__file__).parents[1] / "default_params.yaml")
    objectives = {point.cell: "val_loss" for point in rungs}
    assert read_selection(places, params, rungs, objectives) is None
    for point, losses_N in zip(rungs, losses_RN.tolist(), strict=True):
        folder = tmp_path / "artifacts" / "hpo" / point.cell
        folder.mkdir(parents=True)
        lines = [json.dumps(line(number, loss)) + "\n" for number, loss in enumerate(losses_N)]
        (folder / "trials.jsonl").write_text("".join(lines))
    found = read_selection(places, params, rungs, objectives)
    assert found == judge(np.sort(losses_RN, axis=1).tolist())
