"""Find the files that a panel is read from: named files, files in folders, members of zip archives."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tsladder.errors import BadInput
from tsladder.ingest.choices import Choices
from tsladder.ingest.encoding import MOST_BYTES
from tsladder.ingest.reading import read_sheet, sheet_of_content
from tsladder.ingest.sheet import Sheet
from tsladder.ingest.workbook import is_workbook

_TABLES = (".csv", ".txt", ".tsv", ".parquet", ".feather", ".xlsx", ".xlsm", ".xls", ".ods")
_ZIP = b"PK\x03\x04"


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """File to read.

    `name`: its name in messages and records, without the folder that the user named. `member`: its name in the archive
    `path`, None if `path` is the file itself.
    """

    name: str
    path: Path
    member: str | None = None

    @property
    def stem(self) -> str:
        """Name of the file without its suffix: the symbol of the stock if the file names none."""
        return _without_suffix(self.name.rpartition("/")[2])

    def read(self, choices: Choices) -> Sheet:
        """Read the file. Raises BadInput if it is not a table."""
        if self.member is None:
            return read_sheet(self.path, choices, name=self.name)
        try:
            with zipfile.ZipFile(self.path) as archive:
                if (size := archive.getinfo(self.member).file_size) > MOST_BYTES:
                    raise BadInput(
                        f"{self.name} has {size >> 20} MiB, and a file may have at most {MOST_BYTES >> 20}: split it "
                        "into several files, by date or by stock"
                    )
                content = archive.read(self.member)
        except (OSError, RuntimeError, NotImplementedError, zipfile.BadZipFile) as error:
            raise BadInput(
                f"{self.name} cannot be unpacked ({error}): unpack the archive yourself, and name the folder"
            ) from None
        return sheet_of_content(content, self.name, choices)


def sources_in_words(sources: Sequence[str]) -> str:
    """Name the first three sources and count the others: `a.csv, b.csv, c.csv and 38 more`."""
    first = ", ".join(sources[:3])
    return first if len(sources) <= 3 else f"{first} and {len(sources) - 3} more"


def find_sources(paths: Sequence[Path]) -> tuple[tuple[Source, ...], tuple[str, ...]]:
    """Return the files to read, in an order that does not depend on that of `paths`, and the names of files not read.

    A file that is named twice is read once. Raises BadInput for a path that does not exist and for a folder or an
    archive without a table.
    """
    found: dict[tuple[Path, str | None], Source] = {}
    aside: set[str] = set()
    for path in paths:
        if not path.exists():
            raise BadInput(f"{path} does not exist: name files, folders or zip archives of daily rows of stocks")
        sources = list(_folder_sources(path) if path.is_dir() else _file_sources(path))
        read = [source for source in sources if _is_table(source.member or source.path.name) or len(sources) == 1]
        aside |= {source.name for source in sources} - {source.name for source in read}
        if not read:
            raise BadInput(f"{path} contains no table; name files that end in {', '.join(_TABLES)} (also with .gz)")
        found |= {(source.path.resolve(), source.member): source for source in read}
    ordered = sorted(found.values(), key=lambda source: (source.name, str(source.path.resolve())))
    return tuple(ordered), tuple(sorted(aside))


def _folder_sources(folder: Path) -> Iterator[Source]:
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and not _is_hidden(name):
            yield Source(name=name, path=path)


def _file_sources(path: Path) -> Iterator[Source]:
    """Yield one file, or the members of a zip archive that is not a workbook."""
    try:
        with path.open("rb") as stream:
            start = stream.read(8)
        if start.startswith(_ZIP) and not is_workbook(path, start):
            with zipfile.ZipFile(path) as archive:
                for info in archive.infolist():
                    if not info.is_dir() and not _is_hidden(info.filename):
                        yield Source(name=info.filename, path=path, member=info.filename)
            return
    except zipfile.BadZipFile as error:
        raise BadInput(f"{path} is a damaged zip archive ({error}): fetch it again") from None
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}") from None
    yield Source(name=path.name, path=path)


def _is_hidden(name: str) -> bool:
    return any(part.startswith((".", "__MACOSX")) for part in name.split("/"))


def _is_table(name: str) -> bool:
    return name.lower().removesuffix(".gz").endswith(_TABLES)


def _without_suffix(name: str) -> str:
    plain = name[: -len(".gz")] if name.lower().endswith(".gz") else name
    ending = next((ending for ending in _TABLES if plain.lower().endswith(ending)), "")
    return plain[: len(plain) - len(ending)]
