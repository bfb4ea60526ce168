"""Audit of a panel study: run ten probes on its own data and code, and return one record."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

import numpy as np

from tsladder.artifacts.audit import AuditNote, AuditRecord, write_audit
from tsladder.artifacts.panel_splits import read_panel_splits
from tsladder.audit.finding import Finding
from tsladder.audit.panel.days import days_and_label_reach
from tsladder.audit.panel.entry import entry_lag
from tsladder.audit.panel.future import future_of_others, truncated_panel
from tsladder.audit.panel.labels_at_scoring import label_blind_cross_section, turned_test_labels
from tsladder.audit.panel.permuted import permuted_labels
from tsladder.audit.panel.planted import planted_future_column
from tsladder.audit.panel.rescaled import rescaled_history
from tsladder.audit.panel.shuffled_days import shuffled_days
from tsladder.audit.panel.subject import PanelSubject, panel_subject
from tsladder.data.splits import Splits
from tsladder.panel.file import read_panel
from tsladder.params import PanelParams
from tsladder.places import Places
from tsladder.vocabulary import ProbeOutcome

Probe = Callable[[PanelSubject], Finding]

IN_ORDER: Sequence[Probe] = (
    permuted_labels,
    truncated_panel,
    future_of_others,
    rescaled_history,
    planted_future_column,
    label_blind_cross_section,
    days_and_label_reach,
    entry_lag,
    turned_test_labels,
    shuffled_days,
)


def audit_panel_study(places: Places, params: PanelParams) -> None:
    """Write artifacts/audit/audit.json. A failed or inconclusive probe is a finding, not a failed stage.

    Raises BadInput where the panel is missing or damaged, WorkFailed where the splits are.
    """
    stored = {horizon: read_panel_splits(places.horizon_splits(horizon)) for horizon in params.horizons}
    splits = {horizon: Splits.of_days(of.days) for horizon, of in stored.items()}
    record = audit_panel(panel_subject(read_panel(places.bars(params.data.panel)), params, splits))
    for line in record.log_lines:
        print(f"audit: {line}", file=sys.stderr, flush=True)
    write_audit(places.audit_record, record)


def audit_panel(subject: PanelSubject) -> AuditRecord:
    """Run all probes on `subject` and return the record; the same subject gives the same record.

    A failed or inconclusive probe is a finding. Raises BadInput where the study's own code refuses its panel, and
    WorkFailed where a region has no sample day.
    """
    findings = [probe(subject) for probe in IN_ORDER]
    return AuditRecord(
        passed=all(finding.passed for finding in findings),
        outcome=ProbeOutcome.of_all(finding.outcome for finding in findings),
        probes=tuple(finding.record() for finding in findings),
        notes=notes(subject),
    )


def notes(subject: PanelSubject) -> tuple[AuditNote, ...]:
    """Return facts on the data that a reader should know and that are not leaks."""
    constant = constant_columns(subject)
    if not constant:
        return ()
    are, them = ("is", "it") if len(constant) == 1 else ("are", "them")
    words = (
        f"{len(constant)} of {len(subject.inputs.columns)} columns {are} constant over the stocks of all training "
        f"days, and nothing can be learned from {them}: {', '.join(constant)}."
    )
    return (AuditNote.of_constant_columns(constant, words),)


def constant_columns(subject: PanelSubject) -> tuple[str, ...]:
    """Return the columns of the models' inputs that have one value on all training days of any horizon, whatever the
    stock; in several folds those of the last."""
    inputs, constant_F = subject.inputs, np.zeros(len(subject.inputs.columns), dtype=np.bool_)
    for horizon in subject.horizons:
        rows_N = subject.rows_N(horizon, subject.splits[horizon].train)
        shown_XF = inputs.inputs.x_TSF[rows_N][inputs.axis.stocks_TS[rows_N]]
        constant_F |= shown_XF.max(axis=0) == shown_XF.min(axis=0)
    return tuple(name for name, constant in zip(inputs.columns, constant_F, strict=True) if constant)
