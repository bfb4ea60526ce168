"""Notations of a day in a date column, with or without a time and a zone behind the day."""

from __future__ import annotations

import re
import unicodedata

_CLOCK = (
    r"(?:(?:[T ,-]|:(?=[0-9]{2}:))\s*"
    r"(?P<time>[0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:[.,:][0-9]+)?)?(?: ?[AaPp]\.?[Mm]\.?)?|[0-9]{6}|[0-9]{4})"
    r"\s*(?P<zone>Z|[+-][0-9]{2}(?::?[0-9]{2})?|[A-Z]{2,5}(?:[+-][0-9]{1,2}(?::?[0-9]{2})?)?|[A-Za-z]+/[A-Za-z_/]+)?)?"
)
_WEEKDAY = r"(?:[^\W\d_]{2,10}\.?,? +)?"
_NAME = r"(?P<name>[^\W\d_]{3,12})\.?"
_YEAR_2 = r"'?(?P<y2>[0-9]{2})"
# Notation in words -> the day's part of its pattern. The order counts: the first that fits a cell is its notation.
_NOTATIONS = {
    "YYYY-MM-DD": r"(?P<y>[0-9]{4})([-/.])(?P<m>[0-9]{1,2})\2(?P<d>[0-9]{1,2})",
    "YYYYMMDD": r"(?P<y>[0-9]{4})(?P<m>[0-9]{2})(?P<d>[0-9]{2})(?:\.0)?",
    "day and month/year": r"(?P<a>[0-9]{1,2})/(?P<b>[0-9]{1,2})/(?P<y>[0-9]{4})",
    "day and month.year": r"(?P<a>[0-9]{1,2})\.(?P<b>[0-9]{1,2})\.(?P<y>[0-9]{4})",
    "day and month-year": r"(?P<a>[0-9]{1,2})-(?P<b>[0-9]{1,2})-(?P<y>[0-9]{4})",
    "DD Month YYYY": rf"{_WEEKDAY}(?P<d>[0-9]{{1,2}})\.?[ /-]?(?:de )?{_NAME}[ ,/-]*(?:de )?(?P<y>[0-9]{{4}})",
    "Month DD, YYYY": rf"{_WEEKDAY}{_NAME}[ -](?P<d>[0-9]{{1,2}})[ ,-]+(?P<y>[0-9]{{4}})",
    "YYYY-Month-DD": rf"(?P<y>[0-9]{{4}})[ /-]{_NAME}[ /-](?P<d>[0-9]{{1,2}})",
    "YYYY年MM月DD日": r"(?P<y>[0-9]{4})\s*[年년]\s*(?P<m>[0-9]{1,2})\s*[月월]\s*(?P<d>[0-9]{1,2})\s*[日일]",
    "YYYY- MM- DD": r"(?P<y>[0-9]{4})([-/.]) (?P<m>[0-9]{1,2})\2 (?P<d>[0-9]{1,2})\.?",
    "day, month and year/of two digits": r"(?P<a>[0-9]{1,2})/(?P<b>[0-9]{1,2})/(?P<c>[0-9]{2})",
    "day, month and year.of two digits": r"(?P<a>[0-9]{1,2})\.(?P<b>[0-9]{1,2})\.(?P<c>[0-9]{2})",
    "day, month and year-of two digits": r"(?P<a>[0-9]{1,2})-(?P<b>[0-9]{1,2})-(?P<c>[0-9]{2})",
    "DD Month YY": rf"{_WEEKDAY}(?P<d>[0-9]{{1,2}})[ /-]?{_NAME}[ ,/-]*{_YEAR_2}",
    "Month DD, YY": rf"{_WEEKDAY}{_NAME}[ -](?P<d>[0-9]{{1,2}})[ ,-]+{_YEAR_2}",
}
PATTERNS = {notation: re.compile(day + _CLOCK) for notation, day in _NOTATIONS.items()}

# English, German, French, Spanish, Italian, Portuguese, Dutch, Swedish, Danish, Norwegian, Polish, Turkish, Russian;
# in full and as these languages shorten them. Accents do not count.
_MONTHS = (
    (
        "january jan januar janner janvier janv enero ene gennaio gen "
        "janeiro januari styczen stycznia sty ocak oca января янв январь"
    ),
    (
        "february feb februar fevrier fevr febrero febbraio fevereiro fev "
        "februari luty lutego lut subat sub февраля фев февр февраль"
    ),
    "march mar marz maerz mrz mars marzo março maart mrt mart marca marzec марта мар март",
    "april apr avril avr abril abr aprile kwiecien kwietnia kwi nisan nis апреля апр апрель",
    "may mai mayo maggio mag maio mei maj maja mayis мая май",
    "june jun juni juin junio giugno giu junho czerwiec czerwca cze haziran haz июня июн июнь",
    "july jul juli juillet juil julio luglio lug julho lipiec lipca lip temmuz tem июля июл июль",
    "august aug aout agosto ago augustus augusti sierpien sierpnia sie agustos agu августа авг август",
    (
        "september sep sept septembre septiembre set settembre setembro "
        "wrzesien wrzesnia wrz eylul eyl сентября сен сент сентябрь"
    ),
    (
        "october oct oktober okt octobre octubre ottobre ott outubro "
        "out pazdziernik pazdziernika paz ekim eki октября окт октябрь"
    ),
    "november nov novembre noviembre novembro listopad listopada lis kasim kas ноября ноя нояб ноябрь",
    (
        "december dec dezember dez decembre diciembre dic dicembre "
        "dezembro grudzien grudnia gru aralik ara декабря дек декабрь"
    ),
)


def _plain(name: str) -> str:
    """Convert to lower case without accents."""
    text = unicodedata.normalize("NFKD", name.casefold())
    return "".join(letter for letter in text if not unicodedata.combining(letter)).replace("ı", "i")


MONTHS = {_plain(name): number for number, names in enumerate(_MONTHS, start=1) for name in names.split()}


def month_number(name: str) -> int:
    """Return the number of a month, 1 to 12; 0 for a name that is not a month."""
    return MONTHS.get(_plain(name), 0)


def notation_of(cell: str) -> str | None:
    """Return the notation of a day; None for a cell that is not a day, or names a month in an unknown language."""
    for notation, pattern in PATTERNS.items():
        match = pattern.fullmatch(cell)
        if match is not None and ("Month" not in notation or month_number(match["name"])):
            return notation
    return None
