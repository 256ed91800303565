"""From the drawn border to the landed vehicle at the page: a ground station in its process, simulated vehicles."""

import csv
import re
import signal
import subprocess
import sys
from contextlib import contextmanager

from playwright.sync_api import expect

import missions
import sim
import vedette
from geo import LocalFrame
from tests.console.test_fly import choose, cue, orders_of, row
from tests.console.test_launch import ask_to_send, tick_all
from tests.console.test_plan import at_the_border, draw_border, newest, plan, put_base
from tests.programs import Program
from tests.system.test_patrol import vehicles

PACE = 12.0
"""So many times as fast as in the air: a flight of a quarter of an hour takes about a minute."""
LONG_MS = 60_000
STILL_M, FAR_M = 5.0, 50.0
ACROSS_DEG, WITHIN_DEG = 0.02, 0.0021
"""Of a cue from the middle of the border: two kilometres over it, and 230 m on the own side, well in the fence."""


@contextmanager
def station_of(live, made, folder):
    """`vedette station` in its process, with the simulated vehicles of a plan; told to stop at the end."""
    with sim.start_fleet(vehicles(made, speedup=PACE, record_dir=folder)) as fleet:
        command = [sys.executable, vedette.__file__, "station", "--out", folder / "station", "--speedup", PACE]
        command += ["--service", live.url, "--key", live.keys["pilot"]]
        command += [part for end in fleet.endpoints for part in ("--link", end.url)]
        with Program([str(part) for part in command], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
            yield
            process.send_signal(signal.SIGINT)
            _, said = process.communicate(timeout=60)
            assert process.returncode == 0, said


def plan_of(live, folder):
    """The newest plan, as the service hands it to ground stations."""
    path = folder / "plan.json"
    path.write_bytes(live.ask("pilot", "GET", f"/plannings/{newest(live)['id']}/files/plan.json").content)
    return missions.load_plan(path)


def place_of(details):
    """Where a vehicle is by the page, which is in the north and west of the world; degrees."""
    lat, lon = re.findall(r"(\d+\.\d+)° [NW]", details.locator(".place").inner_text())
    return float(lat), -float(lon)


def apart_m(one, other):
    east, north, _ = LocalFrame(*one).to_enu(*other)
    return float((east**2 + north**2) ** 0.5)


def moves_on(page, details, least_m):
    """Wait until a vehicle is elsewhere."""
    first = place_of(details)
    for _ in range(300):
        if apart_m(first, place_of(details)) >= least_m:
            return
        page.wait_for_timeout(100)
    raise AssertionError(f"it stays at {first}")


def stays(page, details):
    """Wait until a vehicle is where it was two seconds before: half a minute for it."""
    for _ in range(15):
        before = place_of(details)
        page.wait_for_timeout(2000)
        if apart_m(before, place_of(details)) < STILL_M:
            return
    raise AssertionError("it flies on")


def give(page, details, kind):
    """Order something at the page, and wait until the vehicle has done it."""
    details.get_by_role("button", name=re.compile(f"^{kind} .$")).click()  # with its key
    page.get_by_role("dialog").get_by_role("button", name=kind, exact=True).click()
    expect(details.locator(".standing")).to_contain_text(f"{kind}: done", timeout=LONG_MS)


def send_to(page, details, name, kind):
    """Send a vehicle to a cue of that kind, at the page."""
    details.get_by_role("button", name="Dispatch").click()
    page.get_by_role("region", name=f"Where to send {name}?").get_by_role("button", name=kind).click()
    page.get_by_role("dialog").get_by_role("button", name="Dispatch").click()


def test_what_is_drawn_is_sent_flown_ordered_about_and_landed(live, desk, tmp_path):  # noqa: PLR0915 - one flow of a person
    at = desk(live, "pilot")
    page = at.page
    x, y = at_the_border(page)
    draw_border(page, x, y)
    put_base(page, x, y - 40)
    page.get_by_label("Length of shift").fill("1")
    page.get_by_label("At m AMSL").fill("1180")
    plan(page)
    page.get_by_role("tab", name="Adopt").click()
    page.get_by_label("Owner").fill("Border Watch")
    page.get_by_label("Shift begins").fill("2026-12-01T06:00")
    page.get_by_role("button", name="Adopt this plan").click()
    expect(page.get_by_text("This plan is adopted.")).to_be_visible()
    made = plan_of(live, tmp_path)
    first = made.fleet.vehicles[0].name

    with station_of(live, made, tmp_path):
        page.get_by_role("tab", name="Send").click()
        dialog = ask_to_send(page)
        dialog.get_by_role("radio", name="ground-station").check(timeout=LONG_MS)
        expect(dialog.get_by_role("row", name=first)).to_contain_text("ready", timeout=LONG_MS)
        tick_all(page, dialog)
        dialog.get_by_label("Fly for (hours)").fill("0.05")
        at.picture("flown-checklist")
        go = dialog.get_by_role("button", name="Send: they take off")
        expect(go).to_be_enabled(timeout=LONG_MS)
        go.click()
        expect(dialog).to_have_count(0)
        newest_launch = page.get_by_role("tabpanel").get_by_role("status")
        expect(newest_launch).to_contain_text("ground-station flies it", timeout=LONG_MS)
        newest_launch.get_by_role("link", name="Watch it in Fly").click()

        expect(row(page, first)).to_contain_text("flying", timeout=LONG_MS)
        details = choose(page, first)
        expect(details).to_contain_text("AUTO")  # the autopilot's own word
        moves_on(page, details, FAR_M)
        at.picture("flown-on-task")

        give(page, details, "Pause")
        expect(details).not_to_contain_text("AUTO")
        stays(page, details)
        at.picture("flown-paused")
        give(page, details, "Resume")
        expect(details).to_contain_text("AUTO")
        moves_on(page, details, FAR_M)

        # Over the border it goes from nowhere; to what lies between base and border it does from anywhere on its way.
        lon, lat = made.border.coordinates[1]
        cue(live, at=(lon, lat - ACROSS_DEG), kind="radar")
        cue(live, at=(lon, lat + WITHIN_DEG), kind="acoustic")
        expect(page.get_by_role("region", name="Alarms")).to_contain_text("Cue: acoustic")
        send_to(page, details, first, "radar")
        standing = details.locator(".standing")
        expect(standing).to_contain_text("Dispatch: refused", timeout=LONG_MS)
        expect(standing).to_contain_text("the other side")
        at.picture("flown-refused")
        send_to(page, details, first, "acoustic")
        expect(standing).to_contain_text("Dispatch: done", timeout=LONG_MS)
        expect(standing).to_contain_text("was there")
        at.picture("flown-dispatched")

        give(page, details, "Return")
        expect(details.locator(".standing")).to_contain_text("is down")
        expect(row(page, first)).to_contain_text("on the ground")
        at.picture("flown-landed")
        page.get_by_role("link", name="Plan", exact=True).click()
        page.get_by_role("tab", name="Send").click()
        expect(page.get_by_role("tabpanel")).to_contain_text("1 flights", timeout=LONG_MS)
        at.picture("flown-ended")

    ended = [(each["kind"], each["state"]) for each in reversed(orders_of(live))]
    told = [("pause", "done"), ("resume", "done"), ("dispatch", "refused"), ("dispatch", "done"), ("return", "done")]
    assert ended == told
    # What the simulator itself has written of the flight.
    (record,) = tmp_path.glob("vehicle-1-sortie-*.csv")
    with record.open() as file:
        flown = [(float(each["lat_deg"]), float(each["lon_deg"])) for each in csv.DictReader(file)]
    base = made.fleet.vehicles[0].base
    assert apart_m(flown[-1], (base.lat_deg, base.lon_deg)) < STILL_M
    assert max(apart_m(flown[-1], each) for each in flown) > FAR_M
