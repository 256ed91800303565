"""Sending a list to a vehicle: it asks, we answer."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Sequence

from pymavlink.dialects.v20 import ardupilotmega as mav

from autopilot.errors import RejectedError, TransferError, TransferTimeoutError, VehicleState
from autopilot.long_texts import Said
from autopilot.pace import RETRY_S
from autopilot.prompt import Prompt
from autopilot.transfer_peer import TRIES, Peer, Progress, converse, to_message
from autopilot.wire import Message
from autopilot.wire_ahead import Ahead
from autopilot.words import MissionKind, mission_words
from missions import MissionItem

__all__ = ["send_list"]

_SILENCE_S = 10.0  # ArduPilot gives up after 8 s and says so
_STUCK = 3  # silences for which a vehicle may ask for the same items over and over
_ECHO_S = 0.25  # a request repeated sooner is a duplicate of the network, later the vehicle's own
_SHOWN = 3
_BLOCK = 16  # items that are packed at once
_REQUESTS = (mav.MAVLink_mission_request_message, mav.MAVLink_mission_request_int_message)
_REQUEST = struct.Struct("<HBBB")
_CANCELLED = mav.MAV_MISSION_OPERATION_CANCELLED


async def send_list(
    peer: Peer, items: Sequence[MissionItem], progress: Progress | None, *, part: range | None = None
) -> bool:
    """Send the list; whether its final MISSION_ACK arrived. Raises as `autopilot.transfer.upload` does.

    With `part`, only these of its items replace those that the vehicle has.
    """
    sending = _Sending(peer, items, progress, part)
    types = ("MISSION_REQUEST", "MISSION_REQUEST_INT", "MISSION_ACK", "STATUSTEXT")
    await converse(peer, types, sending, sending.prompt, sending.answered)
    return bool(sending.acknowledged)


class _Sending:
    """How far an upload has come.

    Attributes
    ----------
    acknowledged
        None while it runs; then whether the final MISSION_ACK arrived.
    prompt
        The item that is asked for next, as far as that can be known.
    """

    def __init__(self, peer: Peer, items: Sequence[MissionItem], progress: Progress | None, part: range | None) -> None:
        self.acknowledged: bool | None = None
        self._peer = peer
        self._items = items
        self._progress = progress
        self._asked_for = range(len(items)) if part is None else part
        self._offer = _offer(peer, len(items), part)
        self._clock = asyncio.get_running_loop().time
        self._retry_s = peer.timing.retry_s(RETRY_S)
        self._silence_s = peer.timing.wall_s(_SILENCE_S)
        self._echo_s = _ECHO_S / peer.timing.time_scale
        self.prompt = Prompt(peer.sysid, peer.component, _REQUESTS)
        self._ahead: dict[int, Ahead] = {}
        self._begun = self._heard = self._moved = self._clock()
        self._highest = -1
        self._tries = 0
        self._answered: dict[int, float] = {}
        self._doubt: int | None = None
        self._doubted = 0.0
        self._said = Said()

    @property
    def patience_s(self) -> float:
        """Wall seconds until the next look at the clock."""
        return self._retry_s

    @property
    def complete(self) -> bool:
        """Whether the upload is over."""
        return self.acknowledged is not None

    @property
    def _all_asked(self) -> bool:
        return self._highest + 1 == self._asked_for.stop

    def look(self) -> None:
        """Repeat the offer, or give up, by the clock."""
        now = self._clock()
        if self._highest < 0:
            if now < self._begun + self._tries * self._retry_s:
                return
            if self._tries == TRIES:
                raise self._given_up("it never asked for an item")
            self._make_offer()
        elif self._all_asked and now >= self._heard + 2 * self._retry_s:
            if self._doubt == mav.MAV_MISSION_ERROR:
                raise self._refusal(mav.MAV_MISSION_ERROR)
            self.acknowledged = False
        elif self._doubt == mav.MAV_MISSION_ERROR and now >= self._doubted + self._retry_s:
            raise self._refusal(mav.MAV_MISSION_ERROR)
        elif now >= self._heard + self._silence_s or now >= self._moved + _STUCK * self._silence_s:
            raise self._given_up(f"it stopped asking after item {self._highest}")

    def take(self, message: Message) -> None:
        """Take whatever came."""
        kind = message.get_type()
        if kind == "STATUSTEXT":
            self._said.take(message, self._clock())
        elif not self._peer.is_ours(message):
            return
        elif kind == "MISSION_ACK":
            self._take_ack(message.type)
        elif message.seq in self._asked_for:
            self._answer(message.seq)

    def _take_ack(self, result: int) -> None:
        if result == mav.MAV_MISSION_ACCEPTED:
            # An earlier acceptance belongs to an earlier transfer.
            if self._all_asked:
                self.acknowledged = True
        elif result == mav.MAV_MISSION_INVALID_SEQUENCE or (result == _CANCELLED and self._highest < 0):
            # Out of sequence answers an item that came twice, cancelled an earlier transfer: neither ends this one.
            self._doubt = result
        elif result == mav.MAV_MISSION_ERROR and (self._highest < 0 or self._all_asked):
            # So is an item answered that came twice, or late, when its transfer is over; and an offer, where the last
            # word of that one was lost: PX4 waits for it for 5 s. The offer is repeated for longer than that.
            if self._highest < 0 and self._doubt is None:
                self._end_the_one_before()
                self._make_offer()
            self._doubt = result
        elif result == mav.MAV_MISSION_ERROR:
            # And so does PX4 answer what comes late of the list before this one, in the name of this one.
            self._doubt, self._doubted = result, self._clock()
        else:
            raise self._refusal(result)

    def _make_offer(self) -> None:
        self._tries += 1
        self._peer.send(self._offer)
        self._ready(self._asked_for.start)

    def _end_the_one_before(self) -> None:
        """Say that no transfer of ours is under way, of whichever list: one at a time is all that there is."""
        peer = self._peer
        for kind in MissionKind:
            peer.send(mav.MAVLink_mission_ack_message(peer.sysid, peer.component, _CANCELLED, kind))

    def answered(self, seq: int) -> None:
        """An item that lay ready has gone."""
        self._went(seq, self._clock())

    def _answer(self, seq: int) -> None:
        now = self._clock()
        if now - self._answered.get(seq, -1e9) < self._echo_s:
            return
        self.prompt.withdraw()
        self._peer.send(self._packed(seq))
        self._went(seq, now)

    def _went(self, seq: int, now: float) -> None:
        self._heard = self._answered[seq] = now
        self._doubt = None
        if seq > self._highest:
            self._highest, self._moved = seq, now
            if self._progress is not None:
                self._progress(f"upload {self._peer.kind}", seq + 1 - self._asked_for.start, len(self._asked_for))
        # While the vehicle looks at this one there is time for the next.
        if seq + 1 in self._asked_for and seq + 1 not in self._answered:
            self._ready(seq + 1)

    def _ready(self, seq: int) -> None:
        link = self._peer.link
        asked = _REQUEST.pack(seq, link.system_id, link.component_id, self._peer.kind).rstrip(b"\0")
        self.prompt.expect(seq, asked, self._packed(seq))

    def _packed(self, seq: int) -> Ahead:
        packed = self._ahead.get(seq)
        if packed is None:
            # Some at a time: each alone would find the processor's caches cold.
            block = range(seq, min(seq + _BLOCK, self._asked_for.stop))
            self._ahead = {each: to_message(self._peer, self._items[each]) for each in block}
            packed = self._ahead[seq]
        return packed

    def _refusal(self, result: int) -> RejectedError:
        where = "before the first item" if self._highest < 0 else f"after item {self._highest}"
        # One that was offered twice may have been taken at first, the old list cut short, and no request have come.
        kept = self._highest < 0 and self._tries == 1
        said = self._said.texts()[-_SHOWN:]
        words = f"; it said: {' | '.join(said)}" if said else ""
        return RejectedError(
            f"{self._peer}: refused {where}: {mission_words(result)} (MISSION_ACK {result}){words}",
            result,
            VehicleState.KEPT if kept else VehicleState.UNKNOWN,
        )

    def _given_up(self, where: str) -> TransferError:
        if self._doubt is not None:
            return self._refusal(self._doubt)
        return TransferTimeoutError(
            f"{self._peer}: {where}{self._peer.doubt}: check the link and send again", VehicleState.UNKNOWN
        )


def _offer(peer: Peer, count: int, part: range | None) -> Message:
    if part is None:
        return mav.MAVLink_mission_count_message(peer.sysid, peer.component, count, peer.kind)
    return mav.MAVLink_mission_write_partial_list_message(
        peer.sysid, peer.component, part.start, part.stop - 1, peer.kind
    )
