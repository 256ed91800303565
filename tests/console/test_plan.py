"""Planning at the page: draw, plan, look, change, take files, adopt; what it shows is what the service says."""

import itertools
import json
import math
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyproj
import pytest
import shapely
from numpy.typing import NDArray
from playwright.sync_api import FloatRect, Page, expect

import missions
from api.planning import runner
from api.planning.settings import PlanningSettings
from geo import VedetteError
from tests.api.samples import planning_json, record_json
from tests.api.test_planning import STAND_IN, gone
from tests.console.desk import THEMES, at_rest, middle_is, pixels
from tests.console.plan_shown import (
    files_go_where_the_plan_goes,
    footprints_lie_where_they_are,
    legend,
    pixels_of,
    read_m,
    revisit_lies_where_it_is,
    seconds_of,
    sorties_are_those_of,
)

CENTRE = "31.333, -110.94"
"""Where the map is sent: the middle of what is drawn."""
LONG_MS = 240_000
"""A planner of a busy machine may take so long."""
KML = """<?xml version="1.0" encoding="UTF-8"?>
<kml xmlns="http://www.opengis.net/kml/2.2"><Document>
<Placemark><name>Evros</name><ExtendedData><Data name="own_side"><value>right</value></Data></ExtendedData>
<LineString><coordinates>26.5,41.3,0 26.52,41.32,0 26.53,41.35,0</coordinates></LineString></Placemark>
<Placemark><name>range</name><Polygon><outerBoundaryIs><LinearRing><coordinates>
26.4,41.3 26.41,41.3 26.41,41.31 26.4,41.3</coordinates></LinearRing></outerBoundaryIs></Polygon></Placemark>
</Document></kml>"""
GEOJSON = {
    "type": "FeatureCollection",
    "features": [
        {
            "type": "Feature",
            "properties": {"name": "post"},
            "geometry": {"type": "Point", "coordinates": [26.51, 41.31]},
        }
    ],
}


def at_the_border(page: Page) -> tuple[float, float]:
    """Go there through the page; a place below the middle of the map, pixels."""
    page.get_by_label("Go to place").fill(CENTRE)
    page.keyboard.press("Enter")
    expect(page.locator(".pin")).to_be_visible()
    box = page.locator(".maplibregl-canvas").bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2 + 60


def click(page: Page, x: float, y: float) -> None:
    page.mouse.move(x, y)
    page.mouse.click(x, y)


def draw_border(page: Page, x: float, y: float) -> None:
    page.get_by_role("button", name="Border b").click()
    for aside in (-60, 0, 60):
        click(page, x + aside, y + abs(aside) / 6)
    page.keyboard.press("Enter")
    expect(page.get_by_role("combobox", name="Own side")).to_be_visible()
    expect(page.get_by_text("3 places")).to_be_visible()


def put_base(page: Page, x: float, y: float) -> None:
    page.get_by_role("button", name="Base s").click()
    click(page, x, y)
    expect(page.get_by_label("Place", exact=True)).to_be_visible()


WATCHED = """() => {
  window.progress = [];
  new MutationObserver(() => {
    const bar = document.querySelector("progress");
    if (bar !== null) window.progress.push(bar.value);
  }).observe(document.body, { childList: true, subtree: true, attributes: true });
}"""
"""How far a planning is said to be, again and again."""


def plan(page: Page) -> None:
    """Ask for a plan, and wait for it: none can be asked for meanwhile."""
    ask = page.get_by_role("button", name=re.compile("^Plan( again)?$"))
    with page.expect_response(lambda answer: answer.request.method == "POST" and answer.url.endswith("/plannings")):
        ask.click()
    expect(ask).to_be_enabled(timeout=LONG_MS)
    expect(page.get_by_role("region", name="Plan that was found")).to_be_visible()


def ways(planning: dict[str, Any]) -> list[list[list[float]]]:
    """Where the sorties of a plan go; degrees, longitude first."""
    return [each["geometry"]["coordinates"] for each in planning["result"]["map"]["sorties"]]


def plan_file(live, planning: dict[str, Any], folder: Path) -> missions.PatrolPlan:
    """The plan as the service hands it to ground stations."""
    path = folder / "plan.json"
    path.write_bytes(live.ask("pilot", "GET", f"/plannings/{planning['id']}/files/plan.json").content)
    return missions.load_plan(path)


def newest(live) -> dict[str, Any]:
    """What the service says of the last planning."""
    first = live.ask("pilot", "GET", "/plannings").json()[0]
    found: dict[str, Any] = live.ask("pilot", "GET", f"/plannings/{first['id']}").json()
    assert found["state"] == "done", found["error"]
    return found


def tab(page: Page, name: str) -> None:
    page.get_by_role("tab", name=name).click()


def take(page: Page, tmp_path: Path, name: str, text: str) -> None:
    """Import a file."""
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    page.get_by_label(re.compile("^Import")).set_input_files(path)


def test_a_patrol_is_drawn_planned_changed_and_adopted(live, desk, tmp_path, monkeypatch):  # noqa: PLR0915 - one flow of a person
    at = desk(live, "pilot")
    page = at.page
    x, y = at_the_border(page)
    draw_border(page, x, y)
    put_base(page, x, y - 160)
    page.get_by_label("Length of shift").fill("1")
    page.get_by_label("At m AMSL").fill("1180")
    page.evaluate(WATCHED)
    plan(page)
    steps = page.evaluate("window.progress")
    assert steps == sorted(steps)
    assert any(0 < each < 1 for each in steps), steps
    first = newest(live)
    line = first["request"]["border"]["geojson"]["features"][0]
    assert len(line["geometry"]["coordinates"]) == 3
    assert line["properties"]["own_side"] == "left"

    summary = first["result"]["summary"]
    minutes = page.get_by_role("row", name="Revisit interval").get_by_role("cell").inner_text()
    # From an hour on whole minutes are told.
    assert abs(seconds_of(minutes) - summary["revisit_s"]) <= (60 if " h" in minutes else 0.5)
    for limit in first["result"]["explanation"]["limits"]:
        expect(page.get_by_text(limit, exact=True)).to_be_visible()

    tab(page, "Sorties")
    sorties_are_those_of(page.get_by_role("tabpanel"), plan_file(live, first, tmp_path))
    names = [each["properties"]["name"] for each in first["result"]["map"]["sorties"]]
    panel = page.get_by_role("tabpanel")
    assert panel.get_by_role("button").all_inner_texts() == names
    panel.get_by_role("button", name=names[0]).click()
    tab(page, "Heights")
    chart = page.get_by_role("img", name=re.compile(f"Heights of {names[0]}"))
    chart.hover()
    expect(panel.get_by_text(re.compile("above sea level, ground 1,180 m"))).to_be_visible()
    at.picture("plan-heights")
    tab(page, "Shift")
    flights = first["result"]["shift"]["flights"]
    assert panel.get_by_role("button").count() == len(flights)
    # As long, and as far along, as each of them is in time: a bar of one second is so many pixels everywhere.
    bars = [each.bounding_box() for each in panel.locator(".flight rect").all()]
    ends = [(box["x"], box["x"] + box["width"]) for box in bars if box is not None]
    times = [(flight["start_s"], flight["end_s"]) for flight in flights]
    a_second, begin = np.polyfit(np.ravel(times), np.ravel(ends), 1)
    assert a_second > 0
    assert np.ravel(ends) == pytest.approx(a_second * np.ravel(times) + begin, abs=2)  # its edge is drawn too
    at.picture("plan-shift")
    tab(page, "Checks")
    expect(panel.get_by_text("Every rule is kept.")).to_be_visible()

    with monkeypatch.context() as patched:  # a planner that goes on for ever
        patched.setattr(runner, "_COMMAND", (sys.executable, "-S", "-c", STAND_IN))
        page.get_by_role("button", name="Plan again").click()
        going = page.locator(".progress")
        expect(going).to_contain_text(re.compile(r"50 % \d+"))
        pid = int(going.inner_text().split("%")[1].split()[0])
        going.get_by_role("button", name="Cancel").click()
        expect(going).to_contain_text("Cancelled.")
        assert gone(pid)
        going.get_by_role("button", name="Close").click()
    expect(page.get_by_role("row", name="Revisit interval").get_by_role("cell").first).to_have_text(minutes)

    # In the middle of the way there, drawn by hand; places of the page by those that the border was drawn at.
    leg = np.array(ways(first)[0][:2]).mean(axis=0)
    corners = np.array(line["geometry"]["coordinates"])
    pixels = np.array([(x + aside, y + abs(aside) / 6) for aside in (-60, 0, 60)])
    to_x, to_y = np.polyfit(corners[:, 0], pixels[:, 0], 1), np.polyfit(corners[:, 1], pixels[:, 1], 1)
    middle = np.polyval(to_x, leg[0]), np.polyval(to_y, leg[1])
    page.get_by_role("button", name="Zone z").click()
    for along, down in ((-50, -25), (50, -25), (0, 35)):
        click(page, middle[0] + along, middle[1] + down)
    page.keyboard.press("Enter")
    expect(page.get_by_role("region", name="No-fly zones and areas with limits").get_by_label("Name")).to_be_visible()
    page.get_by_role("button", name="Describe another model").click()
    fleet = page.get_by_role("region", name="Aircraft and camera")
    fleet.get_by_label("Name", exact=True).fill("heavy")
    fleet.get_by_label("Cruise", exact=False).first.fill("11")
    fleet.get_by_role("combobox", name="Camera").select_option(label="another one")
    fleet.get_by_label("Field of view").fill("31")
    bases = page.get_by_role("region", name="Bases")
    bases.get_by_role("combobox", name="Model").select_option(label="heavy")
    bases.get_by_label("Aircraft", exact=True).fill("1")
    page.get_by_label("Length of shift").focus()
    page.get_by_text("Autopilot, landing sites, limits of the planner").click()
    page.get_by_role("combobox", name="Files are for").select_option("px4")
    page.get_by_label("Propose landing sites").check()
    page.get_by_label("Between take-offs at a base").fill("45")
    at.picture("plan-more")
    plan(page)
    second = newest(live)
    assert (second["request"]["dialect"], second["request"]["landing_sites"]) == ("px4", True)
    assert second["request"]["options"] == {"launch_interval_s": 45}
    assert second["id"] != first["id"]
    made = plan_file(live, second, tmp_path)
    (heavy,) = made.fleet.vehicles
    assert heavy.aircraft.cruise_m_s == 11
    lens = (heavy.camera or made.fleet.camera).model
    assert 2 * math.degrees(math.atan(lens.width_px / 2 / lens.focal_px)) == pytest.approx(31, abs=1e-6)
    (ring,) = second["request"]["airspace"]["features"][0]["geometry"]["coordinates"]
    zone = shapely.Polygon(ring)
    assert zone.intersects(shapely.LineString(ways(first)[0]))
    assert not any(zone.intersects(shapely.LineString(way)) for way in ways(second))
    row = page.get_by_role("row", name="Revisit interval")
    assert row.get_by_role("cell").all_inner_texts()[0] == minutes
    expect(row.get_by_role("cell").nth(2)).to_have_text(re.compile("▲ \\+"))
    at.picture("plan-again")

    tab(page, "Adopt")
    page.get_by_label("Owner").fill("Border Watch")
    at.prefer("Times", "UTC")  # the machine's is that of Athens
    expect(page.get_by_label("Shift begins")).to_have_accessible_description("UTC")
    page.get_by_label("Shift begins").fill("2026-12-01T06:00")
    page.get_by_role("button", name="Adopt this plan").click()
    expect(page.get_by_text("This plan is adopted.")).to_be_visible()
    assert newest(live)["adopted"]
    (adopted,) = live.ask("pilot", "GET", "/plans").json()["features"]
    assert adopted["properties"]["time"] == "2026-12-01T06:00:00.000000Z"
    assert adopted["properties"]["revisit_s"] == second["result"]["summary"]["revisit_s"]
    flights = live.ask("pilot", "GET", "/sorties?limit=100").json()["features"]
    assert len(flights) == len(second["result"]["shift"]["flights"])


def test_border_bases_and_zones_are_begun_by_keyboard_alone(live, desk):
    live.ask("pilot", "POST", "/segments", json=record_json("segments"))
    at = desk(live, "pilot", "#/plan")
    page = at.page
    form = page.get_by_role("form", name="What to plan")
    middle_is(page, "110.9")  # nothing is drawn yet: where the border of the service is
    line = "31.330, -110.95\n31.334, -110.94"
    for part, places in (
        ("Border", line),
        ("Bases", "31.340, -110.95\nat the bridge"),
        ("No-fly zones", f"{line}\n31.336, -110.95"),
    ):
        region = form.get_by_role("region", name=part)
        region.locator("summary").last.focus()
        for key in ("Enter", "Tab"):
            page.keyboard.press(key)
        page.keyboard.type(places)
        for key in ("Tab", "Enter"):
            page.keyboard.press(key)
        if part == "Bases":
            expect(region.get_by_role("alert")).to_contain_text("Base, line 2: at the bridge is no place")
            page.keyboard.press("Shift+Tab")
            for key in ("Control+a", "Delete"):
                page.keyboard.press(key)
            page.keyboard.type("31.340, -110.95\n31.341, -110.94")
            for key in ("Tab", "Enter"):
                page.keyboard.press(key)
            expect(region.get_by_role("alert")).to_have_count(0)
    names = form.get_by_label("Name", exact=True)
    expect(names).to_have_count(4)
    assert [each.input_value() for each in names.all()] == ["border", "base 1", "base 2", "zone 1"]
    expect(page.get_by_text("2 places")).to_be_visible()
    assert at.axe() == []


def test_every_change_can_be_undone_and_a_reload_loses_none(live, desk, tmp_path):
    page = desk(live, "pilot").page
    x, y = at_the_border(page)
    draw_border(page, x, y)
    put_base(page, x, y - 40)
    side = page.get_by_role("combobox", name="Own side")
    place = page.get_by_label("Place", exact=True)
    was = place.input_value()

    page.keyboard.press("f")
    expect(side).to_have_value("right")
    page.mouse.move(x, y - 40)
    page.mouse.down()
    page.mouse.move(x + 40, y - 60, steps=8)
    page.mouse.up()
    expect(place).not_to_have_value(was)
    moved = place.input_value()
    page.keyboard.press("u")
    expect(place).to_have_value(was)
    page.keyboard.press("u")
    expect(side).to_have_value("left")
    page.keyboard.press("r")
    page.keyboard.press("r")
    expect(place).to_have_value(moved)
    page.keyboard.press("Delete")
    expect(place).to_have_count(0)
    page.get_by_role("button", name="Undo u").click()
    expect(place).to_have_value(moved)

    page.reload()
    expect(place).to_have_value(moved)
    expect(side).to_have_value("right")

    take(page, tmp_path, "nothing.kml", "<kml/>")
    expect(page.get_by_text("nothing.kml was not imported: no lines, polygons or points of use.")).to_be_visible()
    take(page, tmp_path, "evros.kml", KML)
    expect(page.get_by_text("evros.kml: 1 lines, 0 bases and 1 zones taken.")).to_be_visible()
    middle_is(page, "° N, 26.")  # it was far off the map
    take(page, tmp_path, "posts.geojson", json.dumps(GEOJSON))
    names = page.get_by_role("form", name="What to plan").get_by_label("Name", exact=True)
    expect(names).to_have_count(5)
    assert [each.input_value() for each in names.all()] == ["border", "Evros", "base 1", "post", "range"]


def test_what_cannot_be_planned_is_said_where_it_is_wrong(live, desk, tmp_path):
    at = desk(live, "pilot")
    page = at.page
    at.forgiven.append("/plannings")
    form = page.get_by_role("form", name="What to plan")
    ask = page.get_by_role("button", name="Plan", exact=True)
    ask.click()
    border, bases = form.get_by_role("region", name="Border"), form.get_by_role("region", name="Bases")
    expect(border.get_by_text("There is no border yet")).to_be_visible()
    expect(bases.get_by_text("There is no base yet")).to_be_visible()
    assert live.ask("pilot", "GET", "/plannings").json() == []

    crossing = {"type": "LineString", "coordinates": [[26, 41], [26.02, 41.02], [26.02, 41], [26, 41.02]]}
    take(page, tmp_path, "crossing.geojson", json.dumps(crossing))
    take(page, tmp_path, "posts.geojson", json.dumps(GEOJSON))
    expect(border.get_by_role("status")).to_be_empty()
    ask.click()
    expect(border.get_by_role("status")).to_contain_text("cross", timeout=60_000)
    page.get_by_role("button", name="Remove crossing").click()
    take(page, tmp_path, "evros.kml", KML)

    place = bases.get_by_label("Place", exact=True)
    place.fill("at the bridge")
    place.press("Enter")  # asks for a plan, as the button does
    expect(bases.get_by_role("status")).to_contain_text("at the bridge is no place")
    page.get_by_role("link", name="Fly").click()
    page.get_by_role("link", name="Plan").click()
    expect(place).to_have_value("at the bridge")
    ask.click()
    expect(page.get_by_text("Nothing was planned: one thing is missing or wrong in the form.")).to_be_visible()
    place.fill("41.31, 26.51")
    place.blur()
    expect(bases.get_by_role("status")).to_be_empty()
    assert len(live.ask("pilot", "GET", "/plannings").json()) == 1  # the crossing border's alone

    ground = form.get_by_role("region", name="Ground")
    ground.get_by_role("combobox", name="Ground is").select_option("terrain")
    ask.click()
    expect(ground.get_by_role("status")).to_contain_text("this service has none")

    ground.get_by_role("combobox", name="Ground is").select_option("level")
    more = form.get_by_role("region", name="More")
    more.locator("summary").click()
    more.get_by_label("Overlap of pictures").fill("2")
    ask.click()
    expect(more.get_by_role("status")).to_contain_text("option overlap is 2")


SLOPE_M = 1000.0, 3.0
"""How high the ground is at 111 degrees west, and how much higher each three seconds of arc to the east."""


@pytest.fixture
def hilly(peopled, served, tmp_path):
    """A service that has terrain: a slope that rises to the east, as a closed form has it."""
    terrain = tmp_path / "terrain"
    terrain.mkdir()
    heights = np.broadcast_to(SLOPE_M[0] + SLOPE_M[1] * np.arange(1201), (1201, 1201))
    heights.astype(">i2").tofile(terrain / "N31W111.hgt")
    with served(peopled, tmp_path / "service", planning=PlanningSettings(terrain=terrain)) as live:
        yield live


def slope_along(way: list[list[float]], metres: float) -> float:
    """How high that slope is so far along a way."""
    geod = pyproj.Geod(ellps="WGS84")
    for (lon, lat, *_), (to_lon, to_lat, *_) in itertools.pairwise(way):
        bearing, _, leg_m = geod.inv(lon, lat, to_lon, to_lat)
        if metres <= leg_m:
            return SLOPE_M[0] + SLOPE_M[1] * 1200 * (geod.fwd(lon, lat, bearing, metres)[0] + 111)
        metres -= leg_m
    return SLOPE_M[0] + SLOPE_M[1] * 1200 * (way[-1][0] + 111)


def test_a_plan_is_looked_at_in_every_theme_and_size(hilly, desk, tmp_path):
    live = hilly
    limits = {"floor_agl_m": 45, "ceiling_agl_m": 115}
    wish = planning_json(explain=True, options=limits, terrain=True)
    del wish["ground_m"]
    asked = live.ask("pilot", "POST", "/plannings", json=wish).json()
    at = desk(live, "pilot")
    page = at.page
    page.get_by_role("button", name="Nogales").click()
    expect(page.get_by_role("tabpanel")).to_be_visible(timeout=LONG_MS)
    found = newest(live)["result"]["map"]
    colours = legend(page)
    switched(page, "Ways")
    clip, with_it, without = switched(page, "Revisit interval")
    revisit_lies_where_it_is(found["revisit"], colours, pixels_of(page, clip), with_it, without)
    clip, without, with_it = switched(page, "Seen by cameras")
    footprints_lie_where_they_are(found["footprints"], pixels_of(page, clip), with_it, without)
    for layer in ("Ways", "Revisit interval"):
        page.get_by_role("checkbox", name=layer).check()
    for theme, names in zip(
        THEMES,
        (
            ("Figures", "Sorties", "Heights", "Shift", "Checks", "Files", "Adopt"),
            ("Shift", "Figures"),
            ("Heights",),
        ),
        strict=True,
    ):
        at.prefer("Theme", theme)
        for name in names:
            tab(page, name)
            assert at.axe(colours_alone=theme != THEMES[0]) == [], name
            if name == "Files":
                files_go_where_the_plan_goes(page, found["sorties"][0], tmp_path)
            if name == "Heights":
                for limit in limits.values():
                    expect(page.get_by_text(f"{limit} m above ground", exact=True)).to_be_visible()
                if theme == THEMES[0]:
                    heights_are_those_of_the_slope(page, ways(newest(live))[0])
            at.picture(f"plan-{theme}-{name.lower()}")
        page.get_by_role("checkbox", name="Ways").hover()
        assert at.red_alone() is (theme == "night")
    for width, height in ((1024, 768), (768, 1024)):
        page.set_viewport_size({"width": width, "height": height})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        expect(page.get_by_role("button", name="Redo r")).to_be_in_viewport(ratio=1)
        layers = page.locator("details.layers")
        assert layers.evaluate("it => it.scrollHeight <= it.clientHeight"), "what colours mean is cut off"
        at.picture(f"plan-{width}")
    # At the last of these one lies below the other.
    parts, result = page.locator(".wish-parts").bounding_box(), page.get_by_role("tablist").bounding_box()
    assert parts is not None
    assert result is not None
    assert parts["y"] + parts["height"] <= result["y"]
    assert asked["name"] == "Nogales"


def heights_are_those_of_the_slope(page: Page, way: list[list[float]]) -> None:
    """Ground and height above it, in the table beside the drawing."""
    page.get_by_role("tabpanel").get_by_text("As a table").click()
    told = []
    for row in page.get_by_role("tabpanel").get_by_role("row").all()[1:]:
        metres, amsl, ground, above = (read_m(text) for text in row.locator("th, td").all_inner_texts())
        assert ground == pytest.approx(slope_along(way, metres), abs=SLOPE_M[1] + 1)
        assert above == pytest.approx(amsl - ground, abs=1)
        told.append(ground)
    assert max(told) - min(told) > 30  # it is no level ground


def switched(page: Page, layer: str) -> tuple[FloatRect, NDArray[np.int_], NDArray[np.int_]]:
    """The map shows something else with a layer than without: where, before and after."""
    box = page.locator(".maplibregl-canvas").bounding_box()
    assert box is not None
    clip: FloatRect = {
        "x": box["x"] + 150,
        "y": box["y"] + 80,
        "width": box["width"] - 400,
        "height": box["height"] - 90,
    }
    before = at_rest(page, clip)
    page.get_by_role("checkbox", name=layer).click()
    for _ in range(100):
        if page.screenshot(clip=clip) != before:
            return clip, pixels(before), pixels(at_rest(page, clip))
        page.wait_for_timeout(100)
    raise AssertionError(f"{layer} changes nothing on the map")


def zone(kind: str | None, heights: dict[str, Any], **geometry: Any) -> str:
    """A GeoJSON file of a zone."""
    ring = [[26.4, 41.3], [26.41, 41.3], [26.41, 41.31], [26.4, 41.3]]
    properties = {"name": "range", **({} if kind is None else {"kind": kind}), **heights}
    shape = {"type": "Polygon", "coordinates": [ring], **geometry}
    feature = {"type": "Feature", "properties": properties, "geometry": shape}
    return json.dumps({"type": "FeatureCollection", "features": [feature]})


def extruded(mode: str, data: dict[str, Any]) -> str:
    """A KML file of a zone that is drawn from the ground up to 70 to 90 m."""
    said = "".join(f'<Data name="{name}"><value>{value}</value></Data>' for name, value in data.items())
    return f"""<kml xmlns="http://www.opengis.net/kml/2.2"><Placemark><name>range</name>
<ExtendedData>{said}</ExtendedData><Polygon><extrude>1</extrude><altitudeMode>{mode}</altitudeMode>
<outerBoundaryIs><LinearRing><coordinates>26.4,41.3,90 26.41,41.3,70 26.41,41.31,80 26.4,41.3,90</coordinates>
</LinearRing></outerBoundaryIs></Polygon></Placemark></kml>"""


AGL = {"floor_m": 30, "floor_datum": "AGL"}
ZONES = {
    "whole.geojson": zone("limits", AGL | {"ceiling_m": 60, "ceiling_datum": "amsl"}),
    "usual.geojson": zone(None, {}),
    "no-datum.geojson": zone("limits", {"ceiling_m": 60}),
    "ellipsoid.geojson": zone("limits", {"ceiling_m": 60, "ceiling_datum": "HAE"}),
    "unread.geojson": zone("limits", AGL | {"ceiling_m": "60 m", "ceiling_datum": "AGL"}),
    "nothing.geojson": zone(None, {"floor_datum": "AGL"}),
    "kind.geojson": zone("danger", {}),
    "unknown.geojson": zone("limits", AGL | {"upper_m": 60}),
    "upside-down.geojson": zone(None, AGL | {"ceiling_m": 20, "ceiling_datum": "AGL"}),
    "corners.geojson": zone(None, {}, coordinates=[[[26.4, 41.3], [26.41, 41.3], [26.4, 41.3]]]),
    "line.geojson": zone("no_fly", {}, type="LineString", coordinates=[[26.4, 41.3], [26.41, 41.3]]),
    "upper.kml": extruded("relativeToGround", {"kind": "LIMITS"}),
    "sea.kml": extruded("absolute", {"kind": "no_fly"} | AGL),
    "sheet.kml": extruded("clampToGround", {"kind": "limits"}),
    "link.kml": extruded("absolute", {}).replace("</kml>", "<NetworkLink><href>more.kml</href></NetworkLink></kml>"),
    "empty.kml": extruded("absolute", {}).replace("</kml>", "<Placemark><name>lost</name></Placemark></kml>"),
}


def heights_of(shown: missions.Zone) -> list[str]:
    """Kind, floor, its datum, ceiling, its datum, as the form has them."""
    told = [shown.kind.value]
    for height in (shown.floor, shown.ceiling):
        told += ["", "AGL"] if height is None else [f"{height.metres:g}", height.datum.value.upper()]
    return told


def test_a_zone_is_read_from_a_file_as_the_service_reads_it_or_refused(live, desk, tmp_path):
    page = desk(live, "pilot").page
    part = page.get_by_role("region", name="No-fly zones and areas with limits")
    chosen = [part.get_by_role("combobox", name=name, exact=True) for name in ("Kind", "Floor above", "Ceiling above")]
    floor, ceiling = (part.get_by_role("spinbutton", name=name) for name in ("Floor m", "Ceiling m"))
    fields = [chosen[0], floor, chosen[1], ceiling, chosen[2]]
    read = refused = 0
    for name, text in ZONES.items():
        take(page, tmp_path, name, text)
        try:
            (expected,) = missions.read_airspace(tmp_path / name).zones
        except VedetteError:
            refused += 1
            expect(page.get_by_text(f"{name} was not imported")).to_be_visible()
            expect(fields[0]).to_have_count(0)
            continue
        read += 1
        expect(part.get_by_label("Name", exact=True)).to_have_value(expected.name)
        assert [field.input_value() for field in fields] == heights_of(expected)
        part.get_by_role("button", name="Remove range").click()
    assert (read, refused) == (4, 12)


def test_what_a_browser_kept_is_never_in_the_way(live, desk):
    at = desk(live, "pilot")
    page = at.page
    flat = {"id": "z", "name": "flat", "kind": "no_fly", "ring": [[-110.94, 31.33], [-110.93, 31.33]]}
    none = {"floorM": None, "floorDatum": "AGL", "ceilingM": None, "ceilingDatum": "AGL"}
    base = {"id": "b", "name": "north", "at": [-110.94, 31.3345], "aircraft": [{"model": "multirotor", "count": 2}]}
    kept = {"zones": [flat | none, {"ring": [None]}], "bases": [base], "lines": [None], "models": "none"}
    expect(page.get_by_role("form", name="What to plan")).to_be_visible()
    page.evaluate("kept => localStorage.setItem('vedette.plan.draft', kept)", json.dumps(kept))
    page.reload()
    expect(page.get_by_text("3 things of the draft that was kept could not be read")).to_be_visible()
    names = page.get_by_role("form", name="What to plan").get_by_label("Name", exact=True)
    expect(names).to_have_count(2)

    # A zone of two corners cannot be drawn: it stays when something else is.
    place = page.get_by_label("Place", exact=True)
    was = place.input_value()
    canvas = page.locator(".maplibregl-canvas").bounding_box()
    assert canvas is not None
    at_the_border(page)
    page.get_by_role("button", name="Base s").click()
    click(page, canvas["x"] + canvas["width"] / 2 + 80, canvas["y"] + canvas["height"] / 2 + 80)
    expect(names).to_have_count(3)
    assert place.first.input_value() == was
    expect(page.get_by_text("flat needs three corners at least.")).to_be_visible()

    page.evaluate("localStorage.setItem('vedette.plan.planning', 'x')")
    page.evaluate(
        "() => { Storage.prototype.setItem = () => { throw new DOMException('full', 'QuotaExceededError') } }"
    )
    page.keyboard.press("u")
    expect(names).to_have_count(2)
    expect(page.get_by_text("This browser keeps nothing")).to_be_visible()

    # A planning that the page cannot show, whatever it is.
    broken = {"state": "done", "result": {"summary": {}}}
    page.route("**/plannings/*", lambda route: route.fulfill(json=broken))
    page.reload()
    expect(page.get_by_text("This cannot be shown")).to_be_visible()
    at.picture("plan-broken")
    page.get_by_role("button", name=re.compile("^Begin anew")).click()
    expect(page.get_by_text("There is no border yet")).to_have_count(0)
    expect(names).to_have_count(0)
    expect(page.get_by_role("button", name="Plan", exact=True)).to_be_enabled()


def test_a_way_is_measured_and_what_is_drawn_stays_as_it_is(live, desk):
    at = desk(live, "pilot")
    page = at.page
    x, y = at_the_border(page)
    put_base(page, x, y - 40)
    page.get_by_role("button", name="Measure m").click()
    for along in (-60, 60):
        click(page, x + along, y - 40)
    measured = page.get_by_role("region", name="Measure")
    expect(measured.get_by_role("status")).to_contain_text(re.compile(r"^\d+\.\d{3} km, bearing 0(89|90|91)° true$"))
    expect(page.get_by_label("Place", exact=True)).to_have_count(1)
    page.get_by_role("button", name="Base s").click()  # another tool puts this one away
    expect(measured).to_have_count(0)
    click(page, x + 60, y - 40)
    expect(page.get_by_label("Place", exact=True)).to_have_count(2)
