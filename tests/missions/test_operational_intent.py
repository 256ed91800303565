"""Operational intents: every moment of a flight, early or late, off its way and height, lies in a volume."""

import json
import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from implicitdict.jsonschema import SchemaVars, make_json_schema
from jsonschema import Draft202012Validator
from pyproj import Geod, Transformer
from uas_standards.astm.f3548.v21.api import OperationalIntentDetails

from geo import DatumError, FlatTerrain, GridTerrain
from missions import (
    Aircraft,
    Base,
    BorderSegment,
    Fleet,
    FormatError,
    Geoid,
    Margins,
    PlanError,
    PlanOptions,
    Vehicle,
    default_fleet,
    operational_intents,
    plan,
    read_operational_intents,
    write_operational_intents,
)
from tests.asked import asked
from tests.missions.helpers import LAT, LON, M_LAT, beside, border_from_metres, fleet_for, straight, wiggly_borders

GEOD = Geod(ellps="WGS84")
START = datetime(2026, 5, 1, 4, 0, tzinfo=UTC)
GEOID = Geoid(49.5, 1.5)
WING = Aircraft("wing", 20, 28, 3, 3, 300, 300, 600, 500, form="fixed_wing", min_m_s=15, turn_radius_m=60)


@pytest.fixture(scope="module")
def made():
    border = straight(12_000)
    return plan(border, fleet_for(border, 2), FlatTerrain(1180.0))


class Volumes:
    """Volumes of an intent as this file reads them: all from the JSON, with nothing of the planner's geometry."""

    def __init__(self, details):
        volumes = json.loads(json.dumps(details))["volumes"]
        self.low = np.array([v["volume"]["altitude_lower"]["value"] for v in volumes])
        self.high = np.array([v["volume"]["altitude_upper"]["value"] for v in volumes])
        self.begin, self.end = (
            np.array([(datetime.fromisoformat(v[key]["value"]) - START).total_seconds() for v in volumes])
            for key in ("time_start", "time_end")
        )
        self.rings = [[(p["lng"], p["lat"]) for p in v["volume"]["outline_polygon"]["vertices"]] for v in volumes]

    def hold(self, time_s, lon, lat, hae_m):
        """Whether some volume holds a moment; edges are straight in a gnomonic projection round it."""
        there = np.flatnonzero(
            (self.begin <= time_s) & (time_s <= self.end) & (self.low <= hae_m) & (hae_m <= self.high)
        )
        flat = Transformer.from_pipeline(
            f"+proj=pipeline +step +proj=unitconvert +xy_in=deg +xy_out=rad +step +proj=gnom +lat_0={lat} +lon_0={lon} "
            "+R=6371000"
        )
        for k in there:
            x, y = flat.transform(*np.array(self.rings[k]).T)
            if shapely.Polygon(np.column_stack([x, y])).contains(shapely.Point(0, 0)):
                return True
        return False


def moments(sortie, rng, count):
    """Planned times, places and heights AMSL along a sortie: legs straight on the globe, or on a chart."""
    for _ in range(count):
        at = rng.uniform(0, sortie.duration_s)
        since = 0.0
        for leg in sortie.legs:
            if at <= since + leg.duration_s:
                break
            since += leg.duration_s
        share = min(1.0, (at - since) / leg.duration_s)
        a, b = leg.start, leg.end
        if rng.random() < 0.5:
            azimuth, _, length = GEOD.inv(a.lon_deg, a.lat_deg, b.lon_deg, b.lat_deg)
            lon, lat, _ = GEOD.fwd(a.lon_deg, a.lat_deg, azimuth, length * share)
        else:
            turn = (b.lon_deg - a.lon_deg + 180) % 360 - 180
            lon, lat = a.lon_deg + share * turn, a.lat_deg + share * (b.lat_deg - a.lat_deg)
        yield at, lon, lat, a.amsl_m + share * (b.amsl_m - a.amsl_m)


def assert_held(made, geoid, margins, rng, count=60):
    intents = operational_intents(made, START, geoid, margins)
    assert len(intents) == len(made.flights)
    for number in rng.choice(len(intents), min(3, len(intents)), replace=False):
        intent, flight = intents[number], made.flights[number]
        sortie = made.sorties[flight.sortie]
        assert (intent.sortie, intent.sysid, intent.round) == (sortie.name, flight.sysid, flight.round)
        volumes = Volumes(intent.details)
        for at, planned_lon, planned_lat, amsl in moments(sortie, rng, count):
            off = rng.choice([0.0, 0.5, 1.0]) * margins.across_m
            lon, lat, _ = GEOD.fwd(planned_lon, planned_lat, rng.uniform(0, 360), off)
            late = rng.uniform(-margins.early_s - margins.drift * at, margins.late_s + margins.drift * at)
            up = rng.choice([-1.0, 0.0, 1.0]) * (margins.up_m + geoid.uncertainty_m)
            assert volumes.hold(flight.start_s + at + late, lon, lat, amsl + geoid.height_m + up)


@settings(max_examples=asked(12), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    border=wiggly_borders(),
    geoid=st.builds(Geoid, st.floats(-107, 86), st.floats(0, 10)),
    margins=st.builds(
        Margins,
        across_m=st.floats(5, 25),
        up_m=st.floats(5, 50),
        early_s=st.floats(1, 120),
        late_s=st.floats(1, 120),
        drift=st.floats(0, 0.1),
        longest_m=st.floats(200, 5000),
        longest_s=st.floats(20, 600),
    ),
    seed=st.integers(0, 2**31),
)
def test_every_moment_of_every_flight_lies_in_a_volume(border, geoid, margins, seed):
    made = plan(border, fleet_for(border, 2), FlatTerrain(430.0))
    assert_held(made, geoid, margins, np.random.default_rng(seed))


@pytest.mark.parametrize(("lat", "lon"), [(69.5, 28.5), (-54.0, 179.93), (0.01, -179.9), (64.0, -141.0)])
def test_so_it_does_far_north_and_across_the_antimeridian(lat, lon):
    """Legs along a parallel are kilometres long, and straight on a chart they are not so on the globe."""
    east = 20_000 / (111_320 * math.cos(math.radians(lat)))
    line = ((lon, lat), ((lon + east + 180) % 360 - 180, lat))
    border = BorderSegment("far", "AAA", "BBB", line, "left")
    base = beside(BorderSegment("far", "AAA", "BBB", ((lon, lat), (lon + 0.01, lat)), "left"), 1500.0)
    made = plan(border, default_fleet(base, 3), FlatTerrain(90.0))
    assert_held(made, GEOID, Margins(across_m=10.0), np.random.default_rng(7), 200)


def test_so_it_does_over_hills():
    step = 0.001
    east, north = np.meshgrid(np.arange(220), np.arange(120))
    hills = 800.0 + 120.0 * np.sin(east / 9.0) * np.cos(north / 7.0)
    border = straight(12_000)
    made = plan(border, fleet_for(border, 2), GridTerrain(hills, LAT + 0.06, LON - 0.03, step))
    assert_held(made, GEOID, Margins(), np.random.default_rng(3), 300)


def test_a_flight_round_an_enclave_does_not_hold_the_enclave():
    turns = np.linspace(0, 2 * math.pi, 25)
    points = [(400 * math.cos(a), 400 * math.sin(a)) for a in turns[:-1]]
    border = border_from_metres([*points, points[0]], "right")
    made = plan(border, default_fleet(Base("base", LAT + 1500 / M_LAT, LON), 1), FlatTerrain(0.0))
    margins = Margins(longest_m=20_000.0, longest_s=3600.0)
    first = operational_intents(made, START, GEOID, margins)[0]
    enclave = shapely.Polygon(border.coordinates)
    assert not any(shapely.Polygon(ring).intersects(enclave) for ring in Volumes(first.details).rings)
    assert_held(made, GEOID, margins, np.random.default_rng(1), 200)


def test_wings_have_room_to_circle_over_their_base():
    border = straight(8000)
    base = beside(border, 1500)
    vtol = replace(WING, form="vtol")
    fleet = Fleet(default_fleet(base).camera, (Vehicle(1, "w", vtol, base),))
    made = plan(border, fleet, FlatTerrain(0.0), PlanOptions(dwell_s=3.0))
    first, *_, last = Volumes(operational_intents(made, START, GEOID)[0].details).rings
    turns = np.arange(0.0, 360.0, 10.0)
    lon, lat, _ = GEOD.fwd(*(np.full(36, v) for v in (base.lon_deg, base.lat_deg)), turns, np.full(36, 2 * 60 + 25.0))
    for ring in (first, last):
        assert shapely.contains_xy(shapely.Polygon(ring), lon, lat).all()


def test_volumes_overlap_and_are_small(made):
    margins = Margins(longest_m=1500.0, longest_s=100.0)
    longest_s = 100 * 1.02 + made.sorties[0].duration_s * 2 * margins.drift + margins.early_s + margins.late_s + 2
    for intent in operational_intents(made, START, GEOID, margins)[:3]:
        volumes = Volumes(intent.details)
        shapes = [shapely.Polygon(ring) for ring in volumes.rings]
        for k in range(len(shapes) - 1):
            assert shapes[k].intersects(shapes[k + 1])
            assert volumes.begin[k] < volumes.begin[k + 1] <= volumes.end[k] < volumes.end[k + 1]
        assert (volumes.end - volumes.begin).max() <= longest_s
        for ring in volumes.rings:
            area, _ = GEOD.polygon_area_perimeter(*np.array(ring).T)
            # A stadium of 1,500 m by twice the margin, and not much round it.
            assert abs(area) < 1500 * 60 + math.pi * 30**2


def test_heights_are_of_the_ellipsoid_and_move_with_the_geoid(made):
    """Take-off from 1180 m AMSL is from 1229.5 m above the ellipsoid where the geoid is 49.5 m above it."""
    margins = Margins(up_m=10.0)
    for height_m in (49.5, -30.0):
        first = operational_intents(made, START, Geoid(height_m, 0.5), margins)[0].details.volumes[0].volume
        assert first.altitude_lower.value == 1180.0 + height_m - 10.5
        assert first.altitude_upper.value == 1280.0 + height_m + 10.5
        assert (first.altitude_lower.reference, first.altitude_lower.units) == ("W84", "M")


@pytest.mark.parametrize(
    ("figures", "words"),
    [
        ((120.0, 1.0), "height_m is 120.0"),
        ((1180.0, 1.0), "height_m is 1180.0"),
        ((math.nan, 1.0), "height_m is nan"),
        ((None, 1.0), "height_m is None"),
        ((49.0, -1.0), "uncertainty_m is -1.0"),
        ((49.0, math.inf), "uncertainty_m is inf"),
    ],
)
def test_a_geoid_that_is_none_is_refused(figures, words):
    with pytest.raises(DatumError, match=words):
        Geoid(*figures)


def test_no_geoid_is_assumed(made):
    with pytest.raises(TypeError, match="geoid"):
        operational_intents(made, START)


def test_times_are_utc_whatever_the_zone_and_rounded_away_from_the_flight(made):
    here = START.astimezone(timezone(timedelta(hours=5, minutes=30)))
    assert operational_intents(made, here, GEOID) == operational_intents(made, START, GEOID)
    volume = operational_intents(made, START + timedelta(milliseconds=400), GEOID)[0].details.volumes[0]
    assert volume.time_start.value == "2026-05-01T03:59:30Z"
    assert (volume.time_start.format, volume.time_end.value[-1]) == ("RFC3339", "Z")


def test_a_time_without_a_zone_is_refused(made, tmp_path):
    with pytest.raises(PlanError, match="start is 2026-05-01T04:00:00, a time without a zone"):
        write_operational_intents(made, tmp_path / "a.json", datetime(2026, 5, 1, 4), GEOID)  # noqa: DTZ001
    assert not list(tmp_path.iterdir())


def test_the_planning_horizon_of_the_standard_is_kept(made):
    assert operational_intents(made, START, GEOID, filed=START - timedelta(days=29))
    for filed in (START, START + timedelta(hours=1), START - timedelta(days=31)):
        with pytest.raises(PlanError, match="within 30 days"):
            operational_intents(made, START, GEOID, filed=filed)


def test_no_volume_reaches_over_the_border(made):
    line = shapely.LineString(made.border.coordinates)
    for intent in operational_intents(made, START, GEOID, Margins(across_m=50.0)):
        for ring in Volumes(intent.details).rings:
            assert not shapely.Polygon(ring).intersects(line)
    told = "larger stand_off_m of the border than 60, or give a margin below --set across_m=80"
    with pytest.raises(PlanError, match=told):
        operational_intents(made, START, GEOID, Margins(across_m=80.0))


def test_more_vertices_than_the_standard_allows_are_refused(made, monkeypatch):
    monkeypatch.setattr("uas_standards.astm.f3548.v21.constants.OiMaxVertices", 100)
    with pytest.raises(PlanError, match="an operational intent may have 100"):
        operational_intents(made, START, GEOID)


@pytest.mark.parametrize("field", ["across_m", "up_m", "early_s", "late_s", "drift", "longest_m", "longest_s"])
def test_impossible_margins_are_refused(field):
    for value in (-1.0, math.nan, math.inf, True, "5"):
        with pytest.raises(PlanError, match=f"margin {field} is"):
            Margins(**{field: value})


# The file.


@pytest.fixture
def written(made, tmp_path):
    path = tmp_path / "intents.json"
    write_operational_intents(made, path, START, GEOID, priority=3)
    return path


def test_a_file_comes_back_and_is_valid_by_the_types_of_the_standard(made, written):
    assert read_operational_intents(written) == operational_intents(made, START, GEOID, priority=3)
    value = json.loads(written.read_text())
    for entry in value["intents"]:
        parsed = OperationalIntentDetails.parse(entry["details"], OperationalIntentDetails)
        assert json.loads(json.dumps(parsed)) == entry["details"]
        assert (parsed.priority, parsed.off_nominal_volumes) == (3, [])
    assert value["geoid"] == {"height_m": 49.5, "uncertainty_m": 1.5}
    assert value["conformance"]["least_conformance_percent"] == 95
    assert value["conformance"]["longest_excursion_s"] == 10


def _interface():
    """The JSON schema of an intent's details: made by `implicitdict` of the standard's types, and closed.

    What the interface says of its figures beside (utm.yaml) is put in: ranges, fewest items, what every volume has.
    """
    made = {}
    make_json_schema(
        OperationalIntentDetails,
        lambda kind: SchemaVars(kind.__name__, path_to=lambda to, _: f"#/$defs/{to.__name__}"),
        made,
    )
    for schema in made.values():
        schema["additionalProperties"] = False
    limits = {
        ("LatLngPoint", "lat"): {"minimum": -90, "maximum": 90},
        ("LatLngPoint", "lng"): {"minimum": -180, "maximum": 180},
        ("Altitude", "value"): {"minimum": -8000, "maximum": 100_000},
        ("Polygon", "vertices"): {"minItems": 3},
        ("OperationalIntentDetails", "volumes"): {"minItems": 1},
        ("Time", "value"): {"pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z$"},
    }
    for (kind, field), more in limits.items():
        made[kind]["properties"][field] = {"allOf": [made[kind]["properties"][field], more]}
    for kind, wanted in (
        ("Volume3D", ["outline_polygon", "altitude_lower", "altitude_upper"]),
        ("Volume4D", ["volume", "time_start", "time_end"]),
    ):
        made[kind]["required"] = wanted
    return {"$ref": "#/$defs/OperationalIntentDetails", "$defs": made}


def test_every_intent_is_valid_by_a_schema_that_others_make_of_the_interface(made):
    checked = Draft202012Validator(_interface(), format_checker=Draft202012Validator.FORMAT_CHECKER)
    intents = operational_intents(made, START, GEOID, Margins(longest_m=1000.0), priority=3)
    for intent in intents:
        assert [error.message for error in checked.iter_errors(json.loads(json.dumps(intent.details)))] == []
    for path, value in (
        (("volume", "altitude_lower", "units"), "FT"),
        (("volume", "altitude_upper", "reference"), "SFC"),
        (("volume", "outline_polygon", "vertices"), [{"lat": 46.0, "lng": 8.0}] * 2),
        (("volume", "outline_polygon", "vertices", 0, "lng"), 188.0),
        (("time_start", "value"), "2026-05-01T04:00:00+02:00"),
        (("time_end", "format"), "UNIX"),
        (("volume", "height"), 3.0),
    ):
        garbled = json.loads(json.dumps(intents[0].details))
        *way, last = ("volumes", 0, *path)
        at = garbled
        for name in way:
            at = at[name]
        at[last] = value
        assert list(checked.iter_errors(garbled)), path


def test_every_polygon_is_lawful(made):
    """No vertex twice, the last not the first, no edges that cross; far fewer than 10,000 vertices an intent."""
    for intent in operational_intents(made, START, GEOID, Margins(longest_m=300.0))[:4]:
        rings = Volumes(intent.details).rings
        for ring in rings:
            assert len(set(ring)) == len(ring)
            assert shapely.Polygon(ring).is_valid
        assert sum(map(len, rings)) <= 10_000


def test_vertices_nearer_to_each_other_than_their_rounding_are_one(monkeypatch):
    monkeypatch.setattr("missions.operational_intent._QUAD_SEGS", 2000)
    monkeypatch.setattr("uas_standards.astm.f3548.v21.constants.OiMaxVertices", 10**6)
    border = straight(2000)
    (intent, *_) = operational_intents(plan(border, fleet_for(border, 1)), START, GEOID, Margins(across_m=5.0))
    for ring in Volumes(intent.details).rings:
        assert len(ring) > 1000
        assert len(set(ring)) == len(ring)


def _first(value):
    return value["intents"][0]["details"]


def _volume(value):
    return _first(value)["volumes"][1]


def _solid(value):
    return _volume(value)["volume"]


def _ring(value):
    return _solid(value)["outline_polygon"]["vertices"]


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (lambda v: v.update(format="x"), "not a file of operational intents"),
        (lambda v: v.update(version=2), "version 2"),
        (lambda v: v.update(intents={}), "intents is not a list"),
        (lambda v: v["intents"][0].pop("sortie"), r"intents\[0\]: a field is missing.*sortie"),
        (lambda v: _first(v).update(volumes=[]), "has no volumes"),
        (lambda v: _first(v).update(off_nominal_volumes=[_volume(v)]), "off nominal"),
        (lambda v: _solid(v)["altitude_lower"].update(reference="AMSL"), "AMSL"),
        (lambda v: _solid(v)["altitude_lower"].update(units="FT"), "FT"),
        (lambda v: _solid(v)["altitude_lower"].update(value=5000.0), r"volumes\[1\]: altitude_lower"),
        (lambda v: _solid(v)["altitude_upper"].update(value=1e9), "not within"),
        (lambda v: _solid(v).pop("altitude_upper"), "a field is missing"),
        (lambda v: _solid(v).pop("outline_polygon"), "a field is missing"),
        (lambda v: _volume(v).pop("time_end"), "a field is missing"),
        (lambda v: _volume(v)["time_end"].update(value="2026-05-01T05:00:00+01:00"), "not RFC 3339 in UTC"),
        (lambda v: _volume(v)["time_end"].update(value="soon"), "a field is missing or is not"),
        (lambda v: _volume(v)["time_end"].update(value="2026-05-01T01:00:00Z"), "is not before"),
        (lambda v: _ring(v)[0].update(lat=95.0), "no place"),
        (lambda v: _ring(v).append(dict(_ring(v)[0])), "one twice"),
        (lambda v: _ring(v).insert(0, _ring(v).pop(5)), "cross"),
        (
            lambda v: _solid(v).update(outline_circle={"center": {"lat": 46, "lng": 8}, "radius": {"value": 9}}),
            "exactly one outline",
        ),
    ],
)
def test_a_file_that_was_garbled_names_the_volume(written, edit, words):
    value = json.loads(written.read_text())
    edit(value)
    written.write_text(json.dumps(value))
    with pytest.raises(FormatError, match=words):
        read_operational_intents(written)
