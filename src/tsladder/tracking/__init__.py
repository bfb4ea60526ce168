"""The only access to MLflow, and its in-memory twin.

MLflow holds copies for the user: nothing here is ever read back by a stage that makes numbers. Importing this package
costs nothing; MLflow itself (about 1.5 s) is imported when an `MlflowTracker` first works.
"""

from tsladder.tracking.cell_run import CellRun, open_cell_run
from tsladder.tracking.memory import MemoryTracker
from tsladder.tracking.runs import LoggedRun, RunRecord, RunStatus, RunTags, Tracker, size_metrics
from tsladder.tracking.store import MlflowStore
from tsladder.tracking.tracker import MlflowTracker
from tsladder.tracking.ui import UI_ENVIRONMENT, store_notes, store_uri, ui_command, view_addresses

__all__ = [
    "UI_ENVIRONMENT",
    "CellRun",
    "LoggedRun",
    "MemoryTracker",
    "MlflowStore",
    "MlflowTracker",
    "RunRecord",
    "RunStatus",
    "RunTags",
    "Tracker",
    "open_cell_run",
    "size_metrics",
    "store_notes",
    "store_uri",
    "ui_command",
    "view_addresses",
]
