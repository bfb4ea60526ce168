"""artifacts/splits/h<horizon>.json of a panel study: the sample days of each region."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tsladder.artifacts.record import read_record, write_record
from tsladder.artifacts.splits import SplitDays
from tsladder.typed_yaml import MayBeLeftOut
from tsladder.vocabulary import Region

_AGAIN = "remove it and run `dvc repro splits`"


@dataclass(frozen=True, kw_only=True, slots=True)
class DayCount:
    """Sample days of a region, and the days and labels that it lacks.

    samples      days with enough members, all input days and all label days inside the region
    judged       samples on which enough stocks have a label
    too_few      days that are no sample because they have too few members; `first_too_few` is the first of them
    labels       pairs of a sample day and a stock with a label
    no_entry     pairs without a label because the stock was not traded on the day of entry
    left_early   labels that end with the last price inside the span, because the stock was not traded at its end
    left         symbols of these stocks
    """

    samples: int
    judged: int
    too_few: int
    first_day: dt.date | None
    last_day: dt.date | None
    first_too_few: dt.date | None
    labels: int
    no_entry: int
    left_early: int
    left: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class PanelSplits:
    """Splits of one horizon. Rows in `days` are sessions of the panel, and `days.horizon` is the span of a label:
    entry lag plus `horizon`.

    `inputs`: fingerprint of the features. `folds`: counts of every fold of a walk forward or purged k-fold, the last of
    which is training and validation of `counts`.
    """

    kind: str
    horizon: int
    entry_lag: int
    context_length: int
    inputs: str
    days: SplitDays
    counts: Mapping[Region, DayCount]
    folds: Annotated[tuple[Mapping[Region, DayCount], ...], MayBeLeftOut()] = ()


def read_panel_splits(path: Path) -> PanelSplits:
    """Read the splits of one horizon. Raises FileNotFoundError if the file does not exist, WorkFailed if it is
    damaged."""
    return read_record(PanelSplits, path, remedy=_AGAIN)


def write_panel_splits(path: Path, splits: PanelSplits) -> None:
    """Replace the splits file of one horizon."""
    write_record(path, splits)
