"""Entries of the audit are found by person, deed, object and time, and none hides."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api import Store
from api.canonical import canonical
from api.store.tables import AuditRow
from api.trail import search
from tests.api.test_audit import tamper

MANY = 60


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


@pytest.fixture(scope="module")
def chain(tmp_path_factory):
    """Three entries a minute, from midnight on."""
    store = Store(tmp_path_factory.mktemp("chain"))
    with store.write() as session:
        for seq in range(1, MANY + 1):
            body = {
                "time": f"2026-01-01T00:{seq // 3:02d}:00.000000Z",
                "action": f"a{seq % 2}.b",
                "name": f"n{seq % 5}",
            }
            session.add(AuditRow(seq=seq, body=canonical(body), hash="0" * 64))
    yield store
    store.close()


@given(data=st.data())
def test_pages_are_the_chain_backwards_whatever_is_asked(chain, data):
    """Held against a plain look through all of it."""
    minutes = st.none() | st.integers(0, 25)
    since, until = data.draw(minutes), data.draw(minutes)
    action, actor = data.draw(st.sampled_from([None, "a0", "a1.b", "a"])), data.draw(st.sampled_from([None, "n3", "N"]))
    minute_us = 60_000_000
    new_year_us = 1_767_225_600_000_000
    sought = search.Sought(
        actor,
        action,
        None,
        None if since is None else new_year_us + since * minute_us,
        None if until is None else new_year_us + until * minute_us,
    )
    limit, before, got = data.draw(st.integers(1, 20)), None, []
    with pytest.MonkeyPatch.context() as patch, chain.read() as session:
        patch.setattr(search, "_MOST_LOOKS", data.draw(st.integers(1, 70)))
        while True:
            page = search.search_audit(session, sought, before=before, limit=limit)
            assert len(page.entries) <= limit
            got += [entry["seq"] for entry in page.entries]
            if page.next is None:
                break
            before = page.next
    assert got == [
        seq
        for seq in range(MANY, 0, -1)
        if (since is None or seq // 3 >= since)
        and (until is None or seq // 3 < until)
        and (actor is None or actor == "N" or seq % 5 == 3)
        and (action is None or (action != "a" and int(action[1]) == seq % 2))
    ]


def test_what_was_tampered_with_is_shown_whatever_is_asked(service, shared):
    (entry,) = found(service, action="release.recall")
    tamper(service.store, f"UPDATE audit SET body = 'gone' WHERE seq = {entry['seq']}")
    (shown,) = found(service, actor="nobody at all")
    assert (shown["seq"], shown["body"]) == (entry["seq"], None)
    assert json.loads(service.ask("auditor", "GET", "/audit/verification").text)["seq"] == entry["seq"]
