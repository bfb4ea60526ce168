"""Which cells `--from` and `--only` build, and what DVC is asked for."""

from __future__ import annotations

import pytest
from tests.studies import make_study, params_of

from tsladder.console.selection import CellSelection, select_cells
from tsladder.errors import BadInput
from tsladder.params import Params


@pytest.fixture(scope="module")
def params(tmp_path_factory: pytest.TempPathFactory) -> Params:
    """Three rungs by two horizons, of which the last rung is not planned."""
    folder = tmp_path_factory.mktemp("study")
    return params_of(make_study(folder, ladder=["12k", "30k", "50k"], horizons=[1, 3], budget="30k"))


def names(selection: CellSelection) -> list[str]:
    return [str(cell) for cell in selection.cells]


def test_without_a_wish_dvc_builds_everything(params: Params) -> None:
    whole = select_cells(params)
    assert whole.whole
    assert whole.targets == ()
    assert names(whole) == ["12k-h1", "12k-h3", "30k-h1", "30k-h3", "50k-h1", "50k-h3"]


@pytest.mark.parametrize(
    ("first", "built"),
    [
        ("12k-h1", ["12k-h1", "12k-h3", "30k-h1", "30k-h3"]),
        ("12k-h3", ["12k-h3", "30k-h1", "30k-h3"]),
        ("30k-h3", ["30k-h3"]),
    ],
)
def test_from_a_cell_on_are_those_that_follow_it_rung_by_rung_and_are_planned(
    first: str, built: list[str], params: Params
) -> None:
    selection = select_cells(params, first=first)
    assert names(selection) == built
    assert not selection.whole


def test_only_those_named_come_once_each_and_in_the_order_of_the_study(params: Params) -> None:
    selection = select_cells(params, only=["30k-h1", "12k-h3", "30k-h1"])
    assert names(selection) == ["12k-h3", "30k-h1"]
    assert selection.targets == ("evaluate@12k-3", "evaluate@30k-1")


@pytest.mark.parametrize("how", [{"first": "30k-h2"}, {"only": ["12k-h1", "30k-h2"]}])
def test_a_cell_that_is_not_of_the_study_is_refused_with_the_nearest(how: dict[str, str], params: Params) -> None:
    with pytest.raises(BadInput, match="30k-h1"):
        select_cells(params, **how)  # type: ignore[arg-type]


@pytest.mark.parametrize("how", [{"first": "50k-h3"}, {"only": ["50k-h3"]}])
def test_a_cell_above_the_top_rung_is_refused_with_the_nearest_that_is_planned(
    how: dict[str, str], params: Params
) -> None:
    with pytest.raises(BadInput, match=r"50k-h3 is not planned.*30k-h3"):
        select_cells(params, **how)  # type: ignore[arg-type]


def test_from_and_only_exclude_each_other(params: Params) -> None:
    with pytest.raises(BadInput, match="--from and --only"):
        select_cells(params, first="12k-h1", only=["12k-h1"])
