"""Pack the study on disk into one zip file; the same files give the same bytes."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import zipfile
from collections.abc import Mapping
from pathlib import Path

from tsladder.artifacts.ending import read_ending
from tsladder.artifacts.environment import ENVIRONMENT, PackedEnvironment, PackingMachine, environment_text
from tsladder.artifacts.plans import SearchPlan, read_plan
from tsladder.artifacts.store import json_text
from tsladder.capsule.archive import read_manifest
from tsladder.capsule.layout import MANIFEST, PARAMS, belongs
from tsladder.capsule.manifest import InvalidCapsule, Manifest, Member
from tsladder.capsule.privacy import MachineNames, without_machine_names
from tsladder.errors import BadInput, WorkFailed
from tsladder.params import AnyParams, PanelParams
from tsladder.places import Places
from tsladder.planning.machine import identity
from tsladder.report.panel.files import read_panel_facts
from tsladder.report.study_files import read_facts
from tsladder.steps import OnStep, no_progress
from tsladder.vocabulary import Cell, CellStatus

_EPOCH = (1980, 1, 1, 0, 0, 0)
"""Earliest time that a zip file can hold, used for all members: a capsule has no time of its own."""


def pack_study(
    places: Places,
    params: AnyParams,
    states: Mapping[str, str],
    path: Path,
    *,
    force: bool = False,
    on_step: OnStep = no_progress,
) -> Manifest:
    """Write the capsule `path`, whole or not at all. `states`: state of each planned cell, as named by `tsladder
    status`.

    Raises BadInput for a path that is taken (unless `force`) or cannot be written, and WorkFailed where the study lacks
    what a report needs or one of its files is damaged.
    """
    refuse_existing(path, force=force)
    planned = _planned(places, params)
    files = _files(places, params, planned)
    _refuse_incomplete(places, params, planned, files)
    facts = read_panel_facts(places, params) if isinstance(params, PanelParams) else read_facts(places, params)
    contents: dict[str, bytes] = {ENVIRONMENT: _environment(facts.environment.packages, facts.environment.fingerprints)}
    for number, (name, file) in enumerate(files.items(), start=1):
        on_step(f"reading {name}", number, len(files))
        contents[name] = _content(name, file)
    contents = without_machine_names(contents, MachineNames.of(places.root))
    manifest = Manifest(
        tsladder=importlib.metadata.version("tsladder"),
        study=params.study.name,
        study_key=facts.study_key or "",
        cells={name: states[name] for name in sorted(states)},
        members={name: Member.of(content) for name, content in sorted(contents.items())},
    )
    contents[MANIFEST] = json_text(manifest.to_json()).encode()
    _write(path, contents, force=force, on_step=on_step)
    return manifest


def refuse_existing(path: Path, *, force: bool) -> None:
    """Raise BadInput where no capsule can or may be written at `path`."""
    if path.is_dir():
        raise BadInput(f"{path} is a folder: name a file for the capsule, for example {path / 'study.zip'}")
    if path.exists() and not force:
        raise BadInput(f"{path} exists and is not overwritten: name another file, or give --force")
    if not path.parent.is_dir():
        raise BadInput(f"the folder {path.parent} does not exist: make it, or name another")


def _planned(places: Places, params: AnyParams) -> tuple[Cell, ...]:
    """Return the cells that are planned according to the plan files on disk."""
    missing = [places.search_plan(cell) for cell in params.cells if not places.search_plan(cell).exists()]
    if missing:
        raise WorkFailed(f"{_listed(places, missing)} is missing: there is no study yet, run `tsladder run` first")
    plans = {cell: read_plan(SearchPlan, places.search_plan(cell)) for cell in params.cells}
    return tuple(cell for cell, plan in plans.items() if isinstance(plan, SearchPlan))


def _files(places: Places, params: AnyParams, planned: tuple[Cell, ...]) -> dict[str, Path]:
    """Return member name -> file, in the order of the names."""
    cells, built = frozenset(map(str, params.cells)), frozenset(map(str, planned))
    found = {PARAMS: places.params}
    for path in places.artifacts.rglob("*"):
        name = path.relative_to(places.root).as_posix()
        if belongs(name, built, cells) and path.is_file():
            found[name] = path
    return dict(sorted(found.items()))


def _refuse_incomplete(places: Places, params: AnyParams, planned: tuple[Cell, ...], files: Mapping[str, Path]) -> None:
    scored, needed = [], [places.audit_record]
    for cell in planned:
        path = places.scores_record(cell)
        if path.exists() and read_ending(path).status is CellStatus.DONE:
            scored.append(cell)
            needed += [places.choice(cell), places.coverage(cell), places.predictions(cell)]
    if not scored:
        cells = ", ".join(map(str, planned)) or "none is planned"
        raise WorkFailed(f"no cell is scored yet ({cells}), so there is nothing to export: run `tsladder run` first")
    if isinstance(params, PanelParams):
        needed += [places.baseline_scores(horizon) for horizon in sorted({cell.horizon for cell in scored})]
    missing = [path for path in needed if path.relative_to(places.root).as_posix() not in files]
    if missing:
        raise WorkFailed(f"{_listed(places, missing)} is missing: run `tsladder run`, which makes it, and export again")


def _listed(places: Places, paths: list[Path]) -> str:
    names = [path.relative_to(places.root).as_posix() for path in paths]
    return names[0] if len(names) == 1 else f"{names[0]} (and {len(names) - 1} more files)"


def _environment(packages: Mapping[str, str], fingerprints: Mapping[str, str]) -> bytes:
    machine = PackingMachine(
        system=platform.system(), architecture=platform.machine(), processor=str(identity("cpu")["processor"])
    )
    environment = PackedEnvironment(
        python=platform.python_version(),
        packages=tuple(packages.items()),
        fingerprints=tuple(fingerprints.items()),
        machine=machine,
    )
    return environment_text(environment).encode()


def _content(name: str, file: Path) -> bytes:
    try:
        return file.read_bytes()
    except FileNotFoundError:
        raise WorkFailed(f"{name} disappeared while it was packed: wait until `tsladder run` has ended") from None


def _write(path: Path, contents: Mapping[str, bytes], *, force: bool, on_step: OnStep) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as stream:
            with zipfile.ZipFile(stream, "w") as archive:
                for number, (name, content) in enumerate(sorted(contents.items()), start=1):
                    on_step(f"packing {name}", number, len(contents))
                    _add(archive, name, content)
            stream.flush()
            os.fsync(stream.fileno())
        # Never deliver a capsule that could not be read again.
        read_manifest(temporary)
        refuse_existing(path, force=force)
        temporary.replace(path)
    except OSError as error:
        raise BadInput(f"{path} cannot be written: {error.strerror or error}") from None
    except InvalidCapsule as fault:
        raise WorkFailed(f"this study cannot be packed: {fault}") from None
    finally:
        temporary.unlink(missing_ok=True)


def _add(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    entry = zipfile.ZipInfo(name, _EPOCH)
    entry.create_system = 3  # as on Unix, wherever it is written
    entry.external_attr = 0o644 << 16
    entry.compress_type = zipfile.ZIP_DEFLATED
    archive.writestr(entry, content, compresslevel=9)
