"""Entries of the audit are found by person, deed, object and time, and none hides."""

import json
from dataclasses import dataclass

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from sqlalchemy import create_engine
from sqlalchemy.orm import Session
from sqlalchemy.pool import StaticPool

from api.canonical import canonical
from api.store.tables import AuditRow
from api.times import iso
from api.trail import search
from tests.api.test_audit import tamper

MANY = 60
MINUTE_US, DAY_US = 60_000_000, 86_400_000_000
NEW_YEAR_US = 1_767_225_600_000_000


def found(service, **asked):
    """All entries that are found, page by page; what the search itself leaves behind is left out."""
    entries, before = [], asked.pop("before", None)
    while True:
        params = asked | ({} if before is None else {"before": before})
        answer = service.ask("auditor", "GET", "/audit/entries", params=params)
        assert answer.status_code == 200, answer.text
        entries += answer.json()["entries"]
        before = answer.json()["next"]
        if before is None:
            return [entry for entry in entries if entry["body"] is None or entry["body"]["action"] != "audit.search"]


def deeds(entries):
    return [entry["body"]["action"] for entry in entries]


@pytest.fixture
def shared(service, crossing):
    bravo = service.partner("bravo")
    service.agree(bravo)
    crossing_id = service.deliver(crossing())
    service.judge(crossing_id)
    release_id = service.release(crossing_id, bravo).json()["id"]
    service.ask("supervisor", "DELETE", f"/releases/{release_id}", params={"reason": "in error"})
    return crossing_id, release_id


def test_by_person_deed_and_object(service, shared):
    crossing_id, release_id = shared
    assert deeds(found(service, actor="SUPERV")) == ["release.recall", "release.create"]
    assert deeds(found(service, action="release")) == ["release.recall", "release.create"]
    assert deeds(found(service, action="release.recall", object=crossing_id)) == ["release.recall"]
    assert deeds(found(service, object=release_id)) == ["release.recall", "release.create"]
    (judged,) = found(service, action="crossing.review", limit=1)
    assert deeds(found(service, actor=judged["body"]["actor"]))[0] == "crossing.review"
    assert found(service, action="releas") == []
    assert service.ask("auditor", "GET", "/audit/entries", params={"from": "noon"}).status_code == 422


BROKEN = ("gone", "[" * 100_000, "[]", "{}", '{"time":7}', '{"time":"noon"}', '{"time":"2026-01-01T00:00:00"}')
"""What is no entry: no JSON, too deep, no object, no time, or none with a zone."""


@dataclass(frozen=True)
class Drawn:
    """An entry: its number, when it was written, the time that it says, or what it was made unreadable by."""

    seq: int
    written_us: int
    said_us: int
    broken: str | None

    def body(self):
        named = {"action": f"a{self.seq % 2}.b", "name": f"n{self.seq % 5}"}
        return self.broken or canonical({"time": iso(self.said_us), **named})


@st.composite
def chains(draw):
    """Three entries a minute, each a little early or late, some gone or broken, and of one the time is false."""
    left = draw(st.integers(1, MANY))
    late = draw(st.lists(st.integers(-25, 25), min_size=left, max_size=left))
    times = [NEW_YEAR_US + (20 * seq + by_s) * 1_000_000 for seq, by_s in enumerate(late, 1)]
    false = draw(st.integers(1, left)) if draw(st.booleans()) else None
    false_us = NEW_YEAR_US + draw(st.sampled_from([-1, 1])) * DAY_US
    gone = draw(st.sets(st.integers(1, left)))
    broken = draw(st.dictionaries(st.integers(1, left), st.sampled_from(BROKEN)))
    return [
        Drawn(seq, written, false_us if seq == false else written, broken.get(seq))
        for seq, written in enumerate(times, 1)
        if seq not in gone
    ]


@pytest.fixture(scope="module")
def bare():
    """A store of the audit alone, as somebody has it who may change it as they like."""
    engine = create_engine("sqlite://", poolclass=StaticPool)
    AuditRow.__table__.create(engine)
    yield engine
    engine.dispose()


def pages(session, sought, limit):
    before, got = None, []
    while True:
        page = search.search_audit(session, sought, before=before, limit=limit)
        assert len(page.entries) <= limit
        got += page.entries
        if page.next is None:
            return got
        assert before is None or page.next < before
        before = page.next


def told(*minutes, false=None, broken=()):
    """Entries written so many minutes after midnight; by number what some say instead, and which say nothing."""
    times = [NEW_YEAR_US + round(minute * MINUTE_US) for minute in minutes]
    return [
        Drawn(seq, at, (false or {}).get(seq, at), "gone" if seq in broken else None) for seq, at in enumerate(times, 1)
    ]


USUAL = {"since": None, "until": None, "action": None, "actor": None, "limit": 20, "looks": 70}


@example(chain=told(5, 5, 5, 5, 10.5, 10.5, 10.5, 9.9), **USUAL | {"until": 10})
@example(chain=told(10.1, 9.9, 9.9), **USUAL | {"since": 10})
@example(chain=told(12, 11, 12, false={2: NEW_YEAR_US - DAY_US}), **USUAL | {"since": 10})
@example(chain=told(5, 5, 5, false={2: NEW_YEAR_US + DAY_US}, broken=[3]), **USUAL | {"until": 10})
@example(chain=told(5, 5, 6, 20, 20, false={2: NEW_YEAR_US + DAY_US}, broken=[3]), **USUAL | {"until": 10})
@given(
    chain=chains(),
    since=st.none() | st.integers(-5, 25),
    until=st.none() | st.integers(-5, 25),
    action=st.sampled_from([None, "a0", "a1.b", "a"]),
    actor=st.sampled_from([None, "n3", "N"]),
    limit=st.integers(1, 20),
    looks=st.integers(1, 70),
)
def test_pages_are_the_chain_backwards_whatever_is_asked(bare, chain, since, until, action, actor, limit, looks):
    """Held against a plain look through all of it."""
    since_us, until_us = (None if at is None else NEW_YEAR_US + at * MINUTE_US for at in (since, until))

    def asked_for(time_us):
        return (since is None or time_us >= since_us) and (until is None or time_us < until_us)

    with pytest.MonkeyPatch.context() as patch, Session(bare) as session:
        patch.setattr(search, "_MOST_LOOKS", looks)
        patch.setattr(search, "_SLACK_US", MINUTE_US)
        patch.setattr(search, "_IN_A_ROW", 2)
        session.add_all(AuditRow(seq=one.seq, body=one.body(), hash="0" * 64) for one in chain)
        session.flush()
        got = pages(session, search.Sought(actor, action, None, since_us, until_us), limit)
        session.rollback()
    numbers = [entry["seq"] for entry in got]
    assert numbers == sorted(set(numbers), reverse=True)
    fit = [
        one
        for one in chain[::-1]
        if one.broken is None
        and asked_for(one.said_us)
        and (actor is None or actor == "N" or one.seq % 5 == 3)
        and (action is None or (action != "a" and int(action[1]) == one.seq % 2))
    ]
    read = {entry["seq"] for entry in got if entry["body"] is not None}
    # One that says a false time is found only where its neighbours are of the times that are asked for.
    assert {one.seq for one in fit if one.said_us == one.written_us} <= read <= {one.seq for one in fit}
    # Of what has no time any more is shown at least what was written within the times that are asked for.
    broken = {one.seq for one in chain if one.broken}
    assert {one.seq for one in chain if one.broken and asked_for(one.written_us)} <= set(numbers) & broken
    assert {entry["seq"] for entry in got if entry["body"] is None} <= broken


def changed(service, body):
    """The number of an entry that somebody with the database has changed."""
    (entry,) = found(service, action="release.recall")
    tamper(service.store, f"UPDATE audit SET body = '{body}' WHERE seq = {entry['seq']}")
    return entry["seq"]


def test_what_was_tampered_with_is_shown_whatever_is_asked(service, shared):
    seq = changed(service, "gone")
    (shown,) = found(service, actor="nobody at all")
    assert (shown["seq"], shown["body"]) == (seq, None)
    assert json.loads(service.ask("auditor", "GET", "/audit/verification").text)["seq"] == seq


@pytest.mark.parametrize("name", ["NaN", "1e999", '"\\ud800"'])
def test_an_entry_that_no_answer_can_hold_is_shown_without_its_body(service, shared, name):
    seq = changed(service, f'{{"time":"2026-01-01T00:00:00Z","action":"release.recall","name":{name}}}')
    assert {entry["seq"]: entry["body"] for entry in found(service)}[seq] is None
    found(service, actor="somebody")
