"""A database past the service: filled as fast as it takes rows, and asked by SQL that was written for one question."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from api.store.postgres import libpq_url
from bench.rows import BenchError

__all__ = ["Question", "Raw", "RawPostgres", "RawSqlite", "Rows", "postgis_url"]

Rows = tuple[str, Sequence[str], Sequence[tuple[Any, ...]]]
"""A table, names of its columns, and rows of them."""


@dataclass(frozen=True, slots=True)
class Question:
    """A box of 0.1 degree and a day: west, south, east, north in degrees, and UTC microseconds."""

    bbox: tuple[float, float, float, float]
    from_us: int
    to_us: int


class Raw(Protocol):
    """A connection of one's own to the database of a store."""

    def load(self, batches: Iterable[Sequence[Rows]]) -> None:
        """Put rows in, a transaction a batch, and count them for whoever plans queries."""

    def ask(self, now_us: int, question: Question) -> list[Any]:
        """Rows (time_us, id, feature, etag) that the partner with number 1 may read: the newest 100, newest first."""

    def close(self) -> None:
        """Let go of it."""


_SERVER_BYTES, _CROSSING_BYTES = 4 << 30, 8000
_FOUND = """
SELECT r.time_us, r.record_id, r.feature, r.etag FROM readable r
JOIN release l ON l.id = r.release_id
JOIN record c ON c.id = r.record_id
JOIN agreement a ON a.id = l.agreement_id
"""
_ALLOWED = """
AND r.audience = 1 AND r.type = 'crossing' AND r.time_us >= ? AND r.time_us < ?
AND r.west <= ? AND r.east >= ? AND r.south <= ? AND r.north >= ?
AND r.visible_us <= ? AND r.until_us > ?
AND l.recalled_us IS NULL AND l.revision = r.revision AND c.revision = r.revision AND c.marking = l.marking
AND c.review_state = 'confirmed' AND c.expires_us > ? AND a.ended_us IS NULL
ORDER BY r.time_us DESC, r.record_id DESC LIMIT 100
"""
_IN_RTREE = """
WHERE r.n IN (
  SELECT n FROM readable_box
  WHERE t1 >= ? AND t0 <= ? AND x0 <= ? AND x1 >= ? AND y0 <= ? AND y1 >= ? AND a0 <= 1 AND a1 >= 1)
"""
_IN_DAYS = """
JOIN readable_box b ON b.n = r.n
WHERE b.time_us >= ? AND b.time_us < ? AND b.audience = 1 AND b.place && ST_MakeEnvelope(?, ?, ?, ?, 4326)
"""
_EPOCH_US, _TEN_DAYS_US = 1_577_836_800_000_000, 864_000_000_000


def _values(now_us: int, question: Question) -> tuple[float, ...]:
    west, south, east, north = question.bbox
    return (question.from_us, question.to_us, east, west, north, south, now_us, now_us, now_us)


class RawSqlite:
    """SQLite's own driver, on the file of a store."""

    def __init__(self, file: Path) -> None:
        self._connection = sqlite3.connect(file, isolation_level=None)

    def load(self, batches: Iterable[Sequence[Rows]]) -> None:
        """Without waiting for the disk."""
        for pragma in ("synchronous = OFF", "foreign_keys = OFF", "cache_size = -1000000"):
            self._connection.execute(f"PRAGMA {pragma}")
        for batch in batches:
            self._connection.execute("BEGIN")
            for table, columns, rows in batch:
                marks = ", ".join("?" * len(columns))
                self._connection.executemany(
                    f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})",  # noqa: S608 - names of ours
                    rows,
                )
            self._connection.execute("COMMIT")
        self._connection.execute("ANALYZE")
        self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def ask(self, now_us: int, question: Question) -> list[Any]:
        """Through the R*Tree."""
        west, south, east, north = question.bbox
        since, until = ((each - _EPOCH_US) / _TEN_DAYS_US for each in (question.from_us, question.to_us))
        place = (since, until, east, west, north, south)
        return self._connection.execute(_FOUND + _IN_RTREE + _ALLOWED, (*place, *_values(now_us, question))).fetchall()

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()


class RawPostgres:
    """psycopg, on the database of a store."""

    def __init__(self, url: str) -> None:
        import psycopg  # noqa: PLC0415 - of the extra `postgres`

        self._connection = psycopg.connect(libpq_url(url), autocommit=True)

    def load(self, batches: Iterable[Sequence[Rows]]) -> None:
        """By COPY."""
        for batch in batches:
            with self._connection.transaction(), self._connection.cursor() as cursor:
                for table, columns, rows in batch:
                    with cursor.copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN") as copy:
                        for row in rows:
                            copy.write_row(row)
        self._connection.execute("VACUUM ANALYZE")

    def ask(self, now_us: int, question: Question) -> list[Any]:
        """Through the tables of days."""
        place = (question.from_us, question.to_us, *question.bbox)
        sql = (_FOUND + _IN_DAYS + _ALLOWED).replace("?", "%s")
        return self._connection.execute(sql, (*place, *_values(now_us, question))).fetchall()

    def close(self) -> None:
        """Let go of the connection."""
        self._connection.close()


@contextmanager
def postgis_url(crossings: int) -> Iterator[str]:
    """A database for the block: the empty one of VEDETTE_BENCH_DATABASE, or one of a server that ends with the block.

    Parameters
    ----------
    crossings
        How many it has to hold: a server of our own lies on the disk where they fill the memory.

    Raises
    ------
    BenchError
        When none was named and PostgreSQL 15 or PostGIS is absent.
    """
    named = os.environ.get("VEDETTE_BENCH_DATABASE")
    if named is not None:
        yield named
        return
    from tests.services import postgres_absent, postgres_cluster  # noqa: PLC0415 - of the repository alone

    missing = postgres_absent()
    if missing is not None:
        raise BenchError(f"{missing}; or name an empty database by VEDETTE_BENCH_DATABASE")
    with postgres_cluster(_SERVER_BYTES + crossings * _CROSSING_BYTES) as server:
        yield server.url(server.create())
