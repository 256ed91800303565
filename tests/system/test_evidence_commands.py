"""``vedette evidence`` on what ``vedette watch`` left of a rendered crossing."""

import json

import pytest

import vision


@pytest.fixture(scope="module")
def kept(tmp_path_factory, shared_data):
    """Evidence of one passage in real footage."""
    clip = shared_data("videos/1_60_50_0_00281-00407.mp4")
    folder = tmp_path_factory.mktemp("evidence") / "one"
    with vision.open_source(clip) as source:
        start_us, step = source.start_us, 1_000_000
    track = vision.Track(
        4, "person", 0.9, (vision.Observation(start_us, 0, vision.Detection(10, 10, 30, 50, "person", 0.9)),)
    )
    vision.write_evidence(
        folder,
        clip,
        start_us,
        start_us + step,
        start_time=start_us,
        pre_s=0.0,
        post_s=0.0,
        overlay=vision.track_overlay([track]),
    )
    return folder


def test_a_redacted_copy_verifies_and_names_its_original(run, tmp_path, kept):
    assert run("evidence", "verify", kept).code == 0
    ran = run("evidence", "redact", kept, "--all", "--out", tmp_path / "copy")
    assert ran.code == 0, ran.err
    assert "blurred whole ->" in " ".join(ran.out.split())
    assert run("evidence", "verify", tmp_path / "copy").code == 0
    manifest = json.loads((tmp_path / "copy" / "manifest.json").read_text())
    assert manifest["redaction"]["manifest_sha256"] == vision.file_sha256(kept / "manifest.json")
    (tmp_path / "copy" / "overlay.json").write_text("{}")
    ran = run("evidence", "verify", tmp_path / "copy")
    assert ran.code == 1
    assert "overlay.json" in ran.err


def test_who_stays_visible_is_said(run, tmp_path, kept):
    for arguments in ((), ("--all", "--keep", "4")):
        ran = run("evidence", "redact", kept, *arguments, "--out", tmp_path / "copy")
        assert ran.code == 1
        assert "--keep TRACK" in ran.err
    ran = run("evidence", "redact", kept, "--keep", "9", "--out", tmp_path / "copy")
    assert "no track 9 to keep; there is 4" in ran.err
    ran = run("evidence", "redact", kept, "--all", "--key", kept / "manifest.json", "--out", tmp_path / "copy")
    assert "give an Ed25519 private key" in ran.err
    assert not (tmp_path / "copy").exists()
