"""Addresses of MLflow's stores: the local one, or one that MLFLOW_TRACKING_URI or the user names.

An address may hold a user and a password. They are in `uri` alone, which is for MLflow; whatever is printed or stored
is `shown`, or went through `without_credentials`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit, urlunsplit

from tsladder.errors import BadInput

DATABASE = "mlflow.db"
ARTIFACTS = "artifacts"

TRACKING_URI = "MLFLOW_TRACKING_URI"
"""Environment variable that names another store than the local one, as MLflow's own programs read it."""

_CREDENTIALS = re.compile(r"(?<=://)[^\s'\"]*@")
_PASSWORD = re.compile(r"(?i)\b(password|passwd|pwd|token)=[^&\s'\";]+")
_HTTP = ("http", "https")
_POSTGRESQL = "postgresql"
_KNOWN = "http://, https://, postgresql://, or sqlite:/// with the path of a file"


@dataclass(frozen=True, kw_only=True, slots=True)
class StoreAddress:
    """Address of a store. `database`: path of its SQLite file, None of a store elsewhere; `artifacts`: folder for the
    files of its runs, None where an MLflow server keeps them."""

    uri: str
    database: Path | None
    artifacts: Path | None

    @property
    def shown(self) -> str:
        """Address for messages, without user, password and options."""
        if self.database is not None:
            return str(self.database)
        parts = urlsplit(_CREDENTIALS.sub("", self.uri))
        return urlunsplit((parts.scheme, parts.netloc, parts.path, "", ""))

    @property
    def is_server(self) -> bool:
        """True for an MLflow server, which has a page of its own."""
        return urlsplit(self.uri).scheme in _HTTP

    def without_credentials(self, text: str) -> str:
        """Return `text` without the user and password of this address, or of any other."""
        parts = urlsplit(self.uri)
        for secret in {parts.password, unquote(parts.password or "")} - {None, ""}:
            text = text.replace(str(secret), "***")
        return _PASSWORD.sub(r"\1=***", _CREDENTIALS.sub("", text))


def local_address(store: Path) -> StoreAddress:
    """Return the address of the local store in the folder `store`."""
    return _sqlite(store.resolve() / DATABASE)


def address_of(store: Path, environment: Mapping[str, str]) -> StoreAddress:
    """Return the address of the store of a study whose folder mlruns is `store`: that of MLFLOW_TRACKING_URI where it
    is set, otherwise the local one. Raises BadInput where it is no address that tsladder can use."""
    given = environment.get(TRACKING_URI, "").strip()
    return parse_address(given, artifacts=store, source=TRACKING_URI) if given else local_address(store)


def parse_address(text: str, *, artifacts: Path, source: str) -> StoreAddress:
    """Return the address that `text` is. The files of runs of a bare PostgreSQL database lie in the folder `artifacts`
    of this machine. Raises BadInput, which names `source`, for any other address."""
    parts = urlsplit(text)
    if parts.scheme == "sqlite" and parts.netloc == "" and parts.path.startswith("/") and len(parts.path) > 1:
        # sqlite:///relative/path and sqlite:////absolute/path, as SQLAlchemy reads them.
        return _sqlite(Path(unquote(parts.path[1:])).resolve())
    if parts.scheme in _HTTP and parts.hostname:
        return StoreAddress(uri=text.rstrip("/"), database=None, artifacts=None)
    if parts.scheme.partition("+")[0] == _POSTGRESQL and len(parts.path) > 1:
        return StoreAddress(uri=text, database=None, artifacts=(artifacts / ARTIFACTS).resolve())
    shown = _PASSWORD.sub(r"\1=***", _CREDENTIALS.sub("", text))
    raise BadInput(f"{source} must be the address of an MLflow store, {_KNOWN}; got {shown!r}")


def _sqlite(database: Path) -> StoreAddress:
    path = str(database).replace("%", "%25").replace("?", "%3F").replace("#", "%23")
    return StoreAddress(uri=f"sqlite:///{path}", database=database, artifacts=database.parent / ARTIFACTS)
