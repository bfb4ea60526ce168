"""How long MLflow's page takes to show the table of runs of a study of 12 cells of 50 trials.

    python benchmarks/ui.py [--cells 12] [--trials 50] [--rounds 7]

Starts the page as `tsladder ui` does, on loopback, and opens it in the system's Chromium, a fresh profile each round:
seconds from asking for the address to the first row, for the plain table, for one filtered by a budget, and for the
saved view of all trials. Prints medians and the worst round. The limit is 3 s for the plain table.
"""

from __future__ import annotations

import argparse
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from tsladder.tracking import UI_ENVIRONMENT, MlflowTracker, RunRecord, RunStatus, RunTags, size_metrics, ui_command
from tsladder.tracking.views import views

NAME = "page"
LIMIT_SECONDS = 3.0


def log_study(store: Path, cells: int, trials: int) -> None:
    tracker = MlflowTracker(store, NAME)
    for cell in range(cells):
        budget, n_params = f"{cell + 1}0k", 10_000 * (cell + 1)
        tags = RunTags(
            budget=budget, horizon="1", model="patchtst", tier="a25", task="t", phase="search", study_key="key"
        )
        parent = tracker.cell_run(f"{budget}-h1", tags)
        for number in range(trials):
            loss = 0.42 - 0.0001 * number
            tracker.log_run(
                RunRecord(
                    name=f"{budget}-h1/trial-{number:03d}",
                    tags=tags,
                    parent_id=parent,
                    params={f"setting_{k}": k * number for k in range(16)} | {"n_params": n_params},
                    metrics={"best_val_loss": loss, "val_auc": 0.7, "seconds": 3.0, **size_metrics(n_params)},
                    curves={name: [(e, loss + 0.1 / e) for e in range(1, 21)] for name in ("val_loss", "train_loss")},
                    extra_tags={"stop_reason": "early_stopping", "attempt": "1", "device": "cpu"},
                )
            )
        tracker.finish(parent, RunStatus.FINISHED, {"best_val_loss": 0.4})
    tracker.settle(600.0)


def serve(store: Path, port: int) -> tuple[subprocess.Popen[bytes], float]:
    """The server, and the seconds until it answered."""
    command = [sys.executable, "-m", *ui_command(store, port=port)]
    begun = time.perf_counter()
    server = subprocess.Popen(
        command, env={**os.environ, **UI_ENVIRONMENT}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5):
                return server, time.perf_counter() - begun
        except OSError:
            if server.poll() is not None:
                raise SystemExit("the page did not start") from None
            time.sleep(0.1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cells", type=int, default=12)
    parser.add_argument("--trials", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder) / "mlruns"
        log_study(store, options.cells, options.trials)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        server, started = serve(store, port)
        print(f"{options.cells * options.trials} trials; the page answers {started:.1f} s after its start")
        base = f"http://127.0.0.1:{port}/#/experiments/1/runs"
        by_key = {view.key: view for view in views({})}
        pages = {
            "table of runs": (base, f"{options.cells}0k-h1"),
            "filtered by a budget": (f"{base}?searchFilter=tags.budget%20%3D%20'10k'", "10k-h1"),
            "saved view: Trials": (by_key["trials"].address("1", port), f"/trial-{options.trials - 1:03d}"),
        }
        try:
            with sync_playwright() as playwright:
                found = shutil.which("chromium") or "chromium"
                arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"]
                browser = playwright.chromium.launch(executable_path=found, args=arguments)
                seconds: dict[str, list[float]] = {name: [] for name in pages}
                for _ in range(options.rounds):
                    for name, (address, row) in pages.items():
                        context = browser.new_context()
                        page = context.new_page()
                        begun = time.perf_counter()
                        page.goto(address)
                        page.get_by_text(row).first.wait_for(timeout=60_000)
                        seconds[name].append(time.perf_counter() - begun)
                        context.close()
                browser.close()
        finally:
            server.terminate()
            server.wait()
    for name, times in seconds.items():
        print(f"{name:<22} median {statistics.median(times):.2f} s, worst {max(times):.2f} s of {len(times)}")
    print(f"limit for the table of runs: {LIMIT_SECONDS:g} s")


if __name__ == "__main__":
    main()
