"""What faults do to datagrams, with a wire and a clock that are ours."""

import itertools
import socket
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymavlink.dialects.v20 import ardupilotmega as mav

import sim
from sim.fault_link import FaultLinks, draw
from tests.sim.mav_client import fleet

US, THEM = ("gcs", 1), ("other", 2)


@dataclass
class Air:
    """Wire, clock and the faults of one vehicle in one: no time passes unless a test says so."""

    faults: list
    sysid: int = 1
    silent: bool = False
    stations: tuple = ()
    now_s: float = 0.0
    sent: list = field(default_factory=list)
    coming: list = field(default_factory=list)
    waits: list = field(default_factory=list)

    @property
    def link_faults(self):
        return list(enumerate(self.faults))

    def send(self, index, address, data):
        assert (index, address) in ((0, US), (0, THEM))
        self.sent.append(data)

    def poll(self, timeout_s):
        self.waits.append(timeout_s)
        coming, self.coming = self.coming, []
        return coming

    def links(self, seed=1, speedup=1.0):
        return FaultLinks(self, [self], seed=seed, speedup=speedup, clock=lambda: self.now_s)


def numbers(count):
    return [str(n).encode() for n in range(count)]


def down(faults, count=200, seed=1, to=US):
    """What is left of numbered datagrams from a vehicle, all time after the last one included."""
    air = Air(faults)
    links = air.links(seed)
    for data in numbers(count):
        links.send(0, to, data)
    air.now_s = 1000.0
    links.poll(0.0)
    return air.sent


def up(faults, count=200, seed=1, batch=1):
    """The same towards the vehicle, `batch` datagrams a poll."""
    air = Air(faults)
    links = air.links(seed)
    got, waiting = [], numbers(count)
    while waiting:
        air.coming = [(0, US, data) for data in waiting[:batch]]
        del waiting[:batch]
        got += [data for _, _, data in links.poll(0.0)]
    air.now_s = 1000.0
    return got + [data for _, _, data in links.poll(0.0)]


def test_without_faults_everything_passes_in_order():
    assert down([]) == up([]) == numbers(200)


@given(st.integers(0, 2**31), st.floats(0.0, 0.95), st.integers(1, 40))
def test_the_same_seed_loses_the_same_datagrams_however_they_come(seed, probability, batch):
    faults = [sim.PacketLoss(probability=probability)]
    one = up(faults, seed=seed, count=60)
    assert up(faults, seed=seed, count=60, batch=batch) == one
    # By the rule itself, written once more.
    kept = [d for n, d in enumerate(numbers(60)) if draw(seed, 0, 1, up=True, peer=0, datagram=n) >= probability]
    assert one == kept


def test_losses_are_as_many_as_said_and_independent():
    draws = [draw(5, 0, 1, up=True, peer=0, datagram=n) for n in range(20_000)]
    assert sum(d < 0.2 for d in draws) == pytest.approx(4000, abs=4 * (20_000 * 0.2 * 0.8) ** 0.5)
    both = sum(a < 0.2 and b < 0.2 for a, b in itertools.pairwise(draws))
    assert both == pytest.approx(800, abs=4 * 800**0.5)


@pytest.mark.parametrize(
    "other", [{"seed": 6}, {"number": 1}, {"sysid": 2}, {"up": False}, {"peer": 1}], ids=lambda o: next(iter(o))
)
def test_every_part_of_a_draw_counts(other):
    same = {"seed": 5, "number": 0, "sysid": 1, "up": True, "peer": 0}
    mine, theirs = (
        [draw(w["seed"], w["number"], w["sysid"], up=w["up"], peer=w["peer"], datagram=n) for n in range(50)]
        for w in (same, same | other)
    )
    assert all(a != b for a, b in zip(mine, theirs, strict=True))


def test_directions_are_apart():
    faults = [sim.LinkCut(direction="up")]
    assert (up(faults), down(faults)) == ([], numbers(200))
    faults = [sim.LinkCut(direction="down")]
    assert (up(faults), down(faults)) == (numbers(200), [])


def test_traffic_of_one_peer_and_direction_does_not_change_what_another_loses():
    faults = [sim.PacketLoss(probability=0.5)]
    air = Air(faults)
    links = air.links()
    for data in numbers(200):
        links.send(0, US, data)
        links.send(0, THEM, b"x")
        air.coming = [(0, US, b"y")]
        links.poll(0.0)
    assert [data for data in air.sent if data != b"x"] == down(faults)


@given(st.floats(0.0, 1.0), st.integers(0, 99))
def test_duplication_adds_copies_and_takes_nothing(probability, seed):
    got = down([sim.Duplication(probability=probability)], seed=seed)
    assert sorted(set(got)) == sorted(numbers(200))
    assert all(got.count(data) <= 2 for data in set(got))
    twice = [n for n in range(200) if draw(seed, 0, 1, up=False, peer=0, datagram=n) < probability]
    assert len(got) == 200 + len(twice)


@given(st.floats(0.0, 0.9), st.integers(1, 5), st.integers(0, 99))
def test_reordering_loses_nothing_and_holds_back_by_so_many(probability, by, seed):
    sent = numbers(200)
    got = down([sim.Reordering(probability=probability, by=by)], seed=seed)
    assert sorted(got) == sorted(sent)
    back = {n for n in range(200) if draw(seed, 0, 1, up=False, peer=0, datagram=n) < probability}
    place = {int(data): where for where, data in enumerate(got)}
    prompt = [n for n in range(200) if n not in back]
    assert [n for n in map(int, got) if n not in back] == prompt
    for n in back:
        later = [m for m in prompt if m > n]
        assert sum(place[m] < place[n] for m in later) == min(by, len(later))


def test_a_datagram_held_back_goes_when_nothing_overtakes_it():
    air = Air([sim.Reordering(probability=1.0, hold_s=2.0)])
    links = air.links(speedup=10.0)
    links.send(0, US, b"only")
    links.poll(1.0)
    assert air.sent == []
    assert air.waits == [pytest.approx(0.2)]
    air.now_s = 0.21
    links.poll(1.0)
    assert air.sent == [b"only"]


def test_delay_is_simulated_time_and_the_wait_ends_with_it():
    air = Air([sim.Delay(delay_s=3.0)])
    links = air.links(speedup=10.0)
    air.coming = [(0, US, b"up")]
    assert links.poll(1.0) == []
    links.send(0, US, b"down")
    air.now_s = 0.29
    assert links.poll(1.0) == []
    assert (air.sent, air.waits[-1]) == ([], pytest.approx(0.01))
    air.now_s = 0.301
    assert links.poll(1.0) == [(0, US, b"up")]
    assert air.sent == [b"down"]


def test_jitter_stays_within_its_bounds_and_overtakes():
    air = Air([sim.Delay(delay_s=1.0, jitter_s=0.5)])
    links = air.links()
    for data in numbers(300):
        links.send(0, US, data)
    arrived = {}
    for tick in range(200):
        air.now_s = tick / 100
        before = len(air.sent)
        links.poll(0.0)
        arrived |= dict.fromkeys(air.sent[before:], tick / 100)
    assert len(arrived) == 300
    assert 0.5 <= min(arrived.values()) < 0.55
    assert 1.45 < max(arrived.values()) <= 1.51
    assert air.sent != numbers(300)


def test_a_silent_autopilot_neither_hears_nor_speaks():
    air = Air([], silent=True)
    links = air.links()
    links.send(0, US, b"x")
    air.coming = [(0, US, b"y")]
    assert links.poll(0.0) == []
    assert air.sent == []


def sequences(seed):
    """Sequence numbers of 30 of a vehicle's messages that come through a bad link."""
    faults = sim.Faults(listed=(sim.PacketLoss(probability=0.4, direction="down"),))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as station:
        station.bind(("127.0.0.1", 0))
        station.settimeout(30.0)
        with fleet(gcs=station.getsockname(), faults=faults, seed=seed, speedup=200.0):
            parser = mav.MAVLink(None)
            return [parser.parse_buffer(station.recv(2048))[0].get_seq() for _ in range(30)]


def test_on_real_sockets_the_same_seed_loses_the_same_datagrams():
    first = sequences(4)
    assert sequences(4) == first
    assert sequences(5) != first
    # The sequence number is that of the datagram: the vehicle sends each message in one of its own.
    lost_by_rule = [n for n in range(first[-1] + 1) if draw(4, 0, 1, up=False, peer=0, datagram=n) < 0.4]
    assert sorted({*range(first[-1] + 1)} - set(first)) == lost_by_rule
