"""Which column of a table is which: usual names, --columns, and what is refused rather than guessed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from tsladder.artifacts.law import POINT_KEYS
from tsladder.errors import BadInput
from tsladder.law.reading.columns import ROLES, parse_columns, role_of
from tsladder.law.reading.options import Reading
from tsladder.law.reading.rows import read_rows
from tsladder.law.reading.tables import read_tables
from tsladder.law.table import fit_table

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def written(text: str, name: str = "points.csv") -> Path:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return written


def refusal(source: Path, **options: object) -> str:
    with pytest.raises(BadInput) as caught:
        read_tables(source, Reading.parse(**options))  # type: ignore[arg-type]
    return str(caught.value)


@pytest.mark.parametrize("size", ["N", "n", "params", "Parameters", "n_params", "N_PARAMS", "num params", "Model Size"])
@pytest.mark.parametrize("loss", ["loss", "val_loss", "test_loss", "Eval Loss", "val/loss", "loss (nats)"])
def test_usual_names_of_size_and_loss_are_understood(write: Write, size: str, loss: str) -> None:
    rows = read_rows(write(f"{loss},{size}\n4.0,1000000\n3.8,2000000\n"))
    assert [(row.n_params, row.loss) for row in rows.rows] == [(1e6, 4.0), (2e6, 3.8)]
    assert f"n_params from '{size}'" in rows.understood[0][1]
    assert f"loss from '{loss}'" in rows.understood[0][1]


@pytest.mark.parametrize("data", ["D", "tokens", "n_tokens", "n_data", "Training Tokens", "tokens_seen"])
def test_usual_names_of_data_are_understood(write: Write, data: str) -> None:
    rows = read_rows(write(f"N,{data},loss\n1M,2e7,4.0\n2M,2e7,3.8\n"))
    known = data != "tokens_seen"
    assert [row.n_data for row in rows.rows] == ([2e7, 2e7] if known else [None, None])
    assert rows.ignored == (() if known else ("tokens_seen",))


@pytest.mark.parametrize("compute", ["C", "compute", "flops", "Training FLOP"])
def test_data_follow_from_compute_where_they_are_missing(write: Write, compute: str) -> None:
    """C = 6 N D."""
    rows = read_rows(write(f"N,{compute},loss\n1e6,{6e6 * 2e7},4.0\n4e6,{24e6 * 8e7},3.6\n"))
    assert [row.n_data for row in rows.rows] == pytest.approx([2e7, 8e7], rel=1e-12)
    assert f"n_data = C / (6 N) with C from '{compute}' (20M to 80M)" in rows.understood[0][1]
    beside = read_rows(write(f"N,D,{compute},loss\n1e6,3e7,{6e6 * 2e7},4.0\n4e6,3e7,{24e6 * 8e7},3.6\n"))
    assert [row.n_data for row in beside.rows] == [3e7, 3e7]
    asked = read_tables(write(f"N,D,{compute},loss\n1e6,3e7,{6e6 * 2e7},4.0\n"), Reading(columns={"compute": compute}))
    assert [row.n_data for row in asked.rows] == pytest.approx([2e7])
    without = read_tables(write(f"N,{compute},loss\n1e6,1e18,4.0\n4e6,2e18,3.6\n"), Reading(columns={"n_data": ""}))
    assert [row.n_data for row in without.rows] == [None, None]


def test_compute_that_is_no_flops_is_refused(write: Write) -> None:
    """Petaflop-days, for instance."""
    said = refusal(write("N,compute,loss\n1e6,0.02,4.0\n4e6,0.3,3.6\n"))
    assert "row 2: compute 0.02" in said
    assert "row 3: compute 0.3" in said
    assert "FLOPs" in said
    assert "--columns n_data=" in said


def test_two_candidates_are_refused_with_the_option_that_tells(write: Write) -> None:
    path = write("N,params,train_loss,val_loss\n1e6,9e5,3.9,4.0\n2e6,1.9e6,3.7,3.8\n")
    said = refusal(path)
    assert (
        "'N' and 'params' could each be n_params: say which by --columns n_params=N or --columns n_params=params"
        in said
    )
    assert "--columns loss=train_loss or --columns loss=val_loss" in said
    rows = read_tables(path, Reading.parse(columns=["n_params=n,loss=VAL_LOSS"]))
    assert [(row.n_params, row.loss) for row in rows.rows] == [(1e6, 4.0), (2e6, 3.8)]
    rows = read_tables(path, Reading.parse(columns=["n_params=params"], ignore=["train_loss"]))
    assert [(row.n_params, row.loss) for row in rows.rows] == [(9e5, 4.0), (1.9e6, 3.8)]
    same = read_rows(write("N,n_params,loss\n1M,1M,4.0\n2M,2M,3.8\n"))
    assert [row.n_params for row in same.rows] == [1e6, 2e6]


def test_a_column_of_any_name_can_be_given_a_role(write: Write) -> None:
    path = write('weights;"err; held out";run;family;sd of mean\n1M;4.0;1;a;0.1\n2M;3.8;1;b;0.1\n')
    options = ["n_params=weights,loss=err; held out,group=family", "seed=run,se=sd of mean"]
    rows = read_tables(path, Reading.parse(columns=options)).rows
    assert [(row.n_params, row.loss, row.seed, row.group, row.se) for row in rows] == [
        (1e6, 4.0, "1", "a", 0.1),
        (2e6, 3.8, "1", "b", 0.1),
    ]


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        (["n_param=N"], ["no ROLE=COLUMN", "did you mean n_params?"]),
        (["N"], ["'N' is no ROLE=COLUMN"]),
        (["loss="], ["loss cannot be left out"]),
        (["loss=a,loss=b"], ["loss is given twice"]),
        (["loss=a", "n_params=a"], ["'a' is given to two roles"]),
        (["n_data=D,compute=C"], ["give one of the two"]),
        (["foo=1,bar=2"], ["'foo=1'", "'bar=2'"]),
    ],
)
def test_an_option_that_says_nothing_is_refused_with_all_its_faults(columns: list[str], words: list[str]) -> None:
    with pytest.raises(BadInput) as caught:
        parse_columns(columns)
    for word in words:
        assert word in str(caught.value)


def test_names_that_are_not_there_are_refused_with_the_nearest_one(write: Write) -> None:
    path = write("N,val_los,lr\n1e6,4.0,1\n")
    said = refusal(path, columns=["loss=val_loss,n_data=toks"])
    assert "--columns loss=val_loss: there is no such column; did you mean 'val_los'?" in said
    assert "--columns n_data=toks" in said
    assert "did you mean 'lr'" in refusal(path, columns=["loss=val_los"], ignore=["lrr"])
    assert "the column loss is missing; the table has: N, val_los, lr" in refusal(path)
    assert "--columns loss=NAME" in refusal(path)


@pytest.mark.parametrize(
    ("heading", "cell", "value"),
    [
        ("params (M)", "1.5", 1.5e6),
        ("params_M", "1.5", 1.5e6),
        ("n_params_millions", "1.5", 1.5e6),
        ("N [billions of parameters]", "0.0015", 1.5e6),
        ("params (1e6)", "1.5", 1.5e6),
        ("parameters (count)", "1500000", 1.5e6),
    ],
)
def test_a_unit_in_a_heading_counts(write: Write, heading: str, cell: str, value: float) -> None:
    rows = read_rows(write(f'"{heading}",loss\n{cell},4.0\n'))
    assert rows.rows[0].n_params == pytest.approx(value)


def test_a_unit_that_is_not_known_or_given_twice_is_refused(write: Write) -> None:
    path = write("size (MB),params (MB),loss\n4,4,4.0\n8,8,3.8\n")
    assert "unit is not known" in refusal(path)
    assert [row.n_params for row in read_tables(path, Reading(columns={"n_params": "params (MB)"})).rows] == [4.0, 8.0]
    assert "one of the two is too much" in refusal(write("params (M),loss\n1.3B,4.0\n"))


def test_rows_without_data_are_named_with_the_ways_out(write: Write) -> None:
    path = write("n_params,n_data,loss\n1000000,1e8,4.0\n2000000,,3.8\n4000000,n/a,3.6\n8000000,2e8,3.3\n")
    said = refusal(path)
    assert "row 3: n_data is missing" in said
    assert "row 4: n_data is missing ('n/a')" in said
    assert "has 2 faults" in said
    for way in ("fill it in", "drop these rows", "--columns n_data="):
        assert way in said
    rows = read_tables(path, Reading.parse(columns=["n_data="]))
    assert [row.n_data for row in rows.rows] == [None] * 4
    assert "no n_data, as asked" in rows.understood[0][1]


def test_leaving_data_out_does_not_make_replicates_of_rows_that_differ_in_it(write: Write) -> None:
    path = write("n_params,tokens,loss\n1M,1e8,4.0\n1M,2e8,3.8\n4M,1e8,3.6\n4M,2e8,3.3\n")
    assert "tokens differs within 2 of 2 sizes" in refusal(path, columns=["n_data="])
    rows = read_tables(path, Reading.parse(columns=["n_data="], per_size="last:tokens")).rows
    assert [(row.n_params, row.loss) for row in rows] == [(1e6, 3.8), (4e6, 3.3)]


RECORDS = [{"N": 1000000, "tokens": "20M", "val_loss": 4.0, "ok": True}, {"val_loss": 3.8, "N": "2M", "tokens": 2e7}]


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(RECORDS),
        json.dumps({"about": "x", "rows": RECORDS}, indent=2),
        "\n".join(map(json.dumps, RECORDS)) + "\n\n",
        "\ufeff" + json.dumps(RECORDS),
    ],
    ids=["list", "rows", "lines", "mark"],
)
def test_records_as_json_are_a_table(write: Write, text: str) -> None:
    rows = read_rows(write(text, "points.json"))
    assert [(row.n_params, row.n_data, row.loss) for row in rows.rows] == [(1e6, 2e7, 4.0), (2e6, 2e7, 3.8)]
    assert rows.ignored == ("ok",)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[{"N": 1, "loss": 2}, 3]', "row 2: is 3"),
        ('{"points": [1]}', "a list of them is needed"),
        ('[{"N": 1, "loss": null}]', "row 1: loss is missing"),
        ('[{"N": 1e6, "loss": Infinity}]', "row 1: loss is inf"),
        ('[{"N": 1e6, "loss": [1]}]', "row 1: loss is '[1]'"),
        ('[{"N": 1e6, "N": 2e6, "loss": 1}]', "'N' twice"),
        ('[{"N": 1e6, "loss": 1}', "no sound JSON"),
        ('{"N": 1e6, "loss": 1}\n{"N": 2e6, loss: 1}\n', "row 2"),
        ("[]", "is empty"),
        ('[{"N": 1e6, "loss": 1}, {"N": 2e6, "loss": true}]', "row 2: loss is 'true'"),
    ],
)
def test_json_that_is_no_table_is_refused(write: Write, text: str, words: str) -> None:
    assert words in refusal(write(text, "points.json"))


def test_missing_data_in_a_record_is_named_by_its_place_in_the_list(write: Write) -> None:
    said = refusal(write('[{"N":1e6,"D":1e8,"loss":4},{"N":2e6,"loss":3.8}]', "points.json"))
    assert "row 2: n_data is missing" in said
    assert "counted from 1, as in the list" in said


def test_what_was_understood_is_one_line_and_on_record(write: Write) -> None:
    path = write("N,tokens,Loss,lr\n1e6,2e7,4.0,0.1\n2e6,2e7,3.8,0.2\n4e6,2e7,3.6,0.3\n")
    record = fit_table(path, draws=20)
    assert record["understood"] == (
        "read 3 rows of points.csv: n_params from 'N' (1M to 4M), loss from 'Loss', n_data from 'tokens' (20M); 3 rungs"
    )
    assert record["reading"] == {"columns": {}, "ignore": [], "per_size": None, "decimal": None}
    other = write("N,tokens,Loss\n8e6,2e7,3.4\n", "other.csv")
    both = fit_table([path, other], draws=20)["understood"]
    assert "\n" not in both
    assert both.startswith("read 4 rows of other.csv: n_params from 'N' (8M), ")
    assert both.endswith("; 4 rungs")
    assert fit_table([other, path], draws=20)["understood"] == both


def test_a_frame_is_read_as_its_file_is(write: Write) -> None:
    path = write("N,tokens,Loss,group\n1e6,2e7,4.0,a\n2000000,2e7,3.8,a\n4e6,2e7,3.6,b\n")
    frame = read_rows(pd.read_csv(path)).rows
    assert [(row.n_params, row.n_data, row.loss, row.group, row.loss_step) for row in frame] == [
        (row.n_params, row.n_data, row.loss, row.group, row.loss_step) for row in read_rows(path).rows
    ]


def test_what_a_study_or_a_fit_writes_has_no_second_candidate_for_any_role() -> None:
    for name in (*POINT_KEYS, "n_seeds", "fitted_loss"):
        known = role_of(name)
        assert known is None or known[0] == name
        assert name not in set(ROLES) - {"n_params", "loss", "n_data", "se"}
