"""Texts in parts: put together in any order, once, and told with a gap where parts were lost."""

from hypothesis import given
from hypothesis import strategies as st
from pymavlink.dialects.v20 import ardupilotmega as mav

from autopilot.long_texts import LongTexts
from autopilot.telemetry import TelemetryState


def parts_of(text):
    """As a vehicle divides it: a text that fills its last part is followed by an empty one."""
    return [text[at : at + 50] for at in range(0, len(text) + 1, 50)]


texts = st.lists(st.text("abcdefgh", min_size=1, max_size=220), min_size=1, max_size=5, unique=True)


@given(said=texts, order=st.randoms(use_true_random=False), twice=st.booleans())
def test_every_text_is_whole_once_in_whatever_order_its_parts_come(said, order, twice):
    sent = [(number, n, part) for number, text in enumerate(said, 1) for n, part in enumerate(parts_of(text))]
    sent *= 1 + twice
    order.shuffle(sent)
    long_texts = LongTexts()
    told = [words for number, n, part in sent for _, words in long_texts.take(number, n, 4, part, 0.0)]
    assert sorted(told) == sorted(said)
    assert not long_texts._open


@given(text=st.text("abcdefgh", min_size=101, max_size=220), data=st.data())
def test_lost_parts_are_gaps(text, data):
    parts = parts_of(text)
    lost = data.draw(st.sets(st.integers(0, len(parts) - 1), min_size=1, max_size=len(parts) - 1))
    long_texts = LongTexts()
    for n, part in enumerate(parts):
        if n not in lost:
            assert long_texts.take(7, n, 3, part, 0.0) == []
    assert long_texts.take(0, 0, 6, "another", 4.9) == [(6, "another")]
    (severity, told), another = long_texts.take(0, 0, 6, "another", 5.1)
    assert (severity, another) == (3, (6, "another"))
    # Independent: what was not lost, in its order, with gaps between.
    pieces = "".join("\0" if n in lost else part for n, part in enumerate(parts))
    while "\0\0" in pieces:
        pieces = pieces.replace("\0\0", "\0")
    assert told == pieces.replace("\0", "...")


def test_a_number_that_is_used_again_begins_another_text():
    long_texts = LongTexts()
    assert long_texts.take(7, 0, 4, "a" * 50, 0.0) == []
    assert long_texts.take(7, 0, 4, "b" * 50, 1.0) == [(4, "a" * 50 + "...")]
    assert long_texts.take(7, 1, 4, "end", 1.0) == [(4, "b" * 50 + "end")]
    assert long_texts.take(7, 1, 4, "end", 1.1) == []
    assert long_texts.take(7, 0, 2, "c" * 50, 1.2) == []
    assert long_texts.take(7, 1, 2, "end", 1.2) == [(2, "c" * 50 + "end")]


def test_nothing_grows_for_ever():
    long_texts = LongTexts()
    told = [words for number in range(1, 1000) for words in long_texts.take(number, 1, 4, "x" * 50, 0.0)]
    assert len(long_texts._open) <= 8
    assert len(long_texts._told) <= 8
    assert told == [(4, "..." + "x" * 50 + "...")] * len(told)
    state = TelemetryState(str)
    for number in range(10_050):
        state.take(mav.MAVLink_statustext_message(6, b"%d" % number))
    assert len(state.texts) == 10_000
    assert state.texts[-1].text == "10049"


def test_parts_that_overtake_each_other_are_one_text_of_a_vehicle():
    state = TelemetryState(str)
    text = "Mission: 3 of 4 waypoints are farther away than the limit of 1000 m, first at 12"
    first, second = parts_of(text)
    state.take(mav.MAVLink_statustext_message(3, second.encode(), 9, 1))
    assert state.texts == []
    state.take(mav.MAVLink_statustext_message(3, first.encode(), 9, 0))
    assert [(each.severity, each.text) for each in state.texts] == [(3, text)]


def test_a_text_whose_last_part_is_lost_is_told_after_a_time_though_nothing_else_is_said(monkeypatch):
    now_s = 100.0
    monkeypatch.setattr("autopilot.telemetry.time.monotonic", lambda: now_s)
    state, beat = TelemetryState(str), mav.MAVLink_heartbeat_message(2, 3, 0, 0, 0, 3)
    state.take(mav.MAVLink_statustext_message(2, b"x" * 50, 7, 0))
    now_s = 104.0
    state.take(beat)
    assert state.texts == []
    now_s = 106.0
    state.take(beat)
    assert [(each.severity, each.text) for each in state.texts] == [(2, "x" * 50 + "...")]
    assert state.said == 1
    state.take(beat)
    assert state.said == 1
