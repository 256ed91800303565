"""Images against projection, and boxes against pixels."""

import cv2
import numpy as np
import pytest

from geo import Altitude, CameraModel, CameraPose, Datum
from sim.errors import WorldError
from sim.render import Renderer
from sim.render_figures import actor_shape
from sim.render_ground import Ground
from sim.render_sensor import Look
from sim.world import Actor, Road, World, stand, walk

CAMERA = CameraModel(640, 512, 1125.0)
LAT, LON, GROUND_M = 31.333, -110.94, 1180.0
CRISP = Look(blur_px=0.3, sharpen=0.0, noise=0.0, vignette=0.0)


def world(*actors, bushes=0.0, roads=(), seed=3):
    return World(LAT, LON, GROUND_M, 0, actors, roads, seed, bushes)


def pose(east=0.0, north=-58.4, height=90.0, yaw=0.0, pitch=-57.0, roll=0.0):
    lat, lon, amsl = world().frame.to_geodetic(east, north, height)
    return CameraPose(float(lat), float(lon), Altitude(float(amsl), Datum.AMSL), yaw, pitch, roll)


def person(number, place, **rest):
    return Actor(number, "person", stand(place, start_s=0, end_s=9, **rest), seed=number)


def projected(where, points):
    frame = world().frame
    centre = np.array(frame.to_enu(where.lat_deg, where.lon_deg, where.altitude.metres), dtype=float)
    return CAMERA.project((np.asarray(points, dtype=float) - centre) @ where.rotation_enu_from_camera())


@pytest.mark.parametrize(("yaw", "roll"), [(0, 0), (30, 0), (0, 8), (200, -5)])
def test_a_box_is_where_the_camera_model_puts_its_actor(yaw, roll):
    east, north = -58.4 * np.sin(np.radians(yaw)), -58.4 * np.cos(np.radians(yaw))
    where = pose(east, north, yaw=yaw, roll=roll)
    actor = person(1, (3.0, -4.0))
    (box,) = Renderer(world(actor), CAMERA, look=CRISP).frame(where, 0).boxes
    shape = actor_shape(actor, 0.0)
    pixels = projected(where, shape.ends_m.reshape(-1, 3))
    radius = np.repeat(shape.radii_m, 2) * 1125 / 107
    low, high = (pixels - radius[:, None]).min(0), (pixels + radius[:, None]).max(0)
    assert (box.x1, box.y1, box.x2, box.y2) == pytest.approx((*low, *high), abs=0.6)
    assert box.visible > 0.99


@pytest.mark.parametrize("modality", ["thermal", "day"])
@pytest.mark.parametrize("kind", ["person", "vehicle", "bicycle"])
def test_a_box_is_tight_about_the_pixels_that_the_actor_changed(kind, modality):
    actor = Actor(1, kind, walk([(-5, 2), (5, -2)], 1.4, variation=0), seed=4)
    with_it = Renderer(world(actor), CAMERA, modality, CRISP).frame(pose(), 3_000_000)
    without = Renderer(world(), CAMERA, modality, CRISP).frame(pose(), 3_000_000)
    changed = np.abs(with_it.image.astype(int) - without.image.astype(int))
    changed = (changed if changed.ndim == 2 else changed.max(axis=2)) > 12
    rows, columns = np.flatnonzero(changed.any(axis=1)), np.flatnonzero(changed.any(axis=0))
    (box,) = with_it.boxes
    edges = (columns[0], rows[0], columns[-1] + 1, rows[-1] + 1)
    assert (box.x1, box.y1, box.x2, box.y2) == pytest.approx(edges, abs=3.0)


def test_a_road_is_painted_where_it_is():
    road = Road(np.array([(-200.0, 5.0), (200.0, 5.0)]), 2.0)
    image = Renderer(world(roads=(road,)), CAMERA, look=CRISP).frame(pose(), 0).image.astype(float)
    plain = Renderer(world(), CAMERA, look=CRISP).frame(pose(), 0).image.astype(float)
    profile = (image - plain)[:, 300:340].mean(axis=1)
    middle = float((profile * (np.arange(512) + 0.5)).sum() / profile.sum())
    assert middle == pytest.approx(projected(pose(), [(0, 5.0, 0)])[0, 1], abs=1.0)


def test_the_ground_keeps_still_while_the_camera_moves():
    renderer = Renderer(world(), CAMERA, look=CRISP)
    first = renderer.frame(pose(0, 0, 90, 0, -90), 0).image
    second = renderer.frame(pose(4.0, 2.0, 90, 0, -90), 200_000).image
    shift = np.array([4.0, -2.0]) * 1125 / 90
    moved = cv2.warpAffine(first, np.array([[1, 0, -shift[0]], [0, 1, -shift[1]]]), (640, 512))[40:-40, 60:-60]
    kept = second[40:-40, 60:-60]
    assert np.corrcoef(moved.ravel(), kept.ravel())[0, 1] > 0.98


def test_coarse_and_fine_tiles_show_the_same_ground():
    ground = Ground(5)
    fine, left, top = ground.patch("thermal", 1, (0, 20, -20, 0))
    coarse, left2, top2 = ground.patch("thermal", 2, (0, 20, -20, 0))
    assert (left, top) == (left2, top2)
    shrunk = cv2.resize(fine, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    n = min(len(shrunk), len(coarse)) - 4
    assert np.corrcoef(shrunk[4:n, 4:n].ravel(), coarse[4:n, 4:n].ravel())[0, 1] > 0.95


def test_the_hidden_part_is_not_visible():
    # Seen from the south, the vehicle stands in front of the person's legs.
    van = Actor(2, "vehicle", stand((0, -1.6), start_s=0, end_s=9, facing_deg=90), seed=6)
    hidden, free = person(1, (0, 0)), person(3, (6, 0))
    boxes = {b.id: b for b in Renderer(world(hidden, van, free), CAMERA, look=CRISP).frame(pose(pitch=-57), 0).boxes}
    assert boxes[1].visible < 0.85
    assert boxes[2].visible > 0.99
    assert boxes[3].visible > 0.99


def test_half_out_of_the_image_is_half_visible():
    ground = Ground(3, (), 0.0)
    for x in np.linspace(29, 33, 17):
        boxes = Renderer(world(person(1, (x, 0))), CAMERA, look=CRISP, ground=ground).frame(pose(), 0).boxes
        for box in boxes:
            assert 0 <= box.x1 < box.x2 <= 640
            assert (box.x2 == 640) == (box.visible < 0.999) or box.visible > 0.97
    assert not boxes


@pytest.mark.parametrize("modality", ["thermal", "day"])
def test_the_same_seed_and_time_give_the_same_frame(modality):
    walker = Actor(1, "person", walk([(-5, 0), (5, 0)], 1.4, seed=2), seed=2)
    scene = world(walker, bushes=1.5)
    used = Renderer(scene, CAMERA, modality)
    for time_us in (0, 200_000):
        used.frame(pose(0.3), time_us)
    again, fresh = used.frame(pose(), 400_000), Renderer(scene, CAMERA, modality).frame(pose(), 400_000)
    assert np.array_equal(again.image, fresh.image)
    assert again.boxes == fresh.boxes
    other = Renderer(world(walker, bushes=1.5, seed=4), CAMERA, modality).frame(pose(), 400_000)
    assert not np.array_equal(other.image, fresh.image)


def test_people_are_brighter_than_their_ground_at_night():
    rendered = Renderer(world(*(person(i, (3 * i - 9, 0)) for i in range(6))), CAMERA).frame(pose(), 0)
    for box in rendered.boxes:
        patch = rendered.image[int(box.y1) : int(box.y2) + 1, int(box.x1) : int(box.x2) + 1]
        assert patch.max() > np.median(rendered.image) + 60
    assert 100 < rendered.image.mean() < 150


@pytest.mark.parametrize(
    "make",
    [
        lambda: Renderer(world(), CAMERA, "radar"),
        lambda: Renderer(world(), CAMERA, background=np.zeros((4, 4), np.uint8)),
        lambda: Renderer(world(), CAMERA).frame(pose(height=-1), 0),
    ],
)
def test_refuses_what_cannot_be_seen(make):
    with pytest.raises(WorldError):
        make()
