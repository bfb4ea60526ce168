"""Define the members of a capsule, which are paths inside a study's folder, and their limits."""

from __future__ import annotations

import re

SERIES_FORMAT = 2
"""Version of the layout of a series study; version 1 had no ingestion.json."""
FORMAT = 3
"""Version of the layout of a panel study, the newest one."""
MANIFEST = "manifest.json"
PARAMS = "params.yaml"

MOST_MEMBERS = 20_000
MOST_MEMBER_BYTES = 256 * 2**20
MOST_BYTES = 2**30
MOST_RATIO = 500
"""Largest compression ratio of a member of at least RATIO_FROM_BYTES. Text of a study stays below 100."""
RATIO_FROM_BYTES = 2**20

_CELL = r"(?P<cell>\d{1,15}(?:\.\d{1,15})?[kMB]?-h\d{1,6})"
_PLAN = rf"artifacts/plans/(?:(?:train|evaluate|pretrain)/)?{_CELL}\.json"
_CELL_MEMBERS = (
    rf"artifacts/hpo/{_CELL}/(?:choice\.json|coverage\.json|best_params\.json|trials\.jsonl)",
    rf"artifacts/models/{_CELL}/status\.json",
    rf"artifacts/timings/{_CELL}\.json",
    rf"artifacts/scores/{_CELL}/(?:scores\.json|predictions\.parquet)",
    rf"artifacts/pretrain/{_CELL}/(?:pretraining\.json|predictions\.parquet)",
    rf"artifacts/supplementary/{_CELL}/(?:summary\.json|trials\.jsonl)",
    rf"artifacts/transfer/{_CELL}-from-h\d{{1,6}}\.parquet",
)
_STUDY_MEMBERS = (
    r"params\.yaml",
    r"environment\.json",
    r"artifacts/features/manifest\.json",
    r"artifacts/ingestion\.json",
    r"artifacts/splits/(?:splits|h\d{1,6})\.json",
    r"artifacts/plans/(?:supplementary|transfer|audit)\.json",
    r"artifacts/audit/audit\.json",
    r"artifacts/supplementary/selection\.json",
    r"artifacts/transfer/transfer\.json",
    r"artifacts/law/scaling\.(?:json|csv|png)",
    r"artifacts/report/[a-z_]{1,40}\.(?:png|svg)",
)
_PANEL_MEMBERS = (r"artifacts/baselines/h\d{1,6}/(?:scores\.json|predictions\.parquet)",)
"""Files of a panel study alone. The scores of every stock stay behind, since they hold the returns of the stocks."""


def is_member(name: str) -> bool:
    """Check whether a capsule may hold a file of this name."""
    return any(_match(pattern, name) for pattern in (_PLAN, *_CELL_MEMBERS, *_STUDY_MEMBERS, *_PANEL_MEMBERS))


def is_of_panel(name: str) -> bool:
    """Check whether only the capsule of a panel study holds a file of this name."""
    return any(_match(pattern, name) for pattern in _PANEL_MEMBERS)


def is_cell(name: str) -> bool:
    return _match(_CELL, name) is not None


def is_plan(name: str) -> bool:
    """Check whether `name` is a plan file; the study's identity is computed from the text of plan files."""
    return name.startswith("artifacts/plans/")


def belongs(name: str, planned: frozenset[str], cells: frozenset[str]) -> bool:
    """Check whether the file `name` belongs to a study of these cells. A file of an unplanned cell belongs to another
    study; only its plan file, which says that it is not planned, belongs to this one."""
    if (of_plan := _match(_PLAN, name)) is not None:
        return of_plan["cell"] in cells
    for pattern in _CELL_MEMBERS:
        if (of_cell := _match(pattern, name)) is not None:
            return of_cell["cell"] in planned
    return is_member(name)


def _match(pattern: str, name: str) -> re.Match[str] | None:
    return re.fullmatch(pattern, name, re.ASCII)
