import csv
import dataclasses
import json

import numpy as np
import pytest
from tests.law_json import ladder_json, scaling_json

from tsladder.artifacts.law import law_json
from tsladder.artifacts.record import json_of
from tsladder.law.curve.forms import Form, Support
from tsladder.law.evidence.notes import notes_on
from tsladder.law.evidence.selection import judge_selection
from tsladder.law.ladder import beating_every_rung
from tsladder.law.points import DroppedCell, RungPoint
from tsladder.law.scaling import fit_horizons, write_law
from tsladder.params import EvaluationParams, LawParams

FIVE = (750e3, 2e6, 20e6, 200e6, 2e9)
LAW = LawParams(region="test", alpha_of_interest=0.015)
EVALUATION = EvaluationParams(bootstrap_draws=100, confidence=0.95)
CONTRACT = {
    "points", "fits", "verdict", "reason", "settle", "beaten_by", "minimum_detectable_alpha", "leave_one_rung_out",
    "extrapolation", "model_choice", "joint_region", "influential", "excess", "settle_options", "repetition",
    "warnings", "selection",
}  # fmt: skip


def rungs(sizes=FIVE):
    """alpha = 0.03, three seeds a rung within 0.5 % of it."""
    rng = np.random.default_rng(0)
    points = []
    for index, n in enumerate(sizes):
        seeds = 0.4 * (n / 1e6) ** -0.03 * np.exp(0.005 * rng.normal(size=3))
        points.append(
            RungPoint(
                cell=f"rung-{index}",
                n_params=n,
                n_params_blocks=0.8 * n,
                n_params_body=0.9 * n,
                loss=float(seeds.mean()),
                se=float(seeds.std(ddof=1) / np.sqrt(3)),
                seeds=tuple(enumerate(seeds.tolist())),
                base_rate_loss=0.6,
                own_rate_loss=0.55,
            )
        )
    return points


@pytest.fixture(scope="module")
def law():
    points = {1: rungs(), 3: rungs(sizes=FIVE[:2]), 5: []}
    dropped = [
        DroppedCell(cell="2M-h5", reason="thermal stop"),
        DroppedCell(cell="20M-h3", reason="no trial completed"),
    ]
    return fit_horizons(points, dropped, LAW, EVALUATION, "key", 42)


@pytest.fixture(scope="module")
def record(law):
    return law_json(law)


def test_every_horizon_carries_the_contract_and_strict_json(record):
    assert {"study_key", "metric", "region", "horizons"} <= set(record)
    assert list(record["horizons"]) == ["1", "3", "5"]
    for law in record["horizons"].values():
        assert set(law) >= CONTRACT
        assert {"cell", "n_params", "n_params_blocks", "loss", "se", "seeds", "dropped"} <= set().union(*law["points"])
    assert json.loads(json.dumps(record, allow_nan=False)) == record


def test_a_ladder_that_scales_says_so_with_its_exponent_under_all_three_counts(record):
    law = record["horizons"]["1"]
    assert law["verdict"] == "scales"
    assert law["fits"]["power"]["alpha"] == pytest.approx(0.03, abs=0.005)
    # Counts in a constant ratio give one exponent.
    alphas = [power["alpha"] for power in law["power_by_count"].values()]
    assert alphas == pytest.approx([alphas[0]] * 3)
    assert law["extrapolation"]["cell"] == "rung-4"
    assert not law["fits"]["power_floor"]["identified"]


def test_how_the_exponent_hangs_on_trials_stands_beside_its_horizon(record):
    trials = np.sort(np.random.default_rng(1).uniform(0.4, 0.5, (5, 8)), axis=1).tolist()
    selection = judge_selection(list(FIVE), trials, alpha_of_interest=0.015, confidence=0.95)
    law = scaling_json({1: rungs()}, [], LAW, EVALUATION, "key", 42, selections={1: selection})["horizons"]["1"]
    assert law["selection"] == json_of(selection)
    assert record["horizons"]["1"]["selection"] is None


def test_two_rungs_and_none_have_no_exponent_and_no_power(record):
    for horizon in ("3", "5"):
        law = record["horizons"][horizon]
        assert law["verdict"] == "too_few_rungs"
        assert law["fits"]["power"] is None
        assert law["minimum_detectable_alpha"] is None
        assert law["leave_one_rung_out"] == []


def test_dropped_cells_are_listed_with_their_reason_at_their_own_horizon(record):
    lost = {
        horizon: [(p["cell"], p["dropped_reason"]) for p in law["points"] if p["dropped"]]
        for horizon, law in record["horizons"].items()
    }
    assert lost == {"1": [], "3": [("20M-h3", "no trial completed")], "5": [("2M-h5", "thermal stop")]}


def test_the_same_points_in_another_order_give_the_same_record():
    first = ladder_json(rungs(), alpha_of_interest=0.015, confidence=0.95, draws=100, seed=1)
    assert ladder_json(rungs()[::-1], alpha_of_interest=0.015, confidence=0.95, draws=100, seed=1) == first


def test_another_seed_changes_no_law_that_draws_nothing():
    first = ladder_json(rungs(), alpha_of_interest=0.015, confidence=0.95, draws=100, seed=1)
    assert ladder_json(rungs(), alpha_of_interest=0.015, confidence=0.95, draws=100, seed=2) == first


def test_a_rung_that_carries_the_fit_is_named_with_the_exponent_without_it():
    points = rungs()
    points[4] = dataclasses.replace(points[4], loss=0.2)
    law = ladder_json(points, alpha_of_interest=0.015, confidence=0.95, draws=100, seed=1)
    (carrying,) = law["influential"]
    assert carrying["cell"] == "rung-4"
    assert carrying["cooks_distance"] > 1
    assert carrying["alpha_without"] == pytest.approx(0.03, abs=0.01)


def test_what_a_rung_loses_to_the_best_baseline_is_fitted_beside_the_loss():
    points = [dataclasses.replace(p, baselines={"own_rate": 0.2, "volatility_logistic": 0.35}) for p in rungs()]
    excess = ladder_json(points, alpha_of_interest=0.015, confidence=0.95, draws=100, seed=1)["excess"]
    assert excess["baseline"] == "volatility_logistic"
    assert excess["slope_ci"][0] < excess["slope_per_tenfold"] < excess["slope_ci"][1] < 0
    assert excess["power"] is None


def test_only_a_baseline_that_beats_every_rung_is_named():
    a, b, *_ = rungs()
    first = dataclasses.replace(a, beaten_by=("volatility_logistic", "own_rate"))
    second = dataclasses.replace(b, beaten_by=("volatility_logistic",))
    assert beating_every_rung([first, second]) == ["volatility_logistic"]
    assert beating_every_rung([]) == []


def test_what_a_reader_must_know_stands_in_the_notes():
    points = rungs()
    points[0] = dataclasses.replace(points[0], off_budget=True, constant_predictor=True, seeds=((0, 0.4),), se=None)
    notes = " ".join(ladder_json(points, alpha_of_interest=0.015, confidence=0.95, draws=100, seed=1)["notes"])
    for words in ("outside its budget", "constant predictor", "one seed"):
        assert f"rung-0 {words}" in notes.replace("is a ", "").replace("has ", "").replace("lies ", "")


def test_the_three_files_agree(law, record, tmp_path):
    paths = write_law(tmp_path / "law", law)
    assert [p.name for p in paths] == ["scaling.json", "scaling.csv", "scaling.png"]
    assert json.loads(paths[0].read_text()) == record
    with paths[1].open() as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == 5 + 2 + 1 + 1
    top = next(row for row in rows if row["horizon"] == "1" and row["cell"] == "rung-4")
    assert float(top["loss"]) == record["horizons"]["1"]["points"][4]["loss"]
    residual = record["horizons"]["1"]["fits"]["power"]["residuals"][4]
    assert np.log(float(top["loss"]) / float(top["fitted_loss"])) == pytest.approx(residual)


def test_the_picture_is_drawn_the_same_twice(law, tmp_path):
    first, again = (write_law(tmp_path / name, law)[2].read_bytes() for name in ("a", "b"))
    assert first.startswith(b"\x89PNG")
    assert first == again


NOTHING = Support(form=Form.UNKNOWN, why="", power=None, n_sizes=3)


def test_rungs_of_unequal_numbers_of_seeds_are_allowed_and_named():
    rungs = [
        RungPoint(
            cell=f"{n}", n_params=10.0**n, loss=0.4 - 0.01 * n, se=0.001, seeds=tuple((k, 0.4) for k in range(count))
        )
        for n, count in ((4, 3), (5, 3), (6, 2))
    ]
    notes = " ".join(notes_on(rungs, NOTHING, (), ()))
    assert "3 seeds at 4 and 5, 2 at 6" in notes
    many = [dataclasses.replace(rungs[0], cell=f"r{n}", n_params=2.0**n) for n in range(78)]
    (said,) = notes_on([*many, *rungs[2:]], NOTHING, (), ())
    assert "3 seeds at 78 rungs, 2 at 6, so" in said
    single = [dataclasses.replace(point, seeds=point.seeds[:1]) for point in many]
    (said,) = notes_on(single, NOTHING, (), ())
    assert said.startswith("78 rungs have one seed each")
    equal = " ".join(notes_on(rungs[:2], NOTHING, (), ()))
    assert "unequal" not in equal
