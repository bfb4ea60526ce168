"""Cautions about bars that can distort the law of a study, one sentence per kind, shown with the verdict. Pure.

Only irregularities within the days of the study count, and only where they change more than a few labels of thousands:

- a jump that looks like a split, a day that was left out: always, since each makes labels wrong unintentionally;
- a gap: above LONG_CLOSURE_DAYS, since closures of exchanges are shorter, or where long steps are frequent;
- days whose High or Low was widened, days without trade: above SHARE of the days of a region.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tsladder.data.irregular import LONG_GAP_DAYS, Gap
from tsladder.data.irregular_days import IrregularDays, Jump
from tsladder.data.used_days import REGION_WORDS, Days, UsedDays, as_days
from tsladder.params import TargetParams
from tsladder.tasks import load as load_task

LONG_CLOSURE_DAYS = 12
"""Most calendar days between two bars that a closure of exchanges explains; the longest holidays (Lunar New Year,
Golden Week) make eleven."""

SHARE = 0.01
"""Share of the days of a region above which repairs and days without trade are reported with the verdict."""

FREQUENT = 0.02
"""Share of the days of a region above which steps of more than LONG_GAP_DAYS are reported; holidays make half of it."""

_SHOWN = 4
_SPLITS = ((2, 1), (3, 1), (4, 1), (5, 1), (5, 2), (6, 1), (7, 1), (8, 1), (10, 1), (15, 1), (20, 1), (25, 1), (50, 1))
_LIKE = 0.06
"""Tolerance between a ratio of closes and a split's: the market moves on that day, too."""


def cautions(
    symbol: str, found: IrregularDays, used: UsedDays, target: TargetParams, *, volume_used: bool = True
) -> tuple[str, ...]:
    """Return the cautions on a symbol as sentences without a full stop, equal at every horizon with the same regions.

    `volume_used`: columns made of the volume are fed to the models.
    """
    sentences = (
        _jumps(symbol, found, used),
        _gaps(symbol, found.gaps, used),
        _rare(symbol, found.gaps, used),
        _left_out(symbol, found, used),
        _widened(symbol, found, used, target),
        _idle(symbol, found, used, volume_used=volume_used),
    )
    return tuple(sentence for sentence in sentences if sentence is not None)


def _jumps(symbol: str, found: IrregularDays, used: UsedDays) -> str | None:
    inside = [(jump, region) for jump in found.jumps if (region := used.region_of(jump.day)) is not None]
    if not inside:
        return None
    parts = _first(
        [
            f"{_change(jump)} on {jump.day} ({REGION_WORDS[region]}){_looks_like_a_split(jump)}"
            for jump, region in inside
        ]
    )
    one = len(inside) == 1
    if_split = "if it is a split, labels and features around that day are wrong"
    if_splits = "where these are splits that are not adjusted, labels and features around them are wrong"
    return f"the Close of {symbol} {parts}; {if_split if one else if_splits}: {found.jump_way}"


def _looks_like_a_split(jump: Jump) -> str:
    split = split_like(jump.ratio)
    return "" if split is None else f", as an unadjusted split of {split} does"


def _change(jump: Jump) -> str:
    if jump.ratio < 1.0:
        return f"falls by {1.0 - jump.ratio:.0%}"
    return f"rises by {jump.ratio - 1.0:.0%}" if jump.ratio < 3.0 else f"rises to {jump.ratio:.3g} times the day before"


def split_like(ratio: float) -> str | None:
    """Return the split that would change an unadjusted Close by `ratio`, as "2:1" (two for one) or "1:10"; None if none
    does."""
    for new, old in _SPLITS:
        if abs(ratio * new / old - 1.0) < _LIKE:
            return f"{new}:{old}"
        if abs(ratio * old / new - 1.0) < _LIKE:
            return f"{old}:{new}"
    return None


def _gaps(symbol: str, gaps: Sequence[Gap], used: UsedDays) -> str | None:
    inside = [
        (gap, region)
        for gap in gaps
        if gap.days > LONG_CLOSURE_DAYS
        and (region := used.region_of(gap.before)) is not None
        and used.region_of(gap.after) is region
    ]
    if not inside:
        return None
    parts = [f"from {gap.after} to {gap.before} ({gap.days} days, {REGION_WORDS[region]})" for gap, region in inside]
    return (
        f"{symbol} has no bars {_first(parts)}: a model takes the days on either side for neighbours, so labels asked "
        "before such a gap are answered after it, and indicators run across it: bring a file with the missing days"
    )


def _rare(symbol: str, gaps: Sequence[Gap], used: UsedDays) -> str | None:
    shares = _shares(as_days([gap.before for gap in gaps]), used, FREQUENT)
    if shares is None:
        return None
    return (
        f"{symbol} often has no bars for days: more than {LONG_GAP_DAYS} calendar days pass before {shares}, so a "
        "horizon of one bar is often a week, and losses of days are not those of a daily market"
    )


def _left_out(symbol: str, found: IrregularDays, used: UsedDays) -> str | None:
    counts = {left.option: used.counts(left.days) for left in found.left_out}
    options = [option for option, count in counts.items() if sum(count.values())]
    if not options:
        return None
    by_region = {region: sum(counts[option][region] for option in options) for region in used.rows}
    parts = _joined_with_and([f"{count} of {REGION_WORDS[region]}" for region, count in by_region.items() if count])
    first = min(day for left in found.left_out for day in left.days[_anywhere(left.days, used)])
    number = sum(by_region.values())
    return (
        f"{number} day{'' if number == 1 else 's'} of {symbol} inside the days used {_was(number)} left out "
        f"({parts}; {' and '.join(options)}; first {first}): a model takes the days on either side for neighbours, so "
        "labels across them are answered a bar late"
    )


def _widened(symbol: str, found: IrregularDays, used: UsedDays, target: TargetParams) -> str | None:
    shares = _shares(found.widened, used, SHARE)
    if shares is None:
        return None
    harm = "features of the day's range are too small there"
    if load_task(target.task).reads_high(target.price):
        harm = "the true High may lie higher, so labels may miss a touch there, and " + harm
    return (
        f"--repair range widened High or Low of {symbol} to Open and Close on {shares}, by {found.steps.max():.2%} at "
        f"most: {harm}"
    )


def _idle(symbol: str, found: IrregularDays, used: UsedDays, *, volume_used: bool) -> str | None:
    shares = _shares(found.idle, used, SHARE)
    if shares is None:
        return None
    zeroed = sum(used.counts(found.volume_zero).values())
    taken = f" ({zeroed} of them had none, --missing-volume zero)" if zeroed else ""
    idle, repeating = (sum(used.counts(days).values()) for days in (found.idle, found.repeating))
    if 2 * repeating >= idle:
        harm = (
            f"the Close repeats the day before on {repeating} of these {idle}, so that their labels and returns are "
            "those of a price that nobody paid, and easier to forecast than the market"
        )
    elif not volume_used:
        return None
    else:
        harm = "columns made of Volume say nothing there, or there was trade and Volume is wrong"
    return f"the Volume of {symbol} is 0 on {shares}{taken}: {harm}"


def _shares(days_N: Days, used: UsedDays, least: float) -> str | None:
    """Describe each region in which more than the share `least` of all days are among `days_N`; None where there is
    none."""
    parts = [
        f"{count / rows:.1%} of the {REGION_WORDS[region]} days ({count} of {rows})"
        for region, count in used.counts(days_N).items()
        if (rows := used.rows[region]) and count > least * rows
    ]
    return _joined_with_and(parts) if parts else None


def _anywhere(days_N: Days, used: UsedDays) -> NDArray[np.bool_]:
    anywhere: NDArray[np.bool_] = np.any(list(used.inside(days_N).values()), axis=0)
    return anywhere


def _first(parts: Sequence[str]) -> str:
    more = len(parts) - _SHOWN
    return _joined_with_and([*parts[:_SHOWN], f"{more} more times"] if more > 0 else parts)


def _joined_with_and(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def _was(number: int) -> str:
    return "was" if number == 1 else "were"
