"""The bench of the link: what passes datagrams on late, who is measured, and when a goal is met."""

import json
import socket
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from bench import link, telemetry
from bench.link_lines import HOME, places
from bench.rows import BenchError
from sim import Boot, FleetConfig, start_fleet

ROOT = Path(link.__file__).parents[1]


@pytest.fixture(scope="module")
def vehicle():
    with start_fleet(FleetConfig(home=HOME, boot=Boot(0.0, 0.0, 0.0))) as fleet:
        end = fleet.endpoints[0]
        yield end.host, end.port, end.sysid


@pytest.mark.parametrize(
    ("side", "tasks"),
    [
        ("ours", ("upload", "read-back", "proved")),
        ("files", ("files",)),
        ("pymavlink", ("upload", "read-back")),
    ],
)
def test_each_side_measures_what_it_is_asked(vehicle, side, tasks):
    with link._side(side) as process:
        for what in tasks:
            told = process.ask(what, vehicle, 12)
            assert 0 < told["seconds"] < 5
        assert ("readback_s" in told) == (side == "files")


def test_a_side_that_fails_says_why(vehicle):
    host, _, sysid = vehicle
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as nobody:
        nobody.bind(("127.0.0.1", 0))
        with link._side("ours") as process, pytest.raises(BenchError, match="ours, upload of 3 items: LinkError"):
            process.ask("upload", (host, nobody.getsockname()[1], sysid), 3)


def test_a_vehicle_behind_the_relay_is_as_far_as_it_is_said_to_be(vehicle):
    host, port, sysid = vehicle
    with link._far([port], 0.03) as (front,), link._side("ours") as process:
        told = process.ask("upload", (host, front, sysid), 5)
    assert 6 * 0.06 <= told["seconds"] < 6 * 0.06 + 0.5


def test_the_relay_keeps_its_ways_apart():
    udp = socket.AF_INET, socket.SOCK_DGRAM
    with socket.socket(*udp) as one, socket.socket(*udp) as two:
        for each in (one, two):
            each.bind(("127.0.0.1", 0))
            each.settimeout(30.0)
        with link._far([each.getsockname()[1] for each in (one, two)], 0.01) as fronts:
            clients = [socket.socket(*udp) for _ in range(2)]
            begin = time.perf_counter()
            for client, front, word in zip(clients, fronts, (b"one", b"two"), strict=True):
                client.settimeout(30.0)
                client.sendto(word, ("127.0.0.1", front))
            for each, word in ((one, b"one"), (two, b"two")):
                data, back = each.recvfrom(99)
                assert data == word
                each.sendto(word + b" back", back)
            assert [client.recv(99) for client in clients] == [b"one back", b"two back"]
            assert time.perf_counter() - begin >= 0.02
            for client in clients:
                client.close()


def _found(**seconds):
    base = {"ours": 1.0, "pymavlink": 1.0, "MAVSDK": 1.0}
    return {(name, "upload"): value for name, value in (base | seconds).items()} | {("files", "files"): 0.05}


@pytest.mark.parametrize(
    ("seconds", "met", "peer"),
    [
        ({}, True, 1.0),
        ({"ours": 1.04}, True, 1.0),
        ({"ours": 1.06}, False, 1.0),
        ({"ours": 1.0, "MAVSDK": 0.9}, False, 0.9),
        ({"ours": 0.5}, True, 1.0),
    ],
)
def test_ours_is_measured_against_the_best(seconds, met, peer):
    upload, files = link._table(link.Case(100, 0.05, 1), _found(**seconds))
    assert upload.name == "upload/100 items, 50 ms round trip"
    assert (upload.met, upload.peer_value) == (met, 10 * peer)
    assert files.met
    assert files.ratio == 0.05 / min(peer, seconds.get("ours", 1.0))


def test_files_have_a_goal_at_50_ms_alone():
    slow = _found() | {("files", "files"): 0.11}
    assert [row.met for row in link._table(link.Case(100, 0.05, 1), slow)] == [True, False]
    assert [row.met for row in link._table(link.Case(100, 0.2, 1), slow)] == [True, None]


def test_not_measured_is_not_met():
    found = _found()
    del found["MAVSDK", "upload"]
    upload, _ = link._table(link.Case(100, 0.0, 1), found)
    assert not upload.met
    assert upload.peer == "pymavlink; MAVSDK is not installed: make peers"


def test_reading_and_both_together_are_rows_where_they_were_measured():
    found = (
        _found() | {(name, "read-back"): 0.5 for name in ("ours", "pymavlink", "MAVSDK")} | {("ours", "proved"): 1.5}
    )
    names = [row.name.split("/")[0] for row in link._table(link.Case(50, 0.0, 1), found)]
    assert names == ["upload", "read-back", "proved upload", "file upload"]


@pytest.mark.parametrize("together", telemetry.TOGETHER)
async def test_telemetry_of_a_few_vehicles_is_whole_and_young(together):
    heard = await telemetry._measured(8, 3, together)
    assert heard.sent == 8 * 3 * 50
    assert heard.lost == heard.gaps == 0
    assert heard.dropped in (0, None)
    assert 0 < heard.age_ms < 1000
    assert 0 < heard.share < 1


def test_the_source_says_how_late_it_was():
    asked = [
        {"what": "make", "ports": [9], "vehicles": 2, "seconds": 1, "together": 1},
        {"what": "start", "at": time.monotonic() - 5.0},
        {"what": "start"},
    ]
    lines = "".join(json.dumps(each) + "\n" for each in asked)
    done = subprocess.run(
        [sys.executable, "-m", "bench.telemetry_source"],
        cwd=ROOT,
        input=lines,
        capture_output=True,
        text=True,
        check=True,
    )
    made, late, wrong = map(json.loads, done.stdout.splitlines())
    assert made == {}
    assert late.get("late_s", 5.0) >= 4.0
    assert "KeyError" in wrong["error"]


def test_the_mission_begins_with_home():
    assert places(3)[0] == (0, 0, 16, 313450000, -1109400000, 1180.0)
    assert [place[0] for place in places(3)] == [0, 1, 2]


@pytest.mark.parametrize("side", ["ours", "pymavlink"])
def test_against_packets_made_beforehand_a_side_is_measured_alone(side):
    with ExitStack() as stack:
        process = stack.enter_context(link._side(side))
        where = ("127.0.0.1", link._responder(stack), 1)
        assert process.ask("upload", where, 30)["items"] == 30
        assert process.ask("read-back", where, 30)["items"] == 30


def test_the_client_alone_is_a_row_of_its_own_without_files():
    found = _found()
    del found["files", "files"]
    (upload,) = link._table(link.Case(50, 0.0, 1, client_alone=True), found)
    assert upload.name == "upload/50 items, the client alone"
