"""Terrain with holes, poses below it, heights above the ellipsoid: the watch goes on, and no place is made up."""

from dataclasses import replace

import numpy as np
import pytest

from geo import Altitude, Datum, DatumError, FlatTerrain, GridTerrain
from tests.vision.flown import ALONG, INBOUND, ORIGIN, OUTBOUND, STANDING, Oracle, border, fly
from tests.vision.recordings import T0_US, klv, write_video
from vision import Detection, MetadataError, open_source, watch

STEP, HALF = 2e-4, 30  # degrees between samples; about 20 m
NORTH, WEST = 31.333 + HALF * STEP, -110.94 - HALF * STEP
PEOPLE = [INBOUND, OUTBOUND, STANDING, ALONG]


def sample_of(east, north):
    lat, lon, _ = ORIGIN.to_geodetic(east, north, 0.0)
    return round((NORTH - float(lat)) / STEP), round((float(lon) - WEST) / STEP)


def holed(*places):
    """Level ground without the samples nearest to some places, metres."""
    heights = np.full((2 * HALF + 1, 2 * HALF + 1), 1180.0)
    for place in places:
        heights[sample_of(*place)] = np.nan
    return GridTerrain(heights, NORTH, WEST, STEP)


def nearest(hole, pose, place):
    """How near the straight way from a camera to a place comes to a missing sample, in samples: 1 counts."""
    camera = np.array(ORIGIN.to_enu(pose.lat_deg, pose.lon_deg, 1180.0)[:2], float)
    east, north = camera[:, None] + np.linspace(0, 1, 400) * (place - camera)[:, None]
    lat, lon, _ = ORIGIN.to_geodetic(east, north, np.zeros(400))
    row, column = sample_of(*hole)
    return np.maximum(np.abs((NORTH - lat) / STEP - row), np.abs((lon - WEST) / STEP - column)).min()


HOLES = {"below the camera": (-20.0, 0.0), "in view": (21.0, -62.0), "on the way to it": (10.0, -30.0)}


@pytest.mark.parametrize("hole", HOLES.values(), ids=HOLES)
def test_what_is_seen_past_a_hole_has_its_place_and_what_is_behind_one_has_none(hole):
    frames, oracle = fly(PEOPLE, noise=0.0, bias=np.zeros(6))
    # Exactly as it would be, where the ground is known: the same boxes over ground without a hole.
    whole = watch(frames, oracle, border=border(), terrain=holed())
    result = watch(frames, oracle, border=border(), terrain=holed(hole))
    assert result.frames == len(frames)
    assert result.without_pose == 0
    truth = {(one.frame_index, one.detection): one.ground.xy for track in whole.tracks for one in track.observations}
    # Places count from below the first camera.
    start = np.array(ORIGIN.to_enu(frames[0].pose.lat_deg, frames[0].pose.lon_deg, 1180.0)[:2], float)
    known = unknown = 0
    for track in result.tracks:
        for one in track.observations:
            place, pose = truth[one.frame_index, one.detection], frames[one.frame_index].pose
            if one.ground is None:
                unknown += 1
                assert nearest(hole, pose, start + place) < 1.3  # its slope is unknown a quarter of a sample before
            else:
                known += 1
                assert np.hypot(*(one.ground.xy - place)) < 0.01
                assert nearest(hole, pose, start + place) > 0.65  # rays are looked at every half sample
    assert known > 10
    assert unknown > 10
    assert any("had no place on the ground" in note for note in result.notes)


def test_people_are_followed_over_ground_that_nobody_knows():
    """Nothing is known below the camera for seconds: their tracks go on, and what they did before and after counts."""
    frames, oracle = fly([STANDING, ALONG])
    result = watch(frames, oracle, border=border(), terrain=holed((-20.0, 0.0), (0.0, 0.0)))
    alone = watch(frames, oracle, border=border(), terrain=holed())
    assert [len(track.observations) for track in result.tracks] == [len(track.observations) for track in alone.tracks]
    assert result.crossings == ()


def test_where_no_picture_shows_known_ground_it_is_said_what_is_missing():
    frames, oracle = fly([INBOUND], seconds=2.0)
    nothing = GridTerrain(np.full((61, 61), np.nan), NORTH, WEST, STEP)
    with pytest.raises(
        MetadataError, match=r"gave a place on the ground: .*unknown: 31\.33\d+, -110\.9\d+: add the tile"
    ):
        watch(frames, oracle, border=border(), terrain=nothing, name="v")


def test_poses_below_the_ground_cost_their_own_pictures_alone():
    frames, oracle = fly([INBOUND, OUTBOUND])
    low = [
        replace(f, pose=replace(f.pose, altitude=Altitude(900.0, Datum.AMSL))) if 10 <= f.index < 14 else f
        for f in frames
    ]
    result = watch(low, oracle, border=border())
    assert len(result.crossings) == 2
    (note,) = result.notes
    assert note.startswith("4 pictures gave no places, their poses are below the ground: camera at -280.0 m")
    with pytest.raises(MetadataError, match="below the ground"):
        watch([replace(f, pose=low[10].pose) for f in frames], oracle, border=border())


def test_heights_above_the_ellipsoid_put_nothing_on_the_ground_before_somebody_tells_the_geoid():
    frames, oracle = fly([INBOUND, OUTBOUND])
    lifted = [
        replace(f, pose=replace(f.pose, altitude=Altitude(f.pose.altitude.metres - 27.0, Datum.HAE))) for f in frames
    ]
    with pytest.raises(MetadataError, match=r"above the ellipsoid .*: give the height of the geoid there \(--undul"):
        watch(lifted, oracle, border=border())
    # An encoder that tells now one height, now the other: none is taken for the other.
    mixed = [a if a.index % 3 else b for a, b in zip(frames, lifted, strict=True)]
    result = watch(mixed, oracle, border=border())
    assert len(result.crossings) == 2
    assert any(note.startswith(f"{len(frames[::3])} pictures gave no places") for note in result.notes)


def test_a_video_with_heights_above_the_ellipsoid_has_such_above_the_sea_by_the_geoid(tmp_path):
    """ST 0601 tag 75, where the geoid lies 27.4 m below the ellipsoid."""
    path = write_video(
        tmp_path / "v.ts",
        10,
        telemetry=lambda n: klv(T0_US + n * 200_000, sensor_alt_m=None, sensor_ellipsoid_height_m=1242.6),
    )
    with open_source(path, undulation_m=-27.4) as source:
        for frame in source:
            assert frame.pose.altitude.datum is Datum.AMSL
            assert frame.pose.altitude.metres == pytest.approx(1270.0, abs=0.2)
    with open_source(path) as source:
        frame = next(source)
    assert frame.pose.altitude.datum is Datum.HAE
    with pytest.raises(DatumError):
        frame.pose.altitude.amsl_m()
    for wrong in (1180.0, float("nan")):
        with pytest.raises(MetadataError, match="nowhere farther than 110 m"):
            open_source(path, undulation_m=wrong)
    # Heights above the sea stay what they are.
    sea = write_video(tmp_path / "s.ts", 5, telemetry=lambda n: klv(T0_US + n * 200_000))
    with open_source(sea, undulation_m=-27.4) as source:
        assert next(source).pose.altitude.metres == pytest.approx(1270.0, abs=0.2)


def test_how_many_are_seen_from_too_far_or_too_flat_is_said_with_the_limits():
    frames, _ = fly([STANDING], seconds=3.0)
    far = Detection(300, 5, 305, 12, "person", 0.8)
    level = [
        replace(f, pose=replace(f.pose, pitch_deg=-15.0)) for f in frames
    ]  # its top is 2 degrees below the horizon
    result = watch(level, Oracle([[far]] * len(frames)), border=border(), name="v")
    assert result.crossings == ()
    (note,) = result.notes
    assert note.startswith(f"{len(frames)} boxes had no place on the ground: what they show is farther than 2000 m")
    assert note.endswith("is seen from less than 10 degrees above")


def test_level_ground_is_known_everywhere():
    frames, oracle = fly([INBOUND], seconds=3.0)
    assert watch(frames, oracle, border=border(), terrain=FlatTerrain(1180.0)).notes == ()
