"""The study at a glance: what an entry's colour says, its words say too."""

import dataclasses

import pytest
from tests.report import studies

from tsladder.artifacts.scores import Interval, Skill
from tsladder.report.blocks import Tone
from tsladder.report.matrix import matrix_table, utilisation_table
from tsladder.report.study_files import read_facts
from tsladder.vocabulary import Cell

TEST = "test"


def entry(table, facts, cell):
    """Words and colour of one cell."""
    row = [row[0] for row in table.rows].index(Cell.parse(cell).budget)
    column = 1 + facts.params.horizons.index(Cell.parse(cell).horizon)
    return table.rows[row][column], table.tones.get((row, column))


def changed(facts, cell, **fields):
    """The facts with one cell's test scores changed."""
    cells = [
        dataclasses.replace(found, regions={**found.regions, TEST: dataclasses.replace(found.test, **fields)})
        if str(found.cell) == cell
        else found
        for found in facts.cells
    ]
    return dataclasses.replace(facts, cells=tuple(cells))


def skill(low, high):
    return Skill(skill=0.1, low=low, high=high)


def between(low, high):
    return Interval(value=0.5 * (low + high), low=low, high=high, se=0.01, effective_n=None)


def test_a_scored_cell_shows_skill_losses_and_state(whole):
    facts = read_facts(whole, studies.study_params())
    text, tone = entry(matrix_table(facts), facts, "12k-h1")
    assert text.split("\n") == [
        "skill 2.9 % (-0.1 to 5.9 %)",
        "test 0.3485 (0.3085 to 0.3885)",
        "validation 0.4100",
        "scored: no skill shown",
    ]
    assert tone is Tone.BAD


@pytest.mark.parametrize(
    ("fields", "words", "tone"),
    [
        ({"beaten_by": ()}, "has skill", Tone.GOOD),
        ({"beaten_by": ("a", "b")}, "has skill, 2 simpler forecasts better", Tone.MIXED),
        ({"advantage": between(-0.01, 0.02)}, "no skill shown", Tone.BAD),
        ({"advantage": between(0.0, 0.02)}, "no skill shown", Tone.BAD),
        ({"advantage": between(-0.02, -0.01)}, "a constant is better", Tone.BAD),
        (
            {"skill_against": {"own_rate": skill(0.01, 0.2)}, "beaten_by": ()},
            "has skill",
            Tone.GOOD,
        ),
        ({"skill_against": {"own_rate": skill(-0.01, 0.2)}}, "no skill shown", Tone.BAD),
    ],
)
def test_skill_is_claimed_only_where_its_whole_interval_lies_above_nothing(facts, fields, words, tone):
    facts = changed(facts, "80k-h1", **fields)
    text, colour = entry(matrix_table(facts), facts, "80k-h1")
    assert text.endswith(f"scored: {words}")
    assert colour is tone


@pytest.mark.parametrize(
    ("cell", "words", "tone"),
    [
        ("12k-h5", "failed in the search", Tone.BAD),
        ("80k-h3", "failed in the retraining", Tone.BAD),
        ("2M-h5", "open", Tone.OFF),
        ("20M-h1", "not planned", Tone.OFF),
    ],
)
def test_a_cell_without_a_score_says_why(facts, cell, words, tone):
    text, colour = entry(matrix_table(facts), facts, cell)
    assert text.endswith(words)
    assert colour is tone


def test_the_validation_loss_stands_also_where_the_retraining_failed(facts):
    assert "validation 0.4100" in entry(matrix_table(facts), facts, "80k-h3")[0]


@pytest.mark.parametrize(
    ("n_params", "words", "tone"),
    [
        (10_799, "90.0 % (10,799), below the ideal", Tone.MIXED),
        (10_800, "90.0 % (10,800)", Tone.GOOD),
        (13_200, "110.0 % (13,200)", Tone.GOOD),
        (13_201, "110.0 % (13,201), above the ideal", Tone.MIXED),
        (9_000, "75.0 % (9,000), below the ideal", Tone.MIXED),
    ],
)
def test_a_budget_is_filled_between_90_and_110_percent(study, n_params, words, tone):
    studies.write_searched(study, Cell("12k", 1), n_params)
    facts = read_facts(study, studies.study_params())
    assert entry(utilisation_table(facts), facts, "12k-h1") == (words, tone)


def test_a_cell_without_a_winner_has_no_share(facts):
    assert entry(utilisation_table(facts), facts, "12k-h5") == ("—", None)
    assert entry(utilisation_table(facts), facts, "20M-h1") == ("not planned", Tone.OFF)
