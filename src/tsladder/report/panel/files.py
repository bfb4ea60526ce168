"""Read what the stages of a panel study left, once, into PanelFacts: the only reader of its report."""

from __future__ import annotations

import dataclasses
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

from tsladder.artifacts.audit import read_audit
from tsladder.artifacts.baselines import BaselineScores, read_baselines
from tsladder.artifacts.ending import Ending
from tsladder.artifacts.law import read_law
from tsladder.artifacts.panel_features import PanelFeatures, read_panel_features
from tsladder.artifacts.panel_splits import PanelSplits, read_panel_splits
from tsladder.artifacts.plans import NotPlanned, SearchPlan, plan_if_there
from tsladder.artifacts.pretraining import Pretraining, read_pretraining
from tsladder.artifacts.store import digest, if_there
from tsladder.errors import WorkFailed
from tsladder.params import PanelParams
from tsladder.places import Places
from tsladder.planning.fingerprint import Code, made_by
from tsladder.planning.plans import study_key
from tsladder.planning.sources import read_source
from tsladder.report.environment import Environment, software_versions
from tsladder.report.panel.facts import PanelFacts
from tsladder.report.panel.rung_files import check_daily, read_fifth_returns, read_rungs, read_test_days
from tsladder.results.cell_files import read_cell
from tsladder.vocabulary import Cell, CellStatus, Region

R = TypeVar("R")


def read_panel_facts(places: Places, params: PanelParams, environment: Environment | None = None) -> PanelFacts:
    """Read all facts that the report of a panel study presents; missing files leave gaps.

    `environment` replaces the description of this machine. Raises WorkFailed for a damaged record, for one of another
    question, and for daily figures that are not those of the scores.
    """
    features = if_there(read_panel_features)(places.features_manifest)
    splits = _by_horizon({h: if_there(read_panel_splits)(places.horizon_splits(h)) for h in params.horizons})
    scores = _by_horizon({h: if_there(read_baselines)(places.baseline_scores(h)) for h in params.horizons})
    _check_question(places, params, features, splits, scores)
    daily = {}
    for horizon, of_horizon in scores.items():
        level = of_horizon.regions.get(Region.TEST)
        path = places.baseline_predictions(horizon)
        found = None if level is None else if_there(read_test_days)(path)
        if level is not None and found is not None:
            check_daily(path, level.baselines, level.windows, found, again="dvc repro baselines")
            daily[horizon] = found
    plans = {str(cell): plan_if_there(SearchPlan, places.search_plan(cell)) for cell in params.cells}
    known = {name: plan for name, plan in plans.items() if plan is not None}
    key = study_key(known) if any(isinstance(plan, SearchPlan) for plan in known.values()) else None
    cells = tuple(read_cell(places, params, cell, plans[str(cell)]) for cell in params.cells)
    law = if_there(read_law)(places.scaling) if key is not None else None
    facts = PanelFacts(
        params=params,
        study_key=key,
        cells=cells,
        law=law,
        picture=if_there(Path.read_bytes)(places.law / "scaling.png") if law is not None else None,
        features=features,
        splits=splits,
        audit=if_there(read_audit)(places.audit_record),
        scores=scores,
        rungs=read_rungs(places, cells, scores),
        daily=daily,
        fifths={},
        pretraining=_pretraining(places, params),
        environment=_environment(features, scores, known) if environment is None else environment,
    )
    return dataclasses.replace(facts, fifths=read_fifth_returns(places, facts))


def _pretraining(places: Places, params: PanelParams) -> dict[Cell, Pretraining | Ending]:
    """Read the result of the pretraining of each cell whose stage has run where it is asked for."""
    found = {cell: if_there(read_pretraining)(places.pretraining_record(cell)) for cell in params.cells}
    return {
        cell: record
        for cell, record in found.items()
        if record is not None and record.status is not CellStatus.NOT_PLANNED
    }


def _by_horizon(found: Mapping[int, R | None]) -> dict[int, R]:
    return {horizon: record for horizon, record in found.items() if record is not None}


def _check_question(
    places: Places,
    params: PanelParams,
    features: PanelFeatures | None,
    splits: Mapping[int, PanelSplits],
    scores: Mapping[int, BaselineScores],
) -> None:
    """Raise WorkFailed where a record answers another question than params.yaml asks."""
    asked: list[tuple[Path, str, object, object]] = []
    if features is not None:
        asked += [
            (places.features_manifest, "data.panel", features.panel, params.data.panel),
            (places.features_manifest, "data.tier", features.tier, params.data.tier),
        ]
    for horizon, own in splits.items():
        path = places.horizon_splits(horizon)
        asked.append((path, "target.entry_lag", own.entry_lag, params.target.entry_lag))
        if features is not None:
            asked.append((path, "features' fingerprint", own.inputs, features.fingerprint))
    for horizon, of_horizon in scores.items():
        path = places.baseline_scores(horizon)
        asked.append((path, "data.panel", of_horizon.panel, params.data.panel))
        for level in of_horizon.regions.values():
            asked += [
                (path, "target.entry_lag", level.entry_lag, params.target.entry_lag),
                (path, "evaluation.cost_bps", level.cost_bps, params.evaluation.cost_bps),
            ]
    for path, leaf, recorded, wanted in asked:
        if recorded != wanted:
            raise WorkFailed(
                f"{path} is of another question: its {leaf} is {recorded}, that of this study {wanted}; run `dvc repro`"
            )


def _environment(
    features: PanelFeatures | None,
    scores: Mapping[int, BaselineScores],
    plans: Mapping[str, SearchPlan | NotPlanned],
) -> Environment:
    """Describe this machine's software and the identities of question, features, scored days and code."""
    searches = {name: plan for name, plan in plans.items() if isinstance(plan, SearchPlan)}
    found = {"study": study_key(searches)} if searches else {}
    found |= {} if features is None else {"features": features.fingerprint}
    code = {digest(plan.code) for plan in searches.values()}
    found |= {"code of the search": code.pop()} if len(code) == 1 else {}
    for horizon, of_horizon in scores.items():
        for region, level in of_horizon.regions.items():
            found[f"{region.value} days and labels, horizon {horizon}"] = level.windows_fingerprint
    return Environment(
        python=platform.python_version(),
        packages=software_versions(),
        fingerprints=found | {"code of the baselines": _code()},
    )


def _code() -> str:
    """Return the hash of the code that scores the baselines: every module that its stage imports."""
    code = Code.in_use()
    modules = made_by(code.stages / "panel" / "baselines.py", code.source)
    return digest({module: read_source(path).digest for module, path in sorted(modules.items())})
