"""Any table of points: read whole, refused whole, and fitted like a study's own ladder."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tsladder.errors import BadInput
from tsladder.law.curve.power_law import fit_power
from tsladder.law.reading.rows import read_rows
from tsladder.law.table import fit_table

FIVE = (750_000, 2_000_000, 20_000_000, 200_000_000, 2_000_000_000)
LADDER = "n_params,loss\n" + "".join(f"{n},{0.4 * (n / 1e6) ** -0.03}\n" for n in FIVE)


@pytest.fixture
def table(tmp_path: Path):
    def write(text: str | bytes) -> Path:
        path = tmp_path / "points.csv"
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    return write


def refused(path: Path) -> BadInput:
    with pytest.raises(BadInput) as caught:
        read_rows(path)
    return caught.value


def test_n7_one_error_names_every_bad_row_by_its_place_in_the_file(table) -> None:
    path = table(
        "n_params,loss,seed\n1e6,0,1\n2e6,-0.4,1\n3e6,,1\n4e6,none,1\n\n5e6,0.4,1\n5e6,0.4,1\n6e6,0.3\n"
        "x,0.3,1\n7e6,nan,1\n8e6,inf,1\n9e6,0.3,1,stray\n"
    )
    error = refused(path)
    named = {int(fault.split(":")[0].removeprefix("row ")): fault for fault in error.faults}
    assert sorted(named) == [2, 3, 4, 5, 8, 10, 11, 12, 13]
    for row, words in ((2, "loss is 0"), (3, "-0.4"), (4, "missing"), (5, "'none'"), (8, "repeats row 7"), (10, "'x'")):
        assert words in named[row]
    assert error.exit_code == 2


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "empty"),
        ("\n \n", "empty"),
        ("n_params,loss\n", "no rows"),
        ("n_params,seed\n1e6,1\n", "column loss is missing"),
        ("loss,seed\n0.4,1\n", "column n_params is missing"),
        ('{"n_params": 1}', "column loss is missing"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "not a CSV"),
        (b"PAR1\x00\x00", "not a CSV"),
        ('n_params,loss\n1e6,"0.4"x\n', "not a CSV"),
        ("n_params,loss,Loss\n1e6,0.4,0.3\n", "could each be loss"),
        ("n_params,loss,se\n1e6,0.4,0\n2e6,.4,-1\n", "row 2: se is 0"),
        ("n_params,loss,n_data\n1e6,0.4,1e9\n2e6,.4,\n", "row 3: n_data is missing"),
        ("n_params,loss,group\n1e6,0.4,a\n2e6,.4,\n", "row 3: group is missing"),
    ],
)
def test_what_is_no_table_of_points_is_refused_in_one_sentence(table, text: str | bytes, words: str) -> None:
    assert words in str(refused(table(text)))


@pytest.mark.parametrize("name", ["nowhere.csv", "."])
def test_a_path_that_is_no_file_is_refused(tmp_path: Path, name: str) -> None:
    assert "is not a file" in str(refused(tmp_path / name)) or "does not exist" in str(refused(tmp_path / name))


def test_columns_come_in_any_order_case_and_spacing_and_strangers_are_named(table) -> None:
    rows = read_rows(table("\ufeff gpus ; LOSS ; N_Params ; Group\n8;0.4;750k;a\n16; 0.3 ; 1.5B ;a\n"))
    assert [(row.n_params, row.loss, row.group) for row in rows.rows] == [(750e3, 0.4, "a"), (1.5e9, 0.3, "a")]
    assert rows.ignored == ("gpus",)


def test_n8_rows_in_another_order_give_the_same_record_and_sizes_in_another_unit_the_same_exponent(table) -> None:
    rng = np.random.default_rng(0)
    rows = [(n, 0.4 * (n / 1e6) ** -0.02 * np.exp(0.01 * rng.normal()), k) for n in FIVE for k in range(3)]
    frame = pd.DataFrame(rows, columns=["n_params", "loss", "seed"])
    record = fit_table(frame)
    assert fit_table(frame.sample(frac=1, random_state=1)) == record
    other = fit_table(frame.assign(n_params=frame["n_params"] / 1e6))
    assert other["groups"]["all"]["fits"]["power"]["alpha"] == pytest.approx(
        record["groups"]["all"]["fits"]["power"]["alpha"], abs=1e-9
    )


def test_repeats_are_replicates_whose_mean_and_spread_are_the_rungs(table) -> None:
    runs = [0.40, 0.41, 0.43]
    text = LADDER + "".join(f"5000000,{loss}\n" for loss in runs)
    point = next(p for p in fit_table(table(text))["groups"]["all"]["points"] if p["n_params"] == 5e6)
    assert point["loss"] == pytest.approx(np.mean(runs))
    assert point["se"] == pytest.approx(np.std(runs, ddof=1) / np.sqrt(3))
    assert [run["loss"] for run in point["seeds"]] == runs
    same = table(LADDER + "5000000,0.4\n5000000,0.4\n")
    assert len(fit_table(same)["groups"]["all"]["points"]) == 6


def test_the_fit_of_a_file_is_that_of_its_frame_and_of_its_points(table) -> None:
    path = table(LADDER)
    record = fit_table(path)
    assert fit_table(pd.read_csv(path)) | {"understood": record["understood"]} == record
    law = record["groups"]["all"]
    oracle = fit_power(FIVE, [p["loss"] for p in law["points"]])
    assert law["fits"]["power"]["alpha"] == oracle.alpha
    assert law["verdict"] == "scales"


@pytest.mark.parametrize(
    ("losses", "se", "verdict"),
    [
        ([0.40, 0.38, 0.36, 0.34, 0.32], None, "scales"),
        ([0.32, 0.34, 0.36, 0.38, 0.40], None, "worse_with_size"),
        ([0.37, 0.3701, 0.3699, 0.37, 0.3701], None, "flat"),
        ([0.40, 0.30, 0.41, 0.31, 0.40], None, "underpowered"),
        ([0.40, 0.30, 0.41, 0.31, 0.40], 0.005, "not_monotone"),
        ([0.40, 0.30], 0.005, "too_few_rungs"),
    ],
)
def test_a_table_can_earn_every_verdict_that_applies_to_one(
    losses: list[float], se: float | None, verdict: str
) -> None:
    frame = pd.DataFrame({"n_params": FIVE[: len(losses)], "loss": losses, "se": se})
    law = fit_table(frame)["groups"]["all"]
    assert law["verdict"] == verdict
    assert law["reason"]
    assert law["settle"]


def test_replicates_show_a_turn_as_well_as_a_given_standard_error() -> None:
    rows = [
        {"n_params": n, "loss": loss + shift}
        for n, loss in zip(FIVE, [0.40, 0.30, 0.41, 0.31, 0.40], strict=True)
        for shift in (-0.004, 0.0, 0.004)
    ]
    assert fit_table(pd.DataFrame(rows))["groups"]["all"]["verdict"] == "not_monotone"


def test_groups_are_fitted_apart_and_carry_the_keys_of_a_horizon(table) -> None:
    rows = "".join(f"{n},{0.4 * (n / 1e6) ** -0.03},falls\n{n},{0.4 * (n / 1e6) ** 0.03},rises\n" for n in FIVE)
    record = fit_table(table("n_params,loss,group\n" + rows))
    assert {name: law["verdict"] for name, law in record["groups"].items()} == {
        "falls": "scales",
        "rises": "worse_with_size",
    }
    law = record["groups"]["falls"]
    assert {"constant", "power", "power_floor", "overfit"} == set(law["fits"])
    assert {"model_choice", "joint_region", "influential", "excess", "settle_options", "repetition"} <= set(law)
    assert (law["excess"], law["beaten_by"]) == (None, [])
    assert "surface" not in law
    assert json.loads(json.dumps(record, allow_nan=False)) == record


def test_the_over_fitting_form_is_preferred_where_a_ladder_turns() -> None:
    n = np.geomspace(1e5, 1e9, 9)
    rng = np.random.default_rng(0)
    loss = 0.4 * np.exp(0.004 * np.log(n / 1e7) ** 2 + 0.002 * rng.normal(size=9))
    law = fit_table(pd.DataFrame({"n_params": n, "loss": loss}))["groups"]["all"]
    assert law["fits"]["overfit"]["preferred"]
    assert law["fits"]["overfit"]["turns_at_n"] == pytest.approx(1e7, rel=0.1)
    assert law["model_choice"]["preferred"] == "overfit"
    assert "falls up to about" in law["reason"]


def planted_surface(points: int = 60) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    n, d = np.exp(rng.uniform(18, 23, points)), np.exp(rng.uniform(21, 26, points))
    loss = (1.82 + 482 * n**-0.348 + 2085 * d**-0.366) * np.exp(0.003 * rng.normal(size=points))
    return pd.DataFrame({"n_params": n, "n_data": d, "loss": loss})


def test_a_table_with_varying_data_has_a_surface_and_an_exponent_at_equal_data() -> None:
    frame = planted_surface()
    law = fit_table(frame, draws=50)["groups"]["all"]
    surface = law["surface"]
    assert surface["alpha"] == pytest.approx(0.348, abs=0.02)
    assert surface["E"] == pytest.approx(1.82, abs=0.02)
    assert surface["E_ci"][0] < surface["E"] < surface["E_ci"][1]
    assert surface["converged"]
    assert law["fits"]["power"]["beta"] is not None
    assert law["neighbours"] == []
    assert law["fits"]["power_floor"]["reason"].startswith("not identifiable")
    one = fit_table(frame.assign(n_data=1e9), draws=50)["groups"]["all"]
    assert "surface" not in one
    assert one["fits"]["power"]["beta"] is None


def test_data_in_step_with_size_are_said_to_share_the_exponent() -> None:
    frame = planted_surface(12)
    law = fit_table(frame.assign(n_data=20 * frame["n_params"]), draws=20)["groups"]["all"]
    assert "in step" in law["surface"]["reason"]
    assert any("both together" in note for note in law["notes"])


def test_the_surfaces_of_all_groups_of_a_table_share_one_threshold() -> None:
    """One group has a noise below 1 %, the other one above 2 %, whose own threshold would be 30 times larger."""
    rng, rows = np.random.default_rng(0), []
    for group, noise in (("quiet", 0.005), ("loud", 0.03)):
        for n in np.geomspace(1e6, 1e9, 4):
            for d in np.geomspace(1e8, 1e11, 4):
                loss = (1.7 + 400 * n**-0.34 + 2000 * d**-0.37) * np.exp(noise * rng.normal())
                rows.append({"n_params": n, "n_data": d, "loss": loss, "group": group})
    laws = fit_table(pd.DataFrame(rows), draws=20)["groups"]
    deltas = {law["surface"]["huber_delta"] for law in laws.values()}
    assert len(deltas) == 1
    assert all("2 groups together" in law["surface"]["delta_reason"] for law in laws.values())
    chosen = fit_table(pd.DataFrame(rows), draws=20, huber_delta=0.02)["groups"]
    assert {law["surface"]["huber_delta"] for law in chosen.values()} == {0.02}
