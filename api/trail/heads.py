"""Signed heads of the audit chain, kept elsewhere: whoever rewrites the whole chain cannot rewrite them.

A head is one line of canonical JSON: a statement (entry number and hash, time, its own number, SHA-256 of the line
before it) and an Ed25519 signature over the statement's bytes, in the form of evidence's `manifest.sig`. Every head is
announced by an entry `audit.sign` of the chain, which the head then covers: the chain tells how many there must be, so
that heads that were cut off or left out show too.
"""

from __future__ import annotations

import base64
import json
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from sqlalchemy import select
from sqlalchemy.orm import Session

from api.canonical import canonical, new_id, sha256_hex
from api.errors import AuditTamperedError, StorageError
from api.identity.roles import SYSTEM, Call
from api.store.engine import Store
from api.store.tables import AuditRow
from api.times import iso
from api.trail.audit import GENESIS, AuditHead, Link, append_audit, audit_head, check_end, follow, links
from api.trail.lines import LineTarget
from api.trail.settings import HeadSettings

__all__ = ["ACTION", "HeadKeeper", "SignedHead", "read_heads", "read_signed_heads", "sign_head", "verify_with_heads"]

ACTION = "audit.sign"
_FORMAT = "vedette.audit-head/1"
# No text that somebody gave can hold it: a quote inside a JSON text has a stroke before it.
_MARK = f'"action":"{ACTION}"'
_LOG = logging.getLogger("vedette.api")


@dataclass(frozen=True, slots=True)
class SignedHead:
    """A head whose signature holds.

    Parameters
    ----------
    seq, hash
        The entry and its hash in hex.
    time
        When it was signed, ISO 8601.
    number
        Its place among the heads of this chain, from 1; None for one that was asked for and is not of the series.
    previous
        SHA-256 in hex of the line before it in the same file; None for the first.
    key
        Base64 of the public key that signed it.
    line
        The line that says so.
    """

    seq: int
    hash: str
    time: str
    number: int | None
    previous: str | None
    key: str
    line: str


def sign_head(
    key: Ed25519PrivateKey | None,
    head: AuditHead,
    time_us: int,
    *,
    number: int | None = None,
    previous: str | None = None,
) -> str:
    """A head as a signed line (without its end); `number` and `previous` as in `SignedHead`. No key, no signature."""
    statement = {
        "format": _FORMAT,
        "seq": head.seq,
        "hash": head.hash,
        "time": iso(time_us),
        "number": number,
        "previous": previous,
    }
    signature = key and {
        "algorithm": "Ed25519",
        "public_key": base64.b64encode(key.public_key().public_bytes_raw()).decode(),
        "signature": base64.b64encode(key.sign(canonical(statement).encode())).decode(),
    }
    return canonical({"statement": statement, "signature": signature})


def read_heads(lines: Iterable[str], where: str, keys: Sequence[Ed25519PublicKey] | None) -> list[SignedHead]:
    """The heads of one file, each checked against the one before.

    Parameters
    ----------
    lines
        Its lines.
    where
        The file, for messages.
    keys
        Those that may have signed; None takes any, and `SignedHead.key` says whose it was.

    Raises
    ------
    AuditTamperedError
        At the first line that is damaged, signed by another key, moved, or comes after one that is missing; `seq` is
        the first entry that is vouched for no longer.
    """
    known = None if keys is None else {base64.b64encode(key.public_bytes_raw()).decode() for key in keys}
    heads: list[SignedHead] = []
    for count, line in enumerate(lines, 1):
        last = heads[-1] if heads else None
        problem = None
        try:
            head = _read_head(line)
        except (ValueError, KeyError, TypeError):
            problem = "is damaged"
        except InvalidSignature:
            problem = "has a signature that does not fit: it was changed"
        else:
            if known is not None and head.key not in known:
                problem = "was signed with another key"
            elif last is not None and head.number is not None:
                if head.previous != sha256_hex(last.line):
                    problem = "does not follow the line before it: lines are missing or were moved"
                elif head.seq <= last.seq:
                    problem = f"goes back to entry {head.seq}: the chain was cut and went on"
        if problem is not None:
            raise AuditTamperedError(f"{where}: head {count} {problem}", 1 if last is None else last.seq + 1)
        heads.append(head)
    return heads


def _read_head(line: str) -> SignedHead:
    """What a line states and its signature proves; raises ValueError, KeyError, TypeError or InvalidSignature."""
    record = json.loads(line)
    statement, signature = record["statement"], record["signature"]
    public_key = Ed25519PublicKey.from_public_bytes(base64.b64decode(signature["public_key"], validate=True))
    if canonical(record) != line or statement["format"] != _FORMAT or signature["algorithm"] != "Ed25519":
        raise ValueError
    public_key.verify(base64.b64decode(signature["signature"], validate=True), canonical(statement).encode())
    values = {name: statement[name] for name in ("seq", "hash", "time", "number", "previous")}
    return SignedHead(**values, key=signature["public_key"], line=line)


def read_signed_heads(where: str, keys: Sequence[Ed25519PublicKey] | None = None) -> list[SignedHead]:
    """The heads that are kept at a path or URL, as `read_heads` checks them.

    Raises
    ------
    StorageError
        When there are none, or they cannot be read.
    AuditTamperedError
        As `read_heads` does.
    """
    heads = read_heads(LineTarget(where).lines(), where, keys)
    if not heads:
        raise StorageError(f"{where}: holds no signed heads")
    return heads


def verify_with_heads(found: Iterable[Link], head: AuditHead | None, heads: Sequence[SignedHead]) -> AuditHead:
    """Recompute a chain from its beginning and hold it against signed heads.

    Parameters
    ----------
    found
        Every entry, in order.
    head
        Where it says that it ends; None where that is not known.
    heads
        From `read_heads`, of one file or several; empty checks the chain in itself.

    Returns
    -------
    AuditHead
        The newest entry.

    Raises
    ------
    AuditTamperedError
        At the first entry that does not fit, or when heads are missing that the chain tells of.
    """
    anchors: dict[int, str] = {}
    for each in heads:
        if anchors.setdefault(each.seq, each.hash) != each.hash:
            raise AuditTamperedError(f"two signed heads contradict each other at audit entry {each.seq}", each.seq)
    last = AuditHead(0, GENESIS)
    announced: dict[int, int] = {}
    for entry in follow(found, anchors=anchors):
        last = AuditHead(entry[0], entry[2])
        number = _announced(entry[1])
        if number is not None:
            announced[number] = entry[0]
    check_end(last, last if head is None else head, anchors)
    numbers = {each.number for each in heads if each.number is not None}
    # The last entry may announce a head that is about to be written.
    missing = sorted(number for number, seq in announced.items() if number not in numbers and seq != last.seq)
    if numbers and missing:
        seq = announced[missing[0]]
        raise AuditTamperedError(
            f"signed head {missing[0]}, which audit entry {seq} tells of, is not among those given: they were cut, or "
            "it was never written",
            seq,
        )
    return last


def _announced(body: str) -> int | None:
    """The number of the signed head that an entry announces, if it does."""
    if _MARK not in body:
        return None
    said = json.loads(body)
    return int(said["detail"]["number"]) if said["action"] == ACTION else None


class HeadKeeper:
    """Signs heads of one store and writes them to where they are kept.

    Parameters
    ----------
    store
        Whose chain it is.
    settings
        With a key and a target.

    Raises
    ------
    StorageError
        When the target cannot be read.
    AuditTamperedError
        When what stands there is damaged.
    """

    def __init__(self, store: Store, settings: HeadSettings) -> None:
        if settings.key is None or settings.target is None:
            raise ValueError("signed heads need a key and a target")
        self._store = store
        self._settings = settings
        self._key = settings.key
        self._target = LineTarget(settings.target)
        self._target.mend()
        heads = read_heads(self._target.lines(), settings.target, None)  # whichever key signed: keys are changed
        self._last = heads[-1] if heads else None
        self._signed_us = 0

    def sign_if_due(self) -> SignedHead | None:
        """Sign the head when the time has come or enough was appended; the head that was signed, or None.

        The entries since the last signed head are recomputed first: a chain that was touched is not signed.

        Raises
        ------
        AuditTamperedError
            When the chain does not follow from the last signed head.
        StorageError
            When the chain cannot be read, or the head not be written: then it is written the next time.
        """
        now, new = self._store.clock(), self._new()
        due = new >= self._settings.every_entries or now - self._signed_us >= self._settings.every_s * 1e6
        return self.sign() if new != 0 and due else None

    def sign_if_new(self) -> SignedHead | None:
        """Sign the head now where it is another than the last one signed. Raises as `sign_if_due` does."""
        return self.sign() if self._new() != 0 else None

    def _new(self) -> int:
        """How many entries no signed head vouches for; below zero where the chain ends before the last one does."""
        with self._store.read() as session:
            return audit_head(session).seq - (self._last.seq if self._last else 0)

    def sign(self) -> SignedHead:
        """Sign the head now. Raises as `sign_if_due` does."""
        with self._store.read() as session:
            announced, seen = self._examine(session)
        known = 0 if self._last is None or self._last.number is None else self._last.number
        waiting = [each for each in announced if each[0] > known]
        if waiting and waiting[-1][0] == known + 1:  # announced, and then interrupted before it was written
            self._write(waiting[-1][1], self._store.clock(), known + 1)
        elif waiting:  # another file was given, or this one was cut: going on leaves a gap that verification tells of
            _LOG.error("signed heads are missing", extra={"fields": {"from": known + 1, "to": waiting[-1][0]}})
        number = waiting[-1][0] + 1 if waiting else known + 1
        now = self._store.clock()
        with self._store.write() as session:
            for _ in follow(links(session, after=seen.seq), start=seen):  # what came meanwhile
                pass
            append_audit(session, Call(SYSTEM, new_id()), now, ACTION, [], number=number)
            head = audit_head(session)
        return self._write(head, now, number)

    def _examine(self, session: Session) -> tuple[list[tuple[int, AuditHead]], AuditHead]:
        """Recompute what came since the last signed head: the heads that it announces by number, and the newest."""
        last = AuditHead(0, GENESIS) if self._last is None else AuditHead(self._last.seq, self._last.hash)
        if self._last is not None:
            stands = session.scalars(select(AuditRow.hash).where(AuditRow.seq == last.seq)).one_or_none()
            if stands != last.hash:
                raise AuditTamperedError(
                    f"audit entry {last.seq} is {'missing' if stands is None else 'not the one signed'}: "
                    "the chain was cut or rewritten, and is not signed any more",
                    last.seq,
                )
        found = []
        for seq, body, link in follow(links(session, after=last.seq), start=last):
            last = AuditHead(seq, link)
            number = _announced(body)
            if number is not None:
                found.append((number, last))
        check_end(last, audit_head(session), {})
        return found, last

    def _write(self, head: AuditHead, time_us: int, number: int) -> SignedHead:
        previous = None if self._last is None else sha256_hex(self._last.line)
        line = sign_head(self._key, head, time_us, number=number, previous=previous)
        self._target.append(number, line)
        self._last = _read_head(line)
        self._signed_us = time_us
        return self._last
