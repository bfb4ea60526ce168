"""`tsladder status`: where every cell stands, from local files, in well under a second. No DVC, no MLflow."""

from __future__ import annotations

import dataclasses
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tsladder.console.freshness import Lock, read_lock, text_md5
from tsladder.console.live_records import LiveWork, RunningTrial, live_folders, live_work
from tsladder.console.verdicts import HorizonVerdict, read_verdicts
from tsladder.params import Params, load_params
from tsladder.places import Places
from tsladder.planning.cells import CellPlans, plan_cells
from tsladder.planning.plans import cell_key, study_key
from tsladder.records import json_text, read_json, read_lines
from tsladder.typed_yaml import read_yaml
from tsladder.vocabulary import Cell, CellStatus


@dataclass(frozen=True, kw_only=True, slots=True)
class CellState:
    """One cell, `state` not_planned, pending, running, fresh, stale or failed; None where a figure is not known.

    Every figure belongs to the question now asked: of a stale cell only the trials of that question are counted.
    `phase`: what works on it now, search, supplementary, train, transfer or evaluate; None: nothing is known to.
    """

    state: str
    trials_done: int = 0
    trials_total: int = 0
    best_val_loss: float | None = None
    test_loss: float | None = None
    skill: float | None = None
    seconds_spent: float | None = None
    seconds_to_go: float | None = None
    seconds_to_go_low: float | None = None
    seconds_to_go_high: float | None = None
    reason: str | None = None
    stop_reasons: Mapping[str, int] = field(default_factory=dict)
    phase: str | None = None
    phase_done: int | None = None
    phase_total: int | None = None
    running: tuple[RunningTrial, ...] = ()
    paused: str | None = None
    celsius: float | None = None
    resident_gib: float | None = None
    stalled_seconds: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class StudyState:
    """All cells by name, the law of each horizon, and the key of the question that params.yaml and the code now ask.

    The times are sums over the planned cells; None where that of one cell is not known.
    """

    study_key: str
    cells: Mapping[str, CellState]
    verdicts: Mapping[str, HorizonVerdict]
    seconds_spent: float | None
    seconds_to_go: float | None
    seconds_to_go_low: float | None
    seconds_to_go_high: float | None

    def to_json(self) -> dict[str, Any]:
        return dataclasses.asdict(self)


def study_state(places: Places) -> StudyState:
    """One look. Raises BadInput when params.yaml is faulty."""
    return StudyReader(places).read()


class StudyReader:
    """Looks at the study again and again."""

    def __init__(self, places: Places) -> None:
        self._places = places

    def read(self) -> StudyState:
        """Where the study stands now. Raises BadInput when params.yaml is faulty."""
        places, now = self._places, time.time()
        params = load_params(places.params)
        plans = plan_cells(params)
        lock = read_lock(places.root, read_yaml(places.params), _plan_md5s(places, plans))
        inputs_fresh = lock.is_fresh("features") and lock.is_fresh("splits")
        live = live_folders(places)
        cells = {
            str(p.cell): _cell_state(places, params, p, lock, inputs_fresh, live_work(live.get(str(p.cell), ()), now))
            for p in plans
        }
        key = study_key({str(p.cell): p.search for p in plans})
        planned = [cell for cell in cells.values() if cell.state != "not_planned"]
        law_fresh = lock.is_fresh("fit") and all(cell.state in ("fresh", "failed") for cell in planned)
        spent = [cell.seconds_spent for cell in planned if cell.seconds_spent is not None]
        return StudyState(
            study_key=key,
            cells=cells,
            verdicts=read_verdicts(places, params.horizons, key, fresh=law_fresh),
            seconds_spent=sum(spent) if spent else None,
            seconds_to_go=_sum([cell.seconds_to_go for cell in planned]),
            seconds_to_go_low=_sum([cell.seconds_to_go_low for cell in planned]),
            seconds_to_go_high=_sum([cell.seconds_to_go_high for cell in planned]),
        )


def _sum(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) if len(known) == len(values) else None


def _plan_md5s(places: Places, plans: tuple[CellPlans, ...]) -> dict[str, str]:
    """What the plan files would hold if the plan stage ran now, as dvc.lock names and hashes them."""
    md5s = {}
    for cell_plans in plans:
        for path, plan in (
            (places.search_plan(cell_plans.cell), cell_plans.search),
            (places.train_plan(cell_plans.cell), cell_plans.train),
            (places.evaluate_plan(cell_plans.cell), cell_plans.evaluate),
        ):
            md5s[path.relative_to(places.root).as_posix()] = text_md5(json_text(plan))
    return md5s


def _cell_state(
    places: Places, params: Params, plans: CellPlans, lock: Lock, inputs_fresh: bool, work: LiveWork | None
) -> CellState:
    cell = plans.cell
    if not plans.planned:
        return CellState(state="not_planned")
    stages = [f"{stage}@{cell.budget}-{cell.horizon}" for stage in ("hpo", "train", "evaluate")]
    fresh = inputs_fresh and all(lock.is_fresh(stage) for stage in stages)
    failure = _failure(places, cell)
    if work is not None:
        state = "running"
    elif fresh:
        state = "fresh" if failure is None else "failed"
    else:
        state = "stale" if _has_results(places, cell) else "pending"
    trials = _trials(places, plans, fresh, inputs_fresh)
    total = int(plans.search["search"]["trials"])
    losses = [trial["best_val_loss"] for trial in trials if trial["state"] == "complete"]
    spent = sum(trial["seconds"] for trial in trials) + _train_seconds(places, cell, fresh)
    to_go = 0.0 if fresh else None
    if to_go is None and trials:
        each = sum(trial["seconds"] for trial in trials) / len(trials)
        to_go = each * (total - len(trials) + params.train.seeds) / trials[-1]["workers"]
    scores = _scores(places, cell) if fresh else {}
    return CellState(
        state=state,
        trials_done=len(trials),
        trials_total=total,
        best_val_loss=min(losses, default=None),
        test_loss=scores.get("loss"),
        skill=scores.get("skill"),
        seconds_spent=spent or None,
        seconds_to_go=to_go,
        seconds_to_go_low=to_go,
        seconds_to_go_high=to_go,
        reason=failure if state == "failed" else None,
        stop_reasons=dict(Counter(trial["stop_reason"] for trial in trials)),
        phase=None if work is None else work.phase,
        phase_done=None if work is None else work.done,
        phase_total=None if work is None else work.total,
        running=() if work is None else work.running,
        paused=None if work is None else work.paused,
        celsius=None if work is None else work.celsius,
        resident_gib=None if work is None else work.resident_gib,
        stalled_seconds=None if work is None else work.stalled_seconds,
    )


def _trials(places: Places, plans: CellPlans, fresh: bool, inputs_fresh: bool) -> list[dict[str, Any]]:
    """Ended trials of THIS question: the stage's copy when it is fresh, else the live record under its key."""
    if fresh:
        path = places.hpo(plans.cell) / "trials.jsonl"
    elif inputs_fresh:
        fingerprint = read_json(places.features / "manifest.json")["fingerprint"]
        key = cell_key(plans.search, fingerprint, read_json(places.horizon_splits(plans.cell.horizon)))
        path = places.study(plans.cell, key) / "trials.jsonl"
    else:
        return []
    last = {line["number"]: line for line in read_lines(path)}
    return [line for line in last.values() if line["state"] != "interrupted"]


def _train_seconds(places: Places, cell: Cell, fresh: bool) -> float:
    path = places.timings(cell)
    if not fresh or not path.exists():
        return 0.0
    return float(sum(seed["seconds"] for seed in read_json(path)["seeds"].values()))


def _failure(places: Places, cell: Cell) -> str | None:
    """Why the cell failed, as the furthest stage that wrote something says."""
    for path in (places.scores(cell) / "scores.json", places.models(cell) / "status.json", places.choice(cell)):
        if path.exists():
            record = read_json(path)
            if record["status"] == CellStatus.FAILED:
                return str(record["reason"])
    return None


def _has_results(places: Places, cell: Cell) -> bool:
    return places.choice(cell).exists() and read_json(places.choice(cell))["status"] != CellStatus.NOT_PLANNED


def _scores(places: Places, cell: Cell) -> dict[str, float | None]:
    record = read_json(places.scores(cell) / "scores.json")
    if record["status"] != CellStatus.DONE:
        return {}
    test = record["regions"]["test"]
    return {"loss": test["mean"]["log_loss"], "skill": test["skill"]}
