"""From the bytes of a text file to its text: compressed or not, with or without a byte order mark."""

from __future__ import annotations

import codecs
import zlib
from dataclasses import dataclass

from tsladder.errors import BadInput

MOST_BYTES = 512 * 2**20
"""More than any file of daily bars has; a small compressed file can unfold to more than memory holds."""

_GZIP = b"\x1f\x8b"
_STRANGERS = (
    (b"PK\x03\x04", "a zip archive or an Excel workbook: unpack it, or save it as CSV"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook: save it as CSV"),
    (b"%PDF", "a PDF: export the table as CSV"),
    (b"BZh", "compressed with bzip2: unpack it, or use gzip"),
    (b"\xfd7zXZ", "compressed with xz: unpack it, or use gzip"),
    (b"ARROW1", "a Feather (Arrow) file: save it as Parquet"),
    (b"\x89HDF", "an HDF5 file: save it as Parquet or CSV"),
    (b"SQLite format 3", "an SQLite database: export the table as CSV"),
)
_MARKUP = (
    ("<!doctype", "a web page, not a table: the download did not give the data"),
    ("<html", "a web page, not a table: the download did not give the data"),
    ("<?xml", "XML: CSV or Parquet is needed"),
    ("{", "JSON: CSV or Parquet is needed"),
    ("[{", "JSON: CSV or Parquet is needed"),
    ("[[", "JSON: CSV or Parquet is needed"),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Decoded:
    text: str
    encoding: str
    compressed: bool


def decode(content: bytes, source: str) -> Decoded:
    """The text of `content`, which `source` names in errors. Raises BadInput for what is no text."""
    compressed = content.startswith(_GZIP)
    if compressed:
        content = _unfold(content, source)
    for mark, words in _STRANGERS:
        if content.startswith(mark):
            raise BadInput(f"{source} is {words}")
    encoding = _encoding(content)
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        raise BadInput(f"{source} starts like {encoding} text and is none from byte {error.start} on") from None
    text = text.removeprefix("\ufeff")
    if (place := text.find("\0")) >= 0:
        line = text.count("\n", 0, place) + 1
        raise BadInput(f"{source} is no text: row {line} holds a NUL character; CSV or Parquet is needed")
    start = text[:200].lstrip().lower()
    for opening, words in _MARKUP:
        if start.startswith(opening):
            raise BadInput(f"{source} is {words}")
    return Decoded(text=text, encoding=encoding, compressed=compressed)


def _unfold(content: bytes, source: str) -> bytes:
    parts: list[bytes] = []
    size = 0
    try:
        while content:
            member = zlib.decompressobj(wbits=31)
            parts.append(member.decompress(content, MOST_BYTES - size + 1))
            size += len(parts[-1])
            if size > MOST_BYTES:
                raise BadInput(
                    f"{source} unfolds to more than {MOST_BYTES >> 20} MiB: daily bars of one symbol are needed"
                )
            if not member.eof:
                raise BadInput(f"{source} is a gzip file that ends too early: fetch it again")
            content = member.unused_data.lstrip(b"\0")
    except zlib.error as error:
        raise BadInput(f"{source} is a damaged gzip file ({error}): fetch it again") from None
    return b"".join(parts)


def _encoding(content: bytes) -> str:
    """By the byte order mark; else UTF-16 where every other byte is zero, UTF-8 where it is that, else Latin-1 as
    Windows has it."""
    if content.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    head = content[:4000]
    if len(head) >= 4 and head[1::2].count(0) > 0.4 * len(head) > 10 * head[::2].count(0):
        return "utf-16-le"
    if len(head) >= 4 and head[::2].count(0) > 0.4 * len(head) > 10 * head[1::2].count(0):
        return "utf-16-be"
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        try:
            content.decode("cp1252")
        except UnicodeDecodeError:
            return "latin-1"
        return "cp1252"
    return "utf-8"
