"""The only access to MLflow, and its in-memory twin.

MLflow holds copies for the user: nothing here is ever read back by a stage that makes numbers. Importing this package
costs nothing; MLflow itself (about 1.5 s) is imported by the thread that drains the spool of an `MlflowTracker`.
"""

from tsladder.tracking.address import TRACKING_URI, StoreAddress, address_of, local_address, parse_address
from tsladder.tracking.cell_run import CellRun, open_cell_run
from tsladder.tracking.copying import CopyTracker
from tsladder.tracking.drain import (
    LOGGED_BY_RUN,
    SETTLE_SECONDS,
    Drained,
    Drainer,
    drainer_of,
    settle_all,
)
from tsladder.tracking.memory import MemoryTracker
from tsladder.tracking.runs import LAW_NAME, LoggedRun, RunRecord, RunStatus, RunTags, Tracker, size_metrics
from tsladder.tracking.store import MlflowStore
from tsladder.tracking.tracker import MlflowTracker
from tsladder.tracking.ui import (
    UI_ENVIRONMENT,
    how_to_look,
    store_notes,
    store_uri,
    ui_command,
    ui_environment,
    view_addresses,
)

__all__ = [
    "LAW_NAME",
    "LOGGED_BY_RUN",
    "SETTLE_SECONDS",
    "TRACKING_URI",
    "UI_ENVIRONMENT",
    "CellRun",
    "CopyTracker",
    "Drained",
    "Drainer",
    "LoggedRun",
    "MemoryTracker",
    "MlflowStore",
    "MlflowTracker",
    "RunRecord",
    "RunStatus",
    "RunTags",
    "StoreAddress",
    "Tracker",
    "address_of",
    "drainer_of",
    "how_to_look",
    "local_address",
    "open_cell_run",
    "parse_address",
    "settle_all",
    "size_metrics",
    "store_notes",
    "store_uri",
    "ui_command",
    "ui_environment",
    "view_addresses",
]
