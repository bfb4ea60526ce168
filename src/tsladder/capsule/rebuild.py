"""Recompute law, verdicts, figures and report from the points in a capsule."""

from __future__ import annotations

import platform
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tsladder.artifacts.environment import ENVIRONMENT, PackedEnvironment, read_environment
from tsladder.artifacts.law import StudyLaw, law_json, stored_law
from tsladder.capsule.archive import unpack
from tsladder.capsule.differences import Difference, differences
from tsladder.capsule.manifest import InvalidCapsule, Manifest
from tsladder.errors import BadInput, WorkFailed
from tsladder.law.build import law_of_study
from tsladder.law.scaling import write_law
from tsladder.params import PanelParams, load_any_params
from tsladder.places import Places
from tsladder.report.build import build_report
from tsladder.report.environment import Environment, software_versions
from tsladder.report.panel.build import build_panel_report
from tsladder.report.summary import verdict_lines
from tsladder.steps import OnStep, no_progress

UNSCORED = "not scored yet when the capsule was made"
_STEPS = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class Rebuilt:
    """Result of a rebuild. `differing`: fields of the law that differ from the stored ones. `not_compared`: why nothing
    could be compared, or None."""

    manifest: Manifest
    verdicts: tuple[str, ...]
    differing: tuple[Difference, ...]
    not_compared: str | None


def rebuild(capsule: Path, out: Path, *, force: bool = False, on_step: OnStep = no_progress) -> Rebuilt:
    """Write the report of `capsule` into the folder `out`, whole or not at all.

    An existing folder is written to only with `force`, and other files in it are kept. Raises BadInput for a file that
    is not a capsule, is damaged or was made by a newer tsladder, and for an `out` that is taken or cannot be written.
    """
    _refuse_unreadable(capsule)
    _refuse_existing(out, force=force)
    try:
        # Beside `out`, so that it can be put in place by one rename.
        with tempfile.TemporaryDirectory(prefix=".tsladder-", dir=out.parent) as scratch:
            folder = Path(scratch) / "study"
            manifest = _unpacked(capsule, folder, on_step)
            built = _rebuild_report(capsule, folder, manifest, on_step)
            _move_into_place(folder, out)
            return built
    except OSError as error:
        raise BadInput(f"{out} cannot be written: {error.strerror or error}") from None


def _refuse_unreadable(capsule: Path) -> None:
    if not capsule.exists():
        raise BadInput(f"{capsule} does not exist: give a capsule that `tsladder export` wrote")
    if not capsule.is_file():
        kind = "a folder" if capsule.is_dir() else "no plain file"
        raise BadInput(f"{capsule} is {kind}: give a capsule that `tsladder export` wrote")
    try:
        with capsule.open("rb") as stream:
            stream.read(1)
    except OSError as error:
        raise BadInput(f"{capsule} cannot be read: {error.strerror or error}") from None


def _refuse_existing(out: Path, *, force: bool) -> None:
    if out.exists() and not out.is_dir():
        raise BadInput(f"{out} is a file, and the report needs a folder: name another with --out")
    if out.exists() and not force:
        raise BadInput(f"{out} exists and is not overwritten: name another folder with --out, or give --force")
    if not out.parent.is_dir():
        raise BadInput(f"the folder {out.parent} does not exist: make it, or name another with --out")


def _unpacked(capsule: Path, folder: Path, on_step: OnStep) -> Manifest:
    try:
        return unpack(capsule, folder, on_step)
    except InvalidCapsule as fault:
        raise BadInput(f"{capsule} is no usable capsule: {fault}") from None


def _rebuild_report(capsule: Path, folder: Path, manifest: Manifest, on_step: OnStep) -> Rebuilt:
    places = Places(folder, folder)
    try:
        params = load_any_params(places.params)
        environment = _environment(read_environment(folder / ENVIRONMENT))
        stored = stored_law(places.scaling)
        for path in (*places.law.glob("*"), *places.report.glob("*")):
            path.unlink()
        on_step("fitting the law", 1, _STEPS)
        found = law_of_study(places, params, unscored_reason=UNSCORED)
        on_step("drawing the law", 2, _STEPS)
        write_law(places.law, found)
        on_step("writing the report", 3, _STEPS)
        if isinstance(params, PanelParams):
            build_panel_report(places, params, environment=environment)
        else:
            build_report(places, params, environment=environment)
        not_compared = _reason_not_compared(stored, found)
        differing = () if stored is None or not_compared else differences(stored, law_json(found))
        verdicts = tuple(verdict_lines(places))
    except (BadInput, WorkFailed) as error:
        raise BadInput(f"{capsule} holds a study whose report cannot be built: {_message_of(error, folder)}") from None
    except OSError as error:
        if error.errno is not None:  # an error of the disk; errors of the table reader have no errno
            raise
        raise _unreadable_records(capsule, manifest, _message_of(error, folder)) from error
    # Any content of a foreign file must end in one message: the hashes are correct, but the records are not readable.
    except (ArithmeticError, AttributeError, LookupError, NotImplementedError, TypeError, ValueError) as error:
        raise _unreadable_records(capsule, manifest, _message_of(error, folder)) from error
    return Rebuilt(manifest=manifest, verdicts=verdicts, differing=differing, not_compared=not_compared)


def _message_of(error: Exception, folder: Path) -> str:
    """Return the message of `error` without the temporary folder and without a stranger's control characters."""
    words = str(error).replace(f"{folder}/", "").strip()
    return "".join(letter if letter.isprintable() or letter == "\n" else "?" for letter in words)


def _unreadable_records(capsule: Path, manifest: Manifest, reason: str) -> BadInput:
    return BadInput(
        f"{capsule} was made by tsladder {manifest.tsladder[:40]} and holds records that this version cannot read "
        f"({reason[:200]}): rebuild it with the version that made it"
    )


def _reason_not_compared(stored: Mapping[str, Any] | None, found: StudyLaw) -> str | None:
    if stored is None:
        return "the capsule holds no law: its study had not been fitted yet"
    if stored.get("study_key") != found.study_key:
        return "the law in the capsule answers another question than its plans: it was fitted before they were changed"
    return None


def _environment(packed: PackedEnvironment) -> Environment:
    """Return the environment in which the capsule was packed, with a sentence on this machine."""
    machine = packed.machine
    there = f"{machine.system} on {machine.architecture}, {machine.processor}"
    ours = software_versions()
    with_what = ", ".join(f"{name} {ours[name]}" for name in ("tsladder", "numpy", "scipy") if name in ours)
    return Environment(
        python=packed.python,
        packages=dict(packed.packages),
        fingerprints=dict(packed.fingerprints),
        rebuilt=(
            f"Rebuilt from a study capsule: the law, every verdict and every figure were computed anew from its points "
            f"by {with_what} on Python {platform.python_version()} ({platform.system()} on {platform.machine()}). The "
            f"versions above are those where the capsule was made ({there})."
        ),
    )


def _move_into_place(folder: Path, out: Path) -> None:
    """Move the report's files and the law's own files into `out`: by one rename where `out` does not exist, otherwise
    file by file."""
    places = Places(folder, folder)
    for name in ("scaling.json", "scaling.csv"):
        (places.law / name).replace(places.report / name)
    if not out.exists():
        places.report.rename(out)
        return
    for path in sorted(places.report.iterdir()):
        path.replace(out / path.name)
