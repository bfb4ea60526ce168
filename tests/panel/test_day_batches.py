"""Batches of days: one date a row and each stock once, whatever the sampler; windows of the cube; draws from a seed."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from tests.panel.made_up import made_up
from tests.panel.questions import question

from tsladder.panel.cube import Cube, build_cube, cube_contents, cube_key, open_cube
from tsladder.panel.day_batches import DayBatch, DaySampler, DaySamples, in_order
from tsladder.panel.day_cuts import cut_days
from tsladder.panel.days import sample_rows
from tsladder.panel.samples import PanelInputs, build_inputs
from tsladder.params import PanelSplitParams

QUESTION = question()
CONTEXT = 20
STOCKS = 14


@pytest.fixture(scope="module")
def inputs() -> PanelInputs:
    return build_inputs(made_up(seed=4), QUESTION)


@pytest.fixture(scope="module")
def cube(inputs: PanelInputs, tmp_path_factory: pytest.TempPathFactory) -> Cube:
    key = cube_key(inputs, QUESTION.target, QUESTION.horizons)
    contents = cube_contents(inputs, QUESTION.target, QUESTION.horizons)
    return open_cube(build_cube(tmp_path_factory.mktemp("cubes"), key, contents), key)


@pytest.fixture(scope="module")
def samples(inputs: PanelInputs, cube: Cube) -> DaySamples:
    """All sample days of the panel, as one region."""
    splits = cut_days(inputs.axis, PanelSplitParams(validation_fraction=0.2, test_fraction=0.2), CONTEXT, 6)
    return DaySamples(cube=cube, rows_N=sample_rows(inputs.axis, splits.train, CONTEXT, 6), context_length=CONTEXT)


def samplers() -> st.SearchStrategy[DaySampler]:
    return st.builds(
        DaySampler,
        batch_days=st.integers(1, 40),
        seed=st.integers(0, 10**6),
        train_every=st.integers(1, 5),
        stocks_per_day=st.one_of(st.none(), st.integers(2, STOCKS + 3)),
    )


def windows(samples: DaySamples, rows_B: NDArray[np.int64], stocks_BS: NDArray[np.int64]) -> NDArray[np.float32]:
    """x_BSTF, one value of a window at a time."""
    x_TSF = np.array(samples.cube.x_TSF)
    return np.stack(
        [
            np.stack([x_TSF[row - CONTEXT + 1 : row + 1, stock] for stock in stocks_S])
            for row, stocks_S in zip(rows_B, stocks_BS, strict=True)
        ]
    )


# --------------------------------------------------------------------------- one date a row, each member once


@settings(max_examples=40)
@given(sampler=samplers(), epoch=st.integers(0, 50))
def test_a_batch_of_any_sampler_has_one_date_a_row_and_each_member_of_that_date_once(
    inputs: PanelInputs, samples: DaySamples, sampler: DaySampler, epoch: int
) -> None:
    """qlib #2319: a sampler that yielded one stock's many days in the place of one day's stocks."""
    seen: list[int] = []
    most = min(sampler.stocks_per_day or STOCKS, STOCKS)
    for batch in sampler.batches(samples, epoch):
        seen.extend(batch.rows_B.tolist())
        assert 1 <= len(batch) <= sampler.batch_days
        assert batch.x_BSTF.shape == (len(batch), most, CONTEXT, 9)
        for place, row in enumerate(batch.rows_B.tolist()):
            stocks_S, member_S = batch.stocks_BS[place], batch.member_BS[place]
            assert len(set(stocks_S.tolist())) == most
            members = set(np.flatnonzero(inputs.axis.stocks_TS[row]).tolist())
            shown = set(stocks_S[member_S].tolist())
            assert shown <= members
            assert len(shown) == min(most, len(members))
            if most == STOCKS:
                assert shown == members
            # The row is one date: its newest values are those of its stocks on that day.
            np.testing.assert_array_equal(batch.x_BSTF[place, :, -1], samples.cube.x_TSF[row, stocks_S])
            np.testing.assert_array_equal(batch.y_BSM[place], samples.cube.y_TSM[row, stocks_S])
    numbers = np.arange(len(samples))
    expected = samples.rows_N[numbers % sampler.train_every == epoch % sampler.train_every]
    assert sorted(seen) == expected.tolist()


@settings(max_examples=20)
@given(sampler=samplers(), epoch=st.integers(0, 9))
def test_a_batch_holds_the_windows_that_end_on_its_days(samples: DaySamples, sampler: DaySampler, epoch: int) -> None:
    batch = next(iter(sampler.batches(samples, epoch)))
    np.testing.assert_array_equal(batch.x_BSTF, windows(samples, batch.rows_B, batch.stocks_BS))
    here_TS = np.array(samples.cube.here_TS)
    for place, (row, stocks_S) in enumerate(zip(batch.rows_B, batch.stocks_BS, strict=True)):
        np.testing.assert_array_equal(batch.here_BST[place], here_TS[row - CONTEXT + 1 : row + 1, stocks_S].T)
    assert (batch.x_BSTF[~batch.here_BST] == 0.0).all()
    assert batch.x_BSTF.flags.c_contiguous
    assert batch.x_BSTF.flags.writeable


def test_labelled_are_the_members_that_have_a_label(samples: DaySamples) -> None:
    (batch,) = in_order(samples, len(samples))
    expected = batch.member_BS[..., None] & np.isfinite(batch.y_BSM)
    np.testing.assert_array_equal(batch.labelled_BSM, expected)
    assert (batch.member_BS.sum() > batch.labelled_BSM[..., 1].sum()) or expected.all()
    np.testing.assert_array_equal(batch.member_BS, samples.member_NS)


def test_in_order_all_days_come_once_with_all_stocks(samples: DaySamples) -> None:
    batches = list(in_order(samples, 7))
    np.testing.assert_array_equal(np.concatenate([batch.rows_B for batch in batches]), samples.rows_N)
    assert all(batch.stocks_BS.shape[1] == STOCKS for batch in batches)


# --------------------------------------------------------------------------- draws


def rows_of(batches: list[DayBatch]) -> list[int]:
    return [row for batch in batches for row in batch.rows_B.tolist()]


@settings(max_examples=15)
@given(sampler=samplers(), epoch=st.integers(0, 9))
def test_the_same_seed_and_epoch_give_the_same_batches(samples: DaySamples, sampler: DaySampler, epoch: int) -> None:
    for ours, theirs in zip(sampler.batches(samples, epoch), sampler.batches(samples, epoch), strict=True):
        np.testing.assert_array_equal(ours.rows_B, theirs.rows_B)
        np.testing.assert_array_equal(ours.stocks_BS, theirs.stocks_BS)
        np.testing.assert_array_equal(ours.x_BSTF, theirs.x_BSTF)


def test_another_epoch_or_seed_is_another_order_and_another_draw_of_stocks(samples: DaySamples) -> None:
    def drawn(seed: int, epoch: int) -> tuple[list[int], dict[int, list[int]]]:
        batches = list(DaySampler(batch_days=16, seed=seed, stocks_per_day=5).batches(samples, epoch))
        stocks = {row: batch.stocks_BS[place].tolist() for batch in batches for place, row in enumerate(batch.rows_B)}
        return rows_of(batches), stocks

    orders, stocks = zip(*(drawn(*one) for one in ((1, 1), (1, 2), (2, 1))), strict=True)
    assert len({tuple(order) for order in orders}) == 3
    assert stocks[0] != stocks[1]
    assert stocks[0] != stocks[2]


@pytest.mark.parametrize("batch_days", [1, 5, 1000])
def test_order_and_stocks_do_not_depend_on_how_many_days_a_batch_has(samples: DaySamples, batch_days: int) -> None:
    one, other = (
        list(DaySampler(batch_days=days, seed=3, stocks_per_day=6).batches(samples, 4)) for days in (16, batch_days)
    )
    assert rows_of(one) == rows_of(other)
    for name in ("stocks_BS", "x_BSTF"):
        ours, theirs = (np.concatenate([getattr(batch, name) for batch in batches]) for batches in (one, other))
        np.testing.assert_array_equal(ours, theirs)


def test_every_member_is_drawn_about_equally_often(samples: DaySamples) -> None:
    sampler, index_B = DaySampler(batch_days=1, seed=0, stocks_per_day=4), np.array([40])
    member_S = samples.member_NS[40]
    counts_S = np.zeros(STOCKS)
    for epoch in range(600):
        drawn_BS = sampler.stocks(samples, index_B, epoch)
        assert drawn_BS is not None
        counts_S[drawn_BS[0]] += 1
    assert (counts_S[~member_S] == 0).all()
    share = 4 / member_S.sum()
    assert np.abs(counts_S[member_S] / 600 - share).max() < 5 * np.sqrt(share * (1 - share) / 600)


def test_which_stocks_are_drawn_does_not_depend_on_labels(inputs: PanelInputs, tmp_path: Path) -> None:
    contents = cube_contents(inputs, QUESTION.target, QUESTION.horizons)
    contents.y_TSM[np.random.default_rng(0).random(contents.y_TSM.shape) < 0.5] = np.nan
    other = open_cube(build_cube(tmp_path, "ef" * 32, contents), "ef" * 32)
    contents = cube_contents(inputs, QUESTION.target, QUESTION.horizons)
    whole = open_cube(build_cube(tmp_path, "01" * 32, contents), "01" * 32)
    rows_N = np.arange(300, 340)
    sampler = DaySampler(batch_days=40, seed=0, stocks_per_day=5)
    (ours,), (theirs,) = (
        sampler.batches(DaySamples(cube=each, rows_N=rows_N, context_length=CONTEXT), 1) for each in (whole, other)
    )
    for name in ("rows_B", "stocks_BS", "x_BSTF", "here_BST", "member_BS"):
        np.testing.assert_array_equal(getattr(ours, name), getattr(theirs, name))


@pytest.mark.parametrize("settings", [{"batch_days": 0}, {"train_every": 0}, {"stocks_per_day": 1}])
def test_a_sampler_that_cannot_be_is_refused(settings: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="at least"):
        DaySampler(**{"batch_days": 4, "seed": 0, **settings})


# --------------------------------------------------------------------------- samples


def test_samples_are_sent_as_path_and_days_and_are_the_same_afterwards(samples: DaySamples) -> None:
    sent = pickle.dumps(samples)
    assert len(sent) < 1000 + 8 * len(samples)
    there = pickle.loads(sent)  # noqa: S301
    assert there.fingerprint() == samples.fingerprint()
    np.testing.assert_array_equal(there.batch(np.arange(3)).x_BSTF, samples.batch(np.arange(3)).x_BSTF)
    np.testing.assert_array_equal(there.dates_N, samples.dates_N)


def test_the_fingerprint_is_that_of_cube_days_and_window(samples: DaySamples, cube: Cube) -> None:
    fewer = DaySamples(cube=cube, rows_N=samples.rows_N[1:], context_length=CONTEXT)
    shorter = DaySamples(cube=cube, rows_N=samples.rows_N, context_length=CONTEXT - 1)
    assert len({each.fingerprint() for each in (samples, fewer, shorter)}) == 3


@pytest.mark.parametrize("row", [CONTEXT - 2, 420])
def test_a_window_that_reaches_beyond_the_cube_is_refused(cube: Cube, row: int) -> None:
    with pytest.raises(ValueError, match="got days from row"):
        DaySamples(cube=cube, rows_N=np.array([row]), context_length=CONTEXT)
