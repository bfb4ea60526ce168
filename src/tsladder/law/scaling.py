"""The law of a study, one entry per horizon, and its files scaling.json, scaling.csv and scaling.png."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from tsladder.artifacts import law as artifacts
from tsladder.artifacts.audit import AuditRecord
from tsladder.artifacts.law import POINT_KEYS, HorizonLaw, StudyLaw
from tsladder.artifacts.law_evidence import TrialSelection
from tsladder.artifacts.store import write_text
from tsladder.law.evidence.notes import note_on_counts
from tsladder.law.ladder import law_of_points
from tsladder.law.next_runs import Cost
from tsladder.law.points import DroppedCell, RungPoint
from tsladder.params import EvaluationParams, LawParams
from tsladder.ranking.words import is_rank_error
from tsladder.vocabulary import LOG_LOSS, Cell

_LISTS = ("seeds", "beaten_by")


def fit_horizons(
    points: Mapping[int, Sequence[RungPoint]],
    dropped: Sequence[DroppedCell],
    law: LawParams,
    evaluation: EvaluationParams,
    study_key: str,
    seed: int,
    warnings: Mapping[int, Sequence[str]] | None = None,
    probes_failed: Sequence[str] = (),
    costs: Mapping[int, Cost | None] | None = None,
    metric: str = LOG_LOSS,
    selections: Mapping[int, TrialSelection | None] | None = None,
    audit: AuditRecord | None = None,
    count_words: Mapping[str, str] | None = None,
) -> StudyLaw:
    """Fit the law of every horizon. The same points give the same law; it holds no time.

    The daily losses of a ranking are resampled in blocks of at least the horizon, over which labels overlap.

    `warnings`: sentences shown with the verdict of a horizon. `costs`: cost of further work at a horizon. `metric`: the
    loss of the points. `selections`: how the exponent of a horizon depends on the number of trials per rung. `audit`:
    the leak audit. `count_words`: words of a family that counts parts of its own, whose exponents a note then gives.
    """
    horizons = {}
    for horizon, rungs in sorted(points.items()):
        fitted = law_of_points(
            rungs,
            alpha_of_interest=law.alpha_of_interest,
            confidence=evaluation.confidence,
            draws=evaluation.bootstrap_draws,
            seed=seed,
            dropped=[cell for cell in dropped if Cell.parse(cell.cell).horizon == horizon],
            probes_failed=probes_failed,
            cost=(costs or {}).get(horizon),
            ranks=is_rank_error(metric),
            least_block=horizon if is_rank_error(metric) else 1,
        )
        if count_words is not None:
            counts = note_on_counts(fitted.kept, fitted.power_by_count, count_words)
            fitted = replace(fitted, notes=(*filter(None, [counts]), *fitted.notes))
        horizons[horizon] = replace(
            fitted, warnings=tuple((warnings or {}).get(horizon, ())), selection=(selections or {}).get(horizon)
        )
    return StudyLaw(
        study_key=study_key,
        metric=metric,
        region=law.region,
        confidence=evaluation.confidence,
        alpha_of_interest=law.alpha_of_interest,
        horizons=horizons,
        audit=audit,
    )


def write_law(folder: Path, law: StudyLaw) -> tuple[Path, Path, Path]:
    """Write scaling.json, scaling.csv (one row per point, dropped cells too) and scaling.png; return their paths."""
    from tsladder.law.plots import draw_scaling

    paths = folder / "scaling.json", folder / "scaling.csv", folder / "scaling.png"
    artifacts.write_law(paths[0], law)
    write_text(paths[1], points_table(law.horizons, "horizon"))
    draw_scaling(law, paths[2])
    return paths


def points_table(laws: Mapping[Any, HorizonLaw], first: str) -> str:
    """Return CSV text with one row for each point of every law, dropped ones included; column `first` holds the keys of
    `laws`."""
    stream = io.StringIO()
    scalars = [key for key in POINT_KEYS if key not in _LISTS]
    writer = csv.DictWriter(stream, [first, *scalars, "n_seeds", "beaten_by", "fitted_loss"], lineterminator="\n")
    writer.writeheader()
    for name, law in laws.items():
        residuals = residuals_of(law)
        for index, point in enumerate(law.points):
            row = {key: getattr(point, key) for key in scalars}
            row |= {first: name, "n_seeds": len(point.seeds), "beaten_by": " ".join(point.beaten_by)}
            if index < len(residuals):
                row["fitted_loss"] = point.measured[1] * math.exp(-residuals[index])
            writer.writerow(row)
    return stream.getvalue()


def residuals_of(law: HorizonLaw) -> Sequence[float]:
    """Return log(loss) - fitted of the points that were not dropped; () without a fit.

    The fit is the power law or, where data vary, the surface or plane by which size is judged.
    """
    if (sizes := law.size_at_equal_data) is not None:
        return list(sizes["residuals"])
    return () if law.fits.power is None else law.fits.power.residuals
