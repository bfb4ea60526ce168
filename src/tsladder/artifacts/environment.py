"""environment.json in a capsule: software versions and identities of the study, and the machine that packed it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tsladder.artifacts.record import read_record, text_of

ENVIRONMENT = "environment.json"


@dataclass(frozen=True, kw_only=True, slots=True)
class PackingMachine:
    """Machine that packed a capsule: operating system, architecture and processor."""

    system: str
    architecture: str
    processor: str


@dataclass(frozen=True, kw_only=True, slots=True)
class PackedEnvironment:
    """Environment in which a capsule was packed.

    `packages`: (name, version). `fingerprints`: (what, hexadecimal identity). Pairs, because keys of a file are sorted,
    and a report shows these in an order of its own.
    """

    python: str
    packages: tuple[tuple[str, str], ...]
    fingerprints: tuple[tuple[str, str], ...]
    machine: PackingMachine


def read_environment(path: Path) -> PackedEnvironment:
    """Read the environment of an unpacked capsule. Raises WorkFailed if the file is damaged or of another version,
    FileNotFoundError if it does not exist."""
    return read_record(PackedEnvironment, path, remedy="rebuild the capsule with the version that made it")


def environment_text(environment: PackedEnvironment) -> str:
    """Return the text of environment.json."""
    return text_of(environment)
