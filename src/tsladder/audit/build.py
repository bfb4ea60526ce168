"""The audit stage: the study's own data and code -> seven probes and one record."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tsladder.artifacts.store import read_json, write_json
from tsladder.audit.blanked import blanked_test_targets
from tsladder.audit.days import label_reach, shared_days
from tsladder.audit.finding import Finding
from tsladder.audit.normalisation import normalisation
from tsladder.audit.pipeline import study_pipeline
from tsladder.audit.planted import planted_future_feature
from tsladder.audit.shuffled import shuffled_targets
from tsladder.audit.small_model import SmallModel
from tsladder.audit.subject import Subject
from tsladder.audit.truncation import truncated_future
from tsladder.data.build import read_all
from tsladder.data.constant_columns import constant_columns, constant_words
from tsladder.data.features import read_features
from tsladder.errors import WorkFailed
from tsladder.models.spec import Geometry, spec_from_architecture
from tsladder.params import DataParams, TargetParams, WindowParams
from tsladder.places import Places
from tsladder.planning.plans import Plan, read_plan
from tsladder.planning.recipe import Recipe
from tsladder.seeds import derive_seed
from tsladder.vocabulary import ProbeOutcome

Probe = Callable[[Subject], Finding]

IN_ORDER: Sequence[Probe] = (
    shuffled_targets,
    planted_future_feature,
    truncated_future,
    normalisation,
    shared_days,
    label_reach,
    blanked_test_targets,
)


def audit_study(places: Places) -> None:
    """Write artifacts/audit/audit.json. A failed probe is a finding and no failed stage: the law says what follows, and
    of an inconclusive one, too.

    Raises WorkFailed where something that is to be probed is missing.
    """
    record = audit(open_subject(places, read_plan(places.audit_plan)))
    for probe in record["probes"]:
        print(f"audit: {_line(probe)}", file=sys.stderr, flush=True)
    for note in record["notes"]:
        print(f"audit: note  {note['words']}", file=sys.stderr, flush=True)
    write_json(places.audit / "audit.json", record)


def _line(probe: Mapping[str, Any]) -> str:
    if probe["outcome"] == ProbeOutcome.PASSED:
        return f"pass  {probe['title']}"
    if probe["outcome"] == ProbeOutcome.FAILED:
        return f"FAIL  {probe['title']}: {probe['words']}"
    return f"inconclusive  {probe['title']}: {probe['words']} It would need {probe['needs']}."


def audit(subject: Subject) -> dict[str, Any]:
    """JSON-ready; the same subject gives the same record."""
    findings = [probe(subject) for probe in IN_ORDER]
    return {
        "passed": all(finding.passed for finding in findings),
        "outcome": ProbeOutcome.of_all(finding.outcome for finding in findings).value,
        "probes": [finding.to_json() for finding in findings],
        "notes": _notes(subject),
    }


def _notes(subject: Subject) -> list[dict[str, Any]]:
    """List what a reader should know of the data and is no leak: `name`, `columns`, and a sentence each."""
    splits = [subject.splits(horizon) for horizon in subject.horizons]
    constant = constant_columns(subject.table, splits, subject.context_length)
    if not constant:
        return []
    words = constant_words(constant, len(subject.table.columns), subject.table.tier)
    return [{"name": "constant_columns", "columns": list(constant), "words": words}]


def open_subject(places: Places, plan: Plan) -> Subject:
    """The study that `plan` (artifacts/plans/audit.json) asks about. Raises WorkFailed when its files are missing or
    belong to another question."""
    data, target = DataParams.from_record(plan["data"]), TargetParams(**plan["target"])
    windows, geometry = WindowParams(**plan["windows"]), Geometry(**plan["model"])
    table = read_features(places.features)
    if len(table.columns) != geometry.n_features:
        raise WorkFailed(
            f"{places.features} has {len(table.columns)} columns and {places.audit_plan} {geometry.n_features}: run "
            "`dvc repro`"
        )
    sources = read_all(places, data)
    model = SmallModel(
        spec=spec_from_architecture(geometry, plan["architecture"]),
        recipe=Recipe.from_record(plan["training"]),
        task=plan["target"]["task"],
        seed=derive_seed(plan["seed"], "audit", "model"),
    )
    return Subject(
        bars=sources.markets[0],
        further_bars=sources.markets[1:],
        table=table,
        splits_records={horizon: _read(places.horizon_splits(horizon)) for horizon in plan["horizons"]},
        in_time_order=_read(places.splits / "splits.json")["kind"] != "chunks",
        context_length=windows.context_length,
        target=target,
        seed=plan["seed"],
        pipeline=study_pipeline(data, target, windows, model, vix=sources.vix),
    )


def _read(path: Path) -> Mapping[str, Any]:
    try:
        return read_json(path)
    except FileNotFoundError:
        raise WorkFailed(f"{path} is missing: run `dvc repro splits` first") from None
