"""Read the current question: params.yaml, and the plan files as they would be written from it and the present code."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tsladder.artifacts.plans import NotPlanned, Plan, plain_plan
from tsladder.artifacts.record import text_of
from tsladder.data.inputs import bars_beside, further_symbols
from tsladder.data.manifest import manifest_digests
from tsladder.params import AnyParams, DataParams, PanelParams, names_panel, parse_panel_params, parse_params
from tsladder.places import Places
from tsladder.planning.across_cells import plan_files
from tsladder.planning.cells import plan_cells
from tsladder.planning.endings import AS_PLANNED, ending_files, panel_ending_files
from tsladder.planning.fingerprint import Code
from tsladder.planning.panel_cells import plan_panel_cells, stocks_of
from tsladder.planning.plans import CellPlans, study_key
from tsladder.planning.sources import load_cache, save_cache
from tsladder.search.strategies import load
from tsladder.typed_yaml import read_yaml


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class StudyQuestion:
    """The current question. `raw`: params.yaml as plain data; `texts`: every plan file and ending file, by path
    relative to the root, as the plan stage would write it now; `study_key`: identity of all searches of the study;
    `data`: files of data that the plans depend on."""

    params: AnyParams
    raw: Mapping[str, Any]
    plans: tuple[CellPlans, ...]
    texts: Mapping[str, str]
    study_key: str
    data: tuple[Path, ...] = ()

    def plan_of(self, path: str) -> Mapping[str, Any]:
        """Return the plan file `path` as plain data."""
        return plain_plan(self.texts[path]) or {}


def read_question(places: Places) -> StudyQuestion:
    """Read the current question. Raises BadInput when params.yaml is faulty or a panel study has no panel, WorkFailed
    when a module cannot be parsed."""
    raw, source = read_yaml(places.params), str(places.params)
    params = parse_panel_params(raw, source) if names_panel(raw) else parse_params(raw, source)
    load_cache(places.sources)
    plans = plans_of_study(places, params)
    files = {path: text_of(plan) for path, plan in _plan_files(places, params, plans).items()}
    of_panel = isinstance(params, PanelParams)
    endings = panel_ending_files if of_panel else ending_files
    files |= dict.fromkeys(endings(places, params.cells), AS_PLANNED)
    texts = {path.relative_to(places.root).as_posix(): text for path, text in files.items()}
    save_cache(places.sources)
    return StudyQuestion(
        params=params,
        raw=raw,
        plans=plans,
        texts=texts,
        study_key=study_key({str(plan.cell): plan.search for plan in plans if plan.planned}),
        data=(places.bars(params.data.panel),) if isinstance(params, PanelParams) else (),
    )


def plans_of_study(places: Places, params: AnyParams) -> tuple[CellPlans, ...]:
    """Return the plans of every cell of a study of either kind. Raises BadInput where a rung has no model, and where a
    panel study has no panel."""
    if isinstance(params, PanelParams):
        # Without a top rung nothing is planned, so the stocks need not be counted.
        return plan_panel_cells(params, 0 if params.budget is None else stocks_of(places, params))
    return plan_cells(params)


def _plan_files(places: Places, params: AnyParams, plans: Sequence[CellPlans]) -> Mapping[Path, Plan | NotPlanned]:
    if isinstance(params, PanelParams):
        return {path: plan for one in plans for path, plan in one.by_path(places).items()}
    offered = load(params.search.strategy).supplement is not None
    return plan_files(places, params, tuple(plans), supplement_offered=offered)


def inputs_text(places: Places, data: DataParams) -> dict[str, str]:
    """Return path -> text of the files that the stage inputs would write now; an empty text where a file of bars is
    missing."""
    exist = all(places.bars(symbol).is_file() for symbol in further_symbols(data))
    texts = {
        places.inputs: text_of(bars_beside(places, data)) if exist else "",
        places.manifests: text_of(manifest_digests(places, data)),
    }
    return {path.relative_to(places.root).as_posix(): text for path, text in texts.items()}


FileTimes = tuple[tuple[str, int, int], ...]
"""Path, time of modification and size of each file."""


def signature(places: Places) -> FileTimes:
    """Return times and sizes of params.yaml and of all code that the question is read from: equal as long as none has
    changed."""
    code = Code.in_use()
    return file_times([places.params, *_python_files(str(code.source / "tsladder")), *_python_files(str(code.stages))])


def file_times(files: Iterable[Path | str]) -> FileTimes:
    """Return times and sizes of those of `files` that exist."""
    found = ((str(file), _status(str(file))) for file in files)
    return tuple((file, status.st_mtime_ns, status.st_size) for file, status in found if status is not None)


def _python_files(folder: str) -> list[str]:
    found = []
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir():
                found += _python_files(entry.path)
            elif entry.name.endswith(".py"):
                found.append(entry.path)
    return sorted(found)


def _status(path: str) -> os.stat_result | None:
    try:
        return os.stat(path)  # noqa: PTH116
    except FileNotFoundError:
        return None
