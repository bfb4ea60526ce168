"""`tsladder fit` on tables as people have them: what it says it read, its options, and what it refuses."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from tests.studies import environment

from tsladder.cli import main
from tsladder.law.reading import Reading
from tsladder.law.table import fit_table

CHECKPOINTS = "N,val_loss,step\n" + "".join(
    f"{n},{4.0 - 0.1 * k - 0.001 * step:.3f},{step}\n"
    for k, n in enumerate(("1M", "4M", "16M", "64M"))
    for step in (100, 200, 300)
)


@pytest.fixture
def checkpoints(tmp_path: Path) -> Path:
    path = tmp_path / "log.csv"
    path.write_text(CHECKPOINTS)
    return path


def files(folder: Path) -> set[str]:
    return {path.name for path in folder.rglob("*")}


def test_rows_that_are_no_replicates_are_refused_and_nothing_is_written(
    checkpoints: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["fit", str(checkpoints), "--out", str(tmp_path / "out")]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("tsladder:") == 1
    assert "step differs within 4 of 4 sizes" in err
    for option in ("--per-size best", "--per-size last:step", "--per-size mean", "--ignore step"):
        assert option in err
    assert files(tmp_path) == {"log.csv"}


def test_a_choice_is_printed_and_recorded(
    checkpoints: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["fit", str(checkpoints), "--per-size", "last:step", "--out", str(tmp_path / "out")]) == 0
    out, err = capsys.readouterr()
    assert out.startswith(
        "read 12 rows of log.csv: n_params from 'N' (1M to 64M), loss from 'val_loss', 4 of the rows "
    )
    assert "note: of a size (3 rows) that with the highest step counts (300), as --per-size last:step asks" in out
    assert "columns ignored" not in err
    record = json.loads((tmp_path / "out" / "fit.json").read_text())
    assert record["reading"]["per_size"] == "last:step"
    assert record == fit_table(checkpoints, reading=Reading.parse(per_size="last:step"))
    assert str(tmp_path) not in json.dumps(record)


def test_with_json_what_was_read_is_on_stderr(checkpoints: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--columns", "n_params=N", "--columns", "loss=val_loss", "--ignore", "step", "--json"]
    assert main(["fit", str(checkpoints), *options]) == 0
    out, err = capsys.readouterr()
    record = json.loads(out)
    assert record["reading"]["columns"] == {"n_params": "N", "loss": "val_loss"}
    assert record["reading"]["ignore"] == ["step"]
    assert f"tsladder: {record['understood']}\n" in err


def test_the_options_of_the_judgement_reach_the_record(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "points.csv"


def test_reading_a_table_imports_no_heavy_library(tmp_path: Path) -> None:
    """A fit of five rungs takes about a second as a process, half of it scipy.stats."""
    path = tmp_path / "points.csv"
    path.write_text("n_params,loss\n1e5,0.4\n1e6,0.38\n1e7,0.35\n1e8,0.33\n1e9,0.31\n")
    program = (
        "import json, sys; from tsladder.cli import main; main(sys.argv[1:]); print(json.dumps(list(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, "fit", str(path)], capture_output=True, text=True, env=environment(), check=True
    )
    loaded = set(json.loads(done.stdout.splitlines()[-1]))
    assert not loaded & {"torch", "mlflow", "pandas", "sklearn", "matplotlib", "optuna", "arch", "dvc"}
