"""The law of any table of points: `tsladder fit` as a function."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tsladder.artifacts.law import HorizonLaw, group_json
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
from tsladder.ranking.words import is_rank_error
from tsladder.steps import OnStep, no_progress

if TYPE_CHECKING:
    import pandas as pd

ALPHA_OF_INTEREST = 0.015
ALPHA_OF_INTEREST_OF_RANKINGS = 0.0025
"""Exponent of interest of a loss 1 - RankIC: about +0.0056 RankIC for ten times the parameters."""
CONFIDENCE = 0.95
DRAWS = 1000
SEED = 42
_MOST_GROUPS = 4
"""Most groups named in the line on what was understood; more are only counted."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TableLaw:
    """Laws of the groups of a table, under `all` where it has no column `group`, and how the table was read.

    `understood` says in one line what was taken from which column. `draws` and `seed`: of every bootstrap.
    `huber_delta`: threshold of the surface's loss as asked for; None: chosen. Of the `rows` that were read, `rows_used`
    count; `rows_dropped` are marked as dropped in the table.
    """

    metric: str
    understood: str
    reading: Reading
    confidence: float
    alpha_of_interest: float
    draws: int
    seed: int
    huber_delta: float | None
    rows: int
    rows_used: int
    rows_dropped: int
    ignored_columns: tuple[str, ...]
    groups: Mapping[str, HorizonLaw]

    def to_json(self) -> dict[str, Any]:
        """Return the content of fit.json; `groups` holds what scaling.json holds for a horizon."""
        return {
            "metric": self.metric,
            "understood": self.understood,
            "reading": self.reading.to_json(),
            "confidence": self.confidence,
            "alpha_of_interest": self.alpha_of_interest,
            "draws": self.draws,
            "seed": self.seed,
            "huber_delta": self.huber_delta,
            "rows": self.rows,
            **({"rows_used": self.rows_used} if self.rows_used < self.rows else {}),
            **({"rows_dropped": self.rows_dropped} if self.rows_dropped else {}),
            "ignored_columns": list(self.ignored_columns),
            "groups": {name: group_json(law) for name, law in self.groups.items()},
        }


def law_of_table(
    source: Path | str | pd.DataFrame | Sequence[Path | str],
    *,
    reading: Reading = AS_IT_COMES,
    alpha_of_interest: float | None = None,
    confidence: float = CONFIDENCE,
    draws: int = DRAWS,
    seed: int = SEED,
    huber_delta: float | None = None,
    on_step: OnStep = no_progress,
) -> TableLaw:
    """Fit the law of a CSV or JSON file, of a frame of points (columns: `tsladder.law.reading.rows`), or of several
    files together.

    Each value of the column `group` has a law. Rows of one size (and one amount of data) are replicates of a rung:
    their mean is its loss, their spread gives its standard error; a single row takes that of its column `se`. Where
    rows of one size are not replicates, `reading` says which count. The same rows in any order give the same laws. With
    a column `rank_ic` the laws are those of rankings, whose loss is 1 - RankIC. `alpha_of_interest`: smallest exponent
    that matters; None: the usual one of the loss. Raises BadInput.
    """
    table = read_tables(source, reading)
    ranks = is_rank_error(table.metric)
    if alpha_of_interest is None:
        alpha_of_interest = ALPHA_OF_INTEREST_OF_RANKINGS if ranks else ALPHA_OF_INTEREST
    groups: dict[str, list[Row]] = {}
    for row in table.rows:
        groups.setdefault(row.group, []).append(row)
    ladders = {name: rungs_of(rows) for name, rows in sorted(groups.items())}
    delta = huber_delta if huber_delta is not None else _delta_of([rungs.points for rungs in ladders.values()])
    laws = {}
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
            ranks=ranks,
        )
        laws[name] = replace(law, notes=(*table.notes.get(name, ()), *rungs.notes, *law.notes))
    return TableLaw(
        metric=table.metric,
        understood=_understood(table, {name: len(rungs.points) for name, rungs in ladders.items()}),
        reading=reading,
        confidence=confidence,
        alpha_of_interest=alpha_of_interest,
        draws=draws,
        seed=seed,
        huber_delta=huber_delta,
        rows=table.read,
        rows_used=len(table.rows),
        rows_dropped=table.dropped,
        ignored_columns=table.ignored,
        groups=laws,
    )


def fit_table(
    source: Path | str | pd.DataFrame | Sequence[Path | str],
    *,
    reading: Reading = AS_IT_COMES,
    alpha_of_interest: float | None = None,
    confidence: float = CONFIDENCE,
    draws: int = DRAWS,
    seed: int = SEED,
    huber_delta: float | None = None,
    on_step: OnStep = no_progress,
) -> dict[str, Any]:
    """Fit the law of a table as `law_of_table` does, and return it as `tsladder fit --json` prints it."""
    return law_of_table(
        source,
        reading=reading,
        alpha_of_interest=alpha_of_interest,
        confidence=confidence,
        draws=draws,
        seed=seed,
        huber_delta=huber_delta,
        on_step=on_step,
    ).to_json()


def _delta_of(ladders: Sequence[Sequence[RungPoint]]) -> HuberDelta | None:
    """Choose one Huber threshold for the surfaces of all groups, so that all are fitted by the same loss; None without
    a surface."""
    from tsladder.law.surface.common_threshold import Group, delta_of_groups

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


def write_fit(folder: Path, law: TableLaw) -> tuple[Path, Path, Path]:
    """Write fit.json, fit.csv (one row per rung) and fit.png, each whole or not at all; return their paths."""
    from tsladder.law.plots import draw_groups

    paths = folder / "fit.json", folder / "fit.csv", folder / "fit.png"
    write_json(paths[0], law.to_json())
    write_text(paths[1], points_table(law.groups, "group"))
    draw_groups(law.metric, law.groups, paths[2])
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
