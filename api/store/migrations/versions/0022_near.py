"""What is near in time and place lies together in SQLite's R*Tree.

A node of it is chosen by its volume, and all that belong to one audience were flat, of no volume: any did as well as
any other. An audience is half a unit thick now, and a place a metre. How a node is split goes by its sides together:
in seconds time was all of them. A day is as long as a tenth of a degree now, by which a box is asked for. What is found
beyond is looked at once more.
"""

from __future__ import annotations

from alembic import op

revision = "0022"
down_revision = "0021"

_TENS_OF_DAYS = "({row}.time_us - 1577836800000000) / 864000000000.0"

_REMOVE = "DELETE FROM readable_box WHERE n = OLD.n"
_SIDES = (("west", "-"), ("east", "+"), ("south", "-"), ("north", "+"))


def _put(row: str) -> str:
    time = _TENS_OF_DAYS.format(row=row)
    sides = ", ".join(f"{row}.{name} {more} 0.00001" for name, more in _SIDES)
    return f"INSERT INTO readable_box SELECT {row}.n, {time}, {time}, {sides}, {row}.audience, {row}.audience + 0.5"


_CHANGED = " OR ".join(
    f"OLD.{name} IS NOT NEW.{name}" for name in ("n", "audience", "time_us", "west", "south", "east", "north")
)


def upgrade() -> None:
    """Make the tree of SQLite anew, and the triggers that keep it."""
    if op.get_bind().dialect.name != "sqlite":
        return
    for verb in ("insert", "update"):
        op.execute(f"DROP TRIGGER readable_box_{verb}")
    op.execute("DROP TABLE readable_box")
    op.execute("CREATE VIRTUAL TABLE readable_box USING rtree(n, t0, t1, x0, x1, y0, y1, a0, a1)")
    op.execute(_put("readable") + " FROM readable WHERE readable.west IS NOT NULL")
    put = _put("NEW")
    op.execute(
        f"CREATE TRIGGER readable_box_insert AFTER INSERT ON readable WHEN NEW.west IS NOT NULL BEGIN {put}; END"
    )
    op.execute(
        f"CREATE TRIGGER readable_box_update AFTER UPDATE ON readable WHEN {_CHANGED} BEGIN "
        f"{_REMOVE}; {put} WHERE NEW.west IS NOT NULL; END"
    )
