"""The spool of cues on their way, over HTTP and into files."""

import errno
import json
import threading

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim import CueCourier, FileSink, HttpSink, MessageRefusedError, UnreachableError
from sim.errors import CueError
from tests.asked import few
from tests.sim.mqtt_broker import until


def a_cue(number):
    return {"type": "cue", "id": number, "sensor": "s"}


class Scripted:
    """A sink that does as it is told for each try: take, lose (taken, but said to have failed), fail, refuse."""

    def __init__(self, script):
        self.script, self.taken = list(script), []
        self.closed = False

    def deliver(self, message, giving_up):  # noqa: ARG002
        act = self.script.pop(0) if self.script else "take"
        if act in {"take", "lose"}:
            self.taken.append(message["id"])
        if act in {"lose", "fail"}:
            raise UnreachableError("away")
        if act == "refuse":
            raise MessageRefusedError("never")
        return True

    def idle(self):
        pass

    def close(self):
        self.closed = True


@given(st.lists(st.sampled_from(["take", "lose", "fail", "refuse"]), max_size=12), st.integers(1, 12))
@settings(max_examples=few(50), deadline=None)
def test_each_message_arrives_or_is_refused_once_and_in_order(script, count):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sim.sensors_delivery._FIRST_WAIT_S", 0.0)
        sink = Scripted(script)
        with CueCourier(sink) as courier:
            for number in range(count):
                courier.put(a_cue(number))
    told = courier.count
    assert sink.closed
    assert told.delivered + told.refused == count
    assert told.waiting == told.dropped == 0
    done = list(dict.fromkeys(sink.taken))
    assert done == sorted(done)
    # Refused are as many as the script refused before it ran out or the messages did.
    used = script[: len(script) - len(sink.script)]
    assert told.refused == used.count("refuse")
    assert told.tries == used.count("lose") + used.count("fail")


@given(st.integers(1, 8), st.integers(0, 30))
@settings(max_examples=30, deadline=None)
def test_the_spool_is_bounded_and_drops_the_oldest(most, count):
    class Held(Scripted):
        def deliver(self, message, giving_up):
            started.set()
            gate.wait()
            return super().deliver(message, giving_up)

    gate, started, sink = threading.Event(), threading.Event(), Held([])
    courier = CueCourier(sink, most_waiting=most)
    courier.put(a_cue(-1))
    started.wait()
    for number in range(count):
        courier.put(a_cue(number))
        assert courier.count.waiting <= max(most, 2)  # one on its way and the newest are never dropped
    gate.set()
    told = courier.close()
    kept = max(most - 1, 1)
    assert sink.taken == [-1, *range(max(0, count - kept), count)]
    assert told.delivered == len(sink.taken)
    assert told.dropped == count + 1 - told.delivered


def test_an_end_without_success_counts_what_is_left():
    courier = CueCourier(Scripted(["fail"] * 1000), end_s=0.2)
    for number in range(4):
        courier.put(a_cue(number))
    told = courier.close()
    assert (told.delivered, told.waiting, told.problem) == (0, 4, "away")


def test_a_spool_of_nothing_is_refused():
    with pytest.raises(CueError, match="1 or more"):
        CueCourier(Scripted([]), most_waiting=0)


# -- HTTP -------------------------------------------------------------------------------------------------------------


def http(answers, seen):
    def answer(request):
        seen.append(request)
        code = answers.pop(0) if answers else 201
        if code == 0:
            raise httpx.ConnectError("no route", request=request)
        return httpx.Response(code, text="because")

    return HttpSink("http://127.0.0.1:8470/cues", key="k", transport=httpx.MockTransport(answer))


def test_cues_are_posted_with_the_key_and_heartbeats_are_not():
    seen = []
    with CueCourier(http([], seen)) as courier:
        courier.put(a_cue(1))
        courier.put({"type": "heartbeat", "sensor": "s"})
    assert [json.loads(request.content) for request in seen] == [a_cue(1)]
    assert (seen[0].method, str(seen[0].url)) == ("POST", "http://127.0.0.1:8470/cues")
    assert seen[0].headers["authorization"] == "Bearer k"
    assert courier.count.delivered == 1


@pytest.mark.parametrize("code", [0, 401, 403, 404, 429, 500, 503])
def test_what_may_be_mended_is_tried_again(code):
    seen = []
    with CueCourier(http([code, code, 200], seen)) as courier:
        courier.put(a_cue(1))
        courier.put(a_cue(2))
    assert [json.loads(request.content)["id"] for request in seen] == [1, 1, 1, 2]
    assert (courier.count.delivered, courier.count.tries) == (2, 2)
    assert courier.count.problem is not None


@pytest.mark.parametrize("code", [400, 409, 413, 415, 422])
def test_what_no_try_can_mend_is_refused_and_counted(code):
    seen = []
    with CueCourier(http([code], seen)) as courier:
        courier.put(a_cue(1))
        courier.put(a_cue(2))
    assert len(seen) == 2
    assert (courier.count.refused, courier.count.delivered) == (1, 1)
    assert "because" in courier.count.problem


@pytest.mark.parametrize("url", ["127.0.0.1", "ftp://host/x", "http://", "http://[::1"])
def test_an_address_that_is_none_is_refused(url):
    with pytest.raises(CueError, match="8470/cues"):
        HttpSink(url)


# -- files ------------------------------------------------------------------------------------------------------------


def test_a_file_has_a_message_a_line(tmp_path):
    path = tmp_path / "made" / "cues.jsonl"
    with CueCourier(FileSink(path)) as courier:
        for number in range(3):
            courier.put(a_cue(number))
    assert [json.loads(line) for line in path.read_text().splitlines()] == [a_cue(number) for number in range(3)]


def test_a_full_disk_leaves_no_half_line(tmp_path, monkeypatch):
    path = tmp_path / "cues.jsonl"
    sink = FileSink(path)
    sink.deliver(a_cue(0), threading.Event())
    inner, failures = sink._file, [2]

    class Full:
        """Writes half of what it is given, then has no room, twice."""

        def __getattr__(self, name):
            return getattr(inner, name)

        def write(self, text):
            inner.write(text[:5])
            inner.flush()
            failures[0] -= 1
            raise OSError(errno.ENOSPC, "No space left on device")

    sink._file = Full()
    with pytest.raises(UnreachableError, match="make room"):
        sink.deliver(a_cue(1), threading.Event())
    sink.deliver(a_cue(1), threading.Event())
    sink.close()
    assert [json.loads(line)["id"] for line in path.read_text().splitlines()] == [0, 1]
    assert failures == [1]


def test_a_place_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(CueError, match="choose another place"):
        FileSink(tmp_path / "file" / "cues.jsonl")


def test_nothing_is_left_running():
    before = threading.active_count()
    for _ in range(5):
        with CueCourier(Scripted([])) as courier:
            courier.put(a_cue(1))
    until(lambda: threading.active_count() == before, "the end of the threads")
