"""Streams whose pictures come as they like: the same crossings, and what is said of pictures that come too seldom."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.vision.flown import ALONG, INBOUND, OUTBOUND, STANDING, T0, Oracle, border, fly
from vision.records import Direction
from vision.watch import watch

SECONDS, RATE = 14.0, 30
ALL, ORACLE = fly([INBOUND, OUTBOUND, STANDING, ALONG], seconds=SECONDS, rate=RATE, speed=0.5, start_east=-3.5, seed=1)


def at(times_s):
    """The frames that were exposed nearest to some times."""
    numbers = np.unique(np.round(np.asarray(times_s) * RATE).astype(int))
    return [ALL[number] for number in numbers if 0 <= number < len(ALL)]


def paced(*pattern_s):
    """Times that come by a pattern of intervals, again and again."""
    times = np.cumsum(np.tile(pattern_s, int(SECONDS / sum(pattern_s)) + 1))
    return times[times < SECONDS]


def jittered(mean_s, share, seed=0):
    steps = mean_s * np.random.default_rng(seed).uniform(1 - share, 1 + share, int(2 * SECONDS / mean_s))
    times = np.cumsum(steps)
    return times[times < SECONDS]


def joined(*parts):
    """Parts of (until second, interval)."""
    begin, times = 0.0, []
    for until, step in parts:
        times += np.arange(begin, until, step).tolist()
        begin = until
    return times


PACES = {
    "five a second": paced(0.2),
    "fifteen, a third of them late": jittered(1 / 15, 0.9),
    "one a second": paced(1.0),
    "one a second, early and late": jittered(1.0, 0.6),
    "thirty, then one": joined((5.0, 1 / 30), (SECONDS, 1.0)),
    "one, then thirty": joined((7.2, 1.0), (SECONDS, 1 / 30)),
    "halved on the way": joined((7.0, 0.1), (SECONDS, 0.2)),
    "three in a tenth, then nothing for long": paced(0.1, 0.1, 1.7),
    "two by two": paced(0.1, 1.5),
    "as a busy encoder sends them": joined((2.0, 0.04), (4.5, 0.5), (6.0, 0.04), (9.0, 0.8), (SECONDS, 0.1)),
    "a hole before": [t for t in paced(0.2) if not 5.0 < t < 6.9],
    "a hole behind": [t for t in paced(0.2) if not 7.8 < t < 9.8],
}


def told(frames, **how):
    result = watch(frames, ORACLE, border=border(), name="v", **how)
    return {c.direction for c in result.crossings}, len(result.crossings), result


@pytest.mark.parametrize("times", PACES.values(), ids=PACES)
def test_who_crosses_is_seen_at_any_pace(times):
    directions, count, result = told(at(times))
    assert (directions, count) == ({Direction.INBOUND, Direction.OUTBOUND}, 2)
    assert result.notes == ()
    when = {c.direction: (c.time_us - T0) / 1e6 for c in result.crossings}
    assert when[Direction.INBOUND] == pytest.approx(7.0, abs=1.0)
    assert when[Direction.OUTBOUND] == pytest.approx(7.5, abs=1.0)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 9999), lost=st.floats(0.0, 0.9), every_s=st.sampled_from([1 / 30, 0.1, 0.2]))
def test_pictures_that_are_lost_make_no_crossing_up(seed, lost, every_s):
    """Nor more than one of one person."""
    rng = np.random.default_rng(seed)
    directions, count, _ = told(at([t for t in paced(every_s) if rng.random() >= lost]))
    assert count == len(directions)
    if lost < 0.5:
        assert count == 2


def blind(frames):
    return watch(frames, Oracle([[]] * len(ALL)), border=border(), name="v").notes


SELDOM = {
    "always": (paced(2.6), 10.4),
    "at the end alone": (joined((3.0, 0.2), (SECONDS, 2.5)), 10.0),
    "in the middle alone": (joined((3.0, 0.1), (10.5, 2.5), (SECONDS, 0.1)), 7.5),
    "two by two": (paced(0.1, 2.9), 11.6),
    "with a quick stretch in between": ([0.0, 2.5, 5.0, 5.1, 5.2, 5.3, 7.8, 7.9, 10.4, 12.9], 12.5),
}


@pytest.mark.parametrize("name", SELDOM)
def test_how_long_pictures_came_too_seldom_is_said(name):
    times, seconds = SELDOM[name]
    (note,) = blind(at(times))
    assert note.startswith(f"for {seconds:.0f} of ")
    assert "more than 2 s apart: nobody is followed" in note


def test_what_comes_often_enough_is_not_called_seldom():
    for times in PACES.values():
        assert blind(at(times)) == ()
    # A recording that was stopped and went on: what was not filmed is no pace.
    later = [replace(f, time_us=f.time_us + 60_000_000, index=f.index + len(ALL)) for f in at(paced(0.2))]
    assert watch([*at(paced(0.2)), *later], Oracle([[]] * len(ALL)), border=border(), name="v").notes == ()


@pytest.mark.parametrize(("rate_hz", "said"), [(240, False), (100_000, True)])
def test_times_that_no_camera_has_are_said_to_be_wrong(rate_hz, said):
    """A writer that counts pictures where it should tell their times gives all of them within a moment."""
    frames = [replace(frame, time_us=T0 + round(k * 1e6 / rate_hz)) for k, frame in enumerate(ALL[:60])]
    notes = watch(frames, Oracle(ORACLE.boxes), border=border(), name="v").notes
    assert any(note.startswith(f"pictures came {rate_hz} a second by their times") for note in notes) == said
