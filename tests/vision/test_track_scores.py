"""HOTA, CLEAR and identity scores: cases counted by hand, and TrackEval on random and on real tracks."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.asked import few
from tests.vision.peer_trackeval import trackeval_figures
from vision.track_scores import ALPHAS, FrameTracks, score_tracks
from vision.true_boxes import load_boxes


def frame(true, found):
    """A frame of {id: (x1, y1, x2, y2)}."""
    return FrameTracks(
        np.array(list(true), np.int64), np.array(list(true.values()), float).reshape(-1, 4),
        np.array(list(found), np.int64), np.array(list(found.values()), float).reshape(-1, 4),
    )  # fmt: skip


def box(x, y=0.0, side=10.0):
    return (x, y, x + side, y + side)


def test_perfect_tracks():
    score = score_tracks([frame({1: box(t), 2: box(t + 100)}, {7: box(t), 9: box(t + 100)}) for t in range(5)])
    assert score.hota == pytest.approx(np.ones(19))
    assert score.loc_a == pytest.approx(np.ones(19))
    assert (score.mota, score.idf1, score.switches) == (1.0, 1.0, 0)


def test_a_track_that_changes_its_number_half_way():
    """DetA is whole; each half agrees in 5 of 10 frames, so AssA 0.5 and HOTA sqrt(0.5); IDF1 5 of 10."""
    score = score_tracks([frame({1: box(t)}, {1 if t < 5 else 2: box(t)}) for t in range(10)])
    assert score.det_a == pytest.approx(np.ones(19))
    assert score.ass_a == pytest.approx(np.full(19, 0.5))
    assert score.hota == pytest.approx(np.full(19, math.sqrt(0.5)))
    assert (score.switches, score.idf1) == (1, 0.5)
    assert score.mota == pytest.approx(0.9)


def test_two_tracks_that_change_places():
    swapped = [frame({1: box(0), 2: box(50)}, {1: box(0 if t < 2 else 50), 2: box(50 if t < 2 else 0)})
               for t in range(4)]  # fmt: skip
    score = score_tracks(swapped)
    assert score.switches == 2
    # Each true object agrees with each track in 2 of 6 frames in which either is.
    assert score.ass_a == pytest.approx(np.full(19, 1 / 3))
    assert score.mota == pytest.approx(1 - 2 / 8)


def test_overlap_is_the_threshold():
    """The same box 2 of 10 px aside: overlap 8 / 12, a hit up to alpha 0.65."""
    score = score_tracks([frame({1: box(0)}, {1: box(2)})] * 3)
    assert score.det_a == pytest.approx((ALPHAS < 2 / 3).astype(float))
    assert np.isnan(score.loc_a[ALPHAS > 2 / 3]).all()
    assert score.to_json()["loc_a"] == pytest.approx(2 / 3)
    assert score.to_json()["hota"] == pytest.approx(13 / 19)


def test_found_nothing_and_nothing_true():
    blind = score_tracks([frame({1: box(0)}, {})] * 2)
    assert blind.hota == pytest.approx(np.zeros(19))
    assert (blind.mota, blind.idf1, blind.misses) == (0.0, 0.0, 2)
    empty = score_tracks([frame({}, {1: box(0)})] * 2)
    assert empty.false == 2
    assert empty.to_json()["hota"] is None  # no truth, no number
    assert empty.to_json()["mota"] is None


corner = st.floats(0, 60).map(lambda v: round(v, 2))
boxes = st.builds(lambda x, y, w, h: (x, y, x + w, y + h), corner, corner, st.floats(4, 40), st.floats(4, 40))
jitter = st.tuples(*[st.floats(-4, 4)] * 2)


@st.composite
def videos(draw):
    """Objects that stand or walk; tracks that follow them more or less, change numbers, are lost and made up."""
    count, length = draw(st.integers(1, 4)), draw(st.integers(1, 7))
    starts = draw(st.lists(boxes, min_size=count, max_size=count))
    steps = draw(st.lists(jitter, min_size=count, max_size=count))
    frames = []
    for t in range(length):
        true, found = {}, {}
        for k, (start, step) in enumerate(zip(starts, steps, strict=True)):
            here = np.array(start) + t * np.array([*step, *step])
            if draw(st.integers(0, 5)):
                true[k] = here
            if draw(st.integers(0, 4)):
                number = draw(st.integers(0, count))
                found.setdefault(number, here + np.tile(draw(jitter), 2))
        if not draw(st.integers(0, 3)):
            found[99] = draw(boxes)
        frames.append(frame(true, found))
    return frames


def agrees(frames):
    ours, theirs = score_tracks(frames), trackeval_figures(frames)
    assert ours.hota == pytest.approx(theirs["HOTA"], abs=1e-9)
    assert ours.det_a == pytest.approx(theirs["DetA"], abs=1e-9)
    assert ours.ass_a == pytest.approx(theirs["AssA"], abs=1e-9)
    matched = theirs["HOTA_TP"] > 0
    assert (~np.isnan(ours.loc_a)).tolist() == matched.tolist()
    assert ours.loc_a[matched] == pytest.approx(theirs["LocA"][matched], abs=1e-9)
    assert ours.idf1 == pytest.approx(theirs["IDF1"], abs=1e-9)
    assert (ours.misses, ours.false) == (theirs["CLR_FN"], theirs["CLR_FP"])
    assert ours.switches == theirs["IDSW"]
    assert ours.mota == pytest.approx(theirs["MOTA"], abs=1e-9)


@given(videos().filter(lambda v: any(len(f.true_ids) for f in v) and any(len(f.found_ids) for f in v)))
@settings(max_examples=few(150))
def test_trackeval_says_the_same_of_random_tracks(frames):
    agrees(frames)


def test_trackeval_says_the_same_of_real_tracks(shared_data):
    """The truth of PETS09-S2L1 with boxes moved, left out, made up, and numbers changed."""
    truth = load_boxes(shared_data("videos/vtest.gt.txt"))
    rng = np.random.default_rng(3)
    frames = []
    for number in range(truth.last + 1):
        true = {b.id: (b.x1, b.y1, b.x2, b.y2) for b in truth.frames.get(number, ())}
        found = {}
        for identity, place in true.items():
            if rng.random() < 0.85:
                size = place[3] - place[1]
                found[identity * 10 + number // 97] = np.array(place) + np.tile(rng.normal(0, 0.06 * size, 2), 2)
        if rng.random() < 0.3:
            found[10_000 + number // 30] = np.array(box(*rng.uniform(0, 500, 2), 40))
        frames.append(frame(true, found))
    assert sum(len(f.true_ids) for f in frames) > 4000
    agrees(frames)
