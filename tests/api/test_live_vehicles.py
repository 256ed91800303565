"""Where vehicles are now: the newest state of each, to whom it may be told, and what the audit has of it."""

import asyncio
import itertools
import json
import threading
from contextlib import suppress
from unittest import mock

from fastapi.sse import KEEPALIVE_COMMENT
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from api.background import Service, beside
from api.errors import StorageError
from api.feeds.settings import FeedSettings
from api.feeds.streams import Open, Streams
from api.identity.roles import SYSTEM, Call, Principal, Role
from api.live.account import Tally, account_for_live, count_down, tally_of
from api.live.account import _close as close_idle
from api.live.schemas import StateIn
from api.live.settings import LiveSettings
from api.live.states import take_states
from api.live.stream import VEHICLES, Watch, changes, live_stream
from api.live.tables import VehicleStateRow
from api.live.view import live_vehicles
from api.records.readable import find_readable
from api.release.policy import shared_feature
from api.release.schemas import AgreementTerms
from api.settings import Settings
from api.store.tables import AgreementRow, AuditRow, EventRow, RecordRow, ReleaseRow
from api.times import iso
from tests.api.live import Stream, live
from tests.api.samples import NOON_US, agreement_json, record_json
from tests.api.test_cameras import CAMERA
from tests.api.test_release import rectangle
from tests.asked import few

RULES = LiveSettings()
SECOND_US = 1_000_000
SEEN = rectangle(-110.95, 31.33, -110.93, 31.35)


def state_json(source_id="a", at_us=NOON_US, **more):
    usual = {"source": "station", "source_id": source_id, "update_time": iso(at_us), "state": "on task"}
    return usual | {"lat": 31.34, "lon": -110.94} | more


def vehicle_of(service, source_id="a", **more):
    answer = service.ask("pilot", "POST", "/vehicles", json=record_json("vehicles", source_id) | more)
    assert answer.status_code in {200, 201}, answer.text
    return answer.json()["id"]


def put(service, *states):
    answer = service.ask("pilot", "PUT", "/vehicles/states", json={"states": list(states)})
    assert answer.status_code == 200, answer.text
    return [each["outcome"] for each in answer.json()["results"]]


def agreed(service, name, vehicle_id, **terms):
    usual = {"records": ["vehicle"], "fields": ["live", "position", "camera", "video"]}
    partner = service.partner(name)
    assert service.agree(partner, **usual | terms).status_code == 201
    released = service.release(vehicle_id, partner)
    assert released.status_code == 201, released.text
    return released.json()["id"]


def counts(service):
    with service.store.read() as session:
        return [session.query(table).count() for table in (RecordRow, EventRow, AuditRow)]


def audited(service, action):
    with service.store.read() as session:
        bodies = [json.loads(row.body) for row in session.query(AuditRow).order_by(AuditRow.seq)]
    return [body for body in bodies if body["action"] == action]


class UndoneError(Exception):
    """Ends a transaction of which nothing is to be kept."""


def test_the_newest_state_stays_in_whatever_order_and_however_often_states_come(service):
    """The same for every order: as if each vehicle had sent its newest state alone."""
    for name in "abc":
        vehicle_of(service, name)
    inside = Principal("k", "k", Role.ANALYST)
    told = st.tuples(st.sampled_from("abc"), st.integers(1, 6))

    @settings(max_examples=25, deadline=None)
    @given(st.lists(told, min_size=1, max_size=14), st.lists(st.integers(1, 4), max_size=6))
    def agree(order, cuts):
        with suppress(UndoneError), service.store.write() as session:
            left = iter(order)
            for size in [*cuts, len(order)]:
                part = list(itertools.islice(left, size))
                states = [
                    StateIn.model_validate_json(json.dumps(state_json(name, NOON_US + n * SECOND_US, lat=30 + n / 10)))
                    for name, n in part
                ]
                take_states(session, SYSTEM, NOON_US, states, RULES)
            found = live_vehicles(session, inside, NOON_US, RULES)
            newest = {name: max(n for who, n in order if who == name) for name, _ in order}
            assert {
                one.feature["properties"]["source_id"]: one.feature["geometry"]["coordinates"][1]
                for one in found.values()
            } == {name: 30 + n / 10 for name, n in newest.items()}
            raise UndoneError

    agree()


def test_a_state_says_what_came_of_it_and_no_position_grows_the_log_or_the_audit(service, clock):
    vehicle_id = vehicle_of(service)
    assert put(service, state_json()) == ["taken"]
    before = counts(service)
    later, far = NOON_US + SECOND_US, NOON_US + 3600 * SECOND_US
    assert put(service, state_json()) == ["unchanged"]
    assert put(service, state_json(lat=31.0)) == ["conflict"]
    assert put(service, state_json(at_us=later), state_json(), state_json(at_us=later)) == [
        "taken",
        "older",
        "unchanged",
    ]
    assert put(service, state_json("nobody"), state_json(at_us=far)) == ["unknown", "ahead"]
    for n in range(2, 30):
        assert put(service, state_json(at_us=NOON_US + n * SECOND_US)) == ["taken"]
    assert counts(service) == before
    clock.now_us += 301 * SECOND_US
    put(service, state_json(at_us=NOON_US + 300 * SECOND_US))
    first, second = audited(service, "vehicle.write_live")
    assert (first["objects"], first["detail"]["states"], first["name"]) == ([vehicle_id], 1, "pilot")
    assert (second["objects"], second["detail"]["states"]) == ([vehicle_id], 35)
    assert second["detail"]["from"] < second["detail"]["until"]


def test_a_vehicle_is_read_where_it_is_now_and_is_marked_when_that_is_old(service, clock):
    vehicle_id = vehicle_of(service, battery_left=1.0, heading_deg=5.0)
    etag = service.ask("analyst", "GET", f"/vehicles/{vehicle_id}").headers["ETag"]
    put(service, state_json(lat=31.5, battery_left=0.5, mode="AUTO", link="weak", camera=CAMERA, footprint=SEEN))
    answer = service.ask("analyst", "GET", f"/vehicles/{vehicle_id}")
    assert answer.headers["ETag"] != etag
    one = answer.json()
    assert service.ask("analyst", "GET", "/vehicles").json()["features"] == [one]
    assert one["geometry"] == {"type": "Point", "coordinates": [-110.94, 31.5]}
    told = one["properties"]
    assert (told["battery_left"], told["heading_deg"], told["mode"], told["link"]) == (0.5, None, "AUTO", "weak")
    assert (told["camera"], told["footprint"]) == (CAMERA | {"roll_deg": None, "model": None}, SEEN)
    assert told["live"] == {"time": iso(NOON_US), "until": iso(NOON_US + 30 * SECOND_US), "stale": False}
    clock.now_us += 31 * SECOND_US
    stale = service.ask("analyst", "GET", f"/vehicles/{vehicle_id}").json()
    assert stale["properties"]["live"]["stale"] is True
    assert service.ask("supervisor", "POST", "/erasures", json={"record_id": vehicle_id, "reason": "asked"}).is_success
    assert put(service, state_json(at_us=NOON_US + 31 * SECOND_US)) == ["unknown"]
    with service.store.read() as session:
        assert session.query(VehicleStateRow).count() == 0


spots = st.tuples(st.integers(0, 5), st.integers(0, 5))


def test_a_partner_sees_a_vehicle_live_only_as_its_agreement_says(service, clock):
    """Random agreements and flights against a second telling; the area is a square whose edges are numbers."""
    home = rectangle(-110.1, 31.9, -110.0, 32.0)  # in the area, as what the camera sees now may not be
    vehicle_id = vehicle_of(service, lat=32.0, lon=-110.0, video="rtsps://watch.example/1", footprint=home)
    partner = service.partner("bravo")
    reader = Principal("k", "k", Role.PARTNER, partner)
    made = {}
    for extra in (set(), {"live"}, {"live", "camera"}, {"live", "video", "status"}, {"video"}):
        for area in (None, (-110.5, 31.5, -109.5, 32.5)):
            terms = {"fields": sorted({"position"} | extra), "area": area and rectangle(*area)}
            made[frozenset(extra), area] = agreement_json(partner, records=["vehicle"], **terms)
    for key, terms in made.items():
        agreement = service.ask("administrator", "POST", "/agreements", json=terms).json()["id"]
        release = service.release(vehicle_id, partner, agreement_id=agreement)
        assert release.status_code == 201, release.text
        check(service, reader, key, vehicle_id, clock.now_us)
        service.ask("supervisor", "DELETE", f"/releases/{release.json()['id']}")
        with service.store.read() as session:
            assert live_vehicles(session, reader, clock.now_us, RULES) == {}


def check(service, reader, key, vehicle_id, now_us):
    fields, area = key

    @settings(max_examples=12, deadline=None)
    @given(at=spots, seen=st.none() | spots, age_s=st.sampled_from([0, 29, 40]))
    def agree(at, seen, age_s):
        lat, lon = 31.2 + at[0] / 4, -110.8 + at[1] / 4
        ring = None if seen is None else (lon, lat, lon + 0.11 + seen[0] / 5, lat + 0.11 + seen[1] / 5)
        given_state = state_json(
            at_us=now_us - age_s * SECOND_US,
            lat=lat,
            lon=lon,
            camera=CAMERA,
            footprint=None if ring is None else rectangle(*ring),
        )
        with suppress(UndoneError), service.store.write() as session:
            take_states(session, SYSTEM, now_us, [StateIn.model_validate_json(json.dumps(given_state))], RULES)
            found = live_vehicles(session, reader, now_us, RULES).get(vehicle_id)
            sent = None if found is None else found.feature
            if found is None:  # whoever reads the vehicle is sent its record
                sent = json.loads(find_readable(session, reader, now_us, vehicle_id).feature)
            raise UndoneError
        west, south, east, north = area or (-180, -90, 180, 90)
        inside = west <= lon <= east and south <= lat <= north
        views = area is None or (
            ring is not None and west <= ring[0] and south <= ring[1] and ring[2] <= east and ring[3] <= north
        )
        assert (found is not None) is ("live" in fields and inside and age_s < 30)
        told = sent["properties"]
        # With an area, a link is told of a vehicle that is known to look into the area now.
        assert ("video" in told) is ("video" in fields and (area is None or (found is not None and views)))
        if found is None:
            return
        assert sent["geometry"]["coordinates"] == [lon, lat]
        assert ("camera" in told) is ("camera" in fields and views)
        assert ("state" in told) is ("status" in fields)
        assert not {"battery_left", "link", "mode", "sortie", "heading_deg"} & set(told)

    agree()


def test_a_vehicle_that_leaves_the_area_is_gone_for_the_partner_and_its_record_stays(service):
    vehicle_id = vehicle_of(service)
    agreed(service, "bravo", vehicle_id, area=rectangle(-111, 31, -110, 32))
    put(service, state_json(lat=31.9))
    path = f"/vehicles/{vehicle_id}"
    assert service.ask("bravo", "GET", path).json()["geometry"]["coordinates"] == [-110.94, 31.9]
    put(service, state_json(at_us=NOON_US + SECOND_US, lat=32.1))
    left = service.ask("bravo", "GET", path)
    assert left.json()["geometry"]["coordinates"] == [-110.94, 31.34]  # of the record, which was released
    assert "live" not in left.json()["properties"]
    assert "32.1" not in left.text


def test_under_an_area_that_was_stored_uncut_no_state_is_told(service):
    """What was released stays; where the vehicle is now does not go along."""
    vehicle_id = vehicle_of(service)
    released = agreed(service, "bravo", vehicle_id, area=rectangle(-111, 31, -110, 32))
    put(service, state_json(lat=31.9))
    path = f"/vehicles/{vehicle_id}"
    assert "live" in service.ask("bravo", "GET", path).json()["properties"]
    with service.store.write() as session:
        row = session.get_one(AgreementRow, session.get_one(ReleaseRow, released).agreement_id)
        row.terms = json.dumps(json.loads(row.terms) | {"area": rectangle(-170, 31, 170, 32)})
    assert "live" not in service.ask("bravo", "GET", path).json()["properties"]


def test_a_state_of_a_clock_that_is_ahead_is_stale_when_one_of_the_right_time_is(service, clock):
    vehicle_id = vehicle_of(service)
    assert put(service, state_json(at_us=NOON_US + 60 * SECOND_US)) == ["taken"]
    live = service.ask("analyst", "GET", f"/vehicles/{vehicle_id}").json()["properties"]["live"]
    assert (live["until"] < iso(NOON_US + 31 * SECOND_US), live["stale"]) == (True, False)
    clock.now_us += 31 * SECOND_US
    assert service.ask("analyst", "GET", f"/vehicles/{vehicle_id}").json()["properties"]["live"]["stale"] is True


def test_a_live_picture_goes_out_under_no_agreement_that_holds_back(service):
    vehicle_id = vehicle_of(service, video="rtsps://watch.example/1")
    terms = {"records": ["vehicle"], "fields": ["position", "video"], "delay_s": 3600}
    partner = service.partner("bravo")
    refused = service.agree(partner, **terms)
    assert (refused.status_code, "cannot be held back" in refused.json()["detail"]) == (422, True)
    earlier = AgreementTerms.model_validate(agreement_json(partner, **terms))  # one that was stored before
    with service.store.read() as session:
        row = session.get_one(RecordRow, vehicle_id)
        for agreement, told in ((earlier, False), (earlier.model_copy(update={"delay_s": 0}), True)):
            shared = shared_feature(row, json.loads(row.document), agreement, {})
            assert ("video" in shared["properties"]) is told


class At:
    """A vehicle as `changes` looks at it."""

    def __init__(self, name, etag):
        self.name, self.etag = name, etag


@given(st.lists(st.tuples(st.dictionaries(st.sampled_from("abc"), st.integers(0, 3)), st.booleans()), max_size=8))
def test_whoever_was_away_for_some_turns_ends_with_the_newest_view_and_is_told_each_once(turns):
    told, has = {}, {}
    for view, looks in turns:
        if not looks:
            continue
        now = {name: At(name, str(n)) for name, n in view.items()}
        fresh, gone = changes(now, told)
        assert all(has.get(one.name) != one.etag for one in fresh)
        for name in gone:
            del has[name]
        has |= {one.name: one.etag for one in fresh}
        assert has == {name: one.etag for name, one in now.items()}
        assert changes(now, told) == ([], [])


def test_a_tally_loses_no_state_and_names_a_vehicle_before_it_counts():
    tally = Tally(Call(SYSTEM, "r"), "vehicle.stream", 10.0)
    entries = [
        tally.count(second * SECOND_US, ids).deeds for second, ids in ((0, ["a"]), (1, ["a"]), (2, ["a", "b"]), (3, []))
    ]
    assert [[(deed.objects, deed.detail["states"]) for deed in deeds] for deeds in entries] == [
        [(["a"], 1)], [], [(["a", "b"], 3)], [],
    ]  # fmt: skip
    assert [deed.detail["states"] for deed in tally.count(13 * SECOND_US, ["b"]).deeds] == [1]
    assert tally.close(14 * SECOND_US).deeds == ()
    tally.count(16 * SECOND_US, ["a"])
    assert [deed.detail["states"] for deed in tally.count(1 * SECOND_US, ["a"]).deeds] == [2]  # the clock was set back
    tally.count(2 * SECOND_US, ["a"])
    assert [deed.detail["states"] for deed in tally.close(3 * SECOND_US).deeds] == [1]


class Disk:
    """A store of audit entries alone, which is full at times."""

    def __init__(self):
        self.now_us, self.full, self.written = NOON_US, False, []

    def clock(self):
        return self.now_us

    def write_together(self, work):
        if self.full:
            raise StorageError("no room")
        work(self)


@settings(max_examples=few(150))
@given(
    st.lists(
        st.tuples(st.booleans(), st.sets(st.sampled_from("abc")), st.integers(0, 15), st.sampled_from("....x")),
        max_size=30,
    )
)
def test_what_was_shown_is_told_once_however_often_it_cannot_be_written(steps):
    """A session of requests that is idle at times: the entries come to what was shown, no more and no less."""
    disk, shown, seen = Disk(), 0, set()
    call = Call(Principal("key", "key", Role.ANALYST), "r")
    with mock.patch("api.live.account.append_deeds", lambda disk, deeds: disk.written.extend(deeds)):
        for looks, ids, wait_s, room in steps:
            disk.now_us += wait_s * SECOND_US
            disk.full = room == "x"
            with suppress(StorageError):
                if looks:
                    count_down(disk, tally_of(disk, call, "look", 10.0), ids)
                    shown, seen = shown + len(ids), seen | ids
                else:
                    close_idle(disk, disk.now_us - 5 * SECOND_US)
            # Nobody is shown whom no entry names, whatever it was full of.
            assert seen <= {name for deed in disk.written for name in deed.objects}
        disk.full = False
        close_idle(disk, None)
    assert sum(deed.detail["states"] for deed in disk.written) == shown
    assert {name for deed in disk.written for name in deed.objects} == seen
    told = [(deed.detail["from"], deed.detail["until"]) for deed in disk.written]
    assert all(begin <= end for begin, end in told)


def test_who_names_ever_more_is_remembered_no_more_than_so_many():
    tally = Tally(Call(SYSTEM, "r"), "vehicle.stream", 1e6)
    for n in range(30):
        assert tally.count(NOON_US, [f"{n}-{k}" for k in range(1000)]).deeds
    assert len(tally._named) <= 11_000
    assert tally.count(NOON_US, ["0-0"]).deeds  # named anew


async def test_a_service_stops_though_its_database_is_gone(service, monkeypatch):
    await asyncio.to_thread(vehicle_of, service)
    for n in range(2):  # the second stands in no entry yet
        await asyncio.to_thread(put, service, state_json(at_us=NOON_US + n * SECOND_US))
    tried = []

    def gone(_work):
        tried.append(threading.current_thread())
        raise StorageError("the database is gone")

    async with asyncio.timeout(30):
        async with beside(Service(service.store, Settings(service.store.directory)), [account_for_live]):
            await asyncio.sleep(0)
            monkeypatch.setattr(service.store, "write_together", gone)
    assert len(tried) == 1
    assert tried[0] is not threading.current_thread()  # others have something to end too


def test_the_feed_of_cot_has_the_vehicle_where_it_is_with_what_its_camera_sees(service, clock):
    vehicle_of(service, video="rtsps://watch.example/1")
    put(service, state_json(lat=31.5, course_deg=90.0, speed_m_s=12.0, camera=CAMERA, footprint=SEEN))
    events = etree.fromstring(service.ask("analyst", "GET", "/cot?type=vehicle").content)
    own, footprint = events
    assert (own.get("stale"), own.find("point").get("lat")) == ("2026-01-01T12:00:30.000Z", "31.5000000")
    sensor = own.find("detail/sensor")
    assert (sensor.get("azimuth"), sensor.get("fov"), sensor.get("range")) == ("12.0", "40.0", "900.0")
    assert (own.find("detail/track").get("course"), own.find("detail/track").get("speed")) == ("90.0", "12.0")
    assert own.find("detail/__video").get("url") == "rtsps://watch.example/1"
    assert own.find("detail/marking").text == "REL BRAVO"
    assert footprint.get("uid").endswith("-footprint")
    clock.now_us += 31 * SECOND_US
    assert len(etree.fromstring(service.ask("analyst", "GET", "/cot?type=vehicle").content)) == 0


async def test_who_joins_as_the_last_one_leaves_is_shown_what_is_live(service, monkeypatch):
    vehicle_id = await asyncio.to_thread(vehicle_of, service)
    await asyncio.to_thread(put, service, state_json())
    monkeypatch.setattr("api.live.stream.standing", lambda _session, who, _now, _identity: who)
    quick = Settings(service.store.directory, live=LiveSettings(pace_s=0.01))
    watch = Watch(service.store, quick.live, quick.identity)
    reader = Call(Principal("key", "key", Role.ANALYST), "r")
    watch.leave(watch.join(Open(reader, "inside")))
    seat = watch.join(Open(reader, "inside"))
    async with asyncio.timeout(30):
        await seat.turned.wait()
    assert list(seat.view) == [vehicle_id]
    watch.leave(seat)


async def test_a_stream_of_which_nothing_changes_shows_that_it_lives(service, monkeypatch):
    """However often is looked in between."""
    monkeypatch.setattr("api.live.stream.standing", lambda _session, who, _now, _identity: who)
    quick = Settings(service.store.directory, live=LiveSettings(pace_s=0.01), feeds=FeedSettings(heartbeat_s=0.2))
    opened = Open(Call(Principal("key", "key", Role.ANALYST), "r"), "inside")
    watch = Watch(service.store, quick.live, quick.identity)
    wire = live_stream(Streams(service.store, quick), watch, opened, service.store, VEHICLES, account_s=300.0)
    async with asyncio.timeout(30):
        assert [await anext(wire) for _ in range(3)][1:] == [KEEPALIVE_COMMENT] * 2
    await wire.aclose()


async def test_a_reader_that_is_slow_gets_the_newest_state_and_none_in_between(service, monkeypatch):
    await asyncio.to_thread(vehicle_of, service)
    await asyncio.to_thread(put, service, state_json())
    quick = Settings(service.store.directory, live=LiveSettings(pace_s=0.01))
    reader = Principal("key", "key", Role.ANALYST)
    monkeypatch.setattr("api.live.stream.standing", lambda _session, who, _now, _identity: who)
    opened = Open(Call(reader, "r"), "inside")
    watch = Watch(service.store, quick.live, quick.identity)
    wire = live_stream(Streams(service.store, quick), watch, opened, service.store, VEHICLES, account_s=300.0)
    pieces = [await anext(wire), await anext(wire)]
    assert b'"coordinates":[-110.94,31.34]' in pieces[1]
    for n in range(1, 20):
        await asyncio.to_thread(put, service, state_json(at_us=NOON_US + n * SECOND_US, lat=40 + n / 10))
    (seat,) = watch._seats
    while next(iter(seat.view.values())).feature["geometry"]["coordinates"][1] != 41.9:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    newest = await anext(wire)
    assert newest.count(b"event: vehicle") == 1
    assert b'"coordinates":[-110.94,41.9]' in newest
    opened.end("stopping")
    assert b'"reason":"stopping"' in await anext(wire)
    assert [each async for each in wire] == []
    entries = audited(service, "vehicle.stream")
    assert sum(each["detail"]["states"] for each in entries) == 2


def test_streams_over_sockets_tell_each_what_it_may_see_and_end_when_a_key_does(tmp_path):
    with live(tmp_path) as service:
        now_us = service.store.clock()
        body = record_json("vehicles") | {"retention_days": 3650}
        vehicle_id = service.must("pilot", "POST", "/vehicles", json=body)["id"]
        terms = {"records": ["vehicle"], "fields": ["live", "position"], "area": rectangle(-111, 31, -110, 32)}
        partner = service.partner("bravo", **terms)
        service.must("supervisor", "POST", "/releases", json={"record_id": vehicle_id, "partner_id": partner})

        def fly(at_us, lat):
            state = state_json(at_us=at_us, lat=lat)
            assert service.must("pilot", "PUT", "/vehicles/states", json={"states": [state]})["counts"] == {"taken": 1}

        fly(now_us, 31.5)
        headers = {"Authorization": f"Bearer {service.keys['bravo']}"}
        with service.http.stream("GET", "/vehicles/stream", headers=headers) as response:
            stream = Stream(response)
            first = next(stream)
            fly(now_us + 1, 32.5)
            gone = next(stream)
            fly(now_us + 2, 31.75)
            back = next(stream)
            service.revoke("bravo")
            bye = next(stream)
        assert (first.kind, first.data["geometry"]["coordinates"][1]) == ("vehicle", 31.5)
        assert (gone.kind, gone.data) == ("gone", {"id": vehicle_id})
        assert (back.kind, back.data["geometry"]["coordinates"][1]) == ("vehicle", 31.75)
        assert (bye.kind, bye.data) == ("bye", {"reason": "revoked"})
        assert "32.5" not in stream.raw
        assert next(each["objects"] for each in service.audited("vehicle.stream")) == [vehicle_id]
