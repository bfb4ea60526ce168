"""Imports point down only, lazy ones inside functions included."""

import ast

import pytest
from tests.contracts.trees import FILES, PACKAGE, ROOT, nodes, text

# From the top; what stands on one line does not know its neighbours.
LAYERS = (
    ("stages", "cli", "api"),
    ("panel_api",),
    ("study_frames",),
    ("console",),
    ("status",),
    ("log_runs", "train_ahead"),
    ("stage",),
    ("planned_stage",),
    ("cell_endings", "stage_log"),
    ("capsule", "study_copy"),
    ("report",),
    ("cells", "audit", "ingest", "experiments"),
    ("execution", "search", "law"),
    ("training", "results"),
    ("planning",),
    ("panel",),
    ("models", "data", "tracking"),
    ("tasks",),
    ("ranking",),
    ("evaluation",),
    ("artifacts",),
    ("interruption", "locks", "log_file", "params", "patience", "places", "seeds"),
    ("families", "formatting", "log_relay", "steps", "suggestions", "typed_yaml", "vocabulary"),
    ("errors", "messages"),
)
DEPTH = {room: depth for depth, rooms in enumerate(LAYERS) for room in rooms}


def room_of(file):
    if file.is_relative_to(ROOT / "stages"):
        return "stages"
    return file.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported_rooms(source):
    """(line, room) of every import of tsladder, wherever it stands in the file."""
    for node in nodes(source):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module == "tsladder":
            names = [f"tsladder.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or "tsladder.<relative>"]
        for name in names:
            if name.startswith("tsladder."):
                yield node.lineno, name.split(".")[1]


def climbs(file, source):
    here = room_of(file)
    for line, room in imported_rooms(source):
        if room != here and DEPTH.get(room, -1) <= DEPTH[here]:
            yield f"{file.relative_to(ROOT)}:{line} imports {room}, which does not lie below {here}"


def test_every_room_has_its_place_in_the_layers():
    unplaced = {room_of(file) for file in FILES} - set(DEPTH) - {"__init__"}
    assert unplaced == set(), "give these rooms a line in LAYERS"


def test_imports_point_down_only():
    faults = [fault for file in FILES if room_of(file) in DEPTH for fault in climbs(file, text(file))]
    assert faults == []


def test_the_package_itself_imports_nothing_but_its_interface_and_that_when_it_is_asked_for():
    assert {room for _, room in imported_rooms((PACKAGE / "__init__.py").read_text("utf-8"))} == {"api"}


@pytest.mark.parametrize(
    "source",
    [
        "import tsladder.search.study",
        "from tsladder import search",
        "from tsladder.search import study",
        "def later():\n    from tsladder.search.study import ask",
        "from tsladder.tracking.tracker import Tracker",
        "from . import neighbour",
    ],
)
def test_a_climbing_or_sideways_import_is_seen(source):
    assert len(list(climbs(PACKAGE / "data" / "bars.py", source))) == 1


@pytest.mark.parametrize("source", ["from tsladder.errors import BadInput", "from tsladder.data import bars"])
def test_a_downward_import_is_allowed(source):
    assert list(climbs(PACKAGE / "data" / "bars.py", source)) == []
