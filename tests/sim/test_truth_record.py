"""The truth of a whole run: one clock, before and after flights too, readable while it grows."""

import numpy as np
import pytest

import sim
from sim.fleet_config import Boot
from sim.flight import Flight
from sim.flight_frame import FlightFrame
from sim.flight_power import PowerModel
from sim.flight_state import Mode, Setup
from sim.flight_wind import Wind
from sim.protocol_params import parameter_table
from sim.truth_record import TruthRecorder
from tests.sim.test_flight import items, takeoff, waypoint

WAIT_S = 12.0


def craft(folder):
    """A vehicle with a small mission, without its wire."""
    power = PowerModel(capacity_wh=2000.0)
    setup = Setup(
        sysid=4, frame=FlightFrame(61.2, 24.8), home_amsl_m=140.0, heading_rad=0.0, boot=Boot(0, 0, 0), power=power,
        wind=Wind(3, 200, 0.5), seed=1, step_s=0.05, turnaround_s=1e9, idle_floor_s=0.0, record_dir=folder,
    )  # fmt: skip
    mission = items(takeoff(30), waypoint(80, 120, 30), waypoint(-60, 100, 40))
    return Flight(setup, parameter_table(4, power, {}), mission)


def flown(folder, note_every):
    """Wait, fly, wait; the truth is asked for every so many steps."""
    flight = craft(folder / "flights")
    with TruthRecorder(folder / "truth.csv", [(4, flight)]) as truth:
        steps = 0

        def step(count):
            nonlocal steps
            for _ in range(count):
                flight.step()
                flight.events.clear()
                steps += 1
                if steps % note_every == 0:
                    truth.note(steps * 0.05)

        step(int(WAIT_S / 0.05))
        assert flight.set_mode(Mode.GUIDED)
        assert flight.arm()
        assert flight.start_mission()
        step(3000)
        flight.set_mode(Mode.LAND)
        while flight.armed:
            step(1)
        step(200)
    return sim.read_truth(folder / "truth.csv")[4]


def test_it_holds_the_whole_run_and_says_what_the_record_of_the_sortie_says(tmp_path):
    told = flown(tmp_path, 1)
    assert np.diff(told.time_s)[1:] == pytest.approx(0.5, abs=1e-6)
    assert not told.airborne[told.time_s < WAIT_S].any()
    assert not told.airborne[-1]
    assert set(told.sortie.tolist()) == {0, 1}
    (path,) = (tmp_path / "flights").glob("*.csv")
    sortie = sim.read_record(path, 0)
    begin_s = told.time_s[told.airborne][0] - 0.5
    # The sortie began within the half second before the first moment in the air.
    best = min(
        float(np.abs(sortie.at(told.time_s[told.airborne] - start)[:, 1:3] - _place(told)).max())
        for start in np.arange(begin_s, begin_s + 0.56, 0.05)
    )
    # The record of the sortie has a row each fifth of a second, so straight lines between them: some centimetres.
    assert best < 2e-6


def _place(told):
    return np.stack([told.lat_deg, told.lon_deg], axis=-1)[told.airborne]


def test_how_often_it_is_asked_changes_no_flight(tmp_path):
    often, seldom = flown(tmp_path / "a", 1), flown(tmp_path / "b", 7)
    assert np.diff(seldom.time_s).min() > 0.3
    for time, lat in zip(seldom.time_s[::40], seldom.lat_deg[::40], strict=True):
        assert lat == pytest.approx(float(np.interp(time, often.time_s, often.lat_deg)), abs=2e-6)


def test_a_record_that_grows_is_followed_line_by_line(tmp_path):
    flown(tmp_path, 1)
    whole = (tmp_path / "truth.csv").read_bytes()
    growing = tmp_path / "growing.csv"
    follower = sim.TruthFollower(growing)
    assert follower.look() == 0.0
    seen = []
    for end in range(0, len(whole) + 5000, 5000):
        growing.write_bytes(whole[:end])
        seen.append(follower.look())
    assert seen == sorted(seen)
    assert follower.look() == sim.read_truth(tmp_path / "truth.csv")[4].time_s[-1]
    assert follower.last()[4].lat_deg[-1] == follower.all()[4].lat_deg[-1]
    # One that was killed in the middle of a line is read as far as it goes.
    growing.write_bytes(whole[:-7])
    assert len(sim.read_truth(growing)[4].time_s) == len(follower.all()[4].time_s) - 1


@pytest.mark.parametrize("text", ["", "a,b\n1,2\n"])
def test_what_is_no_record_is_refused(tmp_path, text):
    (tmp_path / "truth.csv").write_text(text)
    with pytest.raises(sim.ConfigError, match="truth"):
        sim.read_truth(tmp_path / "truth.csv")
    with pytest.raises(sim.ConfigError, match="holds nothing"):
        sim.read_truth(tmp_path / "absent.csv")


def test_a_row_that_is_spoilt_is_told(tmp_path):
    flown(tmp_path, 1)
    path = tmp_path / "truth.csv"
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines[:5], lines[5].replace(",4,", ",4,x", 1), *lines[6:]]) + "\n")
    with pytest.raises(sim.ConfigError, match=r"truth\.csv"):
        sim.read_truth(path)


def test_a_fleet_in_lock_step_says_that_it_writes_none(tmp_path):
    with pytest.raises(sim.ConfigError, match="truth_file"):
        sim.FleetConfig(home=(61.2, 24.8, 140.0), clock="lockstep", truth_file=tmp_path / "truth.csv")
