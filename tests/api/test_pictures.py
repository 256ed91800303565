"""Live pictures: what is taken, who sees it and for how long, what the audit has of it, and that none is kept."""

import json
import threading
from contextlib import suppress
from urllib.parse import quote

import cv2
import httpx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import api
from api.errors import StorageError, UnprocessableError
from api.pictures.jpeg import jpeg_size
from api.pictures.newest import NewestPictures, Picture
from api.pictures.settings import PictureSettings
from api.store.tables import AuditRow
from api.times import iso
from tests.api.conftest import ON_SQLITE
from tests.api.people import everything
from tests.api.samples import NOON_US
from tests.asked import few

SECOND_US = 1_000_000
GATE = "rtsp://gate.example/1?a=b"
JPEG = {"Content-Type": "image/jpeg"}


def jpeg(width=32, height=24, seed=0, *how):
    image = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    return cv2.imencode(".jpg", image, how)[1].tobytes()


def path_of(source):
    return f"/streams/{quote(source, safe='')}/picture"


def put(service, data, source=GATE, who="pilot", **more):
    headers = JPEG | more.pop("headers", {})
    return service.ask(who, "PUT", path_of(source), content=data, headers=headers, **more)


def look(service, source=GATE, who="analyst", etag=None):
    return service.ask(who, "GET", path_of(source), headers={} if etag is None else {"If-None-Match": etag})


def streams(service, who="analyst"):
    answer = service.ask(who, "GET", "/streams")
    assert answer.status_code == 200, answer.text
    return answer.json()["streams"]


def audited(service, *actions):
    with service.store.read() as session:
        bodies = [json.loads(row.body) for row in session.query(AuditRow).order_by(AuditRow.seq)]
    return [body for body in bodies if body["action"] in actions]


@given(
    st.integers(1, 60),
    st.integers(1, 60),
    st.booleans(),
    st.sampled_from([(), (cv2.IMWRITE_JPEG_PROGRESSIVE, 1), (cv2.IMWRITE_JPEG_RST_INTERVAL, 2)]),
)
def test_the_size_of_a_picture_is_what_its_maker_says(width, height, grey, how):
    image = np.random.default_rng(width).integers(0, 256, (height, width) if grey else (height, width, 3), np.uint8)
    data = cv2.imencode(".jpg", image, how)[1].tobytes()
    assert jpeg_size(data) == (width, height)
    for cut in (1, 2, len(data) // 2, len(data) - 1):
        with pytest.raises(UnprocessableError):
            jpeg_size(data[:cut])


@given(st.data())
def test_whatever_is_sent_as_a_picture_is_taken_or_refused_and_nothing_else(data):
    """Bytes that were made up, and pictures with some bytes changed: a size within 16 bits, or a clear refusal."""
    whole = bytearray(jpeg())
    for _ in range(data.draw(st.integers(0, 4))):
        whole[data.draw(st.integers(0, 700))] = data.draw(st.integers(0, 255))
    sent = data.draw(st.sampled_from([bytes(whole), b"\xff\xd8" + data.draw(st.binary(max_size=60)) + b"\xff\xd9"]))
    with suppress(UnprocessableError):
        assert all(0 < side < 1 << 16 for side in jpeg_size(sent))


@ON_SQLITE
def test_the_newest_picture_of_a_stream_is_shown_as_it_came(service, clock):
    first, second = jpeg(seed=1), jpeg(40, 30, seed=2)
    vehicle = "0" * 31 + "a"
    moment = iso(NOON_US - SECOND_US)
    assert (
        put(service, first, headers={"X-Vedette-Time": moment}, params={"name": "gate", "of": vehicle}).content == b""
    )
    shown = look(service)
    assert (shown.content, shown.headers["Content-Type"], shown.headers["X-Vedette-Time"]) == (
        first,
        "image/jpeg",
        moment,
    )
    assert "no-store" in shown.headers["Cache-Control"]
    etag = shown.headers["ETag"]
    (one,) = streams(service)
    came = one.pop("received"), one.pop("age_s")
    assert came[0] >= iso(NOON_US)
    assert came[1] >= 0
    assert one == {
        "source": GATE, "name": "gate", "of": vehicle, "time": moment, "state": "live", "width": 32, "height": 24,
        "bytes": len(first), "etag": etag,
    }  # fmt: skip
    same = look(service, etag=f'"other", {etag}')
    assert (same.status_code, same.content, same.headers["ETag"]) == (304, b"", etag)
    assert put(service, second).status_code == 204
    newer = look(service, etag=etag)
    assert (newer.status_code, newer.content) == (200, second)
    assert newer.headers["ETag"] != etag
    assert "X-Vedette-Time" not in newer.headers
    assert put(service, second).status_code == 204  # one that looks the same is another one: the camera still sees
    assert look(service, etag=newer.headers["ETag"]).status_code == 200


def bomb():
    """A picture of a few hundred bytes that says it is 60,000 pixels square."""
    data = bytearray(jpeg())
    at = data.index(b"\xff\xc0")
    data[at + 5 : at + 9] = (60_000).to_bytes(2) * 2
    return bytes(data)


@ON_SQLITE
@pytest.mark.parametrize(
    ("data", "headers", "status", "word"),
    [
        (b"<svg onload=alert(1)>", {}, 422, "JPEG"),
        (cv2.imencode(".png", np.zeros((4, 4, 3), np.uint8))[1].tobytes(), {}, 422, "JPEG"),
        (b"", {}, 422, "JPEG"),
        (jpeg()[:-20], {}, 422, "JPEG"),
        (bomb(), {}, 422, "60000 x 60000"),
        (jpeg(2000, 1), {}, 422, "1920"),
        (b"\xff\xd8" + bytes(600_000), {}, 413, ""),
        (jpeg(), {"Content-Type": "image/png"}, 415, "image/jpeg"),
        (jpeg(), {"X-Vedette-Time": "noon"}, 422, "X-Vedette-Time"),
    ],
)
def test_what_is_no_small_jpeg_picture_is_refused_and_leaves_the_one_before(service, data, headers, status, word):
    before = jpeg()
    put(service, before)
    refused = put(service, data, headers=headers)
    assert (refused.status_code, word.lower() in refused.text.lower()) == (status, True), refused.text
    assert look(service).content == before


@ON_SQLITE
def test_a_key_shows_the_streams_that_it_is_bound_to_and_no_other(service):
    service.key("drone", "pilot", sources=["rtsp://gate.example/*"])
    assert put(service, jpeg(), who="drone").status_code == 204
    refused = put(service, jpeg(), source="rtsp://tower.example/1", who="drone")
    assert (refused.status_code, "may not deliver" in refused.text) == (403, True)
    assert [one["source"] for one in streams(service)] == [GATE]


@ON_SQLITE
def test_those_inside_see_pictures_and_nobody_else_learns_that_there_are_any(service):
    service.partner("bravo")
    asked = [("GET", "/streams"), ("GET", path_of(GATE))]
    outside = ("bravo", "sensor", "auditor", "administrator")
    before = {who: [service.ask(who, *each).text for each in asked] for who in outside}
    put(service, jpeg())
    for who in outside:
        answers = [service.ask(who, *each) for each in asked]
        assert [answer.status_code for answer in answers] == [403, 403]
        assert [answer.text for answer in answers] == before[who]
        assert put(service, jpeg(), who=who).status_code == 403
    for who in ("pilot", "analyst", "supervisor"):
        assert look(service, who=who).status_code == 200
    assert [service.ask(None, *each).status_code for each in asked] == [401, 401]


@ON_SQLITE
def test_a_picture_grows_stale_and_then_is_gone(service, clock):
    put(service, jpeg(), headers={"X-Vedette-Time": iso(NOON_US - 3600 * SECOND_US)})
    assert streams(service)[0]["state"] == "live"  # however old the recording: the stream is heard now
    clock.now_us += 11 * SECOND_US
    assert streams(service)[0]["state"] == "stale"
    assert look(service).status_code == 200
    clock.now_us += 300 * SECOND_US
    assert (streams(service), look(service).status_code) == ([], 404)
    put(service, jpeg())
    clock.now_us -= 3600 * SECOND_US  # a clock that was set back: nobody knows how old it is
    assert look(service).status_code == 404


@settings(max_examples=few(60))
@given(
    st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(0, 4)), max_size=30),
    st.integers(1, 4),
)
def test_no_more_than_the_newest_few_are_held(puts, most):
    """Against a second telling: the last `most` streams heard of, each with its last picture, none older than 10 s."""
    held = NewestPictures(PictureSettings(most=most, stale_s=1, gone_s=10))
    now_us, told = NOON_US, []
    for number, (source, wait_s) in enumerate(puts):
        now_us += wait_s * SECOND_US
        told = [each for each in told if each[0] != source] + [(source, number, now_us)]
        held.put(Picture(source, str(number).encode(), 1, 1, None, now_us, source))
        told = [each for each in told if now_us - each[2] <= 10 * SECOND_US][-most:]
        assert len(held._newest) == len(told)
    assert [(one.source, one.data) for one in held.all(now_us)] == sorted((s, str(n).encode()) for s, n, _ in told)
    assert held.all(now_us + 11 * SECOND_US) == []


def test_the_audit_has_who_looked_at_which_stream_and_not_each_picture(service, clock):
    service.key("second", "analyst")
    tower = "rtsp://tower.example/1"
    for n in range(20):
        put(service, jpeg(seed=n))
        put(service, jpeg(seed=n), source=tower)
        assert look(service).status_code == 200
        streams(service)
        clock.now_us += SECOND_US
    assert look(service, who="second").status_code == 200
    assert look(service, source=tower).status_code == 200
    seen = audited(service, "picture.view")
    assert [(body["name"], body["objects"], body["detail"]["pictures"]) for body in seen] == [
        ("analyst", [GATE], 1),
        ("second", [GATE], 1),
        ("analyst", [GATE, tower], 20),
    ]
    assert [body["objects"] for body in audited(service, "picture.write")] == [[GATE], [tower]]
    assert len(audited(service, "stream.list")) == 1
    clock.now_us += 301 * SECOND_US
    put(service, jpeg())
    assert audited(service, "picture.write")[-1]["detail"]["pictures"] == 39


@ON_SQLITE
def test_a_picture_that_cannot_be_accounted_for_is_not_shown(service, monkeypatch):
    """The disk is full: whoever looks is shown nothing before it is written down, and everything after."""
    data = jpeg()
    put(service, data)
    real = service.store.write_together

    def full(work):
        raise StorageError("no room")

    monkeypatch.setattr(service.store, "write_together", full)
    assert [look(service).status_code for _ in range(2)] == [503, 503]
    assert service.ask("analyst", "GET", "/streams").status_code == 503
    monkeypatch.setattr(service.store, "write_together", real)
    assert look(service).content == data
    assert len(audited(service, "picture.view")) == 1


def test_no_picture_comes_to_lie_on_the_disk(service, databases):
    data = jpeg(64, 64)
    put(service, data)
    look(service)
    part = data[len(data) // 2 :][:64]
    files = [each for each in service.store.directory.rglob("*") if each.is_file()]
    assert [each for each in files if part in each.read_bytes()] == []
    if databases.postgres is not None:
        assert repr(part)[2:-1] not in everything(service.store)


class Away:
    """A service that does not answer until it is let; afterwards it takes all but the pictures of one stream."""

    def __init__(self):
        self.let, self.asked, self.taken = threading.Event(), threading.Event(), []

    def __call__(self, request):
        self.asked.set()
        assert self.let.wait(60)
        if b"forbidden" in request.url.raw_path:
            return httpx.Response(
                403, json={"detail": "not yours"}, headers={"Content-Type": "application/problem+json"}
            )
        self.taken.append((request.url.path, request.read(), request.headers.get("X-Vedette-Time")))
        return httpx.Response(204)


def test_whoever_hands_pictures_waits_for_no_service_and_old_ones_are_dropped_and_counted():
    away, said = Away(), []
    made = []

    def picture(number):
        made.append(number)
        return api.LivePicture(b"%d" % number, iso(NOON_US + number))

    with (
        api.Client("http://vedette.test", "k", transport=httpx.MockTransport(away)) as client,
        api.PictureCourier(client, said.append, period_s=0.01) as courier,
    ):
        courier.hand("a/b", lambda: picture(0))
        assert away.asked.wait(60)
        for number in range(1, 1000):  # while the service hangs
            courier.hand("a/b", lambda number=number: picture(number))
            courier.hand("forbidden", lambda number=number: picture(number))
        away.let.set()
    assert [body for _, body, _ in away.taken] == [b"0", b"999"]
    assert away.taken[1][0] == "/streams/a/b/picture"
    assert away.taken[1][2] == iso(NOON_US + 999)
    assert made == [0, 999, 999]  # what is not sent is not even made
    assert (courier.sent, courier.dropped) == (2, 1999 - 2)
    assert len(said) == 1
    assert "forbidden" in said[0]
