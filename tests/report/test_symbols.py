"""What a report tells of a study of several symbols, and that it says nothing of them where there is one."""

import dataclasses
import json

from tests.report import studies
from tests.report.test_tables import by

from tsladder.report.build import build_report
from tsladder.report.study_files import read_facts
from tsladder.report.symbol_tables import scores_table, windows_table


def of_two(places):
    """The study with nasdaq beside its own symbol at horizon 1, with no test window of it at horizon 3."""
    params = studies.study_params()
    params = dataclasses.replace(params, data=dataclasses.replace(params.data, symbols=("nasdaq", "sp500")))
    scored = {
        "windows": 910,
        "positives": 170,
        "base_rate": 0.187,
        "first_day": "2015-04-28",
        "last_day": "2018-12-28",
        "loss": 0.4567,
        "auc": 0.6789,
        "ic": None,
        "stricter": "own_rate",
        "skill": 0.0752,
        "advantage": {"value": 0.0368, "low": 0.0214, "high": 0.0522, "se": 0.008, "effective_n": 900.0},
    }
    for name in studies.SCORED:
        path = places.artifacts / "scores" / name / "scores.json"
        record = json.loads(path.read_text())
        nasdaq = scored if name.endswith("h1") else None
        record["symbols"] = {
            symbol: {"validation": None, "test": of} for symbol, of in (("sp500", scored), ("nasdaq", nasdaq))
        }
        path.write_text(json.dumps(record))
    splits = json.loads((places.splits / "splits.json").read_text())
    for entry in splits["horizons"].values():
        entry["symbols"] = {"sp500": entry["counts"], "nasdaq": entry["counts"]}
    (places.splits / "splits.json").write_text(json.dumps(splits))
    return params


def test_each_symbol_has_its_scores_and_its_windows_the_study_s_own_first(study):
    facts = read_facts(study, of_two(study))
    rows = by(scores_table(facts), "cell", "symbol")
    assert list(rows)[:2] == [("12k-h1", "sp500"), ("12k-h1", "nasdaq")]
    row = rows["12k-h1", "nasdaq"]
    assert (row["windows"], row["base rate"], row["test loss"], row["AUC"]) == ("910", "18.7 %", "0.4567", "0.679")
    assert (row["skill"], row["advantage"]) == ("7.5 %", "0.0368 (0.0214 to 0.0522)")
    assert rows["12k-h3", "nasdaq"]["test loss"] == "—"
    assert not any(cell == "2M-h5" for cell, _ in rows)
    windows = by(windows_table(facts), "horizon", "symbol")
    assert len(windows) == 6
    assert windows["1 day", "nasdaq"]["train windows"] == "926"
    assert windows["1 day", "nasdaq"]["test base rate"] == "15.0 %"


def test_the_pages_tell_of_several_symbols_and_not_of_one(study):
    build_report(study, studies.study_params())
    alone = (study.report / "report.md").read_text()
    build_report(study, of_two(study))
    both = (study.report / "report.md").read_text()
    for words in ("Test scores of each symbol", "Trained on, too", "Windows of each symbol"):
        assert words in both
        assert words not in alone
    assert "Every cell on the test days of each symbol" in (study.report / "report.html").read_text()
