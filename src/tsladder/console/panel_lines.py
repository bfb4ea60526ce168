"""Format the output of `tsladder status` and `tsladder run` for a panel study as plain text. Pure."""

from __future__ import annotations

from tsladder.formatting import MISSING, aligned, number
from tsladder.status.panel_state import HorizonLevel, PanelState
from tsladder.vocabulary import ProbeOutcome


def panel_lines(state: PanelState) -> list[str]:
    """Format the stages, the level of each horizon, the audit and how the panel's stocks were chosen."""
    stages = [("stage", "state"), *((name, _state(state, name)) for name in state.stages)]
    return [*aligned(stages), "", *level_lines(state)]


def level_lines(state: PanelState) -> list[str]:
    """Format the level that a model has to beat, by horizon, below what limits it."""
    rows: list[tuple[str, ...]] = [
        ("horizon", "test days", "to beat", "RankIC", "interval", "baselines with skill", "state")
    ]
    rows += [_row(horizon, level) for horizon, level in state.horizons.items()]
    return [
        *_audit(state),
        f"Panel {state.panel}: {_universe(state)}",
        "",
        *aligned(rows),
    ]


def _state(state: PanelState, stage: str) -> str:
    return "running" if stage in state.stages_running else state.stages[stage]


def _audit(state: PanelState) -> list[str]:
    if state.audit is None:
        return ["The leak audit has not run."]
    stale = "" if state.audit_fresh else " (of an earlier question: `tsladder run` runs it again)"
    if state.audit is ProbeOutcome.FAILED:
        return [f"INVALID: a leak probe failed{stale}; see the report."]
    if state.audit is ProbeOutcome.INCONCLUSIVE:
        return [f"Leak audit: inconclusive{stale}; the report says what it would need."]
    return [f"Leak audit: passed{stale}."]


def _universe(state: PanelState) -> str:
    if state.universe is None:
        return "the stage features has not run."
    if not state.bias:
        return f"universe {state.universe}, no bias known."
    return f"universe {state.universe}. Bias: {'; '.join(state.bias)}."


def _row(horizon: int, level: HorizonLevel | None) -> tuple[str, ...]:
    if level is None:
        return (str(horizon), *[MISSING] * 5, "not built")
    return (
        str(horizon),
        f"{level.days}, {level.first_day} to {level.last_day}",
        level.to_beat,
        number(level.rank_ic, 4),
        f"{number(level.low, 4)} to {number(level.high, 4)}",
        ", ".join(level.skilled) or "none",
        "fresh" if level.fresh else "stale",
    )
