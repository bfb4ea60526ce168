"""An effect that was planted is found by a small model, and where none was, none is: benchmarks/planted_panel.py on few
seeds."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("planted_panel", ROOT / "benchmarks" / "planted_panel.py")
    assert spec is not None
    assert spec.loader is not None
    found = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = found  # where dataclasses look for it
    spec.loader.exec_module(found)
    return found


@pytest.mark.parametrize("rank_ic", [0.0, 0.10])
def test_the_planted_rule_ranks_as_well_as_it_is_said_to(script: ModuleType, rank_ic: float) -> None:
    """The oracle ranks the stocks of each day itself."""
    log_TS = np.log(script.planted(3, rank_ic, stocks=100, sessions=1500).close_TS)
    found = []
    for row in range(6, len(log_TS) - 2):
        score_S = (log_TS[row - 5] - log_TS[row]).argsort().argsort()
        return_S = (log_TS[row + 2] - log_TS[row + 1]).argsort().argsort()
        found.append(np.corrcoef(score_S, return_S)[0, 1])
    assert np.mean(found) == pytest.approx(rank_ic, abs=4 * np.std(found) / np.sqrt(len(found)))


@pytest.mark.slow
def test_a_model_of_12k_parameters_finds_the_planted_effect_in_three_epochs(script: ModuleType, tmp_path: Path) -> None:
    found = script.train_on(script.planted(0), tmp_path, seed=0)
    assert abs(found.n_params - 12_000) < 1_000
    assert found.rule == pytest.approx(0.10, abs=0.015)
    assert found.model >= 0.08
    assert found.low > 0.06


@pytest.mark.slow
def test_a_model_finds_nothing_where_nothing_was_planted(script: ModuleType, tmp_path: Path) -> None:
    found = script.train_on(script.planted(1, 0.0), tmp_path, seed=1)
    assert found.low <= 0.0 <= found.high


@pytest.mark.slow
def test_rankings_at_random_have_an_advantage_about_as_rarely_as_their_intervals_say(script: ModuleType) -> None:
    """A 95 % interval lies above 0 in 2.5 % of all cases; of 40, more than 5 would have a probability below 0.001."""
    above = sum(script.advantage_of_noise(seed) > 0.0 for seed in range(40))
    assert above <= 5
