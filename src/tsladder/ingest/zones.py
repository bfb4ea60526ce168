"""Determination of the day that a bar belongs to, when its time may be the midnight of another zone.

A program that stores Tokyo's midnight in UTC writes 15:00 of the day before: read as written, every bar is a day early
and the week runs from Sunday to Thursday. Nothing else in the file shows it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tsladder.errors import BadInput
from tsladder.ingest.choices import Choices, DayShift
from tsladder.ingest.clocks import fixed_offset, named_zone
from tsladder.ingest.dates import Stamps, is_daily
from tsladder.ingest.weekdays import FEW, SATURDAY, SUNDAY, spans_a_week, week_in_words, weekday, weekend_share

# From this hour of UTC on, some zone's next day has begun: the first is UTC+14.
_EARLIEST_MIDNIGHT = 10 * 3600.0
# A bar labelled with the last minute of a day means that day.
_END_OF_DAY = 23 * 3600 + 59 * 60.0
_DAY = 86400.0
_EARLY_SHARE = 0.1
_FEWEST_ROWS = 4
_DISTINCT = 0.7
_FEWEST_WEEKS, _MOST = 3, 0.8
# Tried in this order to name a zone in which all times are midnights; one for each offset that exchanges have.
_EXAMPLES = (
    "Asia/Tokyo", "Asia/Hong_Kong", "Australia/Sydney", "Europe/Berlin", "Europe/Athens", "Asia/Kolkata",
    "Europe/Moscow", "Asia/Jakarta", "Pacific/Auckland", "Europe/London", "Asia/Dubai", "Asia/Karachi", "Asia/Dhaka",
    "Australia/Adelaide", "Australia/Brisbane", "America/New_York", "America/Chicago", "America/Sao_Paulo",
    "America/Los_Angeles",
)  # fmt: skip
# Exchanges there have, or had until lately, a week from Sunday to Thursday: a date without a time tells nothing.
_OTHER_WEEKS = frozenset(
    ("Asia/Jerusalem", "Asia/Tel_Aviv", "Israel", "Asia/Riyadh", "Asia/Kuwait", "Asia/Qatar", "Asia/Bahrain",
     "Asia/Amman", "Asia/Dubai", "Asia/Muscat", "Asia/Dhaka", "Asia/Kathmandu", "Asia/Tehran", "Africa/Cairo",
     "Africa/Algiers", "Africa/Tripoli")
)  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class ExchangeDays:
    """Days of the exchange.

    `zone` and `shift`: the choice of the user by which `days_R` were determined; both are None if they are as written.
    """

    days_R: NDArray[np.datetime64]
    zone: str | None
    shift: DayShift | None
    notes: tuple[str, ...]


def check_zone(zone: str) -> None:
    if np.isnan(fixed_offset(zone)) and named_zone(zone) is None:
        raise BadInput(f"--zone must be a zone like Asia/Tokyo or an offset like +09:00, got {zone!r}")


def settle_days(stamps: Stamps, rows_R: NDArray[np.int64], source: str, choices: Choices) -> ExchangeDays:
    """Determine the days of the exchange.

    Raises BadInput with both readings if the written day may not be the exchange's and `choices` do not decide it.
    Faulty rows (NaT) do not count.
    """
    known_R = ~np.isnat(stamps.days_R)
    if choices.days is not None:
        days_R = stamps.days_R + choices.days.days
        week = week_in_words(days_R[known_R]) if known_R.any() else "no day"
        words = {DayShift.AS_WRITTEN: "as they are written", DayShift.NEXT: "one later than written",
                 DayShift.PREVIOUS: "one earlier than written"}[choices.days]  # fmt: skip
        return ExchangeDays(
            days_R=days_R, zone=None, shift=choices.days, notes=(f"days are taken {words}, as told: {week}",)
        )
    if not known_R.any():
        return ExchangeDays(days_R=stamps.days_R, zone=None, shift=None, notes=())
    if choices.zone is not None:
        return _in_zone(stamps, known_R, rows_R, source, choices.zone)
    doubt = _doubt(stamps, known_R)
    if doubt is not None:
        raise _refusal(stamps, known_R, rows_R, source, doubt)
    return ExchangeDays(days_R=stamps.days_R, zone=None, shift=None, notes=_notes_as_written(stamps, known_R))


def _clock(stamps: Stamps, known_R: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the times of the known rows in seconds since midnight; empty if there are none."""
    clock = stamps.clock_R[known_R]
    return clock[~np.isnan(clock)]


def _doubt(stamps: Stamps, known_R: NDArray[np.bool_]) -> DayShift | None:
    """Return the shift to the other day that the bars may belong to; None if the written day is certain."""
    days, clock = stamps.days_R[known_R], _clock(stamps, known_R)
    written, later, earlier = (weekend_share(days + step) for step in (0, 1, -1))
    tells = len(days) >= _FEWEST_ROWS and spans_a_week(days)
    # The clock of a zone with summer time is a midnight elsewhere in one half of the year only.
    is_late = (clock >= _EARLIEST_MIDNIGHT) & (clock < _END_OF_DAY)
    late = days[~np.isnan(stamps.clock_R[known_R])][is_late]
    is_next = (
        (tells and written > _EARLY_SHARE and later <= FEW)
        or (len(late) > len(days) / 2 and not (weekend_share(late) <= FEW < weekend_share(late + 1)))
        or (len(late) > FEW * len(days) and weekend_share(late) > _EARLY_SHARE and weekend_share(late + 1) <= FEW)
        or (written > 0 and _stand_for_another(days, SUNDAY, 5))
    )
    is_previous = (tells and written > _EARLY_SHARE and earlier <= FEW) or (
        written > 0 and _stand_for_another(days, SATURDAY, -5)
    )
    if not (is_next or is_previous):
        return None
    # Bars of weeks or of hours are refused for what they are.
    is_of_days = is_daily(days) and len(np.unique(days)) >= _DISTINCT * len(days)
    if not is_of_days:
        return None
    return DayShift.NEXT if is_next else DayShift.PREVIOUS


def _stand_for_another(days: NDArray[np.datetime64], of_weekend: int, step: int) -> bool:
    """Check whether most weeks with a bar on that day of the weekend lack the working day `step` days later.

    In that case the week is shifted, and the bar is not a short session beside a whole week.
    """
    found = np.unique(days[weekday(days) == of_weekend])
    found = found[(found + step <= days.max()) & (found + step >= days.min())]
    if len(found) < _FEWEST_WEEKS or len(found) < FEW / 2 * len(days):
        return False
    return float((~np.isin(found + step, days)).mean()) >= _MOST


def _in_zone(
    stamps: Stamps, known_R: NDArray[np.bool_], rows_R: NDArray[np.int64], source: str, zone: str
) -> ExchangeDays:
    check_zone(zone)
    clock = _clock(stamps, known_R)
    days = stamps.days_R[known_R]
    if len(clock) == 0:
        return _of_bare_days(stamps, known_R, rows_R, source, zone)
    naive = bool(np.isnan(stamps.offset_R[known_R]).all())
    if naive and (clock == 0).all():
        notes = (f"times are midnights without a zone: a day is the one that is written, whatever {zone} is",)
        return ExchangeDays(days_R=stamps.days_R, zone=None, shift=None, notes=notes)
    days_R = _local_days(stamps, known_R, zone)
    if weekend_share(days) <= FEW and weekend_share(days_R[known_R]) > _EARLY_SHARE:
        raise BadInput(
            f"{source}: in {zone} its days would run {week_in_words(days_R[known_R])}, and as written they run "
            f"{week_in_words(days)}: name the exchange's zone with --zone, or say --days as-written"
        )
    moved = int((days_R[known_R] != days).sum())
    as_utc = "times without a zone count as UTC; " if naive else ""
    notes = ((f"{as_utc}days are those of {zone}: {moved} of {len(days)} differ from the written ones, and they run "
             f"{week_in_words(days_R[known_R])}"),)  # fmt: skip
    return ExchangeDays(days_R=days_R, zone=zone, shift=None, notes=notes)


def _of_bare_days(
    stamps: Stamps, known_R: NDArray[np.bool_], rows_R: NDArray[np.int64], source: str, zone: str
) -> ExchangeDays:
    """Determine the days from dates without a time; `zone` then means that they were midnights there, cut off in UTC.

    Raises BadInput if the days do not form a trading week under `zone`, or if it cannot decide between the readings.
    """
    doubt = _doubt(stamps, known_R)
    if doubt is None:
        notes = (f"dates carry no time: a day is the one that is written, whatever {zone} is",)
        return ExchangeDays(days_R=stamps.days_R, zone=None, shift=None, notes=notes)
    days = stamps.days_R[known_R]
    cut = _uncut(days, zone)
    if zone in _OTHER_WEEKS or doubt is not DayShift.NEXT or weekend_share(cut) > FEW:
        raise _refusal(stamps, known_R, rows_R, source, doubt)
    days_R = stamps.days_R.copy()
    days_R[known_R] = cut
    note = (
        f"dates carry no time and run {week_in_words(days)}: they count as midnights of {zone} cut off in UTC, so that "
        f"{int((cut != days).sum())} of {len(days)} days are one later, and they run {week_in_words(cut)}"
    )
    return ExchangeDays(days_R=days_R, zone=zone, shift=None, notes=(note,))


def _uncut(days: NDArray[np.datetime64], zone: str) -> NDArray[np.datetime64]:
    """Return the days whose midnights in `zone` fall on `days` in UTC: the following days if the zone is east of
    Greenwich."""
    noons = days.astype("datetime64[s]") + 43200
    return days + (_offsets(noons, zone) > 0).astype(np.int64)


def _zone_of_cut_days(days: NDArray[np.datetime64]) -> str | None:
    """Find a zone whose midnights in UTC these dates may be; None if there is none, or if a shift by one day explains
    them."""
    if weekend_share(days + 1) <= FEW:
        return None
    return next(
        (zone for zone in _EXAMPLES if named_zone(zone) is not None and weekend_share(_uncut(days, zone)) <= FEW), None
    )


def _instants(stamps: Stamps, known_R: NDArray[np.bool_]) -> NDArray[np.datetime64]:
    """Return the UTC times of the known rows; times without a zone count as UTC."""
    clock = np.nan_to_num(stamps.clock_R[known_R]) - np.nan_to_num(stamps.offset_R[known_R])
    return stamps.days_R[known_R].astype("datetime64[s]") + clock.astype(np.int64)


def _offsets(moments: NDArray[np.datetime64], zone: str) -> NDArray[np.float64]:
    """Return the offsets of `zone` at these UTC times, in seconds east of Greenwich."""
    fixed = fixed_offset(zone)
    if fixed == fixed:
        return np.full(len(moments), fixed)
    import pandas as pd

    utc = pd.DatetimeIndex(moments.astype("datetime64[s]"))
    local = utc.tz_localize("UTC").tz_convert(zone).tz_localize(None)
    return np.asarray((local - utc).total_seconds(), dtype=np.float64)


def _local_days(stamps: Stamps, known_R: NDArray[np.bool_], zone: str) -> NDArray[np.datetime64]:
    moments = _instants(stamps, known_R)
    days_R = stamps.days_R.copy()
    days_R[known_R] = (moments + _offsets(moments, zone).astype(np.int64)).astype("datetime64[D]")
    return days_R


def _zone_of_midnights(stamps: Stamps, known_R: NDArray[np.bool_]) -> str | None:
    """Find a zone in which every time is a midnight, and some day differs from the written one; None if there is
    none."""
    moments = _instants(stamps, known_R)
    for zone in _EXAMPLES:
        if named_zone(zone) is None:
            continue
        local = moments + _offsets(moments, zone).astype(np.int64)
        days = local.astype("datetime64[D]")
        if (local == days).all() and (days != stamps.days_R[known_R]).any():
            return zone
    return None


def _refusal(
    stamps: Stamps, known_R: NDArray[np.bool_], rows_R: NDArray[np.int64], source: str, doubt: DayShift
) -> BadInput:
    days = stamps.days_R[known_R]
    clock = _clock(stamps, known_R)
    zone = None
    if doubt is DayShift.NEXT:
        zone = _zone_of_midnights(stamps, known_R) if len(clock) else _zone_of_cut_days(days)
    if zone is None:
        other = days + doubt.days
    else:
        other = _local_days(stamps, known_R, zone)[known_R] if len(clock) else _uncut(days, zone)
    shift = f"--days {doubt}" if np.array_equal(other, days + doubt.days) else ""
    if len(clock):
        times = _times_in_words([time for time, known in zip(stamps.times, known_R.tolist(), strict=True) if known])
        fault = f"its bars are of {times}{_zone_in_words(stamps)}, which may be midnights of another zone"
    else:
        fault = "its dates may be those of another zone, cut off from midnights there"
    where = f"in {zone}" if zone else f"a day {'later' if doubt is DayShift.NEXT else 'earlier'}"
    by_zone = f"--zone {zone}" if zone else "--zone with that of the exchange, such as Asia/Tokyo"
    ways = " or ".join(filter(None, [by_zone if doubt is DayShift.NEXT else "", shift]))
    changed = int((other != days).argmax())
    row = int(rows_R[known_R][changed])
    as_written = f"row {row} is {days[changed]}, and the bars run over {week_in_words(days)}"
    return BadInput(
        f"{source}: {fault}, and then bars would be stored on the wrong day; say which reading is right:",
        [
            f"as written: {as_written} (--days as-written)",
            f"{where}: row {row} is {other[changed]}, and the bars run over {week_in_words(other)} ({ways})",
        ],
    )


def _times_in_words(times: Sequence[str]) -> str:
    distinct = sorted(set(times) - {""})
    return ", ".join(distinct[:3]) + (", ..." if len(distinct) > 3 else "")


def _zone_in_words(stamps: Stamps) -> str:
    return f" {', '.join(stamps.zones[:3])}" if stamps.zones else ""


def _notes_as_written(stamps: Stamps, known_R: NDArray[np.bool_]) -> tuple[str, ...]:
    if not stamps.zones:
        return ()
    zones = ", ".join(stamps.zones[:3]) + (", ..." if len(stamps.zones) > 3 else "")
    return (
        (
            f"times carry the zone {zones}: a day is the one that is written there, and they run "
            f"{week_in_words(stamps.days_R[known_R])}"
        ),
    )
