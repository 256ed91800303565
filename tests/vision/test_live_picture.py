"""Live pictures: small, of what the camera sees, with boxes and the line where they are, and blurred where asked."""

from dataclasses import replace
from itertools import pairwise

import cv2
import numpy as np
import pytest

from geo import Altitude, CameraModel, CameraPose, Datum, LocalFrame
from tests.vision.flown import INBOUND, border, fly
from tests.vision.scenery import scenery
from vision.blur import blurred
from vision.border import BorderLine, GroundLine
from vision.camera_motion import GroundPlane, SteadyPicture
from vision.live_picture import LIVE_PICTURE_PX, View, line_pieces, live_picture
from vision.streams import Stream, watch_streams
from vision.types import Detection, Frame
from vision.watcher import WatchSettings

T0 = 1_790_000_000_000_000


def decoded(data):
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)


def apart(a, b):
    """Mean difference, grey levels, without the lowest rows, where the name is."""
    return float(np.abs(a.astype(int) - b)[:-20].mean())


@pytest.mark.parametrize(("width", "height"), [(1920, 1080), (640, 512), (400, 2000), (33, 17)])
def test_a_picture_is_small_and_of_what_the_camera_sees(width, height):
    image = cv2.GaussianBlur(scenery(3, width, height, 0), (0, 0), 3)
    small = decoded(live_picture(View(Frame(image, T0)), "gate"))
    assert max(small.shape[:2]) == min(LIVE_PICTURE_PX, max(width, height))
    assert small.shape[0] / small.shape[1] == pytest.approx(height / width, rel=0.03)
    if height > 100:
        wanted = cv2.resize(image, small.shape[1::-1], interpolation=cv2.INTER_AREA)
        other = cv2.resize(cv2.GaussianBlur(scenery(4, width, height, 0), (0, 0), 3), small.shape[1::-1])
        assert apart(small, wanted) < 2 < apart(small, other)


def test_what_no_encoder_makes_small_is_still_small_enough_to_be_taken():
    noise = np.random.default_rng(0).integers(0, 256, (1080, 1080, 3), np.uint8)
    assert len(live_picture(View(Frame(noise, T0)), "gate")) < 512 << 10


def test_name_and_time_are_in_the_picture_and_the_frame_stays_as_it_is():
    image = np.full((200, 400, 3), 90, np.uint8)
    pictures = [
        decoded(live_picture(View(Frame(image, T0)), *how, timed=timed))
        for how, timed in ((("gate",), True), (("tower",), True), (("gate",), False), (("Grüße\n",), True))
    ]
    assert all(apart_below(a, b) > 1 for i, a in enumerate(pictures) for b in pictures[:i])
    assert (image == 90).all()


def apart_below(a, b):
    return float(np.abs(a.astype(int) - b)[-20:].mean())


def test_everybody_whom_the_detector_found_is_blurred_and_the_rest_is_not():
    """As redacted copies are: with one function, which keeps nine shades of a box."""
    image = np.random.default_rng(1).integers(0, 256, (480, 640, 3), np.uint8)
    found = [Detection(100, 100, 160, 220, "person", 0.2), Detection(400, 300, 460, 340, "vehicle", 0.9)]
    view = View(Frame(image, T0), found)
    plain, blur = (decoded(live_picture(view, "gate", blur=each)) for each in (False, True))
    for box in found:
        inside = np.s_[int(box.y1) : int(box.y2), int(box.x1) : int(box.x2)]
        assert plain[inside].std() > 40
        assert blur[inside].std() < 12
    assert (plain[260:284] == blur[260:284]).all()  # between the two, with their margins
    boxes = [(box.x1, box.y1, box.x2, box.y2) for box in found]
    assert apart(blurred(image, boxes)[90:230, 90:170], blur[90:230, 90:170]) < 12


def test_the_boxes_of_tracks_are_drawn_where_the_objects_are():
    image = np.full((1080, 1920, 3), 90, np.uint8)
    track = (7, Detection(800, 400, 1000, 600, "person", 0.9))
    small = decoded(live_picture(View(Frame(image, T0), tracks=[track]), "gate"))
    yellow = (small[..., 2].astype(int) - small[..., 0] > 60)[:-20]
    yellow[:199] = False  # above the box stands its number
    rows, columns = np.flatnonzero(yellow.any(axis=1)), np.flatnonzero(yellow.any(axis=0))
    assert [*columns[[0, -1]], *rows[[0, -1]]] == pytest.approx([400, 500, 200, 300], abs=2)


LENS = CameraModel(640, 480, 600.0)
BORDER = BorderLine("line", ((8.0, 47.0), (8.004, 47.0), (8.02, 47.001)), "left")
HERE = LocalFrame(47.0, 8.0, 400.0)


@pytest.mark.parametrize(("yaw", "pitch"), [(90.0, -30.0), (0.0, -50.0), (90.0, -5.0), (200.0, -90.0)])
def test_the_line_is_drawn_where_the_camera_sees_it(yaw, pitch):
    """Against points of the border that are projected one by one with the pose, of a camera over its beginning."""
    pose = CameraPose(47.0, 8.0, Altitude(500.0, Datum.AMSL), yaw, pitch)
    view = View(
        Frame(np.zeros((480, 640, 3), np.uint8), T0),
        motion=GroundPlane.of_pose(LENS, pose, HERE, 400.0),
        line=BORDER.on_ground(HERE),
    )
    pieces = list(line_pieces(view))
    drawn = np.concatenate(pieces) if pieces else np.zeros((0, 2))
    lon, lat = np.concatenate([np.linspace(a, b, 200) for a, b in pairwise(BORDER.vertices)]).T
    east, north, _ = HERE.to_enu(lat, lon, 400.0)
    towards = np.stack([east, north, np.full(len(lat), -100.0)], axis=-1) @ pose.rotation_enu_from_camera()
    expected = LENS.project(towards)
    expected = expected[LENS.contains(expected)]
    for x, y in expected:  # whatever is to be seen of it is drawn
        assert min(distance(piece, (x, y)) for piece in pieces) < 1.5
    assert len(expected) or not LENS.contains(drawn).any()


def distance(piece, point):
    a, b, p = piece[:-1], piece[1:], np.array(point)
    steps = b - a
    share = np.clip(((p - a) * steps).sum(1) / np.maximum((steps**2).sum(1), 1e-12), 0, 1)[:, None]
    return float(np.hypot(*(p - a - share * steps).T).min())


def test_a_line_in_the_picture_goes_with_a_camera_that_shakes():
    line = GroundLine("line", np.array([(10.0, 100.0), (300.0, 100.0)]), 1.0)
    shaken = SteadyPicture(np.array([[1.0, 0, -5], [0, 1.0, 3], [0, 0, 1.0]]))
    (piece,) = line_pieces(View(Frame(np.zeros((200, 320, 3), np.uint8), T0), motion=shaken, line=line))
    assert piece[[0, -1]] == pytest.approx(np.array([(15.0, 97.0), (305.0, 97.0)]))
    assert list(line_pieces(View(Frame(np.zeros((200, 320, 3), np.uint8), T0), line=line))) == []


def test_a_watch_hands_on_what_it_sees_and_no_more_often_than_asked():
    """Of a flight over one who walks: their track where it is, and the line where it is in that picture."""
    frames, oracle = fly([INBOUND])
    seen, seldom = [], []
    for shown, show_s in ((seen, 0.0), (seldom, 3600.0)):
        stream = Stream(iter(frames), border=border(), name="north", show=shown.append)
        (outcome,) = watch_streams([stream], oracle, settings=WatchSettings(show_s=show_s))
        assert outcome.error is None
    assert [view.frame for view in seldom] == frames[:1]
    assert [view.frame for view in seen] == frames
    assert [view.found for view in seen] == [oracle.boxes[frame.index] for frame in frames]
    tracked = [view for view in seen if view.tracks]
    assert len(tracked) > 20
    for view in tracked:
        assert {box for _, box in view.tracks} <= set(view.found)
        (piece,) = line_pieces(replace(view, frame=replace(view.frame, image=np.zeros((512, 640, 3), np.uint8))))
        assert np.ptp(piece[:, 0]) > 600  # right through the picture
