"""Tables of what the searches show about shape and settings. Pure."""

from __future__ import annotations

from tsladder.report import words
from tsladder.report.blocks import Table, table
from tsladder.report.patterns.agreement import STABLE, WIDE_SPREAD, Agreement
from tsladder.report.patterns.depth import DepthPattern, Preference
from tsladder.report.patterns.found import SearchPatterns
from tsladder.report.patterns.ranks import weakest_detectable

Horizons = tuple[int, ...]


def depth_table(found: SearchPatterns, *, is_loss: bool) -> Table:
    """Return one row per cell. `is_loss`: scores are losses with their sign inverted."""
    return table(
        "depth-or-width",
        "Depth against width in every search",
        text=("cell",),
        numbers=(
            "complete trials",
            "left out",
            "best of the deep half",
            "best of the wide half",
            "deep ahead by",
            "p of that",
            "rank correlation",
            "p",
            "p, corrected",
        ),
        after=("in words",),
        rows=[_depth_row(pattern, found, -1.0 if is_loss else 1.0) for pattern in found.depth],
    )


def _depth_row(pattern: DepthPattern, found: SearchPatterns, sign: float) -> tuple[str, ...]:
    halves = pattern.halves
    return (
        str(pattern.cell),
        words.count(pattern.trials),
        words.count(pattern.left_out),
        words.number(None if halves is None else sign * halves.best_deep),
        words.number(None if halves is None else sign * halves.best_wide),
        words.signed(None if halves is None else halves.ahead),
        words.chance(None if halves is None else halves.p),
        words.signed(pattern.rho, 2),
        words.chance(pattern.p),
        words.chance(pattern.p_holm),
        depth_sentence(pattern, found),
    )


def depth_sentence(pattern: DepthPattern, found: SearchPatterns) -> str:
    """Describe what one search shows about depth; where it shows no pattern, what it could have detected."""
    text = str(pattern.preference)
    if pattern.preference is Preference.NO_PATTERN:
        if pattern.rho is None:
            text += ": all scores are the same"
        else:
            tests = sum(other.p is not None for other in found.depth)
            text += f": {describe_detectable(weakest_detectable(pattern.trials, found.level / tests, found.seed))}"
    if pattern.halves is not None and pattern.halves.at_median:
        text += f"; {words.counted(pattern.halves.at_median, 'trial')} at the median, in neither half"
    return text


def describe_detectable(weakest: float | None) -> str:
    return "no correlation of so few could show" if weakest is None else f"from ±{weakest:.2f} on it would show"


def winners_table(found: SearchPatterns, horizons: Horizons) -> Table:
    """Return one row per rung: width by depth of each horizon's winner."""
    rows = []
    for pattern in found.winners:
        shapes = [pattern.winners.get(horizon) for horizon in horizons]
        chance = None if pattern.chances is None else pattern.chances[pattern.order]
        row = (
            pattern.budget,
            *(words.MISSING if shape is None else f"{shape[0]} wide, {shape[1]} deep" for shape in shapes),
            str(pattern.order),
            words.percent(chance),
        )
        rows.append(row)
    return table(
        "winners-by-horizon",
        "The winners' shapes over the horizons",
        text=("rung", *(f"h{horizon}" for horizon in horizons), "order"),
        numbers=("by chance",),
        rows=rows,
    )


def settings_table(found: SearchPatterns) -> Table:
    """Return one row per cell: the settings of the best trials against those of all trials."""
    return table(
        "settings-in-common",
        "The settings of the best trials against those of all",
        text=("cell",),
        numbers=("compared", *(name.replace("_", " ") for name in STABLE), "p, corrected"),
        after=("settings",),
        rows=[_settings_row(item) for item in found.agreements],
    )


def _settings_row(item: Agreement) -> tuple[str, ...]:
    stable = "stable" if item.stable else "not shown to be stable"
    return (
        str(item.cell),
        words.part_of(item.best, item.trials),
        *(words.percent(item.ranges.get(name), 0) for name in STABLE),
        words.chance(item.p_stable),
        words.MISSING if item.p_stable is None else stable,
    )


def best_trials_table(found: SearchPatterns) -> Table:
    """Return one row per cell: how far the best trials are ahead, and how close to each other they lie."""
    return table(
        "best-trials",
        "The best trials against all of their search",
        text=("cell",),
        numbers=("compared", "median behind best", "distance", "p, corrected"),
        after=("spread", "best trials lie"),
        rows=[_best_trials_row(item) for item in found.agreements],
    )


def _best_trials_row(item: Agreement) -> tuple[str, ...]:
    wide = words.MISSING
    if item.spread is not None:
        wide = f"{'at least' if item.spread >= WIDE_SPREAD else 'below'} {words.percent(WIDE_SPREAD, 0)}"
    return (
        str(item.cell),
        words.part_of(item.best, item.trials),
        words.percent(item.spread),
        words.number(item.distance, 2),
        words.chance(item.p_scatter),
        wide,
        str(item.scatter),
    )
