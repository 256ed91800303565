"""The index of `readable` by time and place, as 0002 makes it: kept up to date by triggers, on either database.

SQLite has an R*Tree; its numbers are of 32 bits, and seconds since 2020 keep them small. PostgreSQL has one table a
day, which is made within the transaction that brings its first row, and a GiST index over audience and place on each.
A day is attached, not created in place: that waits for no reader. Times that cannot be meant have two tables of
their own, so that there is no default partition, which every new day would have to lock.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.exc import DBAPIError

from api.errors import StorageError

__all__ = ["index_boxes"]

_SECONDS = "NEW.time_us / 1000000.0 - 1577836800"
_INSERT = (  # of constants alone
    "INSERT INTO readable_box SELECT "
    f"NEW.n, {_SECONDS}, {_SECONDS}, NEW.west, NEW.east, NEW.south, NEW.north, NEW.audience, NEW.audience"
)
_CHANGED = " OR ".join(
    f"OLD.{name} IS NOT NEW.{name}" for name in ("n", "audience", "time_us", "west", "south", "east", "north")
)
_REMOVE = "DELETE FROM readable_box WHERE n = OLD.n"
_SQLITE: tuple[str, ...] = (
    "CREATE VIRTUAL TABLE readable_box USING rtree(n, t0, t1, x0, x1, y0, y1, a0, a1)",
    f"CREATE TRIGGER readable_box_insert AFTER INSERT ON readable WHEN NEW.west IS NOT NULL BEGIN {_INSERT}; END",
    f"CREATE TRIGGER readable_box_delete AFTER DELETE ON readable WHEN OLD.west IS NOT NULL BEGIN {_REMOVE}; END",
    # One trigger, for the order of two is nobody's to say.
    (
        f"CREATE TRIGGER readable_box_update AFTER UPDATE ON readable WHEN {_CHANGED} BEGIN {_REMOVE}; "
        f"{_INSERT} WHERE NEW.west IS NOT NULL; END"
    ),
)

_FIRST_US, _LAST_US = 1_577_836_800_000_000, 4_102_444_800_000_000  # 2020 and 2100: days have tables between them
_PLACED = "n, audience, time_us, west, south, east, north"
_GONE = """
    FOR gone IN SELECT * FROM ({gone}) AS rows WHERE west IS NOT NULL LOOP
        DELETE FROM readable_box WHERE time_us = gone.time_us AND n = gone.n;
    END LOOP;
"""
_COME = """
    FOR day IN
        SELECT DISTINCT time_us / 86400000000 FROM ({come}) AS rows
        WHERE west IS NOT NULL AND time_us >= 1577836800000000 AND time_us < 4102444800000000
    LOOP
        part := 'readable_box_' || to_char(to_timestamp(day * 86400) AT TIME ZONE 'UTC', 'YYYYMMDD');
        IF to_regclass(part) IS NULL THEN
            EXECUTE format('CREATE TABLE %I (LIKE readable_box INCLUDING ALL)', part);
            EXECUTE format(
                'ALTER TABLE readable_box ATTACH PARTITION %I FOR VALUES FROM (%s) TO (%s)',
                part, day * 86400000000, (day + 1) * 86400000000
            );
        END IF;
    END LOOP;
    INSERT INTO readable_box
    SELECT n, time_us, audience,
        CASE WHEN west = east AND south = north THEN ST_SetSRID(ST_MakePoint(west, south), 4326)
        ELSE ST_MakeEnvelope(west, south, east, north, 4326) END
    FROM ({come}) AS rows WHERE west IS NOT NULL;
"""


def _follow(verb: str, passing: str, body: str) -> tuple[str, str]:
    """A function, and the trigger that runs it once a statement."""
    name = f"readable_box_{verb.lower()}"
    declared = "DECLARE gone record; day bigint; part text;"
    function = f"RETURNS trigger LANGUAGE plpgsql AS $$ {declared} BEGIN {body} RETURN NULL; END $$"
    trigger = f"AFTER {verb} ON readable REFERENCING {passing} FOR EACH STATEMENT EXECUTE FUNCTION {name}()"
    return f"CREATE FUNCTION {name}() {function}", f"CREATE TRIGGER {name} {trigger}"


_OLD, _NEW = (f"SELECT {_PLACED} FROM {rows}" for rows in ("old_rows", "new_rows"))  # noqa: S608 - names of ours
_POSTGRES: tuple[str, ...] = (
    """
    CREATE TABLE readable_box (
        n bigint NOT NULL, time_us bigint NOT NULL, audience bigint NOT NULL, place geometry(Geometry, 4326) NOT NULL,
        PRIMARY KEY (time_us, n)
    ) PARTITION BY RANGE (time_us)
    """,
    "CREATE INDEX readable_box_place ON readable_box USING gist (audience, place)",
    f"CREATE TABLE readable_box_before PARTITION OF readable_box FOR VALUES FROM (MINVALUE) TO ({_FIRST_US})",
    f"CREATE TABLE readable_box_after PARTITION OF readable_box FOR VALUES FROM ({_LAST_US}) TO (MAXVALUE)",
    *_follow("INSERT", "NEW TABLE AS new_rows", _COME.format(come=_NEW)),
    *_follow("DELETE", "OLD TABLE AS old_rows", _GONE.format(gone=_OLD)),
    # An update that moves nothing, as of a view's text, leaves the index alone.
    *_follow(
        "UPDATE",
        "OLD TABLE AS old_rows NEW TABLE AS new_rows",
        _GONE.format(gone=f"{_OLD} EXCEPT {_NEW}") + _COME.format(come=f"{_NEW} EXCEPT {_OLD}"),
    ),
)
_EXTENSIONS = ("postgis", "btree_gist")  # places, and whose they are in the same index


def index_boxes() -> None:
    """Make the index over an empty `readable`."""
    if op.get_context().dialect.name == "sqlite":
        for statement in _SQLITE:
            op.execute(statement)
        return
    for extension in _EXTENSIONS:
        _extend(extension)
    for statement in _POSTGRES:
        op.execute(sa.text(statement.replace(":", "\\:")))


def _extend(extension: str) -> None:
    bind = op.get_bind()
    if bind.scalar(sa.text("SELECT 1 FROM pg_extension WHERE extname = :name"), {"name": extension}):
        return
    try:
        op.execute(f"CREATE EXTENSION {extension}")
    except DBAPIError as error:
        raise StorageError(
            f"the database has no {extension} and this account may not add it ({str(error.orig).splitlines()[0]}): "
            f"install postgresql-15-postgis-3, and let an administrator of it execute CREATE EXTENSION {extension}"
        ) from error
