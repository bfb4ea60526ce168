"""What a change under data/ makes stale, as DVC itself sees it: the tiers that read the changed file, and no other."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.studies import synthetic_bars
from tests.test_pipeline import NOTHING, Workspace

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A study of tier a25 with VIX beside it, its windows cut."""
    made = Workspace(tmp_path_factory.mktemp("inputs"))
    write(made, "vix", seed=1)
    assert repro(made) == {"inputs", "features", "splits"}
    return made


def write(workspace: Workspace, symbol: str, seed: int) -> None:
    synthetic_bars(seed=seed).to_parquet(workspace.folder / "data" / f"{symbol}.parquet", index=False)


def repro(workspace: Workspace) -> set[str]:
    return workspace.ran("repro", "splits")


def test_another_vix_or_another_symbol_leaves_a_tier_without_it_as_it_is(workspace: Workspace) -> None:
    write(workspace, "vix", seed=2)
    assert repro(workspace) == {"inputs"}
    write(workspace, "other", seed=3)
    assert repro(workspace) == {"inputs"}
    (workspace.folder / "data" / "vix.parquet").unlink()
    assert repro(workspace) == {"inputs"}
    assert repro(workspace) == NOTHING
    write(workspace, "vix", seed=2)
    repro(workspace)


def test_another_vix_makes_c33_stale_and_another_symbol_does_not(workspace: Workspace) -> None:
    workspace.set(data__tier="c33")
    assert repro(workspace) == {"inputs", "features", "splits"}
    write(workspace, "other", seed=4)
    assert repro(workspace) == {"inputs"}
    write(workspace, "vix", seed=5)
    assert repro(workspace) == {"inputs", "features", "splits"}
    workspace.set(data__tier="a25")
    repro(workspace)


def test_other_bars_of_a_further_symbol_make_the_study_that_names_it_stale_and_no_other(workspace: Workspace) -> None:
    write(workspace, "other", seed=7)
    repro(workspace)
    workspace.set(data__symbols=["tiny", "other"])
    assert repro(workspace) == {"inputs", "features", "splits"}
    write(workspace, "vix", seed=8)
    assert repro(workspace) == {"inputs"}
    write(workspace, "other", seed=9)
    assert repro(workspace) == {"inputs", "features", "splits"}
    workspace.set(data__symbols=None)
    repro(workspace)


def test_other_bars_of_the_symbol_make_every_tier_stale(workspace: Workspace) -> None:
    write(workspace, "tiny", seed=6)
    assert repro(workspace) == {"inputs", "features", "splits"}


def test_a_missing_vix_ends_c33_with_the_file_and_the_way_out(workspace: Workspace) -> None:
    vix: Path = workspace.folder / "data" / "vix.parquet"
    kept = vix.read_bytes()
    vix.unlink()
    workspace.set(data__tier="c33")
    done = workspace.run("python", "-m", "dvc", "repro", "splits", check=False)
    assert done.returncode != 0
    assert "vix.parquet does not exist" in done.stdout + done.stderr
    vix.write_bytes(kept)
    assert repro(workspace) == {"inputs", "features", "splits"}


def test_a_record_of_ingestion_makes_stale_what_reports_it_and_nothing_else(workspace: Workspace) -> None:
    workspace.ran("repro", "ingestion")
    data = workspace.folder / "data"
    (data / "tiny.manifest.json").write_text("{}")
    assert workspace.ran("repro", "ingestion") == {"inputs", "ingestion"}
    (data / "other.manifest.json").write_text("{}")
    assert workspace.ran("repro", "ingestion") == {"inputs"}
    assert workspace.ran("repro", "ingestion") == NOTHING
