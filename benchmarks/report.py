"""How long a large report takes to build, and how large its page is.

    python benchmarks/report.py [--trials 50] [--keep FOLDER]

A synthetic study of 9 rungs x 3 horizons, every cell searched by so many trials and scored, made up in a temporary
folder (or in FOLDER, which then keeps the report). Prints seconds and bytes.
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.lines import PLAN  # noqa: E402
from tests.report import evidence, studies  # noqa: E402 (the study of the tests, which are no installed package)
from tests.small_records import search_plan  # noqa: E402

from tsladder.artifacts.law import read_law, write_law  # noqa: E402
from tsladder.artifacts.plans import write_plan  # noqa: E402
from tsladder.law.plots import draw_scaling  # noqa: E402
from tsladder.law.points import RungPoint  # noqa: E402
from tsladder.law.scaling import fit_horizons  # noqa: E402
from tsladder.params import EvaluationParams, LawParams, Params, load_params  # noqa: E402
from tsladder.places import Places  # noqa: E402
from tsladder.report.build import build_report  # noqa: E402
from tsladder.vocabulary import Cell, parse_budget  # noqa: E402

LADDER = ("12k", "30k", "80k", "200k", "750k", "2M", "20M", "200M", "2B")
HORIZONS = (1, 3, 5)
EPOCHS = 20


def params() -> Params:
    return dataclasses.replace(load_params(ROOT / "params.yaml"), budget="2B", ladder=LADDER, horizons=HORIZONS)


def trial(number: int, cell: Cell, rng: np.random.Generator) -> dict[str, object]:
    """A line of trials.jsonl as long as a real one."""
    loss = float(0.4 + 0.02 * rng.random())
    draws = {name: float(rng.random()) for name in ("depth_to_width", "learning_rate", "weight_decay", "dropout")}
    return {
        **studies.trial(number, loss, 60.0),
        "params": {"d_model": int(rng.integers(2, 64)) * 4, "n_layers": int(rng.integers(1, 25)), **PLAN, **draws},
        "n_params": parse_budget(cell.budget),
        "draws": draws,
        "curve": [[11 * epoch, float(loss + rng.random() / 100)] for epoch in range(EPOCHS)],
        "train_losses": [loss] * EPOCHS,
    }


def write_study(root: Path, trials: int) -> Places:
    """Everything that a finished study leaves for its report."""
    places, rng, asked = Places(root, root), np.random.default_rng(7), params()
    for cell in asked.cells:
        size = parse_budget(cell.budget)
        write_plan(places.search_plan(cell), search_plan(cell))
        studies.write_searched(places, cell, size + 997)
        lines = studies.lines([trial(number, cell, rng) for number in range(trials)])
        studies.write(places.hpo(cell) / "trials.jsonl", lines)
        studies.write_scored(places, cell, size + 997)
    studies.write(places.features / "manifest.json", studies.manifest())
    studies.write(
        places.splits / "splits.json", {"kind": "dates", "horizons": {str(h): studies.split() for h in HORIZONS}}
    )
    for horizon in HORIZONS:
        studies.write(places.horizon_splits(horizon), studies.whole_splits(horizon))
    asked = LawParams(region="test", alpha_of_interest=0.015)
    evaluation = EvaluationParams(bootstrap_draws=100, confidence=0.95)
    law = fit_horizons({h: rungs(h, rng) for h in HORIZONS}, [], asked, evaluation, "made up", 1)
    write_law(places.scaling, law)
    evidence.enrich(places)
    draw_scaling(read_law(places.scaling), places.law / "scaling.png")
    return places


def rungs(horizon: int, rng: np.random.Generator) -> list[RungPoint]:
    points = []
    for budget in LADDER:
        n, loss = float(parse_budget(budget)), float(0.35 + 0.005 * rng.normal())
        points.append(
            RungPoint(
                cell=f"{budget}-h{horizon}",
                n_params=n,
                n_params_blocks=0.8 * n,
                n_params_body=0.81 * n,
                loss=loss,
                se=0.003,
                seeds=((1, loss - 0.003), (2, loss + 0.003)),
                has_skill=True,
            )
        )
    return points


def main() -> None:
    parser = argparse.ArgumentParser(description="Seconds and bytes of a large report.")
    parser.add_argument("--trials", type=int, default=50)
    parser.add_argument("--keep", type=Path, help="folder for the study and its report")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        root = arguments.keep or Path(temporary)
        places = write_study(root, arguments.trials)
        started = time.perf_counter()
        build_report(places, params())
        seconds = time.perf_counter() - started
        sizes = {path.name: path.stat().st_size for path in sorted(places.report.iterdir())}
    cells = len(LADDER) * len(HORIZONS)
    sys.stdout.write(f"{cells} cells x {arguments.trials} trials: report built in {seconds:.1f} s\n")
    for name, size in sizes.items():
        sys.stdout.write(f"{name:24}{size:12,} bytes\n")


if __name__ == "__main__":
    main()
