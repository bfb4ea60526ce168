"""Access to mlflow.db through SQLite alone: whether it can be used, and the paths that it records for its files.

MLflow stores absolute paths of each experiment, run, model and model version. A store that was renamed, copied or
mounted elsewhere would keep writing into its old folder, or fail where that cannot be created.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from tsladder.tracking.address import ARTIFACTS
from tsladder.tracking.runs import loss_of_horizon
from tsladder.tracking.views import OURS

_WAIT_SECONDS = 5.0
_PATHS = (
    ("experiments", "artifact_location"),
    ("runs", "artifact_uri"),
    ("logged_models", "artifact_location"),
    ("model_versions", "source"),
    ("model_versions", "storage_location"),
)
_LOCATIONS = """
SELECT DISTINCT artifact_location FROM experiments JOIN experiment_tags USING (experiment_id) WHERE key = ?
"""
_TRIALS = """
FROM runs JOIN tags AS kinds ON kinds.run_uuid = runs.run_uuid AND kinds.key = 'kind' AND kinds.value = 'trial'
JOIN tags AS horizons ON horizons.run_uuid = runs.run_uuid AND horizons.key = 'horizon'
WHERE experiment_id = ?
"""
_DAMAGED = ("not a database", "malformed")


@dataclass(frozen=True, kw_only=True, slots=True)
class Move:
    """Move of a store: its folder when its paths were written, its present folder, and the number of paths replaced."""

    old: Path
    new: Path
    paths: int

    def __str__(self) -> str:
        return f"MLflow's store was moved from {self.old} to {self.new}: {self.paths} paths were updated"


def update_paths(database: Path) -> tuple[Move, ...]:
    """Replace the paths in `database` that lie in another folder than its own, in one transaction, and return what was
    replaced.

    Only folders of experiments that tsladder made are considered, so that an experiment with a location of its own
    keeps it. Raises sqlite3.Error where the database cannot be written.
    """
    database = database.resolve()
    store = database.parent
    with _connected(database) as connection:
        if not _foreign_stores(connection, store):
            return ()
        connection.execute("BEGIN IMMEDIATE")
        # Read again inside the transaction: another process may have replaced them meanwhile.
        moves = tuple(
            Move(old=old, new=store, paths=_replace(connection, old, store))
            for old in _foreign_stores(connection, store)
        )
        connection.execute("COMMIT")
        return moves


def probe(database: Path) -> None:
    """Check that `database` can be written. Raises sqlite3.Error at once where it cannot, for which MLflow would wait
    two minutes."""
    with _connected(database) as connection:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("ROLLBACK")


def count_trials(database: Path, experiment_id: str) -> dict[str, int]:
    """Return horizon -> number of its trials that are not deleted."""
    counts = f"SELECT horizons.value, count(*) {_TRIALS} AND lifecycle_stage = 'active' GROUP BY horizons.value"
    with _connected(database, mode="ro") as connection:
        return dict(connection.execute(counts, (experiment_id,)).fetchall())


def is_active(database: Path, experiment: str) -> bool:
    """Check whether there is an experiment of this name that has not been deleted."""
    with _connected(database) as connection:
        found = connection.execute("SELECT lifecycle_stage FROM experiments WHERE name = ?", (experiment,)).fetchall()
    return found == [("active",)]


def add_losses_by_horizon(database: Path, experiment_id: str) -> None:
    """Add to trials that were logged without it the metric by which the chart of their horizon finds them."""
    found = f"SELECT DISTINCT horizons.value {_TRIALS}"
    with _connected(database) as connection:
        for (horizon,) in connection.execute(found, (experiment_id,)).fetchall():
            name = loss_of_horizon(horizon)
            for table in ("metrics", "latest_metrics"):
                connection.execute(
                    f"INSERT OR IGNORE INTO {table} (key, value, timestamp, step, is_nan, run_uuid) "  # noqa: S608
                    f"SELECT ?, value, timestamp, step, is_nan, run_uuid FROM {table} WHERE key = 'best_val_loss' "
                    f"AND run_uuid IN (SELECT runs.run_uuid {_TRIALS} AND horizons.value = ?)",
                    (name, experiment_id, horizon),
                )


def is_damage(error: sqlite3.Error) -> bool:
    """Check whether `error` was raised because the file is not a database or is incomplete."""
    return any(words in str(error) for words in _DAMAGED)


def set_aside_if_damaged(database: Path) -> Path | None:
    """Rename a file that is not an SQLite database and return its new name; None where the database is sound."""
    try:
        with _connected(database) as connection:
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
            return None
    except sqlite3.Error as error:
        if not is_damage(error):
            return None
    number = 1
    while (aside := database.with_name(f"{database.name}.aside-{number}")).exists():
        number += 1
    database.replace(aside)
    for ending in ("-wal", "-shm"):
        with contextlib.suppress(FileNotFoundError):
            database.with_name(database.name + ending).replace(aside.with_name(aside.name + ending))
    return aside


@contextlib.contextmanager
def _connected(database: Path, mode: str = "rw") -> Iterator[sqlite3.Connection]:
    """Open a connection that creates no file and begins no transaction by itself."""
    uri = f"{database.resolve().as_uri()}?mode={mode}"
    with contextlib.closing(sqlite3.connect(uri, uri=True, timeout=_WAIT_SECONDS, isolation_level=None)) as connection:
        yield connection


def _foreign_stores(connection: sqlite3.Connection, store: Path) -> tuple[Path, ...]:
    """Return the folders of stores, other than `store`, in which experiments of tsladder have their artifacts."""
    if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'experiment_tags'").fetchone():
        return ()
    found = [_store_of(location) for (location,) in connection.execute(_LOCATIONS, (OURS,))]
    return tuple(sorted({old for old in found if old is not None and old != store}))


def _store_of(location: str) -> Path | None:
    """Return the folder of the store whose artifacts lie at `location`, a file URI as tsladder writes it; None for any
    other."""
    parts = urlsplit(location)
    path = Path(unquote(parts.path))
    return path.parent if parts.scheme == "file" and path.is_absolute() and path.name == ARTIFACTS else None


def _replace(connection: sqlite3.Connection, old: Path, new: Path) -> int:
    """Replace the folder `old` by `new` in all paths and return their number. MLflow has paths as URIs and, for
    experiments made by others, as plain text."""
    count = 0
    for before, after in ((f"{old.as_uri()}/", f"{new.as_uri()}/"), (f"{old}/", f"{new}/")):
        for table, column in _PATHS:
            done = connection.execute(
                f"UPDATE {table} SET {column} = ? || substr({column}, ?) WHERE substr({column}, 1, ?) = ?",  # noqa: S608
                (after, len(before) + 1, len(before), before),
            )
            count += done.rowcount
    return count
