"""The law of rankings: verdicts on made-up panel studies whose RankIC per size is known, and what is said of them."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
from tests.law.made_up_rankings import LADDER, PARAMS, RIDGE_RANK_IC, rungs, write_study

from tsladder.artifacts.law import HorizonLaw, StudyLaw, law_json, read_law
from tsladder.artifacts.scores import CellScores, read_scores
from tsladder.evaluation.bootstrap import block_length, mean_interval
from tsladder.evaluation.confidence_set import model_confidence_set
from tsladder.evaluation.least_block import block_of_at_least
from tsladder.evaluation.paired import compare_models
from tsladder.evaluation.predictions import DailyLosses
from tsladder.law.curve.forms import Form
from tsladder.law.evidence.days import day_noise
from tsladder.law.evidence.detection import Precision, detectable_alpha
from tsladder.law.evidence.notes import note_on_counts
from tsladder.law.ladder import law_of_points
from tsladder.law.next_runs import more_days
from tsladder.law.points import RungPoint
from tsladder.law.scaling import fit_horizons, write_law
from tsladder.params import LawParams
from tsladder.vocabulary import RANK_ERROR

INTEREST = 0.0025
LAW = LawParams(region="test", alpha_of_interest=INTEREST)
OPENING = re.compile(
    r"RankIC per tenfold size: (?P<value>[+-][\d.e+-]+) \((?P<low>-?[\d.e+-]+) to (?P<high>-?[\d.e+-]+)\); alpha = "
)

Study = tuple[StudyLaw, tuple[RungPoint, ...], Path]
"""Law of a made-up study, its points and the folder of its files."""

STUDIES: Mapping[str, tuple[Sequence[float], dict[str, object]]] = {
    "scales": ((0.02, 0.04, 0.06, 0.08, 0.10), {}),
    "worse_with_size": ((0.10, 0.08, 0.06, 0.04, 0.02), {}),
    "flat": ((0.06,) * 5, {"days": 3000, "stocks": 40, "shared": 0.98}),
    "underpowered": ((0.03, 0.032, 0.034, 0.036, 0.04), {"shared": 0.8, "seed": 3}),
    "no_skill": ((0.0,) * 4, {"budgets": LADDER[:4]}),
}
"""Verdict -> expected RankIC of each rung, and what else is special about the study."""


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Study]:
    made: dict[str, Study] = {}

    def of(name: str) -> Study:
        if name not in made:
            folder = tmp_path_factory.mktemp(name)
            rank_ics, settings = STUDIES[name]
            points = rungs(folder, write_study(folder, rank_ics, **settings))  # type: ignore[arg-type]
            made[name] = fit_horizons({1: points}, (), LAW, PARAMS, "k", 42, metric=RANK_ERROR), points, folder
        return made[name]

    return of


@pytest.mark.parametrize(
    "verdict", [pytest.param(name, marks=pytest.mark.slow) if name == "flat" else name for name in STUDIES]
)
def test_the_verdict_is_that_of_the_known_rank_ics(study: Callable[[str], Study], verdict: str) -> None:
    law, points, _ = study(verdict)
    assert law.horizons[1].verdict == verdict
    assert all(point.base_rate_loss == 1.0 for point in points)


@pytest.mark.parametrize("verdict", STUDIES)
def test_the_reason_begins_with_the_rank_ic_per_tenfold_size_and_goes_on_with_alpha(
    study: Callable[[str], Study], verdict: str
) -> None:
    found = study(verdict)[0].horizons[1]
    told = OPENING.match(found.reason)
    assert told is not None, found.reason
    slope = found.rank_ic_per_tenfold
    assert slope is not None
    assert [float(told[end]) for end in ("value", "low", "high")] == pytest.approx(
        [slope.value, slope.low, slope.high], abs=5.1e-5
    )
    assert "loss" not in f"{found.reason} {found.settle}"


@pytest.mark.parametrize("verdict", ["scales", "worse_with_size", "flat"])
def test_the_slope_is_that_of_a_straight_line_through_the_rank_ics(study: Callable[[str], Study], verdict: str) -> None:
    """Oracle: least squares of the RankIC itself on log10 N, which differs in the second order only."""
    law, points, _ = study(verdict)
    slope = law.horizons[1].rank_ic_per_tenfold
    assert slope is not None
    line = np.polyfit(np.log10([p.n_params for p in points]), [1.0 - p.loss for p in points], 1)[0]
    assert slope.value == pytest.approx(line, rel=0.03, abs=2e-4)


def random_rungs(seed: int, rank_ics: Sequence[float], noise: float, days: int | None = 400) -> list[RungPoint]:
    """Rungs with normal noise around `rank_ics`; their daily rank errors share the days, where there are any."""
    rng = np.random.default_rng(seed)
    shared_N = rng.normal(size=days or 1)
    points = []
    for place, rank_ic in enumerate(rank_ics):
        seeds = 1.0 - rank_ic + noise * rng.normal(size=3)
        loss = float(seeds.mean())
        daily_N = 0.2 * shared_N + 0.02 * rng.normal(size=days or 1)
        points.append(
            RungPoint(
                cell=f"{place}-h1",
                n_params=12e3 * 3.0**place,
                loss=loss,
                se=float(seeds.std(ddof=1) / math.sqrt(3)),
                seeds=tuple(enumerate(seeds.tolist())),
                has_skill=True,
                loss_N=None if days is None else loss + daily_N - daily_N.mean(),
            )
        )
    return points


def law_of(points: Sequence[RungPoint], *, ranks: bool = True, draws: int = 100, **settings: object) -> HorizonLaw:
    return law_of_points(
        points, alpha_of_interest=INTEREST, confidence=0.95, draws=draws, seed=0, ranks=ranks, **settings
    )  # type: ignore[arg-type]


SHAPES: Mapping[str, Sequence[float]] = {
    "level": (0.04,) * 5,
    "rising": (0.02, 0.03, 0.04, 0.05, 0.06),
    "falling": (0.06, 0.05, 0.04, 0.03, 0.02),
    "saturating": (0.0, 0.03, 0.042, 0.047, 0.049, 0.0496, 0.0498, 0.0499),
    "saturating at once": (0.0, 0.039, 0.04, 0.04, 0.04, 0.04, 0.04),
    "turning": (0.02, 0.04, 0.05, 0.055, 0.05, 0.04, 0.02),
    "up and down": (0.02, 0.22, 0.02, 0.22, 0.02),
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("noise", [1e-4, 1e-3, 5e-3])
@pytest.mark.parametrize("days", [400, None])
def test_no_sentence_contradicts_the_verdict(shape: str, noise: float, days: int | None) -> None:
    """`scales` is said where, and only where, the interval that is said first lies above 0; the words are of RankIC."""
    found = law_of(random_rungs(len(shape), SHAPES[shape], noise, days))
    slope, power = found.rank_ic_per_tenfold, found.fits.power
    assert slope is not None
    assert power is not None
    assert (found.verdict == "scales") == (slope.low > 0.0)
    assert (found.verdict == "worse_with_size") == (slope.high < 0.0)
    assert (
        np.sign([slope.low, slope.value, slope.high]).tolist()
        == np.sign([power.alpha_ci[0], power.alpha, power.alpha_ci[1]]).tolist()
    )
    if found.verdict == "flat":
        worth = math.log(10.0) * power.loss_at_reference * INTEREST
        assert -worth < slope.low <= slope.high < worth
    assert OPENING.match(found.reason)
    assert " loss" not in found.reason
    assert " loss" not in found.settle
    assert f"{slope.value:+.4f}" in found.reason or "e-" in found.reason.partition(";")[0]


def test_a_ceiling_is_told_in_rank_ic() -> None:
    found = law_of(random_rungs(1, SHAPES["saturating"], 1e-4))
    assert (found.verdict, found.form) == ("scales", Form.FLOOR)
    floor = found.fits.power_floor
    assert floor is not None
    assert floor.E is not None
    assert f"towards a ceiling of {1.0 - floor.E:.4f}" in found.reason


def test_a_ceiling_alone_makes_no_ranking_scale() -> None:
    """That the loss falls may be shown by its bend where the interval of one slope over the whole ladder holds 0. The
    sentence on RankIC would then deny what the verdict says."""
    points = random_rungs(3, SHAPES["saturating at once"], 1e-5, None)
    plain, ranking = law_of(points, ranks=False), law_of(points)
    assert plain.fits.power is not None
    assert plain.fits.power.alpha_ci[0] <= 0.0
    assert (plain.verdict, plain.form) == ("scales", Form.FLOOR)
    assert ranking.verdict != "scales"
    assert ranking.form != Form.FLOOR
    assert ranking.fits.power_floor is not None
    assert not ranking.fits.power_floor.bends


def test_a_turn_is_a_rise_and_then_a_fall_of_rank_ic() -> None:
    found = law_of(random_rungs(5, SHAPES["turning"], 1e-4))
    assert found.form == Form.TURN
    assert "RankIC rises up to about" in found.reason
    assert "and falls beyond" in found.reason


def test_rises_and_falls_between_neighbours_are_those_of_rank_ic() -> None:
    found = law_of(random_rungs(5, SHAPES["up and down"], 1e-4))
    assert found.verdict == "not_monotone"
    rises = found.reason.partition("It rises: ")[2].partition(" It falls: ")[0]
    assert rises.startswith("0-h1 to 1-h1 +0.")
    assert "1-h1 to 2-h1 -0." in found.reason.partition("It falls: ")[2]


def test_below_three_sizes_no_slope_is_told() -> None:
    found = law_of(random_rungs(0, (0.02, 0.03), 1e-3))
    assert found.verdict == "too_few_rungs"
    assert found.rank_ic_per_tenfold is None
    assert "Only two sizes have a RankIC" in found.reason
    assert found.reason.endswith("so no slope is given.")


def test_a_failed_probe_makes_a_law_of_rankings_invalid() -> None:
    found = law_of(random_rungs(0, SHAPES["rising"], 1e-3), probes_failed=["Scores belong to their day: no"])
    assert found.verdict == "invalid"
    assert "these RankICs may know the future" in found.reason


def test_no_skill_names_the_better_constant_ranking(tmp_path: Path) -> None:
    """A static order that does as well as every model takes their skill from them, whatever RankIC they have."""
    cells = write_study(tmp_path, (0.05,) * 4, budgets=LADDER[:4], static=0.06)
    points = rungs(tmp_path, cells)
    found = fit_horizons({1: points}, (), LAW, PARAMS, "k", 42, metric=RANK_ERROR).horizons[1]
    best = min(points, key=lambda point: point.loss)
    assert found.verdict == "no_skill"
    assert found.own_rate_loss is not None
    assert 1.0 - best.loss > 0.03
    assert (
        f"highest RankIC is {1.0 - best.loss:.4f} ({best.cell}), against {1.0 - found.own_rate_loss:.4f} of the better "
        "constant ranking, the static order"
    ) in found.reason
    for cell in cells:
        record = read_scores(tmp_path / cell / "scores.json")
        assert isinstance(record, CellScores)
        assert record.regions["test"].advantage.low <= 0.0


def test_the_detectable_slope_is_the_detectable_exponent_in_rank_ic(study: Callable[[str], Study]) -> None:
    found = study("underpowered")[0].horizons[1]
    assert found.fits.power is not None
    assert found.rank_ic_per_tenfold is not None
    assert found.minimum_detectable_alpha is not None
    expected = math.log(10.0) * found.fits.power.loss_at_reference * found.minimum_detectable_alpha
    assert found.rank_ic_per_tenfold.detectable == pytest.approx(expected)
    assert f"this ladder finds +{expected:.4f} RankIC per tenfold size" in found.reason


def test_an_open_verdict_tells_of_a_wider_ladder_of_days_and_stocks_and_of_seeds(
    study: Callable[[str], Study],
) -> None:
    found = study("underpowered")[0].horizons[1]
    assert [option.what for option in found.settle_options] == ["rungs", "days", "seeds"]
    assert "a wider ladder, " in found.settle
    assert "test days" in found.settle
    assert "stocks" in found.settle
    assert found.fits.power is not None
    worth = math.log(10.0) * found.fits.power.loss_at_reference * INTEREST
    assert f"To detect {worth:.4f} RankIC per tenfold size" in found.settle


def test_the_days_that_are_told_are_the_fewest_that_would_do() -> None:
    """Rungs that scatter by their days alone: with k times the days both parts of the variance are 1 / k of what they
    were."""
    points = random_rungs(2, (0.03, 0.032, 0.034, 0.036, 0.04), 1e-4)
    fit = law_of(points).fits.power
    assert fit is not None
    assert fit.days is not None
    noise = 0.004
    now = Precision.of(fit, noise)
    factors = (1.25, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 16.0)

    def detected(factor: float) -> float:
        then = dataclasses.replace(now, noise=noise / math.sqrt(factor), days_se=now.days_se / math.sqrt(factor))
        return detectable_alpha(then)

    target = (detected(3.0) + detected(2.0)) / 2.0
    option = more_days(points, fit, noise, alpha_of_interest=target, day_scatter=noise**2, only=False)
    assert next(factor for factor in factors if detected(factor) <= target) == 3.0
    assert option.words.startswith("about 3 times the test days (1,200 instead of 400), or as many times the stocks")
    never = more_days(points, fit, noise, alpha_of_interest=target, day_scatter=0.0, only=False)
    assert "will not do" in never.words


def test_without_daily_rank_ics_no_number_of_days_is_made_up() -> None:
    found = law_of(random_rungs(4, (0.03, 0.02, 0.04, 0.03), 5e-3, None))
    assert found.verdict == "underpowered"
    (days,) = [option for option in found.settle_options if option.what == "days"]
    assert "unknown" in days.words
    assert "daily RankIC is not known" in found.reason


def test_the_distance_to_the_best_baseline_leaves_out_the_order_of_hindsight(study: Callable[[str], Study]) -> None:
    law, points, _ = study("flat")
    found = law.horizons[1]
    assert found.excess is not None
    assert min(points[0].baselines, key=lambda name: points[0].baselines[name]) != "no_order"
    assert "own_static_order" in points[0].baselines
    assert found.excess.baseline == "ridge"
    assert 1.0 - found.excess.baseline_loss == pytest.approx(RIDGE_RANK_IC, abs=0.01)
    assert found.beaten_by == ("ridge",)
    better = [
        dataclasses.replace(point, baselines={**point.baselines, "own_static_order": 0.5, "own_rate": 0.4})
        for point in points
    ]
    again = law_of(better, draws=20).excess
    assert again is not None
    assert again.baseline == "ridge"


def test_a_law_is_read_back_from_its_file_as_it_was_written(study: Callable[[str], Study], tmp_path: Path) -> None:
    law, points, _ = study("scales")
    paths = write_law(tmp_path, law)
    assert read_law(tmp_path / "scaling.json") == law
    plain = law_json(law)["horizons"]["1"] if "1" in law_json(law)["horizons"] else law_json(law)["horizons"][1]
    assert set(plain["rank_ic_per_tenfold"]) == {"value", "low", "high", "detectable", "detectable_range"}
    low, high = plain["points"][0]["loss_ci"]
    assert low < points[0].loss < high
    assert "loss_ci" not in paths[1].read_text().splitlines()[0]


def test_a_law_of_another_loss_has_no_key_of_rankings() -> None:
    plain = law_json(law_of(random_rungs(1, SHAPES["rising"], 1e-3), ranks=False))
    assert "rank_ic_per_tenfold" not in plain
    assert all("loss_ci" not in point for point in plain["points"])


@pytest.mark.parametrize("verdict", ["scales", "no_skill"])
def test_the_picture_is_drawn_and_the_same_again(study: Callable[[str], Study], tmp_path: Path, verdict: str) -> None:
    law = study(verdict)[0]
    first, again = (write_law(tmp_path / name, law)[2].read_bytes() for name in ("one", "two"))
    assert first == again
    assert first.startswith(b"\x89PNG")
    assert len(first) > 20_000


def test_blocks_are_at_least_the_horizon_over_which_labels_overlap(tmp_path: Path) -> None:
    """The interval of the days' slope with the horizon as least block is that of the bootstrap with that block."""
    points = rungs(tmp_path, write_study(tmp_path, (0.02, 0.03, 0.04, 0.05), budgets=LADDER[:4], horizon=40))
    found = fit_horizons({40: points}, (), LAW, PARAMS, "k", 42, metric=RANK_ERROR).horizons[40]
    log_n = np.log([point.n_params for point in points])
    x_R = log_n - log_n.mean()
    relative_RN = np.stack([point.loss_N / point.loss_N.mean() for point in points if point.loss_N is not None])
    slope_N = -x_R @ relative_RN / float(x_R @ x_R)
    assert block_length(slope_N) < 40
    expected = mean_interval(slope_N, draws=200, confidence=0.95, seed=42, block=40)
    days = day_noise(points, draws=200, confidence=0.95, seed=42, least_block=40)
    assert days is not None
    assert days.variance == pytest.approx(expected.se**2)
    assert found.fits.power is not None
    assert found.neighbours[0].noise != "unknown"


def test_a_least_block_of_one_day_leaves_the_block_to_the_series() -> None:
    values_N = np.random.default_rng(0).normal(size=300)
    assert block_of_at_least(1, values_N) is None
    assert block_of_at_least(2, values_N) == max(2, block_length(values_N))
    assert block_of_at_least(150, values_N) == 150


def test_two_rankings_are_compared_in_blocks_of_at_least_the_horizon() -> None:
    rng = np.random.default_rng(3)
    dates_N, y_N = np.datetime64("1981-01-02") + np.arange(300), np.arange(300)
    one, other = (
        DailyLosses(
            name=name, dates_N=dates_N, y_N=y_N, losses={0: 1.0 + 0.2 * rng.normal(size=300)}, metric=RANK_ERROR
        )
        for name in ("a", "b")
    )
    gap_N = other.loss_N - one.loss_N
    for block in (5, 20):
        found = compare_models(one, other, params=PARAMS, seed=1, least_block=block)
        expected = mean_interval(gap_N, draws=200, confidence=0.95, seed=1, block=max(block, block_length(gap_N)))
        assert found.se == pytest.approx(expected.se)
    plain = compare_models(one, other, params=PARAMS, seed=1)
    assert plain == compare_models(one, other, params=PARAMS, seed=1, least_block=1)


def test_the_least_block_of_a_confidence_set_counts_where_the_estimated_one_is_shorter() -> None:
    rng = np.random.default_rng(1)
    losses = {name: 1.0 + mean + 0.1 * rng.normal(size=300) for name, mean in (("a", 0.0), ("b", 0.01))}
    distance_N = (losses["a"] - losses["b"]) / 2.0
    settings = {"confidence": 0.95, "draws": 400, "seed": 1}
    plain = model_confidence_set(losses, **settings)
    assert model_confidence_set(losses, **settings, least_block=block_length(distance_N)) == plain
    assert model_confidence_set(losses, **settings, least_block=60) != plain


def test_a_note_tells_the_exponent_over_each_count_of_a_family_with_parts_of_its_own(
    study: Callable[[str], Study],
) -> None:
    _, points, _ = study("scales")
    words = {"n_params_blocks": "of temporal and graph layers", "n_params_body": "without variable selection"}
    law = fit_horizons({1: points}, (), LAW, PARAMS, "k", 42, metric=RANK_ERROR, count_words=words).horizons[1]
    assert law.alpha is not None
    # Here both parts are the same share of every model.
    assert law.notes[0] == (
        f"alpha is {law.alpha:.4f} over all parameters, {law.alpha:.4f} over N of temporal and graph layers (60% to "
        f"60% of all parameters) and {law.alpha:.4f} over N without variable selection (80% to 80% of all parameters)"
    )
    assert note_on_counts(law.kept, {**law.power_by_count, "n_params_body": None}, words) is None
