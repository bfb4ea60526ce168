"""Run `dvc repro` for `tsladder run`, then print which cells passed, failed or were skipped, the verdicts, and in a
panel study the level to beat."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping, Sequence

from tsladder import train_ahead
from tsladder.artifacts.ending import read_ending
from tsladder.console.dvc_process import NO_VARIABLES
from tsladder.console.logging_process import logging_process
from tsladder.console.manual_pause import ManualPause
from tsladder.console.outcome_lines import outcome_lines
from tsladder.console.run_ahead import run_ahead
from tsladder.console.run_checks import check_data
from tsladder.console.run_dvc import DvcResult, run_command, run_dvc
from tsladder.console.run_lines import long_run_note, summary_lines
from tsladder.console.run_log import RunLog, Timeline
from tsladder.console.screen import can_draw
from tsladder.console.selection import CellSelection, select_cells
from tsladder.errors import BadInput, WorkFailed
from tsladder.interruption import Interrupted
from tsladder.log_file import short_path
from tsladder.messages import print_message
from tsladder.params import load_any_params
from tsladder.places import Places
from tsladder.planning.machine import Machine, describe_memory, scarce_memory_note, survey
from tsladder.planning.too_little_memory import check_memory
from tsladder.search.forced_trials import forced_by_cell
from tsladder.stage import TRAINED_AHEAD
from tsladder.status.cell_results import failed_stage
from tsladder.status.cell_state import FAILED, FRESH, INPUT_STAGES, NOT_PLANNED
from tsladder.status.dvc_yaml import PLAN
from tsladder.status.study_state import StudyReader, StudyState, study_state
from tsladder.tracking import address_of, how_to_look, store_notes
from tsladder.vocabulary import Cell

_LAST_LINES = 20


def run_study(places: Places, *, retry_failed: bool, first: str | None = None, only: Sequence[str] = ()) -> int:
    """Rebuild what is stale and return the exit code: all cells, `first` and the cells that follow it, or only the
    cells named in `only`. Raises BadInput before DVC starts, Interrupted when stopped."""
    params = load_any_params(places.params)
    selection = select_cells(params, first=first, only=only, retry_failed=retry_failed)
    check_data(places, params)
    address_of(places.mlruns, os.environ)  # an address that is none is refused before anything is built
    if params.budget is None:
        return _Run(places, selection, None, elsewhere=False).go(retry_failed=False, time_note=None)
    # Refuse hardware settings that this machine cannot fulfil here, not in the first search.
    machine = survey(params.hardware, places.calibration)
    check_memory(places, params, machine)
    forced = {cell: found.forced for cell, found in forced_by_cell(places, params).items()}
    time_note = long_run_note(places, params, selection, forced)
    elsewhere = params.hardware.executor == "ray"
    return _Run(places, selection, machine, elsewhere=elsewhere).go(retry_failed=retry_failed, time_note=time_note)


class _Run:
    """One `tsladder run` with its log. `machine` None: nothing is trained. `elsewhere`: cells are not trained by their
    stages, which do so on this machine, but ahead of them on the nodes of a cluster."""

    def __init__(self, places: Places, selection: CellSelection, machine: Machine | None, *, elsewhere: bool) -> None:
        self._places = places
        self._elsewhere = elsewhere
        self._selection = selection
        self._machine = machine
        self._log = RunLog.create(places)
        self._timeline = Timeline()
        self._live = can_draw()
        self._variables = NO_VARIABLES

    def go(self, *, retry_failed: bool, time_note: str | None) -> int:
        """Run the study and return the exit code; `time_note` is printed before anything runs."""
        started = time.monotonic()
        self._log.note(f"tsladder run, process {os.getpid()}")
        self._report_log()
        self._report_memory()
        self._report_store()
        if time_note is not None:
            self._say(time_note)
        # One pause for all commands of DVC in this run.
        with logging_process(self._places) as (variables, messages), ManualPause(self._places) as pause:
            self._variables = variables
            result = self._reproduce(pause if self._live else None, retry_failed=retry_failed)
        for line in messages:
            print(line, file=sys.stderr, flush=True)
            self._log.note(line)
        code = self._end(result, time.monotonic() - started)
        self._log.note(f"ended with {code}")
        if result.stopped:
            raise Interrupted("stopped; `tsladder run` resumes it")
        return code

    def _reproduce(self, pause: ManualPause | None, *, retry_failed: bool) -> DvcResult:
        if self._prepare_failed_cells(retry_failed=retry_failed):
            result = self._run_dvc(pause, "repro", "--force", "--single-item", PLAN)
            if result.stopped or result.code != 0:
                return result
        cells = self._cells_to_train()
        # A stage trains on this machine alone.
        fewest = 1 if self._elsewhere else 2
        if len(cells) >= fewest:
            result = self._run_dvc(pause, "repro", PLAN, *INPUT_STAGES)
            if result.stopped or result.code != 0:
                return result
            # Read again: of what was stale, the plan stage may have found the same question.
            cells = self._cells_to_train()
        if len(cells) < fewest:
            return self._run_dvc(pause, "repro", *self._selection.targets)

        def run(arguments: tuple[str, ...]) -> DvcResult:
            module, log, timeline = train_ahead.__name__, self._log, self._timeline
            return run_command(self._places, module, arguments, log, timeline, pause, self._variables)

        result = run_ahead(cells, run, self._say, elsewhere=self._elsewhere)
        if result.stopped or result.killed or (self._elsewhere and result.code != 0):
            return result
        trained = {TRAINED_AHEAD: "1"} if result.code == 0 else NO_VARIABLES
        return self._run_dvc(pause, "repro", *self._selection.targets, variables=trained)

    def _cells_to_train(self) -> list[Cell]:
        """Return the planned cells of the selection whose results are not those of the current question."""
        if self._machine is None:
            return []
        states = study_state(self._places).cells
        return [cell for cell in self._selection.cells if states[str(cell)].state not in (FRESH, NOT_PLANNED)]

    def _run_dvc(
        self, pause: ManualPause | None, *arguments: str, variables: Mapping[str, str] = NO_VARIABLES
    ) -> DvcResult:
        return run_dvc(self._places, arguments, self._log, self._timeline, pause, {**self._variables, **variables})

    def _prepare_failed_cells(self, *, retry_failed: bool) -> bool:
        """Prepare the selected cells that have failed. With `retry_failed` their earlier trainings are set aside.

        Returns True where DVC would take one of them for finished, since somebody ran `dvc commit` or `dvc exp save` on
        it: then the plan stage must run.
        """
        places = self._places
        if not any(_has_failed(places, cell) for cell in self._selection.cells):
            return False
        reader = StudyReader(places)
        states = reader.read().cells
        failed = [cell for cell in self._selection.cells if states[str(cell)].state == FAILED]
        if retry_failed:
            for cell in failed:
                _set_aside(places, failed_stage(places, cell)[0], cell)
        return bool(failed) and reader.freshness().endings_recorded

    def _end(self, result: DvcResult, seconds: float) -> int:
        """Report how the run went, and return the exit code."""
        if self._live and result.code != 0:
            # The live table was shown instead of these lines.
            for line in self._timeline.last_of_stage(_LAST_LINES):
                if not result.stopped or line.startswith("tsladder:"):
                    print(line, file=sys.stderr, flush=True)
        state = study_state(self._places)
        states = state.cells
        print()
        for line in summary_lines(states, self._timeline.seconds, seconds, self._selection):
            print(line)
        if result.code == 0 and not result.stopped:
            print()
            for line in self._result_lines(state):
                print(line)
        sys.stdout.flush()
        self._report_log()
        if result.stopped:
            return Interrupted.exit_code
        if result.code in (BadInput.exit_code, Interrupted.exit_code):
            return result.code
        failed = any(states[str(cell)].state == "failed" for cell in self._selection.cells)
        return 1 if result.code != 0 or failed else 0

    def _result_lines(self, state: StudyState) -> list[str]:
        places = self._places
        if not self._selection.whole:
            return ["The law and the report were not built: `tsladder run` builds the other cells and then both."]
        compared = "trials" if self._selection.cells else "baselines"
        return [
            *outcome_lines(places, state),
            "",
            f"Report: {places.report / 'report.md'} and report.html beside it",
            f"Compare {compared}: {how_to_look(address_of(places.mlruns, os.environ))}",
        ]

    def _report_memory(self) -> None:
        if self._machine is None:
            return
        for line in filter(None, (describe_memory(self._machine), scarce_memory_note(self._machine))):
            self._say(f"memory: {line}")

    def _report_store(self) -> None:
        """Update the paths of a moved store even where no stage runs: its address is printed at the end."""
        try:
            notes = store_notes(address_of(self._places.mlruns, os.environ))
        except WorkFailed as error:
            notes = [str(error)]
        for note in notes:
            self._say(note)

    def _say(self, text: str) -> None:
        """Print a line and write it to the log."""
        print_message(text)
        self._log.note(text)

    def _report_log(self) -> None:
        if self._log.kept:
            print_message(f"log: {short_path(self._log.path)}")


def _set_aside(places: Places, stage: str, cell: Cell) -> None:
    """Rename the live record of the failed stage, so that the stage starts from scratch."""
    stamp = time.strftime("%Y%m%dT%H%M%S")
    for folder in places.live_records(cell, stage):
        folder.rename(folder.with_name(f"failed-{stamp}-{folder.name}"))


def _has_failed(places: Places, cell: Cell) -> bool:
    """Check whether the cell has failed, whether or not its parameters have changed since."""
    records = (places.choice(cell), places.models_status(cell))
    return any(path.exists() and read_ending(path).failed for path in records)
