"""Names of the labels, losses and metrics of a task, and its columns and sections, for log and report."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True, slots=True)
class Metric:
    """Column of the report: `name` as in scores.json, its title, and the number of decimals shown."""

    name: str
    title: str
    digits: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Words:
    """Names, columns and sections of a task in log and report.

    describe_target function of target.price that describes the target in a few words
    labels         function that describes training labels for the log: their number and distribution
    loss, unit     the reported loss, "log loss" in "nats"; of a series, `loss` ends in "loss"
    metrics        columns of the score tables, the reported loss first
    ranking        the one metric shown beside the loss
    constants      columns of the losses of the constants from training and from the scored region
    positives      columns of labels above 0 and of their share
    regions_differ property of two regions that makes their losses differ without over-fitting
    sections       further sections of the report that the scores fill; `report.sections.scores` has them by name
    constant_gap   function of the base rates of training and validation: the rise, from one to the other, of the loss
                   of a constant that knows each region's rate; None if the rates do not determine it
    """

    describe_target: Callable[[str], str]
    labels: Callable[[NDArray[np.floating]], str]
    loss: str
    unit: str
    metrics: tuple[Metric, ...]
    ranking: Metric
    constants: tuple[str, str]
    positives: tuple[str, str]
    regions_differ: str
    sections: tuple[str, ...] = ()
    constant_gap: Callable[[float | None, float | None], float | None] | None = None
