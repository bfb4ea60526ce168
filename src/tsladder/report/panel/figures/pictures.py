"""Pictures beside the report of a panel study; those of cells and law are the ones of a series study."""

from __future__ import annotations

from tsladder.report.panel.facts import PanelFacts
from tsladder.report.panel.figures.best_so_far import draw_best_so_far
from tsladder.report.panel.figures.by_month import draw_by_month
from tsladder.report.panel.figures.cumulative import draw_cumulative
from tsladder.report.panel.figures.fifths import draw_fifths
from tsladder.report.panel.figures.names import BEST_SO_FAR, BY_MONTH, CUMULATIVE, FIFTHS, OVER_TIME, RANK_IC
from tsladder.report.panel.figures.over_time import draw_over_time
from tsladder.report.panel.figures.rank_ic import draw_rank_ic
from tsladder.report.pictures import pictures_of_cells


def pictures_of(facts: PanelFacts) -> dict[str, bytes | None]:
    """Return file name -> PNG; None where there is nothing to draw."""
    return {
        RANK_IC: draw_rank_ic(facts),
        CUMULATIVE: draw_cumulative(facts),
        OVER_TIME: draw_over_time(facts),
        BY_MONTH: draw_by_month(facts),
        FIFTHS: draw_fifths(facts),
        BEST_SO_FAR: draw_best_so_far(facts),
        **pictures_of_cells(facts),
    }
