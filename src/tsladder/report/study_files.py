"""What the stages left about the study, read once into Facts. With `cell_files` the only readers of the report."""

from __future__ import annotations

import importlib.metadata
import platform
from collections.abc import Mapping, Sequence

from tsladder.artifacts.store import digest
from tsladder.data.ingestion import read_ingestion
from tsladder.params import Params
from tsladder.places import Places
from tsladder.planning.plans import study_key
from tsladder.report.across_files import supplement_facts, transfer_found
from tsladder.report.facts import CellFacts, DataFacts, Environment, Facts, RegionDays, SplitFacts
from tsladder.report.law_files import read_audit, read_law
from tsladder.results.cell_files import read_cell
from tsladder.results.stored import Record, bytes_if_there, read_if_there
from tsladder.vocabulary import Region

PACKAGES = (
    "tsladder",
    "torch",
    "numpy",
    "scipy",
    "pandas",
    "pyarrow",
    "scikit-learn",
    "arch",
    "TA-Lib",
    "optuna",
    "mlflow",
    "dvc",
    "matplotlib",
)


def read_facts(places: Places, params: Params) -> Facts:
    """Everything a report tells. Missing files leave gaps; raises WorkFailed for a damaged one."""
    plans = {str(cell): read_if_there(places.search_plan(cell)) for cell in params.cells}
    known = {name: dict(plan) for name, plan in plans.items() if "planned" in plan}
    key = study_key(known) if known else None
    cells = tuple(read_cell(places, params, cell, plans[str(cell)]) for cell in params.cells)
    law = read_law(places)
    data = _data(read_if_there(places.features / "manifest.json"))
    return Facts(
        params=params,
        study_key=key,
        cells=cells,
        law=law,
        splits=_splits(places, params.horizons),
        data=data,
        environment=Environment(
            python=platform.python_version(),
            packages=software_versions(),
            fingerprints=_fingerprints(key, data, known, cells),
        ),
        picture=bytes_if_there(places.law / "scaling.png"),
        audit=read_audit(places) or (law.audit if law else None),
        supplement=supplement_facts(places, params.cells),
        transfer=transfer_found(places),
        ingestion=read_ingestion(places.ingestion),
    )


def _splits(places: Places, horizons: Sequence[int]) -> tuple[SplitFacts, ...]:
    of_horizon: Mapping[str, Record] = read_if_there(places.splits / "splits.json").get("horizons", {})
    found = []
    for horizon in horizons:
        entry = of_horizon.get(str(horizon), {})
        counts: Mapping[str, Record] = entry.get("counts", {})
        regions = _regions(counts)
        if regions:
            cut: Record = read_if_there(places.horizon_splits(horizon)).get("splits", {})
            segments: Sequence[tuple[int, int]] = cut.get(Region.TRAIN, {}).get("segments", [])
            found.append(
                SplitFacts(
                    horizon=horizon,
                    training_runs=tuple(last - first + 1 for first, last in segments),
                    regions=_earlier_folds(entry) | regions,
                    symbols={name: _regions(own) for name, own in entry.get("symbols", {}).items()},
                    notes=tuple(entry.get("notes", [])),
                )
            )
    return tuple(found)


def _earlier_folds(entry: Record) -> dict[str, RegionDays]:
    """Of a walk forward, in which training and validation of the last fold are those of the study."""
    folds: Sequence[Mapping[str, Record]] = entry.get("folds", [])
    return {
        f"{region} of fold {number}": _days(count)
        for number, fold in enumerate(folds[:-1], start=1)
        for region, count in fold.items()
    }


def _regions(counts: Mapping[str, Record]) -> dict[str, RegionDays]:
    return {str(region): _days(counts[region]) for region in Region if region in counts}


def _days(count: Record) -> RegionDays:
    return RegionDays(
        windows=count.get("windows"),
        positives=count.get("positives"),
        base_rate=count.get("base_rate"),
        first_day=count.get("first_day"),
        last_day=count.get("last_day"),
    )


def _data(manifest: Record) -> DataFacts | None:
    if not manifest:
        return None
    columns = manifest.get("columns")
    return DataFacts(
        symbol=manifest.get("symbol"),
        tier=manifest.get("tier"),
        ohlcv=manifest.get("ohlcv"),
        features=None if columns is None else len(columns),
        rows=manifest.get("rows"),
        warm_up=manifest.get("warm_up"),
        first_day=manifest.get("first_day"),
        last_day=manifest.get("last_day"),
        open_equals_previous_close=manifest.get("open_equals_previous_close"),
        fingerprint=manifest.get("fingerprint"),
    )


def software_versions() -> dict[str, str]:
    """Of those of PACKAGES that are installed here."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def _fingerprints(
    key: str | None, data: DataFacts | None, plans: Mapping[str, Record], cells: Sequence[CellFacts]
) -> dict[str, str]:
    """Name -> hexadecimal identity: the question, the values, the searching code, and each horizon's test windows."""
    found: dict[str, str | None] = {"study": key, "features": data.fingerprint if data else None}
    code = {digest(plan["code"]) for plan in plans.values() if "code" in plan}
    found["code of the search"] = code.pop() if len(code) == 1 else None
    for cell in cells:
        if cell.test is not None:
            found.setdefault(f"test windows h{cell.cell.horizon}", cell.test.windows_fingerprint)
    return {name: value for name, value in found.items() if value is not None}
