"""A file from a stranger: one message, exit code 2, and nothing left behind."""

import json
import os
import random
import struct
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.capsule.zips import contents_of, pack, with_manifest, write_zip
from tests.studies import environment

from tsladder.capsule import archive
from tsladder.capsule.layout import FORMAT, MANIFEST, is_member
from tsladder.capsule.manifest import InvalidCapsule
from tsladder.capsule.rebuild import rebuild
from tsladder.errors import BadInput, WorkFailed

LAW = "artifacts/law/scaling.json"


def refuse(capsule, folder, *words):
    """It is refused, in one message with `words`, and `folder` is as it was."""
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    with pytest.raises(BadInput) as refused:
        rebuild(capsule, folder / "out")
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before
    for word in words:
        assert word in str(refused.value)
    assert str(folder / ".tsladder") not in str(refused.value)


def without(contents, name):
    return {key: value for key, value in contents.items() if key != name}


def test_a_file_that_is_no_zip_is_refused(tmp_path):
    for content in (b"", b"no zip at all", b"PK\x03\x04 and so on" * 100):
        (tmp_path / "x.zip").write_bytes(content)
        refuse(tmp_path / "x.zip", tmp_path, "x.zip", "zip file")


def test_a_zip_that_is_no_capsule_is_refused(tmp_path):
    refuse(write_zip(tmp_path / "x.zip", {"holiday.txt": b"sun"}), tmp_path, "no study capsule")
    refuse(write_zip(tmp_path / "y.zip", {MANIFEST: b'{"name": "else"}'}), tmp_path, "no study capsule")


def test_a_folder_a_missing_file_and_a_pipe_are_refused(tmp_path):
    (tmp_path / "folder.zip").mkdir()
    refuse(tmp_path / "folder.zip", tmp_path, "is a folder")
    refuse(tmp_path / "none.zip", tmp_path, "does not exist")
    os.mkfifo(tmp_path / "pipe.zip")
    refuse(tmp_path / "pipe.zip", tmp_path, "no plain file")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_refused(packed, tmp_path):
    path = tmp_path / "x.zip"
    path.write_bytes(packed.read_bytes())
    path.chmod(0)
    refuse(path, tmp_path, "cannot be read")


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="a file that fails when it is read is needed")
def test_a_file_that_fails_when_it_is_read_is_refused(tmp_path):
    (tmp_path / "x.zip").symlink_to("/proc/self/mem")
    refuse(tmp_path / "x.zip", tmp_path, "x.zip cannot be read")


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(share=st.floats(0.0, 1.0, exclude_max=True))
def test_a_capsule_cut_anywhere_is_refused(packed, tmp_path, share):
    whole = packed.read_bytes()
    (tmp_path / "cut.zip").write_bytes(whole[: int(share * len(whole))])
    refuse(tmp_path / "cut.zip", tmp_path, "zip file")


@pytest.mark.parametrize("left_out", [1, 2, 21, 22, 23])
def test_a_capsule_that_lacks_its_last_bytes_is_refused(packed, tmp_path, left_out):
    (tmp_path / "cut.zip").write_bytes(packed.read_bytes()[:-left_out])
    refuse(tmp_path / "cut.zip", tmp_path, "zip file")


def test_a_byte_changed_anywhere_is_refused_or_changes_no_content(packed, tmp_path):
    whole, rng = packed.read_bytes(), random.Random(0)
    expected = without(contents_of(packed), MANIFEST)
    refused = 0
    for _ in range(80):
        at = rng.randrange(len(whole))
        changed = bytearray(whole)
        changed[at] ^= 1 << rng.randrange(8)
        (tmp_path / "x.zip").write_bytes(changed)
        folder = tmp_path / f"{at}"
        folder.mkdir(exist_ok=True)
        try:
            archive.unpack(tmp_path / "x.zip", folder)
        except InvalidCapsule:
            refused += 1
            assert list(folder.iterdir()) == []
        else:
            files = {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}
            assert files == expected
    assert refused > 54


def test_every_missing_member_is_named(packed, tmp_path):
    contents = contents_of(packed)
    for name in ("params.yaml", "environment.json", LAW, "artifacts/scores/12k-h1/predictions.parquet"):
        refuse(write_zip(tmp_path / "x.zip", without(contents, name)), tmp_path, name, "missing")


@pytest.mark.parametrize("name", ["params.yaml", "environment.json"])
def test_a_capsule_that_never_had_what_every_capsule_has_is_refused(packed, tmp_path, name):
    contents = with_manifest(without(contents_of(packed), name))
    refuse(write_zip(tmp_path / "x.zip", contents), tmp_path, name, "missing")


def test_a_member_that_is_not_what_the_manifest_says_is_named(packed, tmp_path):
    contents = contents_of(packed)
    longer = {**contents, LAW: contents[LAW] + b" "}
    refuse(write_zip(tmp_path / "x.zip", longer), tmp_path, LAW, "bytes")
    other = {**contents, LAW: contents[LAW].replace(b"scales", b"scalps")}
    refuse(write_zip(tmp_path / "y.zip", other), tmp_path, LAW, "SHA-256")


def test_a_newer_format_is_reported_as_such_whatever_else_it_holds(tmp_path):
    contents = {MANIFEST: json.dumps({"format": FORMAT + 1, "parts": []}).encode(), "parts/one.bin": b"?"}
    words = ("newer tsladder", f"format {FORMAT + 1}", f"reads {FORMAT}", "update")
    refuse(write_zip(tmp_path / "x.zip", contents), tmp_path, *words)


@pytest.mark.parametrize("number", [0, -1, True, "1", 1.0, None, [1]])
def test_a_format_that_is_no_number_of_ours_is_refused(packed, tmp_path, number):
    contents = with_manifest(contents_of(packed), format=number)
    refuse(write_zip(tmp_path / "x.zip", contents), tmp_path, "format")


@pytest.mark.parametrize(
    "name",
    [
        "/etc/passwd",
        "../params.yaml",
        "artifacts/../../x.json",
        "artifacts/law/../law/scaling.json",
        "artifacts\\law\\scaling.json",
        "artifacts/law/scaling.json/",
        "artifacts/models/12k-h1/seed-1/model.safetensors",
        "artifacts/plans/x-h1.json",
        "artifacts/plans/12k-h1.json\n",
        "data/tiny.parquet",
        "artifacts/report/a.html",
        "C:/x.json",
    ],
)
def test_a_name_outside_the_layout_is_refused(packed, tmp_path, name):
    assert not is_member(name)
    contents = with_manifest({**contents_of(packed), name: b"{}"})
    refuse(write_zip(tmp_path / "x.zip", contents), tmp_path)


def test_a_member_that_the_manifest_does_not_name_is_refused(packed, tmp_path):
    contents = {**contents_of(packed), "artifacts/splits/h9.json": b"{}"}
    refuse(write_zip(tmp_path / "x.zip", contents), tmp_path, "artifacts/splits/h9.json")


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("name", ["params.yaml", MANIFEST])
def test_a_member_that_is_there_twice_is_refused(packed, tmp_path, name):
    path = write_zip(tmp_path / "x.zip", contents_of(packed))
    with zipfile.ZipFile(path, "a") as opened:
        opened.writestr(name, contents_of(packed)[name])
    refuse(path, tmp_path, name, "twice")


@pytest.mark.parametrize("mode", [0o120777, 0o040755, 0o020644, 0o010644])
def test_a_member_that_is_no_plain_file_is_refused(packed, tmp_path, mode):
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w") as opened:
        for name, content in contents_of(packed).items():
            entry = zipfile.ZipInfo(name)
            entry.external_attr = (mode if name == LAW else 0o100644) << 16
            opened.writestr(entry, content)
    refuse(path, tmp_path, LAW, "plain file")


def test_a_member_that_would_fill_the_disk_is_refused_before_it_is_unpacked(packed, tmp_path):
    contents = with_manifest({**contents_of(packed), "artifacts/law/scaling.png": bytes(40 * 2**20)})
    path = write_zip(tmp_path / "x.zip", contents)
    assert path.stat().st_size < 2**20
    refuse(path, tmp_path, "artifacts/law/scaling.png", "unpack")


def test_members_that_are_too_large_together_are_refused(packed, tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "MOST_BYTES", 1_000)
    refuse(packed, tmp_path, "larger")
    monkeypatch.undo()
    monkeypatch.setattr(archive, "MOST_MEMBERS", 3)
    refuse(packed, tmp_path, "members")


def test_a_size_that_lies_in_every_header_is_refused(packed, tmp_path):
    """A member of 40 MiB that says of itself, and of which the manifest says, that it has a hundred bytes."""
    contents = with_manifest({**contents_of(packed), "artifacts/law/scaling.png": bytes(100)})
    real = write_zip(tmp_path / "x.zip", {**contents, "artifacts/law/scaling.png": bytes(40 * 2**20)})
    told = real.read_bytes().replace(struct.pack("<I", 40 * 2**20), struct.pack("<I", 100))
    real.write_bytes(told)
    refuse(real, tmp_path)


def test_an_encrypted_member_and_another_compression_are_refused(packed, tmp_path):
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_BZIP2) as opened:
        for name, content in contents_of(packed).items():
            opened.writestr(name, content)
    refuse(path, tmp_path, "packed in a way")
    encrypted = bytearray(packed.read_bytes())
    at = encrypted.rindex(b"PK\x01\x02")
    encrypted[at + 8] |= 1
    (tmp_path / "y.zip").write_bytes(encrypted)
    refuse(tmp_path / "y.zip", tmp_path)


@pytest.mark.parametrize(
    "text",
    [b'{"a": 1, "a": 2}', b'{"a": NaN}', b'{"a": Infinity}', b"\xff", b"{", b"", b"[" * 100_000],
    ids=["twice", "nan", "infinity", "utf-8", "torn", "empty", "deep"],
)
@pytest.mark.parametrize("name", [LAW, "artifacts/hpo/12k-h1/trials.jsonl", MANIFEST])
def test_json_is_read_strictly(packed, tmp_path, name, text):
    if name.endswith("jsonl") and text == b"":
        text = b"\n"
    contents = {**contents_of(packed), name: text}
    contents = contents if name == MANIFEST else with_manifest(contents)
    refuse(write_zip(tmp_path / "x.zip", contents), tmp_path, "JSON")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("params.yaml", b"study: {name: x}"),
        ("params.yaml", b"&a [*a, *a]"),
        ("params.yaml", b'"\\e[31mred": 1'),
        ("environment.json", b"{}"),
        ("environment.json", b'{"python": "3", "packages": 1, "fingerprints": [], "machine": {}}'),
        ("artifacts/scores/12k-h1/scores.json", b'{"status": "done"}'),
        ("artifacts/scores/12k-h1/scores.json", b"[]"),
        ("artifacts/scores/12k-h1/predictions.parquet", b"PAR1 no parquet PAR1"),
        ("artifacts/plans/12k-h1.json", b'{"planned": true}'),
        ("artifacts/audit/audit.json", b'{"probes": 3}'),
        ("artifacts/hpo/12k-h1/coverage.json", b'{"trials_trained": "many"}'),
        ("artifacts/splits/h1.json", b'{"counts": null}'),
        ("artifacts/law/scaling.json", b'{"study_key": "KEY", "horizons": []}'),
    ],
)
def test_records_that_are_not_ours_end_in_one_message(packed, tmp_path, name, content):
    key = json.loads(contents_of(packed)[MANIFEST])["study_key"]
    contents = with_manifest({**contents_of(packed), name: content.replace(b"KEY", key.encode())})
    folder = tmp_path / "here"
    folder.mkdir()
    capsule = write_zip(tmp_path / "x.zip", contents)
    with pytest.raises(BadInput) as refused:
        rebuild(capsule, folder / "out")
    assert "x.zip" in str(refused.value)
    assert ".tsladder-" not in str(refused.value)
    assert str(refused.value).replace("\n", "").isprintable()
    assert list(folder.iterdir()) == []


def test_manifests_whose_texts_would_steer_a_terminal_are_refused(packed, tmp_path):
    for changed in ({"study": "\x1b[2J"}, {"cells": {"\x1b]0;x\x07": "fresh"}}, {"tsladder": "1\n2"}):
        contents = with_manifest(contents_of(packed), **changed)
        refuse(write_zip(tmp_path / "x.zip", contents), tmp_path, "manifest")


def test_an_out_that_is_taken_or_has_no_place_is_refused(packed, tmp_path):
    (tmp_path / "file").write_text("x")
    (tmp_path / "folder").mkdir()
    for out, word in (
        (tmp_path / "file", "is a file"),
        (tmp_path / "folder", "exists"),
        (tmp_path / "none" / "out", "does not exist"),
    ):
        with pytest.raises(BadInput, match=word):
            rebuild(packed, out)
    assert {path.name for path in tmp_path.iterdir()} == {"file", "folder"}


LIMITED = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, resource.RLIM_INFINITY))
from tsladder.cli import main
sys.exit(main(sys.argv[1:]))
"""


def run(folder, *arguments):
    """In a process that may write no file of more than 20 kB: as on a disk that is full."""
    return subprocess.run(
        [sys.executable, "-c", LIMITED, *arguments],
        cwd=folder,
        env=environment() | {"PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
def test_without_room_nothing_is_left_behind(made, packed, tmp_path):
    (tmp_path / "here").mkdir()
    done = run(tmp_path / "here", "report", "--from", str(packed))
    assert done.returncode == 2, done.stderr
    assert "cannot be written" in done.stderr
    assert "Traceback" not in done.stderr
    assert list((tmp_path / "here").iterdir()) == []
    done = run(made.root, "export", str(tmp_path / "here" / "study.zip"))
    assert done.returncode == 2, done.stderr
    assert "cannot be written" in done.stderr
    assert list((tmp_path / "here").iterdir()) == []


def test_a_study_without_a_scored_cell_is_not_exported(study, tmp_path):
    for path in study.artifacts.glob("scores/*/scores.json"):
        path.unlink()
    with pytest.raises(WorkFailed, match=r"no cell is scored yet \(12k-h1, .*tsladder run"):
        pack(study, tmp_path / "study.zip")


@pytest.mark.parametrize(
    "name", ["audit/audit.json", "plans/12k-h1.json", "hpo/12k-h1/coverage.json", "scores/30k-h3/predictions.parquet"]
)
def test_what_a_report_needs_and_is_missing_is_named(study, tmp_path, name):
    (study.artifacts / name).unlink()
    with pytest.raises(WorkFailed, match=name):
        pack(study, tmp_path / "study.zip")
    assert not (tmp_path / "study.zip").exists()


def test_a_damaged_record_is_named_and_not_packed(study, tmp_path):
    path = study.artifacts / "models" / "12k-h1" / "status.json"
    path.write_text('{"status": ')
    with pytest.raises(WorkFailed, match=r"artifacts/models/12k-h1/status\.json is damaged"):
        pack(study, tmp_path / "study.zip")


def test_a_capsule_is_not_overwritten_unless_forced(study, tmp_path):
    path = tmp_path / "study.zip"
    path.write_bytes(b"older")
    with pytest.raises(BadInput, match="exists"):
        pack(study, path)
    assert path.read_bytes() == b"older"
    pack(study, path, force=True)
    assert zipfile.is_zipfile(path)
    with pytest.raises(BadInput, match="folder"):
        pack(study, tmp_path)
    with pytest.raises(BadInput, match="does not exist"):
        pack(study, tmp_path / "none" / "study.zip")


def test_what_would_be_no_sound_capsule_is_not_handed_on(study, tmp_path):
    (study.law / "scaling.png").write_bytes(bytes(40 * 2**20))
    with pytest.raises(WorkFailed, match="cannot be packed"):
        pack(study, tmp_path / "study.zip")
    assert list(tmp_path.glob("*.zip")) == []
    assert list(tmp_path.glob(".*.tmp")) == []
