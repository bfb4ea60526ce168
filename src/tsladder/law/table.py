"""The law of any table of points: `tsladder fit` as a function."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tsladder.artifacts.store import write_json, write_text
from tsladder.law.ladder import law_of_points
from tsladder.law.points import RungPoint
from tsladder.law.reading.options import Reading
from tsladder.law.reading.row import Row
from tsladder.law.reading.rows import AS_IT_COMES, Rows
from tsladder.law.reading.rungs import rungs_of
from tsladder.law.reading.tables import read_tables
from tsladder.law.scaling import points_table
from tsladder.law.surface.threshold import HuberDelta
from tsladder.law.wording import counted
from tsladder.steps import OnStep, no_progress

if TYPE_CHECKING:
    import pandas as pd

ALPHA_OF_INTEREST = 0.015
CONFIDENCE = 0.95
DRAWS = 1000
SEED = 42
_MOST_GROUPS = 4
"""Most groups named in the line on what was understood; more are only counted."""


def fit_table(
    source: Path | str | pd.DataFrame | Sequence[Path | str],
    *,
    reading: Reading = AS_IT_COMES,
    alpha_of_interest: float = ALPHA_OF_INTEREST,
    confidence: float = CONFIDENCE,
    draws: int = DRAWS,
    seed: int = SEED,
    huber_delta: float | None = None,
    on_step: OnStep = no_progress,
) -> dict[str, Any]:
    """Fit the law of a CSV or JSON file, of a frame of points (columns: `tsladder.law.reading.rows`), or of several
    files together; return its JSON-ready record.

    `groups` holds what scaling.json holds for a horizon, for each value of the column `group`, or for `all`. Rows of
    one size (and one amount of data) are replicates of a rung: their mean is its loss, their spread gives its standard
    error; a single row takes that of its column `se`. Where rows of one size are not replicates, `reading` says which
    count. `understood` says in one line what was taken from which column. The same rows in any order give the same
    record. Raises BadInput.
    """
    table = read_tables(source, reading)
    groups: dict[str, list[Row]] = {}
    for row in table.rows:
        groups.setdefault(row.group, []).append(row)
    ladders = {name: rungs_of(rows) for name, rows in sorted(groups.items())}
    delta = huber_delta if huber_delta is not None else _delta_of([rungs.points for rungs in ladders.values()])
    fitted = {}
    for number, (name, rungs) in enumerate(ladders.items(), start=1):
        on_step(f"fitting {name}", number, len(groups))
        law = law_of_points(
            rungs.points,
            alpha_of_interest=alpha_of_interest,
            confidence=confidence,
            draws=draws,
            seed=seed,
            huber_delta=delta,
            interest_option="--alpha-of-interest",
        )
        fitted[name] = law | {"notes": [*table.notes.get(name, ()), *rungs.notes, *law["notes"]]}
    return {
        "metric": "loss",
        "understood": _understood(table, {name: len(rungs.points) for name, rungs in ladders.items()}),
        "reading": reading.to_json(),
        "confidence": confidence,
        "alpha_of_interest": alpha_of_interest,
        "draws": draws,
        "seed": seed,
        "huber_delta": huber_delta,
        "rows": table.read,
        **({"rows_used": len(table.rows)} if len(table.rows) < table.read else {}),
        **({"rows_dropped": table.dropped} if table.dropped else {}),
        "ignored_columns": list(table.ignored),
        "groups": fitted,
    }


def _delta_of(ladders: Sequence[Sequence[RungPoint]]) -> HuberDelta | None:
    """Choose one Huber threshold for the surfaces of all groups, so that all are fitted by the same loss; None without
    a surface."""
    from tsladder.law.surface.additive_surface import Group, delta_of_groups

    groups = []
    for points in ladders:
        known = [(point, point.n_data) for point in points if point.n_data is not None]
        if len(known) < len(points) or len({amount for _, amount in known}) < 2:
            continue
        groups.append(
            Group(
                n_params_P=[point.n_params for point, _ in known],
                n_data_P=[amount for _, amount in known],
                loss_P=[point.loss for point, _ in known],
                se_P=[point.se for point, _ in known],
                replicates_P=[max(1, len(point.seeds)) for point, _ in known],
            )
        )
    return delta_of_groups(groups) if groups else None


def write_fit(folder: Path, record: Mapping[str, Any]) -> tuple[Path, Path, Path]:
    """Write fit.json, fit.csv (one row per rung) and fit.png, each whole or not at all; return their paths."""
    from tsladder.law.plots import draw_groups

    paths = folder / "fit.json", folder / "fit.csv", folder / "fit.png"
    write_json(paths[0], record)
    write_text(paths[1], points_table(record["groups"], "group"))
    draw_groups(record, paths[2])
    return paths


def _understood(table: Rows, rungs: Mapping[str, int]) -> str:
    """Return one line on the rows, the column of each role, and the number of rungs."""
    titles = sorted(title for title, _ in table.understood)
    told = sorted({words for _, words in table.understood})
    if len(told) == 1:
        columns = f"{_listed(titles)}: {told[0]}"
    else:
        columns = "; ".join(f"{title}: {words}" for title, words in sorted(table.understood))
    used = "" if len(table.rows) == table.read else f", {len(table.rows)} of the rows count"
    return f"read {counted(table.read, 'row')} of {columns}{used}; {_ladders(rungs)}"


def _ladders(rungs: Mapping[str, int]) -> str:
    if len(rungs) == 1:
        return counted(next(iter(rungs.values())), "rung")
    if len(rungs) <= _MOST_GROUPS:
        return f"{len(rungs)} groups: " + ", ".join(f"{name} {counted(count, 'rung')}" for name, count in rungs.items())
    least, most = min(rungs.values()), max(rungs.values())
    many = f"{counted(least, 'rung')} each" if least == most else f"{least} to {most} rungs"
    return f"{len(rungs)} groups of {many}"


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
