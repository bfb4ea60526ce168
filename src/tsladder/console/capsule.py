"""Pack a study into a capsule, and rebuild its report, for `tsladder export` and `tsladder report`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tsladder.artifacts.law import read_law
from tsladder.artifacts.store import if_there
from tsladder.capsule.differences import Difference, DifferenceKind
from tsladder.capsule.pack import pack_study, refuse_existing
from tsladder.capsule.rebuild import rebuild
from tsladder.console.outcome_lines import outcome_lines
from tsladder.console.progress import progress
from tsladder.errors import BadInput, WorkFailed
from tsladder.law.wording import counted
from tsladder.messages import print_message
from tsladder.params import load_any_params
from tsladder.params.cells import refuse_without_cells
from tsladder.places import Places
from tsladder.status.study_state import study_state

_MOST_DIFFERENCES = 40


def export_here(places: Places, path: Path, *, force: bool) -> list[str]:
    """Pack the study into `path` and return the lines to print. Notes on cells that are not fresh go to stderr. Raises
    BadInput, WorkFailed."""
    params = load_any_params(places.params)
    refuse_without_cells(params, "export")
    refuse_existing(path, force=force)
    with progress("packing the study") as on_step:
        states = {name: cell.state for name, cell in study_state(places).cells.items() if cell.state != "not_planned"}
        manifest = pack_study(places, params, states, path, force=force, on_step=on_step)
    _note_states(manifest.not_fresh, "this capsule")
    law = if_there(read_law)(places.scaling)
    if law is None or law.study_key != manifest.study_key:
        _note("the law of this study is missing or out of date; `tsladder run` fits it")
    size = f"{len(manifest.members)} files in {path.stat().st_size / 2**20:.1f} MiB"
    return [
        f"{path}: study {manifest.study}, {size}, key {manifest.study_key[:16]}",
        f"On any machine with tsladder: tsladder report --from {path.name}",
    ]


def report_here(places: Places) -> list[str]:
    """Return the verdicts of the study in this folder, in a panel study also the level to beat, and the path of its
    report. Raises BadInput, WorkFailed."""
    state = study_state(places)
    report = places.report / "report.md"
    if not report.exists():
        raise WorkFailed(
            "there is no report here yet: `tsladder run` builds it; of a capsule: `tsladder report --from STUDY.zip`"
        )
    _note_states(
        {name: cell.state for name, cell in state.cells.items() if cell.state in ("stale", "pending", "running")},
        "this report",
    )
    return [*outcome_lines(places, state), "", f"Report: {report} and report.html beside it"]


def report_from(capsule: Path, out: Path | None, *, force: bool) -> tuple[list[str], int]:
    """Rebuild the report of `capsule`; return the lines to print and the exit code, 1 where its law came out
    differently."""
    folder = Path.cwd() / capsule.name.removesuffix(".zip") if out is None else out
    with progress(f"rebuilding {capsule.name}") as on_step:
        built = rebuild(capsule, folder, force=force, on_step=on_step)
    _note_states(built.manifest.not_fresh, "this capsule")
    lines = [*(_printable(line) for line in built.verdicts), ""]
    if built.not_compared is not None:
        _note(built.not_compared)
    differing = [str(found) for found in built.differing if found.kind is DifferenceKind.VALUE]
    if differing:
        lines += _differences(differing, built.manifest.tsladder)
    elif built.not_compared is None:
        lines.append("Every verdict and every number of the law is as stored in the capsule.")
        _note_words(built.differing)
    lines.append(f"Report: {folder / 'report.md'} and report.html beside it")
    return lines, 1 if differing else 0


def _note_words(found: Sequence[Difference]) -> None:
    """Print a note on sentences that another version of tsladder worded differently, and on fields that it did not
    have."""
    words, added = (sum(each.kind is kind for each in found) for kind in (DifferenceKind.WORDS, DifferenceKind.ADDED))
    changes = [
        *([f"words {counted(words, 'sentence')} differently, with the same figures"] if words else []),
        *([f"has {counted(added, 'field')} more"] if added else []),
    ]
    if changes:
        _note(f"this version {' and '.join(changes)} than the one that made the capsule")


def _differences(differing: Sequence[str], made_by: str) -> list[str]:
    left = len(differing) - _MOST_DIFFERENCES
    return [
        f"THE LAW DIFFERS from the one stored by tsladder {made_by} in {len(differing)} fields:",
        *(f"  {_printable(line)}" for line in differing[:_MOST_DIFFERENCES]),
        *([f"  and {left} more"] if left > 0 else []),
    ]


def _note_states(states: dict[str, str], what: str) -> None:
    if states:
        by_state: dict[str, list[str]] = {}
        for name, state in states.items():
            by_state.setdefault(state, []).append(name)
        listed = "; ".join(f"{state}: {', '.join(names)}" for state, names in sorted(by_state.items()))
        _note(f"{what} shows the files on disk, and some cells are not up to date ({listed})")


def _note(text: str) -> None:
    print_message(f"note: {text}")


def _printable(text: str) -> str:
    """Return text from a stranger's file without characters that would control a terminal."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def refuse_out_without_capsule(out: Path | None, *, force: bool) -> None:
    """Raise BadInput for --out or --force without --from, where nothing is written."""
    if out is not None or force:
        raise BadInput(
            "--out and --force go with --from: without a capsule `tsladder report` shows the report that is there, and "
            "`tsladder run` builds it"
        )
