"""Format the outcome of a study for `tsladder run` and `tsladder report`: its verdicts, and in a panel study the level
to beat."""

from __future__ import annotations

from tsladder.console.panel_lines import level_lines
from tsladder.places import Places
from tsladder.report.summary import verdict_lines
from tsladder.status.study_state import StudyState


def outcome_lines(places: Places, state: StudyState) -> list[str]:
    """Return the verdicts, unless a panel study has no models; then in a panel study the level that they have to
    beat."""
    if state.panel is None:
        return verdict_lines(places)
    verdicts = verdict_lines(places) if state.has_cells else []
    return [*verdicts, *([""] if verdicts else []), *level_lines(state.panel)]
