"""More seeds or more rungs: the numbers hold what they promise, and cost what the model of time says."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from tests.small_records import horizon_splits
from tests.studies import make_study

from tsladder.artifacts.law_fits import PowerLaw
from tsladder.artifacts.outcome import BatchPlan
from tsladder.artifacts.splits import write_splits
from tsladder.law.cost import StudyCost
from tsladder.law.curve.power_law import fit_power
from tsladder.law.curve.weights import rung_noise
from tsladder.law.evidence.detection import Precision, detectable_alpha
from tsladder.law.next_runs import SettleOption, in_words, settle_options
from tsladder.law.points import RungPoint
from tsladder.models.spec import ModelSpec
from tsladder.params import load_params
from tsladder.planning.cells import geometry_of
from tsladder.planning.duration import CELL_SECONDS, RunLength, forecast
from tsladder.planning.grid import build_grid

SIZES = np.geomspace(1e5, 1e7, 5)
WAVE = 0.4 * np.exp([0.03, -0.03, 0.0, -0.03, 0.03])


def ladder(se: float | None) -> tuple[list[RungPoint], PowerLaw]:
    seeds = ((1, 0.4), (2, 0.4), (3, 0.4))
    points = [
        RungPoint(cell=f"{n:g}", n_params=n, loss=loss, se=se, seeds=seeds) for n, loss in zip(SIZES, WAVE, strict=True)
    ]
    return points, fit_power(SIZES, WAVE)


def least(sizes: Sequence[float], noise: float) -> float:
    """Detectable exponent of a ladder whose noise is known from the three degrees of freedom of SIZES."""
    return detectable_alpha(Precision.of_sizes(sizes, noise, noise_dof=3))


class Priced:
    """One second a parameter and seed; a new rung costs ten trainings."""

    def more_seeds(self, n_params: Sequence[float], extra: int) -> float:
        return extra * sum(n_params)

    def new_rungs(self, n_params: Sequence[float]) -> float | None:
        return 10 * sum(n_params)


def options(se: float | None, cost: Priced | None = None) -> dict[str, list[SettleOption]]:
    points, fit = ladder(se)
    found: dict[str, list[SettleOption]] = {"seeds": [], "rungs": []}
    for option in settle_options(points, fit, rung_noise(points, fit), alpha_of_interest=0.015, cost=cost):
        found[option.what].append(option)
    return found


def test_the_seeds_advised_are_the_fewest_that_detect_the_exponent() -> None:
    points, fit = ladder(0.015)
    (seeds,) = options(0.015)["seeds"]
    between = max(0.0, fit.residual_sd**2 - np.mean([(0.015 / p.loss) ** 2 for p in points]))

    def detected(count: int) -> float:
        per_seed = 3 * np.mean([(0.015 / p.loss) ** 2 for p in points])
        return least(SIZES, np.sqrt(between + per_seed / count))

    assert detected(seeds.seeds) <= 0.015 < detected(seeds.seeds - 1)


def test_the_rungs_advised_detect_the_exponent_and_one_fewer_does_not() -> None:
    points, fit = ladder(0.001)
    for option in options(0.001)["rungs"]:
        noise = rung_noise(points, fit)
        assert least([*SIZES, *option.rungs], noise) <= 0.015
        assert least([*SIZES, *option.rungs[:-1]], noise) > 0.015
        assert min(option.rungs) > SIZES[-1] or max(option.rungs) < SIZES[0]


def test_costs_come_from_whoever_knows_them_and_are_unknown_otherwise() -> None:
    assert {o.estimated_seconds for found in options(0.015).values() for o in found} == {None}
    priced = options(0.015, Priced())
    (seeds,) = priced["seeds"]
    assert seeds.estimated_seconds == pytest.approx((seeds.seeds - 3) * sum(SIZES))
    for option in priced["rungs"]:
        assert option.estimated_seconds == pytest.approx(10 * sum(option.rungs))
    told = in_words([*priced["seeds"], *priced["rungs"]], 0.015)
    assert told.count("on one core)") == 1 + len(priced["rungs"])
    assert "days" in told


def test_sizes_of_which_there_is_no_model_are_not_advised() -> None:
    class OnlyAbove(Priced):
        def new_rungs(self, n_params: Sequence[float]) -> float | None:
            return None if min(n_params) < min(SIZES) else 1.0

    calmer = 0.4 * (WAVE / 0.4) ** 0.6
    points = [RungPoint(cell=f"{n:g}", n_params=n, loss=loss) for n, loss in zip(SIZES, calmer, strict=True)]
    fit = fit_power(SIZES, calmer)

    def sides(cost: Priced | None) -> list[bool]:
        """Of the rungs advised: do they lie above?"""
        found = settle_options(points, fit, rung_noise(points, fit), alpha_of_interest=0.015, cost=cost)
        return [min(option.rungs) > max(SIZES) for option in found if option.rungs is not None]

    assert sides(None) == sides(Priced()) == [True, False]
    assert sides(OnlyAbove()) == [True]


def test_without_a_spread_of_seeds_no_number_of_seeds_is_made_up() -> None:
    (seeds,) = options(None)["seeds"]
    assert (seeds.seeds, seeds.estimated_seconds) == (None, None)
    assert "unknown" in seeds.words


@pytest.fixture
def cost(tmp_path: Path) -> StudyCost:
    study = make_study(tmp_path)
    params = load_params(study.params)
    assert StudyCost.of_horizon(study, params, 1) is None
    write_splits(study.horizon_splits(1), horizon_splits(1, train=2740))
    cost = StudyCost.of_horizon(study, params, 1)
    assert cost is not None
    assert cost.run == RunLength(train_windows=2740, validation_windows=926, epochs=2, patience=4)
    return cost


def test_a_training_is_priced_as_the_mean_of_its_grid_by_the_model_of_time(cost: StudyCost) -> None:
    whole = BatchPlan(
        micro_batch=256,
        accumulation_steps=1,
        effective_batch=256,
        precision="fp32",
        optimizer="adamw",
        activation_checkpointing=False,
    )
    shapes: tuple[ModelSpec, ...] = build_grid(geometry_of(cost.params), "30k").shapes
    seconds = np.mean([forecast(spec, whole, 1, cost.run).expected for spec in shapes])
    assert cost.training_seconds(30_000) == pytest.approx(seconds)
    assert cost.more_seeds([30_000, 30_000], 2) == pytest.approx(4 * seconds, abs=0.1)
    runs = cost.params.search.trials_total + cost.params.train.seeds
    assert cost.new_rungs([30_000]) == pytest.approx(CELL_SECONDS + runs * seconds, abs=0.1)


def test_a_size_without_architectures_has_an_unknown_price(cost: StudyCost) -> None:
    assert cost.training_seconds(3) is None
    assert cost.new_rungs([30_000, 3]) is None
    assert cost.training_seconds(2e9) > 1e3 * cost.training_seconds(2e6)
