"""Simulated vehicles that listen for connections: pymavlink connects, as to ArduPilot's own simulator."""

import socket
import time

import pytest
from pymavlink import mavutil
from pymavlink.dialects.v20 import ardupilotmega as mav

import sim
from sim.fleet_tcp import TcpLinks
from tests.sim.mav_client import HOME, fleet


def connected(endpoint):
    return mavutil.mavlink_connection(endpoint.url, source_system=255, source_component=190)


def beat(link):
    message = link.recv_match(type="HEARTBEAT", blocking=True, timeout=10.0)
    assert message is not None
    return message


def test_it_speaks_to_whoever_connects_and_to_several_at_once():
    with fleet(transport="tcp", vehicles=2) as endpoints:
        assert all(endpoint.url == f"tcp:127.0.0.1:{endpoint.port}" for endpoint in endpoints)
        one, two = connected(endpoints[0]), connected(endpoints[0])
        assert {beat(one).get_srcSystem(), beat(two).get_srcSystem()} == {1}
        for link in (one, two):
            link.mav.command_long_send(1, 1, mav.MAV_CMD_REQUEST_MESSAGE, 0, 148, 0, 0, 0, 0, 0, 0)
            assert link.recv_match(type="AUTOPILOT_VERSION", blocking=True, timeout=10.0) is not None
        one.close()
        assert beat(two).get_srcSystem() == 1
        other = connected(endpoints[1])
        assert beat(other).get_srcSystem() == 2
        two.close()
        other.close()


def test_one_that_comes_back_is_a_new_client_and_torn_packets_are_joined():
    with fleet(transport="tcp") as endpoints:
        for _ in range(3):
            with socket.create_connection((endpoints[0].host, endpoints[0].port), timeout=60.0) as raw:
                codec = mav.MAVLink(None, srcSystem=255, srcComponent=190)
                raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                for byte in mav.MAVLink_param_request_read_message(1, 1, b"WP_SPD", -1).pack(codec):
                    raw.sendall(bytes([byte]))
                    time.sleep(0.001)
                names, end = [], time.monotonic() + 60.0
                while "WP_SPD" not in names and time.monotonic() < end:
                    names += [
                        message.param_id
                        for message in codec.parse_buffer(raw.recv(4096)) or []
                        if message.get_type() == "PARAM_VALUE"
                    ]
                assert "WP_SPD" in names


def test_a_client_that_reads_nothing_holds_nobody_up():
    with fleet(transport="tcp") as endpoints, socket.create_connection(("127.0.0.1", endpoints[0].port)) as deaf:
        codec = mav.MAVLink(None, srcSystem=254, srcComponent=190)
        for _ in range(300):  # each is answered with all parameters
            deaf.sendall(mav.MAVLink_param_request_list_message(1, 1).pack(codec))
        link = connected(endpoints[0])
        began = time.monotonic()
        for _ in range(3):
            beat(link)
        assert time.monotonic() - began < 60.0
        link.close()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"transport": "serial"}, "transport 'serial' is unknown: give one of udp, tcp"),
        ({"transport": "tcp", "gcs": ("127.0.0.1", 14550)}, "nothing is sent unasked over TCP"),
        ({"signing_key": b"short"}, "a signing key has 32 bytes and this one 5"),
    ],
)
def test_links_that_are_not_simulated_are_told(changes, words):
    with pytest.raises(sim.ConfigError, match=words):
        sim.FleetConfig(home=HOME, **changes)


def test_a_port_that_is_taken_is_told():
    with fleet(transport="tcp") as endpoints, pytest.raises(sim.FleetError, match="cannot be bound"):
        sim.run_fleet(sim.FleetConfig(home=HOME, base_port=endpoints[0].port, transport="tcp"))


@pytest.mark.parametrize("spoken_to", [False, True])
def test_a_client_that_goes_is_told_once_and_forgotten(spoken_to):
    with TcpLinks("127.0.0.1", [0, 0]) as links:
        told = []
        links.tell(lambda *who: told.append(("opened", *who)), lambda *who: told.append(("closed", *who)))
        quiet = len(links._selector.get_map())
        client = socket.create_connection(("127.0.0.1", links.ports[1]))
        address = client.getsockname()
        while not told:
            links.poll(0.1)
        client.sendall(b"x")
        assert links.poll(60.0) == [(1, address, b"x")]
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        client.close()  # at once, so that sending fails
        end = time.monotonic() + 60.0
        while len(told) < 2 and time.monotonic() < end:
            if spoken_to:
                links.send(1, address, b"y" * 1000)
            links.poll(0.01)
        links.send(1, address, b"y")
        links.poll(0.01)
        assert told == [("opened", 1, address), ("closed", 1, address)]
        assert len(links._selector.get_map()) == quiet
