"""What a plan says of its band, beside pictures taken along its legs over hills, and lines of sight, place by place."""

import math

import numpy as np
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.interpolate import RegularGridInterpolator
from scipy.stats import qmc

from geo import Altitude, CameraPose, Datum, LocalFrame
from missions import LegKind, Side, plan
from tests.asked import asked
from tests.missions.helpers import LAT, LON, M_LAT, M_LON, border_from_metres, fleet_for, metres
from tests.missions.test_steep_ground import hills

LENGTH_M = 3000.0
STEP_M, TURN_DEG = 5.0, 3.0
BETTER = 0.998
"""What is finer by less is as fine: lines of sight are looked along once."""
SHARE = 0.03
"""What a share of the band may be off, at any step of the GSD."""
ROUND_M = 15.0
"""What cells and two projections may differ by along the line, metres."""


def wandering(seed, corners, wander_m, side, own_m, far_m):
    """A border from west to east whose first and last edge run due east."""
    rng = np.random.default_rng(seed)
    east = np.linspace(300.0, LENGTH_M - 300.0, corners)
    north = np.concatenate([[0.0], rng.uniform(-wander_m, wander_m, corners - 2), [0.0]])
    points = [(0.0, 0.0), *zip(east.tolist(), north.tolist(), strict=True), (LENGTH_M, 0.0)]
    return border_from_metres(points, side, band_own_m=own_m, band_far_m=far_m)


def band_places(border):
    """Places all over the band, east and north, metres: within the depth of either side, cut off square at its ends."""
    line = shapely.LineString(metres(border.coordinates))
    low, high = line.bounds[1] - 60.0, line.bounds[3] + 60.0
    points = qmc.scale(qmc.Sobol(2, seed=1).random(8192), [0.0, low], [LENGTH_M, high])
    north = shapely.Polygon([*line.coords, (LENGTH_M, 1e4), (0.0, 1e4)])
    own = shapely.contains_xy(north, *points.T) == (border.own_side is Side.LEFT)
    away = shapely.distance(line, shapely.points(points))
    return points[away < np.where(own, border.band_own_m, border.band_far_m)], line


def poses(made, frame):
    """Where the camera is, metres, and its direction and pitch, degrees, along every patrol and in its turns."""
    for sortie in made.sorties:
        pitch, before = made.observation_of(sortie).gimbal_pitch_deg, None
        for leg in sortie.legs:
            if leg.kind is not LegKind.PATROL:
                before = None
                continue
            ends = [np.array(frame.to_enu(p.lat_deg, p.lon_deg, p.amsl_m)) for p in (leg.start, leg.end)]
            step = ends[1] - ends[0]
            yaw = math.degrees(math.atan2(step[0], step[1])) + (-90.0 if leg.look is Side.LEFT else 90.0)
            if before is not None:
                turn = (yaw - before + 180.0) % 360.0 - 180.0
                for share in np.arange(0.0, 1.0, TURN_DEG / max(abs(turn), TURN_DEG)):
                    yield ends[0], before + share * turn, pitch
            for share in np.linspace(0.0, 1.0, int(leg.distance_m / STEP_M) + 2):
                yield ends[0] + share * step, yaw, pitch
            before = yaw


def finest(made, terrain, points, *, lenient):
    """Finest GSD at which each place is on a picture, and not behind the ground; infinite where it is on none.

    What is on the edge of a picture, or just over a crest, is seen or is not: lenient takes it, and its opposite none.
    """
    rows, columns = terrain.heights_m.shape
    lats = terrain.north_deg - np.arange(rows) * terrain.step_deg
    lons = terrain.west_deg + np.arange(columns) * terrain.step_deg
    elevation = RegularGridInterpolator((lats[::-1], lons), terrain.heights_m[::-1].astype(float))
    lat, lon = LAT + points[:, 1] / M_LAT, LON + points[:, 0] / M_LON
    frame = LocalFrame(LAT, LON + LENGTH_M / 2 / M_LON)
    ground = elevation(np.column_stack([lat, lon]))
    target = np.stack(frame.to_enu(lat, lon, ground), axis=-1)
    camera = made.fleet.camera.model
    slack_px, slack_m = (3.0, 1.5) if lenient else (-3.0, -1.5)
    best = np.full(len(points), np.inf)
    between = np.linspace(0.02, 0.93, 40)
    for eye, yaw, pitch in poses(made, frame):
        pose = CameraPose(LAT, LON, Altitude(0.0, Datum.AMSL), yaw, pitch)
        body = (target - eye) @ pose.rotation_enu_from_camera()
        gsd = body[:, 2] / camera.focal_px
        on = np.flatnonzero(camera.contains(camera.project(body), -slack_px) & (gsd < best * BETTER))
        if not len(on):
            continue
        line = eye + between[:, None, None] * (target[on] - eye)
        at_lat, at_lon, height = frame.to_geodetic(*np.moveaxis(line, -1, 0))
        clear = (height > elevation(np.stack([at_lat, at_lon], axis=-1)) - slack_m).all(axis=0)
        best[on[clear]] = gsd[on[clear]]
    return best


@settings(max_examples=asked(9), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    seed=st.integers(0, 10_000),
    corners=st.integers(3, 7),
    wander_m=st.floats(0, 150),
    side=st.sampled_from(["left", "right"]),
    depths=st.tuples(st.floats(5, 25), st.floats(5, 25)),
    ground=st.tuples(st.floats(0, 60), st.floats(800, 3000)),
    drones=st.integers(1, 2),
)
def test_the_band_is_seen_as_pictures_show_it_and_what_is_on_none_is_listed(
    seed, corners, wander_m, side, depths, ground, drones
):
    border, terrain = wandering(seed, corners, wander_m, side, *depths), hills(*ground)
    made = plan(border, fleet_for(border, drones, distance_m=900.0), terrain)
    points, line = band_places(border)
    surely, perhaps = (finest(made, terrain, points, lenient=lenient) for lenient in (False, True))
    for step in made.coverage.by_gsd:
        assert step.share <= np.mean(perhaps <= step.gsd_m * 1.01) + SHARE
        assert step.share >= np.mean(surely <= step.gsd_m * 0.99) - SHARE
    # Each place of either side that is on no picture, or on a coarse one alone, lies beside an entry.
    most = made.coverage.by_gsd[-1].gsd_m
    lost = points[perhaps > most * 1.02]
    # And the place that each entry names is on no picture that is fine enough.
    named = np.array([((gap.lon_deg - LON) * M_LON, (gap.lat_deg - LAT) * M_LAT) for gap in made.coverage.uncovered])
    if len(named):
        assert (finest(made, terrain, named, lenient=False) > most * 0.99).all()
    along = shapely.line_locate_point(line, shapely.points(lost)) * border.length_m() / line.length
    for place in along:
        assert any(gap.from_m - ROUND_M <= place <= gap.to_m + ROUND_M for gap in made.coverage.uncovered), place
