"""Format numbers and names for the reader. Unknown values are a dash, never a zero."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from tsladder.artifacts.law_fits import Interval
from tsladder.artifacts.ranking_scores import OWN_STATIC_ORDER
from tsladder.artifacts.scores import Interval as _Interval
from tsladder.artifacts.scores import Skill
from tsladder.formatting import duration_in_words
from tsladder.law.wording import exponent_in_words, interval_in_words, p_in_words
from tsladder.ranking.baselines import BOOSTED_TREES, NO_ORDER, RIDGE, STATIC_ORDER

MISSING = "—"

VERDICTS = {
    "invalid": "These losses may know the future, so no figure counts.",
    "too_few_rungs": "Too few model sizes have a loss to speak of a law.",
    "no_skill": "No model size forecasts better than a constant, so there is no error for size to improve.",
    "scales": "Over the whole ladder, larger models forecast better.",
    "worse_with_size": "Over the whole ladder, larger models forecast worse.",
    "flat": "Larger models forecast as well as smaller ones, no better and no worse by any margin that matters.",
    "not_monotone": "The error falls between some sizes and rises between others: no power law describes it.",
    "underpowered": "This ladder is too noisy or too short, or its test days are too few, to tell a law from no law.",
}
"""Meaning of each verdict for a reader without training in statistics, whatever functional form the law has."""

FORECASTS = {
    "base_rate": "constant known from training",
    "own_rate": "constant known in hindsight, this region's own",
    "volatility_logistic": "logistic on volatility",
    "zero_return": "a return of zero",
    "last_day_ratio_logistic": "logistic on the last day's features",
    "last_day_ratio_ridge": "ridge on the last day's features",
    "persistence": "persistence of the last known label",
    "gradient_boosted_trees": "boosted trees on the last day's features",
}

BRIEF = {
    "base_rate": "constant",
    "own_rate": "constant in hindsight",
    "volatility_logistic": "volatility logistic",
    "zero_return": "zero return",
    "last_day_ratio_logistic": "last-day logistic",
    "last_day_ratio_ridge": "last-day ridge",
    "persistence": "persistence",
    "gradient_boosted_trees": "last-day trees",
}
"""Short names of the same forecasts."""

RANKINGS = {
    NO_ORDER: "no order",
    STATIC_ORDER: "static order",
    OWN_STATIC_ORDER: "static order in hindsight",
    "reversal_1": "1-day reversal",
    "reversal_5": "5-day reversal",
    "momentum_252_21": "momentum 252-21",
    "low_volatility_63": "low volatility 63",
    RIDGE: "ridge regression",
    BOOSTED_TREES: "boosted trees",
}
"""Names of the constants and baselines of a panel study."""

FORMS = {
    "constant": "a constant",
    "power": "a power of N",
    "power_floor": "a power of N above a floor",
    "overfit": "a loss that turns upwards with N",
}
"""Functional forms over N that a law can take and that AICc compares."""

_OTHER_FORMS = {"surface": "a surface over N and the amount of data", "not identifiable": "not identifiable"}


def number(value: float | None, digits: int = 4) -> str:
    return MISSING if value is None else f"{value:.{digits}f}"


def short(value: float | None) -> str:
    """Format to four significant digits: 0.00171, 20, 11.5."""
    return MISSING if value is None else f"{value:.4g}"


def exponent(alpha: float | None) -> str:
    """Format an exponent with four decimals, or in scientific notation where those would show a nonzero value as 0."""
    return MISSING if alpha is None else exponent_in_words(alpha)


def exponents(bounds: Interval | None) -> str:
    """Format an interval of exponents: 0.0120 to 0.0310."""
    return MISSING if bounds is None else interval_in_words(bounds)


def chance(p: float | None) -> str:
    """Format a p-value for a table, to two significant digits: 0.041; < 0.001 for smaller ones, since none is 0."""
    return MISSING if p is None else p_in_words(p).removeprefix("p ").removeprefix("= ")


def p_value(p: float | None) -> str:
    """Format a p-value for a sentence: p = 0.041, p < 0.001."""
    return "p unknown" if p is None else p_in_words(p)


def percent(value: float | None, digits: int = 1) -> str:
    return MISSING if value is None else f"{100.0 * value:.{digits}f} %"


def signed_percent(value: float | None) -> str:
    return MISSING if value is None else f"{100.0 * value:+.1f} %"


def signed(value: float | None, digits: int = 4) -> str:
    return MISSING if value is None else f"{value:+.{digits}f}"


def size(n_params: float | None) -> str:
    """Format a parameter count that need not be an integer."""
    return count(None if n_params is None else round(n_params))


def ratio(value: float | None) -> str:
    """Format to three significant digits without an exponent: 0.0123, 26.7, 5,746."""
    if value is None:
        return MISSING
    return f"{value:,.0f}" if abs(value) >= 100.0 else f"{value:.3g}"


def level(confidence: float) -> str:
    """Format a confidence level as a percentage: 0.95 -> 95 %, 0.999 -> 99.9 %."""
    return f"{100.0 * confidence:g} %"


def count(value: int | None) -> str:
    return MISSING if value is None else f"{value:,}"


def part_of(part: int | None, whole: int | None) -> str:
    return MISSING if part is None or whole is None else f"{count(part)} of {count(whole)}"


def interval(bounds: Interval | None, digits: int = 4) -> str:
    return MISSING if bounds is None else f"{number(bounds[0], digits)} to {number(bounds[1], digits)}"


def estimate(value: float | None, found: _Interval | None, digits: int = 4) -> str:
    """Format a value and its interval: 0.3485 (0.3101 to 0.3869); the bare value where there is no interval."""
    if found is None:
        return number(value, digits)
    return f"{number(found.value, digits)} ({interval(found.ci, digits)})"


def skill(against: Skill | None) -> str:
    """Format a skill and its interval: 17.6 % (12.0 to 23.1 %)."""
    if against is None or against.skill is None:
        return MISSING
    value = percent(against.skill)
    if against.ci is None:
        return value
    return f"{value} ({100.0 * against.ci[0]:.1f} to {percent(against.ci[1])})"


def form(name: str | None) -> str:
    return MISSING if name is None else (FORMS | _OTHER_FORMS).get(name, name.replace("_", " "))


def forecast(name: str) -> str:
    return (FORECASTS | RANKINGS).get(name, name.replace("_", " "))


def brief(name: str) -> str:
    return BRIEF.get(name, name.replace("_", " "))


def forecasts_in_order(names: Collection[str]) -> list[str]:
    """Sort `names` in the order of `FORECASTS`, constants first; unknown names come last."""
    return [*(name for name in FORECASTS if name in names), *sorted(set(names) - set(FORECASTS))]


def with_error(value: float | None, error: float | None, digits: int = 4) -> str:
    """Format mean ± standard error; the mean alone where the error is unknown."""
    if value is None or error is None:
        return number(value, digits)
    return f"{number(value, digits)} ± {number(error, digits)}"


def counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def listed(items: Iterable[str]) -> str:
    return ", ".join(items) or MISSING


def tally(counts: Mapping[str, int]) -> str:
    """Format counts: {"early_stopping": 7, "pruned": 1} -> "7 early stopping, 1 pruned"."""
    return listed(f"{number} {reason.replace('_', ' ')}" for reason, number in counts.items())


def duration(seconds: float | None) -> str:
    return duration_in_words(seconds, MISSING)


def days(horizon: int) -> str:
    return f"{horizon} day{'' if horizon == 1 else 's'}"


def architecture(sizes: Mapping[str, int]) -> str:
    """Format width, depth, heads, feed-forward size and, in families that have them, graph layers in one phrase."""
    names = (
        ("d_model", "d_model"),
        ("n_layers", "layers"),
        ("n_heads", "heads"),
        ("d_ff", "d_ff"),
        ("n_graph", "graph layers"),
    )
    return listed(f"{words} {sizes[key]}" for key, words in names if key in sizes)
