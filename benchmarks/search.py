"""What pruning and convergence cost the winner of a search, and what they save: regret against optimizer steps.

    python benchmarks/search.py run --into FOLDER        # the searches, two hours; none is repeated
    python benchmarks/search.py report --into FOLDER     # the table

For every horizon and seed three searches of one rung on the bundled data: `full` (every trial is trained to its end),
`lean` (with the pruning of preset `mission` and a convergence stop) and `random` (trials that nobody learns from). They
search the space of preset `two_phase`, at most 20 epochs a trial with a patience of 4: in the narrow space of `quick`
trials of a rung differ by hardly more than their seeds, and a regret would measure luck. Regret is the best loss found
less the full search's best, in units of (median - best) of the full search's losses. "other seeds" is how far, in the
same units and either way, full searches of the other seeds end from this one: regrets below that are luck.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[1]
HORIZONS = (1, 3, 5)
SEEDS = (42, 43, 44)
SHARE = 0.4
"""Of the full search's optimizer steps, after which the other two are judged."""

KINDS: dict[str, dict[str, Any]] = {
    "full": {"strategy": "architectural", "trials": 50, "stop": None, "pruning": None},
    "lean": {"strategy": "architectural", "trials": 50, "stop": {"min_trials": 20, "top": 5, "spread": 0.002}},
    "random": {"strategy": "random_search", "trials": 26, "stop": None, "pruning": None},
}

Trial = tuple[float | None, int]
"""Best validation loss (None: it was given up or has none) and optimizer steps spent."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["run", "report"])
    parser.add_argument("--into", type=Path, required=True)
    parser.add_argument("--budget", default="200k")
    parser.add_argument("--kinds", nargs="+", choices=list(KINDS), default=list(KINDS))
    arguments = parser.parse_args()
    if arguments.what == "run":
        for seed in SEEDS:
            for kind in arguments.kinds:
                for horizon in HORIZONS:
                    _search(arguments.into, kind, arguments.budget, horizon, seed)
    else:
        _report(arguments.into, arguments.budget)


def _file(folder: Path, kind: str, budget: str, horizon: int, seed: int) -> Path:
    return folder / f"{kind}-{budget}-h{horizon}-seed{seed}.jsonl"


def _search(into: Path, kind: str, budget: str, horizon: int, seed: int) -> None:
    target = _file(into, kind, budget, horizon, seed)
    if target.exists():
        return
    into.mkdir(parents=True, exist_ok=True)
    params = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    params["budget"] = budget
    params["horizons"] = [horizon]
    params["study"]["seed"] = seed
    params["training"]["patience"] = 4
    params["search"]["preset"] = "two_phase"
    params["search"]["presets"]["two_phase"]["space"]["epochs"] = {"choices": [20]}
    params["search"].update(KINDS[kind])
    if kind == "lean":
        params["search"]["pruning"] = params["search"]["presets"]["mission"]["pruning"]
    cell = f"{budget}-h{horizon}"
    with tempfile.TemporaryDirectory(prefix="tsladder-search-") as name:
        folder = Path(name)
        (folder / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False), encoding="utf-8")
        (folder / "data").symlink_to(ROOT / "data")
        for stage in (["features"], ["splits"], ["plan"], ["hpo", "--cell", cell]):
            _stage(folder, *stage)
        found = folder / "artifacts" / "hpo" / cell / "trials.jsonl"
        # Copied whole or not at all: an interrupted run leaves no half of a search.
        partial = target.with_suffix(".part")
        partial.write_bytes(found.read_bytes())
        partial.replace(target)
    print(f"{target.name}: {len(_trials(target))} trials", flush=True)


def _stage(folder: Path, name: str, *arguments: str) -> None:
    environment = {**os.environ, "DVC_ROOT": str(folder), "PYTHONPATH": str(ROOT / "src")}
    command = [sys.executable, str(ROOT / "stages" / f"{name}.py"), *arguments]
    done = subprocess.run(command, cwd=folder, env=environment, check=False, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        raise SystemExit(f"stage {name} ended with {done.returncode}:\n{done.stderr}")


def _trials(path: Path) -> list[Trial]:
    found = []
    for line in path.read_text(encoding="utf-8").splitlines():
        record = json.loads(line)
        loss = record["best_val_loss"] if record["state"] == "complete" else None
        found.append((loss, int(record["curve"][-1][0]) if record["curve"] else 0))
    return found


def _within(trials: list[Trial], steps: float) -> list[Trial]:
    """The trials that end within so many steps, in their order."""
    kept: list[Trial] = []
    spent = 0
    for loss, cost in trials:
        spent += cost
        if spent > steps:
            break
        kept.append((loss, cost))
    return kept


def _best(trials: list[Trial]) -> float:
    return min(loss for loss, _ in trials if loss is not None)


def _regrets(into: Path, budget: str) -> Iterator[tuple[str, dict[str, float]]]:
    for horizon in HORIZONS:
        for seed in SEEDS:
            of = {kind: _trials(_file(into, kind, budget, horizon, seed)) for kind in KINDS}
            all_steps = sum(cost for _, cost in of["full"])
            lean, random = (_within(of[kind], SHARE * all_steps) for kind in ("lean", "random"))
            spent = sum(cost for _, cost in lean)
            losses = [loss for loss, _ in of["full"] if loss is not None]
            best = min(losses)
            unit = statistics.median(losses) - best
            yield (
                f"{budget}-h{horizon}, seed {seed}",
                {
                    "steps": spent / all_steps,
                    "trials": len(lean),
                    "lean": (_best(lean) - best) / unit,
                    "random": (_best(_within(random, spent)) - best) / unit,
                    "random, 40 %": (_best(random) - best) / unit,
                    "other seeds": statistics.fmean(
                        abs(other - best) / unit for other in _others(into, budget, horizon, seed)
                    ),
                    "best": best,
                    "median - best": unit,
                },
            )


def _others(into: Path, budget: str, horizon: int, seed: int) -> list[float]:
    """What full searches of the other seeds found: how much of a regret is the luck of a search."""
    return [_best(_trials(_file(into, "full", budget, horizon, other))) for other in SEEDS if other != seed]


def _report(into: Path, budget: str) -> None:
    rows = list(_regrets(into, budget))
    names = list(rows[0][1])
    print(f"{'':22}" + "".join(f"{name:>15}" for name in names))
    for what, row in rows:
        print(f"{what:22}" + "".join(f"{row[name]:15.4f}" for name in names))
    print(f"{'median':22}" + "".join(f"{statistics.median(row[name] for _, row in rows):15.4f}" for name in names))


if __name__ == "__main__":
    main()
