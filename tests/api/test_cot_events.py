"""Cursor-on-Target events, read back by a reader of our own that knows MITRE's schema and nothing of the maker."""

import datetime as dt
import json
import re
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.errors import SettingsError, UnprocessableError
from api.markup import parsed, plain
from api.records.features import inside_feature, partner_feature
from api.records.types import TYPES
from api.tak.events import CotRules, deletes_of, events_of, ping_of, uids_of
from tests.api.samples import NOON_US, crossing_json

ID = "0123456789abcdef" * 2
RULES = CotRules(base_url="https://watch.example")
SECRET = "SECRET"
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")

NUMBERS = {
    "point": dict.fromkeys(("hae", "ce", "le"), lambda _: True),
    "detail/sensor": {
        **dict.fromkeys(("azimuth", "fov", "vfov"), lambda deg: 0 <= deg < 360),
        "elevation": lambda deg: -90 <= deg <= 90,
        "roll": lambda deg: -180 < deg <= 180,
        "range": lambda metres: metres >= 0,
    },
    "detail/shape/ellipse": {
        **dict.fromkeys(("major", "minor"), lambda metres: metres >= 0),
        "angle": lambda _: True,
    },
    "detail/shape/polyline/vertex": {
        "lat": lambda deg: -90 <= deg <= 90,
        "lon": lambda deg: -180 <= deg <= 180,
        "hae": lambda _: True,
    },
    "detail/track": dict.fromkeys(("course", "speed"), lambda _: True),
}
"""Where MITRE's schemas of the event and its details want decimals, and which."""


def moment(text):
    assert TIME.fullmatch(text), text
    return dt.datetime.fromisoformat(text)


def check(data):
    """The rules of Event-PUBLIC.xsd 2.0 and of MITRE's schemas of the details; returns the event."""
    event = ET.fromstring(data)
    assert event.tag == "event"
    assert event.get("version") == "2.0"
    assert event.get("uid")
    assert re.fullmatch(r"\w+(-\w+)*(;[^;]*)?", event.get("type"))
    assert re.fullmatch(r"\w(-\w+)*", event.get("how"))
    assert moment(event.get("start")) <= moment(event.get("stale"))
    assert moment(event.get("time")) < moment(event.get("stale"))
    assert [child.tag for child in event][:1] == ["point"]
    assert len(event.findall("point")) == 1
    assert len(event.findall("detail")) <= 1
    point = event.find("point")
    assert set(point.attrib) == {"lat", "lon", "hae", "ce", "le"}
    assert -90 <= float(point.get("lat")) <= 90
    assert -180 <= float(point.get("lon")) <= 180
    assert float(point.get("ce")) >= 0
    for path, bounds in NUMBERS.items():
        for element in event.findall(path):
            for name, may_be in bounds.items():
                if (text := element.get(name)) is not None:
                    assert re.fullmatch(r"[+-]?\d+(\.\d+)?", text), (path, name, text)  # xs:decimal has no exponent
                    assert may_be(float(text)), (path, name, text)
    return event


def crossing_feature(**changes):
    document = crossing_json(**changes)
    return inside_feature(TYPES["crossing"], ID, document, {"review": {"state": "confirmed"}})


def made(feature, type_="crossing", **more):
    return [check(data) for data in events_of(feature, type_, now_us=NOON_US, rules=RULES, **more)]


def test_a_crossing_says_where_when_what_and_whose_it_is():
    (event,) = made(crossing_feature(), media="original")
    assert event.get("uid") == f"vedette-{ID}"
    assert event.get("type") == "a-u-G"
    assert event.get("how") == "m-i"
    assert event.get("time") == "2026-01-01T12:00:00.000Z"
    assert event.get("start") == "2026-01-01T10:00:00.000Z"
    assert event.get("stale") == "2026-01-01T13:00:00.000Z"
    assert event.get("releasableTo") == "BRAVO"
    assert event.find("point").attrib == {
        "lat": "31.3330000",
        "lon": "-110.9400000",
        "hae": "9999999.0",
        "ce": "3.0",
        "le": "9999999.0",
    }
    detail = event.find("detail")
    assert detail.find("contact").get("callsign") == "person inbound 01234567"
    assert detail.find("marking").text == "REL BRAVO"
    assert detail.find("shape/ellipse").attrib == {"major": "6.0", "minor": "4.0", "angle": "40.0"}  # whole axes
    assert detail.find("__vedette").get("purpose") == "border-surveillance"
    assert detail.find("__vedette").get("retention_days") == "30"
    assert "direction: inbound" in detail.find("remarks").text
    assert detail.find("__video").get("url") == f"https://watch.example/crossings/{ID}/evidence/clip"
    assert detail.find("archive") is None


@pytest.mark.parametrize(
    ("changes", "state", "expected"),
    [
        ({"kind": "vehicle"}, "confirmed", "a-u-G-E-V-C"),
        ({"kind": "bicycle"}, "confirmed", "a-u-G-E-V"),
        ({"kind": "person"}, "pending", "a-p-G"),
    ],
)
def test_the_type_tells_the_kind_and_nobody_is_hostile(changes, state, expected):
    feature = crossing_feature(**changes)
    feature["properties"]["review"] = {"state": state}
    assert made(feature)[0].get("type") == expected


def test_without_a_place_there_is_no_event():
    feature = crossing_feature()
    feature["geometry"] = None
    assert made(feature) == []


def test_an_event_is_stale_when_its_retention_ends_and_none_is_made_after_it():
    feature = crossing_feature()
    feature["properties"]["expires"] = "2026-01-01T12:00:30.000000Z"
    assert made(feature)[0].get("stale") == "2026-01-01T12:00:30.000Z"
    feature["properties"]["expires"] = "2026-01-01T12:00:00.000000Z"
    assert made(feature) == []


@pytest.mark.parametrize(
    ("marking", "sensitivity", "access", "releasable", "caveat"),
    [
        ("REL BRAVO", None, "Undefined", "BRAVO", None),
        ("RESTRICTED REL TO USA, MEX", "amber", "RESTRICTED", "USA, MEX", "TLP:AMBER"),
        ("RESTRICTED", None, "RESTRICTED", None, None),
        ("PARCEL", None, "PARCEL", None, None),
        (None, "red", "Undefined", None, "TLP:RED, NOT RELEASABLE"),
    ],
)
def test_markings_stand_where_tak_looks_for_them(marking, sensitivity, access, releasable, caveat):
    feature = crossing_feature(marking=marking)
    if sensitivity:
        feature["properties"]["sensitivity"] = sensitivity
    (event,) = made(feature)
    assert (event.get("access"), event.get("releasableTo"), event.get("caveat")) == (access, releasable, caveat)


@pytest.mark.parametrize(
    ("kind", "expected", "how"),
    [("motion", "b-d-m", "m-r"), ("acoustic", "b-d-a", "m-r"), ("radar", "b-d", "m-r"), ("person", "b-d", "h-e")],
)
def test_a_cue_is_a_detection_with_its_bearing_and_custody(kind, expected, how):
    document = {
        "type": "cue",
        "id": "f" * 32,
        "sensor": "gate-3",
        "kind": kind,
        "phenomenonTime": "2026-01-01T11:00:00.000000Z",
        "resultTime": "2026-01-01T11:00:01.000000Z",
        "location": {"type": "Point", "coordinates": [-110.94, 31.333]},
        "uncertainty_m": 10.0,
        "confidence": 0.9,
        "parameters": {"azimuth_deg": 271.5, "model": "pir"},
        "custody": {"owner": "USA", "purpose": "border-surveillance", "marking": "REL BRAVO", "retention_days": 30},
    }
    (event,) = made(inside_feature(TYPES["cue"], ID, document, {}), "cue")
    assert (event.get("type"), event.get("how"), event.get("releasableTo")) == (expected, how, "BRAVO")
    assert event.get("start") == "2026-01-01T11:00:00.000Z"
    assert float(event.find("point").get("ce")) == pytest.approx(24.5, abs=0.05)  # 95 % of a round normal
    sensor = event.find("detail/sensor")
    assert (sensor.get("azimuth"), sensor.get("model"), sensor.get("fov")) == ("271.5", "pir", None)
    assert event.find("detail/__vedette").get("owner") == "USA"


def test_a_vehicle_shows_its_field_of_view_footprint_and_live_video():
    ring = [[-110.95, 31.33], [-110.93, 31.33], [-110.93, 31.34], [-110.95, 31.34], [-110.95, 31.33]]
    properties = {
        "time": "2026-01-01T11:59:59.000000Z",
        "name": "north-1",
        "frame": "plane",
        "heading_deg": 75.0,  # into the wind
        "course_deg": 90.0,
        "speed_m_s": 21.5,
        "camera": {"azimuth_deg": 12.0, "fov_deg": 40.0, "vfov_deg": 23.0, "elevation_deg": -30.0, "range_m": 900.0},
        "footprint": {"type": "Polygon", "coordinates": [ring]},
        "video": "rtsps://watch.example/north-1",
        "marking": None,
    }
    geometry = {"type": "Point", "coordinates": [-110.94, 31.333, 1250.0]}
    own, footprint = made({"type": "Feature", "id": ID, "geometry": geometry, "properties": properties}, "vehicle")
    assert (own.get("type"), own.get("how")) == ("a-f-A-M-F-Q", "m-g")
    assert own.find("point").get("hae") == "1250.0"
    detail = own.find("detail")
    assert detail.find("track").attrib == {"course": "90.0", "speed": "21.5"}
    wanted = {"azimuth": "12.0", "fov": "40.0", "vfov": "23.0", "elevation": "-30.0", "range": "900.0"}
    assert wanted.items() <= detail.find("sensor").attrib.items()
    vertices = [[float(each.get("lon")), float(each.get("lat"))] for each in detail.findall("shape/polyline/vertex")]
    assert sorted(vertices) == sorted(ring[:-1])
    heights = {each.get("hae") for each in detail.findall("shape/polyline/vertex")}
    assert heights == {"9999999.0"}  # not known: without one they would be as high as the aircraft
    assert detail.find("__video").get("url") == "rtsps://watch.example/north-1"
    assert (footprint.get("uid"), footprint.get("type")) == (f"vedette-{ID}-footprint", "u-d-f")
    points = [link.get("point") for link in footprint.findall("detail/link") if link.get("point")]
    assert len(points) == 5
    assert points[0] == points[-1]


def test_numbers_are_such_as_the_schema_takes():
    properties = {
        "time": "2026-01-01T11:59:59.000000Z",
        "frame": "copter",
        "course_deg": 1e-05,
        "speed_m_s": 2.5e-07,
        "ellipse": {"semi_major_m": 1e-05, "semi_minor_m": 1e16, "orientation_deg": 0.0},
        "camera": {"azimuth_deg": 1e-05, "fov_deg": 360.0, "vfov_deg": 90, "elevation_deg": -90.0, "roll_deg": -180.0},
    }
    geometry = {"type": "Point", "coordinates": [1.0, 2.0]}
    (event,) = made({"type": "Feature", "id": ID, "geometry": geometry, "properties": properties}, "vehicle")
    assert event.find("detail/track").attrib == {"course": "0.00001", "speed": "0.00000025"}
    ellipse = event.find("detail/shape/ellipse")
    assert (ellipse.get("major"), ellipse.get("minor")) == ("0.00002", "20000000000000000")
    sensor = event.find("detail/sensor")
    assert (sensor.get("azimuth"), sensor.get("vfov"), sensor.get("roll")) == ("0.00001", "90", "180.0")
    assert float(sensor.get("fov")) == pytest.approx(360.0, abs=0.2)


def test_no_other_scheme_becomes_a_link():
    properties = {"time": "2026-01-01T11:59:59.000000Z", "frame": "copter", "video": "javascript:alert(1)"}
    geometry = {"type": "Point", "coordinates": [1.0, 2.0]}
    (event,) = made({"type": "Feature", "id": ID, "geometry": geometry, "properties": properties}, "vehicle")
    assert event.find("detail/__video") is None


def test_a_clip_is_linked_only_where_the_reader_may_fetch_it():
    feature = crossing_feature()
    assert made(feature)[0].find("detail/__video") is None
    for media in ("blurred", "redacted", "original"):  # /evidence/clip is whichever of them the reader may see
        assert made(feature, media=media)[0].find("detail/__video").get("url").endswith(f"/{ID}/evidence/clip")
    feature["properties"]["evidence"] = None
    assert made(feature, media="original")[0].find("detail/__video") is None


def test_long_lines_are_thinned_and_keep_their_ends():
    line = [[-110.0 + n / 10_000, 31.0 + (n % 7) / 10_000] for n in range(5000)]
    properties = {"time": "2026-01-01T11:59:59.000000Z", "name": "Nogales"}
    feature = {"type": "Feature", "id": ID, "geometry": {"type": "LineString", "coordinates": line}}
    (event,) = made(feature | {"properties": properties}, "segment")
    assert event.get("type") == "u-d-f"
    points = [link.get("point").split(",") for link in event.findall("detail/link")]
    assert len(points) <= 201
    assert [float(points[0][1]), float(points[0][0])] == line[0]
    assert [float(points[-1][1]), float(points[-1][0])] == line[-1]
    assert {(float(lon), float(lat)) for lat, lon in points} <= {tuple(point) for point in line}


@pytest.mark.parametrize(
    ("type_", "parts"),
    [("crossing", ["track"]), ("vehicle", ["footprint"]), ("sortie", ["footprint"]), ("cue", []), ("sensor", [])],
)
def test_deletes_name_every_event_that_a_record_can_have(type_, parts):
    ring = [[-110.95, 31.33], [-110.93, 31.33], [-110.93, 31.34], [-110.95, 31.33]]
    track = [{"lat": 31.33, "lon": -110.94}, {"lat": 31.34, "lon": -110.94}]
    shapes = {"footprint": {"type": "Polygon", "coordinates": [ring]}, "track": track}
    properties = crossing_feature()["properties"] | shapes
    geometry = {"type": "Point", "coordinates": [-110.94, 31.333]}
    uids = [f"vedette-{ID}", *(f"vedette-{ID}-{part}" for part in parts)]
    shown = made({"type": "Feature", "id": ID, "geometry": geometry, "properties": properties}, type_)
    assert [event.get("uid") for event in shown] == uids
    deleted = [check(data) for data in deletes_of(ID, type_, now_us=NOON_US, rules=RULES)]
    assert {event.get("type") for event in deleted} == {"t-x-d-d"}
    assert [event.find("detail/link").get("uid") for event in deleted] == uids
    assert all(event.find("detail/__forcedelete") is not None for event in deleted)


def test_a_ping_is_one():
    event = check(ping_of(now_us=NOON_US))
    assert event.get("type") == "t-x-c-t"


# -- whatever comes ---------------------------------------------------------------------------------------------------

FIELDS = st.sets(st.sampled_from([*sorted(TYPES["crossing"].shared), "position"]))
WILD = st.text(min_size=1, max_size=30)


@st.composite
def documents(draw):
    lat = draw(st.floats(-89, 89))
    lon = draw(st.floats(-179, 179))
    return crossing_json(
        source=draw(WILD),
        border=draw(WILD),
        owner=draw(WILD),
        purpose=draw(WILD),
        marking=draw(WILD | st.none()),
        kind=draw(st.sampled_from(["person", "vehicle", "bicycle"])),
        lat=lat,
        lon=lon,
        track=[
            {"time": "2026-01-01T09:59:59.000000Z", "lat": lat + step / 1000, "lon": lon, "sigma_m": 1.0}
            for step in range(draw(st.integers(0, 4)))
        ],
    )


@given(documents(), st.sampled_from(["none", "redacted", "original"]))
def test_every_record_makes_events_that_can_be_read(document, media):
    feature = inside_feature(TYPES["crossing"], ID, document, {})
    events = made(feature, media=media)
    assert {event.get("uid") for event in events} <= set(uids_of(ID, "crossing"))
    assert len({event.get("uid") for event in events}) == len(events)
    own = events[0]
    assert float(own.find("point").get("lat")) == pytest.approx(document["lat"], abs=1e-7)
    assert float(own.find("point").get("lon")) == pytest.approx(document["lon"], abs=1e-7)
    # What an attribute holds is read back with white space as blanks (XML 1.0, 3.3.3).
    read = own.find("detail/__vedette").get("owner")
    assert re.sub(r"\s", " ", read) == re.sub(r"\s", " ", plain(document["owner"]))
    assert (len(events) == 2) is (len(document["track"]) > 1)


@given(documents(), FIELDS)
def test_what_a_partner_may_not_see_is_in_no_event(document, fields):
    secrets = {
        "kind": ("kind", f"{SECRET}-kind"),
        "direction": ("direction", f"{SECRET}-direction"),
        "status": ("status", f"{SECRET}-status"),
        "method": ("method", f"{SECRET}-method"),
        "border": ("border", f"{SECRET}-border"),
        "confidence": ("confidence", 0.123454321),
        "model": ("model", {"name": f"{SECRET}-model", "sha256": "0" * 64}),
        "source": ("source", f"{SECRET}-source"),
        "ellipse": ("ellipse", {"semi_major_m": 77.777, "semi_minor_m": 66.666, "orientation_deg": 55.555}),
        "track": ("track", [{"time": "2026-01-01T09:59:59Z", "lat": 12.3454321, "lon": 1.0 + n} for n in (0, 1)]),
        "clip": ("evidence", {"clip": f"{SECRET}-clip"}),
    }
    document |= dict(secrets.values())
    feature = partner_feature(TYPES["crossing"], ID, document, {}, fields=frozenset(fields), area=None)
    text = b"".join(events_of(feature, "crossing", now_us=NOON_US, rules=RULES, media="original")).decode()
    if "position" not in fields:
        assert text == ""
        return
    found = {"SECRET-" + name: f"{SECRET}-{name}" in text for name in secrets}
    hidden = [name for name in secrets if name not in fields]
    assert not any(found[f"SECRET-{name}"] for name in hidden)
    for name, sign in (
        ("confidence", "0.123454321"),
        ("ellipse", "155.5"),
        ("track", "12.3454321"),
        ("clip", "evidence"),
    ):
        assert (sign in text) is (name in fields), name


@given(st.text())
def test_any_text_can_be_carried(text):
    root = ET.fromstring(f"<a b={json.dumps('x')}/>")
    root.text = plain(text)
    ET.fromstring(ET.tostring(root))
    assert len(plain(text)) == len(text)


# -- what is no XML of ours -------------------------------------------------------------------------------------------

BOMB = b'<!DOCTYPE a [<!ENTITY b "bbbb"><!ENTITY c "&b;&b;&b;&b;">]><a>&c;</a>'
FETCH = b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>'


@pytest.mark.parametrize("data", [BOMB, FETCH, b"<!DOCTYPE a><a/>", b"<a>", b"", b"\x00", b"<a/><a/>"])
def test_entities_and_brokenness_are_refused(data):
    with pytest.raises(UnprocessableError):
        parsed(data)


@pytest.mark.parametrize("wrong", [{"stale_s": 0}, {"stale_s": float("nan")}, {"opex": "x"}, {"base_url": "ftp://x"}])
def test_rules_that_cannot_be_are_refused(wrong):
    with pytest.raises(SettingsError):
        CotRules(**wrong)
