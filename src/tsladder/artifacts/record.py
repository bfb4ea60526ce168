"""JSON files <-> frozen dataclasses, checked by their annotations.

A field is a key of the same name. A field with a default may be missing in a file, and is left out of it where it has
that default. Keys that no field names are ignored. A file without `version` is of version 1; a record class of a later
version says so in the class variable `VERSION`.
"""

from __future__ import annotations

import dataclasses
import functools
import types
import typing
from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import Any, ClassVar, Protocol, TypeVar

from tsladder.artifacts.store import read_json, write_json
from tsladder.errors import WorkFailed
from tsladder.typed_yaml import BROKEN, Reader

REBUILD = "remove it and run `tsladder run`"
"""What to do about a file that a stage builds again."""


class Record(Protocol):
    """Any frozen dataclass."""

    __dataclass_fields__: ClassVar[dict[str, dataclasses.Field[Any]]]


R = TypeVar("R", bound=Record)


def read_record(kind: type[R], path: Path, *, remedy: str = REBUILD) -> R:
    """The record at `path`.

    Raises FileNotFoundError where there is no file; WorkFailed, with `remedy`, where it is damaged, has another version
    or a missing or wrong field.
    """
    return record_of(kind, read_json(path), source=str(path), remedy=remedy)


def record_of(kind: type[R], value: object, *, source: str, remedy: str = REBUILD) -> R:
    """The record that the JSON `value` from `source` says. Raises WorkFailed as `read_record` does."""
    check_version(value, latest=getattr(kind, "VERSION", 1), source=source, remedy=remedy)
    reader = RecordReader()
    record: R = reader.read(kind, value, "")
    if reader.faults:
        more = f" (and {len(reader.faults) - 1} more)" if len(reader.faults) > 1 else ""
        raise WorkFailed(f"{source}: {reader.faults[0]}{more}; {remedy}")
    return record


def check_version(value: object, *, latest: int, source: str, remedy: str = REBUILD) -> None:
    """Raise WorkFailed where the JSON object `value` has a version that this code does not know."""
    version = value.get("version", 1) if isinstance(value, Mapping) else 1
    if type(version) is not int or not 1 <= version <= latest:
        known = "version 1" if latest == 1 else f"versions 1 to {latest}"
        raise WorkFailed(
            f"{source} has version {version!r}, and this tsladder reads {known}: use the newer tsladder that wrote it, "
            f"or {remedy} with this one"
        )


def write_record(path: Path, record: Record, *, durable: bool = True) -> None:
    """Replace the file `path` by `record`."""
    write_json(path, json_of(record), durable=durable)


def json_of(record: Record) -> dict[str, Any]:
    """The JSON object of `record`; the inverse of `record_of`."""
    version = getattr(record, "VERSION", 1)
    content: dict[str, Any] = _plain(record)
    return content if version == 1 else {"version": version} | content


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value):
        pairs = ((field, getattr(value, field.name)) for field in dataclasses.fields(value))
        return {field.name: _plain(item) for field, item in pairs if not _is_default(field, item)}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value


def _is_default(field: dataclasses.Field[Any], value: Any) -> bool:
    if field.default_factory is not dataclasses.MISSING:
        return bool(value == field.default_factory())
    return field.default is not dataclasses.MISSING and value == field.default and type(value) is type(field.default)


@functools.cache
def _fields_of(kind: type) -> tuple[tuple[str, Any, bool], ...]:
    """Name, type and whether it must stand in the file, of every field of the dataclass `kind`."""
    hints = typing.get_type_hints(kind, include_extras=True)
    missing = dataclasses.MISSING
    return tuple(
        (field.name, hints[field.name], field.default is missing and field.default_factory is missing)
        for field in dataclasses.fields(kind)
    )


class RecordReader(Reader):
    """Builds frozen dataclasses from JSON. Unlike a section of params.yaml, a record may hold keys that this code does
    not know, empty lists and objects, enumerations and values of any type."""

    def read(self, kind: Any, raw: object, path: str) -> Any:
        if kind is Any or kind is object:
            return raw
        if kind is float and type(raw) is int:
            return raw
        if isinstance(kind, type) and issubclass(kind, Enum):
            known = [item.value for item in kind]
            return kind(raw) if raw in known else self.fault(path, f"must be one of {', '.join(known)}, got {raw!r}")
        if isinstance(kind, types.GenericAlias) and typing.get_origin(kind) in (dict, list):
            raise TypeError(f"a frozen record has Mapping and tuple, not {kind}")
        return super().read(kind, raw, path)

    def _read_tuple(self, kinds: tuple[Any, ...], raw: object, path: str) -> Any:
        if not isinstance(raw, list):
            return self.fault(path, f"must be a list, got {raw!r}")
        if kinds[-1] is not Ellipsis and len(raw) != len(kinds):
            return self.fault(path, f"must be a list of {len(kinds)} values, got {raw!r}")
        each = kinds if kinds[-1] is not Ellipsis else (kinds[0],) * len(raw)
        values = [
            self.read(kind, item, f"{path}[{index}]") for index, (kind, item) in enumerate(zip(each, raw, strict=True))
        ]
        return BROKEN if any(value is BROKEN for value in values) else tuple(values)

    def _read_mapping(self, kind: Any, raw: object, path: str) -> Any:
        if not isinstance(raw, dict):
            return self.fault(path, f"must be an object, got {raw!r}")
        return {key: self.read(kind, value, f"{path}.{key}" if path else key) for key, value in raw.items()}

    def _read_section(self, kind: type, raw: object, path: str) -> Any:
        if not isinstance(raw, dict):
            return self.fault(path, f"must be an object, got {raw!r}")
        values = {}
        for name, hint, needed in _fields_of(kind):
            if name in raw:
                values[name] = self.read(hint, raw[name], f"{path}.{name}" if path else name)
            elif needed:
                values[name] = self.fault(f"{path}.{name}" if path else name, "is missing")
        return BROKEN if any(value is BROKEN for value in values.values()) else kind(**values)
