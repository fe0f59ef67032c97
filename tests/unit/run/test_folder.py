"""The manifest of a run folder: its formats, and what another version makes of it."""

import json
from pathlib import Path
from typing import Any

import pytest

from aide.config.spec import RunSpec
from aide.errors import InputError
from aide.run.folder import FORMAT, RunFolder, check_same_run, compute_identity, make_manifest


def manifest_of(spec: RunSpec) -> dict[str, Any]:
    return make_manifest(spec, {}, compute_identity(spec), {})


def test_a_manifest_is_read_as_it_was_written(tmp_path: Path) -> None:
    folder, manifest = RunFolder(tmp_path), manifest_of(RunSpec())
    assert folder.read_manifest() == {}
    folder.write_manifest(manifest)
    assert folder.read_manifest() == manifest
    assert (manifest["format"], manifest["fingerprint_format"]) == (1, 1)


def test_a_manifest_of_0_1_has_no_numbers_and_is_read_as_format_0(tmp_path: Path) -> None:
    folder, spec = RunFolder(tmp_path), RunSpec(siblings="aware")
    old = manifest_of(spec)
    del old["format"], old["fingerprint_format"]
    old["fingerprint"]["siblings"] = '"told"'
    folder.manifest.write_text(json.dumps(old))
    read = folder.read_manifest()
    assert read == manifest_of(spec)
    check_same_run(folder, read, compute_identity(spec), adopt=False)
    with pytest.raises(InputError, match='siblings was "aware", is "apart"'):
        check_same_run(folder, read, compute_identity(RunSpec()), adopt=False)


@pytest.mark.parametrize("name", ["format", "fingerprint_format"])
def test_a_folder_of_a_newer_version_is_refused(tmp_path: Path, name: str) -> None:
    folder = RunFolder(tmp_path)
    folder.write_manifest({**manifest_of(RunSpec()), name: FORMAT + 1})
    with pytest.raises(InputError, match="written by a newer aide") as refused:
        folder.read_manifest()
    assert "pip install -U" in refused.value.hint
