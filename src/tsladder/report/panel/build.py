"""Write artifacts/report/ of a panel study: one page as Markdown and HTML, its pictures, and tables for scripts."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from tsladder.artifacts.store import write_text
from tsladder.panel.baseline_runs import bias_sentence, study_tags
from tsladder.params import PanelParams
from tsladder.places import EXPERIMENT_RESULTS, Places
from tsladder.report.comparison import TRIALS, to_trials_csv
from tsladder.report.environment import Environment
from tsladder.report.page import PAGE, TEXT, drawn_only, write_page
from tsladder.report.panel.baselines_table import BASELINES_CSV, to_baselines_csv
from tsladder.report.panel.document import panel_document
from tsladder.report.panel.facts import PanelFacts
from tsladder.report.panel.figures.pictures import pictures_of
from tsladder.report.panel.files import read_panel_facts
from tsladder.report.panel.sections.question import question
from tsladder.results.table import to_csv
from tsladder.tracking import Tracker
from tsladder.vocabulary import Phase


def build_panel_report(
    places: Places,
    params: PanelParams,
    *,
    tracker: Tracker | None = None,
    environment: Environment | None = None,
) -> None:
    """Write report.md, report.html, baselines.csv and every picture that has something to show, from the records alone.
    A study of models has experiment_results.csv and trials.csv, too.

    A report is written whatever has run. Where there is a `tracker` and the panel has been read, the run `comparison`
    gets a copy. `environment` replaces the description of this machine. Raises WorkFailed where a record is damaged or
    of another question.
    """
    facts = read_panel_facts(places, params, environment)
    drawn = pictures_of(facts)
    tables = {BASELINES_CSV: to_baselines_csv(facts)}
    if facts.planned:
        tables[EXPERIMENT_RESULTS] = to_csv(facts.params, facts.study_key, facts.cells)
        tables[TRIALS] = to_trials_csv(facts)
    for name, text in tables.items():
        write_text(places.report / name, text)
    write_page(places.report, params.study.name, panel_document(facts, drawn_only(drawn)), drawn)
    if tracker is not None:
        copy_panel_report(places, params, tracker, facts, (PAGE, TEXT, *tables, *drawn_only(drawn)))


def copy_panel_report(
    places: Places, params: PanelParams, tracker: Tracker, facts: PanelFacts, names: Sequence[str]
) -> None:
    """Copy the files `names` of the report to the run `comparison` of the study, where the panel has been read."""
    files = [path for name in names if (path := places.report / name).exists()]
    if facts.features is not None and files:
        tags = study_tags(params, facts.features, horizons=params.horizons, phase=Phase.FIT)
        if params.budget is not None and facts.study_key is not None:
            of_models = {"budget": params.budget, "model": params.model.family, "study_key": facts.study_key}
            tags = dataclasses.replace(tags, **of_models)
        description = f"{question(facts)} {bias_sentence(facts.features)}"
        tracker.log_comparison(files, tags, description)
