"""Nothing leaks: every field of every record bears a mark of its own, and whatever a partner is answered is searched.

A world of random crossings, agreements, verdicts, releases and recalls is asked in every format and feed. What each
partner may know is worked out by a second telling of the policy that shares no line with the one under test; a mark
that it may not know, in any answer, is a leak.
"""

import json
import random
import re
from dataclasses import dataclass, field

import pytest

from api.feeds.told import Teller
from api.identity.roles import Principal, Role
from api.release.releases import announce_due
from api.trail.log import read_events
from tests.api.samples import CLIP, NOON_US, agreement_json, crossing_json
from tests.api.test_release import rectangle

COUNT, PARTNERS, BY_EACH = 64, ("bravo", "charlie", "delta"), 30
HOUR_US = 3_600_000_000
# A mark of each field, and how it is found again in any text: the number of its record is what is caught.
MARKS = {
    "owner": re.compile(r"OWN(\d+)x"),
    "source": re.compile(r"(?:SRC|SID)(\d+)x"),
    "border": re.compile(r"BRD(\d+)x"),
    "model": re.compile(r"MDL(\d+)x"),
    "clip": re.compile(r"MAN(\d+)x"),
    "position": re.compile(r"(?:31\.(\d{4})7|110\.(\d{4})9)"),
    "ellipse": re.compile(r"\b81(\d{4})\.5"),
    "track": re.compile(r"\b72(\d{4})\.25"),
    "confidence": re.compile(r"0\.5(\d{4})3"),
    "id": None,  # told apart by the service's ids
}
FIELDS = ("source", "border", "model", "position", "ellipse", "track", "confidence", "kind", "clip")


@dataclass
class Known:
    """A crossing as it was made."""

    number: int
    kind: str
    marking: str | None
    purpose: str
    sensitivity: str
    lat: float
    lon: float
    id: str = ""
    verdict: str | None = None
    has_clip: bool = False


@dataclass
class Deal:
    """An agreement as it was made, and what was shared under it: number of the record -> when it may be seen."""

    terms: dict
    id: str = ""
    ended: bool = False
    shared: dict[int, int] = field(default_factory=dict)


def body_of(known):
    n = known.number
    place = {"lat": known.lat, "lon": known.lon}
    return crossing_json(
        f"SID{n}x", source=f"SRC{n}x", border=f"BRD{n}x", owner=f"OWN{n}x",
        model={"name": f"MDL{n}x", "sha256": "0" * 64},
        kind=known.kind, marking=known.marking, purpose=known.purpose, sensitivity=known.sensitivity,
        confidence=float(f"0.5{n:04d}3"), ellipse={"semi_major_m": float(f"81{n:04d}.5"), "semi_minor_m": 1.0,
        "orientation_deg": 0.0}, track=[{"time": "2026-01-01T09:59:59Z", **place, "sigma_m": float(f"72{n:04d}.25")}],
        evidence={"manifest": f"MAN{n}x.json", "clip": f"MAN{n}x.ts", "thumbnail": None,
        "sha256": crossing_json()["evidence"]["sha256"]}, **place,
    )  # fmt: skip


@pytest.fixture(params=[1, 2])
def chance(request):
    return random.Random(request.param)


@pytest.fixture
def world(service, chance):
    records = []
    for n in range(COUNT):
        known = Known(
            n,
            chance.choice(["person", "person", "vehicle"]),
            chance.choice(["REL BRAVO", "REL BRAVO", "REL CHARLIE", None]),
            chance.choice(["border-surveillance", "border-surveillance", "rescue"]),
            chance.choice(["green", "amber", "red"]),
            float(f"31.{n:04d}7"),
            float(f"-110.{n:04d}9"),
            has_clip=n % 8 == 0,
        )
        known.id = service.deliver(body_of(known), clip=CLIP if known.has_clip else None)
        known.verdict = chance.choice(["confirm", "confirm", "confirm", "dismiss", None])
        if known.verdict is not None:
            assert service.judge(known.id, known.verdict).status_code == 201
        records.append(known)
    deals = {name: made_deal(service, service.partner(name), chance) for name in PARTNERS}
    for name, deal in deals.items():
        for known in records:
            if chance.random() < 0.7:
                answer = service.release(known.id, deal.terms["partner_id"])
                assert (answer.status_code == 201) is permits(known, deal), (name, known, deal, answer.text)
                if answer.status_code == 201:
                    delay_us = deal.terms["delay_s"] * 1_000_000
                    deal.shared[known.number] = NOON_US - 2 * HOUR_US + delay_us
                    if chance.random() < 0.2:
                        recalled = service.ask("supervisor", "DELETE", f"/releases/{answer.json()['id']}")
                        assert recalled.status_code == 204
                        del deal.shared[known.number]
    ended = deals[chance.choice(PARTNERS)]
    assert service.ask("administrator", "DELETE", f"/agreements/{ended.id}").status_code == 204
    ended.ended, ended.shared = True, {}
    return records, deals


def made_deal(service, partner_id, chance):
    fields = {name for name in FIELDS if chance.random() < 0.6}
    if fields & {"ellipse", "track", "clip"}:
        fields.add("position")
    terms = agreement_json(
        partner_id,
        kinds=chance.choice([["person"], ["person", "vehicle"]]),
        markings=chance.choice([["REL BRAVO"], ["REL BRAVO", "REL CHARLIE"]]),
        purposes=chance.choice([["border-surveillance"], ["border-surveillance", "rescue"]]),
        sensitivities=chance.choice([["green", "amber"], ["green", "amber", "red"]]),
        fields=sorted(fields),
        delay_s=chance.choice([0, 3 * 3600]),
        area=chance.choice([None, rectangle(-111, 31, -110, 31.0 + COUNT * 0.00007)]),
    )
    answer = service.ask("administrator", "POST", "/agreements", json=terms)
    assert answer.status_code == 201, answer.text
    return Deal(terms, answer.json()["id"])


def permits(known, deal):
    """The policy once more."""
    terms = deal.terms
    inside = terms["area"] is None or known.lat <= terms["area"]["coordinates"][0][2][1]
    return (
        known.verdict == "confirm"
        and known.marking in terms["markings"]
        and known.kind in terms["kinds"]
        and known.purpose in terms["purposes"]
        and known.sensitivity in terms["sensitivities"]
        and inside
    )


def visible(deal, now_us):
    return {number for number, from_us in deal.shared.items() if from_us <= now_us}


def leaks(text, records, deal, seen):
    """Marks in `text` that its reader may not know."""
    found = []
    for name, pattern in MARKS.items():
        if pattern is None:
            told = {known.number for known in records if known.id in text}
            allowed = seen
        else:
            told = {int(next(group for group in match.groups() if group)) for match in pattern.finditer(text)}
            allowed = seen if name == "owner" or name in deal.terms["fields"] else set()
        found += [(name, number) for number in sorted(told - allowed)]
    return found


FILTERS = (
    "kind='person'",
    "status='confirmed' OR review='dismissed'",
    "source LIKE 'SRC%'",
    "S_INTERSECTS(geometry,BBOX(-180,-90,180,90))",
    "T_AFTER(time,TIMESTAMP('2020-01-01T00:00:00Z'))",
    "kind IS NULL OR source IS NULL",
)


def questions(chance, records):
    """Paths that a partner may ask, in every format."""
    some = [chance.choice(records) for _ in range(BY_EACH // 6)]
    yield from ("/crossings", "/crossings?limit=3", "/crossings?status=confirmed", "/crossings?review=pending")
    yield from ("/crossings?bbox=-180,-90,180,90", "/crossings?kind=vehicle", f"/crossings?source=SRC{some[0].number}x")
    items = "/ogc/collections/crossings/items"
    for form in ("json", "csv", "ndjson", "kml"):
        yield f"{items}?f={form}&limit=1000"
    for each in FILTERS:
        yield f"{items}?filter={each}&filter-lang=cql2-text"
    yield from ("/ogc", "/ogc/collections", "/ogc/collections/crossings", "/ogc/collections/crossings/queryables")
    yield from ("/cot", "/alerts", "/events?limit=1000", "/cues", "/sorties", "/recalls", "/subscriptions", "/webhooks")
    for known in some:
        yield f"/crossings/{known.id}"
        yield f"{items}/{known.id}"
        yield f"/crossings/{known.id}/alert.xml"
        for part in ("clip", "manifest"):
            yield f"/crossings/{known.id}/evidence/{part}"


def test_no_answer_and_no_feed_tells_what_was_not_shared(service, world, chance, clock):
    records, deals = world
    everything = service.ask("analyst", "GET", "/crossings?limit=1000").text
    for name, pattern in MARKS.items():  # a mark that cannot be found would find no leak
        assert pattern is None or len(set(pattern.findall(everything))) >= COUNT, name
    items = "/ogc/collections/crossings/items"
    assert {service.ask("analyst", "GET", f"{items}?filter={each}").status_code for each in FILTERS} == {200}
    checked = 0
    for hours in (0, 4):  # before and after the delays have passed
        clock.now_us += hours * HOUR_US
        with service.store.write() as session:
            announce_due(session, clock.now_us)
        for name, deal in deals.items():
            seen = visible(deal, clock.now_us)
            recalled = recalled_of(service, deal, records)
            for path in questions(chance, records):
                text = answered(service, name, path)
                found = leaks(text, records, deal, seen)
                # What was taken back after it was told is named once more: that is what a recall is for.
                tells = path.startswith(("/events", "/recalls", "/alerts", "/cot")) or path.endswith("alert.xml")
                named = recalled if tells else set()
                assert [leak for leak in found if leak[0] != "id" or leak[1] not in named] == [], (name, path)
                checked += 1
            assert listed(service, name) == {known.id for known in records if known.number in seen}
            matched = service.ask(name, "GET", "/ogc/collections/crossings/items?limit=1000").json()["numberMatched"]
            assert matched == len(seen)
            for text in told_in_feed(service, deal, name, clock.now_us):
                found = leaks(text, records, deal, seen)
                assert [leak for leak in found if leak[0] != "id" or leak[1] not in recalled] == [], (name, text)
            for known in records:
                if known.has_clip:
                    may = known.number in seen and "clip" in deal.terms["fields"]
                    status = service.ask(name, "GET", f"/crossings/{known.id}/evidence/clip").status_code
                    assert status == (200 if may else 404)
    assert checked > 250


def answered(service, name, path):
    """The answer as text; of a 404 without the id that was asked for, which it says again."""
    answer = service.ask(name, "GET", path)
    assert answer.status_code < 500, (path, answer.text)
    text = answer.text + json.dumps(dict(answer.headers))
    return re.sub(r"(crossing|record) [0-9a-f]{32}", "", text) if answer.status_code == 404 else text


def recalled_of(service, deal, records):
    releases = service.ask(
        "supervisor", "GET", "/releases", params={"partner_id": deal.terms["partner_id"], "limit": 1000}
    ).json()
    taken = {each["record_id"] for each in releases if each["recalled"] is not None}
    return {known.number for known in records if known.id in taken}


def listed(service, name):
    return set(service.seen_by(name, limit="1000"))


def told_in_feed(service, deal, name, now_us):
    """Every event of a partner's log, as streams and webhooks tell it."""
    partner_id = deal.terms["partner_id"]
    principal = Principal("x", name, Role.PARTNER, partner_id)
    with service.store.read() as session:
        teller = Teller(session, now_us)
        events = read_events(session, audience=partner_id, after=0, limit=1000)
        return [teller.tell(principal, event).body for event in events]
