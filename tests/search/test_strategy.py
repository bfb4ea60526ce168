from __future__ import annotations

import pytest

from tsladder.models.spec import Geometry
from tsladder.planning.grid import build_grid
from tsladder.search.strategy import Drawn, Finished, Forced, schedule

GEOMETRY = Geometry(family="patchtst", context_length=80, n_features=25, patch_len=16, stride=8, revin=False)
LADDER = ["12k", "30k", "80k", "200k", "750k", "2M", "20M", "200M", "2B"]


@pytest.mark.parametrize("budget", LADDER)
def test_the_six_extremes_exist_in_the_grid_and_are_six_configurations(budget: str) -> None:
    grid = build_grid(GEOMETRY, budget)
    forced = schedule("architectural", grid, 8).forced
    assert len({f.spec for f in forced}) == len(forced) == 6
    assert all(f.spec in grid.members for f in forced)
    for name in ("d_model", "n_layers", "n_heads"):
        values = [getattr(member, name) for member in grid.members]
        forced_values = {f.what: getattr(f.spec, name) for f in forced}
        assert forced_values[f"smallest {name}"] == min(values)
        assert forced_values[f"largest {name}"] == max(values)


def test_forced_trials_come_first_then_the_sampler_then_nothing() -> None:
    plan = schedule("architectural", build_grid(GEOMETRY, "200k"), 8)
    decisions = [plan.decide(number) for number in range(9)]
    assert all(isinstance(d, Forced) for d in decisions[:6])
    assert all(isinstance(d, Drawn) for d in decisions[6:8])
    assert isinstance(decisions[8], Finished)
    assert plan.forced_left_out == ()
    depths = [d.spec.n_layers for d in decisions[:6] if isinstance(d, Forced)]
    assert depths == sorted(depths, reverse=True)
    assert len(set(depths)) > 1


def test_too_few_trials_name_the_extremes_they_leave_out() -> None:
    plan = schedule("architectural", build_grid(GEOMETRY, "200k"), 4)
    assert [forced.what for forced in plan.forced_left_out] == ["largest d_model", "smallest n_layers"]
