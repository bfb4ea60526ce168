"""MLflow's page as `tsladder ui` opens it, on a study of three cells of ten trials."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from tests.browser.conftest import Sight
from tests.studies import DEFAULT_PARAMS

from tsladder.report.figures.canvas import figure_of, png_of
from tsladder.seeds import derive_seed
from tsladder.tracking import MlflowTracker, RunRecord, RunStatus, RunTags, size_metrics, view_addresses
from tsladder.tracking.views import views

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
NAME = "sp500-daily"  # study.name of tests/default_params.yaml
BUDGETS = {"12k": 12_000, "30k": 30_500, "80k": 79_000}
TRIALS = 10
LONG = 75
"""Trials of the cell of another horizon. With them there are more than the page reads at first."""
VIEWS = views({"1": len(BUDGETS) * TRIALS, "3": LONG})
STOPS = ("early_stopping", "completed", "pruned")
START_SECONDS = 60
FIRST_SIGHT_MS = 30_000
# MLflow's page asks who is logged in; a store without logins has no answer, and says so by 404. On a busy machine its
# layout takes more than one frame, of which a browser notifies the page.
HARMLESS = ("the server responded with a status of 404", "ResizeObserver loop completed with undelivered notifications")


@dataclass(frozen=True)
class Served:
    """The page's address, the number of the study's experiment, and the run ids by name."""

    address: str
    experiment: str
    runs: dict[str, str]

    def table(self, query: str) -> str:
        return f"{self.address}/#/experiments/{self.experiment}/runs?{query}"

    def run(self, name: str, tab: str = "") -> str:
        return f"{self.address}/#/experiments/{self.experiment}/runs/{self.runs[name]}{tab}"


def tags(budget: str, phase: str, horizon: str = "1") -> RunTags:
    return RunTags(
        budget=budget,
        horizon=horizon,
        model="patchtst",
        tier="a25",
        task="threshold_1pct",
        phase=phase,
        study_key="key-1",
    )


def log_study(store: Path, experiment: str, picture: Path) -> MlflowTracker:
    """Three cells of ten trials with curves, and the law with its picture."""
    tracker = MlflowTracker(store, experiment)
    for budget, n_params in BUDGETS.items():
        name = f"{budget}-h1"
        parent = tracker.cell_run(name, tags(budget, "search"))
        for number in range(TRIALS):
            loss = 0.42 - 0.001 * number - n_params / 1e7
            tracker.log_run(
                RunRecord(
                    name=f"{name}/trial-{number:03d}",
                    tags=tags(budget, "search"),
                    parent_id=parent,
                    params={
                        "d_model": 8 * (number + 1),
                        "n_layers": 1 + number % 4,
                        "learning_rate": 1e-3 / (1 + number),
                    }
                    | {"n_params": n_params, "n_heads": 2, "d_ff": 32, "dropout": 0.1 + 0.01 * number}
                    | {"seed": derive_seed(name, number)},
                    metrics={"best_val_loss": loss, "val_auc": 0.7, **size_metrics(n_params)},
                    curves={"val_loss": [(epoch, loss + 0.1 / epoch) for epoch in range(1, 6)]},
                    extra_tags={"stop_reason": STOPS[number % 3]},
                )
            )
        tracker.log_run(
            RunRecord(
                name=f"{name}/evaluation",
                tags=tags(budget, "evaluate"),
                parent_id=parent,
                metrics={"test_loss": 0.4, "test_skill": 0.1},
                extra_tags={"windows": "0123456789ab"},
            )
        )
        tracker.finish(parent, RunStatus.FINISHED, {"best_val_loss": 0.41, "test_loss": 0.4, **size_metrics(n_params)})
    parent = tracker.cell_run("12k-h3", tags("12k", "search", "3"))
    for number in range(LONG):
        tracker.log_run(
            RunRecord(
                name=f"12k-h3/trial-{number:03d}",
                tags=tags("12k", "search", "3"),
                parent_id=parent,
                params={"seed": derive_seed("12k-h3", number)},
                metrics={"best_val_loss": 0.6, **size_metrics(12_000)},
            )
        )
    tracker.finish(parent, RunStatus.FINISHED)
    tracker.register_law(LAW, [picture], replace(tags("80k", "fit"), horizon="1"))
    return tracker


LAW = {
    "metric": "log_loss",
    "region": "test",
    "horizons": {
        "1": {
            "verdict": "underpowered",
            "reason": "three rungs say little",
            "points": [{"n_params": n, "loss": 0.4, "dropped": None} for n in BUDGETS.values()],
            "fits": {"power": {"C": 0.4, "alpha": 0.0, "alpha_ci": [-0.01, 0.01], "r2": 0.0}},
            "minimum_detectable_alpha": 0.03,
        }
    },
}


@pytest.fixture(scope="module")
def served(chromium: object, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    root = tmp_path_factory.mktemp("study")
    (root / "params.yaml").write_text(DEFAULT_PARAMS.read_text(encoding="utf-8"), encoding="utf-8")
    picture, store = root / "scaling.png", root / "mlruns"
    picture.write_bytes(red_picture())
    tracker = log_study(store, NAME, picture)
    runs = {run.name: run.run_id for run in tracker.runs()}
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "HOME": str(root)}
    command = [sys.executable, "-m", "tsladder.cli", "ui", "--port", str(port)]
    with (root / "ui.log").open("w") as log:
        server = subprocess.Popen(command, cwd=root, env=environment, stdout=log, stderr=log, start_new_session=True)
    try:
        wait_for(f"http://127.0.0.1:{port}/health", server, root / "ui.log")
        (*_, number), *_ = (a.split("/runs?")[0].split("/") for a in view_addresses(store, port=port).values())
        yield Served(f"http://127.0.0.1:{port}", number, runs)
    finally:
        end(server)


def wait_for(address: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        assert server.poll() is None, log.read_text()
        try:
            with urllib.request.urlopen(address, timeout=5):  # noqa: S310
                return
        except (urllib.error.URLError, OSError):
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.2)


def end(server: subprocess.Popen[bytes]) -> None:
    """The server and its worker, which live in a session of their own."""
    server.terminate()
    try:
        server.wait(timeout=20)
    except subprocess.TimeoutExpired:
        os.killpg(server.pid, 9)
        server.wait()


def red_picture() -> bytes:
    figure = figure_of(3.2, 2.0, dpi=100)
    figure.add_subplot().axhspan(0.0, 1.0, color="red")
    return png_of(figure)


def red_pixels(path: Path) -> int:
    from matplotlib.image import imread

    red, green, blue = (imread(path)[..., channel] for channel in range(3))
    return int(((red > 0.95) & (green < 0.05) & (blue < 0.05)).sum())


def complaints(sight: Sight) -> list[str]:
    return [error for error in sight.errors if not any(words in error for words in HARMLESS)]


def names(budget: str) -> set[str]:
    return {f"{budget}-h1/trial-{number:03d}" for number in range(TRIALS)}


def shown(sight: Sight) -> set[str]:
    """Names of trials in the table of runs."""
    return {text for text in sight.page.locator("a[href*='/runs/']").all_text_contents() if "/trial-" in text}


def test_the_table_filtered_by_a_budget_shows_its_trials_and_no_other(served: Served, sight: Sight) -> None:
    query = "searchFilter=tags.budget%20%3D%20'30k'%20and%20tags.kind%20%3D%20'trial'&orderByKey=metrics.best_val_loss"
    sight.page.goto(served.table(query))
    sight.page.get_by_text("30k-h1/trial-000").wait_for(timeout=FIRST_SIGHT_MS)
    sight.keep("mlflow-budget")
    assert shown(sight) == names("30k")
    assert complaints(sight) == []


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.key)
def test_a_saved_view_opens_by_its_address_with_what_it_promises(view, served: Served, sight: Sight) -> None:
    port = int(served.address.rpartition(":")[2])
    sight.page.goto(view.address(served.experiment, port))
    firsts = {"cell": "80k-h1", "evaluation": "80k-h1/evaluation", "trial": "80k-h1/trial-009"}
    first = next(name for kind, name in firsts.items() if f"'{kind}'" in view.filter)
    if view.key == "size":  # in an order of its own
        sight.page.get_by_text("/trial-").first.wait_for(timeout=FIRST_SIGHT_MS)
    else:
        sight.page.get_by_text(first, exact=True).first.wait_for(timeout=FIRST_SIGHT_MS)
    assert sight.page.get_by_role("button", name=view.name, exact=True).count() == 1
    if view.charts:
        sight.page.locator(".js-plotly-plot .scatterlayer .point").first.wait_for(timeout=FIRST_SIGHT_MS)
    sight.keep(f"mlflow-{view.key}")
    assert complaints(sight) == []


def test_every_horizon_has_its_chart_of_loss_against_size_and_load_more_fills_it(served: Served, sight: Sight) -> None:
    (size,) = [view for view in VIEWS if view.key == "size"]
    sight.page.goto(size.address(served.experiment, int(served.address.rpartition(":")[2])))
    sight.page.get_by_text("100 of 105 trials").first.wait_for(timeout=FIRST_SIGHT_MS)
    plots = sight.page.locator(".js-plotly-plot")
    own, other = (plots.nth(number).locator(".scatterlayer .point") for number in range(2))
    other.first.wait_for(timeout=FIRST_SIGHT_MS)
    assert own.count() + other.count() == 100
    assert own.count() > 20, "what is read at first is of all horizons alike"
    sight.page.get_by_role("button", name="Load more").first.click()
    sight.page.wait_for_function(
        "n => document.querySelectorAll('.js-plotly-plot')[1].querySelectorAll('.scatterlayer .point').length == n",
        arg=LONG,
    )
    assert own.count() == len(BUDGETS) * TRIALS


def test_a_trial_shows_its_curve_its_stop_reason_and_what_it_was(served: Served, sight: Sight) -> None:
    sight.page.goto(served.run("30k-h1/trial-002"))
    sight.page.get_by_text("stop_reason").first.wait_for(timeout=FIRST_SIGHT_MS)
    assert sight.page.get_by_text("pruned").count() >= 1
    sight.page.goto(served.run("30k-h1/trial-002", "/model-metrics"))
    sight.page.locator(".js-plotly-plot").first.wait_for(timeout=FIRST_SIGHT_MS)
    sight.keep("mlflow-curve")
    assert complaints(sight) == []


def test_the_picture_of_the_law_is_visible_beside_its_verdict(served: Served, sight: Sight) -> None:
    sight.page.goto(served.run("scaling-law"))
    sight.page.get_by_text("three rungs say little").first.wait_for(timeout=FIRST_SIGHT_MS)
    sight.page.goto(served.run("scaling-law", "/artifacts"))
    sight.page.get_by_text("scaling.png").first.click(timeout=FIRST_SIGHT_MS)
    picture = sight.page.get_by_alt_text("scaling.png")
    picture.wait_for(timeout=FIRST_SIGHT_MS)
    sight.page.wait_for_function("image => image.naturalWidth > 0", arg=picture.element_handle())
    assert red_pixels(sight.keep("mlflow-law")) > 1_000
    assert complaints(sight) == []


def test_the_server_listens_on_loopback_alone(served: Served) -> None:
    port = int(served.address.rpartition(":")[2])
    with socket.socket() as other:
        # 127.0.0.2 is loopback too, and another address: a server on every address would answer there.
        assert other.connect_ex(("127.0.0.2", port)) != 0


def test_the_experiment_is_described(served: Served) -> None:
    address = f"{served.address}/ajax-api/2.0/mlflow/experiments/get?experiment_id={served.experiment}"
    with urllib.request.urlopen(address, timeout=10) as answer:  # noqa: S310
        found = {tag["key"]: tag["value"] for tag in json.load(answer)["experiment"]["tags"]}
    assert "tags.budget = '200k'" in found["mlflow.note.content"]
