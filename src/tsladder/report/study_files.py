"""Read what the stages of a series study left, once, into SeriesFacts. With `cell_files` the only readers of its
report."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from pathlib import Path

from tsladder.artifacts.audit import read_audit
from tsladder.artifacts.features import FeaturesManifest, read_manifest
from tsladder.artifacts.ingestion import read_ingestion
from tsladder.artifacts.law import read_law
from tsladder.artifacts.plans import NotPlanned, SearchPlan, plan_if_there
from tsladder.artifacts.splits import Counts, RegionCount, read_splits, read_summary
from tsladder.artifacts.store import digest, if_there
from tsladder.params import Params
from tsladder.places import Places
from tsladder.planning.plans import study_key
from tsladder.report.across_files import supplement_facts, transfer_results
from tsladder.report.environment import Environment, software_versions
from tsladder.report.facts import CellFacts, SeriesFacts, SplitFacts
from tsladder.results.cell_files import read_cell
from tsladder.vocabulary import Region


def read_facts(places: Places, params: Params) -> SeriesFacts:
    """Read all facts that a report presents. Missing files leave gaps; raises WorkFailed for a damaged one."""
    plans = {str(cell): plan_if_there(SearchPlan, places.search_plan(cell)) for cell in params.cells}
    known = {name: plan for name, plan in plans.items() if plan is not None}
    key = study_key(known) if known else None
    cells = tuple(read_cell(places, params, cell, plans[str(cell)]) for cell in params.cells)
    law = if_there(read_law)(places.scaling)
    data = if_there(read_manifest)(places.features_manifest)
    return SeriesFacts(
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
        picture=if_there(Path.read_bytes)(places.law / "scaling.png"),
        audit=if_there(read_audit)(places.audit_record) or (law.audit if law else None),
        supplement=supplement_facts(places, params.cells),
        transfer=transfer_results(places),
        ingestion=if_there(read_ingestion)(places.ingestion),
    )


def _splits(places: Places, horizons: Sequence[int]) -> tuple[SplitFacts, ...]:
    summary = if_there(read_summary)(places.splits_summary)
    if summary is None:
        return ()
    found = []
    for horizon in horizons:
        of_horizon = summary.horizons.get(horizon)
        if of_horizon is not None:
            found.append(
                SplitFacts(
                    horizon=horizon,
                    training_runs=_training_runs(places.horizon_splits(horizon)),
                    regions=_earlier_folds(of_horizon.folds) | _in_order(of_horizon.counts),
                    symbols={name: _in_order(own) for name, own in of_horizon.symbols.items()},
                    notes=of_horizon.notes,
                )
            )
    return tuple(found)


def _training_runs(path: Path) -> tuple[int, ...]:
    """Return the number of days of each contiguous stretch of training days; empty without the splits file."""
    of_horizon = if_there(read_splits)(path)
    segments = () if of_horizon is None else of_horizon.splits.train.segments
    return tuple(last - first + 1 for first, last in segments)


def _earlier_folds(folds: Sequence[Counts]) -> dict[str, RegionCount]:
    """Return the regions of the earlier folds of a walk-forward split; training and validation of the last fold are the
    study's own."""
    return {
        f"{region} of fold {number}": count
        for number, fold in enumerate(folds[:-1], start=1)
        for region, count in _in_order(fold).items()
    }


def _in_order(counts: Counts) -> dict[str, RegionCount]:
    return {region.value: counts[region] for region in Region if region in counts}


def _fingerprints(
    key: str | None,
    data: FeaturesManifest | None,
    plans: Mapping[str, SearchPlan | NotPlanned],
    cells: Sequence[CellFacts],
) -> dict[str, str]:
    """Return name -> hexadecimal identity: the question, the feature values, the search code, and each horizon's test
    windows."""
    found: dict[str, str | None] = {"study": key, "features": data.fingerprint if data else None}
    code = {digest(plan.code) for plan in plans.values() if isinstance(plan, SearchPlan)}
    found["code of the search"] = code.pop() if len(code) == 1 else None
    for cell in cells:
        if cell.test is not None:
            found.setdefault(f"test windows h{cell.cell.horizon}", cell.test.windows_fingerprint)
    return {name: value for name, value in found.items() if value is not None}
