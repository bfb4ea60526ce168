"""Software versions with which a report was written, and the identities of what it describes."""

from __future__ import annotations

import functools
import importlib.metadata
from collections.abc import Mapping
from dataclasses import dataclass

from tsladder.report.blocks import Table, table

PACKAGES = (
    "tsladder",
    "torch",
    "numpy",
    "scipy",
    "pandas",
    "pyarrow",
    "scikit-learn",
    "arch",
    "TA-Lib",
    "optuna",
    "mlflow",
    "dvc",
    "matplotlib",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Environment:
    """Software versions with which the report was written, and the identities of what it describes.

    `rebuilt`: for a report of a study from another machine, whose versions these are, a sentence on where and with what
    it was rebuilt.
    """

    python: str
    packages: Mapping[str, str]
    fingerprints: Mapping[str, str]
    rebuilt: str | None = None


def software_versions() -> dict[str, str]:
    """Return the versions of those of PACKAGES that are installed here."""
    found = {name: _version(name) for name in PACKAGES}
    return {name: version for name, version in found.items() if version is not None}


@functools.cache
def _version(package: str) -> str | None:
    """Return the version of an installed package; looking one up reads its metadata from the disk."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def environment_table(environment: Environment) -> Table:
    """Return one row per installed package that matters."""
    rows = [("Python", environment.python), *environment.packages.items()]
    return table("environment", "Software", text=("software", "version"), rows=rows)


def fingerprints_table(environment: Environment) -> Table:
    """Return one row per identity."""
    rows = tuple(environment.fingerprints.items())
    return table("fingerprints", "Identities", text=("of", "fingerprint"), rows=rows)
