"""The points of a law: one rung of the ladder at one horizon, with everything needed to compare rungs."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tsladder.artifacts.ending import Ending
from tsladder.artifacts.law import LawPoint, SeedLoss
from tsladder.artifacts.record import REBUILD
from tsladder.artifacts.scores import CellScores, Metrics, ScoredRegion, read_scores
from tsladder.errors import WorkFailed
from tsladder.evaluation.predictions import DailyLosses, read_predictions
from tsladder.evaluation.skill import standard_error
from tsladder.places import PREDICTIONS, SCORES
from tsladder.ranking.words import is_rank_error
from tsladder.vocabulary import LOG_LOSS, Cell


@dataclass(frozen=True, kw_only=True, slots=True)
class RungPoint:
    """The mean of one rung. A bare table gives only `cell`, `n_params` and `loss`; all that is unknown is None.

    n_params, n_params_blocks, n_params_body   measured: all, encoder blocks, all but embedding and head
    loss, se                                  mean loss over seeds and its standard error (None: one seed)
    loss_ci                                   interval of the mean loss over the scored days, which all rungs share
    seeds                                     (seed, loss) pairs
    has_skill                                 the paired interval beats the stricter constant
    baselines                                 name -> loss on the same windows
    n_data                                    amount of training data, where known; for a study, windows
    loss_step                                 unit of the last digit that a table shows of its losses (0.001 of 0.397),
                                              so that each row has an error of at least this over sqrt(12)
    loss_N, dates_N                           daily loss averaged over seeds, and its days
    """

    cell: str
    n_params: float
    loss: float
    se: float | None = None
    loss_ci: tuple[float, float] | None = None
    seeds: tuple[tuple[int, float], ...] = ()
    horizon: int | None = None
    budget: str | None = None
    precision: str | None = None
    n_params_blocks: float | None = None
    n_params_body: float | None = None
    base_rate_loss: float | None = None
    own_rate_loss: float | None = None
    has_skill: bool | None = None
    constant_predictor: bool | None = None
    baselines: Mapping[str, float] = field(default_factory=dict)
    beaten_by: tuple[str, ...] = ()
    off_budget: bool = False
    n_data: float | None = None
    loss_step: float | None = None
    loss_N: NDArray[np.float64] | None = field(default=None, compare=False, repr=False)
    dates_N: NDArray[np.datetime64] | None = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        for name in ("n_params", "loss"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value > 0.0):
                raise ValueError(f"{self.cell}: {name} must be a positive number to enter a law, got {value!r}")

    @property
    def replicated(self) -> bool:
        """True where the rung was trained on several seeds, so that its standard error is the one over seeds."""
        return len(self.seeds) > 1

    def named(self, count: str) -> RungPoint:
        """Return this point placed at another of its three parameter counts, e.g. ``n_params_blocks``."""
        return dataclasses.replace(self, n_params=getattr(self, count))


@dataclass(frozen=True, kw_only=True, slots=True)
class DroppedCell:
    """A planned cell without a point, and the reason."""

    cell: str
    reason: str


def law_point(point: RungPoint) -> LawPoint:
    """Return `point` as the law's file has it, without its daily losses."""
    return LawPoint(
        cell=point.cell,
        budget=point.budget,
        precision=point.precision,
        n_params=point.n_params,
        n_params_blocks=point.n_params_blocks,
        n_params_body=point.n_params_body,
        off_budget=point.off_budget,
        n_data=point.n_data,
        loss=point.loss,
        se=point.se,
        seeds=tuple(SeedLoss(seed=seed, loss=loss) for seed, loss in point.seeds),
        base_rate_loss=point.base_rate_loss,
        own_rate_loss=point.own_rate_loss,
        has_skill=point.has_skill,
        constant_predictor=point.constant_predictor,
        beaten_by=point.beaten_by,
        loss_ci=point.loss_ci,
        dropped=False,
    )


def dropped_point(cell: DroppedCell) -> LawPoint:
    """Return `cell` as the law's file has it."""
    return LawPoint(
        cell=cell.cell,
        budget=Cell.parse(cell.cell).budget,
        n_params=None,
        loss=None,
        dropped=True,
        dropped_reason=cell.reason,
    )


def in_order(points: Sequence[RungPoint]) -> tuple[RungPoint, ...]:
    """Sort the points by size, so that no result depends on the order in which they came."""
    return tuple(sorted(points, key=lambda point: (point.n_params, point.n_data or 0.0, point.loss, point.cell)))


def size_in_words(n_params: float) -> str:
    """Format a parameter count in short form: 970561 -> "971k"."""
    for unit, name in ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k")):
        if n_params >= 0.9995 * unit:
            return f"{n_params / unit:.3g}{name}"
    return f"{n_params:.3g}"


def read_points(
    scores_dir: Path, cells: Sequence[str], region: str, metric: str = LOG_LOSS
) -> tuple[dict[int, tuple[RungPoint, ...]], tuple[DroppedCell, ...]]:
    """Read the points of every planned cell by horizon, smallest first, and the cells without a point.

    The sources are `<scores_dir>/<cell>/scores.json` and `predictions.parquet`. Every horizon of `cells` is a key, with
    () where all its cells were dropped. `metric`: the loss of the study's task. Raises WorkFailed when scores are
    missing, are of another loss, contradict their daily losses, or were taken on other windows or labels than the other
    rungs of their horizon.
    """
    points: dict[int, list[RungPoint]] = {Cell.parse(cell).horizon: [] for cell in cells}
    windows: dict[int, dict[str, str]] = {horizon: {} for horizon in points}
    dropped = []
    for cell in cells:
        folder = scores_dir / cell
        try:
            record = read_scores(folder / SCORES)
        except FileNotFoundError:
            raise WorkFailed(f"{folder / SCORES} is missing: {cell} is planned, run `dvc repro`") from None
        if isinstance(record, Ending):
            dropped.append(DroppedCell(cell=cell, reason=record.reason or str(record.status)))
            continue
        horizon = record.horizon
        scores = record.regions[region]
        windows[horizon][cell] = scores.windows_fingerprint
        daily = read_predictions(folder / PREDICTIONS, region, days=scores.windows).trained(cell)
        if daily.metric != metric:
            raise WorkFailed(f"{folder} holds {daily.metric} where the study asks for {metric}: run `dvc repro`")
        points[horizon].append(_point(cell, record, scores, daily))
    for horizon, fingerprints in windows.items():
        if len(set(fingerprints.values())) > 1:
            raise WorkFailed(
                f"horizon {horizon}: the rungs were scored on different windows or labels ({', '.join(fingerprints)}); "
                "their losses cannot be compared. Run `dvc repro`"
            )
    return {horizon: in_order(found) for horizon, found in points.items()}, tuple(dropped)


def _point(cell: str, record: CellScores, scores: ScoredRegion, daily: DailyLosses) -> RungPoint:
    seeds = tuple(sorted((int(seed), _known(s, daily.metric, cell)) for seed, s in scores.seeds.items()))
    loss = float(np.mean([loss for _, loss in seeds]))
    loss_N = daily.loss_N
    if [seed for seed, _ in seeds] != list(daily.losses) or not math.isclose(loss, float(loss_N.mean()), rel_tol=1e-6):
        raise WorkFailed(f"{cell}: scores.json and predictions.parquet disagree; remove both and run `dvc repro`")
    return RungPoint(
        cell=cell,
        horizon=record.horizon,
        budget=record.budget,
        precision=record.precision,
        n_params=record.n_params,
        n_params_blocks=record.n_params_blocks,
        n_params_body=record.n_params_body,
        loss=loss,
        se=standard_error([loss for _, loss in seeds]),
        loss_ci=scores.loss_interval.ci if is_rank_error(daily.metric) and scores.loss_interval is not None else None,
        seeds=seeds,
        base_rate_loss=scores.base_rate_loss,
        own_rate_loss=scores.own_rate_loss,
        has_skill=scores.advantage.low > 0.0,
        constant_predictor=scores.constant_predictor,
        baselines={name: _known(s, daily.metric, cell) for name, s in scores.baselines.items()},
        beaten_by=scores.beaten_by,
        off_budget=record.off_budget,
        n_data=record.n_data,
        loss_N=loss_N,
        dates_N=daily.dates_N,
    )


def _known(metrics: Metrics, metric: str, cell: str) -> float:
    loss = metrics.get(metric)
    if loss is None:
        raise WorkFailed(f"the scores of {cell} have no {metric}: {REBUILD}")
    return loss
