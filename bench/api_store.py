"""A store with millions of crossings, and the questions that are asked of it."""

from __future__ import annotations

import random
from typing import Any

import numpy as np

from api import Role, Store
from api.canonical import canonical
from api.identity.roles import SYSTEM, Call, Principal
from api.records.features import feature_bytes, inside_feature
from api.records.lists import RecordFilter, list_readable
from api.records.types import TYPES
from api.release.agreements import add_agreement, add_partner
from api.release.schemas import AgreementTerms, PartnerIn, ReleaseField
from api.store.tables import Base
from api.times import iso
from bench.api_databases import Question, Raw, Rows
from bench.api_records import crossing_json

__all__ = ["ask", "fill", "questions"]

DAYS = 365
START_US = 1_735_689_600_000_000  # 2025-01-01: all is past
_DAY_US = 86_400_000_000
WEST, SOUTH, EAST, NORTH = -117.0, 25.9, -97.2, 32.7
"""A border of some 3,000 km: crossings lie along a line through this box."""
SHARED = 4
"""One crossing in so many is released to the partner."""
_BATCH = 100_000
_COLUMNS = {name: tuple(each.name for each in Base.metadata.tables[name].columns) for name in ("record", "release")}
_READABLE = tuple(each.name for each in Base.metadata.tables["readable"].columns if each.name != "n")


def fill(store: Store, raw: Raw, count: int, *, seed: int = 1) -> Principal:
    """Put `count` confirmed crossings in, every fourth released to one partner, who is returned.

    Written past the service, for it would take an hour; the rows are those that it would write.
    """
    now = store.clock()
    call = Call(SYSTEM, "bench")
    with store.write() as session:
        partner_id = add_partner(session, call, now, PartnerIn(name="bravo"))["id"]
        terms = AgreementTerms(
            partner_id=partner_id, kinds=["person"], purposes=["border-surveillance"], markings=["REL BRAVO"],
            fields=[ReleaseField.KIND, ReleaseField.POSITION, ReleaseField.ELLIPSE, ReleaseField.DIRECTION],
        )  # fmt: skip
        agreement_id = add_agreement(session, call, now, terms)["id"]
    starts = range(0, count, _BATCH)
    raw.load(_batch(start, min(start + _BATCH, count), partner_id, agreement_id, seed) for start in starts)
    return Principal("bench", "bravo", Role.PARTNER, partner_id)


def _batch(start: int, stop: int, partner_id: str, agreement_id: str, seed: int) -> list[Rows]:
    chance = np.random.default_rng([seed, start])
    size = stop - start
    along = chance.random(size)
    lons = WEST + along * (EAST - WEST)
    lats = SOUTH + (1 - along) * (NORTH - SOUTH) + chance.normal(0, 0.02, size)
    times = START_US + chance.integers(0, DAYS * _DAY_US, size)
    records: list[tuple[Any, ...]] = []
    readable: list[tuple[Any, ...]] = []
    releases: list[tuple[Any, ...]] = []
    document, whole = _templates()
    for place in range(size):
        number = start + place
        record_id = f"{number:032x}"
        lon, lat, time_us = float(lons[place]), float(lats[place]), int(times[place])
        values = {"n": number, "lat": lat, "lon": lon, "time": iso(time_us), "id": record_id}
        text = document % values
        records.append(
            (record_id, "crossing", "bench", str(number), 1, time_us, time_us, "person", "confirmed",
             lon, lat, lon, lat, time_us, 2**60, "USA", "border-surveillance", "REL BRAVO", "amber",
             "0" * 64, text, "confirmed", 1)
        )  # fmt: skip
        feature = (whole % values).encode()
        common = (record_id, "crossing", 1, time_us)
        readable.append(
            (0, *common, "bench", "person", "confirmed", "confirmed", lon, lat, lon, lat, 0, 2**60, None,
             "original", "1-1", feature)
        )  # fmt: skip
        if number % SHARED == 0:
            shared = feature[: len(feature) // 2]
            releases.append(
                (record_id, record_id, 1, partner_id, agreement_id, None, time_us, time_us, "bench", None, True,
                 None, None, None, None, None, "REL BRAVO", "0" * 64, shared)
            )  # fmt: skip
            readable.append(
                (1, *common, None, "person", None, "confirmed", lon, lat, lon, lat, time_us, 2**60, record_id,
                 "none", record_id, shared)
            )  # fmt: skip
    return [
        ("record", _COLUMNS["record"], records),
        ("release", _COLUMNS["release"], releases),
        ("readable", _READABLE, readable),
    ]


def _templates() -> tuple[str, str]:
    """A document and its Feature as patterns: millions are made of them."""
    lat, lon, time_us, number = 11.111111, 22.222222, START_US + 333_333, 444_444
    given = crossing_json(number, lat=lat, lon=lon, time_us=time_us)
    feature = feature_bytes(inside_feature(TYPES["crossing"], "ID", given, {"revision": 1})).decode()
    marked = {
        str(lat): "%(lat)f",
        str(lon): "%(lon)f",
        iso(time_us): "%(time)s",
        str(number): "%(n)d",
        '"ID"': '"%(id)s"',
    }

    def pattern(text: str) -> str:
        text = text.replace("%", "%%")
        for value, mark in marked.items():
            text = text.replace(value, mark)
        return text

    return pattern(canonical(given)), pattern(feature)


def questions(count: int, *, seed: int = 2) -> list[Question]:
    """Boxes of 0.1 degree on the border, each over one day."""
    chance = random.Random(seed)  # noqa: S311 - places of a measurement
    found = []
    for _ in range(count):
        along = chance.random()
        lon = WEST + along * (EAST - WEST) - 0.05
        lat = SOUTH + (1 - along) * (NORTH - SOUTH) - 0.05
        from_us = START_US + int(chance.random() * (DAYS - 1)) * _DAY_US
        found.append(Question((lon, lat, lon + 0.1, lat + 0.1), from_us, from_us + _DAY_US))
    return found


def ask(store: Store, who: Principal, question: Question) -> list[Any]:
    """The first 100 crossings of a box, through the one place that says who reads what."""
    which = RecordFilter("crossing", from_us=question.from_us, to_us=question.to_us, bbox=question.bbox)
    with store.read() as session:
        return list_readable(session, who, store.clock(), which, limit=100)
