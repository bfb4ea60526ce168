"""Arrow file of a cube: one record batch a session, uncompressed, with a record of the whole in its metadata.

Each field of a batch is one fixed-size list, so that all batches have the same bytes in the same places, and a field of
all sessions is one array with a constant step between sessions, read where it lies in the file. The record names the
key, what the axes hold and the CRC32 of every batch. Two fields of it are filled in after everything else is written:
the size of the file, and the CRC32 of the bytes around the batches, taken with those eight digits as zeros.
"""

from __future__ import annotations

import dataclasses
import fcntl
import json
import os
import uuid
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from tsladder.errors import WorkFailed

if TYPE_CHECKING:
    import pyarrow as pa

LAYOUT = 1

_METADATA = b"tsladder.cube"
_MAGIC = b"ARROW1"
_DATE = "date"
_SIZE_DIGITS, _CRC_DIGITS = 15, 8
_DTYPES = {"float32": np.dtype("<f4"), "uint8": np.dtype("u1"), "int16": np.dtype("<i2")}


class UnusableCube(WorkFailed):
    """Cube that is not the one asked for, or not whole: it has to be built again."""


class DamagedCube(UnusableCube):
    """Cube whose bytes are not those that were written."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Field:
    """One list a session: `shape` of its values, for example (stocks, columns), and their `dtype` (float32, uint8 or
    int16)."""

    name: str
    dtype: str
    shape: tuple[int, ...]

    @property
    def values(self) -> int:
        return int(np.prod(self.shape))


@dataclass(frozen=True, kw_only=True, slots=True)
class CubeRecord:
    """Contents of a cube. `first_byte`: where its first batch begins; each has `batch_bytes`. `crc32_T`: of each
    batch. `columns`, `symbols`, `dates` (ISO), `horizons`: what the axes hold."""

    key: str
    fields: tuple[Field, ...]
    columns: tuple[str, ...]
    symbols: tuple[str, ...]
    dates: tuple[str, ...]
    horizons: tuple[int, ...]
    first_byte: int
    batch_bytes: int
    crc32_T: tuple[int, ...]
    size: int
    frame_crc32: str

    def to_json(self) -> dict[str, Any]:
        return dataclasses.asdict(self) | {"size": f"{self.size:0{_SIZE_DIGITS}}"}

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> CubeRecord:
        """Inverse of `to_json`. Raises KeyError, TypeError or ValueError for what is no such record."""
        lists = {name: tuple(record[name]) for name in ("columns", "symbols", "dates", "horizons", "crc32_T")}
        fields = tuple(Field(**{**field, "shape": tuple(field["shape"])}) for field in record["fields"])
        numbers = {name: int(record[name]) for name in ("first_byte", "batch_bytes", "size")}
        return cls(key=record["key"], fields=fields, frame_crc32=record["frame_crc32"], **lists, **numbers)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class MappedCube:
    """Open cube. `arrays`: field -> its values of all sessions, [T, *shape], read-only views of the mapped file."""

    record: CubeRecord
    arrays: Mapping[str, NDArray[Any]]


def write_cube(
    path: Path,
    arrays: Mapping[str, NDArray[Any]],
    *,
    key: str,
    columns: Sequence[str],
    symbols: Sequence[str],
    dates_T: NDArray[np.datetime64],
    horizons: Sequence[int],
) -> None:
    """Write field -> values [T, ...] (float32, uint8 or int16, C-contiguous) as the cube `path`.

    A reader sees no file or the whole one, however this process ends, and several processes may write the same cube at
    once. Raises WorkFailed where the file cannot be written.
    """
    fields = tuple(Field(name=name, dtype=str(x.dtype), shape=x.shape[1:]) for name, x in arrays.items())
    record = CubeRecord(
        key=key,
        fields=fields,
        columns=tuple(columns),
        symbols=tuple(symbols),
        dates=tuple(str(date) for date in dates_T.astype("datetime64[D]")),
        horizons=tuple(horizons),
        first_byte=0,
        batch_bytes=0,
        crc32_T=(),
        size=0,
        frame_crc32="0" * _CRC_DIGITS,
    )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _remove_parts(path)
        with _part(path) as stream:
            _write(stream, _with_batches(record, arrays), arrays)
            os.fsync(stream.fileno())
            Path(stream.name).replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        raise WorkFailed(f"{path} cannot be written: {error.strerror or error}") from None


def map_cube(path: Path, key: str) -> MappedCube:
    """Map the cube at `path`, having looked at its ends, its key, its size and its counts: no value is read.

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
    starts = range(record.first_byte, record.first_byte + len(record.dates) * record.batch_bytes, record.batch_bytes)
    for date, start, crc32 in zip(record.dates, starts, record.crc32_T, strict=True):
        if zlib.crc32(view[start : start + record.batch_bytes]) != crc32:
            raise DamagedCube(f"{path} is damaged: the bytes of {date} are not those that were written (CRC32)")
    if _frame_crc32(view, record) != record.frame_crc32:
        raise DamagedCube(f"{path} is damaged: its header or footer is not the one that was written (CRC32)")
    return len(view)


# --------------------------------------------------------------------------- writing


def _write(stream: BinaryIO, record: CubeRecord, arrays: Mapping[str, NDArray[Any]]) -> None:
    import pyarrow as pa

    schema = _schema(record)
    sink = pa.PythonFile(stream, mode="w")
    with pa.ipc.new_file(sink, schema) as writer:
        for batch in _batches(schema, record, arrays):
            writer.write_batch(batch)
    sink.flush()
    stream.flush()
    record = dataclasses.replace(record, size=stream.tell())
    zeros = _digits(dataclasses.replace(record, size=0))
    _overwrite(stream, record, zeros, _digits(record))
    stream.seek(0)
    frame_crc32 = _frame_crc32_of(_frame(stream, record), record)
    _overwrite(stream, record, _digits(record), _digits(dataclasses.replace(record, frame_crc32=frame_crc32)))
    stream.flush()


def _with_batches(record: CubeRecord, arrays: Mapping[str, NDArray[Any]]) -> CubeRecord:
    """`record` with the places, sizes and CRC32 of the batches of `arrays`."""
    import pyarrow as pa

    schema = _schema(record)
    crcs, sizes, first = [], set(), None
    for batch in _batches(schema, record, arrays):
        message = batch.serialize()
        crcs.append(zlib.crc32(message))
        sizes.add(len(message))
        first = batch if first is None else first
    (batch_bytes,) = sizes
    record = dataclasses.replace(record, batch_bytes=batch_bytes, crc32_T=tuple(crcs))
    # The header's length depends on the digits of its own end: those are the same when it is measured with them.
    for _ in range(4):
        sink = pa.MockOutputStream()
        with pa.ipc.new_file(sink, _schema(record)) as writer:
            writer.write_batch(first)
            header = sink.size() - batch_bytes
        if header == record.first_byte:
            return record
        record = dataclasses.replace(record, first_byte=header)
    raise ValueError("the header of a cube has no stable length")


def _schema(record: CubeRecord) -> pa.Schema:
    import pyarrow as pa

    text = json.dumps({"layout": LAYOUT, **record.to_json()}, allow_nan=False)
    lists = [
        pa.field(field.name, pa.list_(pa.field("item", _arrow_type(field), nullable=False), field.values), False)
        for field in record.fields
    ]
    return pa.schema([pa.field(_DATE, pa.date32(), False), *lists], metadata={_METADATA: text.encode()})


def _arrow_type(field: Field) -> pa.DataType:
    import pyarrow as pa

    return pa.from_numpy_dtype(_DTYPES[field.dtype])


def _batches(
    schema: pa.Schema, record: CubeRecord, arrays: Mapping[str, NDArray[Any]]
) -> Iterator[pa.RecordBatch]:
    """One batch a session, of views of `arrays`."""
    import pyarrow as pa

    days_T = np.array(record.dates, dtype="datetime64[D]").astype(np.int32)
    for row in range(len(days_T)):
        columns = [pa.array(days_T[row : row + 1], type=pa.date32())]
        for field in record.fields:
            values = pa.array(arrays[field.name][row].reshape(-1))
            columns.append(pa.FixedSizeListArray.from_arrays(values, type=schema.field(field.name).type))
        yield pa.RecordBatch.from_arrays(columns, schema=schema)


def _digits(record: CubeRecord) -> bytes:
    """The part of the record's text that is filled in at the end."""
    text = {"size": f"{record.size:0{_SIZE_DIGITS}}", "frame_crc32": record.frame_crc32}
    return json.dumps(text)[1:-1].encode()


def _overwrite(stream: BinaryIO, record: CubeRecord, old: bytes, new: bytes) -> None:
    """Replace `old`, which header and footer have once each, by `new`."""
    for start, part in _frame(stream, record):
        place = part.index(old)
        stream.seek(start + place)
        stream.write(new)
    stream.flush()


def _frame(stream: BinaryIO, record: CubeRecord) -> list[tuple[int, bytes]]:
    """Header and footer, each after the byte it begins at."""
    stream.seek(0)
    header = stream.read(record.first_byte)
    after = record.first_byte + len(record.dates) * record.batch_bytes
    stream.seek(after)
    return [(0, header), (after, stream.read())]


def _frame_crc32_of(frame: Sequence[tuple[int, bytes]], record: CubeRecord) -> str:
    blank = _digits(dataclasses.replace(record, frame_crc32="0" * _CRC_DIGITS))
    crc32 = 0
    for _, part in frame:
        crc32 = zlib.crc32(part.replace(_digits(record), blank), crc32)
    return f"{crc32:0{_CRC_DIGITS}x}"


def _frame_crc32(view: memoryview, record: CubeRecord) -> str:
    after = record.first_byte + len(record.dates) * record.batch_bytes
    return _frame_crc32_of([(0, bytes(view[: record.first_byte])), (after, bytes(view[after:]))], record)


@contextmanager
def _part(path: Path) -> Iterator[BinaryIO]:
    """File beside `path` that is open and locked for as long as this process lives, and gone after the block."""
    part = path.with_name(f".{path.name}.{os.getpid()}-{uuid.uuid4().hex[:8]}.part")
    with part.open("xb+") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        try:
            yield stream
        finally:
            part.unlink(missing_ok=True)


def _remove_parts(path: Path) -> None:
    """Remove the unfinished files of `path` whose writers were killed: nobody holds their locks."""
    for part in path.parent.glob(f".{path.name}.*.part"):
        with suppress(FileNotFoundError, BlockingIOError), part.open("rb") as stream:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            part.unlink()


def _sync_folder(folder: Path) -> None:
    """Wait until the names in `folder` are on disk."""
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


# --------------------------------------------------------------------------- reading


def _opened(path: Path) -> tuple[pa.Buffer, pa.ipc.RecordBatchFileReader, CubeRecord]:
    """The mapped bytes, their reader and their record. Raises UnusableCube where the file is not whole."""
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
        held = json.loads((reader.schema.metadata or {})[_METADATA])
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
    ends = record.first_byte + len(record.dates) * record.batch_bytes
    return counts and record.first_byte > 0 and record.batch_bytes > 0 and ends < record.size


def _places(buffer: pa.Buffer, batch: pa.RecordBatch, record: CubeRecord, row: int) -> dict[str, int]:
    """Field -> byte of its values, counted from the beginning of the batch of `row`."""
    start = buffer.address + record.first_byte + row * record.batch_bytes
    found = {}
    for field in record.fields:
        values = batch.column(field.name).values
        if len(values) != field.values or values.type != _arrow_type(field):
            raise ValueError(f"{field.name} has {len(values)} values a session and should have {field.values}")
        found[field.name] = values.buffers()[1].address - start
    return found


def _all_sessions(buffer: pa.Buffer, field: Field, place: int, record: CubeRecord) -> NDArray[Any]:
    dtype = _DTYPES[field.dtype]
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
