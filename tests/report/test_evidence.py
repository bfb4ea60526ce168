"""What stands beside the verdicts: the audit, intervals, skill, calibration, forms, and what is lacking."""

import json

import pytest
from tests.report import evidence, studies
from tests.report.reading import body_of, tables_of

from tsladder.report.document import document
from tsladder.report.facts import CellState
from tsladder.report.figures.reliability import draw_reliability
from tsladder.report.html import to_html
from tsladder.report.law_tables import forms_table, neighbours_table
from tsladder.report.markdown import to_markdown
from tsladder.report.score_tables import calibration_table, decisions_table, intervals_table, samples_table, skill_table
from tsladder.report.sections.limits import gaps_table, limits_of
from tsladder.report.study_files import read_facts
from tsladder.report.summary import verdict_lines


def texts(places):
    blocks = document(read_facts(places, studies.study_params()), pictures=())
    return to_markdown(blocks), body_of(to_html("study", blocks, {}))


def markdown(places):
    return texts(places)[0]


def section(text, title):
    """The Markdown below one heading, up to the next of its level or above."""
    lines = text.split("\n")
    start = next(i for i, line in enumerate(lines) if line.startswith("#") and line.lstrip("# ") == title)
    level = len(lines[start]) - len(lines[start].lstrip("#"))
    ends = (i for i in range(start + 1, len(lines)) if lines[i].startswith("#") and lines[i].find(" ") <= level)
    return "\n".join(lines[start : next(ends, len(lines))])


def drop(path, *keys):
    """Take keys out of every region of a scores file, as an older evaluation left it."""
    record = json.loads(path.read_text())
    for region in record["regions"].values():
        for key in keys:
            region.pop(key, None)
    path.write_text(json.dumps(record))


def test_a_failed_probe_comes_before_anything_else(whole):
    evidence.enrich(whole, failed=("shared_days",))
    for text in texts(whole):
        places = [text.index(said) for said in ("No day is shared between regions", "Verdicts", "12,757")]
        assert places == sorted(places)
        assert "no figure below counts" in text


def test_a_failed_probe_leads_the_terminal_lines_too(whole):
    evidence.enrich(whole, failed=("label_reach",))
    assert "No training label reaches validation" in verdict_lines(whole)[0]


def test_a_verdict_given_before_a_probe_failed_is_taken_back(whole):
    assert "does not count" not in markdown(whole)
    evidence.enrich(whole, failed=("label_reach",))
    assert "does not count" in section(markdown(whole), "Verdicts")


def test_every_probe_is_listed_with_its_result_and_numbers(whole):
    evidence.enrich(whole, failed=("normalisation",))
    probes, figures = tables_of(section(markdown(whole), "Leak audit"))
    assert [row[0] for row in probes.rows] == list(evidence.PROBES.values())
    assert [row[1] for row in probes.rows].count("FAIL") == 1
    assert [row[0] for row in figures.rows] == list(evidence.PROBES.values())
    assert all("windows 926" in row[1] for row in figures.rows)


def test_an_audit_that_passed_raises_no_alarm(whole):
    text = markdown(whole)
    assert "no figure below counts" not in text
    assert "All seven leak probes passed" in text


def test_a_study_without_an_audit_says_so(whole):
    (whole.artifacts / "audit" / "audit.json").unlink()
    law = json.loads((whole.law / "scaling.json").read_text())
    studies.write(whole.law / "scaling.json", {**law, "audit": None})
    assert "has not been run" in section(markdown(whole), "Leak audit")


def test_the_audit_of_the_law_serves_where_the_stage_left_none(whole):
    evidence.enrich(whole, failed=("shared_days",))
    (whole.artifacts / "audit" / "audit.json").unlink()
    assert "no figure below counts" in markdown(whole)


def test_every_metric_has_its_interval_and_its_effective_windows(whole):
    facts = read_facts(whole, studies.study_params())
    for table in (intervals_table(facts), samples_table(facts)):
        assert [row[0] for row in table.rows] == ["12k-h1", "80k-h1", "2M-h1", "12k-h3"]
    row, worth = (
        dict(zip([column.title for column in table.columns], table.rows[0], strict=True))
        for table in (intervals_table(facts), samples_table(facts))
    )
    assert (row["log loss"], worth["log loss"]) == ("0.3485 (0.3085 to 0.3885)", "164")
    assert (row["ECE"], worth["ECE"]) == ("0.031 (0.019 to 0.043)", "164")
    assert (row["average precision"], worth["average precision"]) == ("0.469 (0.409 to 0.529)", "—")
    assert (row["AUC"], worth["AUC"]) == ("—", "—")
    assert worth["windows"] == "926"


def test_scores_of_an_older_evaluation_stand_without_what_it_did_not_know(whole):
    keys = ("intervals", "skill_against", "reliability", "decision", "temperature")
    for cell in studies.SCORED:
        drop(whole.artifacts / "scores" / cell / "scores.json", *keys)
    text = markdown(whole)
    assert "carry no intervals" in text
    assert "No skill with an interval is stored." in text
    assert "No threshold is stored." in text
    assert "there is no reliability plot" in text
    assert draw_reliability(read_facts(whole, studies.study_params())) is None
    assert "0.3485" in section(text, "Test scores with their intervals")


def test_skill_is_shown_against_every_forecast_with_its_interval(whole):
    table = skill_table(read_facts(whole, studies.study_params()))
    titles = [column.title for column in table.columns]
    assert titles[1:3] == ["constant", "constant in hindsight"]
    assert "last-day trees" in titles
    assert titles[-1] == "beaten by"
    row = dict(zip(titles, table.rows[0], strict=True))
    assert row["constant"] == "23.0 % (20.0 to 26.0 %)"
    assert row["beaten by"] == "volatility logistic"


def test_an_unknown_forecast_is_named_as_the_record_names_it(whole):
    path = whole.artifacts / "scores" / "12k-h1" / "scores.json"
    record = json.loads(path.read_text())
    record["regions"]["test"]["skill_against"]["vix_logistic"] = {"skill": 0.1, "low": 0.05, "high": 0.15}
    path.write_text(json.dumps(record))
    assert "vix logistic" in markdown(whole)


def test_the_words_on_skill_count_a_cell_as_better_only_where_its_whole_interval_is(whole):
    path = whole.artifacts / "scores" / "12k-h1" / "scores.json"
    record = json.loads(path.read_text())
    record["regions"]["test"]["skill_against"]["base_rate"]["low"] = -0.001
    path.write_text(json.dumps(record))
    said = section(markdown(whole), "Skill against each simpler forecast")
    assert "some beat: constant known from training (2 of 3)" in said


def test_thresholds_and_temperatures_are_shown_for_every_scored_cell(whole):
    facts = read_facts(whole, studies.study_params())
    decisions, calibration = decisions_table(facts), calibration_table(facts)
    assert decisions.rows[0] == (
        "12k-h1", "balanced accuracy", "0.270", "0.810", "0.720", "0.440", "0.590", "0.504", "15.0 %"
    )  # fmt: skip
    assert calibration.rows[0] == ("12k-h1", "0.031 (0.019 to 0.043)", "1.24", "0.3485", "0.3464", "-0.0021", "0.022")


def test_each_horizon_names_its_best_rungs_and_forms_and_what_a_repetition_would_say(whole):
    text = markdown(whole)
    said = section(text, "1 day: what supports the verdict")
    said = said.replace("\\", "")
    for fact in (
        "12k-h1, 80k-h1 (model confidence set at 95 %, of models whose searches and seeds are draws",
        ", on days like these); worse than these: 2M-h1 (p < 0.001)",
        "a constant: the 95% interval of alpha contains 0 and lies inside ±0.015",
        "not shown; the fitted turn lies at 310,000 parameters, interval without two ends",
        "95 % region: alpha",
        "**Rungs that carry the fit of the power law**: 2M-h1 (Cook's distance 1.70; without it alpha is 0.0410)",
        "power law of the others**: 12k-h1 (p < 0.001, Bonferroni; without it alpha is 0.0270)",
        "against logistic on volatility (loss 0.3410)",
        "-0.0110 to 0.0070",
    ):
        assert fact in said
    verdicts = section(text, "Verdicts")
    assert "flat in 52 %, underpowered in 28 %, worse with size in 20 % of the repetitions" in verdicts


def test_every_pair_of_neighbours_has_a_row(whole):
    facts = read_facts(whole, studies.study_params())
    assert [row[1:3] for row in neighbours_table(facts).rows] == [("12k-h1", "80k-h1"), ("80k-h1", "2M-h1")]


def test_a_form_that_has_no_aicc_is_a_dash(whole):
    row = forms_table(read_facts(whole, studies.study_params())).rows[0]
    assert row == ("1 day", "-31.25", "-29.50", "—", "-27.10", "a constant")


def test_a_turn_that_is_shown_has_its_interval_and_a_reason_is_not_said_twice(whole):
    record = json.loads((whole.law / "scaling.json").read_text())
    law = record["horizons"]["1"]
    law["fits"]["overfit"] |= {"turns": True, "turns_at_ci": [90_000.0, 1_200_000.0]}
    nothing = dict.fromkeys(law["model_choice"]["aicc"])
    law["model_choice"] = {"aicc": nothing, "preferred": "not identifiable", "reason": "not identifiable: 3 rungs"}
    studies.write(whole.law / "scaling.json", record)
    said = section(markdown(whole), "1 day: what supports the verdict")
    assert "yes; the fitted turn lies at 310,000 parameters, interval 90,000 to 1,200,000" in said
    assert "**Form that the rungs support**: not identifiable: 3 rungs" in said
    facts = read_facts(whole, studies.study_params())
    assert [row[0] for row in forms_table(facts).rows] == ["3 days", "5 days"]


def test_a_law_of_an_older_fit_stands_without_what_it_did_not_know(study):
    text = markdown(study)
    assert "Forms of the law" not in text
    assert "model confidence set" not in text
    assert "Exponent alpha" in text


def test_the_bottleneck_is_reported_with_counts_and_gaps(whole):
    facts = read_facts(whole, studies.study_params())
    limits = limits_of(facts, 1)
    # 2,821 training days, C = 80, h = 1; the train losses of the two seeds are 0.38 and 0.39, validation is 0.412.
    assert (limits.extent.days, limits.extent.disjoint_windows) == (2_821, 34)
    assert [rung.gap for rung in limits.rungs] == pytest.approx([0.027] * 3)
    assert len(gaps_table(limits, 1, "1 day").rows) == 3
    text = section(markdown(whole), "Days or parameters: what is lacking")
    for fact in ("dropout on", "2,821", "+0.0270", "1 day: undecided", "3 days: unknown"):
        assert fact in text
    assert "5 days" not in text  # no cell of it was scored


def test_no_bottleneck_is_named_where_a_probe_failed(whole):
    evidence.enrich(whole, failed=("shared_days",))
    assert limits_of(read_facts(whole, studies.study_params()), 1).bottleneck == "unknown"


def test_training_losses_that_were_not_kept_leave_the_gap_unknown(study):
    facts = read_facts(study, studies.study_params())
    assert any(cell.state is CellState.SCORED for cell in facts.planned)
    assert [rung.gap for rung in limits_of(facts, 1).rungs] == [None] * 3
    assert "1 day: unknown" in markdown(study)
