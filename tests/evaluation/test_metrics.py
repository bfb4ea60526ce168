import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as oracle

from tsladder.evaluation.metrics import CLIP, per_day_log_loss, score_classifier

# A coarse grid of probabilities makes ties common.
day = st.tuples(st.sampled_from([0.0, 1.0]), st.integers(0, 12).map(lambda k: k / 12))
days = st.lists(day, min_size=2, max_size=60)


@settings(max_examples=50, deadline=None)
@given(days)
def test_every_metric_equals_scikit_learn_with_ties_and_certainties(pairs):
    y, p = np.array(pairs).T
    scores = score_classifier(y, p)
    assert scores.log_loss == pytest.approx(oracle.log_loss(y, np.clip(p, CLIP, 1 - CLIP), labels=[0, 1]), rel=1e-9)
    assert scores.brier == pytest.approx(np.mean((y - p) ** 2))
    if 0 < y.mean() < 1:
        assert scores.auc == pytest.approx(oracle.roc_auc_score(y, p))
        assert scores.average_precision == pytest.approx(oracle.average_precision_score(y, p))
    else:
        assert scores.auc is None
        assert scores.average_precision is None


def test_a_certain_error_costs_a_finite_known_amount():
    loss = per_day_log_loss(np.array([1.0, 0.0]), np.array([0.0, 1.0]))
    np.testing.assert_allclose(loss, -np.log(CLIP), rtol=1e-6)


def test_a_constant_forecast_of_its_own_rate_costs_the_entropy():
    y = np.r_[np.ones(106), np.zeros(894)]
    entropy = -(0.106 * np.log(0.106) + 0.894 * np.log(0.894))
    assert score_classifier(y, np.full(1000, 0.106)).log_loss == pytest.approx(entropy)


@pytest.mark.parametrize(
    ("y", "p"),
    [
        ([0.0, 1.0], [0.5, np.nan]),
        ([0.0, 1.0], [0.5, 1.5]),
        ([0.0, 0.5], [0.5, 0.5]),
        ([0.0, 1.0], [0.5]),
        ([], []),
    ],
    ids=["nan", "a logit", "a soft label", "unequal lengths", "nothing"],
)
def test_what_is_no_pair_of_labels_and_probabilities_is_refused(y, p):
    with pytest.raises(ValueError, match=r"label|probabilit"):
        score_classifier(np.array(y), np.array(p))
