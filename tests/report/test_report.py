"""The written report: present whatever the cells did, self-contained, verdicts first."""

import hashlib

import pytest
from tests.law_json import scaling_json
from tests.report import studies
from tests.report.reading import Page, body_of

from tsladder.errors import WorkFailed
from tsladder.law.points import DroppedCell, RungPoint
from tsladder.law.verdict import VerdictName
from tsladder.params import EvaluationParams, LawParams
from tsladder.places import Places
from tsladder.report import words
from tsladder.report.blocks import Column, Heading, Paragraph, Points, Table
from tsladder.report.build import build_report
from tsladder.report.markdown import to_markdown
from tsladder.report.study_files import read_facts
from tsladder.report.summary import verdict_lines
from tsladder.vocabulary import CellStatus

FILES = {"report.md", "report.html", "scaling.png", "experiment_results.csv", "trials.csv"}


def both(report):
    return (report / "report.md").read_text("utf-8"), (report / "report.html").read_text("utf-8")


def test_the_four_files_are_written_and_nothing_else(report):
    assert {path.name for path in report.iterdir()} == FILES
    assert (report / "scaling.png").read_bytes() == studies.PNG


def test_the_verdicts_come_before_everything_else(report):
    markdown, html = both(report)
    for text in (markdown, body_of(html)):
        places = [text.index(words) for words in ("underpowered", "too_few_rungs", "no verdict", "12,757", "Python")]
        assert places == sorted(places)


def test_a_verdict_shows_its_alpha_interval_detectable_alpha_and_who_beats_every_rung(report):
    for text in both(report):
        for fact in ("0.0123", "-0.0177 to 0.0423", "0.0321", "Five more rungs.", "logistic on volatility"):
            assert fact in text


def test_the_text_names_what_the_data_and_the_splits_are(report):
    for text in both(report):
        for fact in ("37.5 %", "4,832", "1999-10-18", "2018-12-28", "926", "a" * 64, "thermal", "hardly acts"):
            assert fact in text


@pytest.mark.parametrize("name", [verdict.value for verdict in VerdictName])
def test_every_verdict_is_named_and_put_in_plain_words(tmp_path, name):
    places = studies.write_study(tmp_path)
    studies.write_law(places, {"1": studies.law(name, alpha=0.02)})
    build_report(places, studies.study_params())
    for text in both(places.report):
        assert name in text
        assert words.VERDICTS[name] in text
    assert any(name in line for line in verdict_lines(places))


def test_the_plain_words_know_exactly_the_verdicts_of_the_law():
    assert set(words.VERDICTS) == {verdict.value for verdict in VerdictName}


def test_the_same_files_give_the_same_report(study, report):
    before = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in report.iterdir()}
    build_report(study, studies.study_params())
    assert {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in report.iterdir()} == before


def test_a_report_comes_out_of_an_empty_folder(tmp_path):
    places = Places(tmp_path, tmp_path)
    build_report(places, studies.study_params())
    assert {path.name for path in places.report.iterdir()} == FILES - {"scaling.png"}
    markdown, _ = both(places.report)
    assert "scaling.png" not in markdown
    assert len(verdict_lines(places)) == 1


def test_a_report_comes_out_when_no_cell_is_planned(tmp_path):
    places = Places(tmp_path, tmp_path)
    studies.write_plans(places, planned=())
    studies.write_law(places, {}, picture=None)
    build_report(places, studies.study_params())
    assert (places.report / "experiment_results.csv").read_text().count("\n") == 1
    assert len(verdict_lines(places)) == 1


def test_a_report_comes_out_when_every_cell_failed(tmp_path):
    places = Places(tmp_path, tmp_path)
    params = studies.study_params()
    studies.write_plans(places)
    planned = [cell for cell in params.cells if params.is_planned(cell)]
    for cell in planned:
        failed = {**studies.head(cell), "status": CellStatus.FAILED, "reason": f"heat <&> in {cell}"}
        studies.write(places.choice(cell), failed)
        studies.write(places.scores(cell) / "scores.json", failed)
        studies.write(places.timings(cell), {"cell": str(cell), "seeds": {}})
    law = LawParams(region="test", alpha_of_interest=0.015)
    lost = [DroppedCell(cell=str(cell), reason="heat") for cell in planned]
    record = scaling_json(
        {1: [], 3: [], 5: []}, lost, law, EvaluationParams(bootstrap_draws=100, confidence=0.95), "k", 1
    )
    studies.write(places.law / "scaling.json", record)
    build_report(places, params)
    markdown, html = both(places.report)
    assert markdown.count("too_few_rungs") >= len(params.horizons)
    assert "heat &lt;&amp;&gt; in 12k-h1" in html
    assert Page(html).open == []


def test_the_record_of_the_law_stage_is_read_whole(tmp_path):
    places = studies.write_study(tmp_path)
    rungs = [
        RungPoint(cell=f"{b}-h1", n_params=n, n_params_blocks=n / 2, n_params_body=n / 2, loss=0.5 * n**-0.03)
        for b, n in (("12k", 12e3), ("80k", 80e3), ("2M", 2e6))
    ]
    law = LawParams(region="test", alpha_of_interest=0.015)
    record = scaling_json({1: rungs}, [], law, EvaluationParams(bootstrap_draws=100, confidence=0.9), "k", 1)
    studies.write(places.law / "scaling.json", record)
    found = read_facts(places, studies.study_params()).law_of(1)
    assert found.alpha == pytest.approx(0.03, abs=1e-9)
    by_count = {name: power.alpha for name, power in found.power_by_count.items()}
    assert by_count == pytest.approx(dict.fromkeys(("n_params", "n_params_blocks", "n_params_body"), 0.03))
    assert found.rungs == 3
    assert found.verdict in words.VERDICTS
    build_report(places, studies.study_params())
    assert "90 % interval" in both(places.report)[0]


def test_the_picture_of_an_older_law_does_not_stay(study, report):
    (study.law / "scaling.png").unlink()
    build_report(study, studies.study_params())
    assert not (report / "scaling.png").exists()


def test_a_law_fitted_to_another_question_is_reported(study):
    params = studies.study_params()
    key = read_facts(study, params).study_key
    studies.write_law(study, {"1": studies.law("flat")}, key=key)
    build_report(study, params)
    fresh = (study.report / "report.md").read_text("utf-8")
    studies.write_law(study, {"1": studies.law("flat")}, key="of another study")
    build_report(study, params)
    stale = (study.report / "report.md").read_text("utf-8")
    assert 0 <= stale.find("another question") < stale.index("1 day: flat")
    assert "another question" not in fresh


def test_files_of_a_cell_that_is_no_longer_planned_are_not_told(study):
    studies.write_plans(study, planned=("12k",))
    facts = read_facts(study, studies.study_params())
    assert {cell.cell.budget for cell in facts.planned} == {"12k"}
    assert all(cell.winner is None for cell in facts.cells if cell.cell.budget == "2M")


def test_a_damaged_file_is_refused_by_its_name(study):
    (study.law / "scaling.json").write_text('{"horizons": ')
    with pytest.raises(WorkFailed, match=r"scaling\.json"):
        build_report(study, studies.study_params())


def test_the_terminal_lines_name_each_horizon_its_alpha_and_who_beats_it(study):
    lines = verdict_lines(study)
    assert lines[0].startswith("h1")
    assert "underpowered" in lines[0]
    assert "alpha 0.0123 (-0.0177 to 0.0423: of the rungs ±0.0180, of the days ±0.0240)" in lines[0]
    assert lines[0].endswith("detectable from 0.0321")
    assert any("logistic on volatility" in line for line in lines)
    assert any(line.startswith("h3") and "too_few_rungs" in line for line in lines)


def test_text_cannot_become_markup_in_markdown():
    columns = (Column("a|b"), Column("n", numeric=True))
    table = Table(name="t", caption="c*d", columns=columns, rows=(("x|y\nz", "1"),))
    text = to_markdown([Heading(2, "a\nb"), Paragraph("<b> *c* d_e"), Points((("", "[x]"),)), table])
    assert text == "\n".join(
        [
            "## a b",
            "",
            r"\<b\> \*c\* d_e",
            "",
            r"- \[x\]",
            "",
            r"*c\*d*",
            "",
            r"| a\|b | n |",
            "| --- | ---: |",
            r"| x\|y z | 1 |",
            "",
        ]
    )
