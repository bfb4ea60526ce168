"""Decoding of the bytes of a text file: gzip or not, with or without a byte order mark, in its encoding."""

from __future__ import annotations

import codecs
import zlib
from dataclasses import dataclass

from tsladder.errors import BadInput
from tsladder.ingest.headers import count_known

MOST_BYTES = 512 * 2**20
"""Upper limit on the size of a file, above that of any file of daily bars; a small compressed file can expand to more
than memory holds."""

_TOP_LINES = 30
_GZIP = b"\x1f\x8b"
_STRANGERS = (
    (b"PK\x03\x04", "a zip archive or an Excel workbook: unpack it, or save it as CSV"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook: save it as CSV"),
    (b"%PDF", "a PDF: export the table as CSV"),
    (b"BZh", "compressed with bzip2: unpack it, or use gzip"),
    (b"\xfd7zXZ", "compressed with xz: unpack it, or use gzip"),
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


def decode(content: bytes, source: str, encoding: str | None = None) -> Decoded:
    """Decode `content`, in `encoding` if that is given. `source` names the file in errors.

    Raises BadInput if `content` is not text.
    """
    if encoding is not None:
        _check_encoding(encoding)
    compressed = content.startswith(_GZIP)
    if compressed:
        content = _unfold(content, source)
    for mark, words in _STRANGERS:
        if content.startswith(mark):
            raise BadInput(f"{source} is {words}")
    is_given = encoding is not None
    encoding = encoding or _encoding(content)
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        fault = (
            f"is no {encoding} text, as --encoding says," if is_given else f"starts like {encoding} text and is none"
        )
        raise BadInput(f"{source} {fault} from byte {error.start} on") from None
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
    """Detect the encoding: by the byte order mark; else UTF-16 if every other byte is zero; else UTF-8 if it is valid;
    else by the header."""
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
        return _by_header(content)
    return "utf-8"


# Of those that can read a file, the one under which its top names most columns; Windows' Latin where none names more.
_OLD = ("cp1252", "gb18030", "big5", "cp932", "cp949", "cp1251", "cp1250", "cp1254", "cp1253", "cp1255", "cp1256",
        "koi8_r", "euc_jp", "cp850", "latin-1")  # fmt: skip


def _by_header(content: bytes) -> str:
    top = b"\n".join(content[:20000].splitlines()[:_TOP_LINES])
    best, chosen = -1, "latin-1"
    for encoding in _OLD:
        try:
            content.decode(encoding)
            text = top.decode(encoding)
        except UnicodeDecodeError:
            continue
        rows = ([cell.strip(' "') for cell in line.split(mark)] for line in text.splitlines() for mark in ",;\t|")
        known = max(map(count_known, rows), default=0)
        if known > best:
            best, chosen = known, encoding
    return chosen


def _check_encoding(encoding: str) -> None:
    try:
        if not codecs.lookup(encoding)._is_text_encoding:
            raise LookupError
    except LookupError:
        raise BadInput(f"--encoding must be one that Python knows, like gbk or cp1251, got {encoding!r}") from None
