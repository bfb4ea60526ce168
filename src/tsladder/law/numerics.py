"""Were the rungs of a law trained with the same numbers? Precision and optimizer may change from rung to rung."""

from __future__ import annotations

from collections.abc import Mapping

PARITY = "benchmarks/README.md, Parity of lean training"


def mixed_numerics(recipes: Mapping[str, tuple[str, str]]) -> str | None:
    """A warning where the cells of one horizon do not share precision and optimizer; None where they do.

    `recipes`: cell -> (precision, optimizer), smallest rung first.
    """
    if len(set(recipes.values())) < 2:
        return None
    listed = ", ".join(f"{cell} {precision} {optimizer}" for cell, (precision, optimizer) in recipes.items())
    return (
        f"the rungs were trained in different numbers (precision and optimizer: {listed}), so a part of their "
        f"differences may be of those. How far lean and standard training were seen apart: {PARITY}. Set "
        "training.precision and training.optimizer to one each to ask the whole law in the same"
    )
