"""What the stages left about the study, read once into Facts. With `cell_files` the only readers of the report."""

from __future__ import annotations

import importlib.metadata
import platform
from collections.abc import Mapping, Sequence
from pathlib import Path

from tsladder.params import Params
from tsladder.places import Places
from tsladder.planning.plans import study_key
from tsladder.records import digest
from tsladder.report.across_files import read_supplement, read_transfer
from tsladder.report.cell_files import Record, interval_of, read_cell, read_if_there
from tsladder.report.facts import (
    CellFacts,
    DataFacts,
    Environment,
    Facts,
    LawFacts,
    RegionDays,
    SplitFacts,
    StudyLaw,
)
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
    data = _data(read_if_there(places.features / "manifest.json"))
    return Facts(
        params=params,
        study_key=key,
        cells=cells,
        law=read_law(places),
        splits=_splits(read_if_there(places.splits / "splits.json"), params.horizons),
        data=data,
        environment=Environment(
            python=platform.python_version(),
            packages=_versions(),
            fingerprints=_fingerprints(key, data, known, cells),
        ),
        picture=_picture(places.law / "scaling.png"),
        supplement=read_supplement(places, params.cells),
        transfer=read_transfer(places),
    )


def read_law(places: Places) -> StudyLaw | None:
    """The verdicts and what supports them; None before the law has been fitted."""
    record = read_if_there(places.law / "scaling.json")
    if "horizons" not in record:
        return None
    return StudyLaw(
        study_key=record.get("study_key"),
        region=record.get("region"),
        confidence=record.get("confidence"),
        alpha_of_interest=record.get("alpha_of_interest"),
        horizons={int(horizon): _law(int(horizon), law) for horizon, law in record["horizons"].items()},
    )


def _law(horizon: int, law: Record) -> LawFacts:
    fits: Record = law.get("fits") or {}
    power: Record = fits.get("power") or {}
    floor: Record = fits.get("power_floor") or {}
    counts: Mapping[str, Record | None] = law.get("power_by_count") or {}
    left_out: Sequence[Record] = law.get("leave_one_rung_out") or []
    return LawFacts(
        horizon=horizon,
        verdict=law["verdict"],
        reason=law.get("reason", ""),
        settle=law.get("settle", ""),
        rungs=sum(not point.get("dropped", False) for point in law.get("points", [])),
        alpha=power.get("alpha"),
        alpha_ci=interval_of(*(power.get("alpha_ci") or (None, None))),
        r2=power.get("r2"),
        reference_n=power.get("reference_n"),
        loss_at_reference=power.get("loss_at_reference"),
        loss_at_reference_ci=interval_of(*(power.get("loss_at_reference_ci") or (None, None))),
        alpha_by_count={name: None if fit is None else fit.get("alpha") for name, fit in counts.items()},
        floor=_floor(floor),
        minimum_detectable_alpha=law.get("minimum_detectable_alpha"),
        power=law.get("power"),
        rung_noise=law.get("rung_noise"),
        worst_left_out=max(
            (left["error"] for left in left_out if left.get("error") is not None), key=abs, default=None
        ),
        extrapolation_error=(law.get("extrapolation") or {}).get("error"),
        beaten_by=tuple(law.get("beaten_by", [])),
        warnings=tuple(law.get("warnings", [])),
        notes=tuple(law.get("notes", [])),
    )


def _floor(floor: Record) -> str | None:
    if not floor.get("identified"):
        return floor.get("reason")
    return f"E = {floor['E']:.4g}, A = {floor['A']:.4g}, alpha = {floor['alpha']:.4f}"


def _splits(record: Record, horizons: Sequence[int]) -> tuple[SplitFacts, ...]:
    of_horizon: Mapping[str, Record] = record.get("horizons", {})
    found = []
    for horizon in horizons:
        entry = of_horizon.get(str(horizon), {})
        counts: Mapping[str, Record] = entry.get("counts", {})
        regions = {str(region): _days(counts[region]) for region in Region if region in counts}
        if regions:
            found.append(SplitFacts(horizon=horizon, regions=regions, notes=tuple(entry.get("notes", []))))
    return tuple(found)


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


def _picture(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None


def _versions() -> dict[str, str]:
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
