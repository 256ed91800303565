"""What the page shows of a plan beside the plan itself: its table, its files, its colours on the map."""

import csv
import json
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import fastkml
import numpy as np
import pyogrio
import pyproj
import pytest
import shapely
from lxml import etree
from numpy.typing import NDArray
from playwright.sync_api import FloatRect, Locator, Page
from pymavlink import mavutil, mavwp
from pymavlink.dialects.v20 import ardupilotmega

import missions
from tests.console.desk import place_at


def seconds_of(text: str) -> int:
    """What a span in words is."""
    return sum(int(count) * {"h": 3600, "min": 60, "s": 1}[unit] for count, unit in re.findall(r"(\d+) (\w+)", text))


def read_m(text: str) -> float:
    """Metres of a length in words: "1,180 m", "3.4 km"."""
    figure, unit = text.split()
    return float(figure.replace(",", "")) * {"m": 1, "km": 1000}[unit]


def sorties_are_those_of(panel: Locator, made: missions.PatrolPlan) -> None:
    """Each figure of the table, worked out anew of the plan's file."""
    geod = pyproj.Geod(ellps="WGS84")
    heads = panel.get_by_role("columnheader").all_inner_texts()
    rows = [row.locator("th, td").all_inner_texts() for row in panel.get_by_role("row").all()[1:]]
    assert len(rows) == len(made.sorties)
    for number, (sortie, cells) in enumerate(zip(made.sorties, rows, strict=True)):
        told = dict(zip(heads, cells, strict=True))
        lengths = [
            geod.inv(leg.start.lon_deg, leg.start.lat_deg, leg.end.lon_deg, leg.end.lat_deg)[2] for leg in sortie.legs
        ]
        watched = [m for m, leg in zip(lengths, sortie.legs, strict=True) if leg.kind is missions.LegKind.PATROL]
        starts = [flight.start_s for flight in made.flights if flight.sortie == number]
        energy_wh = sum(leg.energy_wh for leg in sortie.legs)
        hours, minutes = map(int, told["First start"].removeprefix("+").split(":"))
        assert told["Sortie"] == sortie.name
        assert (told["Vehicle"], told["Base"]) == (sortie.vehicle.name, sortie.vehicle.base.name)
        assert 60 * hours + minutes == pytest.approx(min(starts) / 60, abs=0.51)
        assert seconds_of(told["Lasts"]) == pytest.approx(sum(leg.duration_s for leg in sortie.legs), abs=1)
        assert read_m(told["Way"]) == pytest.approx(sum(lengths), rel=0.01, abs=60)
        assert read_m(told["Of it watching"]) == pytest.approx(sum(watched), rel=0.01, abs=60)
        assert float(told["Energy"].removesuffix(" Wh")) == pytest.approx(energy_wh, abs=1)
        left = 100 * (1 - energy_wh / sortie.vehicle.aircraft.battery_wh)
        assert float(told["Battery left"].removesuffix(" %")) == pytest.approx(left, abs=0.1)
        assert int(told["Flights"]) == len(starts)


def places_in(file: Path) -> list[list[float]]:
    """Where a mission file goes, longitude first, as a program of others reads that kind."""
    match file.suffix:
        case ".plan":  # the members that QGroundControl documents
            items = json.loads(file.read_text())["mission"]["items"]
            return [[each["params"][5], each["params"][4]] for each in items if each["command"] in FLOWN]
        case ".waypoints":
            # Whoever reads a log of MAVLink 1 with pymavlink leaves all of it with the messages of that.
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(mavutil, "mavlink", ardupilotmega)
                loader = mavwp.MAVWPLoader()
                loader.load(str(file))
            items = [loader.wp(number) for number in range(loader.count())]
            return [[each.y, each.x] for each in items if each.command in FLOWN]
        case ".kml":
            (way,) = [each for each in fastkml.KML.parse(file).features[0].features if each.name == "way"]
            return [list(at[:2]) for at in way.geometry.coords]
        case ".kmz":
            with zipfile.ZipFile(file) as packed:
                root = etree.fromstring(packed.read("wpmz/waylines.wpml"))
            points = root.iterfind(".//{*}Placemark/{*}Point/{*}coordinates")
            return [[float(each) for each in point.text.split(",")[:2]] for point in points]
        case ".csv":
            rows = csv.DictReader(file.read_text().splitlines())
            return [[float(row["longitude"]), float(row["latitude"])] for row in rows]
    _, _, shapes, _ = pyogrio.raw.read(file, where="kind = 'sortie'")
    return shapely.get_coordinates(shapely.from_wkb(shapes)).tolist()


FLOWN = {16, 22}
"""MAV_CMD_NAV_WAYPOINT and MAV_CMD_NAV_TAKEOFF."""


def files_go_where_the_plan_goes(page: Page, sortie: dict[str, Any], folder: Path) -> None:
    """Take a file of each kind of a sortie, and read it with the programs of others."""
    name = sortie["properties"]["name"]
    bounds = np.array(shapely.geometry.shape(sortie["geometry"]).bounds)[[0, 1, -2, -1]]
    for kind in (".plan", ".waypoints", ".kml", ".kmz", ".csv", ".geojson"):
        with page.expect_download() as started:
            page.get_by_role("tabpanel").get_by_role("link", name=name + kind, exact=True).click()
        file = folder / f"taken{kind}"
        started.value.save_as(file)
        places = np.array(places_in(file))
        assert len(places) > 3, kind
        assert np.concatenate([places.min(axis=0), places.max(axis=0)]) == pytest.approx(bounds, abs=2e-5), kind


Pixels = Callable[[Any], NDArray[np.float64]]


def pixels_of(page: Page, clip: FloatRect) -> Pixels:
    """Columns and rows of places in a part of the map, by what the page says of two of its pixels."""
    x, y = np.array([clip["x"], clip["x"] + clip["width"] - 1]), np.array([clip["y"], clip["y"] + clip["height"] - 1])
    (north, west), (south, east) = (place_at(page, *at) for at in zip(x.tolist(), y.tolist(), strict=True))
    page.mouse.move(1, 1)
    to_x, to_y = np.polyfit([west, east], x - x[0], 1), np.polyfit([north, south], y - y[0], 1)
    return lambda places: np.column_stack([np.polyval(to_x, places[:, 0]), np.polyval(to_y, places[:, 1])])


def legend(page: Page) -> list[tuple[int, tuple[int, ...]]]:
    """Up to how many seconds which colour stands for."""
    rows = page.get_by_role("list", name="Revisit interval").get_by_role("listitem").all()
    strokes = [row.locator("line").get_attribute("stroke") or "" for row in rows]
    ends = [seconds_of(row.inner_text()) for row in rows]
    return [(end, tuple(bytes.fromhex(stroke.removeprefix("#")))) for end, stroke in zip(ends, strokes, strict=True)]


def revisit_lies_where_it_is(stretches, colours, to_pixels: Pixels, with_it, without) -> None:
    """Each stretch has the colour of its time by the legend, and nothing else has changed on the map."""
    changed = np.abs(with_it - without).max(axis=2) > 6
    near = np.zeros(changed.shape, np.uint8)
    looked = 0
    for stretch in stretches:
        line = to_pixels(np.array(stretch["geometry"]["coordinates"])[:, :2])
        cv2.polylines(near, [np.rint(line).astype(int)], isClosed=False, color=1, thickness=21)
        middle = shapely.LineString(line).interpolate(0.5, normalized=True)
        x, y = round(middle.x), round(middle.y)
        if not (2 <= x < changed.shape[1] - 2 and 2 <= y < changed.shape[0] - 2):
            continue
        end = stretch["properties"]["revisit_s"]
        fits = [colour for most, colour in colours if end <= most + 1]
        assert np.abs(np.median(with_it[y - 1 : y + 2, x - 1 : x + 2], axis=(0, 1)) - fits[0]).max() <= 8
        looked += 1
    assert looked > 0
    assert np.count_nonzero(changed) > 500
    assert not changed[near == 0].any()


def footprints_lie_where_they_are(footprints, to_pixels: Pixels, with_it, without) -> None:
    """What the layer of the footprints changes on the map is what cameras see by the plan."""
    changed = np.abs(with_it - without).max(axis=2) > 6
    seen = np.zeros(changed.shape, np.uint8)
    for shape in (shapely.geometry.shape(each["geometry"]) for each in footprints):
        for part in getattr(shape, "geoms", [shape]):
            ring = to_pixels(np.array(part.exterior.coords)[:, :2])
            cv2.fillPoly(seen, [np.rint(ring).astype(int)], color=1)
    # The border is drawn over it; what is said of a place is rounded, and so is an edge: two pixels.
    filled = cv2.morphologyEx(changed.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((7, 7), np.uint8)) > 0
    two = np.ones((5, 5), np.uint8)
    around, within = cv2.dilate(seen, two) > 0, cv2.erode(seen, two) > 0
    assert np.count_nonzero(filled) > 500
    assert np.count_nonzero(filled & around) > 0.99 * np.count_nonzero(filled)
    assert np.count_nonzero(filled & within) > 0.95 * np.count_nonzero(within)
