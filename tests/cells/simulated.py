"""Cells of a simulation, and trainings that take as long as is asked."""

from __future__ import annotations

from typing import Any

from tests.building import geometry, recipe

from tsladder.artifacts.outcome import BatchPlan, TrainingOutcome
from tsladder.cells.simulated_cell import SimulatedCell
from tsladder.params import Choices, SpaceParams, Span
from tsladder.planning.grid import build_grid
from tsladder.search.objective import Objective
from tsladder.search.schedule import build_schedule
from tsladder.search.space import SearchSpace
from tsladder.search.strategies import load
from tsladder.training.outcome import Job
from tsladder.vocabulary import Cell, StopReason

SETTINGS = SpaceParams(
    learning_rate=Span(low=1e-4, high=2e-3, log=True),
    weight_decay=Span(low=1e-4, high=5e-3, log=True),
    dropout=Span(low=0.1, high=0.3, log=False),
    warmup_steps=None,
    warmup_fraction=Span(low=0.05, high=0.2, log=False),
    epochs=Choices(choices=(20,)),
)
SPACE = SearchSpace(grid=build_grid(geometry(), "12k"), settings=SETTINGS, effective_batches=(32,), n_windows=500)
PLAN = BatchPlan(
    micro_batch=32,
    accumulation_steps=1,
    effective_batch=32,
    precision="fp32",
    optimizer="adamw",
    activation_checkpointing=False,
)


def simulated_cell(
    number: int = 1,
    *,
    trials: int = 3,
    lag: int = 1,
    seeds: int = 1,
    seconds: float = 10.0,
    strategy: str = "random_search",
    **changes: Any,
) -> SimulatedCell:
    """A cell in which every training is expected to take so many `seconds`, and takes them where the spread is 0. With
    random search, no trial is forced: each waits for the one `lag` before it."""
    values: dict[str, Any] = {
        "cell": Cell("12k", number),
        "space": SPACE,
        "schedule": build_schedule(
            load(strategy), SPACE.grid, trials_total=trials, objective=Objective("val_loss"), stop=None, classes=(1, 1)
        ),
        "lag": lag,
        "seed": 42,
        "seeds": seeds,
        "workers": 1,
        "threads": 1,
        "device": "cpu",
        "recipe": recipe(),
        "task": "direction",
        "plans": dict.fromkeys(SPACE.grid.members, PLAN),
        "trial_seconds": lambda _spec, _settings: seconds,
        "seed_seconds": lambda _spec, _settings: seconds,
        "spread": 0.0,
        "known": {},
    }
    return SimulatedCell(**(values | changes))


def outcome_of_seconds(job: Job, seconds: float) -> TrainingOutcome:
    """A training of so many seconds, with a loss that depends on its random seed."""
    loss = 0.5 + job.seed % 1000 / 10_000
    return TrainingOutcome(
        stop_reason=StopReason.COMPLETED,
        best_val_loss=loss,
        val_loss_se=0.01,
        best_epoch=1,
        val_auc=0.6,
        n_params=job.spec.n_params,
        curve=((4, loss),),
        train_losses=(loss,),
        plan=job.plan,
        retries=0,
        peak_memory_gib=0.5,
        seconds=seconds,
        train_seconds=seconds,
    )
