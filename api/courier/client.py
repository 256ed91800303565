"""The service's own client, and the delivery that goes through the spool."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import SystemRandom
from typing import Any

import httpx

from api.courier.files import SIGNATURE, checked_files, chunks, signs, written_twice
from api.courier.plans import Plans
from api.courier.spool import Failed, Spool
from api.courier.station import StationClient
from api.courier.wire import is_for_good
from api.errors import ClientError, RefusedError, SpoolError

__all__ = ["Client", "SpoolReport"]

_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.5, 60.0


@dataclass(frozen=True, slots=True)
class SpoolReport:
    """What a flush of the spool came to.

    Parameters
    ----------
    delivered
        The service's answers in order: id, revision, outcome, note.
    failed
        What was moved aside, and why.
    waiting
        How many are still in the spool.
    error
        Why the rest waits; None when nothing does.
    retry_in_s
        Seconds until the next try is due; 0 when nothing waits.
    """

    delivered: tuple[dict[str, Any], ...]
    failed: tuple[Failed, ...]
    waiting: int
    error: str | None
    retry_in_s: float


class Client(StationClient):
    """A client of one service with one key.

    Parameters
    ----------
    url
        Where the service is, as `http://127.0.0.1:8470`.
    key
        An API key.
    spool
        Folder for deliveries that the service does not take yet. Without it a delivery that fails raises.
    sign
        Makes of a manifest's bytes those of its signature's file, where this machine signs its evidence: what another
        machine began to deliver of the same recording, and had not signed when it died, is brought to its end with it.
    timeout_s
        Longest wait for a connection or the next bytes.
    transport, clock, sleep
        For tests: httpx transport, monotonic seconds, and waiting.

    Attributes
    ----------
    plans
        Plans that the service makes.

    Raises
    ------
    SpoolError
        When the spool folder cannot be used.
    ClientError
        When the URL is not one.
    """

    def __init__(
        self,
        url: str,
        key: str,
        *,
        spool: Path | None = None,
        sign: Callable[[bytes], bytes] | None = None,
        timeout_s: float = 10.0,
        transport: httpx.BaseTransport | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        super().__init__(url, key, timeout_s=timeout_s, transport=transport)
        self.spool = None if spool is None else Spool(spool)
        self._sign = sign
        self._clock, self._sleep = clock, sleep
        self.plans = Plans(self._ask, sleep)
        self._failures = 0
        self._due = -float("inf")

    # -- delivery -----------------------------------------------------------------------------------------------------

    def deliver(self, crossing: dict[str, Any], evidence_dir: Path | None = None) -> SpoolReport:
        """Deliver a crossing with its evidence, through the spool where there is one.

        Parameters
        ----------
        crossing
            As `POST /crossings` takes it.
        evidence_dir
            Folder of the files that `crossing["evidence"]` names.

        Returns
        -------
        SpoolReport
            An unreachable service is no error where there is a spool: the crossing is in `waiting`. A full disk is
            none where the service can be reached: the crossing goes to it without having waited in the spool.

        Raises
        ------
        SpoolError
            When the spool cannot take it, or a file is missing; without a spool also when another machine began to
            deliver its evidence, and that cannot be signed or its signature does not fit.
        ClientError
            Without a spool: when the service cannot be reached or refuses.
        """
        if self.spool is None:
            return SpoolReport((self._send(crossing, evidence_dir),), (), 0, None, 0.0)
        try:
            self.spool.put(crossing, evidence_dir)
        except SpoolError as error:
            if not isinstance(error.__cause__, OSError):
                raise
            return self._past_the_spool(crossing, evidence_dir, error)
        return self.flush()

    def _past_the_spool(self, crossing: dict[str, Any], evidence_dir: Path | None, full: SpoolError) -> SpoolReport:
        """Deliver what the spool has no room for, behind what waits in it; raises SpoolError where that fails too."""
        left = self.flush()
        if left.waiting:
            raise SpoolError(f"{full}; and the service does not take it now: {left.error}") from full
        try:
            answer = self._send(crossing, evidence_dir)
        except ClientError as error:
            raise SpoolError(f"{full}; and the service does not take it: {error}") from error
        return SpoolReport((*left.delivered, answer), left.failed, 0, None, 0.0)

    def flush(self, *, wait_s: float = 0.0) -> SpoolReport:
        """Deliver what waits in the spool, oldest first.

        After a failure the next try is due after 0.5 s, doubled with every further failure up to 60 s, with a random
        part so that many couriers do not come at once; before that a flush without `wait_s` does nothing.

        Parameters
        ----------
        wait_s
            How long to go on trying.

        Raises
        ------
        SpoolError
            When there is no spool, or it cannot be read or written.
        """
        if self.spool is None:
            raise SpoolError("this client has no spool: give it a folder")
        until = self._clock() + wait_s
        delivered: list[dict[str, Any]] = []
        failed: list[Failed] = []
        error: str | None = None
        while True:
            if self._clock() >= self._due:
                error = self._round(self.spool, delivered, failed)
            waiting = len(self.spool.pending())
            remaining = max(0.0, self._due - self._clock()) if waiting else 0.0
            if not waiting or self._clock() + remaining > until:
                note = (error or "waiting after a failure") if waiting else None
                return SpoolReport(tuple(delivered), tuple(failed), waiting, note, remaining)
            self._sleep(remaining)

    def _round(self, spool: Spool, delivered: list[dict[str, Any]], failed: list[Failed]) -> str | None:
        with spool.taking():
            for item in spool.pending():
                try:
                    answer = self._send(item.load(), item.folder)
                except SpoolError as damage:
                    failed.append(spool.set_aside(item, str(damage)))
                    continue
                except RefusedError as refusal:
                    if is_for_good(refusal):
                        failed.append(spool.set_aside(item, str(refusal)))
                        continue
                    return self._later(str(refusal))
                except ClientError as failure:
                    return self._later(str(failure))
                spool.done(item)
                delivered.append(answer)
                self._failures, self._due = 0, -float("inf")
        return None

    def _later(self, why: str) -> str:
        wait_s = min(_LONGEST_WAIT_S, _FIRST_WAIT_S * 2**self._failures)
        self._failures = min(self._failures + 1, 16)
        self._due = self._clock() + wait_s * SystemRandom().uniform(0.75, 1.25)
        return why

    def _send(self, crossing: dict[str, Any], evidence_dir: Path | None) -> dict[str, Any]:
        """Every step may be repeated: an interrupted delivery is sent again from its start."""
        files = checked_files(crossing, evidence_dir)
        answer = self._object("POST", "/crossings", json=crossing)
        if answer["outcome"] != "dropped":
            kept: bytes | None = None
            for part, path in files:
                if part == SIGNATURE:
                    self._put_signature(answer["id"], path, kept)
                else:
                    kept = self._put(answer["id"], part, path) or kept
        return answer

    def _put(self, crossing_id: str, part: str, path: Path) -> bytes | None:
        """Send a file; a manifest of the same evidence that the service has in its place, where it has one."""
        try:
            self._object("PUT", f"/crossings/{crossing_id}/evidence/{part}", content=chunks(path))
        except RefusedError as refusal:
            # What another machine began to deliver of the same recording is gone on with, under its manifest.
            if refusal.status != 409 or part != "manifest":
                raise
            kept = self.evidence(crossing_id, "manifest")
            if not written_twice(path, kept):
                raise
            return kept
        return None

    def _put_signature(self, crossing_id: str, path: Path, kept: bytes | None) -> None:
        """See that the manifest that the service has is signed: ours, or `kept`, which is of another machine.

        Our signature's file is over our manifest and would not fit `kept`, but that tells what ours tells: we sign it
        where its machine came to its end before it did. Where we were so slow that another machine has signed ours by
        now, its signature stays.
        """
        if kept is not None and self._signed(crossing_id, kept):
            return
        try:
            self._object(
                "PUT", f"/crossings/{crossing_id}/evidence/{SIGNATURE}", content=self._signature_of(path, kept)
            )
        except RefusedError as refusal:
            if refusal.status != 409:
                raise
            if not self._signed(crossing_id, self.evidence(crossing_id, "manifest") if kept is None else kept):
                raise

    def _signature_of(self, path: Path, kept: bytes | None) -> bytes:
        if kept is None:
            return path.read_bytes()
        if self._sign is None:
            raise SpoolError(
                f"another machine left its manifest of this evidence unsigned, and this one has no key to sign it: "
                f"give the key that signs here, or take {SIGNATURE} out of what is delivered"
            )
        return self._sign(kept)

    def _signed(self, crossing_id: str, manifest: bytes) -> bool:
        """Whether the service has a signature of a manifest; raises SpoolError where it does not fit."""
        try:
            there = self.evidence(crossing_id, SIGNATURE)
        except RefusedError as refusal:
            if refusal.status != 404:
                raise
            return False
        if not signs(there, manifest):
            raise SpoolError(f"the {SIGNATURE} that the service has of this evidence does not fit its manifest")
        return True

    # -- reading ------------------------------------------------------------------------------------------------------

    def me(self) -> dict[str, Any]:
        """What the key stands for."""
        return self._object("GET", "/me")

    def records(self, collection: str, **filters: str) -> Iterator[dict[str, Any]]:
        """Every record of a collection that the key may read, newest first, as GeoJSON Features, page by page.

        Parameters
        ----------
        collection
            "crossings", "cues", "segments", "fleets", "plans", "sorties", "vehicles" or "sensors".
        filters
            As `GET /crossings` takes them (`from` as `from_`): to, bbox, source, status, review, kind, limit.
        """
        following: str | None = f"/{collection}"
        parameters: dict[str, str] | None = {name.rstrip("_"): value for name, value in filters.items()}
        while following is not None:
            page = self._object("GET", following, params=parameters)
            yield from page["features"]
            parameters = None
            following = next((link["href"] for link in page["links"] if link["rel"] == "next"), None)

    def crossings(self, **filters: str) -> Iterator[dict[str, Any]]:
        """Every crossing that the key may read: `records` of "crossings"."""
        return self.records("crossings", **filters)

    def crossing(self, crossing_id: str) -> dict[str, Any]:
        """One crossing as a GeoJSON Feature; its ETag as the member `etag` beside the others."""
        response = self._ask("GET", f"/crossings/{crossing_id}")
        feature: dict[str, Any] = response.json()
        return feature | {"etag": response.headers.get("ETag")}

    def cues(self, **filters: str) -> Iterator[dict[str, Any]]:
        """Every cue that the key may read, newest first, as it was delivered, with `received` and `expires` beside."""
        for feature in self.records("cues", **filters):
            yield feature["properties"]

    def evidence(self, crossing_id: str, part: str = "clip") -> bytes:
        """A file of evidence."""
        return self._ask("GET", f"/crossings/{crossing_id}/evidence/{part}").content

    def events(self, after: int = 0, *, limit: int = 100) -> list[dict[str, Any]]:
        """Events after a cursor."""
        found: list[dict[str, Any]] = self._object("GET", "/events", params={"after": after, "limit": limit})["events"]
        return found

    # -- judging and sharing ------------------------------------------------------------------------------------------

    def review(
        self,
        crossing_id: str,
        verdict: str,
        *,
        reason: str | None = None,
        category: str | None = None,
        etag: str | None = None,
    ) -> dict[str, Any]:
        """Judge a crossing: "confirm", or "dismiss" with a reason, a category (`ReviewIn`), or both.

        Parameters
        ----------
        crossing_id
            The service's id.
        verdict, reason, category
            The judgement.
        etag
            Of the state that was looked at; without it the present state is looked up first.
        """
        seen = self.crossing(crossing_id)["etag"] if etag is None else etag
        body = {"verdict": verdict, "reason": reason, "category": category}
        return self._object("POST", f"/crossings/{crossing_id}/reviews", json=body, headers={"If-Match": seen})

    def release(
        self, record_id: str, partner_id: str, *, agreement_id: str | None = None, reason: str | None = None
    ) -> dict[str, Any]:
        """Release a record to a partner; RefusedError with status 409 says every reason when it is forbidden."""
        body = {
            "record_id": record_id,
            "partner_id": partner_id,
            "agreement_id": agreement_id,
            "reason": reason,
        }
        return self._object("POST", "/releases", json=body)

    def recall(self, release_id: str, *, reason: str | None = None) -> None:
        """Take a release back."""
        self._ask("DELETE", f"/releases/{release_id}", params={} if reason is None else {"reason": reason})

    # -- administration -----------------------------------------------------------------------------------------------

    def create_key(
        self, name: str, role: str, *, partner_id: str | None = None, sources: Sequence[str] | None = None
    ) -> str:
        """Issue a key and return its secret, which is shown this once.

        A pilot's or sensor's delivers for `sources` (names, or beginnings followed by `*`); None is its own name alone.
        """
        body = {"name": name, "role": role, "partner_id": partner_id, "sources": sources}
        secret: str = self._object("POST", "/keys", json=body)["key"]
        return secret

    def create_account(self, login: str, name: str, role: str, *, partner_id: str | None = None) -> str:
        """Make an account for a person and return its one-time secret, which is shown this once."""
        body = {"login": login, "name": name, "role": role, "partner_id": partner_id}
        secret: str = self._object("POST", "/accounts", json=body)["secret"]
        return secret

    def create_partner(self, name: str) -> dict[str, Any]:
        """Name a partner."""
        return self._object("POST", "/partners", json={"name": name})

    def create_agreement(self, **terms: Any) -> dict[str, Any]:
        """Put an agreement in force: the members of `AgreementTerms`."""
        return self._object("POST", "/agreements", json=terms)

    def audit(self, after: int = 0, *, limit: int = 100) -> dict[str, Any]:
        """Entries of the audit chain after a number, and its head."""
        return self._object("GET", "/audit", params={"after": after, "limit": limit})

    def verify_audit(self) -> dict[str, Any]:
        """Have the service recompute the audit chain: `intact`, and the head or where it is broken."""
        return self._object("GET", "/audit/verification")
