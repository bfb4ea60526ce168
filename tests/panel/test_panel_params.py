"""The params.yaml of a panel study: every fault is named by its leaf, and the two kinds of study are not confused."""

from __future__ import annotations

from typing import Any

import pytest
from tests.panel_studies import DEFAULT_PANEL_PARAMS, panel_record
from tests.studies import DEFAULT_PARAMS, ROOT

from tsladder.errors import BadInput
from tsladder.params import GraphParams, load_panel_params, load_params, parse_panel_params
from tsladder.typed_yaml import read_yaml


def faults_of(**leaves: Any) -> str:
    with pytest.raises(BadInput) as caught:
        parse_panel_params(panel_record(**leaves), source="panel/params.yaml")
    return "\n".join(caught.value.faults)


def test_the_params_of_the_checkout_ask_by_the_same_names_as_those_of_the_tests() -> None:
    def names(record: dict[str, Any]) -> set[str]:
        sections = {name: value for name, value in record.items() if isinstance(value, dict)}
        return set(record) | {f"{section}.{name}" for section, value in sections.items() for name in value}

    assert names(read_yaml(ROOT / "panel" / "params.yaml")) == names(panel_record())


def test_the_default_question_is_sound() -> None:
    params = load_panel_params(DEFAULT_PANEL_PARAMS)
    assert params.data.panel == "nyse36"
    assert params.horizons == (1,)
    assert params.span(1) == 2


@pytest.mark.parametrize(
    ("leaves", "words"),
    [
        ({"data__tier": "s10"}, "data.tier: must be one of s9, c21, v27, o33, got 's10'"),
        ({"data__lags": {"ret_2": 1}}, "data.lags: must name columns of tier s9"),
        ({"data__lags": {"ret_1": -1}}, "data.lags.ret_1: must be at least 0"),
        ({"target__entry_lag": 0}, "target.entry_lag: must be at least 1, got 0"),
        ({"target__task": "direction"}, "target.task: a panel is ranked, so it must be rank, got 'direction'"),
        ({"horizons": [1, 1]}, "horizons: each must appear only once"),
        ({"splits__kind": "chunks"}, "splits.kind: must be 'dates' or 'walk_forward' or 'purged_kfold'"),
        (
            {"splits__kind": "purged_kfold", "splits__purge_days": 5, "horizons": [1, 5]},
            r"splits.purge_days: must be at least target.entry_lag \+ horizon (6 sessions), got 5",
        ),
        ({"splits__test_start": None}, "splits.validation_start: give it together with splits.test_start"),
        ({"universe__min_stocks": 1}, "universe.min_stocks: must be at least 2"),
        ({"evaluation__cost_bps": -1.0}, "evaluation.cost_bps: must be at least 0"),
        ({"graph": {"at_least": 9, "neighbours": 8}}, "graph.at_least: must be at most graph.neighbours (8), got 9"),
        ({"graph": {"threshold": 0.96}}, "graph.threshold: must be at most 1 - graph.shrinkage (0.95)"),
        ({"graph": {"days": 1}}, "graph.days: must be at least 2"),
        ({"graph": {"every": 0}}, "graph.every: must be at least 1"),
        ({"graph": {"halflife": "20d"}}, "graph.halflife: must be a whole number: it counts sessions"),
        ({"graph": {"peers": 3}}, "graph.peers: is unknown; known here: days, halflife, neighbours"),
        ({"target__delisting_return": -1.0}, "target.delisting_return: must be above -1"),
    ],
)
def test_a_faulty_leaf_is_named_with_what_it_may_be(leaves: dict[str, Any], words: str) -> None:
    assert words.replace("\\", "") in faults_of(**leaves)


def test_a_graph_is_off_unless_it_is_asked_for_and_its_leaves_have_defaults() -> None:
    assert load_panel_params(DEFAULT_PANEL_PARAMS).graph is None
    assert parse_panel_params(panel_record(graph=None), source="p").graph is None
    made = parse_panel_params(panel_record(graph={"every": 1}), source="p").graph
    assert made == GraphParams(
        days=60, halflife=20, neighbours=20, at_least=5, threshold=0.3, shrinkage=0.05, sector_peers=0, every=1
    )


def test_a_position_at_the_same_close_must_be_meant() -> None:
    record = panel_record(target__entry_lag=0, target__same_close=True)
    assert parse_panel_params(record, source="panel/params.yaml").span(5) == 5


def test_a_purge_longer_than_the_span_is_allowed_and_dates_ignore_it() -> None:
    assert parse_panel_params(panel_record(splits__kind="purged_kfold", splits__purge_days=9), source="p")
    assert parse_panel_params(panel_record(splits__purge_days=1, horizons=[5]), source="p")


def test_the_question_of_a_series_is_none_of_a_panel_and_the_other_way_round() -> None:
    with pytest.raises(BadInput, match="asks about a panel of stocks"):
        load_params(DEFAULT_PANEL_PARAMS)
    with pytest.raises(BadInput, match="names no panel of stocks"):
        load_panel_params(DEFAULT_PARAMS)


def test_leaves_can_be_assigned_as_dvc_does() -> None:
    params = load_panel_params(DEFAULT_PANEL_PARAMS, ("data.panel=sp20", "horizons=[1,5]", "+target.same_close=true"))
    assert (params.data.panel, params.horizons, params.target.same_close) == ("sp20", (1, 5), True)
