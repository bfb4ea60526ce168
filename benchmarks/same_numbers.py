"""Show that the code in use makes the same numbers as earlier code, and write that down.

    python benchmarks/same_numbers.py BEFORE AFTER --proof "default study, 2026-11-28, 2 cores, AMD EPYC"

BEFORE and AFTER are checkouts (or their artifacts/ folders) in which the same study was trained from nothing, by the
earlier code and by the code in use. Where every choice, model, score and forecast is equal bit for bit, the
fingerprints of the code in use become `after` in src/tsladder/planning/same_numbers.json, and cells that users trained
with the earlier code stay fresh. Anything that differs is named, and nothing is written.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from pathlib import Path

from tsladder.artifacts.store import write_text
from tsladder.planning.fingerprint import Code, module_fingerprints
from tsladder.planning.same_numbers import TABLE, same_numbers
from tsladder.planning.stage_code import NUMBER_MAKERS, TRAINING

PATTERNS = (
    "hpo/*/choice.json",
    "models/*/*/model.safetensors",
    "scores/*/predictions.parquet",
    "scores/*/scores.json",
    "supplementary/*/summary.json",
    "transfer/**/*",
)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("before", type=Path)
    parser.add_argument("after", type=Path)
    parser.add_argument("--proof", required=True, help="which study, when, on what")
    asked = parser.parse_args()
    before, after = (
        outputs(path if path.name == "artifacts" else path / "artifacts") for path in (asked.before, asked.after)
    )
    if not any(name.endswith("model.safetensors") for name in before):
        print(f"{asked.before} holds no trained model: give a checkout with a finished study", file=sys.stderr)
        return 2
    differing = sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
    if differing:
        print(
            f"{len(differing)} of {len(before)} outputs differ, nothing is written:",
            *differing[:20],
            sep="\n  ",
            file=sys.stderr,
        )
        return 1
    kinds = Counter(path.rsplit("/", 1)[-1] for path in before)
    told = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
    record = json.loads(TABLE.read_text(encoding="utf-8"))
    record |= {"proof": f"{asked.proof}: {told}, all equal", "after": fingerprints()}
    write_text(TABLE, json.dumps(record, indent=1, sort_keys=True) + "\n")
    print(f"equal: {told}; written to {TABLE}")
    return 0


def outputs(artifacts: Path) -> dict[str, bytes]:
    """What a study has made: choices, models and forecasts as they are, scores without the key of their question."""
    found = {}
    for pattern in PATTERNS:
        for path in artifacts.glob(pattern):
            if path.is_dir():
                continue
            content = path.read_bytes()
            if path.name == "scores.json":
                content = json.dumps(
                    {key: value for key, value in json.loads(content).items() if key != "key"}
                ).encode()
            found[path.relative_to(artifacts).as_posix()] = content
    return found


def fingerprints() -> dict[str, str]:
    """Of every module that makes numbers in a stage of the table, by any strategy, family and task."""
    roots = {name for stage in same_numbers().before for name in NUMBER_MAKERS.get(stage, TRAINING)}
    return module_fingerprints(sorted(roots | loaded_by_name()), Code.in_use().source)


def loaded_by_name() -> set[str]:
    """Modules of all strategies, families and tasks."""
    rooms = ("tsladder.search.strategies", "tsladder.families", "tsladder.tasks")
    folders = {room: Code.in_use().source.joinpath(*room.split(".")) for room in rooms}
    return {f"{room}.{path.stem}" for room, folder in folders.items() for path in folder.glob("[!_]*.py")}


if __name__ == "__main__":
    sys.exit(main())
