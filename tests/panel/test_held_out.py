"""Windows that a model may be pretrained on: none shows a session of validation or test."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from tests.panel.cell_days import CONTEXT, MadeUpCell, made_up_cell

from tsladder.data.splits import Segment
from tsladder.errors import WorkFailed
from tsladder.panel.held_out import check_windows
from tsladder.vocabulary import Region


@pytest.fixture(scope="module")
def cell(tmp_path_factory: pytest.TempPathFactory) -> MadeUpCell:
    return made_up_cell(tmp_path_factory.mktemp("cubes"))


def test_training_days_of_the_splits_pass(cell: MadeUpCell) -> None:
    check_windows(cell.days(Region.TRAIN).days, cell.splits)


@pytest.mark.parametrize("region", [Region.VALIDATION, Region.TEST])
def test_a_planted_window_that_ends_on_the_first_session_of_a_region_is_refused_and_named(
    cell: MadeUpCell, region: Region
) -> None:
    first = cell.splits.region(region).segments[0].first
    days = cell.days(Region.TRAIN).days
    planted = dataclasses.replace(days, rows_N=np.append(days.rows_N, first))
    date = cell.cube.dates_T[first].astype("datetime64[D]")
    shown = f"shows {date} of {region.value}" if region is Region.VALIDATION else r"shows \S+ of validation"
    with pytest.raises(WorkFailed, match=rf"1 of {len(planted)} windows .* ends on {date}, {shown}"):
        check_windows(planted, cell.splits)


def test_a_planted_window_that_ends_after_a_region_and_reaches_back_into_it_is_refused(cell: MadeUpCell) -> None:
    """As a purged k-fold without an embargo would have it: training on both sides of a validation block."""
    last = cell.splits.train.segments[-1].last - 40
    splits = dataclasses.replace(
        cell.splits,
        validation=dataclasses.replace(cell.splits.validation, segments=(Segment(first=last - 10, last=last),)),
    )
    days = cell.days(Region.TRAIN).days
    reaching = days.rows_N[(days.rows_N > last) & (days.rows_N < last + CONTEXT)]
    assert reaching.size > 0
    with pytest.raises(WorkFailed, match=f"{reaching.size} of {reaching.size} windows"):
        check_windows(dataclasses.replace(days, rows_N=reaching), splits)
    beyond = days.rows_N[days.rows_N >= last + CONTEXT]
    check_windows(dataclasses.replace(days, rows_N=beyond), splits)


def test_a_whole_region_of_planted_days_is_counted(cell: MadeUpCell) -> None:
    test = cell.days(Region.TEST).days
    with pytest.raises(WorkFailed, match=f"{len(test)} of {len(test)} windows"):
        check_windows(test, cell.splits)


def test_the_refusal_does_not_depend_on_the_order_of_the_days(cell: MadeUpCell) -> None:
    days = cell.days(Region.VALIDATION).days
    messages = []
    for rows_N in (days.rows_N, days.rows_N[::-1]):
        with pytest.raises(WorkFailed) as caught:
            check_windows(dataclasses.replace(days, rows_N=rows_N.copy()), cell.splits)
        messages.append(str(caught.value))
    assert messages[0] == messages[1]
