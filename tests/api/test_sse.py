"""The stream of events over real sockets: order, resuming, what may be read at that moment, and those who are slow."""

import asyncio
import json
import socket
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api import Store
from api.errors import StorageError
from api.feeds.wake import Place, Wake, wake_of
from api.trail.log import append_event, last_n, read_events
from tests.api.live import Live, live


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    with live(tmp_path_factory.mktemp("live")) as made:
        yield made


def test_history_comes_first_then_what_happens_each_by_its_number(service: Live):
    mark = service.mark()
    first = [service.deliver("a"), service.deliver("b")]
    with service.stream("analyst", after=mark) as stream:
        events = stream.take(2)
        third = service.deliver("c")
        begun = time.monotonic()
        events += stream.take(1)
        assert time.monotonic() - begun < 30.0
    assert [event.cursor for event in events] == [str(mark + n) for n in (1, 2, 3)]
    assert [event.data["n"] for event in events] == [mark + n for n in (1, 2, 3)]
    assert [event.data["record_id"] for event in events] == [*first, third]
    for event in events:
        assert event.kind == "record.created"
        one = service.must("analyst", "GET", f"/crossings/{event.data['record_id']}")
        assert event.data["feature"] == one
        assert event.data["state"] == "current"


def test_a_stream_is_resumed_where_it_broke_off_with_no_gap_and_nothing_twice(tmp_path, databases):
    with live(tmp_path, database=databases.new()) as service:
        mark = service.mark()
        for number in range(6):
            service.deliver(f"a{number}")
        seen: list[str] = []
        last = str(mark)
        while len(seen) < 6:
            with service.stream("analyst", last=last) as stream:
                seen += [event.cursor for event in stream.take(2)]
                last = stream.last_id
        assert seen == [str(mark + n + 1) for n in range(6)]


def test_what_is_committed_while_a_place_is_taken_comes_once(service: Live, monkeypatch):
    real = Wake.join

    def commit() -> None:
        with service.store.write() as session:
            for _ in range(3):
                append_event(session, service.store.clock(), "partner.created")

    async def join(self, audience, capacity=1):
        place = await real(self, audience, capacity)
        await asyncio.to_thread(commit)
        while len(place.events) < 3:  # noqa: ASYNC110 - they are in the buffer, and in the log that is read next
            await asyncio.sleep(0.01)
        return place

    monkeypatch.setattr(Wake, "join", join)
    mark = service.mark()
    with service.stream("analyst", after=mark) as stream:
        events = stream.take(3)
        commit()
        events += stream.take(3)
    assert [event.data["n"] for event in events] == [mark + n for n in range(1, 7)]


def test_without_a_cursor_a_stream_starts_now_and_says_where_that_is(service: Live):
    service.deliver("before")
    with service.stream("analyst") as stream:
        after = service.deliver("after")
        (event,) = stream.take(1)
    assert event.data["record_id"] == after
    with service.stream("analyst", last=str(int(event.cursor) - 1)) as stream:
        assert stream.take(1)[0].data["record_id"] == after


def test_what_another_process_writes_comes_too(service: Live):
    other = Store(service.store.directory)
    with service.stream("analyst") as stream:
        with other.write() as session:
            append_event(session, other.clock(), "partner.created", partner_id="a" * 32)
        assert next(stream).kind == "partner.created"
    other.close()


def test_a_partner_is_told_of_its_own_releases_alone_by_its_own_numbers(service: Live):
    bravo, charlie = service.partner("bravo"), service.partner("charlie")
    mine, _ = service.released(bravo, "a")
    service.released(charlie, "b")
    service.released(charlie, "c")
    mine_too, _ = service.released(bravo, "d")
    with service.stream("bravo", after=0) as stream:
        events = stream.take(2)
        raw = stream.raw
    assert [(event.kind, event.cursor, event.data["record_id"]) for event in events] == [
        ("release.created", "1", mine),
        ("release.created", "2", mine_too),
    ]
    for event in events:
        assert event.data["feature"] == service.must("bravo", "GET", f"/crossings/{event.data['record_id']}")
        assert "track" not in event.data["feature"]["properties"]  # not in the agreement
    assert charlie not in raw


def test_what_was_recalled_before_it_was_told_is_told_as_recalled_without_its_content(service: Live):
    bravo = service.partner("bravo")
    crossing_id, release_id = service.released(bravo, "a", lat=31.777123)
    service.recall(release_id)
    with service.stream("bravo", after=0) as stream:
        created, recalled = stream.take(2)
        assert "31.777" not in stream.raw
    assert (created.kind, created.data["state"], created.data["feature"]) == ("release.created", "recalled", None)
    assert (recalled.kind, recalled.data["state"], recalled.data["feature"]) == ("release.recalled", "recalled", None)
    assert created.data["record_id"] == recalled.data["record_id"] == crossing_id
    again = service.must("supervisor", "POST", "/releases", json={"record_id": crossing_id, "partner_id": bravo})["id"]
    with service.stream("bravo", after=0) as stream:
        states = [(event.data["detail"]["release_id"], event.data["state"]) for event in stream.take(3)]
    assert states == [(release_id, "recalled"), (release_id, "recalled"), (again, "current")]


def test_a_recall_is_offered_again_without_moving_the_cursor_until_there_is_a_receipt(tmp_path, databases):
    with live(tmp_path, database=databases.new(), reoffer_s=0.2) as service:
        bravo = service.partner("bravo")
        _, release_id = service.released(bravo, "a")
        service.recall(release_id)
        with service.stream("bravo", last="2") as stream:
            again, once_more = stream.take(2)
            for event in (again, once_more):
                assert (event.kind, event.cursor) == ("release.recalled", None)
                assert event.data["again"] is True
                assert event.data["detail"]["release_id"] == release_id
            assert stream.last_id == "2"
        service.must("bravo", "POST", f"/recalls/{release_id}/receipt", json={"erased": True})
        with service.stream("bravo", last="2") as stream:
            crossing_id, _ = service.released(bravo, "b")
            event = next(stream)
            assert (event.cursor, event.data["record_id"]) == ("3", crossing_id)


@pytest.mark.parametrize("how", ["key", "partner"])
def test_who_may_not_read_any_more_is_cut_off_within_seconds_and_told_why(service: Live, how: str):
    bravo = service.partner("bravo")
    with service.stream("bravo", after=0) as stream:
        service.released(bravo, "a")
        assert next(stream).kind == "release.created"
        begun = time.monotonic()
        if how == "key":
            service.revoke("bravo")
        else:
            service.must("administrator", "DELETE", f"/partners/{bravo}")
        rest = list(stream)
        assert time.monotonic() - begun < 30.0
    assert [(event.kind, event.data) for event in rest if event.kind == "bye"] == [("bye", {"reason": "revoked"})]
    assert all(event.data.get("feature") is None for event in rest)


def test_nothing_is_looked_up_for_a_key_that_was_revoked_a_moment_ago(tmp_path):
    """The look at the key and the look at the record share a snapshot: no need to wait for the next round."""
    with live(tmp_path, recheck_s=3600.0) as service, service.stream("analyst") as stream:
        service.revoke("analyst")
        service.deliver("a")
        assert [event.kind for event in stream] == ["bye"]


def test_a_role_that_may_not_read_the_log_gets_no_stream(service: Live):
    for who in ("pilot", "sensor", "administrator"):
        assert service.ask(who, "GET", "/events/stream").status_code == 403
    assert service.http.get("/events/stream").status_code == 401


@pytest.mark.parametrize(
    ("query", "headers", "code"),
    [
        ({"after": 10**9}, {}, 422),
        ({"after": -1}, {}, 422),
        ({}, {"Last-Event-ID": "999999999"}, 422),
        ({}, {"Last-Event-ID": "1e3"}, 422),
        ({}, {"Last-Event-ID": "-1"}, 422),
        ({}, {"Last-Event-ID": "9" * 40}, 422),
        ({}, {"Accept": "application/json"}, 406),
    ],
)
def test_a_cursor_that_cannot_be_is_refused(service: Live, query, headers, code):
    answer = service.ask("analyst", "GET", "/events/stream", params=query, headers=headers)
    assert answer.status_code == code
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_silence_is_broken_by_comments(tmp_path):
    with live(tmp_path, heartbeat_s=0.05) as service, service.stream("analyst") as stream:
        threading.Timer(0.5, service.deliver, ("a",)).start()
        next(stream)
        assert stream.comments >= 3


def test_a_key_has_so_many_streams_and_no_more_until_it_closes_one(tmp_path):
    with live(tmp_path, streams_per_key=1, heartbeat_s=0.05) as service:
        with service.stream("analyst"):
            assert service.ask("analyst", "GET", "/events/stream").status_code == 429
            with service.stream("supervisor"):
                pass
        until = time.monotonic() + 30
        while time.monotonic() < until:
            with service.http.stream(
                "GET", "/events/stream", headers={"Authorization": f"Bearer {service.keys['analyst']}"}
            ) as response:
                if response.status_code == 200:
                    break
            time.sleep(0.02)
        assert response.status_code == 200


def test_a_stop_ends_streams_at_once_and_says_so(tmp_path):
    came: list[Any] = []
    opened = threading.Event()

    def listen(service: Live) -> None:
        with (
            httpx.Client(base_url=service.url, timeout=60, verify=False) as http,
            replace(service, http=http).stream("analyst") as stream,
        ):
            opened.set()
            came.extend((event.kind, event.data) for event in stream)

    with live(tmp_path) as service:
        listener = threading.Thread(target=listen, args=(service,))
        listener.start()
        assert opened.wait(30)
        begun = time.monotonic()
    listener.join(30)
    assert came == [("bye", {"reason": "stopping"})]
    assert time.monotonic() - begun < 30.0


def _never_reads(service: Live, who: str) -> socket.socket:
    """An open stream whose receiver takes no byte after the headers."""
    host, port = service.url.removeprefix("http://").split(":")
    peer = socket.socket()
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    peer.connect((host, int(port)))
    peer.sendall(
        f"GET /events/stream?after=0 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {service.keys[who]}\r\n\r\n".encode()
    )
    assert peer.recv(12) == b"HTTP/1.1 200"
    return peer


def test_who_takes_nothing_is_cut_off_holds_nobody_up_and_resumes(tmp_path):
    count = 300
    with live(tmp_path, send_timeout_s=1.0, streams_per_key=2) as service:
        with service.store.read() as session:
            before = last_n(session, "inside")
        slow = _never_reads(service, "analyst")
        with slow, service.stream("analyst", after=before) as stream:
            with service.store.write() as session:  # more than the buffers of sockets hold
                for _ in range(count):
                    append_event(session, service.store.clock(), "partner.created", note="x" * 20_000)
            assert [event.data["n"] - before for event in stream.take(count)] == list(range(1, count + 1))
            until = time.monotonic() + 30
            while True:
                with service.http.stream(  # a place is free again: the service has let go of the slow one
                    "GET", "/events/stream", headers={"Authorization": f"Bearer {service.keys['analyst']}"}
                ) as third:
                    if third.status_code == 200:
                        break
                assert time.monotonic() < until, "the slow one was never cut off"
                time.sleep(0.05)
            assert _ended_short(slow, count * 20_000)
        with service.stream("analyst", last=str(before + 3)) as stream:
            assert [event.data["n"] - before for event in stream.take(3)] == [4, 5, 6]


def test_who_does_not_catch_up_is_told_that_it_is_slow_and_has_all_up_to_there(tmp_path):
    done = threading.Event()

    def write(service: Live) -> None:
        while True:  # the first ones may come before it has read what was there, which nobody hurries
            with service.store.write() as session:
                for _ in range(60):
                    append_event(session, service.store.clock(), "partner.created")
            if done.wait(1.0):
                return

    with live(tmp_path, buffer_events=4, page_events=1, behind_s=1e-6) as service, service.stream("analyst") as stream:
        writer = threading.Thread(target=write, args=(service,))
        writer.start()
        try:
            *events, last = list(stream)
        finally:
            done.set()
            writer.join()
        assert (last.kind, last.data) == ("bye", {"reason": "slow"})
        numbers = [event.data["n"] for event in events]
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
        with service.stream("analyst", last=stream.last_id) as resumed:
            assert next(resumed).data["n"] == numbers[-1] + 1


def test_a_burst_that_no_buffer_holds_is_read_from_the_log(tmp_path):
    with live(tmp_path, buffer_events=4) as service, service.stream("analyst") as stream:
        for _ in range(5):
            with service.store.write() as session:
                for _ in range(60):
                    append_event(session, service.store.clock(), "partner.created")
        numbers = [event.data["n"] for event in stream.take(300)]
        assert numbers == list(range(numbers[0], numbers[0] + 300))


def _ended_short(slow: socket.socket, whole: int) -> bool:
    """Whether the service closed the connection before all was sent."""
    slow.settimeout(30)
    came = 0
    try:
        while piece := slow.recv(1 << 20):
            came += len(piece)
    except ConnectionError:
        pass
    return came < whole


def test_a_buffer_that_is_full_keeps_what_it_has_and_takes_no_more():
    async def work() -> None:
        place = Place("inside", 3)
        for n in range(10):
            place.put({"n": n})
        assert place.full
        assert [event["n"] for event in place.take(10)] == [0, 1, 2]
        place.put({"n": 10})
        assert place.take(10) == []  # what came after a gap is not given

    asyncio.run(work())


def test_nothing_leaves_that_could_not_be_written_down(service: Live, monkeypatch):
    real = service.store.write_together
    names: list[str] = []

    def failing(work):
        names.append(threading.current_thread().name)
        if broken.is_set():
            raise StorageError("disk full")
        return real(work)

    broken = threading.Event()
    monkeypatch.setattr(service.store, "write_together", failing)
    with service.stream("analyst") as stream:
        broken.set()
        monkeypatch.setattr(service.store, "write_together", failing)
        with service.store.write() as session:
            append_event(session, service.store.clock(), "partner.created", partner_id="b" * 32)
        with pytest.raises(Exception, match=r"peer closed|incomplete|StopIteration") as caught:
            next(stream)
        assert "partner.created" not in stream.raw, caught
    broken.clear()
    with service.stream("analyst", last=stream.last_id) as stream:
        assert next(stream).kind == "partner.created"


def test_every_batch_is_written_down_with_what_it_showed(service: Live):
    bravo = service.partner("bravo")
    crossing_id, _ = service.released(bravo, "a")
    with service.stream("bravo", after=0) as stream:
        next(stream)
    (entry,) = [one for one in service.audited("event.stream") if one["partner"] == bravo]
    assert entry["objects"] == [crossing_id]
    assert entry["detail"] == {"first": 1, "last": 1}
    assert len([one for one in service.audited("event.subscribe") if one["partner"] == bravo]) == 1


@settings(max_examples=8, deadline=None)
@given(st.data())
def test_whoever_joins_whenever_misses_nothing_and_sees_nothing_twice(tmp_path_factory, data):
    """Commits, joins and leaves in any order: history by cursor and place together are complete."""
    steps = data.draw(st.lists(st.tuples(st.sampled_from("cjl"), st.sampled_from("ab")), max_size=25))

    async def work(store: Store) -> None:
        wake = wake_of(store, 0.01)
        places: list[tuple[str, Place, list[int]]] = []
        told = {"a": 0, "b": 0}

        def commit(audience: str) -> None:
            with store.write() as session:
                append_event(session, store.clock(), "release.created", audience=audience, release_id="c" * 32)

        for what, audience in steps:
            if what == "c":
                await asyncio.to_thread(commit, audience)
                told[audience] += 1
            elif what == "j":
                place = await wake.join(audience, 100)
                with store.read() as session:
                    seen = [event["n"] for event in read_events(session, after=0, limit=100, audience=audience)]
                places.append((audience, place, seen))
            elif places:
                await wake.leave(places.pop()[1])
        deadline = time.monotonic() + 30
        for audience, place, seen in places:
            while (seen[-1] if seen else 0) < told[audience] and time.monotonic() < deadline:
                seen += [event["n"] for event in place.take(100) if event["n"] > (seen[-1] if seen else 0)]
                await asyncio.sleep(0.002)
            assert seen == list(range(1, told[audience] + 1))
            await wake.leave(place)

    folder: Path = tmp_path_factory.mktemp("wake")
    store = Store(folder / "store")
    asyncio.run(work(store))
    store.close()


@pytest.mark.parametrize("turns", range(6))
def test_who_leaves_just_as_a_commit_comes_has_left(tmp_path, turns):
    async def work(store: Store) -> None:
        wake = wake_of(store, 60.0)
        place = await wake.join("a")
        await asyncio.sleep(0.2)  # its reader waits
        store._tell()
        for _ in range(turns):
            await asyncio.sleep(0)
        async with asyncio.timeout(30):
            await wake.leave(place)

    store = Store(tmp_path / "store")
    asyncio.run(work(store))
    store.close()


def test_the_wire_of_an_event_is_one_line_of_json_whatever_is_in_it(service: Live):
    with service.stream("analyst") as stream:
        with service.store.write() as session:
            append_event(session, service.store.clock(), "partner.created", note="a\r\nid: 7\n\ndata: {}\u2028\x00")
        event = next(stream)
    assert event.data["detail"]["note"] == "a\r\nid: 7\n\ndata: {}\u2028\x00"
    assert json.dumps(event.data)
    assert event.cursor != "7"
    assert len(stream.raw.splitlines()) == stream.raw.count("\n")  # one line for readers that know more ends, too
