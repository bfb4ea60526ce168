"""Run the trainings ahead of DVC for `tsladder run`, and start them once more where their process was killed."""

from __future__ import annotations

import dataclasses
import signal
from collections.abc import Callable, Sequence

from tsladder.console.run_dvc import DvcResult
from tsladder.train_ahead import AGAIN
from tsladder.vocabulary import Cell


def run_ahead(
    cells: Sequence[Cell],
    run: Callable[[tuple[str, ...]], DvcResult],
    say: Callable[[str], None],
    *,
    elsewhere: bool,
) -> DvcResult:
    """Train `cells` by `run`, which starts the process of the trainings with arguments and waits for its end.

    Where that process is killed, for example because memory ran out, it is started once more: trainings that had ended
    are in the live records. So it is where Ray ends it, by an exit without a message or by SIGABRT, when the head of
    its cluster is lost; `elsewhere` says that Ray is used. A second time ends the run. What the user has stopped is not
    started again.
    """
    names = tuple(map(str, cells))
    result = run(names)
    if not result.killed:
        return result
    say(f"{_killed(result, elsewhere=elsewhere)}: they are started once more, from the live records")
    result = run((AGAIN, *names))
    if not result.killed:
        return result
    look = " and at the nodes of the Ray cluster" if elsewhere else ""
    say(
        f"{_killed(result, elsewhere=elsewhere)} for the second time: every training that had ended is kept. Look at "
        f"the memory of this machine{look}, then run the same command again"
    )
    return dataclasses.replace(result, code=1)


def _killed(result: DvcResult, *, elsewhere: bool) -> str:
    how = f"ended without a message (exit code {result.code})"
    if result.code < 0:
        how = f"were killed by {signal.Signals(-result.code).name}"
    by_ray = elsewhere and (result.code > 0 or result.code == -signal.SIGABRT)
    return f"the trainings ahead {how}{', as Ray ends them when the head of its cluster is lost' if by_ray else ''}"
