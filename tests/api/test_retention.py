"""What has run out goes from every place, what is held stays, and a tombstone says what was there."""

import asyncio
import hashlib
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sqlalchemy import event, select, text
from sqlalchemy.exc import IntegrityError

from api import Settings, SettingsError, StorageError, Store, verify_audit
from api.account.erasure import erase_one, remove_orphans, sweep
from api.account.settings import AccountSettings
from api.account.tasks import overwrite_erased, sweep_store
from api.background import Service as Background
from api.background import beside
from api.identity.roles import SYSTEM, Call
from api.store.objects import ObjectFolder
from api.store.tables import EvidenceRow
from tests.api.conftest import ON_SQLITE
from tests.api.people import make_account
from tests.api.raw import is_postgres, place_of, raw
from tests.api.samples import packets

ROOT = Path(__file__).parents[2]
DAY_US = 86_400_000_000
MARK = "Zanzibar-7731"
"""Stands in every text that somebody may write of a person."""


def files(store):
    return {path.relative_to(store.directory).as_posix(): path for path in store.directory.rglob("*") if path.is_file()}


def objects(store):
    return {item.sha256 for item in store.objects.kept()}


def tombstones(service):
    return service.ask("auditor", "GET", "/tombstones").json()["tombstones"]


def erase(service, record_id, who="supervisor", reason="LED art. 16, case 4/26"):
    return service.ask(who, "POST", "/erasures", json={"record_id": record_id, "reason": reason})


def hold(service, record_id, reason="court order 12"):
    return service.ask("supervisor", "POST", "/holds", json={"record_id": record_id, "reason": reason})


def sweep_now(service):
    erased = sweep(service.store)
    service.store.forget()
    return erased


def test_what_a_reader_kept_from_being_forgotten_is_forgotten_without_a_sweep(tmp_path):
    store = Store(tmp_path, busy_timeout_s=0.05)
    log = tmp_path / "vedette.sqlite-wal"

    async def look_once():
        async with beside(Background(store, Settings(tmp_path)), [overwrite_erased]):
            while not store.has_forgotten:  # noqa: ASYNC110 - it tells nobody
                await asyncio.sleep(0.01)

    with store.read() as session:
        session.execute(text("SELECT count(*) FROM event"))
        store.check_database()
        store.forget()
        assert not store.has_forgotten
    assert log.stat().st_size
    asyncio.run(asyncio.wait_for(look_once(), 20))
    assert not log.stat().st_size
    store.close()


@ON_SQLITE
def test_erased_is_said_when_the_bytes_are_gone(service, crossing):
    engine = service.store._database.engine
    engine.dispose()
    event.listen(engine, "connect", lambda connection, _record: connection.execute("PRAGMA busy_timeout = 10"))
    first, second = service.deliver(crossing("a")), service.deliver(crossing("b", border=MARK))
    with service.store.read() as session:
        session.execute(text("SELECT count(*) FROM event"))
        answer = erase(service, second)
    assert (answer.status_code, answer.json()) == (202, {"state": "erased when what is being read ends"})
    assert service.seen_by("analyst") == [first]
    assert not service.store.has_forgotten
    answer = erase(service, first)
    assert (answer.status_code, answer.json()) == (200, {"state": "erased"})


def test_nothing_of_the_person_is_left_anywhere(service, crossing, tmp_path):
    """Texts that people wrote and what was filmed, in every table, in free pages, in the log, in the object folder."""
    clip = packets(MARK.encode() * 2000)
    bravo = service.partner("bravo")
    service.agree(bravo, fields=["kind", "position", "border", "clip"])
    body = crossing("a", border=MARK, evidence={**crossing()["evidence"], "sha256": hashlib.sha256(clip).hexdigest()})
    record_id = service.deliver(body, clip=clip)
    etag = service.ask("analyst", "GET", f"/crossings/{record_id}").headers["ETag"]
    review = {"verdict": "confirm", "reason": f"known as {MARK}"}
    path = f"/crossings/{record_id}/reviews"
    assert service.ask("analyst", "POST", path, json=review, headers={"If-Match": etag}).status_code == 201
    first = service.release(record_id, bravo, reason=MARK).json()["id"]
    service.ask("supervisor", "DELETE", f"/releases/{first}", params={"reason": MARK})
    assert service.release(record_id, bravo, reason=MARK).status_code == 201
    lifted = hold(service, record_id, reason=MARK).json()["id"]
    service.ask("supervisor", "POST", f"/holds/{lifted}/lift", json={"reason": MARK})
    service.deliver(body | {"update_time": "2026-01-01T10:01:00Z", "border": f"{MARK} again"}, clip=clip)
    assert [name for name, path in files(service.store).items() if MARK.encode() in path.read_bytes()]
    assert erase(service, record_id).json() == {"state": "erased"}
    left = {name: path.read_bytes().count(MARK.encode()) for name, path in files(service.store).items()}
    assert not any(left.values()), left
    assert verify_audit(service.store)


def test_what_has_run_out_is_erased_and_leaves_a_tombstone(service, crossing, clip, clock):
    short = service.deliver(crossing("short", retention_days=2), clip=clip)
    long = service.deliver(crossing("long", retention_days=30), clip=clip)
    digest = hashlib.sha256(clip).hexdigest()
    assert sweep_now(service) == 0
    clock.now_us += 2 * DAY_US
    assert sweep_now(service) == 1
    assert service.seen_by("analyst") == [long]
    assert service.ask("analyst", "GET", f"/crossings/{long}/evidence/clip").content == clip  # both had the same clip
    assert objects(service.store) == {digest}
    (stone,) = tombstones(service)
    assert (stone["record_id"], stone["type"], stone["why"], stone["revision"]) == (short, "crossing", "retention", 1)
    assert stone["rule"] == "the record's own retention ran out"
    clock.now_us += 28 * DAY_US
    assert sweep_now(service) == 1
    assert objects(service.store) == set()
    assert sweep_now(service) == 0
    assert len(tombstones(service)) == 2
    events = service.ask("analyst", "GET", "/events").json()["events"]
    assert [event["record_id"] for event in events if event["kind"] == "record.erased"] == [short, long]


def test_a_purpose_shortens_and_never_lengthens(service, crossing, clock):
    days = {"watch": 10, "rescue": 3}
    ids = {name: service.deliver(crossing(name, purpose=name, retention_days=kept)) for name, kept in days.items()}
    put = service.ask("administrator", "PUT", "/retention/watch", json={"days": 1})
    assert (put.status_code, put.json()["days"]) == (200, 1)
    assert service.ask("administrator", "PUT", "/retention/rescue", json={"days": 90}).status_code == 200
    assert service.ask("auditor", "GET", "/retention").json()[1]["purpose"] == "watch"
    clock.now_us += DAY_US
    assert sweep_now(service) == 1
    assert [stone["rule"] for stone in tombstones(service)] == ["purpose watch is kept for 1 days"]
    clock.now_us += 2 * DAY_US
    assert sweep_now(service) == 1
    assert {stone["record_id"] for stone in tombstones(service)} == set(ids.values())
    assert service.ask("administrator", "DELETE", "/retention/watch").status_code == 204
    assert service.ask("administrator", "DELETE", "/retention/watch").status_code == 404
    for wrong in ({"days": 0}, {"days": 5000}, {"days": "x"}, {}):
        assert service.ask("administrator", "PUT", "/retention/watch", json=wrong).status_code == 422


def test_what_is_held_stays_until_the_hold_is_lifted(service, crossing, clip, clock):
    record_id = service.deliver(crossing(retention_days=1), clip=clip)
    held = hold(service, record_id)
    assert held.status_code == 201
    clock.now_us += 5 * DAY_US
    assert sweep_now(service) == 0
    assert service.seen_by("analyst") == []  # it is kept, and not shown for longer
    assert erase(service, record_id).status_code == 409
    assert objects(service.store)
    other = hold(service, record_id, reason="another court").json()["id"]
    lift = f"/holds/{held.json()['id']}/lift"
    assert service.ask("supervisor", "POST", lift, json={"reason": "case closed"}).json()["lifted"]
    assert service.ask("supervisor", "POST", lift, json={"reason": "again"}).status_code == 404
    assert sweep_now(service) == 0  # the other still stands
    assert service.ask("supervisor", "POST", f"/holds/{other}/lift", json={"reason": "closed"}).status_code == 200
    assert sweep_now(service) == 1
    assert hold(service, record_id).status_code == 404
    listed = service.ask("auditor", "GET", "/holds", params={"record_id": record_id}).json()
    assert [item["lifted"] is not None for item in listed] == [True, True]
    for role in ("analyst", "pilot", "administrator", "auditor"):
        assert service.ask(role, "POST", "/holds", json={"record_id": record_id, "reason": "x"}).status_code == 403


def test_partners_get_a_recall_first(service, crossing, clip):
    bravo, charlie = service.partner("bravo"), service.partner("charlie")
    service.agree(bravo, fields=["kind", "position", "clip"])
    record_id = service.deliver(crossing(), clip=clip)
    service.judge(record_id)
    assert service.release(record_id, bravo).status_code == 201
    assert service.seen_by("bravo") == [record_id]
    assert erase(service, record_id).status_code == 200
    assert service.seen_by("bravo") == []
    assert service.ask("bravo", "GET", f"/crossings/{record_id}/evidence/clip").status_code == 404
    told = [event["kind"] for event in service.ask("bravo", "GET", "/events").json()["events"]]
    assert told == ["release.created", "release.recalled"]
    assert service.ask("charlie", "GET", "/events").json()["events"] == []
    inside = [event["kind"] for event in service.ask("analyst", "GET", "/events").json()["events"]]
    assert inside.index("release.recalled") < inside.index("record.erased")
    assert charlie


def test_what_was_erased_is_not_told_anew(service, crossing, clip):
    body = crossing("a")
    record_id = service.deliver(body, clip=clip)
    erase(service, record_id)
    for again in (body, body | {"update_time": "2026-02-01T00:00:00Z", "kind": "vehicle"}):
        answer = service.ask("pilot", "POST", "/crossings", json=again)
        assert (answer.json()["id"], answer.json()["outcome"]) == (record_id, "dropped")
        assert "erased" in answer.json()["note"]
    assert service.ask("pilot", "PUT", f"/crossings/{record_id}/evidence/clip", content=clip).status_code == 404
    assert erase(service, record_id).status_code == 404
    assert erase(service, "f" * 32).status_code == 404
    assert service.seen_by("analyst") == []
    assert objects(service.store) == set()


def test_a_state_that_ran_out_may_be_told_of_again(service, clock):
    body = {
        "source": "base", "source_id": "sensor-1", "update_time": "2026-01-01T10:00:00Z",
        "time": "2026-01-01T10:00:00Z",
        "kind": "infrared", "state": "working", "name": "north", "lat": 31.0, "lon": -110.0,
        "purpose": "border-surveillance", "owner": "USA", "marking": None, "retention_days": 1,
    }  # fmt: skip
    made = service.ask("pilot", "POST", "/sensors", json=body)
    assert made.status_code == 201, made.text
    record_id = made.json()["id"]
    clock.now_us += DAY_US
    assert sweep_now(service) == 1
    again = service.ask("pilot", "POST", "/sensors", json=body)
    assert again.json()["outcome"] == "dropped"
    again = service.ask("pilot", "POST", "/sensors", json=body | {"update_time": "2026-01-02T11:00:00Z"})
    assert (again.json()["id"], again.json()["outcome"]) == (record_id, "replaced")
    assert service.ask("analyst", "GET", f"/sensors/{record_id}").status_code == 200
    assert sweep_now(service) == 0


def test_two_people_where_the_policy_says_so(service, crossing):
    strict = AccountSettings(two_people_lift=True, two_people_erase=True)
    service.app.state.settings = Settings(service.store.directory, account=strict)
    service.key("second", "supervisor")
    record_id = service.deliver(crossing())
    lift = f"/holds/{hold(service, record_id).json()['id']}/lift"
    for path, body in ((lift, {"reason": "x"}), ("/erasures", {"record_id": record_id, "reason": "x"})):
        assert service.ask("supervisor", "POST", path, json=body).status_code == 202
        assert service.ask("supervisor", "POST", path, json=body).status_code == 409
        service.clock.now_us += 8 * DAY_US  # what was asked lapses
        assert service.ask("supervisor", "POST", path, json=body).status_code == 202
        assert service.ask("second", "POST", path, json=body).status_code == 200
    assert len(tombstones(service)) == 1


def test_tombstones_are_never_changed_and_reviews_only_emptied(service, crossing):
    record_id = service.deliver(crossing())
    service.judge(record_id)

    def refused(statement):
        with pytest.raises(IntegrityError, match="append-only"), raw(service.store) as connection:
            connection.exec_driver_sql(statement)

    for change in ("reason = 'another'", "verdict = 'dismiss'", "reason = NULL, verdict = 'dismiss'"):
        refused(f"UPDATE review SET {change}")
    erase(service, record_id)
    with raw(service.store) as connection:
        found = connection.exec_driver_sql("SELECT verdict, reason FROM review").all()
    assert [tuple(row) for row in found] == [("confirm", None)]
    for statement in ("DELETE FROM tombstone", "UPDATE tombstone SET why = 'x'", "DELETE FROM review"):
        refused(statement)


def test_many_pages_of_tombstones(service, crossing, clock):
    ids = [service.deliver(crossing(f"n{number}", retention_days=1)) for number in range(7)]
    clock.now_us += DAY_US
    sweep_now(service)
    found, after = [], {}
    while True:
        page = service.ask("auditor", "GET", "/tombstones", params={"limit": 3} | after).json()
        if not page["tombstones"]:
            break
        found += [stone["record_id"] for stone in page["tombstones"]]
        after = {"after": page["next"]}
    assert sorted(found) == sorted(ids)


def test_objects_that_no_record_names_go_after_a_while(service, crossing, clip, monkeypatch):
    """A crash, or a full disk, between the commit and the removal."""
    record_id = service.deliver(crossing(), clip=clip)
    monkeypatch.setattr(ObjectFolder, "remove", lambda *_: (_ for _ in ()).throw(StorageError("gone away")))
    assert erase(service, record_id).status_code == 503
    monkeypatch.undo()
    assert len(tombstones(service)) == 1  # the record itself is gone
    assert objects(service.store)
    service.clock.now_us = int(time.time() * 1e6)
    assert remove_orphans(service.store) == 0  # too young: somebody may be about to put it on record
    service.clock.now_us += 2 * 3_600_000_000
    keep = service.deliver(crossing("keep"), clip=clip)
    assert remove_orphans(service.store) == 0  # named again
    erase(service, keep)
    with service.store.objects.incoming(limit_bytes=10) as incoming:
        incoming.write(b"orphan")
        incoming.seal()
        incoming.keep()
    assert remove_orphans(service.store) == 1
    assert objects(service.store) == set()


def test_bytes_that_are_erased_while_they_are_sent_again(service, crossing, clip, monkeypatch):
    """The upload finds its bytes there, and the erasure of another record takes them before it is put on record."""
    first = service.deliver(crossing("a"), clip=clip)
    second = service.deliver(crossing("b"))
    real = ObjectFolder.take

    def erased_then(self, file, sha256):
        real(self, file, sha256)
        assert erase(service, first).status_code == 200

    monkeypatch.setattr(ObjectFolder, "take", erased_then)
    path = f"/crossings/{second}/evidence/clip"
    assert service.ask("pilot", "PUT", path, content=clip).status_code == 503  # send it again
    monkeypatch.undo()
    assert service.ask("pilot", "PUT", path, content=clip).status_code == 200
    assert service.ask("analyst", "GET", path).content == clip


async def test_the_task_sweeps(service, crossing, clock):
    record_id = service.deliver(crossing(retention_days=1))
    clock.now_us += 2 * DAY_US
    task = asyncio.create_task(sweep_store(Background(service.store, Settings(service.store.directory))))
    found = []
    try:
        for _ in range(400):
            found = await asyncio.to_thread(tombstones, service)
            if found:
                break
            await asyncio.sleep(0.02)
    finally:
        task.cancel()
    assert [each["record_id"] for each in found] == [record_id]


def test_two_keys_of_one_person_are_not_two_people(service, crossing):
    strict = AccountSettings(two_people_lift=True, two_people_erase=True)
    service.app.state.settings = Settings(service.store.directory, account=strict)
    account_id, _ = make_account(service, "sue", "supervisor")
    people = ("first", "second", "of another")
    for name in people:
        service.key(name, "supervisor", **({} if name == "of another" else {"account_id": account_id}))
    body = {"record_id": service.deliver(crossing()), "reason": "x"}
    answers = [
        service.ask(who, "POST", "/erasures", json=body).status_code for who in ("first", "second", "of another")
    ]
    assert answers == [202, 409, 200]


@pytest.mark.parametrize("wrong", [{"sweep_s": 0}, {"publish_after_days": 0}, {"threshold": 2}, {"orphans_s": -1}])
def test_settings_that_cannot_work(wrong):
    with pytest.raises(SettingsError):
        AccountSettings(**wrong)


KILLED = """
import os, sys
from pathlib import Path
from api import Store
from api.account.erasure import sweep
store = Store(Path(sys.argv[1]), clock=lambda: int(sys.argv[2]), database=sys.argv[5] or None)
place, count = sys.argv[3], int(sys.argv[4])
import api.account.erasure as under
target, name = {
    "audit": (under, "append_audit"),
    "remove": (under, "remove_objects"),
}[place]
real, calls = getattr(target, name), []
def dies(*args, **more):
    calls.append(1)
    if len(calls) == count:
        os.kill(os.getpid(), 9)
    return real(*args, **more)
setattr(target, name, dies)
under._BATCH = 3
sweep(store)
"""


@pytest.mark.parametrize("place", ["audit", "remove"])
def test_killed_anywhere_nothing_is_half_erased(service, crossing, clock, tmp_path, place):
    """After the kill every record is whole or gone; another sweep ends what was begun."""
    contents = {f"n{number}": packets(b"%d" % number * 1000) for number in range(8)}
    ids = {}
    for name, content in contents.items():
        evidence = {**crossing()["evidence"], "sha256": hashlib.sha256(content).hexdigest()}
        ids[name] = service.deliver(crossing(name, retention_days=1, evidence=evidence), clip=content)
    clock.now_us += DAY_US
    database = place_of(service.store) if is_postgres(service.store) else ""
    service.store.close()
    command = [sys.executable, "-c", KILLED, str(service.store.directory), str(clock.now_us), place, "2", database]
    assert subprocess.run(command, cwd=ROOT, check=False).returncode == -signal.SIGKILL
    store = Store(service.store.directory, clock=clock, database=database or None)
    verify_audit(store)
    with raw(store) as connection:
        ask = connection.exec_driver_sql
        stones = {row[0] for row in ask("SELECT record_id FROM tombstone")}
        documents = {row[0]: row[1] for row in ask("SELECT id, document FROM record")}
        erased = {row[0] for row in ask("SELECT record_id FROM event WHERE kind = 'record.erased'")}
        named = {row[0]: row[1] for row in ask("SELECT record_id, sha256 FROM evidence")}
    assert 0 < len(stones) < 8
    assert {record_id for record_id, document in documents.items() if document == "{}"} == stones == erased
    assert set(named) == set(ids.values()) - stones
    assert set(named.values()) <= objects(store)  # no record without its evidence
    assert sweep(store) == 8 - len(stones)
    clock.now_us = int(time.time() * 1e6) + 2 * 3_600_000_000
    remove_orphans(store)
    assert objects(store) == set()
    assert verify_audit(store)
    store.close()


def test_a_sweep_that_is_told_to_write_to_a_full_store_changes_nothing(service, crossing, clip, monkeypatch):
    record_id = service.deliver(crossing(), clip=clip)
    monkeypatch.setattr(
        "api.account.erasure.append_audit", lambda *_, **__: (_ for _ in ()).throw(StorageError("full"))
    )
    with pytest.raises(StorageError), service.store.write() as session:
        erase_one(session, Call(SYSTEM, "test"), 1, record_id, reason="x")
    monkeypatch.undo()
    assert service.ask("analyst", "GET", f"/crossings/{record_id}/evidence/clip").content == clip
    with service.store.read() as session:
        assert session.scalars(select(EvidenceRow)).one().size == len(clip)
