"""Format the output of `tsladder why` as plain text. Pure."""

from __future__ import annotations

from typing import Any

from tsladder.formatting import aligned, duration_with_interval
from tsladder.status.reasons import COMMAND, DATA, FILE, NEVER_BUILT, OUTPUT, UNFINISHED, UNKNOWN, Reason
from tsladder.status.why import PERHAPS, RESTORED, StageRerun, Why

_HASH = 12
_LEGEND = {
    PERHAPS: "perhaps: only if an upstream stage leaves other outputs than before",
    RESTORED: "restored: DVC has run it on the same inputs before and takes its outputs from its cache",
}


def why_lines(found: Why) -> list[str]:
    """Format the state, the reasons, the stages that would run again in their order, and the cost."""
    state = found.state.replace("_", " ")
    lines = [
        f"{found.cell} is {state}" + (": nothing has changed since it was built" if found.state == "fresh" else "")
    ]
    if found.note is not None:
        lines.append(found.note)
    if found.trials_taken_over:
        least = "" if found.trials_taken_over_exact else "at least "
        lines.append(
            f"{least}{found.trials_taken_over} of its {found.trials_total} trials are taken over from other searches "
            "and not trained again"
        )
    if found.reasons:
        lines += ["", "what changed", *aligned([_reason_row(reason) for reason in found.reasons])]
    if found.stages:
        lines += ["", "what would run again, in this order", *aligned([_stage_row(stage) for stage in found.stages])]
        lines += [words for runs, words in _LEGEND.items() if any(stage.runs == runs for stage in found.stages)]
        lines += ["", _cost(found)]
    return lines


def _reason_row(reason: Reason) -> tuple[str, str]:
    return f"  {_words(reason)}", f"-> {', '.join(_short(stage) for stage in reason.stages)}"


def _words(reason: Reason) -> str:
    if reason.kind == NEVER_BUILT:
        return f"{reason.name} was never completed"
    if reason.kind == UNFINISHED:
        return f"no change: {reason.name} ended without a result and runs again"
    if reason.kind == UNKNOWN:
        return f"{reason.name} changed, and no copy is left of the earlier file"
    if reason.kind == OUTPUT:
        return f"{reason.name} " + ("is missing" if reason.new is None else "is not what the stage left")
    if reason.kind in (DATA, FILE) and reason.new is None:
        return f"{reason.name} is missing" + (": `dvc pull data.dvc` fetches it" if reason.kind == DATA else "")
    change = f"{_value(reason.old, reason.kind)} -> {_value(reason.new, reason.kind)}"
    if reason.kind in (DATA, FILE, COMMAND, "module"):
        return f"{reason.name} changed: {change}"
    return f"{reason.name}: {change}"


def _value(value: Any, kind: str) -> str:
    if kind in (DATA, FILE, "module"):
        return "none" if value is None else str(value)[:_HASH]
    return "null" if value is None else str(value)


def _stage_row(stage: StageRerun) -> tuple[str, str, str]:
    time = duration_with_interval(stage.seconds, stage.seconds_low, stage.seconds_high)
    return f"  {stage.stage}", stage.runs, time


def _cost(found: Why) -> str:
    if found.seconds_to_go is None:
        return "cost: not known before the splits are built (or, on a GPU, before a trial has ended)"
    return f"cost: {duration_with_interval(found.seconds_to_go, found.seconds_to_go_low, found.seconds_to_go_high)}"


def _short(stage: str) -> str:
    return stage.partition("@")[0]
