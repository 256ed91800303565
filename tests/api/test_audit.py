"""Every deed leaves a link in the chain, and the chain shows whether it was touched."""

import pytest
from sqlalchemy import func, inspect, select, text
from sqlalchemy.exc import IntegrityError

from api import AuditHead, AuditTamperedError, verify_audit
from api.app import ROUTES
from api.identity.roles import GRANTS, Role
from api.store.tables import AuditRow
from api.trail.audit import GENESIS
from tests.api.conftest import ON_SQLITE
from tests.api.raw import is_postgres, raw


def entries(service, after=0):
    answer = service.ask("auditor", "GET", "/audit", params={"after": after, "limit": 1000}).json()
    return [entry["body"] for entry in answer["entries"]]


def tamper(store, *statements):
    """As somebody with the database would: past the triggers."""
    with raw(store) as connection:
        if is_postgres(store):
            for table in ("audit", "event", "review"):
                connection.exec_driver_sql(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        else:
            named = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
            for trigger in connection.exec_driver_sql(named).scalars().all():
                connection.exec_driver_sql(f"DROP TRIGGER {trigger}")
        for statement in statements:
            assert connection.exec_driver_sql(statement).rowcount > 0


@pytest.fixture
def busy(service, crossing):
    for number in range(5):
        service.deliver(crossing(f"n{number}"))
    service.seen_by("analyst")
    return service


def test_an_empty_chain_is_whole(tmp_path):
    from api import Store

    store = Store(tmp_path / "new")
    assert verify_audit(store) == AuditHead(0, GENESIS)
    store.close()


def test_who_did_what_is_written_down(service, crossing, clip):
    bravo = service.partner("bravo")
    service.agree(bravo, fields=["position", "clip"])
    crossing_id = service.deliver(crossing(), clip=clip)
    service.judge(crossing_id)
    release_id = service.release(crossing_id, bravo).json()["id"]
    service.seen_by("bravo")
    service.ask("bravo", "GET", f"/crossings/{crossing_id}/evidence/clip")
    service.ask("bravo", "GET", "/audit")
    service.ask("supervisor", "DELETE", f"/releases/{release_id}", params={"reason": "sent in error"})
    service.ask("bravo", "GET", f"/crossings/{crossing_id}")
    done = [(entry["name"], entry["action"]) for entry in entries(service)]
    assert done[-11:] == [
        ("first administrator", "agreement.create"),
        ("pilot", "crossing.deliver"),
        ("pilot", "evidence.store"),
        ("analyst", "crossing.read"),
        ("analyst", "crossing.review"),
        ("supervisor", "release.create"),
        ("bravo", "crossing.list"),
        ("bravo", "evidence.read"),
        ("bravo", "request.refused"),
        ("supervisor", "release.recall"),
        ("bravo", "request.refused"),
    ]
    listing = next(entry for entry in entries(service) if entry["name"] == "bravo")
    assert listing["objects"] == [crossing_id]  # what was shown, not only that something was
    assert listing["partner"] == bravo
    assert verify_audit(service.store).seq == len(done) + 2


@ON_SQLITE
def test_every_route_with_a_key_appends(service):
    def last_seq():
        with service.store.read() as session:
            return session.scalar(select(func.max(AuditRow.seq)))

    roles = [role for role in Role if role.value in service.keys]
    for route in ROUTES:
        if route.permission is None or route.path.endswith("/stream"):  # which does not end by itself: see test_sse
            continue
        # One who may and one who may not: what others are answered goes the same two ways.
        may = [route.permission in GRANTS[role] for role in roles]
        for role in [roles[may.index(each)] for each in (True, False) if each in may]:
            before = last_seq()
            service.ask(role.value, route.method, route.path.replace("{", "").replace("}", ""), json={})
            assert last_seq() > before, (role, route)
    assert verify_audit(service.store).seq == last_seq()


def test_a_write_that_fails_leaves_the_refusal_alone(service, crossing):
    service.deliver(crossing())
    before = len(entries(service))
    assert service.ask("pilot", "POST", "/crossings", json=crossing(kind="vehicle")).status_code == 409
    last = entries(service, after=before)
    assert [entry["action"] for entry in last] == ["audit.list", "request.refused"]
    assert last[-1]["detail"]["status"] == 409


def test_no_secret_is_ever_stored(busy):
    busy.partner("bravo")
    kept = [path.read_bytes() for path in busy.store.directory.rglob("*") if path.is_file()]
    if is_postgres(busy.store):
        with raw(busy.store) as connection:
            for table in inspect(connection).get_table_names():
                rows = connection.exec_driver_sql(f'SELECT t::text FROM "{table}" t').scalars()
                kept.append("\n".join(rows).encode())
    assert any(b"first administrator" in content for content in kept)
    for key in busy.keys.values():
        assert not any(key.encode() in content or key.encode().hex().encode() in content for content in kept)


@pytest.mark.parametrize(("table", "column"), [("audit", "body"), ("event", "kind"), ("review", "verdict")])
def test_the_database_refuses_to_change_records(busy, table, column):
    (crossing_id, *_) = busy.seen_by("analyst")
    busy.judge(crossing_id)
    postgres = is_postgres(busy.store)
    for statement in (f"DELETE FROM {table}", f"UPDATE {table} SET {column} = {column}", f"TRUNCATE {table} CASCADE")[
        : 2 + postgres
    ]:
        with pytest.raises(IntegrityError, match="append-only"), busy.store.write() as session:
            session.execute(text(statement))


@pytest.mark.parametrize(
    ("statements", "seq"),
    [
        (["UPDATE audit SET body = replace(body, 'pilot', 'pirat') WHERE seq = 8"], 8),
        (["UPDATE audit SET hash = substr(hash, 2) || '0' WHERE seq = 8"], 8),
        (["DELETE FROM audit WHERE seq = 7"], 7),
        (["DELETE FROM audit WHERE seq = 1"], 1),
        (["DELETE FROM audit WHERE seq = 7", "UPDATE audit SET seq = seq - 1 WHERE seq > 7"], 7),
        (
            [  # two neighbours change places
                "UPDATE audit SET seq = -1 WHERE seq = 8",
                "UPDATE audit SET seq = 8 WHERE seq = 9",
                "UPDATE audit SET seq = 9 WHERE seq = -1",
            ],
            8,
        ),
        (["INSERT INTO audit SELECT seq + 1000, body, hash FROM audit WHERE seq = 6"], None),
        (["INSERT INTO audit SELECT 0, body, hash FROM audit WHERE seq = 6"], 1),
        (["INSERT INTO audit SELECT -seq, body, hash FROM audit WHERE seq < 7"], 1),
        (["UPDATE audit SET body = body || ' ' WHERE seq = 8"], 8),  # the same JSON
        (["UPDATE audit SET hash = upper(hash) WHERE seq = 8"], 8),
        (["UPDATE audit SET body = (SELECT e.body FROM audit e WHERE e.seq = 17 - audit.seq) WHERE seq IN (8, 9)"], 8),
        (["UPDATE audit SET seq = seq + 1000 WHERE seq > 7", "UPDATE audit_head SET seq = seq + 1000"], 8),
        (["DELETE FROM audit WHERE seq > 1"], 2),
        (["DELETE FROM audit"], 1),
        (["UPDATE audit_head SET seq = seq - 1"], None),
        (["UPDATE audit_head SET seq = seq + 1"], None),
        (["UPDATE audit_head SET hash = upper(hash)"], None),
        (["UPDATE audit_head SET id = 2"], 0),
        (["DELETE FROM audit_head"], None),
        (["INSERT INTO audit_head SELECT 2, seq, hash FROM audit_head"], 0),
    ],
)
def test_tampering_is_found_where_it_was_done(busy, statements, seq):
    whole = verify_audit(busy.store)
    tamper(busy.store, *statements)
    with pytest.raises(AuditTamperedError) as found:
        verify_audit(busy.store)
    assert found.value.seq == (whole.seq + 1 if seq is None else seq)
    told = busy.ask("auditor", "GET", "/audit/verification")
    # Where the next entry has no place any more, nobody is answered at all.
    assert told.status_code >= 500 or told.json()["intact"] is False


def test_a_cut_tail_is_found(busy):
    whole = verify_audit(busy.store)
    tamper(busy.store, f"DELETE FROM audit WHERE seq > {whole.seq - 2}")
    with pytest.raises(AuditTamperedError, match="tail was cut"):
        verify_audit(busy.store)


def test_a_rewritten_history_is_found_against_a_head_noted_elsewhere(busy, crossing):
    noted = verify_audit(busy.store)
    busy.deliver(crossing("later"))
    assert verify_audit(busy.store, noted).seq == noted.seq + 1
    # Whoever can write the file cuts the tail, moves the head back, and goes on.
    tamper(
        busy.store,
        f"DELETE FROM audit WHERE seq > {noted.seq - 2}",
        f"UPDATE audit_head SET seq = {noted.seq - 2}, hash = (SELECT hash FROM audit ORDER BY seq DESC LIMIT 1)",
    )
    verify_audit(busy.store)  # whole in itself
    with pytest.raises(AuditTamperedError, match="before the noted entry"):
        verify_audit(busy.store, noted)
    for _ in range(3):
        busy.seen_by("analyst")
    with pytest.raises(AuditTamperedError, match="rewritten"):
        verify_audit(busy.store, noted)
