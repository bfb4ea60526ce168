"""The graph over the stocks of each day: correlations against numpy's, lists against a slow oracle, nothing of later
sessions, and the same graph in cube and batches."""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
import multiprocessing
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from tests.panel.made_up import changed, made_up, prices_of
from tests.panel.questions import question

from tsladder.errors import BadInput
from tsladder.panel import samples as samples_module
from tsladder.panel.columns import simple_returns
from tsladder.panel.cube import Cube, cube_contents, cube_key, open_cube
from tsladder.panel.cube_reader import verify_cube
from tsladder.panel.day_batches import BATCH_EDGE_FEATURES, DaySampler, DaySamples, in_order
from tsladder.panel.days import DayAxis
from tsladder.panel.graph import EDGE_FEATURES, VERSION, DayGraph, build_graph
from tsladder.panel.panel import Panel, until
from tsladder.panel.samples import build_inputs, graph_of, with_graph
from tsladder.panel.study_cube import opened_cube, study_cube, study_cube_key
from tsladder.params import GraphParams

RULES = GraphParams(days=40, halflife=15, neighbours=6, at_least=2, threshold=0.25)
DAYS, STOCKS = 180, 14


def sectors_of(panel: Panel, seed: int = 0) -> NDArray[np.object_]:
    """A sector for each stock, which three stocks change in the middle and one never has."""
    sector_TS = np.empty(panel.close_TS.shape, dtype=object)
    sector_TS[:] = np.random.default_rng(seed).choice(["banks", "oil", "retail"], panel.close_TS.shape[1])
    sector_TS[len(sector_TS) // 2 :, :3] = "oil"
    sector_TS[:, 5] = ""
    return sector_TS


def plain(days: int = DAYS, stocks: int = STOCKS, seed: int = 0, **options: Any) -> Panel:
    return made_up(days, stocks, seed, **options)


def with_sectors(panel: Panel) -> Panel:
    return changed(panel, sector_TS=sectors_of(panel))


def everyone(panel: Panel, first_row: int = 45) -> DayAxis:
    """All traded stocks are the cross-section of their day."""
    return DayAxis(dates_T=panel.dates_T, stocks_TS=panel.traded_TS, min_stocks=2, first_row=first_row)


def graph(panel: Panel, rules: GraphParams = RULES, axis: DayAxis | None = None, **changes: Any) -> DayGraph:
    return build_graph(panel, axis or everyone(panel), dataclasses.replace(rules, **changes))


def listed(made: DayGraph, row: int, stock: int) -> list[int]:
    found = made.neighbours_TSk[row, stock]
    count = int((found >= 0).sum())
    assert (found[:count] >= 0).all(), "a list has a gap"
    return [int(each) for each in found[:count]]


def correlations(panel: Panel, row: int, rules: GraphParams) -> NDArray[np.float64]:
    """By numpy's weighted covariance, a session without a return at the stock's own mean."""
    window_DS = simple_returns(panel)[max(0, row + 1 - rules.days) : row + 1]
    age_D = np.arange(len(window_DS))[::-1]
    weight_D = 0.5 ** (age_D / rules.halflife)
    filled = []
    for return_D in window_DS.T:
        known_D = np.isfinite(return_D)
        mean = np.average(return_D[known_D], weights=weight_D[known_D]) if known_D.any() else 0.0
        filled.append(np.where(known_D, return_D, mean))
    covariance_SS = np.cov(np.array(filled), aweights=weight_D)
    with np.errstate(invalid="ignore", divide="ignore"):
        sd_S = np.sqrt(np.diag(covariance_SS))
        return (1.0 - rules.shrinkage) * covariance_SS / np.outer(sd_S, sd_S)


def expected_list(
    panel: Panel, correlation_SS: NDArray[np.float64], row: int, stock: int, nodes: list[int], rules: GraphParams
) -> list[int]:
    """One stock's list, by sorting the other nodes."""
    strength_S = np.abs(correlation_SS[stock])
    if stock not in nodes:
        return []
    others = sorted(
        (node for node in nodes if node != stock and np.isfinite(strength_S[node])),
        key=lambda node: (-strength_S[node], node),
    )
    strong = [node for node in others if strength_S[node] >= rules.threshold][: rules.neighbours]
    chosen = strong if len(strong) >= rules.at_least else others[: rules.at_least]
    if rules.sector_peers == 0 or panel.sector_TS is None:
        return chosen
    sector_S = panel.sector_TS[row]
    peers = [
        node for node in others if node not in chosen and sector_S[stock] != "" and sector_S[node] == sector_S[stock]
    ]
    return chosen + peers[: rules.sector_peers]


# --------------------------------------------------------------------------- correlations and lists


@pytest.mark.parametrize("gaps", [False, True])
def test_an_edge_has_the_weighted_correlation_of_its_stocks_past_returns(gaps: bool) -> None:
    panel = plain(gaps=gaps)
    rules = dataclasses.replace(RULES, neighbours=STOCKS, at_least=STOCKS - 1, every=1)
    made = graph(panel, rules)
    for row in (45, 90, 91, DAYS - 1):
        correlation_SS = correlations(panel, row, rules)
        for stock in np.flatnonzero(panel.traded_TS[row]):
            places = listed(made, row, stock)
            found_k = made.edges_TSkK[row, stock, : len(places), 0]
            np.testing.assert_allclose(found_k, correlation_SS[stock, places], atol=1e-6)


def test_without_halving_nor_shrinkage_an_edge_is_pandas_own_correlation() -> None:
    panel = plain(gaps=False)
    made = graph(panel, days=30, halflife=1000, shrinkage=0.0, every=1)
    frame = pd.DataFrame(panel.close_TS).pct_change()
    expected_SS = frame.iloc[91:121].corr().to_numpy()
    for stock in range(STOCKS):
        places = listed(made, 120, stock)
        np.testing.assert_allclose(made.edges_TSkK[120, stock, : len(places), 0], expected_SS[stock, places], atol=0.01)


@settings(max_examples=40)
@given(
    seed=st.integers(0, 10**6),
    neighbours=st.integers(1, 9),
    at_least=st.integers(0, 9),
    threshold=st.sampled_from([0.0, 0.15, 0.3, 0.9]),
    sector_peers=st.integers(0, 4),
)
def test_lists_are_those_of_a_slow_oracle(
    seed: int, neighbours: int, at_least: int, threshold: float, sector_peers: int
) -> None:
    panel = with_sectors(plain(days=70, stocks=11, seed=seed))
    rules = dataclasses.replace(
        RULES,
        days=20,
        neighbours=neighbours,
        at_least=min(at_least, neighbours),
        threshold=threshold,
        sector_peers=sector_peers,
        every=1,
    )
    made = graph(panel, rules, everyone(panel, 30))
    assert made.neighbours_TSk.shape == (70, 11, neighbours + sector_peers)
    for row in (30, 50, 69):
        nodes = np.flatnonzero(panel.traded_TS[row]).tolist()
        correlation_SS = correlations(panel, row, rules)
        for stock in range(11):
            assert listed(made, row, stock) == expected_list(panel, correlation_SS, row, stock, nodes, rules)


def two_groups(days: int = 120, gaps: bool = False) -> Panel:
    """Five stocks that move together and five that move alone."""
    panel = made_up(days, 10, gaps=gaps)
    rng = np.random.default_rng(8)
    moves_TS = rng.normal(0.0, 0.02, (days, 10))
    moves_TS[:, :5] = rng.normal(0.0, 0.02, (days, 1)) + 0.2 * moves_TS[:, :5]
    return changed(panel, close_TS=10.0 * np.exp(np.cumsum(moves_TS, axis=0)))


def test_all_that_reach_the_threshold_are_neighbours_up_to_their_number_and_others_fill_up_to_at_least() -> None:
    panel = two_groups()
    for neighbours, expected in ((8, 4), (3, 3)):
        made = graph(panel, neighbours=neighbours, at_least=1, threshold=0.7, every=1)
        for row, stock in itertools.product((60, 119), range(10)):
            found = listed(made, row, stock)
            assert len(found) == (expected if stock < 5 else 1)
            assert stock >= 5 or set(found) < set(range(5))
    made = graph(panel, neighbours=8, at_least=0, threshold=0.7, every=1)
    assert all(listed(made, 119, stock) == [] for stock in range(5, 10))
    made = graph(panel, neighbours=8, at_least=7, threshold=0.7, every=1)
    assert all(len(listed(made, 119, stock)) == 7 for stock in range(10))


def test_a_stock_that_moves_against_another_is_its_neighbour_with_a_negative_edge() -> None:
    panel = two_groups()
    close_TS = panel.close_TS.copy()
    close_TS[:, 4] = 100.0 / close_TS[:, 4]
    made = graph(changed(panel, close_TS=close_TS), threshold=0.7, at_least=0)
    assert set(listed(made, 119, 4)) == {0, 1, 2, 3}
    assert (made.edges_TSkK[119, 4, :4, 0] < -0.7).all()


def test_of_equally_correlated_stocks_the_first_on_the_axis_comes_first() -> None:
    panel = two_groups()
    close_TS = panel.close_TS.copy()
    close_TS[:, 8] = close_TS[:, 2]
    close_TS[:, 6] = close_TS[:, 2]
    made = graph(changed(panel, close_TS=close_TS), neighbours=1, at_least=1)
    assert [listed(made, 119, stock) for stock in (2, 6, 8)] == [[6], [2], [2]]


def test_a_stock_whose_returns_do_not_vary_has_no_neighbours_and_is_none() -> None:
    panel = two_groups()
    close_TS = panel.close_TS.copy()
    close_TS[:, 3] = 7.0
    close_TS[:, 7] = 5.0 * 1.01 ** np.arange(len(close_TS))
    sector_TS = np.full(close_TS.shape, "one", dtype=object)
    made = graph(changed(panel, close_TS=close_TS, sector_TS=sector_TS), neighbours=9, at_least=9, sector_peers=3)
    assert np.isfinite(made.edges_TSkK).all()
    for stock in range(10):
        found = listed(made, 119, stock)
        assert set(found) == (set() if stock in (3, 7) else set(range(10)) - {3, 7, stock})


def test_few_returns_make_no_strong_correlation() -> None:
    panel = plain(gaps=False)
    close_TS = panel.close_TS.copy()
    close_TS[: DAYS - 4, 1] = np.nan
    made = graph(changed(panel, close_TS=close_TS), neighbours=STOCKS, at_least=STOCKS - 1, halflife=1000, every=1)
    assert np.abs(made.edges_TSkK[DAYS - 1, 1, :, 0]).max() < np.sqrt(3.0 * 12.0 / 40.0)
    correlation_SS = correlations(
        changed(panel, close_TS=close_TS), DAYS - 1, dataclasses.replace(RULES, halflife=1000)
    )
    found = listed(made, DAYS - 1, 1)
    np.testing.assert_allclose(made.edges_TSkK[DAYS - 1, 1, : len(found), 0], correlation_SS[1, found], atol=1e-6)


def test_a_list_is_ordered_names_nobody_twice_and_never_the_stock_itself() -> None:
    panel = with_sectors(plain())
    made = graph(panel, sector_peers=3)
    for row, stock in itertools.product(range(45, DAYS, 7), range(STOCKS)):
        found = listed(made, row, stock)
        assert len(set(found)) == len(found)
        assert stock not in found
        assert (made.edges_TSkK[row, stock, len(found) :] == 0.0).all()
        strength_k = np.abs(made.edges_TSkK[row, stock, : min(len(found), 2), 0])
        assert (np.diff(strength_k) <= 0.0).all()


# --------------------------------------------------------------------------- sectors


def test_two_stocks_share_a_sector_if_the_rows_of_the_day_say_so() -> None:
    panel = with_sectors(plain(gaps=False))
    made = graph(panel, every=1)
    assert panel.sector_TS is not None
    shared = 0
    for row, stock in itertools.product((60, DAYS // 2 - 1, DAYS // 2, DAYS - 1), range(STOCKS)):
        sector_S = panel.sector_TS[row]
        for place, other in enumerate(listed(made, row, stock)):
            same = bool(sector_S[stock] == sector_S[other] and sector_S[stock] != "")
            assert made.edges_TSkK[row, stock, place, 1] == same
            shared += same
    assert shared > 20
    assert (graph(plain(gaps=False)).edges_TSkK[..., 1] == 0.0).all()


def test_sector_peers_come_after_the_list_by_correlation_and_leave_it_as_it_is() -> None:
    panel = with_sectors(plain())
    without, peers = graph(panel), graph(panel, sector_peers=3)
    assert panel.sector_TS is not None
    added = 0
    for row, stock in itertools.product(range(45, DAYS, 5), range(STOCKS)):
        before, after = listed(without, row, stock), listed(peers, row, stock)
        assert after[: len(before)] == before
        assert len(after) <= len(before) + 3
        assert all(panel.sector_TS[row, other] == panel.sector_TS[row, stock] != "" for other in after[len(before) :])
        added += len(after) - len(before)
    assert added > 100


# --------------------------------------------------------------------------- sessions


def test_only_stocks_of_the_days_cross_section_are_nodes() -> None:
    panel = made_up()
    inputs = with_graph(build_inputs(panel, question(graph=RULES)), question(graph=RULES))
    made, stocks_TS = inputs.graph, inputs.axis.stocks_TS
    assert made is not None
    left_out = 0
    for row in range(inputs.axis.first_row, len(stocks_TS)):
        for stock in range(STOCKS):
            found = listed(made, row, stock)
            assert stocks_TS[row, stock] or not found
            assert stocks_TS[row, found].all()
            left_out += int(not stocks_TS[row, stock])
    assert left_out > 50
    assert (made.neighbours_TSk[: inputs.axis.first_row] == -1).all()


def test_lists_are_made_on_every_fifth_session_and_kept_without_those_that_leave() -> None:
    panel = plain()
    axis = everyone(panel, 45)
    daily, kept = graph(panel, every=1), graph(panel, every=5)
    joined = left = 0
    for row, stock in itertools.product(range(45, DAYS), range(STOCKS)):
        made = 45 + (row - 45) // 5 * 5
        assert made <= row < made + 5
        there_S = axis.stocks_TS[row] & axis.stocks_TS[made]
        whole = listed(daily, made, stock)
        expected = [other for other in whole if there_S[other]] if there_S[stock] else []
        assert listed(kept, row, stock) == expected
        edges = {other: daily.edges_TSkK[made, stock, place] for place, other in enumerate(whole)}
        for place, other in enumerate(expected):
            np.testing.assert_array_equal(kept.edges_TSkK[row, stock, place], edges[other])
        assert (kept.edges_TSkK[row, stock, len(expected) :] == 0.0).all()
        left += len(whole) - len(expected) if there_S[stock] else 0
        joined += int(axis.stocks_TS[row, stock] and not axis.stocks_TS[made, stock])
    assert left > 0
    assert joined > 0


@settings(max_examples=15)
@given(row=st.integers(300, 418), every=st.integers(1, 7))
def test_no_later_session_and_no_stock_of_later_changes_a_bit(row: int, every: int) -> None:
    panel = with_sectors(made_up())
    rules = dataclasses.replace(RULES, every=every, sector_peers=2)
    params = question(graph=rules)
    whole, cut = (with_graph(build_inputs(each, params), params) for each in (panel, until(panel, row)))
    assert whole.graph is not None
    assert cut.graph is not None
    place_of = {symbol: place for place, symbol in enumerate(panel.symbols_S)}
    seen = np.array([place_of[symbol] for symbol in cut.panel.symbols_S])
    renamed_TSk = np.append(seen, -1)[cut.graph.neighbours_TSk]
    np.testing.assert_array_equal(renamed_TSk, whole.graph.neighbours_TSk[: row + 1, seen])
    np.testing.assert_array_equal(cut.graph.edges_TSkK, whole.graph.edges_TSkK[: row + 1, seen])
    gone = np.setdiff1d(np.arange(STOCKS), seen)
    assert (whole.graph.neighbours_TSk[: row + 1, gone] == -1).all()


@pytest.mark.parametrize("gaps", [False, True])
def test_stocks_in_another_order_have_the_same_neighbours_and_bits(gaps: bool) -> None:
    panel = with_sectors(plain(gaps=gaps))
    order = np.random.default_rng(3).permutation(STOCKS)
    turned = changed(
        panel,
        close_TS=panel.close_TS[:, order],
        sector_TS=None if panel.sector_TS is None else panel.sector_TS[:, order],
    )
    made, again = graph(panel, sector_peers=2), graph(turned, sector_peers=2)
    renamed_TSk = np.append(order, -1)[again.neighbours_TSk]
    np.testing.assert_array_equal(renamed_TSk, made.neighbours_TSk[:, order])
    np.testing.assert_array_equal(again.edges_TSkK, made.edges_TSkK[:, order])


def test_prices_in_another_unit_change_no_bit() -> None:
    panel = plain()
    factor_S = np.exp2(np.random.default_rng(0).integers(-6, 7, STOCKS))
    moved = changed(panel, **{name: value_TS * factor_S for name, value_TS in prices_of(panel).items()})
    made, again = graph(panel), graph(moved)
    np.testing.assert_array_equal(made.neighbours_TSk, again.neighbours_TSk)
    np.testing.assert_array_equal(made.edges_TSkK, again.edges_TSkK)


def test_other_lists_for_the_same_panel_need_another_version() -> None:
    """Cubes of an older program are found by VERSION alone: raise it together with the numbers below."""
    made = graph(with_sectors(plain()), sector_peers=2)
    content = hashlib.sha256(made.neighbours_TSk.astype("<i2").tobytes()).hexdigest()[:16]
    assert (VERSION, content) == (1, "45f178fa537041bc")
    np.testing.assert_allclose(made.edges_TSkK.astype(np.float64).sum(axis=(0, 1, 2)), [1861.168, 3728.0], atol=0.01)


# --------------------------------------------------------------------------- refusals


def test_more_days_than_lie_before_the_first_sample_are_refused() -> None:
    panel = made_up()
    first_sample = build_inputs(panel, question()).axis.first_row + question().windows.context_length - 1
    assert build_inputs(panel, question(graph=dataclasses.replace(RULES, days=first_sample)))
    with pytest.raises(BadInput, match=f"only {first_sample} sessions lie before the first sample") as refused:
        build_inputs(panel, question(graph=dataclasses.replace(RULES, days=first_sample + 1)))
    assert str(panel.dates_T[first_sample]) in str(refused.value)


def test_sector_peers_without_sectors_are_refused() -> None:
    rules = dataclasses.replace(RULES, sector_peers=2)
    with pytest.raises(BadInput, match="made_up has no column Sector"):
        build_inputs(made_up(), question(graph=rules))
    assert build_inputs(with_sectors(made_up()), question(graph=rules))


# --------------------------------------------------------------------------- cube


QUESTION = question(graph=RULES)


@pytest.fixture(scope="module")
def panel() -> Panel:
    return with_sectors(made_up(seed=4))


@pytest.fixture(scope="module")
def cube(panel: Panel, tmp_path_factory: pytest.TempPathFactory) -> Cube:
    return opened_cube(tmp_path_factory.mktemp("cubes"), build_inputs(panel, QUESTION), QUESTION, pytest.fail)


def test_a_cube_holds_the_graph_of_its_panel(panel: Panel, cube: Cube) -> None:
    made = build_graph(panel, build_inputs(panel, QUESTION).axis, RULES)
    assert cube.neighbours_TSk is not None
    assert cube.edges_TSkK is not None
    np.testing.assert_array_equal(cube.neighbours_TSk, made.neighbours_TSk)
    np.testing.assert_array_equal(cube.edges_TSkK, made.edges_TSkK)
    assert (cube.neighbours_TSk.dtype, cube.edges_TSkK.dtype) == (np.int16, np.float32)
    assert not cube.edges_TSkK.flags.owndata
    assert verify_cube(cube.path) == cube.size
    with pa.memory_map(str(cube.path)) as source:
        assert pa.ipc.open_file(source).schema.names == ["date", "x", "here", "member", "ret", "y", "nbr", "edge"]


def test_damage_to_an_edge_is_found(cube: Cube, tmp_path: Path) -> None:
    raw = bytearray(cube.path.read_bytes())
    assert cube.edges_TSkK is not None
    row = len(cube) - 5
    place = raw.index(np.ascontiguousarray(cube.edges_TSkK[row]).tobytes())
    raw[place + 2] ^= 1
    path = tmp_path / "damaged.arrow"
    path.write_bytes(raw)
    with pytest.raises(Exception, match="are not those that were written"):
        verify_cube(path)


def test_without_a_graph_key_and_file_are_as_before(panel: Panel, tmp_path: Path) -> None:
    params = question()
    inputs = build_inputs(panel, params)
    assert study_cube_key(inputs, params) == cube_key(inputs, params.target, params.horizons)
    cube = opened_cube(tmp_path, inputs, params, pytest.fail)
    assert cube.neighbours_TSk is None
    assert cube.edges_TSkK is None
    with pa.memory_map(str(cube.path)) as source:
        assert pa.ipc.open_file(source).schema.names == ["date", "x", "here", "member", "ret", "y"]


def test_the_key_names_every_rule_the_first_session_and_the_sectors(panel: Panel) -> None:
    inputs = build_inputs(panel, QUESTION)
    numbers = {"days": 39, "halflife": 14, "neighbours": 5, "at_least": 1, "threshold": 0.2, "shrinkage": 0.1}
    more = {"sector_peers": 1, "every": 4}
    assert set(numbers | more) == {field.name for field in dataclasses.fields(GraphParams)}
    others = [
        question(graph=dataclasses.replace(RULES, **{name: value}))  # type: ignore[arg-type]
        for name, value in (numbers | more).items()
    ]
    keys = [study_cube_key(inputs, params) for params in (question(), QUESTION, *others)]
    moved = dataclasses.replace(inputs, axis=dataclasses.replace(inputs.axis, first_row=inputs.axis.first_row + 1))
    panels = [changed(panel, sector_TS=sector_TS) for sector_TS in (None, sectors_of(panel, seed=1))]
    others_made = [moved, *(dataclasses.replace(inputs, panel=each) for each in panels)]
    keys += [study_cube_key(each, QUESTION) for each in others_made]
    assert len(set(keys)) == len(keys)


def test_a_cube_that_is_there_is_opened_without_making_the_graph(
    panel: Panel, cube: Cube, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(samples_module, "build_graph", pytest.fail)
    again = opened_cube(cube.path.parent, build_inputs(panel, QUESTION), QUESTION, pytest.fail)
    assert again.key == cube.key
    assert graph_of(build_inputs(panel, question()), question()) is None


def test_the_cube_of_a_study_is_built_of_its_panel_file_with_horizons_in_their_order(tmp_path: Path) -> None:
    from tests.panel_studies import make_panel_study

    from tsladder.params import load_panel_params

    places = make_panel_study(tmp_path, made_up(), horizons=[5, 1], graph={"days": 30, "neighbours": 4, "at_least": 2})
    params = load_panel_params(places.params)
    cube = study_cube(places, params, pytest.fail)
    assert cube.path.parent == places.cubes
    assert cube.horizons == (5, 1)
    assert cube.neighbours_TSk is not None
    assert cube.neighbours_TSk.shape[2] == 4
    contents = cube_contents(build_inputs(made_up(), params), params.target, params.horizons)
    np.testing.assert_array_equal(cube.y_TSM, contents.y_TSM)


def batch_elsewhere(samples: DaySamples, queue: Any) -> None:
    batch = samples.batch(np.arange(5), np.tile(np.arange(1, 12, 2), (5, 1)))
    queue.put((batch.neighbours_BSk, batch.edges_BSkK))


def test_two_processes_see_the_same_graph(cube: Cube) -> None:
    samples = DaySamples(cube=cube, rows_N=np.arange(300, 340), context_length=20)
    context = multiprocessing.get_context("spawn")
    queue = context.Queue()
    process = context.Process(target=batch_elsewhere, args=(samples, queue))
    process.start()
    neighbours_BSk, edges_BSkK = queue.get(timeout=120)
    process.join()
    here = samples.batch(np.arange(5), np.tile(np.arange(1, 12, 2), (5, 1)))
    np.testing.assert_array_equal(neighbours_BSk, here.neighbours_BSk)
    np.testing.assert_array_equal(edges_BSkK, here.edges_BSkK)
    assert (neighbours_BSk >= 0).any()
    assert open_cube(cube.path, cube.key).key == cube.key


# --------------------------------------------------------------------------- batches


@settings(max_examples=25)
@given(seed=st.integers(0, 10**6), stocks=st.one_of(st.none(), st.integers(2, STOCKS + 1)), days=st.integers(1, 20))
def test_neighbours_in_a_batch_are_places_of_its_stocks_and_others_are_left_out(
    cube: Cube, seed: int, stocks: int | None, days: int
) -> None:
    samples = DaySamples(cube=cube, rows_N=np.arange(250, 400, 3), context_length=20)
    sampler = DaySampler(batch_days=days, seed=seed, stocks_per_day=stocks)
    batch = next(iter(sampler.batches(samples, 0)))
    assert batch.neighbours_BSk is not None
    assert batch.edges_BSkK is not None
    assert cube.neighbours_TSk is not None
    assert cube.edges_TSkK is not None
    shown = batch.stocks_BS.shape[1]
    assert batch.neighbours_BSk.shape == (len(batch), shown, RULES.neighbours)
    assert batch.edges_BSkK.shape == (*batch.neighbours_BSk.shape, len(BATCH_EDGE_FEATURES))
    assert (batch.neighbours_BSk.dtype, batch.edges_BSkK.dtype) == (np.int64, np.float32)
    assert batch.neighbours_BSk.max() < shown
    for day, row in enumerate(batch.rows_B):
        place_of = {int(stock): place for place, stock in enumerate(batch.stocks_BS[day])}
        for place, stock in enumerate(batch.stocks_BS[day]):
            numbers = [int(each) for each in cube.neighbours_TSk[row, stock] if each >= 0]
            expected = [
                (place_of[other], cube.edges_TSkK[row, stock, at])
                for at, other in enumerate(numbers)
                if other in place_of
            ]
            count = len(expected)
            assert batch.neighbours_BSk[day, place, :count].tolist() == [each for each, _ in expected]
            assert (batch.neighbours_BSk[day, place, count:] == -1).all()
            for at, (_, edge_K) in enumerate(expected):
                np.testing.assert_array_equal(batch.edges_BSkK[day, place, at, : len(EDGE_FEATURES)], edge_K)
            assert (batch.edges_BSkK[day, place, count:] == 0.0).all()
            assert batch.member_BS[day, place] or count == 0
    assert (batch.edges_BSkK[..., -1] == 0.0).all()


def test_neighbours_in_a_batch_of_all_stocks_are_those_of_the_cube(cube: Cube) -> None:
    samples = DaySamples(cube=cube, rows_N=np.arange(300, 340), context_length=20)
    (batch,) = in_order(samples, 100)
    np.testing.assert_array_equal(batch.neighbours_BSk, cube.neighbours_TSk[300:340])  # type: ignore[index]
    np.testing.assert_array_equal(batch.edges_BSkK[..., :2], cube.edges_TSkK[300:340])  # type: ignore[index]
    assert (np.asarray(batch.neighbours_BSk) >= 0).any()


def test_batches_of_a_cube_without_a_graph_have_none(tmp_path: Path) -> None:
    cube = opened_cube(tmp_path, build_inputs(made_up(), question()), question(), pytest.fail)
    (batch,) = in_order(DaySamples(cube=cube, rows_N=np.arange(300, 303), context_length=20), 3)
    assert batch.neighbours_BSk is None
    assert batch.edges_BSkK is None
