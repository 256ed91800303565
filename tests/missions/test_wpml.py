"""DJI's way lines there and back, read beside by lxml alone, flown on paper against the border; files that are none."""

import io
import math
import zipfile
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from geo import FlatTerrain, open_terrain
from missions import (
    DJI_AIRCRAFT,
    Airspace,
    BorderSegment,
    FormatError,
    LegKind,
    MissionError,
    PlanOptions,
    WpmlAction,
    WpmlMission,
    WpmlWaypoint,
    check,
    compile_wpml,
    plan,
    read_wpml,
    save_wpml,
    write_wpml,
)
from tests.asked import asked, few
from tests.missions.app_helpers import GEOD, Hills, Line, along, app_fleet, check_way, turned
from tests.missions.helpers import LAT, LON, M_LAT, M_LON, border_from_metres, fleet_for, straight, wiggly_borders
from tests.missions.test_airspace_plans import WING, zone

K = "{http://www.opengis.net/kml/2.2}"
W = "{http://www.dji.com/wpmz/1.0.2}"

words = st.text(st.characters(categories=["L", "Nd", "P"], max_codepoint=0x2FFF), max_size=8)
names = st.from_regex(r"[a-z][A-Za-z]{0,11}", fullmatch=True)


def numbers(low, high):
    return st.floats(low, high, allow_nan=False)


waypoints = st.builds(
    WpmlWaypoint,
    numbers(-90, 90),
    numbers(-180, 180),
    numbers(-1500, 1500),
    numbers(0.1, 20),
    st.none() | numbers(-180, 180),
    st.just(0.0) | numbers(0.01, 100),
    st.lists(st.builds(WpmlAction, names, st.lists(st.tuples(names, words), max_size=4).map(tuple)), max_size=3).map(
        tuple
    ),
)
flights = st.builds(
    WpmlMission,
    dialect=st.just("pilot"),
    drone=st.integers(0, 200),
    drone_sub=st.integers(0, 5),
    payload=st.none() | st.integers(0, 65_535),
    image=st.sampled_from(["", "ir", "wide,ir"]),
    on_lost=st.sampled_from(["goContinue", "goBack", "hover", "landing"]),
    take_off_m=numbers(1.2, 1500),
    return_m=numbers(2, 1500),
    speed_m_s=numbers(1, 15),
    waypoints=st.lists(waypoints, min_size=2, max_size=6).map(tuple),
)


@settings(max_examples=few(150), deadline=None)
@given(mission=flights, fly=st.booleans())
def test_every_figure_comes_back(tmp_path_factory, mission, fly):
    path = tmp_path_factory.mktemp("wpml") / "a.kmz"
    # A template of DJI Fly has no place for the lens.
    mission = replace(mission, dialect="fly", image="") if fly else mission
    save_wpml(mission, path)
    assert read_wpml(path) == mission


def documents(path):
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["wpmz/template.kml", "wpmz/waylines.wpml"]
        return [etree.fromstring(archive.read(name)) for name in archive.namelist()]


def marks(root):
    return root.findall(f"{K}Document/{K}Folder/{K}Placemark")


def figures(mark, height):
    """What a Placemark says, by its tags."""
    lon, lat = map(float, mark.findtext(f"{K}Point/{K}coordinates").split(","))
    heading = mark.find(f"{W}waypointHeadingParam")
    turn = mark.find(f"{W}waypointTurnParam")
    assert heading.findtext(f"{W}waypointHeadingMode") == "smoothTransition"
    return {
        "index": int(mark.findtext(f"{W}index")),
        "place": (lon, lat),
        "height": float(mark.findtext(f"{W}{height}")),
        "speed": float(mark.findtext(f"{W}waypointSpeed")),
        "heading": float(heading.findtext(f"{W}waypointHeadingAngle")),
        "turn": turn.findtext(f"{W}waypointTurnMode"),
        "cut": float(turn.findtext(f"{W}waypointTurnDampingDist")),
        "does": [a.findtext(f"{W}actionActuatorFunc") for a in mark.iter(f"{W}action")],
        "pitch": [float(e.text) for e in mark.iter(f"{W}gimbalPitchRotateAngle")],
        "span": [
            (int(g.findtext(f"{W}actionGroupStartIndex")), int(g.findtext(f"{W}actionGroupEndIndex")))
            for g in mark.iter(f"{W}actionGroup")
        ],
    }


def recording(points):
    """Whether the camera runs on the way from each waypoint to the next; every start has its stop."""
    on, out = False, []
    for point in points:
        for done in point["does"]:
            if done in {"startRecord", "stopRecord"}:
                assert on is (done == "stopRecord")
                on = done == "startRecord"
        out.append(on)
    assert not on
    return out


def written(made, sortie, path, aircraft="M30T"):
    write_wpml(made, sortie, path, aircraft)
    template, waylines = documents(path)
    points = [figures(mark, "executeHeight") for mark in marks(waylines)]
    assert [p["index"] for p in points] == list(range(len(points)))
    assert all(p["span"] in ([], [(p["index"],) * 2]) for p in points)
    # Pilot 2 flies what it makes of the template: it must say the same.
    assert [figures(mark, "height") for mark in marks(template)] == points
    for root in (template, waylines):
        config = root.find(f"{K}Document/{W}missionConfig")
        assert config.findtext(f"{W}finishAction") == "goHome"
        assert config.findtext(f"{W}flyToWaylineMode") == "safely"
    return points


def way_of(points):
    return (
        [p["place"] for p in points],
        [p["height"] for p in points],
        [p["speed"] for p in points],
        [p["heading"] for p in points],
        recording(points),
    )


def corner(points, k):
    """The farthest in that a turn may cut: the straight way between where it begins and ends."""
    lon, lat = points[k]["place"]
    ends = []
    for other in (points[k - 1], points[k + 1]):
        azimuth, _, _ = GEOD.inv(lon, lat, *other["place"])
        ends.append(GEOD.fwd(lon, lat, azimuth, points[k]["cut"])[:2])
    return along(*ends, step_m=0.5)


@settings(max_examples=asked(12), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(border=wiggly_borders())
def test_the_way_keeps_clear_and_the_nose_is_at_the_border(tmp_path_factory, border):
    made = plan(border, app_fleet(border, 2), Hills())
    line = Line(border)
    for sortie in made.sorties:
        points = written(made, sortie, tmp_path_factory.mktemp("way") / "a.kmz")
        check_way(border, sortie, *way_of(points))
        for k, point in enumerate(points):
            assert (point["turn"] == "coordinateTurn") is (point["cut"] > 0)
            if point["cut"] > 0:
                distance, _ = line.nearest(corner(points, k))
                assert distance.min() >= border.stand_off_m - 0.1
                assert not point["does"]
        for a, b in pairwise(points):
            # A piece is longer than the two turns into which it runs.
            flat = GEOD.inv(*a["place"], *b["place"])[2]
            assert math.hypot(flat, b["height"] - a["height"]) > a["cut"] + b["cut"]


def test_corners_are_cut_no_deeper_than_the_stand_off_allows(tmp_path):
    """Round a spit, with the stand-off raised until the way passes it at stand-off and margin."""
    border = border_from_metres([(0, 0), (2500, 0), (2550, 350), (2600, 0), (5000, 0)])
    made = plan(border, app_fleet(border))
    sortie = made.sorties[0]
    line = Line(border, 0.5)
    places = [(leg.start.lon_deg, leg.start.lat_deg) for leg in sortie.patrol]
    least = min(line.nearest(along(a, b, 1.0))[0].min() for a, b in pairwise(places))
    margin_m = made.clearance.margin_m
    raised = replace(made, border=replace(border, stand_off_m=float(least) - margin_m))
    free, held = (written(each, sortie, tmp_path / "a.kmz") for each in (made, raised))
    for keep_m, points in ((border.stand_off_m + margin_m, free), (least, held)):
        for k, point in enumerate(points):
            if point["cut"] > 0:
                assert line.nearest(corner(points, k))[0].min() >= keep_m
    assert sum(p["cut"] for p in held) < sum(p["cut"] for p in free) - 5


@pytest.mark.parametrize("side", ["left", "right"])
def test_the_nose_points_straight_at_a_straight_border(tmp_path, side):
    border = straight(6000, side)
    made = plan(border, app_fleet(border))
    points = written(made, made.sorties[0], tmp_path / "a.kmz")
    on = recording(points)
    watched = [p for k, p in enumerate(points) if on[k] or on[k - 1]]
    _, towards = Line(border, 0.2).nearest([p["place"] for p in watched])
    assert max(abs(turned(p["heading"], azimuth)) for p, azimuth in zip(watched, towards, strict=True)) < 0.5


def test_heights_are_over_the_base_whatever_the_ground(tmp_path):
    """Of the ground alone: the height over the base is the ground below less the ground of the base, and 90 m more."""
    border = straight(9000)
    land = Hills()
    made = plan(border, app_fleet(border), land)
    sortie = made.sorties[0]
    base = sortie.vehicle.base
    points = written(made, sortie, tmp_path / "a.kmz")
    on = recording(points)
    over_base = float(land.elevation_m(base.lat_deg, base.lon_deg))
    away = [
        p["height"] - (float(land.elevation_m(*p["place"][::-1])) - over_base) - made.observation.height_agl_m
        for k, p in enumerate(points)
        if on[k]
    ]
    assert len(away) >= 10
    # Between the vertices of the plan straight pieces may leave the ground by 4 m, at them by the rounding.
    assert max(map(abs, away)) < 4.1
    assert np.median(np.abs(away)) < 0.05


def test_heights_over_real_ground(tmp_path, shared_data):
    border = BorderSegment(
        "ridge", "CHE", "ITA", tuple((8.86 + 0.004 * i, 46.07 + 0.002 * math.sin(i)) for i in range(30)), "left"
    )
    land = open_terrain(shared_data("terrain/N46E008.tif"))
    made = plan(border, app_fleet(border), land)
    sortie = made.sorties[0]
    base = sortie.vehicle.base
    points = written(made, sortie, tmp_path / "a.kmz")
    check_way(border, sortie, *way_of(points))
    lon, lat = np.array([p["place"] for p in points]).T
    above = np.array([p["height"] for p in points]) + land.elevation_m(base.lat_deg, base.lon_deg)
    agl = above - land.elevation_m(lat, lon)
    assert np.ptp(above) > 300
    assert agl.min() > made.options.floor_agl_m - 6.1
    assert agl.max() < made.options.ceiling_agl_m + 6.1


def test_speed_and_camera_are_said_at_every_watched_piece(tmp_path):
    """A detour round a zone splits the patrol: each part begins with its speed, pitch and recording."""
    border = straight(8000)
    made = plan(border, app_fleet(border), airspace=Airspace((zone("tower", 4000, 80, 150),)))
    sortie = made.sorties[0]
    pieces = sum(b.kind is LegKind.PATROL and a.kind is not LegKind.PATROL for a, b in pairwise(sortie.legs))
    assert pieces == 2
    points = written(made, sortie, tmp_path / "a.kmz")
    starts = [p for p in points if "startRecord" in p["does"]]
    assert [p["does"] for p in starts] == [["gimbalRotate", "startRecord"]] * pieces
    pitch = pytest.approx(made.observation.gimbal_pitch_deg, abs=0.01)
    assert [p["pitch"] for p in starts] == [[pitch]] * pieces
    assert sum("stopRecord" in p["does"] for p in points) == pieces
    on = recording(points)
    flown = sum(GEOD.inv(*a["place"], *b["place"])[2] for k, (a, b) in enumerate(pairwise(points)) if on[k])
    assert flown == pytest.approx(sum(leg.distance_m for leg in sortie.patrol), rel=1e-3)
    check_way(border, sortie, *way_of(points))
    # Square from the first to the last moment, though the way to it and from it is flown nose first.
    for k, (a, b) in enumerate(pairwise(points)):
        if on[k]:
            course = GEOD.inv(*a["place"], *b["place"])[0]
            assert all(abs(turned(course, p["heading"])) == pytest.approx(90, abs=5.5) for p in (a, b))


def straight_home_is_free(border, points):
    home, line = points[0]["place"], Line(border)
    return all(
        line.nearest(along(place, home))[0].min() >= border.stand_off_m - 0.1
        for a, b in pairwise(points)
        for place in along(a["place"], b["place"], 200.0)
    )


@pytest.mark.parametrize(
    ("line", "action"),
    [
        ([(0, 0), (6000, 0)], "goBack"),
        # A spit of foreign land between the base and the far half of the patrol.
        ([(0, 0), (2500, 0), (2600, 1200), (3400, 1200), (3500, 0), (6000, 0)], "goContinue"),
    ],
)
def test_it_returns_by_itself_only_where_the_straight_way_home_is_clear(tmp_path, line, action):
    border = border_from_metres(line)
    fleet = app_fleet(border)
    base = replace(fleet.vehicles[0].base, lat_deg=LAT + 700 / M_LAT, lon_deg=LON + 1000 / M_LON)
    made = plan(border, replace(fleet, vehicles=tuple(replace(v, base=base) for v in fleet.vehicles)))
    for number, sortie in enumerate(made.sorties):
        path = tmp_path / f"{number}.kmz"
        points = written(made, sortie, path)
        mission, route = compile_wpml(made, sortie)
        free = straight_home_is_free(border, points)
        assert (mission.on_lost == "goBack") is free
        assert ("no straight way home" in " ".join(route.notes)) is not free
    assert action in {compile_wpml(made, sortie)[0].on_lost for sortie in made.sorties}


def test_the_same_sortie_gives_the_same_bytes(tmp_path):
    border = straight(3000)
    made = plan(border, app_fleet(border))
    for name in ("a.kmz", "b.kmz"):
        write_wpml(made, made.sorties[0], tmp_path / name)
    assert (tmp_path / "a.kmz").read_bytes() == (tmp_path / "b.kmz").read_bytes()


def test_dji_fly_gets_whole_metres_stops_and_at_most_99_waypoints(tmp_path):
    rng = np.random.default_rng(3)
    border = border_from_metres([(300.0 * i, north) for i, north in enumerate(rng.uniform(-300, 300, 40))])
    made = plan(border, app_fleet(border, 2), Hills())
    for sortie in made.sorties:
        route = write_wpml(made, sortie, tmp_path / "a.kmz", "Mini 4 Pro")
        template, waylines = documents(tmp_path / "a.kmz")
        assert waylines.nsmap["wpml"] == "http://www.uav.com/wpmz/1.0.2"
        assert not marks(template)
        mission = read_wpml(tmp_path / "a.kmz")
        assert len(mission.waypoints) <= 99
        assert all(p.above_start_m == int(p.above_start_m) and p.cut_m == 0 for p in mission.waypoints)
        line = Line(border)
        for a, b in pairwise(mission.waypoints):
            distance, _ = line.nearest(along((a.lon_deg, a.lat_deg), (b.lon_deg, b.lat_deg)))
            assert distance.min() >= border.stand_off_m - 0.1
        assert route.thinned_m > 0
        assert any("thinned" in note for note in route.notes)


def plans():
    border = straight(3000)
    return plan(border, app_fleet(border))


def faster():
    border = straight(3000)
    return plan(border, fleet_for(border, 1))


def winged():
    border = straight(6000)
    fleet = fleet_for(border, 1)
    fleet = replace(fleet, vehicles=tuple(replace(v, aircraft=WING) for v in fleet.vehicles))
    return plan(border, fleet, options=PlanOptions(dwell_s=3))


def rough():
    rng = np.random.default_rng(5)
    line = [(140.0 * i, north) for i, north in enumerate(rng.uniform(-700, 700, 120))]
    border = border_from_metres(line, stand_off_m=25.0)
    # So near that no bend is rounded off, with so much room for its fence that a sortie is long.
    return plan(border, app_fleet(border, 1), Hills(), PlanOptions(fence_m=25.0))


@pytest.mark.parametrize(
    ("made", "aircraft", "words"),
    [
        (plans, "Mavic 2", "no DJI aircraft 'Mavic 2'.*M30T"),
        (plans, "M3E", "needs a thermal camera, M3E has none: give one of M30T, M3T"),
        (faster, "M30T", "flies at 18.0 m/s, DJI Pilot 2 takes 15 m/s at most: plan with a lower cruise_m_s"),
        (winged, "M30T", "has wings.*[.]plan"),
        (rough, "Mini 4 Pro", "waypoints even when thinned by 5 m, DJI Fly takes 99"),
    ],
)
def test_what_does_not_fit_is_refused_and_nothing_is_written(tmp_path, made, aircraft, words):
    made = made()
    with pytest.raises(MissionError, match=words):
        write_wpml(made, made.sorties[0], tmp_path / "a.kmz", aircraft)
    assert not list(tmp_path.iterdir())


def test_a_plan_nearer_than_the_stand_off_is_refused():
    """What was moved after planning is found, not flown."""
    made = plans()
    nearer = replace(made, border=replace(made.border, stand_off_m=made.border.stand_off_m + 20))
    assert check(nearer)
    with pytest.raises(MissionError, match=r"nearer to the border than 87\.6 m, stand-off and margin"):
        compile_wpml(nearer, nearer.sorties[0])


def test_every_aircraft_of_the_table_is_written(tmp_path):
    made = plans()
    for name, craft in DJI_AIRCRAFT.items():
        if "thermal" in craft.lenses:
            write_wpml(made, made.sorties[0], tmp_path / "a.kmz", name)
            read = read_wpml(tmp_path / "a.kmz")
            assert (read.drone, read.drone_sub, read.payload) == (craft.drone, craft.drone_sub, craft.payload)
            assert read.image == "ir"


# DJI's Cloud API documentation ("WPML": Template.kml, Waylines.wpml, Common Elements) of 7 November 2024: what it calls
# required, by the element that holds it; of elements that are the same in both documents, or by document.
REQUIRED = {
    "missionConfig": {"flyToWaylineMode", "finishAction", "exitOnRCLost", "executeRCLostAction", "droneInfo"}
    | {"takeOffSecurityHeight", "globalTransitionalSpeed", "globalRTHHeight", "payloadInfo"},
    "droneInfo": {"droneEnumValue", "droneSubEnumValue"},
    "payloadInfo": {"payloadEnumValue", "payloadPositionIndex"},
    "waylineCoordinateSysParam": {"coordinateMode", "heightMode"},
    "payloadParam": {"payloadPositionIndex", "imageFormat"},
    "waypointHeadingParam": {"waypointHeadingMode", "waypointHeadingAngle", "waypointHeadingPathMode"},
    "waypointTurnParam": {"waypointTurnMode", "waypointTurnDampingDist"},
    "actionGroup": {"actionGroupId", "actionGroupStartIndex", "actionGroupEndIndex", "actionGroupMode"}
    | {"actionTrigger", "action"},
    "actionTrigger": {"actionTriggerType"},
    "action": {"actionId", "actionActuatorFunc", "actionActuatorFuncParam"},
}
_OF_BOTH = {"index", "waypointSpeed", "waypointHeadingParam", "waypointTurnParam"}
REQUIRED_IN = [
    {
        "Folder": {"templateType", "templateId", "autoFlightSpeed", "waylineCoordinateSysParam", "gimbalPitchMode"}
        | {"globalWaypointTurnMode", "globalHeight"},
        "Placemark": _OF_BOTH
        | {"useGlobalHeight", "ellipsoidHeight", "height"}
        | {"useGlobalSpeed", "useGlobalHeadingParam", "useGlobalTurnParam"},
    },
    {
        "Folder": {"templateId", "waylineId", "autoFlightSpeed", "executeHeightMode"},
        "Placemark": _OF_BOTH | {"executeHeight"},
    },
]
# The parameters of actions, and of the M30 and M30T one more.
REQUIRED_OF = {
    "startRecord": {"payloadPositionIndex", "fileSuffix", "payloadLensIndex", "useGlobalPayloadLensIndex"},
    "stopRecord": {"payloadPositionIndex"},
    "gimbalRotate": {"payloadPositionIndex", "gimbalHeadingYawBase", "gimbalRotateMode", "gimbalRotateTimeEnable"}
    | {"gimbalRotateTime"}
    | {f"gimbal{axis}Rotate{what}" for axis in ("Pitch", "Roll", "Yaw") for what in ("Enable", "Angle")},
}
# What the documentation lets an element say.
VALUES = {
    "flyToWaylineMode": {"safely", "pointToPoint"},
    "finishAction": {"goHome", "noAction", "autoLand", "gotoFirstWaypoint"},
    "exitOnRCLost": {"goContinue", "executeLostAction"},
    "executeRCLostAction": {"goBack", "landing", "hover"},
    "templateType": {"waypoint"},
    "coordinateMode": {"WGS84"},
    "heightMode": {"EGM96", "relativeToStartPoint", "aboveGroundLevel", "realTimeFollowSurface"},
    "executeHeightMode": {"WGS84", "relativeToStartPoint", "realTimeFollowSurface"},
    "positioningType": {"GPS", "RTKBaseStation", "QianXun", "Custom"},
    "gimbalPitchMode": {"manual", "usePointSetting"},
    "waypointHeadingMode": {"followWayline", "manually", "fixed", "smoothTransition", "towardPOI"},
    "waypointHeadingPathMode": {"clockwise", "counterClockwise", "followBadArc"},
    "waypointTurnMode": {"coordinateTurn"}
    | {f"toPointAnd{how}Curvature" for how in ("StopWithDiscontinuity", "StopWithContinuity", "PassWithContinuity")},
    "actionGroupMode": {"sequence"},
    "actionTriggerType": {"reachPoint", "betweenAdjacentPoints", "multipleTiming", "multipleDistance"},
    "gimbalHeadingYawBase": {"north"},
    "gimbalRotateMode": {"absoluteAngle"},
}
RANGES = {
    "takeOffSecurityHeight": (8, 1500),  # with a dock; by hand from 1.2 m
    "globalTransitionalSpeed": (0.01, 15),
    "autoFlightSpeed": (0.01, 15),
    "waypointSpeed": (0.01, 15),
    "waypointHeadingAngle": (-180, 180),
    "gimbalPitchRotateAngle": (-90, 30),  # the narrowest of the models, that of the M3D
    "payloadPositionIndex": (0, 2),
} | dict.fromkeys(("index", "templateId", "waylineId", "actionId", "actionGroupId"), (0, 65535))


@pytest.mark.parametrize("aircraft", ["M30T", "M3E", "M4T", "M350 H30T"])
def test_a_file_says_what_dji_requires_in_its_words_and_ranges(tmp_path, aircraft):
    border = border_from_metres([(0, 0), (1500, 200), (2500, 0), (4000, 100)])
    fleet = app_fleet(border, 1)
    if "thermal" not in DJI_AIRCRAFT[aircraft].lenses:
        fleet = replace(fleet, camera=replace(fleet.camera, modality="visible"))
    made = plan(border, fleet)
    write_wpml(made, made.sorties[0], tmp_path / "a.kmz", aircraft)
    seen = set()
    for root, own in zip(documents(tmp_path / "a.kmz"), REQUIRED_IN, strict=True):
        assert root.nsmap == {None: K[1:-1], "wpml": W[1:-1]}
        for element in root.iter(etree.Element):
            name = etree.QName(element).localname
            given = {etree.QName(child).localname for child in element}
            if name == "actionActuatorFuncParam":
                function = element.getparent().findtext(f"{W}actionActuatorFunc")
                more = {"payloadLensIndex"} if function == "stopRecord" and aircraft.startswith("M30") else set()
                assert REQUIRED_OF[function] | more <= given
                seen.add(function)
            assert (REQUIRED | own).get(name, set()) <= given, name
            if name in VALUES:
                assert element.text in VALUES[name], name
            if name in RANGES:
                low, high = RANGES[name]
                assert low <= float(element.text) <= high, name
        groups = [int(e.text) for e in root.iter(f"{W}actionGroupId")]
        assert groups == list(range(len(groups)))
    assert seen == set(REQUIRED_OF)
    # Turns begin within their segment, and no two of them overlap.
    points = read_wpml(tmp_path / "a.kmz").waypoints
    for a, b in pairwise(points):
        length_m = math.hypot(
            GEOD.inv(a.lon_deg, a.lat_deg, b.lon_deg, b.lat_deg)[2], a.above_start_m - b.above_start_m
        )
        assert a.cut_m + b.cut_m < length_m
    assert any(p.cut_m > 0 for p in points)
    # Its spelling, in the lens of an action as in the pictures that are kept.
    template = documents(tmp_path / "a.kmz")[0]
    (kept,) = {e.text for e in template.iter(f"{W}imageFormat")}
    assert kept == {"M30T": "ir", "M3E": "visable", "M4T": "ir", "M350 H30T": "ir"}[aircraft]


def test_text_that_xml_cannot_hold_is_refused(tmp_path):
    mission, _ = compile_wpml(plans(), plans().sorties[0])
    point = replace(mission.waypoints[0], actions=(WpmlAction("startRecord", (("fileSuffix", "\0"),)),))
    with pytest.raises(FormatError, match="XML cannot hold"):
        save_wpml(replace(mission, waypoints=(point, *mission.waypoints[1:])), tmp_path / "a.kmz")
    with pytest.raises(FormatError, match="nan is no number"):
        save_wpml(replace(mission, return_m=math.nan), tmp_path / "a.kmz")
    assert not list(tmp_path.iterdir())


def zipped(members):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return out.getvalue()


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    path = tmp_path_factory.mktemp("good") / "a.kmz"
    made = plans()
    write_wpml(made, made.sorties[0], path)
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}


LAUGHS = '<!DOCTYPE kml [<!ENTITY a "1"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><kml'
SECRET = '<!DOCTYPE kml [<!ENTITY s SYSTEM "file:///etc/passwd">]><kml'


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("<kml", LAUGHS, "DOCTYPE"),
        ("<kml", SECRET, "DOCTYPE"),
        ("</kml>", "", "not XML"),
        ("www.dji.com/wpmz", "example.org", "no namespace of WPML"),
        (">relativeToStartPoint<", ">WGS84<", "executeHeightMode is 'WGS84'"),
        (">goHome<", ">autoLand<", "finishAction is 'autoLand'"),
        (">goBack<", ">dance<", "executeRCLostAction 'dance'"),
        ("<wpml:executeHeight>90<", "<wpml:executeHeight>nan<", "waypoint 3: executeHeight is 'nan'"),
        ("<wpml:executeHeight>90<", "<wpml:executeHeight>1e999<", "waypoint 3: executeHeight is '1e999'"),
        ("<wpml:index>1<", "<wpml:index>7<", "waypoint 1: index is 7"),
        ("<wpml:index>1<", "<wpml:index>1.5<", "waypoint 1: index is 1.5"),
        ("executeHeight>", "shootHeight>", "waypoint 0: has no executeHeight"),
        ("waypointHeadingParam>", "x>", "waypoint 0: has no waypointHeadingParam"),
        # 58 m of view in 8 s.
        ("waypointSpeed>7.25", "waypointSpeed>-7.25", "waypointSpeed is '-7.25'"),
        (">smoothTransition<", ">towardPOI<", "waypointHeadingMode is 'towardPOI'"),
        (">coordinateTurn<", ">toPointAndPassWithContinuityCurvature<", "curve that leaves its legs"),
        (">reachPoint<", ">multipleTiming<", "on 'multipleTiming'"),
        ("<coordinates>8", "<coordinates>north", "coordinates is 'north"),
        ("<coordinates>8", "<coordinates>188", "coordinates is '188"),
        ("Placemark>", "Mark>", "has 0 waypoints"),
        ("Folder>", "Ordner>", "has 0 Folder"),
    ],
)
def test_broken_way_lines_say_what_is_wrong(tmp_path, good, old, new, words):
    text = good["wpmz/waylines.wpml"]
    assert old in text
    path = tmp_path / "bad.kmz"
    path.write_bytes(zipped({**good, "wpmz/waylines.wpml": text.replace(old, new)}))
    with pytest.raises(FormatError, match=words) as error:
        read_wpml(path)
    assert "bad.kmz" in str(error.value)
    assert "\n" not in str(error.value)


def test_broken_archives_say_what_is_wrong(tmp_path, good):
    whole = zipped(good)
    cases = [
        (b"", "not a whole KMZ"),
        (b"hello", "not a whole KMZ"),
        (whole[: len(whole) // 2], "not a whole KMZ"),
        (zipped({"wpmz/waylines.wpml": good["wpmz/waylines.wpml"]}), "has no wpmz/template.kml"),
        (zipped({"wpmz/template.kml": good["wpmz/template.kml"]}), "has no wpmz/waylines.wpml"),
        (zipped({**good, "wpmz/waylines.wpml": b" " * (200 * 2**20)}), "larger than 128 MiB"),
        (zipped({**good, "wpmz/template.kml": b"\xff\xfe"}), "template.kml: is not XML"),
    ]
    path = tmp_path / "bad.kmz"
    for data, said in cases:
        path.write_bytes(data)
        with pytest.raises(FormatError, match=said):
            read_wpml(path)
    with pytest.raises(FormatError, match="cannot be read"):
        read_wpml(tmp_path / "absent.kmz")


def test_flat_ground_is_flown_at_the_heights_of_patrol_and_transits(tmp_path):
    border = straight(4000)
    made = plan(border, app_fleet(border), FlatTerrain(1180.0))
    points = written(made, made.sorties[0], tmp_path / "a.kmz")
    assert {p["height"] for p in points} == {90.0, 100.0, 110.0}
