"""People at work on a store, without a service between them."""

import json
from typing import Any

from api.identity.roles import Call, Principal, Role
from api.ingest.records import deliver
from api.records.lists import RecordFilter
from api.records.readable import find_readable
from api.records.schemas import CrossingIn
from api.records.types import TYPES
from api.review.policy import get_policy
from api.review.queue import QueueFilter, change_policy, read_queue
from api.review.schemas import PolicyIn, ReviewIn
from api.review.verdicts import review
from api.trail.audit import read_audit
from api.trail.log import read_events
from tests.api.samples import crossing_json


def person(name: str, role: Role = Role.ANALYST, *, key: str | None = None, account: bool = True) -> Principal:
    """Somebody with an account, who came in by `key`; without an account, the key alone."""
    return Principal(key or f"key-of-{name}", name, role, account_id=f"account-of-{name}" if account else None)


ANA, BEN, CLEO = (person(name) for name in ("ana", "ben", "cleo"))
CHIEF = person("chief", Role.SUPERVISOR)
PILOT = Principal("pilot", "pilot", Role.PILOT)
ADMIN = person("admin", Role.ADMINISTRATOR)


class Desk:
    def __init__(self, store: Any, clock: Any) -> None:
        self.store, self.clock = store, clock

    def do(self, who: Principal, work: Any, *given: Any, **more: Any) -> Any:
        now = self.clock()
        with self.store.write() as session:
            return work(session, Call(who, "test"), now, *given, **more)

    def see(self, who: Principal, work: Any, *given: Any, **more: Any) -> Any:
        with self.store.read() as session:
            return work(session, Call(who, "test"), self.clock(), *given, **more)

    def deliver(self, source_id: str, second: int = 0, **changes: Any) -> str:
        told = crossing_json(source_id, update_time=f"2026-01-01T10:{second // 60:02}:{second % 60:02}Z", **changes)
        given = CrossingIn.model_validate_json(json.dumps(told))
        return self.do(PILOT, deliver, TYPES["crossing"], given).id

    def feature(self, record_id: str) -> dict[str, Any]:
        with self.store.read() as session:
            row = find_readable(session, ANA, self.clock.now_us, record_id)
        return json.loads(row.feature)["properties"] | {"etag": f'"{row.etag}"'}

    def judge(self, who: Principal, record_id: str, verdict: str, **more: Any) -> Any:
        wish = ReviewIn(verdict=verdict, **({"reason": "a deer"} | more if verdict == "dismiss" else more))
        return self.do(who, review, record_id, wish, if_match=self.feature(record_id)["etag"])

    def rules(self, **policy: Any) -> None:
        with self.store.read() as session:
            etag = get_policy(session)["etag"]
        self.do(ADMIN, change_policy, PolicyIn.model_validate_json(json.dumps(policy)), if_match=etag)

    def queue(self, who: Principal = ANA, *, limit: int = 200, after: Any = None, **which: Any) -> Any:
        sought = QueueFilter(which.pop("records", RecordFilter("crossing")), **which)
        return self.see(who, read_queue, sought, limit=limit, after=after)

    def store_events(self, kind: str) -> list[dict[str, Any]]:
        with self.store.read() as session:
            return [event for event in read_events(session, after=0, limit=10_000) if event["kind"] == kind]

    def store_audit(self, action: str) -> list[dict[str, Any]]:
        with self.store.read() as session:
            return [
                entry.body for entry in read_audit(session, after=0, limit=10_000) if entry.body["action"] == action
            ]

    def judge_all(self) -> None:
        for item in self.queue()["items"]:
            self.judge(ANA, item["id"], "dismiss")
