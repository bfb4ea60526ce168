"""Baseline rankings with which every model is compared, on the same days and stocks.

All are fitted on training days alone. A member without the value that a baseline ranks by, and a stock without a known
return, gets a score in the middle.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tsladder.ranking.metrics import judged_stocks
from tsladder.ranking.ranks import Floats, Mask, centred_ranks

NO_ORDER = "no_order"
STATIC_ORDER = "static_order"
RIDGE = "ridge"
BOOSTED_TREES = "boosted_trees"

BY_COLUMN = {
    "reversal_1": ("ret_1", -1.0),
    "reversal_5": ("ret_5", -1.0),
    "momentum_252_21": ("momentum_252_21", 1.0),
    "low_volatility_63": ("vol_63", -1.0),
}
"""Baseline -> (column, sign). The signs are those of the literature, fixed before any result was seen."""

RIDGE_PENALTY = 1e3
"""Penalty on squared weights, beside the summed squared error of ranks of unit variance; set once, never tuned."""

_TREES = {
    "max_iter": 100,
    "max_leaf_nodes": 15,
    "learning_rate": 0.05,
    "min_samples_leaf": 500,
    "l2_regularization": 10.0,
}
"""Few trees with large leaves, for a signal of a few per mille of the variance; set once, never tuned."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class StockTable:
    """Input of the baselines on D consecutive sessions and S stocks.

    columns         column of tier c21 -> value_DS known at each session's close, NaN where there is none
    return_DS       label: forward return of the horizon, NaN where there is none
    past_return_DS  log return from the close of the session before, NaN where there is none
    member_DS       stocks that are ranked
    """

    columns: Mapping[str, NDArray[np.floating]]
    return_DS: NDArray[np.floating]
    past_return_DS: NDArray[np.floating]
    member_DS: Mask


def fit_baselines(table: StockTable, *, train_D: Mask, history_D: Mask) -> dict[str, Floats]:
    """Fit all baselines; return name -> score_DS for every day of `table`, finite for every member.

    `train_D`: the training days; labels of other days are not read. `history_D`: sessions whose past returns the static
    order uses: those of the training region and those before it, which the first training windows include. Raises
    ValueError where no member has a label on a training day.
    """
    members = np.asarray(table.member_DS, dtype=np.bool_)
    labelled_DS = judged_stocks(table.return_DS, members) & train_D[:, None]
    if not labelled_DS.any():
        raise ValueError("baselines need training days on which members have labels")
    features_NF = np.stack([centred_ranks(value_DS, members)[members] for value_DS in table.columns.values()], axis=1)
    train_NF = features_NF[labelled_DS[members]]
    y_N = centred_ranks(table.return_DS, labelled_DS)[labelled_DS]
    ranked = {name: np.full(members.shape, np.nan) for name in (RIDGE, BOOSTED_TREES)}
    ranked[RIDGE][members] = _ridge(train_NF, y_N, features_NF)
    ranked[BOOSTED_TREES][members] = _boosted_trees(train_NF, y_N, features_NF)
    return {
        NO_ORDER: np.zeros(members.shape),
        STATIC_ORDER: static_order(table.past_return_DS, history_D[:, None]),
        **{name: sign * centred_ranks(table.columns[column], members) for name, (column, sign) in BY_COLUMN.items()},
        **ranked,
    }


def static_order(return_DS: NDArray[np.floating], known_DS: Mask) -> Floats:
    """Return one score per stock, the mean of its known returns, for all days.

    A stock without a known return gets the median score. Made of the labels of the region on which it is scored, this
    order is `own_static_order`, which needs hindsight.
    """
    counted_DS = known_DS & np.isfinite(return_DS)
    count_S = counted_DS.sum(axis=0)
    mean_S = np.where(counted_DS, return_DS, 0.0).sum(axis=0) / np.maximum(count_S, 1)
    middle = float(np.median(mean_S[count_S > 0])) if count_S.any() else 0.0
    return np.broadcast_to(np.where(count_S > 0, mean_S, middle), counted_DS.shape)


def _ridge(train_NF: Floats, y_N: Floats, features_NF: Floats) -> Floats:
    """Predict by ridge regression without an intercept, as the ranks of each day have mean 0."""
    penalty_FF = RIDGE_PENALTY * np.eye(train_NF.shape[1])
    weight_F = np.linalg.solve(train_NF.T @ train_NF + penalty_FF, train_NF.T @ y_N)
    return np.asarray(features_NF @ weight_F, dtype=np.float64)


def _boosted_trees(train_NF: Floats, y_N: Floats, features_NF: Floats) -> Floats:
    """Predict by histogram gradient boosting (scikit-learn) on the squared error of ranks."""
    from sklearn.ensemble import HistGradientBoostingRegressor
    from threadpoolctl import threadpool_limits

    model = HistGradientBoostingRegressor(early_stopping=False, random_state=0, **_TREES)
    # The trees do not depend on the number of threads; with several, waiting for busy cores takes far longer.
    with threadpool_limits(1, user_api="openmp"):
        model.fit(train_NF, y_N)
        return np.asarray(model.predict(features_NF), dtype=np.float64)
