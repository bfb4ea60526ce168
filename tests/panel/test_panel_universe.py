"""Membership of a day, rule by rule."""

from __future__ import annotations

import numpy as np
import pytest
from tests.panel.made_up import changed, made_up

from tsladder.errors import BadInput
from tsladder.panel.universe import find_universe
from tsladder.params import UniverseParams

OPEN = UniverseParams(min_history=0)


def test_a_stock_is_a_member_once_it_was_traded_on_as_many_days_before() -> None:
    panel = made_up(days=60, gaps=False)
    close_TS = panel.close_TS.copy()
    close_TS[:10, 1] = np.nan
    close_TS[15, 1] = np.nan
    panel = changed(panel, close_TS=close_TS, member_TS=None)
    member_TS = find_universe(panel, UniverseParams(min_history=20)).member_TS
    assert np.flatnonzero(~member_TS[:, 0]).tolist() == list(range(20))
    assert np.flatnonzero(~member_TS[:, 1]).tolist() == list(range(31))
    assert find_universe(panel, UniverseParams(min_history=20)).listed_TS[:, 1].sum() == 49


def test_a_stock_is_no_member_on_a_day_on_which_it_is_not_traded_or_not_in_the_list() -> None:
    panel = made_up()
    assert panel.member_TS is not None
    np.testing.assert_array_equal(find_universe(panel, OPEN).member_TS, panel.traded_TS & panel.member_TS)
    np.testing.assert_array_equal(find_universe(changed(panel, member_TS=None), OPEN).member_TS, panel.traded_TS)


def test_the_least_price_is_one_that_was_paid_not_an_adjusted_one() -> None:
    panel = changed(made_up(gaps=False), member_TS=None)
    assert panel.close_raw_TS is not None
    member_TS = find_universe(panel, UniverseParams(min_history=0, min_price=60.0)).member_TS
    np.testing.assert_array_equal(member_TS, panel.close_raw_TS >= 60.0)
    with pytest.raises(BadInput, match="no CloseRaw"):
        find_universe(changed(panel, close_raw_TS=None), UniverseParams(min_price=60.0))


@pytest.mark.parametrize("as_turnover", [True, False])
def test_the_top_is_that_of_the_median_turnover_of_the_last_63_sessions(as_turnover: bool) -> None:
    panel = made_up(days=90, seed=2)
    if as_turnover:
        panel = changed(panel, turnover_TS=panel.close_TS * panel.volume_TS, volume_TS=None)
    member_TS = find_universe(panel, UniverseParams(min_history=0, top=4)).member_TS
    listed_TS = find_universe(panel, OPEN).listed_TS
    turnover_TS = panel.traded_value_TS
    assert turnover_TS is not None
    for row in (0, 5, 62, 63, 89):
        past_DS = turnover_TS[max(0, row - 62) : row + 1]
        listed = [stock for stock in range(14) if listed_TS[row, stock]]
        by_size = sorted(listed, key=lambda stock: -float(np.nanmedian(past_DS[:, stock])))
        assert np.flatnonzero(member_TS[row]).tolist() == sorted(by_size[:4])
    with pytest.raises(BadInput, match="neither Turnover nor Volume"):
        find_universe(changed(panel, volume_TS=None, turnover_TS=None), UniverseParams(top=4))
