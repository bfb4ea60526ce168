"""The table that scripts of the earlier study read, and our columns after theirs."""

import csv
import io
import json

import pytest
from tests.report import studies

from tsladder.report.study_files import read_facts
from tsladder.results.table import to_csv as table_of_cells


def to_csv(facts):
    return table_of_cells(facts.params, facts.study_key, facts.cells)


# As the specification lists them; written out again here so that a slip in the code shows.
CONTRACT = [
    "experiment",
    "phase",
    "budget",
    "task",
    "horizon",
    "timescale",
    "script_path",
    "run_type",
    "status",
    "d_model",
    "n_layers",
    "n_heads",
    "d_ff",
    "param_count",
    "val_loss",
    "hyperparameters",
    "duration_seconds",
    "timestamp",
]


@pytest.fixture
def rows(facts):
    text = to_csv(facts)
    return {f"{row['budget']}-h{row['horizon']}": row for row in csv.DictReader(io.StringIO(text))}


def test_the_known_columns_come_first_and_in_their_order(facts):
    header = to_csv(facts).splitlines()[0].split(",")
    assert header[: len(CONTRACT)] == CONTRACT
    assert len(set(header)) == len(header) > len(CONTRACT)


def test_every_planned_cell_has_one_row_and_no_other_cell_has_any(rows, facts):
    planned = {str(cell) for cell in studies.study_params().cells if cell.budget != "20M"}
    assert set(rows) == planned
    assert len(to_csv(facts).splitlines()) == len(planned) + 1


def test_a_scored_cell_carries_the_search_and_the_test(rows):
    row = rows["12k-h1"]
    assert row["experiment"] == "6A_12k_h1_threshold_1pct"
    assert (row["status"], row["run_type"], row["script_path"]) == ("success", "hpo", "stages/hpo.py")
    assert float(row["val_loss"]) == 0.41
    assert float(row["duration_seconds"]) == 1.5 + 2.25
    assert row["timestamp"] == "2020-01-02T03:04:05+00:00"
    assert int(row["param_count"]) == studies.SCORED["12k-h1"]
    assert json.loads(row["hyperparameters"])["batch_size"] == 256
    assert float(row["test_loss"]) == 0.3485
    assert float(row["test_base_rate"]) == 0.15
    assert float(row["test_own_rate_loss"]) == 0.4229
    assert json.loads(row["stop_reasons"]) == {"early_stopping": 2}
    assert int(row["n_trials"]) == 2


def test_a_cell_without_a_completed_trial_stopped_by_heat_is_a_thermal_abort(rows):
    row = rows["12k-h5"]
    assert row["status"] == "thermal_abort"
    assert row["reason"] == studies.HEAT
    assert float(row["duration_seconds"]) == 30.0


def test_a_cell_whose_retraining_failed_keeps_what_its_search_found(rows):
    row = rows["80k-h3"]
    assert (row["status"], row["reason"]) == ("failed", studies.RETRAINING)
    assert float(row["val_loss"]) == 0.41
    assert row["test_loss"] == ""


def test_what_is_unknown_is_an_empty_field_and_never_zero(rows):
    assert rows["12k-h1"]["test_auc"] == ""
    assert rows["12k-h1"]["test_loss_se"] == ""
    never_run = rows["2M-h5"]
    unknown = [name for name in (*CONTRACT[8:], "test_loss", "test_skill", "n_trials") if never_run[name] != ""]
    assert unknown == []


def test_the_table_of_a_study_without_plans_files_is_still_whole(tmp_path):
    places = studies.Places(tmp_path, tmp_path)
    text = to_csv(read_facts(places, studies.study_params()))
    assert len(text.splitlines()) == 1 + 9


def test_the_interval_the_calibration_and_the_skill_against_the_best_forecast_follow(whole):
    text = to_csv(read_facts(whole, studies.study_params()))
    row = next(csv.DictReader(io.StringIO(text)))
    assert (float(row["test_loss_low"]), float(row["test_loss_high"])) == pytest.approx((0.3085, 0.3885))
    assert float(row["test_loss_effective_n"]) == 164.0
    assert float(row["test_ece"]) == 0.031
    # Of the forecasts on disk the trees have the lowest loss, 0.95 of the model's.
    assert row["best_baseline"] == "gradient_boosted_trees"
    assert float(row["best_baseline_loss"]) == pytest.approx(0.95 * 0.3485)
    skill = 1.0 - 1.0 / 0.95
    found = [float(row[f"test_skill_against_best{end}"]) for end in ("", "_low", "_high")]
    assert found == pytest.approx([skill, skill - 0.03, skill + 0.03])


def test_a_forecast_made_in_hindsight_is_never_the_best_one(whole):
    path = whole.artifacts / "scores" / "12k-h1" / "scores.json"
    record = json.loads(path.read_text())
    record["regions"]["test"]["baselines"]["own_rate"]["log_loss"] = 0.01
    path.write_text(json.dumps(record))
    row = next(csv.DictReader(io.StringIO(to_csv(read_facts(whole, studies.study_params())))))
    assert row["best_baseline"] == "gradient_boosted_trees"


def test_scores_without_intervals_leave_the_new_fields_empty(rows):
    row = rows["12k-h1"]
    for name in ("test_loss_low", "test_loss_high", "test_ece", "test_skill_against_best"):
        assert row[name] == ""
