"""Workers of a panel study: what their fork server has loaded for them."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

TRAIN = """
import json, multiprocessing, sys, tempfile
from pathlib import Path
from tests.building import batch_plan, settings
from tests.training.days import cell_days, panel_recipe, spec, stored_cube
from tsladder.execution.supervisor import Supervisor, start_fork_server
from tsladder.execution.crew import Ended
from tsladder.panel.dataset import DayFold
from tsladder.training.outcome import Job

def loaded(channel):
    libraries = ("torch", "torch._dynamo", "arch.bootstrap")
    channel.send([name for name in libraries if name in sys.modules])

if __name__ == "__main__":
    start_fork_server(panel=True)
    ours, theirs = multiprocessing.Pipe()
    child = multiprocessing.get_context("forkserver").Process(target=loaded, args=(theirs,))
    child.start()
    names = ours.recv()
    child.join()
    with tempfile.TemporaryDirectory() as folder:
        cube = stored_cube(Path(folder))
        fold = DayFold(train=cell_days(20, 50, within=cube), validation=cell_days(55, 80, within=cube))
        supervisor = Supervisor([fold])
        for number, threads in enumerate((1, 1, 2)):
            job = Job(
                spec=spec(), settings=settings(epochs=2), recipe=panel_recipe(), task="rank", seed=1,
                plan=batch_plan(8, 8), device="cpu", threads=threads,
            )
            supervisor.start(number, job)
        ended = {}
        while supervisor.running:
            ended |= {e.number: e.outcome for e in supervisor.events(timeout=0.5) if isinstance(e, Ended)}
        supervisor.end_now()
    figures = [ended[number].validation for number in range(3)]
    print(json.dumps([names, [ended[n].best_val_loss for n in range(3)], [str(one) for one in figures]]))
"""


@pytest.mark.slow
def test_a_fork_server_of_a_panel_has_loaded_what_its_workers_need_and_they_train_on_any_number_of_threads(
    tmp_path: Path,
) -> None:
    """A tensor operation run in the fork server would leave a worker with two threads hanging for ever."""
    script = tmp_path / "train.py"
    script.write_text(TRAIN)
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, sys.path)])}
    done = subprocess.run(
        [sys.executable, str(script)], env=environment, capture_output=True, text=True, timeout=120, check=True
    )
    names, losses, figures = json.loads(done.stdout)
    assert names == ["torch", "torch._dynamo", "arch.bootstrap"]
    assert losses[0] == losses[1] == pytest.approx(losses[2], rel=1e-4)
    assert figures[0] == figures[1]
    assert figures[0].startswith("ValidationFigures(")


@pytest.mark.parametrize("stage", ["hpo", "train", "pretrain"])
def test_every_stage_that_trains_models_of_a_panel_asks_for_that_fork_server(stage: str) -> None:
    tree = ast.parse((ROOT / "stages" / "panel" / f"{stage}.py").read_text("utf-8"))
    calls = [ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Call)]
    assert [call for call in calls if call.startswith("start_fork_server")] == ["start_fork_server(panel=True)"]
