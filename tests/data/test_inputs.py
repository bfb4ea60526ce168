"""Which bars a tier reads beside its own."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.studies import make_study, synthetic_bars

from tsladder.artifacts.inputs import BarsBeside
from tsladder.data.inputs import bars_beside, further_symbols
from tsladder.errors import BadInput
from tsladder.params import DataParams
from tsladder.places import Places


@pytest.fixture
def study(tmp_path: Path) -> Places:
    return make_study(tmp_path)


def data(tier: str, symbols: tuple[str, ...] | None = None) -> DataParams:
    return DataParams(symbol="tiny", symbols=symbols, tier=tier, ohlcv=True)  # type: ignore[arg-type]


def test_vix_is_read_for_its_tier_alone() -> None:
    assert further_symbols(data("c33")) == ("vix",)
    for tier in ("a20", "a25", "a50", "a100", "a200"):
        assert further_symbols(data(tier)) == ()


def test_another_vix_changes_the_inputs_of_c33_and_of_no_other_tier(study: Places) -> None:
    found = []
    for seed in (1, 2):
        synthetic_bars(seed=seed).to_parquet(study.bars("vix"), index=False)
        found.append({tier: bars_beside(study, data(tier)) for tier in ("c33", "a25", "a200")})
    assert found[0]["c33"] != found[1]["c33"]
    assert found[0]["a25"] == found[1]["a25"] == found[0]["a200"] == BarsBeside(beside={})


def test_a_missing_vix_is_refused_with_the_way_out(study: Places) -> None:
    with pytest.raises(BadInput) as caught:
        bars_beside(study, data("c33"))
    assert "vix.parquet" in str(caught.value)
    assert "a tier without it" in str(caught.value)
    (study.root / "data.dvc").write_text("outs:\n- path: data\n")
    with pytest.raises(BadInput, match=r"dvc pull data\.dvc"):
        bars_beside(study, data("c33"))


def test_the_files_of_further_symbols_are_inputs_by_content(study: Places) -> None:
    two = data("a25", ("tiny", "other"))
    with pytest.raises(BadInput) as caught:
        bars_beside(study, two)
    assert "data.symbols" in str(caught.value)
    assert "leave it out of data.symbols" in str(caught.value)
    found = []
    for seed in (1, 2):
        synthetic_bars(seed=seed).to_parquet(study.bars("other"), index=False)
        found.append(bars_beside(study, two).beside)
    assert set(found[0]) == {"other"}
    assert found[0] != found[1]
    assert further_symbols(data("c33", ("other", "tiny", "vix"))) == ("other", "vix")
