"""Forecasts of a cell's trained seeds, computed in a worker process while the caller does something else."""

from __future__ import annotations

import multiprocessing
from collections.abc import Hashable, Iterator, Mapping
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from tsladder.artifacts.plans import PanelRecipe, Recipe
from tsladder.artifacts.trained_model import RECORD, read_trained_model
from tsladder.data.samples import Samples
from tsladder.errors import WorkFailed
from tsladder.execution.supervisor import start_fork_server
from tsladder.models.spec import ModelSpec

Key = TypeVar("Key", bound=Hashable)

Forecasts = dict[Key, dict[int, NDArray[np.float64]]]
"""Key of some samples -> seed number -> the forecast for every sample: a probability p_N, a return, or the raw outputs
out_NSO of a ranking."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainedSeeds:
    """Checkpoints of one architecture, seed number -> folder, and how to run them.

    `output_scale`: factor that turns a model's output into a return; None: the output is the logit of a probability.
    The outputs of a ranking stay as they are.
    """

    spec: ModelSpec
    folders: Mapping[int, Path]
    recipe: Recipe
    device: str
    threads: int
    micro_batch: int
    output_scale: float | None = None


@contextmanager
def forecasting(seeds: TrainedSeeds, scored: Mapping[Key, Samples]) -> Iterator[Future[Forecasts[Key]]]:
    """Start computing forecasts for the samples `scored`, and yield their future. Its `result` raises WorkFailed for an
    unusable checkpoint."""
    start_fork_server(optimizers=False)
    context = multiprocessing.get_context("forkserver")
    # Started from a thread, because the first job waits until the fork server has preloaded its modules.
    with ProcessPoolExecutor(1, context) as pool, ThreadPoolExecutor(1) as starter:
        yield starter.submit(lambda: pool.submit(_forecast, seeds, scored).result())


def _forecast(seeds: TrainedSeeds, scored: Mapping[Key, Samples]) -> Forecasts[Key]:
    import torch

    from tsladder.models.build import build, count_params, lower
    from tsladder.training.checkpoint import load_weights
    from tsladder.training.feed import feed_of
    from tsladder.training.phases import activate
    from tsladder.training.trainer import predict_logits
    from tsladder.training.validation_metrics import forecast_of

    # The same threads as in training: torch's default, every core, took three times as long while the caller was busy.
    torch.set_num_threads(seeds.threads)
    device = torch.device(seeds.device)
    forecasts: Forecasts[Key] = {key: {} for key in scored}
    for number, folder in seeds.folders.items():
        model = build(seeds.spec, dropout=0.0)
        load_weights(folder, model)
        trained = read_trained_model(folder / RECORD)
        if trained.n_params != count_params(model):
            raise WorkFailed(
                f"{folder} was trained with {trained.n_params} parameters, its architecture has {count_params(model)}"
            )
        if trained.active is not None:
            activate(seeds.spec, model, trained.active)
        if seeds.recipe.precision != "fp32":
            lower(model)
        model.to(device)
        for key, samples in scored.items():
            outputs_N = predict_logits(model, feed_of(samples, device, seeds.recipe), seeds.micro_batch)
            forecasts[key][number] = (
                np.asarray(outputs_N.double().cpu().numpy(), dtype=np.float64)
                if isinstance(seeds.recipe, PanelRecipe)
                else forecast_of(outputs_N, seeds.output_scale)
            )
    return forecasts
