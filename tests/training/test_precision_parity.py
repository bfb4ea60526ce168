"""Does the precision move a loss by less than the seeds do? Bundled data, one rung of the ladder, whole trainings."""

from __future__ import annotations

import dataclasses
import statistics
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from tests.building import batch_plan, job, settings
from tests.studies import DEFAULT_PARAMS

from tsladder.data.bars import read_bars
from tsladder.data.bundled import bundled_frames
from tsladder.data.cuts import make_splits
from tsladder.data.indicators import build_features
from tsladder.data.targets import labels
from tsladder.data.windows import WindowSet, build_windows
from tsladder.models.spec import ModelSpec
from tsladder.params import Params, load_params
from tsladder.planning.cells import geometry_of
from tsladder.planning.recipe import recipe_of
from tsladder.training.trainer import fit

HORIZON = 3
SEEDS = (1, 2, 3)


@pytest.fixture(scope="module")
def params() -> Params:
    return load_params(DEFAULT_PARAMS)


@pytest.fixture(scope="module")
def data(params: Params, tmp_path_factory: pytest.TempPathFactory) -> WindowSet:
    path: Path = tmp_path_factory.mktemp("bars") / "sp500.parquet"
    bundled_frames()["sp500"].to_parquet(path, index=False)
    table = build_features(read_bars(path, "sp500"), params.data)
    splits = make_splits(table.dates_T, params.splits, params.windows.context_length, HORIZON, params.study.seed)
    return build_windows(table, splits, labels(table, params.target, HORIZON), params.windows)


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.slow
def test_precision_moves_the_validation_loss_by_less_than_the_seeds_do(params: Params, data: WindowSet) -> None:
    """At the 200k rung, 10 epochs at most with the default study's early stopping."""
    spec = ModelSpec(geometry=geometry_of(params), d_model=64, n_layers=4, n_heads=4, d_ff=256)
    trained = settings(learning_rate=5e-4, dropout=0.2, warmup_steps=22, epochs=10)
    losses: dict[str, list[float]] = {}
    for precision in ("fp32", "bf16-mixed", "bf16"):
        training = dataclasses.replace(params.training, precision=precision)  # type: ignore[arg-type]
        recipe = recipe_of(training, params.search.chosen, "200k", params.target.task)
        plan = batch_plan(256, 256, precision=precision)
        for seed in SEEDS:
            run = job(spec=spec, settings=trained, recipe=recipe, plan=plan, seed=seed)
            fitted = fit(run, data.train, data.validation, lambda _record: True)
            assert fitted.best_val_loss is not None
            losses.setdefault(precision, []).append(fitted.best_val_loss)
    seed_sd = statistics.stdev(losses["fp32"])
    for precision in ("bf16-mixed", "bf16"):
        paired = [low - full for low, full in zip(losses[precision], losses["fp32"], strict=True)]
        moved = statistics.mean(paired)
        print(
            f"{precision}: mean difference {moved:+.5f}, its sd {statistics.stdev(paired):.5f}, seed sd {seed_sd:.5f}"
        )
        assert any(paired), "the precision must change something for this test to mean anything"
        assert abs(moved) < seed_sd
