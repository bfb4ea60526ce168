"""A capsule goes to other people: it names no folder, no host and no user of the machine it was made on."""

import getpass
import json
import re
import socket
import sys
from pathlib import Path

import pytest
from tests.capsule import finished
from tests.capsule.zips import contents_of, pack

from tsladder.artifacts.store import read_json, write_json
from tsladder.capsule.privacy import MachineNames, without_machine_names
from tsladder.capsule.rebuild import rebuild
from tsladder.errors import WorkFailed

HERE = MachineNames(roots=("/home/ada lovelace/studies/one", "/home/ada lovelace"), user="ada", host="engine-7")


def cleaned(name, content):
    return without_machine_names({name: content}, HERE)[name]


@pytest.mark.slow
def test_words_that_a_library_said_lose_their_paths_and_the_law_still_agrees(tmp_path):
    said = (
        f"none of 7 trials ended: [Errno 2] '{tmp_path}/study/mlruns/x.bin' on {socket.gethostname()}, see /opt/a/b.log"
    )
    places = finished.finish(finished.write_study(tmp_path / "study", reason=said))
    pack(places, tmp_path / "study.zip")
    built = rebuild(tmp_path / "study.zip", tmp_path / "out")
    assert built.differing == ()
    contents = contents_of(tmp_path / "study.zip")
    reason = json.loads(contents["artifacts/scores/200k-h3/scores.json"])["reason"]
    assert reason == "none of 7 trials ended: [Errno 2] '.../mlruns/x.bin' on host, see .../b.log"
    folders = [str(tmp_path), str(Path.home()), sys.prefix]
    people = re.compile(rf"\b{re.escape(socket.gethostname())}\b|\b{re.escape(getpass.getuser())}@".encode())
    for name, content in contents.items():
        assert not [folder for folder in folders if folder.encode() in content], name
        assert name.endswith((".parquet", ".png")) or people.search(content) is None, name


def test_no_text_of_a_capsule_holds_an_absolute_path(packed):
    for name, content in contents_of(packed).items():
        if not name.endswith((".parquet", ".png")):
            assert re.search(rb"(?<![\w.:/])/(?:[\w.-]+/)+", content) is None, name


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("'/home/ada lovelace/studies/one/mlruns/a.db' is gone", "'.../mlruns/a.db' is gone"),
        ("/home/ada lovelace/.cache/torch", ".../.cache/torch"),
        ('File "/usr/lib/python3/x.py", line 3', 'File ".../x.py", line 3'),
        ("as ada@engine-7 said", "as user@host said"),
        ("see https://example.org/a/b and 3/4 of and/or", "see https://example.org/a/b and 3/4 of and/or"),
        ("E + A N^-alpha; a rate of 1/2/3", "E + A N^-alpha; a rate of 1/2/3"),
        ("the root cause, tested on test", "the root cause, tested on test"),
    ],
)
def test_paths_are_shortened_and_nothing_else(text, left):
    assert HERE.scrub(text) == left


def test_the_name_of_the_host_is_removed_from_messages_and_not_from_names():
    record = {
        "symbol": "engine-7",
        "message": "refused by engine-7:5000",
        "status": "failed",
        "reason": "engine-7 down",
    }
    found = json.loads(cleaned("artifacts/hpo/12k-h1/choice.json", json.dumps(record).encode()))
    assert found == {"symbol": "engine-7", "message": "refused by host:5000", "status": "failed", "reason": "host down"}


def test_a_record_without_traces_keeps_its_bytes():
    content = json.dumps({"a": [1.5, "x/y"], "b": {"message": ""}}, indent=3).encode()
    assert cleaned("artifacts/audit/audit.json", content) == content


def test_lines_are_cleaned_one_by_one():
    lines = b'{"number":0}\n{"message":"no /var/tmp/x.bin","number":1}\n'
    assert (
        cleaned("artifacts/hpo/12k-h1/trials.jsonl", lines) == b'{"number":0}\n{"message":"no .../x.bin","number":1}\n'
    )


def test_a_comment_in_params_loses_its_path_and_the_values_stay(study, tmp_path):
    study.params.write_text(study.params.read_text() + "# copied from /srv/people/ada/params.yaml\n")
    pack(study, tmp_path / "study.zip")
    assert contents_of(tmp_path / "study.zip")["params.yaml"].endswith(b"# copied from .../params.yaml\n")
    assert rebuild(tmp_path / "study.zip", tmp_path / "out").differing == ()


def test_a_plan_that_names_a_folder_is_refused_because_it_is_the_studys_identity(study, tmp_path):
    path = study.plans / "audit.json"
    write_json(path, {**read_json(path), "from": "/srv/people/ada/x"})
    with pytest.raises(WorkFailed, match=r"plans/audit\.json"):
        pack(study, tmp_path / "study.zip")
    assert not (tmp_path / "study.zip").exists()
