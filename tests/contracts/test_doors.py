"""One door a library: who wants to replace it changes one room. And nothing is loaded that can run code."""

import ast
from fnmatch import fnmatch

import pytest
from tests.contracts.trees import FILES, PACKAGE, ROOT, nodes, text

# library -> files (inside the package) that may import it
DOORS = {
    "arch": ("data/bundled.py", "evaluation/bootstrap.py"),
    "dvc": ("experiments/repository.py",),
    "dvc_data": ("experiments/repository.py",),
    "exchange_calendars": ("panel/sessions.py",),
    "itables": ("report/table_library.py",),
    "matplotlib": ("law/plots.py", "report/*"),
    "mlflow": ("tracking/*",),
    "optuna": ("search/study.py",),
    "pandera": ("ingest/schema.py",),
    "pitindex": ("ingest/panel/index_members.py",),
    "psutil": ("execution/thermometer.py", "execution/memory_guard.py", "planning/free_memory.py", "stage_log.py"),
    "pytorch_optimizer": ("training/adabelief.py",),
    "pynvml": ("execution/thermometer.py", "planning/machine.py"),
    "ray": ("execution/ray_crew.py",),
    "sklearn": ("evaluation/estimators.py", "ranking/baselines.py"),
    "talib": ("data/formulas.py", "data/columns/declaration.py"),
    "yaml": ("typed_yaml.py", "status/dvc_lock.py"),
    "yfinance": ("ingest/yahoo.py",),
}
NEVER_IMPORTED = {"pickle", "cloudpickle", "dill", "joblib", "marshal", "shelve"}
NEVER_CALLED = {
    "torch.load",
    "torch.save",
    "yaml.load",
    "yaml.unsafe_load",
    "numpy.load",
    "np.load",
    "pandas.read_pickle",
}
# yaml.load with a loader that is, or derives from, SafeLoader
SAFE = {("src/tsladder/typed_yaml.py", "yaml.load"), ("src/tsladder/status/dvc_lock.py", "yaml.load")}


def _names_a_module(node):
    """Whether a node is a call of importlib.import_module with a name that stands there."""
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute | ast.Name)
        and ast.unparse(node.func).endswith("import_module")
        and bool(node.args)
        and isinstance(node.args[0], ast.Constant)
    )


def imports(source):
    for node in nodes(source):
        if _names_a_module(node):
            yield node.lineno, node.args[0].value.split(".")[0]
        elif isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name.split(".")[0]) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            yield node.lineno, node.module.split(".")[0]


LAST_NAMES = {name.rpartition(".")[2] for name in NEVER_CALLED}


def unsafe(source):
    for node in nodes(source):
        # Writing every attribute as text takes seconds.
        if isinstance(node, ast.Attribute) and node.attr in LAST_NAMES and ast.unparse(node) in NEVER_CALLED:
            yield node.lineno, ast.unparse(node)
        if isinstance(node, ast.ImportFrom):
            yield from (
                (node.lineno, f"{node.module}.{alias.name}")
                for alias in node.names
                if f"{node.module}.{alias.name}" in NEVER_CALLED
            )
    yield from ((line, name) for line, name in imports(source) if name in NEVER_IMPORTED)


def may_import(file, library):
    if not file.is_relative_to(PACKAGE):
        return False
    inside = file.relative_to(PACKAGE).as_posix()
    return any(fnmatch(inside, door) for door in DOORS[library])


def test_every_library_is_imported_behind_its_door():
    faults = [
        f"{file.relative_to(ROOT)}:{line} imports {library}; its door is {', '.join(DOORS[library])}"
        for file in FILES
        for line, library in imports(text(file))
        if library in DOORS and not may_import(file, library)
    ]
    assert faults == []


def test_nothing_is_loaded_that_can_run_code():
    found = {(file.relative_to(ROOT).as_posix(), name) for file in FILES for _, name in unsafe(text(file))}
    assert found - SAFE == set()


@pytest.mark.parametrize(
    ("source", "seen"),
    [
        ("def f():\n    import mlflow.pyfunc", "mlflow"),
        ("from optuna.storages import JournalStorage", "optuna"),
        ("import numpy as np, matplotlib.pyplot as plt", "matplotlib"),
        ('def f():\n    importlib.import_module("ray.util")', "ray"),
    ],
)
def test_an_import_is_seen_in_any_form(source, seen):
    assert seen in {library for _, library in imports(source)}


@pytest.mark.parametrize(
    "source",
    ["import pickle", "from pickle import loads", "torch.load(path)", "from torch import load", "np.load(path)"],
)
def test_an_unsafe_load_is_seen_in_any_form(source):
    assert len(list(unsafe(source))) == 1
