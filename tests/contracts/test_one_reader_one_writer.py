"""A file of a study has one typed record with one reader and one writer, in artifacts/: nobody else parses it."""

from __future__ import annotations

import ast
import functools
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.contracts import trees
from tests.contracts.trees import FILES, PACKAGE, ROOT

ARTIFACTS = PACKAGE / "artifacts"
OUTSIDE = [path for path in FILES if not path.is_relative_to(ARTIFACTS)]

RECORDS = (
    "adopted.json",
    "all_trials.json",
    "audit.json",
    "best_params.json",
    "choice.json",
    "coverage.json",
    "environment.json",
    "folds.json",
    "ingestion.json",
    "inputs.json",
    "lag.json",
    "manifests.json",
    "metrics.json",
    "outcome.json",
    "plan.json",
    "pretraining.json",
    "progress.json",
    "scores.json",
    "selection.json",
    "splits.json",
    "spool.jsonl",
    "status.json",
    "summary.json",
    "training.json",
    "transfer.json",
    "trials.jsonl",
)
"""Names that stand in artifacts/ and in the table of paths, and nowhere else."""

PARSE_THEMSELVES = {
    "capsule/manifest.py": "a capsule comes from elsewhere: repeated keys and numbers that are none are refused",
    "capsule/privacy.py": "cleans whatever text a file holds",
    "data/manifest.py": "the record of ingestion beside a user's bars, which may be anything",
    "law/reading/sheet.py": "a user's table",
    "panel/cube_reader.py": "the metadata of a cube, a cache of this machine",
    "panel/file.py": "the manifest in the metadata of a panel's Parquet file, which comes from elsewhere",
    "planning/calibration.py": "measurements of this machine, no file of a study",
    "planning/same_numbers.py": "a table of this package",
    "planning/sources.py": "a cache of this machine, no file of a study",
    "search/study.py": "Optuna's journal",
    "status/run_cache.py": "DVC's cache",
    "status/rwlock.py": "DVC's lock",
    "tracking/law_model.py": "the model of the law in MLflow, loaded without this package's files",
    "tracking/views.py": "a view in MLflow",
    "training/state_file.py": "the header of a checkpoint of a training under way",
}
"""Module -> what it parses that is no record of artifacts/."""


def name_of(path: Path) -> str:
    return path.relative_to(PACKAGE if path.is_relative_to(PACKAGE) else ROOT).as_posix()


def nodes(path: Path) -> tuple[ast.AST, ...]:
    return trees.nodes(trees.text(path))


@functools.cache
def texts(path: Path) -> tuple[str, ...]:
    """Whole string constants of a module."""
    constants = (node.value for node in nodes(path) if isinstance(node, ast.Constant))
    return tuple(value for value in constants if isinstance(value, str))


LOADS = ("load", "loads")


@functools.cache
def parses_json(path: Path) -> bool:
    """Does a module call `read_json`, hand it on, or use `json.load` or `json.loads`?"""
    for node in nodes(path):
        if isinstance(node, ast.Name) and node.id == "read_json":
            return True
        if isinstance(node, ast.Attribute) and node.attr in LOADS and ast.unparse(node) in ("json.load", "json.loads"):
            return True
    return False


def classes(path: Path) -> Iterator[str]:
    for node in nodes(path):
        if isinstance(node, ast.ClassDef):
            yield node.name


@pytest.mark.parametrize("record", RECORDS)
def test_the_name_of_a_record_stands_in_artifacts_and_in_the_table_of_paths_only(record: str) -> None:
    holders = [path for path in OUTSIDE if any(text == record or text.endswith(f"/{record}") for text in texts(path))]
    assert [name_of(path) for path in holders if name_of(path) != "places.py"] == []


def test_json_is_parsed_in_artifacts_or_for_a_reason_that_is_listed() -> None:
    found = {name_of(path) for path in OUTSIDE if parses_json(path)}
    assert found - set(PARSE_THEMSELVES) == set()


def test_no_reason_is_listed_for_a_module_that_parses_nothing() -> None:
    found = {name_of(path) for path in OUTSIDE if parses_json(path)}
    assert set(PARSE_THEMSELVES) - found == set()


def test_a_record_class_exists_once() -> None:
    known = Counter(name for path in FILES for name in classes(path))
    own = {name for path in ARTIFACTS.glob("*.py") for name in classes(path)}
    assert {name for name in own if known[name] > 1} == set()
