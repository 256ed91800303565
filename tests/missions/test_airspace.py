"""Zones, landing sites, and their files."""

import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo import Altitude, Datum
from missions import (
    Airspace,
    AirspaceError,
    FormatError,
    LandingSite,
    PlanError,
    Risk,
    RiskTable,
    Zone,
    ZoneKind,
    read_airspace,
    read_risk,
    write_airspace,
    write_risk,
)
from tests.asked import few

SQUARE = ((8.0, 46.0), (8.1, 46.0), (8.1, 46.1), (8.0, 46.1))

heights = st.none() | st.builds(
    Altitude, st.floats(0, 100).map(lambda v: round(v, 3)), st.sampled_from([Datum.AGL, Datum.AMSL])
)


@st.composite
def zones(draw, name="zone"):
    lon, lat = draw(st.floats(-179.9, 179.9)), draw(st.floats(-80, 80))
    size = draw(st.floats(0.001, 0.5))
    angles = sorted(draw(st.lists(st.floats(0, 6.2), min_size=3, max_size=8, unique_by=lambda a: round(a, 1))))
    ring = tuple(((lon + size * math.cos(a) + 180) % 360 - 180, lat + size * math.sin(a)) for a in angles)
    floor, ceiling = draw(heights), draw(heights)
    if floor and ceiling:
        ceiling = Altitude(floor.metres + 1 + ceiling.metres, ceiling.datum)
    try:
        return Zone(name, (ring,), draw(st.sampled_from(ZoneKind)), floor, ceiling)
    except AirspaceError:  # three corners in a row
        return Zone(name, (SQUARE,))


@settings(max_examples=few(60), deadline=None)
@given(a=zones("a"), b=zones("b"), lat=st.floats(-90, 90), lon=st.floats(-180, 180), radius=st.floats(0.1, 500))
def test_airspace_files_come_back_exactly(tmp_path_factory, a, b, lat, lon, radius):
    path = tmp_path_factory.mktemp("airspace") / "zones.geojson"
    airspace = Airspace((a, b), (LandingSite("field", lat, lon, radius),))
    write_airspace(airspace, path)
    assert read_airspace(path) == airspace


@settings(max_examples=30, deadline=None)
@given(
    rows=st.lists(
        st.tuples(
            *(st.floats(0, 1e5), st.floats(1, 1e5), st.floats(0.1, 99), st.floats(0, 11), st.floats(12, 24)),
            st.sampled_from(["", "road 7", 'Sotla, "upper" part']),
        ),
        max_size=5,
    )
)
def test_risk_files_come_back_exactly(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("risk") / "risk.csv"
    table = RiskTable(tuple(Risk(a, a + b, w, f, t, line) for a, b, w, f, t, line in rows))
    write_risk(table, path)
    assert read_risk(path) == table


@pytest.mark.parametrize(
    ("ring", "words"),
    [
        (((8.0, 46.0), (8.1, 46.1), (8.1, 46.0), (8.0, 46.1)), "Self-intersection"),
        (((8.0, 46.0), (8.1, 46.1)), "at least three"),
        (((8.0, 46.0), (8.1, 46.1), (8.0, math.nan)), "vertex"),
        (((8.0, 46.0), (8.1, 46.1), (8.0, 95.0)), "latitude"),
        ((), "at least three"),
        ((("a", 46.0), (8.1, 46.1), (8.0, 46.5)), "vertex"),
    ],
)
def test_a_zone_that_is_none_is_refused_by_name(ring, words):
    with pytest.raises(AirspaceError, match=f"'dam'.*{words}"):
        Zone("dam", (ring,))


def test_heights_and_kinds_are_checked():
    with pytest.raises(AirspaceError, match="'dam': floor 50 m is not below"):
        Zone("dam", (SQUARE,), floor=Altitude(50, Datum.AGL), ceiling=Altitude(50, Datum.AGL))
    with pytest.raises(AirspaceError, match="kind"):
        Zone("dam", (SQUARE,), "restricted")
    with pytest.raises(AirspaceError, match="floor is above"):
        Zone("dam", (SQUARE,), floor=Altitude(50, Datum.HAE))
    with pytest.raises(AirspaceError, match="two zones"):
        Airspace((Zone("dam", (SQUARE,)), Zone("dam", (SQUARE,))))
    with pytest.raises(AirspaceError, match="radius_m"):
        LandingSite("field", 46, 8, 0)


def test_in_doubt_a_zone_blocks():
    high = Zone("high", (SQUARE,), floor=Altitude(150, Datum.AGL))
    unclear = Zone("unclear", (SQUARE,), floor=Altitude(900, Datum.AMSL))
    low = Zone("low", (SQUARE,), ceiling=Altitude(10, Datum.AGL))
    limits = Zone("limits", (SQUARE,), "limits", ceiling=Altitude(60, Datum.AGL))
    wide = Zone("wide", (SQUARE,), "limits", floor=Altitude(80, Datum.AGL), ceiling=Altitude(150, Datum.AGL))
    zones = Airspace((high, unclear, low, limits, wide))
    assert [z.name for z in zones.blocking(90, 120)] == ["unclear", "low", "limits"]
    assert [z.name for z in zones.blocking(50, 60)] == ["unclear", "low", "wide"]


def test_a_zone_over_the_antimeridian_holds_what_lies_in_it():
    zone = Zone("dateline", (((179.9, 60.0), (-179.9, 60.0), (-179.9, 60.2), (179.9, 60.2)),))
    assert zone.contains([60.1, 60.1, 60.1, 60.1], [179.95, -179.95, 180.0, 0.0]).tolist() == [True, True, True, False]


def _collection(**change):
    feature = {
        "type": "Feature",
        "properties": {"name": "dam"},
        "geometry": {"type": "Polygon", "coordinates": [[list(p) for p in (*SQUARE, SQUARE[0])]]},
    }
    return {"type": "FeatureCollection", "features": [feature | change]}


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"type": "Feature"}, "FeatureCollection"),
        (_collection(geometry=None), "geometry"),
        (_collection(geometry={"type": "LineString", "coordinates": []}), "Polygon"),
        (_collection(geometry={"type": "Polygon", "coordinates": [[1, 2]]}), "not a list of"),
        (_collection(properties={"kind": "danger"}), "kind"),
        (_collection(properties={"hight": 3}), "hight"),
        (_collection(properties={"name": "lake", "floor_m": 30}), "zone 'lake': floor_datum"),
        (_collection(properties={"floor_datum": "AGL"}), "without"),
        (_collection(properties={"floor_m": "x", "floor_datum": "AGL"}), "floor_m"),
        (_collection() | {"crs": {"properties": {"name": "EPSG:32632"}}}, "EPSG:32632"),
        ({"type": "FeatureCollection"}, "features"),
    ],
)
def test_a_file_that_is_not_understood_is_refused_whole(tmp_path, value, words):
    path = tmp_path / "zones.geojson"
    path.write_text(json.dumps(value))
    with pytest.raises((FormatError, AirspaceError), match=words):
        read_airspace(path)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("from_m,to_m\n1,2\n", "weight"),
        ("from_m,to_m,weight,colour\n1,2,3,4\n", "colour"),
        ("from_m,to_m,weight\n1,x,3\n", "line 2: to_m"),
        ("from_m,to_m,weight\n1,2\n", "line 2: weight"),
        ("from_m,to_m,weight\n3,2,1\n", "line 2: risk: to_m"),
    ],
)
def test_a_bad_risk_table_names_line_and_column(tmp_path, text, words):
    path = tmp_path / "risk.csv"
    path.write_text(text)
    with pytest.raises((FormatError, PlanError), match=words):
        read_risk(path)
