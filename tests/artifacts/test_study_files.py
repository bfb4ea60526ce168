"""Files of the study: read and written again they are the same bytes, and one that is damaged says what to do."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.small_records import features_manifest, horizon_splits, region_count

from tsladder.artifacts.features import FurtherFeatures, LostDays, read_manifest, write_manifest
from tsladder.artifacts.ingestion import (
    Finding,
    FindingKind,
    Ingestion,
    ManifestState,
    Role,
    SymbolIngestion,
    read_ingestion,
    write_ingestion,
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
from tsladder.vocabulary import Region

MANIFEST = features_manifest()
OWN = MANIFEST.origin
assert OWN is not None
OTHER = FurtherFeatures(
    symbol="other",
    first_row=4832,
    rows=10,
    first_day="2018-12-14",
    last_day="2018-12-31",
    warm_up=199,
    open_equals_previous_close=None,
    origin=dataclasses.replace(
        OWN,
        lost_days=LostDays(count=3, before=1, between=("2015-06-01",), after=1, first="2015-01-02", last="2018-12-31"),
    ),
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
INGESTION = Ingestion(
    symbols=(
        SymbolIngestion(
            symbol="tiny",
            role=Role.LAW,
            manifest=ManifestState.FOUND,
            source="x.csv",
            rows_read=900,
            rows_kept=None,
            options=("--zone Asia/Tokyo",),
            findings=(
                Finding(kind=FindingKind.GAP, what="no bars", count=1, used={Region.TRAIN: 1}),
                Finding(kind=FindingKind.DROPPED, what="dropped", count=2),
            ),
            warnings=(),
            notes=("n",),
        ),
    ),
    cautions={1: (), 10: ("a caution",)},
)
FILES: list[tuple[Any, Callable[[Path], Any], Callable[[Path, Any], None]]] = [
    (MANIFEST, read_manifest, write_manifest),
    (dataclasses.replace(MANIFEST, origin=None), read_manifest, write_manifest),
    (dataclasses.replace(MANIFEST, further=(OTHER,)), read_manifest, write_manifest),
    (SPLITS, read_splits, write_splits),
    (WALKING, read_splits, write_splits),
    (SUMMARY, read_summary, write_summary),
    (INGESTION, read_ingestion, write_ingestion),
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
