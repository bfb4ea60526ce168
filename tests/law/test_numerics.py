from pathlib import Path

from tsladder.law.numerics import PARITY, mixed_numerics


def test_the_same_numbers_are_not_worth_a_word():
    assert mixed_numerics({"12k-h1": ("fp32", "adamw"), "30k-h1": ("fp32", "adamw")}) is None
    assert mixed_numerics({}) is None


def test_other_numbers_name_every_rung_and_the_parity_experiment_that_exists():
    for other in (("bf16", "lean"), ("bf16-mixed", "adamw"), ("fp32", "lean")):
        warning = mixed_numerics({"750k-h1": ("fp32", "adamw"), "2B-h1": other})
        assert warning is not None
        assert f"750k-h1 fp32 adamw, 2B-h1 {other[0]} {other[1]}" in warning
        assert PARITY in warning
    page, heading = PARITY.split(", ")
    text = (Path(__file__).parents[2] / page).read_text(encoding="utf-8")
    assert f"## {heading}" in text
