"""Laws as files: what is fitted is what is read back."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pandas as pd
import pytest

from tsladder.artifacts.law import HorizonLaw, group_json
from tsladder.artifacts.law_evidence import RungLeftOut, SizeLeftOut
from tsladder.artifacts.record import record_of
from tsladder.law.table import law_of_table

SIZES = np.geomspace(1e5, 1e8, 6)


def fitted(frame: pd.DataFrame) -> HorizonLaw:
    return law_of_table(frame, draws=20).groups["all"]


def read_back(law: HorizonLaw) -> HorizonLaw:
    return record_of(HorizonLaw, json.loads(json.dumps(group_json(law), allow_nan=False)), source="fit.json")


def test_the_law_of_a_ladder_is_read_as_it_was_fitted() -> None:
    rng = np.random.default_rng(0)
    law = fitted(pd.DataFrame({"n_params": SIZES, "loss": SIZES**-0.05 * np.exp(0.01 * rng.normal(size=6))}))
    assert read_back(law) == law
    assert all(isinstance(left, RungLeftOut) for left in law.leave_one_rung_out)


@pytest.mark.filterwarnings("ignore")
def test_where_data_vary_sizes_are_left_out_and_named_once() -> None:
    n, d = (values.ravel() for values in np.meshgrid(SIZES, np.geomspace(1e6, 1e9, 5)))
    law = fitted(pd.DataFrame({"n_params": n, "n_data": d, "loss": 0.3 + 20 * n**-0.3 + 30 * d**-0.3}))
    again = read_back(law)
    assert again.leave_one_rung_out == law.leave_one_rung_out
    assert all(isinstance(left, SizeLeftOut) for left in again.leave_one_rung_out)
    assert law.size_at_equal_data is not None
    assert [set(left) for left in law.size_at_equal_data["left_out"]] == [
        {field.name for field in dataclasses.fields(SizeLeftOut)} - {"cell"}
    ] * len(law.leave_one_rung_out)


def test_a_coefficient_beyond_the_range_of_floats_is_null_and_comes_back_as_no_number() -> None:
    law = fitted(pd.DataFrame({"n_params": [1e12, 1.2e12, 1.5e12, 2e12], "loss": [1.0, 1e-3, 1e-8, 1e-12]}))
    assert law.fits.power is not None
    assert np.isinf(law.fits.power.C)
    assert group_json(law)["fits"]["power"]["C"] is None
    again = read_back(law).fits.power
    assert again is not None
    assert np.isnan(again.C)
