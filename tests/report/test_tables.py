"""Facts in the tables: rows that must be there, dashes for the unknown, the 20 % rule."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tsladder.report.score_tables import baselines_table, cells_table
from tsladder.report.tables import (
    architectures_table,
    coverage_table,
    effort_table,
    left_out_table,
    pairs_apart,
    search_notes_table,
    settings_table,
)


def by(table, *columns):
    """The rows as dictionaries by title, keyed by the entries of `columns`."""
    titles = [column.title for column in table.columns]
    rows = [dict(zip(titles, row, strict=True)) for row in table.rows]
    return {tuple(row[name] for name in columns): row for row in rows}


def test_the_cells_show_the_measured_size_and_its_share_of_the_budget(facts):
    row = by(cells_table(facts), "cell")[("12k-h1",)]
    assert row["N"] == "12,757"
    assert row["of budget"] == "106 %"
    assert row["base-rate loss"] == "0.4526"
    assert row["own-rate loss"] == "0.4229"
    assert row["skill"] == "17.6 %"


def test_unknown_entries_are_dashes(facts):
    rows = by(cells_table(facts), "cell")
    assert rows[("12k-h1",)]["AUC"] == "—"
    assert {rows[("2M-h5",)][name] for name in ("N", "of budget", "val loss", "test loss", "skill")} == {"—"}
    assert rows[("2M-h5",)]["remarks"] == "open"


def test_every_table_has_as_many_entries_a_row_as_columns(facts):
    makers = (cells_table, baselines_table, architectures_table, settings_table, coverage_table, left_out_table)
    for make in (*makers, effort_table, search_notes_table):
        table = make(facts)
        assert table.rows
        assert {len(row) for row in table.rows} == {len(table.columns)}


def test_cells_without_a_point_are_listed_with_their_reasons(facts):
    rows = by(left_out_table(facts), "cells")
    assert "diverged" in rows[("80k-h3",)]["reason"]
    assert "retraining" in rows[("80k-h3",)]["state"]
    assert "heat" in rows[("12k-h5",)]["state"]
    assert rows[("2M-h5",)]["state"] == "open"
    assert rows[("20M-h1, 20M-h3, 20M-h5",)]["state"] == "not planned"
    assert ("12k-h1",) not in rows


def test_baselines_stand_beside_the_span_of_the_transformers(facts):
    table = baselines_table(facts)
    assert [row[0] for row in table.rows] == ["1 day"] * 3 + ["3 days"] * 3
    assert by(table, "horizon", "forecast")[("1 day", "transformers, 3 rungs")]["log loss"] == "0.3485 to 0.3485"


def test_the_coverage_carries_the_notes_and_where_the_winner_came_from(facts):
    row = by(coverage_table(facts), "cell")[("12k-h1",)]
    assert row["winner"] == "sampled"
    assert row["best - worst"] == "0.0100"
    notes = by(search_notes_table(facts), "cell")[("12k-h1",)]
    assert notes["notes"] == "the sampler hardly acts"
    assert notes["forced"] == "largest d_model, shallow-wide (not in the grid)"


def test_the_effort_tells_what_a_cell_took_and_how_it_ended(facts):
    row = by(effort_table(facts), "cell")[("12k-h1",)]
    assert row["trials"] == "2"
    assert row["trials ended by"] == "2 early stopping"
    assert row["seeds ended by"] == "2 completed"
    assert row["retraining"] == "4 s"  # two seeds of 2 s


def test_an_architecture_has_a_row_a_rung_and_horizon(facts):
    rows = by(architectures_table(facts), "rung", "horizon")
    # 80k-h3 has a winner, whose retraining failed; 12k-h5 has none.
    assert set(rows) == {("12k", "1 day"), ("12k", "3 days"), ("80k", "1 day"), ("80k", "3 days"), ("2M", "1 day")}
    row = rows[("12k", "1 day")]
    assert (row["d_model"], row["layers"], row["layers / width"], row["N blocks"]) == ("12", "6", "0.5", "7,757")


def test_settings_more_than_a_fifth_apart_are_marked(facts):
    rows = by(settings_table(facts), "rung", "setting")
    column = "more than 20 % apart"
    assert rows[("12k", "learning_rate")][column] == "h1 and h3"  # 0.001 and 0.00121
    assert rows[("12k", "dropout")][column] == "none"  # 0.3 and 0.36: 20 % and not more
    assert rows[("12k", "epochs")][column] == "none"
    assert rows[("2M", "epochs")][column] == "—"  # one horizon: nothing to compare
    assert rows[("12k", "learning_rate")]["h5"] == "—"
    assert rows[("12k", "batch_size")]["h1"] == "256"


@given(st.floats(1e-6, 1e6), st.floats(1.0, 3.0), st.sampled_from([1e-3, 1.0, 1e4]))
def test_the_rule_knows_neither_order_nor_unit(value, factor, unit):
    other = value * factor
    there = pairs_apart({1: value, 3: other})
    assert bool(pairs_apart({1: other, 3: value})) == bool(there)
    if abs(factor - 1.2) > 1e-6:
        assert bool(there) == (factor > 1.2)
        assert pairs_apart({1: unit * value, 3: unit * other}) == there


@pytest.mark.parametrize(("values", "pairs"), [({1: 0.0, 3: 0.0}, ()), ({1: 0.0, 3: 0.01}, ((1, 3),)), ({5: 1.0}, ())])
def test_zero_differs_from_anything_else(values, pairs):
    assert pairs_apart(values) == pairs
