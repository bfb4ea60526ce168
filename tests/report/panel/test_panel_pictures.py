"""Pictures of a panel study: what they draw is that of the records, and the same records draw the same bytes."""

from __future__ import annotations

import io

import numpy as np
import pytest
from tests.report.panel import made_up

from tsladder.ranking.level import best_and_constant
from tsladder.report.panel.figures.lines import looks
from tsladder.report.panel.figures.names import CUMULATIVE, OVER_TIME, RANK_IC
from tsladder.report.panel.figures.over_time import parts_of, spans_years
from tsladder.report.panel.figures.pictures import pictures_of
from tsladder.report.panel.files import read_panel_facts
from tsladder.report.panel.rankings import followed
from tsladder.vocabulary import Region


@pytest.fixture
def facts(tmp_path):
    return read_panel_facts(made_up.write_study(tmp_path), made_up.panel_params(), made_up.HERE)


def test_each_picture_has_ink_and_no_date(facts):
    from matplotlib.image import imread

    drawn = {name: png for name, png in pictures_of(facts).items() if png is not None}
    assert set(drawn) == {RANK_IC, CUMULATIVE, OVER_TIME}
    for png in drawn.values():
        assert all(word not in png for word in (b"tEXt", b"tIME", b"iTXt"))
        image = imread(io.BytesIO(png))[..., :3]
        assert ((image.max(axis=-1) - image.min(axis=-1)) > 0.2).sum() > 100


def test_the_three_best_and_the_stricter_constant_are_followed(facts):
    level = facts.region(1)
    assert tuple(followed(facts, level)) == ("ridge", "reversal_5", "momentum_252_21", "no_order")
    drawn = looks(best_and_constant(level), level.stricter)
    assert len({(look.style, look.marker) for look in drawn.values()}) == 4


def test_parts_of_the_test_days_average_to_the_ranking_as_recorded(facts):
    level = facts.region(1)
    names = best_and_constant(level)
    parts = parts_of(facts, level, followed(facts, level))
    days = facts.daily[1]["ridge"].dates_N
    assert [part.name for part in parts] == ["2004-01", "2004-02"]
    counts = [int((days.astype("datetime64[M]").astype(str) == part.name).sum()) for part in parts]
    for place, name in enumerate(names):
        mean = np.average([part.means[place] for part in parts], weights=counts)
        assert mean == pytest.approx(level.baselines[name].rank_ic, abs=1e-12)


def test_a_part_shorter_than_five_blocks_has_no_interval(facts):
    level = facts.region(1)
    long = made_up.level_of(Region.TEST, block=20)
    daily = followed(facts, level)
    assert all(part.intervals[0] is not None for part in parts_of(facts, level, daily))
    assert all(found is None for part in parts_of(facts, long, daily) for found in part.intervals)


@pytest.mark.parametrize(("last", "by_year"), [("2006-12-01", False), ("2007-01-01", True)])
def test_three_years_of_test_days_are_cut_by_year(last, by_year):
    assert spans_years(np.array(["2004-01-01", last], dtype="datetime64[D]")) is by_year


def test_net_returns_are_those_before_costs_less_the_cost_of_what_is_traded(facts):
    own = facts.daily[1]["ridge"]
    assert own.net_return_N(10.0) == pytest.approx(own.gross_return_N - 0.001 * own.traded_N)
    assert 252.0 * own.gross_return_N.mean() == pytest.approx(4.0 * 0.048)
