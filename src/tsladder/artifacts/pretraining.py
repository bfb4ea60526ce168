"""pretraining.json of a cell of a panel study: its winner from a pretrained encoder beside its winner from scratch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tsladder.artifacts.ending import Ending, read_done
from tsladder.artifacts.record import write_record
from tsladder.vocabulary import CellStatus

PretrainingVerdict = Literal["helps", "harms", "undecided"]


@dataclass(frozen=True, kw_only=True, slots=True)
class EncoderRecord:
    """Pretraining of the encoder, whose weights lie in the folder `encoder` beside the file.

    n_params    parameters that were trained: of the encoder and of what reconstructs hidden values from it
    days        training days, from `first_day` to `last_day`; their windows show nothing of validation and test
    loss        mean squared error of hidden values at the end, on training days; 1 is that of the columns' means
    """

    architecture: Mapping[str, int]
    n_params: int
    mask: float
    epochs: int
    seed: int
    days: int
    first_day: str
    last_day: str
    loss: float
    seconds: float


@dataclass(frozen=True, kw_only=True, slots=True)
class StartComparison:
    """Winner trained for `epochs` epochs at most from the encoder and from scratch, on the same seeds and test days.

    from_encoder, from_scratch   mean loss of each
    difference                   that from scratch less that from the encoder: above 0 the encoder helps
    low, high, se                its interval and standard error, paired by day, with the spread over seeds
    p                            two-sided p of no difference
    verdict                      helps where `low` is above 0, harms where `high` is below 0
    note                         a remark on the seeds, or None
    """

    epochs: int
    share: float
    seeds: tuple[int, ...]
    days: int
    from_encoder: float
    from_scratch: float
    difference: float
    low: float
    high: float
    se: float
    p: float
    verdict: PretrainingVerdict
    note: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Pretraining:
    """Pretraining of one cell. `key`: identity of everything that decided the weights; `comparisons`: at all epochs of
    the winner, and at fewer."""

    cell: str
    budget: str
    horizon: int
    status: CellStatus = CellStatus.DONE
    key: str
    region: str
    metric: str
    confidence: float
    encoder: EncoderRecord
    comparisons: tuple[StartComparison, ...]


def read_pretraining(path: Path) -> Pretraining | Ending:
    """Read the pretraining of a cell, or how it ended without a result. Raises FileNotFoundError and WorkFailed."""
    return read_done(Pretraining, path)


def write_pretraining(path: Path, record: Pretraining | Ending) -> None:
    """Replace the pretraining of a cell at `path`, or the record that there is none."""
    write_record(path, record)
