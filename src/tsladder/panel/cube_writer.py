"""Write the file of a cube: beside its place, synced to disk, then renamed, so that nobody reads a part of it."""

from __future__ import annotations

import dataclasses
import fcntl
import os
import uuid
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from tsladder.errors import WorkFailed
from tsladder.panel.cube_format import NO_CRC32, CubeRecord, Field, frame_crc32, schema_of, text_at_the_end

if TYPE_CHECKING:
    import pyarrow as pa


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
        frame_crc32=NO_CRC32,
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


def _write(stream: BinaryIO, record: CubeRecord, arrays: Mapping[str, NDArray[Any]]) -> None:
    import pyarrow as pa

    schema = schema_of(record)
    sink = pa.PythonFile(stream, mode="w")
    with pa.ipc.new_file(sink, schema) as writer:
        for batch in _batches(schema, record, arrays):
            writer.write_batch(batch)
    sink.flush()
    stream.flush()
    whole = dataclasses.replace(record, size=stream.tell())
    _overwrite(stream, record, whole)
    parts = [part for _, part in _frame(stream, whole)]
    _overwrite(stream, whole, dataclasses.replace(whole, frame_crc32=frame_crc32(parts, whole)))
    stream.flush()


def _with_batches(record: CubeRecord, arrays: Mapping[str, NDArray[Any]]) -> CubeRecord:
    """Return `record` with the places, sizes and CRC32 of the batches of `arrays`."""
    import pyarrow as pa

    schema = schema_of(record)
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
        with pa.ipc.new_file(sink, schema_of(record)) as writer:
            writer.write_batch(first)
            header = sink.size() - batch_bytes
        if header == record.first_byte:
            return record
        record = dataclasses.replace(record, first_byte=header)
    raise ValueError("the header of a cube has no stable length")


def _batches(schema: pa.Schema, record: CubeRecord, arrays: Mapping[str, NDArray[Any]]) -> Iterator[pa.RecordBatch]:
    """Yield a record batch for each session, made of views of `arrays`."""
    import pyarrow as pa

    days_T = np.array(record.dates, dtype="datetime64[D]").astype(np.int32)
    for row in range(len(days_T)):
        columns = [pa.array(days_T[row : row + 1], type=pa.date32())]
        for field in record.fields:
            values = pa.array(arrays[field.name][row].reshape(-1))
            columns.append(pa.FixedSizeListArray.from_arrays(values, type=schema.field(field.name).type))
        yield pa.RecordBatch.from_arrays(columns, schema=schema)


def _overwrite(stream: BinaryIO, old: CubeRecord, new: CubeRecord) -> None:
    """Replace the end of the text of `old`, which header and footer have once each, by that of `new`."""
    for start, part in _frame(stream, old):
        stream.seek(start + part.index(text_at_the_end(old)))
        stream.write(text_at_the_end(new))


def _frame(stream: BinaryIO, record: CubeRecord) -> list[tuple[int, bytes]]:
    """Return header and footer, each with the byte at which it begins."""
    stream.seek(0)
    header = stream.read(record.first_byte)
    stream.seek(record.after_batches)
    return [(0, header), (record.after_batches, stream.read())]


@contextmanager
def _part(path: Path) -> Iterator[BinaryIO]:
    """Yield a new file beside `path`, locked while this process lives; remove it after the block."""
    part = path.with_name(f".{path.name}.{os.getpid()}-{uuid.uuid4().hex[:8]}.part")
    with _locked(part) as stream:
        try:
            yield stream
        finally:
            part.unlink(missing_ok=True)


def _locked(part: Path) -> BinaryIO:
    """Create and lock `part`; repeat where `_remove_parts` of another process removed it between the two."""
    while True:
        stream = part.open("xb+")
        fcntl.flock(stream, fcntl.LOCK_EX)
        if part.exists():
            return stream
        stream.close()


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
