"""The stage `ingestion`: summarises bars, the records of their ingestion and the days that the study uses.

Its output is artifacts/ingestion.json.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tsladder.artifacts.features import ColumnKind
from tsladder.artifacts.ingestion import (
    FindingKind,
    IngestionFinding,
    IngestionRecord,
    ManifestState,
    SymbolIngestion,
    SymbolRole,
    write_ingestion,
)
from tsladder.artifacts.splits import HorizonSplits, read_splits
from tsladder.data.bars import Bars, read_bars
from tsladder.data.data_cautions import cautions
from tsladder.data.features import FeatureTable, read_features
from tsladder.data.inputs import VIX
from tsladder.data.irregular import JUMP, LONG_GAP_DAYS
from tsladder.data.irregular_days import (
    REPAIR_RANGE,
    VOLUME_ZERO,
    IrregularDays,
    irregular_days,
)
from tsladder.data.manifest import Manifest, find_manifest
from tsladder.data.splits import Splits
from tsladder.data.tiers import load as load_tier
from tsladder.data.used_days import Days, UsedDays, as_days
from tsladder.errors import BadInput
from tsladder.params import Params
from tsladder.places import Places
from tsladder.vocabulary import Region

_SHOWN = 3


def build_ingestion(places: Places, params: Params) -> None:
    """Write artifacts/ingestion.json.

    Raises BadInput for bars that cannot be read, WorkFailed for damaged features or splits.
    """
    write_ingestion(places.ingestion, ingestion_of(places, params))


def ingestion_of(places: Places, params: Params) -> IngestionRecord:
    """Build the record of every symbol whose bars the study reads, its own first. Raises as `build_ingestion`."""
    table = read_features(places.features)
    records = {horizon: read_splits(places.horizon_splits(horizon)) for horizon in params.horizons}
    volume_used = any(column.kind is ColumnKind.VOLUME for column in table.columns)
    symbols = []
    cautions_by_horizon: dict[int, list[str]] = {horizon: [] for horizon in params.horizons}
    for name in params.data.markets:
        role = SymbolRole.LAW if name == params.data.symbol else SymbolRole.TRAINING
        used = {horizon: _used(table, record, name, role) for horizon, record in records.items()}
        found, manifest = _look(places, name, adjust=params.data.adjust)
        symbols.append(_symbol(name, role, manifest, found, used[params.horizons[0]]))
        for horizon, days in used.items():
            cautions_by_horizon[horizon] += cautions(name, found, days, params.target, volume_used=volume_used)
    if load_tier(params.data.tier).reads_vix:
        # Jumps of VIX are no splits, and no label is made of it.
        found, manifest = _look(places, VIX, adjust=False)
        first = params.horizons[0]
        days = _used(table, records[first], params.data.symbol, SymbolRole.LAW)
        symbols.append(_symbol(VIX, SymbolRole.COLUMNS, manifest, found, days))
    return IngestionRecord(
        symbols=tuple(symbols), cautions={horizon: tuple(lines) for horizon, lines in cautions_by_horizon.items()}
    )


def _used(table: FeatureTable, splits: HorizonSplits, symbol: str, role: SymbolRole) -> UsedDays:
    """Return the days of a symbol that the study uses at the horizon of the splits file `splits`.

    A symbol other than the study's own contributes only training windows to the law.
    """
    regions = tuple(Region) if role is SymbolRole.LAW else (Region.TRAIN,)
    return UsedDays.of(Splits.of_days(splits.of_symbol(symbol)), table.dates_T, regions)


def _look(places: Places, symbol: str, *, adjust: bool) -> tuple[IrregularDays, Manifest]:
    path = places.bars(symbol)
    bars = read_bars(path, symbol, adjust=adjust)
    adjusted = bars if adjust else _adjusted(places, symbol)
    manifest = find_manifest(path)
    try:
        return irregular_days(bars, adjusted, manifest.record, is_adjusted=adjust), manifest
    except (AttributeError, ArithmeticError, LookupError, TypeError, ValueError):
        # Written by hand or by another version of tsladder: its figures are not reported.
        damaged = Manifest(state=ManifestState.DAMAGED, record={})
        return irregular_days(bars, adjusted, damaged.record, is_adjusted=adjust), damaged


def _adjusted(places: Places, symbol: str) -> Bars | None:
    try:
        return read_bars(places.bars(symbol), symbol, adjust=True)
    except BadInput:
        return None


def _symbol(symbol: str, role: SymbolRole, manifest: Manifest, found: IrregularDays, used: UsedDays) -> SymbolIngestion:
    record = manifest.record
    given_options = {"--zone": record.get("zone"), "--days": record.get("days")}
    return SymbolIngestion(
        symbol=symbol,
        role=role,
        manifest=manifest.state,
        source=record.get("source"),
        rows_read=record.get("rows_read"),
        rows_kept=record.get("rows_kept"),
        options=tuple(f"{option} {value}" for option, value in given_options.items() if value),
        findings=(*_of_bars(found, used), *_of_record(found, record, used)),
        warnings=tuple(record.get("warnings", ())),
        notes=tuple(record.get("notes", ())),
    )


def _of_bars(found: IrregularDays, used: UsedDays) -> list[IngestionFinding]:
    findings = []
    if found.jumps:
        largest = max(found.jumps, key=lambda jump: abs(np.log(jump.ratio)))
        findings.append(
            _finding(
                FindingKind.JUMP,
                f"Close changes by more than {JUMP:.0%} within a day",
                as_days([jump.day for jump in found.jumps]),
                used,
                largest=f"by a factor of {largest.ratio:.4g} ({largest.day})",
            )
        )
    if found.gaps:
        longest = max(found.gaps, key=lambda gap: gap.days)
        findings.append(
            _finding(
                FindingKind.GAP,
                f"no bars for more than {LONG_GAP_DAYS} calendar days",
                as_days([gap.before for gap in found.gaps]),
                used,
                largest=f"{longest.days} days ({longest.after} to {longest.before})",
            )
        )
    if len(found.idle):
        findings.append(_finding(FindingKind.NO_TRADE, "Volume is 0", found.idle, used))
    return findings


def _of_record(found: IrregularDays, record: Mapping[str, Any], used: UsedDays) -> list[IngestionFinding]:
    findings = []
    if len(found.widened):
        worst = int(found.steps.argmax())
        findings.append(
            _finding(
                FindingKind.WIDENED,
                "High or Low widened to Open and Close",
                found.widened,
                used,
                largest=f"by {found.steps[worst]:.2%} ({found.widened[worst]})",
                option=REPAIR_RANGE,
            )
        )
    if len(found.volume_zero):
        what = "missing Volume taken as 0"
        findings.append(_finding(FindingKind.VOLUME_ZERO, what, found.volume_zero, used, option=VOLUME_ZERO))
    for left in found.left_out:
        what = "faulty row left out" if left.option != "--missing-volume drop" else "day without Volume left out"
        findings.append(_finding(FindingKind.LEFT_OUT, what, left.days, used, option=left.option, further=left.unknown))
    repaired: Sequence[str] = [repair["words"] for repair in record.get("repairs", ())]
    for dropped in record.get("dropped", ()):
        # Rows that a repair left out are reported by day above.
        if dropped["reason"] not in repaired and not str(dropped["reason"]).endswith(" left out"):
            what = f"row left out: {dropped['reason']}"
            findings.append(IngestionFinding(kind=FindingKind.DROPPED, what=what, count=dropped["count"]))
    return findings


def _finding(
    kind: FindingKind,
    what: str,
    days: Days,
    used: UsedDays,
    *,
    largest: str | None = None,
    option: str | None = None,
    further: int = 0,
) -> IngestionFinding:
    return IngestionFinding(
        kind=kind,
        what=what,
        count=len(days) + further,
        used=used.counts(days),
        largest=largest,
        first_days=tuple(str(day) for day in np.sort(days)[:_SHOWN]),
        option=option,
    )
