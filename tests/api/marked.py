"""A world of random records in which every value bears a mark, and what each partner may know of it.

A mark says of which record it is and which field of an agreement shares it, so that it is known again in any text. What
a partner may know is worked out by a second telling of the policy that shares no line with the one under test.
"""

import hashlib
import json
import random
import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from api import Role
from api.feeds.told import Teller
from api.identity.keys import issue_key
from api.identity.roles import SYSTEM, Call, Principal
from api.ingest.records import deliver_all
from api.records.readable import find_readable
from api.records.types import TYPES
from api.release.announcing import announce_due
from api.release.releases import recall, release
from api.release.schemas import ReleaseIn
from api.review.schemas import ReviewIn
from api.review.verdicts import review
from api.trail.log import last_n, read_events
from tests.api.samples import NOON_US, agreement_json, packets
from tests.api.test_release import rectangle

COUNTS = {"crossing": 400, "cue": 500, "segment": 150, "plan": 150, "sortie": 250, "vehicle": 350, "sensor": 200}
HOUR_US = 3_600_000_000
LASTING_DAYS = 3650  # the real clock, too, finds them kept
ALWAYS, NEVER = "always", "never"

# The marks: a word, the last decimals of a number, a fraction of a second. Each names a field, then the record.
WORDS = {
    "OWN": ALWAYS, "SRC": "source", "BRD": "border", "MDL": "model", "CLP": "clip", "STA": "status", "NEV": NEVER,
}  # fmt: skip
DIGITS = {1: "position", 2: "ellipse", 3: "track", 4: "confidence", 5: "status", 9: NEVER}
HOURS = {8: "track", 9: "status", 10: ALWAYS, 11: NEVER}
# Of numbers a digit goes before the point: in the name of an alert a random id follows one, and begins as it likes.
MARKS = re.compile(
    rf"({'|'.join(WORDS)})(\d{{4}})x"
    rf"|(?<=\d)\.1(\d{{4}})7([{''.join(map(str, DIGITS))}])(?!\d)"
    r"|T(08|09|10|11):00:00\.00(\d{4})"
)
IDS = re.compile(r"(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])")
# What each field of an agreement shares of each type: written down a second time, by hand.
MEMBERS: dict[str, dict[str, set[str]]] = {
    "crossing": {
        **{name: {name} for name in ("kind", "direction", "status", "method", "ellipse", "track", "border")},
        **{name: {name} for name in ("confidence", "model")}, "source": {"source", "source_id"}, "clip": {"evidence"},
    },
    "cue": {"kind": {"kind"}, "confidence": {"confidence"}, "source": {"sensor", "id"}},
    "segment": {"border": {"name", "authority"}, "source": {"source", "source_id"}},
    "plan": {
        "border": {"segments"}, "status": {"objective", "revisit_s", "seen_share", "sorties"},
        "source": {"source", "source_id", "name"},
    },
    "sortie": {"status": {"state", "take_off", "landing"}, "source": {"source", "source_id", "vehicle", "plan"}},
    "vehicle": {
        "kind": {"frame"}, "status": {"state"}, "track": {"heading_deg", "speed_m_s", "altitude_amsl_m"},
        "source": {"source", "source_id", "name", "sortie"},
    },
    "sensor": {"kind": {"kind"}, "status": {"state"}, "source": {"source", "source_id", "name"}},
}  # fmt: skip
OF_ALL = {"time", "purpose", "owner", "marking", "retention_days"}
OF_CUES = {"type", "phenomenonTime", "custody"}
OF_RELEASES = {"release_id", "released", "agreement_id"}
FIELDS = ("kind", "direction", "status", "method", "position", "ellipse", "track", "border", "confidence", "model",
          "source", "clip")  # fmt: skip


def word(code: str, n: int) -> str:
    return f"{code}{n:04d}x"


def number(whole: int, n: int, digit: int) -> float:
    return float(f"{whole}.1{n:04d}7{digit}")


def moment(hour: int, n: int) -> str:
    return f"2026-01-01T{hour:02d}:00:00.00{n:04d}Z"


@dataclass
class Known:
    """A record as it was made."""

    n: int
    type: str
    kind: str
    marking: str | None
    purpose: str
    sensitivity: str
    verdict: str | None
    id: str = ""

    @property
    def collection(self) -> str:
        return TYPES[self.type].collection

    @property
    def lat(self) -> float:
        return number(31, self.n, 1)

    @property
    def clip(self) -> bytes:
        return packets(word("CLP", self.n).encode() * 200)


def body_of(known: Known, update: str | None = None) -> dict[str, Any]:
    """The record as it goes over the wire, a mark in every value that can hold one."""
    n = known.n
    custody = {
        "owner": word("OWN", n), "purpose": known.purpose, "marking": known.marking, "retention_days": LASTING_DAYS,
        "sensitivity": known.sensitivity,
    }  # fmt: skip
    times = {"time": moment(10, n), "update_time": update or moment(11, n)}
    common = {"source": word("SRC", n), "source_id": word("SRC", n), **times, **custody}
    lat, lon = known.lat, number(-110, n, 1)
    way = [[lon, lat], [number(-109, n, 1), lat]]
    track = [{"time": moment(8, n), "lat": number(31, n, 3), "lon": number(-110, n, 3), "sigma_m": number(2, n, 3)}]
    own: dict[str, dict[str, Any]] = {
        "crossing": {
            "kind": known.kind, "direction": "inbound", "status": "confirmed", "method": "ground", "lat": lat,
            "lon": lon, "border": word("BRD", n), "confidence": number(0, n, 4), "track": track,
            "ellipse": {"semi_major_m": number(8, n, 2), "semi_minor_m": number(7, n, 2), "orientation_deg": 0.0},
            "evidence": {"manifest": word("CLP", n) + ".json", "clip": word("CLP", n) + ".ts", "thumbnail": None,
                         "sha256": hashlib.sha256(known.clip).hexdigest()},
            "model": {"name": word("MDL", n), "sha256": "0" * 64},
            "also_seen": [{"source": word("NEV", n), "source_id": word("NEV", n)}],
        },
        "cue": {
            "type": "cue", "id": f"{n:032x}", "sensor": word("SRC", n), "kind": "motion",
            "phenomenonTime": times["time"], "resultTime": times["update_time"],
            "location": {"type": "Point", "coordinates": [lon, lat]}, "uncertainty_m": number(5, n, 9),
            "confidence": number(0, n, 4), "parameters": {"model": word("NEV", n), "azimuth_deg": number(6, n, 9)},
            "custody": custody,
        },
        "segment": {
            "name": word("BRD", n), "authority": word("BRD", n), "line": way, "own_side": "left",
            "stand_off_m": number(60, n, 9), "band_depth_m": number(30, n, 9), "priority": number(1, n, 9),
        },
        "plan": {
            "name": word("SRC", n), "segments": [word("BRD", n)], "objective": "revisit", "sorties": 2, "ways": [way],
            "revisit_s": number(90, n, 5), "seen_share": number(0, n, 5), "lower_bound_s": number(80, n, 9),
            "sha256": "0" * 64,
        },
        "sortie": {
            "plan": word("SRC", n), "vehicle": word("SRC", n), "state": "planned", "take_off": moment(9, n),
            "landing": moment(9, n), "way": way, "battery_left": number(0, n, 9),
        },
        "vehicle": {
            "name": word("SRC", n), "frame": "copter", "state": word("STA", n), "lat": lat, "lon": lon,
            "altitude_amsl_m": number(900, n, 3), "heading_deg": number(50, n, 3), "speed_m_s": number(9, n, 3),
            "battery_left": number(0, n, 9), "sortie": word("SRC", n),
        },
        "sensor": {
            "name": word("SRC", n), "kind": "motion", "lat": lat, "lon": lon, "range_m": number(70, n, 9),
            "azimuth_deg": number(40, n, 9),
        },
    }  # fmt: skip
    return own["cue"] if known.type == "cue" else common | own[known.type]


@dataclass
class Deal:
    """An agreement as it was made; `ended` after its releases."""

    terms: dict[str, Any]
    id: str
    ended: bool = False

    def permits(self, known: Known) -> bool:
        """The policy once more."""
        terms = self.terms
        area = terms["area"]
        return (
            known.type in terms["records"]
            and known.verdict in ({"confirm"} if known.type == "crossing" else {None})
            and known.marking in terms["markings"]
            and (known.type != "crossing" or known.kind in terms["kinds"])
            and known.purpose in terms["purposes"]
            and known.sensitivity in terms["sensitivities"]
            and (area is None or known.lat <= area["coordinates"][0][2][1])
        )


@dataclass
class Partner:
    """A partner, and what was shared with it: number of the record -> under which agreement."""

    name: str
    id: str
    deals: list[Deal]
    shared: dict[int, Deal] = field(default_factory=dict)
    told: set[int] = field(default_factory=set)
    """Those that it was once told of: of these a recall names the id again."""

    def covering(self, known: Known) -> Deal | None:
        """The first agreement that permits it."""
        return next((deal for deal in self.deals if deal.permits(known)), None)

    def seen(self, now_us: int) -> dict[int, Deal]:
        """What it may read now."""
        return {
            n: deal
            for n, deal in self.shared.items()
            if not deal.ended and NOON_US - 2 * HOUR_US + n + deal.terms["delay_s"] * 1_000_000 <= now_us
        }


class World:
    """A service full of records, and partners that may know some of them."""

    def __init__(self, service: Any, chance: random.Random, counts: dict[str, int]) -> None:
        self.service, self.chance, self.size = service, chance, sum(counts.values())
        self.records: dict[int, Known] = {}
        self.partners: dict[str, Partner] = {}
        self.clips: list[Known] = []
        with service.store.write() as session:
            by = Call(SYSTEM, "test")
            self.callers = {
                role: Call(Principal(issue_key(session, by, NOON_US, name=role, role=role).id, role, role), "test")
                for role in (Role.PILOT, Role.SENSOR, Role.ANALYST, Role.SUPERVISOR)
            }

    def add_partner(self, name: str, *, subscribed: bool) -> Partner:
        """With two random agreements; `subscribed` gets whatever they permit, as it comes."""
        partner = self.partners[name] = Partner(name, self.service.partner(name), [])
        for _ in range(2):
            fields = {each for each in FIELDS if self.chance.random() < 0.6}
            if fields & {"ellipse", "track", "clip"}:
                fields.add("position")
            some = self.chance.sample(list(COUNTS), 5)
            terms = agreement_json(
                partner.id,
                records=[*some, "crossing"][: 5 if "crossing" in some else 6],
                kinds=self.chance.choice([["person"], ["person", "vehicle"]]),
                markings=[f"REL {name.upper()}", *self.chance.choice([[], ["REL ALL"]])],
                purposes=self.chance.choice([["border-surveillance"], ["border-surveillance", "rescue"]]),
                sensitivities=self.chance.choice([["green", "amber"], ["green", "amber", "red"]]),
                fields=sorted(fields),
                media=self.chance.choice(["original", "original", "blurred"]),
                delay_s=self.chance.choice([0, 3 * 3600]),
                area=self.chance.choice([None, rectangle(-111, 31, -109, 31.1 + self.size * 7e-6)]),
                subscriptions=subscribed,
            )
            answer = self.service.ask("administrator", "POST", "/agreements", json=terms)
            assert answer.status_code == 201, answer.text
            partner.deals.append(Deal(terms, answer.json()["id"]))
            if subscribed:
                wish = {"agreement_id": partner.deals[-1].id}
                assert self.service.ask(name, "POST", "/subscriptions", json=wish).status_code == 201
        return partner

    def add_records(self, counts: dict[str, int], markings: list[str | None]) -> list[Known]:
        """Random records, delivered in bulk; of the crossings most are judged."""
        types = [type_ for type_, count in counts.items() for _ in range(count)]
        self.chance.shuffle(types)
        made = [
            Known(
                len(self.records) + number_,
                type_,
                self.chance.choice(["person", "person", "vehicle"]),
                self.chance.choice(markings),
                self.chance.choice(["border-surveillance", "border-surveillance", "rescue"]),
                self.chance.choice(["green", "amber", "red"]),
                self.chance.choice(["confirm", "confirm", "confirm", "dismiss", None]) if type_ == "crossing" else None,
            )
            for number_, type_ in enumerate(types)
        ]
        self.records |= {known.n: known for known in made}
        for type_ in counts:
            of_type = [known for known in made if known.type == type_]
            for known, id_ in zip(of_type, self.deliver(type_, [body_of(known) for known in of_type]), strict=True):
                known.id = id_
        with self.service.store.write() as session:
            for known in made:
                if known.verdict is not None:
                    self._judge(session, known)
        for partner in self.partners.values():
            for known in made:
                deal = partner.covering(known)
                if deal is not None and deal.terms["subscriptions"]:
                    partner.shared[known.n] = deal
        return made

    def deliver(self, type_: str, bodies: list[dict[str, Any]]) -> list[str]:
        given = [TYPES[type_].model.model_validate_json(json.dumps(body)) for body in bodies]
        call = self.callers[Role.SENSOR if type_ == "cue" else Role.PILOT]
        with self.service.store.write() as session:
            return [done.id for done in deliver_all(session, call, NOON_US, TYPES[type_], given)]

    def _judge(self, session: Any, known: Known) -> None:
        call = self.callers[Role.ANALYST]
        etag = find_readable(session, call.principal, NOON_US, known.id).etag
        verdict = ReviewIn(verdict=known.verdict, reason="seen")
        review(session, call, NOON_US, known.id, verdict, if_match=f'"{etag}"')

    def release_some(self, partner: Partner, share: float) -> None:
        """Release what is permitted, record by record."""
        call = self.callers[Role.SUPERVISOR]
        with self.service.store.write() as session:
            for known in self.records.values():
                deal = partner.covering(known)
                if deal is not None and self.chance.random() < share:
                    release(session, call, NOON_US, ReleaseIn(record_id=known.id, partner_id=partner.id))
                    partner.shared[known.n] = deal

    def recall_some(self, partner: Partner, share: float) -> None:
        """Take back some of what was released to a partner."""
        call = self.callers[Role.SUPERVISOR]
        by_id = {known.id: known.n for known in self.records.values()}
        partner.told |= set(partner.seen(NOON_US))
        releases = self.service.ask(
            "supervisor", "GET", "/releases", params={"partner_id": partner.id, "limit": 1000}
        ).json()
        assert {by_id[each["record_id"]] for each in releases} == set(partner.shared)
        with self.service.store.write() as session:
            # Not in the order of their ids, which are drawn anew in each run.
            for each in sorted(releases, key=lambda one: by_id[one["record_id"]]):
                if self.chance.random() < share:
                    recall(session, call, NOON_US, each["id"], None)
                    del partner.shared[by_id[each["record_id"]]]

    def add_clips(self, crossings: list[Known]) -> None:
        """Their evidence comes."""
        for known in crossings:
            path = f"/crossings/{known.id}/evidence/clip"
            assert self.service.ask("pilot", "PUT", path, content=known.clip).status_code == 200
        self.clips += crossings

    def end(self, deal: Deal) -> None:
        answer = self.service.ask("administrator", "DELETE", f"/agreements/{deal.id}")
        assert answer.status_code == 204
        deal.ended = True

    def announce(self, now_us: int) -> None:
        """Tell partners of what is due."""
        with self.service.store.write() as session:
            while announce_due(session, now_us):
                pass
        for partner in self.partners.values():
            partner.told |= set(partner.seen(now_us))

    def leaks(self, text: str, partner: Partner, now_us: int, *, named: bool = False) -> Counter[tuple[str, int]]:
        """Marks and ids in a text that the partner may not know; `named`: ids that it was once told of are none."""
        seen = partner.seen(now_us)
        by_id = {known.id: known.n for known in self.records.values()}
        by_id |= {f"{known.n:032x}": known.n for known in self.records.values() if known.type == "cue"}
        found: Counter[tuple[str, int]] = Counter()
        for mark in MARKS.finditer(text):
            code, of_word, of_number, digit, hour, of_hour = mark.groups()
            name = WORDS[code] if code else DIGITS[int(digit)] if digit else HOURS[int(hour)]
            n = int(of_word or of_number or of_hour)
            may = n in seen and (name == ALWAYS or name in seen[n].terms["fields"])
            if not may:
                found[name, n] += 1
        for id_ in set(IDS.findall(text)) & by_id.keys():
            n = by_id[id_]
            own = id_ == f"{n:032x}"  # of a cue, as its sensor called it
            may = n in seen and (not own or "source" in seen[n].terms["fields"])
            if not may and not (named and n in partner.told and not own):
                found["id", n] += 1
        return found

    def told_in_feed(self, partner: Partner, now_us: int) -> list[str]:
        """Every event of a partner's log, as streams and webhooks tell it."""
        principal = Principal("x", partner.name, Role.PARTNER, partner.id)
        found: list[str] = []
        with self.service.store.read() as session:
            teller, last = Teller(session, now_us), last_n(session, partner.id)
            while len(found) < last:
                events = read_events(session, audience=partner.id, after=len(found), limit=1000)
                teller.look(teller.prepare(principal, events))
                found += [teller.tell(principal, event).body for event in events]
        return found


def members_of(known: Known, deal: Deal) -> set[str]:
    """The properties that a partner gets of a record, no more and no less."""
    shared = MEMBERS[known.type]
    always = OF_CUES if known.type == "cue" else OF_ALL
    return always.union(OF_RELEASES, *(shared.get(name, set()) for name in deal.terms["fields"]))
