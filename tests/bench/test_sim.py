"""The bench of the simulator: its pilot gets a mission through whatever comes late, and its flights are true."""

import socket
import threading
from contextlib import closing, contextmanager

import pytest
from pymavlink.dialects.v20 import ardupilotmega as mav

from bench import sim_pilot, sim_reference
from bench.rows import BenchError
from bench.sim import HOME
from bench.sim_pilot import STREAMS, Pilot
from sim import Endpoint


class Stubborn:
    """A vehicle that hears every other datagram, asks twice for each item, and gives an upload up once."""

    def __init__(self, udp, *, mute=False):
        self.udp, self.mute = udp, mute
        self.heard = self.given_up = 0
        self.items, self.orders = {}, []
        self.mav = mav.MAVLink(None, srcSystem=7, srcComponent=1)

    def answer(self, message):
        kind = message.get_type()
        if kind == "MISSION_COUNT":
            return [mav.MAVLink_mission_request_message(255, 190, 0, 0)] * 2
        if kind == "MISSION_ITEM_INT":
            self.items[message.seq] = message
            if message.seq == 1 and not self.given_up:
                self.given_up += 1
                return [mav.MAVLink_mission_ack_message(255, 190, mav.MAV_MISSION_OPERATION_CANCELLED, 0)]
            if message.seq == 2:
                return [mav.MAVLink_mission_ack_message(255, 190, 0, 0)]
            return [mav.MAVLink_mission_request_message(255, 190, message.seq + 1, 0)] * 2
        if kind == "COMMAND_LONG":
            self.orders.append(message.command)
            return [mav.MAVLink_command_ack_message(message.command, 0)]
        return []

    def run(self):
        while True:
            data, peer = self.udp.recvfrom(2048)
            if not data:
                return
            self.heard += 1
            if self.mute or self.heard % 2:
                continue
            for message in self.mav.parse_buffer(data) or ():
                for reply in self.answer(message):
                    self.udp.sendto(reply.pack(self.mav), peer)


@contextmanager
def stubborn(**how):
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as udp:
        udp.bind(("127.0.0.1", 0))
        vehicle = Stubborn(udp, **how)
        thread = threading.Thread(target=vehicle.run)
        thread.start()
        try:
            yield vehicle, Endpoint(7, *udp.getsockname())
        finally:
            with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as end:
                end.sendto(b"", udp.getsockname())
            thread.join(5.0)


def test_what_is_lost_late_or_doubled_is_asked_for_again(monkeypatch):
    monkeypatch.setattr(sim_pilot, "_ANSWER_S", 0.02)
    with stubborn() as (vehicle, endpoint), closing(Pilot(endpoint, HOME)) as pilot:
        pilot.take_off()
    assert vehicle.given_up == 1
    assert [vehicle.items[seq].command for seq in range(3)] == [16, 22, 16]
    assert set(vehicle.orders) == {176, 400, 300, 511}
    assert vehicle.orders.count(511) >= len(STREAMS)


def test_one_that_never_answers_is_told_of_in_one_line(monkeypatch):
    monkeypatch.setattr(sim_pilot, "_ANSWER_S", 0.02)
    monkeypatch.setattr(sim_pilot, "_WAIT_S", 0.1)
    with (
        stubborn(mute=True) as (_, endpoint),
        closing(Pilot(endpoint, HOME)) as pilot,
        pytest.raises(BenchError, match=r"^no MISSION_ACK or MISSION_REQUEST came from vehicle 7 within 0\.1 s: .*"),
    ):
        pilot.take_off()


@pytest.mark.parametrize("name", list(sim_reference._DEVIATIONS))
def test_flights_are_as_true_as_the_table_says(name):
    (row,) = sim_reference.rows(HOME, f"deviation/{name}")
    assert row.met, row
    # The same at every run: lock-step.
    (again,) = sim_reference.rows(HOME, f"deviation/{name}")
    assert again.value == row.value
