"""Format numbers, durations and tables as plain text."""

from __future__ import annotations

from collections.abc import Sequence

MISSING = "-"

_MINUTE, _HOUR, _DAY = 60.0, 3600.0, 24 * 3600.0


def number(value: float | None, digits: int) -> str:
    """Format `value` with `digits` decimals."""
    return MISSING if value is None else f"{value:.{digits}f}"


def duration(seconds: float | None, unknown: str = MISSING) -> str:
    """Format a duration in at most two units: 0.25s, 4.2s, 5m07s, 2h05m, 3d04h."""
    if seconds is None:
        return unknown
    if seconds < 10:
        return f"{seconds:.2g}s" if seconds < 1 else f"{seconds:.1f}s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days}d{hours:02d}h"
    return f"{hours}h{minutes:02d}m" if hours else f"{minutes}m{rest:02d}s"


def duration_with_interval(seconds: float | None, low: float | None, high: float | None) -> str:
    """Format a duration and its interval: 2h05m (1h40m to 2h30m)."""
    if seconds is None or low is None or high is None or (low == seconds == high):
        return duration(seconds)
    return f"{duration(seconds)} ({duration(low)} to {duration(high)})"


def steady_duration(seconds: float | None) -> str:
    """Format a duration for a live table, without seconds beside minutes, which would flicker: 42s, 5m,
    2h05m, 3d04h."""
    if seconds is None:
        return MISSING
    if seconds < _MINUTE:
        return f"{seconds:.0f}s"
    minutes = round(seconds / _MINUTE)
    hours, days = minutes // 60, minutes // (24 * 60)
    if days:
        return f"{days}d{hours % 24:02d}h"
    return f"{hours}h{minutes % 60:02d}m" if hours else f"{minutes}m"


def steady_duration_with_interval(seconds: float | None, low: float | None, high: float | None) -> str:
    """Format a duration and its interval for a live table: 2h05m (2h-3h).

    Each bound has one unit; the interval is omitted where both bounds read alike.
    """
    text = steady_duration(seconds)
    if seconds is None or low is None or high is None or _one_unit(low) == _one_unit(high):
        return text
    return f"{text} ({_one_unit(low)}-{_one_unit(high)})"


def _one_unit(seconds: float) -> str:
    if seconds < 1.5 * _MINUTE:
        return f"{seconds:.0f}s"
    if seconds < 1.5 * _HOUR:
        return f"{seconds / _MINUTE:.0f}m"
    return f"{seconds / _HOUR:.0f}h" if seconds < 1.5 * _DAY else f"{seconds / _DAY:.0f}d"


def duration_in_words(seconds: float | None, unknown: str = MISSING) -> str:
    """Format a duration for a sentence, in one unit: 42 s, 12 min, 5.1 h, 3.2 days."""
    if seconds is None:
        return unknown
    if seconds < 2 * _MINUTE:
        return f"{seconds:.0f} s"
    if seconds < 2 * _HOUR:
        return f"{seconds / _MINUTE:.0f} min"
    return f"{seconds / _HOUR:.1f} h" if seconds < 3 * _DAY else f"{seconds / _DAY:.1f} days"


def aligned(rows: Sequence[tuple[str, ...]]) -> list[str]:
    """Format `rows` as the lines of a table whose columns are as wide as their widest entry, two spaces apart."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return ["  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in rows]
