"""The law of any table of points: `tsladder fit` as a function."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tsladder.evaluation.standing import standard_error
from tsladder.law.ladder import law_of_points
from tsladder.law.points import RungPoint, size_in_words
from tsladder.law.rows import Row
from tsladder.law.scaling import points_table
from tsladder.law.tables import read_tables
from tsladder.records import write_json, write_text
from tsladder.steps import OnStep, untold

if TYPE_CHECKING:
    import pandas as pd

ALPHA_OF_INTEREST = 0.015
CONFIDENCE = 0.95
DRAWS = 1000
SEED = 42


def fit_table(
    source: Path | str | pd.DataFrame | Sequence[Path | str],
    *,
    alpha_of_interest: float = ALPHA_OF_INTEREST,
    confidence: float = CONFIDENCE,
    draws: int = DRAWS,
    seed: int = SEED,
    huber_delta: float | None = None,
    on_step: OnStep = untold,
) -> dict[str, Any]:
    """JSON-ready record of a CSV file or frame of points (columns: `tsladder.law.rows`), or of several files, fitted
    together; raises BadInput.

    `groups` holds what scaling.json holds for a horizon, for each value of the column `group`, or for `all`. Rows of
    one size (and one amount of data) are replicates of a rung: their mean is its loss, their spread gives its standard
    error; a single row's is that of its column `se`. The same rows in any order give the same record.
    """
    table = read_tables(source)
    groups: dict[str, list[Row]] = {}
    for row in table.rows:
        groups.setdefault(row.group, []).append(row)
    fitted = {}
    for number, (name, rows) in enumerate(sorted(groups.items()), start=1):
        on_step(f"fitting {name}", number, len(groups))
        fitted[name] = law_of_points(
            rungs_of(rows),
            alpha_of_interest=alpha_of_interest,
            confidence=confidence,
            draws=draws,
            seed=seed,
            huber_delta=huber_delta,
        )
    return {
        "metric": "loss",
        "confidence": confidence,
        "alpha_of_interest": alpha_of_interest,
        "draws": draws,
        "seed": seed,
        "rows": len(table.rows),
        **({"rows_dropped": table.dropped} if table.dropped else {}),
        "ignored_columns": list(table.ignored),
        "groups": fitted,
    }


def rungs_of(rows: Sequence[Row]) -> tuple[RungPoint, ...]:
    """One point a rung, named by its size and, where that varies, its amount of data."""
    runs: dict[tuple[float, float | None], list[Row]] = {}
    for row in rows:
        runs.setdefault((row.n_params, row.n_data), []).append(row)
    names = _names(list(runs))
    return tuple(_rung(names[key], key, sorted(found, key=_order)) for key, found in runs.items())


def write_fit(folder: Path, record: Mapping[str, Any]) -> tuple[Path, Path, Path]:
    """Write fit.json, fit.csv (one row a rung) and fit.png, each whole or not at all; their paths."""
    from tsladder.law.plots import draw_groups

    paths = folder / "fit.json", folder / "fit.csv", folder / "fit.png"
    write_json(paths[0], record)
    write_text(paths[1], points_table(record["groups"], "group"))
    draw_groups(record, paths[2])
    return paths


def _rung(name: str, key: tuple[float, float | None], rows: Sequence[Row]) -> RungPoint:
    losses = [row.loss for row in rows]
    labelled = len(rows) > 1 or rows[0].seed is not None
    return RungPoint(
        cell=name,
        n_params=key[0],
        n_data=key[1],
        loss=float(np.mean(losses)),
        se=rows[0].se if len(rows) == 1 else standard_error(losses),
        seeds=tuple(zip(_seeds(rows), losses, strict=True)) if labelled else (),
    )


def _order(row: Row) -> tuple[float, str, float]:
    try:
        number = float(row.seed) if row.seed is not None else 0.0
    except ValueError:
        number = 0.0
    return (number if math.isfinite(number) else 0.0), row.seed or "", row.loss


def _seeds(rows: Sequence[Row]) -> list[int]:
    """Whole numbers as the table has them where they tell the rows apart, or 1, 2, ..."""
    texts = [row.seed or "" for row in rows]
    if all(text.isdecimal() for text in texts) and len({int(text) for text in texts}) == len(rows):
        return [int(text) for text in texts]
    return list(range(1, len(rows) + 1))


def _names(keys: Sequence[tuple[float, float | None]]) -> dict[tuple[float, float | None], str]:
    """Short where that tells the sizes apart, exact where not."""
    sizes, amounts = _short([n for n, _ in keys]), _short([d for _, d in keys if d is not None])
    varying = len(amounts) > 1
    return {(n, d): sizes[n] + (f" on {amounts[d]}" if varying and d is not None else "") for n, d in keys}


def _short(values: Sequence[float]) -> dict[float, str]:
    distinct = sorted(set(values))
    words = [size_in_words(value) for value in distinct]
    return {
        value: word if words.count(word) == 1 else f"{value:.17g}" for value, word in zip(distinct, words, strict=True)
    }
