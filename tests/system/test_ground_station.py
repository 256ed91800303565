"""Parameters of simulated vehicles, and flights under another ground station's system id."""

import pytest

import sim
from autopilot import FlightTask, Timing, Vehicle, all_parameters, fly, open_link
from tests.autopilot.scripted import HOME, line_mission

SPEEDUP = 50.0
QUICK = sim.Boot(0.0, 0.0, 0.0)


@pytest.mark.parametrize("legacy", [False, True], ids=["4.7", "4.6"])
async def test_all_parameters_over_a_link_that_loses_a_quarter(legacy):
    # The same datagrams are lost each time, never more than three on end in either place of a pair of questions.
    config = sim.FleetConfig(
        home=HOME, boot=QUICK, speedup=SPEEDUP, faults=sim.Faults(loss=0.25), legacy_names=legacy, seed=6
    )
    with sim.start_fleet(config) as fleet:
        link = await open_link(fleet.endpoints[0].url, time_scale=SPEEDUP)
        timing = Timing(time_scale=SPEEDUP)
        async with link, await Vehicle.connect(link, timing=timing, streams=False) as vehicle:
            table = await all_parameters(vehicle)
            assert len(table) > 30
            assert ("SYSID_MYGCS" in table) is legacy
            assert table["WPNAV_SPEED" if legacy else "WP_SPD"] == (1000.0 if legacy else 10.0)
            assert await vehicle.parameter("MAV_GCS_SYSID") == await vehicle.parameter("SYSID_MYGCS") == 255.0


@pytest.mark.parametrize("system_id", [250, 255])
async def test_a_vehicle_that_waits_for_a_ground_station_flies_for_it_alone(system_id):
    """Its failsafe is on: were our heartbeats not the ones that it waits for, it would return."""
    config = sim.FleetConfig(
        home=HOME,
        boot=QUICK,
        speedup=SPEEDUP,
        legacy_names=True,
        params={"MAV_GCS_SYSID": 250.0, "FS_GCS_ENABLE": 1.0},
    )
    with sim.start_fleet(config) as fleet:
        task = FlightTask(1, fleet.endpoints[0].url, (line_mission(3),))
        report = await fly([task], time_scale=SPEEDUP, system_id=system_id)
    if system_id == 250:
        assert report.completed, report.vehicles[0].failure
    else:
        assert "waits for ground station 250" in report.vehicles[0].failure
        assert "fly as 250" in report.vehicles[0].failure
        assert report.vehicles[0].sorties[0].started_us is None
