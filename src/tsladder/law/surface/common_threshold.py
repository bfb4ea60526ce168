"""One Huber threshold for the surfaces of all groups of a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tsladder.law.surface.additive_surface import residual_noise, search_surface
from tsladder.law.surface.threshold import PUBLISHED_DELTA, HuberDelta, from_noise, noise_of_replicates, pooled


@dataclass(frozen=True, kw_only=True, slots=True)
class Group:
    """The points of one group of a table, fitted by one surface. `se_P`: standard error of each loss, None where
    unknown; `replicates_P`: number of rows that each point averages."""

    n_params_P: Sequence[float]
    n_data_P: Sequence[float]
    loss_P: Sequence[float]
    se_P: Sequence[float | None] = ()
    replicates_P: Sequence[int] = ()


def delta_of_groups(groups: Sequence[Group]) -> HuberDelta:
    """Choose one threshold for all surfaces of a table.

    It follows from the spread of replicates where that is known, else from the residuals of all groups around their
    surfaces at the published threshold.
    """
    known = [noise_of_replicates(each.loss_P, each.se_P, each.replicates_P) for each in groups if each.se_P]
    noise = pooled([each for each in known if each is not None])
    if noise is None:
        found = [
            search_surface(each.n_params_P, each.n_data_P, each.loss_P, draws=0, delta=PUBLISHED_DELTA)
            for each in groups
        ]
        noise = pooled(
            [residual_noise(s.theta_K, s.points) for s in found if s.theta_K is not None and s.points is not None]
        )
    if noise is None:
        return HuberDelta(delta=PUBLISHED_DELTA, noise=None, reason="the published 1e-3; no surface tells its noise")
    return from_noise(noise)
