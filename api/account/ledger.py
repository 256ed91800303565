"""The ledger of what was taken back: erased, recalled, ended, revoked. Kept outside the store and its backups.

A backup knows nothing of what was taken back after it was made: whoever restores it without this ledger brings all of
it back. The first line names the store by the first entry of its audit, each line after it an event: what was taken
back, never what it said. Each holds the hash of the line before it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from api.canonical import canonical, sha256_hex
from api.errors import AuditTamperedError, StorageError
from api.store.engine import Store
from api.store.tables import AuditRow, EventRow
from api.times import iso, microseconds_of
from api.trail.lines import LineTarget
from api.trail.log import INSIDE, event_of, last_seq

__all__ = ["TAKEN", "LedgerKeeper", "Taken", "last_taken", "read_ledger", "stands", "store_mark"]

_FORMAT = "vedette.ledger/1"
_AT_ONCE = 1000
_WHAT = "the ledger of what was taken back"

TAKEN: Mapping[str, tuple[str, ...]] = {
    "record.erased": ("why",),
    "release.recalled": ("release_id",),
    "agreement.ended": ("agreement_id",),
    "partner.ended": (),
    "subscription.ended": ("subscription_id",),
    "webhook.deleted": ("webhook_id",),
    "key.revoked": ("key_id",),
    "account.changed": ("account_id", "role", "disabled", "password"),
}
"""Kinds of events that take something back, and the members of `detail` that a line keeps: no words of anybody."""


@dataclass(frozen=True, slots=True)
class Taken:
    """One line: an event that took something back.

    Parameters
    ----------
    seq, time_us, kind, record_id, partner_id
        As the event log has them.
    detail
        Of the event's detail what `TAKEN` names.
    """

    seq: int
    time_us: int
    kind: str
    record_id: str | None
    partner_id: str | None
    detail: Mapping[str, Any]

    @classmethod
    def of_event(cls, row: EventRow) -> Taken:
        """What a line says of an event."""
        detail = event_of(row)["detail"]
        kept = {name: detail[name] for name in TAKEN[row.kind] if name in detail}
        return cls(row.seq, row.time_us, row.kind, row.record_id, row.partner_id, kept)

    def line(self, previous: str) -> str:
        """As it is kept; `previous` is the hash of the line before it."""
        return canonical(
            {
                "seq": self.seq,
                "time": iso(self.time_us),
                "kind": self.kind,
                "record_id": self.record_id,
                "partner_id": self.partner_id,
                "detail": self.detail,
                "previous": previous,
            }
        )


def read_ledger(where: str, mark: str | None = None) -> Iterator[Taken]:
    """What a ledger says, oldest first, each line checked against the one before.

    Parameters
    ----------
    where
        Path of a file, or URL of a folder.
    mark
        `store_mark` of the store that it must be of; None takes any.

    Raises
    ------
    StorageError
        When there is none, it cannot be read, or is another store's.
    AuditTamperedError
        At the first line that was changed, or comes after one that is missing; `seq` is its number.
    """
    lines = LineTarget(where, _WHAT).lines()
    first = next(lines, None)
    if first is None:
        raise StorageError(f"{where}: holds no ledger of what was taken back")
    for taken, _ in _read(first, lines, where, mark):
        yield taken


def _read(first: str, lines: Iterable[str], where: str, mark: str | None) -> Iterator[tuple[Taken, str]]:
    """What each line after the first means, and its hash."""
    if mark is not None and first != _first_line(mark):
        raise StorageError(f"{where}: is no ledger of this store: name its own")
    previous = sha256_hex(first)
    for number, line in enumerate(lines, 2):
        try:
            taken, said_previous = _meaning(line)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise AuditTamperedError(f"{where}: line {number} of the ledger is damaged", number) from None
        if said_previous != previous:
            raise AuditTamperedError(f"{where}: before line {number} of the ledger lines are missing", number)
        previous = sha256_hex(line)
        yield taken, previous


def _first_line(mark: str) -> str:
    return canonical({"format": _FORMAT, "store": mark})


def _meaning(line: str) -> tuple[Taken, str]:
    said = json.loads(line)
    if canonical(said) != line or said["kind"] not in TAKEN:
        raise ValueError
    names = ("seq", "kind", "record_id", "partner_id", "detail")
    return Taken(time_us=microseconds_of(said["time"]), **{name: said[name] for name in names}), said["previous"]


def store_mark(session: Session) -> str | None:
    """What tells a store from every other: the hash of the first entry of its audit; None while there is none."""
    return session.scalar(select(AuditRow.hash).where(AuditRow.seq == 1))


def last_taken(session: Session) -> Taken | None:
    """The newest event of a store that took something back."""
    row = session.scalars(_takings().order_by(EventRow.seq.desc()).limit(1)).one_or_none()
    return None if row is None else Taken.of_event(row)


def _takings() -> Any:
    return select(EventRow).where(EventRow.kind.in_(TAKEN), EventRow.audience == INSIDE)


class LedgerKeeper:
    """Writes down what a store takes back: a cursor in its event log, which is where the ledger ends.

    Two services on one store (one that starts before the other has ended, say) keep one ledger: each looks, before it
    adds, whether the ledger still ends as it left it.

    Parameters
    ----------
    store
        Whose ledger it is.
    where
        Path of a file, or URL of a folder; anew where there is none.

    Raises
    ------
    StorageError
        When it cannot be read, or is another store's.
    AuditTamperedError
        When what stands there is damaged.
    """

    def __init__(self, store: Store, where: str) -> None:
        self._store = store
        self._where = where
        self._target = LineTarget(where, _WHAT)
        with self._target.alone():
            self._find_end()

    def _find_end(self) -> None:
        """Where the ledger ends: the number and hash of its last line, and the event that it tells of."""
        self._target.mend()
        with self._store.read() as session:
            mark = store_mark(session)
            if mark is None:
                raise StorageError(f"{self._where}: a store that nobody has used yet has no ledger")
            lines = self._target.lines()
            first = next(lines, None)
            if first is None:
                first = _first_line(mark)
                self._target.append(1, first)
            count, previous, last = 1, sha256_hex(first), None
            for last, previous in _read(first, lines, self._where, mark):  # noqa: B007 - looked at below
                count += 1
            # One that does not stand: the store was restored since. All that it took back is written down once more,
            # which harms nothing.
            after = last.seq if last is not None and stands(session, last) else 0
        self._count, self._previous, self._after = count, previous, after
        self._left = self._target.state()

    def is_behind(self) -> bool:
        """Whether there are events that it has not looked through. Raises StorageError."""
        return self._store.stamp() != self._after

    def keep(self) -> int:
        """Write down what was taken back since the last time; how much.

        Raises
        ------
        StorageError, AuditTamperedError
            As at the start: where somebody else wrote meanwhile, the ledger is read again.
        """
        kept = 0
        while True:
            with self._store.read() as session:
                end = last_seq(session)
                query = _takings().where(EventRow.seq > self._after).order_by(EventRow.seq).limit(_AT_ONCE)
                found = [Taken.of_event(row) for row in session.scalars(query)]
            if not found:
                self._after = end
                return kept
            kept += self._append(found)

    def _append(self, found: list[Taken]) -> int:
        """Add lines; how many: none where the ledger does not end as this keeper left it, which then knows where."""
        with self._target.alone():
            if self._target.state() != self._left:
                self._find_end()
                return 0
            lines: list[str] = []
            previous = self._previous
            for taken in found:
                lines.append(taken.line(previous))
                previous = sha256_hex(lines[-1])
            self._target.append(self._count + 1, *lines)
            self._count += len(lines)
            self._previous, self._after = previous, found[-1].seq
            self._left = self._target.state()
            return len(lines)


def stands(session: Session, taken: Taken) -> bool:
    """Whether a store's own log has what a line says."""
    row = session.get(EventRow, taken.seq)
    return row is not None and row.kind in TAKEN and Taken.of_event(row) == taken
