"""`tsladder fit` on tables as people have them: what it says it read, its options, and what it refuses."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from tests.studies import environment

from tsladder.cli import main
from tsladder.law.reading.options import Reading
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
    path.write_text("n_params,loss\n1e5,0.371\n1e6,0.37\n1e7,0.3705\n1e8,0.3702\n1e9,0.3706\n")

    def judged(*options: str) -> dict[str, object]:
        assert main(["fit", str(path), "--json", *options]) == 0
        record = json.loads(capsys.readouterr().out)
        keys = ("alpha_of_interest", "confidence", "draws", "seed")
        return {key: record[key] for key in keys} | {"ci": record["groups"]["all"]["fits"]["power"]["alpha_ci"]}

    plain = judged()
    assert (plain["alpha_of_interest"], plain["confidence"], plain["draws"], plain["seed"]) == (0.015, 0.95, 1000, 42)
    asked = judged("--alpha-of-interest", "0.00001", "--confidence", "0.8", "--draws", "200", "--seed", "7")
    assert (asked["alpha_of_interest"], asked["confidence"], asked["draws"], asked["seed"]) == (1e-5, 0.8, 200, 7)
    wide, narrow = plain["ci"], asked["ci"]
    assert isinstance(wide, list)
    assert isinstance(narrow, list)
    assert wide[0] < narrow[0] < narrow[1] < wide[1]


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--alpha-of-interest", "0"),
        ("--alpha-of-interest", "nan"),
        ("--confidence", "1"),
        ("--confidence", "0.4"),
        ("--confidence", "nan"),
        ("--draws", "99"),
        ("--seed", "-1"),
        ("--per-size", "worst"),
        ("--columns", "size=N"),
        ("--ignore", "stp"),
    ],
)
def test_a_value_that_an_option_cannot_have_is_one_message(
    checkpoints: Path, option: str, value: str, capsys: pytest.CaptureFixture[str]
) -> None:
    base = [] if option == "--per-size" else ["--per-size=best"]
    assert main(["fit", str(checkpoints), *base, f"{option}={value}"]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("tsladder:")) == ("", 1)
    assert option in err


def test_all_invalid_options_are_reported_at_once(checkpoints: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fit", str(checkpoints), "--draws=1", "--confidence=2", "--columns=x", "--per-size=x"]) == 2
    err = capsys.readouterr().err
    for option in ("--draws", "--confidence", "--columns", "--per-size"):
        assert option in err


def test_the_rungs_that_a_note_refers_to_are_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "points.csv"
    path.write_text("n_params,loss\n12000,0.42\n30000,0.402\n80000,0.3935\n200000,0.39\n750000,0.3888\n")
    assert main(["fit", str(path)]) == 0
    out = capsys.readouterr().out
    law = fit_table(path)["groups"]["all"]
    assert law["influential"]
    table = out[out.index("each rung predicted from the others") :].splitlines()[2:7]
    assert [line.split()[0] for line in table] == [left["cell"] for left in law["leave_one_rung_out"]]
    assert [line.split()[3] for line in table] == [f"{left['error']:+.2%}" for left in law["leave_one_rung_out"]]


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
