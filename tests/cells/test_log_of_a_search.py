"""What the log says of a cell: its data and its space at the start, every training's start, every epoch."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

import numpy as np
import pytest
from tests.studies import make_study, params_of, prepare, search_here

from tsladder.artifacts.choice import read_winner
from tsladder.artifacts.plans import SearchPlan, TrainPlan, read_plan
from tsladder.artifacts.store import read_json, read_lines
from tsladder.cells.retrain import train_winner
from tsladder.cells.start_lines import describe_space, search_lines
from tsladder.cells.work import CellWork, open_cell
from tsladder.console.run_log import RunLog
from tsladder.log_file import FILE_ONLY, LOG_FILE
from tsladder.params import SpaceParams, Span, ZeroOr
from tsladder.places import Places
from tsladder.planning.grid import build_grid
from tsladder.planning.memory import HEADROOM
from tsladder.search.objective import Objective
from tsladder.search.planned import validation_classes
from tsladder.search.schedule import Schedule, build_schedule
from tsladder.search.space import SearchSpace
from tsladder.search.strategies import load
from tsladder.tracking import MemoryTracker
from tsladder.vocabulary import Cell, Phase

CELL = Cell("12k", 1)
TRIALS = 2


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Places:
    found = make_study(
        tmp_path_factory.mktemp("logged"), ladder=["12k"], search__strategy="random_search", search__trials=TRIALS
    )
    prepare(found)
    return found


@pytest.fixture(scope="module")
def log(places: Places) -> list[str]:
    """Of a search and the retraining of its winner on two seeds."""
    path = places.root / "the.log"
    os.environ[LOG_FILE] = str(path)
    try:
        search_here(places, CELL)
        work = open_cell(places, params_of(places), CELL, read_plan(TrainPlan, places.train_plan(CELL)))
        train_winner(work, read_winner(places.choice(CELL)), MemoryTracker())
    finally:
        del os.environ[LOG_FILE]
    return [line.text for line in RunLog(path).new_lines()]


def opened(places: Places) -> CellWork:
    return open_cell(places, params_of(places), CELL, read_plan(SearchPlan, places.search_plan(CELL)))


def space_of(work: CellWork) -> SearchSpace:
    span = Span(low=1e-4, high=1e-2, log=True)
    settings = params_of(work.places).search.chosen.space
    return SearchSpace(
        grid=build_grid(work.geometry, CELL.budget),
        settings=SpaceParams(
            learning_rate=settings.learning_rate,
            weight_decay=ZeroOr(zero_or=span),
            dropout=settings.dropout,
            warmup_steps=None,
            warmup_fraction=settings.warmup_fraction,
            epochs=settings.epochs,
        ),
        effective_batches=(work.recipe.effective_batch,),
        n_windows=len(work.dataset.windows.train),
    )


def schedule_of(work: CellWork, space: SearchSpace, *, strategy: str, objective: str) -> Schedule:
    return build_schedule(
        load(strategy),
        space.grid,
        trials_total=8,
        objective=Objective(objective),
        stop=None,
        classes=validation_classes(work.dataset.windows.folds),
    )


def start(work: CellWork, *, strategy: str = "architectural", objective: str = "val_loss") -> dict[str, str]:
    """Label -> words of the lines at a cell's start."""
    space = space_of(work)
    schedule = schedule_of(work, space, strategy=strategy, objective=objective)
    lines = search_lines(work, Phase.SEARCH, space, schedule, workers=2, lag=2, done=1)
    return {label: words.strip() for label, _, words in (line.partition(" ") for line in lines)}


def test_the_start_of_a_cell_counts_rows_features_windows_and_positives_as_the_splits_do(places: Places) -> None:
    work = opened(places)
    said = start(work)
    counts = read_json(places.horizon_splits(1))["counts"]
    assert f"{len(work.dataset.table.dates_T)} rows of tiny, {len(work.dataset.table.columns)} features" in said["data"]
    for region in ("train", "validation", "test"):
        of_region = counts[region]
        assert f"{region} {of_region['windows']} ({of_region['positives']} positive, " in said["windows"]


def test_the_start_of_a_cell_names_effort_grid_space_and_budget(places: Places) -> None:
    work = opened(places)
    said = start(work)
    grid = space_of(work).grid
    counts = [member.n_params for member in grid.members]
    assert said["search"] == "8 trials: 6 forced, 2 drawn by TPE; 1 already done"
    assert f"{len(grid.members)} architectures of {len(grid.shapes)} shapes" in said["grid"]
    assert f"{min(counts):,} to {max(counts):,} parameters for a budget of 12,000" in said["grid"]
    for setting in ("learning_rate 0.0001 to 0.002 (log)", "weight_decay 0 or 0.0001 to 0.01 (log)", "epochs 2"):
        assert setting in said["space"]
    assert "micro-batch 256 x 1 in fp32 with adamw" in said["plan"]
    assert "2 at a time" in said["plan"]


def test_each_batch_plan_of_the_grid_stands_there_once_and_none_is_missing(places: Places) -> None:
    work = opened(places)
    space = space_of(work)
    schedule = schedule_of(work, space, strategy="random_search", objective="val_loss")
    # So little memory that large members need another plan than small ones.
    peaks = sorted(work.predicted_memory_gib(m, plan) for m in space.grid.members if (plan := work.batch_plan(m, 8.0)))
    memory = HEADROOM * (peaks[0] + peaks[-1]) / 2
    work = dataclasses.replace(work, machine=dataclasses.replace(work.machine, memory_gib=memory))
    plans = {work.batch_plan(member, memory) for member in space.grid.members} - {None}
    assert len(plans) > 1
    lines = [
        line
        for line in search_lines(work, Phase.SEARCH, space, schedule, workers=1, lag=1, done=0)
        if line.startswith("plan ")
    ]
    assert len(lines) == len(plans)
    for plan in plans:
        assert plan is not None
        step = f"micro-batch {plan.micro_batch} x {plan.accumulation_steps} "
        memory = f"{'with' if plan.activation_checkpointing else 'no'} activation checkpointing"
        assert sum(step in line and memory in line for line in lines) == 1


@pytest.mark.parametrize(("objective", "words"), [("val_loss", "log loss"), ("val_auc", "area under the ROC curve")])
def test_the_objective_is_named_as_it_is(objective: str, words: str, places: Places) -> None:
    said = start(opened(places), objective=objective)["objective"]
    assert said.startswith(objective)
    assert words in said


def test_of_returns_mean_and_spread_stand_in_the_place_of_positives(tmp_path: Path) -> None:
    study = make_study(tmp_path, ladder=["12k"], target__task="regression", search__strategy="random_search")
    prepare(study)
    work = opened(study)
    said = start(work)
    y_N = work.dataset.windows.train.y_N
    assert f"train {len(y_N)} (mean return {np.mean(y_N):.5f}, sd {np.std(y_N):.5f})" in said["windows"]
    assert "positive" not in said["windows"]
    assert "Huber" in said["objective"]


def test_of_a_walk_forward_every_fold_is_counted(tmp_path: Path) -> None:
    study = make_study(
        tmp_path,
        ladder=["12k"],
        splits__kind="walk_forward",
        splits__folds=3,
        splits__validation_fraction=0.3,
        search__strategy="random_search",
    )
    prepare(study)
    work = opened(study)
    lines = search_lines(
        work,
        Phase.SEARCH,
        space := space_of(work),
        schedule_of(work, space, strategy="random_search", objective="val_loss"),
        workers=1,
        lag=1,
        done=0,
    )
    folds = [line for line in lines if line.startswith("fold ")]
    assert len(folds) == 3
    for line, fold in zip(folds, work.dataset.windows.folds, strict=True):
        assert f"train {len(fold.train)} (" in line
        assert f"validation {len(fold.validation)} (" in line


def test_effective_batches_that_are_drawn_belong_to_the_space(places: Places) -> None:
    space = space_of(opened(places))
    several = SearchSpace(grid=space.grid, settings=space.settings, effective_batches=(128, 256), n_windows=10)
    assert describe_space(several).endswith("effective_batch 128 or 256")


def test_every_trial_and_every_seed_starts_in_the_log_with_what_it_trains(places: Places, log: list[str]) -> None:
    trials = read_lines(places.hpo(CELL) / "trials.jsonl")
    for trial in trials:
        (line,) = (text for text in log if f"trial {trial['number'] + 1}/{TRIALS} starts: drawn" in text)
        params = trial["params"]
        assert f"d_model {params['d_model']}, n_layers {params['n_layers']}, n_heads {params['n_heads']}" in line
        assert f"n_params {trial['n_params']:,}" in line
        assert f"learning_rate {params['learning_rate']:.4g}" in line
        assert f"warmup_steps {params['warmup_steps']}, epochs {params['epochs']}" in line
        assert f"micro-batch {params['micro_batch']} x {params['accumulation_steps']}" in line
    assert [text for text in log if "seed 1/2 starts" in text]
    assert [text for text in log if "seed 2/2 starts" in text]


def test_every_epoch_is_in_the_log_once_with_its_losses(places: Places, log: list[str]) -> None:
    epochs = [text for text in log if " epoch " in text]
    expected = 0
    for trial in read_lines(places.hpo(CELL) / "trials.jsonl"):
        for number, ((steps, loss), train_loss) in enumerate(
            zip(trial["curve"], trial["train_losses"], strict=True), start=1
        ):
            head = f"{CELL}: trial {trial['number'] + 1}/{TRIALS} epoch {number}/2: step {int(steps)}, "
            (line,) = (text for text in epochs if head in text)
            assert f"train_loss {train_loss:.4f}, val_loss {loss:.4f}, " in line
            expected += 1
    assert sum("seed" in text for text in epochs) == 4
    assert len(epochs) == expected + 4


def test_starts_and_epochs_of_trainings_are_for_the_file_alone(log: list[str]) -> None:
    assert log
    assert all(line.startswith(FILE_ONLY) for line in log)
