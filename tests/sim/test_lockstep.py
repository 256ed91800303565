"""Simulated time passes when it is told to, and a run is the same to the last byte."""

import hashlib
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymavlink.dialects.v20 import ardupilotmega as mav

import sim
from tests.sim.lockstep_pilot import BOOT, Pilot, lockstep
from tests.sim.mav_client import HOME, Client, small_mission, vehicle

ROUGH = (
    sim.PacketLoss(probability=0.15),
    sim.Delay(delay_s=0.3, jitter_s=0.25),
    sim.Duplication(probability=0.1),
    sim.Reordering(probability=0.1, by=2, hold_s=1.0),
)


ORDERS = {0: (176, 1, 4), 3: (400, 1), 6: (176, 1, 3), 9: (300,), 40: (178, 1, 5, -1), 60: (20,)}


class Script:
    """Two vehicles behind a bad radio, uploads that go on until they are through, orders in flight; every packet."""

    def __init__(self, seed):
        faults = sim.Faults(listed=ROUGH)
        self.fleet = lockstep(vehicles=2, seed=seed, faults=faults, wind=sim.Wind(6.0, 200.0, 2.0))
        self.pilots = [Pilot(self.fleet, sysid) for sysid in (1, 2)]
        for pilot in self.pilots:
            for kind in (33, 30, 1, 253):
                pilot.order(511, kind, 200_000.0)
            self.upload(pilot)
        for second in range(90):
            self.fly(second)

    def upload(self, pilot):
        """As the vehicle asks, until it says that it has all."""
        items = small_mission()
        pilot.send(mav.MAVLink_mission_count_message(pilot.target, 1, len(items), 0))
        answered = 0
        while not pilot.said("MISSION_ACK"):
            pilot.advance(0.1)
            asked = pilot.said("MISSION_REQUEST")
            for message in asked[answered:]:
                frame, command, *rest = items[message.seq]
                head = (pilot.target, 1, message.seq, frame, command, 0, 1)
                pilot.send(mav.MAVLink_mission_item_int_message(*head, *rest, 0))
            answered = len(asked)

    def fly(self, second):
        for pilot in self.pilots:
            for _ in range(4 if second in ORDERS else 0):
                pilot.order(*ORDERS[second])
            pilot.heartbeat()
        self.fleet.advance(1.0)
        for pilot in self.pilots:
            pilot.listen()

    @property
    def packets(self):
        return [pilot.raw for pilot in self.pilots]


def digest(seed):
    return hashlib.sha256(repr(Script(seed).packets).encode()).hexdigest()


def test_the_same_seed_brings_the_same_packets_at_the_same_times():
    first = Script(7)
    assert [vehicle.flight.sorties for vehicle in first.fleet.vehicles] == [1, 1], [p.texts for p in first.pilots]
    assert all(len(each) > 1000 for each in first.packets)
    assert Script(7).packets == first.packets
    assert Script(8).packets != first.packets


def test_another_process_with_other_hashes_brings_them_too():
    code = "from tests.sim.test_lockstep import digest; print(digest(7))"
    ran = subprocess.run(
        [sys.executable, "-c", code],
        cwd=Path(__file__).parents[2],
        env={"PYTHONHASHSEED": "12345"},
        capture_output=True,
        text=True,
        timeout=120.0,
        check=True,
    )
    assert ran.stdout.strip() == digest(7)


def test_without_an_advance_nothing_passes():
    fleet = lockstep()
    pilot = Pilot(fleet)
    pilot.stream(33, interval_s=0.05)
    count = len(pilot.heard)
    time.sleep(0.05)
    fleet.advance(0.0)
    pilot.listen()
    assert (fleet.time_s, len(pilot.heard)) == (0.0, count)
    pilot.advance(1.0)
    assert len(pilot.said("GLOBAL_POSITION_INT")) == pytest.approx(20, abs=1)


@given(st.lists(st.integers(0, 40), min_size=1, max_size=6))
@settings(max_examples=15, deadline=None)
def test_how_a_time_is_cut_changes_nothing(cuts):
    def packets(slices):
        fleet = lockstep(seed=3)
        pilot = Pilot(fleet)
        pilot.stream(33, 30, interval_s=0.1)
        for steps in slices:
            fleet.advance(steps * 0.05)
        return pilot.link.read()

    assert packets(cuts) == packets([sum(cuts)])


def test_an_upload_that_stops_is_given_up_after_eight_simulated_seconds():
    pilot = Pilot(lockstep(speedup=100.0))  # which says nothing here
    pilot.send(mav.MAVLink_mission_count_message(1, 1, 4, 0))
    pilot.advance(12.0, slice_s=0.05)
    asked = [at for at, m in pilot.heard if m.get_type() == "MISSION_REQUEST"]
    (given_up,) = [at for at, m in pilot.heard if m.get_type() == "MISSION_ACK"]
    assert asked == pytest.approx([0.0, *[n * 1.05 for n in range(1, 8)]], abs=0.36)
    assert given_up == pytest.approx(8.05, abs=0.06)


@pytest.mark.parametrize("timeout_s", [2.0, 5.0, 30.0])
def test_the_gcs_failsafe_counts_simulated_seconds(timeout_s):
    pilot = Pilot(lockstep(speedup=1000.0, params={"FS_GCS_ENABLE": 1.0, "FS_GCS_TIMEOUT": timeout_s}))
    pilot.heartbeat()
    assert pilot.upload(small_mission()) == 0
    pilot.arm_and_start()
    pilot.heartbeat()
    silent_since = pilot.fleet.time_s
    pilot.advance(timeout_s - 0.1, slice_s=0.05)
    assert "GCS Failsafe" not in pilot.texts
    at = pilot.until(lambda: "GCS Failsafe" in pilot.texts, 1.0, slice_s=0.05)
    assert at - silent_since == pytest.approx(timeout_s, abs=0.11)


def test_a_delay_on_the_link_is_simulated_time():
    pilot = Pilot(lockstep(faults=sim.Faults(listed=(sim.Delay(delay_s=2.0, direction="down"),))))
    pilot.order(512, 148)
    assert pilot.said("COMMAND_ACK") == []
    pilot.advance(3.0, slice_s=0.05)
    (at,) = [at for at, m in pilot.heard if m.get_type() == "COMMAND_ACK"]
    assert at == pytest.approx(2.0, abs=0.051)


def test_a_sortie_is_that_of_a_fleet_on_the_wall_clock(tmp_path):
    mission = small_mission()
    fleet = lockstep(record_dir=tmp_path / "lockstep", wind=sim.Wind(5.0, 250.0, 1.0))
    pilot = Pilot(fleet)
    assert pilot.upload(mission) == 0
    pilot.arm_and_start()
    pilot.until(lambda: not fleet.vehicles[0].flight.armed, slice_s=5.0)
    with vehicle(record_dir=tmp_path / "wall", wind=sim.Wind(5.0, 250.0, 1.0)) as client:
        assert client.upload(mission) == 0
        client.arm_and_start()
        client.wait_text("Disarming", timeout_s=60.0)
    one, other = (tmp_path / name / "vehicle-1-sortie-1.csv" for name in ("lockstep", "wall"))
    assert one.read_text() == other.read_text()


@pytest.mark.parametrize("seconds", [0.07, -1.0, float("nan"), float("inf")])
def test_what_is_no_time_is_refused(seconds):
    fleet = lockstep()
    with pytest.raises(sim.ConfigError, match=r"give a multiple of its step of 0\.05 s"):
        fleet.advance(seconds)
    assert fleet.time_s == 0.0


def test_the_clock_of_a_configuration_is_kept():
    with pytest.raises(sim.ConfigError, match='its clock is "wall"'):
        sim.LockstepFleet(sim.FleetConfig(home=HOME))
    with pytest.raises(sim.ConfigError, match="does not run by itself"):
        sim.run_fleet(sim.FleetConfig(home=HOME, clock="lockstep"))
    with pytest.raises(sim.ConfigError, match="clock 'sundial' is unknown: give one of wall, lockstep"):
        sim.FleetConfig(home=HOME, clock="sundial")
    with pytest.raises(sim.ConfigError, match="there is no vehicle 4: it has 2 to 3"):
        lockstep(vehicles=2, start_sysid=2).connect(4)
    with pytest.raises(sim.ConfigError, match="leave gcs out"):
        lockstep(gcs=("127.0.0.1", 14550))


def test_two_runs_start_at_the_same_utc():
    times = {Pilot(lockstep()).request(2).time_unix_usec for _ in range(2)}
    assert times == {1_704_067_200_000_000}


# --- in a process of its own, by sockets ---------------------------------------------------------------------------


def test_another_program_owns_the_clock_over_sockets():
    config = sim.FleetConfig(home=HOME, boot=BOOT, clock="lockstep")
    with sim.start_fleet(config) as running, Client(running.endpoints[0]) as client:
        assert client.upload(small_mission()) == 0  # while the clock stands
        client.stream(33)
        client.arm_and_start()
        assert running.advance(10.0) == 10.0
        last = client.wait("GLOBAL_POSITION_INT", where=lambda m: m.time_boot_ms > 9_000)
        assert last.relative_alt / 1000.0 == pytest.approx(19.5, abs=4.0)
        with pytest.raises(sim.ConfigError, match="give a multiple of its step"):
            running.advance(0.01)
        assert running.advance(0.5) == 10.5
    with pytest.raises(sim.FleetError, match="has ended: start it anew"):
        running.advance(1.0)


def test_a_fleet_on_the_wall_clock_is_not_advanced():
    with (
        sim.start_fleet(sim.FleetConfig(home=HOME)) as running,
        pytest.raises(sim.ConfigError, match='give it clock="lockstep"'),
    ):
        running.advance(1.0)
