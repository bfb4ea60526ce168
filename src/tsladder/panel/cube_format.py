"""Format of a cube's file: one Arrow record batch a session, uncompressed, with a record of the whole in its metadata.

Each field of a batch is one fixed-size list, so that all batches have the same bytes in the same places, and a field of
all sessions is one array with a constant step between sessions, read where it lies in the file. The record names the
key, what the axes hold and the CRC32 of every batch. Two parts of it are filled in after everything else is written:
the size of the file, and the CRC32 of the bytes around the batches, taken with those eight digits as zeros.
"""

from __future__ import annotations

import dataclasses
import json
import math
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tsladder.errors import WorkFailed

if TYPE_CHECKING:
    import pyarrow as pa

LAYOUT = 1
METADATA = b"tsladder.cube"
DATE = "date"
NO_CRC32 = "0" * 8
DTYPES: Mapping[str, np.dtype[Any]] = {
    "float32": np.dtype("<f4"),
    "uint8": np.dtype("u1"),
    "int16": np.dtype("<i2"),
}
_SIZE_DIGITS = 15


class UnusableCube(WorkFailed):
    """Cube that is not the one asked for, or not whole: it has to be built again."""


class DamagedCube(UnusableCube):
    """Cube whose bytes are not those that were written."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Field:
    """Field of the record batches: the shape of its values per session, for example (stocks, columns), and their dtype:
    float32, uint8 or int16."""

    name: str
    dtype: str
    shape: tuple[int, ...]

    @property
    def values(self) -> int:
        return math.prod(self.shape)


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
        """Return the record that `to_json` wrote. Raises KeyError, TypeError or ValueError for anything else."""
        return cls(
            key=record["key"],
            fields=tuple(Field(**{**field, "shape": tuple(field["shape"])}) for field in record["fields"]),
            columns=tuple(record["columns"]),
            symbols=tuple(record["symbols"]),
            dates=tuple(record["dates"]),
            horizons=tuple(record["horizons"]),
            first_byte=int(record["first_byte"]),
            batch_bytes=int(record["batch_bytes"]),
            crc32_T=tuple(record["crc32_T"]),
            size=int(record["size"]),
            frame_crc32=record["frame_crc32"],
        )

    @property
    def after_batches(self) -> int:
        """Byte at which the footer begins."""
        return self.first_byte + len(self.dates) * self.batch_bytes


def schema_of(record: CubeRecord) -> pa.Schema:
    """Return the Arrow schema of a cube, with `record` in its metadata."""
    import pyarrow as pa

    text = json.dumps({"layout": LAYOUT, **record.to_json()}, allow_nan=False)
    lists = [
        pa.field(field.name, pa.list_(pa.field("item", arrow_type(field), nullable=False), field.values), False)
        for field in record.fields
    ]
    return pa.schema([pa.field(DATE, pa.date32(), False), *lists], metadata={METADATA: text.encode()})


def arrow_type(field: Field) -> pa.DataType:
    """Return the Arrow type of a field's values."""
    import pyarrow as pa

    return pa.from_numpy_dtype(DTYPES[field.dtype])


def text_at_the_end(record: CubeRecord) -> bytes:
    """Return the part of the record's text that is filled in when all else is written."""
    text = {"size": f"{record.size:0{_SIZE_DIGITS}}", "frame_crc32": record.frame_crc32}
    return json.dumps(text)[1:-1].encode()


def frame_crc32(parts: Iterable[bytes], record: CubeRecord) -> str:
    """Return the CRC32 (hex) of header and footer, the digits of `record.frame_crc32` in them taken as zeros."""
    text, blank = (text_at_the_end(one) for one in (record, dataclasses.replace(record, frame_crc32=NO_CRC32)))
    crc32 = 0
    for part in parts:
        crc32 = zlib.crc32(part.replace(text, blank), crc32)
    return f"{crc32:08x}"
