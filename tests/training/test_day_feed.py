"""Days as tensors: one date a row, each member once; arrays of DaySamples.batch; draws from a seed; figures of a
region."""

from __future__ import annotations

import dataclasses
import math
import multiprocessing
import os
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.building import recipe, windows
from tests.panel.cell_days import CONTEXT, GRAPH, MadeUpCell, made_up_cell
from tests.panel_building import STOCKS, panel_geometry, panel_recipe
from torch import Tensor

from tsladder.panel.day_batches import DayBatch, DaySampler
from tsladder.panel.targets import forward_returns, transform_labels
from tsladder.ranking.portfolio import entry_returns
from tsladder.ranking.region import RankedRegion, Ranking, judge
from tsladder.ranking.validation import validation_figures
from tsladder.tasks import load_ranking
from tsladder.training.day_feed import DayFeed
from tsladder.training.feed import WindowFeed, feed_of
from tsladder.training.validation_metrics import mean_loss
from tsladder.vocabulary import Region

CPU = torch.device("cpu")
SEED = 11


@pytest.fixture(scope="module")
def cell(tmp_path_factory: pytest.TempPathFactory) -> MadeUpCell:
    return made_up_cell(tmp_path_factory.mktemp("cubes"), graph=GRAPH)


def feed_on(
    cell: MadeUpCell, region: Region = Region.TRAIN, days: dict[str, Any] | None = None, **recipe: Any
) -> DayFeed:
    return DayFeed(cell.days(region, **(days or {})), CPU, panel_recipe(**recipe), SEED)


def shuffled(count: int) -> Tensor:
    return torch.randperm(count, generator=torch.Generator().manual_seed(count))


def batches(feed: DayFeed, epoch: int, size: int) -> Iterator[Tensor]:
    yield from feed.order(epoch, shuffled).split(size)


def drawn(cell: MadeUpCell, stocks_per_day: int | None, index_B: Tensor, epoch: int) -> DayBatch:
    """The same days by the sampler that needs no tensor."""
    days = cell.days(Region.TRAIN).days
    sampler = DaySampler(batch_days=1, seed=SEED, stocks_per_day=stocks_per_day)
    return days.batch(index_B.numpy(), sampler.stocks(days, index_B.numpy(), epoch))


# --------------------------------------------------------------------------- one date a row


@settings(max_examples=25)
@given(
    size=st.integers(1, 40),
    epoch=st.integers(1, 9),
    train_every=st.integers(1, 4),
    stocks_per_day=st.one_of(st.none(), st.integers(2, STOCKS + 3)),
)
def test_a_batch_has_one_date_a_row_and_each_member_of_that_date_once(
    cell: MadeUpCell, size: int, epoch: int, train_every: int, stocks_per_day: int | None
) -> None:
    """qlib #2319: a sampler that yielded one stock's many days in the place of one day's stocks."""
    feed = feed_on(cell, train_every=train_every, stocks_per_day=stocks_per_day)
    rows_N, most = cell.days(Region.TRAIN).days.rows_N, min(stocks_per_day or STOCKS, STOCKS)
    for index_B in batches(feed, epoch, size):
        inputs, labels = feed.batch(index_B)
        stocks_BS = drawn(cell, stocks_per_day, index_B, epoch).stocks_BS
        for place, row in enumerate(rows_N[index_B.numpy()].tolist()):
            stocks_S = stocks_BS[place]
            members = set(np.flatnonzero(cell.inputs.axis.stocks_TS[row]).tolist())
            shown = stocks_S[inputs.member_BS[place].numpy()].tolist()
            assert len(shown) == len(set(shown)) == min(most, len(members))
            assert set(shown) <= members
            # The row is one date: its newest values and its returns are those of its stocks on that day.
            newest_SF, return_S = cell.cube.x_TSF[row, stocks_S], cell.cube.y_TSM[row, stocks_S, 0].copy()
            return_S[~inputs.member_BS[place].numpy()] = np.nan
            np.testing.assert_array_equal(inputs.x_BSTF[place, :, -1], newest_SF)
            np.testing.assert_array_equal(labels.return_BSM[place, :, 0], return_S)


@pytest.mark.parametrize("stocks_per_day", [None, 2, 6, 13])
def test_a_batch_is_that_of_the_day_samples(cell: MadeUpCell, stocks_per_day: int | None) -> None:
    feed = feed_on(cell, days={"places_M": (0, 1)}, stocks_per_day=stocks_per_day)
    for epoch in (1, 2):
        for index_B in batches(feed, epoch, 16):
            inputs, labels = feed.batch(index_B)
            expected = drawn(cell, stocks_per_day, index_B, epoch)
            for name in ("x_BSTF", "here_BST", "member_BS", "neighbours_BSk", "edges_BSkK"):
                np.testing.assert_array_equal(getattr(inputs, name), getattr(expected, name), err_msg=name)
            np.testing.assert_array_equal(labels.return_BSM.isfinite(), expected.labelled_BSM)
            known_BSM = expected.labelled_BSM
            np.testing.assert_array_equal(labels.return_BSM.numpy()[known_BSM], expected.y_BSM[known_BSM])


def test_windows_end_on_their_days_and_show_nothing_later(cell: MadeUpCell) -> None:
    """The oracle takes one value of a window at a time."""
    feed, rng = feed_on(cell), np.random.default_rng(0)
    index_B = torch.tensor([0, 40, len(feed) - 1])
    inputs, _ = feed.batch(index_B)
    rows = cell.days(Region.TRAIN).days.rows_N[index_B.numpy()]
    for _ in range(300):
        day, stock, session = rng.integers(3), rng.integers(STOCKS), rng.integers(CONTEXT)
        row = rows[day] - (CONTEXT - 1) + session
        np.testing.assert_array_equal(inputs.x_BSTF[day, stock, session], cell.inputs.inputs.x_TSF[row, stock])
        assert bool(inputs.here_BST[day, stock, session]) == bool(cell.inputs.inputs.here_TS[row, stock])


def test_a_cube_without_a_graph_has_no_neighbours(tmp_path: Path) -> None:
    feed = feed_on(made_up_cell(tmp_path), stocks_per_day=5)
    feed.order(1, shuffled)
    inputs, _ = feed.batch(torch.arange(4))
    assert (inputs.neighbours_BSk, inputs.edges_BSkK) == (None, None)


# --------------------------------------------------------------------------- epochs


@pytest.mark.parametrize("train_every", [1, 2, 3, 5])
def test_as_many_epochs_as_train_every_see_every_day_once(cell: MadeUpCell, train_every: int) -> None:
    feed = feed_on(cell, train_every=train_every)
    for first in (1, 4):
        epochs = [feed.order(epoch, shuffled) for epoch in range(first, first + train_every)]
        assert torch.cat(epochs).sort().values.tolist() == list(range(len(feed)))
        assert max(len(epoch) for epoch in epochs) == feed.per_epoch
        assert all((epoch.diff() != train_every).any() for epoch in epochs), "an epoch is in a random order"


def test_the_order_of_an_epoch_follows_from_what_shuffles_it(cell: MadeUpCell) -> None:
    feed = feed_on(cell, train_every=2)
    assert feed.order(1, torch.arange).tolist() == list(range(0, len(feed), 2))
    assert feed.order(2, torch.arange).tolist() == list(range(1, len(feed), 2))
    assert feed.order(3, lambda count: torch.arange(count).flip(0)).tolist() == list(range(0, len(feed), 2))[::-1]


def test_other_stocks_are_drawn_in_another_epoch_and_by_another_seed_and_the_same_ones_again(cell: MadeUpCell) -> None:
    def seen(seed: int, epoch: int) -> Tensor:
        feed = DayFeed(cell.days(Region.TRAIN), CPU, panel_recipe(stocks_per_day=5), seed)
        feed.order(epoch, shuffled)
        return feed.batch(torch.arange(30))[0].x_BSTF

    assert torch.equal(seen(1, 1), seen(1, 1))
    assert not torch.equal(seen(1, 1), seen(1, 2))
    assert not torch.equal(seen(1, 1), seen(2, 1))


def test_labels_alone_are_those_of_the_batch(cell: MadeUpCell) -> None:
    feed = feed_on(cell, stocks_per_day=5, days={"weighed": True})
    for epoch in (1, 2):
        index_B = feed.order(epoch, shuffled)[:20]
        ours, theirs = feed.labels(index_B), feed.batch(index_B)[1]
        for field in dataclasses.fields(ours):
            assert torch.equal(getattr(ours, field.name).nan_to_num(9.0), getattr(theirs, field.name).nan_to_num(9.0))


def test_where_no_epoch_was_begun_all_stocks_are_seen(cell: MadeUpCell) -> None:
    """Validation and test are scored on all stocks, whatever training draws."""
    inputs, labels = feed_on(cell, Region.VALIDATION, stocks_per_day=3).batch(torch.arange(5))
    assert inputs.x_BSTF.shape == (5, STOCKS, CONTEXT, 9)
    assert labels.target_BSM.shape == (5, STOCKS, 1)


# --------------------------------------------------------------------------- labels


@pytest.mark.parametrize("transform", ["rank", "zscore"])
def test_losses_see_the_transformed_returns_of_the_members_of_each_day(cell: MadeUpCell, transform: str) -> None:
    feed = feed_on(cell, days={"transform": transform, "places_M": (1, 0)})
    labels, rows_N = feed.every_label, cell.days(Region.TRAIN).days.rows_N
    returns_TSM = forward_returns(cell.inputs.panel, cell.params.target, cell.params.horizons).y_TSM.astype(np.float32)
    for place, row in enumerate(rows_N.tolist()):
        member_S = cell.inputs.axis.stocks_TS[row]
        for horizon, column in enumerate((1, 0)):
            return_S = np.where(member_S, returns_TSM[row, :, column], np.nan)
            np.testing.assert_array_equal(labels.return_BSM[place, :, horizon], return_S)
            (target_S,) = transform_labels(return_S[None].astype(np.float64), member_S[None], transform)  # type: ignore[arg-type]
            np.testing.assert_allclose(labels.target_BSM[place, :, horizon], target_S, rtol=1e-6)
    labelled_NS = labels.return_BSM[..., 0].isfinite()
    assert labelled_NS.any(1).all()
    np.testing.assert_array_equal(labelled_NS, labels.target_BSM[..., 0].isfinite())


def test_ranks_of_a_day_have_mean_0_and_grow_with_the_return(cell: MadeUpCell) -> None:
    labels = feed_on(cell).every_label
    for return_S, target_S in zip(labels.return_BSM[..., 0], labels.target_BSM[..., 0], strict=True):
        known_S = return_S.isfinite()
        order = return_S[known_S].argsort(stable=True)
        assert (target_S[known_S][order].diff() >= 0).all()
        assert target_S[known_S].mean().item() == pytest.approx(0.0, abs=1e-6)


def test_weights_of_the_days_come_with_their_labels(cell: MadeUpCell) -> None:
    feed = feed_on(cell, days={"weighed": True})
    index_B = torch.tensor([7, 3, 60])
    weight_N = cell.days(Region.TRAIN, weighed=True).weight_N
    assert weight_N is not None
    np.testing.assert_allclose(feed.batch(index_B)[1].weight_B, weight_N[index_B.numpy()], rtol=1e-6)
    assert len(np.unique(weight_N)) == 3
    assert feed_on(cell).every_label.weight_B is None


# --------------------------------------------------------------------------- figures


def region_of(
    cell: MadeUpCell, rows_D: np.ndarray[Any, Any], sample_D: np.ndarray[Any, Any], column: int
) -> RankedRegion:
    """The sessions `rows_D` as the scoring of a cell judges them, from the prices themselves."""
    panel, params = cell.inputs.panel, cell.params
    return RankedRegion(
        dates_D=panel.dates_T[rows_D],
        symbols=panel.symbols_S,
        return_DS=forward_returns(panel, params.target, params.horizons).y_TSM[rows_D, :, column].astype(np.float32),
        entry_return_DS=entry_returns(np.asarray(cell.cube.return_TS, dtype=np.float64), rows_D, 1),
        member_DS=cell.inputs.axis.stocks_TS[rows_D] & sample_D[:, None],
        horizon=params.horizons[column],
        entry_lag=1,
        fingerprint="f1",
        train_base_rate=0.5,
    )


@pytest.mark.parametrize("place", [0, 1])
def test_the_figures_are_those_of_the_ranking_of_all_days(cell: MadeUpCell, place: int) -> None:
    horizon = cell.cube.horizons[place]
    days = cell.days(Region.VALIDATION, places_M=(place,), horizon=horizon)
    feed = DayFeed(days, CPU, panel_recipe(), SEED)
    out_NSO = torch.randn(len(feed), STOCKS, 1, generator=torch.Generator().manual_seed(3))
    found = feed.figures(out_NSO)

    rows_N = days.days.rows_N
    rows_D = np.arange(rows_N[0], rows_N[-1] + 1)
    sample_D = np.isin(rows_D, rows_N)
    region = region_of(cell, rows_D, sample_D, place)
    score_DS = np.zeros(region.member_DS.shape)
    score_DS[sample_D] = out_NSO[..., 0].double().numpy()
    judged = judge(region, Ranking(score_DS=score_DS))
    assert found.rank_error == pytest.approx(judged.daily.means()["rank_error"], abs=1e-12)
    assert found.ic == pytest.approx(judged.daily.means()["ic"], abs=1e-9)
    assert found == validation_figures(
        score_DS,
        region.return_DS.astype(np.float64),
        region.member_DS,
        region.entry_return_DS,
        horizon=horizon,
        cost_bps=5.0,
    )
    loss = load_ranking("rank").training_loss(panel_recipe(), panel_geometry())
    assert found.rank_error == pytest.approx(mean_loss(loss, out_NSO, feed.every_label), abs=1e-12)


def test_of_several_horizons_and_quantiles_the_median_of_the_first_ranks(cell: MadeUpCell) -> None:
    days = cell.days(Region.VALIDATION, places_M=(1, 0), horizon=5)
    feed = DayFeed(days, CPU, panel_recipe(), SEED)
    out_NSO = torch.randn(len(feed), STOCKS, 10, generator=torch.Generator().manual_seed(4)).sort(-1).values
    with_quantiles = feed.figures(out_NSO)
    alone = DayFeed(cell.days(Region.VALIDATION, places_M=(1,), horizon=5), CPU, panel_recipe(), SEED)
    score_alone = alone.figures(out_NSO[..., 2:3])
    assert dataclasses.replace(with_quantiles, pinball=None) == score_alone
    levels_Q, target_NS = np.array([0.05, 0.25, 0.5, 0.75, 0.95]), feed.every_label.target_BSM[..., 0].numpy()
    by_day = []
    for quantile_SQ, target_S in zip(out_NSO[..., :5].double().numpy(), target_NS, strict=True):
        over_SQ = (target_S[:, None] - quantile_SQ)[np.isfinite(target_S)]
        by_day.append(np.maximum(levels_Q * over_SQ, (levels_Q - 1.0) * over_SQ).mean())
    assert with_quantiles.pinball == pytest.approx(np.mean(by_day), abs=1e-9)


def test_a_perfect_ranking_has_no_rank_error_and_the_opposite_one_twice_that_of_none(cell: MadeUpCell) -> None:
    feed = feed_on(cell, Region.VALIDATION)
    return_NSO = feed.every_label.return_BSM.nan_to_num(0.0)
    assert feed.figures(return_NSO).rank_error == pytest.approx(0.0, abs=1e-12)
    assert feed.figures(-return_NSO).rank_error == pytest.approx(2.0, abs=1e-12)


# --------------------------------------------------------------------------- processes


def mapping_of(path: Path, address: int) -> str | None:
    """The file behind an address of this process."""
    for line in Path("/proc/self/maps").read_text().splitlines():
        first, _, last = line.split()[0].partition("-")
        if int(first, 16) <= address < int(last, 16):
            return line.split()[-1]
    return None


def look(sent: bytes, found: Any) -> None:
    """What another process sees of days that were sent to it."""
    samples = pickle.loads(sent)  # noqa: S301
    feed = feed_of(samples, CPU, panel_recipe(), seed=SEED)
    assert isinstance(feed, DayFeed)
    inputs, _ = feed.batch(torch.arange(8))
    path = samples.days.cube.path
    found.put((mapping_of(path, feed.x_TSF.data_ptr()), math.fsum(inputs.x_BSTF.flatten().tolist()), os.getpid()))


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="what a process has mapped can be read on Linux")
def test_two_processes_map_one_file_and_are_sent_days_alone(cell: MadeUpCell) -> None:
    sent = pickle.dumps(cell.days(Region.TRAIN))
    assert len(sent) < 2000 + 8 * len(cell.days(Region.TRAIN))
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    processes = [context.Process(target=look, args=(sent, queue)) for _ in range(2)]
    for process in processes:
        process.start()
    answers = [queue.get(timeout=60) for _ in processes]
    for process in processes:
        process.join()
    here, _ = feed_on(cell).batch(torch.arange(8))
    assert {file for file, _, _ in answers} == {str(cell.cube.path)}
    assert {total for _, total, _ in answers} == {math.fsum(here.x_BSTF.flatten().tolist())}
    assert len({pid for *_, pid in answers}) == 2


def test_windows_of_a_series_get_their_own_feed() -> None:
    assert isinstance(feed_of(windows(), CPU, recipe()), WindowFeed)
