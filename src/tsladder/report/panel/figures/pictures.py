"""Pictures beside the report of a panel study."""

from __future__ import annotations

from tsladder.report.panel.facts import PanelFacts
from tsladder.report.panel.figures.cumulative import draw_cumulative
from tsladder.report.panel.figures.names import CUMULATIVE, OVER_TIME, RANK_IC
from tsladder.report.panel.figures.over_time import draw_over_time
from tsladder.report.panel.figures.rank_ic import draw_rank_ic


def pictures_of(facts: PanelFacts) -> dict[str, bytes | None]:
    """Return file name -> PNG; None where there is nothing to draw."""
    return {RANK_IC: draw_rank_ic(facts), CUMULATIVE: draw_cumulative(facts), OVER_TIME: draw_over_time(facts)}
