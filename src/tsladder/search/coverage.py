"""Coverage of a cell by its search, and the open questions about its winner. Pure."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence

from tsladder.artifacts.coverage import Coverage, ForcedArchitecture, Leader
from tsladder.artifacts.trials import TrialRecord, TrialState
from tsladder.planning.grid import N_GRAPH
from tsladder.search.configuration import Draw
from tsladder.search.decisions import Finished, Forced
from tsladder.search.schedule import Admitted, Schedule
from tsladder.search.space import SearchSpace

EDGE = 0.05
"""Share of a drawn setting's range within which a value counts as at the edge."""


def coverage(
    space: SearchSpace,
    schedule: Schedule,
    records: Sequence[TrialRecord],
    finished: Finished | None,
    adopted: str | None = None,
) -> Coverage:
    """Count what the trials `records` have covered. `finished`: why the search ended before all of its trials, None
    when it did not. `adopted`: a note on the trials of another search that it began with, if it did."""
    scores = [score for record in records if (score := schedule.objective.score(record)) is not None]
    winner = schedule.objective.best(records)
    sampled = sum(record.forced is None for record in records)
    notes = []
    if finished is not None:
        notes.append(finished.reason)
        if finished.warning is not None:
            notes.append(finished.warning)
    if adopted is not None:
        notes.append(adopted)
    left_out = Admitted(schedule.forced, schedule.left_out).note
    if left_out is not None:
        notes.append(left_out)
    if sampled < len(schedule.forced):
        notes.append(f"the sampler decided only {sampled} of {len(records)} trials: it hardly acts")
    trained = sum(record.state in (TrialState.COMPLETE, TrialState.PRUNED) for record in records)
    if trained < len(records):
        notes.append(f"the winner is the best of {trained} trials: {len(records) - trained} more ended without a loss")
    edges = [] if winner is None else [*_edges_of_grid(space, winner), *_edges_of_settings(space, winner)]
    if edges:
        notes.append(f"the best trial is at an edge of its range: {', '.join(edges)}")
    return Coverage(
        grid_size=len(space.grid.members),
        shapes=len(space.grid.shapes),
        members_seen=len({(*_shape(record), record.params["n_heads"]) for record in records}),
        shapes_seen=len({_shape(record) for record in records}),
        trials_total=schedule.trials_total,
        trials_done=len(records),
        trials_trained=trained,
        trials_taken_over=sum(record.taken_from is not None for record in records),
        optimizer_steps=sum(record.outcome.curve[-1][0] for record in records if record.outcome.curve),
        objective=schedule.objective.name,
        spread=max(scores) - min(scores) if scores else None,
        winner=None if winner is None else _leader(winner, max(scores), edges),
        forced=tuple(_forced(forced, in_grid=forced.spec in space.grid.members) for forced in schedule.forced),
        forced_left_out=tuple(forced.what for forced in schedule.left_out),
        stop_reasons=dict(sorted(Counter(str(record.outcome.stop_reason) for record in records).items())),
        notes=tuple(notes),
    )


def _leader(winner: TrialRecord, score: float, edges: Sequence[str]) -> Leader:
    return Leader(number=winner.number, forced=winner.forced, score=score, at_edge=tuple(edges))


def _forced(forced: Forced, *, in_grid: bool) -> ForcedArchitecture:
    spec = forced.spec
    return ForcedArchitecture(
        what=forced.what,
        d_model=spec.d_model,
        n_layers=spec.n_layers,
        n_heads=spec.n_heads,
        d_ff=spec.d_ff,
        n_params=spec.n_params,
        in_grid=in_grid,
    )


def _edges_of_grid(space: SearchSpace, winner: TrialRecord) -> Iterator[str]:
    for name, coordinate in space.grid.coordinates.items():
        values = {coordinate(member) for member in space.grid.members}
        value = winner.params[name]
        if len(values) > 1 and not min(values) < value < max(values):
            yield f"{name} {value}"


def _edges_of_settings(space: SearchSpace, winner: TrialRecord) -> Iterator[str]:
    for draw in space.draws:
        value = winner.params.get(draw.name)
        if value is None or draw.choices or draw.low >= draw.high:
            continue
        share = _share(draw, value)
        if share is not None and not EDGE < share < 1 - EDGE:
            yield f"{draw.name} {value:.3g}"


def _share(draw: Draw, value: float) -> float | None:
    """Return the position of a value in its range, 0 to 1; None where it has none, as a zero beside a logarithmic
    range."""
    if not draw.log:
        return (value - draw.low) / (draw.high - draw.low)
    return math.log(value / draw.low) / math.log(draw.high / draw.low) if value > 0 else None


def _shape(record: TrialRecord) -> tuple[int, int, int, int]:
    params = record.params
    return (params["d_model"], params["n_layers"], params["d_ff"], params.get(N_GRAPH, 0))
