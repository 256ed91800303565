"""What a principal may read. Every reading of records goes through `readable_records`; no other query may.

The rule stands in WHERE: what is not allowed is not fetched, counted, sorted or paged over. It fails closed: a role
that is not named reads nothing, and a record without a row for an audience is not there for it.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    String,
    Subquery,
    and_,
    bindparam,
    case,
    exists,
    false,
    func,
    literal,
    literal_column,
    or_,
    select,
)
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased
from sqlalchemy.sql import Select

from api.errors import NotFoundError
from api.identity.roles import Permission, Principal, Role
from api.once import once
from api.records.types import TYPES
from api.store.tables import AgreementRow, EvidenceRow, PartnerRow, ReadableRow, RecordRow, ReleaseRow

__all__ = [
    "INSIDE_AUDIENCE",
    "Readable",
    "find_evidence",
    "find_readable",
    "find_released",
    "may_read",
    "may_read_plannings",
    "may_read_stations",
    "next_change",
    "readable_records",
]

INSIDE_AUDIENCE = 0
_NEVER_US = 2**63 - 1
_INSIDE_NUMBER, _NOBODY_NUMBER = literal(INSIDE_AUDIENCE), literal(-1)
"""Of which there is one each: statements are kept ready by what they are made of."""
_INSIDE = {Role.PILOT, Role.ANALYST, Role.SUPERVISOR}
_PLANNERS = {Role.PILOT, Role.SUPERVISOR}


@dataclass(frozen=True, slots=True)
class Readable:
    """What a principal may read now.

    Parameters
    ----------
    rows
        A subquery with columns n, audience, id, type, revision, time_us, source, kind, status, review, west, south,
        east, north (NULL where withheld), media, etag, release_id, and feature (a serialised GeoJSON Feature with what
        may be seen and nothing else).
    parameters
        To be passed to `Session.execute` with every statement over `rows`; without them it fails.
    audience
        The number whose rows these are.
    """

    rows: Subquery
    parameters: dict[str, Any]
    audience: ColumnElement[int]


def may_read(principal: Principal, type_: str) -> bool:
    """Whether the principal's role may read records of a type at all."""
    return type_ in TYPES and principal.may(TYPES[type_].read)


def may_read_plannings(principal: Principal) -> bool:
    """Whether the principal may know of plannings: what is not adopted yet is the business of those who fly."""
    return principal.role in _PLANNERS and principal.may(Permission.ASSET_READ)


def may_read_stations(principal: Principal) -> bool:
    """Whether the principal may know of ground stations that stand by, and what is looked at before they launch."""
    return may_read_plannings(principal)


def readable_records(principal: Principal, now_us: int) -> Readable:
    """The records that `principal` may read now, as it may read them.

    Parameters
    ----------
    principal
        Who reads.
    now_us
        UTC microseconds since the Unix epoch: delays, ends of agreements and retention are judged by it.

    Notes
    -----
    Types are judged by `may_read`: a role reads no type that it has no permission for, whatever rows there are.

    A partner reads a record when all of this holds: a release to that partner exists and is not recalled; it is of the
    record's present revision; the delay has passed; its agreement runs; the partner is active; the record bears the
    marking it was released with, is confirmed by review where its type is judged, and is within its retention. Area,
    kind, purpose, sensitivity and marking were checked when the release was made, and neither a revision nor an
    agreement ever changes.
    """
    if principal.role in _INSIDE:
        return Readable(_inside(_types(principal)), {"now_us": now_us}, _INSIDE_NUMBER)
    if principal.role is Role.PARTNER and principal.partner_id is not None:
        parameters = {"now_us": now_us, "partner_id": principal.partner_id}
        return Readable(_partner(_types(principal)), parameters, _partner_number())
    return Readable(_nobody(), {}, _NOBODY_NUMBER)


@lru_cache(maxsize=512)
def _types(principal: Principal) -> frozenset[str]:
    return frozenset(name for name in TYPES if may_read(principal, name))


# The statements are built once: building one costs more than running it.


def _columns() -> Select[*tuple[Any, ...]]:
    row = ReadableRow
    return select(
        row.n,
        row.audience,
        row.record_id.label("id"),
        row.type,
        row.revision,
        row.time_us,
        row.source,
        row.kind,
        row.status,
        row.review,
        row.west,
        row.south,
        row.east,
        row.north,
        row.media,
        row.etag,
        row.release_id,
        row.feature,
    )


def _now() -> ColumnElement[int]:
    return bindparam("now_us", type_=BigInteger)


def _unsought(column: InstrumentedAttribute[int]) -> ColumnElement[int]:
    """A column by which no index is entered.

    Nearly every row passes the rules of time. SQLite does not know that before it is told by ANALYZE, and would look
    all rows of an audience up by them, for a page in order of time and for a few ids too.
    """
    return column + 0  # sqlite.org/optoverview.html, 3


@once
def _inside(types: frozenset[str]) -> Subquery:
    rules = (ReadableRow.audience == INSIDE_AUDIENCE, _unsought(ReadableRow.until_us) > _now(), *_of(types))
    return _columns().where(*rules).subquery()


def _of(types: frozenset[str]) -> tuple[ColumnElement[bool], ...]:
    return () if types == frozenset(TYPES) else (ReadableRow.type.in_(_texts(types)),)


def _texts(names: Collection[str]) -> list[ColumnElement[str]]:
    """Names of types in a list of a statement that a driver takes as it stands (`api.store.direct`)."""
    return [literal_column(f"'{name}'", String) for name in sorted(names)]


@once
def _nobody() -> Subquery:
    return _columns().where(false()).subquery()


@once
def _partner(types: frozenset[str]) -> Subquery:
    partner = bindparam("partner_id", type_=String)
    return _shared(partner, _partner_number()).where(*_of(types)).subquery()


@once
def _released() -> Select[Any]:
    named = aliased(ReleaseRow)  # what is asked for: begins with these, and not with all that is readable
    return (
        _shared(PartnerRow.id, PartnerRow.number)
        .add_columns(PartnerRow.id.label("partner_id"))
        .join(named, and_(named.record_id == ReadableRow.record_id, named.id == ReadableRow.release_id))
        .join(PartnerRow, PartnerRow.id == named.partner_id)
        .where(named.id.in_(bindparam("releases", expanding=True)), PartnerRow.ended_us.is_(None))
    )


def _shared(partner: Any, number: Any) -> Select[Any]:
    """The rule of `readable_records` for a partner, whose id and audience are given."""
    judged = _texts([name for name, type_ in TYPES.items() if type_.reviewed])
    permitted = (
        select(ReleaseRow.id)
        .join(RecordRow, RecordRow.id == ReleaseRow.record_id)
        .join(AgreementRow, AgreementRow.id == ReleaseRow.agreement_id)
        .where(
            ReleaseRow.id == ReadableRow.release_id,
            ReleaseRow.record_id == ReadableRow.record_id,
            ReleaseRow.partner_id == partner,
            ReleaseRow.revision == ReadableRow.revision,
            ReleaseRow.recalled_us.is_(None),
            RecordRow.revision == ReadableRow.revision,
            RecordRow.marking == ReleaseRow.marking,  # NULL equals nothing: no marking, nobody
            or_(RecordRow.review_state == "confirmed", RecordRow.type.not_in(judged)),
            RecordRow.expires_us > _now(),
            AgreementRow.partner_id == partner,
            AgreementRow.ended_us.is_(None),
            or_(AgreementRow.valid_until_us.is_(None), AgreementRow.valid_until_us > _now()),
        )
        .correlate(ReadableRow, PartnerRow)
    )
    return _columns().where(
        ReadableRow.audience == number,
        _unsought(ReadableRow.visible_us) <= _now(),
        _unsought(ReadableRow.until_us) > _now(),
        exists(permitted),  # not a join: engines would begin with the releases, and sort them all
    )


@once
def _partner_number() -> ColumnElement[int]:
    partner = bindparam("partner_id", type_=String)
    return select(PartnerRow.number).where(PartnerRow.id == partner, PartnerRow.ended_us.is_(None)).scalar_subquery()


def find_readable(
    session: Session, principal: Principal, now_us: int, record_id: str, *, type_: str | None = None
) -> Any:
    """One record as `principal` may read it: a row of `readable_records`.

    Parameters
    ----------
    type_
        Only of that type.

    Raises
    ------
    NotFoundError
        When it does not exist or may not be known of.
    """
    readable = readable_records(principal, now_us)
    column = readable.rows.c
    statement = select(readable.rows).where(column.id == record_id)
    if type_ is not None:
        statement = statement.where(column.type == type_)
    row = session.execute(statement, readable.parameters).one_or_none()
    if row is None:
        raise NotFoundError(f"{type_ or 'record'} {record_id} does not exist")
    return row


def find_released(session: Session, now_us: int, release_ids: Collection[str]) -> dict[str, Any]:
    """What was released, as its partner may read it now: rows as `find_readable` gives them to that partner.

    Parameters
    ----------
    release_ids
        Of any partners: each row also has `partner_id`, and is for that partner alone, if its role may read the `type`.

    Returns
    -------
    dict
        By release; one that its partner may not read is not in it.
    """
    if not release_ids:
        return {}
    rows = session.execute(_released(), {"now_us": now_us, "releases": sorted(set(release_ids))})
    return {row.release_id: row for row in rows}


def next_change(session: Session, principal: Principal, now_us: int) -> int:
    """When time alone changes what `principal` may read: a delay passes, or a retention or agreement ends.

    UTC microseconds since the Unix epoch; without any, the end of time.
    """
    readable = readable_records(principal, now_us)
    if readable.audience is _INSIDE_NUMBER:  # no delay, no agreement: retention alone
        ends = [select(func.min(RecordRow.expires_us)).where(RecordRow.expires_us > now_us)]
    else:
        mine = (ReadableRow.audience == readable.audience, ReadableRow.audience > literal_column("0"))  # as indexes say
        columns = (ReadableRow.until_us, ReadableRow.visible_us)
        ends = [select(func.min(column)).where(*mine, column > now_us) for column in columns]
    moments = [session.scalar(end, readable.parameters) for end in ends]
    return min((moment for moment in moments if moment is not None), default=_NEVER_US)


def find_evidence(session: Session, principal: Principal, now_us: int, record_id: str, part: str) -> EvidenceRow:
    """A piece of evidence of the revision that `principal` may read, redacted where that is what it may see.

    Raises
    ------
    NotFoundError
        When the record, the piece or the right to either is absent.
    """
    readable = readable_records(principal, now_us)
    column = readable.rows.c
    statement = (
        select(EvidenceRow)
        .join(readable.rows, and_(column.id == EvidenceRow.record_id, column.revision == EvidenceRow.revision))
        .where(
            EvidenceRow.record_id == record_id,
            EvidenceRow.part == case((column.media == "original", part), else_=column.media + f"-{part}"),
            column.media != "none",
        )
    )
    row = session.scalars(statement, readable.parameters).one_or_none()
    if row is None:
        raise NotFoundError(f"record {record_id} has no {part}")
    return row
