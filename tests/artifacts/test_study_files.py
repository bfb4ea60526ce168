"""Files of the study: read and written again they are the same bytes, and one that is damaged says what to do."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from tests.small_records import features_manifest, horizon_splits, region_count, search_plan

from tsladder.artifacts.audit import AuditNote, AuditRecord, ProbeFinding, read_audit, write_audit
from tsladder.artifacts.features import FurtherFeatures, FurtherSymbol, LostDays, read_manifest, write_manifest
from tsladder.artifacts.ingestion import (
    FindingKind,
    IngestionFinding,
    IngestionRecord,
    ManifestState,
    SymbolIngestion,
    SymbolRole,
    read_ingestion,
    write_ingestion,
)
from tsladder.artifacts.plans import (
    AuditPlan,
    EvaluatePlan,
    NotPlanned,
    PretrainPlan,
    SupplementaryPlan,
    TrainPlan,
    TransferPlan,
    read_plan,
    write_plan,
)
from tsladder.artifacts.splits import (
    FoldDays,
    HorizonCounts,
    SplitsSummary,
    SymbolSplits,
    read_splits,
    read_summary,
    write_splits,
    write_summary,
)
from tsladder.errors import WorkFailed
from tsladder.params import EvaluationParams
from tsladder.vocabulary import Cell, ProbeOutcome, Region

MANIFEST = features_manifest()
OWN = MANIFEST.origin
assert OWN is not None
OTHER = FurtherFeatures(
    further=FurtherSymbol(
        symbol="other",
        first_row=4832,
        warm_up=199,
        open_equals_previous_close=None,
        origin=dataclasses.replace(
            OWN,
            lost_days=LostDays(
                count=3, before=1, between=("2015-06-01",), after=1, first="2015-01-02", last="2018-12-31"
            ),
        ),
    ),
    rows=10,
    first_day="2018-12-14",
    last_day="2018-12-31",
)
SPLITS = horizon_splits(3, notes=["a note"])
FOLD = FoldDays(train=SPLITS.splits.train, validation=SPLITS.splits.validation)
FOLD_COUNTS = {Region.TRAIN: region_count(500), Region.VALIDATION: region_count(200)}
WALKING = dataclasses.replace(
    SPLITS,
    splits=dataclasses.replace(SPLITS.splits, folds=(FOLD, FOLD)),
    folds=(FOLD_COUNTS, FOLD_COUNTS),
    symbols={"own": SymbolSplits(splits=SPLITS.splits, counts=SPLITS.counts)},
)
SUMMARY = SplitsSummary(
    kind="dates",
    horizons={
        1: HorizonCounts(counts=SPLITS.counts, notes=()),
        10: HorizonCounts(counts=SPLITS.counts, notes=("n",), folds=(FOLD_COUNTS,), symbols={"own": SPLITS.counts}),
    },
)
INGESTION = IngestionRecord(
    symbols=(
        SymbolIngestion(
            symbol="tiny",
            role=SymbolRole.LAW,
            manifest=ManifestState.FOUND,
            source="x.csv",
            rows_read=900,
            rows_kept=None,
            options=("--zone Asia/Tokyo",),
            findings=(
                IngestionFinding(kind=FindingKind.GAP, what="no bars", count=1, used={Region.TRAIN: 1}),
                IngestionFinding(kind=FindingKind.DROPPED, what="dropped", count=2),
            ),
            warnings=(),
            notes=("n",),
        ),
    ),
    cautions={1: (), 10: ("a caution",)},
)
SEARCH = search_plan(Cell("12k", 3))
AUDIT = AuditPlan(
    seed=1,
    horizons=(1, 3),
    data=dataclasses.replace(SEARCH.question.data, first_day=dt.date(2011, 1, 31), volume=False),
    target=SEARCH.question.target,
    windows=SEARCH.question.windows,
    model=SEARCH.question.model,
    architecture={"d_model": 16},
    training=SEARCH.question.training,
    code={},
)
EVALUATION = EvaluationParams(bootstrap_draws=100, confidence=0.95)
PROBE = ProbeFinding(
    name="shared_days",
    title="No day is shared",
    passed=False,
    numbers={"days": 3, "share": 0.5, "order": "in time"},
    words="Some.",
    outcome=ProbeOutcome.INCONCLUSIVE,
    needs="more days",
)
AUDITS = [
    AuditRecord(
        passed=False,
        outcome=ProbeOutcome.INCONCLUSIVE,
        probes=(PROBE,),
        notes=(AuditNote.of_constant_columns(("volume",), "volume is constant"),),
    ),
    AuditRecord(passed=True, probes=()),
]
PLANS: list[Any] = [
    SEARCH,
    TrainPlan(question=SEARCH.question, seeds=3, code={"a": "b"}),
    EvaluatePlan(question=SEARCH.question, evaluation=EVALUATION, code={}),
    AUDIT,
    PretrainPlan(
        cell="12k-h1",
        budget="12k",
        horizon=1,
        epochs=10,
        mask=0.4,
        evaluation=EVALUATION,
        training_code={"a": "b"},
        code={"a": "b", "c": "d"},
    ),
    TransferPlan(seed=1, evaluation=EVALUATION, cells={"12k-h1": "f"}, code={}),
    SupplementaryPlan(budgets="auto", trials=3, cells={}, code={}),
    SupplementaryPlan(budgets=("12k",), trials=3, cells={}, code={}),
]
FILES: list[tuple[Any, Callable[[Path], Any], Callable[[Path, Any], None]]] = [
    (MANIFEST, read_manifest, write_manifest),
    (dataclasses.replace(MANIFEST, origin=None), read_manifest, write_manifest),
    (dataclasses.replace(MANIFEST, further=(OTHER,)), read_manifest, write_manifest),
    (SPLITS, read_splits, write_splits),
    (WALKING, read_splits, write_splits),
    (SUMMARY, read_summary, write_summary),
    *((audit, read_audit, write_audit) for audit in AUDITS),
    (INGESTION, read_ingestion, write_ingestion),
    *((plan, partial(read_plan, type(plan)), write_plan) for plan in PLANS),
    *((NotPlanned(reason="off"), partial(read_plan, type(plan)), write_plan) for plan in PLANS),
]


@pytest.mark.parametrize(("record", "read", "write"), FILES)
def test_a_file_read_and_written_again_is_the_same_bytes(
    record: Any, read: Callable[[Path], Any], write: Callable[[Path, Any], None], tmp_path: Path
) -> None:
    path = tmp_path / "a.json"
    write(path, record)
    before = path.read_bytes()
    found = read(path)
    assert found == record
    write(path, found)
    assert path.read_bytes() == before


def test_keys_that_say_nothing_are_not_in_a_file(tmp_path: Path) -> None:
    write_splits(tmp_path / "h3.json", SPLITS)
    assert set(json.loads((tmp_path / "h3.json").read_text())) == {"splits", "counts", "notes"}
    write_manifest(tmp_path / "manifest.json", MANIFEST)
    written = json.loads((tmp_path / "manifest.json").read_text())
    assert not {"further", "origin"} & set(written)
    assert written["lost_days"] is None


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda record: record.pop("counts"), "counts: is missing"),
        (
            lambda record: record["counts"]["train"].update(windows="many"),
            "counts.train.windows: must be a whole number",
        ),
        (lambda record: record["counts"]["train"].update(first_day="soon"), "counts.train.first_day: must be a date"),
        (lambda record: record["splits"].update(test=3), "splits.test: must be an object, got 3"),
    ],
)
def test_a_damaged_splits_file_names_file_key_and_what_to_run(
    change: Callable[[dict[str, Any]], Any], words: str, tmp_path: Path
) -> None:
    path = tmp_path / "h3.json"
    write_splits(path, SPLITS)
    record = json.loads(path.read_text())
    change(record)
    path.write_text(json.dumps(record))
    with pytest.raises(WorkFailed) as caught:
        read_splits(path)
    assert f"{path}: {words}" in str(caught.value)
    assert "dvc repro splits" in str(caught.value)


def test_a_plan_without_a_key_or_of_another_kind_names_what_to_run(tmp_path: Path) -> None:
    path = tmp_path / "12k-h3.json"
    with pytest.raises(WorkFailed, match="is missing: run `dvc repro plan` first"):
        read_plan(type(SEARCH), path)
    write_plan(path, SEARCH)
    with pytest.raises(WorkFailed, match=r"seeds: is missing; remove it and run `dvc repro plan`"):
        read_plan(TrainPlan, path)
    path.write_text("{}")
    with pytest.raises(WorkFailed, match=r"12k-h3.json: cell: is missing \(and \d+ more\)"):
        read_plan(type(SEARCH), path)


def test_a_plan_holds_what_it_asks_flat_and_leaves_out_volume_where_it_is_used(tmp_path: Path) -> None:
    write_plan(tmp_path / "a.json", SEARCH)
    written = json.loads((tmp_path / "a.json").read_text())
    assert {"cell", "planned", "data", "search", "code"} <= set(written)
    assert "volume" not in written["data"]
    assert "metric" not in written["search"]["stop"]
    write_plan(tmp_path / "b.json", AUDIT)
    assert json.loads((tmp_path / "b.json").read_text())["data"]["volume"] is False


def test_an_audit_from_before_there_were_outcomes_says_them_by_what_passed() -> None:
    old = dataclasses.replace(PROBE, outcome=None, needs=None)
    assert old.ended is ProbeOutcome.FAILED
    assert dataclasses.replace(old, passed=True).ended is ProbeOutcome.PASSED
    assert AuditRecord(passed=False, probes=(old, PROBE)).worst is ProbeOutcome.FAILED
