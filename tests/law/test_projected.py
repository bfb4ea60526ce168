"""Variable projection: given the exponents, the linear terms are those of an independent non-negative fit."""

from __future__ import annotations

import numpy as np
from scipy.optimize import nnls

from tsladder.law.surface.huber import Points
from tsladder.law.surface.projected import EXPONENTS, projected_starts


def test_the_first_start_is_the_best_non_negative_fit_over_the_grid_of_exponents() -> None:
    rng = np.random.default_rng(0)
    x, z = rng.normal(size=(2, 30))
    y = np.log(1.7 + 0.8 * np.exp(-0.33 * x) + 0.5 * np.exp(-0.5 * z)) + 0.01 * rng.normal(size=30)
    weight = rng.integers(0, 4, size=(5, 30)).astype(float)
    starts = projected_starts(Points(x_n=x, z_n=z, y_n=y, weight_Mn=weight), 3)
    assert starts.shape == (5, 3, 5)
    for row in range(5):
        root = np.sqrt(weight[row])[:, None]
        fits = {}
        for alpha in EXPONENTS:
            for beta in EXPONENTS:
                columns = np.column_stack([np.exp(-alpha * x), np.exp(-beta * z), np.ones(30)]) * np.exp(-y)[:, None]
                fits[alpha, beta] = nnls(root * columns, root[:, 0])
        (alpha, beta), (terms, _) = min(fits.items(), key=lambda item: item[1][1])
        assert (starts[row, 0, 3], starts[row, 0, 4]) == (alpha, beta)
        present = terms > 1e-2
        np.testing.assert_allclose(np.exp(starts[row, 0, :3])[present], terms[present], rtol=1e-5)


def test_starts_differ_in_their_exponents() -> None:
    rng = np.random.default_rng(1)
    x, z = rng.normal(size=(2, 40))
    y = np.log(1.7 + 0.8 * np.exp(-0.33 * x) + 0.5 * np.exp(-0.5 * z))
    exponents = projected_starts(Points(x_n=x, z_n=z, y_n=y), 6)[0, :, 3:]
    assert len({tuple(pair) for pair in exponents.tolist()}) == 6
