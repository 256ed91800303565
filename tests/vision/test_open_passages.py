"""Who may have passed the line is told while the watch goes on: once, and taken back where more is known."""

from dataclasses import replace

import pytest

from tests.vision.flown import ALONG, INBOUND, OUTBOUND, STANDING, Oracle, border, fly, numbered, walker
from vision.crossing import Outcome
from vision.records import Custody
from vision.tracker import TrackerSettings
from vision.watch import watch
from vision.watcher import WatchSettings

COMES_UP = walker(0.0, -72.0, 0.1, 1.3)  # to the line, at -62 m, in 7.7 s


def until(s, way, then):
    """One way up to a time, seconds, another from then on."""
    return lambda t: way(t) if t < s else then(t)


def stands_from(s, way):
    return until(s, way, lambda _: way(s))


def hovers(people, **how):
    """A camera that stands in the air, seen for 30 s."""
    return fly(people, speed=0.0, start_east=0.0, seconds=30.0, **how)


def watched(frames, oracle, **settings):
    """What a watch gives, and what it told: how many frames it had seen, and what."""
    told, seen = [], [0]
    result = watch(
        frames,
        oracle,
        border=border(),
        name="v",
        custody=Custody(owner="unit 7", marking="TLP:AMBER"),
        progress=lambda count: seen.__setitem__(0, count),
        on_open=lambda one: told.append((seen[0], one)),
        settings=WatchSettings(batch=1, **settings),
    )
    return result, told


def test_who_leaves_the_picture_is_told_when_the_track_is_given_up_and_not_at_the_end():
    frames, oracle = fly([walker(0.0, -62.0, 0.2, 1.3, 11.0), STANDING])
    result, ((at, told),) = watched(frames, oracle)
    (track,) = (one for one in result.tracks if one.number == told.track_number)
    gone_us = frames[at].time_us - track.end_us
    assert 2_500_000 < gone_us <= 2_900_000  # what `TrackerSettings.lost_s` says, and a frame or two
    assert at < len(frames)
    assert result.open == (told,)
    assert result.outcomes[Outcome.OPEN] == 1
    assert (told.first_us, told.last_us) == (track.start_us, track.end_us)
    assert told.first_us < told.time_us < told.last_us
    record = told.to_json()
    assert record["status"] == "open"
    assert record["became"] is None
    assert (record["owner"], record["marking"]) == ("unit 7", "TLP:AMBER")
    # The place is so near the line that its error reaches over.
    assert border().distance_m(told.lat_deg, told.lon_deg) < told.ellipse.semi_major_m
    again, _ = watched(frames, oracle)
    assert again.open == result.open


def test_who_walks_over_is_not_told_of_on_the_way():
    frames, oracle = hovers([COMES_UP, walker(8.0, -66.0, 0.0, 0.4), ALONG])
    result, told = watched(frames, oracle)
    assert len(result.crossings) == 2
    assert told == []
    assert result.open == ()


def test_who_stands_before_the_line_is_told_of_and_taken_back_when_the_line_is_passed():
    frames, oracle = hovers([until(16.0, stands_from(6.5, COMES_UP), walker(0.6, -63.6, 0.0, 1.3, 16.0))])
    result, ((at, told), (later, back)) = watched(frames, oracle)
    stood_s = (frames[at].time_us - frames[0].time_us) / 1e6 - 6.5
    assert 5.0 < stood_s < 8.0  # as long as a crossing waits to be decided, and a look a second
    assert later > at
    (crossing,) = result.crossings
    assert (back.source_id, back.time_us, back.became) == (told.source_id, told.time_us, "crossed")
    assert back.update_time_us == crossing.update_time_us > told.update_time_us
    assert back.to_json()["status"] == "taken back"
    assert result.open == ()
    assert result.outcomes == {Outcome.CROSSED: 1}
    assert result.notes == ()


def test_who_stood_before_the_line_and_goes_back_is_taken_back_in_the_end():
    frames, oracle = hovers([until(16.0, stands_from(6.5, COMES_UP), walker(0.6, -63.6, 0.0, -1.3, 16.0))])
    result, ((_, told), (_, back)) = watched(frames, oracle)
    assert back.source_id == told.source_id
    assert back.became == next(iter(result.outcomes)).value != "open"
    assert (result.crossings, result.open) == ((), ())


@pytest.mark.parametrize("memory_s", [180.0, 9.0])
def test_it_stays_open_when_the_beginning_of_the_track_is_forgotten(memory_s):
    frames, oracle = hovers([stands_from(6.5, COMES_UP)])
    result, ((_, told),) = watched(frames, oracle, tracker=TrackerSettings(memory_s=memory_s))
    assert [one.source_id for one in result.open] == [told.source_id]
    assert result.outcomes == {Outcome.OPEN: 1}
    assert len(result.notes) == 1


def test_who_is_lost_before_the_line_and_found_again_on_the_way_over_was_not_open():
    frames, oracle = hovers([until(12.0, stands_from(6.5, COMES_UP), walker(0.6, -63.6, 0.0, 1.3, 12.0))])
    for frame, boxes in zip(frames, oracle.boxes, strict=True):
        if 7.5 < (frame.time_us - frames[0].time_us) / 1e6 < 11.5:
            boxes.clear()
    result, ((_, told), (_, back)) = watched(frames, oracle)
    assert len(result.crossings) == 1
    assert result.crossings[0].track_number != told.track_number
    assert (back.source_id, back.became) == (told.source_id, "crossed")
    assert result.open == ()


def test_who_passed_long_ago_is_not_open_because_that_is_forgotten():
    """The way that is left begins within the error of the line, and leads away from it."""
    over = until(6.0, walker(0.0, -68.0, 0.0, 1.3), stands_from(6.0, walker(0.0, -68.0, 0.0, 1.3)))
    frames, oracle = hovers([until(22.0, over, walker(0.0, -60.2, 0.0, 1.3, 22.0))])
    result, told = watched(frames, oracle, tracker=TrackerSettings(memory_s=8.0))
    assert len(result.crossings) == 1
    assert told == []
    assert result.outcomes == {Outcome.CROSSED: 1}


def test_a_failing_receiver_ends_its_stream_alone():
    frames, oracle = fly([walker(0.0, -62.0, 0.2, 1.3, 11.0)])
    with pytest.raises(OSError, match="gone"):
        watch(frames, oracle, border=border(), name="v", on_open=lambda _: (_ for _ in ()).throw(OSError("gone")))


def test_what_was_told_is_let_go_of_after_a_time_and_still_counted():
    """A camera that is watched for weeks: somebody stands before the line, leaves, and others cross, minutes apart."""
    frames, boxes = [], []
    for turn, people in enumerate(([walker(0.0, -62.0, 0.2, 1.3, 11.0)], [INBOUND], [INBOUND], [OUTBOUND])):
        seen, oracle = fly(people, seed=turn)
        for frame, found in zip(seen, oracle.boxes, strict=True):
            shift_us = 300_000_000 * turn
            frames.append(
                replace(frame, time_us=frame.time_us + shift_us, index=len(frames), image=numbered(len(frames)))
            )
            boxes.append(found)
    whole, told_whole = watched(frames, Oracle(boxes))
    crossed = []
    result = watch(
        frames,
        Oracle(boxes),
        border=border(),
        name="v",
        on_open=lambda _: None,
        on_crossing=crossed.append,
        settings=WatchSettings(batch=1, keep_s=400.0),
    )
    assert [one.source_id for one in crossed] == [one.source_id for one in whole.crossings]
    assert (len(whole.crossings), len(whole.open), whole.crossing_count) == (3, 1, 3)
    assert [one.source_id for one in result.crossings] == [one.source_id for one in whole.crossings][1:]
    assert (result.crossing_count, result.open, result.outcomes) == (3, (), whole.outcomes)
    assert result.notes[0].startswith("1 may have passed the line or not (person 1)")
    assert len(told_whole) == 1
    # Where nobody is told of them as they come, all are kept.
    silent = watch(frames, Oracle(boxes), border=border(), name="v", settings=WatchSettings(batch=1, keep_s=400.0))
    assert (len(silent.crossings), len(silent.open)) == (3, 1)
