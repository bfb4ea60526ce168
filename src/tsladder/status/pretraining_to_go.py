"""Estimate how long the stage pretrain of a cell of a panel study still takes.

Trainings that have ended are known while the stage runs, from the live record that it holds; before it runs, all of its
trainings are to come. How long one takes follows from the seeds of the winner, else from its trials, else from the
forecast of `tsladder plan`, times its share of the winner's epochs.
"""

from __future__ import annotations

import statistics
from dataclasses import replace
from pathlib import Path

from tsladder.artifacts.plans import PretrainPlan, phases_in
from tsladder.artifacts.seeds import OUTCOME, SEED_PREFIX
from tsladder.planning.plans import CellPlans
from tsladder.planning.pretraining_length import pretraining_length
from tsladder.planning.time_left import Estimate, Remaining, TrainingForecast, total, training_time_left
from tsladder.status.cell_results import CellResults
from tsladder.status.live_records import LiveWork

PHASE = "pretrain"

_ENCODER = "encoder"
"""Folder of the pretraining of the encoder in the live record of the stage."""


def is_pretrained(plans: CellPlans) -> bool:
    """Check whether the question asks for the pretraining of the cell."""
    return isinstance(plans.pretrain, PretrainPlan)


def pretraining_time_left(
    plans: CellPlans,
    results: CellResults,
    work: LiveWork | None,
    forecast: TrainingForecast | None,
    now: float,
    side_by_side: int,
) -> Estimate | None:
    """Estimate the time of the trainings that the stage still has to do; None where it is not known. `side_by_side`:
    how many train at a time."""
    if not isinstance(plans.pretrain, PretrainPlan):
        raise ValueError(f"{plans.cell} is not pretrained")
    search, seeds = plans.search, plans.train.seeds
    epochs = statistics.mean(search.search.space.epochs.choices)
    length = pretraining_length(plans.pretrain.epochs, epochs, phases_in(search.question.training))
    working = work if work is not None and work.phase == PHASE else None
    encoders, ended = (0, 0) if working is None or working.folder is None else _ended_in(working.folder)
    open_trainings = [1 - min(1, encoders)]
    open_trainings += [min(seeds, max(0, seeds * (place + 1) - ended)) for place in range(len(length.starts))]
    running = () if working is None else working.running
    seconds = tuple(results.seed_seconds.values()) or results.last_model_seconds
    parts = []
    for count, share in zip(open_trainings, (length.encoder, *length.starts), strict=True):
        # What runs is part of the first that is not complete.
        own, running = (running[:count], ()) if count else ((), running)
        left = Remaining(
            count=count - len(own),
            running=own,
            side_by_side=side_by_side,
            seconds=tuple(share * one for one in seconds),
        )
        parts.append(training_time_left(left, None if forecast is None else _scaled(forecast, share), now))
    return total(parts)


def _ended_in(folder: Path) -> tuple[int, int]:
    """Return how many trainings in the live record have ended: of encoders, and of seeds."""
    ended = [path.parents[1].name for path in folder.glob(f"*/{SEED_PREFIX}*/{OUTCOME}")]
    return ended.count(_ENCODER), len(ended) - ended.count(_ENCODER)


def _scaled(forecast: TrainingForecast, share: float) -> TrainingForecast:
    return replace(forecast, expected=share * forecast.expected, at_most=share * forecast.at_most)
