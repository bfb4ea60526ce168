"""What the stages across cells add to the report, and the warning beside a verdict."""

from tests import cell_files
from tests.report import studies

from tsladder.report.build import build_report
from tsladder.report.summary import verdict_lines
from tsladder.vocabulary import Cell

PAIR = {"budget": "12k", "value": 0.004, "p_above": 0.2, "same": False, "reason": None}


def report_of(places):
    build_report(places, studies.study_params())
    return (places.report / "report.md").read_text("utf-8")


def test_a_study_without_them_says_that_it_was_not_tried(study):
    text = report_of(study)
    assert "search.transfer is false" in text
    assert "Supplementary search" not in text


def test_the_verdict_on_transfer_stands_above_its_pairs(study):
    pairs = [
        {**PAIR, "horizon": 1, "source": 3, "relative": 0.0115, "low": -0.004, "high": 0.027},
        {**PAIR, "horizon": 3, "source": 1, "relative": 0.0, "low": None, "high": None, "same": True},
        {**PAIR, "horizon": 5, "source": 1, "relative": None, "low": None, "high": None, "reason": "it diverged"},
    ]
    record = {"status": "done", "verdict": "undecided", "reason": "May lose up to 2.7%.", "margin": 0.0136}
    record |= {"confidence": 0.95, "seeds": 2}
    studies.write(study.transfer / "transfer.json", {**record, "region": "test", "regrets": pairs})
    text = report_of(study)
    assert "Do the best settings differ by horizon: undecided" in text
    assert "May lose up to 2.7%." in text
    assert "+1.1 %" in text or "+1.2 %" in text
    assert "-0.4 % to +2.7 %" in text
    assert "the same configuration" in text
    assert "it diverged" in text


def test_the_second_phase_is_reported_with_its_reasons_and_its_luck(study):
    selection = {"status": "done", "budgets": ["12k"], "reasons": {"12k": "chosen: number 1", "80k": "left out: heat"}}
    studies.write(study.supplementary / "selection.json", selection)
    summary = {
        **cell_files.head(Cell("12k", 1)),
        "objective": "val_loss",
        "trials_done": 24,
        "trials_total": 24,
        "winner_score": -0.41,
        "best_score": -0.4055,
        "standard_error": 0.012,
        "best": {"n_heads": 1, "effective_batch": 32},
        "best_number": 7,
        "finished": None,
    }
    studies.write(study.supplementary / "12k-h1" / "summary.json", summary)
    text = report_of(study)
    assert "Supplementary search" in text
    assert "left out: heat" in text
    assert all(figure in text for figure in ("0.4100", "0.4055", "0.0120", "n_heads 1, effective_batch 32"))
    assert "never enter the law" in text


def test_unequal_effort_is_warned_of_beside_the_verdict_and_on_the_terminal(study):
    law = {**studies.law("scales", alpha=0.02), "warnings": ["the rungs were searched with unequal effort"]}
    studies.write_law(study, {"1": law})
    text = report_of(study)
    assert text.index("Warning: the rungs were searched") < text.index("Exponent alpha")
    assert "    WARNING: the rungs were searched with unequal effort" in verdict_lines(study)
