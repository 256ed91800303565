"""One vehicle's one list on one link, and how an item travels."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from pymavlink.dialects.v20 import ardupilotmega as mav

from autopilot.link import Link
from autopilot.prompt import Prompt
from autopilot.timing import Timing
from autopilot.wire import Message
from autopilot.wire_ahead import Ahead
from autopilot.words import MissionKind
from missions import Mission, MissionItem

__all__ = ["TRIES", "Machine", "Peer", "Progress", "converse", "from_message", "lists_of", "to_message"]

Progress = Callable[[str, int, int], None]
"""Called with what is done (``upload mission``, ``read back fence``), items done and items in all."""

TRIES = 6
_V1 = 0xFE


@dataclass(frozen=True, slots=True)
class Peer:
    """One vehicle's one list on one link."""

    link: Link
    sysid: int
    component: int
    kind: MissionKind
    timing: Timing

    def send(self, message: Message) -> None:
        """Send a message to the vehicle."""
        self.link.send(message, self.sysid)

    def is_ours(self, message: Message) -> bool:
        """Whether a mission message is from this vehicle's autopilot, for us, and about this list."""
        return (
            message.get_srcComponent() == self.component
            and message.target_system in (0, self.link.system_id)
            and message.target_component in (0, self.link.component_id)
            and message.mission_type == self.kind
        )

    @property
    def doubt(self) -> str:
        """Why what it answers may be for none of our lists, in words; empty where nothing speaks for that."""
        beat = self.link.vehicles.get(self.sysid)
        if self.kind is MissionKind.MISSION or beat is None or beat.get_msgbuf()[0] != _V1:
            return ""
        return (
            " (it speaks MAVLink 1, which knows missions alone: set it to MAVLink 2, as SERIALn_PROTOCOL of ArduPilot "
            "and MAV_PROTO_VER of PX4 do)"
        )

    def __str__(self) -> str:
        return f"{self.link.url} vehicle {self.sysid} {self.kind}"


class Machine(Protocol):
    """One side of a conversation: takes messages, looks at the clock, says when it is over."""

    @property
    def complete(self) -> bool:
        """Whether it is over."""

    @property
    def patience_s(self) -> float:
        """Wall seconds until it wants to look at the clock again."""

    def look(self) -> None:
        """Do what is due by the clock."""

    def take(self, message: Message) -> None:
        """Take whatever came."""


class Partner(Protocol):
    """Whom a conversation is with."""

    @property
    def link(self) -> Link:
        """The link to it."""

    @property
    def sysid(self) -> int:
        """Its system id."""


async def converse(
    peer: Partner,
    types: Collection[str],
    machine: Machine,
    prompt: Prompt | None = None,
    answered: Callable[[int], None] | None = None,
) -> None:
    """Run a conversation until it is over. Raises what the machine raises, and LinkError when the link is lost.

    The machine answers inside the call that received the message: an item waits for no turn of the event loop. What it
    foresees by `prompt` may be answered without it, which `answered` tells it with the number of the request.
    """
    talk = _Talk(machine, prompt)
    take = partial(talk.attempt, machine.take)
    stops = [
        talk.stop,
        peer.link.listen(take, sysid=peer.sysid, types=types),
        peer.link.on_close(partial(talk.attempt, peer.link.check)),
    ]
    if prompt is not None and answered is not None:
        prompt.answered, prompt.listener = partial(talk.attempt, answered), take
        stops.append(peer.link.foresee(prompt))
    try:
        talk.look()
        await talk.ended
    finally:
        for stop in stops:
            stop()


class _Talk:
    """A conversation under way: each step of its machine, and what came of it in `ended`."""

    def __init__(self, machine: Machine, prompt: Prompt | None) -> None:
        self._machine, self._prompt = machine, prompt
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self.ended: asyncio.Future[None] = self._loop.create_future()

    def attempt(self, step: Callable[..., None], *given: Any) -> None:
        """Do one step, and see whether that was the last."""
        ended = self.ended
        if ended.done():
            return
        try:
            step(*given)
        except Exception as error:  # noqa: BLE001  whatever it is, the caller gets it and not the socket
            ended.set_exception(error)
        else:
            if self._machine.complete:
                ended.set_result(None)
        if self._prompt is not None and ended.done():
            self._prompt.withdraw()

    def look(self) -> None:
        """Look at the clock, now and whenever the machine wants to."""
        self.attempt(self._machine.look)
        if not self.ended.done():
            self._timer = self._loop.call_later(self._machine.patience_s, self.look)

    def stop(self) -> None:
        """Look no more."""
        if self._timer is not None:
            self._timer.cancel()


def to_message(peer: Peer, item: MissionItem) -> Ahead:
    """MISSION_ITEM_INT of an item."""
    current = int(peer.kind is MissionKind.MISSION and item.seq == 0)
    fields = (
        peer.sysid, peer.component, item.seq, item.frame, item.command, current, int(item.autocontinue),
        item.p1, item.p2, item.p3, item.p4, item.x, item.y, item.z, peer.kind,
    )  # fmt: skip
    return Ahead(mav.MAVLink_mission_item_int_message, fields)


def from_message(m: Message) -> MissionItem:
    """The item of a MISSION_ITEM_INT."""
    return MissionItem(
        seq=m.seq, frame=m.frame, command=m.command, p1=m.param1, p2=m.param2, p3=m.param3, p4=m.param4,
        x=m.x, y=m.y, z=m.z, autocontinue=bool(m.autocontinue),
    )  # fmt: skip


def lists_of(mission: Mission) -> tuple[tuple[MissionKind, Sequence[MissionItem]], ...]:
    """The three lists of a sortie in the order of their upload: what fails after the fence leaves a fence."""
    return (
        (MissionKind.FENCE, mission.fence),
        (MissionKind.RALLY, mission.rally),
        (MissionKind.MISSION, mission.items),
    )
