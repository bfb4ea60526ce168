"""Sizes that lie close together are one rung, unless their data differ."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tsladder.law.reading.row import Row
from tsladder.law.reading.rungs import rungs_of
from tsladder.law.table import fit_table


def rows(sizes: list[float], data: list[float] | None = None, **more: object) -> list[Row]:
    return [
        Row(number=k + 2, n_params=n, loss=0.4 - 0.001 * k, n_data=None if data is None else data[k], **more)  # type: ignore[arg-type]
        for k, n in enumerate(sizes)
    ]


def sizes_of(sizes: list[float], data: list[float] | None = None) -> list[float]:
    return [point.n_params for point in rungs_of(rows(sizes, data)).points]


def test_two_sizes_in_three_spellings_each_are_two_rungs() -> None:
    frame = pd.DataFrame({"n_params": [1000000, 1000001, 1000002, 2000000, 2000001, 2000002]})
    law = fit_table(frame.assign(loss=[0.400, 0.401, 0.399, 0.390, 0.391, 0.389]), draws=20)["groups"]["all"]
    assert law["verdict"] == "too_few_rungs"
    assert [point["cell"] for point in law["points"]] == ["1M", "2M"]
    assert [len(point["seeds"]) for point in law["points"]] == [3, 3]
    assert law["points"][0]["n_params"] == pytest.approx((1000000 * 1000001 * 1000002) ** (1 / 3), rel=1e-12)
    assert any("1000000, 1000001 and 1000002 lie within 10 %" in note for note in law["notes"])


def test_a_rung_begins_at_more_than_a_tenth_above_the_first_size_of_the_last() -> None:
    """Chained steps of 7 % do not run into one: 1.00 and 1.07 | 1.145 and 1.225."""
    found = sizes_of([1e6, 1.07e6, 1.145e6, 1.225e6])
    assert found == pytest.approx([np.sqrt(1.07) * 1e6, np.sqrt(1.145 * 1.225) * 1e6])
    assert sizes_of([1e6, 1.1e6]) == pytest.approx([np.sqrt(1.1) * 1e6])
    assert sizes_of([1e6, 1.1001e6]) == [1e6, 1.1001e6]
    assert sizes_of([3e6, 1e6, 9e6]) == [1e6, 3e6, 9e6]


def test_the_size_of_a_rung_is_the_geometric_mean_of_its_rows_and_their_order_changes_nothing() -> None:
    sizes = [1e6, 1e6, 1.09e6, 5e6, 5.3e6]
    expected = [np.cbrt(1.09) * 1e6, np.sqrt(5 * 5.3) * 1e6]
    assert sizes_of(sizes) == pytest.approx(expected)
    forward = rungs_of(rows(sizes)).points
    backward = rungs_of(rows(sizes)[::-1]).points
    assert forward == backward


def test_where_data_vary_near_sizes_stay_apart() -> None:
    assert sizes_of([1e6, 1.05e6, 2e6], [1e9, 2e9, 1e9]) == [1e6, 1.05e6, 2e6]
    assert len(sizes_of([1e6, 1.05e6, 2e6], [1e9, 1e9, 1e9])) == 2


def test_amounts_of_data_within_one_percent_are_one() -> None:
    """As where they follow from a compute of three digits."""
    found = rungs_of(rows([1e6, 1.05e6, 2e6, 4e6], [2.0e9, 2.005e9, 1.998e9, 2.01e9]))
    assert len({point.n_data for point in found.points}) == 1
    assert len(found.points) == 3
    assert any("within 1 % of each other" in note for note in found.notes)
    apart = rungs_of(rows([1e6, 2e6], [2.0e9, 2.03e9]))
    assert [point.n_data for point in apart.points] == [2.0e9, 2.03e9]


def test_what_else_differs_between_merged_sizes_is_told() -> None:
    near = [
        Row(number=2, n_params=1e6, loss=0.4, further={"d_model": 64.0, "name": "a"}),
        Row(number=3, n_params=1.05e6, loss=0.41, further={"d_model": 96.0, "name": "b"}),
    ]
    (note,) = rungs_of(near).notes
    assert note.endswith("1.02M; they differ in d_model, too")


def test_merging_keeps_false_findings_at_their_nominal_share() -> None:
    """Null ladders: three sizes with a 2 % rung effect, each in four spellings. Apart they are twelve rungs of which
    four share an effect, and `scales` or `worse_with_size` comes of a third of them; as three they are rungs."""
    from tsladder.law.curve.power_law import fit_power

    rng = np.random.default_rng(0)
    sizes = np.repeat([1e6, 4e6, 16e6], 4) * np.tile([1.0, 1.02, 1.04, 1.06], 3)
    apart, merged = 0, 0
    for _ in range(200):
        loss = 0.4 * np.exp(np.repeat(rng.normal(0.0, 0.02, 3), 4) + rng.normal(0.0, 0.005, 12))
        table = [Row(number=k, n_params=n, loss=y) for k, (n, y) in enumerate(zip(sizes, loss, strict=True))]
        rungs = rungs_of(table).points
        fits = [fit_power(sizes, loss), fit_power([p.n_params for p in rungs], [p.loss for p in rungs])]
        assert all(fit is not None for fit in fits)
        wrong = [fit.alpha_ci[0] > 0.0 or fit.alpha_ci[1] < 0.0 for fit in fits if fit is not None]
        apart, merged = apart + wrong[0], merged + wrong[1]
    assert apart / 200 > 0.3
    assert merged / 200 < 0.1
