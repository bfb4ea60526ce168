"""Wall time of `tsladder status` and `tsladder why` on a study of 12 cells with 50 trials each.

The study is written, not trained: trials.jsonl lines as a search leaves them, with 50 epochs a curve, live records,
weights, and dvc.lock from the MD5s of what lies there. A median of seven processes each; limits 1 s and 2 s.

    python benchmarks/console.py [--json]
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import yaml

from tsladder.artifacts.store import write_json, write_text
from tsladder.params import load_params
from tsladder.places import Places
from tsladder.planning.cells import CellPlans
from tsladder.planning.plans import cell_key, train_key
from tsladder.status.dvc_yaml import read_pipeline
from tsladder.status.question import inputs_text, read_question
from tsladder.typed_yaml import read_yaml

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.lines import seed_outcome  # noqa: E402 (the records of the tests, which are no installed package)

RUNGS, HORIZONS, TRIALS, EPOCHS, SEEDS = ("12k", "30k", "80k", "200k"), (1, 3, 5), 50, 50, 3
REPEATS = 7
FINGERPRINT = "f" * 64


def write_study(folder: Path) -> Places:
    places = Places(folder, folder)
    for name in ("src", "stages"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    for name in ("params.yaml", "dvc.yaml", ".dvcignore"):
        shutil.copy(ROOT / name, folder / name)
    record = read_yaml(folder / "params.yaml")
    record["budget"] = RUNGS[-1]
    record["search"]["preset"] = "mission"
    (folder / "params.yaml").write_text(yaml.safe_dump(record, sort_keys=False))
    (folder / "data").mkdir()
    (folder / "data" / "sp500.parquet").write_bytes(os.urandom(204_101))
    write_json(places.features / "manifest.json", {"fingerprint": FINGERPRINT})
    (places.features / "features.parquet").write_bytes(os.urandom(1_148_009))
    counts = {region: {"windows": 926 if region != "train" else 2740} for region in ("train", "validation", "test")}
    for horizon in HORIZONS:
        write_json(places.horizon_splits(horizon), {"horizon": horizon, "counts": counts})
    write_json(places.splits / "splits.json", {})
    question = read_question(places)
    for path, text in {**question.texts, **inputs_text(places, question.params.data)}.items():
        write_text(folder / path, text)
    write_json(places.ingestion, {})
    for plans in question.plans:
        write_cell(places, plans)
    for path in (places.audit, places.supplementary, places.transfer):
        write_json(path / "record.json", {"status": "not_planned"})
    law = {"verdict": "flat", "fits": {"power": {"alpha": 0.01, "alpha_ci": [0.0, 0.02]}}}
    write_json(
        places.law / "scaling.json",
        {"study_key": question.study_key, "horizons": {str(horizon): law for horizon in HORIZONS}},
    )
    for name in ("scaling.csv", "scaling.png"):
        (places.law / name).write_bytes(os.urandom(100_000))
    (places.report / "report.html").parent.mkdir()
    (places.report / "report.html").write_bytes(os.urandom(3_000_000))
    write_lock(places)
    return places


def write_cell(places: Places, plans: CellPlans) -> None:
    cell = plans.cell
    if not plans.planned:
        for path in (places.choice(cell), places.models(cell) / "status.json", places.scores(cell) / "scores.json"):
            write_json(path, {"status": "not_planned"})
        write_json(places.timings(cell), {"seeds": {}})
        return
    splits = json.loads(places.horizon_splits(cell.horizon).read_text())
    trials = "".join(json.dumps(trial(number)) + "\n" for number in range(TRIALS))
    choice = {"status": "done", "architecture": {}, "settings": {}}
    write_json(places.choice(cell), choice)
    write_text(places.hpo(cell) / "trials.jsonl", trials)
    live = places.study(cell, cell_key(plans.search, FINGERPRINT, splits))
    write_json(live / "plan.json", plans.search)
    write_json(live / "progress.json", {"running": []})
    write_text(live / "trials.jsonl", trials)
    (live / "lock").touch()
    trained = places.training(cell, train_key(plans.train, choice, FINGERPRINT, splits))
    for number in range(1, SEEDS + 1):
        write_json(trained / f"seed-{number}" / "outcome.json", seed_outcome(seconds=40.0))
        weights = places.models(cell) / f"seed-{number}" / "model.safetensors"
        weights.parent.mkdir(parents=True)
        weights.write_bytes(os.urandom(4 * load_size(cell.budget)))
    write_json(places.models(cell) / "status.json", {"status": "done"})
    write_json(places.timings(cell), {"seeds": {f"seed-{n}": seed_outcome(seconds=40.0) for n in range(1, SEEDS + 1)}})
    test = {"mean": {"log_loss": 0.35}, "skill": 0.1}
    write_json(places.scores(cell) / "scores.json", {"status": "done", "regions": {"test": test}})
    (places.scores(cell) / "predictions.parquet").write_bytes(os.urandom(500_000))


def load_size(budget: str) -> int:
    return int(budget.removesuffix("k")) * 1000


def trial(number: int) -> dict[str, Any]:
    curve = [(11 * epoch, 0.5 / (1 + epoch / 50) + number / 1e4) for epoch in range(1, EPOCHS + 1)]
    settings = {"learning_rate": 3.1e-4, "weight_decay": 1.2e-3, "dropout": 0.21, "warmup_steps": 100, "epochs": 50}
    shape = {"d_model": 24, "n_layers": 4, "n_heads": 4, "d_ff": 96, "n_params": 41_233}
    plan = {
        "micro_batch": 256,
        "accumulation_steps": 1,
        "effective_batch": 256,
        "precision": "fp32",
        "optimizer": "adamw",
        "activation_checkpointing": False,
    }
    return {
        "number": number,
        "attempt": 1,
        "state": "complete",
        "stop_reason": "early_stopping",
        "forced": None,
        "draws": {"architecture": "24x4x4x96", **settings},
        "params": {**shape, **settings, **plan, "seed": 12345},
        "n_params": 41_233,
        "best_val_loss": 0.40 + number / 1e4,
        "val_loss_se": 0.01,
        "best_epoch": 30,
        "val_auc": 0.7,
        "base_rate_loss": 0.45,
        "train_losses": [loss for _, loss in curve],
        "epochs_run": EPOCHS,
        "curve": curve,
        "retries": 0,
        "peak_memory_gib": 0.41,
        "predicted_memory_gib": 0.4,
        "seconds": 30.0 + number,
        "train_seconds": 25.0,
        "celsius": 61.0,
        "thermal": "normal",
        "pauses": 0,
        "paused_seconds": 0.0,
        "device": "cpu",
        "workers": 2,
        "threads": 1,
        "started_ms": 1_763_999_000_000,
        "ended_at": "2025-11-24T18:00:00.000+00:00",
        "message": "",
    }


def write_lock(places: Places) -> None:
    raw = read_yaml(places.params)
    stages = {
        name: {
            "cmd": stage.cmd,
            "deps": [entry(places.root, dep) for dep in sorted(stage.deps)],
            "params": {"params.yaml": {dotted: value_at(raw, dotted) for dotted in stage.params}},
            "outs": [entry(places.root, out) for out in sorted(stage.outs)],
        }
        for name, stage in read_pipeline(places.root / "dvc.yaml", raw).stages.items()
    }
    write_text(places.root / "dvc.lock", yaml.safe_dump({"schema": "2.0", "stages": stages}, sort_keys=False))


def entry(root: Path, path: str) -> dict[str, Any]:
    full = root / path
    if full.is_file():
        return {"path": path, "hash": "md5", "md5": md5_of(full.read_bytes()), "size": full.stat().st_size}
    files = {file.relative_to(full).as_posix(): file for file in full.rglob("*") if file.is_file()}
    listed = [{"md5": md5_of(files[name].read_bytes()), "relpath": name} for name in sorted(files)]
    size = sum(file.stat().st_size for file in files.values())
    md5 = md5_of(json.dumps(listed, sort_keys=True).encode()) + ".dir"
    return {"path": path, "hash": "md5", "md5": md5, "size": size, "nfiles": len(files)}


def md5_of(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def value_at(raw: Any, dotted: str) -> Any:
    for key in dotted.split("."):
        raw = raw[key]
    return raw


def seconds_of(places: Places, *arguments: str) -> list[float]:
    environment = {name: value for name, value in os.environ.items() if name != "DVC_ROOT"}
    environment["PYTHONPATH"] = str(places.root / "src")
    command = [sys.executable, "-m", "tsladder.cli", *arguments]
    taken = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        done = subprocess.run(command, cwd=places.root, env=environment, capture_output=True, text=True, check=False)
        taken.append(time.perf_counter() - started)
        if done.returncode != 0:
            raise SystemExit(f"{arguments} ended with {done.returncode}: {done.stderr}")
    return taken


def state_counts(places: Places) -> dict[str, int]:
    environment = {**os.environ, "PYTHONPATH": str(places.root / "src")}
    command = [sys.executable, "-m", "tsladder.cli", "status", "--json"]
    done = subprocess.run(command, cwd=places.root, env=environment, capture_output=True, text=True, check=True)
    states = [cell["state"] for cell in json.loads(done.stdout)["cells"].values()]
    return {state: states.count(state) for state in sorted(set(states))}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print JSON alone")
    options = parser.parse_args()
    record: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="tsladder-console-") as folder:
        places = write_study(Path(folder))
        assert len(load_params(places.params).cells) >= len(RUNGS) * len(HORIZONS)
        for words, arguments, change in (
            ("status, all fresh", ("status",), None),
            ("status --json, all fresh", ("status", "--json"), None),
            ("why of a fresh cell", ("why", "80k-h3"), None),
            ("status, all stale", ("status",), {"training": {"patience": 6}}),
            ("why of a stale cell", ("why", "80k-h3"), {"training": {"patience": 6}}),
        ):
            raw = read_yaml(places.params)
            for section, leaves in (change or {}).items():
                raw[section] |= leaves
            (places.root / "params.yaml").write_text(yaml.safe_dump(raw, sort_keys=False))
            counts = state_counts(places)
            wanted = "stale" if change else "fresh"
            if set(counts) != {"not_planned", wanted}:
                raise SystemExit(
                    f"{words}: cells are {counts}, and should be {wanted}: the study written here is outdated"
                )
            taken = seconds_of(places, *arguments)
            record[words] = {
                "median": round(statistics.median(taken), 3),
                "lowest": round(min(taken), 3),
                "highest": round(max(taken), 3),
                "states": counts,
            }
        shutil.rmtree(places.root / ".tsladder")
        started = time.perf_counter()
        state_counts(places)
        record["status with nothing remembered"] = {"once": round(time.perf_counter() - started, 3)}
    if options.json:
        print(json.dumps(record, indent=1))
        return
    for words, figures in record.items():
        print(f"{words:<32} {figures}")


if __name__ == "__main__":
    main()
