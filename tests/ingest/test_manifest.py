"""What was done to a file stands beside its bars, for whoever reads them later."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from tests.ingest.conftest import Ingest
from tests.ingest.hostile import bars, csv, line, lines, written

from tsladder.cli import main
from tsladder.data.manifest import manifest_path, read_manifest


def stored(folder: Path) -> Path:
    return folder / "data" / "x.parquet"


def test_the_manifest_is_the_record_and_belongs_to_these_bytes(ingest: Ingest, folder: Path) -> None:
    record = ingest(lines())
    manifest = read_manifest(stored(folder))
    assert manifest is not None
    assert set(record) - set(manifest) == {"outcome", "dry_run", "stored_as", "settings", "added"}
    assert all(record[key] == value for key, value in manifest.items() if key != "parquet_sha256")
    bars().to_parquet(stored(folder))
    assert read_manifest(stored(folder)) is None


@pytest.mark.parametrize("damage", ["", "[]", "{", "{}"])
def test_a_damaged_manifest_counts_as_none(ingest: Ingest, folder: Path, damage: str) -> None:
    ingest(lines())
    manifest_path(stored(folder)).write_text(damage)
    assert read_manifest(stored(folder)) is None


def test_every_repaired_and_dropped_row_is_on_record(ingest: Ingest, folder: Path) -> None:
    frame = bars()
    low = max(frame["Open"][4], frame["Close"][4]) - 0.5
    changes = {6: line(6, high=f"{low:.2f}"), 9: line(9, volume="")}
    changes |= {number: line(number, close="oops") for number in range(11, 24)}
    # More than the 20 rows that a list of dropped rows shows.
    content = lines(change=changes, days=60)
    ingest(content, "--repair", "range", "--missing-volume", "zero", "--drop-faulty-rows")
    manifest = read_manifest(stored(folder))
    assert manifest is not None
    repairs = {repair["kind"]: repair for repair in manifest["repairs"]}
    (widened,) = repairs["range"]["rows"]
    assert (widened["row"], widened["day"]) == (6, "2018-01-08")
    assert widened["high"] == [round(low, 2), max(frame["Open"][4], frame["Close"][4])]
    assert repairs["missing-volume"]["rows"] == [
        {"row": 9, "day": "2018-01-11", "why": "Volume is missing: taken as 0"}
    ]
    dropped = repairs["drop-faulty-rows"]
    assert [entry["row"] for entry in dropped["rows"]] == list(range(11, 24))
    assert dropped["count"] == 13
    assert all(entry["why"] == "Close is 'oops', not a number" for entry in dropped["rows"])
    assert len(pd.read_parquet(stored(folder))) == 60 - 13


def test_the_largest_step_of_a_widening_is_reported(ingest: Ingest) -> None:
    frame = bars()
    frame.loc[4, ["Open", "High", "Low", "Close"]] = [1200.0, 1210.0, 1190.0, 1200.0]
    frame.loc[4, "High"] = 1000.0
    frame.loc[9, "High"] = max(frame["Open"][9], frame["Close"][9]) - 0.01
    record = ingest(csv(written(frame)), "--repair", "range")
    assert "on 2 days, by 20.00% at most (2018-01-08, row 6)" in record["repairs"][0]["words"]


def test_unchanged_bars_keep_their_bytes_and_get_the_record_of_the_last_ingestion(ingest: Ingest, folder: Path) -> None:
    ingest(lines())
    before = stored(folder).read_bytes()
    assert ingest(csv(bars()), name="other.csv")["outcome"] == "unchanged"
    assert stored(folder).read_bytes() == before
    manifest = read_manifest(stored(folder))
    assert manifest is not None
    assert manifest["source"] == "other.csv"


def test_a_refusal_leaves_bars_and_manifest_as_they_were(
    ingest: Ingest, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ingest(lines())
    before = stored(folder).read_bytes(), manifest_path(stored(folder)).read_bytes()
    (folder / "other.csv").write_bytes(lines(change={5: line(5, volume="7")}))
    assert main(["ingest", "other.csv", "--symbol", "x"]) == 2
    capsys.readouterr()
    assert (stored(folder).read_bytes(), manifest_path(stored(folder)).read_bytes()) == before
    assert sorted(path.name for path in (folder / "data").iterdir()) == ["x.manifest.json", "x.parquet"]


def test_the_zone_that_determined_the_days_is_on_record(ingest: Ingest) -> None:
    content = csv(written(bars().assign(Date=bars()["Date"] - pd.Timedelta(hours=9)), day="%Y-%m-%d %H:%M:%S"))
    record = ingest(content, "--zone", "Asia/Tokyo")
    assert (record["zone"], record["days"], record["first_day"]) == ("Asia/Tokyo", None, "2018-01-02")
    record = ingest(content, "--days", "next", "--force")
    assert (record["zone"], record["days"], record["first_day"]) == (None, "next", "2018-01-02")


@pytest.mark.parametrize("volume", [None, 12.0])
def test_a_series_without_a_varying_volume_gets_the_command_to_type(
    folder: Path, capsys: pytest.CaptureFixture[str], volume: float | None
) -> None:
    frame = bars().drop(columns="Volume") if volume is None else bars().assign(Volume=volume)
    (folder / "file.csv").write_bytes(csv(written(frame)))
    assert main(["ingest", "file.csv", "--symbol", "x"]) == 0
    said = capsys.readouterr()
    assert said.out.splitlines()[-1].startswith("next: dvc exp run -S data.symbol=x -S data.volume=false (")
    assert ("no Volume" if volume is None else "Volume is 12 on every day") in said.err
    assert "data.volume: false" in said.err


def test_a_fault_of_one_cause_is_one_line(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "file.csv").write_bytes(csv(written(bars(), number=lambda v: f"{v:.2f} pts")))
    assert main(["ingest", "file.csv", "--symbol", "x"]) == 2
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 5
    assert json.dumps(said).count("and so in 29 more rows") == 4
