"""What is stored, when it is not, and what is said of it."""

from __future__ import annotations

import datetime
import gzip
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.ingest.conftest import Ingest
from tests.ingest.hostile import bars, csv, line, lines, parquet, written

from tsladder.cli import main
from tsladder.console.ingest import IngestOptions, ingest_here
from tsladder.errors import BadInput
from tsladder.ingest.choices import Choices
from tsladder.places import Places

SOURCE = Path(__file__).parents[2] / "src"


def stored(folder: Path) -> Path:
    return folder / "data" / "x.parquet"


def files(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_the_record_says_what_was_read_dropped_and_kept(ingest: Ingest) -> None:
    content = lines(add=(line(9), "Total,,,,,1"))
    record = ingest(content)
    assert (record["rows_read"], record["rows_kept"]) == (32, 30)
    assert (record["first_day"], record["last_day"]) == ("2018-01-02", "2018-02-12")
    assert record["dropped"] == [
        {"reason": "no day below the last day (a total or a remark)", "count": 1, "rows": [33]},
        {"reason": "repeats another row exactly", "count": 1, "rows": [32]},
    ]
    assert record["columns"] == {name: name for name in ("Date", "Open", "High", "Low", "Close", "Volume")}
    assert (record["outcome"], record["stored_as"], record["added"]) == ("new", "data/x.parquet", False)


def test_at_most_20_dropped_rows_are_listed_and_all_are_counted(ingest: Ingest) -> None:
    dropped = ingest(lines(add=tuple(line(number) for number in range(2, 32))))["dropped"]
    assert dropped == [{"reason": "repeats another row exactly", "count": 30, "rows": list(range(32, 52))}]


def test_the_record_holds_no_folder(ingest: Ingest, folder: Path) -> None:
    assert str(folder) not in json.dumps(ingest(lines()))


def test_the_same_file_gives_the_same_bytes_and_the_same_record(ingest: Ingest, folder: Path) -> None:
    first_record, first = ingest(lines()), stored(folder).read_bytes()
    stored(folder).unlink()
    assert ingest(lines()) == first_record
    assert stored(folder).read_bytes() == first


def test_bars_that_are_there_already_are_left_as_they_are(ingest: Ingest, folder: Path) -> None:
    ingest(lines())
    # The same values from another writer: other bytes, which DVC may know already.
    pd.read_parquet(stored(folder)).to_parquet(stored(folder), index=False, compression="gzip")
    before = stored(folder).read_bytes()
    assert ingest(lines(), "--force")["outcome"] == "unchanged"
    assert stored(folder).read_bytes() == before


def test_other_bars_are_replaced_by_force_only(
    ingest: Ingest, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ingest(lines())
    before = stored(folder).read_bytes()
    other = lines(change={5: line(5, volume="7")})
    (folder / "other.csv").write_bytes(other)
    assert main(["ingest", "other.csv", "--symbol", "x"]) == 2
    assert "holds other bars: replace them with --force" in capsys.readouterr().err
    assert stored(folder).read_bytes() == before
    assert ingest(other, "--force")["outcome"] == "replaced"
    assert pd.read_parquet(stored(folder))["Volume"][3] == 7.0


@pytest.mark.parametrize("there", [b"", b"no parquet", parquet(pd.DataFrame({"a": [1]}))])
def test_a_file_that_is_no_bars_is_not_overwritten_either(folder: Path, there: bytes) -> None:
    stored(folder).parent.mkdir()
    stored(folder).write_bytes(there)
    (folder / "file.csv").write_bytes(lines())
    assert main(["ingest", "file.csv", "--symbol", "x"]) == 2
    assert stored(folder).read_bytes() == there


def test_a_dry_run_says_the_same_and_writes_nothing(ingest: Ingest, folder: Path) -> None:
    said = ingest(lines(), "--dry-run")
    assert files(folder) == ["file.csv"]
    done = ingest(lines())
    assert said == {**done, "dry_run": True}


def test_a_dry_run_refuses_what_the_run_would_refuse(ingest: Ingest, folder: Path) -> None:
    ingest(lines())
    (folder / "other.csv").write_bytes(lines(days=20))
    assert main(["ingest", "other.csv", "--symbol", "x", "--dry-run"]) == 2


def test_nothing_is_left_behind_where_the_folder_cannot_be_written(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "data").write_text("a file where the folder should be")
    (folder / "file.csv").write_bytes(lines())
    assert main(["ingest", "file.csv", "--symbol", "x"]) == 2
    assert "cannot be written" in capsys.readouterr().err
    assert files(folder) == ["data", "file.csv"]


@pytest.mark.parametrize("name", ["", "../x", "a/b", "/x", ".x", "-x", "a b", "é", "x" * 65, "^GSPC", "a\\b", "x\n"])
def test_a_symbol_is_a_name_and_no_path(folder: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    (folder / "file.csv").write_bytes(lines())
    assert main(["ingest", "file.csv", f"--symbol={name}"]) == 2
    assert "--symbol must be letters" in capsys.readouterr().err
    assert files(folder) == ["file.csv"]


@pytest.mark.parametrize("path", ["missing.csv", "."])
def test_a_path_to_no_file_is_refused(folder: Path, capsys: pytest.CaptureFixture[str], path: str) -> None:
    assert main(["ingest", path, "--symbol", "x"]) == 2
    assert "Traceback" not in capsys.readouterr().err
    assert files(folder) == []


def test_a_day_is_of_the_future_against_the_day_that_is_passed(folder: Path) -> None:
    (folder / "file.csv").write_bytes(lines())
    ingest_options, places = IngestOptions(choices=Choices()), Places(folder, folder)
    with pytest.raises(BadInput, match=r"row 31 \(2018-02-12\): Date is 2018-02-12; it lies after today, 2018-02-11"):
        ingest_here(places, "file.csv", "x", ingest_options, today=datetime.date(2018, 2, 11))
    done = ingest_here(places, "file.csv", "x", ingest_options, today=datetime.date(2018, 2, 12))
    assert done.account.rows_kept == 30


def test_gaps_are_measured_in_calendar_days(ingest: Ingest) -> None:
    record = ingest(csv(written(bars().drop(index=[4, 5, 6, 7, 20]))))
    # 5 January (a Friday) to 12 January, and a single missing Tuesday.
    assert record["longest_gap"] == {"days": 7, "after": "2018-01-05", "before": "2018-01-12"}
    assert record["gaps_above_5_days"] == 1


def test_a_gap_of_exactly_five_days_is_not_above_five(ingest: Ingest) -> None:
    # From Thursday the 4th to Tuesday the 9th.
    record = ingest(csv(written(bars().drop(index=[3, 4]))))
    assert (record["longest_gap"]["days"], record["gaps_above_5_days"]) == (5, 0)


def test_a_small_file_that_unfolds_without_end_is_refused_in_time(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("tsladder.ingest.encoding.MOST_BYTES", 2**20)
    (folder / "file.csv.gz").write_bytes(gzip.compress(bytes(2**22)))
    assert main(["ingest", "file.csv.gz", "--symbol", "x"]) == 2
    assert "unfolds to more than 1 MiB" in capsys.readouterr().err


@pytest.mark.parametrize(("factor", "is_jump"), [(1.39, False), (1.41, True), (0.61, False), (0.59, True)])
def test_a_change_of_more_than_40_percent_is_a_jump(ingest: Ingest, factor: float, is_jump: bool) -> None:
    frame = bars(12)
    prices = ["Open", "High", "Low", "Close"]
    frame[prices] = 100.0
    frame.loc[6:, prices] = 100.0 * factor
    record = ingest(csv(frame))
    assert bool(record["jumps"]) is is_jump
    if is_jump:
        (jump,) = record["jumps"]
        assert (jump["day"], jump["row"], jump["adjusted_ratio"]) == ("2018-01-10", 8, None)
        assert jump["ratio"] == pytest.approx(factor)


def test_opens_that_repeat_the_close_before_are_reported(ingest: Ingest) -> None:
    frame = bars()
    frame.loc[1:, "Open"] = frame["Close"].shift()[1:]
    frame["High"], frame["Low"] = 5000.0, 1.0
    record = ingest(csv(frame))
    assert record["open_equals_previous_close"] == 1.0
    assert any("Open repeats the Close" in warning for warning in record["warnings"])


def test_a_failing_dvc_add_keeps_the_bars_and_says_so(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "file.csv").write_bytes(lines())
    assert main(["ingest", "file.csv", "--symbol", "x", "--add", "--json"]) == 1
    out, err = capsys.readouterr()
    assert json.loads(out)["added"] is False
    assert "data/x.parquet is stored, and `dvc add data` failed" in err
    assert stored(folder).exists()


def test_add_tracks_the_folder(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    subprocess.run([sys.executable, "-m", "dvc", "init", "--no-scm", "-q"], cwd=folder, check=True)
    (folder / "file.csv").write_bytes(lines())
    assert main(["ingest", "file.csv", "--symbol", "x", "--add", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["added"] is True
    assert "nfiles: 2" in (folder / "data.dvc").read_text()


def test_the_command_in_a_process_of_its_own(folder: Path) -> None:
    (folder / "file.csv").write_bytes(lines(change={8: line(8, close="oops")}))
    environment = {**os.environ, "PYTHONPATH": str(SOURCE)}
    command = [sys.executable, "-m", "tsladder.cli", "ingest", "file.csv", "--symbol", "x"]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines()[1:] == ["  - row 8 (2018-01-10): Close is 'oops', not a number"]
    assert files(folder) == ["file.csv"]


def test_float32_prices_of_parquet_keep_their_values(ingest: Ingest, folder: Path) -> None:
    frame = bars().astype(dict.fromkeys(("Open", "High", "Low", "Close"), "float32"))
    ingest(parquet(frame), name="file.parquet")
    np.testing.assert_array_equal(pd.read_parquet(stored(folder))["Close"], frame["Close"].astype("float64"))
