"""`vedette fly` that is told to stop: what flies comes home, and the report is written."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import autopilot
import missions
import sim
import vedette
from cli.launch_folder import Launch
from cli.station import _Station
from cli.stopping import noting_when_told, run_until_told
from tests.system.test_safety import HOME, row

SPEEDUP = 20.0


@pytest.fixture
def plan(tmp_path):
    mission = row(30.0, places=60, step=5000)
    path = tmp_path / "row.plan"
    missions.write_qgc_plan(mission, path)
    return path


def ordered(fleet, plan, folder):
    link = fleet.endpoints[0].url
    report = folder / "flight.json"
    arguments = ["fly", plan, "--link", link, "--time-scale", SPEEDUP, "--json", report]
    command = [sys.executable, vedette.__file__, *map(str, arguments)]
    return report, subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


async def stopped_in_the_air(fleet, process, *signals):
    """Waits until it flies, sends the signals, waits for the process, and then for the ground."""
    async with (
        # Who says nothing for half a minute is forgotten, which on a busy machine is not long.
        await autopilot.open_link(fleet.endpoints[0].url, system_id=250, heartbeat=True) as link,
        await autopilot.Vehicle.connect(link, 1, wait_s=20.0) as seen,
    ):
        up = await seen.wait_until(lambda t: (t.above_home_m or 0.0) > 20.0 and t.item == 3, 0.0, wall_s=60.0)
        assert up is not None, process.communicate(timeout=5)
        for number in signals:
            process.send_signal(number)
            await asyncio.sleep(0.3)
        _, told = await asyncio.to_thread(process.communicate, timeout=60)
        at_the_end = seen.telemetry
        down = await seen.wait_until(lambda t: t.armed is False, 0.0, wall_s=60.0)
        assert down is not None
        return at_the_end, told


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
async def test_a_flight_that_is_told_to_stop_comes_home_and_says_so(number, plan, tmp_path):
    with sim.start_fleet(sim.FleetConfig(home=HOME, speedup=SPEEDUP, boot=sim.Boot(0, 0, 0))) as fleet:
        report, process = ordered(fleet, plan, tmp_path)
        at_the_end, told = await stopped_in_the_air(fleet, process, number)
    assert at_the_end.armed is False, "the process left while the vehicle flew"
    assert at_the_end.mode == "RTL"
    assert process.returncode == 1, told
    assert "the flight was stopped" in told
    vehicle = json.loads(report.read_text())["vehicles"][0]
    assert "it obeyed RTL and is down" in vehicle["failure"]
    assert vehicle["sorties"][0]["landing"]["from_home_m"] < 5


async def test_a_second_signal_ends_the_watch_and_not_the_way_home(plan, tmp_path):
    with sim.start_fleet(sim.FleetConfig(home=HOME, speedup=SPEEDUP, boot=sim.Boot(0, 0, 0))) as fleet:
        _, process = ordered(fleet, plan, tmp_path)
        at_the_end, _ = await stopped_in_the_air(fleet, process, signal.SIGTERM, signal.SIGTERM)
    assert at_the_end.mode == "RTL"
    assert process.returncode == 130


@pytest.mark.parametrize(("module", "command"), [("typer", ["--help"]), ("fastapi", ["serve", "--store", "store"])])
def test_ctrl_c_while_a_command_loads_ends_it_without_a_word(module, command, tmp_path):
    """A module in the place of one that is loaded presses Ctrl-C: at the very start, and when a command has begun."""
    pressed = "import os, signal, time\nos.kill(os.getpid(), signal.SIGINT)\ntime.sleep(30)\n"
    (tmp_path / f"{module}.py").write_text(pressed)
    ran = subprocess.run(
        [sys.executable, vedette.__file__, *command],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert (ran.returncode, ran.stdout, ran.stderr) == (130, b"", b"")


IGNORING = """
import os, signal, subprocess, sys
from tests.programs import heed_signals
heed_signals()
os.kill(os.getpid(), signal.SIGHUP)
asked = "import signal; print(*(signal.getsignal(n) == signal.SIG_IGN for n in (signal.SIGINT, signal.SIGHUP)))"
subprocess.run([sys.executable, "-c", asked], check=True)
"""


def test_tests_that_run_with_signals_ignored_start_programs_that_hear_them():
    """As `nohup` has it; what ends the programs does not end the run."""
    ran = subprocess.run(
        ["sh", "-c", 'trap "" INT HUP; exec "$@"', "sh", sys.executable, "-c", IGNORING],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ran.returncode, ran.stdout.split()) == (0, ["False", "False"]), ran.stderr


# Between two runs of a loop, as a ground station has them between two flights.


def test_a_signal_between_two_runs_is_noted_and_ends_nothing():
    async def work(stop):
        signal.raise_signal(signal.SIGINT)
        await asyncio.wait_for(stop.wait(), 60.0)
        return "ended in good order"

    before, heard = signal.getsignal(signal.SIGINT), []
    with noting_when_told() as told:
        assert run_until_told(work, lambda: heard.append(1)) == "ended in good order"
        assert (heard, told.is_set()) == ([1], False)
        signal.raise_signal(signal.SIGINT)
        assert told.is_set()
        # What runs next was not heard of by its loop, and ends all the same.
        assert run_until_told(asyncio.Event.wait, lambda: heard.append(2), told)
        assert heard == [1, 2]
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before


def test_a_signal_in_one_run_is_noted_for_the_next():
    async def work(stop):
        signal.raise_signal(signal.SIGTERM)
        await asyncio.wait_for(stop.wait(), 60.0)

    with noting_when_told() as told:
        run_until_told(work, lambda: None, told)
        assert told.is_set()


def test_a_station_that_is_told_to_stop_between_two_flights_flies_nothing_more():
    launch, ended = Launch("c" * 32, "r" * 32, "Nogales, ordered by Pat", 1.0, ("udp:127.0.0.1:9",)), []

    class Between(_Station):
        def _stand_by(self, _told):
            signal.raise_signal(signal.SIGINT)
            return launch

        def _fly(self, flown, _told):
            raise AssertionError(flown)

        def _end(self, *told):
            ended.append(told)

    Between(*[None] * 9).run(None)
    assert ended == [(launch, "refused", "its ground station was told to stop")]
