"""``vedette evidence`` on what ``vedette watch`` left of a rendered crossing."""

import json
from types import SimpleNamespace

import pytest
from cryptography.hazmat.primitives import serialization as form
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

import vision
from cli.keys import private_key
from tests.vision.recordings import write_video


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


def key_files(folder, name):
    """A pair of keys in PEM: private and public."""
    key, private, public = Ed25519PrivateKey.generate(), folder / f"{name}.pem", folder / f"{name}.pub"
    private.write_bytes(key.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption()))
    public.write_bytes(key.public_key().public_bytes(form.Encoding.PEM, form.PublicFormat.SubjectPublicKeyInfo))
    return private, public


def test_a_watch_signs_with_the_key_that_it_is_given(run, tmp_path, monkeypatch):
    (own, public), signed = key_files(tmp_path, "own"), []
    video = write_video(tmp_path / "flight.ts", count=3)
    writer = vision.EvidenceWriter
    monkeypatch.setattr(
        vision, "EvidenceWriter", lambda *args, key, **more: signed.append(key) or writer(*args, key=key, **more)
    )
    watch = ["watch", video, "--line", "0,100,300,100", "--out", tmp_path / "out"]
    assert run(*watch).code == run(*watch, "--evidence-key", own).code == 0
    assert signed[0] is None
    pem = signed[1].public_key().public_bytes(form.Encoding.PEM, form.PublicFormat.SubjectPublicKeyInfo)
    assert pem == public.read_bytes()
    ran = run(*watch, "--evidence-key", public)
    assert "give an Ed25519 private key" in " ".join(ran.err.split())
    assert len(signed) == 2  # nothing was watched


def test_a_verification_asks_who_signed_and_of_what_it_was_cut(run, tmp_path):
    (own, public), (_, other) = key_files(tmp_path, "own"), key_files(tmp_path, "other")
    video, folder = write_video(tmp_path / "flight.mp4", count=20), tmp_path / "evidence" / "one"
    vision.write_evidence(folder, video, 0, 1_000_000, start_time=0, key=private_key(own, "--key"))
    ran = run("evidence", "verify", folder, "--signed-by", public, "--recording", video)
    assert (ran.code, ran.out.strip()) == (0, f"{folder}: whole, signed by the key in {public}")
    assert "signed by a key that was not asked for" in run("evidence", "verify", folder).out
    ran = run("evidence", "verify", folder, "--signed-by", other)
    assert ran.code == 1
    assert "was made with another key" in ran.err
    ran = run("evidence", "verify", folder, "--recording", public)
    assert "is not the recording that the clip was cut from" in " ".join(ran.err.split())
    ran = run("evidence", "verify", folder.parent)
    assert "holds folders of evidence and is none: give one of them" in " ".join(ran.err.split())


def test_evidence_that_nobody_signed_is_said_to_be_so(run, tmp_path, kept):
    _, public = key_files(tmp_path, "own")
    assert run("evidence", "verify", kept).out.strip() == f"{kept}: whole, not signed"
    ran = run("evidence", "verify", kept, "--signed-by", public)
    assert ran.code == 1
    assert "the manifest is not signed" in ran.err


def test_a_line_that_nobody_can_cross_is_told_before_anybody_relies_on_it(run, tmp_path):
    video = write_video(tmp_path / "flight.ts", count=5)
    for line, said in (
        ("5000,0,5000,100", "line line: runs beside the pictures, which are 320x256: give pixels of them"),
        ("nan,0,5,100", "line line: a pixel of it is no number"),
        ("inf,0,5,100", "line line: a pixel of it is no number"),
    ):
        ran = run("watch", video, "--line", line, "--out", tmp_path / "out")
        assert ran.code == 1
        assert said in " ".join(ran.err.split())


def test_a_password_of_a_stream_is_in_no_line_and_no_file(run, tmp_path):
    figures, camera = tmp_path / "figures.json", "rtsp://guard:s3cret@127.0.0.1:1/a"
    for videos in ([camera], [camera, camera], [camera, tmp_path / "absent.ts"]):
        ran = run("watch", *videos, "--line", "0,0,9,9", "--reconnect", "0", "--out", tmp_path / "o", "--json", figures)
        assert ran.code == 1
        assert "s3cret" not in ran.out + ran.err
        assert "***@127.0.0.1" in ran.err
    assert json.loads(figures.read_text())["streams"][0]["video"] == "rtsp://***@127.0.0.1:1/a"


def test_a_note_names_its_video_once(run, tmp_path):
    video = write_video(tmp_path / "flight.mkv", count=20)
    video.write_bytes(video.read_bytes()[: video.stat().st_size * 2 // 3])
    ran = run("watch", video, "--line", "0,0,9,9", "--fps", "2", "--out", tmp_path / "o")
    notes = ran.err.replace("\n", "").split("note: ")[1:]
    assert notes
    assert all(note.count("flight.mkv:") == 1 for note in notes)


def test_a_password_of_a_stream_is_in_no_list_of_what_is_queued(run, monkeypatch):
    place, queue = "rtsp://guard:s3cret@127.0.0.1:1/a", ["queue", "--database", "postgresql://db/vedette"]
    monkeypatch.setattr("api.jobs.queue.add_job", lambda *given: 5 if place in given else None)
    listed = SimpleNamespace(number=5, state="todo", kind="watch.stream", tries=0, place=place)
    monkeypatch.setattr("api.jobs.queue.list_jobs", lambda _: [listed])
    assert run(*queue, place).out.strip() == "rtsp://***@127.0.0.1:1/a: job 5"
    ran = run(*queue)
    assert "s3cret" not in ran.out
    assert "rtsp://***@127.0.0.1:1/a" in ran.out
