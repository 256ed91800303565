"""What is told of releases, looked up for many at once: the same as each partner would read one by one."""

import json
from contextlib import suppress
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from api.errors import NotFoundError
from api.feeds.told import Teller
from api.identity.roles import Permission, Principal, Role
from api.records.readable import find_readable, find_released
from api.store.tables import AgreementRow, PartnerRow, ReadableRow, RecordRow, ReleaseRow
from api.trail.log import INSIDE, audience_of


class UndoneError(Exception):
    """Ends a transaction of which nothing is to be kept."""


def partner_of(partner_id: str, **more: Any) -> Principal:
    return Principal("k", "k", Role.PARTNER, partner_id, **more)


def world(service, crossing) -> tuple[list[str], list[tuple[str, str, str]]]:
    """Two partners, three crossings, each released to both: partners, and (partner, crossing, release)."""
    partners = [service.partner(name) for name in ("bravo", "charlie")]
    for each in partners:
        service.agree(each)
    made = []
    for number in range(3):
        crossing_id = service.deliver(crossing(str(number)))
        service.judge(crossing_id)
        made += [(each, crossing_id, service.release(crossing_id, each).json()["id"]) for each in partners]
    return partners, made


CHANGES = {
    "recall": lambda s, made: setattr(s.get_one(ReleaseRow, made[2]), "recalled_us", 1),
    "other marking": lambda s, made: setattr(s.get_one(RecordRow, made[1]), "marking", "OTHER"),
    "no marking": lambda s, made: setattr(s.get_one(RecordRow, made[1]), "marking", None),
    "dismissed": lambda s, made: setattr(s.get_one(RecordRow, made[1]), "review_state", "dismissed"),
    "newer revision": lambda s, made: setattr(s.get_one(RecordRow, made[1]), "revision", 2),
    "agreement ended": lambda s, made: setattr(_agreement(s, made), "ended_us", 1),
    "agreement ran out": lambda s, made: setattr(_agreement(s, made), "valid_until_us", 1),
    "agreement of another": lambda s, made: setattr(_agreement(s, made), "partner_id", _other(s, made)),
    "partner ended": lambda s, made: setattr(s.get_one(PartnerRow, made[0]), "ended_us", 1),
    "expired": lambda s, made: setattr(s.get_one(RecordRow, made[1]), "expires_us", 1),
    "view gone": lambda s, made: s.query(ReadableRow).filter_by(release_id=made[2]).delete(),
    "view expired": lambda s, made: s.query(ReadableRow).filter_by(release_id=made[2]).update({"until_us": 1}),
    "not yet": lambda s, made: s.query(ReadableRow).filter_by(release_id=made[2]).update({"visible_us": 2**60}),
    "view of another revision": lambda s, made: (
        s.query(ReadableRow).filter_by(release_id=made[2]).update({"revision": 9})
    ),
}


def _agreement(session, made) -> AgreementRow:
    return session.get_one(AgreementRow, session.get_one(ReleaseRow, made[2]).agreement_id)


def _other(session, made) -> str:
    return session.query(PartnerRow).filter(PartnerRow.id != made[0]).first().id


def test_what_is_found_for_many_at_once_is_what_each_partner_reads_alone(service, crossing):
    _, made = world(service, crossing)
    now_us = service.clock()

    @settings(max_examples=40, deadline=None)
    @given(st.lists(st.tuples(st.sampled_from(sorted(CHANGES)), st.sampled_from(made)), max_size=3))
    def agree(steps):
        with suppress(UndoneError), service.store.write() as session:
            for what, which in steps:
                CHANGES[what](session, which)
            session.flush()
            found = find_released(session, now_us, [release_id for _, _, release_id in made])
            for partner_id, crossing_id, release_id in made:
                try:
                    alone = find_readable(session, partner_of(partner_id), now_us, crossing_id)
                except NotFoundError:
                    assert release_id not in found, steps
                else:
                    assert tuple(found[release_id])[:-1] == tuple(alone), steps
                    assert found[release_id].partner_id == partner_id
            raise UndoneError

    agree()
    for what, change in CHANGES.items():  # each by itself takes something away
        with suppress(UndoneError), service.store.write() as session:
            assert made[0][2] in find_released(session, now_us, [made[0][2]])
            change(session, made[0])
            session.flush()
            assert made[0][2] not in find_released(session, now_us, [made[0][2]]), what
            raise UndoneError


def test_a_partners_key_that_names_no_partner_is_told_nothing():
    unbound = Principal("k", "k", Role.PARTNER)
    assert audience_of(unbound) not in {INSIDE, ""}
    assert audience_of(partner_of("f" * 32)) == "f" * 32
    assert {audience_of(Principal("k", "k", role)) for role in Role if role is not Role.PARTNER} == {INSIDE}


def event_of(kind: str, crossing_id: str, release_id: str) -> dict[str, Any]:
    detail = {"release_id": release_id}
    event = {"n": 1, "time": "t", "kind": kind, "record_type": "crossing", "record_id": crossing_id}
    return event | {"partner_id": None, "detail": detail}


def test_nobody_is_told_of_a_release_to_another_whatever_the_event_says(service, crossing):
    (bravo, charlie), made = world(service, crossing)
    (_, first, to_bravo), (_, _, to_charlie), (_, second, _), *_ = made
    now_us = service.clock()

    def told(who: Principal, event: dict[str, Any]) -> tuple[str, bool]:
        with service.store.read() as session:
            one = Teller(session, now_us).tell(who, event)
        body = json.loads(one.body)
        assert (one.shown is None) == (body["feature"] is None)
        return body["state"], one.shown is not None

    created = event_of("release.created", first, to_bravo)
    assert told(partner_of(bravo), created) == ("current", True)
    assert told(partner_of(charlie), created) == ("recalled", False)
    assert told(partner_of(bravo), event_of("release.created", first, to_charlie)) == ("recalled", False)
    assert told(partner_of(bravo), event_of("release.created", second, to_bravo)) == ("recalled", False)
    assert told(partner_of(bravo), event_of("release.recalled", first, to_bravo)) == ("recalled", False)
    assert told(partner_of(bravo), event_of("record.created", first, to_bravo)) == ("recalled", False)
    narrowed = partner_of(bravo, scopes=frozenset({Permission.EVENT_READ}))
    assert told(narrowed, created) == ("gone", False)
    assert told(narrowed, event_of("release.recalled", first, to_bravo)) == ("recalled", False)
    inside = Principal("k", "k", Role.ANALYST)
    assert told(inside, event_of("record.created", first, to_bravo)) == ("current", True)
    assert told(inside, event_of("record.created", "f" * 32, to_bravo)) == ("gone", False)
