"""The leaf search.pretraining: what may be left out, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from tests.panel_studies import panel_record

from tsladder.errors import BadInput
from tsladder.params import PanelParams, PretrainingParams, parse_panel_params


def parsed(**leaves: Any) -> PanelParams:
    return parse_panel_params(panel_record(**leaves), "params.yaml")


def test_it_is_off_where_it_is_left_out_or_null() -> None:
    assert parsed().search.pretraining is None
    assert parsed(search__pretraining=None).search.pretraining is None


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ({"epochs": 10, "mask": 0.4}, PretrainingParams(epochs=10, mask=0.4)),
        ({"epochs": 3}, PretrainingParams(epochs=3, mask=0.4)),
        ({"mask": 0.5}, PretrainingParams(epochs=10, mask=0.5)),
    ],
)
def test_each_of_its_leaves_may_be_left_out(given: dict[str, Any], read: PretrainingParams) -> None:
    assert parsed(search__pretraining=given).search.pretraining == read


@pytest.mark.parametrize(
    ("leaves", "fault"),
    [
        ({"search__pretraining": {"epochs": 0}}, "search.pretraining.epochs: must be at least 1"),
        ({"search__pretraining": {"mask": 0}}, "search.pretraining.mask: must be above 0"),
        ({"search__pretraining": {"mask": 1}}, "search.pretraining.mask: must be at most 0.95"),
        (
            {"search__pretraining": {"epochs": 1}, "model__patch_len": 40},
            "search.pretraining: a window must have at least two patches",
        ),
    ],
)
def test_what_cannot_be_is_named_by_its_path(leaves: dict[str, Any], fault: str) -> None:
    with pytest.raises(BadInput) as caught:
        parsed(**leaves)
    assert any(found.startswith(fault) for found in caught.value.faults)


def test_a_patch_that_does_not_fit_into_the_window_is_the_only_fault_then() -> None:
    with pytest.raises(BadInput) as caught:
        parsed(search__pretraining={"epochs": 1}, model__patch_len=61)
    assert [found.partition(":")[0] for found in caught.value.faults] == ["model.patch_len"]
