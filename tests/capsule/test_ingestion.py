"""What ingestion found goes with a study into its capsule; a capsule that is older than it opens as before."""

from tests.capsule import finished
from tests.capsule.zips import contents_of, pack, with_manifest, write_zip

from tsladder.artifacts.store import read_json, write_json
from tsladder.capsule.rebuild import rebuild

SENTENCE = "the Close of tiny falls by 50% on 2013-04-19 (test), as an unadjusted split of 2:1 does"


def test_a_warning_of_the_data_is_reported_again_from_a_capsule(study, tmp_path):
    write_json(study.ingestion, {"symbols": [], "cautions": {"1": [SENTENCE], "3": []}})
    finished.finish(study)
    pack(study, tmp_path / "study.zip")
    built = rebuild(tmp_path / "study.zip", tmp_path / "out")
    assert built.differing == ()
    assert any(SENTENCE in line for line in built.verdicts)
    assert SENTENCE in read_json(tmp_path / "out" / "scaling.json")["horizons"]["1"]["warnings"]
    assert SENTENCE in (tmp_path / "out" / "report.md").read_text()


def test_a_capsule_of_the_format_before_opens_and_says_that_nothing_is_on_record(packed, tmp_path):
    contents = contents_of(packed)
    assert "artifacts/ingestion.json" not in contents
    old = write_zip(tmp_path / "old.zip", with_manifest(contents, format=1))
    assert rebuild(old, tmp_path / "out").differing == ()
    text = (tmp_path / "out" / "report.md").read_text()
    assert "Not on record" in text.split("What ingestion found and changed")[1]
