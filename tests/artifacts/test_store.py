from __future__ import annotations

import fcntl
import math
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from tests.studies import environment

from tsladder.artifacts.store import append_line, cut_torn_tail, digest, read_json, read_lines, write_json
from tsladder.errors import WorkFailed
from tsladder.locks import exclusive_lock, is_locked


def test_json_comes_back_and_leaves_no_temporary_file(tmp_path: Path) -> None:
    write_json(tmp_path / "deep" / "a.json", {"b": 1, "a": [None, 0.1]})
    assert read_json(tmp_path / "deep" / "a.json") == {"a": [None, 0.1], "b": 1}
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["a.json"]


def test_not_a_number_is_never_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="Out of range"):
        write_json(tmp_path / "a.json", {"loss": math.nan})
    assert list(tmp_path.iterdir()) == []


def test_a_torn_last_line_is_left_out_and_can_be_cut_with_a_copy(tmp_path: Path) -> None:
    path = tmp_path / "trials.jsonl"
    append_line(path, {"number": 0})
    append_line(path, {"number": 1})
    with path.open("a") as stream:
        stream.write('{"number": 2, "lo')
    assert [line["number"] for line in read_lines(path)] == [0, 1]
    assert cut_torn_tail(path) == b'{"number": 2, "lo'
    assert path.with_name("trials.jsonl.torn").read_text() == '{"number": 2, "lo\n'
    append_line(path, {"number": 2})
    assert [line["number"] for line in read_lines(path)] == [0, 1, 2]
    assert cut_torn_tail(path) is None


def test_a_broken_line_in_the_middle_is_damage_and_is_named(tmp_path: Path) -> None:
    path = tmp_path / "trials.jsonl"
    path.write_text('{"number": 0}\n{"num\n{"number": 2}\n')
    with pytest.raises(WorkFailed, match="line 2"):
        read_lines(path)


def test_a_damaged_json_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    for text in ('{"a": ', "[1]", "\udcff"):
        path.write_bytes(text.encode("utf-8", "surrogateescape"))
        with pytest.raises(WorkFailed, match=r"a\.json"):
            read_json(path)


def test_the_digest_depends_on_values_and_not_on_the_order_of_keys() -> None:
    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})
    assert digest({"a": 1}) != digest({"a": 2})
    assert digest("a", "b") != digest("ab", "")


def test_a_second_owner_learns_who_holds_the_folder(tmp_path: Path) -> None:
    assert not is_locked(tmp_path)
    with exclusive_lock(tmp_path, "the search of 2M-h1"):
        assert is_locked(tmp_path)
        with (
            pytest.raises(WorkFailed, match="the search of 2M-h1 is being worked on by process"),
            exclusive_lock(tmp_path, "the search of 2M-h1"),
        ):
            pass
    assert not is_locked(tmp_path)


PROBE = """
import sys
from pathlib import Path
from tsladder.locks import is_locked
print("looking", flush=True)
while True:
    is_locked(Path(sys.argv[1]))
"""


def test_whoever_only_looks_at_a_lock_is_never_taken_for_its_owner(tmp_path: Path) -> None:
    with exclusive_lock(tmp_path, "a search"):
        pass
    looking = subprocess.Popen([sys.executable, "-c", PROBE, str(tmp_path)], stdout=subprocess.PIPE, env=environment())
    try:
        assert looking.stdout is not None
        looking.stdout.readline()
        for _ in range(2000):
            with exclusive_lock(tmp_path, "a search"):
                pass
    finally:
        looking.kill()
        looking.communicate()


def test_a_look_at_a_lock_does_not_keep_anybody_from_taking_it(tmp_path: Path) -> None:
    """`is_locked` holds the lock for an instant; who wants it then waits that long."""
    (tmp_path / "lock").touch()
    with (tmp_path / "lock").open() as looking:
        fcntl.flock(looking, fcntl.LOCK_SH)
        threading.Timer(0.03, lambda: fcntl.flock(looking, fcntl.LOCK_UN)).start()
        with exclusive_lock(tmp_path, "it"):
            assert is_locked(tmp_path)
