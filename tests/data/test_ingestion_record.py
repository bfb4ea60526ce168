"""artifacts/ingestion.json of a study: every symbol that it reads, with its days and its part in the law."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from tests.studies import make_study, params_of, synthetic_bars, verb

from tsladder.artifacts.ingestion import (
    FindingKind,
    IngestionRecord,
    ManifestState,
    SymbolRole,
    read_ingestion,
    write_ingestion,
)
from tsladder.data.manifest import SHA256, find_manifest, manifest_digests, manifest_path, sha256_of
from tsladder.params import DataParams
from tsladder.places import Places
from tsladder.vocabulary import Region

PRICES = ["Open", "High", "Low", "Close"]


def split_at(row: int, **how: int) -> pd.DataFrame:
    frame = synthetic_bars(**how)
    frame.loc[row:, PRICES] /= 2
    return frame


def record(places: Places, symbol: str = "tiny", **entries: Any) -> None:
    """A manifest that belongs to the bars of `symbol`."""
    told = {"source": "x.csv", "rows_read": 900, "rows_kept": 900, SHA256: sha256_of(places.bars(symbol)), **entries}
    manifest_path(places.bars(symbol)).write_text(json.dumps(told))


def found(places: Places) -> IngestionRecord:
    for name in ("inputs", "features", "splits", "ingestion"):
        verb(name)(places, params_of(places))
    ingestion = read_ingestion(places.ingestion)
    assert ingestion is not None
    return ingestion


def test_each_symbol_has_its_facts_and_one_that_is_trained_on_counts_in_training_alone(tmp_path: Path) -> None:
    places = make_study(tmp_path, data__symbols=["tiny", "other", "late"], horizons=[1, 3])
    split_at(400, seed=5).to_parquet(places.bars("other"), index=False)
    split_at(880, seed=6).to_parquet(places.bars("late"), index=False)
    ingestion = found(places)
    assert [(s.symbol, s.role) for s in ingestion.symbols] == [
        ("tiny", SymbolRole.LAW),
        ("other", SymbolRole.TRAINING),
        ("late", SymbolRole.TRAINING),
    ]
    tiny, other, late = ingestion.symbols
    assert tiny.findings == ()
    (jump,) = other.findings
    assert (jump.kind, jump.count, jump.used) == (FindingKind.JUMP, 1, {Region.TRAIN: 1})
    assert late.findings[0].used == {Region.TRAIN: 0}
    assert set(ingestion.cautions) == {1, 3}
    for said in ingestion.cautions.values():
        (sentence,) = said
        assert "the Close of other falls by" in sentence
        assert "(training)" in sentence


def test_vix_beside_the_bars_is_reported_and_its_jumps_are_no_splits(tmp_path: Path) -> None:
    places = make_study(tmp_path, data__tier="c33")
    split_at(600, seed=5).drop(columns="Volume").to_parquet(places.bars("vix"), index=False)
    ingestion = found(places)
    assert [(s.symbol, s.role) for s in ingestion.symbols] == [("tiny", SymbolRole.LAW), ("vix", SymbolRole.COLUMNS)]
    assert [finding.kind for finding in ingestion.symbols[1].findings] == [FindingKind.JUMP]
    assert ingestion.cautions == {1: ()}


def test_what_is_read_back_is_what_was_written(tmp_path: Path) -> None:
    places = make_study(tmp_path)
    split_at(850).to_parquet(places.bars("tiny"), index=False)
    record(places, zone="Asia/Tokyo", days=None, warnings=["w"], notes=["n"], dropped=[{"reason": "empty", "count": 2}])
    ingestion = found(places)
    before = places.ingestion.read_bytes()
    write_ingestion(places.ingestion, ingestion)
    assert places.ingestion.read_bytes() == before
    (tiny,) = ingestion.symbols
    assert (tiny.manifest, tiny.source, tiny.options) == (ManifestState.FOUND, "x.csv", ("--zone Asia/Tokyo",))
    assert (tiny.warnings, tiny.notes) == (("w",), ("n",))
    assert [(f.kind, f.count, f.used) for f in tiny.findings][1:] == [(FindingKind.DROPPED, 2, None)]


def test_adjusted_prices_have_no_jump_and_unadjusted_ones_name_the_parameter(tmp_path: Path) -> None:
    frame = split_at(850).assign(**{"Adj Close": synthetic_bars()["Close"]})
    for adjust, said in ((True, 0), (False, 1)):
        places = make_study(tmp_path / str(adjust), data__adjust=adjust)
        frame.to_parquet(places.bars("tiny"), index=False)
        sentences = found(places).cautions[1]
        assert len(sentences) == said
        assert all("set data.adjust: true in params.yaml" in sentence for sentence in sentences)


def test_shuffled_blocks_tell_the_region_of_each_day(tmp_path: Path) -> None:
    places = make_study(
        tmp_path, splits__kind="chunks", splits__block_days=60, splits__windows_per_block="all", splits__min_positives=1
    )
    split_at(600).to_parquet(places.bars("tiny"), index=False)
    (tiny,) = found(places).symbols
    used = tiny.findings[0].used
    assert used is not None
    assert sum(used.values()) == 1


@pytest.mark.parametrize("damage", [{"repairs": [{"kind": "range", "rows": [{"day": "x"}]}]}, {"repairs": 7}])
def test_a_record_that_nobody_of_ours_wrote_counts_as_damaged_and_stops_nothing(
    tmp_path: Path, damage: dict[str, Any]
) -> None:
    places = make_study(tmp_path)
    record(places, **damage)
    (tiny,) = found(places).symbols
    assert tiny.manifest is ManifestState.DAMAGED
    assert tiny.source is None


def test_the_state_of_a_record_is_reported(tmp_path: Path) -> None:
    places = make_study(tmp_path)
    bars, manifest = places.bars("tiny"), manifest_path(places.bars("tiny"))
    assert find_manifest(bars).state is ManifestState.NONE
    for text, state in (
        ("{", ManifestState.DAMAGED),
        ("[]", ManifestState.DAMAGED),
        ("{}", ManifestState.DAMAGED),
        (json.dumps({SHA256: "0" * 64}), ManifestState.OTHER_BARS),
        (json.dumps({SHA256: sha256_of(bars)}), ManifestState.FOUND),
    ):
        manifest.write_text(text)
        assert find_manifest(bars).state is state


def test_the_list_of_records_changes_with_those_of_the_study_s_symbols_alone(tmp_path: Path) -> None:
    places = make_study(tmp_path)
    data = DataParams(symbol="tiny", tier="a25", ohlcv=True)
    before = manifest_digests(places, data)
    assert before.manifests == {"tiny": None}
    manifest_path(places.bars("other")).write_text("{}")
    assert manifest_digests(places, data) == before
    manifest_path(places.bars("tiny")).write_text("{}")
    assert manifest_digests(places, data) != before
    assert set(manifest_digests(places, DataParams(symbol="tiny", tier="c33", ohlcv=True)).manifests) == {
        "tiny",
        "vix",
    }
