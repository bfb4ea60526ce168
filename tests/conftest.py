"""Hypothesis without deadlines, since a busy machine must not fail a property, and with 40 examples, others in each
run. One thread a test process. Long files first.

Test processes run side by side on all cores; threads that wait for busy cores made small models train twenty times
slower. Set before numpy and torch are loaded; what is trained on several threads asks for them by itself.
"""

import atexit
import functools
import gc
import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import settings

os.environ.setdefault("OMP_NUM_THREADS", "1")
# Stores of tests lie in their own folders, whatever the shell names.
os.environ.pop("MLFLOW_TRACKING_URI", None)


def _end_process(of_tests: int) -> None:
    if os.getpid() == of_tests:
        os._exit(0)


if "PYTEST_XDIST_WORKER" in os.environ:
    # The first to be registered runs last. To take apart all that tests have loaded takes Python five seconds, at times
    # fifteen.
    atexit.register(_end_process, os.getpid())

settings.register_profile("tsladder", deadline=None, max_examples=40)
settings.load_profile("tsladder")

LONGEST_FIRST = (
    "test_pipeline.py",
    "test_panel_pipeline.py",
    "cells/test_trials_on_ray.py",
    "execution/test_ray_crew.py",
    "cells/test_memory_of_the_search.py",
    "cells/test_kills.py",
    "test_axes_together.py",
    "status/test_against_dvc.py",
    "test_train_ahead.py",
    "console/test_run_on_a_terminal.py",
    "tracking/test_dead_store.py",
    "test_fx_study.py",
    "test_run_live.py",
    "cells/test_pause_by_hand.py",
    "cells/test_search_of_a_cell.py",
    "execution/test_supervisor.py",
    "execution/test_job_loop.py",
    "execution/test_memory_guard.py",
    "training/test_phases.py",
    "training/test_checkpoints.py",
    "ingest/test_hostile_files.py",
    "law/test_rankings.py",
    "audit/panel/test_panel_leaks.py",
    "audit/panel/test_panel_graph_leaks.py",
    "families/panel/test_every_panel_family.py",
    "families/test_every_family.py",
    "contracts/test_fingerprints.py",
    "cells/test_panel_scoring.py",
    "training/test_pretraining.py",
    "test_route.py",
    "capsule/test_round_trip.py",
    "capsule/test_refusals.py",
    "audit/test_record.py",
    "audit/test_leaks_in_training.py",
    "cells/test_takeover.py",
    "tracking/test_mlflow_store.py",
    "cells/test_search_under_heat.py",
    "law/test_size_effect.py",
    "law/test_power_fit.py",
    "report/test_figures.py",
    "training/test_day_training.py",
    "training/test_trainer.py",
    "training/test_losses.py",
    "training/test_lean.py",
    "training/test_day_gradients.py",
)
"""Files that take longest, first those of the slow tests; begun last, one of them would keep one process busy while
the others have nothing to do."""


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Collect garbage neither while half a million objects are made that last as long as the session, nor among them
    afterwards: that took a quarter of the collection's time. And seldom while tests run, which took 3 % of theirs."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.set_threshold(20_000, 20, 20)
        gc.enable()
        gc.freeze()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    places = {Path(__file__).parent / name: place for place, name in enumerate(LONGEST_FIRST)}
    items.sort(key=lambda item: places.get(item.path, len(places)))


@pytest.fixture(scope="session", autouse=True)
def fingerprints_of_the_checkout() -> Iterator[None]:
    """Follow the imports of the checkout's code once: every plan of a test asks for its fingerprints anew. Where its
    modules are is looked up once as well."""
    from tsladder.planning import fingerprint

    source, follow, look = Path(__file__).parents[1] / "src", fingerprint.module_fingerprints, fingerprint._module_path
    looked_up = functools.cache(look)

    @functools.cache
    def followed(modules: tuple[str, ...], stage: str | None) -> dict[str, str]:
        return follow(modules, source, stage)

    def of(modules: Sequence[str], where: Path, stage: str | None = None) -> dict[str, str]:
        return dict(followed(tuple(modules), stage)) if where == source else follow(modules, where, stage)

    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(fingerprint, "module_fingerprints", of)
        monkeypatch.setattr(
            fingerprint,
            "_module_path",
            lambda name, where: looked_up(name, where) if where == source else look(name, where),
        )
        yield


MOST_WEIGHTS = 200_000
"""Weights of the largest set of resamples that is kept: 200 draws of 1,000 days."""


@pytest.fixture(scope="session", autouse=True)
def resamples_drawn_once() -> Iterator[None]:
    """Draw the resamples of days that equal random numbers give once: studies of tests share their days, seeds and
    blocks. Nobody may write into them."""
    import numpy as np

    from tsladder.evaluation import bootstrap, confidence_set

    drawn = bootstrap.resamples

    @functools.lru_cache(maxsize=100)
    def kept(days: int, block: int, draws: int, state: str) -> tuple[list[np.ndarray], str]:
        rng = np.random.default_rng()
        rng.bit_generator.state = json.loads(state)
        made = list(drawn(days, block, draws, rng))
        for weights_DN in made:
            weights_DN.setflags(write=False)
        return made, json.dumps(rng.bit_generator.state)

    def resamples(days: int, block: int, draws: int, rng: np.random.Generator) -> Iterator[np.ndarray]:
        if days * draws > MOST_WEIGHTS:
            yield from drawn(days, block, draws, rng)
            return
        made, after = kept(days, block, draws, json.dumps(rng.bit_generator.state))
        rng.bit_generator.state = json.loads(after)
        yield from made

    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(bootstrap, "resamples", resamples)
        monkeypatch.setattr(confidence_set, "resamples", resamples)
        yield


@pytest.fixture(scope="session", autouse=True)
def one_parser() -> Iterator[None]:
    """Build the parser of the command line once for all commands that are called in this process."""
    from tsladder import cli

    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(cli, "build_parser", functools.cache(cli.build_parser))
        yield


@pytest.fixture(scope="session", autouse=True)
def files_that_wait_for_no_disk() -> Iterator[None]:
    """Leave out the wait for the disk in the process of the tests: no test cuts the power, and a kill keeps what the
    kernel has. What a test starts as a process of its own waits."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(os, "fsync", lambda _descriptor: None)
        yield


@pytest.fixture(scope="session", autouse=True)
def tables_of_mlflow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Copy MLflow's tables instead of making them anew for every store."""
    from tests import mlflow_tables

    with pytest.MonkeyPatch.context() as monkeypatch:
        mlflow_tables.copy_tables(monkeypatch, mlflow_tables.shared_folder(tmp_path_factory))
        yield
