"""Partners who may not see everybody get copies of the evidence; the original is never a stand-in."""

import asyncio
import json
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

import vision
from api.background import Service as Beside
from api.canonical import canonical
from api.release.redaction import redact_when_wanted, redacted, wanted_copies
from api.settings import Settings
from api.store.tables import RecordRow
from api.trail.audit import read_audit
from tests.api.conftest import ON_SQLITE
from tests.api.samples import CLIP

T0, FPS, COUNT, SIZE = 1_767_261_600_000_000, 10, 6, 96


@pytest.fixture(scope="module")
def evidence(tmp_path_factory) -> vision.Evidence:
    folder = tmp_path_factory.mktemp("evidence")
    video = folder / "flight.mp4"
    chance = np.random.default_rng(0)
    with av.open(str(video), "w") as container:
        stream = container.add_stream("libx264", rate=FPS)
        stream.width, stream.height, stream.pix_fmt, stream.options = SIZE, SIZE, "yuv420p", {"crf": "32"}
        for n in range(COUNT):
            frame = av.VideoFrame.from_ndarray(chance.integers(0, 255, (SIZE, SIZE, 3), np.uint8), format="bgr24")
            frame.pts, frame.time_base = n, Fraction(1, FPS)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return vision.write_evidence(
        folder / "one", video, T0, T0 + (COUNT - 1) * 100_000, start_time=T0, pictures={"crossing": T0 + 300_000},
        overlay=vision.track_overlay([]),
    )  # fmt: skip


@pytest.fixture
def delivered(service, crossing, evidence):
    """A crossing with all files of its evidence, confirmed, and who it is released to under which media."""
    names = evidence.ref.to_json()
    crossing_id = service.deliver(crossing(evidence=names | {"thumbnail": None}))
    parts = {"manifest": names["manifest"], "clip": names["clip"]} | {name: name for name in names["others"]}
    for part, name in parts.items():
        content = (evidence.folder / name).read_bytes()
        answer = service.ask("pilot", "PUT", f"/crossings/{crossing_id}/evidence/{part}", content=content)
        assert answer.status_code == 200, answer.text
    service.judge(crossing_id)
    return crossing_id


def share(service, crossing_id, name, media):
    partner = service.partner(name)
    assert service.agree(partner, fields=["kind", "position", "clip"], media=media).status_code == 201
    assert service.release(crossing_id, partner).status_code == 201


def fetch(service, who, crossing_id, part):
    return service.ask(who, "GET", f"/crossings/{crossing_id}/evidence/{part}")


def test_the_copy_is_made_and_the_original_stays_where_it_is(service, delivered, evidence, tmp_path: Path):
    share(service, delivered, "bravo", "blurred")
    share(service, delivered, "charlie", "original")
    original = (evidence.folder / "clip.mp4").read_bytes()
    assert fetch(service, "bravo", delivered, "clip").status_code == 404
    assert fetch(service, "charlie", delivered, "clip").content == original
    with service.store.read() as session:
        (wanted,) = wanted_copies(session)
    redacted(service.store, wanted)
    with service.store.read() as session:
        assert wanted_copies(session) == []
    copy = tmp_path / "copy"
    copy.mkdir()
    manifest = fetch(service, "bravo", delivered, "manifest").content
    (copy / "manifest.json").write_bytes(manifest)
    for name in json.loads(manifest)["files"]:
        part = "clip" if name == "clip.mp4" else name
        (copy / name).write_bytes(fetch(service, "bravo", delivered, part).content)
    assert vision.verify_evidence(copy) == []
    assert json.loads(manifest)["redaction"]["kept_tracks"] == []
    assert (copy / "clip.mp4").read_bytes() != original
    # Nothing was seen in noise, so no picture may show anything of it.
    assert sharpness(copy / "clip.mp4") < 0.1 * sharpness(evidence.folder / "clip.mp4")


def test_a_copy_that_cannot_be_made_is_told_of_and_written_down(service, crossing, clip):
    crossing_id = service.deliver(crossing(), clip=clip)  # no film: nobody can redact it
    service.ask("pilot", "PUT", f"/crossings/{crossing_id}/evidence/manifest", content=b"{}")
    service.judge(crossing_id)
    share(service, crossing_id, "bravo", "blurred")

    def written():
        with service.store.read() as session:
            return [entry.body for entry in read_audit(session, after=0, limit=1000)]

    async def until_it_failed():
        task = asyncio.create_task(redact_when_wanted(Beside(service.store, Settings(service.store.directory))))
        async with asyncio.timeout(30):
            while written()[-1]["action"] != "evidence.fail":  # noqa: ASYNC110 - in a thread, of another library
                await asyncio.sleep(0.01)
        task.cancel()

    asyncio.run(until_it_failed())
    events = service.ask("analyst", "GET", "/events").json()["events"]
    told = [one for one in events if one["kind"] == "evidence.failed"]
    (entry,) = [body for body in written() if body["action"] == "evidence.fail"]
    assert (entry["actor"], entry["objects"], entry["detail"]) == ("system", [crossing_id], told[0]["detail"])


def sharpness(clip: Path) -> float:
    with av.open(str(clip)) as container:
        pictures = [frame.to_ndarray(format="gray").astype(float) for frame in container.decode(video=0)]
    return float(np.mean([np.abs(np.diff(picture, axis=1)).mean() for picture in pictures]))


@ON_SQLITE
@pytest.mark.parametrize("part", ["clip", "manifest", "overlay.json", "crossing.png", "redacted-clip", "blurred-clip"])
def test_no_name_leads_to_the_original(service, delivered, part):
    share(service, delivered, "bravo", "redacted")
    assert fetch(service, "bravo", delivered, part).status_code == 404


@ON_SQLITE
@pytest.mark.parametrize("media", ["blurred", "redacted"])
@pytest.mark.parametrize("announced", ["delivered", "stored before that was refused"])
def test_nobody_delivers_a_copy_in_place_of_the_one_that_is_made(service, crossing, clip, media, announced):
    names = {**crossing()["evidence"], "others": [f"{media}-clip"]}
    if announced == "delivered":
        answer = service.ask("pilot", "POST", "/crossings", json=crossing(evidence=names))
        assert answer.status_code == 422
        assert "copies" in answer.json()["detail"]
        return
    crossing_id = service.deliver(crossing())
    with service.store.write() as session:
        row = session.get_one(RecordRow, crossing_id)
        row.document = canonical(json.loads(row.document) | {"evidence": names})
    path = f"/crossings/{crossing_id}/evidence/{media}-clip"
    assert service.ask("pilot", "PUT", path, content=clip).status_code == 404
    service.judge(crossing_id)
    share(service, crossing_id, "bravo", media)
    assert fetch(service, "bravo", crossing_id, "clip").status_code == 404


def test_a_partner_is_not_told_of_the_originals_files(service, delivered, evidence):
    share(service, delivered, "bravo", "blurred")
    (feature,) = service.ask("bravo", "GET", "/crossings").json()["features"]
    assert feature["properties"]["evidence"] == {"manifest": "manifest.json", "clip": "clip.mp4", "media": "blurred"}
    assert evidence.ref.sha256 not in json.dumps(feature)


def test_a_copy_of_what_was_replaced_meanwhile_is_not_kept(service, crossing, delivered):
    share(service, delivered, "bravo", "blurred")
    with service.store.read() as session:
        (wanted,) = wanted_copies(session)
    service.deliver(crossing(update_time="2026-01-01T11:00:00Z"))
    redacted(service.store, wanted)
    stored = service.ask("analyst", "GET", f"/crossings/{delivered}").json()["properties"]["stored"]
    assert stored == {}
    assert fetch(service, "bravo", delivered, "clip").status_code == 404


def test_a_copy_waits_until_all_files_have_come(service, crossing, evidence):
    names = evidence.ref.to_json()
    crossing_id = service.deliver(crossing(evidence=names | {"thumbnail": None}))
    service.judge(crossing_id)
    share(service, crossing_id, "bravo", "redacted")
    parts = {"manifest": names["manifest"], "clip": names["clip"]} | {name: name for name in names["others"]}
    for part, name in parts.items():
        with service.store.read() as session:
            assert wanted_copies(session) == []
        content = (evidence.folder / name).read_bytes()
        service.ask("pilot", "PUT", f"/crossings/{crossing_id}/evidence/{part}", content=content)
    with service.store.read() as session:
        assert [wanted.media for wanted in wanted_copies(session)] == ["redacted"]


def test_evidence_that_does_not_verify_is_not_copied(service, crossing, evidence):
    names = evidence.ref.to_json()
    crossing_id = service.deliver(crossing(evidence=names | {"thumbnail": None}))
    parts = {"manifest": names["manifest"], "clip": names["clip"]} | {name: name for name in names["others"]}
    for part, name in parts.items():
        content = (evidence.folder / name).read_bytes() if part != "overlay.json" else b"{}"
        service.ask("pilot", "PUT", f"/crossings/{crossing_id}/evidence/{part}", content=content)
    service.judge(crossing_id)
    share(service, crossing_id, "bravo", "blurred")
    with service.store.read() as session:
        (wanted,) = wanted_copies(session)
    with pytest.raises(vision.EvidenceError, match="not whole"):
        redacted(service.store, wanted)
    assert fetch(service, "bravo", crossing_id, "clip").status_code == 404


def test_what_is_not_whole_keeps_no_other_waiting(service, crossing, delivered, monkeypatch):
    """However many there are whose files never come, and whose copies cannot be made."""
    monkeypatch.setattr("api.release.redaction._PAGE", 2)
    partner = service.partner("bravo")
    service.agree(partner, fields=["kind", "position", "clip"], media="blurred")
    for number in range(7):  # of these the manifest never comes
        service.judge(half := service.deliver(crossing(f"half{number}"), clip=CLIP))
        assert service.release(half, partner).status_code == 201
    assert service.release(delivered, partner).status_code == 201
    with service.store.read() as session:
        (wanted,) = wanted_copies(session, limit=3)
        assert wanted.record_id == delivered
        assert wanted_copies(session, but={wanted}) == []


def test_two_who_make_the_same_copy_tell_of_it_once(service, delivered):
    share(service, delivered, "bravo", "blurred")
    with service.store.read() as session:
        (wanted,) = wanted_copies(session)
    for _ in range(2):
        redacted(service.store, wanted)
    events = service.ask("analyst", "GET", "/events").json()["events"]
    assert [event["kind"] for event in events].count("evidence.redacted") == 1
