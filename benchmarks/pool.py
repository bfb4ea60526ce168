"""How busy the slots of a pool are, and what the process that feeds them takes, in virtual time.

    python benchmarks/pool.py [--slots 1000] [--cells 500] [--trials 50] [--lag 8] [--spread 0.74] [--minutes 10]
                              [--folder FOLDER] [--profile]

Every cell searches `trials` trials by TPE, then trains three seeds; a training takes `minutes` (median) times a
lognormal factor. Nothing is trained: job loop, draws, journals and heartbeats are those of a real run, whose files lie
in a temporary folder of `folder`. Prints the virtual hours, the busy share of the slots, and the real seconds of the
driver, as such and as a share of the virtual ones.
"""

from __future__ import annotations

import argparse
import cProfile
import math
import pstats
import resource
import tempfile
import time
from fractions import Fraction
from pathlib import Path

from tsladder.artifacts.plans import Recipe
from tsladder.cells.simulated_cell import SimulatedCell, SimulatedTrainings
from tsladder.cells.simulated_pool import simulate
from tsladder.execution.virtual_crew import VirtualCrew
from tsladder.models.spec import Geometry
from tsladder.params import Choices, SpaceParams, Span
from tsladder.planning.grid import build_grid
from tsladder.planning.machine import Machine
from tsladder.planning.memory import plan_batch
from tsladder.search.objective import Objective
from tsladder.search.schedule import build_schedule
from tsladder.search.space import SearchSpace
from tsladder.search.strategies import load
from tsladder.vocabulary import Cell

GEOMETRY = Geometry(family="patchtst", context_length=80, n_features=25, patch_len=16, stride=8, revin=False)
RECIPE = Recipe(
    effective_batch=256,
    precision="fp32",
    optimizer="adamw",
    schedule="cosine",
    max_gradient_norm=1.0,
    patience=4,
    min_delta=0.001,
    loss="bce",
    monitor="val_loss",
)
SETTINGS = SpaceParams(
    learning_rate=Span(low=1e-4, high=2e-3, log=True),
    weight_decay=Span(low=1e-4, high=5e-3, log=True),
    dropout=Span(low=0.1, high=0.3, log=False),
    warmup_steps=None,
    warmup_fraction=Span(low=0.05, high=0.2, log=False),
    epochs=Choices(choices=(20,)),
)


def equal_cells(count: int, *, trials: int, lag: int, spread: float, median_seconds: float) -> list[SimulatedCell]:
    """Return cells of one rung, whose trainings all are expected to take the same time."""
    space = SearchSpace(grid=build_grid(GEOMETRY, "200k"), settings=SETTINGS, effective_batches=(256,), n_windows=2_700)
    schedule = build_schedule(
        load("architectural"),
        space.grid,
        trials_total=trials,
        objective=Objective("val_loss"),
        stop=None,
        classes=(1, 1),
    )
    plans = {}
    for spec in (*space.grid.members, *(forced.spec for forced in schedule.forced)):
        plan = plan_batch(spec, effective_batch=256, precision="fp32", optimizer="adamw", memory_gib=4.0)
        assert plan is not None
        plans[spec] = plan
    mean = median_seconds * math.exp(spread**2 / 2)
    return [
        SimulatedCell(
            cell=Cell("200k", horizon),
            space=space,
            schedule=schedule,
            lag=lag,
            seed=42,
            seeds=3,
            workers=1,
            threads=1,
            device="cpu",
            recipe=RECIPE,
            task="direction",
            plans=plans,
            trial_seconds=lambda _spec, _settings: mean,
            seed_seconds=lambda _spec, _settings: mean,
            spread=spread,
            known={},
        )
        for horizon in range(1, count + 1)
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--slots", type=int, default=1_000)
    parser.add_argument("--cells", type=int, default=500)
    parser.add_argument("--trials", type=int, default=50)
    parser.add_argument("--lag", type=int, default=8)
    parser.add_argument("--spread", type=float, default=0.74, help="standard deviation of log seconds")
    parser.add_argument("--minutes", type=float, default=10.0, help="median of a training")
    parser.add_argument("--folder", type=Path, help="where journals and heartbeats are written; default: TMPDIR")
    parser.add_argument("--profile", action="store_true", help="also print where the time goes")
    options = parser.parse_args()
    cells = equal_cells(
        options.cells,
        trials=options.trials,
        lag=options.lag,
        spread=options.spread,
        median_seconds=60.0 * options.minutes,
    )
    trainings = SimulatedTrainings(42)
    machine = Machine(cores=1, memory_gib=4.0, device="cpu")
    crew = VirtualCrew(machine, [Fraction(1)] * options.slots, trainings.train)
    profiler = cProfile.Profile()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        if options.profile:
            profiler.enable()
        began, used = time.perf_counter(), time.process_time()
        simulate(cells, crew, trainings, Path(folder), clock=lambda: crew.seconds)
        seconds, processor = time.perf_counter() - began, time.process_time() - used
        profiler.disable()
    count = options.cells * (options.trials + 3)
    busy = crew.busy_seconds / (options.slots * crew.seconds)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{options.slots} slots, {options.cells} cells x ({options.trials} trials + 3 seeds), lag {options.lag}, "
        f"spread {options.spread:g}, median {options.minutes:g} min: {crew.seconds / 3600:.2f} h, "
        f"busy {busy:.3f}; driver {seconds:.1f} s ({processor:.1f} s of a processor, "
        f"{1000 * seconds / count:.1f} ms a training), {seconds / crew.seconds:.4f} of the span, peak {peak:.0f} MiB"
    )
    if options.profile:
        pstats.Stats(profiler).sort_stats("cumulative").print_stats(45)


if __name__ == "__main__":
    main()
