"""The index by place and time beside a look at every row, on both databases, through inserts, moves and removals."""

import random
import struct
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, insert, literal, select, text, update

from api import Store
from api.store import boxes
from api.store.boxes import Sought, among, box_parameters, candidates, parts, touching
from api.store.days import drop_empty_days
from api.store.tables import Base, ReadableRow
from tests.api.raw import is_postgres, raw

DAY_US = 86_400_000_000
NOON_US = 1_767_268_800_000_000
TABLE = Base.metadata.tables["readable"]


def degrees(bound, *known):
    """To 0.1 mm: SQLite does not round outwards what is too small for a number of 32 bits, below 1e-38 degrees."""
    return st.sampled_from(known) | st.floats(-bound, bound).map(lambda value: round(value, 9))


lons = degrees(180, -180.0, -179.9, -110.94, -110.9399999, 0.0, 179.95, 180.0)
lats = degrees(90, -90.0, 31.333, 31.3330001, 90.0)
odd = st.sampled_from([0, -1, -(2**62), 2**62, 1_577_836_800_000_000, 4_102_444_800_000_000, NOON_US, NOON_US + 1])
times = odd | st.integers(NOON_US - 3 * DAY_US, NOON_US + 3 * DAY_US)
spans = st.tuples(lons, lats, st.sampled_from([0.0, 1e-7, 0.5]))
places = st.none() | spans.map(lambda p: (p[0], p[1], min(p[0] + p[2], 180.0), min(p[1] + p[2], 90.0)))
rows = st.lists(st.tuples(st.integers(0, 2), times, places), max_size=12)
asked = st.tuples(lons, lats, lons, lats).map(lambda b: (b[0], min(b[1], b[3]), b[2], max(b[1], b[3])))


def row_of(number, audience, time_us, place):
    west, south, east, north = place or (None,) * 4
    return {
        "n": number, "audience": audience, "record_id": f"{number:032x}", "type": "crossing", "revision": 1,
        "time_us": time_us, "source": None, "kind": None, "status": None, "review": "none", "west": west,
        "south": south, "east": east, "north": north, "visible_us": 0, "until_us": 2**62, "release_id": None,
        "media": "none", "etag": "e", "feature": b"{}",
    }  # fmt: skip


def seen(row, bbox, span, audience):
    """The rule in words: of the audience, in the time, and its bounds touch the box."""
    place = row["west"], row["south"], row["east"], row["north"]
    if None in place or row["audience"] != audience or not span[0] <= row["time_us"] < span[1]:
        return False
    return any(
        place[0] <= east and place[2] >= west and place[1] <= north and place[3] >= south
        for west, south, east, north in parts(bbox)
    )


def look(session, bbox, span, audience):
    """What the index names, and what of it the exact rule keeps."""
    sought = Sought(bbox, *span, literal(audience), {})
    named = candidates(session, sought)
    rules = [touching(ReadableRow, len(parts(bbox))), ReadableRow.audience == audience]
    rules += [ReadableRow.time_us >= span[0], ReadableRow.time_us < span[1]]
    if named is not None:
        rules.append(among(ReadableRow))
    found = session.scalars(select(ReadableRow.n).where(*rules), box_parameters(bbox) | {"candidates": named})
    return named, set(found)


class _Undone(Exception):  # noqa: N818
    pass


@pytest.fixture
def emptied(store):
    """A store whose rows refer to records that are not there: the index is what is looked at."""
    with raw(store) as connection:
        if is_postgres(store):
            connection.execute(text("ALTER TABLE readable DROP CONSTRAINT readable_record_id_fkey"))
    return store


def test_the_index_finds_what_a_look_at_every_row_finds(emptied):
    store = emptied

    @settings(max_examples=40)
    @given(rows=rows, moved=rows, bbox=asked, span=st.tuples(times, times), gone=st.sets(st.integers(0, 11)))
    def holds(rows, moved, bbox, span, gone):
        span = min(span), max(span)
        kept = {number: row_of(number, *row) for number, row in enumerate(rows)}
        with suppress(_Undone), store.write() as session:
            if not is_postgres(store):
                session.execute(text("PRAGMA defer_foreign_keys = ON"))
            for stage in (inserted, changed, told_anew, removed):
                kept = stage(session, kept, moved, gone)
                for audience in range(3):
                    named, found = look(session, bbox, span, audience)
                    wanted = {n for n, row in kept.items() if seen(row, bbox, span, audience)}
                    assert (found, named is not None) == (wanted, True), stage
                count = session.execute(text("SELECT count(*) FROM readable_box")).scalar_one()
                assert count == sum(row["west"] is not None for row in kept.values()), stage
            raise _Undone

    holds()


def inserted(session, kept, _moved, _gone):
    if kept:
        session.execute(insert(TABLE).values(list(kept.values())))
    return kept


def changed(session, kept, moved, _gone):
    for number, row in enumerate(moved[: len(kept)]):
        kept[number] = row_of(number, *row)
        session.execute(update(TABLE).where(TABLE.c.n == number).values(kept[number]))
    return kept


def told_anew(session, kept, _moved, _gone):
    session.execute(update(TABLE).values(etag="f"))
    return kept


def removed(session, kept, _moved, gone):
    session.execute(delete(TABLE).where(TABLE.c.n.in_(gone)))
    return {number: row for number, row in kept.items() if number not in gone}


def test_where_there_are_many_no_list_of_them_is_made(emptied, monkeypatch):
    monkeypatch.setattr(boxes, "_MANY", 3)
    boxes._look_in_rtree.cache_clear()
    boxes._look_in_days.cache_clear()
    world, span = (-180.0, -90.0, 180.0, 90.0), (NOON_US, NOON_US + 9)
    with pytest.raises(_Undone), emptied.write() as session:
        many(session, world, span)
    boxes._look_in_rtree.cache_clear()
    boxes._look_in_days.cache_clear()


def many(session, world, span):
    if session.get_bind().dialect.name == "sqlite":
        session.execute(text("PRAGMA defer_foreign_keys = ON"))
    for number in range(4):
        assert look(session, world, span, 0)[0] is not None
        session.execute(insert(TABLE).values(row_of(number, 0, NOON_US + number, (1.0, 2.0, 1.0, 2.0))))
    named, found = look(session, world, span, 0)
    assert (named, found) == (None, {0, 1, 2, 3})
    assert look(session, world, span, 1)[0] is not None  # what others may read takes no time
    raise _Undone


def test_sqlite_looks_into_few_nodes_of_its_tree(tmp_path):
    """By the tree in the file: of 20,000 rows of two audiences a day and a tenth of a degree touch few nodes."""
    store, chance = Store(tmp_path), random.Random(1)
    span, day, nodes = 58, 0.1, []
    with store.write() as session:
        session.execute(text("PRAGMA defer_foreign_keys = ON"))
        rows = []
        for number in range(20_000):
            lon, time_us = chance.uniform(-117.0, -97.0), NOON_US + chance.randrange(span * DAY_US)
            rows.append(row_of(number, 0 if number % 5 else 1, time_us, (lon, 30.0, lon, 30.0)))
        session.execute(insert(TABLE), rows)
        for (data,) in session.execute(text("SELECT data FROM readable_box_node")):
            count = struct.unpack_from(">H", data, 2)[0]
            cells = [struct.unpack_from(">8f", data, 12 + 40 * cell) for cell in range(count)]
            nodes.append([(min(c[k] for c in cells), max(c[k + 1] for c in cells)) for k in (0, 2, 6)])
        session.rollback()
    store.close()
    noon = (NOON_US - 1_577_836_800_000_000) / 864_000_000_000
    looks = []
    for _ in range(50):
        t, x = noon + chance.uniform(0, (span - 1) * day), chance.uniform(-117.0, -97.1)
        asked = ((t, t + day), (x, x + 0.1), (1, 1))
        looks.append(
            sum(
                all(low <= to and high >= at for (low, high), (at, to) in zip(node, asked, strict=True))
                for node in nodes
            )
        )
    assert len(nodes) > 400
    assert sum(looks) / len(looks) < 12


def test_postgres_has_a_table_a_day_and_asks_no_other(tmp_path, postgres):
    name = postgres.create()
    store = Store(tmp_path, database=postgres.url(name))
    with raw(store) as connection:
        connection.execute(text("ALTER TABLE readable DROP CONSTRAINT readable_record_id_fkey"))
    place = (7.0, 50.0, 7.0, 50.0)
    with store.write() as session:
        for number, time_us in enumerate((NOON_US, NOON_US + DAY_US, NOON_US + 1, 0, 2**62)):
            session.execute(insert(TABLE).values(row_of(number, 0, time_us, place)))
    assert days(store) == ["20260101", "20260102", "after", "before"]
    with store.read() as session:
        box = "audience = 0 AND place && ST_MakeEnvelope(6, 49, 8, 51, 4326)"
        query = f"SELECT n FROM readable_box WHERE {box} AND time_us >= {NOON_US} AND time_us < {NOON_US + 5}"
        told = "\n".join(session.execute(text(f"EXPLAIN {query}")).scalars())
        assert "readable_box_20260101" in told
        assert "readable_box_20260102" not in told
    with store.write() as session:
        session.execute(delete(TABLE).where(TABLE.c.n.in_([1, 3])))
    assert drop_empty_days(store) == 1
    assert days(store) == ["20260101", "after", "before"]
    with store.read() as session:  # who reads keeps a day from being dropped, and nobody waits for it
        session.execute(text("SELECT count(*) FROM readable_box")).scalar_one()
        with store.write() as writer:
            writer.execute(delete(TABLE).where(TABLE.c.n.in_([0, 2])))
        assert drop_empty_days(store) == 0
    assert drop_empty_days(store) == 1
    assert days(store) == ["after", "before"]
    store.close()
    postgres.drop(name)


def days(store):
    query = "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'readable_box'::regclass ORDER BY 1"
    with store.read() as session:
        return [name.removeprefix("readable_box_") for name in session.execute(text(query)).scalars()]


def test_a_new_day_waits_for_no_reader(tmp_path, postgres):
    name = postgres.create()
    store = Store(tmp_path, database=postgres.url(name), busy_timeout_s=1)
    with raw(store) as connection:
        connection.execute(text("ALTER TABLE readable DROP CONSTRAINT readable_record_id_fkey"))
    with store.read() as reader:
        assert reader.execute(text("SELECT count(*) FROM readable_box")).scalar_one() == 0
        with store.write() as session:
            session.execute(insert(TABLE).values(row_of(1, 0, NOON_US, (7.0, 50.0, 7.0, 50.0))))
        assert reader.execute(text("SELECT count(*) FROM readable_box")).scalar_one() == 0
    assert days(store) == ["20260101", "after", "before"]
    store.close()
    postgres.drop(name)


def test_sqlite_has_no_days_to_drop(tmp_path):
    store = Store(tmp_path)
    assert drop_empty_days(store) == 0
    store.close()
