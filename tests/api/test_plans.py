"""What is done with every delivery, page and recall reads by an index, however much there is: SQLite's plans say so."""

import json
import re
from contextlib import contextmanager

import pytest
from sqlalchemy import event, insert, select, text

from api.feeds.receipts import outstanding_recalls
from api.identity.roles import Principal, Role
from api.records.lists import RecordFilter, list_readable
from api.records.readable import next_change
from api.release.announcing import announce_due
from api.release.redaction import wanted_copies
from api.review.tables import QueueRow
from api.store.tables import ReadableRow, RecordRow
from tests.api.conftest import ON_SQLITE
from tests.api.samples import CLIP, NOON_US
from tests.api.work import work_of

# As ANALYZE leaves it with 100,000 records of one source, a quarter of them released.
LARGE = {
    "record": {
        "ix_record_type_time": "100000 100000 1 1",
        "ix_record_expires": "100000 100000",
        "sqlite_autoindex_record_2": "100000 100000 100000 1",
        "sqlite_autoindex_record_1": "100000 1",
    },
    "readable": {
        "ix_readable_visible": "62500 62500 5",
        "ix_readable_until": "62500 62500 5",
        "ix_readable_time": "125000 62500 62500 1 1 1 1 1 1",
        "ix_readable_source": "125000 62500 62500 62500 1 1",
        "ix_readable_kind": "125000 62500 62500 20000 1 1",
        "ix_readable_status": "125000 62500 62500 30000 1 1",
        "ix_readable_review": "125000 62500 62500 20000 1 1",
        "ix_readable_copies": "1000 1",
        "sqlite_autoindex_readable_1": "125000 2 1",
    },
    "release": {
        "ix_release_partner": "25000 25000 1",
        "ix_release_due": "25000 25000 1",
        "ix_release_active": "25000 1 1",
        "ix_release_waiting": "100 10",
        "sqlite_autoindex_release_1": "25000 1",
    },
    "evidence": {"sqlite_autoindex_evidence_1": "300000 3 3 1"},
    "review": {"ix_review_record_id": "100000 1", "sqlite_autoindex_review_1": "100000 1"},
    "event": {"sqlite_autoindex_event_1": "200000 100000 1"},
    "audit": {None: "200000"},
    "review_queue": {"ix_review_queue_order": "50000 25000 1 1", "review_queue": "50000 1"},
}
SCAN = re.compile(r"^SCAN (?!.*USING (COVERING )?INDEX)(\w+)")


@contextmanager
def plans(store):
    """The plans of all statements in the block that read a large table from end to end."""
    found, names = {}, {*LARGE, "readable_1", "evidence_1", "release_1", "record_1"}

    def look(_connection, cursor, statement, parameters, _context, many):
        if not re.match("SELECT|INSERT|UPDATE|DELETE", statement):
            return
        plan = cursor.connection.execute(f"EXPLAIN QUERY PLAN {statement}", parameters[0] if many else parameters)
        lines = [line for *_, line in plan.fetchall()]
        if any((match := SCAN.match(line)) and match[2] in names for line in lines):
            found[" ".join(statement.split())[:200]] = lines

    engine = store._database.engine
    event.listen(engine, "before_cursor_execute", look)
    yield found
    event.remove(engine, "before_cursor_execute", look)


@pytest.fixture
def large(service):
    """A store that its database takes for a large one."""
    with service.store.write() as session:
        session.execute(text("ANALYZE"))
        for table, indexes in LARGE.items():
            session.execute(text("DELETE FROM sqlite_stat1 WHERE tbl = :table"), {"table": table})
            rows = [{"table": table, "name": name, "stat": stat} for name, stat in indexes.items()]
            session.execute(text("INSERT INTO sqlite_stat1 VALUES (:table, :name, :stat)"), rows)
    service.store._database.engine.dispose()  # statistics are read as a connection opens
    return service


@ON_SQLITE
def test_nothing_large_is_read_from_end_to_end(large, crossing):
    bravo = large.partner("bravo")
    assert large.agree(bravo, fields=["kind", "position", "clip"], media="blurred").status_code == 201
    with plans(large.store) as scans:
        lines = [json.dumps(crossing(f"b{n}", evidence=None)) for n in range(400)]
        later = [line.replace("10:00:05", "10:00:06") for line in lines]
        for body in (lines, later, later):
            assert large.ask("pilot", "POST", "/crossings/bulk", content="\n".join(body)).status_code == 200
        one = large.deliver(crossing("one"), clip=CLIP)
        large.judge(one)
        release = large.release(one, bravo).json()["id"]
        for who in ("analyst", "bravo"):
            assert large.seen_by(who, bbox="-111,31,-110,32", **{"from": "2026-01-01T00:00:00Z"})
            assert large.ask(who, "GET", f"/crossings/{one}").status_code == 200
            assert large.ask(who, "GET", "/events", params={"limit": 5}).status_code == 200
        assert large.ask("analyst", "GET", "/reviews/queue", params={"limit": 5}).status_code == 200
        assert large.ask("supervisor", "DELETE", f"/releases/{release}").status_code == 204
        now = large.store.clock()
        with large.store.read() as session:
            for principal in (Principal("k", "k", Role.ANALYST), Principal("b", "b", Role.PARTNER, bravo)):
                list_readable(session, principal, now, RecordFilter("crossing"), limit=10)
                next_change(session, principal, now)
            assert wanted_copies(session) == []
            assert len(outstanding_recalls(session, bravo, 10**6)) == 1
        with large.store.write() as session:
            announce_due(session, now)
    assert scans == {}


@ON_SQLITE
@pytest.mark.parametrize("partner", [None, "p"])
def test_when_time_alone_changes_what_is_read_is_looked_up(large, partner):
    """The first moment alone is fetched, whoever asks."""
    asked = []

    def look(_connection, cursor, statement, parameters, _context, _many):
        if "min(" in statement:
            plan = cursor.connection.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)
            asked.append([line for *_, line in plan if "_us>?" in line])

    event.listen(large.store._database.engine, "before_cursor_execute", look)
    with large.store.read() as session:
        role = Role.ANALYST if partner is None else Role.PARTNER
        next_change(session, Principal("k", "k", role, partner), large.store.clock())
    event.remove(large.store._database.engine, "before_cursor_execute", look)
    assert asked
    assert all(len(lines) == 1 and lines[0].startswith("SEARCH") for lines in asked), asked


@ON_SQLITE
def test_without_statistics_no_page_is_found_by_a_rule_that_nearly_all_rows_pass(service, crossing):
    """A database that was never analysed takes any range for a rare one."""
    bravo = service.partner("bravo")
    service.agree(bravo)
    one = service.deliver(crossing())
    service.judge(one)
    service.release(one, bravo)
    asked = []

    def look(_connection, cursor, statement, parameters, _context, _many):
        if statement.startswith("SELECT") and ".feature" in statement:
            asked.append(
                [line for *_, line in cursor.connection.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)]
            )

    engine = service.store._database.engine
    event.listen(engine, "before_cursor_execute", look)
    for who in ("analyst", "bravo"):
        assert service.seen_by(who) == service.seen_by(who, kind="person") == [one]
        assert service.ask(who, "GET", f"/crossings/{one}").status_code == 200
    assert service.ask("analyst", "GET", "/reviews/queue").status_code == 200
    event.remove(engine, "before_cursor_execute", look)
    plans = "\n".join(line for plan in asked for line in plan)
    assert "ix_readable_time" in plans
    assert "ix_readable_kind" in plans
    assert "ix_readable_until" not in plans
    assert "ix_readable_visible" not in plans


OGC = "/ogc/collections/crossings/items"
SOUGHT = (
    ("/crossings", {"source": "elsewhere"}),
    ("/crossings", {"kind": "boat"}),
    ("/crossings", {"status": "probable"}),
    ("/crossings", {"review": "dismissed"}),
    ("/crossings", {"bbox": "7,50,8,51"}),
    ("/crossings", {"bbox": "7,50,8,51", "kind": "person"}),
    ("/reviews/queue", {"severity": "alert"}),
    (OGC, {"filter": "kind='boat'"}),
    (OGC, {"filter": "review='dismissed' AND border LIKE 'x%'"}),
    (OGC, {"status": "probable"}),
)


@ON_SQLITE  # which counts its steps
def test_what_is_rare_or_first_is_found_without_a_look_at_the_rest(service, crossing):
    """By value, by place, and at the head of the queue: as many again cost no more, none of them a step."""
    copied, many = service.deliver(crossing()), 1_200
    service.deliver(crossing("there", lon=7.5, lat=50.5))
    steps = []
    for turn in range(2):
        with service.store.write() as session:
            for table, column in ((RecordRow, "id"), (ReadableRow, "record_id"), (QueueRow, "record_id")):
                rows = select(table.__table__).where(getattr(table, column) == copied)
                row = {name: value for name, value in session.execute(rows).mappings().one().items() if name != "n"}
                numbers = range(turn * many, (turn + 1) * many)
                new = [row | {column: f"{number:032x}", "time_us": NOON_US - number} for number in numbers]
                if table is RecordRow:
                    new = [each | {"source_id": each["id"]} for each in new]
                session.execute(insert(table.__table__), new)
        for path, query in SOUGHT:
            with work_of(service.store) as work:
                answer = service.ask("analyst", "GET", path, params={"limit": 5 + turn} | query)  # asked anew
            assert answer.status_code == 200, answer.text
            steps.append(work.steps)
    grown = [after - before for before, after in zip(steps[: len(SOUGHT)], steps[len(SOUGHT) :], strict=True)]
    assert all(more < many for more in grown), list(zip(SOUGHT, grown, strict=True))
