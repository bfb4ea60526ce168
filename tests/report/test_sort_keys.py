"""Columns are ordered by what their entries mean: whatever is written for a larger number comes later."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tsladder.artifacts.scores import Interval, Skill
from tsladder.report import words
from tsladder.report.sort_keys import UNKNOWN, sort_keys
from tsladder.vocabulary import Cell, parse_budget


def around(x):
    return Interval(value=x, low=x - 3.0, high=x + 1.0, se=1.0, effective_n=None)


REAL = st.floats(-1e9, 1e9, allow_nan=False)
POSITIVE = st.floats(0.0, 1e9)
WHOLE = st.integers(0, 10**12)
WRITTEN = {
    "number": (words.number, REAL),
    "short": (words.short, REAL),
    "percent": (words.percent, REAL),
    "signed percent": (words.signed_percent, REAL),
    "signed": (words.signed, REAL),
    "size": (words.size, POSITIVE),
    "ratio": (words.ratio, st.floats(0.001, 1e9)),
    "count": (words.count, WHOLE),
    "part": (lambda n: words.part_of(n, n + 7), WHOLE),
    "interval": (lambda x: words.interval((x, x + 2.0)), REAL),
    "estimate": (
        lambda x: words.estimate(None, around(x)),
        REAL,
    ),
    "skill": (lambda x: words.skill(Skill(skill=x, low=x - 3.0, high=x + 1.0)), REAL),
    "with error": (lambda x: words.with_error(x, 0.5), REAL),
    "duration": (words.duration, st.floats(0.0, 1e7)),
    "matrix": (lambda x: f"skill {words.percent(x)}\ntest 0.3\nvalidation 0.4\nscored: 2 better", REAL),
}


def numbers(entries):
    return [float(key) for key in sort_keys(entries, numeric=True)]


@pytest.mark.parametrize("form", WRITTEN)
@settings(max_examples=30)
@given(data=st.data())
def test_the_order_of_numbers_survives_their_writing(form, data):
    written, values = WRITTEN[form]
    ordered = sorted(data.draw(st.lists(values, min_size=2, max_size=8)))
    keys = numbers([written(value) for value in ordered])
    assert keys == sorted(keys)


@pytest.mark.parametrize(
    ("entry", "number"),
    [
        ("830,273", 830_273.0),
        ("-5.4 % (-12.2 to 1.4 %)", -5.4),
        ("-0.0133 to 0.0064", -0.0133),
        ("11 of 22", 11.0),
        ("750k", 750_000.0),
        ("2M", 2e6),
        ("1.5B", 1.5e9),
        ("3 min", 180.0),
        ("2.0 h", 7200.0),
        ("1.5e-05", 1.5e-5),
        ("112 % (89,381), above the ideal", 112.0),
        ("+0.0047", 0.0047),
        ("inf", float("inf")),
    ],
)
def test_an_entry_counts_as_its_first_number(entry, number):
    assert numbers([entry]) == [number]


@pytest.mark.parametrize("entry", [words.MISSING, "", "not planned", f"skill {words.MISSING}\nvalidation 0.41", "nan"])
def test_what_says_no_number_is_unknown(entry):
    assert sort_keys([entry, "1"], numeric=True) == (UNKNOWN, "1.0")


@given(st.lists(st.builds(Cell, st.sampled_from(["12k", "750k", "2M", "20M", "1.5B"]), st.integers(1, 99)), min_size=2))
def test_cells_are_ordered_by_size_and_then_by_horizon(cells):
    keys = sort_keys([str(cell) for cell in cells], numeric=False)
    by_key = [cell for _, cell in sorted(zip(map(float, keys), cells, strict=True), key=lambda pair: pair[0])]
    assert by_key == sorted(cells, key=lambda cell: (parse_budget(cell.budget), cell.horizon))


def test_budgets_and_horizons_are_ordered_by_size_even_as_text():
    assert sort_keys(["750k", "2M", "12k"], numeric=False) == ("750000.0", "2000000.0", "12000.0")
    assert sort_keys(["10 days", "1 day", "—"], numeric=False) == ("10.0", "1.0", UNKNOWN)


def test_a_column_with_one_entry_of_other_text_is_all_text():
    assert sort_keys(["12k-h1", "20M-h1, 20M-h3", "—", "Alpha"], numeric=False) == (
        "12k-h1", "20m-h1, 20m-h3", UNKNOWN, "alpha"
    )  # fmt: skip
