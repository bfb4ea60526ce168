"""Capsules as a test wants them: packed from a study, taken apart, and put together again otherwise."""

import json
import zipfile

from tests.studies import params_of

from tsladder.capsule.layout import MANIFEST
from tsladder.capsule.manifest import Member
from tsladder.capsule.pack import pack_study


def pack(places, path, **options):
    params = params_of(places)
    return pack_study(places, params, {str(cell): "fresh" for cell in params.cells}, path, **options)


def contents_of(capsule):
    with zipfile.ZipFile(capsule) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def write_zip(path, contents):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
    return path


def with_manifest(contents, **changes):
    """`contents` under a manifest that agrees with them, as a forger would write it."""
    manifest = json.loads(contents[MANIFEST])
    members = {name: Member.of(content) for name, content in contents.items() if name != MANIFEST}
    manifest["members"] = {name: {"sha256": m.sha256, "bytes": m.size} for name, m in members.items()}
    return {**contents, MANIFEST: json.dumps({**manifest, **changes}).encode()}
