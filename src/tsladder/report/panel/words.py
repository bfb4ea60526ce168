"""Names of baselines and formats of figures in the report of a panel study. An undefined figure is never a zero."""

from __future__ import annotations

import math
from collections.abc import Sequence

from tsladder.artifacts.ranking_scores import OWN_STATIC_ORDER
from tsladder.artifacts.scores import Interval
from tsladder.ranking.baselines import BOOSTED_TREES, NO_ORDER, RIDGE, STATIC_ORDER
from tsladder.ranking.level import holds
from tsladder.report.words import RANKINGS

UNDEFINED = "undefined"

EXPLAINED = {
    NO_ORDER: "constant: all stocks of a day stand equal, so its RankIC is 0 by definition",
    STATIC_ORDER: "constant: one order for ever, stocks by their mean return in training",
    OWN_STATIC_ORDER: (
        "one order for ever, stocks by their mean return on the scored days: known in hindsight, so it is only shown"
    ),
    "reversal_1": "the stock that fell most in the last session ranks first",
    "reversal_5": "the stock that fell most in the last 5 sessions ranks first",
    "momentum_252_21": "the stock that rose most from 252 to 21 sessions ago ranks first",
    "low_volatility_63": "the stock with the least volatility of the last 63 sessions ranks first",
    RIDGE: "linear regression of the return's rank on the ranks of the columns of tier c21, fitted on training days",
    BOOSTED_TREES: "boosted trees on the same ranks, fitted on training days",
}


def name(baseline: str) -> str:
    """Return the readable name of a baseline; its own name where none is known."""
    return RANKINGS.get(baseline, baseline.replace("_", " "))


def names(baselines: Sequence[str]) -> str:
    """List baselines in a sentence: ridge regression, boosted trees and 5-day reversal."""
    return joined([name(baseline) for baseline in baselines])


def defined(value: float | None) -> float | None:
    """Return `value`, or None where it is no finite number."""
    return value if value is not None and math.isfinite(value) else None


def figure(value: float | None, digits: int = 4, scale: float = 1.0, unit: str = "") -> str:
    """Format `scale` times `value` with `digits` decimals and its unit; "undefined" without a finite value."""
    known = defined(value)
    if known is None:
        return UNDEFINED
    text = f"{scale * known:.{digits}f}"
    # A figure that rounds to zero has no sign.
    return (text.lstrip("-") if float(text) == 0.0 else text) + unit


def bounds(found: Interval, digits: int = 4, scale: float = 1.0, unit: str = "") -> str:
    """Format the ends of an interval: 0.0347 to 0.0611."""
    return f"{figure(found.low, digits, scale)} to {figure(found.high, digits, scale)}{unit}"


def estimate(
    value: float | None, found: Interval | None, digits: int = 4, *, scale: float = 1.0, chance: float | None = 0.0
) -> str:
    """Format a figure with its interval: 0.0062 (-0.0115 to 0.0239) (includes 0).

    The last part says that the interval holds `chance`, the figure of a ranking without skill; None: not asked. A
    figure that does not vary over days has no interval.
    """
    text = figure(value, digits, scale)
    if text == UNDEFINED or found is None or defined(found.low) is None or defined(found.high) is None:
        return text
    if found.low >= found.high:
        return text
    text = f"{text} ({bounds(found, digits, scale)})"
    return text if chance is None or not holds(found, chance) else f"{text} (includes {scale * chance:g})"


def sessions(count: int) -> str:
    """Format a number of sessions: 1 session, 5 sessions."""
    return f"{count:,} session{'' if count == 1 else 's'}"


def joined(items: Sequence[str]) -> str:
    """Join items in a sentence: a, b and c."""
    return " and ".join([", ".join(items[:-1]), items[-1]]) if len(items) > 1 else "".join(items)


def some(items: Sequence[str], most: int = 30) -> str:
    """List the first `most` items and count the rest."""
    rest = len(items) - most
    return ", ".join(items[:most]) + (f" and {rest:,} more" if rest > 0 else "")
