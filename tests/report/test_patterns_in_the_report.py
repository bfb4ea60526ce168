"""What the report says of shape and settings: a sentence with its statistic for every cell, horizon and rung."""

import dataclasses
import re

import numpy as np
import pytest
from tests import cell_files
from tests.lines import PLAN
from tests.report import studies
from tests.report.reading import Page, tables_of

from tsladder.report.build import build_report
from tsladder.report.markdown import to_markdown
from tsladder.report.sections.search import search
from tsladder.report.study_files import read_facts
from tsladder.vocabulary import Cell

RATIOS = [(64, 1), (48, 2), (32, 2), (24, 3), (16, 4), (12, 6), (12, 8), (8, 12)]
SECTION = "What the searches show of shape and settings"


def trial(number, loss, shape, rng, **changes):
    d_model, n_layers = shape
    params = {
        "d_model": d_model,
        "n_layers": n_layers,
        "n_heads": int(rng.choice([1, 2, 4])),
        "d_ff": 2 * d_model,
        "learning_rate": float(np.exp(rng.uniform(-9.0, -6.0))),
        "weight_decay": float(np.exp(rng.uniform(-9.0, -5.0))),
        "dropout": float(rng.uniform(0.1, 0.3)),
        "warmup_steps": int(rng.integers(10, 40)),
        "epochs": 20,
    }
    return {**studies.trial(number, loss, 2.0), "params": {**PLAN, **params}, "val_auc": 1.0 - loss} | changes


def write_trials(places, name, losses, *, seed=0, extra=()):
    """Deeper trials later, and the winner's shape that of the lowest loss."""
    rng = np.random.default_rng(seed)
    trials = [trial(number, loss, shape, rng) for number, (loss, shape) in enumerate(zip(losses, RATIOS, strict=True))]
    trials += [trial(len(RATIOS) + k, loss, (8, 12), rng, **changes) for k, (loss, changes) in enumerate(extra)]
    cell = Cell.parse(name)
    studies.write(places.hpo(cell) / "trials.jsonl", studies.lines(trials))
    d_model, n_layers = RATIOS[int(np.argmin(losses))]
    chosen = {"architecture": {"d_model": d_model, "n_layers": n_layers}, "settings": {"learning_rate": 0.001 * seed}}
    studies.write(places.choice(cell), cell_files.choice(cell, **chosen))


FALLING = [0.48, 0.47, 0.46, 0.45, 0.44, 0.43, 0.42, 0.40]
MIXED = [0.44, 0.47, 0.41, 0.46, 0.45, 0.42, 0.48, 0.43]


@pytest.fixture
def searched(study):
    """12k prefers depth at h1 and neither at h3; 80k and 2M show nothing."""
    write_trials(study, "12k-h1", FALLING, seed=1, extra=[(0.30, {"state": "pruned", "stop_reason": "pruned"})])
    write_trials(study, "12k-h3", MIXED, seed=2)
    write_trials(study, "80k-h1", MIXED[::-1], seed=3)
    write_trials(study, "80k-h3", MIXED, seed=4)
    write_trials(study, "2M-h1", MIXED, seed=5)
    return study


def text_of(places, **changes):
    """The report's sections on the searches, as Markdown."""
    params = studies.study_params()
    params = dataclasses.replace(params, search=dataclasses.replace(params.search, **changes))
    return to_markdown(search(read_facts(places, params), ()))


def rows_of(text, caption):
    (table,) = (table for table in tables_of(text) if table.caption == caption)
    return {row[0]: dict(zip(table.titles, row, strict=True)) for row in table.rows}


def test_a_cell_that_prefers_depth_says_so_with_its_numbers(searched):
    row = rows_of(text_of(searched), "Depth against width in every search")["12k-h1"]
    assert row["in words"] == "deeper is better"
    assert (row["complete trials"], row["left out"]) == ("8", "1")
    assert (row["best of the deep half"], row["best of the wide half"]) == ("0.4000", "0.4500")
    assert (row["deep ahead by"], row["rank correlation"]) == ("+0.0500", "+1.00")
    assert row["p"] == "< 0.001"  # 2 / 40320


def test_a_cell_without_a_pattern_says_what_it_could_have_shown(searched):
    row = rows_of(text_of(searched), "Depth against width in every search")["80k-h3"]
    # Alone, 8 trials show from 0.738 on; five cells are corrected for.
    assert re.fullmatch(r"no pattern: from ±0\.8\d on it would show", row["in words"])


def test_a_cell_of_few_trials_says_so(searched):
    studies.write(searched.hpo(Cell("2M", 1)) / "trials.jsonl", studies.lines([studies.trial(0, 0.4, 1.0)]))
    row = rows_of(text_of(searched), "Depth against width in every search")["2M-h1"]
    assert (row["complete trials"], row["in words"]) == ("0", "too few trials to say")


def test_the_auc_is_compared_where_the_search_made_it_best(searched):
    row = rows_of(text_of(searched, objective="val_auc"), "Depth against width in every search")["12k-h1"]
    assert (row["best of the deep half"], row["deep ahead by"]) == ("0.6000", "+0.0500")


def test_a_trial_that_was_tried_again_counts_once(searched):
    path = searched.hpo(Cell("12k", 3)) / "trials.jsonl"
    first = path.read_text().splitlines()[0]
    path.write_text(first.replace('"complete"', '"interrupted"') + "\n" + path.read_text())
    row = rows_of(text_of(searched), "Depth against width in every search")["12k-h3"]
    assert (row["complete trials"], row["left out"]) == ("8", "0")


def test_every_horizon_has_its_sentence(searched):
    text = text_of(searched)
    assert re.search(r"\*\*1 day\*\*: .* over 3 rungs: the mean rank correlation is [+-]0\.\d\d \(p = ", text)
    assert "A change with size needs 4 rungs." in text
    assert re.search(r"\*\*3 days\*\*: .* over 2 rungs", text)


def test_the_winners_of_a_rung_are_put_in_order_with_its_chance(searched):
    rows = rows_of(text_of(searched), "The winners' shapes over the horizons")
    assert (rows["12k"]["h1"], rows["12k"]["h3"], rows["12k"]["h5"]) == ("8 wide, 12 deep", "32 wide, 2 deep", "—")
    assert rows["12k"]["order"] == "wider with the horizon"
    # Of 64 pairs of trials 28 fall, 8 are equal.
    assert rows["12k"]["by chance"] == "43.8 %"
    assert "2M" not in rows


def test_the_best_trials_are_compared_with_all(searched):
    row = rows_of(text_of(searched), "The best trials against all of their search")["12k-h1"]
    assert row["compared"] == "3 of 8"
    # The median of 0.44 and 0.45 lies 11.25 % above 0.40.
    assert (row["median behind best"], row["spread"]) == ("11.2 %", "at least 10 %")


def test_so_few_trials_that_no_single_search_could_show_stable_settings_are_reported(searched):
    # One of 56 ways to be the best three of eight, corrected over five searches.
    assert "Stable in 0 of 5 cells. No single search of so few trials could show it." in text_of(searched)


def test_a_study_without_trials_says_so(study):
    for path in (study.artifacts / "hpo").glob("*/trials.jsonl"):
        path.unlink()
    assert "No search has left trials to compare." in text_of(study)


def test_the_report_says_what_transfer_would_take_and_how_to_ask_for_it(searched):
    (line,) = (line for line in text_of(searched).split("\n") if "search.transfer is false" in line)
    # Two rungs with two winners each; a seed of each took 2 s, and there are three seeds.
    assert "dvc exp run -S search.transfer=true" in line
    assert "12 trainings on 4 pairs: about 24 s of work" in line


def test_winners_that_are_one_configuration_leave_nothing_to_try(study):
    for path in (study.artifacts / "hpo").glob("*-h3/choice.json"):
        path.unlink()
    assert "There is nothing to try" in text_of(study)


def test_the_tables_can_be_sorted_and_saved_like_the_others(searched):
    build_report(searched, studies.study_params())
    page = Page((searched.report / "report.html").read_text("utf-8"))
    files = {table.file.removeprefix("sp500-daily-"): table for table in page.tables}
    for name in ("depth-or-width", "winners-by-horizon", "settings-in-common", "best-trials"):
        assert name in files
        assert None not in {key for row in files[name].keys for key in row}
    assert SECTION in page.headings
