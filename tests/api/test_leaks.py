"""Nothing leaks: a partner never receives, counts or times a record outside its agreements, in any format or feed.

A world of thousands of random records of every type that may be shared, agreements, verdicts, releases and recalls is
asked at random. Every value bears a mark (`tests.api.marked`): one that the asking partner may not know, in any answer,
is a leak. Then the world changes where a partner may not look: what it is answered stays the same, byte for byte, and
takes the database the same work.
"""

import json
import random
import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import pytest

from api import Settings, running
from api.account.settings import AccountSettings
from api.account.transparency import publish
from api.feeds.settings import FeedSettings
from api.records.types import TYPES
from tests.api.conftest import ON_SQLITE
from tests.api.live import Live, Target
from tests.api.marked import (
    COUNTS,
    DIGITS,
    HOUR_US,
    HOURS,
    MARKS,
    WORDS,
    Known,
    Partner,
    World,
    body_of,
    members_of,
    moment,
    word,
)
from tests.api.samples import NOON_US
from tests.api.work import work_of

NAMES = ("bravo", "charlie", "delta", "echo")
ALL, NOTHING = "REL ALL", "f" * 32
QUESTIONS = 30
FORMS = ("json", "csv", "ndjson", "seq", "kml")
TEXTS = {
    "crossing": ("border", "owner", "direction"), "cue": (), "segment": ("name", "authority", "owner"),
    "plan": ("name", "owner"), "sortie": ("vehicle", "owner"), "vehicle": ("name", "owner"), "sensor": ("name",),
}  # fmt: skip
NUMBERS = {"crossing": ("confidence",), "cue": ("confidence",), "vehicle": ("speed_m_s",)}


@pytest.fixture
def chance():
    return random.Random(6)


@pytest.fixture
def make(service, chance):
    """A world of random records and agreements: a share of `COUNTS`."""

    def made(share: float) -> World:
        counts = {type_: int(count * share) for type_, count in COUNTS.items()}
        world = World(service, chance, counts)
        for name in NAMES:
            world.add_partner(name, subscribed=name in {"bravo", "charlie"})
        records = world.add_records(counts, [*(f"REL {name.upper()}" for name in NAMES), ALL, ALL, ALL, None])
        world.add_clips([known for known in records if known.type == "crossing"][:12])
        for name in ("delta", "echo"):
            world.release_some(world.partners[name], 0.7)
        for partner in world.partners.values():
            world.recall_some(partner, 0.1)
        world.end(world.partners["delta"].deals[1])
        return world

    return made


# -- questions --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Question:
    """What a partner may send."""

    path: str
    query: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    method: str = "GET"
    id: str = "-"
    """Which record it names: an answer that says the id again tells nothing."""


def condition(chance: random.Random, type_: str, known: Known, depth: int = 0) -> str:
    """A filter of CQL2 that goes after what `known` is, shared or not."""
    if depth < 2 and chance.random() < 0.4:
        one, other = (condition(chance, type_, known, depth + 1) for _ in range(2))
        return chance.choice([f"({one} AND {other})", f"({one} OR {other})", f"NOT ({one})"])
    name = chance.choice(["source", "kind", "status", "review", *TEXTS[type_]])
    value = chance.choice([word("SRC", known.n), word("BRD", known.n), word("OWN", known.n), known.kind, "confirmed"])
    west, south = -111 + chance.random() * 0.9, 31 + chance.random() * 0.12
    options = [
        f"{name}='{value}'",
        f"{name}<>'{value}'",
        f"{name} LIKE '{value[:3]}%'",
        f"{name} IN ('{value}','motion','planned')",
        f"{name} IS NULL",
        f"S_INTERSECTS(geometry,BBOX({west},{south},-109,{south + 0.1}))",
        f"S_DISJOINT(geometry,BBOX({west},{south},-109,{south + 0.1}))",
        f"T_AFTER(time,TIMESTAMP('{moment(10, known.n)}'))",
        f"time=TIMESTAMP('{moment(10, known.n)}')",
        *(f"{each}>{chance.random()}" for each in NUMBERS.get(type_, ())),
    ]
    return chance.choice(options)


def questions(chance: random.Random, world: World, count: int) -> list[Question]:
    """Lists, pages, filters, single records, evidence and feeds, at random."""
    return [question for _ in range(count) for question in (some_list(chance, world), some_one(chance, world))]


def some_list(chance: random.Random, world: World) -> Question:
    known = chance.choice(list(world.records.values()))
    query = {"limit": chance.choice(["1", "3", "40", "1000"])}
    lat = 31.1 + chance.random() * 0.02
    more = {
        "bbox": chance.choice(["-180,-90,180,90", f"-111,{lat},-109,{lat + 0.01}", "170,-90,-100,90"]),
        "kind": known.kind,
        "status": chance.choice(["confirmed", "planned", word("STA", known.n)]),
        "source": word("SRC", known.n),
        "review": chance.choice(["pending", "confirmed", "dismissed"]),
    }
    if chance.random() < 0.3:
        query |= {"from": moment(10, known.n), "to": "2026-01-02T00:00:00Z"}
        if chance.random() < 0.5:
            query |= dict([chance.choice(list(more.items()))])
            return Question(f"/{known.collection}", query)
        cot = known.type if known.type != "plan" else "crossing"
        return Question("/cot", query | {"type": cot, "bbox": more["bbox"]})
    query["f"] = chance.choice(FORMS)
    if chance.random() < 0.3:
        query |= dict([chance.choice(list(more.items()))])
    if chance.random() < 0.2:
        query["datetime"] = f"{moment(10, known.n)}/.."
    if chance.random() < 0.8:
        query |= {"filter": condition(chance, known.type, known), "filter-lang": "cql2-text"}
    return Question(f"/ogc/collections/{known.collection}/items", query)


def some_one(chance: random.Random, world: World) -> Question:
    known = chance.choice(list(world.records.values()))
    here = chance.choice([f"/{known.collection}", f"/{chance.choice(list(TYPES.values())).collection}"])
    paths = [
        f"{here}/{known.id}",
        f"/ogc/collections{here}/items/{known.id}?f={chance.choice(FORMS)}",
        f"/crossings/{known.id}/evidence/{chance.choice(['clip', 'manifest', 'redacted-clip'])}",
        f"{chance.choice(['/crossings', '/cues'])}/{known.id}/alert.xml",
    ]
    headers = chance.choice([{}, {}, {"Range": "bytes=0-900"}, {"If-None-Match": "*"}, {"If-None-Match": '"1-0"'}])
    return Question(chance.choice(paths), headers=headers, method=chance.choice(["GET"] * 5 + ["HEAD"]), id=known.id)


FEEDS = [
    Question(f"/{path}")
    for path in ("alerts", "recalls", "subscriptions", "webhooks", "ogc", "ogc/collections", "asyncapi.json", "me")
]


def answered(world: World, who: str, question: Question, now_us: int) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body at a moment, but for the number of the request."""
    world.service.clock.now_us = now_us
    answer = world.service.ask(
        who, question.method, question.path, params=question.query or None, headers=question.headers
    )
    assert answer.status_code < 500, (question, answer.text)
    headers = {name: value for name, value in answer.headers.items() if name != "x-request-id"}
    return answer.status_code, headers, answer.content


# -- what is told -----------------------------------------------------------------------------------------------------


def test_no_answer_and_no_feed_tells_what_was_not_shared(make, chance, databases):
    marks_are_found(world := make(0.6 if databases.postgres is None else 0.3))
    for now_us in (NOON_US + HOUR_US // 60, NOON_US + 4 * HOUR_US):  # before and after the delays have passed
        world.announce(now_us)
        for name, partner in world.partners.items():
            for question in questions(chance, world, QUESTIONS) + FEEDS:
                _, headers, body = answered(world, name, question, now_us)
                text = without_what_was_asked(body.decode("latin-1") + json.dumps(headers), question)
                tells = question.path in {"/alerts", "/recalls"} or "alert.xml" in question.path
                assert not world.leaks(text, partner, now_us, named=tells), (name, question, text[:2000])
            lists_are_exact(world, partner, now_us)
            clips_are_exact(world, partner, now_us)
            for text in world.told_in_feed(partner, now_us):
                assert not world.leaks(text, partner, now_us, named=True), (name, text)


def without_what_was_asked(text: str, question: Question) -> str:
    """Links say the question again, and what is not found is named."""
    for name, value in question.query.items():
        text = text.replace(urlencode({name: value}), "")
    return re.sub(rf"(record|{'|'.join(TYPES)}) {question.id}", "", text)


def marks_are_found(world: World) -> None:
    """A mark that cannot be found would find no leak: those inside are told each, of every record."""
    found: dict[str, set[str]] = {}
    for collection in (TYPES[type_].collection for type_ in COUNTS):
        text = world.service.ask("analyst", "GET", f"/{collection}?limit=1000").text
        for code, of_word, of_number, digit, hour, of_hour in MARKS.findall(text):
            found.setdefault(code or digit or hour, set()).add(of_word or of_number or of_hour)
    of_all = {"OWN", "SRC", "1", "10", "11"}
    for code, numbers in found.items():
        assert len(numbers) == len(world.records) if code in of_all else len(numbers) >= len(world.records) / 20, code
    assert len(found) == len(WORDS) + len(DIGITS) + len(HOURS)


def lists_are_exact(world: World, partner: Partner, now_us: int) -> None:
    """Over all pages: the records that may be seen, each with the members that its agreement names, and their count."""
    seen = partner.seen(now_us)
    for type_ in COUNTS:
        expected = {world.records[n].id: n for n in seen if world.records[n].type == type_}
        path, found = f"/{TYPES[type_].collection}?limit=150", {}
        while path is not None:
            page = world.service.ask(partner.name, "GET", path).json()
            assert not found.keys() & {feature["id"] for feature in page["features"]}
            found |= {feature["id"]: feature for feature in page["features"]}
            path = page["links"][0]["href"] if page["links"] else None
        assert found.keys() == expected.keys(), (partner.name, type_)
        items = f"/ogc/collections/{TYPES[type_].collection}/items?limit=1000"
        assert world.service.ask(partner.name, "GET", items).json()["numberMatched"] == len(expected)
        for id_, feature in found.items():
            known, deal = world.records[expected[id_]], seen[expected[id_]]
            assert set(feature["properties"]) == members_of(known, deal), (known, deal)
            assert (feature["geometry"] is not None) is ("position" in deal.terms["fields"])


def clips_are_exact(world: World, partner: Partner, now_us: int) -> None:
    """Whole and by Range: those of what may be seen with its clip, and no other."""
    seen = partner.seen(now_us)
    for known in world.clips:
        path = f"/crossings/{known.id}/evidence/clip"
        whole = world.service.ask(partner.name, "GET", path)
        piece = world.service.ask(partner.name, "GET", path, headers={"Range": "bytes=188-375"})
        terms = seen[known.n].terms if known.n in seen else {"fields": ()}
        if "clip" in terms["fields"] and terms["media"] == "original":
            assert (whole.status_code, piece.status_code) == (200, 206)
            assert (whole.content, piece.content) == (known.clip, known.clip[188:376])
        else:
            assert (whole.status_code, piece.status_code) == (404, 404)


# -- what cannot be told apart ----------------------------------------------------------------------------------------


def measured(world: World, who: str, question: Question, now_us: int) -> tuple[Any, list[str], int]:
    """The answer, the statements that it took, and their steps."""
    with work_of(world.service.store) as work:
        found = answered(world, who, question, now_us)
    # How far the log is, is looked up for many at once, whenever it was a while ago.
    return found, [each for each in work.statements if "max(event.seq)" not in each], work.steps


def test_what_is_not_yours_is_as_what_is_not(make, chance):
    """By the same bytes, after the same work; then the world changes where partners may not look."""
    world, now_us = make(0.15), NOON_US + HOUR_US
    world.announce(now_us)
    for name, partner in world.partners.items():
        answered(world, name, Question("/me"), now_us)  # that a key is in use is noted once a minute
        # Of what was taken back it was told: that alert is cancelled.
        unknown = [known for known in world.records.values() if known.n not in {*partner.shared, *partner.told}]
        for known in chance.sample(unknown, 20):
            path = chance.choice(
                [
                    f"/{known.collection}/*",
                    f"/ogc/collections/{known.collection}/items/*",
                    *(["/crossings/*/evidence/clip", "/crossings/*/alert.xml"] if known.type == "crossing" else []),
                ]
            )
            for method in ("GET", "HEAD"):
                (one, *of_one), (other, *of_other) = (
                    measured(world, name, Question(path.replace("*", id_), method=method), now_us)
                    for id_ in (known.id, NOTHING)
                )
                assert one[2].replace(known.id.encode(), NOTHING.encode()) == other[2]
                assert (one[0], one[1], of_one) == (other[0], other[1], of_other), (name, known)
                assert one[0] == 404
    asked = [(name, question) for name in NAMES for question in questions(chance, world, 20) + FEEDS]
    before = [measured(world, name, question, now_us) for name, question in asked]
    change_the_unseen(world, chance)
    for name in NAMES:
        answered(world, name, Question("/me"), now_us)  # after a change keys are looked up anew
    for (name, question), (answer, *work) in zip(asked, before, strict=True):
        found, *took = measured(world, name, question, now_us)
        assert (found, took[0]) == (answer, work[0]), (name, question)
        assert took[1] == work[1] or question in FEEDS, (name, question, took[1], work[1])


def change_the_unseen(world: World, chance: random.Random) -> None:
    """More records, newer ones, and verdicts, shares and recalls among others: all in the midst of what is seen."""
    foxtrot = world.add_partner("foxtrot", subscribed=True)
    world.add_records({type_: count // 6 for type_, count in COUNTS.items()}, ["REL FOXTROT", "REL NOBODY", None])
    assert foxtrot.shared
    seen = {n for partner in world.partners.values() for n in partner.shared}
    unseen = [known for known in world.records.values() if known.n not in seen and foxtrot.covering(known) is None]
    for type_ in COUNTS:
        of_type = [known for known in unseen if known.type == type_]
        world.deliver(type_, [body_of(known, "2026-01-01T11:30:00Z") for known in of_type[:10]])
    world.recall_some(foxtrot, 0.2)


@ON_SQLITE
def test_the_page_for_everybody_tells_no_record_and_no_change(make, chance):
    """Counts of many alone; and two days' pages, between which the world changed, are the same page."""
    world = make(0.05)
    store, clock, settings = world.service.store, world.service.clock, AccountSettings()
    cues = sum(known.type == "cue" for known in world.records.values())
    clock.now_us = NOON_US + 75 * 24 * HOUR_US
    assert publish(store, settings)[-1] == "2026-01"
    paths = ("/transparency", "/transparency.json")
    before = [world.service.http.get(path).text for path in paths]
    for text in before:
        assert not MARKS.search(text)
        assert not re.search("[0-9a-f]{32}", text)
        assert not any(name in text for name in NAMES)
    month = {each["month"]: each for each in json.loads(before[1])["months"]}["2026-01"]
    assert month["cues"]["kinds"] == {"motion": cues}
    assert all(cell["count"] >= settings.threshold for cell in month["crossings"]["cells"])
    change_the_unseen(world, chance)
    clock.now_us += 24 * HOUR_US
    assert publish(store, settings) == []
    assert [world.service.http.get(path).text for path in paths] == before


# -- over real sockets ------------------------------------------------------------------------------------------------


def test_streams_and_webhooks_tell_no_more(service, make, databases):
    """As they leave the machine. Its clock is the real one, by which every delay has passed."""
    world, url = make(0.1), None
    if databases.postgres is not None:
        url = databases.postgres.url(databases.made[-1])
    feeds = FeedSettings(poll_s=0.05, recheck_s=0.1, loopback_targets=True)
    world.announce(now_us := NOON_US + 4 * HOUR_US)
    target = Target()
    with (
        running(Settings(service.store.directory, port=0, database=url, feeds=feeds, clock_is_right=True)) as run,
        Live.at(run, service.keys) as live,
    ):
        for name, partner in world.partners.items():
            last = len(world.told_in_feed(partner, now_us))
            with live.stream(name, after=0) as stream:
                told = stream.take(last)
            current = {each.data["record_id"] for each in told if each.data["state"] == "current"}
            assert current == {world.records[n].id for n in partner.seen(now_us)}
            assert not world.leaks(stream.raw, partner, now_us, named=True), name
            with live.stream(name, after=0, path="/records/stream") as records:
                while records.last_id != str(last):
                    next(records)
            assert not world.leaks(records.raw, partner, now_us, named=True), name
            sent = min(last, 20)
            live.must(name, "POST", "/webhooks", json={"url": target.url, "after": last - sent})
            calls = target.wait(len(target.calls) + sent)
            text = "".join(json.dumps(headers) + body.decode() for headers, body in calls[-sent:])
            assert not world.leaks(text, partner, now_us, named=True), name
    target.close()
