from pathlib import Path

from tsladder.law.evidence.comparable_rungs import PARITY, cut_short, mixed_numerics, unequal_effort


def test_equal_effort_is_not_worth_a_word():
    assert unequal_effort({"12k-h1": 8, "30k-h1": 8}) is None
    assert unequal_effort({"12k-h1": 8}) is None
    assert unequal_effort({}) is None


def test_unequal_effort_names_every_rung_and_its_trials():
    warning = unequal_effort({"12k-h1": 50, "2B-h1": 3})
    assert "12k-h1 50, 2B-h1 3" in warning
    assert "search.trials" in warning


def test_a_winner_among_fewer_complete_trials_than_were_run_is_told_with_both_counts():
    assert cut_short({"12k-h1": (8, 8), "2B-h1": (3, 3)}) is None
    warning = cut_short({"12k-h1": (8, 8), "2B-h1": (8, 6)})
    assert warning is not None
    assert "2B-h1 6 of 8" in warning
    assert "12k" not in warning


def test_the_same_numbers_are_not_worth_a_word():
    assert mixed_numerics({"12k-h1": ("fp32", "adamw"), "30k-h1": ("fp32", "adamw")}) is None
    assert mixed_numerics({}) is None


def test_other_numbers_name_every_rung_and_the_parity_experiment_that_exists():
    for other in (("bf16", "lean"), ("bf16-mixed", "adamw"), ("fp32", "lean"), ("fp32", "adabelief")):
        warning = mixed_numerics({"750k-h1": ("fp32", "adamw"), "2B-h1": other})
        assert warning is not None
        assert f"750k-h1 fp32 adamw, 2B-h1 {other[0]} {other[1]}" in warning
        assert PARITY in warning
    page, heading = PARITY.split(", ")
    text = (Path(__file__).parents[2] / page).read_text(encoding="utf-8")
    assert f"## {heading}" in text
