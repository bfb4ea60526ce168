"""What a finished search leaves under artifacts/hpo/<cell>/.

`choice.json` is what the next stages read: architecture and settings, nothing else, so that the same winner
found again leaves them fresh. The other files are for people and for the report.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from tsladder.planning.grid import is_within
from tsladder.planning.recipe import Settings
from tsladder.records import canonical, write_json, write_text
from tsladder.search.coverage import coverage
from tsladder.search.decisions import Finished
from tsladder.search.runner import HeatStop
from tsladder.search.schedule import Schedule
from tsladder.search.space import SearchSpace
from tsladder.search.trials import TrialRecord
from tsladder.training.cell import CellWork
from tsladder.training.crew import heat_reason
from tsladder.vocabulary import CellStatus, StopReason


def write_failure(work: CellWork, reason: str) -> None:
    """The cell is dropped from the law with this reason; nothing else stops."""
    write_json(work.places.choice(work.cell), {**_head(work), "status": CellStatus.FAILED, "reason": reason})


def write_heat_stop(
    work: CellWork, space: SearchSpace, schedule: Schedule, records: Sequence[TrialRecord], stop: HeatStop
) -> None:
    """The cell is dropped from the law until the next run goes on with it; its trials so far are copied.

    The reason stands in choice.json as `stop_reason` too, where the next run looks for it.
    """
    folder = work.places.hpo(work.cell)
    attempts = [*records, *stop.attempts]
    write_text(folder / "trials.jsonl", "".join(canonical(record.to_record()) + "\n" for record in attempts))
    counts = Counter(str(record.stop_reason) for record in records)
    # Also where no attempt was running when it stopped: none was, and the stop is still one for heat.
    counts[StopReason.THERMAL] = len(stop.attempts)
    covered = coverage(space, schedule, records, None) | {"stop_reasons": dict(sorted(counts.items()))}
    write_json(folder / "coverage.json", covered)
    done = f"{len(records)} of {schedule.trials_total} trials"
    reason = heat_reason(stop.reading, done)
    failed = {**_head(work), "status": CellStatus.FAILED, "reason": reason, "stop_reason": StopReason.THERMAL}
    write_json(work.places.choice(work.cell), failed)


def write_choice(
    work: CellWork,
    space: SearchSpace,
    schedule: Schedule,
    records: Sequence[TrialRecord],
    finished: Finished | None,
) -> None:
    """Copy the trials, and write the winner or the reason why there is none.

    `finished`: why the search ended before all of its trials; None when it did not.
    """
    folder = work.places.hpo(work.cell)
    text = "".join(canonical(record.to_record()) + "\n" for record in records)
    write_text(folder / "trials.jsonl", text)
    write_json(folder / "coverage.json", coverage(space, schedule, records, finished))
    winner = schedule.objective.best(records)
    if winner is None:
        counts = Counter(str(record.stop_reason) for record in records)
        listed = ", ".join(f"{count} {reason}" for reason, count in sorted(counts.items()))
        write_failure(work, f"none of {len(records)} trials ended with a {schedule.objective.name} ({listed})")
        return
    spec = work.spec(dict(winner.params))
    settings = Settings.from_record(dict(winner.params))
    write_json(
        work.places.choice(work.cell),
        {
            **_head(work),
            "status": CellStatus.DONE,
            "architecture": spec.architecture(),
            "settings": settings.to_record(),
            "n_params": spec.n_params,
            "n_params_blocks": spec.n_params_blocks,
            "n_params_body": spec.n_params_body,
            "off_budget": not is_within(spec, space.grid.n_budget),
        },
    )
    write_json(folder / "best_params.json", _best_params(work, winner, len(records)))


def _head(work: CellWork) -> dict[str, Any]:
    return {"cell": str(work.cell), "budget": work.cell.budget, "horizon": work.cell.horizon}


def _best_params(work: CellWork, winner: TrialRecord, n_trials: int) -> dict[str, Any]:
    """The format that users of the earlier scripts read; complete for forced winners too."""
    params = winner.params
    return {
        "experiment": f"{work.params.study.phase}_{work.cell}_{work.plan['target']['task']}",
        "architecture": {name: params[name] for name in ("d_model", "n_layers", "n_heads", "d_ff")}
        | {"patch_len": work.geometry.patch_len, "stride": work.geometry.stride},
        "training": {
            "learning_rate": params["learning_rate"],
            "epochs": params["epochs"],
            "batch_size": params["effective_batch"],
            "weight_decay": params["weight_decay"],
            "warmup_steps": params["warmup_steps"],
            "dropout": params["dropout"],
        },
        "param_count": winner.n_params,
        "best_val_loss": winner.best_val_loss,
        "n_trials": n_trials,
        "timestamp": winner.ended_at,
    }
