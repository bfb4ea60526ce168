"""Map the file of a cube, and check every byte of it on request."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tsladder.panel.cube_format import (
    DTYPES,
    LAYOUT,
    METADATA,
    CubeRecord,
    DamagedCube,
    Field,
    UnusableCube,
    arrow_type,
    frame_crc32,
)

if TYPE_CHECKING:
    import pyarrow as pa

_MAGIC = b"ARROW1"


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class MappedCube:
    """Open cube. `arrays`: field -> its values of all sessions, [T, *shape], read-only views of the mapped file."""

    record: CubeRecord
    arrays: Mapping[str, NDArray[Any]]


def map_cube(path: Path, key: str) -> MappedCube:
    """Map the cube at `path` and check its magic bytes, key, size and counts. No value is read.

    Raises UnusableCube where the file is another one or not whole, FileNotFoundError where there is none.
    """
    import pyarrow as pa

    buffer, reader, record = _opened(path)
    if record.key != key:
        raise UnusableCube(f"{path} is a cube of another question (key {record.key[:16]}, not {key[:16]})")
    sessions = len(record.dates)
    if reader.num_record_batches != sessions or len(record.crc32_T) != sessions or sessions == 0:
        raise UnusableCube(f"{path} has {reader.num_record_batches} sessions, and its record names {sessions}")
    try:
        places = _places(buffer, reader.get_batch(0), record, 0)
        if places != _places(buffer, reader.get_batch(sessions - 1), record, sessions - 1):
            raise UnusableCube(f"{path} is damaged: its sessions do not lie where its record says")
    except (OSError, pa.ArrowException, ValueError, KeyError, IndexError) as error:
        raise UnusableCube(f"{path} is damaged: {_first_words(error)}") from None
    arrays = {field.name: _all_sessions(buffer, field, places[field.name], record) for field in record.fields}
    return MappedCube(record=record, arrays=arrays)


def verify_cube(path: Path) -> int:
    """Read every byte of the cube at `path` and check every CRC32; return the number of bytes.

    Raises DamagedCube that names the first session whose bytes differ, UnusableCube where the file is not whole,
    FileNotFoundError where there is none.
    """
    buffer, _, record = _opened(path)
    view = memoryview(buffer)
    starts = range(record.first_byte, record.after_batches, record.batch_bytes)
    for date, start, crc32 in zip(record.dates, starts, record.crc32_T, strict=True):
        if zlib.crc32(view[start : start + record.batch_bytes]) != crc32:
            raise DamagedCube(f"{path} is damaged: the bytes of {date} are not those that were written (CRC32)")
    frame = bytes(view[: record.first_byte]), bytes(view[record.after_batches :])
    if frame_crc32(frame, record) != record.frame_crc32:
        raise DamagedCube(f"{path} is damaged: its header or footer is not the one that was written (CRC32)")
    return len(view)


def _opened(path: Path) -> tuple[pa.Buffer, pa.ipc.RecordBatchFileReader, CubeRecord]:
    """Return the mapped bytes, their reader and their record. Raises UnusableCube where the file is not whole."""
    import pyarrow as pa

    if not path.exists():
        raise FileNotFoundError(f"{path} does not exist")
    try:
        with pa.memory_map(str(path)) as source:
            buffer = source.read_buffer()
    except (OSError, pa.ArrowException, ValueError) as error:
        raise UnusableCube(f"{path} cannot be mapped: {_first_words(error)}") from None
    view = memoryview(buffer)
    if len(view) < 2 * len(_MAGIC) or view[: len(_MAGIC)] != _MAGIC or view[-len(_MAGIC) :] != _MAGIC:
        raise UnusableCube(f"{path} is no whole Arrow file: it was cut off or overwritten")
    try:
        reader = pa.ipc.open_file(buffer)
        held = json.loads((reader.schema.metadata or {})[METADATA])
        if held.pop("layout") != LAYOUT:
            raise UnusableCube(f"{path} is a cube of another layout than {LAYOUT}, which this program reads")
        record = CubeRecord.from_json(held)
    except (OSError, pa.ArrowException, ValueError, KeyError, TypeError) as error:
        raise UnusableCube(f"{path} is damaged: its record cannot be read ({_first_words(error)})") from None
    if record.size != len(view):
        raise UnusableCube(f"{path} has {len(view):,} bytes and should have {record.size:,}: it was cut off")
    if not _fits(record):
        raise UnusableCube(f"{path} is damaged: its batches do not fit into it")
    return buffer, reader, record


def _fits(record: CubeRecord) -> bool:
    counts = len(record.crc32_T) == len(record.dates) and len(record.dates) > 0
    return counts and record.first_byte > 0 and record.batch_bytes > 0 and record.after_batches < record.size


def _places(buffer: pa.Buffer, batch: pa.RecordBatch, record: CubeRecord, row: int) -> dict[str, int]:
    """Return field -> byte of its values, counted from the beginning of the batch of `row`."""
    start = buffer.address + record.first_byte + row * record.batch_bytes
    found = {}
    for field in record.fields:
        values = batch.column(field.name).values
        if len(values) != field.values or values.type != arrow_type(field):
            raise ValueError(f"{field.name} has {len(values)} values a session and should have {field.values}")
        found[field.name] = values.buffers()[1].address - start
    return found


def _all_sessions(buffer: pa.Buffer, field: Field, place: int, record: CubeRecord) -> NDArray[Any]:
    dtype = DTYPES[field.dtype]
    within = np.empty(field.shape, dtype=dtype).strides
    return np.ndarray(
        (len(record.dates), *field.shape),
        dtype=dtype,
        buffer=buffer,
        offset=record.first_byte + place,
        strides=(record.batch_bytes, *within),
    )


def _first_words(error: BaseException) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
