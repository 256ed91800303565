"""Answers that lie ready: a request that was foreseen is known by its bytes, and answered before it is read.

An item of a list is asked for, and the vehicle does nothing until it comes. What a request means to statistics, logs
and listeners is seen to while the vehicle looks at the answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from autopilot.wire import Codec, Message
from autopilot.wire_ahead import framed

__all__ = ["Prompt", "asked_in"]

_NUMBER, _SENDER, _HEAD = 4, 5, 10  # where a frame has its sequence number, who sends it, and its payload


class Prompt:
    """The one request that a conversation foresees, and its answer; both are given anew for each.

    The request is foreseen as the whole frame that it comes as, but for its sequence number: who knows what else comes
    from the vehicle meanwhile. Whatever is not that frame to the byte goes the way of all messages.

    Parameters
    ----------
    system, component
        Who asks.
    kinds
        Pymavlink's classes of the request, all of the same fields.

    Attributes
    ----------
    heads
        System, component and number of a message, as a frame carries them: to the byte that stands for the message's
        definition in its checksum, and to the message's name.
    answered
        Called with the number of the request when its answer has gone.
    listener
        Who is told so by that, and is not handed the request any more.
    number
        Of the request.
    asked, kind
        The request that is foreseen, without number and checksum (system, component, number of the message, payload),
        and its message's name.
    packet
        The answer to it; empty where none lies ready.
    route
        Where the request will come from.
    """

    def __init__(self, system: int, component: int, kinds: Iterable[Any]) -> None:
        self.heads = {
            bytes((system, component)) + kind.id.to_bytes(3, "little"): (bytes((kind.crc_extra,)), str(kind.msgname))
            for kind in kinds
        }
        self.answered: Callable[[int], None] = lambda _: None
        self.listener: Callable[[Message], None] | None = None
        self.number = 0
        self.asked = self.packet = self._payload = self._extra = b""
        self.kind = ""
        self.route: Any = None
        self._answer: Message = None

    def expect(self, number: int, payload: bytes, answer: Message) -> None:
        """Foresee a request with this payload, without the zeros at its end, and have its answer ready.

        Parameters
        ----------
        number
            By which it is told that the answer has gone.
        payload
            Not empty.
        answer
            What is sent then.
        """
        self.number, self._payload, self._answer, self.packet = number, payload, answer, b""

    def withdraw(self) -> None:
        """Foresee nothing any more."""
        self._payload = self.packet = b""

    def pack(self, last: bytes, route: Any, codec: Codec) -> bool:
        """Make the answer's packet, while there is time for it; whether a request is foreseen.

        Parameters
        ----------
        last, route
            The last request, of which the next has the kind, and where it came from.
        codec
            Packs the answer.
        """
        if not self._payload:
            return False
        sender = last[_SENDER:_HEAD]
        self._extra, self.kind = self.heads[sender]
        self.asked = sender + self._payload
        self.packet = codec.ahead(self._answer)
        self.route = route
        return True

    def first_of(self, data: bytes) -> bytes:
        """The frame of the request that is foreseen, where `data` begins with it; else nothing."""
        frame = framed(bytes((len(self._payload), 0, 0, data[_NUMBER])) + self.asked, self._extra)
        return frame if data.startswith(frame) else b""


def asked_in(data: bytes) -> bytes:
    """`Prompt.asked` of the frame that `data` begins with; what is no whole frame is foreseen by nobody."""
    return data[_SENDER : _HEAD + data[1]] if len(data) > _HEAD else b""
