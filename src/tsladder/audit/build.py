"""Audit stage: run seven probes on the study's own data and code, and write one record."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

from tsladder.artifacts.audit import AuditNote, AuditRecord, write_audit
from tsladder.artifacts.plans import AuditPlan, read_planned
from tsladder.artifacts.splits import HorizonSplits, SplitsSummary, read_splits, read_summary
from tsladder.artifacts.store import if_there
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
from tsladder.data.constant_columns import constant_columns, describe_constant_columns
from tsladder.data.features import read_features
from tsladder.errors import WorkFailed
from tsladder.models.spec import spec_from_architecture
from tsladder.places import Places
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
    """Write artifacts/audit/audit.json. A failed or inconclusive probe is a finding, not a failed stage: the law
    decides what follows from it.

    Raises WorkFailed where an input of the probes is missing.
    """
    record = audit(open_subject(places, read_planned(AuditPlan, places.audit_plan)))
    for line in record.log_lines:
        print(f"audit: {line}", file=sys.stderr, flush=True)
    write_audit(places.audit_record, record)


def audit(subject: Subject) -> AuditRecord:
    """Run all probes on `subject` and return the record; the same subject gives the same record."""
    findings = [probe(subject) for probe in IN_ORDER]
    return AuditRecord(
        passed=all(finding.passed for finding in findings),
        outcome=ProbeOutcome.of_all(finding.outcome for finding in findings),
        probes=tuple(finding.record() for finding in findings),
        notes=_notes(subject),
    )


def _notes(subject: Subject) -> tuple[AuditNote, ...]:
    """Return facts on the data that a reader should know and that are not leaks."""
    splits = [subject.splits(horizon) for horizon in subject.horizons]
    constant = constant_columns(subject.table, splits, subject.context_length)
    if not constant:
        return ()
    words = describe_constant_columns(constant, len(subject.table.columns), subject.table.tier)
    return (AuditNote.of_constant_columns(tuple(constant), words),)


def open_subject(places: Places, plan: AuditPlan) -> Subject:
    """Open the study that `plan` (artifacts/plans/audit.json) asks about. Raises WorkFailed when its files are missing
    or belong to another question."""
    data, target, windows, geometry = plan.data, plan.target, plan.windows, plan.model
    table = read_features(places.features)
    if len(table.columns) != geometry.n_features:
        raise WorkFailed(
            f"{places.features} has {len(table.columns)} columns and {places.audit_plan} {geometry.n_features}: run "
            "`dvc repro`"
        )
    sources = read_all(places, data)
    model = SmallModel(
        spec=spec_from_architecture(geometry, plan.architecture),
        recipe=plan.training,
        task=plan.target.task,
        seed=derive_seed(plan.seed, "audit", "model"),
    )
    return Subject(
        bars=sources.markets[0],
        further_bars=sources.markets[1:],
        table=table,
        splits_records={horizon: _splits(places, horizon) for horizon in plan.horizons},
        in_time_order=_summary(places).kind != "chunks",
        context_length=windows.context_length,
        target=target,
        seed=plan.seed,
        pipeline=study_pipeline(data, target, windows, model, vix=sources.vix),
    )


def _splits(places: Places, horizon: int) -> HorizonSplits:
    path = places.horizon_splits(horizon)
    try:
        return read_splits(path)
    except FileNotFoundError:
        raise WorkFailed(f"{path} is missing: run `dvc repro splits` first") from None


def _summary(places: Places) -> SplitsSummary:
    summary = if_there(read_summary)(places.splits_summary)
    if summary is None:
        raise WorkFailed(f"{places.splits_summary} is missing: run `dvc repro splits` first")
    return summary
