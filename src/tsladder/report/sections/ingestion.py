"""Findings of ingestion in the study's bars, and the changes it made."""

from __future__ import annotations

from collections.abc import Sequence

from tsladder.artifacts.ingestion import IngestionFinding, ManifestState, SymbolIngestion, SymbolRole
from tsladder.data.irregular import JUMP, LONG_GAP_DAYS
from tsladder.report import words
from tsladder.report.blocks import Block, Heading, Paragraph, Points, Table, table
from tsladder.report.facts import SeriesFacts
from tsladder.vocabulary import Region

_UNKNOWN = "Not on record: this study has not run the stage ingestion, or was made by a tsladder without it."
_NOTHING = (
    f"Nothing stands out: no change of Close by more than {JUMP:.0%} within a day, no {LONG_GAP_DAYS} calendar days "
    "without bars, no day without trade"
)
_UNCHANGED = ", and no row was repaired or left out"
_BESIDE = (
    "Beside the verdicts stands what can make the law wrong: inside the days used, jumps, days left out and gaps that "
    "no holiday explains, and repairs and days without trade on more than one day in a hundred of a region."
)
_NONE_BESIDE = "Here that is nothing."
_ROLES = {
    SymbolRole.LAW: "",
    SymbolRole.TRAINING: "trained on, too; ",
    SymbolRole.COLUMNS: "read for columns of the tier; ",
}
_LOOKED = "what stands out in the bars was looked for all the same"


def ingestion(facts: SeriesFacts) -> list[Block]:
    """Return one line per symbol, a table of findings and changes, the messages of `tsladder ingest`, and which of them
    matter."""
    heading = Heading(3, "What ingestion found and changed")
    if facts.ingestion is None:
        return [heading, Paragraph(_UNKNOWN)]
    symbols = facts.ingestion.symbols
    blocks: list[Block] = [heading, Points(tuple((s.symbol, _record(s)) for s in symbols))]
    found = findings_table(symbols)
    if found.rows:
        blocks.append(found)
    else:
        known = all(s.manifest is ManifestState.FOUND for s in symbols)
        blocks.append(Paragraph(f"{_NOTHING}{_UNCHANGED if known else ''}."))
    notes = [(f"{s.symbol}, warned", warning) for s in symbols for warning in s.warnings]
    notes += [(f"{s.symbol}, noted", note) for s in symbols for note in s.notes]
    if notes:
        blocks.append(Points(tuple(notes)))
    if found.rows:
        none = "" if any(facts.ingestion.cautions.values()) else f" {_NONE_BESIDE}"
        blocks.append(Paragraph(_BESIDE + none))
    return blocks


def _record(symbol: SymbolIngestion) -> str:
    bars, manifest = f"data/{symbol.symbol}.parquet", f"data/{symbol.symbol}.manifest.json"
    role = _ROLES[symbol.role]
    none = f"{role}no record of ingestion"
    again = f"tsladder ingest FILE --symbol {symbol.symbol} writes it anew"
    unknown = f"so what was changed in these bars is not known ({again}); {_LOOKED}"
    match symbol.manifest:
        case ManifestState.NONE:
            return f"{none}: {bars} came without {manifest}; {_LOOKED}"
        case ManifestState.OTHER_BARS:
            return f"{none}: {manifest} is of other bars than {bars} now holds, {unknown}"
        case ManifestState.DAMAGED:
            return f"{none}: {manifest} cannot be read, {unknown}"
        case ManifestState.FOUND:
            options = f", with {words.listed(symbol.options)}" if symbol.options else ""
            rows = f"{words.count(symbol.rows_kept)} of {words.count(symbol.rows_read)} rows kept"
            return f"{role}ingested from {symbol.source or words.MISSING}, {rows}{options}"


def findings_table(symbols: Sequence[SymbolIngestion]) -> Table:
    """Return one row per symbol and kind of finding; no row where nothing was found."""
    return table(
        "ingestion",
        "What was found in the bars, and what was changed",
        text=("symbol", "what"),
        numbers=("times", "in training", "in validation", "in test"),
        after=("largest", "first", "option"),
        rows=[_row(symbol, finding) for symbol in symbols for finding in symbol.findings],
    )


def _row(symbol: SymbolIngestion, finding: IngestionFinding) -> tuple[str, ...]:
    used = finding.used or {}
    return (
        symbol.symbol,
        finding.what,
        words.count(finding.count),
        *(words.count(used.get(region)) for region in Region),
        finding.largest or words.MISSING,
        words.listed(finding.first_days),
        finding.option or words.MISSING,
    )
