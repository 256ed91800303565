"""Calibration from simulated points with known errors: against closed forms, scipy's optimiser, and chance."""

import math
from dataclasses import dataclass, replace

import numpy as np
import pytest
import scipy
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import least_squares
from scipy.spatial.transform import Rotation

from geo import Altitude, CameraModel, CameraPose, Datum, Distortion, LocalFrame, PoseSigma
from vision.calibrate import Fit, calibrate
from vision.errors import MetadataError
from vision.known_points import SeenPoint, Sighting

CAMERA = CameraModel(1280, 720, 1100.0)
EXACT = PoseSigma(1e-4, 1e-4, 1e-6, 1e-6, 1e-6)
SIGMA = PoseSigma(horizontal_m=0.8, vertical_m=1.2, yaw_deg=0.6, pitch_deg=0.3, roll_deg=0.3)
LAT, LON, GROUND = 31.333, -110.94, 1180.0
TO_CAMERA = np.array([[0, 1, 0], [0, 0, 1], [1, 0, 0]])  # forward, right, down to right, down, forward


@dataclass
class Truth:
    boresight: Rotation
    heading_deg: float = 0.0
    camera: CameraModel = CAMERA
    position_ned: tuple = (0.0, 0.0, 0.0)


def turn(yaw, pitch, roll):
    return Rotation.from_euler("ZYX", [yaw, pitch, roll], degrees=True)


def flight(
    rng,
    truth,
    *,
    yaws=(0, 90, 180, 270),
    pitches=(-35, -60),
    each=4,
    sigma=EXACT,
    px=0.0,
    place=0.0,
    share=0.3,
    claimed=None,
    told=CAMERA,
):
    """Sightings of a flight past known points: poses as recorded, pixels as seen by the camera as it truly is."""
    sightings = []
    for number, (yaw, pitch) in enumerate((y, p) for y in yaws for p in pitches):
        lat, lon, height = LAT + 1e-4 * number, LON, GROUND + 90.0 + number
        pose = CameraPose(lat, lon, Altitude(height, Datum.AMSL), yaw % 360, pitch, 0.0, sigma)
        jitter = rng.normal(size=3) * share * np.array([sigma.yaw_deg, sigma.pitch_deg, sigma.roll_deg])
        true = turn(truth.heading_deg, 0, 0) * turn(yaw + jitter[0], pitch + jitter[1], jitter[2]) * truth.boresight
        local = LocalFrame(lat, lon, height)
        origin = np.array(truth.position_ned)
        for n in range(each):
            while True:
                pixel = rng.uniform((40, 40), (1240, 680))
                ray = true.apply(TO_CAMERA.T @ truth.camera.rays(pixel))
                if ray[2] > 0.17:
                    break
            down = height - GROUND - rng.uniform(-2, 2)
            spot = origin + ray * (down - origin[2]) / ray[2]
            surveyed = spot + rng.normal(size=3) * place
            la, lo, up = map(float, local.to_geodetic(surveyed[1], surveyed[0], -surveyed[2]))
            x, y = pixel + rng.normal(size=2) * px
            point = SeenPoint(
                f"{number}-{n}",
                ("frame", number),
                float(x),
                float(y),
                la,
                lo,
                Altitude(up, Datum.AMSL),
                claimed or max(px, 0.01),
                max(place, 1e-4),
            )
            sightings.append(Sighting(point, number, pose, told))
    return sightings


def boresight_of(calibration):
    return turn(*calibration.boresight_deg)


angle = st.floats(-6, 6)


@settings(max_examples=10)
@given(angle, angle, angle, st.floats(-10, 10), st.integers(0, 2**20))
def test_exact_points_give_the_exact_errors(yaw, pitch, roll, heading, seed):
    truth = Truth(turn(yaw, pitch, roll), heading)
    found = calibrate(flight(np.random.default_rng(seed), truth))
    assert np.degrees((boresight_of(found).inv() * truth.boresight).magnitude()) < 0.01
    assert found.heading_error_deg == pytest.approx(heading, abs=0.01)
    assert not any(point.outlier for point in found.points)
    assert max(np.hypot(*point.residual_px) for point in found.points) < 0.1


def test_two_points_below_a_level_compass_give_the_closed_form():
    """Straight down, a boresight about the optical axis turns the picture: its angle is that between the points."""
    pose = CameraPose(LAT, LON, Altitude(GROUND + 100.0, Datum.AMSL), 0.0, -90.0, 0.0, EXACT)
    local = LocalFrame(LAT, LON, GROUND)
    sightings = []
    for name, east in (("a", -30.0), ("b", 30.0)):
        la, lo, up = map(float, local.to_geodetic(east, 0.0, 0.0))
        # The camera is turned clockwise by 7 degrees: what lies east appears turned to the left.
        x, y = 640 + 11 * east * math.cos(math.radians(7)), 360 - 11 * east * math.sin(math.radians(7))
        sightings.append(
            Sighting(SeenPoint(name, ("frame", 0), x, y, la, lo, Altitude(up, Datum.AMSL), 0.1, 1e-3), 0, pose, CAMERA)
        )
    found = calibrate(sightings)
    turned = boresight_of(found).as_rotvec(degrees=True)
    # Optical axis and vertical are one line here: only the sum of roll and of the heading's share is seen.
    assert turned[0] + found.heading_error_deg * -math.sin(math.radians(-90)) == pytest.approx(7.0, abs=0.02)
    assert turned[1:] == pytest.approx([0.0, 0.0], abs=0.02)
    assert any("cannot be told apart" in note and "Heading" in note for note in found.notes)
    assert any("too few points" in note for note in found.notes)


def misfit(values, sightings, sigma, share):
    """All errors as unknowns of their own, each over its sigma: what scipy is to minimise, told without our algebra."""
    boresight, heading = Rotation.from_rotvec(values[:3]), values[3]
    moved = values[4:7] * (sigma.horizontal_m, sigma.horizontal_m, sigma.vertical_m)
    frames = sorted({s.frame for s in sightings})
    jitter = values[7:].reshape(len(frames), 3)
    out = [values[:4] / math.radians(10.0), values[4:7], values[7:]]
    for s in sightings:
        east, north, up = map(
            float,
            LocalFrame(s.pose.lat_deg, s.pose.lon_deg, s.pose.altitude.metres).to_enu(
                s.point.lat_deg, s.point.lon_deg, s.point.altitude.metres
            ),
        )
        dy, dp, dr = jitter[frames.index(s.frame)] * share * (sigma.yaw_deg, sigma.pitch_deg, sigma.roll_deg)
        pose = turn(s.pose.yaw_deg + dy, s.pose.pitch_deg + dp, s.pose.roll_deg + dr)
        true = Rotation.from_euler("Z", heading) * pose * boresight
        frd = true.inv().apply(np.array([north, east, -up]) - moved)
        out.append((CAMERA.project(TO_CAMERA @ frd) - (s.point.x_px, s.point.y_px)) / s.point.sigma_px)
    return np.concatenate(out)


def test_estimate_and_errors_are_those_of_an_optimiser_with_numeric_derivatives():
    rng = np.random.default_rng(5)
    truth = Truth(turn(2.0, -1.5, 1.0), 4.0, position_ned=(0.5, -0.4, 0.8))
    sightings = flight(rng, truth, sigma=SIGMA, px=1.0, share=0.3, each=3)
    found = calibrate(sightings)
    unknowns = 7 + 3 * len({s.frame for s in sightings})
    best = least_squares(misfit, np.zeros(unknowns), args=(sightings, SIGMA, 0.3), method="lm", xtol=1e-12)
    covariance = np.linalg.inv(best.jac.T @ best.jac)[:4, :4]
    scale = np.sqrt(np.diag(covariance))
    ours = np.array([*boresight_of(found).as_rotvec(), math.radians(found.heading_error_deg)])
    assert np.abs((ours - best.x[:4]) / scale).max() < 0.1
    assert np.degrees(scale) == pytest.approx(found.sigmas_deg, rel=0.05)


def test_errors_lie_within_their_covariance():
    """Chi-square of what is left, over many flights with errors drawn from what is stated."""
    rng = np.random.default_rng(11)
    left, directions = [], []
    for _ in range(100):
        truth = Truth(
            turn(*rng.normal(size=3) * 3.0),
            float(rng.normal() * 4.0),
            position_ned=tuple(rng.normal(size=3) * (SIGMA.horizontal_m, SIGMA.horizontal_m, SIGMA.vertical_m)),
        )
        found = calibrate(flight(rng, truth, sigma=SIGMA, px=1.5, place=0.3, each=3, yaws=(10, 130, 250)))
        turned = (boresight_of(found).inv() * truth.boresight).as_rotvec(degrees=True)
        error = np.array([*turned, truth.heading_deg - found.heading_error_deg])
        left.append(error @ np.linalg.solve(found.covariance, error))
        directions.append(error / np.sqrt(np.diag(found.covariance)))
    inside = np.mean(np.array(left) < scipy.stats.chi2.ppf(0.95, 4))
    assert 0.90 <= inside <= 0.99
    assert scipy.stats.kstest(left, scipy.stats.chi2(4).cdf).pvalue > 0.01
    assert np.abs(np.mean(directions, axis=0)).max() < 0.3


@pytest.mark.parametrize("seed", range(5))
def test_points_that_are_wrong_are_named_and_left_out(seed):
    rng = np.random.default_rng(seed)
    truth = Truth(turn(3.0, -2.0, 1.0), 5.0)
    sightings = flight(rng, truth, sigma=SIGMA, px=1.0, place=0.2, each=3)
    wrong = sorted(int(i) for i in rng.choice(len(sightings), 7, replace=False))
    for i in wrong:
        point = sightings[i].point
        away = rng.uniform(60, 300) * np.array([math.cos(i), math.sin(i)])
        moved = np.clip([point.x_px + away[0], point.y_px + away[1]], 1, (1279, 719))
        sightings[i] = replace(sightings[i], point=replace(point, x_px=float(moved[0]), y_px=float(moved[1])))
    found = calibrate(sightings)
    assert [i for i, point in enumerate(found.points) if point.outlier] == wrong
    assert all(found.points[i].departure > 4.3 for i in wrong)
    assert any(all(found.points[i].name in note for i in wrong) for note in found.notes)
    error = (boresight_of(found).inv() * truth.boresight).as_rotvec(degrees=True)
    assert np.abs(error / found.sigmas_deg[:3]).max() < 4.5


def test_one_pitch_leaves_heading_and_boresight_as_a_sum():
    rng = np.random.default_rng(2)
    truth = Truth(turn(0.0, 0.0, 0.0), 6.0)
    found = calibrate(flight(rng, truth, pitches=(-45,), sigma=SIGMA, px=1.0))
    assert any("Heading error and boresight cannot be told apart" in note for note in found.notes)
    assert found.sigmas_deg[3] > 5.0

    def corrected(pitch):
        pose = found.pose(CameraPose(LAT, LON, Altitude(1270.0, Datum.AMSL), 120.0, pitch, 0.0, SIGMA))
        true = turn(6.0, 0, 0) * turn(120.0, pitch, 0.0)
        missed = np.degrees((turn(pose.yaw_deg, pose.pitch_deg, pose.roll_deg).inv() * true).magnitude())
        return missed, math.sqrt(sum(np.sum(np.square(turned)) for turned in pose.sigma.turns_deg))

    missed, stated = corrected(-45.0)
    assert missed < 0.7
    assert stated < 1.0
    missed, stated = corrected(-90.0)
    assert stated > 2.5
    assert missed < 3 * stated
    both = calibrate(flight(rng, truth, sigma=SIGMA, px=1.0))
    assert both.sigmas_deg[3] < 1.0
    assert both.notes == ()


def test_focal_length_and_bending_are_found_with_enough_points():
    rng = np.random.default_rng(3)
    lens = CameraModel(1280, 720, 1055.0, Distortion(k1=-0.12))
    truth = Truth(turn(1.0, 0.5, -1.0), 2.0, camera=lens)
    found = calibrate(flight(rng, truth, sigma=SIGMA, px=0.7, each=8), Fit(focal=True, radial=True))
    assert found.camera.focal_px == pytest.approx(1055.0, rel=0.01)
    assert found.focal_scale == pytest.approx(1055.0 / 1100.0, rel=0.01)
    assert found.distortion.k1 == pytest.approx(-0.12, abs=0.02)
    # Without being asked for, the same points show that something else is wrong.
    told = calibrate(flight(rng, truth, sigma=replace(EXACT, yaw_deg=0.1), px=0.7, each=8, claimed=20.0))
    assert told.focal_scale == 1.0
    assert told.distortion == Distortion()


def test_points_that_fit_worse_than_they_say_widen_the_errors():
    rng = np.random.default_rng(4)
    sightings = flight(rng, Truth(turn(1, 1, 1), 1.0), sigma=EXACT, px=1.5, claimed=0.5)
    found = calibrate(sightings)
    honest = calibrate([replace(s, point=replace(s.point, sigma_px=1.5)) for s in sightings])
    assert any("fit worse than their sigmas say" in note for note in found.notes)
    assert found.sigmas_deg == pytest.approx(honest.sigmas_deg, rel=0.35)


def lifted(sighting, undulation_m):
    """The same point with its height above the ellipsoid."""
    point = sighting.point
    return replace(sighting, point=replace(point, altitude=Altitude(point.altitude.metres + undulation_m, Datum.HAE)))


def spoilt(sightings, kind):
    one = sightings[0]
    if kind == "one point":
        return sightings[:1]
    if kind == "one place":
        return [one, replace(one, point=replace(one.point, x_px=one.point.x_px + 3.0))]
    if kind == "datum":
        return [
            replace(s, point=replace(s.point, altitude=Altitude(s.point.altitude.metres, Datum.HAE))) for s in sightings
        ]
    if kind == "far":
        return [replace(s, point=replace(s.point, lat_deg=s.point.lat_deg + 5)) for s in sightings]
    if kind == "noise":
        rng = np.random.default_rng(0)
        return [
            replace(s, point=replace(s.point, x_px=float(rng.uniform(0, 1280)), y_px=float(rng.uniform(0, 720))))
            for s in sightings
        ]
    return [one, replace(sightings[1], camera=CameraModel(640, 360, 550.0))]


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("one point", "1 given, a calibration needs 2 or more"),
        ("one place", "leave the roll of the camera open"),
        ("datum", "pose's height is AMSL, the point's HAE, .* give --undulation"),
        ("far", "more than a degree from the camera"),
        ("noise", "do not fit the others|no boresight explains them"),
        ("sizes", "several sizes"),
    ],
)
def test_what_cannot_be_calibrated_is_refused(kind, message):
    rng = np.random.default_rng(1)
    sightings = flight(rng, Truth(turn(0, 0, 0)), sigma=SIGMA, px=1.0)
    with pytest.raises(MetadataError, match=message):
        calibrate(spoilt(sightings, kind))


def test_heights_of_two_datums_meet_with_the_undulation():
    rng = np.random.default_rng(1)
    sightings = flight(rng, Truth(turn(1, 2, 3), 4.0), sigma=SIGMA, px=0.5)
    ellipsoidal = [lifted(s, -27.0) for s in sightings]
    found = calibrate(ellipsoidal, Fit(undulation_m=-27.0))
    assert found.boresight_deg == pytest.approx(calibrate(sightings).boresight_deg, abs=1e-6)


@pytest.mark.parametrize(
    ("fit", "count", "message"),
    [
        (Fit(focal=True), 3, "the focal length needs 4"),
        (Fit(radial=True), 5, "the radial distortion needs 6"),
        (Fit(attitude_share=1.5), 8, "from 0 to 1"),
        (Fit(undulation_m=math.nan), 8, "undulation nan m"),
        (Fit(undulation_m=1180.0), 8, "nowhere farther than 110 m"),
    ],
)
def test_a_fit_that_cannot_be_is_refused(fit, count, message):
    sightings = flight(np.random.default_rng(1), Truth(turn(0, 0, 0)), sigma=SIGMA, px=1.0)[:count]
    with pytest.raises(MetadataError, match=message):
        calibrate(sightings, fit)
