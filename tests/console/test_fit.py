"""`tsladder fit`: what it prints, writes and refuses."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tsladder.cli import main
from tsladder.law.table import fit_table

FIVE = (750_000, 2_000_000, 20_000_000, 200_000_000, 2_000_000_000)


@pytest.fixture
def points(tmp_path: Path) -> Path:
    path = tmp_path / "points.csv"
    rows = [f"{n},{0.4 * (n / 1e6) ** -0.03 * (1 + 0.002 * k)},{k},x" for n in FIVE for k in range(3)]
    path.write_text("\n".join(["n_params,loss,seed,model", *rows]) + "\n")
    return path


def files(folder: Path) -> set[str]:
    return {path.name for path in folder.rglob("*")}


def test_json_is_alone_on_stdout_and_is_the_record_of_the_library(
    points: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["fit", str(points), "--json"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out) == fit_table(points)
    assert "columns ignored: model" in err
    assert files(points.parent) == {"points.csv"}


def test_the_table_for_people_names_verdict_interval_and_every_rung(
    points: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["fit", str(points)]) == 0
    out = capsys.readouterr().out
    understood, blank, verdict, *_ = out.splitlines()
    assert understood.startswith(
        "read 15 rows of points.csv: n_params from 'n_params' (750k to 2B), loss from 'loss', "
    )
    assert (blank, verdict) == ("", "all: scales")
    assert "alpha 0.03" in out
    for rung in ("750k", "2M", "20M", "200M", "2B"):
        assert f"  {rung} " in out
    assert "\x1b" not in out
    assert files(points.parent) == {"points.csv"}


def test_with_out_three_files_are_written_that_agree(points: Path, tmp_path: Path) -> None:
    assert main(["fit", str(points), "--out", str(tmp_path / "deep" / "out")]) == 0
    folder = tmp_path / "deep" / "out"
    assert files(folder) == {"fit.json", "fit.csv", "fit.png"}
    record = json.loads((folder / "fit.json").read_text())
    assert record == fit_table(points)
    with (folder / "fit.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    law = record["groups"]["all"]
    assert [float(row["loss"]) for row in rows] == [point["loss"] for point in law["points"]]
    residuals = [np.log(float(row["loss"]) / float(row["fitted_loss"])) for row in rows]
    assert residuals == pytest.approx(law["fits"]["power"]["residuals"], abs=1e-12)
    assert (folder / "fit.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.slow
def test_a_table_with_data_prints_its_surface_and_colours_its_picture(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rng = np.random.default_rng(0)
    n, d = np.exp(rng.uniform(18, 23, 30)), np.exp(rng.uniform(21, 26, 30))
    loss = (1.82 + 482 * n**-0.348 + 2085 * d**-0.366) * np.exp(0.003 * rng.normal(size=30))
    path = tmp_path / "surface.csv"
    path.write_text("n_params,n_data,loss\n" + "".join(f"{a},{b},{c}\n" for a, b, c in zip(n, d, loss, strict=True)))
    assert main(["fit", str(path), "--out", str(tmp_path / "out"), "--huber-delta", "0.001"]) == 0
    out = capsys.readouterr().out
    assert "E + A N^-alpha + B D^-beta" in out
    assert "converged" in out
    record = json.loads((tmp_path / "out" / "fit.json").read_text())
    assert record["groups"]["all"]["surface"]["huber_delta"] == 0.001
    assert (tmp_path / "out" / "fit.png").stat().st_size > 20_000


def test_a_group_of_every_kind_is_drawn(tmp_path: Path) -> None:
    """Two rungs without a law, a turn, a floor and one point: a panel each."""
    n = np.geomspace(1e5, 1e9, 9)
    rows = [(a, 0.4 * np.exp(0.004 * np.log(a / 1e7) ** 2), "turns $x_{") for a in n]
    rows += [(a, 0.3 + 2 * a**-0.2, "floor") for a in n]
    rows += [(1e6, 0.4, "two"), (1e7, 0.3, "two"), (1e6, 0.4, "one")]
    path = tmp_path / "groups.csv"
    path.write_text("n_params,loss,group\n" + "".join(f"{a},{b},{c}\n" for a, b, c in rows))
    assert main(["fit", str(path), "--out", str(tmp_path / "out")]) == 0
    assert (tmp_path / "out" / "fit.png").stat().st_size > 40_000


@pytest.mark.parametrize("options", [[], ["--json"]])
@pytest.mark.parametrize(
    "text", ["", "n_params\n1\n", "n_params,loss\n1e6,-1\n2e6,text\n", None], ids=["empty", "column", "rows", "missing"]
)
def test_n7_bad_input_is_one_message_and_writes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str | None, options: list[str]
) -> None:
    path = tmp_path / "points.csv"
    if text is not None:
        path.write_text(text)
    before = files(tmp_path)
    assert main(["fit", str(path), "--out", str(tmp_path / "out"), *options]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("tsladder:") == 1
    assert "Traceback" not in err
    assert files(tmp_path) == before


def test_an_out_that_is_a_file_is_refused(points: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fit", str(points), "--out", str(points)]) == 2
    assert "must be a folder" in capsys.readouterr().err


@pytest.mark.parametrize("delta", ["0", "-1", "nan", "inf"])
def test_a_threshold_that_is_none_is_refused(points: Path, capsys: pytest.CaptureFixture[str], delta: str) -> None:
    assert main(["fit", str(points), f"--huber-delta={delta}"]) == 2
    assert "--huber-delta" in capsys.readouterr().err


@pytest.mark.slow
def test_a_reader_that_has_seen_enough_gets_no_traceback(points: Path) -> None:
    command = [sys.executable, "-m", "tsladder.cli", "fit", str(points), "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as run:
        assert run.stdout is not None
        assert run.stderr is not None
        run.stdout.close()
        said = run.stderr.read().decode()
    assert "Traceback" not in said
    assert "BrokenPipe" not in said
    assert run.returncode == 0
