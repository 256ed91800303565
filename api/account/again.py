"""Taking back once more, in a store that was restored, what had been taken back after its backup was made.

It is done before the service answers anybody. What the ledger names and the backup has is erased, recalled, ended or
revoked again. No login outlives a restore either: whether it was ended since, nothing tells.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import islice

from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from api.account.erasure import erase, remove_objects
from api.account.ledger import Taken, last_taken, read_ledger, stands, store_mark
from api.canonical import new_id
from api.errors import ConflictError, NotFoundError, StorageError
from api.feeds.webhooks import remove_webhook
from api.identity.administrators import require_another_administrator
from api.identity.keys import IssuedKey, issue_key
from api.identity.roles import Call, Principal, Role
from api.identity.tables import AccountRow, ProviderLoginRow, SessionRow
from api.ingest.records import ERASED, EXPIRED, GONE
from api.release.agreements import end_agreement, end_partner
from api.release.releases import recall
from api.release.standing import end_subscription
from api.release.withdrawn import recall_unknown
from api.store.engine import Store
from api.store.tables import KeyRow, RecordRow, ReleaseRow
from api.trail.audit import append_audit
from api.trail.log import append_event

__all__ = ["Again", "take_back_again"]

# Not the service itself: what a person took back is not released anew by a standing wish.
_RESTORER = Principal("restore", "restore of a backup", None)
_AT_ONCE = 200
_WHY = "taken back before the store was restored"


@dataclass(frozen=True, slots=True)
class Again:
    """What was taken back once more.

    Parameters
    ----------
    counts
        How often, by kind of event.
    admin
        A new administrator key, where nobody else could let others in any more; else None.
    """

    counts: Mapping[str, int]
    admin: IssuedKey | None


def take_back_again(store: Store, ledger: str | None) -> Again:
    """Take back in a restored store what a ledger tells of, and end every login; one entry of the audit says so.

    Parameters
    ----------
    store
        That nobody is served from yet.
    ledger
        Where it is kept; None where there is none: then what was taken back since is there again.

    Raises
    ------
    StorageError
        When the ledger is another store's, or does not reach as far as the backup: it was cut, or is an old copy.
    AuditTamperedError
        When the ledger is damaged.
    SettingsError
        When the machine's clock is behind what the backup holds.
    """
    store.start_clock(longest_rest_us=None)  # backups are old; but not of a time to come
    counts: Counter[str] = Counter()
    found = iter(()) if ledger is None else _newer(store, ledger)
    while some := list(islice(found, _AT_ONCE)):
        objects: set[str] = set()
        with store.write() as session:
            now = store.clock()
            for taken in some:
                if stands(session, taken):  # written down once more after a restore before this one
                    continue
                call = Call(replace(_RESTORER, partner_id=taken.partner_id), new_id())
                with suppress(NotFoundError):  # it is not in the backup, or was taken back in it
                    objects |= _AGAIN[taken.kind](session, call, now, taken)
                    counts[taken.kind] += 1
        remove_objects(store, objects)
    with store.write() as session:
        now, call = store.clock(), Call(_RESTORER, new_id())
        session.execute(update(SessionRow).where(SessionRow.ended_us.is_(None)).values(ended_us=now))
        session.execute(update(AccountRow).values(once_digest=None, once_expires_us=None))
        session.execute(delete(ProviderLoginRow))
        admin = _administrator(session, call, now)
        append_audit(session, call, now, "store.restore", [], ledger=ledger is not None, again=dict(counts))
    return Again(dict(counts), admin)


def _newer(store: Store, ledger: str) -> Iterator[Taken]:
    """What stands in a ledger after the last that the store itself took back."""
    with store.read() as session:
        mark = store_mark(session)
        last = last_taken(session)
    found = read_ledger(ledger, mark)
    # By place, neither by number nor by time: a store that was restored before counts on from where that backup ended,
    # and a clock that was set right leaves older times behind newer ones.
    if last is not None and last not in found:  # reads as far as that line
        raise StorageError(
            f"{ledger}: does not tell of all that the backup itself says was taken back: it was cut, or is an old copy"
        )
    return found


def _erase(session: Session, call: Call, now_us: int, taken: Taken) -> set[str]:
    row, why = session.get(RecordRow, taken.record_id), taken.detail["why"]
    if row is not None and row.review_state == EXPIRED and why == "request":
        # It had run out, came back, and was erased: its source must not make it once more.
        row.review_state = ERASED
        append_audit(session, call, now_us, "record.erase", [row.id], why=why)
        return set()
    if row is None or row.review_state in GONE:
        raise NotFoundError("it is gone")
    return erase(session, call, now_us, [row], why=why, rule=_WHY)


def _recall(session: Session, call: Call, now_us: int, taken: Taken) -> set[str]:
    release_id = taken.detail["release_id"]
    if session.get(ReleaseRow, release_id) is None:  # made after the backup: a subscription must not share it anew
        of = {"record_id": taken.record_id or "", "partner_id": taken.partner_id or ""}
        recall_unknown(session, call, now_us, release_id, **of, reason=_WHY)
    else:
        recall(session, call, now_us, release_id, _WHY)
    return set()


def _end_agreement(session: Session, call: Call, now_us: int, taken: Taken) -> set[str]:
    end_agreement(session, call, now_us, taken.detail["agreement_id"])
    return set()


def _end_partner(session: Session, call: Call, now_us: int, taken: Taken) -> set[str]:
    end_partner(session, call, now_us, taken.partner_id or "")
    return set()


def _end_subscription(session: Session, call: Call, now_us: int, taken: Taken) -> set[str]:
    end_subscription(session, call, now_us, taken.detail["subscription_id"])
    return set()


def _remove_webhook(session: Session, call: Call, now_us: int, taken: Taken) -> set[str]:
    remove_webhook(session, call, now_us, taken.detail["webhook_id"])
    return set()


def _revoke_key(session: Session, call: Call, now_us: int, taken: Taken) -> set[str]:
    row = session.get(KeyRow, taken.detail["key_id"])
    if row is None or row.revoked_us is not None:
        raise NotFoundError("it is revoked")
    row.revoked_us = now_us  # the last of an administrator too: another is issued at the end
    append_event(session, now_us, "key.revoked", partner_id=row.partner_id, key_id=row.id)
    append_audit(session, call, now_us, "key.revoke", [row.id])
    return set()


def _change_account(session: Session, call: Call, now_us: int, taken: Taken) -> set[str]:
    row = session.get(AccountRow, taken.detail["account_id"])
    if row is None:
        raise NotFoundError("it is not there")
    said = {"role": row.role, "disabled": True, "password": True, **taken.detail}  # an older line tells too little
    row.role = said["role"]
    row.disabled_us = (row.disabled_us or now_us) if said["disabled"] else None
    if said["password"]:
        row.password = None  # it was changed since: the one in the backup may be known to others
    append_event(session, now_us, "account.changed", partner_id=row.partner_id, **said)
    append_audit(session, call, now_us, "account.change", [row.id], **said)
    return set()


_AGAIN: Mapping[str, Callable[[Session, Call, int, Taken], set[str]]] = {
    "record.erased": _erase,
    "release.recalled": _recall,
    "agreement.ended": _end_agreement,
    "partner.ended": _end_partner,
    "subscription.ended": _end_subscription,
    "webhook.deleted": _remove_webhook,
    "key.revoked": _revoke_key,
    "account.changed": _change_account,
}
"""How each is taken back once more: SHA-256 of what went with it; raises NotFoundError where nothing is left."""


def _administrator(session: Session, call: Call, now_us: int) -> IssuedKey | None:
    session.flush()
    try:
        require_another_administrator(session)
    except ConflictError:
        return issue_key(session, call, now_us, name="administrator after a restore", role=Role.ADMINISTRATOR)
    return None
