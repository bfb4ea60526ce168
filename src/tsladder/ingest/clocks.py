"""Parsing of times of the day and time zones, written behind a day or in a column of their own."""

from __future__ import annotations

import datetime
import re
import zoneinfo
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_CLOCK = re.compile(
    r"(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2})(?:[.,:][0-9]+)?)?"
    r"(?: ?(?P<half>[AaPp])\.?[Mm]\.?)?"
    r"|(?P<digits>[0-9]{6}|[0-9]{4})(?:\.0)?|(?P<hours>[0-9]{1,2})(?:\.0)?"
)
_OFFSET = re.compile(r"(?:UTC|GMT)?(?P<sign>[+-])(?P<hours>[0-9]{1,2}):?(?P<minutes>[0-9]{2})?")
# Abbreviations that mean one zone only; CST and IST, for two, are not among them.
_ABBREVIATIONS = {
    "Z": 0, "UTC": 0, "GMT": 0, "EST": -5, "EDT": -4, "PST": -8, "PDT": -7, "CET": 1, "CEST": 2, "MSK": 3, "HKT": 8,
    "JST": 9, "KST": 9, "AEST": 10, "AEDT": 11,
}  # fmt: skip


def clock_seconds(texts: Sequence[str]) -> NDArray[np.float64]:
    """Parse times of the day into seconds since midnight; NaN for a text that is not a time."""
    known = {text: _seconds(text) for text in set(texts)}
    return np.array([known[text] for text in texts], dtype=np.float64)


def _seconds(text: str) -> float:
    match = _CLOCK.fullmatch(text.strip())
    if match is None:
        return float("nan")
    if match["digits"] is not None or match["hours"] is not None:
        digits = (match["digits"] or f"{int(match['hours']):02d}").ljust(6, "0")
        hour, minute, second = int(digits[:2]), int(digits[2:4]), int(digits[4:6])
    else:
        hour, minute, second = int(match["hour"]), int(match["minute"]), int(match["second"] or 0)
    if match["half"]:
        hour = hour % 12 + (12 if match["half"].lower() == "p" else 0)
    sound = hour < 24 and minute < 60 and second < 60
    return float(hour * 3600 + minute * 60 + second) if sound else float("nan")


def zone_offsets(
    zones: Sequence[str], days_R: NDArray[np.datetime64], clock_R: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the offset of every row in seconds east of Greenwich; NaN if the row has no zone or an unknown one."""
    fixed = {zone: fixed_offset(zone) for zone in set(zones)}
    if all("/" not in zone for zone in fixed):
        return np.array([fixed[zone] for zone in zones], dtype=np.float64)
    offsets = np.full(len(zones), np.nan)
    for place, zone in enumerate(zones):
        offset = fixed[zone]
        named = named_zone(zone) if offset != offset and "/" in zone else None
        if named is not None and not np.isnat(days_R[place]):
            start = datetime.datetime.fromisoformat(str(days_R[place]))
            moment = start + datetime.timedelta(seconds=float(np.nan_to_num(clock_R[place])))
            east = moment.replace(tzinfo=named).utcoffset()
            offset = float("nan") if east is None else east.total_seconds()
        offsets[place] = offset
    return offsets


def fixed_offset(zone: str) -> float:
    """Parse `Z`, `+09:00`, `GMT+2` or `JST` into seconds east of Greenwich; NaN for anything else."""
    if zone.upper() in _ABBREVIATIONS:
        return 3600.0 * _ABBREVIATIONS[zone.upper()]
    match = _OFFSET.fullmatch(zone)
    if match is None:
        return float("nan")
    seconds = 3600.0 * int(match["hours"]) + 60.0 * int(match["minutes"] or 0)
    return -seconds if match["sign"] == "-" else seconds


def named_zone(name: str) -> zoneinfo.ZoneInfo | None:
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return None
