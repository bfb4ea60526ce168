"""Detection of columns that are constant over training, from which no model can learn anything."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from tsladder.data.features import FeatureTable
from tsladder.data.splits import Splits
from tsladder.data.tier_columns import columns_of_volume


def constant_columns(table: FeatureTable, splits: Iterable[Splits], context_length: int) -> tuple[str, ...]:
    """Return the columns that are constant over the days in training windows, at any horizon.

    `splits`: one for each horizon; in a walk forward the last fold counts, on which winners are trained. With several
    symbols the days of all count together.
    """
    constant_F = np.zeros(len(table.columns), dtype=bool)
    for cut in splits:
        ends_N = cut.train.ends_N(context_length, cut.horizon)
        if len(ends_N) == 0:
            continue
        steps = np.bincount(ends_N - context_length + 1, minlength=len(table.dates_T) + 1)
        steps -= np.bincount(ends_N + 1, minlength=len(table.dates_T) + 1)
        shown_TF = table.values_TF[np.cumsum(steps)[:-1] > 0]
        constant_F |= shown_TF.max(axis=0) == shown_TF.min(axis=0)
    return tuple(name for name, constant in zip(table.names, constant_F, strict=True) if constant)


def describe_constant_columns(constant: Sequence[str], columns: int, tier: str) -> str:
    """Return one sentence that names the constant columns of `tier`'s `columns`, and how to leave them out where
    possible."""
    are, them = ("is", "it") if len(constant) == 1 else ("are", "them")
    sentence = (
        f"{len(constant)} of {columns} columns {are} constant over training, and nothing can be learned from {them}"
    )
    way = (
        "; data.volume: false leaves out every column made of the volume"
        if columns_of_volume(tier) & set(constant)
        else ""
    )
    return f"{sentence}: {', '.join(constant)}{way}."
