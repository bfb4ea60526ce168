"""RankIC of a loss, and its format in sentences.

The loss of a ranking is its rank error, 1 - RankIC, so that people read 1 - loss, and a lower loss is a higher RankIC.
"""

from __future__ import annotations

from tsladder.vocabulary import RANK_ERROR

_LEAST = 5e-5
"""Least value that four decimals show."""
_NOTHING = 1e-15


def is_rank_error(metric: str) -> bool:
    """Check whether losses of this name are those of a ranking, of which people read the RankIC."""
    return metric == RANK_ERROR


def rank_ic_of(loss: float) -> float:
    """Return the RankIC of a rank error, or of a mean of them."""
    return 1.0 - loss


def rank_ic(value: float) -> str:
    """Format a RankIC with four decimals, "0.0484", or in powers of ten where those would show 0 for a value that is
    not."""
    if abs(value) < _NOTHING:
        return f"{0.0:.4f}"
    return f"{value:.4f}" if abs(value) >= _LEAST else f"{value:.1e}"


def gain(value: float) -> str:
    """Format a difference of two RankICs with its sign: "+0.0031"."""
    return rank_ic(value) if value < 0.0 else f"+{rank_ic(value)}"


def gain_with_interval(value: float, low: float, high: float) -> str:
    """Format a difference of two RankICs with its interval: "+0.0031 (-0.0012 to 0.0074)"."""
    return f"{gain(value)} ({rank_ic(low)} to {rank_ic(high)})"
