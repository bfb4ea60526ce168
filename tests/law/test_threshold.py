"""Huber's threshold: the published one, 1.3 noises, no jump between, one for all groups."""

from __future__ import annotations

import numpy as np
import pytest

from tsladder.law.surface.additive_surface import fit_surface
from tsladder.law.surface.common_threshold import Group, delta_of_groups
from tsladder.law.surface.threshold import PUBLISHED_DELTA, Noise, delta_for, noise_of_replicates, pooled


def test_a_small_change_of_the_noise_makes_a_small_one_of_the_threshold() -> None:
    noises = np.geomspace(1e-6, 1.0, 20_000)
    deltas = np.array([delta_for(noise) for noise in noises])
    assert (np.diff(deltas) >= 0.0).all()
    assert np.max(np.diff(np.log(deltas))) < 6 * np.diff(np.log(noises))[0]


def test_it_is_the_published_one_for_language_models_and_follows_the_noise_of_this_field() -> None:
    assert {delta_for(noise) for noise in (0.001, 0.004, 0.01)} == {PUBLISHED_DELTA}
    assert [delta_for(noise) for noise in (0.02, 0.05)] == pytest.approx([0.026, 0.065])


def planted(noise: float, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    n, d = np.exp(rng.uniform(np.log(1e5), np.log(1e9), 40)), np.exp(rng.uniform(np.log(1e6), np.log(1e10), 40))
    return n, d, (0.3 + 20 * n**-0.4 + 50 * d**-0.4) * np.exp(noise * rng.normal(size=40))


@pytest.mark.slow
def test_groups_of_a_table_share_one_threshold() -> None:
    groups = [Group(n_params_P=n, n_data_P=d, loss_P=y) for n, d, y in (planted(0.015, k) for k in range(3))]
    shared = delta_of_groups(groups)
    alone = [delta_of_groups([group]).delta for group in groups]
    assert len(set(alone)) == 3
    assert min(alone) < shared.delta < max(alone)
    assert "3 groups together" in shared.reason
    for each in groups:
        fit = fit_surface(each.n_params_P, each.n_data_P, each.loss_P, draws=0, delta=shared)
        assert fit.huber_delta == shared.delta
        assert fit.delta_reason == shared.reason


def test_the_noise_of_replicates_comes_before_that_of_residuals() -> None:
    n, d, loss = planted(0.03, 0)
    shared = delta_of_groups([Group(n_params_P=n, n_data_P=d, loss_P=loss, se_P=list(0.002 * loss))])
    assert shared.noise == pytest.approx(0.002)
    assert "replicates" in shared.reason
    assert noise_of_replicates([1.0, 1.0, 1.0], [0.1, None, None]) is None
    assert noise_of_replicates([1.0, 2.0], [0.1, 0.1], [3, 2]).sd == pytest.approx(((2 * 0.01 + 0.0025) / 3) ** 0.5)


def test_noises_are_pooled_by_their_degrees_of_freedom() -> None:
    both = pooled([Noise(sd=0.01, dof=3.0, source="a"), Noise(sd=0.03, dof=1.0, source="a")])
    assert both.sd == pytest.approx(((3 * 0.01**2 + 0.03**2) / 4) ** 0.5)
    assert pooled([]) is None
