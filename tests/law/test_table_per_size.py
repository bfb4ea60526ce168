"""Rows of one size are replicates only where nothing but chance tells them apart."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tsladder.errors import BadInput
from tsladder.law.reading.options import Reading
from tsladder.law.reading.per_size import Pick, Take, parse_per_size
from tsladder.law.reading.tables import read_tables
from tsladder.law.scaling import points_table
from tsladder.law.table import fit_table, law_of_table, write_fit

SIZES = (1e6, 4e6, 16e6, 64e6)


def sweep() -> pd.DataFrame:
    """The loss of the best setting falls with size, that of the worst rises: their mean has no meaning."""
    rates = (0.001, 0.003, 0.01)
    loss = {0.001: lambda k: 0.5 - 0.02 * k, 0.003: lambda k: 0.41 - 0.01 * k, 0.01: lambda k: 0.9 + 0.6 * k}
    rows = [(n, lr, loss[lr](k)) for (k, n), lr in itertools.product(enumerate(SIZES), rates)]
    return pd.DataFrame(rows, columns=["n_params", "lr", "loss"])


def checkpoints() -> pd.DataFrame:
    rows = [(n, step, 4.0 - 0.1 * k - 0.002 * step) for k, n in enumerate(SIZES) for step in (100, 200, 300)]
    return pd.DataFrame(rows, columns=["n_params", "step", "loss"])


def losses(frame: pd.DataFrame, per_size: str, **options: object) -> list[float]:
    rows = read_tables(frame, Reading.parse(per_size=per_size, **options)).rows  # type: ignore[arg-type]
    return [round(row.loss, 10) for row in rows]


def refusal(source: object, **options: object) -> str:
    with pytest.raises(BadInput) as caught:
        read_tables(source, Reading.parse(**options))  # type: ignore[arg-type]
    return str(caught.value)


@pytest.mark.parametrize(("frame", "column"), [(sweep(), "lr"), (checkpoints(), "step")], ids=["sweep", "checkpoints"])
def test_a_sweep_and_checkpoints_are_no_replicates(frame: pd.DataFrame, column: str) -> None:
    said = refusal(frame)
    assert f"{column} differs within 4 of 4 sizes" in said
    for words in ("row 2 (", "row 3 (", "of 1M", "--per-size best", f"--per-size last:{column}", "--per-size mean"):
        assert words in said
    assert f"--ignore {column}" in said
    assert f"--columns group={column}" in said


def test_best_is_the_lowest_loss_of_each_size() -> None:
    assert losses(sweep(), "best") == [0.41, 0.40, 0.39, 0.38]
    law = fit_table(sweep(), reading=Reading.parse(per_size="best"), draws=20)
    assert law["groups"]["all"]["verdict"] == "scales"
    assert (law["rows"], law["rows_used"]) == (12, 4)
    assert law["reading"]["per_size"] == "best"
    (note,) = [note for note in law["groups"]["all"]["notes"] if "--per-size" in note]
    assert "lowest of its 3 rows, which differ in lr" in note


def test_the_best_of_unequally_many_is_said_to_lean() -> None:
    """The minimum of k standard normals falls with k: -0.56 for 2, -1.42 for 8."""
    drawn = np.random.default_rng(0).normal(size=(4_000, 8))
    assert drawn[:, :2].min(axis=1).mean() - drawn.min(axis=1).mean() == pytest.approx(1.42 - 0.56, abs=0.05)
    fewer = sweep().drop(index=[1])
    notes = fit_table(fewer, reading=Reading.parse(per_size="best"), draws=20)["groups"]["all"]["notes"]
    assert any("sizes have from 2 to 3 rows" in note and "lower by luck" in note for note in notes)


def test_last_is_the_row_with_the_highest_value_of_the_column_that_differs() -> None:
    expected = [3.4, 3.3, 3.2, 3.1]
    assert losses(checkpoints(), "last:step") == expected
    assert losses(checkpoints(), "last:STEP") == expected
    assert losses(checkpoints(), "last") == expected
    assert losses(checkpoints().sample(frac=1, random_state=0).sort_values("n_params"), "last") == expected
    notes = fit_table(checkpoints(), reading=Reading.parse(per_size="last"), draws=20)["groups"]["all"]["notes"]
    assert any("highest step counts (300)" in note and "8 of 12 rows are left out" in note for note in notes)


def test_last_without_a_column_needs_one_that_differs() -> None:
    frame = checkpoints().assign(tokens_seen=lambda f: 2.0 * f["step"])
    assert "--per-size last:step or --per-size last:tokens_seen" in refusal(frame, per_size="last")
    assert "no column of numbers differs" in refusal(checkpoints().drop(columns="step"), per_size="last")
    assert "there is no further column 'stp'" in refusal(frame, per_size="last:stp")
    texts = checkpoints().assign(step=["a", "b", "c"] * 4)
    assert "row 2: step is a" in refusal(texts, per_size="last:step")


def test_mean_takes_the_rows_for_replicates_and_says_so() -> None:
    law = fit_table(sweep(), reading=Reading.parse(per_size="mean"), draws=20)["groups"]["all"]
    assert [point["loss"] for point in law["points"]] == pytest.approx(sweep().groupby("n_params")["loss"].mean())
    assert any("count as replicates, as --per-size mean asks" in note for note in law["notes"])


def test_with_seeds_the_choice_is_within_each() -> None:
    frame = pd.concat([sweep().assign(seed=k, loss=lambda f, k=k: f["loss"] + 0.001 * k) for k in (1, 2)])
    assert "lr differs within 4 of 4 sizes" in refusal(frame)
    best = read_tables(frame, Reading.parse(per_size="best")).rows
    assert [(row.n_params, row.seed) for row in best] == [(n, s) for s in "12" for n in SIZES]
    mean = read_tables(frame, Reading.parse(per_size="mean")).rows
    assert [row.loss for row in mean] == pytest.approx(frame.groupby(["seed", "n_params"])["loss"].mean())
    assert (
        "each seed of a size"
        in fit_table(frame, reading=Reading.parse(per_size="mean"), draws=20)["groups"]["all"]["notes"][0]
    )


def test_runs_of_a_seed_may_end_at_different_steps() -> None:
    frame = pd.concat([checkpoints().assign(seed=k, step=lambda f, k=k: f["step"] + k) for k in (1, 2)])
    rows = read_tables(frame, Reading.parse(per_size="last:step")).rows
    assert {(row.seed, row.further["step"]) for row in rows} == {("1", 301.0), ("2", 302.0)}


def test_last_leaves_a_sweep_refused_until_the_best_of_it_is_asked_for() -> None:
    frame = pd.concat([checkpoints().assign(lr=lr, loss=lambda f, lr=lr: f["loss"] + lr) for lr in (0.1, 0.2)])
    said = refusal(frame, per_size="last:step")
    assert "lr differs" in said
    assert "--per-size last:step,best" in said
    assert losses(frame, "last:step,best") == [3.5, 3.4, 3.3, 3.2]
    assert parse_per_size("last:step, best") == (Pick(take=Take.LAST, column="step"), Pick(take=Take.BEST))


@pytest.mark.parametrize("text", ["", "worst", "best:lr", "last:", "mean:step", "last:step,", "best best"])
def test_a_choice_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match="--per-size must be best, mean or last:COLUMN"):
        parse_per_size(text)


def test_columns_that_say_nothing_of_a_setting_are_harmless() -> None:
    """Names, times, remarks, an index, what only differs between sizes, and the loss of another region."""
    frame = pd.DataFrame({"n_params": np.repeat(SIZES, 3), "val_loss": np.linspace(4.0, 3.0, 12)})
    frame = frame.assign(
        run=[f"run-{k}" for k in range(12)],
        started=[f"2026-01-{k + 1:02d} 10:00:00" for k in range(12)],
        comment=["again", "", "twice"] * 4,
        d_model=np.repeat([64, 128, 256, 512], 3),
        optimizer="adam",
        run_id=range(100, 112),
    )
    frame.insert(0, "", range(12))
    assert len(read_tables(frame).rows) == 12
    with_train = frame.assign(train_loss=np.linspace(3.9, 2.9, 12))
    assert len(read_tables(with_train, Reading.parse(columns=["loss=val_loss"])).rows) == 12


def test_results_and_names_that_repeat_are_refused_until_they_are_said_to_be_harmless() -> None:
    frame = pd.DataFrame({"n_params": np.repeat(SIZES, 3), "loss": np.linspace(4.0, 3.0, 12)})
    frame = frame.assign(accuracy=np.linspace(0.5, 0.9, 12), wall_seconds=range(12), family=["a", "b", "b"] * 4)
    said = refusal(frame)
    for name in ("accuracy", "wall_seconds", "family"):
        assert f"{name} differs within 4 of 4 sizes" in said
    assert "--ignore accuracy,wall_seconds,family" in said
    assert len(read_tables(frame, Reading.parse(ignore=["accuracy,wall_seconds", "family"])).rows) == 12
    split = read_tables(frame, Reading.parse(columns=["group=family"], ignore=["accuracy,wall_seconds"]))
    assert {row.group for row in split.rows} == {"a", "b"}


def test_all_faults_of_a_table_come_at_once(tmp_path: Path) -> None:
    path = tmp_path / "points.csv"
    path.write_text("n_params,loss,lr,n_data\n1M,4,0.1,1e9\n1M,3,0.2,1e9\n2M,-1,0.1,1e9\n4M,3,0.1,\n")
    said = refusal(path)
    assert "has 3 faults" in said
    for words in ("row 4: loss is -1", "row 5: n_data is missing", "lr differs within 1 of 1", "--per-size", "n_data="):
        assert words in said


def test_the_same_run_at_two_steps_is_no_repeated_row(tmp_path: Path) -> None:
    path = tmp_path / "points.csv"
    path.write_text("n_params,loss,seed,step\n1M,4.0,1,100\n1M,4.0,1,200\n2M,3.0,1,100\n2M,2.9,1,200\n")
    assert [row.loss for row in read_tables(path, Reading.parse(per_size="last")).rows] == [4.0, 2.9]


def test_settings_that_differ_between_tables_are_seen(tmp_path: Path) -> None:
    for name, lr in (("a", 0.1), ("b", 0.2)):
        (tmp_path / f"{name}.csv").write_text(
            f"n_params,loss,lr\n1M,4.{name == 'a':d},{lr}\n2M,3.{name == 'a':d},{lr}\n"
        )
    paths = [tmp_path / "a.csv", tmp_path / "b.csv"]
    said = refusal(paths)
    assert "a.csv row 2 (0.1), " in said
    assert "b.csv row 2 (0.2)" in said
    assert [row.loss for row in read_tables(paths, Reading.parse(per_size="best")).rows] == [4.0, 3.0]


def test_tables_that_a_fit_and_a_study_write_are_read_again(tmp_path: Path) -> None:
    """Of several experiments too, whose derived columns differ within a size."""
    frame = pd.DataFrame({"n_params": np.repeat(SIZES, 2), "seed": [1, 2] * 4, "loss": 4.0 - 0.1 * np.arange(8.0)})
    law = law_of_table(frame, draws=20)
    write_fit(tmp_path / "a", law)
    again = fit_table(tmp_path / "a" / "fit.csv", draws=20)
    assert [point["loss"] for point in again["groups"]["all"]["points"]] == [
        point.loss for point in law.groups["all"].points
    ]
    other = law_of_table(frame.assign(loss=frame["loss"] * 1.01), draws=20)
    paths = []
    for name, each in (("one", law), ("two", other)):
        path = tmp_path / f"{name}.csv"
        path.write_text(points_table(each.groups, "horizon"))
        paths.append(path)
    in_data = frame.assign(n_data=1e9 * frame["seed"]).drop(columns="seed")
    wide = tmp_path / "data.csv"
    wide.write_text(points_table(law_of_table(in_data, draws=20).groups, "horizon"))
    assert "n_data differs within 4 of 4 sizes" in refusal(wide, columns=["n_data="])
    both = fit_table(paths, draws=20)
    assert [len(point["seeds"]) for point in both["groups"]["all"]["points"]] == [2, 2, 2, 2]
