"""Entry point of the command `tsladder`. Subcommands import what they need when they run, so that help and status start
at once."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import datetime
import json
import os
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from tsladder.console.arguments import build_parser
from tsladder.console.progress import progress
from tsladder.messages import print_message
from tsladder.places import Places
from tsladder.stage import exit_code

if TYPE_CHECKING:
    from tsladder.status.study_state import StudyReader


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code: 0 success, 1 the work failed, 2 bad input, 130 interrupted."""
    options = build_parser().parse_args(arguments)
    codes: list[int] = []
    try:
        ending = exit_code(lambda: codes.append(_carry_out(options)))
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader, for instance `head`, has closed the pipe. Without this Python would print another error at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return codes[0] if codes else 0
    return ending or codes[0]


def _carry_out(options: argparse.Namespace) -> int:
    """Run the command in the study that is meant, by what its params.yaml asks about. Raises BadInput, WorkFailed."""
    return COMMANDS[options.command](Places.here(options.study), options)


def _asks_about_panel(places: Places) -> bool:
    from tsladder.params import names_panel
    from tsladder.typed_yaml import read_yaml

    return places.params.is_file() and names_panel(read_yaml(places.params))


def _run(places: Places, options: argparse.Namespace) -> int:
    from tsladder.console.run import run_study

    return run_study(places, retry_failed=options.retry_failed, first=options.first, only=options.only)


def _plan(places: Places, options: argparse.Namespace) -> int:
    from tsladder.console.plan_lines import forced_lines, forecast_lines, slot_lines
    from tsladder.status.dry_run import study_forecast

    slots = _slots(options.slots)
    if options.calibrate:
        from tsladder.console.calibrate import calibrate_here, calibration_lines

        with progress("measuring this machine") as on_step:
            calibrated = calibrate_here(places, on_step)
        print("\n".join(calibration_lines(calibrated)), file=sys.stderr, flush=True)
    with progress("simulating the slots") if slots else contextlib.nullcontext():
        forecast = study_forecast(places, options.budget, options.assignments, slots=slots)
    if options.json:
        print(json.dumps(forecast.to_json(), indent=1))
    else:
        of_slots = [] if slots is None else slot_lines(forecast)
        print("\n".join([*forecast_lines(forecast), *of_slots, "", *forced_lines(forecast)]))
    for note in forecast.notes:
        print_message(f"note: {note}")
    for name, reason in forecast.refused.items():
        print_message(f"{name} cannot be trained here: {reason}")
    return 1 if forecast.refused else 0


def _slots(text: str | None) -> int | None:
    """Return the number of slots that is asked for; None: none is. Raises BadInput."""
    from tsladder.errors import BadInput

    if text is None:
        return None
    if not (text.isascii() and text.isdigit()) or int(text) < 1:
        raise BadInput(f"--slots must be a whole number above 0, got {text!r}")
    return int(text)


def _status(places: Places, options: argparse.Namespace) -> int:
    from tsladder.console.coloured_output import print_lines
    from tsladder.console.status_lines import status_lines
    from tsladder.log_file import newest_log, short_path
    from tsladder.status.study_state import StudyReader, study_state

    if options.csv:
        print(_table(StudyReader(places)), end="")
        return 0
    state = study_state(places)
    if options.json:
        print(json.dumps(state.to_json(), indent=1))
    else:
        print_lines(status_lines(state))
        log = newest_log(places.logs)
        if log is not None:
            print(f"log of the last run: {short_path(log)}")
    for note in state.notes:
        print_message(f"note: {note}")
    return 0


def _table(reader: StudyReader) -> str:
    """Return the current experiment_results.csv. Raises BadInput where the study has no cells."""
    from tsladder.errors import BadInput

    if reader.question().params.budget is None:
        raise BadInput(
            "--csv lists cells of models, and with `budget: null` in params.yaml this study has none: its table is "
            "artifacts/report/baselines.csv"
        )
    return reader.table()


def _places(places: Places, options: argparse.Namespace) -> int:
    from tsladder.console.place_lines import found_places, place_lines, places_json
    from tsladder.params import load_any_params

    params = load_any_params(places.params)
    found = found_places(places, params.hardware, options.wait)
    print(json.dumps(places_json(found), indent=1) if options.json else "\n".join(place_lines(found)))
    return 0 if any(place.can_train for place in found) else 1


def _why(places: Places, options: argparse.Namespace) -> int:
    from tsladder.console.coloured_output import print_lines
    from tsladder.console.why_lines import why_lines
    from tsladder.params import load_any_params
    from tsladder.params.cells import refuse_without_cells
    from tsladder.status.why import why

    refuse_without_cells(load_any_params(places.params), "why")
    found = why(places, options.cell)
    if options.json:
        print(json.dumps(found.to_json(), indent=1))
    else:
        print_lines(why_lines(found))
    return 0


def _watch(places: Places, options: argparse.Namespace) -> int:
    from tsladder.console.watch import watch_study

    return watch_study(places, interval=options.interval)


def _compare(places: Places, options: argparse.Namespace) -> int:
    from tsladder.console.compare import are_cells, compare_here, comparison_lines
    from tsladder.params import load_any_params
    from tsladder.params.cells import refuse_without_cells

    if not are_cells(options.names):
        return _compare_experiments(places, options)
    refuse_without_cells(load_any_params(places.params), "compare")
    with progress("comparing by day"):
        found = compare_here(places, options.names[0], options.names[1], region=options.region)
    if options.json:
        print(json.dumps(dataclasses.asdict(found), indent=1, allow_nan=False))
    else:
        print("\n".join(comparison_lines(found)))
    return 0


def _compare_experiments(places: Places, options: argparse.Namespace) -> int:
    from tsladder.console.experiments import compare_experiments_here
    from tsladder.console.side_by_side import side_by_side_lines

    with progress("reading experiments") as on_step:
        found = compare_experiments_here(places, options.names, options.region, on_step)
    print(
        json.dumps(found.to_json(), indent=1, allow_nan=False) if options.json else "\n".join(side_by_side_lines(found))
    )
    return 0


def _fit(places: Places, options: argparse.Namespace) -> int:
    from tsladder.console.fit import FitOptions, fit_lines, fit_points

    given = {field.name: getattr(options, field.name) for field in dataclasses.fields(FitOptions)}
    fit_options = FitOptions(**{name: value for name, value in given.items() if value is not None})
    with progress(f"fitting {', '.join(path.name for path in options.points)}") as on_step:
        laws = fit_points(options.points, options.out, fit_options, on_step)
    if options.json:
        print(json.dumps(laws.to_json(), indent=1, allow_nan=False))
        print_message(laws.understood)
    else:
        print("\n".join(fit_lines(laws.understood, laws.groups, laws.metric)))
    if laws.rows_dropped:
        print_message(f"note: {laws.rows_dropped} rows are marked as dropped")
    if laws.ignored_columns:
        print_message(f"note: columns ignored: {', '.join(laws.ignored_columns)}")
    return 0


def _features(places: Places, options: argparse.Namespace) -> int:
    if _asks_about_panel(places):
        return _panel_features(options)
    from tsladder.console.features import column_lines, describe_tier, list_tiers, tier_lines

    record = list_tiers() if options.tier is None else describe_tier(options.tier)
    if options.json:
        print(json.dumps(record, indent=1, allow_nan=False))
    else:
        print("\n".join(tier_lines(record) if options.tier is None else column_lines(record)))
    return 0


def _panel_features(options: argparse.Namespace) -> int:
    from tsladder.console.panel_features import (
        describe_panel_tier,
        list_panel_tiers,
        panel_column_lines,
        panel_tier_lines,
    )

    record = list_panel_tiers() if options.tier is None else describe_panel_tier(options.tier)
    if options.json:
        print(json.dumps(record, indent=1))
    else:
        print("\n".join(panel_tier_lines(record) if options.tier is None else panel_column_lines(record)))
    return 0


def _ingest(places: Places, options: argparse.Namespace) -> int:
    from tsladder.console.ingest import IngestOptions, choices_of, ingest_and_print, one_file
    from tsladder.console.ingest_panel import ingest_panel_and_print, panel_ingest_options

    output = {"add": options.add, "as_json": options.json, "today": datetime.date.today()}
    if options.panel is not None:
        ingest_panel_and_print(places, options.sources, options.panel, panel_ingest_options(options), **output)
        return 0
    source = one_file(options)
    ingest_options = IngestOptions(choices=choices_of(options), force=options.force, dry_run=options.dry_run)
    ingest_and_print(places, source, options.symbol, ingest_options, **output)
    return 0


def _cube(places: Places, options: argparse.Namespace) -> int:
    from tsladder.console.cube import cube_lines, verified_lines
    from tsladder.params import load_panel_params

    params = load_panel_params(places.params)
    panel_file = places.bars(params.data.panel)
    if options.verify:
        with progress("reading the cube"):
            lines = verified_lines(places.cubes, panel_file, params)
    else:
        said: list[str] = []
        with progress("building the cube"):
            lines = cube_lines(places.cubes, panel_file, params, said.append)
        for line in said:
            print_message(line)
    print("\n".join(lines))
    return 0


def _report(places: Places, options: argparse.Namespace) -> int:
    from tsladder.console.capsule import refuse_out_without_capsule, report_from, report_here

    code = 0
    if options.capsule is None:
        refuse_out_without_capsule(options.out, force=options.force)
        lines = report_here(places)
    else:
        lines, code = report_from(options.capsule, options.out, force=options.force)
    print("\n".join(lines))
    return code


def _export(places: Places, options: argparse.Namespace) -> int:
    from tsladder.console.capsule import export_here

    print("\n".join(export_here(places, options.capsule, force=options.force)))
    return 0


def _ui(places: Places, options: argparse.Namespace) -> int:
    from tsladder.console.ui import open_ui

    open_ui(places, options.port)
    return 0


def _sync(places: Places, options: argparse.Namespace) -> int:
    from tsladder.console.sync import sync_here

    return sync_here(places, to=options.to)


def _completion(_places: Places, options: argparse.Namespace) -> int:
    from tsladder.console.completion import completion_script

    print(completion_script(build_parser(), options.shell))
    return 0


COMMANDS: dict[str, Callable[[Places, argparse.Namespace], int]] = {
    "run": _run,
    "plan": _plan,
    "status": _status,
    "places": _places,
    "why": _why,
    "watch": _watch,
    "compare": _compare,
    "fit": _fit,
    "features": _features,
    "ingest": _ingest,
    "cube": _cube,
    "report": _report,
    "export": _export,
    "ui": _ui,
    "sync": _sync,
    "completion": _completion,
}

if __name__ == "__main__":
    sys.exit(main())
