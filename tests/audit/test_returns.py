"""The probes on a study of returns: silent on honest code, and each caught leak is a planted one."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from scipy.stats import spearmanr
from tests.audit.leaks import column_replaced, column_shifted, in_every_region, joined, with_step, with_windows
from tests.studies import make_study, prepare

from tsladder.artifacts.plans import AuditPlan, read_plan
from tsladder.audit.blanked import blanked_test_targets
from tsladder.audit.build import open_subject
from tsladder.audit.days import label_reach
from tsladder.audit.permutation import permute
from tsladder.audit.planted import PLANTED, planted_future_feature
from tsladder.audit.shuffled import LIMIT, PERMUTATIONS, shuffled_targets
from tsladder.audit.small_model import SmallModelResult
from tsladder.audit.subject import Floats, Subject
from tsladder.data.features import FeatureTable
from tsladder.data.windows import WindowSet
from tsladder.tasks import load
from tsladder.vocabulary import ProbeOutcome, Region

ANSWERS = load("regression").label_audit


@pytest.fixture(scope="module")
def returns(tmp_path_factory: pytest.TempPathFactory) -> Subject:
    places = make_study(tmp_path_factory.mktemp("returns"), target__task="regression")
    prepare(places)
    return open_subject(places, read_plan(AuditPlan, places.audit_plan))


def idle(windows: WindowSet, _epochs: int | None) -> SmallModelResult:
    """A trainer that takes no time and teaches nothing."""
    return SmallModelResult(weights="", validation_loss=0.4, p_N=np.zeros(len(windows.validation)), ended="completed")


@pytest.mark.slow
def test_honest_code_passes_the_probes_that_train(returns: Subject) -> None:
    for probe in (shuffled_targets, blanked_test_targets):
        finding = probe(returns)
        assert finding.passed, finding.words


def test_honest_code_passes_the_probes_that_only_look(returns: Subject) -> None:
    for probe in (planted_future_feature, label_reach):
        finding = probe(returns)
        assert finding.passed, finding.words


def test_a_return_among_the_inputs_is_caught_by_shuffled_targets(returns: Subject) -> None:
    leaking = with_windows(returns, lambda windows, _table, y_T: column_replaced(windows, np.nan_to_num(100.0 * y_T)))
    finding = shuffled_targets(with_step(leaking, train=idle))
    assert finding.outcome is ProbeOutcome.FAILED
    assert finding.numbers["ridge_z"] > LIMIT
    assert "labels are in the inputs" in finding.words


def test_a_baseline_fitted_on_validation_returns_is_caught_by_shuffled_targets(returns: Subject) -> None:
    honest = returns.pipeline.forecasts

    def peeking(windows: WindowSet, ratio: WindowSet, close_T: Floats, region: Region) -> dict[str, Floats]:
        both = [dataclasses.replace(made, train=joined(made.train, made.region(region))) for made in (windows, ratio)]
        return dict(honest(both[0], both[1], close_T, region))

    finding = shuffled_targets(with_step(returns, forecasts=peeking, train=idle))
    assert finding.outcome is ProbeOutcome.FAILED
    assert "last_day_ratio_ridge" in str(finding.numbers["peeking"])


def test_a_model_that_learns_nothing_of_returns_makes_shuffled_targets_inconclusive(returns: Subject) -> None:
    finding = shuffled_targets(with_step(returns, train=idle))
    assert finding.outcome is ProbeOutcome.INCONCLUSIVE
    assert "could have missed a leak" in finding.words


def test_a_feature_that_knows_the_next_close_is_caught_by_the_ridge(returns: Subject) -> None:
    close_T = returns.table.close_T
    known_T = np.append(np.log(close_T[1:] / close_T[:-1]), 0.0)
    columns = (*returns.table.columns, dataclasses.replace(PLANTED, name="tomorrow"))
    values_TF = np.column_stack([returns.table.values_TF, known_T])
    table = dataclasses.replace(returns.table, columns=columns, values_TF=values_TF)
    finding = planted_future_feature(dataclasses.replace(returns, table=table))
    assert finding.outcome is ProbeOutcome.FAILED
    assert "by a plain ridge" in finding.words


def test_windows_shown_by_test_returns_are_caught_by_blanked_test_targets(returns: Subject) -> None:
    def leak(windows: WindowSet, _table: FeatureTable, _y_T: Floats) -> WindowSet:
        mean = float(windows.test.y_N.astype(np.float64).sum())
        return in_every_region(windows, lambda one: column_shifted(one, mean))

    finding = blanked_test_targets(with_windows(returns, leak))
    assert finding.outcome is ProbeOutcome.FAILED
    assert "inputs of train" in finding.words


def test_a_deal_puts_the_returns_of_each_region_into_another_order(returns: Subject) -> None:
    real = returns.windows(1)
    before, permuted = returns.labels(1), permute(returns, real, training=0, validation=0)
    for region in (Region.TRAIN, Region.VALIDATION):
        ends_N = real.region(region).ends_N
        assert (before[ends_N] != permuted[ends_N]).any()
        np.testing.assert_array_equal(np.sort(before[ends_N]), np.sort(permuted[ends_N]))
    np.testing.assert_array_equal(before[real.test.ends_N], permuted[real.test.ends_N])


def test_the_rank_statistic_of_returns_is_spearmans_and_its_z_standard_normal_where_nothing_is_known() -> None:
    rng = np.random.default_rng(1)
    y_N, forecast_N = rng.normal(size=301), rng.normal(size=301)
    found = ANSWERS.rank([y_N], [forecast_N])
    assert found.value == pytest.approx(spearmanr(y_N, forecast_N).statistic)
    assert found.z == pytest.approx(found.value * np.sqrt(300))
    fixed = [np.round(rng.normal(size=60), 1) for _ in range(PERMUTATIONS)]
    zs = [ANSWERS.rank([rng.permutation(fixed[k]) for k in range(PERMUTATIONS)], fixed).z for _ in range(600)]
    assert np.mean(zs) == pytest.approx(0.0, abs=0.15)
    assert np.std(zs) == pytest.approx(1.0, abs=0.1)


def test_a_forecast_that_never_varies_ranks_no_return() -> None:
    assert ANSWERS.rank([np.arange(30.0)], [np.zeros(30)]).z == 0.0
