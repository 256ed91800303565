"""A disk that is full in the middle: what was taken is there, nothing else is, and it goes on once there is room."""

import hashlib
import json

import pytest
from sqlalchemy import text

from api import StorageError, Store, verify_audit
from api.account.backup import backup
from tests.api.live import LASTING, live
from tests.api.samples import crossing_json, packets
from tests.full_disk import full_after
from tests.services import postgres_cluster

FULL = 1 << 20
LOG = 1 << 24
"""Of PostgreSQL's files of changes: a limit has to be larger, or they are what is full."""
CLIP = packets(b"large" * 300_000)


def test_a_database_whose_disk_is_full_is_not_ready(tmp_path):
    store = Store(tmp_path)
    with full_after(1 << 16), pytest.raises(StorageError, match=rf"store folder {tmp_path} cannot be written"):
        store.check_database()
    store.check_database()
    store.close()


def test_a_service_whose_disk_is_full_says_so_and_goes_on_once_there_is_room(tmp_path):
    evidence = {"manifest": "a.json", "clip": "a.ts", "sha256": hashlib.sha256(CLIP).hexdigest(), "thumbnail": None}

    def a_crossing(number, **more):
        return crossing_json(f"{number}", retention_days=LASTING, **({"evidence": None} | more))

    def deliver(number):
        return served.ask("pilot", "POST", "/crossings", json=a_crossing(number))

    def ready():
        return served.http.get("/ready").status_code, served.http.get("/health").status_code

    with live(tmp_path) as served:
        taken = [served.must("pilot", "POST", "/crossings", json=a_crossing(0, evidence=evidence))["id"]]
        clip = f"/crossings/{taken[0]}/evidence/clip"
        lines = "\n".join(json.dumps(a_crossing(f"line {number}")) for number in range(300))
        with full_after(FULL):
            # What SQLite's log has room for is taken as ever.
            answers = [deliver(number) for number in range(1, 40)]
            taken += [answer.json()["id"] for answer in answers if answer.status_code == 201]
            assert {answer.status_code for answer in answers} == {201, 503}
            assert served.ask("pilot", "POST", "/crossings/bulk", content=lines).status_code == 503
            assert served.ask("pilot", "PUT", clip, content=CLIP).status_code == 503
        with full_after(1 << 16):
            assert ready() == (503, 200)
            with pytest.raises(StorageError, match=r"cannot be copied into .*; see that there is room"):
                backup(tmp_path / "live", tmp_path / "backup.tar")
        assert {path.name for path in tmp_path.iterdir()} == {"live"}
        assert not [path for path in (tmp_path / "live" / "objects").rglob("*") if path.is_file()]
        assert ready() == (200, 200)
        taken.append(deliver("then").json()["id"])
        served.must("pilot", "PUT", clip, content=CLIP)
        found = served.must("analyst", "GET", "/crossings", params={"limit": 1000})["features"]
        assert sorted(each["id"] for each in found) == sorted(taken)
        assert served.ask("analyst", "GET", clip).content == CLIP
        verify_audit(served.store)
        backup(tmp_path / "live", tmp_path / "backup.tar")


def test_a_server_whose_disk_is_full_keeps_what_was_answered_and_goes_on_once_there_is_room(tmp_path):
    """PostgreSQL's: records have no room, and all else has. A recall that needs none of it is done."""
    with postgres_cluster() as server:
        name = server.create()
        server.execute("SELECT 1", name)
        with live(tmp_path, database=server.url(name)) as served:
            bravo = served.partner("bravo")
            crossing_id, release_id = served.released(bravo, "shared")
            server.execute("ALTER TABLE record SET (fillfactor = 10)", name)  # a page for each from now on
            lines = [json.dumps(crossing_json(f"{n}", retention_days=LASTING, evidence=None)) for n in range(2200)]
            told = served.must("pilot", "POST", "/crossings/bulk", content="\n".join(lines))["results"]
            taken = [crossing_id, *(each["id"] for each in told)]
            with served.store.read() as session:
                size = session.execute(text("SELECT pg_relation_size('record')")).scalar_one()
            assert size > LOG, size
            with server.full_after(size + (1 << 16)):
                bodies = [crossing_json(f"later {n}", retention_days=LASTING, evidence=None) for n in range(30)]
                answers = [served.ask("pilot", "POST", "/crossings", json=body) for body in bodies]
                assert {answer.status_code for answer in answers} == {201, 503}
                taken += [answer.json()["id"] for answer in answers if answer.status_code == 201]
                assert served.ask("pilot", "POST", "/crossings/bulk", content="\n".join(lines[:9])).status_code == 200
                more = "\n".join(map(json.dumps, bodies))
                assert served.ask("pilot", "POST", "/crossings/bulk", content=more).status_code == 503
                served.recall(release_id)
                assert served.ask("bravo", "GET", f"/crossings/{crossing_id}").status_code == 404
                assert served.http.get("/health").status_code == 200
            again = [served.ask("pilot", "POST", "/crossings", json=body) for body in bodies]
            first = [answer.status_code for answer in answers]
            assert [answer.status_code for answer in again] == [200 if code == 201 else 201 for code in first]
            taken += [answer.json()["id"] for answer in again if answer.status_code == 201]
            with served.store.read() as session:
                kept = session.execute(text("SELECT id FROM record")).scalars().all()
                told = (
                    session.execute(text("SELECT record_id FROM event WHERE kind = 'record.created'")).scalars().all()
                )
            assert sorted(kept) == sorted(told) == sorted(taken)
            verify_audit(served.store)


def test_a_server_that_falls_since_its_log_has_no_room_comes_back_with_what_was_answered(tmp_path):
    with postgres_cluster() as server, live(tmp_path, database=server.url(server.create())) as served:
        bodies = [crossing_json(f"{n}", retention_days=LASTING, evidence=None) for n in range(12)]
        taken = {body["source_id"]: served.must("pilot", "POST", "/crossings", json=body)["id"] for body in bodies[:6]}
        with server.full_after(1 << 13):
            refused = [served.ask("pilot", "POST", "/crossings", json=body).status_code for body in bodies[6:9]]
            assert set(refused) == {503}
            server.wait()  # it begins anew by itself, and cannot
            assert served.http.get("/ready").status_code == 503
        server.start()
        answers = [served.ask("pilot", "POST", "/crossings", json=body) for body in bodies]
        assert [answer.status_code for answer in answers[:6]] == [200] * 6
        assert {answer.status_code for answer in answers[6:9]} <= {200, 201}  # of these nothing was promised
        assert [answer.status_code for answer in answers[9:]] == [201] * 3
        found = served.must("analyst", "GET", "/crossings", params={"limit": 1000})["features"]
        kept = {each["properties"]["source_id"]: each["id"] for each in found}
        assert len(found) == len(kept) == 12
        assert kept.items() >= taken.items()
        assert served.http.get("/ready").status_code == 200
        verify_audit(served.store)
