"""Pictures beside a report: that of the law, and those drawn here."""

from __future__ import annotations

from tsladder.report.facts import Facts, SeriesFacts
from tsladder.report.figures.parallel import draw_parallel
from tsladder.report.figures.reliability import draw_reliability
from tsladder.report.figures.residuals import draw_residuals
from tsladder.report.figures.shapes import draw_shapes
from tsladder.report.sections.law import RESIDUALS
from tsladder.report.sections.scores import RELIABILITY
from tsladder.report.sections.search import PARALLEL, SHAPES
from tsladder.report.sections.verdicts import SCALING


def pictures_of(facts: SeriesFacts) -> dict[str, bytes | None]:
    """Return file name -> PNG; None where there is nothing to draw."""
    return {**pictures_of_cells(facts), RELIABILITY: draw_reliability(facts)}


def pictures_of_cells(facts: Facts) -> dict[str, bytes | None]:
    """Return the pictures of law and search, which studies of every kind have."""
    return {
        SCALING: facts.picture,
        RESIDUALS: draw_residuals(facts),
        SHAPES: draw_shapes(facts),
        PARALLEL: draw_parallel(facts),
    }
