"""Points of several files, fitted as one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tsladder.errors import BadInput
from tsladder.law.reading.rows import read_rows
from tsladder.law.reading.tables import read_tables
from tsladder.law.table import fit_table

SIZES = np.geomspace(1e4, 1e7, 6)
Write = Callable[[str, str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def written(name: str, text: str) -> Path:
        path = tmp_path / name
        path.write_text(text)
        return path

    return written


def of_study(n_data: float, seed: int) -> str:
    """As a study's scaling.csv: a planted surface, one horizon, one cell without a loss."""
    noise = np.random.default_rng(seed).normal(0.0, 1e-4, len(SIZES))
    losses = (0.2 + 3.0 * SIZES**-0.3 + 5.0 * n_data**-0.4) * np.exp(noise)
    rows = [f"1,r{n:.0f},{n:.0f},{n_data:.0f},{loss:.10f},0.001,False" for n, loss in zip(SIZES, losses, strict=True)]
    return "\n".join(["horizon,cell,n_params,n_data,loss,se,dropped", *rows, "1,2B-h1,,,,,True"]) + "\n"


def test_studies_of_more_and_more_symbols_give_one_surface_for_a_horizon(write: Write) -> None:
    """loss = 0.2 + 3 N^-0.3 + 5 D^-0.4, which no table alone tells."""
    paths = [write(f"{k}.csv", of_study(d, k)) for k, d in enumerate((3e3, 6e3, 1.2e4, 2.4e4))]
    record = fit_table(paths, draws=30)
    assert (list(record["groups"]), record["rows"], record["rows_dropped"]) == (["1"], 24, 4)
    surface = record["groups"]["1"]["surface"]
    assert surface["converged"]
    assert surface["alpha"] == pytest.approx(0.3, abs=0.03)
    assert surface["beta"] == pytest.approx(0.4, abs=0.05)
    assert surface["E"] == pytest.approx(0.2, abs=0.02)
    assert "surface" not in fit_table(paths[0], draws=30)["groups"]["1"]
    assert fit_table(paths[::-1], draws=30) == record


def test_one_table_in_a_list_is_that_table(write: Write) -> None:
    path = write("a.csv", of_study(3e3, 0))
    assert fit_table([path], draws=20) == fit_table(path, draws=20)
    assert read_tables([path]) == read_rows(path)


def test_a_horizon_is_a_group_only_where_there_is_none(write: Write) -> None:
    text = "n_params,loss,horizon{}\n1e6,0.4,1{}\n2e6,0.3,3{}\n"
    alone = read_rows(write("a.csv", text.format("", "", "")))
    assert [row.group for row in alone.rows] == ["1", "3"]
    beside = read_rows(write("b.csv", text.format(",group", ",x", ",x")))
    assert [row.group for row in beside.rows] == ["x", "x"]
    assert beside.ignored == ("horizon",)


def test_a_fault_is_told_with_its_file_and_all_faulty_files_at_once(write: Write) -> None:
    good, bad = write("good.csv", "n_params,loss\n1e6,0.4\n"), write("bad.csv", "n_params,loss\n1e6,-1\n")
    with pytest.raises(BadInput, match=r"bad\.csv has 1 fault") as caught:
        read_tables([good, bad])
    assert "row 2" in str(caught.value)
    with pytest.raises(BadInput) as both:
        read_tables([bad, good, good.parent / "none.csv"])
    for part in ("2 of 3 tables", "bad.csv", "none.csv does not exist"):
        assert part in str(both.value)


def test_the_same_table_or_the_same_run_counts_once(write: Write) -> None:
    rows = "n_params,loss,seed\n1e6,0.4,1\n2e6,0.3,1\n"
    one, two = write("a.csv", rows), write("b.csv", rows.replace("2e6", "3e6"))
    with pytest.raises(BadInput, match="given twice"):
        read_tables([one, one.parent / "." / "a.csv"])
    with pytest.raises(BadInput) as caught:
        read_tables([one, two])
    assert "b.csv row 2 repeats" in str(caught.value)
    assert len(caught.value.faults) == 1


def test_an_amount_of_data_in_one_table_alone_is_refused(write: Write) -> None:
    one, two = write("a.csv", "n_params,loss,n_data\n1e6,0.4,3e3\n"), write("b.csv", "n_params,loss\n1e6,0.5\n")
    with pytest.raises(BadInput) as caught:
        read_tables([one, two])
    (fault,) = caught.value.faults
    assert fault.startswith("n_data is known in ")
    assert fault.endswith("b.csv")
