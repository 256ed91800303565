"""Clips without a pixel changed, and folders of evidence that show any change."""

import base64
import hashlib
import json
import shutil
import subprocess

import av
import numpy as np
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from tests.full_disk import full_after
from tests.services import absent
from tests.vision.recordings import FPS, T0_US, klv, number_of, write_video
from vision import (
    MANIFEST,
    Crossing,
    Detection,
    Direction,
    EvidenceError,
    EvidenceWriter,
    Method,
    ModelRef,
    Observation,
    SourceFile,
    Status,
    Track,
    cut_clip,
    file_sha256,
    open_source,
    suffix_for,
    track_overlay,
    verify_evidence,
    write_evidence,
)

STEP_US = 1_000_000 // FPS
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


def at(number):
    return T0_US + number * STEP_US


@pytest.fixture(scope="module")
def recording(tmp_path_factory):
    """Forty pictures, 5 a second, a keyframe at every tenth, telemetry in all."""
    return write_video(tmp_path_factory.mktemp("video") / "flight.ts", 40, telemetry=lambda n: klv(at(n)))


def by_time(path, **arguments):
    with open_source(path, **arguments) as source:
        return {frame.time_us: frame for frame in source}


@pytest.mark.parametrize("suffix", [".ts", ".mp4", ".mkv"])
def test_a_clip_holds_the_very_pictures_of_its_span(recording, tmp_path, suffix):
    clip = cut_clip(recording, at(23), at(31), tmp_path / f"clip{suffix}")
    whole, part = by_time(recording), by_time(clip.path)
    # From the keyframe before the start; a clip never starts late.
    assert (clip.start_us, clip.end_us) == (at(20), at(31))
    assert set(part) >= {at(n) for n in range(20, 32)}
    assert len(part) == clip.pictures
    for time_us, frame in part.items():
        assert np.array_equal(frame.image, whole[time_us].image)
        assert frame.pose == whole[time_us].pose or time_us > at(31)
    assert (clip.telemetry is None) == (suffix == ".ts")
    assert whole[clip.start_us].index == clip.first == 20


def test_packets_are_copied_not_encoded_again(recording, tmp_path):
    def payloads(path):
        with av.open(str(path)) as container:
            return [bytes(p) for p in container.demux(container.streams.video[0]) if p.size]

    clip = cut_clip(recording, at(20), at(29), tmp_path / "clip.ts")
    inside = payloads(clip.path)
    start = payloads(recording).index(inside[0])
    assert inside == payloads(recording)[start : start + len(inside)]


def test_room_before_and_after(recording, tmp_path):
    clip = cut_clip(recording, at(25), at(25), tmp_path / "clip.mp4", pre_s=1.2, post_s=1.0)
    assert (clip.start_us, clip.end_us) == (at(10), at(30))
    clip = cut_clip(recording, at(2), at(38), tmp_path / "clip.mp4", pre_s=100, post_s=100)
    assert (clip.start_us, clip.end_us, clip.pictures) == (at(0), at(39), 40)


def test_times_given_by_the_caller_are_kept(tmp_path):
    path = write_video(tmp_path / "plain.mp4", 30)
    clip = cut_clip(path, at(12), at(18), tmp_path / "clip.mp4", start_time=T0_US)
    assert (clip.start_us, clip.end_us) == (at(10), at(18))
    first = next(iter(by_time(clip.path, start_time=clip.start_us).values()))
    assert number_of(first.image) == 10
    assert cut_clip(path, 12 * STEP_US, 18 * STEP_US, tmp_path / "clip.mp4").start_us == 10 * STEP_US


@pytest.mark.parametrize("suffix", [".ts", ".mkv", ".mp4"])
@pytest.mark.parametrize("told", [True, False])
def test_a_clip_across_a_clock_that_starts_anew(tmp_path, suffix, told):
    """Two recordings in one file, with times in the telemetry or none: a clip holds what the source showed then."""
    parts = [
        write_video(
            tmp_path / f"{k}.ts",
            30,
            telemetry=(lambda n, k=k: klv(T0_US + k * 100_000_000 + n * 1_000_000 // FPS)) if told else None,
            form="mpegts",
        )
        for k in range(2)
    ]
    joined = tmp_path / "joined.ts"
    joined.write_bytes(parts[0].read_bytes() + parts[1].read_bytes())
    start = None if told else T0_US
    seen = {time_us: number_of(frame.image) for time_us, frame in by_time(joined, start_time=start).items()}
    assert list(seen.values()) == [*range(30), *range(30)]
    times = list(seen)
    for first, last in ((32, 45), (22, 38), (2, 9)):
        clip = cut_clip(joined, times[first], times[last], tmp_path / f"{first}{suffix}", start_time=start)
        assert clip.start_us <= times[first]
        inside = [number_of(frame.image) for frame in by_time(clip.path, start_time=0, sidecar=False).values()]
        wanted = [number for time_us, number in seen.items() if clip.start_us <= time_us <= times[last]]
        assert inside[: len(wanted)] == wanted
        assert clip.pictures == len(inside) <= len(wanted) + 3  # with those that the last one was made from


def test_old_codecs_of_real_recordings(shared_data, tmp_path):
    path = shared_data("videos/vtest.avi")
    assert suffix_for(path) == ".mkv"
    clip = cut_clip(path, 70_000_000, 72_000_000, tmp_path / "clip.mkv")
    assert clip.start_us <= 70_000_000
    with open_source(clip.path, start_time=clip.start_us) as source:
        part = [frame.time_us for frame in source]
    assert part[-1] == 72_000_000


@pytest.mark.parametrize(
    ("span", "name", "message"),
    [
        ((at(50), at(60)), "clip.mp4", "no picture lies between"),
        ((at(9), at(3)), "clip.mp4", "before its start"),
        ((at(3), at(9)), "clip.gif", "a clip ends in"),
    ],
    ids=["outside", "backwards", "format"],
)
def test_what_cannot_be_cut_is_refused_and_leaves_nothing(recording, tmp_path, span, name, message):
    with pytest.raises(EvidenceError, match=message):
        cut_clip(recording, *span, tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_the_folder_of_a_clip_is_made_where_it_can_be(recording, tmp_path):
    assert cut_clip(recording, at(3), at(9), tmp_path / "new" / "clip.mp4").path.is_file()
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == ["clip.klv", "clip.mp4"]
    with pytest.raises(EvidenceError, match=r"cannot write .*clip\.mp4: a (file stands|part of the path)"):
        cut_clip(recording, at(3), at(9), tmp_path / "new" / "clip.klv" / "clip.mp4")


def test_a_recording_that_is_none_is_refused(tmp_path):
    (tmp_path / "text.ts").write_text("no video")
    for name in ("text.ts", "away.ts"):
        with pytest.raises(EvidenceError, match=f"{name}: the recording cannot be read"):
            cut_clip(tmp_path / name, 0, 1, tmp_path / "clip.mp4")


@pytest.mark.parametrize("limit", [0, 1_000, 4_000])
@pytest.mark.parametrize("suffix", [".mp4", ".ts"])
def test_a_full_disk_leaves_nothing(recording, tmp_path, limit, suffix):
    """Writes fail for real beyond a limit of the system: one clear error, no half clip, no half folder."""
    (tmp_path / "out").mkdir()
    with full_after(limit), pytest.raises(EvidenceError, match=r"cannot write .*the file grows larger"):
        cut_clip(recording, at(5), at(39), tmp_path / "out" / f"clip{suffix}")
    with full_after(limit), pytest.raises(EvidenceError, match=r"cannot (write|be written).*: "):
        write_evidence(tmp_path / "out" / "evidence", recording, at(5), at(39))
    assert list((tmp_path / "out").iterdir()) == []


@pytest.fixture
def evidence(recording, tmp_path):
    return write_evidence(
        tmp_path / "evidence",
        recording,
        at(22),
        at(28),
        pre_s=0.0,
        post_s=0.0,
        pictures={"crossing": at(25), "whole": np.full((4, 6, 3), (1, 2, 3), np.uint8)},
        overlay={"tracks": []},
        records={"record": {"kind": "person", "owner": "Südwest"}},
        model=ModelRef("tiny", "ab" * 32),
        key=KEY,
        written_us=T0_US,
    )


def test_evidence_is_whole(evidence, recording):
    folder = evidence.folder
    names = {p.name for p in folder.iterdir()}
    assert names == {
        *("clip.mp4", "clip.klv", "crossing.png", "whole.png"),
        *("overlay.json", "record.json", MANIFEST, "manifest.sig"),
    }
    assert verify_evidence(folder, public_key=KEY.public_key(), source_file=recording) == []
    manifest = json.loads((folder / MANIFEST).read_text())
    assert manifest["source"] == {
        "name": recording.name,
        "sha256": file_sha256(recording),
        "bytes": recording.stat().st_size,
    }
    assert manifest["model"] == {"name": "tiny", "sha256": "ab" * 32}
    assert (manifest["clip"]["start_us"], manifest["clip"]["end_us"]) == (at(20), at(28))
    assert evidence.ref.clip == "clip.mp4"
    assert evidence.ref.sha256 == file_sha256(folder / "clip.mp4") == manifest["files"]["clip.mp4"]["sha256"]
    assert evidence.manifest_sha256 == file_sha256(folder / MANIFEST)
    assert json.loads((folder / "record.json").read_text())["owner"] == "Südwest"


def test_whoever_has_no_vedette_can_check_a_manifest(evidence):
    """SHA-256 and Ed25519 by other libraries, from the files alone."""
    manifest = (evidence.folder / MANIFEST).read_bytes()
    for name, told in json.loads(manifest)["files"].items():
        content = (evidence.folder / name).read_bytes()
        assert told == {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
    signed = json.loads((evidence.folder / "manifest.sig").read_text())
    public, signature = (base64.b64decode(signed[name], validate=True) for name in ("public_key", "signature"))
    assert signed["algorithm"] == "Ed25519"
    assert public == KEY.public_key().public_bytes_raw()
    Ed25519PublicKey.from_public_bytes(public).verify(signature, manifest)
    with pytest.raises(InvalidSignature):
        Ed25519PublicKey.from_public_bytes(public).verify(signature, manifest + b" ")


def test_programs_that_every_machine_has_check_a_manifest(evidence, tmp_path):
    """`sha256sum -c` and `openssl pkeyutl`, as somebody would who has the folder and the public key alone."""
    told = json.loads((evidence.folder / MANIFEST).read_bytes())["files"]
    lines = "".join(f"{file['sha256']}  {name}\n" for name, file in told.items())
    signed = json.loads((evidence.folder / "manifest.sig").read_text())
    # RFC 8410: an Ed25519 key as a SubjectPublicKeyInfo.
    (tmp_path / "key.der").write_bytes(
        bytes.fromhex("302a300506032b6570032100") + base64.b64decode(signed["public_key"])
    )
    (tmp_path / "signature").write_bytes(base64.b64decode(signed["signature"]))
    verify = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", tmp_path / "key.der", "-keyform", "DER", "-rawin"]
    verify += ["-sigfile", tmp_path / "signature", "-in"]

    def hashes(folder):
        return subprocess.run(
            ["sha256sum", "--strict", "-c"], cwd=folder, input=lines, capture_output=True, text=True, check=False
        )

    def signature(manifest):
        return subprocess.run([*verify, manifest], capture_output=True, text=True, check=False)

    if shutil.which("sha256sum") is None or shutil.which("openssl") is None:
        absent("sha256sum or openssl is absent: .ci/services installs openssl")
    assert hashes(evidence.folder).stdout.count(": OK") == len(told) > 3
    assert signature(evidence.folder / MANIFEST).returncode == 0
    copy = shutil.copytree(evidence.folder, tmp_path / "copy")
    for name in told:
        path = copy / name
        content = path.read_bytes()
        path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
        assert f"{name}: FAILED" in hashes(copy).stdout
        path.write_bytes(content)
    (copy / MANIFEST).write_bytes((copy / MANIFEST).read_bytes().replace(b"tiny", b"tidy"))
    assert signature(copy / MANIFEST).returncode != 0


def test_key_pictures_are_the_pixels_that_were_seen(evidence, recording):
    with open_source(evidence.folder / "clip.mp4", start_time=evidence.clip.start_us) as source:
        seen = {f.time_us: f.image for f in source}
    with av.open(str(evidence.folder / "crossing.png")) as container:
        picture = next(container.decode(video=0)).to_ndarray(format="bgr24")
    assert number_of(picture) == 25
    assert np.array_equal(picture, seen[at(25)])


def test_the_same_evidence_twice_is_the_same_bytes(evidence, recording, tmp_path):
    again = write_evidence(
        tmp_path / "again" / "evidence",
        SourceFile.of(recording),
        at(22),
        at(28),
        pre_s=0.0,
        post_s=0.0,
        pictures={"crossing": at(25), "whole": np.full((4, 6, 3), (1, 2, 3), np.uint8)},
        overlay={"tracks": []},
        records={"record": {"kind": "person", "owner": "Südwest"}},
        model=ModelRef("tiny", "ab" * 32),
        key=KEY,
        written_us=T0_US,
    )
    assert again.manifest_sha256 == evidence.manifest_sha256
    assert (again.folder / "manifest.sig").read_bytes() == (evidence.folder / "manifest.sig").read_bytes()


def flip(path):
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 1
    path.write_bytes(bytes(raw))


CHANGES = {
    "clip changed": (lambda f: flip(f / "clip.mp4"), "clip.mp4: was changed"),
    "picture gone": (lambda f: (f / "crossing.png").unlink(), "crossing.png: is missing"),
    "record longer": (lambda f: (f / "record.json").write_text("{}"), "record.json: has 2 bytes instead of"),
    "file added": (lambda f: (f / "more.txt").write_text("x"), "more.txt: is not in the manifest"),
    "manifest changed": (lambda f: flip(f / MANIFEST), "manifest"),
    "manifest gone": (lambda f: (f / MANIFEST).unlink(), "manifest.json: cannot be read"),
    "manifest of another sort": (lambda f: (f / MANIFEST).write_text("[]"), "manifest.json: is damaged"),
    "signature gone": (lambda f: (f / "manifest.sig").unlink(), "manifest.sig: is missing"),
    "signature damaged": (lambda f: (f / "manifest.sig").write_text("{}"), "manifest.sig: is damaged"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_every_change_shows(evidence, change):
    make, message = CHANGES[change]
    make(evidence.folder)
    problems = verify_evidence(evidence.folder, public_key=KEY.public_key())
    assert any(message in problem for problem in problems), problems


def test_a_manifest_forged_whole_needs_the_key(evidence, recording):
    """Who changes a file and mends the manifest is found by the signature, whoever signed it anew by the key."""
    flip(evidence.folder / "clip.mp4")
    manifest = json.loads((evidence.folder / MANIFEST).read_text())
    manifest["files"]["clip.mp4"]["sha256"] = file_sha256(evidence.folder / "clip.mp4")
    (evidence.folder / MANIFEST).write_text(json.dumps(manifest))
    assert verify_evidence(evidence.folder) == ["manifest.sig: does not fit manifest.json: one of them was changed"]
    forger = Ed25519PrivateKey.generate()
    write_evidence(evidence.folder, recording, at(22), at(28), key=forger, replace=True)
    assert verify_evidence(evidence.folder) == []
    assert verify_evidence(evidence.folder, public_key=KEY.public_key()) == ["manifest.sig: was made with another key"]


def test_another_recording_shows(evidence, tmp_path):
    other = tmp_path / "other.ts"
    other.write_bytes(b"x")
    (problem,) = verify_evidence(evidence.folder, source_file=other)
    assert "is not the recording that the clip was cut from" in problem


def test_a_name_in_the_manifest_cannot_lead_outside(evidence):
    manifest = json.loads((evidence.folder / MANIFEST).read_text())
    manifest["files"]["../../etc/passwd"] = {"sha256": "0", "bytes": 1}
    (evidence.folder / MANIFEST).write_text(json.dumps(manifest))
    assert any("which is no file of this folder" in p for p in verify_evidence(evidence.folder))


def test_evidence_is_not_overwritten_unasked(evidence, recording):
    before = (evidence.folder / MANIFEST).read_bytes()
    with pytest.raises(EvidenceError, match="exists already"):
        write_evidence(evidence.folder, recording, at(5), at(9))
    assert (evidence.folder / MANIFEST).read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"records": {"record": {"x": float("nan")}}}, "is not JSON"),
        ({"records": {"record": {"x": object()}}}, "is not JSON"),
        ({"records": {"../record": {}}}, "cannot name a file"),
        ({"records": {"manifest": {}}}, "cannot name a file"),
        ({"records": {"overlay": {}}, "pictures": {"overlay.json": np.zeros((0, 3), np.uint8)}}, "cannot be kept"),
    ],
)
def test_what_cannot_be_recorded_leaves_nothing(recording, tmp_path, arguments, message):
    with pytest.raises(EvidenceError, match=message):
        write_evidence(tmp_path / "evidence", recording, at(5), at(9), **arguments)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_refused(recording, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(EvidenceError, match="cannot be written to"):
        write_evidence(tmp_path / "file" / "evidence", recording, at(5), at(9))


def test_a_name_that_the_file_system_does_not_take_is_refused(recording, tmp_path):
    with pytest.raises(EvidenceError, match=r"cannot be written to .*too long"):
        write_evidence(tmp_path / ("e" * 254), recording, at(5), at(9))
    assert list(tmp_path.iterdir()) == []


def track():
    box = Detection(10.0, 20.0, 30.0, 60.0, "person", 0.9)
    return Track(1, "person", 0.9, tuple(Observation(at(n), n, box) for n in range(20, 30)))


def crossing(source="vehicle-1"):
    return Crossing(
        source=source,
        source_id="vehicle-1/a b",
        time_us=at(25),
        update_time_us=at(29),
        kind="person",
        direction=Direction.INBOUND,
        status=Status.CONFIRMED,
        method=Method.GROUND,
        border="USA-MEX",
        confidence=0.9,
        model=ModelRef("tiny", "ab" * 32),
    )


def test_overlay_of_a_track():
    (record,) = track_overlay([track()])["tracks"]
    assert record["kind"] == "person"
    assert [box["time_us"] for box in record["boxes"]] == [at(n) for n in range(20, 30)]
    assert (record["boxes"][0]["x1"], record["boxes"][0]["y2"]) == (10.0, 60.0)


def test_boxes_are_written_densely_and_records_to_be_read(recording, tmp_path):
    """A track has hundreds of boxes: line by line they take the writer four times as long."""
    written = write_evidence(
        tmp_path / "evidence",
        recording,
        at(22),
        at(28),
        overlay=track_overlay([track()]),
        records={"record": {"kind": "person"}},
    )
    overlay = (written.folder / "overlay.json").read_text()
    assert overlay.count("\n") == 1
    assert json.loads(overlay) == track_overlay([track()])
    assert (written.folder / "record.json").read_text() == '{\n "kind": "person"\n}\n'


def test_the_writer_keeps_a_crossing_and_its_track(recording, tmp_path):
    with open_source(recording) as source:
        writer = EvidenceWriter(tmp_path, source, pre_s=1.0, post_s=1.0, key=KEY, written_us=T0_US)
        ref = writer(crossing(), track())
        assert writer(crossing(), track()) == ref  # watched again: the same, not an error
    folder = writer.folder_of(crossing())
    assert folder.parent == tmp_path
    assert verify_evidence(folder, public_key=KEY.public_key(), source_file=recording) == []
    record = json.loads((folder / "record.json").read_text())
    assert record["source_id"] == "vehicle-1/a b"
    assert ref.sha256 == file_sha256(folder / ref.clip)
    assert [p.name for p in tmp_path.iterdir()] == [folder.name]


def test_watching_again_leaves_the_same_bytes(recording, tmp_path):
    folder = tmp_path / "evidence"
    write_evidence(folder, recording, at(22), at(28), written_us=at(60))
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    write_evidence(folder, recording, at(22), at(28), written_us=at(90), replace=True)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    write_evidence(
        folder, recording, at(22), at(28), records={"note": {"seen": True}}, written_us=at(120), replace=True
    )
    assert (
        json.loads((folder / "manifest.json").read_text())["written"] != json.loads(before["manifest.json"])["written"]
    )
