"""Which rule gives up the right trials: three kinds, replayed on the learning curves that benchmarks/search.py left.

    python benchmarks/pruning_rules.py --from FOLDER

Every `full` search is replayed trial by trial: a rule sees the curves of the trials that completed under it before,
and cuts the recorded curve where it would have given up. Printed are, over the searches, the median and mean regret in
units of (median - best) at 40 % of the full search's steps, and the steps that all trials take. A replay cannot know
what the sampler would have drawn after other results; the `lean` searches measure that.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
from collections.abc import Callable, Sequence
from pathlib import Path

from tsladder.params import PruningParams
from tsladder.training.pruning import Curve, build_bar

FORCED, WORKERS, SHARE = 6, 2, 0.4
Rule = Callable[[Curve, Sequence[Curve]], bool]
"""(the trial's curve so far, the curves of the cohort) -> give it up?"""


def patient_median(quantile: float, patience: int) -> Rule:
    """Its best loss so far is above the quantile of the cohort's at the same step, `patience` epochs in a row."""

    def hopeless(curve: Curve, cohort: Sequence[Curve]) -> bool:
        if len(cohort) < 4 or len(curve) < patience + 1:
            return False
        above = []
        for last in range(len(curve) - patience, len(curve)):
            step = curve[last][0]
            others = sorted(best_at(other, step) for other in cohort)
            above.append(best_at(curve, step) > others[max(0, math.ceil(quantile * len(others)) - 1)])
        return all(above)

    return hopeless


def successive_halving(first: int, factor: int) -> Rule:
    """At steps first, first * factor, ... only the best 1 / factor of those that came so far goes on (Hyperband's)."""

    def hopeless(curve: Curve, cohort: Sequence[Curve]) -> bool:
        step = curve[-1][0]
        rung = first
        while rung < step:
            rung *= factor
        if rung != step:
            return False
        others = sorted(best_at(other, step) for other in cohort if other[-1][0] >= step)
        return len(others) >= 4 and best_at(curve, step) > others[len(others) // factor]

    return hopeless


def needed_improvement(goal: float, reach: float) -> Rule:
    """The package's own."""
    params = PruningParams(min_cohort=4, min_steps=1, goal=goal, reach=reach)

    def hopeless(curve: Curve, cohort: Sequence[Curve]) -> bool:
        bar = build_bar(params, cohort)
        return bar is not None and bar.is_hopeless(curve)

    return hopeless


RULES: dict[str, tuple[Rule, bool]] = {
    **{f"median, quantile {q}, patience {p}": (patient_median(q, p), False) for q in (0.1, 0.25, 0.5) for p in (1, 2)},
    **{
        f"halving from step {first}, factor {factor}": (successive_halving(first, factor), True)
        for first in (11, 22)
        for factor in (2, 3)
    },
    **{
        f"improvement, goal {goal}, reach {reach}": (needed_improvement(goal, reach), False)
        for goal in (0.1, 0.3)
        for reach in (0.6, 0.8, 0.9)
    },
}
"""Name -> the rule, and whether its cohort holds the trials that it gave up, too."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--from", dest="folder", type=Path, required=True)
    paths = sorted(parser.parse_args().folder.glob("full-*.jsonl"))
    searches = [[json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] for path in paths]
    print(f"{len(searches)} searches")
    print(f"{'':38}{'median regret':>15}{'mean regret':>15}{'steps of all':>15}")
    for name, (rule, with_pruned) in RULES.items():
        found = [replay(search, rule, with_pruned) for search in searches]
        regrets, shares = zip(*found, strict=True)
        figures = (statistics.median(regrets), statistics.mean(regrets), statistics.median(shares))
        print(f"{name:38}" + "".join(f"{figure:15.3f}" for figure in figures))


def replay(search: list[dict], rule: Rule, with_pruned: bool) -> tuple[float, float]:  # type: ignore[type-arg]
    """(regret at SHARE of the full search's steps, steps of all trials as a share of the full search's)."""
    losses = [trial["best_val_loss"] for trial in search]
    full = sum(trial["curve"][-1][0] for trial in search)
    cohort: list[Curve | None] = []
    steps, best = 0, math.inf
    for trial in search:
        curve = [(int(step), float(loss)) for step, loss in trial["curve"]]
        known = [other for other in cohort[: max(0, trial["number"] - WORKERS + 1)] if other is not None]
        cut = None
        if trial["number"] >= FORCED:
            cut = next((end for end in range(1, len(curve) + 1) if rule(curve[:end], known)), None)
        spent = curve[: cut or len(curve)]
        cohort.append(None if cut is not None and not with_pruned else spent)
        steps += spent[-1][0]
        if cut is None and steps <= SHARE * full:
            best = min(best, trial["best_val_loss"])
    return (best - min(losses)) / (statistics.median(losses) - min(losses)), steps / full


def best_at(curve: Curve, step: int) -> float:
    return min((loss for scored, loss in curve if scored <= step), default=math.inf)


if __name__ == "__main__":
    main()
