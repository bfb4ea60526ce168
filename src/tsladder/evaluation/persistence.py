"""The persistence forecast: the last known outcome happens again."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]


def persistence(train_ends_N: Rows, train_y_N: NDArray[np.floating], ends_N: Rows, y_T: Floats, horizon: int) -> Floats:
    """Return P(label is 1 | last known label) for the windows that end on the rows `ends_N`.

    `y_T`: the label of every row, NaN where unknown. At the close of row t the newest label whose horizon has passed is
    that of row t - horizon; no later one is read. The two conditional rates come from training alone, from pairs of
    training labels that lie `horizon` rows apart. Each is taken with one more day at the training base rate, so that a
    few days never make a certainty and a label without any pair gives the base rate. The base rate is also the forecast
    of a row that lies too early to have a known label. With several symbols each one's last `horizon` labels are
    unknown, so none is read across the border of two.
    """
    label_of = np.full(y_T.size, np.nan)
    label_of[train_ends_N] = train_y_N
    base_rate = float(np.mean(train_y_N))
    previous_N = _before(label_of, train_ends_N, horizon)
    p_N = np.full(ends_N.size, base_rate)
    known_N = _before(y_T, ends_N, horizon)
    for label in (0.0, 1.0):
        followed = np.asarray(train_y_N, dtype=np.float64)[previous_N == label]
        p_N[known_N == label] = (followed.sum() + base_rate) / (followed.size + 1.0)
    return p_N


def _before(y_T: Floats, ends_N: Rows, horizon: int) -> Floats:
    """Return the label `horizon` rows before each row; NaN where there is none."""
    rows = ends_N - horizon
    return np.where(rows >= 0, y_T[np.maximum(rows, 0)], np.nan)
