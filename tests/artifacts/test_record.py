from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, ClassVar

import pytest

from tsladder.artifacts.record import NanIfNull, OmitNone, Rest, json_of, read_record, record_of, write_record
from tsladder.errors import WorkFailed


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


@dataclass(frozen=True, kw_only=True, slots=True)
class Inner:
    pair: tuple[float, float]
    losses: tuple[float, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Outer:
    colour: Colour
    inner: Mapping[str, Inner]
    free: Any
    level: float | None
    reason: Annotated[str | None, OmitNone()] = None
    older: int = 7


@dataclass(frozen=True, kw_only=True, slots=True)
class Open:
    level: float
    rest: Annotated[Mapping[str, Any], Rest()] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Newer:
    VERSION: ClassVar[int] = 2
    level: float


WRITTEN = {
    "colour": "blue",
    "free": {"a": [1]},
    "inner": {"1": {"losses": [], "pair": [1, 0.5]}},
    "level": None,
    "older": 8,
}


def test_a_record_comes_back_as_it_was_and_leaves_the_same_bytes(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps(WRITTEN, indent=1, sort_keys=True) + "\n")
    record = read_record(Outer, path)
    assert record.colour is Colour.BLUE
    assert record.inner["1"] == Inner(pair=(1, 0.5), losses=())
    assert record.reason is None
    before = path.read_bytes()
    write_record(path, record)
    assert path.read_bytes() == before


def test_a_field_with_a_default_may_be_missing_and_is_written_again() -> None:
    record = record_of(Outer, {key: value for key, value in WRITTEN.items() if key != "older"}, source="a.json")
    assert record.older == 7
    assert json_of(record) == WRITTEN | {"older": 7}


def test_the_rest_holds_what_no_field_names_and_is_written_beside_the_fields() -> None:
    record = record_of(Open, {"level": 1.0, "of_a_task": [1]}, source="a.json")
    assert record == Open(level=1.0, rest={"of_a_task": [1]})
    assert json_of(record) == {"level": 1.0, "of_a_task": [1]}


def test_a_key_that_no_field_names_is_ignored() -> None:
    assert json_of(record_of(Outer, WRITTEN | {"later": 1}, source="a.json")) == WRITTEN


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"colour": "green"}, "colour: must be one of red, blue, got 'green'"),
        ({"level": "high"}, "level: must be a number or null, got 'high'"),
        ({"inner": {"1": {"losses": [1.0]}}}, "inner.1.pair: is missing"),
        (
            {"inner": {"1": {"losses": [1.0, "x"], "pair": [1.0, 2.0]}}},
            r"inner.1.losses\[1\]: must be a number, got 'x'",
        ),
        ({"inner": {"1": {"losses": [], "pair": [1.0]}}}, r"inner.1.pair: must be a list of 2 values, got \[1.0\]"),
        ({"inner": 3}, "inner: must be an object, got 3"),
    ],
)
def test_a_wrong_field_is_one_message_with_file_key_and_what_to_do(change: dict[str, Any], fault: str) -> None:
    with pytest.raises(WorkFailed, match=f"^a.json: {fault}; remove it and run `tsladder run`$"):
        record_of(Outer, WRITTEN | change, source="a.json")


@pytest.mark.parametrize("version", [2, 0, "1", None])
def test_an_unknown_version_is_refused_with_what_to_run(version: object) -> None:
    with pytest.raises(WorkFailed, match=r"^a.json has version .*reads version 1: use the newer tsladder that"):
        record_of(Outer, WRITTEN | {"version": version}, source="a.json")


def test_a_later_version_is_written_and_earlier_ones_are_read() -> None:
    assert json_of(Newer(level=1.0)) == {"version": 2, "level": 1.0}
    assert record_of(Newer, {"level": 1.0}, source="a.json") == Newer(level=1.0)
    assert record_of(Newer, {"level": 1.0, "version": 2}, source="a.json") == Newer(level=1.0)


@dataclass(frozen=True, kw_only=True, slots=True)
class Beyond:
    number: Annotated[float, NanIfNull()]
    ends: Annotated[tuple[float, float], NanIfNull()]
    unknown: float | None


def test_a_number_that_may_be_null_is_read_as_nan_and_another_null_is_refused() -> None:
    found = record_of(Beyond, {"number": None, "ends": None, "unknown": None}, source="file")
    assert math.isnan(found.number)
    assert all(map(math.isnan, found.ends))
    assert found.unknown is None
    with pytest.raises(WorkFailed, match=r"ends\[0\]"):
        record_of(Beyond, {"number": 1.5, "ends": [None, 1.0], "unknown": 1}, source="file")
