"""A study that really ran, handed on: the slow twin of the round trip on made-up forecasts."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from tests.studies import environment, make_study, prepare
from tests.warm_python import stage

from tsladder.places import Places

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Places:
    places = make_study(
        tmp_path_factory.mktemp("real"),
        budget="80k",
        ladder=["12k", "30k", "80k"],
        search__trials=6,
    )
    prepare(places)
    for cell in ("12k-h1", "30k-h1", "80k-h1"):
        for name in ("hpo", "train", "evaluate"):
            stage(places, name, "--cell", cell)
    for name in ("ingestion", "audit", "supplementary", "transfer", "fit", "report"):
        stage(places, name)
    return places


def tsladder(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tsladder.cli", *arguments],
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_law_and_every_figure_of_a_real_study_come_out_as_they_were(study: Places, tmp_path: Path) -> None:
    done = tsladder(study.root, "export", str(tmp_path / "study.zip"))
    assert done.returncode == 0, done.stderr
    done = tsladder(tmp_path, "report", "--from", "study.zip", "--out", "told")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "as stored in the capsule" in done.stdout
    for folder in (study.law, study.report):
        for path in folder.iterdir():
            if path.suffix in (".png", ".csv", ".json"):
                assert (tmp_path / "told" / path.name).read_bytes() == path.read_bytes(), path.name
    ours, theirs = ((f / "report.md").read_text().rstrip() for f in (study.report, tmp_path / "told"))
    assert theirs.startswith(ours)
