"""What is free is read from the machine and from every cgroup around the process."""

from __future__ import annotations

from pathlib import Path

import pytest

from tsladder.planning import free_memory
from tsladder.planning.free_memory import GIB, read_free_memory


@pytest.fixture
def linux(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine of 16 GiB, 12 of them available, without cgroups."""
    monkeypatch.setattr(free_memory, "MEMINFO", tmp_path / "meminfo")
    monkeypatch.setattr(free_memory, "OWN_CGROUPS", tmp_path / "cgroup")
    monkeypatch.setattr(free_memory, "CGROUPS", tmp_path / "cgroups")
    write_meminfo(tmp_path, total=16, available=12)
    (tmp_path / "cgroups").mkdir()
    return tmp_path


def write_meminfo(folder: Path, *, total: float, available: float) -> None:
    kib = GIB // 1024
    (folder / "meminfo").write_text(
        f"MemTotal: {int(total * kib)} kB\nMemFree: 1 kB\nMemAvailable: {int(available * kib)} kB\nHugePages_Total: 0\n"
    )


def write_v2(folder: Path, *, limit: float | str, current: float, cache: float) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "memory.max").write_text(f"{limit if isinstance(limit, str) else int(limit * GIB)}\n")
    (folder / "memory.current").write_text(f"{int(current * GIB)}\n")
    (folder / "memory.stat").write_text(f"anon 1\nfile 9\ninactive_file {int(cache * GIB)}\nactive_file 5\n")


def write_v1(folder: Path, *, limit: float, usage: float, cache: float) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "memory.limit_in_bytes").write_text(f"{int(limit * GIB)}\n")
    (folder / "memory.usage_in_bytes").write_text(f"{int(usage * GIB)}\n")
    (folder / "memory.stat").write_text(f"cache 7\ninactive_file 3\ntotal_inactive_file {int(cache * GIB)}\n")


def found() -> tuple[float, float]:
    memory = read_free_memory()
    return round(memory.free_gib, 6), round(memory.total_gib, 6)


@pytest.mark.usefixtures("linux")
def test_without_a_cgroup_the_machine_says_what_is_available() -> None:
    assert found() == (12, 16)


def test_a_cgroup_without_a_limit_changes_nothing(linux: Path) -> None:
    write_v2(linux / "cgroups", limit="max", current=9, cache=1)
    assert found() == (12, 16)


def test_of_a_cgroup_its_limit_less_what_is_taken_is_free_and_cache_is_not_taken(linux: Path) -> None:
    write_v2(linux / "cgroups", limit=8, current=5, cache=2)
    assert found() == (5, 8)


def test_a_cgroup_cannot_give_what_the_machine_does_not_have(linux: Path) -> None:
    write_meminfo(linux, total=16, available=3)
    write_v2(linux / "cgroups", limit=8, current=1, cache=0)
    assert found() == (3, 8)


def test_version_one_is_read_alike(linux: Path) -> None:
    write_v1(linux / "cgroups" / "memory", limit=6, usage=5.5, cache=1.5)
    assert found() == (2, 6)


def test_an_unlimited_cgroup_of_version_one_changes_nothing(linux: Path) -> None:
    write_v1(linux / "cgroups" / "memory", limit=2**33, usage=3, cache=0)
    assert found() == (12, 16)


def test_every_cgroup_around_the_process_counts(linux: Path) -> None:
    (linux / "cgroup").write_text("0::/slice/job/step\n")
    write_v2(linux / "cgroups" / "slice", limit=10, current=8, cache=0)
    write_v2(linux / "cgroups" / "slice" / "job", limit=6, current=1, cache=0)
    write_v2(linux / "cgroups" / "slice" / "job" / "step", limit="max", current=1, cache=0)
    write_v2(linux / "cgroups" / "others", limit=1, current=1, cache=0)
    assert found() == (2, 6)


@pytest.mark.parametrize("path", ["/docker/0123", "/../.."])
def test_in_a_container_that_shows_the_path_of_its_host_the_mounted_root_counts(linux: Path, path: str) -> None:
    (linux / "cgroup").write_text(f"4:memory:{path}\n0::/\n")
    write_v1(linux / "cgroups" / "memory", limit=4, usage=1, cache=0)
    assert found() == (3, 4)


def test_a_cgroup_above_its_limit_leaves_nothing_and_no_less(linux: Path) -> None:
    write_v2(linux / "cgroups", limit=2, current=2.5, cache=0)
    assert found() == (0, 2)


def test_elsewhere_than_on_linux_the_systems_own_count_is_taken(linux: Path) -> None:
    (linux / "meminfo").unlink()
    memory = read_free_memory()
    assert 0 < memory.free_gib <= memory.total_gib
