"""What a principal may read. Every reading of crossings goes through `readable_crossings`; no other query may.

The rule stands in WHERE: what is not allowed is not fetched, counted, sorted or paged over. It fails closed: a role
that is not named reads nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import BigInteger, String, Subquery, and_, bindparam, cast, false, literal, or_, select
from sqlalchemy.orm import Session
from sqlalchemy.sql import Select

from api.errors import NotFoundError
from api.identity.roles import Principal, Role
from api.store.tables import AgreementRow, CrossingRow, EvidenceRow, PartnerRow, ReleaseRow

__all__ = ["Readable", "find_evidence", "find_readable", "readable_crossings"]

_INSIDE = {Role.PILOT, Role.ANALYST, Role.SUPERVISOR}


@dataclass(frozen=True, slots=True)
class Readable:
    """What a principal may read now.

    Parameters
    ----------
    rows
        A subquery with columns id, revision, time_us, kind, status, review, lat, lon (NULL where withheld), media
        (whether evidence may be read), etag, and feature (a serialised GeoJSON Feature with what may be seen and
        nothing else).
    parameters
        To be passed to `Session.execute` with every statement over `rows`; without them it fails.
    """

    rows: Subquery
    parameters: dict[str, Any]


def readable_crossings(principal: Principal, now_us: int) -> Readable:
    """The crossings that `principal` may read now, as it may read them.

    Parameters
    ----------
    principal
        Who reads.
    now_us
        UTC microseconds since the Unix epoch: delays, ends of agreements and retention are judged by it.

    Notes
    -----
    A partner reads a crossing when all of this holds: a release to that partner exists and is not recalled; it is of
    the crossing's present revision; the delay has passed; its agreement runs; the partner is active; the crossing is
    marked, confirmed by review, and within its retention. Area, kind, purpose and marking were checked when the release
    was made, and neither a revision nor an agreement ever changes.
    """
    if principal.role in _INSIDE:
        return Readable(_inside(), {"now_us": now_us})
    if principal.role is Role.PARTNER and principal.partner_id is not None:
        return Readable(_partner(), {"now_us": now_us, "partner_id": principal.partner_id})
    return Readable(_nobody(), {})


# The statements are built once: building one costs more than running it.


@cache
def _inside() -> Subquery:
    return (
        select(
            CrossingRow.id,
            CrossingRow.revision,
            CrossingRow.time_us,
            CrossingRow.kind,
            CrossingRow.status,
            CrossingRow.review_state.label("review"),
            CrossingRow.lat,
            CrossingRow.lon,
            literal(True).label("media"),
            (cast(CrossingRow.revision, String) + "-" + cast(CrossingRow.review_version, String)).label("etag"),
            CrossingRow.feature,
        )
        .where(CrossingRow.expires_us > bindparam("now_us", type_=BigInteger))
        .subquery()
    )


def _released() -> Select[*tuple[Any, ...]]:
    return (
        select(
            CrossingRow.id,
            ReleaseRow.revision,
            ReleaseRow.time_us,
            ReleaseRow.kind,
            ReleaseRow.status,
            literal("confirmed").label("review"),
            ReleaseRow.lat,
            ReleaseRow.lon,
            ReleaseRow.media,
            ReleaseRow.id.label("etag"),
            ReleaseRow.feature,
        )
        .join(CrossingRow, CrossingRow.id == ReleaseRow.crossing_id)
        .join(AgreementRow, AgreementRow.id == ReleaseRow.agreement_id)
        .join(PartnerRow, PartnerRow.id == ReleaseRow.partner_id)
    )


@cache
def _nobody() -> Subquery:
    return _released().where(false()).subquery()


@cache
def _partner() -> Subquery:
    now_us = bindparam("now_us", type_=BigInteger)
    return (
        _released()
        .where(
            ReleaseRow.partner_id == bindparam("partner_id", type_=String),
            ReleaseRow.recalled_us.is_(None),
            ReleaseRow.visible_us <= now_us,
            ReleaseRow.revision == CrossingRow.revision,
            CrossingRow.marking == ReleaseRow.marking,  # NULL equals nothing: no marking, nobody
            CrossingRow.review_state == "confirmed",
            CrossingRow.expires_us > now_us,
            AgreementRow.partner_id == ReleaseRow.partner_id,
            AgreementRow.ended_us.is_(None),
            or_(AgreementRow.valid_until_us.is_(None), AgreementRow.valid_until_us > now_us),
            PartnerRow.ended_us.is_(None),
        )
        .subquery()
    )


def find_readable(session: Session, principal: Principal, now_us: int, crossing_id: str) -> Any:
    """One crossing as `principal` may read it: a row of `readable_crossings`.

    Raises
    ------
    NotFoundError
        When it does not exist or may not be known of.
    """
    readable = readable_crossings(principal, now_us)
    statement = select(readable.rows).where(readable.rows.c.id == crossing_id)
    row = session.execute(statement, readable.parameters).one_or_none()
    if row is None:
        raise NotFoundError(f"crossing {crossing_id} does not exist")
    return row


def find_evidence(session: Session, principal: Principal, now_us: int, crossing_id: str, part: str) -> EvidenceRow:
    """A piece of evidence of the revision that `principal` may read.

    Raises
    ------
    NotFoundError
        When the crossing, the piece or the right to either is absent.
    """
    readable = readable_crossings(principal, now_us)
    column = readable.rows.c
    statement = (
        select(EvidenceRow)
        .join(readable.rows, and_(column.id == EvidenceRow.crossing_id, column.revision == EvidenceRow.revision))
        .where(EvidenceRow.crossing_id == crossing_id, EvidenceRow.part == part, column.media)
    )
    row = session.scalars(statement, readable.parameters).one_or_none()
    if row is None:
        raise NotFoundError(f"crossing {crossing_id} has no {part}")
    return row
