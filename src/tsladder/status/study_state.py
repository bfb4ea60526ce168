"""Read the state of every cell from local files in under a second. Imports neither DVC nor MLflow."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from tsladder.artifacts.progress import RunningTrial
from tsladder.params import PanelParams, Params
from tsladder.places import Places
from tsladder.planning.plans import CellPlans
from tsladder.planning.time_left import total
from tsladder.results.file_cache import FileCache
from tsladder.results.gathering import facts_of
from tsladder.results.table import to_csv
from tsladder.status.cell_state import (
    NOT_PLANNED,
    CellReading,
    CellState,
    current_outputs_of,
    estimate_of,
    read_cell_state,
    seconds_fields,
)
from tsladder.status.dvc_lock import read_lock
from tsladder.status.dvc_yaml import Pipeline, read_pipeline
from tsladder.status.file_hashes import HashCache, WorkingTree
from tsladder.status.freshness import Freshness
from tsladder.status.law_verdicts import HorizonVerdict, read_verdicts
from tsladder.status.live_records import STALLED_SECONDS, live_folders
from tsladder.status.panel_state import PanelState, read_panel_state
from tsladder.status.question import StudyQuestion, file_times, inputs_text, read_question, signature
from tsladder.status.rwlock import running_stages
from tsladder.status.time_to_go import Forecasts, read_forecasts

__all__ = [
    "STALLED_SECONDS",
    "CellState",
    "HorizonVerdict",
    "RunningTrial",
    "StudyReader",
    "StudyState",
    "study_state",
]


@dataclass(frozen=True, kw_only=True, slots=True)
class StudyState:
    """State of all cells by name, the law of each horizon, and the key of the current question from params.yaml and
    code.

    The times are sums over the planned cells; None where that of one cell is not known. `stages_running`: the stages
    that DVC runs now. `notes`: problems for which a run would be refused. `panel`: what a panel study has beside its
    cells, None in a series study.
    """

    study_key: str
    cells: Mapping[str, CellState]
    verdicts: Mapping[str, HorizonVerdict]
    seconds_spent: float | None
    seconds_to_go: float | None
    seconds_to_go_low: float | None
    seconds_to_go_high: float | None
    stages_running: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    panel: PanelState | None = None

    @property
    def has_cells(self) -> bool:
        """True where some cell is planned."""
        return any(cell.state != NOT_PLANNED for cell in self.cells.values())

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-ready record, with the fields of `panel` among those of the study."""
        verdicts = {horizon: verdict.to_json() for horizon, verdict in self.verdicts.items()}
        record = dataclasses.asdict(self) | {"verdicts": verdicts}
        for cell in record["cells"].values():
            cell["running"] = [_without_phase(trial) for trial in cell["running"]]
        del record["panel"]
        return record if self.panel is None else {**record, **self.panel.to_json()}


def _without_phase(trial: dict[str, Any]) -> dict[str, Any]:
    """Leave the phase of a training out where it has none, as progress.json does."""
    return {name: value for name, value in trial.items() if name != "phase" or value is not None}


def study_state(places: Places) -> StudyState:
    """Read the state once.

    Raises BadInput for a faulty params.yaml and for a panel study without its panel, WorkFailed where dvc.yaml,
    dvc.lock, code or a record of a panel study is damaged.
    """
    return StudyReader(places).read()


class StudyReader:
    """Reader of the state of a study for repeated use; files that have not changed are not read again."""

    def __init__(self, places: Places, *, clock: Callable[[], float] = time.time) -> None:
        """Open the study at `places`; `clock` returns seconds since 1970."""
        self._places = places
        self._clock = clock
        self._hashes = HashCache()
        self._question: tuple[object, StudyQuestion] | None = None
        self._files = FileCache()
        self._pipeline: tuple[object, Pipeline] | None = None
        self._forecasts: tuple[object, Forecasts] | None = None

    def question(self) -> StudyQuestion:
        """Return the current question. Raises BadInput when params.yaml is faulty."""
        seen, known = signature(self._places), self._question
        if known is None or known[0] != (seen, file_times(known[1].data)):
            found = read_question(self._places)
            known = self._question = (seen, file_times(found.data)), found
        return known[1]

    def freshness(self) -> Freshness:
        """Compare every stage with dvc.lock. Raises as `question`, and WorkFailed when dvc.yaml or dvc.lock
        is damaged."""
        root, question = self._places.root, self.question()
        dvc = root / "dvc.yaml"
        seen = (question.study_key, question.params, dvc.stat().st_mtime_ns if dvc.exists() else None)
        if self._pipeline is None or self._pipeline[0] != seen:
            self._pipeline = seen, read_pipeline(dvc, question.raw)
        lock = self._files.read(root / "dvc.lock", read_lock)
        inputs = inputs_text(self._places, question.params.data) if isinstance(question.params, Params) else {}
        texts = {**question.texts, **inputs}
        tree = WorkingTree(root, self._hashes, self._places.project / ".dvcignore")
        return Freshness(self._pipeline[1], lock, tree, question.raw, texts, self._places.dvc_cache)

    def read_cell(self, plans: CellPlans, now: float) -> CellReading:
        """Read one cell at `now`, with what its state is derived from."""
        freshness = self.freshness()
        live = live_folders(self._places).get(str(plans.cell), ())
        stages_running = running_stages(self._places, freshness.pipeline)
        return read_cell_state(self._places, plans, freshness, self.forecasts(), live, now, stages_running, self._files)

    def forecasts(self) -> Forecasts:
        """Return the forecasts of trainings that have not begun."""
        question = self.question()
        splits = [self._places.horizon_splits(horizon) for horizon in question.params.horizons]
        files = [path.stat().st_mtime_ns for path in (*splits, self._places.calibration) if path.exists()]
        seen = (question.study_key, question.params, files)
        if self._forecasts is None or self._forecasts[0] != seen:
            self._forecasts = seen, read_forecasts(self._places, question.params)
        return self._forecasts[1]

    def table(self) -> str:
        """Return experiment_results.csv as it would be written now. Raises as `freshness`."""
        question, freshness = self.question(), self.freshness()
        cells = [
            facts_of(self._places, plans, partial(current_outputs_of, plans.cell, freshness), self._files)
            for plans in question.plans
            if plans.planned
        ]
        return to_csv(question.params, question.study_key if cells else None, cells)

    def read(self) -> StudyState:
        """Read the present state of the study. Raises as `freshness`."""
        places, now = self._places, self._clock()
        question, freshness, forecasts = self.question(), self.freshness(), self.forecasts()
        stages_running = running_stages(places, freshness.pipeline)
        live = live_folders(places)
        cells = {
            str(plans.cell): read_cell_state(
                places, plans, freshness, forecasts, live.get(str(plans.cell), ()), now, stages_running, self._files
            ).state
            for plans in question.plans
        }
        planned = [cell for cell in cells.values() if cell.state != NOT_PLANNED]
        spent = [cell.seconds_spent for cell in planned if cell.seconds_spent is not None]
        to_go = total(estimate_of(cell) for cell in planned)
        return StudyState(
            study_key=question.study_key,
            cells=cells,
            verdicts=read_verdicts(
                places, question.params.horizons, question.study_key, fresh=freshness.is_current("fit")
            ),
            seconds_spent=sum(spent) if spent else None,
            **seconds_fields(to_go),
            stages_running=stages_running,
            notes=() if forecasts.note is None else (forecasts.note,),
            panel=self._panel(question, freshness, stages_running),
        )

    def _panel(
        self, question: StudyQuestion, freshness: Freshness, stages_running: tuple[str, ...]
    ) -> PanelState | None:
        if not isinstance(question.params, PanelParams):
            return None
        return read_panel_state(self._places, question.params, freshness, stages_running, self._files)
