"""What is stored, when it is not, and what is said of it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.ingest.panel.conftest import PanelIngest, csv, market, write

from tsladder.cli import main
from tsladder.panel.file import read_manifest
from tsladder.panel.panel import Panel

Stored = Callable[[], Panel]
FRAME = market()
SOURCE = Path(__file__).parents[3] / "src"


def target(folder: Path) -> Path:
    return folder / "data" / "p.parquet"


def test_a_second_run_leaves_the_file_as_it_is(ingest: PanelIngest, folder: Path) -> None:
    assert ingest(csv(FRAME))["outcome"] == "new"
    before = target(folder).stat()
    assert ingest(csv(FRAME))["outcome"] == "unchanged"
    assert target(folder).stat().st_mtime_ns == before.st_mtime_ns
    assert target(folder).stat().st_ino == before.st_ino


def test_the_same_files_give_the_same_bytes(ingest: PanelIngest, folder: Path) -> None:
    first_record = ingest(csv(FRAME))
    first = target(folder).read_bytes()
    target(folder).unlink()
    assert ingest(csv(FRAME)) == first_record
    assert target(folder).read_bytes() == first


def test_other_values_are_replaced_by_force_only(
    ingest: PanelIngest, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ingest(csv(FRAME))
    before = target(folder).read_bytes()
    write(folder, {"other.csv": csv(FRAME.assign(Volume=5.0))})
    assert main(["ingest", "other.csv", "--panel", "p"]) == 2
    assert "has other values: replace it with --force" in capsys.readouterr().err
    assert target(folder).read_bytes() == before
    assert ingest({"other.csv": csv(FRAME.assign(Volume=5.0))}, "--force")["outcome"] == "replaced"


def test_a_new_record_of_the_same_values_needs_no_force(ingest: PanelIngest, folder: Path) -> None:
    ingest(csv(FRAME))
    assert ingest(csv(FRAME), "--licence", "mine")["outcome"] == "record"
    assert read_manifest(target(folder)).origin.licence == "mine"


def test_a_file_that_is_no_panel_is_not_overwritten(folder: Path) -> None:
    write(folder, {"data/p.parquet": b"mine", "long.csv": csv(FRAME)})
    assert main(["ingest", "long.csv", "--panel", "p"]) == 2
    assert target(folder).read_bytes() == b"mine"


def test_a_dry_run_writes_nothing(ingest: PanelIngest, folder: Path) -> None:
    said = ingest(csv(FRAME), "--dry-run")
    assert not (folder / "data").exists()
    assert ingest(csv(FRAME)) == {**said, "dry_run": False}


def test_what_ingestion_did_is_in_the_manifest_and_without_a_folder(ingest: PanelIngest, folder: Path) -> None:
    record = ingest(csv(FRAME))
    manifest = read_manifest(target(folder))
    assert manifest.origin.ingestion["rows_read"] == 360
    assert manifest.origin.ingestion["sources"] == ["long.csv"]
    assert record["manifest"]["sha256"] == dict(manifest.sha256)
    assert str(folder) not in str(manifest.to_json())


def test_days_may_be_cut(ingest: PanelIngest, stored: Stored) -> None:
    record = ingest(csv(FRAME), "--from", "2018-01-10", "--to", "2018-01-31")
    panel = stored()
    assert (str(panel.dates_T[0]), str(panel.dates_T[-1])) == ("2018-01-10", "2018-01-31")
    assert {"why": "outside --from and --to", "count": 12 * 14} in record["rows_left_out"]


def test_faulty_rows_may_be_left_out(ingest: PanelIngest, stored: Stored) -> None:
    frame = FRAME.astype({"Close": object})
    frame.loc[40, "Close"] = "oops"
    record = ingest(csv(frame), "--drop-faulty-rows")
    assert record["repairs"] == [{"kind": "drop-faulty-rows", "count": 1}]
    assert int(stored().traded_TS.sum()) == 359


def test_the_lines_of_the_terminal(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(folder, {"long.csv": csv(FRAME)})
    assert main(["ingest", "long.csv", "--panel", "p"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "read     long.csv (csv, a row a day and stock, days as YYYY-MM-DD, decimal point)"
    assert lines[2] == "holds    12 stocks, 30 days, 2018-01-02 to 2018-02-12"
    assert lines[-2:] == [
        "stored   data/p.parquet",
        "next: dvc add data, so that a study knows this panel by its content",
    ]


def test_a_kill_during_writing_leaves_the_old_file(ingest: PanelIngest, folder: Path) -> None:
    ingest(csv(FRAME))
    before = target(folder).read_bytes()
    write(folder, {"other.csv": csv(FRAME.assign(Volume=5.0))})
    program = (
        "import os, signal, pyarrow.parquet\n"
        "def half(table, stream, **how):\n"
        "    stream.write(b'PAR1 half a file')\n"
        "    stream.flush()\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        "pyarrow.parquet.write_table = half\n"
        "from tsladder.cli import main\n"
        "main(['ingest', 'other.csv', '--panel', 'p', '--force'])\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(SOURCE)}
    done = subprocess.run([sys.executable, "-c", program], cwd=folder, env=environment, check=False)
    assert done.returncode == -9
    assert target(folder).read_bytes() == before
    assert ingest({"other.csv": csv(FRAME.assign(Volume=5.0))}, "--force")["outcome"] == "replaced"
