"""The model confidence set: which models cannot be told from the best on the days at hand."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tsladder.evaluation.bootstrap import block_length

Floats = NDArray[np.float64]

_SAME = 1e-12
_TIE_BREAK = 1e-12
"""Nats; far below what any loss is known to."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ConfidenceSet:
    """`members`: models that hold the best one with the asked-for confidence, best first.

    `p_values`: for every model, the level up to which it would be left out.
    """

    members: tuple[str, ...]
    p_values: Mapping[str, float]

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"members": list(self.members)}


def model_confidence_set(
    losses: Mapping[str, NDArray[np.floating]], *, confidence: float, draws: int, seed: int
) -> ConfidenceSet:
    """Hansen, Lunde and Nason (2011), the range statistic, from daily losses on the same days in time order.

    The stationary bootstrap's mean block is the longest that any model's distance to the average model asks for.
    Models of equal losses share one fate. A model that loses the same amount to another every day is left out with
    p 0: no resample says otherwise. Raises ValueError without models, and for losses that do not pair up.
    """
    series = {name: np.asarray(losses[name], dtype=np.float64) for name in sorted(losses)}
    shapes = {name: loss_N.shape for name, loss_N in series.items()}
    if not series or len(set(shapes.values())) > 1 or any(len(s) != 1 or s[0] < 2 for s in shapes.values()):
        raise ValueError(f"a confidence set needs the losses of its models on the same days, got {shapes}")
    if not all(np.isfinite(loss_N).all() for loss_N in series.values()):
        raise ValueError("a confidence set needs finite losses")
    ordered = sorted(series, key=lambda name: float(series[name].mean()))
    twin_of, worse = _certain_pairs(series, ordered)
    kept = [name for name in ordered if name not in twin_of and name not in worse]
    p_values = dict.fromkeys(worse, 0.0) | _p_values({name: series[name] for name in kept}, confidence, draws, seed)
    p_values |= {name: p_values[twin] for name, twin in twin_of.items()}
    return ConfidenceSet(
        members=tuple(name for name in ordered if p_values[name] > 1.0 - confidence),
        p_values={name: p_values[name] for name in sorted(p_values)},
    )


def _certain_pairs(series: Mapping[str, Floats], ordered: list[str]) -> tuple[dict[str, str], set[str]]:
    """(model -> an equal one before it, models that lose the same to a better one every day)."""
    twin_of: dict[str, str] = {}
    worse: set[str] = set()
    for better, name in itertools.combinations(ordered, 2):
        gap_N = series[name] - series[better]
        if better in twin_of or float(np.ptp(gap_N)) > _SAME:
            continue
        if float(np.abs(gap_N).max()) <= _SAME:
            twin_of.setdefault(name, better)
        else:
            worse.add(name)
    return twin_of, worse


def _p_values(series: Mapping[str, Floats], confidence: float, draws: int, seed: int) -> dict[str, float]:
    if len(series) == 1:
        return dict.fromkeys(series, 1.0)
    import pandas as pd
    from arch.bootstrap import MCS

    mean_N = np.mean(list(series.values()), axis=0)
    block = max(block_length(loss_N - mean_N) for loss_N in series.values())
    # Of models whose distances tie to the last bit the library drops all at once, the best one too.
    apart = {name: loss_N + place * _TIE_BREAK for place, (name, loss_N) in enumerate(series.items())}
    found = MCS(
        pd.DataFrame(apart),
        size=1.0 - confidence,
        reps=draws,
        block_size=block,
        method="R",
        bootstrap="stationary",
        seed=np.random.default_rng(seed),
    )
    found.compute()
    return {str(name): float(p) for name, p in found.pvalues["Pvalue"].items()}
