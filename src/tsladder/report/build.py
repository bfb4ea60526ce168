"""Write artifacts/report/: the same facts as Markdown, HTML and the CSV files that users' scripts read."""

from __future__ import annotations

import dataclasses

from tsladder.artifacts.store import write_text
from tsladder.params import Params
from tsladder.places import EXPERIMENT_RESULTS, Places
from tsladder.report.blocks import Paragraph
from tsladder.report.comparison import TRIALS, to_trials_csv
from tsladder.report.document import document
from tsladder.report.environment import Environment
from tsladder.report.facts import SeriesFacts
from tsladder.report.page import PAGE, drawn_only, write_page
from tsladder.report.pictures import pictures_of
from tsladder.report.sections.search import PARALLEL
from tsladder.report.sections.study import question
from tsladder.report.study_files import read_facts
from tsladder.results.table import to_csv
from tsladder.tracking import RunTags, Tracker
from tsladder.vocabulary import Phase

COPIED = (PAGE, EXPERIMENT_RESULTS, TRIALS, PARALLEL)
"""Files that the run `comparison` holds, as far as they were written."""


def build_report(
    places: Places, params: Params, *, tracker: Tracker | None = None, environment: Environment | None = None
) -> None:
    """Write report.md, report.html, experiment_results.csv, trials.csv and every picture that has something to show.

    A report is written whatever the state of the cells. Where there is a `tracker` and a study, the run `comparison`
    gets a copy. `environment` replaces the description of this machine. Raises WorkFailed when a file of the study is
    damaged.
    """
    facts = read_facts(places, params)
    if environment is not None:
        facts = dataclasses.replace(facts, environment=environment)
    drawn = pictures_of(facts)
    blocks = document(facts, drawn_only(drawn))
    if facts.environment.rebuilt is not None:
        blocks = (*blocks, Paragraph(facts.environment.rebuilt))
    write_text(places.report / EXPERIMENT_RESULTS, to_csv(facts.params, facts.study_key, facts.cells))
    write_text(places.report / TRIALS, to_trials_csv(facts))
    write_page(places.report, params.study.name, blocks, drawn)
    if tracker is not None:
        copy_report(places, params, tracker, facts)


def copy_report(places: Places, params: Params, tracker: Tracker, facts: SeriesFacts) -> None:
    """Copy the files of the report that were written to the run `comparison` of the study, where there is a study."""
    files = [path for name in COPIED if (path := places.report / name).exists()]
    if facts.study_key is None or not files:
        return
    tags = RunTags.of_study(params, phase=Phase.FIT, study_key=facts.study_key)
    tracker.log_comparison(files, tags, f"Everything that compares the cells of this study. {question(facts)}")
