"""What log and report call the labels, losses and metrics of a task: words, columns and sections, as values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True, slots=True)
class Metric:
    """A column of the report: `name` as in scores.json, its title, and how many decimals are shown."""

    name: str
    title: str
    digits: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Words:
    """The words of a task.

    asked          the target in a few words, by target.price
    labels         of training labels: how many there are and how they lie, for the log
    loss, unit     the reported loss, "log loss" in "nats"; `loss` ends in "loss"
    metrics        columns of the score tables, the reported loss first
    ranking        the one metric shown beside the loss
    constants      columns of the losses of the constants from training and from the scored region
    positives      columns of labels above 0 and of their share
    regions_differ what of two regions makes their losses differ without over-fitting
    sections       further sections of the report that the scores fill; `report.sections.scores` has them by name
    constant_gap   from the base rates of training and validation: how far the loss of a constant that knows each
                   region's rate rises from one to the other; None where rates do not tell
    """

    asked: Callable[[str], str]
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
