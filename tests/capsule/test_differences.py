"""What counts as another law, what as other words for the same one."""

from __future__ import annotations

from typing import Any

import pytest

from tsladder.capsule.differences import DifferenceKind, differences

LAW: dict[str, Any] = {
    "verdict": "flat",
    "reason": "alpha is -0.002 (-0.004 to 0.001), p 0.042",
    "fits": {"power": {"alpha": -0.002, "alpha_ci": [-0.004, 0.001]}},
}


def record(law: dict[str, Any]) -> dict[str, Any]:
    return {"study_key": "k", "horizons": {"1": law}}


def kinds(stored: dict[str, Any], found: dict[str, Any]) -> dict[str, DifferenceKind]:
    return {each.path: each.kind for each in differences(record(stored), record(found))}


def test_the_same_law_and_its_last_digits_are_no_difference() -> None:
    close = LAW | {"fits": {"power": {"alpha": -0.002 * (1 + 1e-9), "alpha_ci": [-0.004, 0.001]}}}
    assert kinds(LAW, LAW) == kinds(LAW, close) == {}


@pytest.mark.parametrize(
    ("changed", "path", "kind"),
    [
        ({"reason": "alpha is -0.002 (-0.004 to 0.001), p = 0.042"}, "h1.reason", DifferenceKind.WORDS),
        ({"reason": "alpha is -0.002 (-0.004 to 0.001), p 0.043"}, "h1.reason", DifferenceKind.VALUE),
        ({"verdict": "scales"}, "h1.verdict", DifferenceKind.VALUE),
        ({"cautions": ["a gap of 40 days"]}, "h1.cautions", DifferenceKind.ADDED),
        (
            {"fits": {"power": {"alpha": 0.05, "alpha_ci": [-0.004, 0.001]}}},
            "h1.fits.power.alpha",
            DifferenceKind.VALUE,
        ),
        (
            {"fits": {"power": {"alpha": None, "alpha_ci": [-0.004, 0.001]}}},
            "h1.fits.power.alpha",
            DifferenceKind.VALUE,
        ),
    ],
)
def test_each_kind_of_difference(changed: dict[str, Any], path: str, kind: DifferenceKind) -> None:
    assert kinds(LAW, LAW | changed) == {path: kind}


def test_what_the_stored_law_says_and_this_one_does_not_is_another_law() -> None:
    assert kinds(LAW | {"extra": 1}, LAW) == {"h1.extra": DifferenceKind.VALUE}


def test_a_horizon_that_only_one_of_them_has_is_another_law() -> None:
    two = {"study_key": "k", "horizons": {"1": LAW, "3": LAW}}
    for stored, found in ((record(LAW), two), (two, record(LAW))):
        assert [(each.path, each.kind) for each in differences(stored, found)] == [("h3", DifferenceKind.VALUE)]
