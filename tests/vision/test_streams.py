"""Several streams at once: fair turns, each with a state of its own, and a failure that stays alone."""

import itertools
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.vision.flown import INBOUND, MODEL, OUTBOUND, STANDING, Oracle, border, fly, numbered
from vision.ahead import Ended, Lanes
from vision.detector import Detector
from vision.errors import BorderError, MetadataError, ModelError, SourceError, VisionError
from vision.fixed import PixelLine
from vision.streams import Stream, watch_streams
from vision.true_boxes import TruthBoxes
from vision.types import Frame
from vision.video_evaluation import VideoEvaluation
from vision.video_truth import VideoTruth
from vision.watch import watch
from vision.watcher import WatchSettings

LINE = PixelLine("middle", ((1.0, 0.0), (1.0, 2.0)), "left")


def lanes_that_are_full(lengths):
    """Lanes whose threads have read everything."""
    lanes = Lanes([range(length) for length in lengths], [length + 1 for length in lengths])
    for thread in lanes._threads:
        thread.join(30)
    return lanes


@given(lengths=st.lists(st.integers(0, 12), min_size=1, max_size=6), most=st.integers(1, 9))
def test_turns_go_round(lengths, most):
    """All in its order, each end once and last, and no lane twice while another one waits."""
    taken = []
    with lanes_that_are_full(lengths) as lanes:
        while some := lanes.take(most):
            assert len(some) <= most
            taken += some
        assert lanes.running == 0
    for number, length in enumerate(lengths):
        own = [item for lane, item in taken if lane == number]
        assert own == [*range(length), Ended()]
        # The k-th of a lane comes in the k-th round: after at most k + 1 of each other one.
        for k, place in enumerate(i for i, (lane, _) in enumerate(taken) if lane == number):
            before = [lane for lane, _ in taken[:place] if lane != number]
            assert all(before.count(other) <= k + 1 for other in set(before))


def test_a_lane_is_let_go_alone_and_errors_come_last():
    def breaks():
        yield 1
        raise SourceError("gone")

    with Lanes([itertools.count(), breaks()], [2, 2]) as lanes:
        seen = []
        while len(seen) < 2:
            seen += [item for lane, item in lanes.take(5) if lane == 1]
        assert seen[0] == 1
        assert str(seen[1].error) == "gone"
        lanes.stop(0)
        assert lanes.take(1) == []
    assert [t for t in threading.enumerate() if t.name == "ahead"] == []


class Shared:
    """One detector for several streams: knows the boxes of each by its numbers."""

    model = MODEL

    def __init__(self, *oracles):
        self.oracle = Oracle([found for oracle in oracles for found in oracle.boxes])
        self.batches = []

    def detect(self, images):
        self.batches.append(len(images))
        return self.oracle.detect(images)


def flights(*people, **how):
    """A flight past each group of people, and the one detector that knows all their boxes."""
    flown = [fly(group, seed=seed, **how) for seed, group in enumerate(people)]
    first = np.cumsum([0, *(len(frames) for frames, _ in flown)]).tolist()
    videos = [
        [replace(frame, image=numbered(start + frame.index)) for frame in frames]
        for start, (frames, _) in zip(first, flown, strict=False)
    ]
    return videos, Shared(*(oracle for _, oracle in flown))


def told(result):
    return [crossing.source_id for crossing in result.crossings]


class Gate(list):
    """A fixed camera of some frames, which says how large its pictures are."""

    has_pose, width, height = False, 640, 360


def test_a_line_that_nobody_can_cross_is_told_of_wherever_it_is_watched():
    camera, beside = Gate([Frame(np.zeros((360, 640, 3), np.uint8), 0, 0, 0.0)]), replace(LINE, name="beside")
    beside = replace(beside, pixels=((700.0, 0.0), (700.0, 360.0)))
    with pytest.raises(BorderError, match="beside: runs beside the pictures, which are 640x360"):
        watch(camera, Shared(), line=beside)
    good, bad = watch_streams([Stream(camera, line=line, name=line.name) for line in (LINE, beside)], Oracle([[]]))
    assert (good.error, good.result.frames) == (None, 1)
    assert (bad.result, type(bad.error)) == (None, BorderError)
    with pytest.raises(BorderError, match="runs beside"):
        VideoEvaluation(Shared(), line=beside).add(camera, VideoTruth(TruthBoxes(Path("t"), {}, 0, frozenset())))


def test_several_are_seen_as_each_alone():
    people = [INBOUND, STANDING], [OUTBOUND], [], [INBOUND, OUTBOUND]
    videos, detector = flights(*people)
    kept = {}
    streams = [
        Stream(frames, border=border(), name=f"v{k}", on_crossing=kept.setdefault(k, []).append)
        for k, frames in enumerate(videos)
    ]
    outcomes = watch_streams(streams, detector)
    assert [outcome.name for outcome in outcomes] == ["v0", "v1", "v2", "v3"]
    assert [len(outcome.result.crossings) for outcome in outcomes] == [1, 1, 0, 2]
    assert sum(detector.batches) == sum(map(len, videos))
    assert max(detector.batches) == 4
    assert np.mean(detector.batches) > 2  # together, not one by one
    for k, (frames, outcome) in enumerate(zip(videos, outcomes, strict=True)):
        alone = watch(frames, detector, border=border(), name=f"v{k}")
        assert told(outcome.result) == told(alone) == [crossing.source_id for crossing in kept[k]]
        assert outcome.result.outcomes == alone.outcomes
        assert outcome.result.frames == len(frames)
        assert outcome.error is None


def test_each_stream_has_its_own_line_and_detector():
    videos, detector = flights([INBOUND], [INBOUND])
    other = Shared()
    other.oracle = Oracle([[] for _ in range(200)])
    first, second, third = watch_streams(
        [
            Stream(videos[0], border=border(), name="a"),
            Stream(videos[1], border=border("right"), name="b"),
            Stream(videos[0], border=border(), name="c", detector=other),
        ],
        detector,
    )
    assert [c.direction.value for c in first.result.crossings] == ["inbound"]
    assert [c.direction.value for c in second.result.crossings] == ["outbound"]
    assert (third.result.crossings, third.result.detections) == ((), 0)


def test_a_stream_that_fails_ends_alone():
    people = [[INBOUND]] * 6
    videos, detector = flights(*people)

    def breaks(frames):
        yield from frames[:60]  # the passage is at 35; 60 lie after it, but the track is open
        raise SourceError("the camera has gone")

    def full(crossing, track):
        raise VisionError("disk full")

    unfit = [replace(frame, image=np.zeros((2, 2), np.uint8)) if frame.index == 40 else frame for frame in videos[3]]
    outcomes = watch_streams(
        [
            Stream(videos[0], border=border(), name="sound"),
            Stream(breaks(videos[1]), border=border(), name="gone"),
            Stream(videos[2], border=border(), name="full", evidence=full),
            Stream(unfit, border=border(), name="unfit"),
            Stream(videos[4], name="no line"),
            Stream([replace(f, pose=None) for f in videos[5]], border=border(), name="no pose"),
        ],
        detector,
    )
    found = {outcome.name: outcome for outcome in outcomes}
    assert found["sound"].error is None
    assert len(found["sound"].result.crossings) == 1
    assert found["sound"].result.frames == len(videos[0])
    for name, error, words in (
        ("gone", SourceError, "has gone"),
        ("unfit", IndexError, "too many indices"),
        ("no line", MetadataError, "no line to watch"),
        ("no pose", MetadataError, "homography"),
    ):
        with pytest.raises(error, match=words):
            raise found[name].error
    # What was seen before is not lost.
    assert (found["gone"].result.frames, len(found["gone"].result.crossings)) == (60, 1)
    assert found["unfit"].result.frames == 40
    # A crossing is told without its evidence.
    assert found["full"].error is None
    assert set(found["full"].result.without_evidence.values()) == {"disk full"}
    assert found["no line"].result is None
    assert found["no pose"].result is None
    assert [t for t in threading.enumerate() if t.name == "ahead"] == []


def test_a_fast_file_does_not_crowd_out_a_slow_camera():
    """Each picture of the camera is in one of the next batches, however many the file has ready."""
    batches, waits = 0, []
    frames = [Frame(numbered(n), 1_000_000 * (n + 1), n, float(n)) for n in range(4000)]

    class Slow:
        model = MODEL

        def detect(self, images):
            nonlocal batches
            batches += 1
            time.sleep(0.001)
            for image in images:
                if image[1, 1, 2]:
                    waits.append(batches - asked[-1])
                    seen.set()
            return [[] for _ in images]

    asked, seen = [], threading.Event()

    def camera():
        for frame in frames[:50]:
            image = frame.image.copy()
            image[1, 1, 2] = 1
            asked.append(batches)
            yield replace(frame, image=image)
            seen.wait(30)
            seen.clear()

    fast, slow = watch_streams(
        [Stream(frames, line=LINE, name="file"), Stream(camera(), line=LINE, name="cam")], Slow()
    )
    assert (fast.result.frames, slow.result.frames) == (4000, 50)
    # The one that runs as it comes, the one that takes it, and one for a thread that is late.
    assert np.quantile(waits, 0.9) <= 3
    assert max(waits) <= 12


def test_names_tell_streams_apart():
    with pytest.raises(VisionError, match="several are named twin"):
        watch_streams([Stream([], line=LINE, name="twin"), Stream([], line=LINE, name="twin")], Shared())
    assert watch_streams([], Shared()) == []


def test_who_stops_it_leaves_no_thread():
    videos, detector = flights([], [], seconds=4.0)

    def stop(_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        watch_streams(
            [Stream(videos[0], line=LINE, name="a", progress=stop), Stream(videos[1], line=LINE, name="b")], detector
        )
    assert [t for t in threading.enumerate() if t.name == "ahead"] == []


def test_tracks_need_not_be_kept():
    frames, oracle = fly([INBOUND])
    whole = watch(frames, oracle, border=border())
    spare = watch(frames, oracle, border=border(), settings=WatchSettings(keep_tracks=False))
    assert (len(whole.tracks), whole.track_count) == (1, 1)
    assert (spare.tracks, spare.track_count) == ((), 1)
    assert told(spare) == told(whole)


def test_pictures_of_several_sizes_share_a_batch():
    """The shipped detector sees each as it sees it alone, whatever runs beside it."""
    rng = np.random.default_rng(5)
    detector = Detector(confidence=0.01, backend="onnxruntime", threads=2)
    images = []
    for height, width in ((256, 320), (192, 256), (256, 320), (240, 424), (192, 256)):
        image = rng.normal(90, 12, (height, width, 3)).clip(0, 255).astype(np.uint8)
        image[60:90, 50:62] = image[100:130, 150:162] = 235
        images.append(image)
    runs = []
    session = detector._run
    detector._run = lambda tensors: runs.append([t.shape for t in tensors]) or session(tensors)
    together, alone = detector.detect(images), [detector.detect([image])[0] for image in images]
    assert [len(found) for found in together] == [len(found) for found in alone]
    assert sum(map(len, alone)) > 0
    for a, b in zip(itertools.chain(*together), itertools.chain(*alone), strict=True):
        assert (a.x1, a.y1, a.x2, a.y2, a.score) == pytest.approx((b.x1, b.y1, b.x2, b.y2, b.score), abs=0.02)
    assert len(list(itertools.groupby(runs[0]))) == len(set(runs[0]))  # those of one size stand together
    broken = [np.zeros((8, 8), np.uint8), images[0]]
    with pytest.raises(ModelError, match="picture of shape"):
        detector.detect(broken)


class Camera(list):
    """Frames that come at their own pace."""

    live = True


@pytest.mark.parametrize(
    ("at_once", "streams", "given", "live", "most"),
    [
        (4, 1, None, False, 4),  # a recording: as many as the detector runs best at
        (4, 2, None, False, 4),  # two recordings share them
        (4, 3, None, False, 3),  # three: one of each
        (64, 1, None, False, 8),  # no more than is read ahead
        (4, 1, 2, False, 2),  # as it was told
        (4, 1, None, True, 1),  # the newest picture of a camera waits for none
        (4, 2, None, True, 2),
    ],
)
def test_recordings_are_handed_over_several_pictures_at_a_time(at_once, streams, given, live, most):
    people = [[INBOUND], [OUTBOUND], [INBOUND]][:streams]
    videos, detector = flights(*people)
    alone = [
        watch(frames, Shared(detector.oracle), border=border(), name=f"v{k}", settings=WatchSettings(batch=1))
        for k, frames in enumerate(videos)
    ]
    detector.at_once, detect = at_once, detector.detect

    def slow(images):
        time.sleep(0.05)  # slower than reading, as detectors are
        return detect(images)

    detector.detect = slow
    first = Camera if live else list
    outcomes = watch_streams(
        [Stream((first if k == 0 else list)(frames), border=border(), name=f"v{k}") for k, frames in enumerate(videos)],
        detector,
        settings=WatchSettings(batch=given),
    )
    assert max(detector.batches) == most
    # And what is found does not hang on it.
    assert [told(outcome.result) for outcome in outcomes] == [told(result) for result in alone]
    assert all(told(result) for result in alone)


def test_opencv_works_alone_while_pictures_are_watched_and_as_before_when_the_last_watch_ends():
    before = cv2.getNumThreads()
    cv2.setNumThreads(3)
    seen, first_is_in, second_has_ended = [], threading.Event(), threading.Event()

    class Slow(Oracle):
        def detect(self, images):
            seen.append(cv2.getNumThreads())
            first_is_in.set()
            assert second_has_ended.wait(30)
            return super().detect(images)

    frames = [Frame(numbered(n), 1_000_000 * (n + 1), n, float(n)) for n in range(3)]
    empty = [[] for _ in frames]
    try:
        with ThreadPoolExecutor(1) as pool:
            first = pool.submit(watch, frames, Slow(empty), line=LINE)
            assert first_is_in.wait(30)
            watch(frames, Oracle(empty), line=LINE)
            seen.append(cv2.getNumThreads())
            second_has_ended.set()
            first.result()
        assert set(seen) == {1}
        assert cv2.getNumThreads() == 3
    finally:
        cv2.setNumThreads(before)
